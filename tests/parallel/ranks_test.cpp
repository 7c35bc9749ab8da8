// What ranks share is the same to the last bit for any number of them and of threads.
#include "ness/statistics/ranks.hpp"

#include <array>
#include <cmath>
#include <filesystem>
#include <stdexcept>

#include "ness/statistics/ordered_sum.hpp"
#include "ness/trajectory/shared_run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/shared_work.hpp"
#include "support/temporary_file.hpp"
#include "support/thread_ranks.hpp"

namespace {

using namespace shared_work;

struct Throwing {
  MatrixXd x;
  Index where;
  Index parameters() const { return x.rows(); }
  Index samples() const { return x.cols(); }
  auto sample_loss(const auto& theta, Index i) const {
    if (i == where) throw std::logic_error("sample " + std::to_string(i));
    auto z = theta[0] * x(0, i);
    return z * z;
  }
};

/// A chain that fails at a step of one of them.
struct Failing {
  VectorXd state = VectorXd::Zero(1);
  bool fails;
  int steps = 0;
  void step() {
    if (++steps == 700 && fails) state[0] = std::nan("");
  }
  const VectorXd& theta() const { return state; }
  Index updates_per_markov_step() const { return 1; }
  void serialize(auto& archive) { archive(state, steps); }
};

/// What each of the ranks says of the error.
template <class Program>
std::vector<std::string> errors_of(int size, const Program& program) {
  return on_ranks(size, [&](const ness::Ranks& ranks) {
    try {
      program(&ranks);
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  });
}

}  // namespace

TEST_CASE("the pieces of work are shared without gaps, and the first rank has the first of them") {
  for (const int size : {1, 2, 3, 7, 40})
    for (const int count : {1, 2, 5, 12, 100}) {
      int next = 0;
      for (int rank = 0; rank < size; ++rank) {
        const ness::detail::Share share = ness::detail::share_of(rank, size, count);
        CHECK(share.first == next);
        CHECK(share.count() <= (count + size - 1) / size);
        for (int k = share.first; k < share.last; ++k)
          CHECK(ness::detail::owner_of(k, size, count) == rank);
        next = share.last;
      }
      CHECK(next == count);
      CHECK(ness::detail::owner_of(0, size, count) == 0);
    }
}

TEST_CASE("a run has the same bits on any number of ranks and threads") {
  for (const int chains : {1, 2, 5, 8}) {
    const std::string alone = bytes_of_run(run_of(chains, 1, nullptr));
    CHECK(bytes_of_run(run_of(chains, 3, nullptr)) == alone);
    CHECK(bytes_of_run(run_of(chains + 1, 1, nullptr)) != alone);
    for (const int size : {1, 2, 3, 5})
      for (const int threads : {1, 2})
        for (const std::string& bytes : on_ranks(size, [&](const ness::Ranks& ranks) {
               return bytes_of_run(run_of(chains, threads, &ranks));
             }))
          CHECK(bytes == alone);
  }
}

TEST_CASE("sums over samples, minimum and spectrum have the same bits on any number of ranks") {
  const Many many;
  const std::string alone = many.bytes_of_sums(1, nullptr);
  CHECK(many.bytes_of_sums(3, nullptr) == alone);
  for (const int size : {1, 2, 3, 7, 15})  // of 11 chunks
    for (const int threads : {1, 2})
      for (const std::string& bytes : on_ranks(
               size, [&](const ness::Ranks& ranks) { return many.bytes_of_sums(threads, &ranks); }))
        CHECK(bytes == alone);
}

TEST_CASE("a sum in a tree is that of its pieces, in whatever order they come") {
  for (const int count : {1, 2, 3, 6, 11}) {
    const MatrixXd parts = generic_values(4, count, 5);
    ness::detail::MatrixPool<double> pool;
    ness::detail::TreeSum<double> forward(count, 4, 1, nullptr, pool),
        back(count, 4, 1, nullptr, pool);
    for (int k = 0; k < count; ++k) forward.add(k, parts.col(k));
    for (int k = count; k-- > 0;) back.add(k, parts.col(k));
    const MatrixXd sum = forward.total();
    CHECK(sum == back.total());
    CHECK(relative_error(sum, parts.rowwise().sum().eval()) < 1e-15);
  }
}

TEST_CASE("a run that is stopped on some ranks goes on, on others, to the same bits") {
  const std::string alone = bytes_of_run(run_of(5, 1, nullptr));
  struct Stopped {};
  for (const int before : {0, 1, 3})
    for (const int after : {0, 2, 7}) {
      const TemporaryFile file;
      const auto run = [&](int size, std::int64_t until) {
        const auto program = [&](const ness::Ranks* ranks) -> std::string {
          ness::RunSettings settings = run_of(5, 1, ranks);
          settings.checkpoint = {.file = file.name, .seconds = 1e-9};
          settings.progress = [&](std::int64_t done, std::int64_t) {
            if (done >= until) throw std::runtime_error("stopped");
          };
          return bytes_of_run(settings);
        };
        if (size == 0) return program(nullptr);
        const auto all = on_ranks(size, [&](const ness::Ranks& ranks) { return program(&ranks); });
        for (const std::string& bytes : all) CHECK(bytes == all.front());
        return all.front();
      };
      CHECK_THROWS_WITH(run(before, 9'000), "stopped");
      CHECK(std::filesystem::file_size(file.name) > 1000);
      CHECK(run(after, 1'000'000) == alone);
    }
}

TEST_CASE("what one rank throws all of them throw, in the same words, and none of them waits") {
  for (const int size : {2, 3, 5}) {
    const auto errors = errors_of(size, [](const ness::Ranks* ranks) {
      (void)ness::run_chains(
          {.steps = 1'000, .chains = 6, .ranks = ranks},
          [](int k) { return Failing{.fails = k >= 4}; }, VectorXd::Zero(1).eval());
    });
    for (const std::string& error : errors) {
      CHECK(error.find("chain 4 diverged at Markov step 699") != std::string::npos);
      CHECK(error == errors.front());
    }
    for (const Index where : {0, 900, 1'999}) {
      const ness::Objective throwing(Throwing{generic_values(2, 2'000, 1), where});
      const VectorXd theta = VectorXd::Ones(2);
      const std::string expected = "sample " + std::to_string(where);
      const auto check = [&](const auto& sum) {
        for (const std::string& error : errors_of(size, [&](const ness::Ranks* ranks) {
               sum(ness::StreamedObjective(throwing, 2, ranks));
             }))
          CHECK(error == expected);
      };
      check([&](const auto& streamed) { (void)streamed.gradient(theta); });
      check([&](const auto& streamed) {
        streamed.for_each_projection(theta, MatrixXd::Identity(2, 1),
                                     [](Index, const MatrixXd&) {});
      });
    }
  }
}

TEST_CASE("a checkpoint that cannot be read or written is told on every rank") {
  const TemporaryFile file;
  const auto errors = [&](const std::string& name) {
    return errors_of(3, [&](const ness::Ranks* ranks) {
      ness::RunSettings settings = run_of(5, 1, ranks);
      settings.checkpoint = {.file = name, .seconds = 1e-9};
      (void)bytes_of_run(settings);
    });
  };
  for (const std::string& error : errors("/no/such/folder/file"))
    CHECK_THAT(error, contains("cannot be written"));
  for (const std::string& error : errors(file.name)) CHECK(error == "nothing");
  std::filesystem::resize_file(file.name, std::filesystem::file_size(file.name) - 1);
  for (const std::string& error : errors(file.name))
    CHECK_THAT(error, contains("damaged or cut short: remove it to start anew"));
}

TEST_CASE("progress is told by the first rank, and reaches the whole") {
  const auto told = on_ranks(3, [](const ness::Ranks& ranks) {
    std::int64_t last = 0, all = 0;
    ness::RunSettings settings = run_of(5, 2, &ranks);
    settings.progress = [&](std::int64_t done, std::int64_t of) {
      last = done;
      all = of;
    };
    (void)bytes_of_run(settings);
    return std::array{last, all};
  });
  CHECK(told[0] == std::array<std::int64_t, 2>{17'500, 17'500});
  CHECK(told[1] == std::array<std::int64_t, 2>{0, 0});
  CHECK(told[2] == std::array<std::int64_t, 2>{0, 0});
}
