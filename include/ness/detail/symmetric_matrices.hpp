// Symmetric matrices: eigenvalues and eigenvectors by Eigen's solver, or, where NESS_USE_LAPACK is
// defined, by LAPACK's divide and conquer, which is faster for some hundred rows and more; and
// Cholesky's factorisation.
//
// Decompositions are slow to compile, so there is one of each, in double precision: those of float
// matrices go through it, and are right to the rounding of float whatever the condition.
#pragma once

#include <string_view>
#include <utility>

#include "ness/detail/matrices.hpp"

namespace ness::detail {

/// A = vectors · diag(values) · vectorsᵀ, values increasing; `vectors` holds A on entry, of which
/// the lower triangle is read. False if the iteration does not converge.
template <class Scalar>
bool symmetric_eigen(DynamicVector<Scalar>& values, DynamicMatrix<Scalar>& vectors);

/// `lower` ← L with LLᵀ = A, zeros above the diagonal; it holds A on entry, of which the lower
/// triangle is read. False where A is not positive definite, and `lower` is of no use then.
template <class Scalar>
bool cholesky(DynamicMatrix<Scalar>& lower);

/// right_sides ← L⁻¹ · right_sides for a lower triangular L.
template <class Scalar>
void solve_lower(const DynamicMatrix<Scalar>& lower, DynamicMatrix<Scalar>& right_sides);

/// right_side ← A⁻¹ · right_side by Cholesky's factorisation. False, and nothing done, where A is
/// not positive definite.
template <class Scalar>
bool solve_positive_definite(const DynamicMatrix<Scalar>& matrix,
                             DynamicVector<Scalar>& right_side);

/// A = SCS, S = diag(√A_ii), so that C has a unit diagonal: what is judged of C does not depend on
/// the units of the coordinates. A is symmetric; where A_ii is not positive, S_ii and row i of C
/// are 0.
template <class Scalar>
struct UnitDiagonal {
  DynamicVector<Scalar> units;   ///< S_ii
  DynamicMatrix<Scalar> matrix;  ///< C
  explicit UnitDiagonal(const DynamicMatrix<Scalar>& symmetric);
};

/// A_ij/(s_i s_j); what is in units of 0 stays as it is.
template <class Scalar>
DynamicMatrix<Scalar> in_units(const DynamicMatrix<Scalar>& matrix,
                               const DynamicVector<Scalar>& units);

/// Throws `std::invalid_argument` unless a finite square matrix is symmetric and positive
/// semidefinite, whatever the units of the coordinates: an eigenvalue of C = S⁻¹AS⁻¹ (see
/// `UnitDiagonal`) may be negative by √ε, half of the digits, for A comes from sums whose rounding
/// is not known here. A diagonal element that is 0 takes a row of zeros. Cost: N³/3 operations.
template <class Scalar>
void require_semidefinite(const DynamicMatrix<Scalar>& matrix, std::string_view function,
                          std::string_view name);

/// Does Cholesky's factorisation of a symmetric matrix exist?
template <class Scalar>
bool is_positive_definite(const DynamicMatrix<Scalar>& matrix) {
  DynamicMatrix<Scalar> factor = matrix;
  return is_finite(matrix) && cholesky(factor);
}

/// A = vectors · diag(values) · vectorsᵀ, values increasing.
template <class Scalar>
struct SymmetricEigen {
  DynamicVector<Scalar> values;
  DynamicMatrix<Scalar> vectors;

  /// Reads the lower triangle of a finite symmetric matrix. Throws `std::runtime_error` if the
  /// iteration does not converge.
  explicit SymmetricEigen(DynamicMatrix<Scalar> symmetric);

  /// vectors · diag(f(values)) · vectorsᵀ; of `f` its values are given.
  DynamicMatrix<Scalar> function(const DynamicVector<Scalar>& f) const;
  /// S with SSᵀ = A, vectors · diag(√values); negative values count as 0.
  DynamicMatrix<Scalar> root() const;
};
/// B, N × rank, with BᵀAB = 1 and BBᵀ the inverse of a covariance A on its range, to within
/// rounding and whatever the units of the coordinates.
template <class Scalar>
DynamicMatrix<Scalar> whitening(const DynamicMatrix<Scalar>& covariance);

template <class Derived>
SymmetricEigen(const Eigen::MatrixBase<Derived>&) -> SymmetricEigen<typename Derived::Scalar>;

}  // namespace ness::detail

#ifndef NESS_COMPILED  // else they are in the library

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <type_traits>

#include "ness/detail/check.hpp"
#include "ness/detail/reflections.hpp"
#include "ness/detail/static_cholesky.hpp"

#ifdef NESS_USE_LAPACK
#include <vector>
extern "C" {
// The last two arguments are the lengths of the character arguments, as Fortran passes them.
void dsyevd_(const char* job, const char* triangle, const int* n, double* a, const int* stride,
             double* values, double* work, const int* work_size, int* integers,
             const int* integers_size, int* info, std::size_t, std::size_t);
}
#endif

namespace ness::detail {

#ifdef NESS_USE_LAPACK
template <class Scalar>
bool symmetric_eigen_in_double(DynamicVector<Scalar>& values, DynamicMatrix<Scalar>& vectors) {
  int info = 0;
  const auto call = [&](double* work, int work_size, int* integers, int integers_size) {
    const int n = static_cast<int>(vectors.rows());
    dsyevd_("V", "L", &n, vectors.data(), &n, values.data(), work, &work_size, integers,
            &integers_size, &info, 1, 1);
  };
  values.resize(vectors.rows());
  double best_work = 0;
  int best_integers = 0;
  call(&best_work, -1, &best_integers, -1);
  if (info != 0) return false;
  std::vector<double> work(static_cast<std::size_t>(best_work));
  std::vector<int> integers(static_cast<std::size_t>(best_integers));
  call(work.data(), static_cast<int>(work.size()), integers.data(),
       static_cast<int>(integers.size()));
  return info == 0;
}
#else
/// H x = ±|x| e_1 with H = 1 − h vvᵀ, v_1 = 1: x ← ±|x| and the rest of v, and h is returned.
template <class Scalar>
Scalar reflect_to_axis(Scalar* x, Eigen::Index size) {
  const Scalar rest = dot(x + 1, x + 1, size - 1);
  if (rest <= std::numeric_limits<Scalar>::min()) {
    for (Eigen::Index i = 1; i < size; ++i) x[i] = 0;
    return Scalar(0);
  }
  const Scalar length = std::copysign(std::sqrt(x[0] * x[0] + rest), -x[0]);
  const Scalar from_length = x[0] - length;
  for (Eigen::Index i = 1; i < size; ++i) x[i] /= from_length;
  x[0] = length;
  return -from_length / length;
}

/// to += f a + g b of `count` numbers.
template <class Scalar>
void add_two(Scalar* to, Scalar f, const Scalar* a, Scalar g, const Scalar* b, Eigen::Index count) {
  using Numbers = Eigen::Map<const DynamicVector<Scalar>>;
  Eigen::Map<DynamicVector<Scalar>>(to, count) += f * Numbers(a, count) + g * Numbers(b, count);
}

/// Brings a symmetric matrix, of which the lower triangle is read, to tridiagonal form by the
/// reflections H_k = I − h_k v_kv_kᵀ: on the diagonal and below it are the result's elements, below
/// them v_k from its second element on, the first being 1. Returns h, n − 1. As fast as Eigen's,
/// which takes several times as long to compile.
template <class Scalar>
DynamicVector<Scalar> tridiagonalize(DynamicMatrix<Scalar>& a) {
  const Eigen::Index n = a.rows();
  DynamicVector<Scalar> h(n - 1), v(n), w(n);
  for (Eigen::Index k = 0; k + 1 < n; ++k) {
    const Eigen::Index size = n - 1 - k;
    Scalar* const x = a.data() + k * n + k + 1;
    h[k] = reflect_to_axis(x, size);
    v[0] = Scalar(1);
    for (Eigen::Index i = 1; i < size; ++i) v[i] = x[i];
    for (Eigen::Index i = 0; i < size; ++i) w[i] = Scalar(0);
    Scalar* const rest = a.data() + (k + 1) * (n + 1);
    Eigen::Index j = 0;
    for (; j + 1 < size; j += 2) {  // w = A v, of the lower triangle, two columns at a time
      const Scalar* const one = rest + j * n;
      const Scalar* const two = one + n;
      w[j] += dot(one + j, v.data() + j, size - j);
      w[j + 1] += one[j + 1] * v[j] + dot(two + j + 1, v.data() + j + 1, size - j - 1);
      add_two(w.data() + j + 2, v[j], one + j + 2, v[j + 1], two + j + 2, size - j - 2);
    }
    if (j < size) w[j] += rest[j * (n + 1)] * v[j];
    add_scaled(w.data(), -h[k] / 2 * dot(w.data(), v.data(), size), v.data(), size);
    for (j = 0; j < size; ++j)  // A − h(vwᵀ + wvᵀ)
      add_two(rest + j * (n + 1), -h[k] * w[j], v.data() + j, -h[k] * v[j], w.data() + j, size - j);
  }
  return h;
}

// In three parts, not by Eigen's `compute`, which takes longer to compile than all the rest.
template <class Scalar>
bool symmetric_eigen_in_double(DynamicVector<Scalar>& values, DynamicMatrix<Scalar>& vectors) {
  const Eigen::Index n = vectors.rows();
  values.resize(n);
  if (n == 0) return true;
  if (n == 1) {
    values[0] = vectors(0, 0);
    vectors(0, 0) = Scalar(1);
    return true;
  }
  Scalar scale(0);  // against overflow and underflow
  for (Eigen::Index j = 0; j < n; ++j)
    for (Eigen::Index i = j; i < n; ++i) scale = std::max(scale, std::abs(vectors(i, j)));
  if (scale == 0) scale = Scalar(1);
  for (Eigen::Index k = 0; k < vectors.size(); ++k) vectors.data()[k] /= scale;
  DynamicMatrix<Scalar> packed = vectors;
  const DynamicVector<Scalar> h = tridiagonalize(packed);
  Eigen::SelfAdjointEigenSolver<DynamicMatrix<Scalar>> solver(n);
  DynamicVector<Scalar> below(n - 1);
  for (Eigen::Index k = 0; k < n; ++k) values[k] = packed(k, k);
  for (Eigen::Index k = 0; k + 1 < n; ++k) below[k] = packed(k + 1, k);
  solver.computeFromTridiagonal(values, below);
  for (Eigen::Index k = 0; k < n; ++k) values[k] = scale * solver.eigenvalues()[k];
  vectors = solver.eigenvectors();
  reflect(packed, h, vectors);
  return solver.info() == Eigen::Success;
}
#endif

template <class Scalar>
bool symmetric_eigen(DynamicVector<Scalar>& values, DynamicMatrix<Scalar>& vectors) {
  if constexpr (std::is_same_v<Scalar, double>) {
    return symmetric_eigen_in_double(values, vectors);
  } else {
    DynamicVector<double> wide_values;
    DynamicMatrix<double> wide = vectors.template cast<double>();
    const bool converged = symmetric_eigen(wide_values, wide);
    values = wide_values.cast<Scalar>();
    vectors = wide.cast<Scalar>();
    return converged;
  }
}

/// Columns first … first + count − 1 of the factor, from what those before have left.
template <class Scalar>
bool factor_columns(DynamicMatrix<Scalar>& lower, Eigen::Index first, Eigen::Index count) {
  const Eigen::Index n = lower.rows();
  for (Eigen::Index j = first; j < first + count; ++j) {
    Scalar* const column = lower.data() + j * n;
    for (Eigen::Index k = first; k < j; ++k) {
      const Scalar* const before = lower.data() + k * n;
      const Scalar factor = before[j];
      for (Eigen::Index i = j; i < n; ++i) column[i] -= factor * before[i];
    }
    if (!(column[j] > 0)) return false;
    const Scalar root = std::sqrt(column[j]);
    for (Eigen::Index i = j; i < n; ++i) column[i] /= root;
  }
  return true;
}

// In blocks, as Eigen's, which instantiates kernels that nothing else here needs.
template <class Scalar>
bool cholesky(DynamicMatrix<Scalar>& lower) {
  if constexpr (std::is_same_v<Scalar, double>) {
    constexpr Eigen::Index width = 32;
    const Eigen::Index n = lower.rows();
    for (Eigen::Index first = 0; first < n; first += width) {
      const Eigen::Index count = std::min(width, n - first);
      if (!factor_columns(lower, first, count)) return false;
      const Eigen::Index rest = n - first - count;
      if (rest > 0)
        rank_update<Scalar>(lower.bottomRightCorner(rest, rest),
                            lower.block(first + count, first, rest, count), Scalar(-1));
    }
    for (Eigen::Index j = 1; j < n; ++j)
      for (Eigen::Index i = 0; i < j; ++i) lower(i, j) = 0;
    return true;
  } else {
    DynamicMatrix<double> wide = lower.template cast<double>();
    const bool positive = cholesky(wide);
    lower = wide.cast<Scalar>();
    return positive;
  }
}

/// Rows first … first + count − 1 of the solution, from what those before have left.
template <class Scalar>
void solve_rows(const DynamicMatrix<Scalar>& lower, Eigen::Index first, Eigen::Index count,
                DynamicMatrix<Scalar>& right_sides) {
  const Eigen::Index n = lower.rows();
  for (Eigen::Index j = 0; j < right_sides.cols(); ++j) {
    Scalar* const x = right_sides.data() + j * n;
    for (Eigen::Index k = first; k < first + count; ++k) {
      const Scalar* const column = lower.data() + k * n;
      x[k] /= column[k];
      for (Eigen::Index i = k + 1; i < first + count; ++i) x[i] -= x[k] * column[i];
    }
  }
}

// In blocks, as Cholesky's factorisation.
template <class Scalar>
void solve_lower(const DynamicMatrix<Scalar>& lower, DynamicMatrix<Scalar>& right_sides) {
  constexpr Eigen::Index width = 64;
  const Eigen::Index n = lower.rows();
  for (Eigen::Index first = 0; first < n; first += width) {
    const Eigen::Index count = std::min(width, n - first);
    solve_rows(lower, first, count, right_sides);
    const Eigen::Index rest = n - first - count;
    if (rest == 0) return;
    const DynamicMatrix<Scalar> panel = lower.block(first + count, first, rest, count);
    const DynamicMatrix<Scalar> solved = right_sides.middleRows(first, count);
    right_sides.bottomRows(rest) -= product(panel, solved);
  }
}

template <class Scalar>
bool solve_positive_definite(const DynamicMatrix<Scalar>& matrix,
                             DynamicVector<Scalar>& right_side) {
  using Double = typename DoubleFor<Scalar>::type;
  DynamicMatrix<Double> lower = converted<Double>(matrix);
  if (!cholesky(lower)) return false;
  DynamicVector<Double> solution = converted<Double>(right_side);
  solve_factored(lower, solution);
  right_side = converted<Scalar>(solution);
  return true;
}

template <class Scalar>
DynamicMatrix<Scalar> in_units(const DynamicMatrix<Scalar>& matrix,
                               const DynamicVector<Scalar>& units) {
  DynamicMatrix<Scalar> result = matrix;
  const auto unit = [&](Eigen::Index k) { return units[k] > 0 ? units[k] : Scalar(1); };
  for (Eigen::Index j = 0; j < matrix.cols(); ++j)
    for (Eigen::Index i = 0; i < matrix.rows(); ++i)
      result(i, j) = matrix(i, j) / unit(i) / unit(j);
  return result;
}

template <class Scalar>
UnitDiagonal<Scalar>::UnitDiagonal(const DynamicMatrix<Scalar>& symmetric)
    : units(symmetric.rows()) {
  for (Eigen::Index k = 0; k < units.size(); ++k)
    units[k] = symmetric(k, k) > 0 ? std::sqrt(symmetric(k, k)) : Scalar(0);
  matrix = in_units(symmetric, units);
  for (Eigen::Index k = 0; k < units.size(); ++k) {
    if (units[k] > 0) continue;
    for (Eigen::Index i = 0; i < units.size(); ++i) matrix(i, k) = matrix(k, i) = Scalar(0);
  }
}

/// A diagonal without negative elements, and rows of zeros where it is 0.
template <class Scalar>
void require_semidefinite_diagonal(const DynamicMatrix<Scalar>& matrix, std::string_view function,
                                   std::string_view name) {
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    if (matrix(i, i) > 0) continue;
    if (matrix(i, i) < 0)
      invalid(function, name, " must be positive semidefinite, but element (", i, ", ", i, ") is ",
              matrix(i, i));
    for (Eigen::Index j = 0; j < matrix.cols(); ++j)
      if (matrix(i, j) != 0 || matrix(j, i) != 0)
        invalid(function, name, " must be positive semidefinite, but element (", i, ", ", i,
                ") is 0 and (", i, ", ", j, ") is not: it is ", matrix(i, j));
  }
}

template <class Scalar>
void require_semidefinite(const DynamicMatrix<Scalar>& matrix, std::string_view function,
                          std::string_view name) {
  require_symmetric(matrix, function, name);
  require_semidefinite_diagonal(matrix, function, name);
  const Scalar tolerance = std::sqrt(std::numeric_limits<Scalar>::epsilon());
  const UnitDiagonal<Scalar> scaled(matrix);
  DynamicMatrix<Scalar> shifted = scaled.matrix;
  for (Eigen::Index k = 0; k < shifted.rows(); ++k) shifted(k, k) += tolerance;
  if (cholesky(shifted)) return;
  const Scalar smallest = SymmetricEigen<Scalar>(scaled.matrix).values[0];
  if (smallest < -tolerance)
    invalid(function, name,
            " must be positive semidefinite, but the smallest eigenvalue of it, scaled to a unit "
            "diagonal, is ",
            smallest);
}

template <class Scalar>
SymmetricEigen<Scalar>::SymmetricEigen(DynamicMatrix<Scalar> symmetric)
    : vectors(std::move(symmetric)) {
  if (!symmetric_eigen(values, vectors))
    throw std::runtime_error("ness: the symmetric eigenvalue iteration did not converge");
}

template <class Scalar>
DynamicMatrix<Scalar> SymmetricEigen<Scalar>::function(const DynamicVector<Scalar>& f) const {
  DynamicMatrix<Scalar> scaled = vectors;
  for (Eigen::Index k = 0; k < f.size(); ++k) scaled.col(k) *= f[k];
  return symmetric_product(scaled, transposed(vectors));
}

template <class Scalar>
DynamicMatrix<Scalar> whitening(const DynamicMatrix<Scalar>& covariance) {
  const UnitDiagonal<Scalar> scaled(covariance);
  const SymmetricEigen<Scalar> eigen(scaled.matrix);
  const Eigen::Index n = covariance.rows();
  const Scalar least = 16 * static_cast<Scalar>(n) * std::numeric_limits<Scalar>::epsilon() *
                       (n > 0 ? eigen.values[n - 1] : Scalar(0));
  Eigen::Index first = 0;
  while (first < n && !(eigen.values[first] > least)) ++first;
  DynamicMatrix<Scalar> result(n, n - first);
  for (Eigen::Index k = first; k < n; ++k)
    for (Eigen::Index i = 0; i < n; ++i)
      result(i, k - first) =
          scaled.units[i] > 0 ? eigen.vectors(i, k) / scaled.units[i] / std::sqrt(eigen.values[k])
                              : Scalar(0);
  return result;
}

template <class Scalar>
DynamicMatrix<Scalar> SymmetricEigen<Scalar>::root() const {
  DynamicMatrix<Scalar> scaled = vectors;
  for (Eigen::Index k = 0; k < values.size(); ++k)
    scaled.col(k) *= std::sqrt(std::max(values[k], Scalar(0)));
  return scaled;
}

}  // namespace ness::detail
#endif
