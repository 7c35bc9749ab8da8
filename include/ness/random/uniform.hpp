// Uniform numbers from any bit generator, the same with every standard library.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace ness {

/// What `std::uniform_random_bit_generator` is, without the time that `<random>` takes to compile.
template <class R>
concept RandomBits =
    std::invocable<R&> && std::unsigned_integral<std::invoke_result_t<R&>> && requires {
      { R::min() } -> std::same_as<std::invoke_result_t<R&>>;
      { R::max() } -> std::same_as<std::invoke_result_t<R&>>;
      requires std::bool_constant<(R::min() < R::max())>::value;
    };

/// 32 uniform bits from any generator of them. Those of 32 or 64 full bits cost one call; others
/// give the bits of the largest power of two in their range, by rejection.
template <RandomBits Random>
std::uint32_t random_bits(Random& random) {
  constexpr std::uint64_t range = std::uint64_t{Random::max()} - std::uint64_t{Random::min()};
  if constexpr (range == 0xFFFFFFFF) {
    return static_cast<std::uint32_t>(random() - Random::min());
  } else if constexpr (range == ~std::uint64_t{0}) {
    return static_cast<std::uint32_t>((random() - Random::min()) >> 32);
  } else {
    constexpr int width = std::bit_width(range + 1) - 1;
    std::uint64_t bits = 0;
    for (int have = 0; have < 32; have += width) {
      std::uint64_t draw = 0;
      do draw = static_cast<std::uint64_t>(random() - Random::min());
      while ((draw >> width) != 0);
      bits = bits << width | draw;
      if constexpr (width >= 32) break;
    }
    return static_cast<std::uint32_t>(bits);
  }
}

/// `count` times 32 uniform bits, as the same number of calls of `random_bits` would give them: in
/// blocks, where the generator has a `fill` for them.
template <RandomBits Random>
void fill_random_bits(Random& random, std::uint32_t* words, std::size_t count) {
  if constexpr (requires { random.fill(words, count); })
    random.fill(words, count);
  else
    for (std::size_t k = 0; k < count; ++k) words[k] = random_bits(random);
}

/// A uniform integer in 0 ... bound − 1, without bias: one multiplication, and a second draw with
/// probability below bound / 2^32 (D. Lemire, ACM TOMACS 29, 2019, arXiv 1805.10941).
/// Precondition: bound > 0.
template <RandomBits Random>
std::uint32_t uniform_index(Random& random, std::uint32_t bound) {
  std::uint64_t product = std::uint64_t{random_bits(random)} * bound;
  if (static_cast<std::uint32_t>(product) < bound) [[unlikely]] {
    const std::uint32_t threshold = (0 - bound) % bound;
    while (static_cast<std::uint32_t>(product) < threshold)
      product = std::uint64_t{random_bits(random)} * bound;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

/// A uniform double in the open interval (0, 1), the middle of one of 2^52 equal cells.
template <RandomBits Random>
double uniform_real(Random& random) {
  const std::uint64_t high = random_bits(random);
  const std::uint64_t bits = high << 32 | random_bits(random);
  return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
}

}  // namespace ness
