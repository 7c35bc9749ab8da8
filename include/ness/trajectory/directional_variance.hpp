// The variance of a trajectory along given directions.
#pragma once

#include <cstdint>
#include <utility>

#include "ness/detail/matrices.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/block.hpp"

namespace ness {

/// ⟨(u·δθ)²⟩ − ⟨u·δθ⟩² for each column u, with standard errors and autocorrelation times: for the
/// eigenvectors of H, which relax at rates ηh that may be decades apart, how well each direction
/// has converged.
///
/// Looks at every `stride`-th state of a block. Cost: a product of directions and states; memory
/// that of the directions and a few vectors.
template <class Scalar = double>
class DirectionalVariance {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// `directions` is N × (how many), `batch_length` in Markov steps. Throws `std::invalid_argument`
  /// for a stride below 1.
  DirectionalVariance(Matrix directions, std::int64_t batch_length, Eigen::Index stride = 1)
      : directions_(std::move(directions)),
        stride_(stride),
        first_(directions_.cols(), 1,
               detail::states_per_batch(batch_length, stride, "DirectionalVariance")),
        second_(first_) {}

  template <class S>
  void add(const TrajectoryBlock<S>& block);

  void merge(const DirectionalVariance& other) {
    first_.merge(other.first_);
    second_.merge(other.second_);
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

  /// ⟨u·δθ⟩
  Estimate<Vector> mean() const { return first_.template estimate<Vector>(); }

  /// ⟨(u·δθ)²⟩ − ⟨u·δθ⟩², of each direction.
  Estimate<Vector> variance() const;

  /// Of u·δθ, in Markov steps, as `Moments::autocorrelation_time`.
  Vector autocorrelation_time() const;

 private:
  Matrix directions_;
  Eigen::Index stride_;
  BatchMeans<Scalar> first_, second_;
  Matrix states_, projections_;
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library
namespace ness {

template <class Scalar>
template <class S>
void DirectionalVariance<Scalar>::add(const TrajectoryBlock<S>& block) {
  const Eigen::Index count = block.steps() / stride_;
  states_ = block.deviations(stride_).template cast<Scalar>();
  projections_ = detail::product(states_, directions_);
  Matrix sum(projections_.cols(), 1);
  Matrix squares(projections_.cols(), 1);
  for (Eigen::Index k = 0; k < projections_.cols(); ++k) {
    sum(k, 0) = projections_.col(k).sum();
    squares(k, 0) = projections_.col(k).squaredNorm();
  }
  first_.add(sum, count);
  second_.add(squares, count);
}

template <class Scalar>
Estimate<DynamicVector<Scalar>> DirectionalVariance<Scalar>::variance() const {
  return {second_.mean() - first_.mean().cwiseAbs2(), second_.standard_error(),
          second_.degrees_of_freedom()};
}

template <class Scalar>
DynamicVector<Scalar> DirectionalVariance<Scalar>::autocorrelation_time() const {
  const Vector of_means = first_.batch_variance();
  return static_cast<Scalar>(first_.batch_length() * stride_) / 2 *
         of_means.cwiseQuotient(variance().value);
}

template <class Scalar>
template <class Archive>
void DirectionalVariance<Scalar>::serialize(Archive& archive) {
  archive(first_, second_);
}

}  // namespace ness
#endif
