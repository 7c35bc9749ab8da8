// Minibatches whose samples are drawn one by one, each among all of them.
#pragma once

#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// Each step draws m samples, independently of all others: one may be there more than once (not in
/// the paper, whose batches with replacement have distinct samples). One Markov step is one update.
/// Cost: O(m) a step.
struct IndependentDraws {
  Index batch_size = 0;  ///< m, which may be larger than M

  static constexpr bool independent = true;
  /// Throws `std::invalid_argument` unless m ≥ 1.
  void check(Index, std::string_view function = "IndependentDraws") const {
    detail::require(batch_size >= 1, function, "batch_size must be at least 1", batch_size);
  }
  std::string description() const {
    return "minibatches of " + std::to_string(batch_size) + " independent draws";
  }
  /// The covariance of a batch gradient is S/m: the scatter is 1/(mM).
  WeightMoments weight_moments(Index samples) const {
    const auto m = static_cast<double>(batch_size);
    return {.scatter = 1 / (m * static_cast<double>(samples)), .total = 0};
  }
  /// Of a sum of m independent numbers: κ₃/m² and κ₄/m³ + 3κ₂²(m)/m², κ the cumulants of one draw.
  HigherWeightMoments higher_weight_moments(Index samples) const {
    const auto m = static_cast<double>(batch_size);
    const auto M = static_cast<double>(samples);
    return {.third = 1 / (m * m * M),
            .fourth = 1 / (m * m * m * M),
            .pairs = 3 * (m - 1) / (m * m * m * M * M)};
  }
  /// ⟨e^{a/m}⟩^m − 1
  double mean_exponential(const DynamicVector<double>& values) const {
    const auto m = static_cast<double>(batch_size);
    double excess = 0;
    for (const double value : values) excess += std::expm1(value / m);
    return std::expm1(m * std::log1p(excess / static_cast<double>(values.size())));
  }

  class Sampler {
   public:
    Sampler(const IndependentDraws& policy, Index samples)
        : samples_(static_cast<std::uint32_t>(samples)),
          batch_(static_cast<std::size_t>(policy.batch_size)) {
      policy.check(samples);
    }
    template <class Random>
    Batch next(Random& random) {
      for (std::uint32_t& sample : batch_) sample = uniform_index(random, samples_);
      return batch_;
    }
    template <class Archive>
    void serialize(Archive&) {}

   private:
    std::uint32_t samples_;
    std::vector<std::uint32_t> batch_;
  };
};

}  // namespace ness
