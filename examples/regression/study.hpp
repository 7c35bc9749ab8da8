// The stationary state, predicted and measured, for whatever way of training.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "../common/progress.hpp"
#include "../common/regression_network.hpp"
#include "options.hpp"

using Predicted = ness::StationaryState<Matrix>;
using Measured = ness::Measurement<7>;

/// θ6 and θ7, counted from 0: the axes of Fig. 2.
inline constexpr std::array<int, 2> shown{5, 6};

/// All that the table, the JSON file and the figures are made from.
struct Results {
  std::string sampling;
  Minimum minimum;
  Predicted predicted;  ///< without replacement to all orders in ηn‖H‖
  Theta mean_shift;
  Measured measured;
  ness::Histogram2d density;         ///< of the two parameters shown
  std::int64_t burn_in;              ///< parameter updates of each chain
  std::optional<Minimum> effective;  ///< θ̂₀, without replacement
  std::optional<Predicted> leading;  ///< Appendix B, without replacement
};

inline ness::Sgd<ness::WithReplacement> with_replacement(const Options& options) {
  return {.learning_rate = options.eta, .minibatch = {options.batch}};
}
inline ness::Sgd<ness::WithoutReplacement> without_replacement(const Options& options) {
  return {.learning_rate = options.eta, .minibatch = {options.batch}};
}
inline ness::EarthquakeModel earthquake(const Options& options) {
  return {.learning_rate = options.eta, .noise = {options.zeta}};
}

/// 160 × 160 bins over 4.5 standard deviations to either side; without noise any width will do.
inline ness::Histogram2d density_histogram(const Predicted& predicted) {
  const auto axis = [&](int k) {
    const double deviation = std::sqrt(predicted.covariance(k, k));
    const double reach = deviation > 0 ? 4.5 * deviation : 1;
    return ness::Axis{-reach, reach, 160};
  };
  return ness::Histogram2d(shown[0], axis(shown[0]), shown[1], axis(shown[1]));
}

/// The slowest relaxation time, in Markov steps.
inline double relaxation_time(const Predicted& predicted) {
  return 1 / (predicted.learning_rate * predicted.hessian_eigenvalues[0]);
}

/// Simulates with a progress bar, and measures. Throws `ness::Diverged`.
template <class Training>
Results study(const Options& options, const Objective& objective, const Minimum& minimum,
              const std::string& sampling, const Training& training, const Predicted& predicted) {
  ProgressBar bar("simulating " + sampling);
  const ness::Index per_step = training.minibatch.updates_per_markov_step(objective.samples());
  const ness::MeasureSettings settings{
      .run = {.steps = options.steps,
              .burn_in = burn_in_updates(relaxation_time(predicted) * static_cast<double>(per_step),
                                         options.steps),
              .chains = static_cast<int>(options.chains),
              .threads = static_cast<int>(options.threads),
              .seed = static_cast<std::uint64_t>(options.seed),
              .progress = [&](std::int64_t done, std::int64_t all) { bar(done, all); }}};
  auto [measured, density] =
      ness::measure_with(objective, training, predicted, settings, density_histogram(predicted));
  return {sampling,
          minimum,
          predicted,
          ness::mean_shift(objective, training, predicted),
          measured,
          density,
          settings.run.burn_in,
          {},
          {}};
}

/// The study of one way of sampling. Throws `UserError` and `ness::Diverged`.
inline Results study(const Options& options, const Objective& objective, const Minimum& minimum,
                     const std::string& sampling) {
  check_stability(options, minimum.hessian_eigenvalues.maxCoeff());
  const auto of = [&](const auto& training, const ness::PredictSettings& settings = {}) {
    return study(options, objective, minimum, sampling, training,
                 ness::predict(objective, minimum, training, settings));
  };
  if (sampling == "wr") return of(with_replacement(options));
  if (sampling == "earthquake") return of(earthquake(options));
  const auto training = without_replacement(options);
  Results results = of(training, {.epoch_order = ness::EpochOrder::all,
                                  .epoch_map = {.threads = static_cast<int>(options.threads)}});
  results.effective = ness::effective_minimum(objective, minimum, training);
  results.leading = ness::predict(objective, minimum, training);
  return results;
}
