// A posterior that others publish: eight schools, of posteriordb (M. Magnusson, J. Torgander, P.-C.
// Bürkner, L. Zhang, B. Carpenter and A. Vehtari, arXiv 2407.04967;
// github.com/stan-dev/posteriordb).
//
//   y_j ~ N(θ_j, σ_j),  θ_j = μ + τ z_j,  z_j ~ N(0, 1),  μ ~ N(0, 5),  τ ~ half-Cauchy(0, 5)
//
// It is far from Gaussian: τ is nearly as likely 0 as 5, and has a heavy tail. Given τ all is
// Gaussian, so its moments are also integrals over τ alone.

#include <array>
#include <cmath>
#include <cstdint>

#include "ness/dynamics/chain.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/posterior/convergence.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/trajectory/draws.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"

namespace {

using Eigen::Index;

constexpr Index schools = 8;
constexpr std::array<double, schools> effect{28, 8, -3, 7, -1, 1, 18, 12};       // y
constexpr std::array<double, schools> deviation{15, 10, 16, 11, 9, 11, 10, 18};  // σ

/// Likelihood, θ = (z_1 … z_8, μ, log τ): ℓ_j = −M log p(y_j|θ).
struct Schools {
  static constexpr Index parameters() { return schools + 2; }
  Index samples() const { return schools; }
  auto sample_loss(const auto& theta, Index j) const {
    using std::exp;
    const auto of_school = theta[schools] + exp(theta[schools + 1]) * theta[j];
    const auto z =
        (effect[static_cast<std::size_t>(j)] - of_school) / deviation[static_cast<std::size_t>(j)];
    return z * z * (0.5 * schools);
  }
};
static_assert(ness::Model<Schools>);

/// −log of the priors, of log τ with its Jacobian τ.
struct SchoolPriors {
  auto value(const auto& theta) const {
    using std::exp, std::log;
    const auto mean = theta[schools], log_tau = theta[schools + 1];
    auto sum = mean * mean * (0.5 / 25) + log(1 + exp(2 * log_tau) / 25) - log_tau;
    for (Index j = 0; j < schools; ++j) sum += theta[j] * theta[j] * 0.5;
    return sum;
  }
};

/// Means of (θ_1 … θ_8, μ, τ) and of their squares.
struct Moments {
  std::array<double, schools + 2> mean{}, square{};
};

/// Given τ, y_j ~ N(μ, σ_j² + τ²) makes a Gaussian of μ, and μ one of θ_j; the trapezoidal rule in
/// log τ, whose density falls exponentially to both sides.
Moments integrated() {
  Moments sum;
  double total = 0;
  for (double log_tau = -30; log_tau < 12; log_tau += 0.02) {
    const double tau = std::exp(log_tau), square = tau * tau;
    double precision = 1 / 25., slope = 0, logarithm = log_tau - std::log1p(square / 25);
    for (std::size_t j = 0; j < schools; ++j) {
      const double variance = deviation[j] * deviation[j] + square;
      precision += 1 / variance;
      slope += effect[j] / variance;
      logarithm -= (effect[j] * effect[j] / variance + std::log(variance)) / 2;
    }
    const double mean = slope / precision;
    logarithm += (slope * mean - std::log(precision)) / 2;
    const double weight = std::exp(logarithm + 20);
    total += weight;
    const auto add = [&](std::size_t k, double of_mean, double variance) {
      sum.mean[k] += weight * of_mean;
      sum.square[k] += weight * (of_mean * of_mean + variance);
    };
    for (std::size_t j = 0; j < schools; ++j) {
      // θ_j = μ + share (y_j − μ) + noise of variance share σ_j²
      const double of_school = deviation[j] * deviation[j];
      const double share = square / (square + of_school);
      add(j, mean + share * (effect[j] - mean),
          share * of_school + (1 - share) * (1 - share) / precision);
    }
    add(schools, mean, 1 / precision);
    add(schools + 1, tau, 0);
  }
  for (std::size_t k = 0; k < schools + 2; ++k) {
    sum.mean[k] /= total;
    sum.square[k] /= total;
  }
  return sum;
}

// Of posteriordb, by 10 chains of Stan and 10⁴ draws: summary_statistics/mean_value of
// eight_schools-eight_schools_noncentered, and mean_squared_value of the same posterior, which is
// filed under …_centered.
constexpr Moments published{
    {6.15050229334425, 4.9395811407422, 3.90590609001582, 4.79601675138494, 3.6144363246799,
     4.0511475789675, 6.31716975886893, 4.88399694353288, 4.41051833695493, 3.60205952364059},
    {69.36345, 45.9787, 43.13923, 45.76135, 34.35767, 39.4135, 64.93269, 52.12845, 30.40302,
     23.20407}};
constexpr Moments published_error{
    {0.0557375282295219, 0.0462293788624847, 0.0542313705632124, 0.0474935816762281,
     0.0461450610244603, 0.0485195392528031, 0.0498766794075794, 0.0542511606560972,
     0.0330374705950917, 0.0318615135640706},
    {1.1692102, 0.6346494, 0.6539418, 0.6193689, 0.4550489, 0.5390213, 0.9216132, 0.9024748,
     0.3351356, 0.4848872}};

/// What a sampler draws of (θ_1 … θ_8, μ, τ), and their squares behind them.
template <class Sampler>
ness::NpyArray draws_of(const Sampler& sampler, std::int64_t updates, std::int64_t stride) {
  const ness::Objective objective(Schools{}, SchoolPriors{});
  const auto per_step = static_cast<std::int64_t>(sampler.updates_per_markov_step(schools));
  ness::vector_t<Schools> start = ness::vector_t<Schools>::Zero();
  const auto [draws] = ness::run_chains(
      {.steps = updates, .burn_in = updates / 20, .chains = 4, .seed = 3},
      [&](int k) {
        auto from = start;
        from[schools] = 4 * k - 6;  // dispersed
        from[schools + 1] = k - 1;
        return ness::Chain(objective, sampler, from,
                           ness::Philox(3, static_cast<std::uint64_t>(k)));
      },
      start, ness::Draws(objective.parameters(), stride / per_step));
  const ness::NpyArray of_theta = draws.array();
  ness::NpyArray result{{of_theta.shape[0], of_theta.shape[1], 2 * (schools + 2)}, {}};
  for (std::size_t at = 0; at < of_theta.values.size(); at += schools + 2) {
    const double mean = of_theta.values[at + schools];
    const double tau = std::exp(of_theta.values[at + schools + 1]);
    std::array<double, schools + 2> values;
    for (std::size_t j = 0; j < schools; ++j) values[j] = mean + tau * of_theta.values[at + j];
    values[schools] = mean;
    values[schools + 1] = tau;
    for (const double value : values) result.values.push_back(value);
    for (const double value : values) result.values.push_back(value * value);
  }
  return result;
}

/// Against both, in standard errors of what is measured.
void check_moments(const ness::NpyArray& draws) {
  const auto moments = integrated();
  const auto convergence = ness::convergence(draws);
  const auto size = static_cast<std::size_t>(draws.shape[2]);
  const auto count = static_cast<double>(draws.values.size() / size);
  for (std::size_t k = 0; k < size; ++k) {
    double sum = 0, squares = 0;
    for (std::size_t at = k; at < draws.values.size(); at += size) sum += draws.values[at];
    const double mean = sum / count;
    for (std::size_t at = k; at < draws.values.size(); at += size)
      squares += (draws.values[at] - mean) * (draws.values[at] - mean);
    const double effective = convergence.bulk_draws[static_cast<Index>(k)];
    const double error = std::sqrt(squares / count / effective);
    const bool of_mean = k < size / 2;
    const std::size_t i = k % (size / 2);
    const double exact = of_mean ? moments.mean[i] : moments.square[i];
    const double theirs = of_mean ? published.mean[i] : published.square[i];
    const double their_error = of_mean ? published_error.mean[i] : published_error.square[i];
    INFO("quantity " << k << ", effective draws " << effective << ", mean " << mean << " +- "
                     << error << ", exact " << exact);
    CHECK(convergence.r_hat[static_cast<Index>(k)] <= 1.01);
    CHECK(effective >= 2000);
    CHECK(std::abs(mean - exact) <= 4 * error);
    CHECK(std::abs(mean - theirs) <= 4 * std::hypot(error, their_error));
  }
}

}  // namespace

TEST_CASE("published moments of eight schools are those of integrals") {
  const auto moments = integrated();
  for (std::size_t k = 0; k < schools + 2; ++k) {
    INFO(k);
    CHECK(std::abs(published.mean[k] - moments.mean[k]) <= 4 * published_error.mean[k]);
    CHECK(std::abs(published.square[k] - moments.square[k]) <= 4 * published_error.square[k]);
  }
}

TEST_CASE("eight schools by full-batch kinetic Langevin dynamics, as published") {
  check_moments(draws_of(
      ness::KineticLangevin{.learning_rate = 0.2, .minibatch = {}, .update = {.friction = 1}},
      120'000, 20));
}

TEST_CASE("eight schools by kinetic Langevin dynamics with batches there and back, as published") {
  check_moments(
      draws_of(ness::SmsUbu{.learning_rate = 0.05, .minibatch = {4}, .update = {.friction = 1}},
               480'000, 48));
}
