// What variances along directions are made of.
#pragma once

#include <Eigen/Core>
#include <ness/detail/matrices.hpp>

/// uᵀAu of each column u of `columns`.
inline Eigen::VectorXd quadratic_forms(const Eigen::MatrixXd& columns,
                                       const Eigen::MatrixXd& matrix) {
  return columns.cwiseProduct(ness::detail::product(matrix, columns)).colwise().sum();
}
