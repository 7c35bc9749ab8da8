// From an objective, its minimum and a way of training to the stationary state.
#pragma once

#include <utility>

#include "ness/diffusion/earthquake.hpp"
#include "ness/diffusion/langevin.hpp"
#include "ness/diffusion/with_replacement.hpp"
#include "ness/diffusion/without_replacement.hpp"
#include "ness/landscape/effective_landscape.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/stationary/epoch_map.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// To which order in ηn‖H‖ epochs without replacement are predicted.
enum class EpochOrder {
  leading,  ///< θ̂₀, the Hessian of 𝓛̂ and D̂ of Appendix B: within a relative ηn h_max or so
  all       ///< `sample_epoch_map`: for tens of parameters
};

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

struct PredictSettings {
  LyapunovForm form = LyapunovForm::continuous;  ///< `EpochOrder::all` is discrete in any case
  /// Eigenvalues of D and Σ below this times the largest count as zero; 0 stands for N · ε.
  double rank_tolerance = 0;
  // Without replacement:
  EpochOrder epoch_order = EpochOrder::leading;
  EpochNoise epoch_noise = EpochNoise::exact;
  EpochHessian epoch_hessian = EpochHessian::leading;
  EpochMapSettings epoch_map = {};  ///< for `EpochOrder::all`
};

namespace detail {

/// Refuses what is known of epochs without injected noise alone.
template <InjectedNoise Noise>
void check_epochs_with_noise(const PredictSettings& settings) {
  if (settings.epoch_order == EpochOrder::all)
    invalid("predict",
            "epoch_order must be leading where noise is injected, but is all: "
            "exact_posterior_error has all orders");
  if (settings.form == LyapunovForm::discrete && !Noise::injection.once_a_markov_step)
    invalid("predict",
            "form must be continuous where noise is injected after each update of an epoch, but is "
            "discrete: exact_posterior_error has the errors of finite steps");
}

template <class M, class R, class Noise, class Correction>
StationaryState<matrix_t<M>> predict_epochs(
    const Objective<M, R>& objective, const Minimum<vector_t<M>, matrix_t<M>>& minimum,
    const Training<WithoutReplacement, Noise, Correction>& training,
    const PredictSettings& settings) {
  if constexpr (InjectedNoise<Noise>) check_epochs_with_noise<Noise>(settings);
  const auto effective = effective_minimum(objective, minimum, training);
  if (effective.status != MinimumStatus::converged) {
    const double n = static_cast<double>(objective.samples()) /
                     static_cast<double>(training.minibatch.batch_size);
    invalid(
        "predict", "the effective landscape has no minimum near that of the objective (status '",
        to_string(effective.status), "'): learning_rate * n * h_max must be small, but is ",
        training.learning_rate * n * static_cast<double>(minimum.hessian_eigenvalues.maxCoeff()),
        ": lower learning_rate, or raise batch_size");
  }
  const Sgd<WithoutReplacement> sampling = without_noise(training);
  if (settings.epoch_order == EpochOrder::all) {
    EpochMapSettings map = settings.epoch_map;
    map.rank_tolerance = settings.rank_tolerance;
    return sample_epoch_map(objective, effective.theta, sampling, map).state;
  }
  using Scalar = scalar_t<M>;
  const auto n = static_cast<Scalar>(objective.samples() / training.minibatch.batch_size);
  matrix_t<M> d = diffusion(objective, effective.theta, sampling, settings.epoch_noise);
  d.diagonal().array() += static_cast<Scalar>(injected_diffusion(training, objective.samples()));
  // The errors that cancel against those of the Hessian of 𝓛̂ are in D̂, not in injected noise.
  const bool leading = settings.epoch_hessian == EpochHessian::leading && !InjectedNoise<Noise>;
  return StationaryState<matrix_t<M>>(
      effective.theta, leading ? matrix_t<M>(n * minimum.hessian) : effective.hessian, std::move(d),
      training.learning_rate, {.form = settings.form, .rank_tolerance = settings.rank_tolerance});
}

}  // namespace detail

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
/// Leading order in η; `LyapunovForm::discrete` keeps all orders in ηh for constant D,
/// `EpochOrder::all` those in ηn‖H‖. Throws `std::invalid_argument` for settings that do not fit, a
/// minimum that did not converge or is none, and an unstable η.
template <class M, class R, class B, class Noise, class Correction>
StationaryState<matrix_t<M>> predict(const Objective<M, R>& objective,
                                     const Minimum<vector_t<M>, matrix_t<M>>& minimum,
                                     const Training<B, Noise, Correction>& training,
                                     const PredictSettings& settings = {}) {
  static_assert(
      requires { diffusion(objective, minimum.theta, training); },
      "ness: no diffusion matrix is known for this training: include the header of its "
      "minibatch policy from ness/diffusion, or use another policy");
  training.check(objective.samples(), "predict");
  detail::require_minimum(minimum, "predict");
  if constexpr (std::is_same_v<B, WithoutReplacement>) {
    return detail::predict_epochs(objective, minimum, training, settings);
  } else {
    matrix_t<M> d = diffusion(objective, minimum.theta, training);
    if constexpr (InjectedNoise<Noise>)
      if (settings.form == LyapunovForm::discrete)
        d -= missing_diffusion(training, minimum.hessian);
    StationaryState<matrix_t<M>> state(
        minimum.theta, minimum.hessian, std::move(d), training.learning_rate,
        {.form = settings.form, .rank_tolerance = settings.rank_tolerance});
    state.mobility = mobility(objective, minimum.theta, training);
    return state;
  }
}

}  // namespace ness
