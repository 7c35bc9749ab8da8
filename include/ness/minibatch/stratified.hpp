// Minibatches with a fixed number of samples of each kind.
#pragma once

#include <cmath>

#include "ness/detail/fingerprint.hpp"
#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// Each step draws m_s distinct samples of the M_s of each stratum s, anew; each then weighs
/// M_s/(Mm_s) (not in the paper). The covariance of the gradient is Σ_s (M_s/M)² (M_s −
/// m_s)/(m_s(M_s − 1)) S_s with S_s that of the gradients within the stratum: what strata differ by
/// makes no noise. One Markov step is one update. Cost: O(Σm_s) a step; memory 4 M bytes.
struct Stratified {
  std::vector<std::uint32_t> strata;  ///< of each sample, from 0
  std::vector<Index> batch_sizes;     ///< m_s

  static constexpr bool independent = true;

  /// The m_s in proportion to the M_s, and at least 1.
  static Stratified proportional(std::vector<std::uint32_t> strata, Index batch_size) {
    Stratified result{std::move(strata), {}};
    const std::vector<Index> sizes = result.sizes();
    for (const Index size : sizes) {
      const double share = static_cast<double>(batch_size) * static_cast<double>(size) /
                           static_cast<double>(result.strata.size());
      result.batch_sizes.push_back(
          std::clamp<Index>(static_cast<Index>(std::lround(share)), 1, std::max<Index>(size, 1)));
    }
    return result;
  }

  /// Throws `std::invalid_argument` unless each of M samples has a stratum with an m_s, and 1 ≤ m_s
  /// ≤ M_s.
  void check(Index samples, std::string_view function = "Stratified") const {
    if (static_cast<Index>(strata.size()) != samples)
      detail::invalid(function, "strata must be M = ", samples,
                      " numbers, one for each sample, but are ", strata.size());
    const std::vector<Index> all = sizes();
    if (all.size() != batch_sizes.size())
      detail::invalid(function, "batch_sizes must be one for each of ", all.size(),
                      " strata, but are ", batch_sizes.size());
    for (std::size_t s = 0; s < all.size(); ++s)
      if (batch_sizes[s] < 1 || batch_sizes[s] > all[s])
        detail::invalid(function, "batch_sizes must be in 1 ... ", all[s], " in stratum ", s,
                        ", but is ", batch_sizes[s],
                        all[s] == 0 ? ": it is empty, number the strata without a gap" : "");
  }
  std::string description() const {
    detail::Fingerprint of;
    for (const std::uint32_t stratum : strata) of.add(stratum);
    std::string sizes;
    for (const Index size : batch_sizes)
      sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
    return "minibatches of " + sizes + " of strata " + std::to_string(of.value());
  }
  SampleMoments sample_moments(Index samples) const {
    const std::vector<Index> all = sizes();
    SampleMoments moments{DynamicVector<double>(samples), DynamicVector<double>::Ones(samples),
                          strata, static_cast<Index>(all.size())};
    const auto M = static_cast<double>(samples);
    for (Index i = 0; i < samples; ++i) {
      const std::size_t s = strata[static_cast<std::size_t>(i)];
      const auto size = static_cast<double>(all[s]), m = static_cast<double>(batch_sizes[s]);
      moments.weight[i] =
          all[s] == batch_sizes[s] ? 0 : size * (size - m) / (M * M * m * (size - 1));
    }
    return moments;
  }

  class Sampler {
   public:
    Sampler(const Stratified& policy, Index samples) : parts_(policy.batch_sizes.size()) {
      policy.check(samples);
      for (std::size_t s = 0; s < parts_.size(); ++s) {
        Part part{members_.size(), 0, static_cast<std::size_t>(policy.batch_sizes[s]), 0};
        for (std::uint32_t i = 0; i < policy.strata.size(); ++i)
          if (policy.strata[i] == s) members_.push_back(i);
        part.size = members_.size() - part.first;
        part.weight = static_cast<double>(part.size) /
                      (static_cast<double>(samples) * static_cast<double>(part.drawn));
        strata_.push_back(part);
      }
    }
    /// The next batch, valid until the one after it.
    template <class Random>
    BatchInParts next(Random& random) {
      for (std::size_t s = 0; s < parts_.size(); ++s) {
        const Part& part = strata_[s];
        std::uint32_t* const members = members_.data() + part.first;
        for (std::size_t j = 0; j < part.drawn; ++j)
          std::swap(members[j],
                    members[j + uniform_index(random, static_cast<std::uint32_t>(part.size - j))]);
        parts_[s] = Batch({members, part.drawn}, part.weight);
      }
      return BatchInParts(parts_);
    }
    template <class Archive>
    void serialize(Archive& archive) {
      archive(members_);
    }

   private:
    struct Part {
      std::size_t first, size, drawn;
      double weight;
    };
    std::vector<std::uint32_t> members_;  // by stratum, shuffled as far as they are drawn
    std::vector<Part> strata_;
    std::vector<Batch> parts_;
  };

 private:
  std::vector<Index> sizes() const {
    std::vector<Index> result;
    for (const std::uint32_t stratum : strata) {
      detail::require(stratum < strata.size(), "Stratified",
                      "every stratum must be numbered below the number of samples", stratum);
      while (result.size() <= stratum) result.push_back(0);
      ++result[stratum];
    }
    return result;
  }
};

}  // namespace ness
