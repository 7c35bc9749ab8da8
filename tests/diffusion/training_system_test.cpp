#include "ness/diffusion/training_system.hpp"

#include <Eigen/LU>

#include "ness/diffusion/curvature.hpp"
#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/differences.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/stationary/generalized_lyapunov.hpp"
#include "ness/trajectory/moments.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/network.hpp"
#include "support/regression_posterior.hpp"
#include "support/scaled_gradients.hpp"

using Eigen::Matrix3d;
using Eigen::Vector3d;

TEST_CASE("SGD as a system has its drift and its D, per Markov step") {
  ness::vector_t<ness::RegressionNetwork> theta = network_minimum().theta;
  theta.array() += 0.01;
  const auto check = [&](const auto& training, const auto& gradient) {
    const ness::TrainingSystem system(network(), training);
    ness::SystemTerms terms(system);
    terms.at(theta);
    CHECK(relative_error(terms.drift(), (-1e-6 * gradient).eval()) <= 1e-14);
    CHECK(relative_error(terms.diffusion(), ness::diffusion(network(), theta, training)) == 0);
  };
  const ness::Sgd<ness::WithReplacement> wr{.learning_rate = 1e-6, .minibatch = {10}};
  check(wr, network().gradient(theta));
  check(ness::Sgld{.learning_rate = 1e-6, .minibatch = {10}}, network().gradient(theta));
  const ness::Sgd<ness::WithoutReplacement> wor{.learning_rate = 1e-6, .minibatch = {10}};
  check(wor, ness::EffectiveLandscape(network(), wor).gradient(theta));
}

TEST_CASE("The potential of training without replacement is the one its gradient goes down") {
  ness::vector_t<ness::RegressionNetwork> theta = network_minimum().theta;
  theta.array() += 0.01;
  const ness::Sgd<ness::WithoutReplacement> training{.learning_rate = 1e-6, .minibatch = {10}};
  const ness::TrainingSystem system(network(), training);
  auto gradient = theta;
  system.gradient(theta, gradient);
  auto differences = theta;
  for (Eigen::Index k = 0; k < theta.size(); ++k)
    differences[k] = ness::detail::central_difference(theta, k, [&](const auto& t) {
      return Eigen::Matrix<double, 1, 1>(system.potential(t));
    })[0];
  CHECK(relative_error(differences, gradient) <= 1e-7);
  CHECK(relative_error(network().gradient(theta), gradient) >= 1e-5);
}

TEST_CASE("∇·D of SGD with replacement is that of its sample gradients") {
  // D = c Σ g gᵀ with g = ∇ℓ_i − ∇L: ∇·D = c Σ (∂∂ℓ_i − H_L) g + g tr(∂∂ℓ_i − H_L), which for a
  // linear model with ∂∂ℓ_i = k xxᵀ and large M is a sum over samples.
  const auto& objective = regression_posterior();
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 1e-6, .minibatch = {10}};
  const Vector3d theta = regression_posterior_minimum().theta + Vector3d(0.3, -0.2, 0.1);
  const auto& model = objective.model();
  const Eigen::Index samples = objective.samples();
  const double k = model.curvature_factor();
  const Matrix3d mean_hessian = objective.hessian(theta) - objective.regularizer_hessian(theta);
  const Vector3d mean = objective.loss_gradient(theta);
  const auto scaled = scaled_gradients(objective, theta);
  Vector3d sum = Vector3d::Zero();
  for (Eigen::Index i = 0; i < samples; ++i) {
    const Vector3d x = model.features().col(i).template cast<double>();
    const Matrix3d h = k * x * x.transpose() - mean_hessian;
    const Vector3d g = static_cast<double>(samples) * scaled.col(i) - mean;
    sum += h * g + h.trace() * g;
  }
  const double m = static_cast<double>(samples);
  const Vector3d expected = 1e-12 * (m / 10 - 1) / (2 * (m - 1) * m) * sum;
  const ness::TrainingSystem system(objective, training);
  ness::SystemTerms terms(system);
  CHECK(relative_error(terms.at(theta).diffusion_divergence(), expected) <= 1e-7);
}

TEST_CASE("Its Euler steps have the second moment of SGD, with D(θ) and all (Eq. 44, discrete)") {
  const auto& objective = regression_posterior();
  const auto& minimum = regression_posterior_minimum();
  // So large that D at the minimum alone would not do.
  const ness::Sgd<ness::WithReplacement> training{
      .learning_rate = 0.2 / minimum.hessian_eigenvalues.maxCoeff(), .minibatch = {4}};
  const Matrix3d d = ness::diffusion(objective, minimum.theta, training);
  const auto exact =
      ness::solve_generalized_lyapunov(minimum.hessian, d, training.learning_rate,
                                       ness::DiffusionCurvature(objective, minimum.theta, training,
                                                                minimum.hessian.inverse().eval()),
                                       {.form = ness::LyapunovForm::discrete});
  REQUIRE(exact.status == ness::LyapunovStatus::solved);
  const ness::TrainingSystem system(objective, training);
  constexpr std::int64_t steps = 60'000;
  auto [moments] = ness::run_chains(
      {.steps = steps, .burn_in = 1000, .chains = 8},
      [&](int k) {
        return ness::EulerMaruyama(system, 1, minimum.theta,
                                   ness::Philox(3, static_cast<std::uint64_t>(k)));
      },
      minimum.theta, ness::Moments<>(3, ness::batch_length(steps, 8, 64)));
  const auto found = moments.covariance();
  const auto plain = ness::solve_lyapunov(minimum.hessian, d, training.learning_rate,
                                          ness::LyapunovForm::discrete);
  const auto deviation = [&](const Matrix3d& expected) {
    return ((found.value - expected).array().abs() / found.standard_error.array()).maxCoeff();
  };
  INFO("\n" << found.value << "\n\n" << exact.covariance << "\n\n" << found.standard_error);
  CHECK(deviation(exact.covariance) <= 4);
  CHECK(deviation(plain.covariance) > 6);
}

TEST_CASE("bad settings of training systems are refused") {
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0, .minibatch = {10}};
  CHECK_THROWS_WITH(ness::TrainingSystem(network(), training), contains("learning_rate"));
}
