#include "ness/random/uniform.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "ness/random/philox.hpp"
#include "support/catch.hpp"
#include "support/scripted_bits.hpp"
#include "support/statistics.hpp"

namespace {
template <class R>
constexpr bool taken = ness::RandomBits<R> && std::uniform_random_bit_generator<R>;
template <class R>
constexpr bool refused = !ness::RandomBits<R> && !std::uniform_random_bit_generator<R>;
}  // namespace

TEST_CASE("RandomBits takes what the standard library takes for a generator of random bits") {
  struct Signed {
    static constexpr int min() { return 0; }
    static constexpr int max() { return 1; }
    int operator()() { return 0; }
  };
  struct OneValue {
    static constexpr unsigned min() { return 1; }
    static constexpr unsigned max() { return 1; }
    unsigned operator()() { return 1; }
  };
  struct NoRange {
    unsigned operator()() { return 0; }
  };
  struct AnotherType {
    static constexpr unsigned char min() { return 0; }
    static constexpr unsigned char max() { return 9; }
    unsigned operator()() { return 0; }
  };
  STATIC_REQUIRE(taken<ness::Philox> && taken<std::mt19937> && taken<std::mt19937_64>);
  STATIC_REQUIRE(taken<ScriptedBits<std::uint32_t, 10, 15>>);
  STATIC_REQUIRE(refused<Signed> && refused<OneValue> && refused<NoRange>);
  STATIC_REQUIRE(refused<AnotherType> && refused<const ness::Philox>);
}

TEST_CASE("random_bits passes a 32-bit word on") {
  ScriptedBits<> random({0, 0x12345678, 0xffffffff});
  CHECK(ness::random_bits(random) == 0);
  CHECK(ness::random_bits(random) == 0x12345678);
  CHECK(ness::random_bits(random) == 0xffffffff);
}

TEST_CASE("random_bits takes the high half of a 64-bit word") {
  ScriptedBits<std::uint64_t> random({0x123456789abcdef0});
  CHECK(ness::random_bits(random) == 0x12345678);
}

TEST_CASE("random_bits subtracts the least value of a generator") {
  // Range 1 ... 2^32, as wide as a word.
  ScriptedBits<std::uint64_t, 1, 0x100000000> random({1, 0x100000000});
  CHECK(ness::random_bits(random) == 0);
  CHECK(ness::random_bits(random) == 0xffffffff);
}

TEST_CASE("random_bits puts a word together from a narrow generator, dropping what is not full") {
  // Six values, 10 ... 15: two bits where the value is below 14, else another draw.
  using SixSided = ScriptedBits<std::uint32_t, 10, 15>;
  std::vector<std::uint32_t> script;
  std::uint32_t expected = 0;
  for (std::uint32_t k = 0; k < 16; ++k) {
    if (k % 3 == 0) script.push_back(k % 2 == 0 ? 14 : 15);
    script.push_back(10 + (k * 7 + 3) % 4);
    expected = expected << 2 | (k * 7 + 3) % 4;
  }
  SixSided random(script);
  CHECK(ness::random_bits(random) == expected);
  CHECK(random.used() == script.size());
}

TEST_CASE("random_bits is uniform bit by bit for generators of odd widths") {
  const auto deviation = [](auto random) {
    constexpr int draws = 20000;
    double worst = 0;
    std::vector<double> ones(32, 0);
    for (int k = 0; k < draws; ++k) {
      const std::uint32_t word = ness::random_bits(random);
      for (std::size_t bit = 0; bit < 32; ++bit) ones[bit] += (word >> bit) & 1;
    }
    for (const double count : ones)
      worst = std::max(worst, std::abs(count - draws / 2.0) / std::sqrt(draws / 4.0));
    return worst;
  };
  CHECK(deviation(std::minstd_rand(7)) <= 4.5);  // 31 bits, not a power of two
  CHECK(deviation(std::ranlux24_base(7)) <= 4.5);
  CHECK(deviation(std::ranlux48_base(7)) <= 4.5);
  CHECK(deviation(std::mt19937_64(7)) <= 4.5);
}

TEST_CASE("uniform_index accepts equally many words for each result") {
  // 2^32 = q · bound + t. Result k must be given by exactly q consecutive words; all that lie
  // between are drawn again. So it is enough to look at both ends of each run.
  for (const std::uint32_t bound :
       {1U, 2U, 3U, 5U, 6U, 7U, 200U, 60000U, 65536U, 0x80000001U, 0xfffffffeU, 0xffffffffU}) {
    const std::uint64_t all = std::uint64_t{1} << 32;
    const std::uint64_t q = all / bound;
    const std::uint64_t t = all % bound;
    const std::uint32_t sentinel = word_for(bound - 1, bound);
    const auto drawn = [&](std::uint64_t word) {
      ScriptedBits<> random({static_cast<std::uint32_t>(word), sentinel});
      const std::uint32_t value = ness::uniform_index(random, bound);
      return std::pair{value, random.used()};
    };
    for (const std::uint64_t k : {std::uint64_t{0}, std::uint64_t{bound / 3},
                                  std::uint64_t{bound / 2}, std::uint64_t{bound - 1}}) {
      const std::uint64_t first = (k * all + t + bound - 1) / bound;  // least word for k
      CHECK(drawn(first) == std::pair{static_cast<std::uint32_t>(k), std::size_t{1}});
      CHECK(drawn(first + q - 1) == std::pair{static_cast<std::uint32_t>(k), std::size_t{1}});
      // One word further is another result, or drawn again.
      if (first > 0)
        CHECK(drawn(first - 1) != std::pair{static_cast<std::uint32_t>(k), std::size_t{1}});
      if (first + q < all)
        CHECK(drawn(first + q) != std::pair{static_cast<std::uint32_t>(k), std::size_t{1}});
    }
  }
}

TEST_CASE("uniform_index is uniform") {
  ness::Philox random(11);
  std::vector<double> counts(7, 0);
  for (int k = 0; k < 70000; ++k) ++counts[ness::uniform_index(random, 7)];
  CHECK(std::abs(chi_square_deviation(counts)) <= 4);
}

TEST_CASE("uniform_real is the middle of one of 2^52 cells, the first word being the high one") {
  const auto cell = [](std::uint32_t high, std::uint32_t low) {
    ScriptedBits<> random({high, low});
    return ness::uniform_real(random);
  };
  CHECK(cell(0, 0) == 0x1p-53);
  CHECK(cell(0, 0xfff) == 0x1p-53);  // twelve bits more than fit
  CHECK(cell(0, 0x1000) == 3 * 0x1p-53);
  CHECK(cell(0xffffffff, 0xffffffff) == 1 - 0x1p-53);
  CHECK(cell(0x80000000, 0) == 0.5 + 0x1p-53);
  CHECK(cell(0x12345678, 0x9abcdef0) == (double{0x123456789abcd} + 0.5) * 0x1p-52);
}

TEST_CASE("uniform_real is uniform") {
  ness::Philox random(12);
  std::vector<double> counts(50, 0);
  for (int k = 0; k < 100000; ++k)
    ++counts[static_cast<std::size_t>(50 * ness::uniform_real(random))];
  CHECK(std::abs(chi_square_deviation(counts)) <= 4);
}
