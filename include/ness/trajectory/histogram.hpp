// Histograms of one and two variables with fixed, equal bins.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/statistics/axis.hpp"
#include "ness/trajectory/block.hpp"

namespace ness {

/// Counts of one variable.
class Histogram {
 public:
  /// Empty. Throws `std::invalid_argument` for a bad axis.
  explicit Histogram(Axis axis) : axis_(axis), counts_(zeros(axis)) {
    scale_ = static_cast<double>(axis.bins) / (axis.upper - axis.lower);
  }

  /// Counts a number.
  void add(double value) {
    const double position = (value - axis_.lower) * scale_ + 1;
    // Bin 0 holds what is below the axis, the last what is above it or NaN.
    const auto last = static_cast<double>(axis_.bins + 1);
    const double bounded = position < last ? (position > 0 ? position : 0) : last;
    ++counts_[static_cast<std::size_t>(bounded)];
    ++total_;
  }

  /// Throws `std::invalid_argument` for a histogram with other bins.
  void merge(const Histogram& other) {
    detail::require(other.axis_.bins == axis_.bins && other.axis_.lower == axis_.lower &&
                        other.axis_.upper == axis_.upper,
                    "Histogram::merge", "the bins of both must be the same", other.axis_.bins);
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(counts_, total_);
  }

  const Axis& axis() const { return axis_; }
  /// In a bin.
  std::int64_t count(Eigen::Index bin) const { return counts_[static_cast<std::size_t>(bin + 1)]; }
  /// Below the first bin.
  std::int64_t below() const { return counts_.front(); }
  /// From the end of the last bin on.
  std::int64_t above() const { return counts_.back(); }
  /// All that were added.
  std::int64_t total() const { return total_; }
  /// Probability density in `bin`.
  double density(Eigen::Index bin) const {
    return static_cast<double>(count(bin)) / (static_cast<double>(total_) * axis_.width());
  }

 private:
  static std::vector<std::int64_t> zeros(const Axis& axis) {
    axis.check("Histogram");
    return std::vector<std::int64_t>(static_cast<std::size_t>(axis.bins + 2));
  }

  Axis axis_;
  double scale_;
  std::vector<std::int64_t> counts_;
  std::int64_t total_ = 0;
};

/// Counts of two of the parameters, as deviations from the reference point of the trajectory: an
/// estimator of the marginal density (Fig. 2).
class Histogram2d {
 public:
  /// `first` and `second` number the parameters from 0.
  Histogram2d(Eigen::Index first, Axis first_axis, Eigen::Index second, Axis second_axis)
      : first_(first), second_(second), x_(first_axis), y_(second_axis) {
    x_.check("Histogram2d");
    y_.check("Histogram2d");
    counts_.resize(static_cast<std::size_t>(x_.bins * y_.bins));
  }

  template <class S>
  void add(const TrajectoryBlock<S>& block) {
    const auto states = block.deviations();
    for (Eigen::Index k = 0; k < block.steps(); ++k)
      add(static_cast<double>(states(k, first_)), static_cast<double>(states(k, second_)));
  }

  /// Counts a pair of numbers.
  void add(double x, double y) {
    ++total_;
    const Eigen::Index i = x_.bin(x);
    const Eigen::Index j = y_.bin(y);
    if (i >= 0 && j >= 0) ++counts_[place(i, j)];
  }

  /// Throws `std::invalid_argument` for a histogram of another size.
  void merge(const Histogram2d& other) {
    if (other.x_.bins != x_.bins || other.y_.bins != y_.bins)
      detail::invalid("Histogram2d::merge", "other must be ", x_.bins, " x ", y_.bins, ", but is ",
                      other.x_.bins, " x ", other.y_.bins);
    for (std::size_t k = 0; k < counts_.size(); ++k) counts_[k] += other.counts_[k];
    total_ += other.total_;
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(counts_, total_);
  }

  const Axis& first_axis() const { return x_; }
  const Axis& second_axis() const { return y_; }
  /// In bin (i, j).
  std::int64_t count(Eigen::Index i, Eigen::Index j) const { return counts_[place(i, j)]; }
  /// All that were added, in a bin or not.
  std::int64_t total() const { return total_; }
  /// Probability density in bin (i, j).
  double density(Eigen::Index i, Eigen::Index j) const {
    return static_cast<double>(count(i, j)) /
           (static_cast<double>(total_) * x_.width() * y_.width());
  }

 private:
  std::size_t place(Eigen::Index i, Eigen::Index j) const {
    return static_cast<std::size_t>(i + x_.bins * j);
  }

  Eigen::Index first_, second_;
  Axis x_, y_;
  std::vector<std::int64_t> counts_;  // bins of x × bins of y
  std::int64_t total_ = 0;
};

}  // namespace ness
