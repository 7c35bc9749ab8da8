// A chain seen in a few directions, against all of it.
#include "ness/dynamics/projected.hpp"

#include "ness/dynamics/chain.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/trajectory/moments.hpp"
#include "ness/trajectory/run.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Index;

const auto& objective() {
  static const ness::Objective linear(
      ness::LinearModel<>(generic_values(5, 60, 51), generic_values(2, 60, 52)), ness::L2{0.2});
  return linear;
}
const MatrixXd basis = generic_values(10, 3, 1);
const VectorXd origin = generic_values(10, 1, 2);

template <class T>
auto chain_of(const T& training, int k) {
  return ness::Chain(objective(), training, origin, ness::Philox(3, static_cast<std::uint64_t>(k)));
}

template <class T>
void check_moments(const T& training) {
  const Index per_step = training.updates_per_markov_step(60);
  const ness::RunSettings run{.steps = 1000 * per_step, .burn_in = 100 * per_step, .chains = 3};
  const auto [all, area] = ness::run_chains(
      run, [&](int k) { return chain_of(training, k); }, origin, ness::Moments<>(10, 50),
      ness::Area<>(10, 50));
  const auto [few, seen] = ness::run_chains(
      run, [&](int k) { return ness::Projected(chain_of(training, k), basis, origin); },
      VectorXd(VectorXd::Zero(3)), ness::Moments<>(3, 50), ness::Area<>(3, 50));
  CHECK(relative_error(few.mean().value,
                       VectorXd(basis.transpose() * (all.mean().value - origin))) <= 1e-11);
  CHECK(relative_error(few.covariance().value,
                       MatrixXd(basis.transpose() * all.covariance().value * basis)) <= 1e-10);
  const MatrixXd circulation = basis.transpose() * area.circulation().value * basis;
  CHECK(relative_error(seen.circulation().value, circulation) <= 1e-9);
}

}  // namespace

TEST_CASE("Estimators see of a projected chain what they see of the chain itself") {
  check_moments(ness::Sgd<ness::WithReplacement>{.learning_rate = 0.01, .minibatch = {5}});
  check_moments(ness::Sgd<ness::WithoutReplacement, ness::HeavyBall>{
      .learning_rate = 0.01, .minibatch = {10}, .update = {0.5}});
}

TEST_CASE("A projected chain looks at every so many steps, and goes on from a checkpoint") {
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.01, .minibatch = {5}};
  auto chain = chain_of(training, 0);
  ness::Projected seen(chain, basis, origin, 7);
  CHECK(seen.theta() == VectorXd(basis.transpose() * (chain.theta() - origin)));
  CHECK(seen.updates_per_markov_step() == 7);
  for (int k = 0; k < 14; ++k) chain.step();
  seen.step();
  seen.step();
  CHECK(seen.theta() == VectorXd(basis.transpose() * (chain.theta() - origin)));

  ness::CheckpointWriter writer;
  writer(seen);
  ness::Projected other(chain_of(training, 1), basis, origin, 7);
  CHECK(other.theta() == VectorXd(VectorXd::Zero(3)));
  ness::CheckpointReader reader(writer.bytes());
  reader(other);
  CHECK(other.theta() == seen.theta());
  seen.step();
  other.step();
  CHECK(other.theta() == seen.theta());

  const ness::Projected same(chain_of(training, 1), basis, origin, 7);
  CHECK(same.description() == seen.description());
  const MatrixXd another = generic_values(10, 3, 5);
  CHECK(ness::Projected(chain_of(training, 1), another, origin, 7).fingerprint() !=
        same.fingerprint());
}

TEST_CASE("A projected chain refuses what does not fit") {
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.01, .minibatch = {5}};
  const MatrixXd narrow = MatrixXd::Zero(9, 3);
  const VectorXd short_one = VectorXd::Zero(3);
  CHECK_THROWS_WITH(ness::Projected(chain_of(training, 0), narrow, origin),
                    contains("basis must be 10 x 3"));
  CHECK_THROWS_WITH(ness::Projected(chain_of(training, 0), basis, short_one),
                    contains("origin must be 10 x 1"));
  CHECK_THROWS_WITH(ness::Projected(chain_of(training, 0), basis, origin, 0),
                    contains("every must be at least 1"));
}
