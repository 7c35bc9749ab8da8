// Philox 4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw, SC 2011,
// doi:10.1145/2063384.2063405): chain k of seed s has a stream of its own.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

namespace ness {

/// A `std::uniform_random_bit_generator` of 32-bit words.
///
/// `Philox(seed, stream)` is a pure function of its two arguments: 2^64 streams for each seed, each
/// of 2^66 words, so what a chain draws does not depend on which thread runs it, nor on other
/// chains. Words are made sixteen blocks at a time, in the same order on every machine.
/// Copying copies the position in the stream. Cost: about 1 ns a word.
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

  /// One block of the published function: ten rounds of `counter` under `key`.
  static constexpr Counter block(Counter counter, Key key) noexcept {
    for (int round = 0; round < rounds; ++round) {
      turn(counter[0], counter[1], counter[2], counter[3], key);
      next_key(key);
    }
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
  static constexpr int rounds = 10;
  static constexpr std::size_t lanes = 16;

  static constexpr void turn(std::uint32_t& c0, std::uint32_t& c1, std::uint32_t& c2,
                             std::uint32_t& c3, const Key& key) noexcept {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * c0;
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * c2;
    c0 = static_cast<std::uint32_t>(product1 >> 32) ^ c1 ^ key[0];
    c1 = static_cast<std::uint32_t>(product1);
    c2 = static_cast<std::uint32_t>(product0 >> 32) ^ c3 ^ key[1];
    c3 = static_cast<std::uint32_t>(product0);
  }

  static constexpr void next_key(Key& key) noexcept {
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }

  // Sixteen counters side by side, so that the rounds are vector instructions.
  void refill() noexcept {
    std::uint32_t* const c0 = words_.data();
    std::uint32_t* const c1 = c0 + lanes;
    std::uint32_t* const c2 = c1 + lanes;
    std::uint32_t* const c3 = c2 + lanes;
    for (std::size_t j = 0; j < lanes; ++j) {
      c0[j] = static_cast<std::uint32_t>(block_ + j);
      c1[j] = static_cast<std::uint32_t>((block_ + j) >> 32);
      c2[j] = static_cast<std::uint32_t>(stream_);
      c3[j] = static_cast<std::uint32_t>(stream_ >> 32);
    }
    Key key{static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)};
    for (int round = 0; round < rounds; ++round) {
      for (std::size_t j = 0; j < lanes; ++j) turn(c0[j], c1[j], c2[j], c3[j], key);
      next_key(key);
    }
    block_ += lanes;
    next_ = 0;
  }

  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t block_ = 0;
  std::array<std::uint32_t, 4 * lanes> words_{};
  std::size_t next_ = 4 * lanes;
};

}  // namespace ness
