// How training approaches the minimum: Fig. 1C.
#pragma once

#include <cmath>
#include <mutex>
#include <vector>

#include "../common/progress.hpp"
#include "options.hpp"

/// The relative error 𝓛(θ)/𝓛(θ₀) − 1 at some updates, averaged over runs from random starts.
struct TrainingCurve {
  std::vector<std::int64_t> updates;
  std::vector<double> with_replacement, without_replacement;
};

/// About `count` whole numbers from 1 to `last`, evenly spaced in their logarithm.
inline std::vector<std::int64_t> log_spaced(std::int64_t last, int count) {
  std::vector<std::int64_t> result{0};
  for (int k = 0; k <= count; ++k) {
    const double value = std::pow(static_cast<double>(last), static_cast<double>(k) / count);
    const auto update = static_cast<std::int64_t>(std::llround(value));
    if (update > result.back()) result.push_back(update);
  }
  return result;
}

template <class Policy>
std::vector<double> average_error(const Objective& objective, const Options& options,
                                  const Policy& policy, double lowest,
                                  const std::vector<std::int64_t>& updates, ProgressBar& bar) {
  const ness::Sgd<Policy> training{.learning_rate = options.eta, .minibatch = policy};
  const int runs = options.training_runs;
  std::vector<std::vector<double>> errors(static_cast<std::size_t>(runs));
  std::mutex mutex;
  std::int64_t done = 0;
  ness::parallel_for(runs, options.threads, [&](int run) {
    // Streams beyond those of the chains, so that no two runs share random numbers.
    ness::Philox random(options.seed, (std::uint64_t{1} << 32) + static_cast<std::uint64_t>(run));
    ness::Normal normal;
    Theta start;
    normal.fill(random, start);
    ness::Chain chain(objective, training, start, random);
    auto& mine = errors[static_cast<std::size_t>(run)];
    std::int64_t update = 0;
    for (const std::int64_t next : updates) {
      for (; update < next; ++update) chain.update();
      mine.push_back(objective.value(chain.theta()) / lowest - 1);
    }
    const std::lock_guard lock(mutex);
    bar(++done, runs);
  });
  std::vector<double> mean(updates.size());
  for (const auto& run : errors)
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += run[k] / runs;
  return mean;
}

inline TrainingCurve training_curve(const Objective& objective, const Options& options,
                                    double lowest) {
  constexpr std::int64_t updates = 200'000;
  TrainingCurve curve{log_spaced(updates, 80), {}, {}};
  ProgressBar bar("training from random starts");
  curve.with_replacement = average_error(objective, options, ness::WithReplacement{options.batch},
                                         lowest, curve.updates, bar);
  if (objective.samples() % options.batch == 0)
    curve.without_replacement = average_error(
        objective, options, ness::WithoutReplacement{options.batch}, lowest, curve.updates, bar);
  return curve;
}
