// All samples in every step: gradient descent, the case without sampling noise.
#pragma once

#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// Every step uses all M samples: D = 0 (Eq. 14 with n = 1).
struct FullBatch {
  static constexpr bool independent = true;
  void check(Index, std::string_view = {}) const {}
  std::string description() const { return "all samples in every step"; }
  WeightMoments weight_moments(Index) const { return {}; }
  double mean_exponential(const DynamicVector<double>& values) const {
    return std::expm1(values.sum() / static_cast<double>(values.size()));
  }

  class Sampler {
   public:
    Sampler(const FullBatch&, Index samples) : order_(static_cast<std::size_t>(samples)) {
      std::iota(order_.begin(), order_.end(), 0U);
    }
    template <class Random>
    Batch next(Random&) {
      return order_;
    }
    template <class Archive>
    void serialize(Archive&) {}

   private:
    std::vector<std::uint32_t> order_;
  };
};

}  // namespace ness
