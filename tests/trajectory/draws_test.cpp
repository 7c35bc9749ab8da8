// States as they pass: kept, and shown to a user's own code.
#include "ness/trajectory/draws.hpp"

#include <mutex>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "ness/trajectory/checkpoint.hpp"
#include "ness/trajectory/observe.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/temporary_file.hpp"

namespace {

using Eigen::VectorXd;

/// Its state says which chain it is and how many steps it has made.
struct Counting {
  VectorXd state;
  explicit Counting(int chain) : state(VectorXd::Zero(2)) { state[0] = chain; }
  void step() { state[1] += 1; }
  const VectorXd& theta() const { return state; }
  Eigen::Index updates_per_markov_step() const { return 1; }
  void serialize(auto& archive) { archive(state); }
};

Counting make_chain(int chain) { return Counting(chain); }

}  // namespace

TEST_CASE("every stride-th state of each chain is kept, chains one after the other") {
  const VectorXd reference = VectorXd::Constant(2, 0.5);
  for (const std::int64_t stride : {1, 7, 192, 500}) {
    const auto [draws] = ness::run_chains({.steps = 1'000, .burn_in = 30, .chains = 3}, make_chain,
                                          reference, ness::Draws(2, stride));
    const ness::NpyArray array = draws.array();
    const std::int64_t count = (1'000 + stride - 1) / stride;
    CHECK(array.shape == std::vector<std::int64_t>{3, count, 2});
    std::size_t at = 0;
    for (int chain = 0; chain < 3; ++chain)
      for (std::int64_t draw = 0; draw < count; ++draw, at += 2) {
        CHECK(array.values[at] == chain);
        CHECK(array.values[at + 1] == static_cast<double>(30 + draw * stride));
      }
    const TemporaryFile file;
    ness::write_npy(file.name, array);
    CHECK(ness::read_npy_array(file.name).values == array.values);
  }
  CHECK_THROWS_WITH(ness::Draws(2, 0), contains("stride must be at least 1, but is 0"));
}

TEST_CASE("a callback sees every stride-th state of each chain, in order, with its step") {
  std::mutex mutex;
  std::vector<std::vector<std::int64_t>> seen(3);
  const auto look = [&](int chain, std::int64_t step, const auto& theta) {
    const std::lock_guard lock(mutex);
    CHECK(theta[0] == chain);
    CHECK(theta[1] == static_cast<double>(30 + step));
    seen[static_cast<std::size_t>(chain)].push_back(step);
  };
  (void)ness::run_chains({.steps = 500, .burn_in = 30, .chains = 3, .threads = 2}, make_chain,
                         VectorXd::Zero(2).eval(), ness::Observe(look, 200));
  for (const auto& steps : seen) CHECK(steps == std::vector<std::int64_t>{0, 200, 400});
  CHECK_THROWS_WITH(ness::Observe(look, 0), contains("stride must be at least 1, but is 0"));
}

TEST_CASE("what a callback throws ends the run, and goes on after it from the checkpoint") {
  const TemporaryFile file;
  std::vector<std::int64_t> seen;
  bool stops = true;
  const auto look = [&](int, std::int64_t step, const VectorXd&) {
    if (stops && step == 900) throw std::runtime_error("seen enough");
    seen.push_back(step);
  };
  const auto run = [&] {
    return ness::run_chains(
        {.steps = 1'000, .threads = 1, .checkpoint = {.file = file.name, .seconds = 1e-9}},
        make_chain, VectorXd::Zero(2).eval(), ness::Observe(look, 100), ness::Draws(2, 100));
  };
  CHECK_THROWS_WITH(run(), "seen enough");
  CHECK(seen == std::vector<std::int64_t>{0, 100, 200, 300, 400, 500, 600, 700, 800});
  stops = false;
  seen.clear();
  const auto kept = std::get<1>(run()).array();
  CHECK(seen == std::vector<std::int64_t>{800, 900});  // the block of 768 ... 959 begins anew
  CHECK(kept.values.size() == 20);
  CHECK(kept.values.back() == 900);
}

TEST_CASE("draws that claim to be more than there are bytes take no memory") {
  const auto [draws] =
      ness::run_chains({.steps = 10}, make_chain, VectorXd::Zero(2).eval(), ness::Draws(2, 1));
  ness::Draws kept = draws;
  ness::CheckpointWriter writer;
  writer(kept);
  for (const std::int64_t count : {std::int64_t{-1}, std::int64_t{1} << 60}) {
    std::string bytes = writer.bytes();
    bytes.replace(16, 8, reinterpret_cast<const char*>(&count), 8);
    ness::CheckpointReader reader(bytes);
    CHECK_THROWS_AS(reader(kept), std::out_of_range);
  }
  ness::CheckpointReader reader(writer.bytes());
  ness::Draws again(2, 1);
  reader(again);
  CHECK(again.array().values == draws.array().values);
}
