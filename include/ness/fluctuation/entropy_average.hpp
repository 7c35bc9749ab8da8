// Averages over the entropy production of random starts and batches, one direction of the start
// integrated in closed form.
#pragma once

#include <vector>

#include "ness/detail/matrices.hpp"
#include "ness/statistics/axis.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/sub_trajectories.hpp"

namespace ness::detail {

/// σ along a line of starts whose place z is normal: constant + slope z + curvature z².
template <class Scalar>
struct EntropyOnLine {
  Scalar constant, slope, curvature;
  /// A part of the constant that is 0 on average: it serves as a control variate.
  Scalar vanishing;

  /// Through σ at z = −1, 0, 1.
  static EntropyOnLine through(Scalar below, Scalar centre, Scalar above, Scalar vanishing) {
    return {centre, (above - below) / 2, (above + below) / 2 - centre, vanishing};
  }

  /// ⟨e^{−σ}⟩ − 1 over z, with the vanishing part of −σ taken away.
  Scalar mean_exponential() const;
  /// The probability that σ is at most `value`.
  Scalar below(Scalar value) const;
};

/// ⟨e^{−σ}⟩ − 1 and the probabilities of the bins of σ, averaged.
template <class Scalar = double>
class EntropyAverage {
 public:
  using Matrix = DynamicMatrix<Scalar>;
  explicit EntropyAverage(Axis axis) : axis_(axis), sum_(Matrix::Zero(axis.bins + 1, 1)) {}

  void add(const EntropyOnLine<Scalar>& line);
  void add_mean_exponential(Scalar excess) { sum_(axis_.bins, 0) += excess; }
  const Matrix& sum() const { return sum_; }

 private:
  Axis axis_;
  Matrix sum_;  // the bins, and ⟨e^{−σ}⟩ − 1 below them
};

/// From sums over equal groups of `count` starts each.
template <class Scalar>
SubTrajectoryPrediction prediction_of(int length, const Axis& axis,
                                      const std::vector<EntropyAverage<Scalar>>& groups,
                                      Scalar count);

}  // namespace ness::detail

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>
#include <limits>
#include <numbers>

namespace ness::detail {

template <class Scalar>
Scalar EntropyOnLine<Scalar>::mean_exponential() const {
  // ∫ exp(−c − lz − αz²) dN(z) = exp(−c + ½l²/(1 + 2α)) / √(1 + 2α)
  const Scalar width = 1 + 2 * curvature;
  if (!(width > 0)) return std::numeric_limits<Scalar>::infinity();
  const Scalar exponent = slope * slope / (2 * width) - constant - std::log1p(2 * curvature) / 2;
  return std::expm1(exponent) + vanishing;
}

template <class Scalar>
Scalar EntropyOnLine<Scalar>::below(Scalar value) const {
  const auto normal = [](Scalar z) {
    return std::erfc(-z * std::numbers::sqrt2_v<Scalar> / 2) / 2;
  };
  const Scalar over = value - constant;
  if (slope == 0 && curvature == 0) return over >= 0 ? Scalar(1) : Scalar(0);
  const Scalar discriminant = slope * slope + 4 * curvature * over;
  if (discriminant <= 0) return curvature > 0 ? Scalar(0) : Scalar(1);
  // The root near −over/slope without cancellation, and the far one.
  const Scalar steep = std::abs(slope) + std::sqrt(discriminant);
  Scalar near = 2 * over / steep;
  Scalar far = curvature == 0 ? -std::numeric_limits<Scalar>::infinity() : -steep / (2 * curvature);
  const Scalar between = std::abs(normal(near) - normal(far));  // mirrored in z for slope < 0
  return curvature >= 0 ? between : 1 - between;
}

template <class Scalar>
void EntropyAverage<Scalar>::add(const EntropyOnLine<Scalar>& line) {
  add_mean_exponential(line.mean_exponential());
  Scalar before = line.below(static_cast<Scalar>(axis_.lower_edge(0)));
  for (Eigen::Index bin = 0; bin < axis_.bins; ++bin) {
    const Scalar after = line.below(static_cast<Scalar>(axis_.lower_edge(bin + 1)));
    sum_(bin, 0) += after - before;
    before = after;
  }
}

/// 𝒫(−σ)/𝒫(σ) of a bin and its mirror image; the error is that of ⟨minus − ratio · plus⟩.
template <class Scalar>
FluctuationRatio ratio_of(const Axis& axis, Eigen::Index bin,
                          const std::vector<EntropyAverage<Scalar>>& groups) {
  const Eigen::Index mirrored = axis.bins - 1 - bin;
  Scalar plus(0), minus(0);
  for (const auto& group : groups) {
    plus += group.sum()(bin, 0);
    minus += group.sum()(mirrored, 0);
  }
  const Scalar ratio = minus / plus;
  Scalar square(0);
  for (const auto& group : groups) {
    const Scalar away = group.sum()(mirrored, 0) - ratio * group.sum()(bin, 0);
    square += away * away;
  }
  const auto count = static_cast<Scalar>(groups.size());
  return {axis.center(bin), ratio, std::sqrt(square * count / (count - 1)) / plus};
}

template <class Scalar>
SubTrajectoryPrediction prediction_of(int length, const Axis& axis,
                                      const std::vector<EntropyAverage<Scalar>>& groups,
                                      Scalar count) {
  BatchMeans<Scalar> integral(1, 1, 1);
  for (const auto& group : groups) {
    const DynamicMatrix<Scalar> mean = group.sum().row(axis.bins) / count;
    integral.add(mean, 1);
  }
  SubTrajectoryPrediction result{
      length,
      {1 + integral.mean()(0, 0), integral.standard_error()(0, 0), integral.degrees_of_freedom()}};
  for (Eigen::Index bin = axis.bins / 2; bin < axis.bins; ++bin)
    if (const auto ratio = ratio_of(axis, bin, groups); ratio.ratio > 0 && ratio.standard_error > 0)
      result.fluctuation_ratios.push_back(ratio);
  return result;
}

}  // namespace ness::detail
#endif
