// Symmetric and positive definite matrices without a pattern.
#pragma once

#include "support/generic_values.hpp"

/// An orthogonal matrix: n reflections at generic planes.
inline Eigen::MatrixXd orthogonal(Eigen::Index n, std::uint64_t seed) {
  const Eigen::MatrixXd planes = generic_values(n, n, seed);
  Eigen::MatrixXd q = Eigen::MatrixXd::Identity(n, n);
  for (Eigen::Index k = 0; k < n; ++k) {
    const Eigen::VectorXd v = planes.col(k).normalized();
    const Eigen::VectorXd projection = q.transpose() * v;
    q -= 2 * v * projection.transpose();
  }
  return q;
}

/// Eigenvalues from `smallest` to `largest`, evenly spaced, in a generic basis.
inline Eigen::MatrixXd positive_definite(Eigen::Index n, std::uint64_t seed, double smallest,
                                         double largest) {
  const Eigen::MatrixXd q = orthogonal(n, seed);
  return q * Eigen::VectorXd::LinSpaced(n, smallest, largest).asDiagonal() * q.transpose();
}
