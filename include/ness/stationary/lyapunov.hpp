// The Lyapunov equation of the stationary covariance (Eqs. 21–23, App. C).
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_eigen.hpp"

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

template <class Matrix>
struct [[nodiscard]] LyapunovSolution {
  using Scalar = typename Matrix::Scalar;
  using Vector = Eigen::Matrix<Scalar, Matrix::RowsAtCompileTime, 1>;
  LyapunovStatus status = LyapunovStatus::solved;
  Matrix covariance;           ///< Σ, N × N, symmetric to the last bit; NaN unless solved
  Vector hessian_eigenvalues;  ///< h, increasing
  Scalar residual{};   ///< ‖equation‖ / ‖(2/η) D‖ of this Σ, by direct substitution
  Scalar condition{};  ///< h_max / h_min: what a relative error of D may grow by
};

namespace detail {

/// H Σ + Σ H − [η H Σ H] = (2/η) D in the eigenbasis of H.
template <class Matrix>
class LyapunovEquation {
 public:
  using Scalar = typename Matrix::Scalar;

  /// Throws `std::invalid_argument` for an H that is not square, symmetric or finite, or η ≤ 0.
  LyapunovEquation(const Matrix& hessian, double learning_rate, LyapunovForm form,
                   std::string_view function)
      : hessian_(checked(hessian, learning_rate, function)),
        eta_(static_cast<Scalar>(learning_rate)),
        coupling_(form == LyapunovForm::discrete ? eta_ : Scalar(0)),
        eigen_(hessian),
        product_(hessian.rows(), hessian.rows()) {}

  LyapunovStatus status() const {
    if (!(eigen_.values[0] > 0)) return LyapunovStatus::indefinite_hessian;
    if (!(eta_ * eigen_.values[size() - 1] < 2)) return LyapunovStatus::unstable_learning_rate;
    return LyapunovStatus::solved;
  }
  const auto& eigenvalues() const { return eigen_.values; }
  Eigen::Index size() const { return hessian_.rows(); }

  /// Throws `std::invalid_argument` unless D is N × N, finite and symmetric.
  void check(const Matrix& diffusion, std::string_view function) const {
    require_size(diffusion, size(), size(), function, "diffusion");
    require_finite(diffusion, function, "diffusion");
    require_symmetric(diffusion, function, "diffusion");
  }

  /// Σ = O Δ Oᵀ, symmetric to the last bit. D is symmetric, of any sign.
  Matrix solve(const Matrix& diffusion) {
    const Matrix& o = eigen_.vectors;
    const auto& h = eigen_.values;
    const Eigen::Index n = size();
    Matrix sigma(n, n);
    // Results that are symmetric are made in one triangle only, which pays for the residual.
    product_.noalias() = diffusion * o;
    sigma.template triangularView<Eigen::Lower>() = o.transpose() * product_;
    for (Eigen::Index b = 0; b < n; ++b)
      sigma.col(b).tail(n - b).array() *=
          (2 / eta_) / (h.tail(n - b).array() + h[b] - (coupling_ * h[b]) * h.tail(n - b).array());
    sigma.template triangularView<Eigen::StrictlyUpper>() = sigma.transpose();
    product_.noalias() = o * sigma;
    sigma.template triangularView<Eigen::Lower>() = product_ * o.transpose();
    sigma.template triangularView<Eigen::StrictlyUpper>() = sigma.transpose();
    return sigma;
  }

  /// ‖equation‖ / ‖(2/η) D‖, from H itself, not from its eigenvectors, so that it judges those too.
  Scalar residual(const Matrix& sigma, const Matrix& diffusion) {
    product_.noalias() = hessian_ * sigma;
    Matrix defect = product_ + product_.transpose() - (2 / eta_) * diffusion;
    if (coupling_ > 0) defect.noalias() -= coupling_ * product_ * hessian_;
    const Scalar scale = (2 / eta_) * diffusion.norm();
    return scale > 0 ? defect.norm() / scale : defect.norm();
  }

 private:
  static const Matrix& checked(const Matrix& hessian, double learning_rate,
                               std::string_view function) {
    require_size(hessian, hessian.rows(), hessian.rows(), function, "hessian");
    require_finite(hessian, function, "hessian");
    require_symmetric(hessian, function, "hessian");
    require_positive(learning_rate, function, "learning_rate");
    return hessian;
  }

  Matrix hessian_;
  Scalar eta_, coupling_;
  SymmetricEigen<Matrix> eigen_;
  Matrix product_;
};

/// What is known before Σ is.
template <class Matrix>
LyapunovSolution<Matrix> begin_solution(const LyapunovEquation<Matrix>& equation) {
  using Scalar = typename Matrix::Scalar;
  constexpr Scalar unknown = std::numeric_limits<Scalar>::quiet_NaN();
  const Eigen::Index n = equation.size();
  LyapunovSolution<Matrix> solution;
  solution.status = equation.status();
  solution.covariance.setConstant(n, n, unknown);
  solution.hessian_eigenvalues = equation.eigenvalues();
  solution.residual = unknown;
  solution.condition = equation.eigenvalues()[n - 1] / equation.eigenvalues()[0];
  return solution;
}

}  // namespace detail

/// Solves for Σ by Eq. 23, Σ = O Δ Oᵀ with H = O diag(h) Oᵀ and
/// Δ_αβ = (2/η)(OᵀDO)_αβ / (h_α + h_β), the discrete form with h_α + h_β − η h_α h_β below.
///
/// H and D are symmetric N × N D per step; D may be singular.
/// Cost: one eigendecomposition and four products of N × N, the residual's included (one more in
/// the discrete form). Throws `std::invalid_argument` for sizes that disagree, numbers that are not
/// finite, matrices that are not symmetric, η ≤ 0; an H that is not positive definite and an
/// unstable η are statuses.
template <class Matrix>
LyapunovSolution<Matrix> solve_lyapunov(const Matrix& hessian, const Matrix& diffusion,
                                        double learning_rate,
                                        LyapunovForm form = LyapunovForm::continuous) {
  detail::LyapunovEquation<Matrix> equation(hessian, learning_rate, form, "solve_lyapunov");
  equation.check(diffusion, "solve_lyapunov");
  LyapunovSolution<Matrix> solution = detail::begin_solution(equation);
  if (solution.status != LyapunovStatus::solved) return solution;
  solution.covariance = equation.solve(diffusion);
  solution.residual = equation.residual(solution.covariance, diffusion);
  return solution;
}

}  // namespace ness
