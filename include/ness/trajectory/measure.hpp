// The stationary state as a simulation finds it: the same quantities as `predict`, with errors.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

#include "ness/dynamics/chain.hpp"
#include "ness/trajectory/entropy_production.hpp"
#include "ness/trajectory/moments.hpp"
#include "ness/trajectory/run.hpp"

namespace ness {

/// What a simulation measured, per Markov step.
template <int N>
struct Measurement {
  using Vector = Eigen::Matrix<double, N, 1>;
  using Matrix = Eigen::Matrix<double, N, N>;
  Estimate<Vector> mean;                      ///< ⟨θ⟩, N
  Estimate<Matrix> covariance;                ///< Σ, N × N
  Estimate<Matrix> circulation;               ///< C = ⟨area⟩ per step (Eq. 28), N × N
  Estimate<double> entropy_production;        ///< ⟨σ⟩ per step, of the first length
  std::vector<SubTrajectories> trajectories;  ///< ⟨σ⟩, ⟨e^{−σ}⟩ and histogram for each length
  Vector autocorrelation_time;                ///< of each parameter, in Markov steps
  std::int64_t markov_steps = 0;              ///< of all chains together
  std::int64_t batch_length = 0;              ///< of the error estimates, in Markov steps
  double seconds_per_step = 0;                ///< wall time divided by the updates of all chains
};

struct MeasureSettings {
  RunSettings run;
  std::vector<int> lengths = {1, 2, 3};  ///< ℓ of the sub-trajectories
  int batches = 64;                      ///< batches of the error estimates, over all chains
};

/// What `measure` must know of a stationary state: a point to take deviations from, the force of
/// the entropy production, and its expected size.
template <class State>
concept HasForce = requires(const State& state) {
  state.mean;
  state.force_matrix();
  state.entropy_production;
};

/// The estimators of `measure`: for `run_chains`, alone or together with others.
template <int N>
class StationaryEstimator {
 public:
  template <HasForce State>
  StationaryEstimator(const State& state, const std::vector<int>& lengths,
                      std::int64_t batch_length)
      : moments_(state.mean.template cast<double>(), batch_length),
        area_(state.mean.size(), batch_length),
        entropy_(state.force_matrix(), lengths, batch_length, range(state, lengths)) {}

  template <class S>
  void add(const TrajectoryBlock<S, N>& block) {
    moments_.add(block);
    area_.add(block);
    entropy_.add(block);
  }

  void merge(const StationaryEstimator& other) {
    moments_.merge(other.moments_);
    area_.merge(other.area_);
    entropy_.merge(other.entropy_);
  }

  Measurement<N> result() const {
    Measurement<N> result{.mean = moments_.mean(),
                          .covariance = moments_.covariance(),
                          .circulation = area_.circulation(),
                          .entropy_production = {},
                          .trajectories = entropy_.results(),
                          .autocorrelation_time = moments_.autocorrelation_time(),
                          .markov_steps = moments_.steps(),
                          .batch_length = moments_.batch_length()};
    if (!result.trajectories.empty())
      result.entropy_production = result.trajectories.front().entropy_production;
    return result;
  }

 private:
  // σ of Gaussian noise has variance 2⟨σ⟩, and the tails of real noise are longer: ten standard
  // deviations of the longest sub-trajectory.
  template <class State>
  static double range(const State& state, const std::vector<int>& lengths) {
    const int longest = lengths.empty() ? 1 : *std::max_element(lengths.begin(), lengths.end());
    const double mean = longest * static_cast<double>(state.entropy_production);
    return mean > 0 ? 10 * std::sqrt(2 * mean) + mean : 1;
  }

  Moments<N> moments_;
  Area<N> area_;
  EntropyProduction<N> entropy_;
};

/// The batch length that divides the steps of all chains into about `batches` equal parts, a whole
/// number of blocks where there are enough steps.
inline std::int64_t batch_length(std::int64_t markov_steps_per_chain, int chains, int batches) {
  detail::require(batches >= 2, "batch_length", "batches must be at least 2", batches);
  const std::int64_t per_chain = std::max(1, (batches + chains - 1) / chains);
  const std::int64_t length = markov_steps_per_chain / per_chain;
  return std::max<std::int64_t>(1, length < block_steps ? length : length - length % block_steps);
}

/// As `measure`, with further estimators that see the same trajectories: returns the measurement
/// and then each of `estimators`, filled.
///
///   auto [measured, histogram] = ness::measure_with(objective, training, predicted, settings,
///                                                   ness::Histogram2d(0, axis, 1, axis));
template <class M, class R, class T, HasForce State, class... Estimators>
std::tuple<Measurement<parameters_at_compile_time<M>>, Estimators...> measure_with(
    const Objective<M, R>& objective, const T& training, const State& state,
    const MeasureSettings& settings, const Estimators&... estimators) {
  constexpr int n = parameters_at_compile_time<M>;
  training.check(objective.samples(), "measure");
  settings.run.check("measure");
  const Index per_step = training.minibatch.updates_per_markov_step(objective.samples());
  const std::int64_t length =
      batch_length(settings.run.steps / per_step, settings.run.chains, settings.batches);
  const auto start = std::chrono::steady_clock::now();
  auto filled = run_chains(
      settings.run,
      [&](int k) {
        return Chain(objective, training, state.mean,
                     Philox(settings.run.seed, static_cast<std::uint64_t>(k)));
      },
      state.mean, StationaryEstimator<n>(state, settings.lengths, length), estimators...);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  const double updates = static_cast<double>(settings.run.steps + settings.run.burn_in) *
                         static_cast<double>(settings.run.chains);
  return std::apply(
      [&](auto& stationary, auto&... others) {
        auto result = stationary.result();
        result.seconds_per_step = elapsed.count() / updates;
        return std::tuple(std::move(result), std::move(others)...);
      },
      filled);
}

/// Runs chains of `training` from the mean of `state`, and measures what `predict` predicts.
///
///   const auto measured = ness::measure(objective, training, predicted, {.run = {.steps =
///   1'000'000,
///                                       .burn_in = 100'000, .chains = 8}});
///
/// `state` gives the reference point and the velocity field of the entropy production; nothing else
/// of it enters. Choose a burn-in of several relaxation times 1/(ηh_min). Throws `Diverged`, and
/// `std::invalid_argument` for settings that do not fit.
template <class M, class R, class T, HasForce State>
Measurement<parameters_at_compile_time<M>> measure(const Objective<M, R>& objective,
                                                   const T& training, const State& state,
                                                   const MeasureSettings& settings) {
  return std::get<0>(measure_with(objective, training, state, settings));
}

}  // namespace ness
