#include "ness/random/philox.hpp"

#include <random>
#include <vector>

#include "support/catch.hpp"

using ness::Philox;

static_assert(std::uniform_random_bit_generator<Philox>);

TEST_CASE("Philox's block gives the known answers of Random123") {
  // kat_vectors of the Random123 library, philox4x32, ten rounds.
  STATIC_REQUIRE(Philox::block({0, 0, 0, 0}, {0, 0}) ==
                 Philox::Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  STATIC_REQUIRE(
      Philox::block({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
      Philox::Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  STATIC_REQUIRE(
      Philox::block({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
      Philox::Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

// What word number `index` of a stream is: sixteen blocks stand side by side, so that sixteen words
// of the first kind come first, then sixteen of the second, and so on.
static std::uint32_t documented_word(std::uint64_t seed, std::uint64_t stream,
                                     std::uint64_t index) {
  const std::uint64_t block = index / 64 * 16 + index % 16;
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  return Philox::block({low(block), high(block), low(stream), high(stream)},
                       {low(seed), high(seed)})[index % 64 / 16];
}

TEST_CASE("Philox's stream is its blocks with seed as key and (block number, stream) as counter") {
  for (const std::uint64_t seed : {0ULL, 1ULL, 0x0123456789abcdefULL, ~0ULL})
    for (const std::uint64_t stream : {0ULL, 5ULL, 0xfedcba9876543210ULL, ~0ULL}) {
      Philox random(seed, stream);
      int wrong = 0;
      for (std::uint64_t index = 0; index < 300; ++index)
        wrong += random() != documented_word(seed, stream, index);
      CHECK(wrong == 0);
    }
}

TEST_CASE("Philox spans all 32-bit words") {
  STATIC_REQUIRE(Philox::min() == 0);
  STATIC_REQUIRE(Philox::max() == 0xffffffff);
}

TEST_CASE("A copy of a Philox continues from the same place, and then on its own") {
  Philox random(3, 4);
  for (int k = 0; k < 70; ++k) random();  // into the second group of words
  Philox copy = random;
  CHECK(copy == random);
  const auto next = random();
  CHECK_FALSE(copy == random);
  CHECK(copy() == next);
  CHECK(copy == random);
}

TEST_CASE("Seeds and streams of a Philox share no words") {
  const Philox reference(1, 1);
  for (const auto& other : {Philox(1, 2), Philox(2, 1), Philox(1, 1 + (1ULL << 32)),
                            Philox(1 + (1ULL << 32), 1), Philox(1)}) {
    Philox a = reference;
    Philox b = other;
    int same = 0;
    for (int k = 0; k < 1000; ++k) same += a() == b();
    CHECK(same <= 1);  // two random words agree with probability 2^−32
  }
}

TEST_CASE("Philox fills arrays with the words that it would give one at a time") {
  Philox one_by_one(7, 8), filling(7, 8);
  std::vector<std::uint32_t> words;
  for (const std::size_t count : {0, 1, 63, 64, 65, 1, 300, 0, 17}) {
    words.assign(count, 0);
    filling.fill(words.data(), count);
    int wrong = 0;
    for (const std::uint32_t word : words) wrong += word != one_by_one();
    CHECK(wrong == 0);
  }
  CHECK(filling() == one_by_one());
}
