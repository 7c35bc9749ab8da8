#include <ness/dynamics/chain.hpp>
#include <ness/random/normal.hpp>
#include <ness/random/philox.hpp>
#include <ness/statistics/threads.hpp>
#include <ness/trajectory/measure.hpp>

#include <cmath>
#include <mutex>

#include "../common/progress.hpp"
#include "../common/run_settings.hpp"
#include "../common/user_error.hpp"
#include "problem.hpp"

namespace {

/// 160 × 160 bins over 4.5 standard deviations to either side; without noise any width will do.
ness::Histogram2d density_histogram(const State& state) {
  const auto axis = [&](int k) {
    const double deviation = std::sqrt(state.covariance()(k, k));
    const double reach = deviation > 0 ? 4.5 * deviation : 1;
    return ness::Axis{-reach, reach, 160};
  };
  return ness::Histogram2d(shown[0], axis(shown[0]), shown[1], axis(shown[1]));
}

/// About `count` whole numbers from 1 to `last`, evenly spaced in their logarithm.
std::vector<std::int64_t> log_spaced(std::int64_t last, int count) {
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
template <class Training, class BarStep>
std::vector<double> average_error(const Objective& objective, const Options& options,
                                  const Training& training, double lowest,
                                  const std::vector<std::int64_t>& updates,
                                  const BarStep& bar_step) {
  const auto runs = static_cast<std::size_t>(options.training_runs);
  std::vector<std::vector<double>> of_run(runs);
  ness::parallel_for(static_cast<int>(runs), static_cast<int>(options.threads), [&](int run) {
    // Streams beyond those of the chains, so that no two runs share random numbers.
    ness::Philox random(static_cast<std::uint64_t>(options.seed),
                        (std::uint64_t{1} << 32) + static_cast<std::uint64_t>(run));
    ness::Normal normal;
    ness::vector_t<Network> start;
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

}  // namespace

Simulation Study::simulate(const std::string& sampling, const Prediction& predicted) const {
  const Options& options = problem_->options;
  const Objective& objective = problem_->objective;
  ProgressBar bar("simulating " + sampling);
  return with_training(options, sampling, [&](const auto& training) -> Simulation {
    const ness::Index per_step = training.updates_per_markov_step(objective.samples());
    const double relaxation = static_cast<double>(per_step) / predicted.state.decay_rates()[0];
    const std::int64_t burn_in = burn_in_updates(relaxation, options.steps);
    auto [measured, density] =
        ness::measure_with(objective, training, predicted.state,
                           {.run = run_settings(options, options.steps, burn_in, bar)},
                           density_histogram(predicted.state));
    return {measured, density, burn_in};
  });
}

TrainingCurve Study::training_curve() const {
  const Options& options = problem_->options;
  const Objective& objective = problem_->objective;
  const Minimum& minimum = problem_->minimum;
  const bool both = problem_->batches_divide_samples();
  ProgressBar bar("training from random starts");
  std::mutex mutex;
  std::int64_t done = 0;
  const auto bar_step = [&] {
    const std::lock_guard lock(mutex);
    done += options.training_steps;
    bar(done, (both ? 2 : 1) * options.training_runs * options.training_steps);
  };
  const auto updates = log_spaced(options.training_steps, 80);
  const auto error = [&](const std::string& sampling) {
    return with_training(options, sampling, [&](const auto& training) {
      return average_error(objective, options, training, minimum.value, updates, bar_step);
    });
  };
  return {updates, error("wr"), both ? error("wor") : std::vector<double>()};
}
