// Entropy production with momentum: against the likelihoods of a path and its reverse, and against
// the exact mean of a linear chain.
#include "ness/trajectory/momentum_entropy.hpp"

#include <Eigen/LU>
#include <vector>

#include "ness/trajectory/checkpoint.hpp"
#include "ness/trajectory/entropy_production.hpp"
#include "ness/trajectory/moments.hpp"
#include "ness/trajectory/run.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/matrices.hpp"
#include "support/noisy_descent.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr Eigen::Index few = 3;

MatrixXd inverse_diffusion(Eigen::Index n) { return positive_definite(n, 42, 0.5, 3).inverse(); }
MatrixXd relaxation(Eigen::Index n) { return 0.2 * positive_definite(n, 41, 0.3, 3); }

/// −log of the chance of a step to `next`, from θ_k and θ_{k−1}: |residual|² in D⁻¹/(4c₀²).
double cost(const ness::LinearUpdate& update, const VectorXd& last, const VectorXd& now,
            const VectorXd& next) {
  const double c0 = update.of_gradient();
  const VectorXd residual =
      next - now - update.momentum * (now - last) + c0 * relaxation(now.size()) * now;
  return residual.dot(inverse_diffusion(now.size()) * residual) / (4 * c0 * c0);
}

/// σ of each update but the first, of deviations in columns.
VectorXd likelihood_ratios(const ness::LinearUpdate& update, const MatrixXd& states) {
  VectorXd result(states.cols() - 2);
  for (Eigen::Index k = 1; k + 1 < states.cols(); ++k)
    result[k - 1] = cost(update, states.col(k + 1), states.col(k), states.col(k - 1)) -
                    cost(update, states.col(k - 1), states.col(k), states.col(k + 1));
  return result;
}

template <class S>
void feed(auto& estimator, const MatrixXd& states, Eigen::Index first, Eigen::Index steps,
          Eigen::Index capacity) {
  using Vector = ness::DynamicVector<S>;
  const auto state = [&](Eigen::Index k) -> Vector { return states.col(k).cast<S>(); };
  ness::TrajectoryBlock<S> block(state(first), Vector(Vector::Zero(states.rows())), capacity);
  Eigen::Index k = first;
  while (k < first + steps) {
    const Eigen::Index count = std::min(capacity, first + steps - k);
    block.fill(count, [&] { return state(++k); });
    estimator.add(block);
  }
}

ness::MomentumEntropy<> estimator_of(const ness::LinearUpdate& update, Eigen::Index n,
                                     const std::vector<int>& lengths = {1, 4}) {
  return {inverse_diffusion(n), relaxation(n), update, lengths, 20, 50};
}

void check_results(const ness::MomentumEntropy<>& estimator, std::int64_t count, double sum,
                   double tolerance = 1e-12) {
  const auto results = estimator.results();
  REQUIRE(results.size() == 2);
  CHECK(results[0].count == count);
  CHECK(relative_error(results[0].entropy_production.value, sum / static_cast<double>(count)) <=
        tolerance);
  CHECK(results[1].count == count / 4);
}

void check_against_likelihoods(const ness::LinearUpdate& update, Eigen::Index n) {
  const MatrixXd states = generic_values(n, 102, 3);
  const VectorXd expected = likelihood_ratios(update, states);
  // Of any length, and of one step, which is less than the two that σ is made of.
  for (const Eigen::Index capacity : {17, 101, 1}) {
    auto estimator = estimator_of(update, n);
    feed<double>(estimator, states, 0, 101, capacity);
    check_results(estimator, 100, expected.sum());
  }
  auto of_float = estimator_of(update, n);
  feed<float>(of_float, states, 0, 101, 17);
  check_results(of_float, 100, expected.sum(), 1e-4);
}

/// Of 8 chains in the stationary state.
auto simulate(const ness::LinearUpdate& update, double eta, std::int64_t steps) {
  const MatrixXd hessian = relaxation(few) / eta;
  const MatrixXd diffusion = inverse_diffusion(few).inverse();
  const ness::RunSettings run{.steps = steps, .burn_in = 2'000, .chains = 8};
  const std::int64_t length = ness::batch_length(steps, run.chains, 64);
  return ness::run_chains(
      run,
      [&](int k) {
        return NoisyDescent<ness::LinearUpdate>(hessian, diffusion, eta, update,
                                                VectorXd::Zero(few), static_cast<std::uint64_t>(k));
      },
      VectorXd::Zero(few),
      ness::MomentumEntropy<>(inverse_diffusion(few), relaxation(few), update, {1}, length, 50),
      ness::Area<>(few, length));
}

void check_mean(const ness::LinearUpdate& update) {
  const double eta = 0.1;
  const MatrixXd pair =
      pair_covariance(relaxation(few) / eta, inverse_diffusion(few).inverse(), eta, update);
  // ⟨θ_kθ_{k+1}ᵀ⟩ is the block below the diagonal.
  const MatrixXd forward = pair.bottomLeftCorner(few, few);
  const MatrixXd circulation = (forward - forward.transpose()) / 2;
  const double expected = -(1 - update.momentum) / update.of_gradient() *
                          (inverse_diffusion(few) * relaxation(few) * circulation).trace();
  const auto [entropy, area] = simulate(update, eta, 400'000);
  const auto measured = entropy.results().front().entropy_production;
  INFO(measured.value << " +- " << measured.standard_error << " for " << expected);
  CHECK(expected > 20 * measured.standard_error);
  CHECK(std::abs(measured.value - expected) <= 3.5 * measured.standard_error);
  const auto found = area.circulation();
  CHECK(std::abs(found.value(0, 1) - circulation(0, 1)) <= 3.5 * found.standard_error(0, 1));
}

}  // namespace

TEST_CASE("Entropy with momentum is how much likelier a path is than its reverse") {
  check_against_likelihoods(ness::HeavyBall{0.9}.linear(), 3);
  check_against_likelihoods(ness::HeavyBall{0.6, 0.3}.linear(), 3);
  check_against_likelihoods(ness::QuasiHyperbolic{0.7, 1}.linear(), 3);
  check_against_likelihoods(ness::Plain{}.linear(), 3);
  check_against_likelihoods(ness::HeavyBall{0.9}.linear(), 20);
}

TEST_CASE("Entropy with momentum has the mean that the circulation of a linear chain gives it") {
  check_mean(ness::HeavyBall{0.5}.linear());
  check_mean(ness::HeavyBall{0.9}.linear());
  check_mean(ness::HeavyBall{0.8, 0.3}.linear());
  check_mean(ness::Plain{}.linear());
}

TEST_CASE("Entropy with momentum merges, and after an interruption takes no step from before it") {
  const auto update = ness::HeavyBall{0.9}.linear();
  const MatrixXd states = generic_values(few, 102, 3);
  const double sum = likelihood_ratios(update, states.leftCols(50)).sum() +
                     likelihood_ratios(update, states.rightCols(52)).sum();
  auto one = estimator_of(update, few);
  auto other = one;
  feed<double>(one, states, 0, 49, 17);
  feed<double>(other, states, 50, 51, 17);
  auto merged = one;
  merged.merge(other);
  check_results(merged, 98, sum);
  one.interrupt();
  feed<double>(one, states, 50, 51, 17);
  check_results(one, 98, sum);
}

TEST_CASE("Entropy with momentum goes on from a checkpoint to the bit") {
  const auto update = ness::HeavyBall{0.9}.linear();
  const MatrixXd states = generic_values(few, 102, 3);
  auto whole = estimator_of(update, few);
  feed<double>(whole, states, 0, 34, 17);
  ness::CheckpointWriter writer;
  writer(whole);
  auto read = estimator_of(update, few);
  ness::CheckpointReader reader(writer.bytes());
  reader(read);
  CHECK(reader.at_end());
  feed<double>(whole, states, 34, 51, 17);
  feed<double>(read, states, 34, 51, 17);
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK(read.results()[k].count == whole.results()[k].count);
    CHECK(read.results()[k].entropy_production.value ==
          whole.results()[k].entropy_production.value);
  }
}

TEST_CASE("Entropy with momentum refuses what it does not hold for by a sentence") {
  CHECK_THROWS_WITH(estimator_of(ness::Nesterov{0.5}.linear(), few),
                    "ness::MomentumEntropy: update must not use the last gradient again, c1 = "
                    "-momentum * direct must be 0, but is -0.5");
  CHECK_THROWS_WITH(estimator_of({.momentum = 1}, few),
                    contains("MomentumEntropy: update.momentum must be in [0, 1), but is 1"));
  CHECK_THROWS_WITH(estimator_of({}, few, {0}), contains("every length must be at least 1"));
  CHECK_THROWS_WITH(ness::MomentumEntropy<>(inverse_diffusion(4), relaxation(3), {}, {1}, 20, 50),
                    "ness::MomentumEntropy: inverse_diffusion must be 3 x 3, but is 4 x 4");
}
