// Symmetric and positive definite matrices without a pattern.
#pragma once

#include <Eigen/QR>

#include "support/generic_values.hpp"

/// Eigenvalues from `smallest` to `largest`, evenly spaced, in a generic basis.
inline Eigen::MatrixXd positive_definite(Eigen::Index n, std::uint64_t seed, double smallest,
                                         double largest) {
  const Eigen::MatrixXd q =
      Eigen::HouseholderQR<Eigen::MatrixXd>(generic_values(n, n, seed)).householderQ();
  return q * Eigen::VectorXd::LinSpaced(n, smallest, largest).asDiagonal() * q.transpose();
}
