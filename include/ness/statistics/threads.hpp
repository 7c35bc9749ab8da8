// Independent pieces of work over threads.
#pragma once

#include <functional>

namespace ness {

namespace detail {

/// `Work` is std::function<void(int)>, a template argument only so that this is compiled where it
/// is used.
template <class Work>
void run_on_threads(int count, int threads, const Work& work);

/// How many threads have something to do, 1 at least, of `threads` (0: as many as the machine has).
template <class Count>
Count threads_for(Count pieces, Count threads);

}  // namespace detail

/// Runs work(0) ... work(count − 1), each once, on `threads` threads (0: as many as the machine
/// has). After an exception no further work is begun; the one of the lowest number is thrown again.
template <class Work>
void parallel_for(int count, int threads, const Work& work) {
  detail::run_on_threads<std::function<void(int)>>(count, threads, std::cref(work));
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <thread>
#include <vector>

namespace ness::detail {

template <class Count>
Count threads_for(Count pieces, Count threads) {
  if (threads == 0) threads = static_cast<Count>(std::max(1U, std::thread::hardware_concurrency()));
  return std::max<Count>(1, std::min(threads, pieces));
}

template <class Work>
void run_on_threads(int count, int threads, const Work& work) {
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(count));
  std::atomic<int> next{0};
  std::atomic<bool> failed{false};
  const auto worker = [&] {
    for (int k = next++; k < count && !failed; k = next++) {
      try {
        work(k);
      } catch (...) {
        errors[static_cast<std::size_t>(k)] = std::current_exception();
        failed = true;
      }
    }
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads_for(count, threads); ++t) others.emplace_back(worker);
  worker();
  for (std::thread& other : others) other.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

}  // namespace ness::detail
#endif
