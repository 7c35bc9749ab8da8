// A minibatch policy that is chosen when the program runs.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// One of several policies, all of which draw independent batches or all of which draw epochs: so
/// that a program with an option for it is compiled for two kinds of batches, not for every policy.
///
///   ness::OneOf<ness::WithReplacement, ness::FullBatch> minibatch{ness::WithReplacement{10}};
///
/// It states what the chosen one states. Cost: a branch for each batch.
template <class First, class... Others>
struct OneOf {
  static_assert(
      ((IndependentBatches<First> == IndependentBatches<Others>)&&...),
      "ness: the policies of OneOf must all draw independent batches, or all draw epochs");

  std::variant<First, Others...> policy{};

  OneOf() = default;
  template <class Policy>
    requires(std::is_same_v<Policy, First> || (std::is_same_v<Policy, Others> || ...))
  OneOf(Policy chosen) : policy(std::move(chosen)) {}  // NOLINT: it stands for it

  static constexpr bool independent = IndependentBatches<First>;

  void check(Index samples, std::string_view function) const {
    look([&](const auto& chosen) { chosen.check(samples, function); });
  }
  std::string description() const {
    return look([](const auto& chosen) { return chosen.description(); });
  }
  auto weight_moments(Index samples) const {
    return look([&](const auto& chosen) { return chosen.weight_moments(samples); });
  }
  Index batches_per_epoch(Index samples) const
    requires(!independent)
  {
    return look([&](const auto& chosen) { return chosen.batches_per_epoch(samples); });
  }
  auto epoch_correlation(Index samples) const
    requires(!independent)
  {
    return look([&](const auto& chosen) { return chosen.epoch_correlation(samples); });
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
