// A step of a polymer with hydrodynamics against what it must contain: Cholesky's factorisation of
// its diffusion matrix. And the density on a grid, and a step of evolution.
#include <Eigen/Cholesky>
#include <ness/ness.hpp>

#include "ratios.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Philox;

const ness::Polymer<>& polymer() {
  static const ness::Polymer<> result({.beads = 100});
  return result;
}
VectorXd configuration() {
  Philox random(3);
  return polymer().draw(random);
}

void polymer_step(benchmark::State& state) {
  ness::EulerMaruyama chain(polymer(), 1e-3, configuration(), Philox(4));
  for (auto _ : state) chain.step();
  benchmark::DoNotOptimize(chain.theta().sum());
}

// The baseline: Eigen's factorisation in memory that it has, and the copy that it needs.
void cholesky(benchmark::State& state) {
  MatrixXd diffusion(300, 300);
  polymer().diffusion(configuration(), diffusion);
  Eigen::LLT<MatrixXd> factor(300);
  for (auto _ : state) {
    factor.compute(diffusion);
    benchmark::DoNotOptimize(factor.matrixLLT()(299, 299));
  }
}

void polymer_mobility(benchmark::State& state) {
  MatrixXd diffusion(300, 300);
  const VectorXd theta = configuration();
  for (auto _ : state) {
    polymer().diffusion(theta, diffusion);
    benchmark::DoNotOptimize(diffusion(299, 0));
  }
}

void free_step(benchmark::State& state) {
  const ness::Polymer<ness::FreeDraining> chain_of_springs({.beads = 100});
  ness::EulerMaruyama chain(chain_of_springs, 1e-3, configuration(), Philox(4));
  for (auto _ : state) chain.step();
  benchmark::DoNotOptimize(chain.theta().sum());
}

// The baseline: the same chain written out.
void free_loop(benchmark::State& state) {
  VectorXd theta = configuration();
  VectorXd force(300), normals(300);
  Philox random(4);
  ness::Normal normal;
  for (auto _ : state) {
    force.setZero();
    for (int i = 0; i < 297; ++i) {
      const double pull = 3 * (theta[i + 3] - theta[i]);
      force[i] += pull;
      force[i + 3] -= pull;
    }
    normal.fill(random, normals);
    theta += 1e-3 * force + std::sqrt(2e-3) * normals;
  }
  benchmark::DoNotOptimize(theta.sum());
}

void grid(benchmark::State& state) {
  const auto gyrator = ness::brownian_gyrator(2, 1, 3, 1);
  for (auto _ : state) {
    const auto solved = ness::stationary_density(gyrator, {{-8, 8, 100}, {-6, 6, 100}});
    benchmark::DoNotOptimize(solved.density(50, 50));
  }
}

BENCHMARK(polymer_step);
BENCHMARK(cholesky);
BENCHMARK(polymer_mobility);
BENCHMARK(free_step);
BENCHMARK(free_loop);
BENCHMARK(grid);

}  // namespace

int main(int argc, char** argv) {
  return run_with_ratios(
      argc, argv,
      {{"step of 100 beads with hydrodynamics / Cholesky", "polymer_step", "cholesky", 1.5},
       {"its mobility / Cholesky", "polymer_mobility", "cholesky", 0},
       {"step of 100 beads without / the loop", "free_step", "free_loop", 1.2}});
}
