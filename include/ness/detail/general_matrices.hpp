// Matrices without symmetry: linear equations, and the Lyapunov equation. In double precision
// throughout: see symmetric_matrices.hpp.
#pragma once

#include "ness/detail/matrices.hpp"

namespace ness::detail {

/// A⁻¹B with pivoting.
template <class Scalar>
DynamicMatrix<Scalar> solve_general(const DynamicMatrix<Scalar>& a, const DynamicMatrix<Scalar>& b);

/// RX + XRᵀ − c RXRᵀ = Q for a general R and symmetric Q, from Schur's form R = UTU* column by
/// column (R. H. Bartels and G. W. Stewart, CACM 15, 1972, doi:10.1145/361573.361582).
template <class Scalar>
struct GeneralLyapunov {
  DynamicMatrix<Scalar> solution;     ///< N × N, symmetric
  DynamicVector<Scalar> decay_rates;  ///< real parts of the eigenvalues of R, increasing
  Scalar spectral_radius;             ///< of I − cR; 0 for c = 0
  Scalar residual;                    ///< ‖equation‖ / ‖Q‖, by direct substitution

  /// Throws `std::runtime_error` if the iteration does not converge.
  GeneralLyapunov(const DynamicMatrix<Scalar>& r, const DynamicMatrix<Scalar>& q, Scalar c);
};

}  // namespace ness::detail

#ifndef NESS_COMPILED  // else they are in the library

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <complex>
#include <stdexcept>
#include <type_traits>

namespace ness::detail {

template <class Scalar>
DynamicMatrix<Scalar> solve_general(const DynamicMatrix<Scalar>& a,
                                    const DynamicMatrix<Scalar>& b) {
  if constexpr (std::is_same_v<Scalar, double>) {
    return Eigen::PartialPivLU<DynamicMatrix<double>>(a).solve(b);
  } else {
    const DynamicMatrix<double> wide_a = a.template cast<double>();
    const DynamicMatrix<double> wide_b = b.template cast<double>();
    return solve_general(wide_a, wide_b).template cast<Scalar>();
  }
}

template <class Scalar>
GeneralLyapunov<Scalar>::GeneralLyapunov(const DynamicMatrix<Scalar>& r,
                                         const DynamicMatrix<Scalar>& q, Scalar c) {
  if constexpr (!std::is_same_v<Scalar, double>) {
    const DynamicMatrix<double> wide_r = r.template cast<double>();
    const DynamicMatrix<double> wide_q = q.template cast<double>();
    const GeneralLyapunov<double> wide(wide_r, wide_q, static_cast<double>(c));
    solution = wide.solution.template cast<Scalar>();
    decay_rates = wide.decay_rates.template cast<Scalar>();
    spectral_radius = static_cast<Scalar>(wide.spectral_radius);
    residual = static_cast<Scalar>(wide.residual);
  } else {
    using Complex = std::complex<double>;
    using ComplexMatrix = DynamicMatrix<Complex>;
    const Eigen::ComplexSchur<DynamicMatrix<double>> schur(r);
    if (schur.info() != Eigen::Success)
      throw std::runtime_error("ness: the Schur iteration did not converge");
    const ComplexMatrix& t = schur.matrixT();
    const ComplexMatrix& u = schur.matrixU();
    const Eigen::Index n = r.rows();
    decay_rates = t.diagonal().real();
    std::sort(decay_rates.begin(), decay_rates.end());
    spectral_radius = c > 0 ? (Complex(1) - c * t.diagonal().array()).abs().maxCoeff() : 0;
    const ComplexMatrix one_less = ComplexMatrix::Identity(n, n) - c * t;
    const ComplexMatrix adjoint = u.adjoint();
    const ComplexMatrix complex_q = q.template cast<Complex>();
    const ComplexMatrix half = adjoint * complex_q;
    ComplexMatrix x = half * u;
    DynamicVector<Complex> column(n);
    for (Eigen::Index j = n - 1; j >= 0; --j) {
      const Eigen::Index right = n - 1 - j;
      column.setZero();
      for (Eigen::Index k = j + 1; k < n; ++k) column += std::conj(t(j, k)) * x.col(k);
      if (right > 0) x.col(j) -= one_less.lazyProduct(column);
      // (T + conj(t_jj)(I − cT)) x = right side, upper triangular, from the last row up
      const Complex shift = std::conj(t(j, j));
      for (Eigen::Index i = n - 1; i >= 0; --i) {
        x(i, j) /= t(i, i) + shift * one_less(i, i);
        x.col(j).head(i) -= x(i, j) * (t.col(i).head(i) + shift * one_less.col(i).head(i));
      }
    }
    const ComplexMatrix left = u * x;
    const DynamicMatrix<double> real = ComplexMatrix(left * adjoint).real();
    solution = (real + real.transpose()) / 2;
    const DynamicMatrix<double> product = r * solution;
    const DynamicMatrix<double> transposed = r.transpose();
    const DynamicMatrix<double> defect =
        product + product.transpose() - c * DynamicMatrix<double>(product * transposed) - q;
    residual = q.norm() > 0 ? defect.norm() / q.norm() : defect.norm();
  }
}

}  // namespace ness::detail
#endif
