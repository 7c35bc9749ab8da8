#include "ness/dynamics/euler_maruyama.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <set>

#include "ness/systems/linear.hpp"
#include "ness/systems/polymer.hpp"
#include "ness/trajectory/density.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"

namespace {

using Vector1 = Eigen::Matrix<double, 1, 1>;
using Vector2 = Eigen::Vector2d;
using Matrix1 = Eigen::Matrix<double, 1, 1>;

// dθ = −θ dt + √(2(1 + θ²/8)) dW: the second moment is closed.
struct Multiplicative {
  static constexpr Eigen::Index parameters() { return 1; }
  void drift(const Vector1& t, Vector1& out) const { out = -t; }
  auto diffusion(const auto& t) const {
    using Scalar = typename std::decay_t<decltype(t)>::Scalar;
    return Eigen::Matrix<Scalar, 1, 1>(Scalar(1) + t[0] * t[0] / 8);
  }
};

struct DoubleWell {
  static constexpr Eigen::Index parameters() { return 1; }
  auto potential(const auto& t) const {
    const auto u = t[0] * t[0] - 1;
    return u * u;
  }
  Matrix1 diffusion() const { return Matrix1(0.5); }
  double beta() const { return 2; }
};

template <class System>
auto mean_square(const System& system, double time_step, std::int64_t steps, double start = 0) {
  constexpr int chains = 8;
  const auto square = [](const Vector1& t) { return t[0] * t[0]; };
  const ness::Density estimator(square, {0, 1, 1}, ness::batch_length(steps, chains, 128), 4);
  auto [result] = ness::run_chains(
      {.steps = steps, .burn_in = static_cast<std::int64_t>(20 / time_step), .chains = chains},
      [&](int k) {
        return ness::EulerMaruyama(system, time_step, Vector1(start),
                                   ness::Philox(7, static_cast<std::uint64_t>(k)));
      },
      Vector1(0.0), estimator);
  return result.mean();
}

// A step that is the system's own noise.
struct OwnNoise : Multiplicative {
  void noise(const Vector1& t, const Vector1& z, Vector1& out) const {
    out = std::sqrt(1 + t[0] * t[0] / 8) * z;
  }
};

struct Tilted {  // singular D that depends on θ: noise along (1, θ₁) alone
  static constexpr Eigen::Index parameters() { return 2; }
  auto potential(const auto& t) const { return t[0] * t[0] + t[1] * t[1]; }
  Eigen::Matrix2d mobility() const { return Eigen::Matrix2d::Zero(); }
  auto diffusion(const auto& t) const {
    using Scalar = typename std::decay_t<decltype(t)>::Scalar;
    Eigen::Matrix<Scalar, 2, 2> d;
    d << Scalar(1), t[0], t[0], t[0] * t[0];
    return d;
  }
};

}  // namespace

TEST_CASE("One step is θ − μ∇𝓛Δt + √Δt Zz with ½ZZᵀ = D") {
  const DoubleWell well;
  ness::Philox random(3);
  ness::Philox same = random;
  ness::Normal normal;
  ness::EulerMaruyama chain(well, 0.01, Vector1(0.5), random);
  const double z = normal(same);
  chain.step();
  // −βD𝓛' = −4θ(θ² − 1)
  const double expected = 0.5 - 0.01 * 4 * 0.5 * (0.25 - 1) + std::sqrt(2 * 0.5 * 0.01) * z;
  CHECK(relative_error(chain.theta()[0], expected) <= 1e-15);
}

TEST_CASE("A system's own noise is used, and makes the same trajectory") {
  const Multiplicative by_cholesky;
  const OwnNoise own;
  ness::EulerMaruyama a(by_cholesky, 0.1, Vector1(0.5));
  ness::EulerMaruyama b(own, 0.1, Vector1(0.5));
  for (int k = 0; k < 100; ++k) {
    a.step();
    b.step();
    REQUIRE(std::abs(a.theta()[0] - b.theta()[0]) <= 1e-13);
  }
}

TEST_CASE("Noise of a singular D that depends on θ stays in its range") {
  const Tilted system;
  ness::EulerMaruyama chain(system, 0.01, Vector2(0.5, 0));
  for (int k = 0; k < 100; ++k) {
    const Vector2 before = chain.theta();
    chain.step();
    const Vector2 step = chain.theta() - before;
    // D is met to rounding, and so its root to the root of rounding.
    const double scale = std::sqrt(2 * 0.01 * (1 + before[0] * before[0]));
    REQUIRE(std::abs(step[1] - before[0] * step[0]) <= 1e-7 * scale);
  }
}

TEST_CASE("Averages have an error of order Δt: the second moment of multiplicative noise") {
  // m = (1 − Δt)² m + 2Δt(1 + m/8) gives m = 8/(7 − 4Δt), against 8/7.
  const Multiplicative system;
  double last = 0;
  for (const double time_step : {0.4, 0.2, 0.1}) {
    const auto found = mean_square(system, time_step, 400'000);
    INFO(time_step << ": " << found.value << " +- " << found.standard_error);
    CHECK(std::abs(found.value - 8 / (7 - 4 * time_step)) <= 4 * found.standard_error);
    CHECK(found.standard_error < 0.02);
    const double error = found.value - 8.0 / 7;
    if (last != 0) CHECK(std::abs(last / error - 2) < 0.8);
    last = error;
  }
}

TEST_CASE("Averages have an error of order Δt: a double well, by halving the step") {
  // ∫θ²e^{−βV} / ∫e^{−βV} by the trapezoidal rule.
  double above = 0, below = 0;
  for (double x = -4; x <= 4; x += 1e-3) {
    const double weight = std::exp(-2 * (x * x - 1) * (x * x - 1));
    above += x * x * weight;
    below += weight;
  }
  const DoubleWell well;
  const double exact = above / below;
  const auto error = [&](double time_step) {
    const auto found = mean_square(well, time_step, 1'000'000, 1);
    CHECK(found.standard_error < 0.002);
    return ness::Estimate<double>{found.value - exact, found.standard_error};
  };
  const auto first = error(0.05);
  const auto second = error(0.025);
  const auto third = error(0.0125);
  INFO(first.value << " " << second.value << " " << third.value << " +- " << third.standard_error);
  CHECK(first.value / second.value > 1.7);
  CHECK(first.value / second.value < 2.6);
  // What remains after Richardson's extrapolation is of second order.
  const double extrapolated = 2 * third.value - second.value;
  CHECK(std::abs(extrapolated) <= std::abs(third.value) / 3 + 4 * 3 * third.standard_error);
  CHECK(std::abs(third.value) > 5 * third.standard_error);
}

TEST_CASE("The law of averages does not depend on how often a run is looked at") {
  const auto square = [](const Vector1& t) { return t[0] * t[0]; };
  const auto run = [&](Eigen::Index stride) {
    const DoubleWell well;
    const ness::Density estimator(square, {0, 2, 4}, 1000, stride);
    auto [result] = ness::run_chains(
        {.steps = 10'000, .chains = 1},
        [&](int) { return ness::EulerMaruyama(well, 0.1, Vector1(1.0)); }, Vector1(0.0), estimator);
    return result;
  };
  // Every fifth state, also across blocks, whose length 5 does not divide.
  const auto every = run(1);
  const auto fifth = run(5);
  CHECK(every.counts().sum() <= 10'000);
  const DoubleWell well;
  ness::EulerMaruyama chain(well, 0.1, Vector1(1.0));
  double sum = 0;
  for (int k = 0; k < 10'000; ++k) {
    if (k % 5 == 0) sum += square(chain.theta());
    chain.step();
  }
  CHECK(relative_error(fifth.mean().value, sum / 2000) <= 1e-12);
}

TEST_CASE("A chain says its method and time step, and tells its system from another") {
  const ness::Polymer<> polymer({.beads = 2});
  const Eigen::VectorXd start = Eigen::VectorXd::LinSpaced(6, 0, 1);
  ness::EulerMaruyama chain(polymer, 0.25, start);
  CHECK(chain.description() == "Euler-Maruyama, time step 0.25");
  const auto fingerprint = chain.fingerprint();
  chain.step();
  CHECK(chain.fingerprint() == fingerprint);

  const auto of = [&](const auto& system) {
    return ness::EulerMaruyama(system, 0.1, start).fingerprint();
  };
  CHECK(of(polymer) == fingerprint);
  const ness::Polymer<> longer({.beads = 2, .bond_length = 2});
  const ness::Polymer<> thicker({.beads = 2, .hydrodynamics = {.bead_radius = 0.3}});
  const ness::Polymer<ness::FreeDraining> free({.beads = 2});
  CHECK(of(longer) != fingerprint);   // another drift
  CHECK(of(thicker) != fingerprint);  // another D
  CHECK(of(free) != fingerprint);
}

TEST_CASE("Every number of a system and of its start shows in the fingerprint, to its last bit") {
  using System = ness::LinearSystem<Eigen::Matrix2d>;
  // A row for the start and the centre each, then two for each of K, μ and D.
  Eigen::Matrix<double, 8, 2> numbers;
  numbers << 0.3, -0.7, 0.1, 0.2, 2, 1, 0.5, 3, 1, 0.4, -0.2, 1, 3, 0.6, 0.6, 1;
  const auto fingerprint = [&] {
    const System system(numbers.row(1).transpose(), numbers.middleRows<2>(2),
                        numbers.middleRows<2>(4), numbers.middleRows<2>(6));
    return ness::EulerMaruyama(system, 0.1, Vector2(numbers.row(0).transpose())).fingerprint();
  };
  std::set<std::uint64_t> seen{fingerprint()};
  for (double& each : numbers.reshaped()) {
    const double kept = each;
    each *= 1 + 16 * std::numeric_limits<double>::epsilon();
    CHECK(seen.insert(fingerprint()).second);
    each = kept;
  }
  CHECK(!seen.insert(fingerprint()).second);
}
