// What is taken for a minibatch policy, for one of independent batches and for one of epochs, and
// what is not.
#include "ness/minibatch/full_batch.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "support/catch.hpp"
#include "support/own_policies.hpp"

namespace {

// Each of these but Whole and its heirs lacks one thing.
struct Whole {
  void check(ness::Index, std::string_view) const {}
  std::string description() const { return {}; }
  ness::WeightMoments weight_moments(ness::Index) const { return {}; }
  struct Sampler {
    ness::Batch next(ness::Philox&) { return {}; }
  };
};
struct NoCheck {
  std::string description() const { return {}; }
  ness::WeightMoments weight_moments(ness::Index) const { return {}; }
  using Sampler = Whole::Sampler;
};
struct NoDescription {
  void check(ness::Index, std::string_view) const {}
  ness::WeightMoments weight_moments(ness::Index) const { return {}; }
  using Sampler = Whole::Sampler;
};
struct NoMoments {
  void check(ness::Index, std::string_view) const {}
  std::string description() const { return {}; }
  using Sampler = Whole::Sampler;
};
struct NoSampler {
  void check(ness::Index, std::string_view) const {}
  std::string description() const { return {}; }
  ness::WeightMoments weight_moments(ness::Index) const { return {}; }
};
struct OddBatch : NoSampler {
  struct Sampler {
    int next(ness::Philox&) { return 0; }
  };
};
struct OddMoments : NoMoments {
  int weight_moments(ness::Index) const { return 0; }
};
struct OddDescription : NoDescription {
  int description() const { return 0; }
};

struct Independent : Whole {
  static constexpr bool independent = true;
};
struct Dependent : Whole {
  static constexpr bool independent = false;
};
struct Misspelt : Whole {
  [[maybe_unused]] static constexpr bool independant = true;
};
struct Epochs : Whole {
  ness::Index batches_per_epoch(ness::Index) const { return 1; }
  ness::EpochCorrelation epoch_correlation(ness::Index) const { return {}; }
};
struct Orders : Epochs {
  ness::EpochMoments order_moments(ness::Index) const { return {}; }
};
struct EpochsOfNoLength : Whole {
  ness::EpochCorrelation epoch_correlation(ness::Index) const { return {}; }
};
struct EpochsOfNoCorrelation : Whole {
  ness::Index batches_per_epoch(ness::Index) const { return 1; }
  ness::EpochMoments order_moments(ness::Index) const { return {}; }
};

}  // namespace

TEST_CASE("The library's policies are of the kinds that they say") {
  STATIC_REQUIRE(ness::Minibatch<ness::FullBatch>);
  STATIC_REQUIRE(ness::Minibatch<ness::WithReplacement>);
  STATIC_REQUIRE(ness::Minibatch<ness::WithoutReplacement>);
  STATIC_REQUIRE(ness::IndependentBatches<ness::FullBatch>);
  STATIC_REQUIRE(ness::IndependentBatches<ness::WithReplacement>);
  STATIC_REQUIRE_FALSE(ness::IndependentBatches<ness::WithoutReplacement>);
  STATIC_REQUIRE_FALSE(ness::EpochBatches<ness::FullBatch>);
  STATIC_REQUIRE_FALSE(ness::EpochBatches<ness::WithReplacement>);
  STATIC_REQUIRE(ness::EpochBatches<ness::WithoutReplacement>);
}

TEST_CASE("Policies of one's own are taken for what they state") {
  STATIC_REQUIRE(ness::IndependentBatches<WithRepeats>);
  STATIC_REQUIRE(ness::IndependentBatches<PoissonWeights>);
  STATIC_REQUIRE(ness::IndependentBatches<Independent>);
  STATIC_REQUIRE_FALSE(ness::EpochBatches<Independent>);
  STATIC_REQUIRE(ness::EpochBatches<Epochs>);
  STATIC_REQUIRE_FALSE(ness::IndependentBatches<Epochs>);
  // A policy, but of neither kind: a training refuses it (tests/diagnostics).
  STATIC_REQUIRE(ness::Minibatch<Whole>);
  STATIC_REQUIRE_FALSE(ness::IndependentBatches<Whole>);
  STATIC_REQUIRE_FALSE(ness::EpochBatches<Whole>);
  STATIC_REQUIRE_FALSE(ness::IndependentBatches<Dependent>);
  STATIC_REQUIRE_FALSE(ness::IndependentBatches<Misspelt>);
  STATIC_REQUIRE_FALSE(ness::EpochBatches<EpochsOfNoLength>);
  STATIC_REQUIRE_FALSE(ness::EpochBatches<EpochsOfNoCorrelation>);
  STATIC_REQUIRE(ness::StatesOrderMoments<Orders>);
  STATIC_REQUIRE_FALSE(ness::StatesOrderMoments<Epochs>);
  STATIC_REQUIRE_FALSE(ness::StatesOrderMoments<EpochsOfNoCorrelation>);
}

TEST_CASE("What is no minibatch policy is not taken for one") {
  STATIC_REQUIRE_FALSE(ness::Minibatch<NoCheck>);
  STATIC_REQUIRE_FALSE(ness::Minibatch<NoDescription>);
  STATIC_REQUIRE_FALSE(ness::Minibatch<NoMoments>);
  STATIC_REQUIRE_FALSE(ness::Minibatch<NoSampler>);
  STATIC_REQUIRE_FALSE(ness::Minibatch<OddBatch>);
  STATIC_REQUIRE_FALSE(ness::Minibatch<OddMoments>);
  STATIC_REQUIRE_FALSE(ness::Minibatch<OddDescription>);
  STATIC_REQUIRE_FALSE(ness::Minibatch<int>);
}
