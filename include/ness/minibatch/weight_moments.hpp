// The second moments of the weights that a batch gives to the samples (App. A).
#pragma once

#include "ness/model/batch.hpp"

namespace ness {

/// The gradient of a batch is Σ_i w_i ∇ℓ_i with random weights of mean 1/M. Where no sample is
/// preferred, its covariance is
///   scatter · Σ_i (∇ℓ_i − ∇L)(∇ℓ_i − ∇L)ᵀ + total · M² ∇L∇Lᵀ,
/// with scatter = ⟨w_i²⟩ − ⟨w_iw_j⟩, i ≠ j, and total the variance of Σ_i w_i over M².
struct WeightMoments {
  double scatter = 0;
  double total = 0;

  /// m distinct samples, each with the weight 1/m: (n−1)/(M(M−1)) with n = M/m, and 0 (Eq. 14).
  static constexpr WeightMoments distinct(Index samples, Index batch_size) {
    if (samples == batch_size) return {};
    const auto M = static_cast<double>(samples);
    const auto m = static_cast<double>(batch_size);
    return {.scatter = (M - m) / (m * M * (M - 1)), .total = 0};
  }

  /// Is there no noise at all?
  constexpr bool vanish() const { return scatter == 0 && total == 0; }
};

}  // namespace ness
