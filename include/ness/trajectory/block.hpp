// A stretch of a trajectory: what the estimators are given, many steps at a time.
#pragma once

#include <Eigen/Core>

namespace ness {

/// δθ_k = θ_k − reference and Δθ_k = θ_{k+1} − θ_k of consecutive Markov steps.
///
/// For few parameters each one's series is contiguous, so that products over time are vector
/// instructions; for many each state is, so that they are matrix products. Estimators need not
/// know.
template <class S, int N>
class TrajectoryBlock {
  auto differences() const { return states_.middleCols(1, steps_) - states_.leftCols(steps_); }

 public:
  using Scalar = S;
  static constexpr int parameters_at_compile_time = N;
  static constexpr bool small = N != Eigen::Dynamic && N <= 16;
  using Vector = Eigen::Matrix<S, N, 1>;
  using States = Eigen::Matrix<S, N, Eigen::Dynamic, small ? Eigen::RowMajor : Eigen::ColMajor>;

  /// For up to `capacity` steps, from the state `first`.
  TrajectoryBlock(const Vector& first, Vector reference, Eigen::Index capacity)
      : reference_(std::move(reference)), capacity_(capacity), states_(first.size(), capacity + 1) {
    states_.col(0) = first - reference_;
    if constexpr (small) increments_.resize(first.size(), capacity);
  }

  Eigen::Index parameters() const { return states_.rows(); }
  Eigen::Index capacity() const { return capacity_; }
  Eigen::Index steps() const { return steps_; }
  const Vector& reference() const { return reference_; }

  /// Fills the block with `steps` ≤ capacity further steps; `advance()` returns the next θ.
  template <class Advance>
  void fill(Eigen::Index steps, const Advance& advance) {
    if (steps_ > 0) states_.col(0) = states_.col(steps_).eval();
    steps_ = steps;
    for (Eigen::Index k = 1; k <= steps; ++k) states_.col(k).noalias() = advance() - reference_;
    if constexpr (small) increments_.leftCols(steps) = differences();
  }

  /// Makes it of the given deviations: of the first state, and of that after each step.
  template <class Derived>
  void assign(const Eigen::MatrixBase<Derived>& deviations) {
    steps_ = deviations.cols() - 1;
    states_.leftCols(steps_ + 1) = deviations;
    if constexpr (small) increments_.leftCols(steps_) = differences();
  }

  /// The first step whose outcome is not finite, or −1.
  Eigen::Index first_diverged() const {
    if (states_.leftCols(steps_ + 1).allFinite()) return -1;
    for (Eigen::Index k = 1; k <= steps_; ++k)
      if (!states_.col(k).allFinite()) return k - 1;
    return 0;
  }

  /// δθ_k at the start of each step, N × steps.
  auto deviations() const { return states_.leftCols(steps_); }
  /// The same and that of the last outcome, N × (steps + 1): what `assign` takes.
  auto all_deviations() const { return states_.leftCols(steps_ + 1); }
  /// Deviations of every `stride`-th state from the first on, N × (steps / stride).
  auto deviations(Eigen::Index stride) const {
    return states_(Eigen::all, Eigen::seqN(0, steps_ / stride, stride));
  }
  /// Δθ_k, N × steps. For many parameters it is made when it is asked for: not all estimators do.
  auto increments() const {
    if constexpr (small)
      return increments_.leftCols(steps_);
    else
      return differences();
  }

 private:
  Vector reference_;
  Eigen::Index capacity_;
  States states_;
  States increments_;
  Eigen::Index steps_ = 0;
};

}  // namespace ness
