// Symmetric matrices. Eigenvalues and eigenvectors by Eigen's solver, or, where NESS_USE_LAPACK is
// defined, by LAPACK's divide and conquer, which is faster for some hundred rows and more.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <stdexcept>
#include <type_traits>
#include <utility>

#ifdef NESS_USE_LAPACK
extern "C" {
// The last two arguments are the lengths of the character arguments, as Fortran passes them.
void dsyevd_(const char* job, const char* triangle, const int* n, double* a, const int* stride,
             double* values, double* work, const int* work_size, int* integers,
             const int* integers_size, int* info, std::size_t, std::size_t);
void ssyevd_(const char* job, const char* triangle, const int* n, float* a, const int* stride,
             float* values, float* work, const int* work_size, int* integers,
             const int* integers_size, int* info, std::size_t, std::size_t);
}
#include <vector>
#endif

namespace ness::detail {

// Decompositions are slow to compile. These two are functions of dynamic size and not inline, so
// that every model shares them, and a program of many files can instantiate them in one
// (`extern template`).

template <class Scalar>
using DynamicMatrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
template <class Scalar>
using DynamicVector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

#ifdef NESS_USE_LAPACK
/// By divide and conquer; `vectors` holds the matrix on entry. Returns LAPACK's status, 0 if good.
template <class Scalar>
int symmetric_eigen_by_lapack(DynamicVector<Scalar>& values, DynamicMatrix<Scalar>& vectors) {
  int info = 0;
  const auto call = [&](Scalar* work, int work_size, int* integers, int integers_size) {
    const int n = static_cast<int>(vectors.rows());
    const auto solve = [] {
      if constexpr (std::is_same_v<Scalar, double>)
        return &dsyevd_;
      else
        return &ssyevd_;
    }();
    solve("V", "L", &n, vectors.data(), &n, values.data(), work, &work_size, integers,
          &integers_size, &info, 1, 1);
  };
  values.resize(vectors.rows());
  Scalar best_work = 0;
  int best_integers = 0;
  call(&best_work, -1, &best_integers, -1);
  if (info != 0) return info;
  std::vector<Scalar> work(static_cast<std::size_t>(best_work));
  std::vector<int> integers(static_cast<std::size_t>(best_integers));
  call(work.data(), static_cast<int>(work.size()), integers.data(),
       static_cast<int>(integers.size()));
  return info;
}
#endif

/// A = vectors · diag(values) · vectorsᵀ, values increasing; `vectors` holds A on entry, of which
/// the lower triangle is read. False if the iteration does not converge.
template <class Scalar>
bool symmetric_eigen(DynamicVector<Scalar>& values, DynamicMatrix<Scalar>& vectors) {
#ifdef NESS_USE_LAPACK
  return symmetric_eigen_by_lapack<Scalar>(values, vectors) == 0;
#else
  const Eigen::SelfAdjointEigenSolver<DynamicMatrix<Scalar>> solver(vectors);
  values = solver.eigenvalues();
  vectors = solver.eigenvectors();
  return solver.info() == Eigen::Success;
#endif
}

/// right_side ← A⁻¹ · right_side by Cholesky's factorisation. False, and nothing done, where A is
/// not positive definite.
template <class Scalar>
bool solve_positive_definite(const DynamicMatrix<Scalar>& matrix,
                             DynamicVector<Scalar>& right_side) {
  const Eigen::LLT<DynamicMatrix<Scalar>> factor(matrix);
  if (factor.info() != Eigen::Success) return false;
  factor.solveInPlace(right_side);
  return true;
}

/// A = vectors · diag(values) · vectorsᵀ, values increasing.
template <class Matrix>
struct SymmetricEigen {
  using Scalar = typename Matrix::Scalar;
  Eigen::Matrix<Scalar, Matrix::RowsAtCompileTime, 1> values;
  Matrix vectors;

  /// Reads the lower triangle of a finite symmetric matrix. Throws `std::runtime_error` if the
  /// iteration does not converge.
  explicit SymmetricEigen(const Matrix& symmetric) {
    DynamicVector<Scalar> found;
    DynamicMatrix<Scalar> basis = symmetric;
    if (!symmetric_eigen<Scalar>(found, basis))
      throw std::runtime_error("ness: the symmetric eigenvalue iteration did not converge");
    values = std::move(found);
    vectors = std::move(basis);
  }
};

}  // namespace ness::detail
