// Equal bins of one variable.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <string_view>

#include "ness/detail/check.hpp"

namespace ness {

/// `bins` equal bins over [lower, upper); what falls outside is counted apart.
struct Axis {
  double lower = 0;       ///< where the first bin begins
  double upper = 1;       ///< where the last one ends
  Eigen::Index bins = 1;  ///< how many

  /// Throws `std::invalid_argument` unless lower < upper, both finite, and bins ≥ 1.
  void check(std::string_view function) const {
    detail::require(bins >= 1, function, "bins must be at least 1", bins);
    if (!(lower < upper) || !std::isfinite(lower) || !std::isfinite(upper))
      detail::invalid(function, "lower must be below upper, both finite, but they are ", lower,
                      " and ", upper);
  }
  /// Of a bin.
  double width() const { return (upper - lower) / static_cast<double>(bins); }
  /// The bin that holds `value`, −1 for none.
  Eigen::Index bin(double value) const {
    const double position = (value - lower) / width();
    const bool inside = position >= 0 && position < static_cast<double>(bins);
    return inside ? static_cast<Eigen::Index>(position) : -1;
  }
  /// Where a bin begins.
  double lower_edge(Eigen::Index bin) const { return lower + static_cast<double>(bin) * width(); }
  /// The middle of a bin.
  double center(Eigen::Index bin) const {
    return lower + (static_cast<double>(bin) + 0.5) * width();
  }
};

}  // namespace ness
