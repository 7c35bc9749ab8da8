// The Lyapunov equation of noise that depends on the position (App. D, Eqs. 44, 47).
#pragma once

#include <algorithm>
#include <cmath>

#include "ness/detail/general_matrices.hpp"
#include "ness/stationary/lyapunov.hpp"

namespace ness {

struct GeneralizedLyapunovSettings {
  LyapunovForm form = LyapunovForm::continuous;
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

/// Does Cholesky's factorisation of a symmetric matrix exist?
template <class Matrix>
bool is_positive_definite(const Matrix& matrix) {
  DynamicVector<typename Matrix::Scalar> nothing =
      DynamicVector<typename Matrix::Scalar>::Zero(matrix.rows());
  return matrix.allFinite() && solve_positive_definite<typename Matrix::Scalar>(matrix, nothing);
}

/// Σ − 𝓢[Π(Σ)] = 𝓢[D] with the solver 𝓢 of the plain equation, a linear system for the elements
/// of the lower triangle of Σ.
template <class Matrix, class Curvature>
Matrix solve_directly(LyapunovEquation<Matrix>& equation, const Matrix& diffusion,
                      const Curvature& curvature) {
  using Scalar = typename Matrix::Scalar;
  const Eigen::Index n = equation.size();
  const auto flatten = [n](const Matrix& symmetric) {
    DynamicVector<Scalar> elements(n * (n + 1) / 2);
    for (Eigen::Index j = 0, at = 0; j < n; at += n - j, ++j)
      elements.segment(at, n - j) = symmetric.col(j).tail(n - j);
    return elements;
  };
  DynamicMatrix<Scalar> system(n * (n + 1) / 2, n * (n + 1) / 2);
  Matrix unit = Matrix::Zero(n, n);
  for (Eigen::Index j = 0, column = 0; j < n; ++j)
    for (Eigen::Index i = j; i < n; ++i, ++column) {
      unit(i, j) = unit(j, i) = Scalar(1);
      system.col(column) = -flatten(equation.solve(curvature(unit)));
      system(column, column) += Scalar(1);
      unit(i, j) = unit(j, i) = Scalar(0);
    }
  DynamicVector<Scalar> elements = flatten(equation.solve(diffusion));
  solve_general(system, elements);
  Matrix sigma(n, n);
  for (Eigen::Index j = 0, at = 0; j < n; at += n - j, ++j) {
    sigma.col(j).tail(n - j) = elements.segment(at, n - j);
    sigma.row(j).tail(n - j) = elements.segment(at, n - j).transpose();
  }
  return sigma;
}

/// Σ ← 𝓢[D + Π(Σ)] until nothing changes but the last digits. 𝓢 and Π keep matrices positive, so
/// that it converges wherever there is a stationary state (H. Schneider, Numer. Math. 7, 1965).
template <class Matrix, class Curvature>
LyapunovStatus solve_by_iteration(LyapunovEquation<Matrix>& equation, const Matrix& diffusion,
                                  const Curvature& curvature, int max_iterations, Matrix& sigma) {
  using Scalar = typename Matrix::Scalar;
  constexpr Scalar rounding = 4 * std::numeric_limits<Scalar>::epsilon();
  sigma = equation.solve(diffusion);
  Scalar last = std::numeric_limits<Scalar>::infinity();
  int increases = 0;
  for (int k = 0; k < max_iterations; ++k) {
    Matrix next = equation.solve(diffusion + curvature(sigma));
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

template <class Matrix, class Curvature>
LyapunovStatus solve_generalized(LyapunovEquation<Matrix>& equation, const Matrix& diffusion,
                                 const Curvature& curvature,
                                 const GeneralizedLyapunovSettings& settings, Matrix& sigma) {
  if (equation.size() > settings.direct_up_to)
    return solve_by_iteration(equation, diffusion, curvature, settings.max_iterations, sigma);
  sigma = solve_directly(equation, diffusion, curvature);
  return LyapunovStatus::solved;
}

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
template <class Matrix, class Curvature>
LyapunovSolution<Matrix> solve_generalized_lyapunov(
    const Matrix& hessian, const Matrix& diffusion, double learning_rate,
    const Curvature& curvature, const GeneralizedLyapunovSettings& settings = {}) {
  constexpr std::string_view name = "solve_generalized_lyapunov";
  settings.check(name);
  detail::LyapunovEquation<Matrix> equation(hessian, learning_rate, settings.form, name);
  equation.check(diffusion, name);
  LyapunovSolution<Matrix> solution = detail::begin_solution(equation);
  if (solution.status != LyapunovStatus::solved) return solution;
  Matrix sigma;
  solution.status = detail::solve_generalized(equation, diffusion, curvature, settings, sigma);
  if (solution.status == LyapunovStatus::solved && detail::is_positive_definite(diffusion) &&
      !detail::is_positive_definite(sigma))
    solution.status = LyapunovStatus::no_stationary_state;
  if (solution.status != LyapunovStatus::solved) return solution;
  solution.residual = equation.residual(sigma, diffusion + curvature(sigma));
  solution.covariance = std::move(sigma);
  return solution;
}

}  // namespace ness
