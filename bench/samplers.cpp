// One update of a sampler of the posterior against one of SGD, and the normal numbers it takes.
#include <ness/ness.hpp>
#include <random>

#include "ratios.hpp"

namespace {

using ness::Philox;

constexpr double eta = 1e-7;
constexpr double lambda = 10;
constexpr ness::Index batch_size = 10;

// The regression network (N = 7) and a linear model of the size of the MNIST example (N = 490).
const auto& network() {
  static Philox random(1);
  static const ness::Objective objective(ness::regression_network(random), ness::L2{lambda});
  return objective;
}
const auto& classifier() {
  static const ness::Objective objective(
      ness::LinearModel<double, Eigen::Dynamic, float>(
          Eigen::MatrixXd::Random(49, 60'000).cwiseAbs(), Eigen::MatrixXd::Random(10, 60'000)),
      ness::L2{1e-2});
  return objective;
}

template <class Training, class Objective>
void update(benchmark::State& state, const Objective& objective, Training training) {
  training.learning_rate = eta;
  training.minibatch.batch_size = objective.parameters() == 7 ? batch_size : 10 * batch_size;
  ness::Chain chain(objective, training,
                    ness::vector_t<typename Objective::Model>(
                        ness::vector_t<typename Objective::Model>::Zero(objective.parameters())),
                    Philox(3));
  for (auto _ : state) chain.update();
  benchmark::DoNotOptimize(chain.theta().sum());
}

void sgd_small(benchmark::State& state) {
  update(state, network(), ness::Sgd<ness::WithReplacement>{});
}
void sgld_small(benchmark::State& state) { update(state, network(), ness::Sgld{}); }
void lm_small(benchmark::State& state) { update(state, network(), ness::SgworldLmUncorrected{}); }
template <class Scheme>
using KineticSampler = ness::Training<ness::WithReplacement, ness::Kinetic<Scheme>>;
void baoab_small(benchmark::State& state) {
  update(state, network(), KineticSampler<ness::Baoab>{});
}
void baoab_large(benchmark::State& state) {
  update(state, classifier(), KineticSampler<ness::Baoab>{});
}
void ubu_small(benchmark::State& state) { update(state, network(), KineticSampler<ness::Ubu>{}); }
void ubu_large(benchmark::State& state) {
  update(state, classifier(), KineticSampler<ness::Ubu>{});
}
void corrected_small(benchmark::State& state) {
  update(state, network(), ness::SgworldLm{.correction = {.samples = batch_size}});
}
void sgd_large(benchmark::State& state) {
  update(state, classifier(), ness::Sgd<ness::WithReplacement>{});
}
void sgld_large(benchmark::State& state) { update(state, classifier(), ness::Sgld{}); }
void lm_large(benchmark::State& state) {
  update(state, classifier(), ness::SgworldLmUncorrected{});
}

template <int N>
void normals(benchmark::State& state) {
  Philox random(3);
  ness::Normal normal;
  Eigen::Matrix<double, N, 1> z;
  for (auto _ : state) {
    normal.fill(random, z);
    benchmark::DoNotOptimize(z.data());
  }
}
void normals_small(benchmark::State& state) { normals<7>(state); }
void normals_28(benchmark::State& state) { normals<28>(state); }
void normals_1960(benchmark::State& state) { normals<1960>(state); }
void normals_large(benchmark::State& state) { normals<490>(state); }

// What the standard library has, on the same bits and on its own generator.
template <class Random>
void standard_normals(benchmark::State& state) {
  Random random(3);
  std::normal_distribution<double> normal;
  Eigen::Matrix<double, 490, 1> z;
  for (auto _ : state) {
    for (double& each : z) each = normal(random);
    benchmark::DoNotOptimize(z.data());
  }
}
void standard_normals_from_philox(benchmark::State& state) { standard_normals<Philox>(state); }
void standard_normals_from_mt19937(benchmark::State& state) {
  standard_normals<std::mt19937_64>(state);
}

BENCHMARK(sgd_small);
BENCHMARK(sgld_small);
BENCHMARK(lm_small);
BENCHMARK(baoab_small);
BENCHMARK(ubu_small);
BENCHMARK(corrected_small);
BENCHMARK(sgd_large);
BENCHMARK(sgld_large);
BENCHMARK(lm_large);
BENCHMARK(baoab_large);
BENCHMARK(ubu_large);
BENCHMARK(normals_small);
BENCHMARK(normals_28);
BENCHMARK(normals_1960);
BENCHMARK(normals_large);
BENCHMARK(standard_normals_from_philox);
BENCHMARK(standard_normals_from_mt19937);

}  // namespace

int main(int argc, char** argv) {
  return run_with_ratios(argc, argv,
                         {{"SGLD update / (SGD update + 7 normals), N = 7", "sgld_small",
                           "sgd_small + normals_small", 1.2},
                          {"Leimkuhler-Matthews update / (SGD update + 7 normals), N = 7",
                           "lm_small", "sgd_small + normals_small", 1.2},
                          {"the same, corrected from 10 samples an epoch", "corrected_small",
                           "sgd_small + normals_small", 0},
                          {"SGLD update / (SGD update + 490 normals), N = 490", "sgld_large",
                           "sgd_large + normals_large", 1.2},
                          {"Leimkuhler-Matthews update / (SGD update + 490 normals), N = 490",
                           "lm_large", "sgd_large + normals_large", 1.2},
                          {"BAOAB update / (SGD update + 7 normals), N = 7", "baoab_small",
                           "sgd_small + normals_small", 1.2},
                          {"UBU update / (SGD update + 28 normals), N = 7", "ubu_small",
                           "sgd_small + normals_28", 1.2},
                          {"BAOAB update / (SGD update + 490 normals), N = 490", "baoab_large",
                           "sgd_large + normals_large", 1.2},
                          {"UBU update / (SGD update + 1960 normals), N = 490", "ubu_large",
                           "sgd_large + normals_1960", 1.2},
                          {"490 normals of the standard library, same bits / ours",
                           "standard_normals_from_philox", "normals_large", 3, true},
                          {"490 normals of the standard library, mt19937_64 / ours",
                           "standard_normals_from_mt19937", "normals_large", 3.5, true}});
}
