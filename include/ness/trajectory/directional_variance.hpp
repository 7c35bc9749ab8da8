// The variance of a trajectory along given directions.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/block.hpp"

namespace ness {

/// ⟨(u·δθ)²⟩ − ⟨u·δθ⟩² for each column u, with standard errors and autocorrelation times: for the
/// eigenvectors of H, which relax at rates ηh that may be decades apart, how well each direction
/// has converged.
///
/// Looks at every `stride`-th state of a block. Cost: a product of directions and states; memory
/// that of the directions and a few vectors.
template <int N>
class DirectionalVariance {
 public:
  using Vector = Eigen::Matrix<double, Eigen::Dynamic, 1>;
  using Matrix = Eigen::Matrix<double, N, Eigen::Dynamic>;

  /// `directions` is N × (how many), `batch_length` in Markov steps. Throws `std::invalid_argument`
  /// for a stride below 1.
  DirectionalVariance(Matrix directions, std::int64_t batch_length, Eigen::Index stride = 1)
      : directions_(std::move(directions)),
        stride_(stride),
        first_(Vector(directions_.cols()),
               detail::states_per_batch(batch_length, stride, "DirectionalVariance")),
        second_(first_) {}

  template <class S>
  void add(const TrajectoryBlock<S, N>& block) {
    const Eigen::Index count = block.steps() / stride_;
    states_ = block.deviations(stride_).template cast<double>();
    projections_.noalias() = directions_.transpose() * states_;
    first_.add(projections_.rowwise().sum(), count);
    second_.add(projections_.rowwise().squaredNorm(), count);
  }

  void merge(const DirectionalVariance& other) {
    first_.merge(other.first_);
    second_.merge(other.second_);
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(first_, second_);
  }

  /// ⟨u·δθ⟩
  Estimate<Vector> mean() const { return first_.estimate(); }

  Estimate<Vector> variance() const {
    return {second_.mean() - first_.mean().cwiseAbs2(), second_.standard_error()};
  }

  /// Of u·δθ, in Markov steps, as `Moments::autocorrelation_time`.
  Vector autocorrelation_time() const {
    return static_cast<double>(first_.batch_length() * stride_) / 2 *
           first_.batch_variance().cwiseQuotient(variance().value);
  }

 private:
  Matrix directions_;
  Eigen::Index stride_;
  BatchMeans<Vector> first_, second_;
  Matrix states_;
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic> projections_;
};

}  // namespace ness
