// Ranks that are threads of one process: what is true of them needs no MPI.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "ness/statistics/ranks.hpp"

/// The letters between `size` ranks, in order for each pair of them.
class PostOffice {
 public:
  explicit PostOffice(int size) : size_(size) {}
  int size() const { return size_; }

  void post(int from, int to, std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    letters_[{from, to}].emplace_back(bytes);
    changed_.notify_all();
  }
  std::string fetch(int from, int to) {
    std::unique_lock lock(mutex_);
    auto& letters = letters_[{from, to}];
    changed_.wait(lock, [&] { return !letters.empty(); });
    std::string bytes = std::move(letters.front());
    letters.pop_front();
    return bytes;
  }
  bool empty() const {
    return std::all_of(letters_.begin(), letters_.end(),
                       [](const auto& letters) { return letters.second.empty(); });
  }

 private:
  int size_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<int, int>, std::deque<std::string>> letters_;
};

class ThreadRanks final : public ness::Ranks {
 public:
  ThreadRanks(PostOffice& office, int rank) : office_(office), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return office_.size(); }
  void send(std::string_view bytes, int to) const override { office_.post(rank_, to, bytes); }
  void receive(std::string& bytes, int from) const override { bytes = office_.fetch(from, rank_); }
  void broadcast(std::string& bytes, int from) const override {
    if (rank_ != from) return receive(bytes, from);
    for (int to = 0; to < size(); ++to)
      if (to != from) send(bytes, to);
  }
  std::vector<std::string> gather(std::string_view bytes) const override {
    std::vector<std::string> all;
    for (int from = 0; from < size(); ++from) broadcast(all.emplace_back(bytes), from);
    return all;
  }
  int least(int number) const override {
    for (const std::string& other : gather(std::to_string(number)))
      number = std::min(number, std::stoi(other));
    return number;
  }

 private:
  PostOffice& office_;
  int rank_;
};

/// What `program(ranks)` returns on each of `size` ranks, or throws: the exception of the lowest.
/// Throws also where letters were left that nobody fetched.
template <class Program>
auto on_ranks(int size, const Program& program) {
  using Result = decltype(program(std::declval<const ness::Ranks&>()));
  PostOffice office(size);
  std::vector<Result> results(static_cast<std::size_t>(size));
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank)
    threads.emplace_back([&, rank] {
      const auto at = static_cast<std::size_t>(rank);
      try {
        results[at] = program(ThreadRanks(office, rank));
      } catch (...) {
        errors[at] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
  if (!office.empty()) throw std::logic_error("letters were left that nobody fetched");
  return results;
}
