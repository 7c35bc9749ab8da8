// Sums over pieces of work on threads, in the order of the pieces.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "ness/statistics/threads.hpp"

namespace ness::detail {

/// Lets pieces pass one after the other, 0 first, until one fails.
class Turns {
 public:
  /// Waits for the turn of piece k and calls `work`; not after a failure.
  template <class Work>
  void take(int k, const Work& work) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return next_ == k || failed_; });
    if (failed_) return;
    work();
    ++next_;
    changed_.notify_all();
  }
  void fail() {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int next_ = 0;
  bool failed_ = false;
};

/// work(scratch, k) for k = 0 ... count − 1 on `threads` threads (0: as many as the machine has),
/// and after each add(scratch, k), in the order of k and one at a time: what is added up is the
/// same to the last bit for any number of threads. Each thread has a `scratch` of its own, which
/// `make()` returns. What is thrown is thrown again.
template <class Make, class Work, class Add>
void sum_in_order(int count, int threads, const Make& make, const Work& work, const Add& add) {
  using Scratch = decltype(make());
  std::vector<Scratch> idle;
  std::mutex mutex;
  Turns turns;
  const auto borrow = [&] {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        Scratch scratch = std::move(idle.back());
        idle.pop_back();
        return scratch;
      }
    }
    return make();
  };
  parallel_for(count, threads, [&](int k) {
    try {
      Scratch scratch = borrow();
      work(scratch, k);
      turns.take(k, [&] { add(scratch, k); });
      const std::lock_guard lock(mutex);
      idle.push_back(std::move(scratch));
    } catch (...) {
      turns.fail();
      throw;
    }
  });
}

}  // namespace ness::detail
