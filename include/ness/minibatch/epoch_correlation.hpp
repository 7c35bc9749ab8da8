// How the batches of an epoch depend on each other.
#pragma once

#include "ness/model/batch.hpp"

namespace ness {

/// Covariance of the noise of the batch gradients of updates t and s of one Markov step, over
/// S = (1/M) Σ_i (∇ℓ_i − ∇L)(∇ℓ_i − ∇L)ᵀ: `variance` for t = s, `between` for two batches, and
/// `last_variance` for the last one, which may be smaller.
struct EpochCorrelation {
  Index batches = 1;         ///< n different batches
  double variance = 0;       ///< of each but the last, (M − m)/(m(M − 1)) of m distinct samples
  double last_variance = 0;  ///< of the last
  double between = 0;     ///< of any two, −1/(M − 1) of samples that are in one batch at most
  bool mirrored = false;  ///< update 2n − 1 − t has the batch of update t, t < n

  /// Updates of a Markov step.
  constexpr Index updates() const { return mirrored ? 2 * batches : batches; }

  /// Do the different batches add up to all samples, each of them once?
  constexpr bool covers_all() const {
    const double sum = variance + static_cast<double>(batches - 1) * between;
    return last_variance == variance && sum <= 1e-12 * variance && sum >= -1e-12 * variance;
  }

  /// Of n batches cut from a random order of M samples, all of m but the last. Its batches add up
  /// to nothing where they are all of the samples.
  static constexpr EpochCorrelation of_order(Index samples, Index batch_size, Index batches,
                                             Index last_size) {
    if (samples < 2) return {.batches = batches};
    const auto M = static_cast<double>(samples);
    const auto variance = [&](Index size) {
      const auto m = static_cast<double>(size);
      return (M - m) / (m * (M - 1));
    };
    return {.batches = batches,
            .variance = variance(batch_size),
            .last_variance = variance(last_size),
            .between = batches > 1 ? -1 / (M - 1) : 0};
  }
};

}  // namespace ness
