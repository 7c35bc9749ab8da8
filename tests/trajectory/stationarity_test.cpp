// Runs that are stationary and runs that are not, by their ends.
#include "ness/trajectory/stationarity.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>

#include "ness/trajectory/checkpoint.hpp"
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
constexpr double eta = 0.1;

MatrixXd hessian() { return positive_definite(few, 41, 0.5, 3); }
MatrixXd diffusion() { return positive_definite(few, 42, 0.02, 0.2); }

struct Directions {
  MatrixXd vectors;     // of Σ
  VectorXd deviations;  // standard deviations along them
};

Directions directions(const ness::LinearUpdate& update) {
  const MatrixXd pair = pair_covariance(hessian(), diffusion(), eta, update);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(MatrixXd(pair.topLeftCorner(few, few)));
  return {eigen.eigenvectors(), eigen.eigenvalues().cwiseSqrt()};
}

/// `away` standard deviations along the last direction from the minimum at the start.
ness::Stationarity<> run(const ness::LinearUpdate& update, double away,
                         ness::RunSettings settings) {
  const Directions along = directions(update);
  const VectorXd start = away * along.deviations[few - 1] * along.vectors.col(few - 1);
  const auto [result] = ness::run_chains(
      settings,
      [&](int k) {
        return NoisyDescent<ness::LinearUpdate>(
            hessian(), diffusion(), eta, update, start,
            1000 * settings.seed + static_cast<std::uint64_t>(k));
      },
      VectorXd::Zero(few),
      ness::Stationarity<>(along.vectors, ness::batch_length(settings.steps, settings.chains, 64)));
  return result;
}

void check_far_start(const ness::LinearUpdate& update) {
  const auto verdict = run(update, 5, {.steps = 200'000}).result();
  INFO(verdict.farthest.transpose() << "; " << verdict.chance.transpose());
  CHECK(verdict.is_stationary(0));
  CHECK(verdict.is_stationary(1));
  CHECK(!verdict.is_stationary(2));
  CHECK(!verdict.is_stationary());
  CHECK(std::abs(verdict.farthest[2] - 5) <= 0.1);
  CHECK(verdict.relation.value[2] < -8 * verdict.relation.standard_error[2]);
  // With a burn-in it is gone.
  const auto after = run(update, 5, {.steps = 200'000, .burn_in = 5'000}).result();
  CHECK(after.is_stationary());
}

/// Sums over a stored trajectory of one chain, with columns of states.
void check_relation(const ness::Stationarity<>& estimator, const MatrixXd& along,
                    const MatrixXd& states) {
  const auto result = estimator.result();
  const Eigen::Index steps = states.cols() - 1;
  for (Eigen::Index d = 0; d < along.cols(); ++d) {
    VectorXd y = states.transpose() * along.col(d);
    y.array() -= y.head(steps).mean();
    double sum = 0;
    for (Eigen::Index k = 0; k < steps; ++k)
      sum += (2 * y[k] + y[k + 1] - y[k]) * (y[k + 1] - y[k]);
    CHECK(std::abs(result.relation.value[d] - sum / static_cast<double>(steps)) <= 1e-14);
    const double variance = y.head(steps).squaredNorm() / static_cast<double>(steps);
    CHECK(relative_error(result.relation.standard_error[d],
                         2 * variance / static_cast<double>(steps)) <= 1e-12);
  }
}

void feed(ness::Stationarity<>& estimator, const MatrixXd& states, Eigen::Index first,
          Eigen::Index last) {
  ness::TrajectoryBlock<double> block(VectorXd(states.col(first)), VectorXd(VectorXd::Zero(few)),
                                      17);
  for (Eigen::Index k = first; k < last;) {
    const Eigen::Index count = std::min<Eigen::Index>(17, last - k);
    block.fill(count, [&] { return VectorXd(states.col(++k)); });
    estimator.add(block);
  }
}

}  // namespace

TEST_CASE("Yaida's relation is the sum over the steps of a trajectory") {
  const MatrixXd states = generic_values(few, 101, 3);
  const MatrixXd along = generic_values(few, 2, 4);
  ness::Stationarity<> estimator(along, 10);
  feed(estimator, states, 0, 100);
  check_relation(estimator, along, states);
}

TEST_CASE("A start five standard deviations away fails in that direction alone") {
  check_far_start(ness::Plain{}.linear());
  check_far_start(ness::HeavyBall{0.9}.linear());
}

TEST_CASE("Of stationary runs as many are taken for others as is said, at most") {
  int alarms = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const auto one = run(ness::Plain{}.linear(), 0,
                         {.steps = 4'000, .burn_in = 400, .chains = 2, .threads = 1, .seed = seed});
    alarms += one.result(0.1).is_stationary() ? 0 : 1;
  }
  // 40 are expected, less what Bonferroni allows too much, and three standard deviations are 18.
  INFO(alarms);
  CHECK(alarms <= 58);
  CHECK(alarms >= 15);
}

TEST_CASE("The error of the relation is the scatter that it has between stationary runs") {
  constexpr int runs = 200;
  VectorXd squares = VectorXd::Zero(few);
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    const auto relation =
        run(ness::HeavyBall{0.5}.linear(), 0,
            {.steps = 4'000, .burn_in = 400, .chains = 2, .threads = 1, .seed = seed})
            .result()
            .relation;
    squares += relation.value.cwiseQuotient(relation.standard_error).cwiseAbs2() / runs;
  }
  INFO(squares.transpose());  // of mean 1; the kurtosis of a product of normals is 9
  CHECK((squares.array() - 1).abs().maxCoeff() <= 4 * std::sqrt(8.0 / runs));
}

TEST_CASE("Stationarity merges chains, and goes on from a checkpoint to the bit") {
  const MatrixXd states = generic_values(few, 103, 3);
  const MatrixXd along = generic_values(few, 2, 4);
  ness::Stationarity<> whole(along, 10);
  feed(whole, states, 0, 51);
  ness::CheckpointWriter writer;
  writer(whole);
  ness::Stationarity<> read(along, 10);
  ness::CheckpointReader reader(writer.bytes());
  reader(read);
  CHECK(reader.at_end());
  feed(whole, states, 51, 102);
  feed(read, states, 51, 102);
  CHECK(read.result().relation.value == whole.result().relation.value);
  CHECK(read.result().chance == whole.result().chance);

  ness::Stationarity<> two(along, 10);
  ness::Stationarity<> second(along, 10);
  feed(two, states, 0, 51);
  feed(second, states, 51, 102);
  two.merge(second);
  two.merge(ness::Stationarity<>(along, 10));
  const auto merged = two.result();
  CHECK((merged.relation.value - whole.result().relation.value).cwiseAbs().maxCoeff() <= 1e-14);
  CHECK(relative_error(merged.relation.standard_error,
                       VectorXd(std::sqrt(2.0) * whole.result().relation.standard_error)) <= 1e-12);
}

TEST_CASE("Stationarity refuses a rate that is none, and to judge nothing") {
  ness::Stationarity<> estimator(MatrixXd::Identity(few, few), 10);
  CHECK_THROWS_WITH(estimator.result(),
                    "ness::Stationarity: the steps that were added must be at least 1, but is 0");
  feed(estimator, generic_values(few, 101, 3), 0, 100);
  CHECK_THROWS_WITH(estimator.result(1),
                    "ness::Stationarity: false_alarms must be in (0, 1), but is 1");
}
