// A model in a few directions: what theory says of it, against all of the parameters.
#include "ness/landscape/subspace.hpp"

#include <cmath>

#include "ness/minibatch/independent_draws.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/mlp.hpp"
#include "ness/model/softmax_regression.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/testing/check_model.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/network.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Index;

const auto& softmax() {
  static const ness::Objective objective = [] {
    MatrixXd labels = MatrixXd::Zero(4, 300);
    for (Index i = 0; i < 300; ++i) labels((i * i + i / 3) % 4, i) = 1;
    return ness::Objective(ness::SoftmaxRegression<>(generic_values(9, 300, 1), labels),
                           ness::L2{0.05});
  }();
  return objective;
}
const auto& softmax_minimum() {
  static const auto minimum = ness::minimize(softmax(), VectorXd::Zero(36).eval());
  return minimum;
}

template <class M, class R>
ness::Eigenpairs<> pairs_of(const ness::Objective<M, R>& objective,
                            const ness::Minimum<double>& minimum, Index count) {
  return ness::leading_eigenpairs(ness::StreamedObjective(objective), minimum.theta,
                                  {.count = count, .tolerance = 1e-10});
}

/// Σ, C and D in the subspace are those of all parameters there.
template <class M, class R, class T>
void check_states(const ness::Objective<M, R>& objective, const ness::Minimum<double>& minimum,
                  const ness::Eigenpairs<>& pairs, const T& training,
                  const ness::PredictSettings& settings = {}) {
  INFO(training.description());
  const auto whole = ness::predict(objective, minimum, training, settings);
  const auto few = ness::in_subspace(objective, minimum.theta, pairs.vectors);
  const auto state = ness::predict(few, ness::in_subspace(minimum, pairs), training, settings);
  const MatrixXd& q = pairs.vectors;
  const auto inside = [&q](const MatrixXd& matrix) -> MatrixXd {
    return q.transpose() * matrix * q;
  };
  CHECK(relative_error(state.diffusion(), inside(whole.diffusion())) <= 1e-8);
  CHECK(relative_error(state.covariance(), inside(whole.covariance())) <= 1e-8);
  CHECK((state.circulation() - inside(whole.circulation())).norm() <=
        1e-8 * whole.circulation().norm());
}

template <class M, class R>
void check_ways(const ness::Objective<M, R>& objective, const ness::Minimum<double>& minimum,
                Index count, double eta) {
  const auto pairs = pairs_of(objective, minimum, count);
  REQUIRE(pairs.converged);
  const auto in = [&](const auto& training, const ness::PredictSettings& settings = {}) {
    check_states(objective, minimum, pairs, training, settings);
  };
  const ness::PredictSettings discrete{.form = ness::LyapunovForm::discrete};
  in(ness::Sgd<ness::WithReplacement>{.learning_rate = eta, .minibatch = {10}});
  in(ness::Sgd<ness::WithReplacement>{.learning_rate = eta, .minibatch = {10}}, discrete);
  in(
      ness::Sgd<ness::IndependentDraws, ness::HeavyBall>{
          .learning_rate = eta, .minibatch = {10}, .update = {0.9}},
      discrete);
  in(
      ness::Sgd<ness::WithReplacement, ness::Nesterov>{
          .learning_rate = eta, .minibatch = {10}, .update = {0.9}},
      discrete);
}

}  // namespace

TEST_CASE("The state in some eigenvectors of H is that of all parameters there") {
  check_ways(softmax(), softmax_minimum(), 8, 0.05);
  check_ways(network(), network_minimum(), 3, 1e-6);
}

TEST_CASE("Epochs of additive noise decouple too, at the end of an epoch and over its phases") {
  const auto pairs = pairs_of(softmax(), softmax_minimum(), 8);
  const auto few = ness::in_subspace(softmax(), softmax_minimum().theta, pairs.vectors);
  const ness::Sgd<ness::WithoutReplacement, ness::HeavyBall> training{
      .learning_rate = 0.02, .minibatch = {10}, .update = {0.5}};
  const auto correlation = training.minibatch.epoch_correlation(300);
  for (const auto phase : {ness::EpochPhase::end, ness::EpochPhase::mean}) {
    const auto state_of = [&](const auto& objective, const VectorXd& at, const MatrixXd& hessian) {
      return ness::StationaryState<double>(ness::additive_epochs(
          at, hessian, ness::update_diffusion(objective, at, training), training.learning_rate,
          training.update.linear(), correlation, phase));
    };
    const auto whole = state_of(softmax(), softmax_minimum().theta, softmax_minimum().hessian);
    const auto state = state_of(few, VectorXd::Zero(8), pairs.values.asDiagonal());
    const MatrixXd& q = pairs.vectors;
    CHECK(relative_error(state.covariance(), MatrixXd(q.transpose() * whole.covariance() * q)) <=
          1e-8);
    CHECK((state.circulation() - q.transpose() * whole.circulation() * q).norm() <=
          1e-8 * whole.circulation().norm());
  }
}

TEST_CASE("A subspace has the laws of a model, for models of any members and in float") {
  const MatrixXd q = generic_values(36, 5, 7);
  const VectorXd at = generic_values(36, 1, 8), w = generic_values(5, 1, 9);
  const ness::Subspace subspace(softmax().model(), at, q);
  const auto check = ness::check_model(subspace, w);
  INFO(check);
  CHECK(check.ok());

  const MatrixXd x = generic_values(4, 50, 1), y = generic_values(2, 50, 2);
  using Network = ness::Mlp<ness::DynamicLayers>;
  using Single = ness::Mlp<ness::DynamicLayers, ness::Tanh, ness::SquaredLoss, float>;
  const Network network_of_double(x, y, {4, 3, 2});
  const Single network_of_float(x.cast<float>(), y.cast<float>(), {4, 3, 2});
  const Index n = network_of_double.parameters();
  const MatrixXd basis = generic_values(n, 5, 3);
  const VectorXd origin = generic_values(n, 1, 4);
  const ness::Subspace doubled(network_of_double, origin, basis);
  const auto of_network = ness::check_model(doubled, w);
  INFO(of_network);
  CHECK(of_network.ok());
  const ness::Objective exact(doubled);
  const ness::Objective rounded(ness::Subspace(network_of_float, origin, basis));
  CHECK(relative_error(rounded.gradient(w), exact.gradient(w)) <= 1e-5);
  CHECK(relative_error(rounded.hessian(w), exact.hessian(w)) <= 1e-5);
}

TEST_CASE("The regularizer of a subspace is that of all parameters") {
  const MatrixXd q = generic_values(36, 5, 7);
  const VectorXd at = generic_values(36, 1, 8), w = generic_values(5, 1, 9);
  const auto few = ness::in_subspace(softmax(), at, q);
  const VectorXd theta = at + q * w;
  CHECK(relative_error(few.value(w), softmax().value(theta)) <= 1e-13);
  CHECK(relative_error(few.gradient(w), VectorXd(q.transpose() * softmax().gradient(theta))) <=
        1e-13);
  CHECK(relative_error(few.hessian(w), MatrixXd(q.transpose() * softmax().hessian(theta) * q)) <=
        1e-13);
}

TEST_CASE("A subspace refuses what does not fit") {
  const VectorXd at = VectorXd::Zero(36);
  CHECK_THROWS_WITH(ness::in_subspace(softmax(), at, MatrixXd(MatrixXd::Zero(35, 3))),
                    contains("basis must be 36 x 3"));
  CHECK_THROWS_WITH(
      ness::in_subspace(softmax(), VectorXd(VectorXd::Zero(3)), MatrixXd(MatrixXd::Zero(36, 3))),
      contains("origin must be 36 x 1"));
  auto pairs = pairs_of(softmax(), softmax_minimum(), 3);
  pairs.converged = false;
  CHECK_THROWS_WITH(ness::in_subspace(softmax_minimum(), pairs), contains("must have converged"));
}
