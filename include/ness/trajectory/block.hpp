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
  TrajectoryBlock(const Vector& first, const Vector& reference, Eigen::Index capacity);

  Eigen::Index parameters() const { return states_.cols(); }
  /// Steps that fit.
  Eigen::Index capacity() const { return capacity_; }
  /// Steps that it holds.
  Eigen::Index steps() const { return steps_; }
  /// What deviations are taken from, N.
  const Vector& reference() const { return reference_; }

  /// Fills the block with `steps` ≤ capacity further steps; `advance()` returns the next θ.
  template <class Advance>
  void fill(Eigen::Index steps, const Advance& advance) {
    begin(steps);
    const Eigen::Index n = parameters();
    if (n <= narrow) {
      for (Eigen::Index k = 1; k <= steps; ++k) put(k, advance());
      return;
    }
    // Several states at a time, so that whole cache lines are written.
    for (Eigen::Index k = 1; k <= steps; k += tile_width) {
      const Eigen::Index count = std::min(tile_width, steps + 1 - k);
      for (Eigen::Index j = 0; j < count; ++j) put(advance(), tile_.data() + j * n, 1);
      place_tile(k, count);
    }
  }

  /// Begins to fill it with `steps` ≤ capacity further steps, one `put` each.
  void begin(Eigen::Index steps);
  /// θ after step k = 1 … `steps`.
  template <class Theta>
  void put(Eigen::Index k, const Theta& theta) {
    put(theta, states_.data() + k, states_.rows());
  }

  /// Makes it of the given deviations: of the first state, and of that after each step, at most
  /// capacity + 1 rows.
  template <class Derived>
  void assign(const Eigen::MatrixBase<Derived>& deviations) {
    steps_ = deviations.rows() - 1;
    states_.topRows(steps_ + 1) = deviations;
  }

  /// The first step whose outcome is not finite, or −1.
  Eigen::Index first_diverged() const;

  /// theta ← θ_k, k = 0 … steps.
  template <class To>
  void state(Eigen::Index k, DynamicVector<To>& theta) const {
    theta.resize(parameters());
    for (Eigen::Index i = 0; i < parameters(); ++i)
      theta[i] = static_cast<To>(reference_[i] + states_(k, i));
  }
  /// Element i of δθ_k, k = 0 … steps.
  S deviation(Eigen::Index k, Eigen::Index i) const { return states_(k, i); }
  /// Element i of all of them, one after the other.
  const S* series(Eigen::Index i) const { return states_.data() + i * states_.rows(); }

  /// The same, a state in a column, N × steps.
  States columns() const;
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

  void place_tile(Eigen::Index first, Eigen::Index count);

  // θ − reference, elements `stride` apart.
  template <class Theta>
  void put(const Theta& theta, S* to, Eigen::Index stride) const {
    const S* const reference = reference_.data();
    for (Eigen::Index i = 0; i < theta.size(); ++i) to[i * stride] = theta[i] - reference[i];
  }

  Vector reference_;
  Eigen::Index capacity_;
  States states_;
  States tile_;  // N × several states
  Eigen::Index steps_ = 0;
};

namespace detail {

/// Deviations of a chain's states with one before those of each block, for what looks at three
/// successive ones.
template <class Scalar>
class JoinedBlocks {
 public:
  using Matrix = DynamicMatrix<Scalar>;
  explicit JoinedBlocks(Eigen::Index parameters) : before_(Matrix::Zero(1, parameters)) {}

  /// The last but one state of the block before, where there is one, and all of this: a state in a
  /// row.
  template <class S>
  Matrix join(const TrajectoryBlock<S>& block) {
    const Eigen::Index steps = block.steps(), first = goes_on_ ? 1 : 0;
    Matrix states(first + steps + 1, block.parameters());
    if (goes_on_)
      for (Eigen::Index i = 0; i < states.cols(); ++i) states(0, i) = before_(0, i);
    for (Eigen::Index i = 0; i < states.cols(); ++i)
      for (Eigen::Index k = 0; k <= steps; ++k)
        states(first + k, i) = static_cast<Scalar>(block.deviation(k, i));
    for (Eigen::Index i = 0; i < states.cols(); ++i) before_(0, i) = states(first + steps - 1, i);
    goes_on_ = true;
    return states;
  }
  /// The next block does not follow upon the last.
  void interrupt() { goes_on_ = false; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(goes_on_, before_);
  }

 private:
  bool goes_on_ = false;
  Matrix before_;  // 1 × N
};

}  // namespace detail
}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>

namespace ness {

template <class S>
TrajectoryBlock<S>::TrajectoryBlock(const Vector& first, const Vector& reference,
                                    Eigen::Index capacity)
    : reference_(reference), capacity_(capacity), states_(capacity + 1, first.size()) {
  put(first, states_.data(), states_.rows());
  if (first.size() > narrow) tile_.resize(first.size(), tile_width);
}

// Goes on from the last state.
template <class S>
void TrajectoryBlock<S>::begin(Eigen::Index steps) {
  if (steps_ > 0)
    for (Eigen::Index i = 0; i < parameters(); ++i) states_(0, i) = states_(steps_, i);
  steps_ = steps;
}

template <class S>
void TrajectoryBlock<S>::place_tile(Eigen::Index first, Eigen::Index count) {
  for (Eigen::Index i = 0; i < parameters(); ++i)
    for (Eigen::Index j = 0; j < count; ++j) states_(first + j, i) = tile_(i, j);
}

template <class S>
DynamicMatrix<S> TrajectoryBlock<S>::columns() const {
  States result(parameters(), steps_);
  for (Eigen::Index k = 0; k < steps_; ++k)
    for (Eigen::Index i = 0; i < parameters(); ++i) result(i, k) = states_(k, i);
  return result;
}

template <class S>
Eigen::Index TrajectoryBlock<S>::first_diverged() const {
  Eigen::Index first = steps_ + 1;
  for (Eigen::Index i = 0; i < parameters(); ++i) {
    if (std::isfinite(detail::sum(series(i), first))) continue;
    for (Eigen::Index k = 0; k < first; ++k)
      if (!std::isfinite(states_(k, i))) first = k;
  }
  return first > steps_ ? -1 : std::max<Eigen::Index>(0, first - 1);
}

}  // namespace ness
#endif
