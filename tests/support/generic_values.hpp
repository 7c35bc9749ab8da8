// Numbers without a pattern, the same in every run.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"

/// Independent normal numbers times `scale`, fixed by `seed`.
template <class Matrix = Eigen::MatrixXd>
Matrix generic_values(Eigen::Index rows, Eigen::Index cols, std::uint64_t seed, double scale = 1) {
  ness::Philox random(seed, 77);
  ness::Normal normal;
  Matrix result(rows, cols);
  normal.fill(random, result);
  result *= static_cast<typename Matrix::Scalar>(scale);
  return result;
}
