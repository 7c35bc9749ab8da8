// Eigenvalues and eigenvectors of a symmetric matrix: Eigen's solver, or, where NESS_USE_LAPACK is
// defined, LAPACK's divide and conquer, which is faster for matrices of some hundred rows and more.
#pragma once

#include <Eigen/Eigenvalues>
#include <stdexcept>
#include <type_traits>

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

/// A = vectors · diag(values) · vectorsᵀ, values increasing.
template <class Matrix>
struct SymmetricEigen {
  using Scalar = typename Matrix::Scalar;
  using Vector = Eigen::Matrix<Scalar, Matrix::RowsAtCompileTime, 1>;
  Vector values;
  Matrix vectors;

  /// Reads the lower triangle of a finite symmetric matrix. Throws `std::runtime_error` if the
  /// iteration does not converge.
  explicit SymmetricEigen(const Matrix& symmetric) {
#ifdef NESS_USE_LAPACK
    if constexpr (Matrix::RowsAtCompileTime == Eigen::Dynamic) {
      by_lapack(symmetric);
      return;
    }
#endif
    const Eigen::SelfAdjointEigenSolver<Matrix> solver(symmetric);
    if (solver.info() != Eigen::Success) fail();
    values = solver.eigenvalues();
    vectors = solver.eigenvectors();
  }

 private:
  [[noreturn]] static void fail() {
    throw std::runtime_error("ness: the symmetric eigenvalue iteration did not converge");
  }

#ifdef NESS_USE_LAPACK
  void by_lapack(const Matrix& symmetric) {
    const auto call = [&](Scalar* work, int work_size, int* integers, int integers_size) {
      const int n = static_cast<int>(symmetric.rows());
      int info = 0;
      if constexpr (std::is_same_v<Scalar, double>)
        dsyevd_("V", "L", &n, vectors.data(), &n, values.data(), work, &work_size, integers,
                &integers_size, &info, 1, 1);
      else
        ssyevd_("V", "L", &n, vectors.data(), &n, values.data(), work, &work_size, integers,
                &integers_size, &info, 1, 1);
      if (info != 0) fail();
    };
    vectors = symmetric;
    values.resize(symmetric.rows());
    Scalar best_work = 0;
    int best_integers = 0;
    call(&best_work, -1, &best_integers, -1);
    std::vector<Scalar> work(static_cast<std::size_t>(best_work));
    std::vector<int> integers(static_cast<std::size_t>(best_integers));
    call(work.data(), static_cast<int>(work.size()), integers.data(),
         static_cast<int>(integers.size()));
  }
#endif
};

}  // namespace ness::detail
