// The density of a function of the state, with an error for each bin; and its mean.
#pragma once

#include <cstdint>
#include <utility>

#include "ness/detail/matrices.hpp"
#include "ness/statistics/axis.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/block.hpp"

namespace ness {

/// Mean, mean square and density of f(θ) along a trajectory, each with the error that its
/// autocorrelation makes (`BatchMeans`).
///
/// `f(theta)` returns a number; it is called with a vector of run-time size. States are looked at
/// every `stride` steps.
template <class Function>
class Density {
 public:
  /// `batch_length` in Markov steps. Throws `std::invalid_argument` for a bad axis or a stride
  /// below 1.
  Density(Function f, Axis axis, std::int64_t batch_length, Eigen::Index stride = 1)
      : f_(std::move(f)),
        axis_(checked(axis)),
        stride_(stride),
        sums_(axis.bins + 2, 1, detail::states_per_batch(batch_length, stride, "Density")),
        counts_(DynamicVector<double>::Zero(axis.bins)) {}

  template <class S>
  void add(const TrajectoryBlock<S>& block) {
    DynamicVector<double> sums = DynamicVector<double>::Zero(axis_.bins + 2);
    Eigen::Index looked = 0;
    for (; phase_ < block.steps(); phase_ += stride_, ++looked) {
      block.state(phase_, at_);
      const double value = f_(std::as_const(at_));
      sums[axis_.bins] += value;
      sums[axis_.bins + 1] += value * value;
      if (const Eigen::Index bin = axis_.bin(value); bin >= 0) ++sums[bin];
    }
    phase_ -= block.steps();
    if (looked == 0) return;
    for (Eigen::Index bin = 0; bin < axis_.bins; ++bin) counts_[bin] += sums[bin];
    sums_.add(sums, looked);
  }

  void merge(const Density& other) {
    sums_.merge(other.sums_);
    counts_ += other.counts_;
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(sums_, counts_, phase_);
  }

  const Axis& axis() const { return axis_; }
  /// States in each bin.
  const DynamicVector<double>& counts() const { return counts_; }
  /// Probability density of f in each bin.
  Estimate<DynamicVector<double>> density() const {
    auto [value, error, degrees] = sums_.estimate<DynamicVector<double>>();
    value.conservativeResize(axis_.bins);
    error.conservativeResize(axis_.bins);
    value /= axis_.width();
    error /= axis_.width();
    return {std::move(value), std::move(error), degrees};
  }
  /// ⟨f⟩
  Estimate<double> mean() const { return moment(0); }
  /// ⟨f²⟩
  Estimate<double> mean_square() const { return moment(1); }

 private:
  static const Axis& checked(const Axis& axis) {
    axis.check("Density");
    return axis;
  }

  Estimate<double> moment(Eigen::Index which) const {
    const auto [value, error, degrees] = sums_.estimate();
    return {value(axis_.bins + which, 0), error(axis_.bins + which, 0), degrees};
  }

  Function f_;
  Axis axis_;
  Eigen::Index stride_;
  Eigen::Index phase_ = 0;  // steps until the next state to be looked at
  BatchMeans<> sums_;
  DynamicVector<double> counts_, at_;
};

}  // namespace ness
