// One task on the ranks of mpirun: shared bits THREADS | shared run FILE | shared fail HOW
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <ness/parallel/mpi.hpp>
#include <new>
#include <stdexcept>
#include <string>

#include "support/shared_work.hpp"

namespace {

using namespace shared_work;

void print(const ness::Ranks& ranks, const std::string& bytes) {
  if (ranks.rank() == 0)
    std::printf("%zu bytes, %016zx\n", bytes.size(), std::hash<std::string>()(bytes));
}

/// Every estimator and every sum; fails where a rank has other bits than the first.
void bits(const ness::Ranks& ranks, int threads) {
  std::string bytes;
  for (const int chains : {1, 2, 5, 8}) bytes += bytes_of_run(run_of(chains, threads, &ranks));
  bytes += Many().bytes_of_sums(threads, &ranks);
  for (const std::string& other : ranks.gather(bytes))
    if (other != bytes) throw std::logic_error("ranks have other bits");
  if (ranks.gather(std::to_string(ranks.rank())).back() != std::to_string(ranks.size() - 1))
    throw std::logic_error("gathered in another order");
  print(ranks, bytes);
}

/// A run of some seconds that keeps a checkpoint ten times a second.
void run(const ness::Ranks& ranks, const std::string& file) {
  ness::RunSettings settings = run_of(6, 1, &ranks);
  settings.steps = 600'000;
  settings.checkpoint = {.file = file, .seconds = 0.1};
  print(ranks, bytes_of_run(settings));
}

void fail(const ness::Ranks& ranks, const std::string& how) {
  if (how == "alone" && ranks.rank() == ranks.size() - 1) throw std::runtime_error("rank is lost");
  if (how == "together") throw std::runtime_error("bad input");
  if (how == "memory" && ranks.rank() == ranks.size() - 1) throw std::bad_alloc();
  ness::RunSettings settings = run_of(6, 1, &ranks);
  if (how == "steps") settings.steps = 0;
  if (how == "diverges") {
    auto wild = sgd;
    wild.learning_rate = 100;
    (void)ness::measure(objective(), wild, predicted(sgd), {.run = settings});
  }
  (void)bytes_of_run(settings);
}

}  // namespace

int main(int argc, char** argv) {
  return ness::run_with_mpi(argc, argv, [&](const ness::Ranks& ranks) {
    if (argc != 3) throw std::invalid_argument("usage: shared bits THREADS | run FILE | fail HOW");
    const std::string task = argv[1];
    if (task == "bits") bits(ranks, std::atoi(argv[2]));
    if (task == "run") run(ranks, argv[2]);
    if (task == "fail") fail(ranks, argv[2]);
  });
}
