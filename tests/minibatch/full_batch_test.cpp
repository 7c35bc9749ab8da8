#include "ness/minibatch/full_batch.hpp"

#include <set>

#include "support/catch.hpp"

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
}
