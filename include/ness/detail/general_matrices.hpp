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
///
/// The coordinates are scaled until X has diagonal elements of one size: neither their units nor a
/// large coupling from one to another cost digits.
template <class Scalar>
struct GeneralLyapunov {
  DynamicMatrix<Scalar> solution;     ///< N × N, symmetric
  DynamicVector<Scalar> decay_rates;  ///< real parts of the eigenvalues of R, increasing
  Scalar spectral_radius;             ///< of I − cR; 0 for c = 0
  Scalar residual;  ///< ‖equation‖ / ‖Q‖, by direct substitution, in units of √X_ii
  /// A bound of ‖X − exact‖ / ‖X‖ in these units: what the residual and its rounding may amount to.
  Scalar error;

  /// Throws `std::runtime_error` if the iteration does not converge.
  GeneralLyapunov(const DynamicMatrix<Scalar>& r, const DynamicMatrix<Scalar>& q, Scalar c);
};

}  // namespace ness::detail

#ifndef NESS_COMPILED  // else they are in the library

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <optional>
#include <stdexcept>
#include <type_traits>

#include "ness/detail/reflections.hpp"

namespace ness::detail {

template <class Scalar>
DynamicMatrix<Scalar> solve_general(const DynamicMatrix<Scalar>& a,
                                    const DynamicMatrix<Scalar>& b) {
  if constexpr (std::is_same_v<Scalar, double>) {
    return Eigen::PartialPivLU<DynamicMatrix<Scalar>>(a).solve(b);
  } else {
    const DynamicMatrix<double> wide_a = a.template cast<double>();
    const DynamicMatrix<double> wide_b = b.template cast<double>();
    return solve_general(wide_a, wide_b).template cast<Scalar>();
  }
}

// `Scalar` is double in what follows, a template argument only so that it is compiled where it is
// used.

/// R = UTU* with T upper triangular.
template <class Scalar>
struct ComplexSchurForm {
  DynamicMatrix<std::complex<Scalar>> t, u;

  /// From R by way of Hessenberg's form. Throws `std::runtime_error` if it does not converge.
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

/// The same for any R, in units that are given.
template <class Scalar>
class ScaledLyapunov {
 public:
  using Matrix = DynamicMatrix<Scalar>;
  using Vector = DynamicVector<Scalar>;

  ScaledLyapunov(const Matrix& r, const Matrix& q, Scalar c, const Vector& units)
      : c_(c), r_(r), q_(q), units_(units) {
    for (Eigen::Index j = 0; j < r.cols(); ++j)
      for (Eigen::Index i = 0; i < r.rows(); ++i) {
        r_(i, j) = r(i, j) / units[i] * units[j];
        q_(i, j) = q(i, j) / units[i] / units[j];
      }
    schur_.emplace(r_);
    solution_ = solve(q_);
  }

  const ComplexSchurForm<Scalar>& schur() const { return *schur_; }
  const Matrix& solution() const { return solution_; }

  Matrix solution_in_old_units() const {
    Matrix x = solution_;
    for (Eigen::Index j = 0; j < x.cols(); ++j)
      for (Eigen::Index i = 0; i < x.rows(); ++i) x(i, j) = x(i, j) * units_[i] * units_[j];
    return x;
  }

  Scalar residual() const {
    const Scalar size = q_.norm();
    return size > 0 ? defect() / size : defect();
  }

  // The inverse of the equation keeps matrices positive, so that its norm is that of its value at
  // the unit matrix.
  Scalar error() const {
    const Eigen::Index n = r_.rows();
    const Scalar largest = solve(Matrix::Identity(n, n)).norm();
    const Scalar rounding = std::numeric_limits<Scalar>::epsilon() *
                            (2 * r_.norm() + c_ * r_.squaredNorm()) * solution_.norm();
    const Scalar size = solution_.norm();
    return size > 0 ? largest * (defect() + rounding) / size : 0;
  }

 private:
  Scalar defect() const {
    const Matrix half = product(r_, solution_);
    Matrix defect = half;
    add_scaled(defect, 1, transposed(half));
    add_scaled(defect, -c_, product(half, transposed(r_)));
    add_scaled(defect, -1, q_);
    return defect.norm();
  }

  // Products of complex matrices by those of their parts, which are compiled already.
  Matrix solve(const Matrix& q) const {
    const Eigen::Index n = q.rows();
    const Matrix real = schur_->u.real();
    const Matrix imag = schur_->u.imag();
    const Matrix real_transposed = transposed(real);
    const Matrix imag_transposed = transposed(imag);
    const Matrix by_real = product(q, real);
    const Matrix by_imag = product(q, imag);
    DynamicMatrix<std::complex<Scalar>> x(n, n);  // U*QU
    x.real() = product(real_transposed, by_real) + product(imag_transposed, by_imag);
    x.imag() = product(real_transposed, by_imag) - product(imag_transposed, by_real);
    solve_triangular_lyapunov(schur_->t, c_, x);
    const Matrix x_real = x.real();
    const Matrix x_imag = x.imag();
    const Matrix left_real = product(real, x_real) - product(imag, x_imag);
    const Matrix left_imag = product(real, x_imag) + product(imag, x_real);
    return half_sum_with_transpose<Scalar>(
        Matrix(product(left_real, real_transposed) + product(left_imag, imag_transposed)), 1);
  }

  Scalar c_;
  Matrix r_, q_;
  Vector units_;
  std::optional<ComplexSchurForm<Scalar>> schur_;
  Matrix solution_;
};

/// A power of 2, so that scaling does not round; 1 for 0.
inline double nearby_power_of_two(double value) {
  return value > 0 && std::isfinite(value) ? std::exp2(std::round(std::log2(value))) : 1.0;
}

/// Units of coordinates before X is known: √Q_ii; where there is no noise, what the coordinates
/// that have a unit drive in the time that the fastest one takes.
template <class Scalar>
DynamicVector<Scalar> units_of_noise(const DynamicMatrix<Scalar>& r,
                                     const DynamicMatrix<Scalar>& q) {
  const Eigen::Index n = r.rows();
  DynamicVector<Scalar> units(n);
  for (Eigen::Index i = 0; i < n; ++i) units[i] = q(i, i) > 0 ? std::sqrt(q(i, i)) : 0.0;
  const double rate = r.diagonal().cwiseAbs().maxCoeff();
  const auto driven = [&](Eigen::Index i) {
    double unit = 0;
    for (Eigen::Index k = 0; k < n; ++k) unit = std::max(unit, std::abs(r(i, k)) * units[k] / rate);
    return unit;
  };
  for (Eigen::Index pass = 0; pass < n && rate > 0; ++pass) {
    const DynamicVector<Scalar> known = units;
    for (Eigen::Index i = 0; i < n; ++i)
      if (known[i] == 0) units[i] = driven(i);
    if (units == known) break;
  }
  for (double& unit : units) unit = nearby_power_of_two(unit);
  return units;
}

/// Scales the units by √X_ii. False where that changes nothing that matters.
template <class Scalar>
bool adapt_units(const DynamicMatrix<Scalar>& x, DynamicVector<Scalar>& units) {
  double smallest = std::numeric_limits<double>::infinity(), largest = 0;
  for (Eigen::Index i = 0; i < units.size(); ++i) {
    if (!(x(i, i) > 0) || !std::isfinite(x(i, i))) continue;
    const double unit = std::sqrt(x(i, i));
    smallest = std::min(smallest, unit);
    largest = std::max(largest, unit);
    units[i] *= nearby_power_of_two(unit);
  }
  return largest > 16 * smallest;
}

/// Scales until X has a diagonal of one size. A first X far from it may have no digit right.
template <class Scalar>
ScaledLyapunov<Scalar> solve_in_own_units(const DynamicMatrix<Scalar>& r,
                                          const DynamicMatrix<Scalar>& q, Scalar c) {
  constexpr int enough = 4;
  DynamicVector<Scalar> units = units_of_noise(r, q);
  ScaledLyapunov<Scalar> scaled(r, q, c, units);
  for (int pass = 0; pass < enough && adapt_units(scaled.solution(), units); ++pass)
    scaled = ScaledLyapunov<Scalar>(r, q, c, units);
  return scaled;
}

template <class Scalar>
GeneralLyapunov<Scalar>::GeneralLyapunov(const DynamicMatrix<Scalar>& r,
                                         const DynamicMatrix<Scalar>& q, Scalar c) {
  const DynamicMatrix<double> wide_r = r.template cast<double>();
  const DynamicMatrix<double> wide_q = q.template cast<double>();
  const auto scaled = solve_in_own_units<double>(wide_r, wide_q, c);
  const DynamicMatrix<std::complex<double>>& t = scaled.schur().t;
  decay_rates.resize(r.rows());
  double radius = 0;
  for (Eigen::Index i = 0; i < t.rows(); ++i) {
    decay_rates[i] = static_cast<Scalar>(t(i, i).real());
    if (c > 0) radius = std::max(radius, std::abs(1.0 - double{c} * t(i, i)));
  }
  std::sort(decay_rates.data(), decay_rates.data() + decay_rates.size());
  spectral_radius = static_cast<Scalar>(radius);
  solution = scaled.solution_in_old_units().template cast<Scalar>();
  residual = static_cast<Scalar>(scaled.residual());
  error = static_cast<Scalar>(scaled.error());
}

}  // namespace ness::detail
#endif
