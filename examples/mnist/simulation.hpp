// Chains in either precision: for the files that run them.
#pragma once

#include <algorithm>
#include <ness/detail/symmetric_matrices.hpp>
#include <ness/trajectory/directional_variance.hpp>
#include <ness/trajectory/measure.hpp>
#include <string>

#include "../common/progress.hpp"
#include "../common/run_settings.hpp"
#include "problem.hpp"

/// Simulates with a progress bar, and measures, also along the eigenvectors of H.
template <class AnyObjective, class Training>
Simulation simulate(const Options& options, const AnyObjective& objective, const Training& training,
                    const std::string& sampling, const Minimum& minimum,
                    const Prediction& predicted) {
  const ness::Index per_step = training.updates_per_markov_step(objective.samples());
  const ness::Index stride = per_step == 1 ? options.stride : 1;
  const std::int64_t markov_steps = options.steps / per_step;
  const double slowest = predicted.relaxation_time();
  const std::int64_t burn_in =
      burn_in_updates(slowest * static_cast<double>(per_step), options.steps);
  // Batches of two relaxation times, where there are enough of them.
  const auto chains = static_cast<int>(options.chains);
  const int batches = static_cast<int>(
      std::clamp(static_cast<double>(markov_steps) * chains / (2 * slowest), 8.0, 64.0));

  ProgressBar bar("simulating " + sampling);
  ness::MeasureSettings settings{.run = run_settings(options, options.steps, burn_in, bar),
                                 .batches = batches,
                                 .stride = stride};
  if (!options.checkpoint.empty())
    settings.run.checkpoint = {
        .file = options.checkpoint + (options.sampling.size() > 1 ? "." + sampling : ""),
        .seconds = options.checkpoint_seconds};
  const ness::detail::SymmetricEigen<double> eigen(minimum.hessian);
  const ness::DirectionalVariance<> along(
      eigen.vectors, ness::batch_length(markov_steps, chains, batches), stride);
  const auto [measured, directions] =
      ness::measure_with(objective, training, predicted.state, settings, along);
  const Eigen::MatrixXd projected =
      eigen.vectors.transpose() * predicted.state.covariance() * eigen.vectors;
  return {measured,
          {eigen.values, projected.diagonal(), directions.variance(),
           directions.autocorrelation_time()},
          burn_in};
}
