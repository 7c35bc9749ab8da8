// A stretch of a trajectory: what the estimators are given, many steps at a time.
#pragma once

#include <algorithm>
#include <utility>

#include "ness/detail/matrices.hpp"

namespace ness {

/// δθ_k = θ_k − reference and Δθ_k = θ_{k+1} − θ_k of consecutive Markov steps: a row for each
/// step, a column for the series of each parameter. So products over time are vector instructions
/// for few parameters and matrix products for many.
template <class S>
class TrajectoryBlock {
 public:
  using Scalar = S;
  using Vector = DynamicVector<S>;
  using States = DynamicMatrix<S>;

  /// For up to `capacity` steps, from the state `first`, N.
  template <class First, class Reference>
  TrajectoryBlock(const Eigen::MatrixBase<First>& first,
                  const Eigen::MatrixBase<Reference>& reference, Eigen::Index capacity)
      : reference_(reference), capacity_(capacity), states_(capacity + 1, first.size()) {
    states_.row(0) = (first - reference).transpose();
    if (first.size() > narrow) tile_.resize(first.size(), tile_width);
  }

  Eigen::Index parameters() const { return states_.cols(); }
  Eigen::Index capacity() const { return capacity_; }
  Eigen::Index steps() const { return steps_; }
  const Vector& reference() const { return reference_; }

  /// Fills the block with `steps` ≤ capacity further steps; `advance()` returns the next θ.
  template <class Advance>
  void fill(Eigen::Index steps, const Advance& advance) {
    if (steps_ > 0) states_.row(0) = states_.row(steps_).eval();
    steps_ = steps;
    if (parameters() <= narrow) {
      for (Eigen::Index k = 1; k <= steps; ++k)
        states_.row(k).noalias() = (advance() - reference_).transpose();
      return;
    }
    // Several states at a time, so that whole cache lines are written.
    for (Eigen::Index k = 1; k <= steps; k += tile_width) {
      const Eigen::Index count = std::min(tile_width, steps + 1 - k);
      for (Eigen::Index j = 0; j < count; ++j) tile_.col(j).noalias() = advance() - reference_;
      states_.middleRows(k, count) = tile_.leftCols(count).transpose();
    }
  }

  /// Makes it of the given deviations: of the first state, and of that after each step, at most
  /// capacity + 1 rows.
  template <class Derived>
  void assign(const Eigen::MatrixBase<Derived>& deviations) {
    steps_ = deviations.rows() - 1;
    states_.topRows(steps_ + 1) = deviations;
  }

  /// The first step whose outcome is not finite, or −1.
  Eigen::Index first_diverged() const {
    if (states_.topRows(steps_ + 1).allFinite()) return -1;
    for (Eigen::Index k = 1; k <= steps_; ++k)
      if (!states_.row(k).allFinite()) return k - 1;
    return 0;
  }

  /// δθ_k at the start of each step, steps × N.
  auto deviations() const { return states_.topRows(steps_); }
  /// The same and that of the last outcome, (steps + 1) × N: what `assign` takes.
  auto all_deviations() const { return states_.topRows(steps_ + 1); }
  /// Deviations of every `stride`-th state from the first on, (steps / stride) × N.
  auto deviations(Eigen::Index stride) const {
    return states_(Eigen::seqN(0, steps_ / stride, stride), Eigen::all);
  }
  /// Δθ_k, steps × N: an expression, made when it is asked for.
  auto increments() const { return states_.middleRows(1, steps_) - states_.topRows(steps_); }

 private:
  static constexpr Eigen::Index narrow = 16;
  static constexpr Eigen::Index tile_width = 8;

  Vector reference_;
  Eigen::Index capacity_;
  States states_;
  States tile_;  // N × several states
  Eigen::Index steps_ = 0;
};

}  // namespace ness
