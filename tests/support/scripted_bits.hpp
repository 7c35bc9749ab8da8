// A generator that says what it is told to: for enumerating everything that a program may draw.
#pragma once

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

/// Gives `words` one after the other, as numbers in Min ... Max, and throws at their end.
template <class Word = std::uint32_t, Word Min = 0, Word Max = std::numeric_limits<Word>::max()>
class ScriptedBits {
 public:
  using result_type = Word;

  explicit ScriptedBits(std::vector<Word> words) : words_(std::move(words)) {}

  static constexpr Word min() { return Min; }
  static constexpr Word max() { return Max; }

  Word operator()() {
    if (next_ == words_.size()) throw std::out_of_range("ScriptedBits: the script has ended");
    return words_[next_++];
  }

  std::size_t used() const { return next_; }

 private:
  std::vector<Word> words_;
  std::size_t next_ = 0;
};

/// A word from the middle of those that make `uniform_index(random, bound)` return `value`.
inline std::uint32_t word_for(std::uint32_t value, std::uint32_t bound) {
  return static_cast<std::uint32_t>(((2 * std::uint64_t{value} + 1) << 31) / bound);
}
