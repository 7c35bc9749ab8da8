#include "ness/minibatch/full_batch.hpp"

#include <set>

#include "support/catch.hpp"

static_assert(ness::Minibatch<ness::FullBatch>);

TEST_CASE("A full batch holds every sample once in every step, and draws nothing") {
  ness::Philox random(1);
  const ness::Philox untouched = random;
  ness::FullBatch::Sampler sampler({}, 50);
  for (int step = 0; step < 3; ++step) {
    const ness::Batch batch = sampler.next(random);
    CHECK(batch.size() == 50);
    CHECK(std::set<std::uint32_t>(batch.begin(), batch.end()).size() == 50);
    for (const std::uint32_t i : batch) CHECK(i < 50);
  }
  CHECK(random == untouched);
  CHECK(ness::FullBatch{}.updates_per_markov_step(50) == 1);
}

TEST_CASE("What is no minibatch policy is not taken for one") {
  struct NoSampler {
    void check(ness::Index, std::string_view) const {}
    ness::Index updates_per_markov_step(ness::Index) const { return 1; }
  };
  struct NoCheck {
    struct Sampler {
      ness::Batch next(ness::Philox&) { return {}; }
    };
    ness::Index updates_per_markov_step(ness::Index) const { return 1; }
  };
  struct OddBatch : NoSampler {
    struct Sampler {
      int next(ness::Philox&) { return 0; }
    };
  };
  struct Good : NoSampler {
    struct Sampler {
      ness::Batch next(ness::Philox&) { return {}; }
    };
  };
  STATIC_REQUIRE(ness::Minibatch<Good>);
  STATIC_REQUIRE_FALSE(ness::Minibatch<NoSampler>);
  STATIC_REQUIRE_FALSE(ness::Minibatch<NoCheck>);
  STATIC_REQUIRE_FALSE(ness::Minibatch<OddBatch>);
  STATIC_REQUIRE_FALSE(ness::Minibatch<int>);
}
