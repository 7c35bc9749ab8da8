// The fluctuation theorems of real minibatches (Eqs. 8, 9): how far from those of Gaussian noise.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "ness/fluctuation/entropy_average.hpp"
#include "ness/fluctuation/random_steps.hpp"
#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/statistics/threads.hpp"

namespace ness {

/// How many states and batches the means are taken over.
struct FluctuationSettings {
  std::vector<int> lengths = {1, 2, 3};  ///< ℓ of the sub-trajectories
  /// Random starts and batches for each length; 0 leaves the ratios out where ⟨e^{−σ}⟩ is exact.
  std::int64_t starts = 50'000;
  /// Random starts for ⟨e^{−σ}⟩ where its mean over the batches of a step is known exactly: few are
  /// enough, and each costs the gradients of all samples.
  std::int64_t exact_starts = 4000;
  int threads = 0;  ///< 0: as many as the machine has; the result does not depend on it
  std::uint64_t seed = 1;

  /// Throws `std::invalid_argument` for a number below its least value; `exact` says whether a step
  /// is known exactly.
  void check(std::string_view function, bool exact) const {
    detail::require(starts >= groups || (starts == 0 && exact), function,
                    exact ? "starts must be 0 or at least 64" : "starts must be at least 64",
                    starts);
    detail::require(exact_starts >= groups, function, "exact_starts must be at least 64",
                    exact_starts);
    detail::require(threads >= 0, function, "threads must not be negative", threads);
    for (const int length : lengths)
      detail::require(length >= 1, function, "every length must be at least 1", length);
  }
  static constexpr int groups = 64;  ///< of starts, for the standard errors
};

/// A training whose ⟨e^{−σ}⟩ of one step is known exactly, given where the step starts.
template <class T>
concept StatesStepFluctuation = DrawsIndependently<T> && SilentNoise<typename T::Noise> &&
                                StatesMeanExponential<typename T::Minibatch>;

/// ⟨e^{−σ}⟩ − 1 of one step from θ, exact over all batches that may be drawn, with σ of Eq. 27
/// about `state`: ⟨exp(ηu·(∇L_B + ∇R))⟩ − 1, u = F(θ − ⟨θ⟩). Of Gaussian noise of constant D, where
/// the force is linear, it is 0 at every θ. Cost: the gradients of all samples, and what the
/// policy's `mean_exponential` does. Throws `std::invalid_argument` for a bad θ or settings.
template <class M, class R, class Theta, StatesStepFluctuation T>
double step_fluctuation(const Objective<M, R>& objective, const Eigen::MatrixBase<Theta>& theta,
                        const T& training, const StationaryState<scalar_t<M>>& state) {
  using Vector = DynamicVector<double>;
  training.check(objective.samples(), "step_fluctuation");
  const vector_t<M> at = objective.point(theta, "step_fluctuation");
  const Vector away = (at - state.mean()).template cast<double>();
  const Vector u = training.learning_rate * (state.force_matrix().template cast<double>() * away);
  Vector along(objective.samples());
  Derivatives<M>(objective.model())
      .for_each_gradient_block(at, [&](Index first, const auto& gradients) {
        for (Index j = 0; j < gradients.cols(); ++j)
          along[first + j] = u.dot(gradients.col(j).template cast<double>());
      });
  const double regular = u.dot(objective.regularizer_gradient(at).template cast<double>());
  return std::expm1(regular) + std::exp(regular) * training.minibatch.mean_exponential(along);
}

namespace detail {

/// A training's Markov steps near a mean, as the averages see them: what does not depend on the
/// model is compiled once.
template <class Scalar>
struct StepFunctions {
  using Vector = DynamicVector<Scalar>;
  /// Δθ of the step from mean + δθ; the same stream is the same random map wherever it is taken.
  std::function<Vector(const Vector& deviation, std::uint64_t stream)> increment;
  /// ⟨e^{−σ}⟩ − 1 of the step from mean + δθ over all batches; empty where that is not known.
  std::function<Scalar(const Vector& deviation)> mean_exponential;
};

/// The averages over starts of covariance Σ, with σ of the force F and ⟨σ⟩ per step.
template <class Scalar>
std::vector<SubTrajectoryPrediction> predict_fluctuations(const StepFunctions<Scalar>& functions,
                                                          const DynamicMatrix<Scalar>& force,
                                                          const DynamicMatrix<Scalar>& covariance,
                                                          Scalar entropy_production,
                                                          const FluctuationSettings& settings);

}  // namespace detail

/// The fluctuation theorems of the minibatches themselves, for σ of Eq. 27 about `state`: ⟨e^{−σ}⟩
/// and 𝒫(−σ)/𝒫(σ) on the bins of `measure`, for each length, with standard errors. For Gaussian
/// noise the first is 1 (`StationaryState::integral_fluctuation`) and the second e^{−σ}; real noise
/// has other cumulants, D changes with θ, and the force is not linear. Take a `state` whose mean is
/// that to the next order: off it ⟨e^{−σ}⟩ is another.
///
/// Starts are drawn from the Gaussian of `state`, batches from the training's policy; then real
/// Markov steps are made. For each, one direction of the start is integrated in closed form, with σ
/// quadratic along it: what is left to chance is some percent of what a trajectory has. Where the
/// policy states `mean_exponential`, ⟨e^{−σ}⟩ is taken from `step_fluctuation`, which leaves less.
/// That the starts are Gaussian leaves out the third cumulant of the state, of the order of the
/// shift of the mean.
///
/// Cost: 4ℓ Markov steps for each start and N² operations; the gradients of all samples for each
/// exact start and step. Throws `std::invalid_argument` for settings that do not fit.
template <class M, class R, IsTraining T>
std::vector<SubTrajectoryPrediction> predict_fluctuations(
    const Objective<M, R>& objective, const T& training, const StationaryState<scalar_t<M>>& state,
    const FluctuationSettings& settings = {}) {
  static_assert(
      Forgets<T>,
      "ness: fluctuations are predicted of updates that remember nothing: use ness::Plain");
  training.check(objective.samples(), "predict_fluctuations");
  settings.check("predict_fluctuations", StatesStepFluctuation<T>);
  using Vector = DynamicVector<double>;
  const Vector mean = state.mean().template cast<double>();
  const detail::RandomSteps<Objective<M, R>, T> steps(objective, training, mean, settings.seed);
  detail::StepFunctions<double> functions{[&](const Vector& deviation, std::uint64_t stream) {
                                            return steps.increment(deviation, stream);
                                          },
                                          {}};
  if constexpr (StatesStepFluctuation<T>)
    functions.mean_exponential = [&](const Vector& deviation) {
      const Vector theta = mean + deviation;
      return step_fluctuation(objective, theta, training, state);
    };
  return detail::predict_fluctuations<double>(
      functions, state.force_matrix().template cast<double>(),
      state.covariance().template cast<double>(), static_cast<double>(state.entropy_production()),
      settings);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include "ness/detail/symmetric_matrices.hpp"

namespace ness::detail {

/// Trajectories from random starts: the starts, the steps, and σ.
template <class Scalar>
class RandomTrajectories {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  RandomTrajectories(const StepFunctions<Scalar>& functions, const Matrix& force,
                     const Matrix& covariance, const FluctuationSettings& settings)
      : functions_(functions),
        force_(force),
        root_(SymmetricEigen<Scalar>(covariance).root()),
        settings_(settings) {}

  /// Calls `work(group, number, normal)` for every start, with normal numbers for it.
  template <class Work>
  void for_each_start(std::int64_t per_group, std::uint64_t kind, const Work& work) const {
    parallel_for(FluctuationSettings::groups, settings_.threads, [&](int group) {
      Philox random(settings_.seed, fluctuation_stream(kind, static_cast<std::uint64_t>(group)));
      Normal normal;
      Vector numbers(root_.rows());
      for (std::int64_t k = 0; k < per_group; ++k) {
        normal.fill(random, numbers);
        work(static_cast<std::size_t>(group), static_cast<std::uint64_t>(group * per_group + k),
             std::as_const(numbers));
      }
    });
  }

  /// σ of a random start and random batches, for all starts on a line through it: along the
  /// direction on which σ depends most, ΣFᵀ of the displacement that the batches make of the mean.
  EntropyOnLine<Scalar> entropy_on_line(const Vector& normal, int length,
                                        std::uint64_t stream) const {
    Vector whole = Vector::Zero(normal.size());
    Scalar vanishing(0);
    const Vector origin = whole;
    for (int k = 0; k < length; ++k) {
      const Vector change = functions_.increment(origin, stream + static_cast<std::uint64_t>(k));
      // What one step leads to, the next feels: a large part of σ. Steps are independent and, from
      // the mean, 0 on average (to what is left of the drift there, squared).
      vanishing += (force_ * whole).dot(change);
      whole += change;
    }
    Vector direction = root_.transpose() * (force_.transpose() * whole);
    const Scalar norm = direction.norm();
    if (norm > 0) direction /= norm;
    const Vector rest = root_ * (normal - direction * direction.dot(normal));
    const Vector along = root_ * direction;
    return EntropyOnLine<Scalar>::through(entropy(rest - along, length, stream),
                                          entropy(rest, length, stream),
                                          entropy(rest + along, length, stream), vanishing);
  }

  /// ⟨e^{−σ}⟩ − 1 of trajectories of 1 ... `sums.size()` steps from the starts ±δθ, added to
  /// `sums`, by ⟨e^{−σ_1…−σ_ℓ}⟩ − 1 = Σ_{k<ℓ} ⟨W_k (q(θ_k) − 1)⟩, W_k = e^{−σ_1…−σ_k}: of the last
  /// step the exact mean q is known, and q − 1 is small.
  void add_mean_exponentials(const Vector& normal, std::uint64_t stream,
                             std::vector<Scalar>& sums) const {
    const Vector start = root_ * normal;
    for (const Scalar sign : {Scalar(1), Scalar(-1)}) {
      Vector deviation = sign * start;
      Scalar weight(1), sum(0);
      for (std::size_t k = 0; k < sums.size(); ++k) {
        sum += weight * functions_.mean_exponential(deviation);
        sums[k] += sum;
        if (k + 1 < sums.size()) weight *= std::exp(-step(deviation, stream + k));
      }
    }
  }

 private:
  // One step of a trajectory: its σ.
  Scalar step(Vector& deviation, std::uint64_t stream) const {
    const Vector change = functions_.increment(deviation, stream);
    const Vector force = force_ * deviation;
    deviation += change;
    return force.dot(change);
  }
  // σ of `length` steps.
  Scalar entropy(Vector deviation, int length, std::uint64_t stream) const {
    Scalar sum(0);
    for (int k = 0; k < length; ++k) sum += step(deviation, stream + static_cast<std::uint64_t>(k));
    return sum;
  }

  const StepFunctions<Scalar>& functions_;
  const Matrix& force_;
  Matrix root_;
  const FluctuationSettings& settings_;
};

/// ⟨e^{−σ}⟩ of 1 ... `longest` steps, from starts in pairs ±δθ.
template <class Scalar>
std::vector<Estimate<double>> exact_step_averages(const RandomTrajectories<Scalar>& trajectories,
                                                  int longest,
                                                  const FluctuationSettings& settings) {
  const auto length = static_cast<std::size_t>(longest);
  const std::int64_t pairs = (settings.exact_starts / 2 + settings.groups - 1) / settings.groups;
  std::vector<std::vector<Scalar>> sums(settings.groups, std::vector<Scalar>(length));
  trajectories.for_each_start(pairs, 1,
                              [&](std::size_t group, std::uint64_t number, const auto& normal) {
                                trajectories.add_mean_exponentials(
                                    normal, fluctuation_stream(2, number * length), sums[group]);
                              });
  std::vector<Estimate<double>> result;
  for (std::size_t k = 0; k < length; ++k) {
    BatchMeans<Scalar> means(1, 1, 1);
    for (const auto& sum : sums)
      means.add(DynamicMatrix<Scalar>::Constant(1, 1, sum[k] / static_cast<Scalar>(2 * pairs)), 1);
    result.push_back(
        {1 + means.mean()(0, 0), means.standard_error()(0, 0), means.degrees_of_freedom()});
  }
  return result;
}

/// By trajectories from random starts, with a direction of each start integrated.
template <class Scalar>
std::vector<SubTrajectoryPrediction> sample_fluctuations(
    const RandomTrajectories<Scalar>& trajectories, Scalar entropy_production,
    const FluctuationSettings& settings) {
  const Axis axis = entropy_axis(static_cast<double>(entropy_production), settings.lengths);
  const std::int64_t per_group = (settings.starts + settings.groups - 1) / settings.groups;
  std::vector<SubTrajectoryPrediction> result;
  for (const int length : settings.lengths) {
    std::vector<EntropyAverage<Scalar>> groups(settings.groups, EntropyAverage<Scalar>(axis));
    trajectories.for_each_start(
        per_group, 3, [&](std::size_t group, std::uint64_t number, const auto& normal) {
          const auto stream = fluctuation_stream(4, number * static_cast<std::uint64_t>(length));
          groups[group].add(trajectories.entropy_on_line(normal, length, stream));
        });
    result.push_back(prediction_of(length, axis, groups, static_cast<Scalar>(per_group)));
  }
  return result;
}

template <class Scalar>
std::vector<SubTrajectoryPrediction> predict_fluctuations(const StepFunctions<Scalar>& functions,
                                                          const DynamicMatrix<Scalar>& force,
                                                          const DynamicMatrix<Scalar>& covariance,
                                                          Scalar entropy_production,
                                                          const FluctuationSettings& settings) {
  const RandomTrajectories<Scalar> trajectories(functions, force, covariance, settings);
  std::vector<SubTrajectoryPrediction> result;
  if (settings.starts > 0)
    result = sample_fluctuations(trajectories, entropy_production, settings);
  else
    for (const int length : settings.lengths) result.push_back({length, {}});
  if (!functions.mean_exponential) return result;
  int longest = 0;
  for (const int length : settings.lengths) longest = std::max(longest, length);
  const auto exact = exact_step_averages(trajectories, longest, settings);
  for (auto& part : result)
    part.integral_fluctuation = exact[static_cast<std::size_t>(part.length - 1)];
  return result;
}

}  // namespace ness::detail
#endif
