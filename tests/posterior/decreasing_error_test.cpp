// What a learning rate that falls makes of the draws of a sampler.
#include "ness/posterior/decreasing_error.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "ness/diffusion/curvature.hpp"
#include "ness/diffusion/independent_batches.hpp"
#include "ness/dynamics/chain.hpp"
#include "ness/dynamics/scheduled.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/random/normal.hpp"
#include "ness/statistics/threads.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/regression_posterior.hpp"

namespace {

using Eigen::Matrix2d;
using Eigen::MatrixXd;
using Eigen::Vector2d;
using Eigen::VectorXd;
using Steps = std::vector<std::int64_t>;

/// One parameter of curvature h = 4, and batches that differ in their gradients alone.
const auto& plain() {
  static const ness::Objective result(
      ness::LinearModel<>(MatrixXd::Ones(1, 40), generic_values(1, 40, 3), ness::SquaredLoss{1.9}),
      ness::L2{0.1});
  return result;
}
const auto& plain_minimum() {
  static const auto result = ness::minimize(plain(), VectorXd::Zero(1).eval());
  return result;
}

Matrix2d first(double value) {
  Matrix2d result = Matrix2d::Zero();
  result(0, 0) = value;
  return result;
}

/// Relative variance of θ, and the two moments of Σ ηθ²/Σ η, as they follow from the definition:
/// one step after the other of z' = Az + noise, with all covariances of now and then.
class Recursion {
 public:
  /// From a draw of the posterior.
  explicit Recursion(double curvature) : curvature_(curvature) {
    moments_(0, 0) = 1 / curvature;
    moments_(1, 1) = 1;
  }
  /// `shared` is the covariance of the noise of this step with θ of now.
  void step(double eta, const Matrix2d& map, const Matrix2d& noise, double shared = 0) {
    const Vector2d with_now = moments_.col(0) + first(shared / map(0, 0)).col(0);
    past_ = (map * (past_ + last_ * with_now * with_now.transpose()) * map.transpose()).eval();
    moments_ = (map * moments_ * map.transpose() + noise).eval();
    last_ = eta;
    const double variance = moments_(0, 0);
    weights_ += eta;
    sum_ += eta * variance;
    square_ += 2 * eta * eta * variance * variance + 4 * eta * past_(0, 0);
  }
  double excess() const { return curvature_ * moments_(0, 0) - 1; }
  double bias() const { return curvature_ * sum_ / weights_ - 1; }
  double standard_deviation() const { return curvature_ * std::sqrt(square_) / weights_; }

 private:
  double curvature_;
  Matrix2d moments_ = Matrix2d::Zero(), past_ = Matrix2d::Zero();
  double last_ = 0, weights_ = 0, sum_ = 0, square_ = 0;
};

/// Half the variance of a step by its batch, over η².
template <class T>
double noise_of(T training) {
  training.learning_rate = 1;
  return ness::diffusion(plain(), plain_minimum().theta, ness::without_noise(training))(0, 0);
}

/// The stationary state is wrong by cη^p, and updates are those of curvature h = 1.
ness::ErrorCurve power_law(double order, double least, double c) {
  ness::ErrorCurve curve;
  curve.curvatures = VectorXd::Ones(1);
  for (double eta = 0.5; eta > least / 4; eta /= 4) curve.learning_rates.push_back(eta);
  std::reverse(curve.learning_rates.begin(), curve.learning_rates.end());
  for (const double eta : curve.learning_rates) {
    curve.shift.push_back(VectorXd::Zero(1));
    curve.excess.push_back(MatrixXd::Constant(1, 1, c * std::pow(eta, order)));
  }
  curve.markov_step = [](double h, double eta) { return first(1 - eta * h); };
  return curve;
}

/// d log f / d log T at the last of the steps 4^k.
template <class F>
double slope(const std::vector<ness::DecreasingError>& errors, const F& f) {
  const auto& late = errors.back();
  const auto& early = errors[errors.size() - 2];
  return std::log(f(late) / f(early)) /
         std::log(static_cast<double>(late.markov_steps) / static_cast<double>(early.markov_steps));
}

double divergence(const ness::DecreasingError& error) { return error.divergence; }
double bias(const ness::DecreasingError& error) { return error.bias[0]; }
double deviation(const ness::DecreasingError& error) { return error.standard_deviation[0]; }
double whole(const ness::DecreasingError& error) { return error.root_mean_square(); }

std::vector<ness::DecreasingError> of_power_law(double order, double exponent, double delay = 1,
                                                double c = 0.5) {
  constexpr std::int64_t last = 8'000'000;
  const ness::PowerSchedule schedule{.first = 0.5, .delay = delay, .exponent = exponent};
  return ness::decreasing_error(power_law(order, schedule(last), c), schedule, {last / 4, last});
}

}  // namespace

TEST_CASE("in one dimension it is the recursion of all moments") {
  const Steps times{1, 10, 300, 5000};
  const ness::PowerSchedule schedule{.first = 0.05, .delay = 20, .exponent = 0.5};
  const double h = plain_minimum().hessian(0, 0);
  const auto check = [&](const auto& sampler, bool shared, double tolerance) {
    const auto curve =
        ness::error_curve(plain(), plain_minimum(), sampler,
                          {.least = schedule(5000), .greatest = schedule(0), .per_octave = 8});
    const auto errors = ness::decreasing_error(curve, schedule, times);
    const double d = noise_of(sampler);
    Recursion exact(h);
    std::int64_t t = 0;
    for (const auto& error : errors) {
      for (; t < error.markov_steps; ++t) {
        const double eta = schedule(t);
        // ⟨θθ⟩' = (1 − ηh)²⟨θθ⟩ + 2η + 2D, or with a share of the noise in θ already.
        const double injected = shared ? eta + eta * (1 - eta * h) : 2 * eta;
        exact.step(eta, first(1 - eta * h), first(injected + 2 * eta * eta * d),
                   shared ? eta / 2 : 0);
      }
      CHECK(relative_error(error.learning_rate, schedule(t - 1)) < 1e-4);
      CHECK(std::abs(error.bias[0] - exact.bias()) < 2e-3 * std::abs(exact.bias()));
      CHECK(relative_error(error.standard_deviation[0], exact.standard_deviation()) < tolerance);
      const double x = exact.excess();
      CHECK(relative_error(error.divergence, (x - std::log1p(x)) / (2 * std::log(2))) < 5e-3);
    }
  };
  check(ness::Sgld{.minibatch = {5}}, false, 1e-4);
  check(ness::SgldLm{.minibatch = {5}}, true, 1e-4);
  check(ness::Langevin{}, false, 1e-4);
}

TEST_CASE("means of a velocity's draws are those of the recursion of its moments too") {
  const double h = plain_minimum().hessian(0, 0);
  const ness::UbuWithReplacement sampler{.minibatch = {5}, .update = {.friction = 4}};
  const ness::PowerSchedule schedule{.first = 0.2, .delay = 20, .exponent = 0.4};
  const auto curve =
      ness::error_curve(plain(), plain_minimum(), sampler,
                        {.least = schedule(5000), .greatest = schedule(0), .per_octave = 8});
  const auto errors = ness::decreasing_error(curve, schedule, {100, 5000});
  const double d = noise_of(ness::Sgd<ness::WithReplacement>{.minibatch = {5}});
  Recursion exact(h);
  std::int64_t t = 0;
  for (const auto& error : errors) {
    for (; t < error.markov_steps; ++t) {
      const double eta = schedule(t);
      const ness::detail::KineticMap<> before(ness::Ubu::before, eta, 4),
          after(ness::Ubu::after, eta, 4);
      Matrix2d rest = after.map;
      rest.col(0) -= h * after.kick;
      exact.step(eta, rest * before.map,
                 rest * before.noise * rest.transpose() + after.noise +
                     2 * d * after.kick * after.kick.transpose());
    }
    CHECK(relative_error(error.bias[0], exact.bias()) < 0.02);
    CHECK(relative_error(error.standard_deviation[0], exact.standard_deviation()) < 0.01);
    CHECK(relative_error(error.learning_rate, schedule(t - 1)) < 1e-4);
    const double x = exact.excess();
    CHECK(relative_error(error.divergence, (x - std::log1p(x)) / (2 * std::log(2))) < 0.03);
  }
}

TEST_CASE("the law at the end goes with the slope of Fig. 6, as long as it is adiabatic") {
  for (const double order : {1.0, 3.0})
    for (const double exponent : {0.2, 0.5, 0.8}) {
      const auto errors = of_power_law(order, exponent, 100);
      CHECK(relative_error(slope(errors, divergence), -2 * order * exponent) < 0.01);
    }
  // At γ = 1 what was at the start is forgotten as t^{−2η₁t₁h} alone: 2η₁t₁ = 4 and 2.
  CHECK(relative_error(slope(of_power_law(3, 1, 4), divergence), -6) < 0.01);
  CHECK(relative_error(slope(of_power_law(1, 1, 4), divergence), -2) < 0.01);
  CHECK(relative_error(slope(of_power_law(3, 1, 2), divergence), -4) < 0.01);
}

TEST_CASE("the bias of means falls as T^-pγ, and beyond γ = 1/(1 + p) as 1/Σ η") {
  CHECK(relative_error(slope(of_power_law(1, 0.2), bias), -0.2) < 0.02);
  CHECK(relative_error(slope(of_power_law(1, 1.0 / 3), bias), -1.0 / 3) < 0.02);
  CHECK(relative_error(slope(of_power_law(3, 1.0 / 7), bias), -3.0 / 7) < 0.02);
  CHECK(relative_error(slope(of_power_law(3, 0.55), bias), -0.45) < 0.02);
  CHECK(relative_error(slope(of_power_law(1, 0.7), bias), -0.3) < 0.02);
}

TEST_CASE("the error of means falls fastest with γ = 1/(2p + 1), and then not with the slopes") {
  for (const double order : {1.0, 2.0, 3.0}) {
    const double best = ness::PowerSchedule::best_exponent(order);
    const double rate = slope(of_power_law(order, best), whole);
    CHECK(relative_error(rate, -order * best) < 0.02);
    for (const double exponent : {best - 0.1, best + 0.1}) {
      const auto errors = of_power_law(order, exponent);
      CHECK(std::max(slope(errors, bias), slope(errors, deviation)) > rate + 0.02);
    }
  }
  // With the usual γ it is the same for all.
  for (const double order : {1.0, 3.0})
    CHECK(relative_error(slope(of_power_law(order, 0.55), deviation), -0.225) < 0.02);
  CHECK(relative_error(slope(of_power_law(1, 0.55, 1, 0.05), whole), -0.225) < 0.02);
  CHECK(relative_error(slope(of_power_law(3, 0.55, 1, 0.05), whole), -0.225) < 0.02);
}

TEST_CASE("a mean that lies elsewhere is followed, and counts in the second moment") {
  ness::ErrorCurve curve = power_law(1, 0.01, 0);
  for (std::size_t k = 0; k < curve.shift.size(); ++k) curve.shift[k][0] = curve.learning_rates[k];
  const ness::PowerSchedule schedule{.first = 0.5, .delay = 10, .exponent = 0.5};
  const auto error = ness::decreasing_error(curve, schedule, {200}).front();
  double shift = 0, sum = 0, weights = 0;
  for (int t = 0; t < 200; ++t) {
    const double eta = schedule(t);
    shift += eta * (eta - shift);
    sum += eta * shift * shift;
    weights += eta;
  }
  CHECK(relative_error(error.bias[0], sum / weights) < 1e-3);
  CHECK(relative_error(error.divergence, shift * shift / (2 * std::log(2))) < 1e-3);
}

TEST_CASE("directions that noise mixes, and noise that depends on θ, as all moments have them") {
  // Σ' = AΣA + 2ηI + η²C(Σ), all elements of it.
  const auto& objective = regression_posterior();
  const auto& minimum = regression_posterior_minimum();
  const ness::PowerSchedule schedule{.first = 2e-6, .delay = 1000, .exponent = 0.5};
  const ness::Sgld sampler{.learning_rate = 1, .minibatch = {10}};
  const Steps times{100, 3000, 100'000};
  const auto errors = ness::decreasing_error(objective, minimum, sampler, schedule, times);
  const auto posterior = ness::gaussian_posterior(minimum);
  const MatrixXd d = ness::diffusion(objective, minimum.theta, ness::without_noise(sampler));
  const ness::DiffusionCurvature curvature(objective, minimum.theta, sampler, posterior.covariance);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(minimum.hessian);
  const MatrixXd round =
      eigen.eigenvalues().cwiseSqrt().asDiagonal() * eigen.eigenvectors().transpose();
  MatrixXd covariance = posterior.covariance;
  VectorXd sum = VectorXd::Zero(3);
  double weights = 0;
  std::int64_t t = 0;
  for (const auto& error : errors) {
    for (; t < error.markov_steps; ++t) {
      const double eta = schedule(t);
      const MatrixXd map = MatrixXd::Identity(3, 3) - eta * minimum.hessian;
      const MatrixXd noise = 2 * eta * eta * (d + curvature(covariance));
      covariance = (map * covariance * map.transpose() + noise).eval();
      covariance.diagonal().array() += 2 * eta;
      weights += eta;
      sum += eta * (round * covariance * round.transpose()).diagonal();
    }
    const VectorXd bias = sum / weights - VectorXd::Ones(3);
    for (Eigen::Index k = 0; k < 3; ++k) CHECK(relative_error(error.bias[k], bias[k]) < 0.03);
    const double exact =
        ness::kl_divergence(minimum.theta, covariance, minimum.theta, posterior.covariance);
    CHECK(relative_error(error.divergence, exact) < 0.03);
  }
}

TEST_CASE("runs with a schedule have the bias and the scatter that is predicted") {
  const auto& objective = regression_posterior();
  const auto& minimum = regression_posterior_minimum();
  const auto posterior = ness::gaussian_posterior(minimum);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(minimum.hessian);
  const MatrixXd round =
      eigen.eigenvalues().cwiseSqrt().asDiagonal() * eigen.eigenvectors().transpose();
  const auto check = [&](const auto& sampler, const ness::PowerSchedule& schedule,
                         std::int64_t steps) {
    constexpr int chains = 400;
    MatrixXd means(3, chains);
    ness::parallel_for(chains, 2, [&](int k) {
      const auto stream = static_cast<std::uint64_t>(k);
      ness::Philox random(77, stream);
      ness::Normal normal;
      VectorXd start(3);
      normal.fill(random, start);
      start = round.inverse() * start + minimum.theta;
      ness::Scheduled chain(ness::Chain(objective, sampler, start, ness::Philox(78, stream)),
                            schedule);
      VectorXd sum = VectorXd::Zero(3);
      double weights = 0;
      for (std::int64_t t = 0; t < steps; ++t) {
        chain.step();
        const VectorXd x = round * (chain.theta() - minimum.theta);
        sum += chain.learning_rate() * x.cwiseAbs2();
        weights += chain.learning_rate();
      }
      means.col(k) = sum / weights;
    });
    const auto predicted =
        ness::decreasing_error(objective, minimum, sampler, schedule, {steps}).front();
    for (Eigen::Index k = 0; k < 3; ++k) {
      const double mean = means.row(k).mean() - 1;
      const double scatter =
          std::sqrt((means.row(k).array() - 1 - mean).square().sum() / (chains - 1.0));
      CAPTURE(k);
      CAPTURE(mean);
      CAPTURE(scatter);
      CAPTURE(predicted.bias[k]);
      CAPTURE(predicted.standard_deviation[k]);
      // Four standard errors, and what skewed means have more in their scatter.
      CHECK(std::abs(mean - predicted.bias[k]) < 4 * scatter / std::sqrt(chains));
      CHECK(std::abs(scatter / predicted.standard_deviation[k] - 1) < 4 * std::sqrt(0.8 / chains));
    }
  };
  check(ness::Sgld{.learning_rate = 1e-6, .minibatch = {10}},
        {.first = 1e-6, .delay = 1000, .exponent = 1.0 / 3}, 40'000);
  check(ness::SgworldLm{.learning_rate = 1e-6, .minibatch = {10}, .correction = {.samples = 20}},
        {.first = 1e-5, .delay = 30, .exponent = 1.0 / 7}, 400);
  check(ness::SmsUbu{.learning_rate = 1e-4, .minibatch = {10}, .update = {.friction = 60}},
        {.first = 6e-4, .delay = 10, .exponent = 0.2}, 400);
}

TEST_CASE("what is no curve, no schedule of it or no number of steps is refused") {
  const ness::PowerSchedule schedule{.first = 0.4, .delay = 10, .exponent = 0.5};
  const auto curve = power_law(1, 0.01, 1);
  CHECK_THROWS_AS(ness::decreasing_error(curve, schedule, {100, 100}), std::invalid_argument);
  CHECK_THROWS_AS(ness::decreasing_error(curve, schedule, {0}), std::invalid_argument);
  CHECK_THROWS_AS(ness::decreasing_error(curve, schedule, {10'000'000}), std::invalid_argument);
  CHECK_THROWS_AS(ness::decreasing_error(curve, schedule, {10}, -1.1), std::invalid_argument);
  CHECK_THROWS_AS(
      ness::decreasing_error(plain(), plain_minimum(), ness::Sgld{.minibatch = {5}}, schedule, {}),
      std::invalid_argument);
  const auto refused = [](const ness::ErrorCurveSettings& settings) {
    CHECK_THROWS_AS(
        ness::error_curve(plain(), plain_minimum(), ness::Sgld{.minibatch = {5}}, settings),
        std::invalid_argument);
  };
  refused({.least = 0, .greatest = 0.1});
  refused({.least = 0.1, .greatest = 0.01});
  refused({.least = 0.01, .greatest = 0.1, .per_octave = 0});
  refused({.least = 0.01, .greatest = 10});  // no stationary state
}
