// Minibatches drawn with replacement, WR (Sec. 3.1, App. A).
#pragma once

#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// Each step draws m distinct samples, independently of all other steps: uniform over the subsets
/// of size m. One Markov step is one update. Cost: O(m) a step, M numbers of memory.
struct WithReplacement {
  Index batch_size = 0;  ///< m

  /// Throws `std::invalid_argument` unless 1 ≤ m ≤ M.
  void check(Index samples, std::string_view function = "WithReplacement") const {
    detail::check_batch_size(batch_size, samples, function);
  }
  static constexpr bool independent = true;
  std::string description() const {
    return "minibatches of " + std::to_string(batch_size) + " distinct samples, with replacement";
  }
  WeightMoments weight_moments(Index samples) const {
    return WeightMoments::distinct(samples, batch_size);
  }
  HigherWeightMoments higher_weight_moments(Index samples) const {
    return HigherWeightMoments::distinct(samples, batch_size);
  }
  double mean_exponential(const DynamicVector<double>& values) const {
    return mean_exponential_of_distinct(values, batch_size);
  }

  class Sampler {
   public:
    Sampler(const WithReplacement& policy, Index samples)
        : order_(samples), batch_size_(static_cast<std::size_t>(policy.batch_size)) {
      policy.check(samples);
    }
    template <class Random>
    Batch next(Random& random) {
      return order_.draw(random, 0, batch_size_);
    }
    template <class Archive>
    void serialize(Archive& archive) {
      archive(order_);
    }

   private:
    detail::Permutation order_;
    std::size_t batch_size_;
  };
};

}  // namespace ness
