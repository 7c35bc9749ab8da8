// The ranks of MPI: chains and sums over samples shared by the processes of a cluster.
#pragma once

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "ness/statistics/ranks.hpp"

namespace ness {

/// The processes of a communicator. It works on a copy of the communicator, so that its messages
/// meet no others. MPI is called from the thread that calls it alone (`MPI_THREAD_FUNNELED`), and
/// must be initialized before and finalized after: `run_with_mpi` does both.
class MpiRanks final : public Ranks {
 public:
  /// Of this communicator, which is copied.
  explicit MpiRanks(MPI_Comm communicator = MPI_COMM_WORLD) {
    MPI_Comm_dup(communicator, &communicator_);
    MPI_Comm_rank(communicator_, &rank_);
    MPI_Comm_size(communicator_, &size_);
  }
  MpiRanks(const MpiRanks&) = delete;
  MpiRanks& operator=(const MpiRanks&) = delete;
  ~MpiRanks() override { MPI_Comm_free(&communicator_); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void send(std::string_view bytes, int to) const override {
    const std::uint64_t size = bytes.size();
    MPI_Send(&size, 1, MPI_UINT64_T, to, 0, communicator_);
    for_each_part(size, [&](std::uint64_t at, int count) {
      MPI_Send(bytes.data() + at, count, MPI_BYTE, to, 0, communicator_);
    });
  }

  void receive(std::string& bytes, int from) const override {
    std::uint64_t size = 0;
    MPI_Recv(&size, 1, MPI_UINT64_T, from, 0, communicator_, MPI_STATUS_IGNORE);
    bytes.resize(size);
    for_each_part(size, [&](std::uint64_t at, int count) {
      MPI_Recv(bytes.data() + at, count, MPI_BYTE, from, 0, communicator_, MPI_STATUS_IGNORE);
    });
  }

  void broadcast(std::string& bytes, int from) const override {
    std::uint64_t size = bytes.size();
    MPI_Bcast(&size, 1, MPI_UINT64_T, from, communicator_);
    bytes.resize(size);
    for_each_part(size, [&](std::uint64_t at, int count) {
      MPI_Bcast(bytes.data() + at, count, MPI_BYTE, from, communicator_);
    });
  }

  std::vector<std::string> gather(std::string_view bytes) const override {
    const auto ranks = static_cast<std::size_t>(size_);
    const std::uint64_t own = bytes.size();
    std::vector<std::uint64_t> sizes(ranks);
    MPI_Allgather(&own, 1, MPI_UINT64_T, sizes.data(), 1, MPI_UINT64_T, communicator_);
    std::vector<std::string> all(ranks);
    if (std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0}) > most_bytes) {
      for (std::size_t from = 0; from < ranks; ++from) {
        if (static_cast<int>(from) == rank_) all[from] = bytes;
        broadcast(all[from], static_cast<int>(from));
      }
      return all;
    }
    const std::vector<int> counts(sizes.begin(), sizes.end());
    std::vector<int> starts(ranks, 0);
    std::partial_sum(counts.begin(), counts.end() - 1, starts.begin() + 1);
    std::string joined(static_cast<std::size_t>(starts.back() + counts.back()), '\0');
    MPI_Allgatherv(bytes.data(), static_cast<int>(own), MPI_BYTE, joined.data(), counts.data(),
                   starts.data(), MPI_BYTE, communicator_);
    for (std::size_t from = 0; from < ranks; ++from)
      all[from] = joined.substr(static_cast<std::size_t>(starts[from]), sizes[from]);
    return all;
  }

  int least(int number) const override {
    int result = number;
    MPI_Allreduce(&number, &result, 1, MPI_INT, MPI_MIN, communicator_);
    return result;
  }

 private:
  static constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;  // MPI counts in int

  template <class Work>
  static void for_each_part(std::uint64_t size, const Work& work) {
    for (std::uint64_t at = 0; at < size; at += most_bytes)
      work(at, static_cast<int>(std::min(most_bytes, size - at)));
  }

  MPI_Comm communicator_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
};

namespace detail {

/// Have all ranks come here? Waits for the others, but no longer than `seconds`.
inline bool all_arrive(MPI_Comm communicator, double seconds) {
  MPI_Request request;
  MPI_Ibarrier(communicator, &request);
  const auto start = std::chrono::steady_clock::now();
  for (int arrived = 0;;) {
    MPI_Test(&request, &arrived, MPI_STATUS_IGNORE);
    if (arrived) return true;
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - start;
    if (waited.count() > seconds) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

/// Tells of an error of this rank: once where all ranks have one, else here, and ends the others.
inline void fail_with_mpi(MPI_Comm communicator, const std::string& words) {
  int rank = 0;
  MPI_Comm_rank(communicator, &rank);
  const bool all = all_arrive(communicator, 2);
  if (all && rank != 0) return;
  std::fprintf(stderr, "%s%s\n", words.c_str(),
               all ? "" : (" (on rank " + std::to_string(rank) + " alone)").c_str());
  if (!all) MPI_Abort(MPI_COMM_WORLD, 1);
}

}  // namespace detail

/// Runs `program(ranks)` on every rank between MPI's initialization and its end, and returns its
/// exit status, 0 if it returns nothing:
///
///   int main(int argc, char** argv) {
///     return ness::run_with_mpi(argc, argv, [](const ness::Ranks& ranks) {
///       const auto measured = ness::measure(objective, training, predicted,
///                                           {.run = {.steps = 1'000'000, .chains = 64,
///                                                    .ranks = &ranks}});
///       if (ranks.rank() == 0) std::cout << measured.covariance.value << '\n';
///     });
///   }
///
/// An exception ends all ranks with exit status 1 and its message on standard error: once, where
/// all of them throw, as they do for bad input and whatever goes wrong in a shared run; else by the
/// rank that threw, which then ends the others by `MPI_Abort` after two seconds.
template <class Program>
  requires std::invocable<const Program&, const Ranks&>
int run_with_mpi(int argc, char** argv, const Program& program) {
  int level = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  MPI_Comm of_errors = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &of_errors);
  int status = 1;
  {
    const MpiRanks ranks;  // outlives an exception: to free a communicator is the work of all ranks
    try {
      if constexpr (std::is_void_v<std::invoke_result_t<const Program&, const Ranks&>>) {
        program(ranks);
        status = 0;
      } else {
        status = program(ranks);
      }
    } catch (const std::exception& error) {
      detail::fail_with_mpi(of_errors, error.what());
    } catch (...) {
      detail::fail_with_mpi(of_errors, "ness: something that is no std::exception was thrown");
    }
  }
  MPI_Comm_free(&of_errors);
  MPI_Finalize();
  return status;
}

}  // namespace ness
