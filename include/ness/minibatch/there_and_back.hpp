// Epochs there and back: a random order, and then the same in reverse.
#pragma once

#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// A new random order of all samples, cut into n = M/m batches, which are taken in this order and
/// then in reverse. One Markov step is such a pair of epochs, 2n updates: the term of order η² of
/// its displacement is the same for every order, so that Σ is of order η⁵ where that of
/// `WithoutReplacement` is of η³ (not in the paper). Cost: O(m) a step, M numbers of memory.
struct ThereAndBack {
  Index batch_size = 0;  ///< m, which must divide M

  /// Throws `std::invalid_argument` unless 1 ≤ m ≤ M and m divides M.
  void check(Index samples, std::string_view function = "ThereAndBack") const {
    detail::check_divisor(batch_size, samples, function);
  }
  /// 2M/m updates of a Markov step.
  Index batches_per_epoch(Index samples) const { return 2 * (samples / batch_size); }
  std::string description() const {
    return "minibatches of " + std::to_string(batch_size) + ", without replacement, there and back";
  }
  /// Of a single batch: as with replacement.
  WeightMoments weight_moments(Index samples) const {
    return WeightMoments::distinct(samples, batch_size);
  }
  EpochCorrelation epoch_correlation(Index samples) const {
    auto result = EpochCorrelation::of_order(samples, batch_size, samples / batch_size, batch_size);
    result.mirrored = true;
    return result;
  }

  class Sampler {
   public:
    Sampler(const ThereAndBack& policy, Index samples)
        : order_(samples), batch_size_(static_cast<std::size_t>(policy.batch_size)) {
      policy.check(samples);
    }
    template <class Random>
    Batch next(Random& random) {
      if (!back_) {
        const Batch batch = order_.draw(random, next_, batch_size_);
        next_ += batch_size_;
        back_ = next_ == order_.size();
        return batch;
      }
      next_ -= batch_size_;
      back_ = next_ > 0;
      return order_.at(next_, batch_size_);
    }
    template <class Archive>
    void serialize(Archive& archive) {
      archive(order_, next_, back_);
    }

   private:
    detail::Permutation order_;
    std::size_t batch_size_;
    std::size_t next_ = 0;
    bool back_ = false;
  };
};

}  // namespace ness
