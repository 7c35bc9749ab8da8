#include "ness/minibatch/with_replacement.hpp"

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

using ness::WithReplacement;

namespace {

// A batch as a set of bits.
std::size_t subset(ness::Batch batch) {
  std::size_t bits = 0;
  for (const std::uint32_t i : batch) bits |= std::size_t{1} << i;
  return bits;
}

}  // namespace

TEST_CASE(
    "With replacement, every pair of subsets in successive steps is equally likely: exactly") {
  // Uniform over the pairs is uniform in each step and independent between steps.
  for (const auto& [samples, size] : {std::pair{4U, 2U}, {4U, 3U}, {3U, 1U}, {3U, 3U}}) {
    auto bounds = falling(samples, size);
    const auto again = bounds;
    bounds.insert(bounds.end(), again.begin(), again.end());
    std::map<std::pair<std::size_t, std::size_t>, std::size_t> counts;
    for_every_draw(bounds, [&, samples = samples, size = size](auto& random) {
      WithReplacement::Sampler sampler({size}, samples);
      const std::size_t first = subset(sampler.next(random));
      const std::size_t second = subset(sampler.next(random));
      ++counts[{first, second}];
    });
    const std::size_t orders = ordered_choices(size, size);
    const std::size_t subsets = ordered_choices(samples, size) / orders;
    CHECK(counts.size() == subsets * subsets);
    for (const auto& [pair, count] : counts) CHECK(count == orders * orders);
  }
}

TEST_CASE("With replacement, each batch holds m distinct samples below M") {
  ness::Philox random(1);
  for (const auto& [samples, size] : {std::pair{200, 10}, {7, 7}, {1, 1}, {1000, 999}}) {
    WithReplacement::Sampler sampler({size}, samples);
    for (int step = 0; step < 50; ++step) {
      const ness::Batch batch = sampler.next(random);
      const std::set<std::uint32_t> distinct(batch.begin(), batch.end());
      CHECK(distinct.size() == static_cast<std::size_t>(size));
      CHECK(*distinct.rbegin() < static_cast<std::uint32_t>(samples));
    }
  }
}

TEST_CASE("With replacement, long runs are uniform over the subsets and over their pairs") {
  // M = 5, m = 2: ten subsets, a hundred pairs.
  std::vector<std::size_t> number(32, 0);
  std::size_t subsets = 0;
  for (std::size_t a = 0; a < 5; ++a)
    for (std::size_t b = 0; b < a; ++b)
      number[(std::size_t{1} << a) | (std::size_t{1} << b)] = subsets++;
  ness::Philox random(2);
  WithReplacement::Sampler sampler({2}, 5);
  std::vector<double> single(10, 0);
  std::vector<double> pairs(100, 0);
  std::size_t last = number[subset(sampler.next(random))];
  for (int step = 0; step < 100000; ++step) {
    const std::size_t now = number[subset(sampler.next(random))];
    ++single[now];
    ++pairs[10 * last + now];
    last = now;
  }
  CHECK(std::abs(chi_square_deviation(single)) <= 4);
  CHECK(std::abs(chi_square_deviation(pairs)) <= 4);
}

TEST_CASE("With replacement, a batch size outside 1 ... M is refused, and said") {
  REQUIRE_NOTHROW(WithReplacement{1}.check(5));
  REQUIRE_NOTHROW(WithReplacement{5}.check(5));
  REQUIRE_NOTHROW(WithReplacement{3}.check(5));  // need not divide M
  for (const ness::Index bad : {-1, 0, 6}) {
    REQUIRE_THROWS_AS(WithReplacement{bad}.check(5), std::invalid_argument);
    REQUIRE_THROWS_WITH(
        WithReplacement{bad}.check(5, "here"),
        "ness::here: batch_size must be in 1 ... M = 5, but is " + std::to_string(bad));
    REQUIRE_THROWS_AS(WithReplacement::Sampler({bad}, 5), std::invalid_argument);
  }
  REQUIRE_THROWS_AS(WithReplacement{}.check(5), std::invalid_argument);  // m must be chosen
}
