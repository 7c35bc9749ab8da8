#include "ness/systems/wright_fisher.hpp"

#include <Eigen/LU>
#include <cmath>

#include "ness/systems/force.hpp"
#include "ness/trajectory/density.hpp"
#include "ness/trajectory/path_entropy.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"

namespace {

using Eigen::Matrix2d;
using Eigen::MatrixXd;
using Eigen::Vector2d;
using Eigen::Vector3d;
using Eigen::VectorXd;
using Vector1 = Eigen::Matrix<double, 1, 1>;

template <int K, class... Estimators>
auto run(const ness::WrightFisher<K>& system, double time_step, std::int64_t steps,
         const Estimators&... estimators) {
  using Vector = typename ness::WrightFisher<K>::Vector;
  const Vector start = Vector::Constant(system.parameters(), 1.0 / static_cast<double>(K));
  return ness::run_chains(
      {.steps = steps, .burn_in = steps / 20, .chains = 8},
      [&](int k) {
        return ness::WrightFisherChain<K>(system, time_step, start,
                                          ness::Philox(31, static_cast<std::uint64_t>(k)));
      },
      Vector(Vector::Zero(system.parameters())), estimators...);
}

// The stationary state of a population of N copies that is drawn anew from the last in each
// generation: by its whole transition matrix, which shares nothing with the diffusion.
VectorXd of_resampling(int population, double u1, double u2, double s) {
  MatrixXd transition(population + 1, population + 1);
  for (int i = 0; i <= population; ++i) {
    const double x = static_cast<double>(i) / population;
    const double selected = x * (1 + s) / (1 + s * x);
    const double p = selected * (1 - u2) + (1 - selected) * u1;
    for (int j = 0; j <= population; ++j)
      transition(j, i) = std::exp(std::lgamma(population + 1.0) - std::lgamma(j + 1.0) -
                                  std::lgamma(population - j + 1.0) + j * std::log(p) +
                                  (population - j) * std::log1p(-p));
  }
  MatrixXd equation = transition - MatrixXd::Identity(population + 1, population + 1);
  equation.row(0).setOnes();
  return equation.partialPivLu().solve(VectorXd::Unit(population + 1, 0));
}

// ∫f P / ∫P with P = x^{a−1}(1−x)^{b−1}e^{cx}, a, b ≥ 1.
template <class Function>
double wright_average(double a, double b, double c, const Function& f) {
  double above = 0, below = 0;
  constexpr int cells = 20'000;
  for (int i = 0; i < cells; ++i) {
    const double x = (i + 0.5) / cells;
    const double weight = std::pow(x, a - 1) * std::pow(1 - x, b - 1) * std::exp(c * x);
    above += weight * f(x);
    below += weight;
  }
  return above / below;
}

}  // namespace

TEST_CASE("The drift is −βD∇𝓛, mutation and selection") {
  const ness::WrightFisher<3> system(80, Vector3d(0.02, 0.05, 0.01), Vector3d(0.03, -0.02, 0.01));
  for (const Vector2d& x : {Vector2d(0.2, 0.3), Vector2d(0.05, 0.9)}) {
    ness::SystemTerms terms(system);
    terms.at(x);
    const Vector2d down = -system.beta() * (terms.diffusion() * terms.gradient());
    CHECK(relative_error(terms.drift(), down) <= 1e-13);
    // By hand: u_i − x_i Σu + x_i(s_i − ⟨s⟩).
    const double last = 1 - x.sum();
    const double mean = 0.03 * x[0] - 0.02 * x[1] + 0.01 * last;
    const Vector2d expected(0.02 - 0.08 * x[0] + x[0] * (0.03 - mean),
                            0.05 - 0.08 * x[1] + x[1] * (-0.02 - mean));
    CHECK(relative_error(terms.drift(), expected) <= 1e-13);
    // det D = Π x_j / (2N)^{K−1}
    CHECK(relative_error(terms.diffusion().determinant(), x[0] * x[1] * last / 160 / 160) <= 1e-12);
  }
}

TEST_CASE("Without selection the mean relaxes exactly, and second moments to second order in Δt") {
  // The diffusion: d⟨x²⟩/dt = 2u₁⟨x⟩ − 2Σu⟨x²⟩ + (⟨x⟩ − ⟨x²⟩)/N_e, from x at first.
  const ness::WrightFisher<2> system(40, Vector2d(0.02, 0.05), Vector2d(0, 0));
  const double x = 0.15, rate = 0.07, settled = 0.02 / rate;
  const auto second_moment = [&](double t) {
    const double decay = 2 * rate + 1.0 / 40, source = 0.04 + 1.0 / 40;
    const double last = source * settled / decay;
    const double slow = source * (x - settled) / (decay - rate);
    return last + slow * std::exp(-rate * t) + (x * x - last - slow) * std::exp(-decay * t);
  };
  // Of a step: E x'² of Dirichlet(2N_e u + n), with L where the mean has it.
  const auto of_step = [&](double t) {
    const double kept = std::exp(-rate * t), total = 5.6, drawn = total * kept / (1 - kept);
    const double a = 1.6 + drawn * x;
    return std::pair((a * (a + 1) + drawn * x * (1 - x)) / (total + drawn) / (total + drawn + 1),
                     drawn);
  };
  const auto error = [&](double t) { return of_step(t).first - second_moment(t); };
  CHECK(std::abs(error(0.2) / error(0.1) - 8) < 0.3);  // of one step: third order
  for (const double dt : {8.0, 4.0}) {
    double sum = 0, squares = 0, variance = 0, fourth = 0;
    constexpr int count = 400'000;
    const double mean = settled + (x - settled) * std::exp(-rate * dt);
    for (int k = 0; k < count; ++k) {
      ness::WrightFisherChain chain(system, dt, Vector1(x),
                                    ness::Philox(5, static_cast<std::uint64_t>(k)));
      chain.step();
      const double y = chain.theta()[0];
      sum += y;
      squares += y * y;
      variance += (y - mean) * (y - mean);
      fourth += y * y * y * y;
    }
    CHECK(std::abs(sum / count - mean) <= 4 * std::sqrt(variance) / count);
    const auto [closed, drawn] = of_step(dt);
    const double deviation = std::sqrt(fourth / count - closed * closed) / std::sqrt(count);
    INFO(dt << ": " << squares / count << " +- " << deviation << ", expected " << closed);
    // L is not quite one number: a relative error of 1/L³ or so.
    CHECK(std::abs(squares / count - closed) <= 4 * deviation + 0.1 / std::pow(drawn, 3));
  }
}

TEST_CASE("Without selection the mean of each of three kinds relaxes exactly in a step") {
  const ness::WrightFisher<3> system(40, Vector3d(0.02, 0.05, 0.01), Vector3d::Zero());
  const double dt = 5, kept = std::exp(-0.08 * dt);
  const Vector2d x(0.2, 0.6), settled(0.25, 0.625);
  constexpr int count = 50'000;
  Vector2d sum = Vector2d::Zero(), squares = Vector2d::Zero();
  for (int k = 0; k < count; ++k) {
    ness::WrightFisherChain<3> chain(system, dt, x, ness::Philox(6, static_cast<std::uint64_t>(k)));
    chain.step();
    const Vector2d y = chain.theta() - settled - kept * (x - settled);
    sum += y;
    squares += y.cwiseAbs2();
  }
  const Vector2d errors = squares.cwiseSqrt() / count;
  INFO(sum.transpose() / count << " +- " << errors.transpose());
  CHECK((sum.cwiseAbs() / count).cwiseQuotient(errors).maxCoeff() <= 4);
  CHECK(errors.maxCoeff() < 1e-3);
}

TEST_CASE("Without selection the stationary density is exact, however long the step") {
  const ness::WrightFisher<2> system(50, Vector2d(0.015, 0.01), Vector2d(0, 0));
  const double exact = wright_average(1.5, 1, 0, [](double x) { return x * x; });
  for (const double dt : {40.0, 10.0, 1.0}) {
    const auto identity = [](const Vector1& x) { return x[0]; };
    constexpr std::int64_t steps = 200'000;
    auto [density] = run(system, dt, steps,
                         ness::Density(identity, {0, 1, 1}, ness::batch_length(steps, 8, 128)));
    const auto found = density.mean_square();
    INFO(dt << ": " << found.value << " +- " << found.standard_error << ", expected " << exact);
    CHECK(std::abs(found.value - exact) <= 4 * found.standard_error);
    CHECK(found.standard_error < 0.005);
  }
}

TEST_CASE("With selection averages have an error of order Δt²") {
  const ness::WrightFisher<2> system(50, Vector2d(0.02, 0.03), Vector2d(0.1, 0));
  const double exact = wright_average(2, 3, 10, [](double x) { return x; });
  const auto error = [&](double dt) {
    const auto identity = [](const Vector1& x) { return x[0]; };
    constexpr std::int64_t steps = 1'000'000;
    auto [density] = run(system, dt, steps,
                         ness::Density(identity, {0, 1, 1}, ness::batch_length(steps, 8, 128)));
    const auto found = density.mean();
    CHECK(found.standard_error < 1e-3);
    return ness::Estimate<double>{found.value - exact, found.standard_error};
  };
  const auto coarse = error(20);
  const auto fine = error(10);
  INFO(coarse.value << " " << fine.value << " +- " << fine.standard_error);
  CHECK(std::abs(coarse.value) > 10 * coarse.standard_error);
  CHECK(std::abs(fine.value) > 5 * fine.standard_error);
  CHECK(std::abs(coarse.value / fine.value - 4) < 1.2);
}

TEST_CASE("The density is Wright's, in every bin") {
  const ness::WrightFisher<2> system(100, Vector2d(0.01, 0.0075), Vector2d(0.01, 0));
  const auto identity = [](const Vector1& x) { return x[0]; };
  constexpr std::int64_t steps = 1'000'000;
  const ness::Axis axis{0, 1, 20};
  auto [density] =
      run(system, 0.5, steps, ness::Density(identity, axis, ness::batch_length(steps, 8, 128), 8));
  const auto found = density.density();
  for (Eigen::Index bin = 0; bin < 20; ++bin) {
    const double expected = wright_average(2, 1.5, 2, [&](double x) {
      return (x >= axis.center(bin) - axis.width() / 2 && x < axis.center(bin) + axis.width() / 2)
                 ? 1 / axis.width()
                 : 0;
    });
    INFO(axis.center(bin) << ": " << found.value[bin] << " +- " << found.standard_error[bin]
                          << ", expected " << expected);
    CHECK(density.counts()[bin] > 100);
    CHECK(std::abs(found.value[bin] - expected) <= 3.5 * found.standard_error[bin]);
    CHECK(found.standard_error[bin] < 0.05);
  }
}

TEST_CASE("A population drawn anew in each generation comes to the diffusion's density as 1/N_e") {
  // 2N_e u₁ = 2, 2N_e u₂ = 1.5, 2N_e s = 2 at every N_e.
  const auto heterozygosity = [](double x) { return x * (1 - x); };
  const double exact = wright_average(2, 1.5, 2, heterozygosity);
  double last = 0;
  for (const int population : {100, 200, 400}) {
    const double n = population;
    const VectorXd p = of_resampling(population, 1 / n, 0.75 / n, 1 / n);
    double found = 0;
    for (int i = 0; i <= population; ++i) found += p[i] * heterozygosity(i / n);
    CHECK(p.minCoeff() > -1e-12);
    const double error = found - exact;
    if (last != 0) CHECK(std::abs(last / error - 2) < 0.15);
    last = error;
  }
  CHECK(std::abs(last / exact) < 0.01);
}

TEST_CASE("Frequencies never leave the simplex, where alleles nearly die out") {
  const ness::WrightFisher<4> system(30, Eigen::Vector4d(1e-4, 1e-3, 2e-3, 1e-5),
                                     Eigen::Vector4d(0.1, 0, -0.2, 0.05));
  ness::WrightFisherChain chain(system, 3, Vector3d(0, 0, 1), ness::Philox(8));
  int at_boundary = 0;
  for (int k = 0; k < 200'000; ++k) {
    chain.step();
    REQUIRE((chain.theta().minCoeff() >= 0 && chain.theta().sum() <= 1 + 1e-15));
    at_boundary += chain.theta().minCoeff() < 1e-12;
  }
  CHECK(at_boundary > 1000);
}

TEST_CASE("Selection of any strength leaves frequencies, and of fitness differences alone matter") {
  // The fittest, whose frequency is 0 at first, and two that are far behind.
  const ness::WrightFisher<3> strong(50, Vector3d(0.01, 0.01, 0.01), Vector3d(1e5, 0, -3e4));
  const ness::WrightFisher<3> shifted(50, Vector3d(0.01, 0.01, 0.01), Vector3d(0, -1e5, -1.3e5));
  ness::WrightFisherChain chain(strong, 1, Vector2d(0, 0.3), ness::Philox(8));
  ness::WrightFisherChain same(shifted, 1, Vector2d(0, 0.3), ness::Philox(8));
  for (int k = 0; k < 1000; ++k) {
    chain.step();
    same.step();
    REQUIRE(chain.theta() == same.theta());
    REQUIRE((chain.theta().minCoeff() >= 0 && chain.theta().sum() <= 1 + 1e-15));
  }
  CHECK(chain.theta()[0] == 1);  // it has won
  // Where it does not arise, the second does.
  const ness::WrightFisher<3> rare(50, Vector3d(1e-300, 0.01, 0.01), Vector3d(1e5, 0, -3e4));
  ness::WrightFisherChain without(rare, 1, Vector2d(0, 0.3), ness::Philox(8));
  for (int k = 0; k < 10; ++k) {
    without.step();
    REQUIRE(without.theta() == Vector2d(0, 1));
  }
}

TEST_CASE("Evolution in equilibrium makes no entropy, measured without its density") {
  const ness::WrightFisher<3> system(100, Vector3d(0.02, 0.015, 0.025), Vector3d(0.01, 0, -0.01));
  constexpr std::int64_t steps = 400'000;
  constexpr double dt = 0.25;
  auto [entropy] = run(system, dt, steps,
                       ness::PathEntropy(ness::ThermodynamicForce(system), {1},
                                         ness::batch_length(steps, 8, 64), 1));
  const auto rate = entropy.results()[0].entropy_production;
  INFO(rate.value / dt << " +- " << rate.standard_error / dt);
  CHECK(std::abs(rate.value) <= 4 * rate.standard_error + 1e-5);
  CHECK(rate.standard_error / dt < 1e-4);
}

TEST_CASE("bad populations and steps are refused") {
  using System = ness::WrightFisher<2>;
  CHECK_THROWS_WITH(System(0, Vector2d(1, 1), Vector2d(0, 0)), contains("population"));
  CHECK_THROWS_WITH(System(10, Vector2d(0, 1), Vector2d(0, 0)), contains("mutation rate"));
  CHECK_THROWS_WITH(System(10, Vector2d(1, 1), Vector2d(NAN, 0)), contains("selection"));
  CHECK_THROWS_WITH(ness::WrightFisher<>(10, VectorXd::Ones(1), VectorXd::Ones(1)),
                    contains("at least 2 alleles"));
  const System system(10, Vector2d(0.1, 0.1), Vector2d(0, 0));
  CHECK_THROWS_WITH(ness::WrightFisherChain(system, 1, Vector1(1.5)), contains("frequencies"));
  CHECK_THROWS_WITH(ness::WrightFisherChain(system, 9, Vector1(0.5)), contains("at most log"));
  CHECK_THROWS_WITH(ness::WrightFisherChain(system, 0, Vector1(0.5)), contains("time_step"));
}
