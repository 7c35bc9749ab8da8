// How far one Gaussian is from another (Eq. 46).
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <numbers>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_eigen.hpp"

namespace ness {

namespace detail {

/// x − log(1 + x), to rounding also where x is tiny and the two cancel. Infinite for x ≤ −1.
template <class Scalar>
Scalar excess_over_log(Scalar x) {
  if (!(x > -1)) return std::numeric_limits<Scalar>::infinity();
  if (std::abs(x) > Scalar(0.05)) return x - std::log1p(x);
  // x²/2 − x³/3 + …, by Horner's rule
  constexpr int terms = 14;
  Scalar sum(0);
  for (int k = terms; k >= 2; --k) sum = Scalar(1) / static_cast<Scalar>(k) - x * sum;
  return x * x * sum;
}

}  // namespace detail

/// D_KL(P‖Q) in bits of P = N(θ + shift, Σ + excess) from Q = N(θ, Σ) (Eq. 46, with a mean term):
///   (1/(2 ln 2)) { Σ_k [x_k − ln(1 + x_k)] + shiftᵀΣ⁻¹shift },  x_k the eigenvalues of Σ⁻¹ excess.
///
/// Good to a relative 1e-14 or so of what is given, however small: nothing of the order 1 cancels.
/// So have the excess without subtracting covariances where it is tiny. Infinite where Σ + excess
/// is not positive definite. Cost: a Cholesky and an eigenvalue decomposition of N × N. Throws
/// `std::invalid_argument` for sizes that disagree, or a Σ that is not positive definite.
template <class Vector, class Matrix>
double kl_divergence_of_excess(const Vector& shift, const Matrix& excess,
                               const Matrix& covariance) {
  using Scalar = typename Matrix::Scalar;
  constexpr std::string_view name = "kl_divergence";
  const Eigen::Index n = covariance.rows();
  detail::require_size(covariance, n, n, name, "covariance");
  detail::require_size(excess, n, n, name, "excess");
  detail::require_size(shift, n, 1, name, "shift");
  detail::require_finite(covariance, name, "covariance");
  detail::require_finite(excess, name, "excess");
  detail::require_finite(shift, name, "shift");
  const Eigen::LLT<detail::DynamicMatrix<Scalar>> factor(covariance);
  if (factor.info() != Eigen::Success)
    detail::invalid(name, "the covariance that is compared with must be positive definite");
  const auto lower = factor.matrixL();
  const detail::DynamicMatrix<Scalar> half = lower.solve(detail::DynamicMatrix<Scalar>(excess));
  detail::DynamicMatrix<Scalar> relative = lower.solve(half.transpose());
  detail::DynamicVector<Scalar> x;
  if (!detail::symmetric_eigen<Scalar>(x, relative))
    detail::invalid(name, "the eigenvalues of the excess did not converge");
  Scalar sum = lower.solve(detail::DynamicVector<Scalar>(shift)).squaredNorm();
  for (const Scalar each : x) sum += detail::excess_over_log(each);
  return static_cast<double>(sum) / (2 * std::numbers::ln2);
}

/// D_KL(P‖Q) in bits of P = N(mean, covariance) from Q = N(other_mean, other_covariance) (Eq. 46).
///
/// For nearby Gaussians good to 1e-32 cond(Σ)² absolutely, which is what rounding of the given
/// covariances leaves; 0 for identical ones. Throws as `kl_divergence_of_excess`.
template <class Vector, class Matrix>
double kl_divergence(const Vector& mean, const Matrix& covariance, const Vector& other_mean,
                     const Matrix& other_covariance) {
  detail::require_size(covariance, other_covariance.rows(), other_covariance.cols(),
                       "kl_divergence", "covariance");
  detail::require_size(mean, other_mean.size(), 1, "kl_divergence", "mean");
  return kl_divergence_of_excess(Vector(mean - other_mean), Matrix(covariance - other_covariance),
                                 other_covariance);
}

}  // namespace ness
