// A minimum of the objective: where the stationary state of SGD is centred (Sec. 3.3).
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/landscape/objective.hpp"

namespace ness {

/// How the search for a minimum ended.
enum class MinimumStatus {
  converged,     ///< the gradient cannot be told from its own rounding, H is positive definite
  saddle,        ///< the same, but 𝓛 falls along `direction`, and no step along it was found
  flat,          ///< the same, but the curvature along `direction` cannot be told from 0
  no_minimum,    ///< 𝓛 falls for ever along `direction`
  kink,          ///< the gradient jumps along `direction`, from downhill to uphill
  inconsistent,  ///< 𝓛 does not fall along −∇𝓛: the derivatives are not those of the values
  iteration_limit,  ///< none of these after `max_iterations`
};

constexpr std::string_view to_string(MinimumStatus status) {
  switch (status) {
    case MinimumStatus::converged:
      return "converged";
    case MinimumStatus::saddle:
      return "saddle";
    case MinimumStatus::flat:
      return "flat";
    case MinimumStatus::no_minimum:
      return "no minimum";
    case MinimumStatus::kink:
      return "kink";
    case MinimumStatus::inconsistent:
      return "inconsistent derivatives";
    case MinimumStatus::iteration_limit:
      return "iteration limit";
  }
  return "";
}

/// What `minimize` reached: always its best point, with what is known there.
template <class Scalar = double>
struct [[nodiscard]] Minimum {
  MinimumStatus status = MinimumStatus::iteration_limit;  ///< what it is
  DynamicVector<Scalar> theta;                            ///< θ₀, N
  Scalar value{};                                         ///< 𝓛(θ₀)
  Scalar gradient_norm{};                                 ///< |∇𝓛(θ₀)|
  Scalar gradient_rounding{};  ///< what rounding makes of it, as far as it was measured
  DynamicVector<Scalar> offset;  ///< H₀⁻¹∇𝓛(θ₀), N: how far θ₀ may be off; empty without H₀ > 0
  DynamicVector<Scalar> direction;  ///< of `status`, N, of length 1; empty where it names none
  DynamicMatrix<Scalar> hessian;    ///< H₀ = ∂∂𝓛(θ₀), N × N; empty of many parameters
  DynamicVector<Scalar> hessian_eigenvalues;  ///< increasing; of many parameters the lowest found
  int iterations = 0;                         ///< of the search

  /// What happened, with the figures, and what to do about it.
  std::string explanation() const;
};

/// When a search ends.
struct MinimizeSettings {
  int max_iterations = 500;
  /// Converged when |∇𝓛|, in the norm of H⁻¹, is at most this times its own rounding.
  double tolerance = 16;

  /// Throws `std::invalid_argument` for a negative number of iterations or a tolerance ≤ 0.
  void check(std::string_view function) const {
    detail::require(max_iterations >= 0, function, "max_iterations must not be negative",
                    max_iterations);
    detail::require_positive(tolerance, function, "tolerance");
  }
};

/// A mean that is off by less than this part of a standard deviation is good enough for a theory of
/// the fluctuations about it.
inline constexpr double most_offset = 0.01;

namespace detail {

/// A landscape as the iterations see it: what does not depend on the model is compiled once.
template <class Scalar>
struct LandscapeFunctions {
  using Vector = DynamicVector<Scalar>;
  std::function<Scalar(const Vector&)> value;
  std::function<Vector(const Vector&)> gradient;
  std::function<DynamicMatrix<Scalar>(const Vector&)> hessian;
  Index terms = 1;  ///< that each of these sums
};

/// Downhill from `start` by damped Newton steps: see `ness::minimize`.
template <class Scalar>
Minimum<Scalar> minimize(const LandscapeFunctions<Scalar>& landscape,
                         const DynamicVector<Scalar>& start, const MinimizeSettings& settings);

/// From near a minimum with Newton steps of one Hessian, `curvature`, as long as the gradient
/// shrinks: see `ness::effective_minimum`.
template <class Scalar>
Minimum<Scalar> polish_minimum(const LandscapeFunctions<Scalar>& landscape,
                               const DynamicVector<Scalar>& start,
                               const DynamicMatrix<Scalar>& curvature);

template <class M, class R>
LandscapeFunctions<scalar_t<M>> landscape_functions(const Objective<M, R>& objective) {
  using Theta = DynamicVector<scalar_t<M>>;
  return {
      [&](const Theta& theta) { return objective.value(theta); },
      [&](const Theta& theta) -> Theta { return objective.gradient(theta); },
      [&](const Theta& theta) -> DynamicMatrix<scalar_t<M>> { return objective.hessian(theta); },
      objective.samples()};
}

}  // namespace detail

/// Finds a minimum of 𝓛 downhill from `start`, to a gradient that cannot be told from its own
/// rounding, by Newton steps damped as Marquardt's: (H + τ diag H) p = −∇𝓛, τ raised until a step
/// pays and lowered again. Saddles are left along the direction in which 𝓛 falls.
///
/// That rounding is measured: by how much gradients at points beside θ scatter, beyond what the
/// curvature explains, when θ moves by as little as the step that does not pay (as in estimates of
/// computational noise: Moré & Wild, SIAM J. Sci. Comput. 33, 1292, 2011), or by one unit in its
/// last place. So targets with offsets, exact fits and cancellation inside the model are judged by
/// the same rule. Steps and verdicts do not depend on the units of the parameters.
///
/// Where 𝓛 itself can no longer tell two points apart, a step is judged by the gradient. Which
/// minimum is found depends on the start. Cost: for each iteration a Hessian and a Cholesky
/// factorisation; at the end some 15 gradients and one eigenvalue decomposition. What else than a
/// minimum may be found is in `MinimumStatus`, and `Minimum::explanation` says it in words. Throws
/// `std::invalid_argument` for a start of another size or not finite, derivatives that are not
/// finite, or bad settings.
template <class M, class R, class Theta>
Minimum<scalar_t<M>> minimize(const Objective<M, R>& objective,
                              const Eigen::MatrixBase<Theta>& start,
                              const MinimizeSettings& settings = {}) {
  static_assert(HasCurvature<M>,
                "ness: minimize needs second derivatives: make sample_loss generic, or give your "
                "Model `sample_hessian_products`, `hessian_product` or `hessian`");
  const DynamicVector<scalar_t<M>> from = objective.point(start, "minimize");
  if constexpr (HasCurvature<M>)
    return detail::minimize(detail::landscape_functions(objective), from, settings);
}

namespace detail {

/// Throws `std::invalid_argument` unless it is a minimum, or a point from which one is in sight:
/// how far, is judged by `require_near_minimum`.
template <class Scalar>
void require_minimum(const Minimum<Scalar>& minimum, std::string_view function) {
  const bool in_sight =
      minimum.status == MinimumStatus::iteration_limit && minimum.offset.size() > 0;
  if (minimum.status != MinimumStatus::converged && !in_sight)
    invalid(function, "there must be a minimum, but minimize ended with '",
            to_string(minimum.status), "': ", minimum.explanation());
}

/// Throws `std::invalid_argument` where a search that was stopped early left too much to go, in
/// standard deviations of what is predicted about it.
template <class Scalar>
void require_near_minimum(double offset, const Minimum<Scalar>& minimum,
                          std::string_view function) {
  if (!(offset <= most_offset))
    invalid(function, "the minimum must be known to ", most_offset,
            " standard deviations of the stationary state, but is ", offset,
            " away: ", minimum.explanation());
}

}  // namespace detail
}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library
#include "ness/landscape/damped_newton.hpp"
#endif
