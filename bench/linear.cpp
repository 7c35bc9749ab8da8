// One step on a linear model of the size of the MNIST example (49 features, 10 outputs, M = 60 000,
// m = 100), and what measuring Σ and C of its 490 parameters adds.
#include <ness/ness.hpp>

#include "ratios.hpp"

namespace {

using ness::Philox;

constexpr double eta = 1e-4;
constexpr double lambda = 1e-2;
constexpr Eigen::Index samples = 60'000;
constexpr ness::Index batch_size = 100;

template <class S>
using Data = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;
template <class S>
using Theta = Eigen::Matrix<S, Eigen::Dynamic, 1>;

template <class S>
Data<S> features() {
  return Data<S>::Random(49, samples).cwiseAbs();
}
template <class S>
Data<S> targets() {
  Data<S> y = Data<S>::Zero(10, samples);
  for (Eigen::Index i = 0; i < samples; ++i) y(i % 10, i) = 1;
  return y;
}

// What one would write first: gather by columns, two products, update; the same random numbers.
void step_by_eigen(benchmark::State& state) {
  const Data<double> x = features<double>();
  const Data<double> y = targets<double>();
  ness::WithReplacement::Sampler sampler({batch_size}, samples);
  Philox random(3);
  Data<double> w = Data<double>::Zero(10, 49);
  Data<double> some(49, batch_size), residuals(10, batch_size), gradient(10, 49);
  for (auto _ : state) {
    const ness::Batch batch = sampler.next(random);
    for (Eigen::Index j = 0; j < batch_size; ++j) {
      some.col(j) = x.col(batch[static_cast<std::size_t>(j)]);
      residuals.col(j) = -y.col(batch[static_cast<std::size_t>(j)]);
    }
    residuals.noalias() += w * some;
    gradient.noalias() = 2.0 / batch_size * residuals * some.transpose();
    w -= eta * (gradient + 2 * lambda * w);
  }
  benchmark::DoNotOptimize(w.sum());
}
BENCHMARK(step_by_eigen);

template <class S, class Stored>
const auto& linear_objective() {
  using Model = ness::LinearModel<S, Eigen::Dynamic, Stored>;
  static const ness::Objective objective(Model(features<S>(), targets<S>()), ness::L2{lambda});
  return objective;
}
constexpr ness::Sgd<ness::WithReplacement> training{.learning_rate = eta,
                                                    .minibatch = {batch_size}};

template <class S, class Stored = S, class Update = ness::Plain>
void step(benchmark::State& state) {
  const auto& objective = linear_objective<S, Stored>();
  const ness::Sgd<ness::WithReplacement, Update> updated{.learning_rate = eta,
                                                         .minibatch = {batch_size}};
  ness::Chain chain(objective, updated, Theta<S>(Theta<S>::Zero(490)), Philox(3));
  for (auto _ : state) chain.step();
  benchmark::DoNotOptimize(chain.theta().sum());
}
void step_of_ness(benchmark::State& state) { step<double, float>(state); }
void step_on_doubles(benchmark::State& state) { step<double>(state); }
void step_in_single_precision(benchmark::State& state) { step<float>(state); }
void step_of_heavy_ball(benchmark::State& state) { step<double, float, ness::HeavyBall>(state); }
void step_of_adam(benchmark::State& state) { step<double, float, ness::Adaptive>(state); }
BENCHMARK(step_of_ness);
BENCHMARK(step_of_heavy_ball);
BENCHMARK(step_of_adam);
BENCHMARK(step_on_doubles);
BENCHMARK(step_in_single_precision);

// The chain in blocks, as `measure` runs it: without estimators, and with Σ and C of every 24th
// state.
template <bool WithEstimators>
void block(benchmark::State& state) {
  const auto& objective = linear_objective<double, float>();
  const auto minimum = ness::minimize(objective, Theta<double>(Theta<double>::Zero(490)));
  ness::Chain chain(objective, training, minimum.theta, Philox(3));
  ness::TrajectoryBlock<double> trajectory(chain.theta(), minimum.theta, ness::block_steps);
  const auto predicted = ness::predict(objective, minimum, training);
  ness::StationaryEstimator estimator(predicted, {}, 1'000'000, 24);
  while (state.KeepRunningBatch(ness::block_steps)) {
    if constexpr (WithEstimators) {
      trajectory.fill(ness::block_steps, [&]() -> const Theta<double>& {
        chain.step();
        return chain.theta();
      });
      estimator.add(trajectory);
    } else {
      for (Eigen::Index k = 0; k < ness::block_steps; ++k) chain.step();
    }
  }
  benchmark::DoNotOptimize(chain.theta().sum());
}
void block_of_steps(benchmark::State& state) { block<false>(state); }
void block_with_covariance_and_area(benchmark::State& state) { block<true>(state); }
BENCHMARK(block_of_steps)->MinTime(0.2);
BENCHMARK(block_with_covariance_and_area)->MinTime(0.2);

}  // namespace

int main(int argc, char** argv) {
  return run_with_ratios(
      argc, argv,
      {{"linear step, data stored as float / Eigen loop", "step_of_ness", "step_by_eigen", 0.5},
       {"linear step, data stored as double / Eigen loop", "step_on_doubles", "step_by_eigen", 0},
       {"linear step, single precision / Eigen loop, double", "step_in_single_precision",
        "step_by_eigen", 0.5},
       {"linear step of the heavy ball / plain step", "step_of_heavy_ball", "step_of_ness", 1.05},
       {"linear step of Adam / plain step", "step_of_adam", "step_of_ness", 0},
       {"step with covariance and area / step alone", "block_with_covariance_and_area",
        "block_of_steps", 1.6}});
}
