// Minibatches drawn without replacement, WOR (Sec. 3.2, App. B).
#pragma once

#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// The nearest divisors of M at or below m and at or above m, 1 ≤ m ≤ M.
inline std::pair<Index, Index> nearest_batch_sizes(Index samples, Index batch_size) {
  return detail::nearest_divisors(samples, batch_size);
}

/// Each epoch is a new random order of all samples, cut into n = M/m batches: uniform over the
/// permutations. One Markov step is one epoch of n updates. Cost: O(m) a step, M numbers of memory.
struct WithoutReplacement {
  Index batch_size = 0;  ///< m, which must divide M

  /// Throws `std::invalid_argument` unless 1 ≤ m ≤ M and m divides M; names the nearest m that do.
  void check(Index samples, std::string_view function = "WithoutReplacement") const {
    detail::check_divisor(batch_size, samples, function);
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
  EpochCorrelation epoch_correlation(Index samples) const {
    return EpochCorrelation::of_order(samples, batch_size, batches_per_epoch(samples), batch_size);
  }
  EpochMoments order_moments(Index samples) const {
    return EpochMoments::exact(samples, batch_size);
  }

  using Sampler = detail::OrderedBatches<WithoutReplacement>;
};

}  // namespace ness
