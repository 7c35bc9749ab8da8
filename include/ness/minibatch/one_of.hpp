// A minibatch policy that is chosen when the program runs.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// One of several policies, so that a program with an option for it is compiled once and not for
/// every policy:
///
///   ness::OneOf<ness::WithReplacement, ness::FullBatch> minibatch{ness::WithReplacement{10}};
///
/// It states what the chosen one states, and that batches are independent where those of all are.
/// Among policies of both kinds an independent one has epochs of a single batch. Cost: a branch for
/// each batch.
template <class First, class... Others>
struct OneOf {
  std::variant<First, Others...> policy{};  ///< the one that was chosen

  OneOf() = default;
  /// Of any of the policies.
  template <class Policy>
    requires(std::is_same_v<Policy, First> || (std::is_same_v<Policy, Others> || ...))
  OneOf(Policy chosen) : policy(std::move(chosen)) {}  // NOLINT: it stands for it

  /// Are the batches of all of them independent of each other?
  static constexpr bool independent =
      (IndependentBatches<First> && ... && IndependentBatches<Others>);

  void check(Index samples, std::string_view function) const {
    look([&](const auto& chosen) { chosen.check(samples, function); });
  }
  std::string description() const {
    return look([](const auto& chosen) { return chosen.description(); });
  }
  /// Those of the chosen one.
  auto weight_moments(Index samples) const {
    return look([&](const auto& chosen) { return chosen.weight_moments(samples); });
  }
  Index batches_per_epoch(Index samples) const
    requires(!independent)
  {
    return look([&](const auto& chosen) -> Index {
      if constexpr (EpochBatches<std::remove_cvref_t<decltype(chosen)>>)
        return chosen.batches_per_epoch(samples);
      else
        return 1;
    });
  }
  /// Of a single batch it says no more than that there is noise.
  EpochCorrelation epoch_correlation(Index samples) const
    requires(!independent)
  {
    return look([&](const auto& chosen) -> EpochCorrelation {
      if constexpr (EpochBatches<std::remove_cvref_t<decltype(chosen)>>)
        return chosen.epoch_correlation(samples);
      else
        return {.batches = 1, .variance = 1, .last_variance = 1};
    });
  }

  class Sampler {
   public:
    Sampler(const OneOf& settings, Index samples)
        : sampler_(settings.look([&](const auto& chosen) {
            using Chosen = std::remove_cvref_t<decltype(chosen)>;
            return Any(typename Chosen::Sampler(chosen, samples));
          })) {}
    template <class Random>
    Batch next(Random& random) {
      return std::visit([&](auto& chosen) { return Batch(chosen.next(random)); }, sampler_);
    }
    template <class Archive>
    void serialize(Archive& archive) {
      std::visit([&](auto& chosen) { chosen.serialize(archive); }, sampler_);
    }

   private:
    using Any = std::variant<typename First::Sampler, typename Others::Sampler...>;
    Any sampler_;
  };

 private:
  template <class Look>
  decltype(auto) look(const Look& look_at) const {
    return std::visit(look_at, policy);
  }
};

}  // namespace ness
