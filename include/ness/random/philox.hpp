// Philox 4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw, SC 2011,
// doi:10.1145/2063384.2063405): chain k of seed s has a stream of its own.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "ness/detail/lanes.hpp"

namespace ness {

namespace detail {

/// A counter, or one in each lane, of whose words the low halves count.
template <class Words>
using PhiloxCounter = std::array<Words, 4>;
template <class Words>
using PhiloxKey = std::array<Words, 2>;

template <class Words>
constexpr void philox_round(PhiloxCounter<Words>& c, const PhiloxKey<Words>& key) {
  const Words product0 = multiply_low(c[0], Words{} + 0xD2511F53);
  const Words product1 = multiply_low(c[2], Words{} + 0xCD9E8D57);
  c[0] = product1 >> 32 ^ c[1] ^ key[0];
  c[1] = product1;
  c[2] = product0 >> 32 ^ c[3] ^ key[1];
  c[3] = product0;
}

/// Ten rounds of each counter, side by side.
template <class Words, class... Counters>
constexpr void philox(PhiloxKey<Words> key, Counters&... counters) {
  for (int round = 0; round < 10; ++round) {
    (philox_round<Words>(counters, key), ...);
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
}

}  // namespace detail

/// A `std::uniform_random_bit_generator` of 32-bit words.
///
/// `Philox(seed, stream)` is a pure function of its two arguments: 2^64 streams for each seed, each
/// of 2^66 words, so what a chain draws does not depend on which thread runs it, nor on other
/// chains. Words are made sixteen blocks at a time, in the same order on every machine.
/// Copying copies the position in the stream. Cost: 0.7 ns a word in blocks with AVX2, twice as
/// much without, and half a nanosecond more one at a time.
class Philox {
 public:
  /// Words of 32 bits.
  using result_type = std::uint32_t;
  /// A place in a stream.
  using Counter = std::array<std::uint32_t, 4>;
  /// Which stream.
  using Key = std::array<std::uint32_t, 2>;

  /// The start of stream `stream` of `seed`.
  explicit Philox(std::uint64_t seed = 0, std::uint64_t stream = 0) noexcept
      : seed_(seed), stream_(stream) {}

  /// As uniform random bit generators have it.
  static constexpr result_type min() { return 0; }
  /// As uniform random bit generators have it.
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

  /// The next word.
  result_type operator()() noexcept {
    if (next_ == words_.size()) [[unlikely]]
      refill();
    return words_[next_++];
  }

  /// The next `count` words.
  void fill(result_type* words, std::size_t count) noexcept {
    while (count > 0) {
      if (next_ == words_.size()) {
        for (; count > words_.size(); count -= words_.size(), words += words_.size()) make(words);
        refill();
      }
      const std::size_t some = std::min(count, words_.size() - next_);
      std::copy_n(words_.data() + next_, some, words);
      next_ += some;
      words += some;
      count -= some;
    }
  }

  /// One block of the published function: ten rounds of `counter` under `key`.
  static constexpr Counter block(Counter counter, Key key) noexcept {
    detail::PhiloxCounter<std::uint64_t> c{counter[0], counter[1], counter[2], counter[3]};
    detail::philox<std::uint64_t>({key[0], key[1]}, c);
    for (std::size_t k = 0; k < c.size(); ++k) counter[k] = static_cast<std::uint32_t>(c[k]);
    return counter;
  }

  /// For checkpoints: what must be kept to continue.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(seed_, stream_, block_, words_, next_);
  }

  /// At the same place of the same stream?
  friend bool operator==(const Philox&, const Philox&) = default;

 private:
  static constexpr std::size_t blocks = 16;

  using WordLanes = detail::WordLanes;
  using Counters = detail::PhiloxCounter<WordLanes>;

  // Every other one from `first`.
  Counters counters_at(std::uint64_t first) const noexcept {
    const WordLanes number =
        detail::gather<WordLanes>([&](std::size_t j) { return first + 2 * j; });
    const WordLanes stream = WordLanes{} + stream_;
    return {number, number >> 32, stream, stream >> 32};
  }

  // Sixteen counters, in as many lanes as there are. Words fill but half of a lane: neighbours go
  // side by side, and are packed in the end.
  void make(result_type* words) noexcept {
    for (std::size_t first = 0; first < blocks; first += 2 * detail::lanes) {
      Counters even = counters_at(block_ + first);
      Counters odd = counters_at(block_ + first + 1);
      detail::philox<WordLanes>({WordLanes{} + seed_, WordLanes{} + (seed_ >> 32)}, even, odd);
      for (std::size_t k = 0; k < even.size(); ++k)
        detail::store_lanes((even[k] & 0xFFFFFFFF) | odd[k] << 32, words + blocks * k + first);
    }
    block_ += blocks;
  }

  void refill() noexcept {
    make(words_.data());
    next_ = 0;
  }

  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t block_ = 0;
  std::array<std::uint32_t, 4 * blocks> words_{};
  std::size_t next_ = 4 * blocks;
};

}  // namespace ness
