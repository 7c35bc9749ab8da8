// How far one Gaussian is from another (Eq. 46).
#pragma once

#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"

namespace ness {

namespace detail {

template <class Scalar>
double kl_divergence_of_excess(const DynamicVector<Scalar>& shift,
                               const DynamicMatrix<Scalar>& excess,
                               const DynamicMatrix<Scalar>& covariance);

}  // namespace detail

/// D_KL(P‖Q) in bits of P = N(θ + shift, Σ + excess) from Q = N(θ, Σ) (Eq. 46, with a mean term):
///   (1/(2 ln 2)) { Σ_k [x_k − ln(1 + x_k)] + shiftᵀΣ⁻¹shift },  x_k the eigenvalues of Σ⁻¹ excess.
///
/// Good to a relative 1e-14 or so of what is given, however small: nothing of the order 1 cancels.
/// So have the excess without subtracting covariances where it is tiny. Infinite where Σ + excess
/// is not positive definite. Cost: a Cholesky and an eigenvalue decomposition of N × N. Throws
/// `std::invalid_argument` for sizes that disagree, or a Σ that is not positive definite.
template <class Shift, class Excess, class Covariance>
double kl_divergence_of_excess(const Eigen::MatrixBase<Shift>& shift,
                               const Eigen::MatrixBase<Excess>& excess,
                               const Eigen::MatrixBase<Covariance>& covariance) {
  detail::require_size(shift, covariance.rows(), 1, "kl_divergence", "shift");
  return detail::kl_divergence_of_excess<typename Excess::Scalar>(shift, excess, covariance);
}

/// D_KL(P‖Q) in bits of P = N(mean, covariance) from Q = N(other_mean, other_covariance) (Eq. 46).
///
/// For nearby Gaussians good to 1e-32 cond(Σ)² absolutely, which is what rounding of the given
/// covariances leaves; 0 for identical ones. Throws as `kl_divergence_of_excess`.
template <class Mean, class Covariance, class OtherMean, class OtherCovariance>
double kl_divergence(const Eigen::MatrixBase<Mean>& mean,
                     const Eigen::MatrixBase<Covariance>& covariance,
                     const Eigen::MatrixBase<OtherMean>& other_mean,
                     const Eigen::MatrixBase<OtherCovariance>& other_covariance) {
  detail::require_size(covariance, other_covariance.rows(), other_covariance.cols(),
                       "kl_divergence", "covariance");
  detail::require_size(mean, other_mean.rows(), 1, "kl_divergence", "mean");
  return kl_divergence_of_excess(mean - other_mean, covariance - other_covariance,
                                 other_covariance);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>
#include <limits>
#include <numbers>

#include "ness/detail/symmetric_matrices.hpp"

namespace ness::detail {

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

template <class Scalar>
double kl_divergence_of_excess(const DynamicVector<Scalar>& shift,
                               const DynamicMatrix<Scalar>& excess,
                               const DynamicMatrix<Scalar>& covariance) {
  constexpr std::string_view name = "kl_divergence";
  const Eigen::Index n = covariance.rows();
  require_not_empty(covariance, name, "covariance");
  require_size(covariance, n, n, name, "covariance");
  require_size(excess, n, n, name, "excess");
  require_finite(covariance, name, "covariance");
  require_symmetric(covariance, name, "covariance");
  require_finite(excess, name, "excess");
  require_finite(shift, name, "shift");
  DynamicMatrix<Scalar> lower = covariance;
  if (!cholesky(lower))
    invalid(name, "the covariance that is compared with must be positive definite");
  DynamicMatrix<Scalar> half = excess;
  solve_lower(lower, half);
  DynamicMatrix<Scalar> relative = half.transpose();
  solve_lower(lower, relative);
  DynamicVector<Scalar> x;
  if (!symmetric_eigen(x, relative))
    invalid(name, "the eigenvalues of the excess did not converge");
  DynamicMatrix<Scalar> scaled = shift;
  solve_lower(lower, scaled);
  Scalar sum = scaled.squaredNorm();
  for (const Scalar each : x) sum += excess_over_log(each);
  return static_cast<double>(sum) / (2 * std::numbers::ln2);
}

}  // namespace ness::detail
#endif
