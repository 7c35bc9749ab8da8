// Epochs of a random order whose length m does not divide (not in the paper).
#pragma once

#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// Each epoch is a new random order of all samples, cut into n = ⌊M/m⌋ batches; the M − nm samples
/// that are left are not seen (drop_last of data loaders). One Markov step is one epoch.
struct DropLast {
  Index batch_size = 0;  ///< m

  /// Throws `std::invalid_argument` unless 1 ≤ m ≤ M.
  void check(Index samples, std::string_view function = "DropLast") const {
    detail::check_batch_size(batch_size, samples, function);
  }
  Index batches_per_epoch(Index samples) const { return samples / batch_size; }
  std::string description() const {
    return "minibatches of " + std::to_string(batch_size) +
           ", without replacement, the last dropped";
  }
  /// Of a single batch: as with replacement.
  WeightMoments weight_moments(Index samples) const {
    return WeightMoments::distinct(samples, batch_size);
  }
  /// The batches do not add up to all samples, so that an epoch has noise of order η².
  EpochCorrelation epoch_correlation(Index samples) const {
    return EpochCorrelation::of_order(samples, batch_size, batches_per_epoch(samples), batch_size);
  }

  using Sampler = detail::OrderedBatches<DropLast>;
};

/// Each epoch is a new random order of all samples, cut into n = ⌈M/m⌉ batches, the last of which
/// has what is left and is a mean over these: a sample in it counts for more. One Markov step is
/// one epoch.
struct SmallerLast {
  Index batch_size = 0;  ///< m

  /// Throws `std::invalid_argument` unless 1 ≤ m ≤ M.
  void check(Index samples, std::string_view function = "SmallerLast") const {
    detail::check_batch_size(batch_size, samples, function);
  }
  Index batches_per_epoch(Index samples) const { return (samples + batch_size - 1) / batch_size; }
  std::string description() const {
    return "minibatches of " + std::to_string(batch_size) +
           ", without replacement, the last with what is left";
  }
  /// Of a single batch of m: as with replacement.
  WeightMoments weight_moments(Index samples) const {
    return WeightMoments::distinct(samples, batch_size);
  }
  EpochCorrelation epoch_correlation(Index samples) const {
    const Index n = batches_per_epoch(samples);
    return EpochCorrelation::of_order(samples, batch_size, n, samples - (n - 1) * batch_size);
  }

  using Sampler = detail::OrderedBatches<SmallerLast>;
};

}  // namespace ness
