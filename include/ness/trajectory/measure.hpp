// The stationary state as a simulation finds it: the same quantities as `predict`, with errors.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ness/detail/fingerprint.hpp"
#include "ness/dynamics/chain.hpp"
#include "ness/trajectory/entropy_production.hpp"
#include "ness/trajectory/moments.hpp"
#include "ness/trajectory/momentum_entropy.hpp"
#include "ness/trajectory/run.hpp"

namespace ness {

/// What a simulation measured, per Markov step, or per update with `RunSettings::every_update`:
/// then a mean over the phases of an epoch, not to be compared with what is predicted of its end.
/// In double precision, whatever the chain's.
struct Measurement {
  using Vector = DynamicVector<double>;
  using Matrix = DynamicMatrix<double>;
  Estimate<Vector> mean;                      ///< ⟨θ⟩, N
  Estimate<Matrix> covariance;                ///< Σ, N × N
  Estimate<Matrix> circulation;               ///< C = ⟨area⟩ per step (Eq. 28), N × N
  Estimate<double> entropy_production;        ///< ⟨σ⟩ per step, of the first length; else NaN
  std::vector<SubTrajectories> trajectories;  ///< ⟨σ⟩, ⟨e^{−σ}⟩ and histogram for each length
  Vector autocorrelation_time;                ///< of each parameter, in Markov steps
  std::int64_t markov_steps = 0;              ///< of all chains together
  std::int64_t batch_length = 0;              ///< of the error estimates, in Markov steps
  Eigen::Index stride = 1;                    ///< `MeasureSettings::stride`
  double seconds_per_step = 0;                ///< wall time divided by the updates of all chains
};

/// How long, and what is measured.
struct MeasureSettings {
  RunSettings run = {};                  ///< the run itself
  std::vector<int> lengths = {1, 2, 3};  ///< ℓ of the sub-trajectories
  int batches = 64;                      ///< batches of the error estimates, over all chains
  /// For many parameters, where looking at a state costs more than a step. Above 1, a divisor of
  /// `block_steps`: ⟨θ⟩ and Σ are taken from every stride-th state and C from the chords between
  /// them, ½⟨δθ_k Δθᵀ − Δθ δθ_kᵀ⟩/stride with Δθ = θ_{k+stride} − θ_k, σ from one block of steps in
  /// `stride`. Little is lost while stride · ηh ≪ 1; C is smaller by a relative (stride − 1)ηh/2 or
  /// so.
  Eigen::Index stride = 1;

  /// What else decides a measurement besides the run, in words: for checkpoints.
  std::string description() const {
    std::string words =
        "batches " + std::to_string(batches) + ", stride " + std::to_string(stride) + ", lengths";
    for (const int length : lengths) words += ' ' + std::to_string(length);
    return words;
  }
};

/// What `measure` must know of a stationary state: a point to take deviations from, the force of
/// the entropy production, and its expected size.
template <class State>
concept HasEntropyForce = requires(const State& state) {
  state.mean();
  state.force_matrix();
  state.entropy_production();
};

/// A state that says whether a step depends on more than θ, and of which update and noise then.
template <class State>
concept StatesMemory = requires(const State& state) {
  { state.has_memory() } -> std::convertible_to<bool>;
  { state.has_path_entropy() } -> std::convertible_to<bool>;
  state.inverse_diffusion();
  state.relaxation();
  state.update();
};

namespace detail {

template <class State>
bool has_memory(const State& state) {
  if constexpr (StatesMemory<State>) return state.has_memory();
  return false;
}

/// What tells a state from others in a checkpoint.
template <HasEntropyForce State>
std::string identity_of_state(const State& state) {
  Fingerprint result;
  result.add(state.mean());
  result.add(state.force_matrix());
  result.add(static_cast<double>(state.entropy_production()));
  return "state " + std::to_string(result.value());
}

}  // namespace detail

/// The estimators of `measure`: for `run_chains`, alone or together with others. σ is that of Eq.
/// 27, or with a memory that of the path of θ (`MomentumEntropy`), whose ⟨σ⟩ `predict` has;
/// Nesterov's momentum, and epochs where θ alone is no Markov chain, have none.
template <class Scalar = double>
class StationaryEstimator {
 public:
  /// `batch_length` in Markov steps; `stride` as in `MeasureSettings`. Throws
  /// `std::invalid_argument` for a stride that does not divide `block_steps`.
  template <HasEntropyForce State>
  StationaryEstimator(const State& state, const std::vector<int>& lengths,
                      std::int64_t batch_length, Eigen::Index stride = 1)
      : StationaryEstimator(detail::converted<Scalar>(state.force_matrix()),
                            static_cast<double>(state.entropy_production()),
                            detail::has_memory(state) ? std::vector<int>{} : lengths, batch_length,
                            stride) {
    if constexpr (StatesMemory<State>)
      if (state.has_memory() && state.has_path_entropy())
        take_path(detail::converted<Scalar>(state.inverse_diffusion()),
                  detail::converted<Scalar>(state.relaxation()), state.update(),
                  static_cast<double>(state.entropy_production()), lengths);
  }

  /// From F of D⁻¹v^s = Fδθ, N × N, and the expected ⟨σ⟩ per step.
  StationaryEstimator(const DynamicMatrix<Scalar>& force, double entropy_production,
                      const std::vector<int>& lengths, std::int64_t batch_length,
                      Eigen::Index stride);

  template <class S>
  void add(const TrajectoryBlock<S>& block) {
    if (stride_ > 1) return add_thinned(block);
    moments_.add(block);
    area_.add(block);
    add_entropy(block);
  }

  /// The chain has ended: what is held back is added.
  void finish();

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

  void merge(const StationaryEstimator& other) {
    moments_.merge(other.moments_);
    area_.merge(other.area_);
    entropy_.merge(other.entropy_);
    if (path_) path_->merge(*other.path_);
  }

  /// What was measured so far.
  Measurement result() const;

 private:
  using Vector = DynamicVector<Scalar>;
  using Coarse = TrajectoryBlock<Scalar>;

  static Eigen::Index checked(Eigen::Index stride) {
    if (stride < 1 || block_steps % stride != 0)
      detail::invalid("measure", "stride must divide ", block_steps, ", but is ", stride);
    return stride;
  }

  template <class S>
  void add_thinned(const TrajectoryBlock<S>& block);

  template <class S>
  void add_entropy(const TrajectoryBlock<S>& block) {
    entropy_.add(block);
    if (path_) path_->add(block);
  }
  void interrupt_entropy() {
    entropy_.interrupt();
    if (path_) path_->interrupt();
  }
  void take_path(const DynamicMatrix<Scalar>& inverse_diffusion,
                 const DynamicMatrix<Scalar>& relaxation, const LinearUpdate& update,
                 double entropy_production, const std::vector<int>& lengths);

  Eigen::Index stride_;
  Moments<Scalar> moments_;
  Area<Scalar> area_;
  EntropyProduction<Scalar> entropy_;
  std::optional<MomentumEntropy<Scalar>> path_;  // of steps with a memory
  std::int64_t blocks_ = 0;
  Eigen::Index held_ = 0;         // states not yet added
  DynamicMatrix<Scalar> states_;  // a state in a row
  Vector reference_;
};

/// As `measure`, with further estimators that see the same trajectories: returns the measurement
/// and then each of `estimators`, filled.
///
///   auto [measured, histogram] = ness::measure_with(objective, training, predicted, settings,
///                                                   ness::Histogram2d(0, axis, 1, axis));
template <class M, class R, IsTraining T, HasEntropyForce State, class... Estimators>
std::tuple<Measurement, Estimators...> measure_with(const Objective<M, R>& objective,
                                                    const T& training, const State& state,
                                                    const MeasureSettings& settings,
                                                    const Estimators&... estimators) {
  training.check(objective.samples(), "measure");
  settings.run.check("measure");
  const Index per_step =
      settings.run.every_update ? 1 : training.updates_per_markov_step(objective.samples());
  const std::int64_t length =
      batch_length(settings.run.steps / per_step, settings.run.chains, settings.batches);
  // A run that is continued from a checkpoint has its first updates behind it.
  std::int64_t first = -1;
  std::int64_t now = 0;
  RunSettings run = settings.run;
  std::string& identity = run.checkpoint.identity;
  if (!identity.empty()) identity += "; ";
  identity += detail::identity_of_state(state) + ", " + settings.description();
  run.progress = [&](std::int64_t done, std::int64_t all) {
    if (first < 0) first = done;
    now = done;
    if (settings.run.progress) settings.run.progress(done, all);
  };
  const auto start = std::chrono::steady_clock::now();
  // The chain may be in another precision than the prediction.
  const DynamicVector<scalar_t<M>> mean = detail::converted<scalar_t<M>>(state.mean());
  auto filled = run_chains(
      run,
      [&](int k) {
        return Chain(objective, training, mean,
                     Philox(settings.run.seed, static_cast<std::uint64_t>(k)));
      },
      mean, StationaryEstimator<>(state, settings.lengths, length, settings.stride), estimators...);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  const double updates = static_cast<double>(std::max<std::int64_t>(1, now - first));
  return std::apply(
      [&](auto& stationary, auto&... others) {
        auto result = stationary.result();
        result.seconds_per_step = detail::from_first_rank(run.ranks, elapsed.count() / updates);
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
template <class M, class R, IsTraining T, HasEntropyForce State>
Measurement measure(const Objective<M, R>& objective, const T& training, const State& state,
                    const MeasureSettings& settings) {
  return std::get<0>(measure_with(objective, training, state, settings));
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library
namespace ness {

template <class Scalar>
StationaryEstimator<Scalar>::StationaryEstimator(const DynamicMatrix<Scalar>& force,
                                                 double entropy_production,
                                                 const std::vector<int>& lengths,
                                                 std::int64_t batch_length, Eigen::Index stride)
    : stride_(checked(stride)),
      moments_(force.rows(), detail::states_per_batch(batch_length, stride, "measure")),
      area_(force.rows(), moments_.batch_length()),
      entropy_(force, lengths, moments_.batch_length(),
               entropy_axis(entropy_production, lengths).upper),
      reference_(Vector::Zero(force.rows())) {
  if (stride > 1) states_.setZero(block_steps + 1, force.rows());
}

// Beside 2⟨σ⟩ the variance of σ has that of what is left at its ends, about N.
template <class Scalar>
void StationaryEstimator<Scalar>::take_path(const DynamicMatrix<Scalar>& inverse_diffusion,
                                            const DynamicMatrix<Scalar>& relaxation,
                                            const LinearUpdate& update, double entropy_production,
                                            const std::vector<int>& lengths) {
  const double ends = 10 * std::sqrt(static_cast<double>(relaxation.rows()));
  path_.emplace(inverse_diffusion, relaxation, update, lengths, moments_.batch_length(),
                entropy_axis(entropy_production, lengths).upper + ends);
}

template <class Scalar>
void StationaryEstimator<Scalar>::finish() {
  if (held_ > 1) {
    Coarse coarse(reference_, reference_, held_ - 1);
    coarse.assign(states_.topRows(held_));
    moments_.add(coarse);
    area_.add(coarse);
  }
  held_ = 0;
}

// Every stride-th state, until there are enough of them for a matrix product to pay.
template <class Scalar>
template <class S>
void StationaryEstimator<Scalar>::add_thinned(const TrajectoryBlock<S>& block) {
  reference_ = detail::converted<Scalar>(block.reference());
  const Eigen::Index count = block.steps() / stride_;
  if (held_ + count > states_.rows()) {
    const Eigen::Index last = held_ - 1;
    finish();
    for (Eigen::Index i = 0; i < states_.cols(); ++i) states_(0, i) = states_(last, i);
    held_ = 1;
  }
  for (Eigen::Index i = 0; i < states_.cols(); ++i)
    for (Eigen::Index k = 0; k < count; ++k)
      states_(held_ + k, i) = static_cast<Scalar>(block.deviation(k * stride_, i));
  held_ += count;
  if (blocks_++ % stride_ != 0) return;
  interrupt_entropy();
  add_entropy(block);
}

template <class Scalar>
Measurement StationaryEstimator<Scalar>::result() const {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const Estimate<double> not_measured{nan, nan};
  Measurement result{.mean = moments_.mean(),
                     .covariance = moments_.covariance(),
                     .circulation = area_.circulation(),
                     .entropy_production = not_measured,
                     .trajectories = path_ ? path_->results() : entropy_.results(),
                     .autocorrelation_time = moments_.autocorrelation_time(),
                     .markov_steps = moments_.steps() * stride_,
                     .batch_length = moments_.batch_length() * stride_,
                     .stride = stride_};
  if (stride_ > 1) {
    const auto stride = static_cast<double>(stride_);
    result.circulation.value /= stride;
    result.circulation.standard_error /= stride;
    result.autocorrelation_time *= stride;
  }
  if (!result.trajectories.empty())
    result.entropy_production = result.trajectories.front().entropy_production;
  return result;
}

template <class Scalar>
template <class Archive>
void StationaryEstimator<Scalar>::serialize(Archive& archive) {
  archive(moments_, area_, entropy_, blocks_, held_, states_, reference_);
  if (path_) archive(*path_);
}

}  // namespace ness
#endif
