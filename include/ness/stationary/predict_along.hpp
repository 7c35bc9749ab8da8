// The stationary state of training many parameters, along eigenvectors of the Hessian (Sec. 3.3 and
// App. B for those alone; not in the paper).
#pragma once

#include <algorithm>
#include <string_view>

#include "ness/diffusion/epoch_noise_along.hpp"
#include "ness/landscape/eigenpairs.hpp"
#include "ness/landscape/subspace.hpp"
#include "ness/stationary/predict.hpp"

namespace ness {

namespace detail {

inline void check_epochs_along(const PredictSettings& settings) {
  if (settings.epochs.order == EpochOrder::all)
    invalid("predict",
            "epochs.order must be leading, additive or combined along eigenvectors, but is all: "
            "the orders are mixed by all directions");
}

template <class M, class R, DrawsOrders T>
LinearChain<double> linearize_along(const StreamedObjective<M, R>& streamed,
                                    const Minimum<double>& minimum, const Eigenpairs<double>& pairs,
                                    const T& training, const EpochNoiseAlong& noise,
                                    const PredictSettings& settings) {
  using Vector = typename StreamedObjective<M, R>::Vector;
  using Matrix = typename StreamedObjective<M, R>::Matrix;
  check_epochs_along(settings);
  const Index updates = training.updates_per_markov_step(streamed.samples());
  const auto n = static_cast<double>(updates);
  const Minimum<double> few_minimum = in_subspace(minimum, pairs);
  const Matrix& hessian = few_minimum.hessian;
  Vector mean = noise.slope;
  for (Index k = 0; k < mean.size(); ++k) mean[k] /= -n * pairs.values[k];
  if (settings.epochs.order == EpochOrder::leading) {
    auto chain = linear_chain(mean, Matrix(n * hessian), noise.diffusion, training.learning_rate,
                              settings.form);
    chain.step = MarkovStep::epoch;
    chain.offset = few_minimum.offset;
    return chain;
  }
  const LinearUpdate update = training.update.linear();
  mean *= mean_response(update, updates);
  const auto few = in_subspace(streamed.objective(), minimum.theta, pairs.vectors);
  const Matrix d = update_diffusion(few, few_minimum.theta, training);
  Matrix more;
  if (settings.epochs.order == EpochOrder::combined && updates > 1)
    more = without_additive(noise.diffusion, hessian, d, training.learning_rate, n);
  auto chain = additive_epochs<double>(mean, hessian, d, training.learning_rate, update,
                                       training.minibatch.epoch_correlation(streamed.samples()),
                                       settings.epochs.phase, more);
  chain.offset = few_minimum.offset;
  return chain;
}

}  // namespace detail

/// The stationary state of training along K eigenvectors of H = ∂∂𝓛(θ₀), in coordinates w of
/// θ = θ₀ + Qw: what `predict` says of all N parameters, where constant noise decouples them (see
/// `Subspace`), without a matrix of N × N.
///
///   const auto minimum = ness::minimize(streamed, start);
///   const auto pairs = ness::leading_eigenpairs(streamed, minimum.theta, {.count = 20});
///   const auto state = ness::predict(streamed, minimum, pairs, training);
///
/// Epochs without replacement take D̂ and ∇δ𝓛 of all N parameters, `epoch_noise_along`, and are had
/// to leading order, as `additive` noise, or `combined`; that noise can be given, where several
/// trainings differ in momentum alone. Throws `std::invalid_argument` for eigenpairs that have not
/// converged, and as `predict` does; for `EpochOrder::all`, and for `mean_shift`, which is known of
/// all N directions together.
template <class M, class R, IsTraining T>
StationaryState<double> predict(const StreamedObjective<M, R>& streamed,
                                const Minimum<double>& minimum, const Eigenpairs<double>& pairs,
                                const T& training, const PredictSettings& settings = {}) {
  if (settings.mean_shift)
    detail::invalid("predict",
                    "mean_shift must be false along eigenvectors: it is known of all directions");
  if constexpr (DrawsOrders<T> && !IsSampler<T>) {
    detail::check_epochs_along(settings);
    return predict(streamed, minimum, pairs, training,
                   epoch_noise_along(streamed, minimum.theta, pairs.vectors, training), settings);
  } else {
    const auto few = in_subspace(streamed.objective(), minimum.theta, pairs.vectors);
    return predict(few, in_subspace(minimum, pairs), training, settings);
  }
}

/// The same, with `noise` as `epoch_noise_along` gives it for this η and these batches.
template <class M, class R, DrawsOrders T>
  requires(!IsSampler<T>)
StationaryState<double> predict(const StreamedObjective<M, R>& streamed,
                                const Minimum<double>& minimum, const Eigenpairs<double>& pairs,
                                const T& training, const EpochNoiseAlong& noise,
                                const PredictSettings& settings = {}) {
  training.check(streamed.samples(), "predict");
  detail::require_minimum(minimum, "predict");
  detail::check_epoch_update(training, settings.epochs);
  detail::require_size(noise.diffusion, pairs.values.size(), pairs.values.size(), "predict",
                       "noise.diffusion");
  DynamicVector<double> increasing = pairs.values;
  std::reverse(increasing.begin(), increasing.end());
  detail::require_stable(training.learning_rate, training.update.linear(), increasing);
  const StationaryState<double> state(
      detail::linearize_along(streamed, minimum, pairs, training, noise, settings),
      settings.rank_tolerance);
  if (minimum.status != MinimumStatus::converged)
    detail::require_near_minimum(state.mean_offset(), minimum, "predict");
  return state;
}

}  // namespace ness
