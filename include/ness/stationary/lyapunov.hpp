// The Lyapunov equation of the stationary covariance (Eqs. 21–23, App. C).
#pragma once

#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"

namespace ness {

/// Which chain the covariance is that of.
enum class LyapunovForm {
  continuous,  ///< H Σ + Σ H = (2/η) D (Eq. 21): the paper's, leading order in η h
  discrete  ///< H Σ + Σ H − η H Σ H = (2/η) D: Σ = (I−ηH) Σ (I−ηH) + 2D, exact for constant D
};

enum class LyapunovStatus {
  solved,
  indefinite_hessian,      ///< an eigenvalue of H is not positive: nothing holds the chain there
  unstable_learning_rate,  ///< η h_max ≥ 2: the chain diverges, there is no stationary state
  no_stationary_state,     ///< D grows faster with the distance than the drift brings back
  not_converged            ///< the iteration limit was reached
};

/// what became of it
constexpr std::string_view to_string(LyapunovStatus status) {
  switch (status) {
    case LyapunovStatus::solved:
      return "solved";
    case LyapunovStatus::indefinite_hessian:
      return "indefinite Hessian";
    case LyapunovStatus::unstable_learning_rate:
      return "unstable learning rate";
    case LyapunovStatus::no_stationary_state:
      return "no stationary state";
    case LyapunovStatus::not_converged:
      return "not converged";
  }
  return "";
}

/// Σ, and how well it solves its equation.
template <class Scalar = double>
struct [[nodiscard]] LyapunovSolution {
  LyapunovStatus status = LyapunovStatus::solved;  ///< what became of it
  DynamicMatrix<Scalar> covariance;  ///< Σ, N × N, symmetric to the last bit; NaN unless solved
  DynamicVector<Scalar> hessian_eigenvalues;  ///< h, increasing
  Scalar residual{};   ///< ‖equation‖ / ‖(2/η) D‖ of this Σ, by direct substitution
  Scalar condition{};  ///< h_max / h_min: what a relative error of D may grow by
};

namespace detail {

/// H Σ + Σ H − [η H Σ H] = (2/η) D in the eigenbasis of H.
template <class Scalar>
class LyapunovEquation {
 public:
  using Matrix = DynamicMatrix<Scalar>;

  /// Throws `std::invalid_argument` for an H that is not square, symmetric or finite, or η ≤ 0.
  LyapunovEquation(const Matrix& hessian, double learning_rate, LyapunovForm form,
                   std::string_view function);

  LyapunovStatus status() const {
    if (!(eigen_.values[0] > 0)) return LyapunovStatus::indefinite_hessian;
    if (!(eta_ * eigen_.values[size() - 1] < 2)) return LyapunovStatus::unstable_learning_rate;
    return LyapunovStatus::solved;
  }
  const DynamicVector<Scalar>& eigenvalues() const { return eigen_.values; }
  Eigen::Index size() const { return hessian_.rows(); }

  /// Throws `std::invalid_argument` unless D is N × N, finite, symmetric and positive semidefinite.
  void check(const Matrix& diffusion, std::string_view function) const;

  /// Σ = O Δ Oᵀ, symmetric to the last bit. D is symmetric, of any sign.
  Matrix solve(const Matrix& diffusion) const;

  /// ‖equation‖ / ‖(2/η) D‖, from H itself, not from its eigenvectors, so that it judges those too.
  Scalar residual(const Matrix& sigma, const Matrix& diffusion) const;

  /// What is known before Σ is.
  LyapunovSolution<Scalar> begin_solution() const;

 private:
  static const Matrix& checked(const Matrix& hessian, double learning_rate,
                               std::string_view function);

  Matrix hessian_;
  Scalar eta_, coupling_;
  SymmetricEigen<Scalar> eigen_;
  Matrix transposed_;  // of the eigenvectors
};

template <class Scalar>
LyapunovSolution<Scalar> solve_lyapunov(const DynamicMatrix<Scalar>& hessian,
                                        const DynamicMatrix<Scalar>& diffusion,
                                        double learning_rate, LyapunovForm form);

}  // namespace detail

/// Solves for Σ by Eq. 23, Σ = O Δ Oᵀ with H = O diag(h) Oᵀ and
/// Δ_αβ = (2/η)(OᵀDO)_αβ / (h_α + h_β), the discrete form with h_α + h_β − η h_α h_β below.
///
/// H and D are symmetric N × N, D per step; D may be singular.
/// Cost: one eigendecomposition and four products of N × N, the residual's included (one more in
/// the discrete form). Throws `std::invalid_argument` for sizes that disagree, numbers that are not
/// finite, matrices that are empty or not symmetric, a D with a negative eigenvalue, η ≤ 0; an H
/// that is not positive definite and an unstable η are statuses.
template <class Hessian, class Diffusion>
LyapunovSolution<typename Hessian::Scalar> solve_lyapunov(
    const Eigen::MatrixBase<Hessian>& hessian, const Eigen::MatrixBase<Diffusion>& diffusion,
    double learning_rate, LyapunovForm form = LyapunovForm::continuous) {
  return detail::solve_lyapunov<typename Hessian::Scalar>(hessian, diffusion, learning_rate, form);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>
#include <limits>

namespace ness::detail {

template <class Scalar>
LyapunovEquation<Scalar>::LyapunovEquation(const Matrix& hessian, double learning_rate,
                                           LyapunovForm form, std::string_view function)
    : hessian_(checked(hessian, learning_rate, function)),
      eta_(static_cast<Scalar>(learning_rate)),
      coupling_(form == LyapunovForm::discrete ? eta_ : Scalar(0)),
      eigen_(hessian),
      transposed_(transposed(eigen_.vectors)) {}

template <class Scalar>
const DynamicMatrix<Scalar>& LyapunovEquation<Scalar>::checked(const Matrix& hessian,
                                                               double learning_rate,
                                                               std::string_view function) {
  require_not_empty(hessian, function, "hessian");
  require_size(hessian, hessian.rows(), hessian.rows(), function, "hessian");
  require_finite(hessian, function, "hessian");
  require_symmetric(hessian, function, "hessian");
  require_positive(learning_rate, function, "learning_rate");
  return hessian;
}

template <class Scalar>
void LyapunovEquation<Scalar>::check(const Matrix& diffusion, std::string_view function) const {
  require_size(diffusion, size(), size(), function, "diffusion");
  require_finite(diffusion, function, "diffusion");
  require_semidefinite(diffusion, function, "diffusion");
}

template <class Scalar>
DynamicMatrix<Scalar> LyapunovEquation<Scalar>::solve(const Matrix& diffusion) const {
  const DynamicVector<Scalar>& h = eigen_.values;
  // Results that are symmetric are made in one triangle only, which pays for the residual.
  Matrix sigma = symmetric_product(transposed_, product(diffusion, eigen_.vectors));
  for (Eigen::Index b = 0; b < size(); ++b)
    for (Eigen::Index a = 0; a < size(); ++a)
      sigma(a, b) *= (2 / eta_) / (h[a] + h[b] - coupling_ * h[b] * h[a]);
  return symmetric_product(product(eigen_.vectors, sigma), transposed_);
}

template <class Scalar>
Scalar LyapunovEquation<Scalar>::residual(const Matrix& sigma, const Matrix& diffusion) const {
  const Matrix half = product(hessian_, sigma);
  Matrix defect = half;
  add_scaled(defect, 1, transposed(half));
  if (coupling_ > 0) add_scaled(defect, -coupling_, product(half, hessian_));
  add_scaled(defect, -2 / eta_, diffusion);
  const Scalar scale = (2 / eta_) * norm(diffusion);
  return scale > 0 ? norm(defect) / scale : norm(defect);
}

template <class Scalar>
LyapunovSolution<Scalar> LyapunovEquation<Scalar>::begin_solution() const {
  constexpr Scalar unknown = std::numeric_limits<Scalar>::quiet_NaN();
  LyapunovSolution<Scalar> solution;
  solution.status = status();
  solution.covariance.setConstant(size(), size(), unknown);
  solution.hessian_eigenvalues = eigenvalues();
  solution.residual = unknown;
  solution.condition = eigenvalues()[size() - 1] / eigenvalues()[0];
  return solution;
}

template <class Scalar>
LyapunovSolution<Scalar> solve_lyapunov(const DynamicMatrix<Scalar>& hessian,
                                        const DynamicMatrix<Scalar>& diffusion,
                                        double learning_rate, LyapunovForm form) {
  LyapunovEquation<Scalar> equation(hessian, learning_rate, form, "solve_lyapunov");
  equation.check(diffusion, "solve_lyapunov");
  LyapunovSolution<Scalar> solution = equation.begin_solution();
  if (solution.status != LyapunovStatus::solved) return solution;
  solution.covariance = equation.solve(diffusion);
  solution.residual = equation.residual(solution.covariance, diffusion);
  return solution;
}

}  // namespace ness::detail
#endif
