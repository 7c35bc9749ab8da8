// Tests of fit, in units in which a true hypothesis gives a few at most.
#pragma once

#include <cmath>
#include <vector>

/// (χ² − k)/√(2k) for `counts` in cells of equal probability, k = cells − 1: about normal.
inline double chi_square_deviation(const std::vector<double>& counts) {
  double total = 0;
  for (double count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  double chi_square = 0;
  for (double count : counts) chi_square += (count - expected) * (count - expected) / expected;
  const double freedom = static_cast<double>(counts.size()) - 1;
  return (chi_square - freedom) / std::sqrt(2 * freedom);
}
