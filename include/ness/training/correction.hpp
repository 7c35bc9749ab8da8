// Corrections of the drift, for the landscape that training without replacement sees (Sec. 4.6).
// The force that they compute is the landscape's: `landscape/pair_force.hpp`.
#pragma once

#include "ness/training/training.hpp"

namespace ness {

namespace detail {

inline void check_correction(Index subset, Index samples, std::string_view function) {
  if (subset != 0 && (subset < 2 || subset > samples))
    invalid(function, "correction.samples must be 0, for all, or in 2 ... M = ", samples,
            ", but is ", subset);
}

}  // namespace detail

/// + η∇δ𝓛(θ) at the end of an epoch, θ its start (Fig. 5, right): the epochs then go down n𝓛, as
/// far as the order η of Eq. 16 goes.
///
///   ∇δ𝓛 = −(ηn(n−1)/2) [ H∇𝓛 + H_L∇L/(M−1) − (1/(M(M−1))) Σ_i ∂∂ℓ_i∇ℓ_i ].
///
/// Belongs to `EpochLangevinNoise`: with noise after each update use `SamplingCorrection`. Needs
/// Hessian products alone. Cost of an epoch: 2K gradients and K Hessian products of samples.
struct LandscapeCorrection {
  /// K samples, drawn anew for each epoch, that the force is estimated from: without bias, since
  /// δ𝓛 is a mean over pairs of samples, and with a variance that falls as 1/K. 0 stands for all M.
  Index samples = 0;

  /// What is cancelled of δ𝓛.
  static constexpr LandscapeParts parts{.discretization = 1, .sampling = 1};
  void check(Index all, std::string_view function) const {
    detail::check_correction(samples, all, function);
  }
  std::string description() const {
    return "correction of the landscape from " + std::to_string(samples) + " samples (0: all)";
  }
};

/// + η∇δ𝓛_s(θ), the part of δ𝓛 that is due to the batches, without |∇𝓛|²:
///
///   ∇δ𝓛_s = (ηn(n−1)/(2M)) S,   S = (1/(M−1)) Σ_i ∂∂ℓ_i (∇ℓ_i − ∇L)   (not in the paper).
///
/// |∇𝓛|² is an epoch taken for one long step; where noise is injected after each update the steps
/// are short, and it must not be corrected. Cost as `LandscapeCorrection`.
struct SamplingCorrection {
  Index samples = 0;  ///< as in `LandscapeCorrection`

  /// What of the landscape it cancels: what sampling makes of it.
  static constexpr LandscapeParts parts{.discretization = 0, .sampling = 1};
  void check(Index all, std::string_view function) const {
    detail::check_correction(samples, all, function);
  }
  std::string description() const {
    return "correction of the sampling from " + std::to_string(samples) + " samples (0: all)";
  }
};

}  // namespace ness
