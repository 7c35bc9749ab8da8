// Directions and curvatures of a landscape in units in which its Hessian has a unit diagonal: what
// is judged in them does not depend on the units of the parameters.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "ness/detail/symmetric_matrices.hpp"
#include "ness/model/batch.hpp"

namespace ness::detail {

// Loops in place of Eigen's expressions, each of which would be compiled by itself.

/// The norm of v_k / u_k, without squares that leave the range.
template <class Scalar>
Scalar norm_in_units(const DynamicVector<Scalar>& v, const DynamicVector<Scalar>& u) {
  Scalar largest(0), sum(0);
  for (Index k = 0; k < v.size(); ++k) largest = std::max(largest, std::abs(v[k] / u[k]));
  if (!(largest > 0) || !std::isfinite(largest)) return largest;
  for (Index k = 0; k < v.size(); ++k) sum += std::pow(v[k] / u[k] / largest, Scalar(2));
  return largest * std::sqrt(sum);
}

template <class Scalar>
DynamicVector<Scalar> normalized(DynamicVector<Scalar> v) {
  const Scalar norm = norm_in_units<Scalar>(v, DynamicVector<Scalar>::Ones(v.size()));
  for (Scalar& each : v) each /= norm;
  return v;
}

/// vᵀHv, of v scaled to a largest element of 1.
template <class Scalar>
Scalar curvature_along(const DynamicMatrix<Scalar>& hessian, const DynamicVector<Scalar>& v) {
  Scalar largest(0), sum(0);
  for (const Scalar& each : v) largest = std::max(largest, std::abs(each));
  for (Index j = 0; j < v.size(); ++j)
    for (Index i = 0; i < v.size(); ++i) sum += v[i] / largest * hessian(i, j) * (v[j] / largest);
  return sum;
}

/// max |H_ij| over the columns from `first` up to `last`.
template <class Scalar>
Scalar largest_element(const DynamicMatrix<Scalar>& hessian, Index first, Index last) {
  Scalar largest(0);
  for (Index j = first; j < last; ++j)
    for (Index i = 0; i < hessian.rows(); ++i) largest = std::max(largest, std::abs(hessian(i, j)));
  return largest;
}

/// The units in which H has a unit diagonal: s_a = |H_aa|^{−½}, or, where that vanishes, from the
/// other elements.
template <class Scalar>
DynamicVector<Scalar> natural_units(const DynamicMatrix<Scalar>& hessian) {
  DynamicVector<Scalar> units(hessian.rows());
  for (Index k = 0; k < units.size(); ++k) {
    Scalar curvature = std::abs(hessian(k, k));
    if (curvature == 0) curvature = largest_element(hessian, k, k + 1);
    if (curvature == 0) curvature = largest_element(hessian, 0, hessian.cols());
    units[k] = curvature > 0 ? 1 / std::sqrt(curvature) : Scalar(1);
  }
  return units;
}

/// s_a H_ab s_b
template <class Scalar>
DynamicMatrix<Scalar> in_natural_units(const DynamicMatrix<Scalar>& hessian,
                                       const DynamicVector<Scalar>& units) {
  DynamicVector<Scalar> inverse = units;
  for (Scalar& each : inverse) each = 1 / each;
  return in_units(hessian, inverse);
}

/// The flattest direction of H in natural units, and its curvature there.
template <class Scalar>
struct Softest {
  DynamicVector<Scalar> direction;  ///< in units of the parameters, |·| = 1 in natural ones
  Scalar curvature{};

  explicit Softest(const DynamicMatrix<Scalar>& hessian) {
    const DynamicVector<Scalar> units = natural_units(hessian);
    const SymmetricEigen<Scalar> eigen(in_natural_units(hessian, units));
    curvature = eigen.values[0];
    direction = eigen.vectors.col(0);
    const Scalar least = std::sqrt(std::numeric_limits<Scalar>::epsilon());
    for (Index k = 0; k < direction.size(); ++k)  // what is rounding would be large in some units
      direction[k] = std::abs(direction[k]) > least ? direction[k] * units[k] : Scalar(0);
  }
};

/// Is H, scaled to a unit diagonal, positive definite by more than its own rounding?
template <class Scalar>
bool is_curved(const DynamicMatrix<Scalar>& hessian, Scalar rounding) {
  for (Index k = 0; k < hessian.rows(); ++k)
    if (!(hessian(k, k) > 0)) return false;
  DynamicMatrix<Scalar> scaled = in_natural_units(hessian, natural_units(hessian));
  for (Index k = 0; k < scaled.rows(); ++k) scaled(k, k) -= rounding;
  return is_positive_definite(scaled);
}

/// What eigenvalues of H scaled to a unit diagonal are uncertain by.
template <class Scalar>
Scalar curvature_rounding(Index parameters, Index terms) {
  return 4 * std::numeric_limits<Scalar>::epsilon() *
         (static_cast<Scalar>(parameters) + std::sqrt(static_cast<Scalar>(terms)));
}

}  // namespace ness::detail
