// Weights of samples, against the same weights written into the loss and into the data.
#include "ness/model/weighted_samples.hpp"

#include <Eigen/Core>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "ness/diffusion/independent_batches.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/minibatch/independent_draws.hpp"
#include "ness/minibatch/poisson.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/model/mlp.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/testing/check_model.hpp"
#include "support/catch.hpp"
#include "support/decay.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::WeightedSamples;

const Eigen::Vector3d theta(1.3, 0.7, -0.4);

VectorXd some_weights(Eigen::Index samples) {
  VectorXd weights = generic_values<VectorXd>(samples, 1, 21).cwiseAbs();
  weights.segment(1, 3).setConstant(0.5);  // a run
  weights[4] = 0;
  return weights;
}

/// The weights are part of the loss.
struct WrittenIn : DecayFormulas<> {
  VectorXd weights;
  auto sample_loss(const auto& at, Eigen::Index i) const {
    using std::exp;
    const auto residual = at[0] * exp(-at[1] * x(i)) + at[2] - y(i);
    return weights[i] * residual * residual;
  }
};

template <class Found>
void check_close(const Found& found, const Found& expected) {
  CHECK((found - expected).norm() <= 1e-13 * expected.norm());
}

template <class M, class Policy>
void check_diffusion(const WeightedSamples<M>& model, const WrittenIn& same, const Policy& policy) {
  INFO(policy.description());
  const ness::Sgd<Policy> training{.learning_rate = 0.1, .minibatch = policy};
  const MatrixXd found = diffusion(ness::Objective(model), theta, training);
  const MatrixXd expected = diffusion(ness::Objective(same), theta, training);
  CHECK((found - expected).norm() <= 1e-13 * expected.norm());
}

template <class M>
void check_against_written_in() {
  const WrittenIn same{{}, some_weights(300)};
  const WeightedSamples<M> model(M{}, same.weights);
  static_assert(ness::parameters_at_compile_time<WeightedSamples<M>> == 3);
  const ness::ModelCheck laws = ness::check_model(model, theta);
  INFO(laws);
  CHECK(laws.ok());
  const ness::Objective objective(model);
  const ness::Objective expected(same);
  CHECK(std::abs(objective.loss(theta) - expected.loss(theta)) <= 1e-13 * expected.loss(theta));
  check_close(objective.gradient(theta), expected.gradient(theta));
  if constexpr (ness::HasCurvature<WeightedSamples<M>>)
    check_close(objective.hessian(theta), expected.hessian(theta));
  const std::vector<std::uint32_t> batch{7, 1, 2, 3, 4, 4, 250, 7};
  Eigen::Vector3d found, wanted;
  ness::Derivatives<WeightedSamples<M>>(model).batch_gradient(theta, {batch, 0.3}, found);
  ness::Derivatives<WrittenIn>(same).batch_gradient(theta, {batch, 0.3}, wanted);
  check_close(found, wanted);
  check_diffusion(model, same, ness::WithReplacement{20});
  check_diffusion(model, same, ness::IndependentDraws{20});
  check_diffusion(model, same, ness::Poisson{20});
}

}  // namespace

TEST_CASE("a weighted model is the one with the weights in its loss, whichever members it has") {
  check_against_written_in<GenericDecay<>>();
  check_against_written_in<BatchGradientDecay<>>();
  check_against_written_in<SampleGradientsDecay<>>();
  check_against_written_in<SampleHessianProductsDecay<>>();
  check_against_written_in<WorkspaceDecay<>>();
}

TEST_CASE("curvature that is only a sum over all samples cannot be weighted") {
  static_assert(!ness::HasCurvature<WeightedSamples<HessianDecay<>>>);
  static_assert(!ness::HasCurvature<WeightedSamples<HessianProductDecay<>>>);
  static_assert(!ness::HasKroneckerCurvature<WeightedSamples<ness::LinearModel<>>>);
  static_assert(!ness::HasGenericSampleLoss<WeightedSamples<PlainDecay<>>>);
  static_assert(ness::HasGenericSampleLoss<WeightedSamples<GenericDecay<>>>);
}

TEST_CASE("weights of 1 change no bit of a batch gradient") {
  const ness::LinearModel<> plain(generic_values(3, 40, 1), generic_values(2, 40, 2), {0.7});
  const WeightedSamples weighted(plain, VectorXd::Ones(40));
  const VectorXd at = generic_values<VectorXd>(6, 1, 3);
  const std::vector<std::uint32_t> batch{3, 9, 9, 30, 0};
  VectorXd found(6), expected(6);
  ness::Derivatives<WeightedSamples<ness::LinearModel<>>>(weighted).batch_gradient(at, batch,
                                                                                   found);
  ness::Derivatives<ness::LinearModel<>>(plain).batch_gradient(at, batch, expected);
  CHECK(found == expected);
}

TEST_CASE("a sample of weight w is one that stands in the data w times") {
  const MatrixXd x = generic_values(3, 4, 1), y = generic_values(2, 4, 2);
  const std::vector<Eigen::Index> copies{0, 0, 0, 2, 3, 3};  // weights 3, 0, 1, 2
  MatrixXd many_x(3, 6), many_y(2, 6);
  for (Eigen::Index j = 0; j < 6; ++j) {
    many_x.col(j) = x.col(copies[static_cast<std::size_t>(j)]);
    many_y.col(j) = y.col(copies[static_cast<std::size_t>(j)]);
  }
  const VectorXd weights = Eigen::Vector4d(3, 0, 1, 2) * (4.0 / 6);
  const ness::Objective weighted(WeightedSamples(ness::LinearModel<>(x, y), weights));
  const ness::Objective repeated(ness::LinearModel<>(many_x, many_y));
  const VectorXd at = generic_values<VectorXd>(6, 1, 3);
  CHECK(std::abs(weighted.loss(at) - repeated.loss(at)) <= 1e-14 * repeated.loss(at));
  check_close(weighted.gradient(at), repeated.gradient(at));
  check_close(weighted.hessian(at), repeated.hessian(at));
}

TEST_CASE("the stationary state of a weighted linear model is that of data scaled by root w") {
  const MatrixXd x = generic_values(3, 40, 1), y = generic_values(1, 40, 2);
  const VectorXd weights = some_weights(40);
  const MatrixXd roots = weights.cwiseSqrt().asDiagonal();
  const ness::Objective weighted(WeightedSamples(ness::LinearModel<>(x, y), weights));
  const ness::Objective scaled(ness::LinearModel<>(x * roots, y * roots));
  const auto check = [&](const auto& policy) {
    INFO(policy.description());
    const ness::Sgd<std::remove_cvref_t<decltype(policy)>> training{.learning_rate = 0.01,
                                                                    .minibatch = policy};
    const VectorXd start = VectorXd::Zero(3);
    const auto found = predict(weighted, ness::minimize(weighted, start), training);
    const auto expected = predict(scaled, ness::minimize(scaled, start), training);
    CHECK((found.covariance() - expected.covariance()).norm() <=
          1e-11 * expected.covariance().norm());
  };
  check(ness::WithReplacement{10});
  check(ness::IndependentDraws{10});
  check(ness::Poisson{10});
  check(ness::WithoutReplacement{10});
}

TEST_CASE("check_model passes the ready-made models with weights") {
  const VectorXd weights = some_weights(40);
  const ness::LinearModel<> linear(generic_values(3, 40, 1), generic_values(2, 40, 2));
  CHECK(
      ness::check_model(WeightedSamples(linear, weights), generic_values<VectorXd>(6, 1, 3)).ok());
  const ness::Mlp<ness::Layers<1, 2, 1>> network(generic_values(1, 40, 1),
                                                 generic_values(1, 40, 2));
  const auto at = generic_values<Eigen::Matrix<double, 7, 1>>(7, 1, 3);
  CHECK(ness::check_model(WeightedSamples(network, weights), at).ok());
}

TEST_CASE("weights that are none are refused, with their place") {
  const auto refusal = [](const VectorXd& weights) -> std::string {
    try {
      WeightedSamples<GenericDecay<>>(GenericDecay<>{{4}}, weights);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return {};
  };
  CHECK(refusal(Eigen::Vector4d(0, 1, 2, 3)).empty());
  CHECK(refusal(Eigen::Vector4d(1, 1, -2, 3)) ==
        "ness::WeightedSamples: weights must be finite and not negative, but element 2 is -2");
  CHECK(refusal(Eigen::Vector4d(1, std::numeric_limits<double>::quiet_NaN(), 1, 1))
            .find("element 1 is") != std::string::npos);
  CHECK(refusal(Eigen::Vector4d(1, 1, 1, std::numeric_limits<double>::infinity()))
            .find("element 3 is") != std::string::npos);
  CHECK(refusal(Eigen::Vector3d(1, 1, 1)) ==
        "ness::WeightedSamples: weights must be 4 x 1, but is 3 x 1");
}
