// SGD itself, against theory: a linear model, and the paper's network.
#include <ness/ness.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::VectorXd;

double deviation(const auto& measured, const auto& exact) {
  return (measured.value - exact).norm() / measured.standard_error.norm();
}

}  // namespace

TEST_CASE("a linear model with replacement: simulation agrees with prediction") {
  const ness::Objective objective(
      ness::LinearModel<>(generic_values(3, 500, 51), generic_values(1, 500, 52)), ness::L2{0.2});
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 2e-3, .minibatch = {5}};
  const auto minimum = ness::minimize(objective, VectorXd::Zero(3).eval());
  const auto state =
      ness::predict(objective, minimum, training, {.form = ness::LyapunovForm::discrete});
  const auto measured = ness::measure(objective, training, state,
                                      {.run = {.steps = 100'000, .burn_in = 5000, .chains = 8}});
  CHECK(deviation(measured.mean, state.mean()) <= 3);
  CHECK(deviation(measured.covariance, state.covariance()) <= 3);
  CHECK(deviation(measured.circulation, state.circulation()) <= 3);
  for (const auto& part : measured.trajectories) {
    CHECK(std::abs(part.entropy_production.value - state.entropy_production()) <=
          3 * part.entropy_production.standard_error);
    CHECK(std::abs(part.integral_fluctuation.value - 1) <= 5e-4);
  }
}

TEST_CASE("the entropy production of a linear model, from its trajectories alone") {
  // Stiffness differs along the axes, and noise is large off them: where x₁ + x₂ is.
  Eigen::MatrixXd inputs = generic_values(3, 500, 51), targets = generic_values(1, 500, 52);
  for (Eigen::Index i = 0; i < 500; ++i) {
    targets(0, i) *= 4 * std::abs(inputs(0, i) + inputs(1, i));
    inputs(0, i) *= 2;
  }
  const ness::Objective objective(ness::LinearModel<>(inputs, targets), ness::L2{0.2});
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 2e-2, .minibatch = {5}};
  const auto minimum = ness::minimize(objective, VectorXd::Zero(3).eval());
  const auto state =
      ness::predict(objective, minimum, training, {.form = ness::LyapunovForm::discrete});
  const auto run = [&](std::uint64_t seed, const auto& estimator) {
    return std::get<0>(ness::run_chains(
        {.steps = 400'000, .burn_in = 5000, .chains = 8},
        [&](int k) {
          return ness::Chain(objective, training, minimum.theta,
                             ness::Philox(seed, static_cast<std::uint64_t>(k)));
        },
        minimum.theta, estimator));
  };
  const auto learnt = run(1, ness::CurrentForce<>(3));
  const auto bounds = run(2, ness::CurrentBounds<>(learnt.force(), learnt.centre(), 20'000));
  const double expected = state.entropy_production();
  INFO("predicted " << expected << ", rates " << state.decay_rates().transpose() << ", bounds "
                    << bounds.uncertainty_bound().value << " +- "
                    << bounds.uncertainty_bound().standard_error << ", "
                    << bounds.entropy_bound().value << " +- "
                    << bounds.entropy_bound().standard_error << ", F off by "
                    << (learnt.force() - state.force_matrix()).norm() /
                           state.force_matrix().norm());
  CHECK(bounds.uncertainty_bound().standard_error < 0.05 * expected);
  for (const auto& bound : {bounds.uncertainty_bound(), bounds.entropy_bound()}) {
    CHECK(bound.value < expected + 3 * bound.standard_error);
    // What is lost is of the order of ηh.
    CHECK(bound.value > (1 - state.decay_rates()[2]) * expected - 3 * bound.standard_error);
  }
}

TEST_CASE("the drift correlation is that of the gradient, and its trace is tr D (Eq. 22)") {
  const ness::Objective objective(
      ness::LinearModel<>(generic_values(3, 500, 51), generic_values(1, 500, 52)), ness::L2{0.2});
  const auto minimum = ness::minimize(objective, VectorXd::Zero(3).eval());
  const ness::MeasureSettings settings{.run = {.steps = 200'000, .burn_in = 5000, .chains = 8}};
  const auto measured = [&](const auto& training, const auto& state) {
    const auto steps = settings.run.steps / training.updates_per_markov_step(500);
    return std::get<1>(ness::measure_with(
        objective, training, state, settings,
        ness::DriftCorrelation<>(3, ness::batch_length(steps, 8, settings.batches))));
  };
  const ness::Sgd<ness::WithReplacement> updates{.learning_rate = 2e-3, .minibatch = {5}};
  const auto discrete =
      ness::predict(objective, minimum, updates, {.form = ness::LyapunovForm::discrete});
  const auto found = measured(updates, discrete);
  const Eigen::MatrixXd gradient_correlation = minimum.hessian * discrete.covariance();
  CHECK(deviation(found.matrix(), updates.learning_rate * gradient_correlation) <= 3);
  CHECK(std::abs(found.trace().value - discrete.drift_correlation()) <=
        3 * found.trace().standard_error);
  // To leading order it is tr D, which is as near as ηh.
  CHECK(std::abs(found.trace().value / discrete.diffusion().trace() - 1) <=
        updates.learning_rate * minimum.hessian_eigenvalues.maxCoeff() +
            3 * found.trace().standard_error / found.trace().value);

  const ness::Sgd<ness::WithoutReplacement> epochs{.learning_rate = 2e-3, .minibatch = {5}};
  const auto per_epoch =
      ness::predict(objective, minimum, epochs, {.epochs = {.order = ness::EpochOrder::all}});
  const auto of_epochs = measured(epochs, per_epoch);
  CHECK(std::abs(of_epochs.trace().value - per_epoch.drift_correlation()) <=
        3 * of_epochs.trace().standard_error);
}

TEST_CASE("the regression network with replacement: simulation agrees with prediction") {
  ness::Philox random(1);
  const ness::Objective objective(ness::regression_network(random), ness::L2{10});
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 1e-7, .minibatch = {10}};
  const ness::vector_t<ness::RegressionNetwork> start{1.2, -1.2, 0.7, 0.5, 0.9, 0.9, 0.0};
  const auto minimum = ness::minimize(objective, start);
  REQUIRE(minimum.status == ness::MinimumStatus::converged);
  const auto state = ness::predict(objective, minimum, training, {.mean_shift = true});
  const auto measured = ness::measure(
      objective, training, state, {.run = {.steps = 500'000, .burn_in = 500'000, .chains = 16}});
  CHECK(ness::compare(state, measured).agrees());
  // Steep directions relax within 2e4 steps, so that their variances are known to a few per cent.
  const ness::detail::SymmetricEigen<double> eigen(minimum.hessian);
  const auto steep = eigen.vectors.rightCols<4>();
  const Eigen::Vector4d found = (steep.transpose() * measured.covariance.value * steep).diagonal();
  const Eigen::Vector4d expected = (steep.transpose() * state.covariance() * steep).diagonal();
  CHECK((found.cwiseQuotient(expected).array() - 1).abs().maxCoeff() <= 0.12);
}
