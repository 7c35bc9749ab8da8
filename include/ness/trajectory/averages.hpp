// Averages of iterates: how far they scatter (not in the paper).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/moments.hpp"

namespace ness {

/// Moments of (1/T) Σ_t θ_{k+ct} over windows of T states c steps apart, t < T, one window after
/// the other: c = 1 is the mean of all iterates, another c stochastic weight averaging (P. Izmailov
/// et al., 2018, arXiv 1803.05407) at a constant learning rate.
///
/// Of a linear chain with symmetric K, r_i = 1 − κ_i the factors of c steps along its eigenvectors,
/// it is Σ_ij/T² · [T + f(r_i) + f(r_j)], f(r) = r(T(1−r) − 1 + r^T)/(1−r)². A window left
/// incomplete at the end of a chain is dropped. Cost: a pass over the states that are looked at.
template <class Scalar = double>
class WindowMean {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// Of N parameters; `batch_length` in Markov steps. Throws `std::invalid_argument` for a window
  /// or a stride below 1.
  WindowMean(Eigen::Index parameters, std::int64_t window, std::int64_t stride,
             std::int64_t batch_length);

  template <class S>
  void add(const TrajectoryBlock<S>& block);

  void merge(const WindowMean& other) { moments_.merge(other.moments_); }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

  /// Of the averages: a step of it is a window.
  const Moments<Scalar>& moments() const { return moments_; }

 private:
  std::int64_t window_, stride_;
  Moments<Scalar> moments_;
  Vector sum_;
  std::int64_t inside_ = 0, waits_ = 0;  // states in the sum; steps until the next
};

/// Moments of the exponential mean of iterates e' = ae + (1 − a)θ, from the first state on, after
/// it has forgotten that, a^k < 1e-9.
///
/// Of a linear chain with symmetric K, r_i = 1 − κ_i, it is
/// Σ_ij(1−a)/(1+a) · [1 + ar_i/(1−ar_i) + ar_j/(1−ar_j)]. Cost: that of `Moments` and a pass over
/// the states.
template <class Scalar = double>
class ExponentialMean {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// Of N parameters; `decay` is a, `batch_length` in Markov steps. Throws `std::invalid_argument`
  /// unless 0 ≤ a < 1.
  ExponentialMean(Eigen::Index parameters, double decay, std::int64_t batch_length);

  template <class S>
  void add(const TrajectoryBlock<S>& block);

  void merge(const ExponentialMean& other) { moments_.merge(other.moments_); }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

  /// Of the averages, one for each Markov step.
  const Moments<Scalar>& moments() const { return moments_; }

 private:
  Scalar decay_;
  std::int64_t settles_;  // states until the first is forgotten
  Moments<Scalar> moments_;
  Vector average_;
  std::int64_t seen_ = 0;
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library
namespace ness {

namespace detail {

/// Adds the first `count` rows to the moments, as deviations from the block's reference.
template <class Scalar, class S>
void add_averages(Moments<Scalar>& moments, const TrajectoryBlock<S>& block,
                  DynamicMatrix<Scalar>& averages, Eigen::Index count) {
  if (count == 0) return;
  const DynamicVector<Scalar> reference = block.reference().template cast<Scalar>();
  TrajectoryBlock<Scalar> averaged(reference, reference, count);
  averages.row(count) = averages.row(count - 1);  // a block ends with an outcome
  averaged.assign(averages.topRows(count + 1));
  moments.add(averaged);
}

/// Throws unless there is a window.
inline std::int64_t states_between_windows(std::int64_t window, std::int64_t stride) {
  require(window >= 1, "WindowMean", "window must be at least 1", window);
  require(stride >= 1, "WindowMean", "stride must be at least 1", stride);
  return window * stride;
}

/// Throws unless 0 ≤ a < 1.
inline std::int64_t states_to_forget(double decay) {
  require(decay >= 0 && decay < 1, "ExponentialMean", "decay must be in [0, 1)", decay);
  return decay == 0 ? 0 : static_cast<std::int64_t>(std::ceil(std::log(1e-9) / std::log(decay)));
}

}  // namespace detail

template <class Scalar>
WindowMean<Scalar>::WindowMean(Eigen::Index parameters, std::int64_t window, std::int64_t stride,
                               std::int64_t batch_length)
    : window_(window),
      stride_(stride),
      moments_(parameters, std::max<std::int64_t>(
                               1, batch_length / detail::states_between_windows(window, stride))),
      sum_(Vector::Zero(parameters)) {}

template <class Scalar>
template <class S>
void WindowMean<Scalar>::add(const TrajectoryBlock<S>& block) {
  Matrix averages(block.steps() + 1, block.parameters());
  Eigen::Index count = 0;
  for (Eigen::Index k = 0; k < block.steps(); ++k) {
    if (waits_-- > 0) continue;
    waits_ = stride_ - 1;
    sum_ += block.all_deviations().row(k).transpose().template cast<Scalar>();
    if (++inside_ < window_) continue;
    averages.row(count++) = sum_.transpose() / static_cast<Scalar>(window_);
    sum_.setZero();
    inside_ = 0;
  }
  detail::add_averages(moments_, block, averages, count);
}

template <class Scalar>
template <class Archive>
void WindowMean<Scalar>::serialize(Archive& archive) {
  archive(moments_, sum_, inside_, waits_);
}

template <class Scalar>
ExponentialMean<Scalar>::ExponentialMean(Eigen::Index parameters, double decay,
                                         std::int64_t batch_length)
    : decay_(static_cast<Scalar>(decay)),
      settles_(detail::states_to_forget(decay)),
      moments_(parameters, batch_length),
      average_(Vector::Zero(parameters)) {}

template <class Scalar>
template <class S>
void ExponentialMean<Scalar>::add(const TrajectoryBlock<S>& block) {
  Matrix averages(block.steps() + 1, block.parameters());
  Eigen::Index count = 0;
  for (Eigen::Index k = 0; k < block.steps(); ++k) {
    const Vector state = block.all_deviations().row(k).transpose().template cast<Scalar>();
    if (seen_ == 0)
      average_ = state;
    else
      average_ = decay_ * average_ + (1 - decay_) * state;
    if (seen_++ >= settles_) averages.row(count++) = average_.transpose();
  }
  detail::add_averages(moments_, block, averages, count);
}

template <class Scalar>
template <class Archive>
void ExponentialMean<Scalar>::serialize(Archive& archive) {
  archive(moments_, average_, seen_);
}

}  // namespace ness
#endif
