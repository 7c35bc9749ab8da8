#include "ness/posterior/posterior_error.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <vector>

#include "ness/model/linear_model.hpp"
#include "ness/stationary/predict.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/every_partition.hpp"
#include "support/quadratic.hpp"
#include "support/regression_posterior.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::SamplingStatus;

template <class Sampler>
Sampler at(double eta, Sampler sampler = {}) {
  sampler.learning_rate = eta;
  if constexpr (requires { sampler.minibatch.batch_size; }) sampler.minibatch.batch_size = 10;
  return sampler;
}

template <class Sampler>
auto theory(double eta, const Sampler& sampler = {}) {
  return ness::predict_posterior_error(regression_posterior(), regression_posterior_minimum(),
                                       at(eta, sampler));
}
template <class Sampler>
auto exact(double eta, const Sampler& sampler = {}) {
  return ness::exact_posterior_error(regression_posterior(), regression_posterior_minimum(),
                                     at(eta, sampler), {.epoch_map = {.permutations = 4000}});
}

// The slope of log(divergence) between two learning rates.
template <class Divergence>
double slope(double low, double high, const Divergence& divergence) {
  return std::log(divergence(high) / divergence(low)) / std::log(high / low);
}

// A quadratic problem so small that all partitions can be tried.
constexpr Eigen::Index samples = 6;
constexpr Eigen::Index batch = 2;
constexpr double eta = 0.02;
const auto& small_objective() {
  static const ness::Objective objective(
      QuadraticLosses(2, samples, 5),
      QuadraticRegularizer{8 * MatrixXd::Identity(2, 2), VectorXd::Ones(2)});
  return objective;
}
const auto& small_minimum() {
  static const auto minimum = ness::minimize(small_objective(), VectorXd(VectorXd::Zero(2)));
  return minimum;
}

/// Mean and covariance of the ends of epochs, by enumeration and two linear systems, from how the
/// algorithm is written down: δ' = Aδ + b, and noise of covariance N that does not see δ, but for
/// the normal numbers that Leimkuhler and Matthews share with the epoch before.
template <class Sampler>
std::pair<VectorXd, MatrixXd> enumerated() {
  using Noise = decltype(Sampler::noise);
  using Correction = decltype(Sampler::correction);
  constexpr Eigen::Index n = samples / batch;
  const VectorXd& theta = small_minimum().theta;
  const MatrixXd one = MatrixXd::Identity(2, 2);
  ness::Derivatives<QuadraticLosses> derivatives(small_objective().model());
  MatrixXd g(2, samples), h(4, samples);
  derivatives.sample_gradients(theta, 0, g);
  derivatives.sample_hessians(theta, 0, h);
  const VectorXd x = small_objective().regularizer_gradient(theta);
  const MatrixXd y = small_objective().regularizer_hessian(theta);
  MatrixXd correction_slope = MatrixXd::Zero(2, 2);
  VectorXd correction_at = VectorXd::Zero(2);
  if constexpr (!std::is_same_v<Correction, ness::NoCorrection>) {
    // η∇δ𝓛 is affine for quadratic losses: its value and its differences.
    ness::detail::PairForce force(small_objective(), Correction::parts);
    const double factor = -eta * eta * n * (n - 1) / 2;
    force.exact(theta, correction_at);
    for (int k = 0; k < 2; ++k) {
      VectorXd moved(2);
      force.exact(theta + one.col(k), moved);
      correction_slope.col(k) = factor * (moved - correction_at);
    }
    correction_at *= factor;
  }

  // The state (δ, z): z the last normal number, shared with the update to come.
  MatrixXd pairs = MatrixXd::Zero(16, 16);
  MatrixXd mean_map = MatrixXd::Zero(4, 4);
  VectorXd mean_shift = VectorXd::Zero(4);
  MatrixXd mixed = MatrixXd::Zero(16, 4);  // ⟨b ⊗ A⟩
  MatrixXd source = MatrixXd::Zero(4, 4);
  int count = 0;
  for_every_partition(samples, batch, [&](const std::vector<int>& batch_of) {
    ++count;
    MatrixXd a = MatrixXd::Identity(4, 4);
    VectorXd b = VectorXd::Zero(4);
    MatrixXd noise = MatrixXd::Zero(4, 4);
    constexpr bool back = std::is_same_v<decltype(Sampler::minibatch), ness::ThereAndBack>;
    for (int step_number = 0; step_number < (back ? 2 * n : n); ++step_number) {
      const auto t = std::min<Eigen::Index>(step_number, 2 * n - 1 - step_number);
      MatrixXd q = y;
      VectorXd f = x;
      for (Eigen::Index i = 0; i < samples; ++i)
        if (batch_of[static_cast<std::size_t>(i)] == t) {
          q += h.col(i).reshaped(2, 2) / batch;
          f += g.col(i) / batch;
        }
      MatrixXd step = MatrixXd::Zero(4, 4);
      step.topLeftCorner(2, 2) = one - eta * q;
      MatrixXd input = MatrixXd::Zero(4, 2);  // of the new normal number
      if constexpr (std::is_same_v<Noise, ness::LeimkuhlerMatthewsNoise>) {
        step.topRightCorner(2, 2) = std::sqrt(eta / 2) * one;
        input << std::sqrt(eta / 2) * one, one;
      } else if constexpr (std::is_same_v<Noise, ness::LangevinNoise>) {
        input.topRows(2) = std::sqrt(2 * eta) * one;
      }
      a = (step * a).eval();
      b = (step * b).eval();
      b.head(2) -= eta * f;
      noise = (step * noise * step.transpose() + input * input.transpose()).eval();
    }
    if constexpr (std::is_same_v<Noise, ness::EpochLangevinNoise>)
      noise.topLeftCorner(2, 2) += 2 * eta * n * one;
    a.topLeftCorner(2, 2) += correction_slope;
    b.head(2) += correction_at;
    mean_map += a;
    mean_shift += b;
    source += noise + b * b.transpose();
    for (int r = 0; r < 4; ++r) {
      for (int c = 0; c < 4; ++c) pairs.block(4 * r, 4 * c, 4, 4) += a(r, c) * a;
      mixed.middleRows(4 * r, 4) += b[r] * a;
    }
  });
  const VectorXd mean =
      (MatrixXd::Identity(4, 4) - mean_map / count).lu().solve(mean_shift / count);
  const VectorXd mixed_mean = mixed / count * mean;
  const MatrixXd cross = mixed_mean.reshaped(4, 4);
  const MatrixXd right = source / count + cross + cross.transpose();
  const VectorXd second = (MatrixXd::Identity(16, 16) - pairs / count).lu().solve(right.reshaped());
  const MatrixXd covariance = second.reshaped(4, 4) - mean * mean.transpose();
  return {mean.head(2), covariance.topLeftCorner(2, 2)};
}

template <class Sampler>
void check_against_enumeration(Sampler sampler) {
  sampler.learning_rate = eta;
  sampler.minibatch.batch_size = batch;
  const auto [mean, covariance] = enumerated<Sampler>();
  const auto found = ness::exact_posterior_error(small_objective(), small_minimum(), sampler,
                                                 {.epoch_map = {.permutations = 400'000}});
  REQUIRE(found.status == SamplingStatus::stationary);
  const MatrixXd excess = covariance - small_minimum().hessian.inverse();
  const auto& estimate = found.covariance_excess;
  CHECK((estimate.value - excess).cwiseAbs().maxCoeff() <=
        4 * estimate.standard_error.maxCoeff() + 1e-15);
  // Of a percent of what there is to find, so that a wrong term would show.
  CHECK(estimate.standard_error.norm() <= 0.015 * excess.norm());
  CHECK((found.mean_shift.value - mean).cwiseAbs().maxCoeff() <=
        4 * found.mean_shift.standard_error.maxCoeff() + 1e-16);
}

}  // namespace

TEST_CASE("The Gaussian posterior of a linear model is that of Eqs. 42 and 43") {
  const RegressionData data;
  const double precision = 1 / (ness::regression_noise * ness::regression_noise);
  const MatrixXd inverse =
      precision * data.psi * data.psi.transpose() + 2 * 10 * MatrixXd::Identity(3, 3);
  const MatrixXd covariance = inverse.inverse();
  const auto posterior = ness::gaussian_posterior(regression_posterior_minimum());
  CHECK(relative_error(posterior.precision, inverse) <= 1e-12);
  CHECK(relative_error(posterior.covariance, covariance) <= 1e-12);
  CHECK(relative_error(posterior.mean, precision * covariance * data.psi * data.y) <= 1e-12);
}

TEST_CASE("Theory: the divergence goes as η² for SGLD, as η⁶ for SGWORLD (Fig. 6)") {
  const auto of = [](auto sampler) {
    return slope(1e-8, 1e-6, [&](double rate) { return theory(rate, sampler).divergence.value; });
  };
  CHECK(std::abs(of(ness::Sgld{}) - 2) <= 0.1);
  CHECK(std::abs(of(ness::SgworldUncorrected{}) - 2) <= 0.1);
  CHECK(std::abs(of(ness::Sgworld{}) - 6) <= 0.1);
  CHECK(std::abs(of(ness::SgworldLm{}) - 6) <= 0.1);
  CHECK(theory<ness::Langevin>(1e-6).divergence.value == 0);
}

TEST_CASE("Theory satisfies Eqs. 44 and 47 with D' and D''") {
  const auto& objective = regression_posterior();
  const auto& minimum = regression_posterior_minimum();
  const auto check = [&](const auto& sampler, double updates) {
    const auto error = ness::predict_posterior_error(objective, minimum, sampler);
    const Eigen::Matrix3d sigma =
        Eigen::Matrix3d(minimum.hessian.inverse()) + error.covariance_excess.value;
    const ness::DiffusionCurvature curvature(objective, minimum.theta, sampler,
                                             Eigen::Matrix3d(minimum.hessian.inverse()));
    const Eigen::Matrix3d product = updates * minimum.hessian * sigma;
    const Eigen::Matrix3d right =
        2 / sampler.learning_rate *
        (ness::diffusion(objective, minimum.theta, sampler) + curvature(sigma));
    CHECK(relative_error(product + product.transpose(), right) <= 1e-13);
  };
  check(at<ness::Sgld>(1e-6), 1);
  check(at<ness::Sgworld>(1e-6), 20);
  // Without the curvature of D the answer is another, though little.
  const auto constant = ness::predict_posterior_error(objective, minimum, at<ness::Sgld>(1e-6),
                                                      {.position_dependent = false});
  const double ratio = constant.divergence.value / theory<ness::Sgld>(1e-6).divergence.value;
  CHECK(ratio < 0.99);
  CHECK(ratio > 0.9);
}

TEST_CASE("predict says of a sampler what the theory of constant D says") {
  const auto& objective = regression_posterior();
  const auto& minimum = regression_posterior_minimum();
  const auto check = [&](const auto& sampler) {
    const auto state = ness::predict(objective, minimum, sampler);
    const auto error =
        ness::predict_posterior_error(objective, minimum, sampler, {.position_dependent = false});
    const Eigen::Matrix3d posterior = minimum.hessian.inverse();
    CHECK(relative_error(state.covariance(), posterior + error.covariance_excess.value) <= 1e-10);
    CHECK((state.mean() - minimum.theta - error.mean_shift.value).norm() <= 1e-15);
  };
  check(at<ness::Sgld>(1e-7));
  check(at<ness::Sgworld>(1e-7));
  check(at<ness::SgworldUncorrected>(1e-7));
  check(at<ness::SgworldLmUncorrected>(1e-7));
  check(at<ness::LangevinLm>(1e-7));
  // D' of Eq. 37.
  const auto sgld = at<ness::Sgld>(1e-7);
  CHECK(relative_error(ness::diffusion(objective, minimum.theta, sgld),
                       1e-7 * Eigen::Matrix3d::Identity() +
                           ness::diffusion(objective, minimum.theta, ness::without_noise(sgld))) <=
        1e-15);
  // In discrete time the shared noise of Leimkuhler and Matthews makes Σ = H⁻¹ exactly.
  const auto discrete = ness::predict(objective, minimum, at<ness::LangevinLm>(5e-5),
                                      {.form = ness::LyapunovForm::discrete});
  CHECK(relative_error(discrete.covariance(), Eigen::Matrix3d(minimum.hessian.inverse())) <= 1e-12);
  CHECK_THROWS_WITH(ness::predict(objective, minimum, at<ness::SgworldLm>(1e-7),
                                  {.form = ness::LyapunovForm::discrete}),
                    contains("form must be continuous"));
  CHECK_THROWS_WITH(ness::predict(objective, minimum, at<ness::SgworldLm>(1e-7),
                                  {.epochs = {.order = ness::EpochOrder::all}}),
                    contains("epochs.order must be leading"));
}

TEST_CASE("Exact moments of full-batch Langevin: H − ½ηH² by Euler, H⁻¹ with shared noise") {
  const double rate = 2e-5;
  const Eigen::Matrix3d h = regression_posterior_minimum().hessian;
  const auto euler = exact<ness::Langevin>(rate);
  const Eigen::Matrix3d expected =
      Eigen::Matrix3d((h - rate / 2 * h * h).inverse()) - Eigen::Matrix3d(h.inverse());
  CHECK(relative_error(euler.covariance_excess.value, expected) <= 1e-11);
  CHECK(exact<ness::LangevinLm>(rate).divergence.value == 0);
}

TEST_CASE("Exact moments of epochs are those of all partitions, enumerated") {
  check_against_enumeration(ness::SgldWithoutReplacement{});
  check_against_enumeration(ness::SgworldUncorrected{});
  check_against_enumeration(ness::Sgworld{});
  check_against_enumeration(ness::SgworldLmUncorrected{});
  check_against_enumeration(ness::SgworldLm{});
  check_against_enumeration(ness::SgworldLmThereAndBack{});
  check_against_enumeration(ness::Training<ness::ThereAndBack, ness::Plain, ness::LangevinNoise>{});
}

TEST_CASE("Additive noise of epochs leaves (ηnh)³/24 in one direction, there and back (ηnh)⁵/45") {
  // ℓ_i = c(θ − y_i)²: batches differ in their gradients alone, of variance V = h²Var(y)·M/(M − 1).
  constexpr Eigen::Index count = 60;
  const MatrixXd y = generic_values(1, count, 3);
  const double c = 5, h = 2 * c;
  const ness::Objective objective(
      ness::LinearModel<>(MatrixXd::Ones(1, count), y, ness::SquaredLoss{c}));
  const auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(1)));
  const double n = count;
  const double variance = h * h * (y.array() - y.mean()).square().sum() / (n - 1);
  const auto excess = [&](auto sampler, double rate) {
    sampler.learning_rate = rate;
    sampler.minibatch.batch_size = 1;
    return ness::exact_posterior_error(objective, minimum, sampler,
                                       {.epoch_map = {.permutations = 60'000}})
        .covariance_excess;
  };
  const double rate = 0.2 / (n * h);
  const auto epoch = excess(ness::SgworldLmUncorrected{}, rate);
  const auto pair = excess(ness::SgworldLmThereAndBack{}, rate);
  // V/(nh) is 1 in (ηnh)³/24 and (ηnh)⁵/45 of Σh: the posterior's variance is 1/h.
  const double unit = variance / (n * h * h);
  CHECK(std::abs(epoch.value(0, 0) - unit * std::pow(0.2, 3) / 24) <=
        0.02 * epoch.value(0, 0) + 4 * epoch.standard_error(0, 0));
  CHECK(std::abs(pair.value(0, 0) - unit * std::pow(0.2, 5) / 45) <=
        0.02 * pair.value(0, 0) + 4 * pair.standard_error(0, 0));
  CHECK(epoch.standard_error(0, 0) <= 0.01 * epoch.value(0, 0));
  CHECK(pair.standard_error(0, 0) <= 0.01 * pair.value(0, 0));
}

TEST_CASE("Moments of two affine maps: their shift does not count as spread") {
  // θ' = Aθ + b with b = ±β + β₀ at equal odds, and no noise: ⟨δ⟩ = (I − A)⁻¹β₀, and a covariance
  // that solves S = ASAᵀ + ββᵀ, whatever β₀.
  MatrixXd a(2, 2);
  a << 0.5, 0.2, -0.1, 0.3;
  const Eigen::Vector2d always(3, -2), either(0.1, 0.4);
  ness::detail::EpochSums<double> sums(2);
  for (const double sign : {1.0, -1.0}) {
    MatrixXd map(2, 3);
    map << a, always + sign * either;
    ++sums.count;
    sums.map += map;
    for (Eigen::Index j = 0; j < 3; ++j)
      for (Eigen::Index i = 0; i < 2; ++i) sums.pairs.block(i * 2, j * 3, 2, 3) += map(i, j) * map;
  }
  const auto [shift, spread] = ness::detail::solve_moments(sums);
  const MatrixXd left = MatrixXd::Identity(2, 2) - a;
  CHECK(relative_error(shift, left.lu().solve(always).eval()) <= 1e-13);
  CHECK(relative_error(MatrixXd(spread - a * spread * a.transpose()),
                       MatrixXd(either * either.transpose())) <= 1e-11);
}

TEST_CASE("A correction from few samples adds noise, and no bias of its order") {
  const double all = exact<ness::SgworldLm>(1e-6).divergence.value;
  const double few = exact(1e-6, ness::SgworldLm{.correction = {.samples = 20}}).divergence.value;
  CHECK(std::abs(few / all - 1) <= 0.1);
}

TEST_CASE("What the algorithms really do: η² as printed, the promise of Fig. 6 when put right") {
  const auto of = [](auto sampler) {
    return slope(3e-8, 3e-7, [&](double rate) { return exact(rate, sampler).divergence.value; });
  };
  CHECK(std::abs(of(ness::Sgworld{}) - 2) <= 0.1);
  CHECK(std::abs(of(ness::Sgld{}) - 2) <= 0.1);
  CHECK(std::abs(of(ness::Langevin{}) - 2) <= 0.1);
  for (const double rate : {3e-7, 6e-7, 1e-6, 2e-6, 4e-6}) {
    const double ratio = exact<ness::SgworldLm>(rate).divergence.value /
                         theory<ness::Sgworld>(rate).divergence.value;
    CHECK(ratio < 2);
    CHECK(ratio > 0.5);
  }
  CHECK(exact<ness::SgworldLm>(3e-7).divergence.value * 1000 <
        exact<ness::Sgld>(3e-7).divergence.value);
  CHECK(exact<ness::SgworldLmUncorrected>(1e-6).divergence.value * 1000 <
        exact<ness::Sgld>(1e-6).divergence.value);
}

TEST_CASE("Where a sampler runs away the status says so") {
  CHECK(exact<ness::Sgworld>(1e-5).status == SamplingStatus::no_stationary_state);
  CHECK(std::isnan(exact<ness::Sgworld>(1e-5).divergence.value));
  CHECK(exact<ness::Langevin>(1e-4).status == SamplingStatus::no_stationary_state);
  CHECK(theory<ness::SgworldUncorrected>(1e-5).status == SamplingStatus::no_stationary_state);
  CHECK(to_string(SamplingStatus::no_stationary_state) == "no stationary state");
}

TEST_CASE("The order η² of an epoch, which is known, is taken off the scatter of the mean") {
  const auto error = [](double rate) {
    const auto found = exact<ness::SgworldLmUncorrected>(rate);
    return found.mean_shift.standard_error.norm();
  };
  CHECK(slope(1e-7, 2e-7, error) > 1.8);  // else it would be 1, and the error 26 times as large
}

TEST_CASE("The exact moments do not depend on the number of threads") {
  const auto with = [&](int threads) {
    return ness::exact_posterior_error(regression_posterior(), regression_posterior_minimum(),
                                       at<ness::SgworldLm>(1e-6),
                                       {.epoch_map = {.permutations = 300, .threads = threads}});
  };
  CHECK(with(1).divergence.value == with(3).divergence.value);
}

TEST_CASE("What does not fit is refused") {
  const auto& objective = regression_posterior();
  const auto& minimum = regression_posterior_minimum();
  CHECK_THROWS_WITH(ness::predict_posterior_error(objective, minimum, ness::Sgld{0, {10}}),
                    contains("predict_posterior_error: learning_rate must be positive"));
  CHECK_THROWS_WITH(ness::exact_posterior_error(objective, minimum, ness::Sgworld{1e-7, {7}}),
                    contains("must divide M = 200"));
  CHECK_THROWS_WITH(ness::exact_posterior_error(objective, minimum, at<ness::Sgworld>(1e-7),
                                                {.epoch_map = {.permutations = 1}}),
                    contains("permutations must be at least 2"));
  auto unfinished = minimum;
  unfinished.status = ness::MinimumStatus::iteration_limit;
  CHECK_NOTHROW(ness::exact_posterior_error(objective, unfinished, at<ness::Sgld>(1e-7)));
  // Half a standard deviation away along the steepest direction.
  unfinished.offset = 0.5 / std::sqrt(unfinished.hessian(0, 0)) * Eigen::Vector3d::UnitX();
  CHECK_THROWS_WITH(ness::exact_posterior_error(objective, unfinished, at<ness::Sgld>(1e-7)),
                    contains("known to 0.01") && contains("but is 0.5"));
}
