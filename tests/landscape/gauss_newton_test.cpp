// The state in the span of the samples' gradients, against that of all parameters.
#include "ness/landscape/gauss_newton.hpp"

#include <Eigen/Dense>

#include "ness/diffusion/epochs.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/mlp.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/testing/check_model.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Index;

using Network = ness::Mlp<ness::DynamicLayers, ness::Tanh, ness::SoftmaxCrossEntropy>;

Network network(const std::vector<int>& widths, Index samples) {
  MatrixXd labels = MatrixXd::Zero(widths.back(), samples);
  for (Index i = 0; i < samples; ++i) labels((i * i + i / 3) % widths.back(), i) = 1;
  return Network(generic_values(widths.front(), samples, 1), labels, widths);
}

/// ∂f/∂θ of all outputs, by central differences.
MatrixXd jacobian(const Network& model, const VectorXd& theta) {
  const auto outputs = [&](const VectorXd& at) {
    VectorXd all(model.outputs() * model.samples());
    for (Index i = 0; i < model.samples(); ++i)
      all.segment(i * model.outputs(), model.outputs()) = model.output(at, model.inputs().col(i));
    return all;
  };
  MatrixXd result(model.outputs() * model.samples(), theta.size());
  constexpr double h = 1e-5;
  for (Index k = 0; k < theta.size(); ++k) {
    const VectorXd step = h * VectorXd::Unit(theta.size(), k);
    result.col(k) = (outputs(theta + step) - outputs(theta - step)) / (2 * h);
  }
  return result;
}

/// What few dimensions say of all: with the columns of Qᵀ, r × N.
struct Span {
  MatrixXd q;
  template <class Matrix>
  MatrixXd whole(const Matrix& inside) const {
    return q.transpose() * inside * q;
  }
};

}  // namespace

TEST_CASE("The outputs of a network move as their differences say") {
  const Network model = network({4, 5, 3, 3}, 7);
  const VectorXd theta = generic_values(model.parameters(), 1, 2);
  const MatrixXd j = jacobian(model, theta);
  MatrixXd gram, slopes, curvatures, products;
  model.linearize_outputs(theta, gram, slopes, curvatures);
  CHECK(relative_error(gram, MatrixXd(j * j.transpose())) <= 1e-9);
  const MatrixXd along = generic_values(model.parameters(), 3, 3);
  model.output_products(theta, along, products);
  CHECK(relative_error(products, MatrixXd(j * along)) <= 1e-9);
  MatrixXd gradients(model.parameters(), 7);
  ness::Derivatives<Network>(model).sample_gradients(theta, 0, gradients);
  for (Index i = 0; i < 7; ++i)
    CHECK(relative_error(VectorXd(j.middleRows(3 * i, 3).transpose() * slopes.col(i)),
                         VectorXd(gradients.col(i))) <= 1e-8);
}

TEST_CASE("The model in the span has the laws of a model, and the slopes of the network") {
  const ness::Objective objective(network({4, 6, 3}, 8), ness::L2{0.02});
  const VectorXd theta = generic_values(objective.parameters(), 1, 2);
  const ness::GaussNewton span(objective, theta);
  CHECK(span.parameters() == 24);  // three outputs of eight samples
  const auto few = span.objective();
  const auto check = ness::check_model(few.model(), VectorXd(generic_values(24, 1, 3)));
  INFO(check);
  CHECK(check.ok());
  const MatrixXd q = span.coordinates_of(MatrixXd::Identity(theta.size(), theta.size()));
  CHECK(relative_error(MatrixXd(q * q.transpose()), MatrixXd::Identity(24, 24)) <= 1e-10);
  CHECK(relative_error(few.gradient(span.origin()), VectorXd(q * objective.gradient(theta))) <=
        1e-10);
  const MatrixXd j = jacobian(objective.model(), theta);
  MatrixXd gram, slopes, curvatures;
  objective.model().linearize_outputs(theta, gram, slopes, curvatures);
  MatrixXd h = 2 * 0.02 * MatrixXd::Identity(theta.size(), theta.size());
  for (Index i = 0; i < 8; ++i)
    h += j.middleRows(3 * i, 3).transpose() * curvatures.middleCols(3 * i, 3) *
         j.middleRows(3 * i, 3) / 8;
  CHECK(relative_error(few.hessian(span.origin()), MatrixXd(q * h * q.transpose())) <= 1e-8);
}

TEST_CASE("Of outputs that are linear in the parameters it is the state of all of them") {
  // 40 parameters, 6 samples of 4 outputs, one there twice: rank 20.
  MatrixXd inputs = generic_values(9, 6, 1), labels = MatrixXd::Zero(4, 6);
  inputs.col(5) = inputs.col(0);
  for (Index i = 0; i < 6; ++i) labels(i % 4, i) = 1;
  const ness::Objective objective(Network(inputs, labels, {9, 4}), ness::L2{0.05});
  const auto minimum = ness::minimize(objective, VectorXd::Zero(40).eval());
  const ness::GaussNewton span(objective, minimum.theta);
  CHECK(span.parameters() == 20);
  const auto few = span.objective();
  const auto few_minimum = ness::minimize(few, span.origin());
  CHECK(few_minimum.theta.norm() <= 1e-7 * minimum.theta.norm());
  const Span all{span.coordinates_of(MatrixXd::Identity(40, 40))};
  const auto check = [&](const auto& training, const ness::PredictSettings& settings,
                         double tolerance = 1e-8) {
    INFO(training.description());
    const auto whole = ness::predict(objective, minimum, training, settings);
    const auto state = ness::predict(few, few_minimum, training, settings);
    CHECK(relative_error(all.whole(state.covariance()), whole.covariance()) <= tolerance);
    CHECK(relative_error(all.whole(state.diffusion()), whole.diffusion()) <= tolerance);
    CHECK((all.whole(state.circulation()) - whole.circulation()).norm() <=
          tolerance * whole.circulation().norm());
  };
  const ness::PredictSettings discrete{.form = ness::LyapunovForm::discrete};
  check(ness::Sgd<ness::WithReplacement>{.learning_rate = 0.1, .minibatch = {2}}, discrete);
  check(
      ness::Sgd<ness::WithReplacement, ness::HeavyBall>{
          .learning_rate = 0.1, .minibatch = {2}, .update = {0.8}},
      discrete);
  // Its noise is that at the shifted minimum, which losses of a third derivative have elsewhere.
  for (const auto order : {ness::EpochOrder::combined, ness::EpochOrder::leading})
    check(ness::Sgd<ness::WithoutReplacement>{.learning_rate = 1e-6, .minibatch = {2}},
          {.epochs = {.order = order}}, 1e-6);
}
