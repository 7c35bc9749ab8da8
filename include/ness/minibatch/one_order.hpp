// Epochs that all have one order.
#pragma once

#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// Every epoch is the order 0 … M − 1, cut into n = M/m batches (shuffle once, and before): there
/// is no noise, and the epoch map has a fixed point, shifted from the minimum by
/// (η/n) H⁻¹ Σ_{k<k'} H_{k'} g_k to leading order (not in the paper). One Markov step is one epoch.
struct OneOrder {
  Index batch_size = 0;  ///< m, which must divide M

  /// Throws `std::invalid_argument` unless 1 ≤ m ≤ M and m divides M.
  void check(Index samples, std::string_view function = "OneOrder") const {
    detail::check_divisor(batch_size, samples, function);
  }
  Index batches_per_epoch(Index samples) const { return samples / batch_size; }
  std::string description() const {
    return "minibatches of " + std::to_string(batch_size) + " in one order";
  }
  /// Nothing is random.
  WeightMoments weight_moments(Index) const { return {}; }
  EpochCorrelation epoch_correlation(Index samples) const {
    return {.batches = batches_per_epoch(samples)};
  }

  class Sampler {
   public:
    Sampler(const OneOrder& policy, Index samples)
        : order_(samples), batch_size_(static_cast<std::size_t>(policy.batch_size)) {
      policy.check(samples);
    }
    template <class Random>
    Batch next(Random&) {
      if (next_ == order_.size()) next_ = 0;
      const Batch batch = order_.at(next_, batch_size_);
      next_ += batch_size_;
      return batch;
    }
    template <class Archive>
    void serialize(Archive& archive) {
      archive(next_);
    }

   private:
    detail::Permutation order_;
    std::size_t batch_size_;
    std::size_t next_ = 0;
  };
};

}  // namespace ness
