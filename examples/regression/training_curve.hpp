// How training approaches the minimum: Fig. 1C.
#pragma once

#include <cmath>
#include <mutex>
#include <vector>

#include "../common/progress.hpp"
#include "../common/regression_network.hpp"
#include "options.hpp"

/// The relative error 𝓛(θ)/𝓛(θ₀) − 1 after some updates, averaged over runs from random starts.
struct TrainingCurve {
  std::vector<std::int64_t> updates;
  std::vector<double> with_replacement;
  std::vector<double> without_replacement;  ///< empty where m does not divide M
};

/// About `count` whole numbers from 1 to `last`, evenly spaced in their logarithm.
inline std::vector<std::int64_t> log_spaced(std::int64_t last, int count) {
  std::vector<std::int64_t> result;
  for (int k = 0; k <= count; ++k) {
    const double value = std::pow(static_cast<double>(last), static_cast<double>(k) / count);
    const auto update = static_cast<std::int64_t>(std::llround(value));
    if (result.empty() || update > result.back()) result.push_back(update);
  }
  return result;
}

/// One run: the objective after each of `updates`. Throws `UserError` if it diverges.
template <class Chain>
std::vector<double> losses(const Objective& objective, Chain chain,
                           const std::vector<std::int64_t>& updates) {
  std::vector<double> result;
  std::int64_t update = 0;
  for (const std::int64_t next : updates) {
    const std::int64_t from = update;
    for (; update < next; ++update) chain.update();
    if (!chain.theta().allFinite())
      throw UserError("training from a random start diverged between updates " +
                      std::to_string(from) + " and " + std::to_string(next) + ": lower --eta");
    result.push_back(objective.value(chain.theta()));
  }
  return result;
}

/// The mean of 𝓛/lowest − 1 over all runs; `bar_step` is called as each of them ends.
template <class Policy, class BarStep>
std::vector<double> average_error(const Objective& objective, const Options& options,
                                  const Policy& policy, double lowest,
                                  const std::vector<std::int64_t>& updates,
                                  const BarStep& bar_step) {
  const ness::Sgd<Policy> training{.learning_rate = options.eta, .minibatch = policy};
  const auto runs = static_cast<std::size_t>(options.training_runs);
  std::vector<std::vector<double>> of_run(runs);
  ness::parallel_for(static_cast<int>(runs), static_cast<int>(options.threads), [&](int run) {
    // Streams beyond those of the chains, so that no two runs share random numbers.
    ness::Philox random(static_cast<std::uint64_t>(options.seed),
                        (std::uint64_t{1} << 32) + static_cast<std::uint64_t>(run));
    ness::Normal normal;
    Theta start;
    normal.fill(random, start);
    of_run[static_cast<std::size_t>(run)] =
        losses(objective, ness::Chain(objective, training, start, random), updates);
    bar_step();
  });
  std::vector<double> mean(updates.size());
  for (const auto& run : of_run)  // in order, so that the sum is the same for any threads
    for (std::size_t k = 0; k < mean.size(); ++k)
      mean[k] += (run[k] / lowest - 1) / static_cast<double>(runs);
  return mean;
}

inline TrainingCurve training_curve(const Objective& objective, const Options& options,
                                    double lowest) {
  const bool both = objective.samples() % options.batch == 0;
  ProgressBar bar("training from random starts");
  std::mutex mutex;
  std::int64_t done = 0;
  const auto bar_step = [&] {
    const std::lock_guard lock(mutex);
    done += options.training_steps;
    bar(done, (both ? 2 : 1) * options.training_runs * options.training_steps);
  };
  TrainingCurve curve{log_spaced(options.training_steps, 80), {}, {}};
  curve.with_replacement = average_error(objective, options, ness::WithReplacement{options.batch},
                                         lowest, curve.updates, bar_step);
  if (both)
    curve.without_replacement =
        average_error(objective, options, ness::WithoutReplacement{options.batch}, lowest,
                      curve.updates, bar_step);
  return curve;
}
