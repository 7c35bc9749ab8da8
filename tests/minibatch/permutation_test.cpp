#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "ness/minibatch/minibatch.hpp"
#include "support/catch.hpp"
#include "support/every_draw.hpp"

using ness::detail::Permutation;

TEST_CASE("Each ordered choice of m out of M is drawn by exactly one sequence of indices") {
  for (std::uint32_t samples = 1; samples <= 6; ++samples)
    for (std::uint32_t count = 1; count <= samples; ++count) {
      std::map<std::vector<std::uint32_t>, int> seen;
      for_every_draw(falling(samples, count), [&](auto& random) {
        Permutation order(samples);
        ++seen[to_vector(order.draw(random, 0, count))];
        CHECK(random.used() == count);
      });
      CHECK(seen.size() == ordered_choices(samples, count));
      for (const auto& [choice, times] : seen) {
        CHECK(times == 1);
        CHECK(std::set<std::uint32_t>(choice.begin(), choice.end()).size() == count);
        CHECK(*std::max_element(choice.begin(), choice.end()) < samples);
      }
    }
}

TEST_CASE("The same holds whatever the order was before") {
  for_every_draw(falling(4, 4), [&](auto& first) {
    Permutation start(4);
    start.draw(first, 0, 4);
    std::set<std::vector<std::uint32_t>> seen;
    for_every_draw(falling(4, 3), [&](auto& random) {
      Permutation order = start;
      seen.insert(to_vector(order.draw(random, 0, 3)));
    });
    CHECK(seen.size() == ordered_choices(4, 3));
  });
}

TEST_CASE("A draw leaves the places before its first alone") {
  for_every_draw(falling(4, 4), [&](auto& random) {
    Permutation order(4);
    const auto front = order.draw(random, 0, 2);
    const auto before = to_vector(front);
    const auto back = order.draw(random, 2, 2);
    CHECK(to_vector(front) == before);
    CHECK(back.data() == front.data() + 2);
    std::set<std::uint32_t> all(front.begin(), front.end());
    all.insert(back.begin(), back.end());
    CHECK(all.size() == 4);
  });
}

TEST_CASE("A permutation knows its size") { CHECK(Permutation(17).size() == 17); }
