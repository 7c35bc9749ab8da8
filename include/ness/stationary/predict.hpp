// From an objective, its minimum and a way of training to the stationary state.
#pragma once

#include <utility>

#include "ness/diffusion/earthquake.hpp"
#include "ness/diffusion/epochs.hpp"
#include "ness/diffusion/independent_batches.hpp"
#include "ness/diffusion/mobility.hpp"
#include "ness/landscape/effective_landscape.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/stationary/adaptive.hpp"
#include "ness/stationary/additive_epochs.hpp"
#include "ness/stationary/epoch_map.hpp"
#include "ness/stationary/linear_chain.hpp"
#include "ness/stationary/mean_shift.hpp"
#include "ness/stationary/momentum.hpp"
#include "ness/stationary/sampled_epochs.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// To which order in ηn‖H‖ epochs without replacement are predicted.
enum class EpochOrder {
  leading,  ///< θ̂₀, the Hessian of 𝓛̂ and D̂ of Appendix B: within a relative ηn h_max or so
  additive,  ///< `additive_epochs`: all orders, any N and momentum, one Hessian for all batches
  combined,  ///< additive, and what batches that differ in curvature add, of Appendix B
  all        ///< `sample_epoch_map` and `sample_epochs`: any momentum, for tens of parameters
};

constexpr std::string_view to_string(EpochOrder order) {
  switch (order) {
    case EpochOrder::leading:
      return "leading";
    case EpochOrder::additive:
      return "additive";
    case EpochOrder::combined:
      return "combined";
    case EpochOrder::all:
      return "all";
  }
  return "";
}

/// The drift of epochs without replacement, in the leading order.
///
/// The drift and D̂ both have corrections of relative order ηn h. With nH₀ and the continuous form
/// they cancel in Σ̂: in one dimension, with z = ηn h, D̂ ∝ z²(1 − z + …) and 1 − A² = 2z(1 − z + …),
/// which leaves Σ̂ right to a relative z²/10. The Hessian of 𝓛̂, the better drift by itself, keeps
/// half of one of them: on the paper's network Σ̂ is off by 2 %, with nH₀ by 0.4 %.
enum class EpochHessian {
  effective,  ///< the Hessian of 𝓛̂ at θ̂₀
  leading     ///< nH₀
};

/// How epochs are predicted.
struct EpochSettings {
  EpochOrder order = EpochOrder::leading;        ///< how far in ηnh
  EpochNoise noise = EpochNoise::exact;          ///< how much of D̂
  EpochHessian hessian = EpochHessian::leading;  ///< of the drift of an epoch
  EpochPhase phase = EpochPhase::end;            ///< of `additive`, and of `all` with a memory
  EpochMapSettings map = {};                     ///< for `EpochOrder::all`
};

/// What is followed beyond the leading order.
struct PredictSettings {
  LyapunovForm form = LyapunovForm::continuous;  ///< epochs beyond the leading order are discrete
  /// Eigenvalues of D and Σ, scaled to a unit diagonal, below this times the largest count as zero;
  /// 0 stands for N · ε.
  double rank_tolerance = 0;
  /// The mean to the next order, `mean_shift`, which costs 2N gradients: v^s, the density and what
  /// `measure` takes deviations from are about it.
  bool mean_shift = false;
  EpochSettings epochs = {};  ///< of trainings whose Markov step is an epoch
};

namespace detail {

/// Refuses an η beyond stability, in terms of what the user gave.
template <class Scalar>
void require_stable(double learning_rate, const LinearUpdate& update,
                    const DynamicVector<Scalar>& hessian_eigenvalues) {
  const auto largest = static_cast<double>(hessian_eigenvalues[hessian_eigenvalues.size() - 1]);
  const double most = largest_stable_rate(update);
  if (!(learning_rate * largest < most))
    invalid("predict", "learning_rate must be below ", most, " / h_max = ", most / largest,
            " for a stationary state, but is ", learning_rate);
}

/// Refuses what is known of epochs without injected noise alone.
template <IsSampler T>
void check_epochs_with_noise(const PredictSettings& settings) {
  if (settings.epochs.order != EpochOrder::leading)
    invalid("predict", "epochs.order must be leading where noise is injected, but is ",
            to_string(settings.epochs.order), ": exact_posterior_error has all orders");
  if (settings.form == LyapunovForm::discrete && !T::Noise::injection.once_a_markov_step)
    invalid("predict",
            "form must be continuous where noise is injected after each update of an epoch, but is "
            "discrete: exact_posterior_error has the errors of finite steps");
}

template <class Scalar>
void require_effective_minimum(const Minimum<Scalar>& effective, double learning_rate, Index n,
                               const Minimum<Scalar>& minimum) {
  if (effective.status == MinimumStatus::converged) return;
  invalid("predict", "the effective landscape has no minimum near that of the objective (status '",
          to_string(effective.status), "'): learning_rate * n * h_max must be small, but is ",
          learning_rate * static_cast<double>(n) *
              static_cast<double>(minimum.hessian_eigenvalues[minimum.theta.size() - 1]),
          ": lower learning_rate, or raise batch_size");
}

/// Refuses a memory and other batches where it is not known what they do.
template <DrawsEpochs T>
void check_epoch_update(const T& training, const EpochSettings& settings) {
  // These are compiled with `sample_epoch_map` alone, of the end.
  constexpr bool plain = DrawsOrders<T> && Forgets<T>;
  if (settings.order == EpochOrder::additive) return;
  if (settings.order == EpochOrder::all && !plain) return;
  if (settings.phase != EpochPhase::end)
    invalid("predict", "epochs.phase must be end where epochs.order is not additive but ",
            to_string(settings.order),
            ": sample_epochs(objective, theta, training, phase) has the phases");
  const LinearUpdate update = training.update.linear();
  if (DrawsOrders<T> && update.forgets() && update.of_gradient() == 1) return;
  invalid("predict", "epochs.order must be additive or all for ", training.minibatch.description(),
          " and ", training.update.description(), ", but is ", to_string(settings.order));
}

/// The order `all` of any epochs, about `theta`.
template <class M, class R, DrawsEpochs T>
LinearChain<scalar_t<M>> linearize_sampled(const Objective<M, R>& objective,
                                           const DynamicVector<scalar_t<M>>& theta,
                                           const DynamicVector<scalar_t<M>>& offset,
                                           const T& training, const EpochSettings& settings) {
  if constexpr (TwiceDifferentiable<M>) {
    auto chain = sample_epochs(objective, theta, training, settings.phase, settings.map).chain;
    chain.offset = offset;
    return chain;
  } else {
    invalid("predict",
            "epochs.order must be additive where the model has no second derivatives, but is ",
            to_string(settings.order),
            ": make sample_loss generic, or give the model `sample_hessian_products`");
  }
}

/// How far θ has moved by a gradient of its epoch, on average over the later updates that see it,
/// in units of η: 1 of plain updates.
inline double mean_response(const LinearUpdate& update, Index batches) {
  const double memory = update.momentum * update.buffered * update.gain / (1 - update.momentum);
  double sum = 0, count = 0, left = memory;
  for (Index lag = 1; lag < batches; ++lag, left *= update.momentum) {
    const auto pairs = static_cast<double>(batches - lag);
    sum += pairs * (update.speed() - left);
    count += pairs;
  }
  return count > 0 ? sum / count : 1;
}

/// D̂ of an epoch, `d`, less what it has of additive noise, (η²n²(n+1)/12) H D H, D of an `update`.
template <class Scalar>
DynamicMatrix<Scalar> without_additive(DynamicMatrix<Scalar> d,
                                       const DynamicMatrix<Scalar>& hessian,
                                       const DynamicMatrix<Scalar>& update, double eta, double n) {
  add_scaled(d, static_cast<Scalar>(-eta * eta * n * n * (n + 1) / 12), sandwich(hessian, update));
  return d;
}

/// D̂ of Appendix B less what it has of additive noise, (η²n²(n+1)/12) H D H: what remains is of
/// leading order in ηnh. To damp it as an epoch relaxes, by (1 − (1 − x)ⁿ)/(nx) on either side, is
/// worse against every partition of a few samples, by a factor of 1.4 to 1.7 in Σ̂.
template <class M, class R, DrawsOrders T>
DynamicMatrix<scalar_t<M>> diffusion_of_curvature(const Objective<M, R>& objective,
                                                  const vector_t<M>& theta, const T& training,
                                                  const DynamicMatrix<scalar_t<M>>& hessian,
                                                  const DynamicMatrix<scalar_t<M>>& update) {
  using Scalar = scalar_t<M>;
  const auto n = static_cast<double>(training.updates_per_markov_step(objective.samples()));
  return without_additive<Scalar>(diffusion(objective, theta, training, EpochNoise::exact), hessian,
                                  update, training.learning_rate, n);
}

/// θ̂₀ of updates with a memory: what moves the mean is how far the last gradients have moved θ when
/// the next is taken.
template <class M, class R, DrawsOrders T>
Minimum<scalar_t<M>> effective_minimum_of_updates(const Objective<M, R>& objective,
                                                  const Minimum<scalar_t<M>>& minimum, T training) {
  const Index n = training.updates_per_markov_step(objective.samples());
  training.learning_rate *= mean_response(training.update.linear(), n);
  // |∇𝓛|² in δ𝓛 is the second order of 1 − (1 − ηH)ⁿ, of which all orders are had here.
  auto effective = effective_minimum(objective, minimum, training, {.discretization = 0});
  require_effective_minimum(effective, training.learning_rate, n, minimum);
  return effective;
}

/// The orders of which additive noise is the first part: `additive`, `combined`, and `all` where
/// there is no `sample_epoch_map`.
template <class M, class R, DrawsOrders T>
  requires(!IsSampler<T>)
LinearChain<scalar_t<M>> linearize_additive(const Objective<M, R>& objective,
                                            const Minimum<scalar_t<M>>& minimum, const T& training,
                                            const EpochSettings& settings) {
  using Matrix = DynamicMatrix<scalar_t<M>>;
  const LinearUpdate update = training.update.linear();
  const EpochCorrelation correlation = training.minibatch.epoch_correlation(objective.samples());
  const auto effective = effective_minimum_of_updates(objective, minimum, training);
  if constexpr (!Forgets<T>)
    if (settings.order == EpochOrder::all)
      return linearize_sampled(objective, effective.theta, effective.offset, training, settings);
  const Matrix d = update_diffusion(objective, effective.theta, training);
  const Matrix hessian = objective.hessian(effective.theta);
  Matrix more;
  if (settings.order == EpochOrder::combined && correlation.batches > 1)
    more = diffusion_of_curvature(objective, effective.theta, training, hessian, d);
  auto chain = additive_epochs<scalar_t<M>>(effective.theta, hessian, d, training.learning_rate,
                                            update, correlation, settings.phase, more);
  chain.offset = effective.offset;
  return chain;
}

/// Epochs of other batches, about the minimum.
template <class M, class R, DrawsEpochs T>
LinearChain<scalar_t<M>> linearize_other_epochs(const Objective<M, R>& objective,
                                                const Minimum<scalar_t<M>>& minimum,
                                                const T& training, const EpochSettings& settings) {
  if (settings.order == EpochOrder::all)
    return linearize_sampled(objective, minimum.theta, minimum.offset, training, settings);
  const DynamicMatrix<scalar_t<M>> d = update_diffusion(objective, minimum.theta, training);
  const EpochCorrelation correlation = training.minibatch.epoch_correlation(objective.samples());
  const LinearUpdate update = training.update.linear();
  LinearChain<scalar_t<M>> chain;
  if (correlation.batches == 1) {  // an epoch is an update
    chain = linear_chain(minimum.theta, minimum.hessian, d, training.learning_rate,
                         LyapunovForm::discrete);
    remember(update, chain);
  } else {
    chain = additive_epochs(minimum.theta, minimum.hessian, d, training.learning_rate, update,
                            correlation, settings.phase);
  }
  chain.offset = minimum.offset;
  return chain;
}

/// Are these epochs predicted to leading order, or by `sample_epoch_map`?
template <DrawsOrders T>
bool has_order_map(EpochOrder order) {
  return order == EpochOrder::leading || (order == EpochOrder::all && Forgets<T>);
}

template <class M, class R, DrawsOrders T>
LinearChain<scalar_t<M>> linearize_epochs(const Objective<M, R>& objective,
                                          const Minimum<scalar_t<M>>& minimum, const T& training,
                                          const PredictSettings& settings) {
  using Scalar = scalar_t<M>;
  using Matrix = DynamicMatrix<Scalar>;
  if constexpr (IsSampler<T>) {
    check_epochs_with_noise<T>(settings);
  } else if (!has_order_map<T>(settings.epochs.order)) {
    return linearize_additive(objective, minimum, training, settings.epochs);
  }
  const Index updates = training.updates_per_markov_step(objective.samples());
  const auto effective = effective_minimum(objective, minimum, training);
  require_effective_minimum(effective, training.learning_rate, updates, minimum);
  if constexpr (!IsSampler<T> && Forgets<T>)
    if (settings.epochs.order == EpochOrder::all) {
      auto chain =
          sample_epoch_map(objective, effective.theta, without_noise(training), settings.epochs.map)
              .chain;
      chain.offset = effective.offset;
      return chain;
    }
  const Matrix d = diffusion(objective, effective.theta, training, settings.epochs.noise);
  // The errors that cancel against those of the Hessian of 𝓛̂ are in D̂, not in injected noise.
  const bool leading = settings.epochs.hessian == EpochHessian::leading && !IsSampler<T>;
  const Matrix hessian =
      leading ? Matrix(static_cast<Scalar>(updates) * minimum.hessian) : effective.hessian;
  auto chain = linear_chain(effective.theta, hessian, d, training.learning_rate, settings.form);
  chain.step = MarkovStep::epoch;
  chain.offset = effective.offset;
  return chain;
}

/// Adam and its like. Where weights decay each place is a minimum of 𝓛 + ½λθᵀdiag(√v + ε)θ.
template <class M, class R, DrawsIndependently T>
LinearChain<scalar_t<M>> linearize_adaptive(const Objective<M, R>& objective,
                                            const Minimum<scalar_t<M>>& minimum,
                                            const T& training) {
  using Scalar = scalar_t<M>;
  using Vector = DynamicVector<Scalar>;
  const Adaptive update = training.update.adaptive();
  const auto decay = static_cast<Scalar>(update.decay);
  AdaptivePlace<Scalar> start{minimum.theta, {}, minimum.hessian, {}};
  start.diffusion = diffusion(objective, minimum.theta, training);
  Vector offset = minimum.offset;
  Vector from = minimum.theta;
  const AdaptivePlaces<Scalar> place_of = [&](const Vector& denominators) {
    auto landscape = landscape_functions(objective);
    const auto pull = [&](const Vector& theta) -> Vector {
      return decay * denominators.cwiseProduct(theta);
    };
    landscape.value = [&](const Vector& theta) {
      return objective.value(theta) + pull(theta).dot(theta) / 2;
    };
    landscape.gradient = [&](const Vector& theta) -> Vector {
      return objective.gradient(theta) + pull(theta);
    };
    landscape.hessian = [&](const Vector& theta) {
      DynamicMatrix<Scalar> hessian = objective.hessian(theta);
      hessian.diagonal() += decay * denominators;
      return hessian;
    };
    const Minimum<Scalar> held = minimize(landscape, from, MinimizeSettings{});
    require_minimum(held, "predict");
    offset = held.offset;
    from = held.theta;
    AdaptivePlace<Scalar> place{held.theta, -pull(held.theta), held.hessian, {}};
    place.hessian.diagonal() -= decay * denominators;
    place.diffusion = diffusion(objective, held.theta, training);
    return place;
  };
  auto chain = adaptive_chain(std::move(start), place_of, training.learning_rate, update);
  chain.offset = offset;
  return chain;
}

}  // namespace detail

/// The linear chain that training is near `minimum`: what `predict` makes its state from.
/// Arguments, cost and errors are those of `predict`.
template <class M, class R, IsTraining T>
LinearChain<scalar_t<M>> linearize(const Objective<M, R>& objective,
                                   const Minimum<scalar_t<M>>& minimum, const T& training,
                                   const PredictSettings& settings = {}) {
  constexpr bool adapts = AdaptivelyUpdates<typename T::Update>;
  static_assert(LinearlyUpdates<typename T::Update> || adapts,
                "ness: the stationary state is known of updates that state `linear()`: Plain, "
                "HeavyBall, Nesterov, QuasiHyperbolic, or `adaptive()`: Adaptive; that of kinetic "
                "samplers is in exact_posterior_error");
  static_assert(!adapts || (DrawsIndependently<T> && SilentNoise<typename T::Noise>),
                "ness: the stationary state of adaptive updates is known of batches that are drawn "
                "independently, and of no other noise: use ness::WithReplacement, or another "
                "update");
  static_assert(!IsSampler<T> || Forgets<T>,
                "ness: noise is injected into updates that remember nothing: use ness::Plain");
  static_assert((DrawsEpochs<T> && !DrawsOrders<T> && SilentNoise<typename T::Noise>) ||
                    requires { diffusion(objective, minimum.theta, training); },
                "ness: no diffusion matrix is known for this training: include the header of its "
                "minibatch policy from ness/diffusion, or use another policy");
  training.check(objective.samples(), "predict");
  detail::require_minimum(minimum, "predict");
  if constexpr (!adapts)
    detail::require_stable(training.learning_rate, training.update.linear(),
                           minimum.hessian_eigenvalues);
  if constexpr (adapts) {
    return detail::linearize_adaptive(objective, minimum, training);
  } else if constexpr (DrawsEpochs<T>) {
    detail::check_epoch_update(training, settings.epochs);
    if constexpr (DrawsOrders<T>)
      return detail::linearize_epochs(objective, minimum, training, settings);
    else
      return detail::linearize_other_epochs(objective, minimum, training, settings.epochs);
  } else {
    auto d = diffusion(objective, minimum.theta, training);
    if (settings.form == LyapunovForm::discrete)
      subtract_shared_diffusion(training, minimum.hessian, d);
    auto chain =
        linear_chain(minimum.theta, minimum.hessian, d, training.learning_rate, settings.form);
    chain.offset = minimum.offset;
    chain.mobility = mobility(objective, minimum.theta, training);
    if constexpr (!Forgets<T>) remember(training.update.linear(), chain);
    return chain;
  }
}

/// The stationary state that training settles into near `minimum` (Secs. 3.3, 4.5), per Markov
/// step: drift and D from the training's policies, Σ and C from the Lyapunov equation (Eqs. 21–25).
///
///   const auto predicted = ness::predict(objective, minimum, training);
///
/// With replacement: H₀ of the minimum and D of Eq. 14. Without, per epoch: θ̂₀, nH₀, and D̂ at θ̂₀
/// (Eqs. 16, B18), or what `settings` ask for. Earthquake: H₀, and D and μ of Eq. 33. Samplers:
/// D' and D'' of Eqs. 37 and 38, without replacement with the Hessian of what is left of 𝓛̂; how far
/// that is from the posterior, and D(θ) to second order, is in `predict_posterior_error`.
///
/// Adaptive updates: `adaptive_chain`, for independent batches, about the mean that decay leaves.
/// Updates with a memory: `remember`, for independent batches; epochs of them, and of batches other
/// than WithoutReplacement, by `EpochOrder::additive`.
///
/// Leading order in η; `LyapunovForm::discrete` keeps all orders in ηh for constant D,
/// `EpochOrder::all` those in ηn‖H‖. It is `StationaryState(linearize(…))`. Throws
/// `std::invalid_argument` for settings that do not fit, an unstable η, and where there is no
/// minimum: a search that was stopped early will do if it left less than `most_offset` standard
/// deviations to go. `mean_offset` of the result says how far the minimum may be off.
template <class M, class R, IsTraining T>
StationaryState<scalar_t<M>> predict(const Objective<M, R>& objective,
                                     const Minimum<scalar_t<M>>& minimum, const T& training,
                                     const PredictSettings& settings = {}) {
  const StationaryState<scalar_t<M>> state(linearize(objective, minimum, training, settings),
                                           settings.rank_tolerance);
  if (minimum.status != MinimumStatus::converged)
    detail::require_near_minimum(static_cast<double>(state.mean_offset()), minimum, "predict");
  if (!settings.mean_shift) return state;
  if constexpr (AdaptivelyUpdates<typename T::Update>)
    detail::invalid("predict", "mean_shift must be false for ", training.update.description(),
                    ": it is known of updates that are linear in the gradients");
  if constexpr (DrawsEpochs<T>)
    if (!DrawsOrders<T> || state.has_memory())
      detail::invalid("predict",
                      "mean_shift must be false for these epochs: it is known of the ends of those "
                      "of WithoutReplacement with plain updates");
  return state.about(state.mean() + mean_shift(objective, training, state));
}

}  // namespace ness
