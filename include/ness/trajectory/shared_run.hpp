// The chains of a run over ranks: kept in a file, taken from it, and merged.
#pragma once

#include <functional>
#include <string>

#include "ness/statistics/ranks.hpp"
#include "ness/trajectory/checkpoint.hpp"

namespace ness::detail {

/// What chains and their estimators are to those who carry them: bytes.
struct ChainBytes {
  std::function<std::string(int)> chain;  ///< chain k and what observes it
  std::function<void(int, const std::string&)> resume;
  std::function<std::string(int)> estimators;  ///< of chain k
  std::function<void(int, int)> merge;         ///< those of the second chain into the first
  std::function<void(int, const std::string&)> merge_bytes;
};

/// `chains` of them, of which a rank has a share. All members are called by all ranks together.
/// `Settings` is `CheckpointSettings`, a template argument only so that this is compiled where it
/// is used.
template <class Settings>
class SharedRun {
 public:
  SharedRun(const Ranks* ranks, int chains, ChainBytes bytes)
      : ranks_(ranks), chains_(chains), share_(share_of(ranks, chains)), bytes_(std::move(bytes)) {}

  /// The chains of this rank.
  const Share& share() const { return share_; }

  /// The first rank writes, a chain at a time. Throws `CheckpointError`.
  void save(const Settings& settings, const std::string& identity) const;
  /// The first rank reads, a chain at a time; false where there is no file. Throws
  /// `CheckpointError`.
  bool restore(const Settings& settings, const std::string& identity) const;

  /// Merges all estimators into those of chain 0, in a tree over the chains, so that ranks far
  /// apart merge at the same time. Returns their bytes to the ranks that have them not.
  std::string merge() const;

 private:
  void resume(const Settings& settings, int chain, const std::string& bytes) const;
  int owner(int chain) const { return owner_of(chain, size_of(ranks_), chains_); }

  const Ranks* ranks_;
  int chains_;
  Share share_;
  ChainBytes bytes_;
};

}  // namespace ness::detail

#ifndef NESS_COMPILED  // else they are in the library

#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace ness::detail {

template <class Settings>
void SharedRun<Settings>::save(const Settings& settings, const std::string& identity) const {
  std::vector<std::string> own(static_cast<std::size_t>(share_.count()));
  on_every_rank(ranks_, [&] {
    for (int k = 0; k < share_.count(); ++k)
      own[static_cast<std::size_t>(k)] = bytes_.chain(share_.first + k);
  });
  if (rank_of(ranks_) != 0) {
    for (const std::string& bytes : own) ranks_->send(bytes, 0);
    return on_every_rank(ranks_, [] {});
  }
  CheckpointOutput<Settings> file(settings, identity);
  for (const std::string& bytes : own) file.add(bytes);
  std::string bytes;
  for (int k = share_.last; k < chains_; ++k) {
    ranks_->receive(bytes, owner(k));
    file.add(bytes);
  }
  on_every_rank(ranks_, [&] { file.finish(); });
}

template <class Settings>
bool SharedRun<Settings>::restore(const Settings& settings, const std::string& identity) const {
  std::optional<CheckpointInput<Settings>> file;
  on_every_rank(ranks_, [&] {
    if (rank_of(ranks_) == 0) file.emplace(settings, identity);
  });
  if (!from_first_rank(ranks_, file && file->found())) return false;
  std::vector<std::string> own;
  std::exception_ptr error;  // after which nothing is read, but all that is waited for is sent
  const auto next = [&]() -> std::string {
    try {
      if (!error) return file->next();
    } catch (...) {
      error = std::current_exception();
    }
    return {};
  };
  for (int k = 0; file && k < chains_; ++k) {
    std::string bytes = next();
    if (share_.has(k))
      own.push_back(std::move(bytes));
    else
      ranks_->send(bytes, owner(k));
  }
  for (int k = 0; !file && k < share_.count(); ++k) ranks_->receive(own.emplace_back(), 0);
  on_every_rank(ranks_, [&] {
    if (error) std::rethrow_exception(error);
    if (file) file->finish();
  });
  on_every_rank(ranks_, [&] {
    for (int k = 0; k < share_.count(); ++k)
      resume(settings, share_.first + k, own[static_cast<std::size_t>(k)]);
  });
  return true;
}

template <class Settings>
void SharedRun<Settings>::resume(const Settings& settings, int chain,
                                 const std::string& bytes) const {
  try {
    bytes_.resume(chain, bytes);
  } catch (const std::out_of_range& error) {
    throw CheckpointError(
        settings.file, std::string("does not fit: ") + error.what() + ": remove it to start anew");
  }
}

template <class Settings>
std::string SharedRun<Settings>::merge() const {
  std::string bytes;
  join_in_tree(
      ranks_, chains_, bytes_.merge,
      [&](int right, int rank) { ranks_->send(bytes_.estimators(right), rank); },
      [&](int left, int, int rank) {
        ranks_->receive(bytes, rank);
        bytes_.merge_bytes(left, bytes);
      });
  if (!ranks_) return {};
  if (ranks_->rank() == 0) bytes = bytes_.estimators(0);
  ranks_->broadcast(bytes, 0);
  return bytes;
}

}  // namespace ness::detail
#endif
