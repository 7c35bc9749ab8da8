#include "ness/minibatch/without_replacement.hpp"

#include <cmath>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/every_draw.hpp"
#include "support/statistics.hpp"

using ness::WithoutReplacement;

namespace {

// The batches of one epoch, one after the other.
template <class Random>
std::vector<std::uint32_t> epoch(WithoutReplacement::Sampler& sampler, Random& random,
                                 int batches) {
  std::vector<std::uint32_t> order;
  for (int k = 0; k < batches; ++k) {
    const ness::Batch batch = sampler.next(random);
    order.insert(order.end(), batch.begin(), batch.end());
  }
  return order;
}

}  // namespace

TEST_CASE("Without replacement, each permutation makes an epoch in exactly one way") {
  for (const auto& [samples, size] :
       {std::pair{6U, 1U}, {6U, 2U}, {6U, 3U}, {6U, 6U}, {5U, 1U}, {1U, 1U}}) {
    std::map<std::vector<std::uint32_t>, int> seen;
    for_every_draw(falling(samples, samples), [&, samples = samples, size = size](auto& random) {
      WithoutReplacement::Sampler sampler({size}, samples);
      ++seen[epoch(sampler, random, static_cast<int>(samples / size))];
    });
    CHECK(seen.size() == ordered_choices(samples, samples));
    for (const auto& [order, times] : seen) CHECK(times == 1);
  }
}

TEST_CASE("Without replacement, an epoch does not depend on the one before: exactly") {
  const std::vector<std::uint32_t> bounds{4, 3, 2, 1, 4, 3, 2, 1};
  std::map<std::vector<std::uint32_t>, int> seen;
  for_every_draw(bounds, [&](auto& random) {
    WithoutReplacement::Sampler sampler({2}, 4);
    auto both = epoch(sampler, random, 2);
    const auto second = epoch(sampler, random, 2);
    both.insert(both.end(), second.begin(), second.end());
    ++seen[both];
  });
  CHECK(seen.size() == 24 * 24);
}

TEST_CASE("Without replacement, every epoch is a partition of the samples") {
  ness::Philox random(1);
  for (const auto& [samples, size] : {std::pair{200, 10}, {12, 12}, {12, 1}, {1000, 250}}) {
    WithoutReplacement::Sampler sampler({size}, samples);
    for (int repeat = 0; repeat < 20; ++repeat) {
      const auto order = epoch(sampler, random, samples / size);
      const std::set<std::uint32_t> distinct(order.begin(), order.end());
      CHECK(order.size() == static_cast<std::size_t>(samples));
      CHECK(distinct.size() == static_cast<std::size_t>(samples));
      CHECK(*distinct.rbegin() == static_cast<std::uint32_t>(samples - 1));
    }
  }
}

TEST_CASE("the nearest batch sizes that divide M") {
  CHECK(ness::nearest_batch_sizes(200, 7) == std::pair<ness::Index, ness::Index>(5, 8));
  CHECK(ness::nearest_batch_sizes(200, 8) == std::pair<ness::Index, ness::Index>(8, 8));
  CHECK(ness::nearest_batch_sizes(7, 2) == std::pair<ness::Index, ness::Index>(1, 7));
}

TEST_CASE("Without replacement, long runs are uniform over the permutations") {
  ness::Philox random(3);
  WithoutReplacement::Sampler sampler({2}, 4);
  std::map<std::vector<std::uint32_t>, double> counts;
  for (int repeat = 0; repeat < 48000; ++repeat) ++counts[epoch(sampler, random, 2)];
  std::vector<double> cells;
  for (const auto& [order, count] : counts) cells.push_back(count);
  CHECK(cells.size() == 24);
  CHECK(std::abs(chi_square_deviation(cells)) <= 4);
}

TEST_CASE("Without replacement, an epoch has M/m batches") {
  CHECK(WithoutReplacement{10}.batches_per_epoch(200) == 20);
  CHECK(WithoutReplacement{200}.batches_per_epoch(200) == 1);
  CHECK(WithoutReplacement{1}.batches_per_epoch(200) == 200);
}

TEST_CASE(
    "Without replacement, a batch size that does not divide M is refused with its neighbours") {
  for (const ness::Index good : {1, 2, 5, 10, 20, 50, 100})
    REQUIRE_NOTHROW(WithoutReplacement{good}.check(100));
  REQUIRE_THROWS_AS(WithoutReplacement{30}.check(100), std::invalid_argument);
  REQUIRE_THROWS_WITH(WithoutReplacement{30}.check(100, "here"),
                      "ness::here: batch_size must divide M = 100 without replacement, but is 30: "
                      "the nearest that do are 25 and 50; DropLast and SmallerLast take any");
  REQUIRE_THROWS_WITH(WithoutReplacement{6}.check(7), contains("but is 6") && contains("1 and 7"));
  REQUIRE_THROWS_AS(WithoutReplacement::Sampler({30}, 100), std::invalid_argument);
}

TEST_CASE("Without replacement, a batch size outside 1 ... M is refused, and said") {
  for (const ness::Index bad : {-5, 0, 101})
    REQUIRE_THROWS_WITH(
        WithoutReplacement{bad}.check(100),
        contains("batch_size must be in 1 ... M = 100, but is " + std::to_string(bad)));
}
