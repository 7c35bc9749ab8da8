// The way back from a reduced form of a matrix, tridiagonal or Hessenberg's. Eigen has it, in a
// form that takes longer to compile than all the rest of an eigenvalue problem.
#pragma once

#include <algorithm>

#include "ness/detail/matrices.hpp"

namespace ness::detail {

/// z ← H_first … H_{last−1} z with the reflections H_k = I − h_k v_kv_kᵀ of a tridiagonalisation,
/// v_k below the diagonal of column k: I − VTVᵀ of them together (R. Schreiber and C. Van Loan,
/// SIAM J. Sci. Stat. Comput. 10, 1989, doi:10.1137/0910005), so that it is three matrix products.
template <class Scalar>
void reflect_block(const DynamicMatrix<Scalar>& packed, const DynamicVector<Scalar>& h,
                   Eigen::Index first, Eigen::Index last, DynamicMatrix<Scalar>& z) {
  const Eigen::Index rows = z.rows() - first - 1;
  const Eigen::Index count = last - first;
  DynamicMatrix<Scalar> v = DynamicMatrix<Scalar>::Zero(rows, count);
  for (Eigen::Index j = 0; j < count; ++j) {
    v(j, j) = Scalar(1);
    for (Eigen::Index i = j + 1; i < rows; ++i) v(i, j) = packed(first + 1 + i, first + j);
  }
  const DynamicMatrix<Scalar> v_transposed = transposed(v);
  const DynamicMatrix<Scalar> overlaps = product(v_transposed, v);
  DynamicMatrix<Scalar> t = DynamicMatrix<Scalar>::Zero(count, count);
  for (Eigen::Index j = 0; j < count; ++j) {
    t(j, j) = h[first + j];
    for (Eigen::Index i = 0; i < j; ++i)
      for (Eigen::Index k = i; k < j; ++k) t(i, j) -= t(j, j) * t(i, k) * overlaps(k, j);
  }
  DynamicMatrix<Scalar> below = z.bottomRows(rows);
  add_scaled(below, -1, product(v, product(t, product(v_transposed, below))));
  z.bottomRows(rows) = below;
}

/// z ← Qz, Q = H_0 … H_{n−2}, for what Eigen's `Tridiagonalization` and `HessenbergDecomposition`
/// keep in their `packedMatrix()` and `householderCoefficients()`; z has n rows.
template <class Scalar>
void reflect(const DynamicMatrix<Scalar>& packed, const DynamicVector<Scalar>& h,
             DynamicMatrix<Scalar>& z) {
  constexpr Eigen::Index width = 32;
  for (Eigen::Index last = z.rows() - 1; last > 0;) {
    const Eigen::Index first = std::max<Eigen::Index>(0, last - width);
    reflect_block(packed, h, first, last, z);
    last = first;
  }
}

}  // namespace ness::detail
