// Control variates, against the same written into the loss.
#include "ness/model/control_variates.hpp"

#include <Eigen/Core>
#include <limits>
#include <stdexcept>
#include <vector>

#include "ness/diffusion/independent_batches.hpp"
#include "ness/dynamics/chain.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/model/softmax_regression.hpp"
#include "ness/posterior/kinetic_error.hpp"
#include "ness/posterior/posterior_error.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/testing/check_model.hpp"
#include "ness/trajectory/moments.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/decay.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::ControlVariates;

const Eigen::Vector3d theta(1.3, 0.7, -0.4);
const Eigen::Vector3d reference(0.9, 0.5, 0.1);

template <class Found>
void check_close(const Found& found, const Found& expected) {
  CHECK((found - expected).norm() <= 1e-13 * expected.norm());
}

template <class M>
void check_model_with_members_of() {
  const M plain{};
  const ControlVariates<M> model(plain, reference);
  static_assert(ness::parameters_at_compile_time<ControlVariates<M>> == 3);
  const ness::ModelCheck laws = ness::check_model(model, theta);
  INFO(laws);
  CHECK(laws.ok());
  const ness::Objective objective(model);
  const ness::Objective same(plain);
  CHECK(std::abs(objective.loss(theta) - same.loss(theta)) <= 1e-14 * same.loss(theta));
  check_close(objective.gradient(theta), same.gradient(theta));
  if constexpr (ness::HasCurvature<M>) check_close(objective.hessian(theta), same.hessian(theta));
  // A batch, of one sample twice, and of some weight.
  const std::vector<std::uint32_t> batch{7, 1, 2, 250, 7};
  const auto gradient = [&](const auto& of, const Eigen::Vector3d& at) {
    Eigen::Vector3d result;
    ness::Derivatives(of).batch_gradient(at, ness::Batch(batch, 0.3), result);
    return result;
  };
  const Eigen::Vector3d expected =
      gradient(plain, theta) - gradient(plain, reference) + 0.3 * 5 * same.gradient(reference);
  check_close(gradient(model, theta), expected);
  check_close(gradient(model, reference), Eigen::Vector3d(0.3 * 5 * same.gradient(reference)));
  double some = 0;
  for (ness::Index i = 40; i < 97; ++i) some += model.sample_loss(theta, i);
  CHECK(std::abs(model.summed_loss(theta, 40, 57) - some) <= 1e-13 * std::abs(some));
  // The loss has that gradient.
  double sum = 0, before = 0;
  const Eigen::Vector3d beside = theta + 1e-5 * expected.normalized();
  for (const auto i : batch) {
    sum += 0.3 * model.sample_loss(beside, i);
    before += 0.3 * model.sample_loss(Eigen::Vector3d(2 * theta - beside), i);
  }
  CHECK(std::abs((sum - before) / 2e-5 - expected.norm()) <= 1e-6 * expected.norm());
}

/// Samples of unequal curvature, and a likelihood that is Gaussian.
ness::LinearModel<> some_regression() {
  const MatrixXd x = generic_values(2, 60, 1), noise = generic_values(1, 60, 2);
  return ness::LinearModel<>(x, MatrixXd(x.topRows(1) + noise), {30});
}

}  // namespace

TEST_CASE("control variates are in the loss and in the gradient, whichever members a model has") {
  check_model_with_members_of<GenericDecay<>>();
  check_model_with_members_of<BatchGradientDecay<>>();
  check_model_with_members_of<SampleGradientsDecay<>>();
  check_model_with_members_of<SampleHessianProductsDecay<>>();
  check_model_with_members_of<WorkspaceDecay<>>();
  check_model_with_members_of<HessianDecay<>>();
  check_model_with_members_of<HessianProductDecay<>>();
}

TEST_CASE("with control variates there is no noise at the reference") {
  const ness::Objective plain(GenericDecay<>{});
  const ness::Objective controlled(ControlVariates(GenericDecay<>{}, reference));
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.1, .minibatch = {20}};
  CHECK(diffusion(controlled, reference, training).norm() <=
        1e-25 * diffusion(plain, reference, training).norm());
  // And beside it D is of second order.
  const auto beside = [&](double step) {
    return diffusion(controlled, Eigen::Vector3d(reference + step * theta), training).norm();
  };
  CHECK(std::abs(beside(2e-4) / beside(1e-4) - 4) <= 0.01);
  CHECK_THROWS_WITH(ControlVariates(GenericDecay<>{}, Eigen::Vector3d(1, std::nan(""), 0)),
                    contains("reference"));
  const auto too_short = [] { return ControlVariates(some_regression(), VectorXd::Ones(3)); };
  CHECK_THROWS_WITH(too_short(), contains("reference must be 2 x 1, but is 3 x 1"));
}

TEST_CASE("with control variates at the minimum a sampler is left with its batches' curvature") {
  const auto model = some_regression();
  const ness::Objective plain(model, ness::L2{0.5});
  const auto minimum = ness::minimize(plain, VectorXd::Zero(2));
  const ness::Objective controlled(ControlVariates(model, minimum.theta), ness::L2{0.5});
  const ness::Sgld sgld{.learning_rate = 0.02 / minimum.hessian.trace(), .minibatch = {3}};
  const auto before = ness::exact_posterior_error(plain, minimum, sgld);
  const auto after = ness::exact_posterior_error(controlled, minimum, sgld);
  // Beyond what Langevin's step of all samples has: by the noise of gradients at the minimum, and
  // by that which grows with Σ.
  const ness::Langevin all{.learning_rate = sgld.learning_rate};
  const MatrixXd step = ness::exact_posterior_error(plain, minimum, all).covariance_excess.value;
  const double noise = (before.covariance_excess.value - step).norm();
  const double left = (after.covariance_excess.value - step).norm();
  CHECK(left < 0.1 * noise);
  CHECK(left > 0);
  CHECK(ness::gradient_evaluations(sgld, plain) == 3);
  CHECK(ness::gradient_evaluations(sgld, controlled) == 6);
}

TEST_CASE("a kinetic sampler with control variates runs as its exact moments say") {
  const auto model = some_regression();
  const ness::Objective plain(model, ness::L2{0.5});
  const auto minimum = ness::minimize(plain, VectorXd::Zero(2));
  const ness::Objective objective(ControlVariates(model, minimum.theta), ness::L2{0.5});
  const double fastest = std::sqrt(minimum.hessian.trace());
  const ness::Training<ness::WithReplacement, ness::Kinetic<ness::Ubu>> sampler{
      .learning_rate = 0.7 / fastest, .minibatch = {3}, .update = {.friction = fastest}};
  const auto exact = ness::exact_posterior_error(objective, minimum, sampler);
  REQUIRE(exact.status == ness::SamplingStatus::stationary);
  const auto [moments] = ness::run_chains(
      {.steps = 400'000, .burn_in = 500, .chains = 4},
      [&](int k) {
        return ness::Chain(objective, sampler, minimum.theta,
                           ness::Philox(3, static_cast<std::uint64_t>(k)));
      },
      minimum.theta, ness::Moments<>(2, 1000));
  const auto covariance = moments.covariance();
  const MatrixXd expected = MatrixXd(minimum.hessian.inverse()) + exact.covariance_excess.value;
  const auto off =
      ((covariance.value - expected).array() / covariance.standard_error.array()).abs();
  INFO(off);
  CHECK(off.maxCoeff() <= 4);
  // Enough to tell it from the posterior.
  CHECK(
      (exact.covariance_excess.value.array() / covariance.standard_error.array()).abs().maxCoeff() >
      15);
}
