// Minibatches that each sample is in or not, by chance.
#pragma once

#include <cmath>

#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// Each step takes every sample with the probability q = m/M, independently, and divides the sum of
/// their gradients by m, however many there are: as private training does. An empty batch has the
/// gradient 0. One Markov step is one update. Cost: O(m) a step on average, M numbers of memory.
struct Poisson {
  Index batch_size = 0;  ///< m, the mean

  static constexpr bool independent = true;
  /// Throws `std::invalid_argument` unless 1 ≤ m ≤ M.
  void check(Index samples, std::string_view function = "Poisson") const {
    detail::check_batch_size(batch_size, samples, function);
  }
  std::string description() const {
    return "minibatches of " + std::to_string(batch_size) + " on average, each sample by chance";
  }
  /// The covariance of a batch gradient is ((1 − q)/m) (1/M) Σ_i ∇ℓ_i∇ℓ_iᵀ, not centred, since the
  /// size of the batch scatters too.
  WeightMoments weight_moments(Index samples) const {
    const auto m = static_cast<double>(batch_size);
    const auto M = static_cast<double>(samples);
    const double scatter = (1 - m / M) / (m * M);
    return {.scatter = scatter, .total = scatter / M};
  }

  class Sampler {
   public:
    Sampler(const Poisson& policy, Index samples)
        : samples_(samples),
          weight_(1 / static_cast<double>(policy.batch_size)),
          log_out_(
              std::log1p(-static_cast<double>(policy.batch_size) / static_cast<double>(samples))) {
      policy.check(samples);
      batch_.reserve(static_cast<std::size_t>(samples));  // so that no step allocates
    }
    /// The gaps between samples that are taken are geometric: ⌊ln u / ln(1 − q)⌋.
    template <class Random>
    Batch next(Random& random) {
      batch_.clear();
      const auto end = static_cast<double>(samples_);
      for (double at = gap(random); at < end; at += 1 + gap(random))
        batch_.push_back(static_cast<std::uint32_t>(at));
      return Batch(batch_, weight_);
    }
    template <class Archive>
    void serialize(Archive&) {}

   private:
    template <class Random>
    double gap(Random& random) {
      return std::floor(std::log(uniform_real(random)) / log_out_);
    }

    Index samples_;
    double weight_, log_out_;
    std::vector<std::uint32_t> batch_;
  };
};

}  // namespace ness
