#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/trajectory/measure.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

const auto& objective() {
  static const ness::Objective result(
      ness::LinearModel<>(generic_values(3, 40, 31), generic_values(1, 40, 32)), ness::L2{0.1});
  return result;
}

constexpr ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.01, .minibatch = {4}};

auto predicted() {
  const auto minimum = ness::minimize(objective(), VectorXd::Zero(3).eval());
  return ness::predict(objective(), minimum, training, {.form = ness::LyapunovForm::discrete});
}

/// A chain that leaves the finite numbers at a known step.
struct Exploding {
  VectorXd state = VectorXd::Zero(1);
  int steps = 0;
  int last;
  void step() {
    if (++steps == last) state[0] = std::nan("");
  }
  const VectorXd& theta() const { return state; }
  Eigen::Index updates_per_markov_step() const { return 1; }
};

}  // namespace

TEST_CASE("results are the same to the last bit for any number of threads") {
  const auto state = predicted();
  const auto run = [&](int threads) {
    return ness::measure(objective(), training, state,
                         {.run = {.steps = 3000, .burn_in = 500, .chains = 5, .threads = threads}});
  };
  const auto one = run(1);
  for (int threads : {2, 3, 8}) {
    const auto other = run(threads);
    CHECK(one.mean.value == other.mean.value);
    CHECK(one.covariance.value == other.covariance.value);
    CHECK(one.covariance.standard_error == other.covariance.standard_error);
    CHECK(one.circulation.value == other.circulation.value);
    CHECK(one.entropy_production.value == other.entropy_production.value);
    CHECK(one.trajectories[2].integral_fluctuation.value ==
          other.trajectories[2].integral_fluctuation.value);
  }
  CHECK(one.markov_steps == 15000);
}

TEST_CASE("chains of one seed differ, and another seed gives others") {
  const auto state = predicted();
  const auto mean = [&](std::uint64_t seed, int chains) -> VectorXd {
    return ness::measure(objective(), training, state,
                         {.run = {.steps = 200, .chains = chains, .seed = seed}})
        .mean.value;
  };
  CHECK(mean(1, 1) != mean(1, 2));
  CHECK(mean(1, 1) != mean(2, 1));
}

TEST_CASE("without replacement one Markov step is an epoch") {
  const ness::Sgd<ness::WithoutReplacement> epochs{.learning_rate = 0.01, .minibatch = {4}};
  const auto measured = ness::measure(objective(), epochs, predicted(), {.run = {.steps = 1000}});
  CHECK(measured.markov_steps == 100);
  CHECK_THROWS_WITH(ness::measure(objective(), epochs, predicted(), {.run = {.steps = 9}}),
                    contains("at least one Markov step, 10 updates, but is 9"));
}

TEST_CASE("a run that diverges is reported with its chain and step") {
  for (int last : {1, 100, 192, 193, 400}) {
    const auto make_chain = [&](int k) { return Exploding{.last = k == 1 ? last : 10'000}; };
    try {
      ness::run_chains({.steps = 500, .burn_in = 100, .chains = 2, .threads = 1}, make_chain,
                       VectorXd::Zero(1).eval());
      FAIL("must diverge");
    } catch (const ness::Diverged& error) {
      CHECK(error.chain == 1);
      CHECK(error.step == last - 1);
      CHECK(std::string(error.what()).find("chain 1 diverged") != std::string::npos);
    }
  }
  auto wild = training;
  wild.learning_rate = 100;
  CHECK_THROWS_AS(ness::measure(objective(), wild, predicted(), {.run = {.steps = 10'000}}),
                  ness::Diverged);
}

TEST_CASE("progress grows to the whole, and an exception of a chain comes through") {
  const auto state = predicted();
  std::int64_t last = 0;
  std::int64_t whole = 0;
  ness::MeasureSettings settings{.run = {.steps = 300'000, .burn_in = 10, .chains = 2}};
  settings.run.progress = [&](std::int64_t done, std::int64_t all) {
    CHECK(done >= last);
    last = done;
    whole = all;
  };
  (void)ness::measure(objective(), training, state, settings);
  CHECK(last == whole);
  CHECK(whole == 600'020);
  const auto fails = [](int) -> Exploding { throw std::logic_error("no chain"); };
  CHECK_THROWS_WITH(ness::run_chains({.steps = 5, .chains = 3}, fails, VectorXd::Zero(1).eval()),
                    contains("no chain"));
}

TEST_CASE("with a stride, Σ is of every stride-th state and C of the chords between them") {
  // 31 blocks and a piece: every way in which what is held back is added.
  const ness::RunSettings run{.steps = 31 * 192 + 77, .burn_in = 300, .chains = 1, .seed = 4};
  const auto state = predicted();
  for (const Eigen::Index stride : {2, 24, 96, 192}) {
    const auto measured =
        ness::measure(objective(), training, state, {.run = run, .stride = stride});
    ness::Chain chain(objective(), training, state.mean(), ness::Philox(4, 0));
    for (int k = 0; k < 300; ++k) chain.step();
    const std::int64_t count = run.steps / stride - 1;  // the last state begins no chord
    VectorXd mean = VectorXd::Zero(3);
    MatrixXd second = MatrixXd::Zero(3, 3);
    MatrixXd area = MatrixXd::Zero(3, 3);
    for (std::int64_t k = 0; k < count; ++k) {
      const VectorXd x = chain.theta() - state.mean();
      for (Eigen::Index j = 0; j < stride; ++j) chain.step();
      const VectorXd d = chain.theta() - state.mean() - x;
      mean += x;
      second += x * x.transpose();
      area += (x * d.transpose() - d * x.transpose()) / 2;
    }
    const auto samples = static_cast<double>(count);
    mean /= samples;
    INFO("stride " << stride);
    CHECK(measured.markov_steps == count * stride);
    CHECK(relative_error(measured.mean.value, state.mean() + mean) <= 1e-12);
    CHECK(relative_error(measured.covariance.value, second / samples - mean * mean.transpose()) <=
          1e-12);
    CHECK(relative_error(measured.circulation.value,
                         area / (samples * static_cast<double>(stride))) <= 1e-11);
    // σ of the first block of every `stride`, with no sub-trajectory across a gap.
    const std::int64_t blocks = (32 + stride - 1) / stride;
    CHECK(measured.trajectories[0].count == blocks * 192 - (31 % stride == 0 ? 192 - 77 : 0));
  }
  CHECK_THROWS_WITH(ness::measure(objective(), training, state, {.run = run, .stride = 5}),
                    contains("stride must divide 192, but is 5"));
  CHECK_THROWS_WITH(ness::measure(objective(), training, state, {.run = run, .stride = 0}),
                    contains("stride must divide 192, but is 0"));
}

TEST_CASE("autocorrelation times are in Markov steps, with a stride too") {
  const auto state = predicted();
  const auto time = [&](Eigen::Index stride) {
    return ness::measure(objective(), training, state,
                         {.run = {.steps = 200'000, .burn_in = 1'000, .chains = 2},
                          .batches = 500,
                          .stride = stride})
        .autocorrelation_time;
  };
  const VectorXd each = time(1);
  REQUIRE(each.minCoeff() > 20);
  CHECK(relative_error(time(2), each) <= 0.1);  // 500 batches know it to 6 %
}

TEST_CASE("bad settings of a run are refused with their value") {
  const auto state = predicted();
  const auto run = [&](ness::RunSettings settings) {
    return ness::measure(objective(), training, state, {.run = settings});
  };
  CHECK_THROWS_WITH(run({.steps = 0}), contains("steps must be at least 1, but is 0"));
  CHECK_THROWS_WITH(run({.steps = 5, .burn_in = -1}), contains("burn_in must not be negative"));
  CHECK_THROWS_WITH(run({.steps = 5, .chains = 0}), contains("chains must be at least 1"));
  CHECK_THROWS_WITH(run({.steps = 5, .threads = -2}), contains("threads must not be negative"));
  CHECK_THROWS_WITH(
      ness::measure(objective(), training, state, {.run = {.steps = 5}, .lengths = {0}}),
      contains("every length must be at least 1"));
}
