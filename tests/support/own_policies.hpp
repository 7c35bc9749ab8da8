// Minibatch policies that the library does not have, written as a user would: by stating the
// moments of their weights and drawing their batches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ness/minibatch/minibatch.hpp"

/// m samples a batch, each drawn among all: some may be there more than once.
struct WithRepeats {
  ness::Index batch_size = 0;

  static constexpr bool independent = true;
  void check(ness::Index samples, std::string_view function) const {
    ness::detail::check_batch_size(batch_size, samples, function);
  }
  std::string description() const {
    return "minibatches of " + std::to_string(batch_size) + " with repeats";
  }
  /// w_i = (how often)/m: the counts are multinomial.
  ness::WeightMoments weight_moments(ness::Index samples) const {
    return {.scatter = 1 / (static_cast<double>(batch_size) * static_cast<double>(samples))};
  }

  class Sampler {
   public:
    Sampler(const WithRepeats& policy, ness::Index samples)
        : samples_(static_cast<std::uint32_t>(samples)),
          batch_(static_cast<std::size_t>(policy.batch_size)) {}
    template <class Random>
    ness::Batch next(Random& random) {
      for (std::uint32_t& i : batch_) i = ness::uniform_index(random, samples_);
      return batch_;
    }
    template <class Archive>
    void serialize(Archive&) {}

   private:
    std::uint32_t samples_;
    std::vector<std::uint32_t> batch_;
  };
};

/// Each sample is there or not, with probability m/M and then with weight 1/m, however many there
/// are: `ness::Poisson` as a user would write it, with a draw for each sample.
struct PoissonWeights {
  ness::Index batch_size = 0;  ///< m, the mean

  static constexpr bool independent = true;
  void check(ness::Index samples, std::string_view function) const {
    ness::detail::check_batch_size(batch_size, samples, function);
  }
  std::string description() const {
    return "about " + std::to_string(batch_size) + " samples, each by chance";
  }
  /// Independent weights: the variance of one is the scatter, and M of them make the total.
  ness::WeightMoments weight_moments(ness::Index samples) const {
    const auto m = static_cast<double>(batch_size);
    const double q = m / static_cast<double>(samples);
    const double variance = q * (1 - q) / (m * m);
    return {.scatter = variance, .total = variance / static_cast<double>(samples)};
  }

  class Sampler {
   public:
    Sampler(const PoissonWeights& policy, ness::Index samples)
        : batch_size_(static_cast<std::uint32_t>(policy.batch_size)),
          samples_(static_cast<std::uint32_t>(samples)) {}
    template <class Random>
    ness::Batch next(Random& random) {
      batch_.clear();
      for (std::uint32_t i = 0; i < samples_; ++i)
        if (ness::uniform_index(random, samples_) < batch_size_) batch_.push_back(i);
      return ness::Batch(batch_, 1.0 / batch_size_);
    }

   private:
    std::uint32_t batch_size_, samples_;
    std::vector<std::uint32_t> batch_;
  };
};
