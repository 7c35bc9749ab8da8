// The Lyapunov equation of noise that depends on the position (App. D, Eqs. 44, 47).
#pragma once

#include <functional>

#include "ness/detail/general_matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/stationary/lyapunov.hpp"

namespace ness {

/// The form of the equation, and when its iteration ends.
struct GeneralizedLyapunovSettings {
  LyapunovForm form = LyapunovForm::continuous;  ///< of the left side
  /// Up to this N the N(N+1)/2 unknowns are solved for directly, beyond it by iteration.
  Eigen::Index direct_up_to = 12;
  int max_iterations = 1000;

  /// Throws `std::invalid_argument` for a negative number.
  void check(std::string_view function) const {
    detail::require(direct_up_to >= 0, function, "direct_up_to must not be negative", direct_up_to);
    detail::require(max_iterations >= 1, function, "max_iterations must be at least 1",
                    max_iterations);
  }
};

namespace detail {

/// Π(S) = ½𝓗_DS
template <class Scalar>
using CurvatureFunction = std::function<DynamicMatrix<Scalar>(const DynamicMatrix<Scalar>&)>;

/// Σ of HΣ + ΣH − [ηHΣH] = (2/η)(D + Π(Σ)), and whether there is one; `equation` solves that of any
/// D, of a chain with a memory as well.
template <class Equation, class Scalar>
LyapunovStatus solve_generalized(const Equation& equation, const DynamicMatrix<Scalar>& diffusion,
                                 const CurvatureFunction<Scalar>& curvature,
                                 const GeneralizedLyapunovSettings& settings,
                                 DynamicMatrix<Scalar>& sigma);

template <class Scalar>
LyapunovSolution<Scalar> solve_generalized_lyapunov(const DynamicMatrix<Scalar>& hessian,
                                                    const DynamicMatrix<Scalar>& diffusion,
                                                    double learning_rate,
                                                    const CurvatureFunction<Scalar>& curvature,
                                                    const GeneralizedLyapunovSettings& settings);

}  // namespace detail

/// Solves H Σ + Σ H = η⁻¹(2D + 𝓗_DΣ) (Eq. 44; Eq. 47 with H and D of an epoch) for Σ, or in the
/// discrete form H Σ + Σ H − ηHΣH = the same, which is exact for losses quadratic in θ.
///
/// `curvature(S)` is Π(S) = ½𝓗_DS, (𝓗_DS)_αβ = Σ_μγ ∂_μ∂_γD_αβ S_μγ, linear in the symmetric N × N
/// matrix S: see `DiffusionCurvature`. In the result `residual` is that of this equation.
///
/// Status `no_stationary_state`: the noise grows faster with the distance from the minimum than the
/// drift brings back, which shows in a Σ that is not positive definite (where D is), or in an
/// iteration that grows. Cost: N(N+1)/2 times Π and (N(N+1)/2)³/3 up to `direct_up_to`, beyond it
/// two products and Π for each of log ε / log ρ iterations, where ρ < 1 is how much of Σ the second
/// term makes. Throws `std::invalid_argument` as `solve_lyapunov`.
template <class Hessian, class Diffusion, class Curvature>
LyapunovSolution<typename Hessian::Scalar> solve_generalized_lyapunov(
    const Eigen::MatrixBase<Hessian>& hessian, const Eigen::MatrixBase<Diffusion>& diffusion,
    double learning_rate, const Curvature& curvature,
    const GeneralizedLyapunovSettings& settings = {}) {
  using Scalar = typename Hessian::Scalar;
  return detail::solve_generalized_lyapunov<Scalar>(hessian, diffusion, learning_rate,
                                                    std::cref(curvature), settings);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <cmath>
#include <limits>

namespace ness::detail {

/// The elements of the lower triangle of a symmetric matrix, column by column, and back.
template <class Scalar>
DynamicMatrix<Scalar> flatten(const DynamicMatrix<Scalar>& symmetric) {
  const Eigen::Index n = symmetric.rows();
  DynamicMatrix<Scalar> elements(n * (n + 1) / 2, 1);
  for (Eigen::Index j = 0, at = 0; j < n; ++j)
    for (Eigen::Index i = j; i < n; ++i) elements(at++, 0) = symmetric(i, j);
  return elements;
}
template <class Scalar>
DynamicMatrix<Scalar> unflatten(const DynamicMatrix<Scalar>& elements, Eigen::Index n) {
  DynamicMatrix<Scalar> symmetric(n, n);
  for (Eigen::Index j = 0, at = 0; j < n; ++j)
    for (Eigen::Index i = j; i < n; ++i) symmetric(i, j) = symmetric(j, i) = elements(at++, 0);
  return symmetric;
}

/// Σ − 𝓢[Π(Σ)] = 𝓢[D] with the solver 𝓢 of the plain equation, a linear system for the elements
/// of the lower triangle of Σ.
template <class Equation, class Scalar>
DynamicMatrix<Scalar> solve_directly(const Equation& equation,
                                     const DynamicMatrix<Scalar>& diffusion,
                                     const CurvatureFunction<Scalar>& curvature) {
  const Eigen::Index n = equation.size();
  DynamicMatrix<Scalar> system(n * (n + 1) / 2, n * (n + 1) / 2);
  DynamicMatrix<Scalar> unit = DynamicMatrix<Scalar>::Zero(n, n);
  for (Eigen::Index j = 0, column = 0; j < n; ++j)
    for (Eigen::Index i = j; i < n; ++i, ++column) {
      unit(i, j) = unit(j, i) = Scalar(1);
      system.col(column) = -flatten(equation.solve(curvature(unit)));
      system(column, column) += Scalar(1);
      unit(i, j) = unit(j, i) = Scalar(0);
    }
  return unflatten(solve_general(system, flatten(equation.solve(diffusion))), n);
}

/// Σ ← 𝓢[D + Π(Σ)] until nothing changes but the last digits. 𝓢 and Π keep matrices positive, so
/// that it converges wherever there is a stationary state (H. Schneider, Numer. Math. 7, 1965).
template <class Equation, class Scalar>
LyapunovStatus solve_by_iteration(const Equation& equation, const DynamicMatrix<Scalar>& diffusion,
                                  const CurvatureFunction<Scalar>& curvature, int max_iterations,
                                  DynamicMatrix<Scalar>& sigma) {
  constexpr Scalar rounding = 4 * std::numeric_limits<Scalar>::epsilon();
  sigma = equation.solve(diffusion);
  Scalar last = std::numeric_limits<Scalar>::infinity();
  int increases = 0;
  for (int k = 0; k < max_iterations; ++k) {
    DynamicMatrix<Scalar> next = equation.solve(diffusion + curvature(sigma));
    const Scalar change = (next - sigma).norm();
    const Scalar size = next.norm();
    sigma.swap(next);
    if (!std::isfinite(change)) return LyapunovStatus::no_stationary_state;
    increases = change >= last ? increases + 1 : 0;
    // The last digits go on changing where the equation is ill-conditioned.
    if (change <= rounding * size || (increases > 0 && change <= 1000 * rounding * size))
      return LyapunovStatus::solved;
    if (increases == 8) return LyapunovStatus::no_stationary_state;
    last = change;
  }
  return LyapunovStatus::not_converged;
}

template <class Equation, class Scalar>
LyapunovStatus solve_generalized(const Equation& equation, const DynamicMatrix<Scalar>& diffusion,
                                 const CurvatureFunction<Scalar>& curvature,
                                 const GeneralizedLyapunovSettings& settings,
                                 DynamicMatrix<Scalar>& sigma) {
  if (equation.size() > settings.direct_up_to)
    return solve_by_iteration(equation, diffusion, curvature, settings.max_iterations, sigma);
  sigma = solve_directly(equation, diffusion, curvature);
  return LyapunovStatus::solved;
}

template <class Scalar>
LyapunovSolution<Scalar> solve_generalized_lyapunov(const DynamicMatrix<Scalar>& hessian,
                                                    const DynamicMatrix<Scalar>& diffusion,
                                                    double learning_rate,
                                                    const CurvatureFunction<Scalar>& curvature,
                                                    const GeneralizedLyapunovSettings& settings) {
  constexpr std::string_view name = "solve_generalized_lyapunov";
  settings.check(name);
  LyapunovEquation<Scalar> equation(hessian, learning_rate, settings.form, name);
  equation.check(diffusion, name);
  LyapunovSolution<Scalar> solution = equation.begin_solution();
  if (solution.status != LyapunovStatus::solved) return solution;
  DynamicMatrix<Scalar> sigma;
  solution.status = solve_generalized(equation, diffusion, curvature, settings, sigma);
  if (solution.status == LyapunovStatus::solved && is_positive_definite(diffusion) &&
      !is_positive_definite(sigma))
    solution.status = LyapunovStatus::no_stationary_state;
  if (solution.status != LyapunovStatus::solved) return solution;
  const DynamicMatrix<Scalar> noise = diffusion + curvature(sigma);
  solution.residual = equation.residual(sigma, noise);
  solution.covariance = std::move(sigma);
  return solution;
}

}  // namespace ness::detail
#endif
