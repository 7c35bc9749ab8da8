// σ of the kernels of a chain and its reverse: ⟨e^{−σ}⟩ = 1 exactly, ⟨σ⟩ that of the state.
#include "ness/fluctuation/kernel_entropy.hpp"

#include <Eigen/LU>
#include <cmath>
#include <cstdint>
#include <vector>

#include "ness/stationary/momentum.hpp"
#include "ness/trajectory/entropy_production.hpp"
#include "ness/trajectory/run.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"
#include "support/normal_quadrature.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

const MatrixXd hessian = positive_definite(3, 3, 0.1, 1);
const MatrixXd noise = positive_definite(3, 8, 0.3, 2);

ness::StationaryState<double> state(const ness::LinearUpdate& update, double eta = 0.5) {
  auto chain =
      ness::linear_chain(VectorXd::Zero(3), hessian, noise, eta, ness::LyapunovForm::discrete);
  if (!update.forgets()) ness::remember(update, chain);
  return ness::StationaryState<double>(chain);
}

const std::vector<ness::LinearUpdate> updates{
    {}, ness::HeavyBall{0.9}.linear(), ness::HeavyBall{0.5, 0.3}.linear()};

/// ⟨r̃r̃ᵀ⟩ of steps of the chain by a kernel, from ⟨δθδθᵀ⟩ and what a step has of it.
MatrixXd residual(const ness::StationaryState<double>& of, const ness::StepKernel<double>& kernel) {
  const MatrixXd sigma = of.covariance(), drift = of.drift(), step = of.velocity_covariance();
  const double beta = of.update().momentum, c0 = of.update().of_gradient();
  // z = (w, θ_k, v): ⟨wθᵀ⟩ = −drift, ⟨vθᵀ⟩ = driftᵀ, ⟨wvᵀ⟩ = βV − c₀K⟨θvᵀ⟩.
  MatrixXd z(9, 9), from(3, 9);
  const MatrixXd wv = beta * step - c0 * of.relaxation() * drift;
  z << step, -drift, wv, -drift.transpose(), sigma, drift, wv.transpose(), drift.transpose(), step;
  from << MatrixXd::Identity(3, 3), -kernel.of_state, -kernel.of_last;
  return from * z * from.transpose();
}

/// A linear chain with a memory and normal noise.
struct Walker {
  ness::StepKernel<double> kernel;
  MatrixXd root;
  VectorXd now, last;
  ness::Philox random;
  ness::Normal normal;

  void step() {
    VectorXd z(3);
    normal.fill(random, z);
    const VectorXd move = kernel.of_state * now + kernel.of_last * last + root * z;
    now += move;
    last = move;
  }
  const VectorXd& theta() const { return now; }
  static Eigen::Index updates_per_markov_step() { return 1; }
};

Walker walker(const ness::StepKernel<double>& kernel, std::uint64_t stream) {
  return {kernel,
          kernel.covariance.llt().matrixL(),
          VectorXd::Zero(3),
          VectorXd::Zero(3),
          ness::Philox(17, stream),
          {}};
}

}  // namespace

TEST_CASE("the reverse of a Gaussian process has kernels of its own, with the same determinant") {
  for (const auto& update : updates)
    for (const double eta : {0.5, 0.01}) {
      INFO(update.description() << ", eta = " << eta);
      const auto predicted = state(update, eta);
      const ness::StepKernels<double> kernels(predicted);
      CHECK(relative_error(residual(predicted, kernels.forward), kernels.forward.covariance) <=
            1e-9);
      // Paths of both have the same entropy.
      CHECK(relative_error(kernels.backward.covariance.determinant(),
                           kernels.forward.covariance.determinant()) <= 1e-9);
      // What forgets forwards forgets backwards.
      if (update.forgets()) CHECK(kernels.backward.of_last.norm() <= 1e-9);
    }
}

TEST_CASE("⟨σ⟩ of the kernels is the entropy production of the state, exactly") {
  for (const auto& update : updates)
    for (const double eta : {0.5, 0.05}) {
      INFO(update.description() << ", eta = " << eta);
      const auto predicted = state(update, eta);
      const ness::StepKernels<double> kernels(predicted);
      const MatrixXd off =
          kernels.backward.covariance.inverse() * residual(predicted, kernels.backward);
      CHECK(relative_error((off.trace() - 3) / 2, predicted.entropy_production()) <= 1e-8);
    }
}

TEST_CASE("e^{−σ} of the kernels has mean 1 along a path, with momentum and at ηh = 0.5") {
  for (const auto& update : updates) {
    INFO(update.description());
    const auto predicted = state(update);
    const ness::StepKernels<double> kernels(predicted);
    const auto [entropy] = ness::run_chains(
        {.steps = 200'000, .burn_in = 1000, .chains = 4},
        [&](int k) { return walker(kernels.forward, static_cast<std::uint64_t>(k)); },
        VectorXd::Zero(3), ness::KernelEntropy<>(predicted, {1, 3}, 10'000));
    for (const ness::SubTrajectories& found : entropy.results()) {
      INFO("length " << found.length);
      CHECK(std::abs(found.integral_fluctuation.value - 1) <=
            4 * found.integral_fluctuation.standard_error);
      CHECK(found.integral_fluctuation.standard_error <= 0.02);
      CHECK(std::abs(found.entropy_production.value - predicted.entropy_production()) <=
            4 * found.entropy_production.standard_error);
    }
  }
}
