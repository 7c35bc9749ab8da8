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
  indefinite_hessian,     ///< an eigenvalue of H is not positive: nothing holds the chain there
  unstable_learning_rate  ///< η h_max ≥ 2: the chain diverges, there is no stationary state
};

constexpr std::string_view to_string(LyapunovStatus status) {
  switch (status) {
    case LyapunovStatus::solved:
      return "solved";
    case LyapunovStatus::indefinite_hessian:
      return "indefinite Hessian";
    case LyapunovStatus::unstable_learning_rate:
      return "unstable learning rate";
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

/// Solves for Σ by Eq. 23, Σ = O Δ Oᵀ with H = O diag(h) Oᵀ and
/// Δ_αβ = (2/η)(OᵀDO)_αβ / (h_α + h_β), the discrete form with h_α + h_β − η h_α h_β below.
///
/// H and D are symmetric N × N D per step; D may be singular.
/// Cost: one eigendecomposition and four products of N × N, the residual's included (one more in
/// the discrete form). Throws `std::invalid_argument` for sizes that disagree, numbers that are not
/// finite, η ≤ 0; an H that is not positive definite and an unstable η are statuses.
template <class Matrix>
LyapunovSolution<Matrix> solve_lyapunov(const Matrix& hessian, const Matrix& diffusion,
                                        double learning_rate,
                                        LyapunovForm form = LyapunovForm::continuous) {
  using Scalar = typename Matrix::Scalar;
  constexpr std::string_view name = "solve_lyapunov";
  detail::require_size(hessian, hessian.rows(), hessian.rows(), name, "hessian");
  detail::require_size(diffusion, hessian.rows(), hessian.rows(), name, "diffusion");
  detail::require_finite(hessian, name, "hessian");
  detail::require_finite(diffusion, name, "diffusion");
  detail::require_positive(learning_rate, name, "learning_rate");

  const auto eta = static_cast<Scalar>(learning_rate);
  const detail::SymmetricEigen<Matrix> eigen(hessian);
  const auto& h = eigen.values;
  const Eigen::Index n = h.size();

  LyapunovSolution<Matrix> solution;
  solution.hessian_eigenvalues = h;
  solution.condition = h[n - 1] / h[0];
  solution.residual = std::numeric_limits<Scalar>::quiet_NaN();
  if (!(h[0] > 0))
    solution.status = LyapunovStatus::indefinite_hessian;
  else if (!(eta * h[n - 1] < 2))
    solution.status = LyapunovStatus::unstable_learning_rate;
  if (solution.status != LyapunovStatus::solved) {
    solution.covariance.setConstant(n, n, std::numeric_limits<Scalar>::quiet_NaN());
    return solution;
  }

  const Matrix& o = eigen.vectors;
  const Scalar coupling = form == LyapunovForm::discrete ? eta : Scalar(0);
  Matrix product(n, n);
  Matrix& sigma = solution.covariance;
  sigma.resize(n, n);
  // Results that are symmetric are made in one triangle only, which pays for the residual below.
  product.noalias() = diffusion * o;
  sigma.template triangularView<Eigen::Lower>() = o.transpose() * product;
  for (Eigen::Index b = 0; b < n; ++b)
    sigma.col(b).tail(n - b).array() *=
        (2 / eta) / (h.tail(n - b).array() + h[b] - (coupling * h[b]) * h.tail(n - b).array());
  sigma.template triangularView<Eigen::StrictlyUpper>() = sigma.transpose();
  product.noalias() = o * sigma;
  sigma.template triangularView<Eigen::Lower>() = product * o.transpose();
  sigma.template triangularView<Eigen::StrictlyUpper>() = sigma.transpose();

  // The residual is taken from H itself, not from its eigenvectors, so that it judges those too.
  product.noalias() = hessian * sigma;
  Matrix defect = product + product.transpose() - (2 / eta) * diffusion;
  if (form == LyapunovForm::discrete) defect.noalias() -= eta * product * hessian;
  const Scalar scale = (2 / eta) * diffusion.norm();
  solution.residual = scale > 0 ? defect.norm() / scale : defect.norm();
  return solution;
}

}  // namespace ness
