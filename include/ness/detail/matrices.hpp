// Vectors and matrices of run-time size, which theory and estimators work on, and sums of outer
// products.
#pragma once

#include <Eigen/Core>
#include <type_traits>

namespace ness {

/// What follows from D has run-time size: it is compiled once and not for every model.
template <class Scalar>
using DynamicVector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;
template <class Scalar>
using DynamicMatrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

namespace detail {

/// lower += factor · block · blockᵀ, in the lower triangle only.
template <class Scalar>
void add_outer_products(DynamicMatrix<Scalar>& lower,
                        const Eigen::Ref<const DynamicMatrix<std::type_identity_t<Scalar>>>& block,
                        std::type_identity_t<Scalar> factor = 1);

/// Copies the lower triangle to the upper one.
template <class Scalar>
void mirror(DynamicMatrix<Scalar>& lower) {
  for (Eigen::Index j = 1; j < lower.cols(); ++j)
    for (Eigen::Index i = 0; i < j; ++i) lower(i, j) = lower(j, i);
}

/// a · b of which it is known that it is symmetric: one triangle is computed.
template <class Scalar>
void symmetric_product(const DynamicMatrix<Scalar>& a, const DynamicMatrix<Scalar>& b,
                       DynamicMatrix<Scalar>& product);

#ifndef NESS_COMPILED  // else they are in the library
template <class Scalar>
void add_outer_products(DynamicMatrix<Scalar>& lower,
                        const Eigen::Ref<const DynamicMatrix<std::type_identity_t<Scalar>>>& block,
                        std::type_identity_t<Scalar> factor) {
  lower.template selfadjointView<Eigen::Lower>().rankUpdate(block, factor);
}

template <class Scalar>
void symmetric_product(const DynamicMatrix<Scalar>& a, const DynamicMatrix<Scalar>& b,
                       DynamicMatrix<Scalar>& product) {
  product.resize(a.rows(), b.cols());
  product.template triangularView<Eigen::Lower>() = a * b;
  mirror(product);
}
#endif

}  // namespace detail
}  // namespace ness
