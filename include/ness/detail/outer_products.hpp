// Sums of outer products, in one triangle.
#pragma once

#include <Eigen/Core>

namespace ness::detail {

/// lower += factor · block · blockᵀ, in the lower triangle only.
template <class Matrix, class Block>
void add_outer_products(Matrix& lower, const Block& block, typename Matrix::Scalar factor = 1) {
  // Eigen takes one row at static size for a vector, and would update by something else.
  if constexpr (Matrix::RowsAtCompileTime == 1)
    lower(0, 0) += factor * block.squaredNorm();
  else
    lower.template selfadjointView<Eigen::Lower>().rankUpdate(block, factor);
}

/// Copies the lower triangle to the upper one.
template <class Matrix>
void mirror(Matrix& lower) {
  lower.template triangularView<Eigen::StrictlyUpper>() = lower.transpose();
}

}  // namespace ness::detail
