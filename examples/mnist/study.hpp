// The stationary state, predicted and measured, with and without replacement.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../common/progress.hpp"
#include "problem.hpp"

using Predicted = ness::StationaryState<Matrix>;
using Measured = ness::Measurement<Eigen::Dynamic>;

/// D̂ in one of the approximations of Appendix B.
struct NoiseLevel {
  std::string name;
  double trace;
  double difference;  ///< ‖D̂ − D̂_exact‖ / ‖D̂_exact‖
  double seconds;
};

/// ⟨σ⟩ and the rank of D where eigenvalues of D and Σ below `tolerance` of the largest are dropped.
struct RankCheck {
  double tolerance;
  Eigen::Index rank;
  double entropy_production;
};

/// Simulation along the eigenvectors of H.
struct Directions {
  Vector curvature;  ///< h, increasing
  Vector theory;
  ness::Estimate<Vector> variance;
  Vector autocorrelation_time;

  /// The part of the directions that agree with theory within `z` standard errors.
  double within(double z) const {
    const auto deviation = (variance.value - theory).array().abs();
    return (deviation <= z * variance.standard_error.array()).cast<double>().mean();
  }
};

struct Results {
  std::string sampling;
  Predicted predicted;
  double diffusion_seconds = 0;
  double covariance_seconds = 0;
  std::vector<RankCheck> ranks = {};
  std::vector<NoiseLevel> levels = {};    ///< without replacement
  std::optional<Minimum> effective = {};  ///< θ̂₀, without replacement
  double effective_seconds = 0;
  std::optional<Measured> measured = {};  ///< not of the theory alone
  std::optional<Directions> directions = {};
  std::int64_t burn_in = 0;  ///< parameter updates of each chain
};

template <class Value>
struct Timed {
  Value value;
  double seconds;
};

/// The result of `work` and the seconds it took.
template <class Work>
auto timed(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  auto result = work();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return Timed<decltype(result)>{std::move(result), took.count()};
}

/// Of this process, so far.
inline std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

/// The slowest relaxation time, in Markov steps.
inline double relaxation_time(const Predicted& predicted) {
  return 1 / (predicted.learning_rate * predicted.hessian_eigenvalues[0]);
}

/// The rank of D is a matter of tolerance; what must not be is the entropy production.
inline std::vector<RankCheck> check_ranks(const Predicted& predicted) {
  std::vector<RankCheck> checks;
  const double middle =
      static_cast<double>(predicted.mean.size()) * std::numeric_limits<double>::epsilon();
  for (const double tolerance : {middle / 10, middle * 10}) {
    const Predicted state(predicted.mean, predicted.hessian, predicted.diffusion,
                          predicted.learning_rate, {.rank_tolerance = tolerance});
    checks.push_back({tolerance, state.rank, state.entropy_production});
  }
  return checks;
}

inline Results predict_with_replacement(const Objective& objective, const Minimum& minimum,
                                        const ness::Sgd<ness::WithReplacement>& training) {
  const auto d = timed([&] { return ness::diffusion(objective, minimum.theta, training); });
  auto state = timed(
      [&] { return Predicted(minimum.theta, minimum.hessian, d.value, training.learning_rate); });
  Results results{.sampling = "wr",
                  .predicted = std::move(state.value),
                  .diffusion_seconds = d.seconds,
                  .covariance_seconds = state.seconds};
  results.ranks = check_ranks(results.predicted);
  return results;
}

inline Results predict_without_replacement(const Objective& objective, const Minimum& minimum,
                                           const ness::Sgd<ness::WithoutReplacement>& training) {
  auto effective = timed([&] { return ness::effective_minimum(objective, minimum, training); });
  if (effective.value.status != ness::MinimumStatus::converged)
    throw UserError(
        "the effective landscape has no minimum near that of the objective: lower --eta, or raise "
        "--batch");
  using Level = ness::EpochNoise;
  const auto noise = [&](Level level) {
    return timed(
        [&] { return ness::diffusion(objective, effective.value.theta, training, level); });
  };
  const auto exact = noise(Level::exact);
  std::vector<NoiseLevel> levels{{"exact moments", exact.value.trace(), 0, exact.seconds}};
  for (const auto& [name, level] :
       {std::pair("as printed, B18", Level::printed), std::pair("leading, B21", Level::leading),
        std::pair("H VV' H, Eq. 18", Level::curvature),
        std::pair("H D H, Eq. 18", Level::step_noise)}) {
    const auto d = noise(level);
    levels.push_back(
        {name, d.value.trace(), (d.value - exact.value).norm() / exact.value.norm(), d.seconds});
  }
  const auto n = static_cast<double>(objective.samples() / training.minibatch.batch_size);
  auto state = timed([&] {
    return Predicted(effective.value.theta, n * minimum.hessian, exact.value,
                     training.learning_rate);
  });
  Results results{.sampling = "wor",
                  .predicted = std::move(state.value),
                  .diffusion_seconds = exact.seconds,
                  .covariance_seconds = state.seconds};
  results.ranks = check_ranks(results.predicted);
  results.levels = std::move(levels);
  results.effective = std::move(effective.value);
  results.effective_seconds = effective.seconds;
  return results;
}

/// All that the numbers of a run depend on, besides what the library knows itself.
inline std::string identity(const Options& options, const std::string& sampling) {
  std::ostringstream text;
  text.precision(17);
  text << "sampling " << sampling << ", eta " << options.eta << ", batch " << options.batch
       << ", lambda " << options.lambda << ", stride " << options.stride << ", samples "
       << options.samples << ", precision " << (options.single ? "single" : "double") << ", data "
       << (options.synthetic ? "synthetic" : options.images);
  return text.str();
}

/// Simulates with a progress bar, and measures. Throws `ness::Diverged` and
/// `ness::CheckpointError`.
template <class AnyObjective, class Training>
void simulate(const Options& options, const AnyObjective& objective, const Training& training,
              Results& results) {
  const Predicted& predicted = results.predicted;
  const ness::Index per_step = training.minibatch.updates_per_markov_step(objective.samples());
  const ness::Index stride = per_step == 1 ? options.stride : 1;
  const std::int64_t markov_steps = options.steps / per_step;
  const double slowest = relaxation_time(predicted);
  results.burn_in = burn_in_updates(slowest * static_cast<double>(per_step), options.steps);
  // Batches of two relaxation times, where there are enough of them.
  const auto chains = static_cast<int>(options.chains);
  const int batches = static_cast<int>(
      std::clamp(static_cast<double>(markov_steps) * chains / (2 * slowest), 8.0, 64.0));

  ProgressBar bar("simulating " + results.sampling);
  const std::string suffix = options.sampling.size() > 1 ? "." + results.sampling : "";
  const ness::MeasureSettings settings{
      .run = {.steps = options.steps,
              .burn_in = results.burn_in,
              .chains = chains,
              .threads = static_cast<int>(options.threads),
              .seed = static_cast<std::uint64_t>(options.seed),
              .progress = [&](std::int64_t done, std::int64_t all) { bar(done, all); },
              .checkpoint = {.file = options.checkpoint.empty() ? "" : options.checkpoint + suffix,
                             .seconds = options.checkpoint_seconds,
                             .identity = identity(options, results.sampling)}},
      .batches = batches,
      .stride = stride};
  const ness::detail::SymmetricEigen<Matrix> eigen(predicted.hessian);
  const ness::DirectionalVariance<Eigen::Dynamic> along(
      eigen.vectors, ness::batch_length(markov_steps, chains, batches), stride);
  auto [measured, directions] = ness::measure_with(objective, training, predicted, settings, along);
  const Vector theory =
      (eigen.vectors.transpose() * predicted.covariance * eigen.vectors).diagonal();
  results.measured = std::move(measured);
  results.directions =
      Directions{eigen.values, theory, directions.variance(), directions.autocorrelation_time()};
}

template <class Training>
void simulate_in_precision(const Options& options, const Objective& objective,
                           const Training& training, Results& results) {
  if (options.steps == 0) return;
  if (!options.single) return simulate(options, objective, training, results);
  const ness::Objective single(ness::LinearModel<float>(objective.model().features().cast<float>(),
                                                        objective.model().targets().cast<float>()),
                               objective.regularizer());
  simulate(options, single, training, results);
}

/// The study of one way of sampling. Throws `UserError`, `ness::Diverged`, `ness::CheckpointError`.
inline Results study(const Options& options, const Objective& objective, const Minimum& minimum,
                     const std::string& sampling) {
  const auto of = [&](const auto& training, Results results) {
    simulate_in_precision(options, objective, training, results);
    return results;
  };
  if (sampling == "wr") {
    const ness::Sgd<ness::WithReplacement> training{options.eta, {options.batch}};
    return of(training, predict_with_replacement(objective, minimum, training));
  }
  const ness::Sgd<ness::WithoutReplacement> training{options.eta, {options.batch}};
  return of(training, predict_without_replacement(objective, minimum, training));
}
