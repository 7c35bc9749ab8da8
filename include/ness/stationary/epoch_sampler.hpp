// Random epochs of losses that are quadratic about a point: what their exact moments are averaged
// over.
#pragma once

#include <cstdint>
#include <vector>

#include "ness/landscape/objective.hpp"
#include "ness/minibatch/minibatch.hpp"
#include "ness/statistics/threads.hpp"
#include "ness/training/training.hpp"

namespace ness::detail {

/// The expansion of the losses about a point to second order, and the batches of random orders of
/// them. N is static where the model's is: the many small products of an epoch gain from it.
template <class Scalar_, int N, class Policy>
class EpochSampler {
 public:
  using Scalar = Scalar_;
  using Vector = Eigen::Matrix<Scalar, N, 1>;
  using Matrix = Eigen::Matrix<Scalar, N, N>;
  /// (A | b), N × (N + 1)
  static constexpr int columns = N == Eigen::Dynamic ? Eigen::Dynamic : N + 1;
  using Affine = Eigen::Matrix<Scalar, N, columns>;

  /// (∂∂ℓ_i | ∇ℓ_i) of all samples, and (Y | X); shared by all threads.
  template <class M, class R>
  EpochSampler(const Objective<M, R>& objective, const vector_t<M>& theta, const Policy& minibatch)
      : size_(theta.size()),
        minibatch_(minibatch),
        samples_(size_ * (size_ + 1), objective.samples()),
        regularizer_(size_, size_ + 1) {
    Derivatives<M> derivatives(objective.model());
    hessians_t<M> hessians;
    block_t<M> gradients;
    constexpr Index most = 16;
    for_each_range(objective.samples(), most, [&](Index first, Index count) {
      hessians.resize(size_ * size_, count);
      derivatives.sample_hessians(theta, first, hessians);
      gradients.resize(size_, count);
      derivatives.sample_gradients(theta, first, gradients);
      samples_.block(0, first, size_ * size_, count) = hessians;
      samples_.block(size_ * size_, first, size_, count) = gradients;
    });
    regularizer_.leftCols(size_) = objective.regularizer_hessian(theta);
    regularizer_.col(size_) = objective.regularizer_gradient(theta);
  }

  Index samples() const { return samples_.cols(); }
  Index batches_per_epoch() const { return minibatch_.batches_per_epoch(samples()); }

  /// An order of all samples is as likely as its reverse, so both are walked through.
  static constexpr int walks_per_order = StatesOrderMoments<Policy> ? 2 : 1;

  /// Walks through the batches (Q | G) of `count` random epochs, G and Q the gradient and the
  /// Hessian of the objective on a batch: `walk.begin()`, `walk.follow(batch)` for each,
  /// `walk.end()`. Where they are a random order, it is walked through forwards and then backwards.
  template <class Random, class Walk>
  void draw(std::int64_t count, Random random, Walk& walk) const {
    typename Policy::Sampler sampler(minibatch_, samples());
    std::vector<Affine> batches(static_cast<std::size_t>(batches_per_epoch()), regularizer_);
    for (; count > 0; --count) {
      for (Affine& batch : batches) batch = mean(sampler.next(random));
      walk.begin();
      for (auto batch = batches.begin(); batch != batches.end(); ++batch) walk.follow(*batch);
      walk.end();
      if constexpr (walks_per_order == 1) continue;
      walk.begin();
      for (auto batch = batches.rbegin(); batch != batches.rend(); ++batch) walk.follow(*batch);
      walk.end();
    }
  }

  /// (Q | G) of the objective on some of the samples.
  Affine mean(Batch some) const {
    Affine sum = Affine::Zero(size_, size_ + 1);
    for (const Index i : some) sum += sample(i);
    return sum * static_cast<Scalar>(some.weight()) + regularizer_;
  }
  /// (Y | X)
  const Affine& regularizer() const { return regularizer_; }
  /// (∂∂ℓ_i | ∇ℓ_i)
  auto sample(Index i) const {
    return Eigen::Map<const Affine>(samples_.col(i).data(), size_, size_ + 1);
  }

 private:
  static constexpr int rows = columns == Eigen::Dynamic ? Eigen::Dynamic : N * columns;

  Index size_;
  Policy minibatch_;
  Eigen::Matrix<Scalar, rows, Eigen::Dynamic> samples_;
  Affine regularizer_;
};
template <class M, class R, class Policy>
EpochSampler(const Objective<M, R>&, const vector_t<M>&, const Policy&)
    -> EpochSampler<scalar_t<M>, parameters_at_compile_time<M>, Policy>;

/// Sums over random orders in groups: `work(sum, stream)` adds to the sum of a group what it draws
/// from a stream that no chain uses; `shape` is an empty sum.
template <class Sum, class Work>
std::vector<Sum> sums_of_groups(int groups, int threads, const Sum& shape, const Work& work) {
  std::vector<Sum> sums(static_cast<std::size_t>(groups), shape);
  parallel_for(groups, threads, [&](int group) {
    work(sums[static_cast<std::size_t>(group)],
         (std::uint64_t{1} << 33) + static_cast<std::uint64_t>(group));
  });
  return sums;
}

}  // namespace ness::detail
