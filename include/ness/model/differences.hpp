// Derivatives by central differences.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

namespace ness::detail {

/// ∂_k f at `point` for an f that returns vectors, to a relative 1e-9 or so in double precision.
/// The point is moved and put back.
template <class Vector, class Function>
auto central_difference(Vector& point, Eigen::Index k, const Function& f) {
  using Scalar = typename Vector::Scalar;
  const Scalar at = point[k];
  const Scalar step =
      std::cbrt(std::numeric_limits<Scalar>::epsilon()) * std::max(Scalar(1), std::abs(at));
  point[k] = at + step;
  const Scalar upper = point[k];
  const auto above = f(point);
  point[k] = at - step;
  const Scalar width = upper - point[k];  // what rounding has left of 2 · step
  const auto below = f(point);
  point[k] = at;
  return ((above - below) / width).eval();
}

}  // namespace ness::detail
