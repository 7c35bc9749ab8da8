// Cumulant generating functions by cloning, against exact ones.
#include "ness/fluctuation/cloning.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/fluctuation/kernel_entropy.hpp"
#include "ness/stationary/entropy_spectrum.hpp"
#include "ness/stationary/momentum.hpp"
#include "ness/systems/linear.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Standard errors between what was found and what is exact.
double pull(const ness::CumulantEstimate& found, double exact) {
  return (found.rate.value - exact) / found.rate.standard_error;
}

/// A linear chain with a memory and normal noise.
struct Walker {
  struct State {
    VectorXd now, last;
  };
  ness::StepKernel<double> kernel;
  MatrixXd root;
  State at;
  ness::Philox random;
  ness::Normal normal;

  void step() {
    VectorXd z(at.now.size());
    normal.fill(random, z);
    at.last = kernel.of_state * at.now + kernel.of_last * at.last + root * z;
    at.now += at.last;
  }
  const VectorXd& theta() const { return at.now; }
  State state() const { return at; }
  void swap_state(State& other) { std::swap(at, other); }
};

/// A particle on a ring: a potential cos φ and a torque, in steps of Euler and Maruyama.
struct DrivenRing {
  static constexpr double torque = 1, temperature = 0.5;
  static constexpr Eigen::Index parameters() { return 1; }
  using Vector = Eigen::Matrix<double, 1, 1>;
  void drift(const Vector& theta, Vector& drift) const { drift[0] = force(theta[0]); }
  static double force(double phi) { return torque + std::sin(phi); }
  Vector diffusion() const { return Vector(temperature); }
};

/// μ(k) of log p(φ'|φ)/p(φ|φ'), by the largest eigenvalue of p(φ'|φ)^{1+k} p(φ|φ')^{−k} on a grid.
double ring_growth(double k, double time_step) {
  constexpr Eigen::Index points = 240;
  const double width = 2 * std::numbers::pi / points;
  const double variance = 2 * DrivenRing::temperature * time_step;
  const auto exponent = [&](double from, double to) {
    const double away = to - from - time_step * DrivenRing::force(from);
    return -away * away / (2 * variance);
  };
  MatrixXd tilted = MatrixXd::Zero(points, points);
  for (Eigen::Index j = 0; j < points; ++j)
    for (Eigen::Index i = 0; i < points; ++i)
      for (int turn = -1; turn <= 1; ++turn) {
        const double from = static_cast<double>(j) * width;
        const double to = static_cast<double>(i) * width + turn * 2 * std::numbers::pi;
        tilted(i, j) += std::exp((1 + k) * exponent(from, to) - k * exponent(to, from));
      }
  tilted *= width / std::sqrt(2 * std::numbers::pi * variance);
  VectorXd state = VectorXd::Ones(points);
  double growth = 0;
  for (int step = 0; step < 2000; ++step) {
    state = tilted * state;
    growth = state.sum();
    state /= growth;
  }
  return std::log(growth);
}

}  // namespace

TEST_CASE("clones are as many as they weigh, to within one, and on average exactly") {
  VectorXd weights(7);
  weights << 0.01, 3.6, 0, 0.7, 2.2, 0.09, 0.4;
  weights *= 7 / weights.sum();
  VectorXd mean = VectorXd::Zero(7);
  constexpr int uniforms = 7000;
  for (int u = 0; u < uniforms; ++u) {
    ness::detail::CloneWeights<double> clones(7);
    CHECK_THAT(clones.grow(weights.array().log() + 5), Catch::WithinAbs(5, 1e-14));
    CHECK_THAT(clones.effective(), Catch::WithinRel(49 / weights.squaredNorm(), 1e-12));
    const auto& parents = clones.resample((u + 0.5) / uniforms);
    VectorXd count = VectorXd::Zero(7);
    for (std::size_t i = 0; i < 7; ++i) {
      count[parents[i]] += 1;
      CHECK(parents[static_cast<std::size_t>(parents[i])] == parents[i]);
    }
    CHECK((count - weights).cwiseAbs().maxCoeff() < 1);
    mean += count / uniforms;
    // Weights are equal then.
    CHECK(clones.grow(VectorXd::Zero(7)) == 0);
    CHECK(clones.effective() == 7);
    CHECK(clones.resample(0.5).empty());
  }
  CHECK((mean - weights).norm() < 2e-3);
}

TEST_CASE("cloning finds μ(k) of a gyrator, where one trajectory never would") {
  const auto system = ness::brownian_gyrator(2, 1, 3, 1);
  const ness::StationaryState<double> predicted(
      ness::linear_chain(system, 0.2, ness::LyapunovForm::discrete));
  const std::vector<double> k{-1, -0.75, -0.5, -0.25, 0, 0.1};
  const auto make_chain = [&](int i) {
    return ness::EulerMaruyama(system, 0.2, Eigen::Vector2d::Zero(),
                               ness::Philox(5, static_cast<std::uint64_t>(i)));
  };
  const ness::CloningSettings settings{.steps = 3000, .burn_in = 200, .clones = 200};
  const auto found = ness::measure_cumulant_function(settings, make_chain, predicted.mean(),
                                                     ness::StepEntropy(predicted), k);
  const ness::EntropySpectrum spectrum(predicted);
  for (std::size_t i = 0; i < k.size(); ++i) {
    const double exact = spectrum.cumulant_function(k[i]);
    INFO("k = " << k[i] << ": " << found[i].rate.value << " ± " << found[i].rate.standard_error
                << ", exact " << exact << ", of " << found[i].effective_clones);
    CHECK(found[i].k == k[i]);
    if (k[i] == 0) {
      CHECK(found[i].rate.value == 0);
      CHECK(found[i].rate.standard_error == 0);
      CHECK(found[i].effective_clones == 200);
      continue;
    }
    CHECK(std::abs(pull(found[i], exact)) < 4);
    CHECK(found[i].rate.standard_error < 0.02 * predicted.entropy_production());
  }
  // The same, whatever the number of threads.
  auto alone = settings;
  alone.threads = 1;
  const auto again = ness::measure_cumulant_function(alone, make_chain, predicted.mean(),
                                                     ness::StepEntropy(predicted), {-1, -0.75});
  CHECK(again[1].rate.value == found[1].rate.value);
}

TEST_CASE("with momentum too") {
  const MatrixXd hessian = positive_definite(3, 3, 0.1, 1), noise = positive_definite(3, 8, 0.3, 2);
  auto chain =
      ness::linear_chain(VectorXd::Zero(3), hessian, noise, 0.5, ness::LyapunovForm::discrete);
  ness::remember(ness::HeavyBall{0.9}.linear(), chain);
  const ness::StationaryState<double> predicted(chain);
  const auto kernel = ness::StepKernels<double>(predicted).forward;
  const MatrixXd root = kernel.covariance.llt().matrixL();
  const auto make_chain = [&](int i) {
    return Walker{kernel,
                  root,
                  {VectorXd::Zero(3), VectorXd::Zero(3)},
                  ness::Philox(6, static_cast<std::uint64_t>(i)),
                  {}};
  };
  const auto found = ness::measure_cumulant_function(
      {.steps = 4000, .burn_in = 300, .clones = 200}, make_chain, predicted.mean(),
      ness::StepEntropy(predicted), {-0.8, -0.2, 0.05});
  const ness::EntropySpectrum spectrum(predicted);
  for (const auto& each : found) {
    const double exact = spectrum.cumulant_function(each.k);
    INFO("k = " << each.k << ": " << each.rate.value << " ± " << each.rate.standard_error
                << ", exact " << exact);
    CHECK(std::abs(pull(each, exact)) < 4);
    CHECK(each.rate.standard_error < 0.03 * std::abs(exact));
  }
}

TEST_CASE("what few clones leave of their mean logarithm is half of its variance") {
  const auto system = ness::brownian_gyrator(2, 1, 3, 1);
  const ness::StationaryState<double> predicted(
      ness::linear_chain(system, 0.5, ness::LyapunovForm::discrete));
  const auto make_chain = [&](int i) {
    return ness::EulerMaruyama(system, 0.5, Eigen::Vector2d::Zero(),
                               ness::Philox(9, static_cast<std::uint64_t>(i)));
  };
  const auto found = ness::measure_cumulant_function(
      {.steps = 20'000, .burn_in = 100, .clones = 12, .populations = 8, .batches = 64}, make_chain,
      predicted.mean(), ness::StepEntropy(predicted), {-0.75});
  const double exact = ness::EntropySpectrum(predicted).cumulant_function(-0.75);
  const auto& rate = found[0].rate;
  // The error has that of the correction in it: e² = s² + (½Ts²)² 2/df.
  const double t = 160'000, b = 2 / rate.degrees_of_freedom * t * t / 4;
  const double square = rate.standard_error * rate.standard_error;
  const double s2 = (std::sqrt(1 + 4 * b * square) - 1) / (2 * b);
  INFO(rate.value << " ± " << rate.standard_error << ", exact " << exact << ", corrected by "
                  << t * s2 / 2);
  CHECK(std::abs(pull(found[0], exact)) < 4);
  CHECK(t * s2 / 2 > 8 * rate.standard_error);
}

TEST_CASE("of a particle that is driven around a ring") {
  const DrivenRing ring;
  constexpr double time_step = 0.05;
  const auto sigma = [](const MatrixXd&, const MatrixXd& here, const MatrixXd& next) {
    const auto away = [](double from, double to) {
      const double d = to - from - time_step * DrivenRing::force(from);
      return d * d / (4 * DrivenRing::temperature * time_step);
    };
    VectorXd result(here.rows());
    for (Eigen::Index i = 0; i < here.rows(); ++i)
      result[i] = away(next(i, 0), here(i, 0)) - away(here(i, 0), next(i, 0));
    return result;
  };
  const auto make_chain = [&](int i) {
    return ness::EulerMaruyama(ring, time_step, DrivenRing::Vector(0.1 * i),
                               ness::Philox(3, static_cast<std::uint64_t>(i)));
  };
  const auto found =
      ness::measure_cumulant_function({.steps = 7000, .burn_in = 200, .clones = 200}, make_chain,
                                      VectorXd::Zero(1), sigma, {-0.9, -0.5, -0.1});
  CHECK(relative_error(ring_growth(-0.9, time_step), ring_growth(-0.1, time_step)) < 1e-9);
  for (const auto& each : found) {
    const double exact = ring_growth(each.k, time_step);
    INFO("k = " << each.k << ": " << each.rate.value << " ± " << each.rate.standard_error
                << ", exact " << exact);
    CHECK(std::abs(pull(each, exact)) < 4);
    CHECK(each.rate.standard_error < 0.02 * std::abs(ring_growth(-0.5, time_step)));
  }
}

TEST_CASE("what cannot be cloned is refused") {
  const auto system = ness::brownian_gyrator(2, 1, 3, 1);
  const auto make_chain = [&](int) {
    return ness::EulerMaruyama(system, 0.2, Eigen::Vector2d::Zero(), ness::Philox(5));
  };
  const auto weigh = [](double value) {
    return [value](const MatrixXd&, const MatrixXd& here, const MatrixXd&) -> VectorXd {
      return VectorXd::Constant(here.rows(), value);
    };
  };
  const auto with = [&](const ness::CloningSettings& settings, double k, double value = 0) {
    return ness::measure_cumulant_function(settings, make_chain, VectorXd::Zero(2), weigh(value),
                                           {k});
  };
  CHECK(with({.steps = 16, .clones = 4}, 1, 0.5)[0].rate.value == 0.5);
  CHECK_THROWS_WITH(with({.steps = 10}, 1),
                    contains("steps must be at least the number of batches, but is 10"));
  CHECK_THROWS_WITH(with({.steps = 100, .clones = 1}, 1), contains("clones must be at least 2"));
  CHECK_THROWS_WITH(with({.steps = 100}, NAN), contains("k must be finite"));
  CHECK_THROWS_WITH(with({.steps = 100, .clones = 4}, 1, std::numeric_limits<double>::infinity()),
                    contains("take |k| smaller"));
  CHECK_THROWS_WITH(ness::measure_cumulant_function({.steps = 100, .clones = 4}, make_chain,
                                                    VectorXd::Zero(3), weigh(0), {1}),
                    contains("theta"));
}
