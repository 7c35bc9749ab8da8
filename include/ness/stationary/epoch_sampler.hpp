// Random epochs of losses that are quadratic about a point: what their exact moments are averaged
// over.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "ness/landscape/objective.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/statistics/threads.hpp"
#include "ness/training/training.hpp"

namespace ness::detail {

/// The expansion of the losses about θ to second order, and the batches of random orders of them.
template <class M>
class EpochSampler {
 public:
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  /// (A | b), N × (N + 1)
  static constexpr int columns = parameters_at_compile_time<M> == Eigen::Dynamic
                                     ? Eigen::Dynamic
                                     : parameters_at_compile_time<M> + 1;
  using Affine = Eigen::Matrix<Scalar, parameters_at_compile_time<M>, columns>;

  /// The expansion, shared by all threads: (∂∂ℓ_i | ∇ℓ_i) of all samples, and (Y | X).
  template <class R>
  EpochSampler(const Objective<M, R>& objective, const vector_t<M>& theta,
               const Sgd<WithoutReplacement>& training)
      : size_(theta.size()),
        batch_size_(training.minibatch.batch_size),
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

  /// Walks through the batches (Q | G) of `count` random orders, G and Q the gradient and the
  /// Hessian of the objective on a batch, each order forwards and then backwards: `walk.begin()`,
  /// `walk.follow(batch)` for each, `walk.end()`.
  template <class Random, class Walk>
  void draw(std::int64_t count, Random random, Walk& walk) const {
    const Index n = samples() / batch_size_;
    WithoutReplacement::Sampler sampler({batch_size_}, samples());
    std::vector<Affine> batches(static_cast<std::size_t>(n), regularizer_);
    for (; count > 0; --count) {
      for (Affine& batch : batches) batch = mean(sampler.next(random));
      walk.begin();
      for (auto batch = batches.begin(); batch != batches.end(); ++batch) walk.follow(*batch);
      walk.end();
      walk.begin();
      for (auto batch = batches.rbegin(); batch != batches.rend(); ++batch) walk.follow(*batch);
      walk.end();
    }
  }

  /// (Q | G) of the objective on some of the samples.
  Affine mean(Batch some) const {
    Affine sum = Affine::Zero(size_, size_ + 1);
    for (const Index i : some) sum += sample(i);
    return sum / static_cast<Scalar>(some.size()) + regularizer_;
  }
  /// (Y | X)
  const Affine& regularizer() const { return regularizer_; }
  /// (∂∂ℓ_i | ∇ℓ_i)
  auto sample(Index i) const {
    return Eigen::Map<const Affine>(samples_.col(i).data(), size_, size_ + 1);
  }

 private:
  static constexpr int rows =
      columns == Eigen::Dynamic ? Eigen::Dynamic : parameters_at_compile_time<M> * columns;

  Index size_, batch_size_;
  Eigen::Matrix<Scalar, rows, Eigen::Dynamic> samples_;
  Affine regularizer_;
};

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
