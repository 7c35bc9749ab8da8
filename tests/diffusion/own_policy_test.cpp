// A new way to draw batches is one small file: D, predictions and chains follow from what it
// states.
#include <ness/dynamics/chain.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/statistics/estimate.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/every_batch.hpp"
#include "support/generic_values.hpp"
#include "support/given_gradients.hpp"
#include "support/own_policies.hpp"
#include "support/quadratic.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// ½η² G Cov(w) Gᵀ of everything that may be drawn, with the gradients G.
MatrixXd enumerated(const MatrixXd& gradients, const EnumeratedWeights& weights, double eta) {
  return eta * eta / 2 * gradients * weights.covariance * gradients.transpose();
}

}  // namespace

TEST_CASE("D of policies of one's own is half the second moment of the noise, enumerated") {
  constexpr double eta = 0.37;
  for (std::uint32_t samples : {2U, 3U, 5U})
    for (std::uint32_t m = 1; m <= std::min(samples, 4U); ++m) {
      INFO("M = " << samples << ", m = " << m);
      const MatrixXd gradients = generic_values(3, samples, 11 + m);
      const ness::Objective objective(GivenGradients{gradients}, ness::L2{3.0});
      const VectorXd theta = VectorXd::Ones(3);
      const EnumeratedWeights repeated(
          WithRepeats{m}, samples, std::vector<std::uint32_t>(m, samples), 0,
          [](ness::Batch batch) { return 1 / static_cast<double>(batch.size()); });
      CHECK(relative_error(ness::diffusion(objective, theta, ness::Sgd<WithRepeats>{eta, {m}}),
                           enumerated(gradients, repeated, eta)) <= 1e-13);
      if (m == samples) continue;  // then all samples are always there
      const EnumeratedWeights by_chance(PoissonWeights{m}, samples,
                                        std::vector<std::uint32_t>(samples, samples), 0,
                                        [m = m](ness::Batch) { return 1.0 / m; });
      const MatrixXd d = ness::diffusion(objective, theta, ness::Sgd<PoissonWeights>{eta, {m}});
      CHECK(relative_error(d, enumerated(gradients, by_chance, eta)) <= 1e-13);
      CHECK(relative_error(d, d.transpose()) <= 1e-15);
    }
}

TEST_CASE("Predictions and chains take a policy of one's own as they take the library's") {
  const ness::Objective objective(
      ness::LinearModel<>(generic_values(2, 6, 1), generic_values(1, 6, 2)), ness::L2{0.3});
  const auto minimum = ness::minimize(objective, VectorXd::Zero(2));
  const ness::Sgd<WithRepeats> training{.learning_rate = 0.05, .minibatch = {2}};
  const auto state = ness::predict(objective, minimum, training);
  CHECK(state.step() == ness::MarkovStep::update);
  // As with replacement, but for (M − m)/(M − 1) = 4/5.
  const auto distinct =
      ness::predict(objective, minimum,
                    ness::Sgd<ness::WithReplacement>{.learning_rate = 0.05, .minibatch = {2}});
  CHECK(relative_error(state.covariance(), 5.0 / 4 * distinct.covariance()) <= 1e-13);

  constexpr int draws = 40'000;
  ness::Chain chain(objective, training, minimum.theta);
  CHECK_THAT(chain.description(), contains("minibatches of 2 with repeats"));
  ness::BatchMeans<> second(2, 2, draws / 50);
  for (int k = 0; k < draws; ++k) {
    ness::Chain one(objective, training, minimum.theta,
                    ness::Philox(4, static_cast<std::uint64_t>(k)));
    one.step();
    const VectorXd step = one.theta() - minimum.theta;
    second.add(step * step.transpose() / 2, 1);
  }
  const MatrixXd error = second.standard_error();
  CHECK(error.norm() <= 0.02 * state.diffusion().norm());
  CHECK(((second.mean() - state.diffusion()).array().abs() <= 4 * error.array()).all());
}
