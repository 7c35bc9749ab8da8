// D and the Lyapunov equation at the size of the MNIST example, against bare matrix products.
#include <Eigen/Eigenvalues>
#include <ness/ness.hpp>

#include "ratios.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Sample gradients that are given numbers: what is left to time is the library.
struct GivenGradients {
  MatrixXd gradients;

  Eigen::Index parameters() const { return gradients.rows(); }
  Eigen::Index samples() const { return gradients.cols(); }
  double sample_loss(const VectorXd& theta, Eigen::Index i) const {
    return theta.dot(gradients.col(i));
  }
  void sample_gradients(const VectorXd&, Eigen::Index first, MatrixXd& block) const {
    block = gradients.middleCols(first, block.cols());
  }
};

constexpr Eigen::Index parameters = 490;
constexpr Eigen::Index samples = 60'000;

const ness::Objective<GivenGradients>& given_gradients() {
  static const ness::Objective<GivenGradients> objective(
      GivenGradients{MatrixXd::Random(parameters, samples)});
  return objective;
}

void rank_k_product(benchmark::State& state) {
  const MatrixXd& v = given_gradients().model().gradients;
  MatrixXd product(parameters, parameters);
  for (auto _ : state) {
    product.setZero();
    product.selfadjointView<Eigen::Lower>().rankUpdate(v);
    benchmark::DoNotOptimize(product.data());
  }
}
BENCHMARK(rank_k_product)->Unit(benchmark::kMillisecond)->MinTime(0.01);

void diffusion_with_replacement(benchmark::State& state) {
  const VectorXd theta = VectorXd::Zero(parameters);
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 1e-4, .minibatch = {100}};
  for (auto _ : state)
    benchmark::DoNotOptimize(ness::diffusion(given_gradients(), theta, training).sum());
}
BENCHMARK(diffusion_with_replacement)->Unit(benchmark::kMillisecond)->MinTime(0.01);

// The noise of an epoch, all terms, of a linear model of that size: 49 features, 10 outputs.
void diffusion_without_replacement(benchmark::State& state) {
  const ness::Objective objective(
      ness::LinearModel<>(MatrixXd::Random(49, samples), MatrixXd::Random(10, samples)),
      ness::L2{1e-2});
  const VectorXd theta = VectorXd::Random(parameters);
  const ness::Sgd<ness::WithoutReplacement> training{.learning_rate = 1e-4, .minibatch = {100}};
  for (auto _ : state) benchmark::DoNotOptimize(ness::diffusion(objective, theta, training).sum());
}
BENCHMARK(diffusion_without_replacement)->Unit(benchmark::kMillisecond)->Iterations(1);

MatrixXd positive_definite(Eigen::Index n) {
  const MatrixXd a = MatrixXd::Random(n, n);
  MatrixXd h = a * a.transpose() / static_cast<double>(n);
  h.diagonal().array() += 0.1;
  return h;
}

template <Eigen::Index N>
const std::pair<MatrixXd, MatrixXd>& problem() {
  static const std::pair<MatrixXd, MatrixXd> matrices{positive_definite(N), positive_definite(N)};
  return matrices;
}

template <Eigen::Index N>
void eigen_and_four_products(benchmark::State& state) {
  const auto& [h, d] = problem<N>();
  MatrixXd product(N, N), sigma(N, N);
  for (auto _ : state) {
    const ness::detail::SymmetricEigen<double> eigen(h);
    const MatrixXd& o = eigen.vectors;
    product.noalias() = d * o;
    sigma.noalias() = o.transpose() * product;
    product.noalias() = o * sigma;
    sigma.noalias() = product * o.transpose();
    benchmark::DoNotOptimize(sigma.data());
  }
}

template <Eigen::Index N>
void lyapunov(benchmark::State& state) {
  const auto& [h, d] = problem<N>();
  for (auto _ : state) benchmark::DoNotOptimize(ness::solve_lyapunov(h, d, 1e-4).covariance.sum());
}

// The same, and C and the flow of ⟨σ⟩, of updates with a memory.
void with_momentum_2000(benchmark::State& state, const ness::LinearUpdate& update) {
  const auto& [h, d] = problem<2000>();
  auto chain = ness::linear_chain(VectorXd(VectorXd::Zero(2000)), h, d, 1e-4);
  ness::remember(update, chain);
  for (auto _ : state) benchmark::DoNotOptimize(chain.solve(chain).covariance.sum());
}

void heavy_ball_2000(benchmark::State& state) {
  with_momentum_2000(state, ness::HeavyBall{0.9}.linear());
}
void nesterov_2000(benchmark::State& state) {
  with_momentum_2000(state, ness::Nesterov{0.9}.linear());
}
BENCHMARK(heavy_ball_2000)->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK(nesterov_2000)->Unit(benchmark::kMillisecond)->Iterations(1);

// What the Lyapunov solver cost without LAPACK: Eigen's eigensolver and the same products.
template <Eigen::Index N>
void lyapunov_by_eigen(benchmark::State& state) {
  const auto& [h, d] = problem<N>();
  MatrixXd product(N, N), sigma(N, N);
  for (auto _ : state) {
    const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(h);
    const MatrixXd& o = eigen.eigenvectors();
    product.noalias() = d * o;
    sigma.noalias() = o.transpose() * product;
    product.noalias() = o * sigma;
    sigma.noalias() = product * o.transpose();
    benchmark::DoNotOptimize(sigma.data());
  }
}

void eigen_and_products_490(benchmark::State& state) { eigen_and_four_products<490>(state); }
void lyapunov_490(benchmark::State& state) { lyapunov<490>(state); }
void lyapunov_490_by_eigen(benchmark::State& state) { lyapunov_by_eigen<490>(state); }
void eigen_and_products_2000(benchmark::State& state) { eigen_and_four_products<2000>(state); }
void lyapunov_2000(benchmark::State& state) { lyapunov<2000>(state); }
void lyapunov_2000_by_eigen(benchmark::State& state) { lyapunov_by_eigen<2000>(state); }
BENCHMARK(eigen_and_products_490)->Unit(benchmark::kMillisecond)->MinTime(0.01);
BENCHMARK(lyapunov_490)->Unit(benchmark::kMillisecond)->MinTime(0.01);
BENCHMARK(lyapunov_490_by_eigen)->Unit(benchmark::kMillisecond)->MinTime(0.01);
BENCHMARK(eigen_and_products_2000)->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK(lyapunov_2000)->Unit(benchmark::kMillisecond)->Iterations(1);
BENCHMARK(lyapunov_2000_by_eigen)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace

int main(int argc, char** argv) {
  return run_with_ratios(argc, argv,
                         {{"D at N = 490, M = 60000 / bare rank-k product",
                           "diffusion_with_replacement", "rank_k_product", 1.3},
                          {"D of an epoch, all terms / bare rank-k product",
                           "diffusion_without_replacement", "rank_k_product", 20},
                          {"Lyapunov at N = 490 / eigendecomposition + 4 products", "lyapunov_490",
                           "eigen_and_products_490", 1.2},
                          {"Lyapunov at N = 2000 / eigendecomposition + 4 products",
                           "lyapunov_2000", "eigen_and_products_2000", 1.2},
                          {"stationary state of the heavy ball / Lyapunov, N = 2000",
                           "heavy_ball_2000", "lyapunov_2000", 1.15},
                          {"stationary state of Nesterov's / Lyapunov, N = 2000", "nesterov_2000",
                           "lyapunov_2000", 1.15},
                          {"Eigen's eigensolver + 4 products / Lyapunov, N = 490",
                           "lyapunov_490_by_eigen", "lyapunov_490", 0, true},
                          {"Eigen's eigensolver + 4 products / Lyapunov, N = 2000 (LAPACK)",
                           "lyapunov_2000_by_eigen", "lyapunov_2000",
#ifdef NESS_USE_LAPACK
                           1.5,
#else
                           0,
#endif
                           true}});
}
