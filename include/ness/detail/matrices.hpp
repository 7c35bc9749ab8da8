// Vectors and matrices of run-time size, which theory and estimators work on, and sums of outer
// products.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <type_traits>

#include "ness/detail/compiled_guard.hpp"

namespace ness {

/// What follows from D has run-time size: it is compiled once and not for every model.
template <class Scalar>
using DynamicVector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;
template <class Scalar>
using DynamicMatrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

namespace detail {

/// double, as a type that depends on T: what a template computes in it is not compiled before it is
/// used.
template <class T>
struct DoubleFor {
  using type = double;
};

/// The elements in another precision: where it is the same one, without the expression for it.
template <class To, class Derived>
Eigen::Matrix<To, Derived::RowsAtCompileTime, Derived::ColsAtCompileTime> converted(
    const Eigen::MatrixBase<Derived>& values) {
  if constexpr (std::is_same_v<To, typename Derived::Scalar>)
    return values;
  else
    return values.template cast<To>();
}

/// The same into a matrix that keeps its memory.
template <class To, class Derived>
void convert(const Eigen::MatrixBase<Derived>& values, DynamicMatrix<To>& to) {
  if constexpr (std::is_same_v<To, typename Derived::Scalar>)
    to = values;
  else
    to = values.template cast<To>();
}

/// Are all elements finite? x − x is not a number of what is not.
template <class Derived>
bool is_finite(const Eigen::PlainObjectBase<Derived>& values) {
  for (Eigen::Index k = 0; k < values.size(); ++k)
    if (!(values.data()[k] - values.data()[k] == 0)) return false;
  return true;
}

/// Are all elements 0?
template <class Derived>
bool is_zero(const Eigen::PlainObjectBase<Derived>& values) {
  for (Eigen::Index k = 0; k < values.size(); ++k)
    if (!(values.data()[k] == 0)) return false;
  return true;
}

/// from + length · step
template <class Scalar>
DynamicVector<Scalar> moved(const DynamicVector<Scalar>& from, Scalar length,
                            const DynamicVector<Scalar>& step) {
  DynamicVector<Scalar> result = from;
  for (Eigen::Index k = 0; k < step.size(); ++k) result[k] += length * step[k];
  return result;
}

// Each of these is compiled once, where the same written as an expression of Eigen would be
// compiled anew in every function.

/// Σ_k a_k b_k of `count` numbers.
template <class Scalar>
Scalar dot(const Scalar* a, const Scalar* b, Eigen::Index count);

/// aᵀb
template <class Scalar>
Scalar dot(const DynamicVector<Scalar>& a, const DynamicVector<Scalar>& b) {
  return dot(a.data(), b.data(), a.size());
}

/// Σ_k a_k of `count` numbers.
template <class Scalar>
Scalar sum(const Scalar* a, Eigen::Index count);

/// The root of the sum of squares of the elements.
template <class Derived>
auto norm(const Eigen::PlainObjectBase<Derived>& values) {
  return std::sqrt(dot(values.data(), values.data(), values.size()));
}

/// Σ_ij a_ij b_ij of matrices of one size.
template <class Scalar>
Scalar sum_of_products(const DynamicMatrix<Scalar>& a, const DynamicMatrix<Scalar>& b) {
  return dot(a.data(), b.data(), a.size());
}

/// a · b
template <class Scalar>
DynamicMatrix<Scalar> product(const DynamicMatrix<Scalar>& a, const DynamicMatrix<Scalar>& b);

/// The same of many rows: column by column where b is small, for which a matrix product does not
/// pay.
template <class Scalar>
DynamicMatrix<Scalar> product_of_rows(const DynamicMatrix<Scalar>& a,
                                      const DynamicMatrix<Scalar>& b);

/// Row by row a_k·b_k.
template <class Scalar>
DynamicVector<Scalar> dot_products_of_rows(const DynamicMatrix<Scalar>& a,
                                           const DynamicMatrix<Scalar>& b);

/// aᵀb of many rows: where there are few columns by scalar products of them.
template <class Scalar>
DynamicMatrix<Scalar> product_of_columns(const DynamicMatrix<Scalar>& a,
                                         const DynamicMatrix<Scalar>& b);

/// aᵀ
template <class Scalar>
DynamicMatrix<Scalar> transposed(const DynamicMatrix<Scalar>& a);

/// a · b of which it is known that it is symmetric: one triangle is computed.
template <class Scalar>
DynamicMatrix<Scalar> symmetric_product(const DynamicMatrix<Scalar>& a,
                                        const DynamicMatrix<Scalar>& b);

/// (a ± aᵀ)/2
template <class Scalar>
DynamicMatrix<Scalar> half_sum_with_transpose(const DynamicMatrix<Scalar>& a, int sign);

/// to += factor · what of `count` numbers.
template <class Scalar>
void add_scaled(Scalar* to, Scalar factor, const Scalar* what, Eigen::Index count);

/// to += factor · what, of the same size.
template <class Scalar>
void add_scaled(DynamicMatrix<Scalar>& to, std::type_identity_t<Scalar> factor,
                const DynamicMatrix<Scalar>& what);

/// lower += factor · block · blockᵀ, in the lower triangle only.
template <class Scalar>
void rank_update(Eigen::Ref<DynamicMatrix<Scalar>> lower,
                 const Eigen::Ref<const DynamicMatrix<Scalar>>& block, Scalar factor);

/// The same, for blocks of static rows too.
template <class Scalar, class Block>
void add_outer_products(DynamicMatrix<Scalar>& lower, const Block& block,
                        std::type_identity_t<Scalar> factor = 1) {
  rank_update<Scalar>(lower, block, factor);
}

/// lower += blockᵀ · block of many rows, in the lower triangle only.
template <class Scalar>
void add_products_of_columns(DynamicMatrix<Scalar>& lower, const DynamicMatrix<Scalar>& block);

/// Copies the lower triangle to the upper one.
template <class Scalar>
void mirror(DynamicMatrix<Scalar>& lower);

#ifndef NESS_COMPILED  // else they are in the library
template <class Scalar>
Scalar dot(const Scalar* a, const Scalar* b, Eigen::Index count) {
  using Numbers = Eigen::Map<const DynamicVector<Scalar>>;
  return Numbers(a, count).dot(Numbers(b, count));
}

template <class Scalar>
Scalar sum(const Scalar* a, Eigen::Index count) {
  return Eigen::Map<const DynamicVector<Scalar>>(a, count).sum();
}

template <class Scalar>
DynamicMatrix<Scalar> product(const DynamicMatrix<Scalar>& a, const DynamicMatrix<Scalar>& b) {
  return a * b;
}

inline constexpr Eigen::Index few_columns = 16;

template <class Scalar>
DynamicMatrix<Scalar> product_of_rows(const DynamicMatrix<Scalar>& a,
                                      const DynamicMatrix<Scalar>& b) {
  if (b.rows() > few_columns || b.cols() > few_columns) return product(a, b);
  DynamicMatrix<Scalar> result(a.rows(), b.cols());
  for (Eigen::Index j = 0; j < b.cols(); ++j) {
    result.col(j) = b(0, j) * a.col(0);
    for (Eigen::Index i = 1; i < b.rows(); ++i) result.col(j) += b(i, j) * a.col(i);
  }
  return result;
}

template <class Scalar>
DynamicVector<Scalar> dot_products_of_rows(const DynamicMatrix<Scalar>& a,
                                           const DynamicMatrix<Scalar>& b) {
  DynamicVector<Scalar> result = DynamicVector<Scalar>::Zero(a.rows());
  for (Eigen::Index i = 0; i < a.cols(); ++i) result += a.col(i).cwiseProduct(b.col(i));
  return result;
}

template <class Scalar>
DynamicMatrix<Scalar> product_of_columns(const DynamicMatrix<Scalar>& a,
                                         const DynamicMatrix<Scalar>& b) {
  if (a.cols() > few_columns || b.cols() > few_columns) return product(transposed(a), b);
  DynamicMatrix<Scalar> result(a.cols(), b.cols());
  for (Eigen::Index j = 0; j < b.cols(); ++j)
    for (Eigen::Index i = 0; i < a.cols(); ++i)
      result(i, j) = dot(a.data() + i * a.rows(), b.data() + j * b.rows(), a.rows());
  return result;
}

template <class Scalar>
DynamicMatrix<Scalar> transposed(const DynamicMatrix<Scalar>& a) {
  return a.transpose();
}

template <class Scalar>
DynamicMatrix<Scalar> symmetric_product(const DynamicMatrix<Scalar>& a,
                                        const DynamicMatrix<Scalar>& b) {
  DynamicMatrix<Scalar> product(a.rows(), b.cols());
  product.template triangularView<Eigen::Lower>() = a * b;
  mirror(product);
  return product;
}

template <class Scalar>
DynamicMatrix<Scalar> half_sum_with_transpose(const DynamicMatrix<Scalar>& a, int sign) {
  DynamicMatrix<Scalar> result(a.rows(), a.cols());
  for (Eigen::Index j = 0; j < a.cols(); ++j)
    for (Eigen::Index i = 0; i < a.rows(); ++i)
      result(i, j) = (a(i, j) + static_cast<Scalar>(sign) * a(j, i)) / 2;
  return result;
}

template <class Scalar>
void add_scaled(Scalar* to, Scalar factor, const Scalar* what, Eigen::Index count) {
  Eigen::Map<DynamicVector<Scalar>>(to, count) +=
      factor * Eigen::Map<const DynamicVector<Scalar>>(what, count);
}

template <class Scalar>
void add_scaled(DynamicMatrix<Scalar>& to, std::type_identity_t<Scalar> factor,
                const DynamicMatrix<Scalar>& what) {
  add_scaled(to.data(), factor, what.data(), to.size());
}

template <class Scalar>
void rank_update(Eigen::Ref<DynamicMatrix<Scalar>> lower,
                 const Eigen::Ref<const DynamicMatrix<Scalar>>& block, Scalar factor) {
  lower.template selfadjointView<Eigen::Lower>().rankUpdate(block, factor);
}

template <class Scalar>
void add_products_of_columns(DynamicMatrix<Scalar>& lower, const DynamicMatrix<Scalar>& block) {
  if (block.cols() > few_columns) return add_outer_products(lower, transposed(block));
  for (Eigen::Index j = 0; j < block.cols(); ++j)
    for (Eigen::Index i = j; i < block.cols(); ++i)
      lower(i, j) +=
          dot(block.data() + i * block.rows(), block.data() + j * block.rows(), block.rows());
}

template <class Scalar>
void mirror(DynamicMatrix<Scalar>& lower) {
  for (Eigen::Index j = 1; j < lower.cols(); ++j)
    for (Eigen::Index i = 0; i < j; ++i) lower(i, j) = lower(j, i);
}
#endif

}  // namespace detail
}  // namespace ness
