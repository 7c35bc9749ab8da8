// How far apart two numbers or matrices are.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>

/// |found − expected| / |expected| in Frobenius norm; infinite where the sizes disagree. A NaN
/// fails every `<=`.
template <class A, class B>
double relative_error(const Eigen::MatrixBase<A>& found, const Eigen::MatrixBase<B>& expected) {
  if (found.rows() != expected.rows() || found.cols() != expected.cols())
    return std::numeric_limits<double>::infinity();
  const double difference =
      (found.template cast<double>() - expected.template cast<double>()).norm();
  const double size = expected.template cast<double>().norm();
  return difference == 0 ? 0 : difference / size;
}

inline double relative_error(double found, double expected) {
  return found == expected ? 0 : std::abs(found - expected) / std::abs(expected);
}
