// The preconditioner that gives the stationary state a wanted covariance (not in the paper).
#pragma once

#include "ness/detail/matrices.hpp"
#include "ness/diffusion/curvature.hpp"
#include "ness/diffusion/independent_batches.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// What gradients g are multiplied by, θ' = θ − Λg.
template <class Scalar = double>
struct Preconditioner {
  DynamicMatrix<Scalar> matrix;  ///< Λ, N × N, symmetric and positive definite
  DynamicMatrix<Scalar> root;    ///< S, N × N, SSᵀ = Λ
  Scalar residual{};             ///< of the equation, by direct substitution
};

namespace detail {
template <class Scalar>
Preconditioner<Scalar> preconditioner_for(const DynamicMatrix<Scalar>& wanted,
                                          const DynamicMatrix<Scalar>& hessian,
                                          const DynamicMatrix<Scalar>& gradients);
}  // namespace detail

/// The Λ with which θ' = θ − Λg has the covariance Σ* = `wanted`, for gradients g of the mean
/// H(θ − θ₀) and the covariance C = `gradients`, which is 2D/η² of the D of SGD; all N × N and
/// symmetric. Exact in discrete time: Σ* = (1 − ΛH)Σ*(1 − HΛ) + ΛCΛ is linear in Λ⁻¹,
///
///   (HΣ*)Λ⁻¹ + Λ⁻¹(Σ*H) = C + HΣ*H,   Λ⁻¹ = ½H + Z,   (HΣ*)Z + Z(Σ*H) = C.
///
/// For H, Σ* > 0 the eigenvalues of HΣ* are positive, and Z ≥ 0: noise that reaches all directions
/// makes any covariance stationary, with Λ > 0 and all of |1 − ΛH| < 1. Where C depends on Σ, give
/// C(Σ*). Σ* = H⁻¹ takes Λ = 2(H + C)⁻¹; the sandwich H⁻¹CH⁻¹ takes Newton's, H⁻¹.
///
///   const auto scale = ness::preconditioner_for(posterior.covariance, minimum.hessian, gradients);
///   const auto round = ness::in_coordinates(objective, minimum.theta, scale.root);  // η = 1
///
/// With Σ* = LLᵀ, the eigenvectors of LᵀHL solve it. Cost: one eigendecomposition, five products
/// and five Cholesky factorisations, of checks and the root too: 1.6 times the eigendecomposition
/// alone at N = 2000. Throws `std::invalid_argument` for sizes that disagree, numbers that are not
/// finite, a Σ* or H that is not symmetric and positive definite, a C that is not symmetric and
/// positive semidefinite, and one that to rounding does not reach all directions.
template <class Wanted, class Hessian, class Gradients>
Preconditioner<typename Wanted::Scalar> preconditioner_for(
    const Eigen::MatrixBase<Wanted>& wanted, const Eigen::MatrixBase<Hessian>& hessian,
    const Eigen::MatrixBase<Gradients>& gradients) {
  return detail::preconditioner_for<typename Wanted::Scalar>(wanted, hessian, gradients);
}

/// The same for batches of a training near `minimum`, with the C of points that are spread as
/// Σ* about it: 2(D + Π(Σ*))/η² (`DiffusionCurvature`), exact for losses quadratic in θ. The η of
/// `training` is of no consequence: Λ takes its place. Cost: that of D and Π besides. Throws
/// `std::invalid_argument` as above, for a training that does not fit, or where there is no
/// minimum.
template <class M, class R, DrawsIndependently T, class Wanted>
Preconditioner<scalar_t<M>> preconditioner_for(const Objective<M, R>& objective,
                                               const Minimum<scalar_t<M>>& minimum,
                                               const T& training,
                                               const Eigen::MatrixBase<Wanted>& wanted) {
  static_assert(Forgets<T> && SilentNoise<typename T::Noise>,
                "ness: a preconditioner is known of plain updates without other noise: use "
                "ness::Sgd<ness::WithReplacement> or its like");
  using Scalar = scalar_t<M>;
  using Matrix = DynamicMatrix<Scalar>;
  detail::require_minimum(minimum, "preconditioner_for");
  const Matrix spread = wanted;
  Matrix gradients = diffusion(objective, minimum.theta, training);
  gradients += DiffusionCurvature(objective, minimum.theta, training, spread)(spread);
  gradients *= static_cast<Scalar>(2 / (training.learning_rate * training.learning_rate));
  return detail::preconditioner_for<Scalar>(spread, minimum.hessian, gradients);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"

namespace ness::detail {

template <class Scalar>
void check_preconditioner(const DynamicMatrix<Scalar>& wanted, const DynamicMatrix<Scalar>& hessian,
                          const DynamicMatrix<Scalar>& gradients) {
  constexpr std::string_view name = "preconditioner_for";
  const Eigen::Index n = wanted.rows();
  require_not_empty(wanted, name, "wanted");
  require_size(wanted, n, n, name, "wanted");
  require_finite(wanted, name, "wanted");
  require_semidefinite(wanted, name, "wanted");
  require_size(hessian, n, n, name, "hessian");
  require_finite(hessian, name, "hessian");
  require_symmetric(hessian, name, "hessian");
  require_size(gradients, n, n, name, "gradients");
  require_finite(gradients, name, "gradients");
  require_semidefinite(gradients, name, "gradients");
}

/// Is a symmetric matrix, scaled to a unit diagonal, positive definite beyond its rounding?
template <class Scalar>
bool is_safely_positive(const DynamicMatrix<Scalar>& matrix) {
  DynamicMatrix<Scalar> shifted = UnitDiagonal<Scalar>(matrix).matrix;
  const auto n = static_cast<Scalar>(matrix.rows());
  for (Eigen::Index k = 0; k < matrix.rows(); ++k)
    shifted(k, k) -= n * std::numeric_limits<Scalar>::epsilon();
  return cholesky(shifted);
}

/// Throws the spectral radius of 1 − ΛH, of which ½ + B^{−½}ZB^{−½} has the inverse eigenvalues.
template <class Scalar>
[[noreturn]] void refuse_unreached(DynamicMatrix<Scalar> z, const DynamicVector<Scalar>& b) {
  for (Eigen::Index j = 0; j < z.cols(); ++j)
    for (Eigen::Index i = 0; i < z.rows(); ++i) z(i, j) /= std::sqrt(b[i]) * std::sqrt(b[j]);
  const DynamicVector<Scalar> values = SymmetricEigen<Scalar>(z).values;
  Scalar radius(0);
  for (const Scalar value : values)
    radius = std::max(radius, std::abs(1 - 1 / (Scalar(0.5) + value)));
  invalid("preconditioner_for",
          "the noise of the gradients must reach all directions, but of what it adds to the "
          "inverse of the preconditioner the smallest eigenvalue, in units of the Hessian, is ",
          values[0], ", with which the spectral radius of a step is ", radius,
          " and not below 1: leave out parameters that batches say nothing of");
}

/// ‖ΛHΣ + ΣHΛ − Λ(HΣH + C)Λ‖ / ‖Λ(HΣH + C)Λ‖ along a few vectors.
template <class Scalar>
Scalar residual_of_preconditioner(const DynamicMatrix<Scalar>& lambda,
                                  const DynamicMatrix<Scalar>& wanted,
                                  const DynamicMatrix<Scalar>& hessian,
                                  const DynamicMatrix<Scalar>& gradients) {
  using Vector = DynamicVector<Scalar>;
  Scalar worst(0);
  for (int probe = 1; probe <= 4; ++probe) {
    Vector at(wanted.rows());
    for (Eigen::Index k = 0; k < at.size(); ++k)
      at[k] = std::cos(static_cast<Scalar>(probe) * static_cast<Scalar>(k + 1)) /
              std::sqrt(wanted(k, k));
    const Vector scaled = lambda * at;
    const Vector force = hessian * scaled;
    const Vector spread = wanted * at;
    Vector drift = hessian * spread;
    Vector moment = wanted * force;
    const Vector back = moment;  // ΣHΛ
    moment = hessian * moment;
    moment += gradients * scaled;
    drift = lambda * drift;
    moment = lambda * moment;
    drift += back;
    drift -= moment;
    worst = std::max(worst, drift.norm() / moment.norm());
  }
  return worst;
}

// With T = LV, V the eigenvectors of B = LᵀHL: Λ⁻¹ = T⁻ᵀKT⁻¹, K_ij = ½b_iδ_ij + (TᵀCT)_ij/(b_i +
// b_j), so that with K = GGᵀ it is S = TG⁻ᵀ.
template <class Scalar>
Preconditioner<Scalar> preconditioner_for(const DynamicMatrix<Scalar>& wanted,
                                          const DynamicMatrix<Scalar>& hessian,
                                          const DynamicMatrix<Scalar>& gradients) {
  check_preconditioner(wanted, hessian, gradients);
  DynamicMatrix<Scalar> lower = wanted;
  if (!cholesky(lower))
    invalid("preconditioner_for",
            "wanted must be positive definite, but its smallest eigenvalue, scaled to a unit "
            "diagonal, is ",
            SymmetricEigen<Scalar>(UnitDiagonal<Scalar>(wanted).matrix).values[0]);
  const SymmetricEigen<Scalar> eigen(symmetric_product(transposed(lower), product(hessian, lower)));
  const DynamicVector<Scalar>& b = eigen.values;
  require(b[0] > 0, "preconditioner_for",
          "every eigenvalue of hessian * wanted must be positive; the smallest", b[0]);
  const DynamicMatrix<Scalar> t = product(lower, eigen.vectors);
  DynamicMatrix<Scalar> rows = transposed(t);
  DynamicMatrix<Scalar> k = symmetric_product(rows, product(gradients, t));
  for (Eigen::Index j = 0; j < k.cols(); ++j)
    for (Eigen::Index i = 0; i < k.rows(); ++i) k(i, j) /= b[i] + b[j];
  if (!is_safely_positive(k)) refuse_unreached(std::move(k), b);
  for (Eigen::Index i = 0; i < k.rows(); ++i) k(i, i) += b[i] / 2;
  cholesky(k);
  solve_lower(k, rows);
  Preconditioner<Scalar> result;
  result.root = transposed(rows);
  result.matrix = symmetric_product(result.root, rows);
  result.residual = residual_of_preconditioner(result.matrix, wanted, hessian, gradients);
  return result;
}

}  // namespace ness::detail
#endif
