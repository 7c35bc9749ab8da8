// The probability current in a plane, as a trajectory shows it.
#pragma once

#include <cstdint>
#include <utility>

#include "ness/detail/matrices.hpp"
#include "ness/statistics/axis.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/block.hpp"

namespace ness {

/// P and 𝓙 (Eqs. 1, 2) of two functions of θ on a grid: 𝓙(x) = ⟨ẋ∘δ(x − x_t)⟩, the displacement of
/// each step counted in the bin of its middle, which is the sense of Stratonovich; at its start it
/// would show the drift instead. In equilibrium 𝓙 = 0. What `GridDensity` and
/// `StationaryState::current` predict.
///
/// `f(theta)` returns an `Eigen::Vector2d`; it is called with a vector of run-time size. Memory:
/// twelve numbers for each bin.
template <class Function>
class CurrentMap {
 public:
  /// `batch_length` in Markov steps. Throws `std::invalid_argument` for a bad axis.
  CurrentMap(Function f, Axis x, Axis y, std::int64_t batch_length)
      : f_(std::move(f)), x_(x), y_(y), sums_(bins(x, y), 3, batch_length) {}

  template <class S>
  void add(const TrajectoryBlock<S>& block) {
    const auto place = [&](Eigen::Index k) -> Eigen::Vector2d {
      block.state(k, at_);
      return f_(std::as_const(at_));
    };
    DynamicMatrix<double> sums = DynamicMatrix<double>::Zero(x_.bins * y_.bins, 3);
    Eigen::Vector2d there = place(0);
    for (Eigen::Index k = 1; k <= block.steps(); ++k) {
      const Eigen::Vector2d here = std::exchange(there, place(k));
      const Eigen::Index i = x_.bin((here[0] + there[0]) / 2);
      const Eigen::Index j = y_.bin((here[1] + there[1]) / 2);
      if (i < 0 || j < 0) continue;
      const Eigen::Index bin = i + x_.bins * j;
      sums(bin, 0) += 1;
      sums(bin, 1) += there[0] - here[0];
      sums(bin, 2) += there[1] - here[1];
    }
    sums_.add(sums, block.steps());
  }

  void merge(const CurrentMap& other) { sums_.merge(other.sums_); }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(sums_);
  }

  const Axis& first_axis() const { return x_; }
  const Axis& second_axis() const { return y_; }
  /// P, bins of x × bins of y.
  Estimate<DynamicMatrix<double>> density() const { return column(0); }
  /// The two components of 𝓙, per Markov step.
  Estimate<DynamicMatrix<double>> current_x() const { return column(1); }
  /// The second component.
  Estimate<DynamicMatrix<double>> current_y() const { return column(2); }

 private:
  static Eigen::Index bins(const Axis& x, const Axis& y) {
    x.check("CurrentMap");
    y.check("CurrentMap");
    return x.bins * y.bins;
  }
  Estimate<DynamicMatrix<double>> column(Eigen::Index which) const {
    const auto [value, error, degrees] = sums_.estimate();
    const double area = x_.width() * y_.width();
    Estimate<DynamicMatrix<double>> result{DynamicMatrix<double>(x_.bins, y_.bins),
                                           DynamicMatrix<double>(x_.bins, y_.bins), degrees};
    for (Eigen::Index bin = 0; bin < value.rows(); ++bin) {
      result.value.data()[bin] = value(bin, which) / area;
      result.standard_error.data()[bin] = error(bin, which) / area;
    }
    return result;
  }

  Function f_;
  Axis x_, y_;
  BatchMeans<> sums_;
  DynamicVector<double> at_;
};

}  // namespace ness
