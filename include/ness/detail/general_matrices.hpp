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

#include "ness/detail/reflections.hpp"

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

/// R = UTU* with T upper triangular.
struct ComplexSchurForm {
  DynamicMatrix<std::complex<double>> t, u;

  /// From R by way of Hessenberg's form. Throws `std::runtime_error` if it does not converge.
  template <class Scalar>
  explicit ComplexSchurForm(const DynamicMatrix<Scalar>& r) {
    using Complex = std::complex<Scalar>;
    const Eigen::Index n = r.rows();
    DynamicMatrix<Scalar> h = r;
    DynamicMatrix<Scalar> q = DynamicMatrix<Scalar>::Identity(n, n);
    if (n > 1) {
      const Eigen::HessenbergDecomposition<DynamicMatrix<Scalar>> reduced(r);
      h = reduced.packedMatrix();
      const DynamicVector<Scalar> coefficients = reduced.householderCoefficients();
      reflect(h, coefficients, q);
      for (Eigen::Index j = 0; j < n; ++j)
        for (Eigen::Index i = j + 2; i < n; ++i) h(i, j) = 0;
    }
    Eigen::ComplexSchur<DynamicMatrix<Scalar>> schur(n);
    const DynamicMatrix<Complex> complex_h = h.template cast<Complex>();
    const DynamicMatrix<Complex> complex_q = q.template cast<Complex>();
    schur.computeFromHessenberg(complex_h, complex_q, true);
    if (schur.info() != Eigen::Success)
      throw std::runtime_error("ness: the Schur iteration did not converge");
    t = schur.matrixT();
    u = schur.matrixU();
  }
};

/// x ← X of TX + XT* − c TXT* = x, in place, column by column from the last, for an upper
/// triangular T.
template <class Complex>
void solve_triangular_lyapunov(const DynamicMatrix<Complex>& t, double c,
                               DynamicMatrix<Complex>& x) {
  const Eigen::Index n = t.rows();
  DynamicMatrix<Complex> one_less = -c * t;  // I − cT
  for (Eigen::Index i = 0; i < n; ++i) one_less(i, i) += Complex(1);
  DynamicVector<Complex> known(n);
  for (Eigen::Index j = n - 1; j >= 0; --j) {
    known.setZero();
    for (Eigen::Index k = j + 1; k < n; ++k) known += std::conj(t(j, k)) * x.col(k);
    for (Eigen::Index k = 0; k < n; ++k) x.col(j) -= known[k] * one_less.col(k);
    // (T + conj(t_jj)(I − cT)) x = right side, upper triangular, from the last row up
    const Complex shift = std::conj(t(j, j));
    for (Eigen::Index i = n - 1; i >= 0; --i) {
      x(i, j) /= t(i, i) + shift * one_less(i, i);
      x.col(j).head(i) -= x(i, j) * (t.col(i).head(i) + shift * one_less.col(i).head(i));
    }
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
    using Matrix = DynamicMatrix<double>;
    const ComplexSchurForm schur(r);
    const Eigen::Index n = r.rows();
    decay_rates.resize(n);
    spectral_radius = 0;
    for (Eigen::Index i = 0; i < n; ++i) {
      decay_rates[i] = schur.t(i, i).real();
      if (c > 0) spectral_radius = std::max(spectral_radius, std::abs(1.0 - c * schur.t(i, i)));
    }
    std::sort(decay_rates.data(), decay_rates.data() + n);
    // Products of complex matrices by those of their parts, which are compiled already.
    const Matrix real = schur.u.real();
    const Matrix imag = schur.u.imag();
    const Matrix real_transposed = transposed(real);
    const Matrix imag_transposed = transposed(imag);
    const Matrix by_real = product(q, real);
    const Matrix by_imag = product(q, imag);
    DynamicMatrix<std::complex<double>> x(n, n);  // U*QU
    x.real() = product(real_transposed, by_real) + product(imag_transposed, by_imag);
    x.imag() = product(real_transposed, by_imag) - product(imag_transposed, by_real);
    solve_triangular_lyapunov(schur.t, c, x);
    const Matrix x_real = x.real();
    const Matrix x_imag = x.imag();
    const Matrix left_real = product(real, x_real) - product(imag, x_imag);
    const Matrix left_imag = product(real, x_imag) + product(imag, x_real);
    solution = half_sum_with_transpose(
        Matrix(product(left_real, real_transposed) + product(left_imag, imag_transposed)), 1);
    const Matrix half = product(r, solution);
    Matrix defect = half;
    add_scaled(defect, 1, transposed(half));
    add_scaled(defect, -c, product(half, transposed(r)));
    add_scaled(defect, -1, q);
    residual = q.norm() > 0 ? defect.norm() / q.norm() : defect.norm();
  }
}

}  // namespace ness::detail
#endif
