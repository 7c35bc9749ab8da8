// Chains that advance side by side do what each does alone, to the last bit.
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "ness/dynamics/chain.hpp"
#include "ness/minibatch/poisson.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/model/regression_network.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/training/earthquake.hpp"
#include "ness/trajectory/run.hpp"
#include "ness/update/adaptive.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"

namespace {

using Theta = Eigen::Matrix<double, 7, 1>;

const auto& objective() {
  static const auto result = [] {
    ness::Philox random(1);
    return ness::Objective(ness::regression_network(random), ness::L2{10});
  }();
  return result;
}

Theta start() {
  Theta theta;
  theta << 1.23, 1.28, 0.53, -0.70, 0.91, -0.93, 0.01;
  return theta;
}

/// All states of all chains, one after the other.
struct States {
  std::vector<double> numbers;
  void add(const ness::TrajectoryBlock<double>& block) {
    for (Eigen::Index k = 1; k <= block.steps(); ++k)
      for (Eigen::Index i = 0; i < block.parameters(); ++i)
        numbers.push_back(block.all_deviations()(k, i));
  }
  void merge(const States& other) {
    numbers.insert(numbers.end(), other.numbers.begin(), other.numbers.end());
  }
};

template <ness::IsTraining T>
auto chain(const T& training, int k) {
  return ness::Chain(objective(), training, start(),
                     ness::Philox(5, static_cast<std::uint64_t>(k)));
}

/// Of `chains` chains, each alone.
template <ness::IsTraining T>
std::vector<double> apart(const T& training, int chains, int steps, bool every_update) {
  std::vector<double> numbers;
  for (int k = 0; k < chains; ++k) {
    auto one = chain(training, k);
    for (int step = 0; step < steps; ++step) {
      every_update ? one.update() : one.step();
      for (Eigen::Index i = 0; i < 7; ++i) numbers.push_back(one.theta()[i]);
    }
  }
  return numbers;
}

template <ness::IsTraining T>
void advances_the_same(const T& training) {
  INFO(training.description());
  constexpr int steps = 403;  // two blocks and some
  const auto updates = static_cast<int>(training.updates_per_markov_step(200));
  for (const bool every_update : {false, true})
    for (const int chains : {1, 5, 8, 19}) {
      const auto expected = apart(training, chains, steps, every_update);
      for (const int threads : {1, 3}) {
        const auto [found] = ness::run_chains(
            {.steps = every_update ? steps : steps * updates,
             .chains = chains,
             .threads = threads,
             .every_update = every_update},
            [&](int k) { return chain(training, k); }, Theta::Zero().eval(), States{});
        INFO(chains << " chains on " << threads << " threads");
        CHECK(found.numbers == expected);
      }
    }
}

}  // namespace

TEST_CASE("chains side by side have the bits of each alone") {
  STATIC_REQUIRE(ness::chains_together<ness::RegressionNetwork> > 1);
  STATIC_REQUIRE(ness::chains_together<ness::LinearModel<>> == 1);
  advances_the_same(ness::Sgd<ness::WithReplacement>{.learning_rate = 1e-5, .minibatch = {10}});
  advances_the_same(ness::Sgd<ness::WithReplacement>{.learning_rate = 1e-5, .minibatch = {1}});
  advances_the_same(ness::Sgd<ness::WithoutReplacement>{.learning_rate = 1e-5, .minibatch = {50}});
}

TEST_CASE("chains side by side have the bits of each alone, whatever the update and noise") {
  advances_the_same(ness::Sgd<ness::WithReplacement, ness::HeavyBall>{
      .learning_rate = 1e-6, .minibatch = {10}, .update = {.momentum = 0.9}});
  advances_the_same(
      ness::Sgd<ness::WithReplacement, ness::Adaptive>{.learning_rate = 1e-4, .minibatch = {10}});
  advances_the_same(ness::SgworldLm{.learning_rate = 1e-6, .minibatch = {40}});
  advances_the_same(
      ness::SmsUbu{.learning_rate = 1e-4, .minibatch = {100}, .update = {.friction = 2}});
  advances_the_same(ness::Training<ness::WithReplacement, ness::Plain, ness::Earthquake>{
      .learning_rate = 1e-6, .minibatch = {20}, .noise = {.zeta = 1e-2}});
}

TEST_CASE("chains whose batches differ in size have the bits of each alone") {
  advances_the_same(ness::Sgd<ness::Poisson>{.learning_rate = 1e-5, .minibatch = {10}});
}

TEST_CASE("chains of different objectives and epochs have the bits of each alone") {
  // Data, batches and regularizers of their own, so that no two are alike.
  std::vector<decltype(ness::Objective(objective().model(), ness::L2{1}))> objectives;
  for (std::uint64_t k = 0; k < 8; ++k) {
    ness::Philox random(k + 1);
    objectives.emplace_back(ness::regression_network(random),
                            ness::L2{1.0 + static_cast<double>(k)});
  }
  const auto chain_of = [&](int k) {
    const ness::Sgd<ness::WithoutReplacement> training{.learning_rate = 1e-5,
                                                       .minibatch = {k % 2 == 0 ? 50 : 100}};
    return ness::Chain(objectives[static_cast<std::size_t>(k)], training, start(),
                       ness::Philox(5, static_cast<std::uint64_t>(k)));
  };
  std::vector<double> expected;
  for (int k = 0; k < 8; ++k) {
    auto one = chain_of(k);
    for (int step = 0; step < 50; ++step) {
      one.step();
      for (Eigen::Index i = 0; i < 7; ++i) expected.push_back(one.theta()[i]);
    }
  }
  const auto [found] = ness::run_chains({.steps = 200, .chains = 8, .threads = 1}, chain_of,
                                        Theta::Zero().eval(), States{});
  CHECK(found.numbers == expected);
}

TEST_CASE("the first of the chains that diverge side by side is the one of which one hears") {
  // One that begins far away is not finite a block before the others.
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 1e-4, .minibatch = {10}};
  const auto diverged = [&](int chains, double far) -> ness::Diverged {
    try {
      ness::run_chains(
          {.steps = 3000, .chains = chains, .threads = 1},
          [&](int k) {
            Theta theta = start();
            if (k == 4) theta *= far;
            return ness::Chain(objective(), training, theta,
                               ness::Philox(5, static_cast<std::uint64_t>(k)));
          },
          start(), States{});
    } catch (const ness::Diverged& error) {
      return error;
    }
    throw std::logic_error("nothing diverged");
  };
  const auto alone = diverged(1, 1);
  const auto together = diverged(8, 1e200);
  CHECK(together.chain == 0);
  CHECK(together.step == alone.step);
  CHECK(alone.step > ness::block_steps);
}
