// Minibatches that prefer some samples.
#pragma once

#include <cmath>
#include <utility>

#include "ness/detail/fingerprint.hpp"
#include "ness/minibatch/minibatch.hpp"
#include "ness/random/alias_table.hpp"

namespace ness {

/// Each step draws m samples, independently of all others, sample i with the probability p_i =
/// rates_i/Σ rates; it then weighs 1/(mMp_i), so that the gradient of a batch is that of L on
/// average (not in the paper). The covariance of the gradient is (1/m)[Σ_i ∇ℓ_i∇ℓ_iᵀ/(M²p_i) −
/// ∇L∇Lᵀ], least for p_i ∝ ‖∇ℓ_i‖ (`importance_of_gradients`). One Markov step is one update. Cost:
/// m gradients of single samples a step; memory 28 M bytes.
struct ImportanceSampling {
  Index batch_size = 0;       ///< m, which may be larger than M
  std::vector<double> rates;  ///< M positive numbers, of which only the ratios count

  static constexpr bool independent = true;
  /// Throws `std::invalid_argument` unless m ≥ 1 and there are M rates, all positive and finite.
  void check(Index samples, std::string_view function = "ImportanceSampling") const {
    detail::require(batch_size >= 1, function, "batch_size must be at least 1", batch_size);
    if (static_cast<Index>(rates.size()) != samples)
      detail::invalid(function, "rates must be M = ", samples,
                      " numbers, one for each sample, but are ", rates.size());
    for (std::size_t i = 0; i < rates.size(); ++i)
      if (!(rates[i] > 0 && std::isfinite(rates[i])))
        detail::invalid(function, "rates must be positive and finite, but that of sample ", i,
                        " is ", rates[i],
                        ": a sample that is never drawn would be missing from the mean");
  }
  std::string description() const {
    detail::Fingerprint of;
    for (const double rate : rates) of.add(rate);
    return "minibatches of " + std::to_string(batch_size) + " by importance " +
           std::to_string(of.value());
  }
  SampleMoments sample_moments(Index samples) const {
    SampleMoments moments{DynamicVector<double>(samples), DynamicVector<double>(samples),
                          std::vector<std::uint32_t>(rates.size(), 0)};
    const double sum = std::accumulate(rates.begin(), rates.end(), 0.);
    for (Index i = 0; i < samples; ++i) {
      const double chance = rates[static_cast<std::size_t>(i)] / sum;
      moments.weight[i] = chance / static_cast<double>(batch_size);
      moments.scale[i] = 1 / (static_cast<double>(samples) * chance);
    }
    return moments;
  }

  class Sampler {
   public:
    Sampler(const ImportanceSampling& policy, Index samples)
        : table_((policy.check(samples), policy.rates)),
          weights_(policy.rates),
          drawn_(static_cast<std::size_t>(policy.batch_size)),
          parts_(drawn_.size()) {
      const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.);
      const auto size = static_cast<double>(policy.batch_size) * static_cast<double>(samples);
      for (double& weight : weights_) weight = sum / weight / size;
    }
    /// The next batch, valid until the one after it.
    template <class Random>
    BatchInParts next(Random& random) {
      for (std::size_t k = 0; k < drawn_.size(); ++k) {
        drawn_[k] = table_.draw(random);
        parts_[k] = Batch({&drawn_[k], 1}, weights_[drawn_[k]]);
      }
      return BatchInParts(parts_);
    }
    template <class Archive>
    void serialize(Archive&) {}

   private:
    AliasTable table_;
    std::vector<double> weights_;  // 1/(mMp)
    std::vector<std::uint32_t> drawn_;
    std::vector<Batch> parts_;
  };
};

}  // namespace ness
