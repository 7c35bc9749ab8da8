// Everything that a sampler of batches may draw, once each: exact laws instead of statistics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "support/scripted_bits.hpp"

/// Calls `look(random)` once for each sequence of values that `uniform_index` may return for these
/// bounds. The sequences are equally likely, so counting them gives exact probabilities.
template <class Look>
void for_every_draw(const std::vector<std::uint32_t>& bounds, const Look& look) {
  std::vector<std::uint32_t> values(bounds.size(), 0);
  for (;;) {
    std::vector<std::uint32_t> words;
    for (std::size_t k = 0; k < bounds.size(); ++k) words.push_back(word_for(values[k], bounds[k]));
    ScriptedBits<> random(words);
    look(random);
    std::size_t digit = 0;
    while (digit < bounds.size() && ++values[digit] == bounds[digit]) values[digit++] = 0;
    if (digit == bounds.size()) return;
  }
}

/// M, M − 1, ..., M − count + 1: the bounds of drawing `count` of M one by one.
inline std::vector<std::uint32_t> falling(std::uint32_t samples, std::uint32_t count) {
  std::vector<std::uint32_t> bounds;
  for (std::uint32_t k = 0; k < count; ++k) bounds.push_back(samples - k);
  return bounds;
}

/// M (M − 1) ... (M − count + 1)
inline std::size_t ordered_choices(std::uint32_t samples, std::uint32_t count) {
  std::size_t product = 1;
  for (const std::uint32_t bound : falling(samples, count)) product *= bound;
  return product;
}

inline std::vector<std::uint32_t> to_vector(std::span<const std::uint32_t> batch) {
  return {batch.begin(), batch.end()};
}
