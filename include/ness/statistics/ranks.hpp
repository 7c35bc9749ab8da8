// Processes that run the same program on the same data, and share its work.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ness {

/// The ranks of a run, as whoever knows how they talk to each other states them: `MpiRanks` of
/// `ness/parallel/mpi.hpp` for MPI.
///
/// What is given ranks, as `RunSettings::ranks` or to `StreamedObjective`, is called on every rank,
/// in the same order and with the same arguments, from one thread of each. Each rank does a share
/// of the work, and all get the whole result, which is the same to the last bit for any number of
/// ranks and threads: of programs compiled alike, on processors of one kind.
class Ranks {
 public:
  virtual ~Ranks() = default;

  virtual int rank() const = 0;  ///< of this process: 0 … size() − 1
  virtual int size() const = 0;  ///< how many there are

  // What is sent from one rank to another arrives in order.
  /// To another rank; what is sent to one arrives in order.
  virtual void send(std::string_view bytes, int to) const = 0;
  /// Into `bytes`, whatever it held.
  virtual void receive(std::string& bytes, int from) const = 0;

  // These are called by all ranks together.
  /// Makes `bytes` those of rank `from`, on every rank.
  virtual void broadcast(std::string& bytes, int from) const = 0;
  /// The bytes of every rank, in their order, on every rank.
  virtual std::vector<std::string> gather(std::string_view bytes) const = 0;
  /// The least of all ranks' numbers, on every rank.
  virtual int least(int number) const = 0;
};

/// What another rank threw, in its words.
class RankError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

/// Of `count` pieces of work, those from `first` to before `last`: all of them without ranks. The
/// first rank has the first piece.
struct Share {
  int first, last;
  int count() const { return last - first; }
  bool has(int piece) const { return first <= piece && piece < last; }
};

inline int size_of(const Ranks* ranks) { return ranks ? ranks->size() : 1; }
inline int rank_of(const Ranks* ranks) { return ranks ? ranks->rank() : 0; }

inline Share share_of(int rank, int ranks, int count) {
  const auto begin = [&](std::int64_t r) {
    return static_cast<int>((r * count + ranks - 1) / ranks);
  };
  return {begin(rank), begin(rank + 1)};
}
inline Share share_of(const Ranks* ranks, int count) {
  return share_of(rank_of(ranks), size_of(ranks), count);
}

/// The rank that has this piece in its share.
inline int owner_of(int piece, int ranks, int count) {
  return static_cast<int>(std::int64_t{piece} * ranks / count);
}

/// Calls `work`, in which ranks do not talk; if it throws on one of them all of them throw: that
/// one the same again, the others a `RankError` with its words. `Group` is `Ranks`, a template
/// argument only so that this is compiled where it is used.
template <class Group>
void on_every_rank(const Group* ranks, const std::function<void()>& work);

/// A number of the first rank, on every rank.
template <class Number>
Number from_first_rank(const Ranks* ranks, Number number) {
  static_assert(std::is_arithmetic_v<Number>);
  if (!ranks) return number;
  std::string bytes(reinterpret_cast<const char*>(&number), sizeof(Number));
  ranks->broadcast(bytes, 0);
  std::memcpy(&number, bytes.data(), sizeof(Number));
  return number;
}

/// Joins pieces of work 0 … count − 1 in a binary tree whose shape depends on `count` alone, so
/// that what is joined is the same to the last bit however pieces are shared. A node is named by
/// its first piece and held by the rank that has that one. Calls join(left, right) for both
/// children at this rank, give(right, rank) for a right child whose left one is elsewhere, and
/// take(left, right, rank) where the right one is: each rank has its pieces joined at the end, and
/// the first rank all of them, as node 0. ⌈log₂ count⌉ levels.
template <class Join, class Give, class Take>
void join_in_tree(const Ranks* ranks, int count, const Join& join, const Give& give,
                  const Take& take) {
  const int rank = rank_of(ranks), size = size_of(ranks);
  for (std::int64_t width = 1; width < count; width *= 2)
    for (std::int64_t left = 0; left + width < count; left += 2 * width) {
      const auto first = static_cast<int>(left), second = static_cast<int>(left + width);
      const int of_first = owner_of(first, size, count), of_second = owner_of(second, size, count);
      if (of_first == rank && of_second == rank)
        join(first, second);
      else if (of_second == rank)
        give(second, of_first);
      else if (of_first == rank)
        take(first, second, of_second);
    }
}

}  // namespace detail
}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <exception>
#include <limits>

namespace ness::detail {

inline std::string words_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "ness: something that is no std::exception was thrown";
  }
}

template <class Group>
void on_every_rank(const Group* ranks, const std::function<void()>& work) {
  if (!ranks) return work();
  constexpr int none = std::numeric_limits<int>::max();
  std::exception_ptr error;
  try {
    work();
  } catch (...) {
    error = std::current_exception();
  }
  const int failed = ranks->least(error ? ranks->rank() : none);
  if (failed == none) return;
  const bool here = failed == ranks->rank();
  std::string words = here ? words_of(error) : std::string();
  ranks->broadcast(words, failed);
  if (here) std::rethrow_exception(error);
  throw RankError(words);
}

}  // namespace ness::detail
#endif
