// Matrices without symmetry: linear equations, and the Lyapunov equation.
#pragma once

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <complex>
#include <stdexcept>

#include "ness/detail/symmetric_eigen.hpp"

namespace ness::detail {

/// b ← A⁻¹b with pivoting, of dynamic size so that all models share it.
template <class Scalar>
void solve_general(const DynamicMatrix<Scalar>& matrix, DynamicVector<Scalar>& right_side) {
  right_side = Eigen::PartialPivLU<DynamicMatrix<Scalar>>(matrix).solve(right_side);
}

/// A⁻¹B with pivoting.
template <class Scalar>
DynamicMatrix<Scalar> divide_general(const DynamicMatrix<Scalar>& a,
                                     const DynamicMatrix<Scalar>& b) {
  return Eigen::PartialPivLU<DynamicMatrix<Scalar>>(a).solve(b);
}

/// RX + XRᵀ − c RXRᵀ = Q for a general R and symmetric Q, from Schur's form R = UTU* column by
/// column (R. H. Bartels and G. W. Stewart, CACM 15, 1972, doi:10.1145/361573.361582).
template <class Scalar>
struct GeneralLyapunov {
  DynamicMatrix<Scalar> solution;     ///< N × N, symmetric
  DynamicVector<Scalar> decay_rates;  ///< real parts of the eigenvalues of R, increasing
  Scalar spectral_radius;             ///< of I − cR; 0 for c = 0
  Scalar residual;                    ///< ‖equation‖ / ‖Q‖, by direct substitution

  /// Throws `std::runtime_error` if the iteration does not converge.
  GeneralLyapunov(const DynamicMatrix<Scalar>& r, const DynamicMatrix<Scalar>& q, Scalar c) {
    using Complex = std::complex<Scalar>;
    using ComplexMatrix = DynamicMatrix<Complex>;
    const Eigen::ComplexSchur<DynamicMatrix<Scalar>> schur(r);
    if (schur.info() != Eigen::Success)
      throw std::runtime_error("ness: the Schur iteration did not converge");
    const ComplexMatrix& t = schur.matrixT();
    const ComplexMatrix& u = schur.matrixU();
    const Eigen::Index n = r.rows();
    decay_rates = t.diagonal().real();
    std::sort(decay_rates.begin(), decay_rates.end());
    spectral_radius = c > 0 ? (Complex(1) - c * t.diagonal().array()).abs().maxCoeff() : Scalar(0);
    const ComplexMatrix one_less = ComplexMatrix::Identity(n, n) - c * t;
    ComplexMatrix x = u.adjoint() * q * u;
    for (Eigen::Index j = n - 1; j >= 0; --j) {
      const Eigen::Index right = n - 1 - j;
      if (right > 0)
        x.col(j) -= one_less * (x.rightCols(right) * t.row(j).tail(right).adjoint()).eval();
      const ComplexMatrix left = t + std::conj(t(j, j)) * one_less;
      x.col(j) = left.template triangularView<Eigen::Upper>().solve(x.col(j)).eval();
    }
    const DynamicMatrix<Scalar> real = (u * x * u.adjoint()).real();
    solution = (real + real.transpose()) / 2;
    const DynamicMatrix<Scalar> product = r * solution;
    const DynamicMatrix<Scalar> defect =
        product + product.transpose() - c * product * r.transpose() - q;
    residual = q.norm() > 0 ? defect.norm() / q.norm() : defect.norm();
  }
};

}  // namespace ness::detail
