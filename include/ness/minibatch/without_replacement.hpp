// Minibatches drawn without replacement, WOR (Sec. 3.2, App. B).
#pragma once

#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// The nearest divisors of M at or below m and at or above m, 1 ≤ m ≤ M.
inline std::pair<Index, Index> nearest_batch_sizes(Index samples, Index batch_size) {
  Index below = batch_size;
  while (samples % below != 0) --below;
  Index above = batch_size;
  while (samples % above != 0) ++above;
  return {below, above};
}

/// Each epoch is a new random order of all samples, cut into n = M/m batches: uniform over the
/// permutations. One Markov step is one epoch of n updates. Cost: O(m) a step, M numbers of memory.
struct WithoutReplacement {
  Index batch_size = 0;  ///< m, which must divide M

  /// Throws `std::invalid_argument` unless 1 ≤ m ≤ M and m divides M; names the nearest m that do.
  void check(Index samples, std::string_view function = "WithoutReplacement") const {
    detail::check_batch_size(batch_size, samples, function);
    if (samples % batch_size == 0) return;
    const auto [below, above] = nearest_batch_sizes(samples, batch_size);
    detail::invalid(function, "batch_size must divide M = ", samples,
                    " without replacement, but is ", batch_size, ": the nearest that do are ",
                    below, " and ", above);
  }
  /// n = M/m
  Index batches_per_epoch(Index samples) const { return samples / batch_size; }
  std::string description() const {
    return "minibatches of " + std::to_string(batch_size) + ", without replacement";
  }
  /// Of a single batch: as with replacement.
  WeightMoments weight_moments(Index samples) const {
    return WeightMoments::distinct(samples, batch_size);
  }
  HigherWeightMoments higher_weight_moments(Index samples) const {
    return HigherWeightMoments::distinct(samples, batch_size);
  }
  EpochMoments order_moments(Index samples) const {
    return EpochMoments::exact(samples, batch_size);
  }

  class Sampler {
   public:
    Sampler(const WithoutReplacement& policy, Index samples)
        : order_(samples), batch_size_(static_cast<std::size_t>(policy.batch_size)) {
      policy.check(samples);
    }
    template <class Random>
    Batch next(Random& random) {
      if (next_ == order_.size()) next_ = 0;
      const Batch batch = order_.draw(random, next_, batch_size_);
      next_ += batch_size_;
      return batch;
    }
    template <class Archive>
    void serialize(Archive& archive) {
      archive(order_, next_);
    }

   private:
    detail::Permutation order_;
    std::size_t batch_size_;
    std::size_t next_ = 0;
  };
};

}  // namespace ness
