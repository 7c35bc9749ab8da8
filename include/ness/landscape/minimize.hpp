// A minimum of the objective: where the stationary state of SGD is centred (Sec. 3.3).
#pragma once

#include <cmath>
#include <functional>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"
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
template <class Scalar = double>
struct [[nodiscard]] Minimum {
  MinimumStatus status = MinimumStatus::not_converged;
  DynamicVector<Scalar> theta;    ///< θ₀, N
  Scalar value{};                 ///< 𝓛(θ₀)
  Scalar gradient_norm{};         ///< |∇𝓛(θ₀)|
  Scalar gradient_scale{};        ///< Σ_i |V_i| + |∇R|: what cancels in ∇𝓛(θ₀)
  DynamicMatrix<Scalar> hessian;  ///< H₀ = ∂∂𝓛(θ₀), N × N
  DynamicVector<Scalar> hessian_eigenvalues;  ///< increasing
  int iterations = 0;
};

struct MinimizeSettings {
  int max_iterations = 500;
  /// Converged when |∇𝓛| ≤ tolerance · ε · gradient_scale, ε the rounding unit of the scalar.
  double tolerance = 16;

  /// Throws `std::invalid_argument` for a negative number of iterations or a tolerance ≤ 0.
  void check(std::string_view function) const {
    detail::require(max_iterations >= 0, function, "max_iterations must not be negative",
                    max_iterations);
    detail::require_positive(tolerance, function, "tolerance");
  }
};

namespace detail {

/// A landscape as the iterations see it: what does not depend on the model is compiled once.
template <class Scalar>
struct LandscapeFunctions {
  using Vector = DynamicVector<Scalar>;
  std::function<Scalar(const Vector&)> value;
  std::function<Vector(const Vector&)> gradient;
  std::function<DynamicMatrix<Scalar>(const Vector&)> hessian;
  std::function<Scalar(const Vector&)> gradient_scale;
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
                               const DynamicMatrix<Scalar>& curvature, Scalar gradient_scale);

template <class M, class R>
LandscapeFunctions<scalar_t<M>> landscape_functions(const Objective<M, R>& objective) {
  using Scalar = scalar_t<M>;
  using Theta = DynamicVector<Scalar>;
  return {[&](const Theta& theta) { return objective.value(theta); },
          [&](const Theta& theta) -> Theta { return objective.gradient(theta); },
          [&](const Theta& theta) -> DynamicMatrix<Scalar> { return objective.hessian(theta); },
          [&](const Theta& theta) {
            Scalar sum(0);
            Derivatives<M>(objective.model())
                .for_each_gradient_block(objective.point(theta, "minimize"),
                                         [&](Index, const auto& block) {
                                           for (Index j = 0; j < block.cols(); ++j)
                                             sum += block.col(j).norm();
                                         });
            return sum / static_cast<Scalar>(objective.samples()) +
                   objective.regularizer_gradient(theta).norm();
          }};
}

}  // namespace detail

/// Finds a minimum of 𝓛 downhill from `start`, to a gradient at rounding level, by Newton steps
/// damped as Levenberg's: (H + τ) p = −∇𝓛, τ raised until a step pays and lowered again.
///
/// Where 𝓛 itself can no longer tell two points apart, a step is judged by the gradient. Which
/// minimum is found depends on the start. Cost: for each iteration a Hessian and a Cholesky
/// factorisation; at the end one eigenvalue decomposition. Throws `std::invalid_argument` for a
/// start of another size or not finite, or bad settings.
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

/// Throws `std::invalid_argument` unless it is a minimum.
template <class Scalar>
void require_minimum(const Minimum<Scalar>& minimum, std::string_view function) {
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

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <limits>

namespace ness::detail {

/// The state of the iteration: the best point so far, and how much steps are damped.
template <class Scalar>
class DampedNewton {
 public:
  using Vector = DynamicVector<Scalar>;

  DampedNewton(const LandscapeFunctions<Scalar>& landscape, const Vector& start, double tolerance)
      : landscape_(landscape), tolerance_(static_cast<Scalar>(tolerance) * epsilon) {
    best_.theta = start;
    best_.value = landscape.value(start);
    if (!std::isfinite(best_.value))
      invalid("minimize", "the objective must be finite at the start, but is ", best_.value);
    gradient_ = landscape.gradient(start);
    best_.gradient_norm = gradient_.norm();
    best_.hessian = landscape.hessian(start);
    best_.gradient_scale = landscape.gradient_scale(start);
  }

  Minimum<Scalar> run(int max_iterations) {
    while (best_.gradient_norm > 0 && best_.iterations < max_iterations) {
      ++best_.iterations;
      if (!iterate()) break;
    }
    best_.gradient_scale = landscape_.gradient_scale(best_.theta);
    best_.hessian_eigenvalues = SymmetricEigen<Scalar>(best_.hessian).values;
    const Scalar largest = best_.hessian_eigenvalues.cwiseAbs().maxCoeff();
    if (at_rounding() || best_.gradient_norm == 0)
      best_.status = best_.hessian_eigenvalues[0] > epsilon * largest
                         ? MinimumStatus::converged
                         : MinimumStatus::not_a_minimum;
    return std::move(best_);
  }

 private:
  static constexpr Scalar epsilon = std::numeric_limits<Scalar>::epsilon();

  bool at_rounding() const { return best_.gradient_norm <= tolerance_ * best_.gradient_scale; }

  // False where no damping is strong enough.
  bool raise_damping(Scalar scale) {
    damping_ = std::max(4 * damping_, scale * std::sqrt(epsilon));
    return damping_ <= scale / epsilon;
  }

  // One trial. False where the iteration is at its end.
  bool iterate() {
    const Scalar scale = best_.hessian.diagonal().cwiseAbs().maxCoeff();
    DynamicMatrix<Scalar> damped = best_.hessian;
    damped.diagonal().array() += damping_;
    Vector step = -gradient_;
    if (!solve_positive_definite(damped, step)) return raise_damping(scale);
    if (!accept(step)) return !at_rounding() && raise_damping(scale);
    damping_ = damping_ > scale * epsilon ? damping_ / 8 : Scalar(0);
    return true;
  }

  // Goes where the step leads, if it pays.
  bool accept(const Vector& step) {
    const Vector trial = best_.theta + step;
    if (!trial.allFinite()) return false;
    const Scalar value = landscape_.value(trial);
    const Scalar predicted = -gradient_.dot(step) / 2;
    const Scalar resolution = 64 * epsilon * std::abs(best_.value);
    const bool resolved = predicted > resolution;
    if (!std::isfinite(value)) return false;
    if (resolved && !(best_.value - value >= predicted / 1000)) return false;
    const Vector gradient = landscape_.gradient(trial);
    const Scalar norm = gradient.norm();
    if (!resolved && !(value <= best_.value + resolution && norm < best_.gradient_norm))
      return false;
    best_.theta = trial;
    best_.value = value;
    gradient_ = gradient;
    best_.gradient_norm = norm;
    best_.hessian = landscape_.hessian(trial);
    if (!resolved) best_.gradient_scale = landscape_.gradient_scale(trial);
    return true;
  }

  const LandscapeFunctions<Scalar>& landscape_;
  Scalar tolerance_;
  Scalar damping_{};
  Vector gradient_;
  Minimum<Scalar> best_;
};

template <class Scalar>
Minimum<Scalar> minimize(const LandscapeFunctions<Scalar>& landscape,
                         const DynamicVector<Scalar>& start, const MinimizeSettings& settings) {
  settings.check("minimize");
  return DampedNewton<Scalar>(landscape, start, settings.tolerance).run(settings.max_iterations);
}

template <class Scalar>
Minimum<Scalar> polish_minimum(const LandscapeFunctions<Scalar>& landscape,
                               const DynamicVector<Scalar>& start,
                               const DynamicMatrix<Scalar>& curvature, Scalar gradient_scale) {
  constexpr int max_iterations = 100;
  Minimum<Scalar> best;
  best.theta = start;
  best.gradient_scale = gradient_scale;
  DynamicVector<Scalar> gradient = landscape.gradient(start);
  best.gradient_norm = gradient.norm();
  while (best.gradient_norm > 0 && best.iterations < max_iterations) {
    ++best.iterations;
    DynamicVector<Scalar> step = -gradient;
    if (!solve_positive_definite(curvature, step)) break;
    const DynamicVector<Scalar> trial = best.theta + step;
    if (!trial.allFinite()) break;
    const DynamicVector<Scalar> trial_gradient = landscape.gradient(trial);
    if (!(trial_gradient.norm() < best.gradient_norm)) break;  // rounding ends it
    best.theta = trial;
    gradient = trial_gradient;
    best.gradient_norm = gradient.norm();
  }
  best.value = landscape.value(best.theta);
  best.hessian = landscape.hessian(best.theta);
  best.hessian_eigenvalues = SymmetricEigen<Scalar>(best.hessian).values;
  const Scalar rounding = 64 * std::numeric_limits<Scalar>::epsilon() * gradient_scale;
  if (best.gradient_norm <= rounding)
    best.status =
        best.hessian_eigenvalues[0] > 0 ? MinimumStatus::converged : MinimumStatus::not_a_minimum;
  return best;
}

}  // namespace ness::detail
#endif
