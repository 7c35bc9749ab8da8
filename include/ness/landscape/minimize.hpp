// A minimum of the objective: where the stationary state of SGD is centred (Sec. 3.3).
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "ness/detail/symmetric_eigen.hpp"
#include "ness/landscape/objective.hpp"

namespace ness {

enum class MinimumStatus {
  converged,      ///< gradient at rounding level, Hessian positive definite
  not_converged,  ///< the iteration limit was reached, or no step reduced anything
  not_a_minimum   ///< gradient at rounding level, Hessian not positive definite
};

constexpr std::string_view to_string(MinimumStatus status) {
  switch (status) {
    case MinimumStatus::converged:
      return "converged";
    case MinimumStatus::not_converged:
      return "not converged";
    case MinimumStatus::not_a_minimum:
      return "not a minimum";
  }
  return "";
}

/// What `minimize` reached: always its best point, with what is known there.
template <class Vector, class Matrix>
struct [[nodiscard]] Minimum {
  using Scalar = typename Vector::Scalar;
  MinimumStatus status = MinimumStatus::not_converged;
  Vector theta;                ///< θ₀, N
  Scalar value{};              ///< 𝓛(θ₀)
  Scalar gradient_norm{};      ///< |∇𝓛(θ₀)|
  Scalar gradient_scale{};     ///< Σ_i |V_i| + |∇R|: what cancels in ∇𝓛(θ₀)
  Matrix hessian;              ///< H₀ = ∂∂𝓛(θ₀), N × N
  Vector hessian_eigenvalues;  ///< increasing
  int iterations = 0;
};

struct MinimizeSettings {
  int max_iterations = 500;
  /// Converged when |∇𝓛| ≤ tolerance · ε · gradient_scale, ε the rounding unit of the scalar.
  double tolerance = 16;
};

/// Finds a minimum of 𝓛 downhill from `start`, to a gradient at rounding level, by Newton steps
/// damped as Levenberg's: (H + τ) p = −∇𝓛, τ raised until a step pays and lowered again.
///
/// Where 𝓛 itself can no longer tell two points apart, a step is judged by the gradient. Which
/// minimum is found depends on the start. Cost: for each iteration a Hessian and a Cholesky
/// factorisation; at the end one eigenvalue decomposition. Throws `std::invalid_argument` for a
/// start of another size or not finite, or bad settings.
template <class M, class R>
Minimum<vector_t<M>, matrix_t<M>> minimize(const Objective<M, R>& objective, vector_t<M> start,
                                           const MinimizeSettings& settings = {}) {
  using Scalar = scalar_t<M>;
  static_assert(HasCurvature<M>,
                "ness: minimize needs second derivatives: make sample_loss generic, or give your "
                "Model `sample_hessian_products`, `hessian_product` or `hessian`");
  objective.check(start, "minimize");
  detail::require(settings.max_iterations >= 0, "minimize", "max_iterations must not be negative",
                  settings.max_iterations);
  detail::require_positive(settings.tolerance, "minimize", "tolerance");
  constexpr Scalar epsilon = std::numeric_limits<Scalar>::epsilon();

  Minimum<vector_t<M>, matrix_t<M>> best;
  best.theta = std::move(start);
  best.value = objective.value(best.theta);
  if (!std::isfinite(best.value))
    detail::invalid("minimize", "the objective must be finite at the start, but is ", best.value);
  vector_t<M> gradient = objective.gradient(best.theta);
  best.gradient_norm = gradient.norm();
  best.hessian = objective.hessian(best.theta);

  const auto gradient_scale = [&](const vector_t<M>& theta) {
    Scalar sum(0);
    Derivatives<M>(objective.model()).for_each_gradient_block(theta, [&](Index, const auto& block) {
      sum += block.colwise().norm().sum();
    });
    return sum / static_cast<Scalar>(objective.samples()) +
           objective.regularizer_gradient(theta).norm();
  };
  best.gradient_scale = gradient_scale(best.theta);

  const auto at_rounding = [&] {
    return best.gradient_norm <=
           static_cast<Scalar>(settings.tolerance) * epsilon * best.gradient_scale;
  };

  Scalar damping(0);
  while (best.gradient_norm > 0 && best.iterations < settings.max_iterations) {
    ++best.iterations;
    const Scalar scale = best.hessian.diagonal().cwiseAbs().maxCoeff();
    detail::DynamicMatrix<Scalar> damped = best.hessian;
    damped.diagonal().array() += damping;
    detail::DynamicVector<Scalar> step = -gradient;
    const auto raise_damping = [&] {
      damping = std::max(4 * damping, scale * std::sqrt(epsilon));
      return damping <= scale / epsilon;
    };
    if (!detail::solve_positive_definite<Scalar>(damped, step)) {
      if (!raise_damping()) break;
      continue;
    }
    const vector_t<M> trial = best.theta + step;
    const Scalar value = objective.value(trial);
    const Scalar predicted = -gradient.dot(step) / 2;
    const Scalar resolution = 64 * epsilon * std::abs(best.value);
    const bool resolved = predicted > resolution;
    vector_t<M> trial_gradient;
    bool pays = std::isfinite(value);
    if (pays && resolved) pays = best.value - value >= predicted / 1000;
    if (pays) {
      trial_gradient = objective.gradient(trial);
      if (!resolved)
        pays = value <= best.value + resolution && trial_gradient.norm() < best.gradient_norm;
    }
    if (!pays) {
      if (at_rounding() || !raise_damping()) break;
      continue;
    }
    damping = damping > scale * epsilon ? damping / 8 : Scalar(0);
    best.theta = trial;
    best.value = value;
    gradient = trial_gradient;
    best.gradient_norm = gradient.norm();
    best.hessian = objective.hessian(best.theta);
    if (!resolved) best.gradient_scale = gradient_scale(best.theta);
  }

  best.gradient_scale = gradient_scale(best.theta);
  best.hessian_eigenvalues = detail::SymmetricEigen<matrix_t<M>>(best.hessian).values;
  const Scalar largest = best.hessian_eigenvalues.cwiseAbs().maxCoeff();
  if (at_rounding() || best.gradient_norm == 0)
    best.status = best.hessian_eigenvalues[0] > epsilon * largest ? MinimumStatus::converged
                                                                  : MinimumStatus::not_a_minimum;
  return best;
}

namespace detail {

/// Throws `std::invalid_argument` unless it is a minimum.
template <class Vector, class Matrix>
void require_minimum(const Minimum<Vector, Matrix>& minimum, std::string_view function) {
  if (minimum.status == MinimumStatus::not_converged)
    invalid(function, "minimum must be converged, but |gradient| is ", minimum.gradient_norm,
            " after ", minimum.iterations, " iterations: raise max_iterations or start elsewhere");
  if (minimum.status == MinimumStatus::not_a_minimum)
    invalid(function,
            "the Hessian must be positive definite at the minimum, but its smallest eigenvalue is ",
            minimum.hessian_eigenvalues[0], ": start elsewhere, or add a regularizer");
}

}  // namespace detail
}  // namespace ness
