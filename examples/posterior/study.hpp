// Each sampler at each learning rate: by theory, by the exact moments of its chain, and by running
// it.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "../common/progress.hpp"
#include "problem.hpp"

/// What a run of a sampler gave.
struct Run {
  bool diverged = false;
  PosteriorError error;
  double autocorrelation_time = 0;  ///< of the slowest direction, in Markov steps
  double effective_samples = 0;
};

/// A sampler at one learning rate.
struct Point {
  double eta;
  PosteriorError theory, exact;
  std::optional<Run> run;
  double gradients_per_sample = 0;  ///< gradients of single samples for each effective one

  /// Does the run agree with the exact moments? Chance raises the divergence of any finite run.
  bool agrees() const {
    if (run->diverged) return exact.status != ness::SamplingStatus::stationary;
    if (exact.status != ness::SamplingStatus::stationary) return false;
    const auto& exactly = exact.divergence;
    const auto& measured = run->error.divergence;
    return std::abs(measured.value - exactly.value - run->error.chance) <=
           3 * std::hypot(measured.standard_error, exactly.standard_error);
  }
};

struct SamplerResults {
  std::string key, title;
  ness::Index gradients_per_step;  ///< of single samples, in a Markov step
  std::vector<Point> points;       ///< one for each learning rate
  std::vector<Point> curve;        ///< theory alone, on a finer grid
};

struct Results {
  Minimum minimum;
  std::vector<SamplerResults> samplers;

  const SamplerResults& operator[](const std::string& key) const {
    return *std::find_if(samplers.begin(), samplers.end(),
                         [&](const SamplerResults& sampler) { return sampler.key == key; });
  }
};

/// Learning rates from the least to the largest of those asked for, evenly spaced in their
/// logarithm.
inline std::vector<double> fine_grid(const Options& options) {
  const auto [least, most] = std::minmax_element(options.eta.begin(), options.eta.end());
  constexpr int count = 49;
  std::vector<double> grid;
  for (int k = 0; k < count; ++k)
    grid.push_back(*least * std::pow(*most / *least, k / (count - 1.0)));
  return grid;
}

/// The slope of log(divergence) against log(η) by least squares over η in [from, to]; none where
/// there are fewer than two points.
template <class Divergence>
std::optional<double> fitted_slope(const std::vector<Point>& points, double from, double to,
                                   const Divergence& divergence) {
  std::vector<Eigen::Vector2d> logarithms;
  constexpr double margin = 1 + 1e-9;  // η may be rounded
  for (const Point& point : points)
    if (point.eta * margin >= from && point.eta <= to * margin && divergence(point) > 0)
      logarithms.emplace_back(std::log(point.eta), std::log(divergence(point)));
  Eigen::Vector2d mean = Eigen::Vector2d::Zero();
  for (const auto& at : logarithms) mean += at / static_cast<double>(logarithms.size());
  double spread = 0;
  double together = 0;
  for (const auto& at : logarithms) {
    spread += std::pow(at[0] - mean[0], 2);
    together += (at[0] - mean[0]) * (at[1] - mean[1]);
  }
  if (!(spread > 0)) return {};
  return together / spread;
}

/// Updates that cost as many gradients of samples as `steps` updates of SGLD.
template <class Sampler>
std::int64_t updates_of_equal_cost(const Options& options, const Objective& objective,
                                   const Sampler& sampler) {
  const ness::Index updates = sampler.minibatch.updates_per_markov_step(objective.samples());
  const auto cost = static_cast<double>(ness::gradient_evaluations(sampler, objective.samples()));
  const double steps = static_cast<double>(options.steps) * static_cast<double>(options.batch);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(steps / cost)) * updates;
}

template <class Sampler>
Run simulate(const Options& options, const Objective& objective, const Minimum& minimum,
             const Sampler& sampler, const std::string& title) {
  ProgressBar bar(title);
  const auto chains = static_cast<int>(options.chains);
  const std::int64_t updates = updates_of_equal_cost(options, objective, sampler);
  const ness::RunSettings settings{
      .steps = updates,
      .burn_in =
          burn_in_updates(1 / (sampler.learning_rate * minimum.hessian_eigenvalues[0]), updates),
      .chains = chains,
      .threads = static_cast<int>(options.threads),
      .seed = static_cast<std::uint64_t>(options.seed),
      .progress = [&](std::int64_t done, std::int64_t all) { bar(done, all); }};
  const ness::Index per_step = sampler.minibatch.updates_per_markov_step(objective.samples());
  const ness::PosteriorEstimator<3> estimator(ness::gaussian_posterior(minimum),
                                              ness::batch_length(updates / per_step, chains, 32));
  const auto make_chain = [&](int k) {
    return ness::Chain(objective, sampler, minimum.theta,
                       ness::Philox(settings.seed, static_cast<std::uint64_t>(k)));
  };
  Run run;
  try {
    const auto [drawn] = ness::run_chains(settings, make_chain, minimum.theta, estimator);
    run.error = drawn.result();
    run.autocorrelation_time = drawn.autocorrelation_time().maxCoeff();
    run.effective_samples = static_cast<double>(drawn.steps()) / (2 * run.autocorrelation_time);
  } catch (const ness::Diverged&) {
    run.diverged = true;
  }
  return run;
}

template <class Sampler>
SamplerResults study(const Options& options, const Objective& objective, const Minimum& minimum,
                     const std::string& key, const std::string& title, const Sampler& open) {
  SamplerResults results{key, title, 0, {}, {}};
  const ness::PosteriorSettings settings{
      .epoch_map = {.permutations = options.permutations,
                    .threads = static_cast<int>(options.threads)}};
  for (const double eta : options.eta) {
    const Sampler sampler = at(open, eta, options);
    results.gradients_per_step = ness::gradient_evaluations(sampler, objective.samples());
    Point point{.eta = eta,
                .theory = ness::predict_posterior_error(objective, minimum, sampler),
                .exact = ness::exact_posterior_error(objective, minimum, sampler, settings),
                .run = {}};
    if (options.steps > 0) {
      point.run = simulate(options, objective, minimum, sampler, title);
      point.gradients_per_sample =
          2 * point.run->autocorrelation_time * static_cast<double>(results.gradients_per_step);
    }
    results.points.push_back(std::move(point));
  }
  for (const double eta : fine_grid(options))
    results.curve.push_back(
        {.eta = eta,
         .theory = ness::predict_posterior_error(objective, minimum, at(open, eta, options)),
         .exact = {},
         .run = {}});
  return results;
}

/// Throws `UserError`.
inline Results study(const Options& options, const Objective& objective) {
  Results results{ness::minimize(objective, Theta(Theta::Zero())), {}};
  if (results.minimum.status != ness::MinimumStatus::converged)
    throw UserError("the posterior has no maximum: raise --lambda or check the data");
  for_each_sampler([&](const std::string& key, const std::string& title, const auto& sampler) {
    results.samplers.push_back(study(options, objective, results.minimum, key, title, sampler));
  });
  return results;
}
