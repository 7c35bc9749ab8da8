#include "ness/statistics/threads.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include "support/catch.hpp"

TEST_CASE("Pieces of work run on as many threads as are asked for, at the same time") {
  // Each waits for all the others to have begun.
  std::atomic<int> begun{0}, together{0};
  ness::parallel_for(4, 4, [&](int) {
    ++begun;
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (begun < 4 && std::chrono::steady_clock::now() < patience) std::this_thread::yield();
    if (begun == 4) ++together;
  });
  CHECK(together == 4);
}

TEST_CASE("There are no more threads than pieces, and one at least") {
  CHECK(ness::detail::threads_for(3, 8) == 3);
  CHECK(ness::detail::threads_for(8, 3) == 3);
  CHECK(ness::detail::threads_for(0, 3) == 1);
  CHECK(ness::detail::threads_for(1000, 0) >= 1);
}
