// Has a run reached its stationary state? Yaida's fluctuation-dissipation relation, read from the
// trajectory alone (not in the paper).
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/directional_variance.hpp"

namespace ness {

/// What the ends of chains say of each direction.
struct StationarityVerdict {
  /// ⟨2 y_kΔy_k + Δy_k²⟩ of y = u·δθ, per step, which vanishes in the stationary state; with the
  /// standard error that it has there.
  Estimate<DynamicVector<double>> relation;
  /// The largest |y − ⟨y⟩| at an end of a chain, in standard deviations of y.
  DynamicVector<double> farthest;
  /// That an end is so far or farther (Student's t, times the number of ends), in [0, 1].
  DynamicVector<double> chance;
  double false_alarms = 1e-3;  ///< the rate at which stationary runs are called otherwise

  /// The least chance with which a direction is stationary: `false_alarms` over the number of
  /// directions (Bonferroni).
  double level() const { return false_alarms / static_cast<double>(chance.size()); }
  /// Along one of them?
  bool is_stationary(Eigen::Index direction) const { return chance[direction] >= level(); }
  /// Along all of them?
  bool is_stationary() const {
    for (Eigen::Index k = 0; k < chance.size(); ++k)
      if (!is_stationary(k)) return false;
    return true;
  }
};

/// A test of having reached the stationary state, in each of some directions u.
///
/// For gradients g = −Δθ/η of plain updates S. Yaida's (2018, arXiv 1810.00004) relation
/// ⟨δθgᵀ + gδθᵀ⟩ = η⟨ggᵀ⟩ is ⟨δθΔθᵀ + Δθδθᵀ + ΔθΔθᵀ⟩ = 0, and with momentum, whose gradients are
/// combinations of successive Δθ, it is of the same kind: that ⟨δθδθᵀ⟩ does not change. As a mean
/// over a run it therefore is a difference of its ends,
///
///   ⟨2 yΔy + Δy²⟩ = Σ_chains (y_T² − y_0²) / steps,  y = u·δθ − ⟨u·δθ⟩,
///
/// to the last digit. That is why its error is not that of batch means, whose successive batches
/// cancel and which make it larger by the root of their number, but 2 Var y √chains / steps,
/// known from Var y; and why the test is of the ends themselves: each is one draw of the stationary
/// state if the run is stationary, so that |y|/√Var y is Student's t, with as many degrees of
/// freedom as the error of Var y leaves it.
///
/// It finds a start that is too far away for the stationary state, or an end that is. It does not
/// find a start that is too near its middle, such as the minimum, which is as likely as any. The
/// rate of false alarms is right for normal y. Runs must be many relaxation times long: in a short
/// one Var y is of the approach itself. Cost: that of `DirectionalVariance`, and a state at each
/// end.
template <class Scalar = double>
class Stationarity {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// `directions` is N × (how many), such as the eigenvectors of Σ or H; `batch_length` in Markov
  /// steps.
  Stationarity(const Matrix& directions, std::int64_t batch_length)
      : directions_(directions),
        variance_(directions, batch_length),
        starts_(Matrix::Zero(directions.cols(), 1)),
        ends_(starts_) {}

  template <class S>
  void add(const TrajectoryBlock<S>& block);

  void merge(const Stationarity& other);

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

  /// Throws `std::invalid_argument` for a rate that is not in (0, 1), or before anything was added.
  StationarityVerdict result(double false_alarms = 1e-3) const;

 private:
  Matrix directions_;
  DirectionalVariance<Scalar> variance_;
  Matrix starts_, ends_;  // u·δθ, directions × chains
  std::int64_t steps_ = 0;
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include "ness/statistics/student.hpp"

namespace ness {

namespace detail {

/// |y| at the end of a chain that is farthest, squared.
template <class Scalar>
Scalar farthest_square(const DynamicMatrix<Scalar>& ends, Eigen::Index direction, Scalar mean) {
  Scalar largest(0);
  for (Eigen::Index c = 0; c < ends.cols(); ++c) {
    const Scalar y = ends(direction, c) - mean;
    if (!(y * y <= largest)) largest = y * y;  // also what is not a number
  }
  return largest;
}

/// Σ_chains y².
template <class Scalar>
Scalar sum_of_squares(const DynamicMatrix<Scalar>& ends, Eigen::Index direction, Scalar mean) {
  Scalar sum(0);
  for (Eigen::Index c = 0; c < ends.cols(); ++c) {
    const Scalar y = ends(direction, c) - mean;
    sum += y * y;
  }
  return sum;
}

}  // namespace detail

template <class Scalar>
template <class S>
void Stationarity<Scalar>::add(const TrajectoryBlock<S>& block) {
  if (block.steps() == 0) return;
  const auto projected = [&](Eigen::Index k) {
    const Matrix state = block.all_deviations().row(k).template cast<Scalar>();
    return Vector(detail::product(state, directions_).transpose());
  };
  if (steps_ == 0) starts_ = projected(0);
  ends_ = projected(block.steps());
  steps_ += block.steps();
  variance_.add(block);
}

template <class Scalar>
void Stationarity<Scalar>::merge(const Stationarity& other) {
  if (other.steps_ == 0) return;
  if (steps_ == 0) {
    *this = other;
    return;
  }
  const auto beside = [](const Matrix& a, const Matrix& b) {
    Matrix both(a.rows(), a.cols() + b.cols());
    both.leftCols(a.cols()) = a;
    both.rightCols(b.cols()) = b;
    return both;
  };
  starts_ = beside(starts_, other.starts_);
  ends_ = beside(ends_, other.ends_);
  steps_ += other.steps_;
  variance_.merge(other.variance_);
}

template <class Scalar>
StationarityVerdict Stationarity<Scalar>::result(double false_alarms) const {
  constexpr std::string_view name = "Stationarity";
  detail::require(false_alarms > 0 && false_alarms < 1, name, "false_alarms must be in (0, 1)",
                  false_alarms);
  detail::require(steps_ > 0, name, "the steps that were added must be at least 1", steps_);
  const Eigen::Index count = directions_.cols();
  const auto mean = variance_.mean();
  const auto variance = variance_.variance();
  const auto chains = static_cast<double>(starts_.cols());
  const auto steps = static_cast<double>(steps_);
  const DynamicVector<double> zero = DynamicVector<double>::Zero(count);
  StationarityVerdict result{{zero, zero}, zero, zero, false_alarms};
  for (Eigen::Index k = 0; k < count; ++k) {
    const Scalar at = mean.value[k];
    const auto spread = static_cast<double>(variance.value[k]);
    const auto error = static_cast<double>(variance.standard_error[k]) / spread;
    result.relation.value[k] = static_cast<double>(detail::sum_of_squares(ends_, k, at) -
                                                   detail::sum_of_squares(starts_, k, at)) /
                               steps;
    result.relation.standard_error[k] = 2 * spread * std::sqrt(chains) / steps;
    const Scalar start = detail::farthest_square(starts_, k, at);
    const Scalar end = detail::farthest_square(ends_, k, at);
    // A mean that is off by its error adds that to the distance from it.
    const auto off = static_cast<double>(mean.standard_error[k]);
    const auto far = static_cast<double>(start <= end ? end : start);
    result.farthest[k] = std::sqrt(far / (spread + off * off));
    const double chance = 2 * chains * student_tail(result.farthest[k], 2 / (error * error));
    result.chance[k] = chance > 1 ? 1 : chance;
  }
  return result;
}

template <class Scalar>
template <class Archive>
void Stationarity<Scalar>::serialize(Archive& archive) {
  Eigen::Index chains = starts_.cols();  // those of others, when it was merged
  archive(variance_, chains, steps_);
  archive.expect(chains);
  starts_.resize(directions_.cols(), chains);
  ends_.resize(directions_.cols(), chains);
  archive(starts_, ends_);
}

}  // namespace ness
#endif
