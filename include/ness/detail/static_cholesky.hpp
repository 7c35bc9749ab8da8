// Cholesky's factorisation of matrices whose size the compiler knows, and solving with any factor.
#pragma once

#include <Eigen/Core>
#include <cmath>

namespace ness::detail {

/// `lower` ← L with LLᵀ = A, zeros above the diagonal; it holds A on entry, of which the lower
/// triangle is read. False where A is not positive definite. The same as `cholesky` of a dynamic
/// matrix, by loops that the compiler unrolls.
template <class Scalar, int N>
  requires(N != Eigen::Dynamic)
bool cholesky(Eigen::Matrix<Scalar, N, N>& lower) {
  for (int j = 0; j < N; ++j) {
    for (int k = 0; k < j; ++k) {
      lower(k, j) = Scalar(0);
      for (int i = j; i < N; ++i) lower(i, j) -= lower(i, k) * lower(j, k);
    }
    if (lower(j, j) <= Scalar(0)) return false;
    lower(j, j) = std::sqrt(lower(j, j));
    for (int i = j + 1; i < N; ++i) lower(i, j) /= lower(j, j);
  }
  return true;
}

/// vector ← L⁻¹ · vector. Cost: N² operations.
template <class Matrix, class Vector>
void divide_by_lower(const Matrix& lower, Vector& vector) {
  const Eigen::Index n = vector.size();
  for (Eigen::Index j = 0; j < n; ++j) {
    vector[j] /= lower(j, j);
    for (Eigen::Index i = j + 1; i < n; ++i) vector[i] -= lower(i, j) * vector[j];
  }
}

/// vector ← (LLᵀ)⁻¹ · vector. Cost: 2N² operations.
template <class Matrix, class Vector>
void solve_factored(const Matrix& lower, Vector& vector) {
  divide_by_lower(lower, vector);
  const Eigen::Index n = vector.size();
  for (Eigen::Index j = n - 1; j >= 0; --j) {
    for (Eigen::Index i = j + 1; i < n; ++i) vector[j] -= lower(i, j) * vector[i];
    vector[j] /= lower(j, j);
  }
}

}  // namespace ness::detail
