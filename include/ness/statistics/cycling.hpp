// How fast, and in which planes, a stationary state goes round (not in the paper).
#pragma once

#include "ness/detail/matrices.hpp"

namespace ness {

/// The frequencies of a linear stationary state: ±iω are the eigenvalues of CΣ⁻¹, with which v^s =
/// −CΣ⁻¹δθ turns (C. Weiss et al., Phys. Rev. E 76, 061111, 2007; J. P. Gonzalez et al., Phys. Rev.
/// E 99, 022143, 2019). They depend neither on the units of θ nor on what linear coordinates it is
/// in, and are what experiments report; ⟨σ⟩ needs D besides. Per unit of what C is: in radians per
/// Markov step.
template <class Scalar = double>
struct Cycling {
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// ω ≥ 0, decreasing, ⌊rank Σ/2⌋ of them, each right to within rounding of the largest.
  Vector frequencies;
  /// u₁, v₁, u₂, v₂, …, in columns: (u·δθ, v·δθ) have variance 1, no covariance, and go round
  /// counterclockwise, v^s = ω(−v·δθ, u·δθ).
  Matrix axes;

  Cycling() = default;
  /// Of C and Σ, N × N; on the range of Σ. Cost: an eigendecomposition of 2N × 2N. Throws
  /// `std::invalid_argument` for other sizes, or numbers that are not finite.
  Cycling(const Matrix& circulation, const Matrix& covariance);

  /// u and v of a frequency, N × 2, for a picture of θ in the plane.
  Matrix plane(Eigen::Index which = 0) const { return axes.middleCols(2 * which, 2); }
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"

namespace ness {

namespace detail {

/// z ← z − w(w*z) of complex z = x + iy, and |w| = 1; x above y in one column.
template <class Scalar>
void take_off(DynamicVector<Scalar>& z, const DynamicVector<Scalar>& w) {
  const Eigen::Index n = z.size() / 2;
  Scalar real(0), imaginary(0);
  for (Eigen::Index i = 0; i < n; ++i) {
    real += w[i] * z[i] + w[n + i] * z[n + i];
    imaginary += w[i] * z[n + i] - w[n + i] * z[i];
  }
  for (Eigen::Index i = 0; i < n; ++i) {
    z[i] -= real * w[i] - imaginary * w[n + i];
    z[n + i] -= real * w[n + i] + imaginary * w[i];
  }
}

}  // namespace detail

// With WᵀΣW = 1 and B = WᵀCW: −iBz = ωz of z = x + iy is [0 B; −B 0](x; y) = ω(x; y), symmetric, in
// which each ω stands twice, for z and iz.
template <class Scalar>
Cycling<Scalar>::Cycling(const Matrix& circulation, const Matrix& covariance) {
  const Eigen::Index n = covariance.rows();
  detail::require_size(covariance, n, n, "Cycling", "covariance");
  detail::require_finite(covariance, "Cycling", "covariance");
  detail::require_size(circulation, n, n, "Cycling", "circulation");
  detail::require_finite(circulation, "Cycling", "circulation");
  const Matrix white = detail::whitening(covariance);
  const Eigen::Index rank = white.cols(), pairs = rank / 2;
  frequencies.resize(pairs);
  axes.resize(n, 2 * pairs);
  const Matrix b = detail::product(detail::transposed(white), detail::product(circulation, white));
  Matrix twice = Matrix::Zero(2 * rank, 2 * rank);
  for (Eigen::Index j = 0; j < rank; ++j)
    for (Eigen::Index i = 0; i < rank; ++i) {
      twice(i, rank + j) = (b(i, j) - b(j, i)) / 2;
      twice(rank + i, j) = -twice(i, rank + j);
    }
  const detail::SymmetricEigen<Scalar> eigen(std::move(twice));
  Matrix taken(2 * rank, pairs);
  Eigen::Index found = 0;
  // Of what is nearly one, for ω that coincide: one of 2m vectors has a part of 1/m at least that
  // is not in those taken before.
  for (Eigen::Index k = 2 * rank - 1; k >= 0 && found < pairs; --k) {
    Vector z = eigen.vectors.col(k);
    for (Eigen::Index l = 0; l < found; ++l) detail::take_off<Scalar>(z, Vector(taken.col(l)));
    const Scalar left = z.norm();
    if (!(2 * static_cast<Scalar>(rank) * left * left > 1)) continue;
    taken.col(found) = z / left;
    frequencies[found++] = std::abs(eigen.values[k]);
  }
  for (Eigen::Index l = 0; l < pairs; ++l)
    for (Eigen::Index i = 0; i < n; ++i) {
      Scalar u(0), v(0);
      for (Eigen::Index k = 0; k < rank; ++k) {
        u += white(i, k) * taken(k, l);
        v += white(i, k) * taken(rank + k, l);
      }
      axes(i, 2 * l) = u * std::sqrt(Scalar(2));
      axes(i, 2 * l + 1) = v * std::sqrt(Scalar(2));
    }
}

}  // namespace ness
#endif
