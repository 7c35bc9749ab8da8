// The stationary state, predicted and measured, for whatever way of training.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "../common/progress.hpp"
#include "problem.hpp"

using Predicted = ness::StationaryState<Matrix>;
using Measured = ness::Measurement<7>;

/// θ6 and θ7, counted from 0: the axes of Fig. 2.
inline constexpr std::array<int, 2> shown{5, 6};

/// All that the table, the JSON file and the figures are made from.
struct Results {
  Minimum minimum;
  Predicted predicted;
  Theta mean_shift;
  Measured measured;
  ness::Histogram2d density;  ///< of the two parameters shown
  std::int64_t burn_in;       ///< parameter updates of each chain
};

/// 160 × 160 bins over 4.5 standard deviations to either side; without noise any width will do.
inline ness::Histogram2d density_histogram(const Predicted& predicted) {
  const auto axis = [&](int k) {
    const double deviation = std::sqrt(predicted.covariance(k, k));
    const double reach = deviation > 0 ? 4.5 * deviation : 1;
    return ness::Axis{-reach, reach, 160};
  };
  return ness::Histogram2d(shown[0], axis(shown[0]), shown[1], axis(shown[1]));
}

/// Several times the slowest relaxation, but no longer than what is observed.
inline std::int64_t burn_in(const Predicted& predicted, const Options& options) {
  const double relaxation = 1 / (options.eta * predicted.hessian_eigenvalues[0]);
  return static_cast<std::int64_t>(
      std::min(std::ceil(5 * relaxation), static_cast<double>(options.steps)));
}

/// Predicts, simulates with a progress bar, and measures. Throws `ness::Diverged`.
template <class Training>
Results study(const Options& options, const Objective& objective, const Minimum& minimum,
              const Training& training) {
  const Predicted predicted = ness::predict(objective, minimum, training);
  ProgressBar bar("simulating");
  const ness::MeasureSettings settings{
      .run = {.steps = options.steps,
              .burn_in = burn_in(predicted, options),
              .chains = static_cast<int>(options.chains),
              .threads = static_cast<int>(options.threads),
              .seed = static_cast<std::uint64_t>(options.seed),
              .progress = [&](std::int64_t done, std::int64_t all) { bar(done, all); }}};
  auto [measured, density] =
      ness::measure_with(objective, training, predicted, settings, density_histogram(predicted));
  return {minimum,  predicted, ness::mean_shift(objective, predicted),
          measured, density,   settings.run.burn_in};
}

/// The study that the options ask for. Throws `UserError` and `ness::Diverged`.
inline Results study(const Options& options, const Objective& objective, const Minimum& minimum) {
  check_stability(options, minimum.hessian_eigenvalues.maxCoeff());
  return study(
      options, objective, minimum,
      ness::Sgd<ness::WithReplacement>{.learning_rate = options.eta, .minibatch = {options.batch}});
}
