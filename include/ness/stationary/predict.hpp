// From an objective, its minimum and a way of training to the stationary state.
#pragma once

#include "ness/diffusion/with_replacement.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// The stationary state that training settles into near `minimum` (Sec. 3.3): H₀ from the minimum,
/// D₀ from the minibatch policy (Eq. 14), Σ and C from the Lyapunov equation (Eqs. 21–25), per
/// Markov step.
///
///   const auto predicted = ness::predict(objective, minimum, training);
///
/// Leading order in η; `LyapunovForm::discrete` keeps all orders in ηh for constant D. Throws
/// `std::invalid_argument` for settings that do not fit, a minimum that did not converge or is
/// none, and an unstable η.
template <class M, class R, class B, class Noise, class Correction>
StationaryState<matrix_t<M>> predict(const Objective<M, R>& objective,
                                     const Minimum<vector_t<M>, matrix_t<M>>& minimum,
                                     const Training<B, Noise, Correction>& training,
                                     const StationarySettings& settings = {}) {
  static_assert(
      requires { diffusion(objective, minimum.theta, training); },
      "ness: no diffusion matrix is known for this training: include the header of its "
      "minibatch policy from ness/diffusion, or use another policy");
  training.check(objective.samples(), "predict");
  if (minimum.status == MinimumStatus::not_converged)
    detail::invalid("predict", "minimum must be converged, but |gradient| is ",
                    minimum.gradient_norm, " after ", minimum.iterations,
                    " iterations: raise max_iterations or start elsewhere");
  if (minimum.status == MinimumStatus::not_a_minimum)
    detail::invalid("predict",
                    "the Hessian must be positive definite at the minimum, but its "
                    "smallest eigenvalue is ",
                    minimum.hessian_eigenvalues[0], ": start elsewhere, or add a regularizer");
  return StationaryState<matrix_t<M>>(minimum.theta, minimum.hessian,
                                      diffusion(objective, minimum.theta, training),
                                      training.learning_rate, settings);
}

}  // namespace ness
