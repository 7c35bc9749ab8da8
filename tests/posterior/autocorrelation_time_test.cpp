// What an independent draw costs, and what kinetic samplers make of as many gradients.
#include "ness/posterior/autocorrelation_time.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>

#include "ness/dynamics/chain.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/posterior/posterior_estimator.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/random/normal.hpp"
#include "ness/trajectory/directional_variance.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/regression_posterior.hpp"

namespace {

using Eigen::Matrix2d;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// A posterior of condition 1200, with samples of unequal curvature.
auto narrow_posterior() {
  constexpr Eigen::Index size = 4, points = 20;
  ness::Philox random(3);
  ness::Normal normal;
  MatrixXd x(size, points), y(1, points);
  for (Eigen::Index i = 0; i < points; ++i) {
    for (Eigen::Index k = 0; k < size; ++k) {
      const double z = normal(random);
      x(k, i) =
          z * std::pow(2200, -static_cast<double>(k) / 6) * (1 + 0.5 * static_cast<double>(i % 3));
    }
    y(0, i) = normal(random);
  }
  return ness::Objective(ness::LinearModel<>(x, y, ness::SquaredLoss{points / 2.0}),
                         ness::L2{1e-3});
}

/// The sampler whose independent draws cost so many gradients; a kinetic one with γ = 2√h_min.
template <class Sampler, class Objective>
Sampler of_cost(const Objective& objective, const ness::Minimum<>& minimum, Eigen::Index batch,
                double cost) {
  const auto& curvatures = minimum.hessian_eigenvalues;
  const double slow = std::sqrt(curvatures[0]), fast = std::sqrt(curvatures.maxCoeff());
  Sampler sampler;
  sampler.minibatch.batch_size = batch;
  double cheap = 1 / fast, dear = 1e-6 / fast;
  if constexpr (ness::KineticUpdate<typename Sampler::Update>) {
    sampler.update.friction = 2 * slow;
  } else {
    cheap /= fast;
    dear /= fast;
  }
  for (int k = 0; k < 50; ++k) {
    sampler.learning_rate = std::sqrt(cheap * dear);
    const double found = 2 * ness::autocorrelation_time(objective, minimum, sampler) *
                         static_cast<double>(ness::gradient_evaluations(sampler, objective));
    (found > cost ? dear : cheap) = sampler.learning_rate;
  }
  return sampler;
}

template <class Objective, class Sampler>
auto exact(const Objective& objective, const ness::Minimum<>& minimum, const Sampler& sampler) {
  return ness::exact_posterior_error(objective, minimum, sampler,
                                     {.epoch_map = {.permutations = 4000}});
}

/// That of SgworldLmUncorrected over that of SmsUbu, with three standard errors added to it.
template <class Objective>
double least_gain(const Objective& objective, const ness::Minimum<>& minimum, Eigen::Index batch,
                  double cost) {
  const auto of = [&](const auto& sampler) {
    return exact(objective, minimum, sampler).divergence;
  };
  const auto before = of(of_cost<ness::SgworldLmUncorrected>(objective, minimum, batch, cost));
  const auto after = of(of_cost<ness::SmsUbu>(objective, minimum, batch, cost));
  INFO(cost << " gradients: " << before.value << ", " << after.value << " +- "
            << after.standard_error);
  return before.value / (after.value + 3 * after.standard_error);
}

}  // namespace

TEST_CASE("the slowest time is that of theta or of its square") {
  // θ' = aθ + noise: ½ + a/(1 − a), and with a² where a < 0.
  const auto time = [](double a) {
    return ness::detail::slowest_time(Matrix2d(Eigen::Vector2d(a, 0).asDiagonal()));
  };
  CHECK(relative_error(time(0.9), 0.5 + 0.9 / 0.1) <= 1e-13);
  CHECK(relative_error(time(-0.9), 0.5 + 0.81 / 0.19) <= 1e-13);
  // Any A, by its powers.
  Matrix2d a;
  a << 0.9, 0.4, -0.4, 0.8;
  Matrix2d power = Matrix2d::Identity();
  double sum = 0.5, squares = 0.5;
  for (int k = 1; k < 2000; ++k) {
    power = (power * a).eval();
    sum += power(0, 0);
    squares += power(0, 0) * power(0, 0);
  }
  CHECK(relative_error(ness::detail::slowest_time(a), std::max(sum, squares)) <= 1e-12);
  CHECK(squares > sum);  // as it is where θ swings
}

TEST_CASE("times of correlation are what runs show") {
  const auto& objective = regression_posterior();
  const auto& minimum = regression_posterior_minimum();
  const MatrixXd vectors = ness::detail::SymmetricEigen(minimum.hessian).vectors;
  const auto check = [&](const auto& sampler) {
    const double expected = ness::autocorrelation_time(objective, minimum, sampler);
    const auto tau = static_cast<std::int64_t>(std::ceil(expected));
    const auto [estimator] = ness::run_chains(
        {.steps = tau * 20'000 * sampler.updates_per_markov_step(objective.samples()),
         .burn_in = tau * 20,
         .chains = 2},
        [&](int k) {
          return ness::Chain(objective, sampler, minimum.theta,
                             ness::Philox(4, static_cast<std::uint64_t>(k)));
        },
        minimum.theta, ness::DirectionalVariance<>(vectors, 50 * tau));
    // By the scatter of 800 batches: to 1/20, and 1/50 for their finite length.
    const double found = estimator.autocorrelation_time()[0];
    INFO(found << ", expected " << expected);
    CHECK(std::abs(found / expected - 1) < 0.15);
  };
  const double slow = std::sqrt(minimum.hessian_eigenvalues[0]);
  check(ness::Sgld{.learning_rate = 1e-5, .minibatch = {50}});
  check(ness::SgworldLmUncorrected{.learning_rate = 4e-6, .minibatch = {50}});
  check(ness::SmsUbu{
      .learning_rate = 0.1 / slow, .minibatch = {50}, .update = {.friction = 2 * slow}});
}

// The table in the README of the posterior example.
TEST_CASE("for as many gradients a draw SmsUbu is far nearer than SgworldLm, over two decades") {
  const auto narrow = narrow_posterior();
  const auto narrow_minimum = ness::minimize(narrow, VectorXd(VectorXd::Zero(4)));
  const auto& curvatures = narrow_minimum.hessian_eigenvalues;
  CHECK(curvatures.maxCoeff() > 1000 * curvatures.minCoeff());
  for (const double cost : {1e4, 1e5, 1e6}) {
    CHECK(least_gain(regression_posterior(), regression_posterior_minimum(), 10, cost) > 30);
    CHECK(least_gain(narrow, narrow_minimum, 4, cost) > 30);
  }
}

TEST_CASE("a run of SmsUbu has the divergence of its exact moments where it can tell") {
  const auto& objective = regression_posterior();
  const auto& minimum = regression_posterior_minimum();
  const auto posterior = ness::gaussian_posterior(minimum);
  const auto sampler = of_cost<ness::SmsUbu>(objective, minimum, 10, 3e3);
  const auto expected = exact(objective, minimum, sampler).divergence;
  const auto [estimator] = ness::run_chains(
      {.steps = 20'000 * sampler.updates_per_markov_step(objective.samples()),
       .burn_in = 2'000,
       .chains = 4},
      [&](int k) {
        return ness::Chain(objective, sampler, minimum.theta,
                           ness::Philox(5, static_cast<std::uint64_t>(k)));
      },
      minimum.theta, ness::PosteriorEstimator<>(posterior, 500));
  const auto found = estimator.result();
  const double error = std::hypot(found.divergence.standard_error, expected.standard_error);
  INFO(found.divergence.value << " +- " << error << ", expected " << expected.value);
  CHECK(std::abs(found.divergence.value - found.chance - expected.value) <= 3 * error);
  CHECK(error < 0.1 * expected.value);
}
