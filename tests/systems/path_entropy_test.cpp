#include "ness/trajectory/path_entropy.hpp"

#include <cmath>

#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/systems/force.hpp"
#include "ness/systems/linear.hpp"
#include "ness/trajectory/entropy_production.hpp"
#include "ness/trajectory/moments.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"

namespace {

using Eigen::Vector2d;
using Eigen::VectorXd;
using ness::StochasticIntegral;

constexpr double omega = 1.5;
constexpr double roughness = 0.6;  // c

// The density e^{−|θ|²/2}, the velocity v = ω(−y, x), and D = diag(e^{c tanh(xy)}, 1): the drift
// follows, v − D∇Φ + ∇·D.
struct Rough {
  static constexpr Eigen::Index parameters() { return 2; }
  auto diffusion(const auto& t) const {
    using std::exp, std::tanh;
    using Scalar = typename std::decay_t<decltype(t)>::Scalar;
    Eigen::Matrix<Scalar, 2, 2> d;
    d << exp(roughness * tanh(t[0] * t[1])), Scalar(0), Scalar(0), Scalar(1);
    return d;
  }
  void drift(const Vector2d& t, Vector2d& out) const {
    const double d = std::exp(roughness * std::tanh(t[0] * t[1]));
    out << -omega * t[1] - d * t[0] + d * roughness * t[1] * square_of_sech(t[0] * t[1]),
        omega * t[0] - t[1];
  }
  static double square_of_sech(double x) { return 1 / (std::cosh(x) * std::cosh(x)); }
};
struct GaussianPhi {
  template <class Theta>
  auto operator()(const Theta& t) const {
    return (t[0] * t[0] + t[1] * t[1]) * 0.5;
  }
};

// ∫ f P over the plane.
template <class Function>
double average(const Function& f) {
  double sum = 0, weights = 0;
  for (double x = -7; x <= 7; x += 0.02)
    for (double y = -7; y <= 7; y += 0.02) {
      const double weight = std::exp(-(x * x + y * y) / 2);
      sum += weight * f(x, y);
      weights += weight;
    }
  return sum / weights;
}

template <class System, class... Estimators>
auto run(const System& system, double time_step, std::int64_t steps,
         const Estimators&... estimators) {
  return ness::run_chains(
      {.steps = steps, .burn_in = static_cast<std::int64_t>(20 / time_step), .chains = 8},
      [&](int k) {
        return ness::EulerMaruyama(system, time_step, Vector2d(0.5, 0.5),
                                   ness::Philox(17, static_cast<std::uint64_t>(k)));
      },
      Vector2d(0, 0), estimators...);
}

}  // namespace

TEST_CASE("The two stochastic integrals of Eq. 7 differ by ⟨D_αγ ∂_αF_γ⟩, where D depends on θ") {
  const Rough system;
  constexpr double dt = 0.005;
  constexpr std::int64_t steps = 1'000'000;
  const auto length = ness::batch_length(steps, 8, 64);
  const ness::StationaryForce force(system, GaussianPhi{});
  const ness::PathEntropy stratonovich(force, {1, 20}, length, 10);
  const ness::PathEntropy ito(force, {1}, length, 10, StochasticIntegral::ito);
  const auto [a, b] = run(system, dt, steps, stratonovich, ito);

  // ⟨v D⁻¹ v⟩, and the part of it that Itô's integral leaves out.
  const double expected = average([](double x, double y) {
    return omega * omega * (y * y * std::exp(-roughness * std::tanh(x * y)) + x * x);
  });
  const double missing = average(
      [](double x, double y) { return omega * roughness * y * y * Rough::square_of_sech(x * y); });
  const auto of_s = a.results()[0].entropy_production;
  const auto of_i = b.results()[0].entropy_production;
  INFO("Stratonovich " << of_s.value / dt << " +- " << of_s.standard_error / dt << ", expected "
                       << expected << "; Ito " << of_i.value / dt << ", less by " << missing);
  CHECK(missing > 0.3);
  CHECK(of_s.standard_error / dt < 0.03);
  // An allowance of order Δt for the finite step.
  CHECK(std::abs(of_s.value / dt - expected) <= 4 * of_s.standard_error / dt + 3 * dt * expected);
  CHECK(std::abs((of_s.value - of_i.value) / dt - missing) <= 0.05 * missing);

  // Fluctuation theorem, over a tenth of a unit of time.
  const auto fluctuation = a.results()[1].integral_fluctuation;
  INFO("<exp(-sigma)> = " << fluctuation.value << " +- " << fluctuation.standard_error);
  CHECK(a.results()[1].length == 20);
  CHECK(std::abs(fluctuation.value - 1) <= 4 * fluctuation.standard_error + 3 * dt);
  CHECK(fluctuation.standard_error < 0.005);
}

TEST_CASE(
    "In a linear system with constant D the two integrals have the same mean, and Φ adds none") {
  const auto gyrator = ness::brownian_gyrator(1, 0.7, 4, 1);
  constexpr double dt = 0.01;
  constexpr std::int64_t steps = 400'000;
  const ness::StationaryState state(ness::linear_chain(gyrator, dt, ness::LyapunovForm::discrete));
  const auto length = ness::batch_length(steps, 8, 64);
  const auto of_state = [f = state.force_matrix()](const VectorXd& t, VectorXd& out) {
    out = f * t;
  };
  const auto [s, i, without, linear] =
      run(gyrator, dt, steps, ness::PathEntropy(of_state, {1}, length, 1),
          ness::PathEntropy(of_state, {1}, length, 1, StochasticIntegral::ito),
          ness::PathEntropy(ness::ThermodynamicForce(gyrator), {1}, length, 1),
          ness::EntropyProduction(state.force_matrix(), {1}, length, 1));
  const double expected = 0.49 * 9 / 8;
  const double left_out = 3 * dt * expected;
  for (const auto& results : {s.results(), i.results(), without.results()}) {
    const auto rate = results[0].entropy_production;
    INFO(rate.value / dt << " +- " << rate.standard_error / dt << ", expected " << expected);
    CHECK(std::abs(rate.value / dt - expected) <= 4 * rate.standard_error / dt + left_out);
    CHECK(rate.standard_error / dt < 0.05 * expected);
  }
  // Itô's is Eq. 27, to the last digits.
  CHECK(relative_error(i.results()[0].entropy_production.value,
                       linear.results()[0].entropy_production.value) <= 1e-10);
  CHECK(relative_error(i.results()[0].integral_fluctuation.value,
                       linear.results()[0].integral_fluctuation.value) <= 1e-12);
}

TEST_CASE("The area of Eq. 6 is the same in both senses, step by step") {
  const Vector2d here(0.3, -0.2), there(0.5, 0.4);
  const Vector2d step = there - here;
  const Vector2d middle = (here + there) / 2;
  const double ito = here[0] * step[1] - here[1] * step[0];
  const double stratonovich = middle[0] * step[1] - middle[1] * step[0];
  CHECK(std::abs(ito - stratonovich) <= 1e-16);

  const auto gyrator = ness::brownian_gyrator(1, 0.7, 4, 1);
  constexpr double dt = 0.02;
  constexpr std::int64_t steps = 400'000;
  const auto [area] = run(gyrator, dt, steps, ness::Area<>(2, ness::batch_length(steps, 8, 64)));
  const ness::StationaryState state(ness::linear_chain(gyrator, dt, ness::LyapunovForm::discrete));
  const auto found = area.circulation();
  CHECK(std::abs(found.value(1, 0) - state.circulation()(1, 0)) <= 4 * found.standard_error(1, 0));
  CHECK(found.standard_error(1, 0) < 0.1 * state.circulation()(1, 0));
}
