// The same work by threads and by ranks of MPI: bench_ranks THREADS prints, for a run of chains and
// for sums over samples, the seconds they take and the largest messages between ranks. `ranks.sh`
// compares.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ness/network.hpp>
#include <ness/parallel/mpi.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace {

using ness::Index;

/// Counts what passes through.
class CountedRanks final : public ness::Ranks {
 public:
  explicit CountedRanks(const ness::Ranks& ranks) : ranks_(ranks) {}
  int rank() const override { return ranks_.rank(); }
  int size() const override { return ranks_.size(); }
  void send(std::string_view bytes, int to) const override {
    count(bytes.size());
    ranks_.send(bytes, to);
  }
  void receive(std::string& bytes, int from) const override { ranks_.receive(bytes, from); }
  void broadcast(std::string& bytes, int from) const override {
    ranks_.broadcast(bytes, from);
    count(bytes.size());
  }
  std::vector<std::string> gather(std::string_view bytes) const override {
    count(bytes.size());
    return ranks_.gather(bytes);
  }
  int least(int number) const override {
    count(sizeof(number));
    return ranks_.least(number);
  }
  void count(std::size_t bytes) const {
    ++messages_;
    largest_ = std::max(largest_, bytes);
  }
  void print(const char* what, double seconds) {
    if (rank() == 0)
      std::printf("%s %.4f s, %ld messages, the largest of %zu bytes\n", what, seconds, messages_,
                  largest_);
    messages_ = 0;
    largest_ = 0;
  }

 private:
  const ness::Ranks& ranks_;
  mutable long messages_ = 0;
  mutable std::size_t largest_ = 0;
};

template <class Work>
void measure(CountedRanks& ranks, const char* what, const Work& work) {
  (void)ranks.least(0);
  const auto start = std::chrono::steady_clock::now();
  work();
  (void)ranks.least(0);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  ranks.print(what, took.count());
}

Eigen::MatrixXd numbers(Index rows, Index cols, std::uint64_t seed) {
  Eigen::MatrixXd result(rows, cols);
  ness::Philox random(seed, 0);
  Eigen::VectorXd column(rows);
  for (Index k = 0; k < cols; ++k) {
    ness::Normal().fill(random, column);
    result.col(k) = column;
  }
  return result;
}

void chains(CountedRanks& ranks, int threads, Index parameters, std::int64_t steps) {
  const ness::Objective objective(
      ness::LinearModel<>(numbers(parameters, 4'000, 1), numbers(1, 4'000, 2)), ness::L2{0.1});
  const ness::Sgd<ness::WithReplacement> sgd{.learning_rate = 0.005, .minibatch = {20}};
  const auto minimum = ness::minimize(objective, Eigen::VectorXd::Zero(parameters).eval());
  const auto state = ness::predict(objective, minimum, sgd);
  measure(ranks, ("chains of " + std::to_string(parameters)).c_str(), [&] {
    (void)ness::measure(
        objective, sgd, state,
        {.run = {.steps = steps, .chains = 8, .threads = threads, .ranks = &ranks}});
  });
}

void sums(CountedRanks& ranks, int threads) {
  const Eigen::MatrixXd x = numbers(200, 16'384, 3), y = numbers(10, 16'384, 4);
  const ness::Objective objective(ness::Mlp<ness::DynamicLayers>(x, y, {200, 64, 10}),
                                  ness::L2{0.1});
  const ness::StreamedObjective streamed(objective, threads, &ranks);
  const Eigen::VectorXd theta = 0.1 * numbers(objective.parameters(), 1, 5);
  const Eigen::MatrixXd along = numbers(objective.parameters(), 8, 6);
  measure(ranks, "Hessian products", [&] {
    for (int k = 0; k < 15; ++k) (void)streamed.hessian_products(theta, along);
  });
}

}  // namespace

int main(int argc, char** argv) {
  return ness::run_with_mpi(argc, argv, [&](const ness::Ranks& found) {
    if (argc != 2) throw std::invalid_argument("usage: bench_ranks THREADS");
    CountedRanks ranks(found);
    const int threads = std::atoi(argv[1]);
    chains(ranks, threads, 7, 400'000);
    chains(ranks, threads, 100, 60'000);
    sums(ranks, threads);
  });
}
