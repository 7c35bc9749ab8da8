// One step on the regression network of Eq. 30 (N = 7, m = 10, M = 200), what measuring adds, and
// the noise of an epoch.
#include <cstdint>
#include <ness/ness.hpp>
#include <tuple>
#include <type_traits>
#include <vector>

#include "ratios.hpp"
#include "step_baseline.hpp"

namespace {

using ness::Philox;
using Theta = Eigen::Matrix<double, 7, 1>;

constexpr double eta = 1e-7;
constexpr double lambda = 10;

auto make_objective() {
  Philox random(1);
  return ness::Objective(ness::regression_network(random), ness::L2{lambda});
}

Theta start() {
  Theta theta;
  theta << 1.23, 1.28, 0.53, -0.70, 0.91, -0.93, 0.01;
  return theta;
}

template <class Random>
void hand_written(benchmark::State& state, Random random) {
  const auto objective = make_objective();
  const auto& model = objective.model();
  HandWrittenStep chain(model.inputs().transpose(), model.targets().transpose(),
                        ness::regression_loss(model.samples()).scale, lambda, eta, start(), random);
  for (auto _ : state) chain.update();
  benchmark::DoNotOptimize(chain.theta().sum());
}
void step_hand_written(benchmark::State& state) { hand_written(state, Philox(3)); }
void step_of_cheap_numbers(benchmark::State& state) { hand_written(state, SplitMix()); }
BENCHMARK(step_hand_written);
BENCHMARK(step_of_cheap_numbers);

template <class Policy, class Update = ness::Plain>
void step(benchmark::State& state) {
  const auto objective = make_objective();
  const ness::Sgd<Policy, Update> training{.learning_rate = eta, .minibatch = {10}};
  ness::Chain chain(objective, training, start(), Philox(3));
  for (auto _ : state) chain.update();
  benchmark::DoNotOptimize(chain.theta().sum());
}
void step_with_replacement(benchmark::State& state) { step<ness::WithReplacement>(state); }
void step_without_replacement(benchmark::State& state) { step<ness::WithoutReplacement>(state); }
void step_of_heavy_ball(benchmark::State& state) {
  step<ness::WithReplacement, ness::HeavyBall>(state);
}
void step_of_nesterov(benchmark::State& state) {
  step<ness::WithReplacement, ness::Nesterov>(state);
}
void step_of_adam(benchmark::State& state) { step<ness::WithReplacement, ness::Adaptive>(state); }
BENCHMARK(step_with_replacement);
BENCHMARK(step_without_replacement);
BENCHMARK(step_of_heavy_ball);
BENCHMARK(step_of_nesterov);
BENCHMARK(step_of_adam);

// As many chains as a register has lanes, side by side: the time of one step of one chain.
void step_side_by_side(benchmark::State& state) {
  const auto objective = make_objective();
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = eta, .minibatch = {10}};
  using Chain = ness::Chain<std::decay_t<decltype(objective)>, std::decay_t<decltype(training)>>;
  std::vector<Chain> chains;
  for (std::uint64_t k = 0; k < Chain::together; ++k)
    chains.emplace_back(objective, training, start(), Philox(3, k));
  std::vector<Chain*> all;
  for (Chain& chain : chains) all.push_back(&chain);
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(all.size())))
    Chain::step(all);
  benchmark::DoNotOptimize(chains.front().theta().sum());
}
BENCHMARK(step_side_by_side);

// The same chain in blocks, as `run_chains` runs it, seen by what `estimators_of(predicted)`
// returns.
template <class EstimatorsOf>
void block(benchmark::State& state, const EstimatorsOf& estimators_of) {
  const auto objective = make_objective();
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = eta, .minibatch = {10}};
  const auto minimum = ness::minimize(objective, start());
  const auto predicted =
      ness::predict(objective, minimum, training, {.form = ness::LyapunovForm::discrete});
  ness::Chain chain(objective, training, minimum.theta, Philox(3));
  ness::TrajectoryBlock<double> trajectory(chain.theta(), minimum.theta, ness::block_steps);
  auto estimators = estimators_of(predicted);
  while (state.KeepRunningBatch(ness::block_steps)) {
    if constexpr (std::tuple_size_v<decltype(estimators)> > 0) {
      trajectory.fill(ness::block_steps, [&]() -> const Theta& {
        chain.step();
        return chain.theta();
      });
      std::apply([&](auto&... each) { (each.add(trajectory), ...); }, estimators);
    } else {
      for (Eigen::Index k = 0; k < ness::block_steps; ++k) chain.step();
    }
  }
  benchmark::DoNotOptimize(chain.theta().sum());
}
using Predicted = ness::StationaryState<double>;
constexpr std::int64_t batch = 1'000'000;
void block_of_steps(benchmark::State& state) {
  block(state, [](const Predicted&) { return std::tuple(); });
}
void block_with_all_estimators(benchmark::State& state) {
  block(state, [](const Predicted& predicted) {
    return std::tuple(ness::StationaryEstimator(predicted, {1, 2, 3}, batch));
  });
}
// Both passes of `irreversibility`, and the σ that has ⟨e^{−σ}⟩ = 1.
void block_with_irreversibility(benchmark::State& state) {
  block(state, [](const Predicted& predicted) {
    return std::tuple(
        ness::CurrentForce<double>(7),
        ness::CurrentBounds<double>(predicted.force_matrix(), Eigen::VectorXd::Zero(7), batch),
        ness::KernelEntropy<double>(predicted, {1, 2, 3}, batch));
  });
}
BENCHMARK(block_of_steps);
BENCHMARK(block_with_all_estimators);
BENCHMARK(block_with_irreversibility);

// The noise of an epoch without replacement against one pass of sample gradients.
void sample_gradients(benchmark::State& state) {
  const auto objective = make_objective();
  using Model = std::decay_t<decltype(objective.model())>;
  ness::Derivatives<Model> derivatives(objective.model());
  ness::block_t<Model> gradients(7, objective.samples());
  const Theta theta = start();
  for (auto _ : state) {
    derivatives.sample_gradients(theta, 0, gradients);
    benchmark::DoNotOptimize(gradients.data());
  }
}
BENCHMARK(sample_gradients);

void diffusion_of_epoch(benchmark::State& state) {
  const auto objective = make_objective();
  const ness::Sgd<ness::WithoutReplacement> training{.learning_rate = eta, .minibatch = {10}};
  const Theta theta = start();
  for (auto _ : state) benchmark::DoNotOptimize(ness::diffusion(objective, theta, training).sum());
}
BENCHMARK(diffusion_of_epoch);

}  // namespace

int main(int argc, char** argv) {
  return run_with_ratios(
      argc, argv,
      {{"step with replacement / hand-written loop", "step_with_replacement", "step_hand_written",
        1.3},
       {"step with replacement / hand-written loop of cheap random numbers",
        "step_with_replacement", "step_of_cheap_numbers", 1.2},
       {"step of chains side by side / of one chain", "step_side_by_side", "step_with_replacement",
        0.75},
       {"step without replacement / with replacement", "step_without_replacement",
        "step_with_replacement", 1.05},
       {"step of the heavy ball / plain step", "step_of_heavy_ball", "step_with_replacement", 1.15},
       {"step of Nesterov's momentum / plain step", "step_of_nesterov", "step_with_replacement",
        1.15},
       {"step of Adam / plain step", "step_of_adam", "step_with_replacement", 0},
       {"step and all estimators / step alone", "block_with_all_estimators", "block_of_steps", 1.5},
       {"step and all of irreversibility / step alone", "block_with_irreversibility",
        "block_of_steps", 2},
       {"noise of an epoch, exact / one pass of sample gradients", "diffusion_of_epoch",
        "sample_gradients", 20}});
}
