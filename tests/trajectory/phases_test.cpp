// Every update of an epoch looked at, against a loop by hand and the exact mean over the phases.
#include <cmath>
#include <vector>

#include "ness/diffusion/epochs.hpp"
#include "ness/dynamics/chain.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/trajectory/measure.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/given_gradients.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// All states but the first, one after the other.
struct Record {
  std::vector<VectorXd> states;
  void add(const ness::TrajectoryBlock<double>& block) {
    for (Eigen::Index k = 1; k <= block.steps(); ++k)
      states.push_back(block.all_deviations().row(k).transpose());
  }
  void merge(const Record& other) {
    states.insert(states.end(), other.states.begin(), other.states.end());
  }
};

const auto& objective() {
  static const ness::Objective result(
      ness::LinearModel<>(generic_values(3, 40, 31), generic_values(1, 40, 32)), ness::L2{0.1});
  return result;
}

using Epochs = ness::Sgd<ness::WithoutReplacement, ness::HeavyBall>;
const Epochs epochs{0.01, {4}, {0.5}};  // ten updates each

auto chain_of(int k) {
  return ness::Chain(objective(), epochs, VectorXd::Zero(3),
                     ness::Philox(1, static_cast<std::uint64_t>(k)));
}

/// A chain that cannot be looked at within its Markov step.
struct StepsOnly {
  VectorXd at = VectorXd::Zero(1);
  void step() {}
  const VectorXd& theta() const { return at; }
  Eigen::Index updates_per_markov_step() const { return 3; }
};

/// Var θ of θ' = rθ − ηξ in units of 2D, at the end of an epoch and as a mean over its updates,
/// with ⟨ξ_tξ_s⟩ = (nδ_ts − 1)/(n − 1).
std::pair<double, double> variances(double r, int n) {
  const auto after = [&](double start, int updates) {
    double sum = 0;
    double square = 0;
    for (int t = 0; t < updates; ++t) {
      sum += std::pow(r, t);
      square += std::pow(r, 2 * t);
    }
    return std::pow(r, 2 * updates) * start + (n * square - sum * sum) / (n - 1);
  };
  const double end = after(0, n) / (1 - std::pow(r, 2 * n));
  double mean = 0;
  for (int t = 1; t <= n; ++t) mean += after(end, t) / n;
  return {end, mean};
}

}  // namespace

TEST_CASE("Every update that is looked at is that of a loop by hand, to the bit") {
  const ness::RunSettings settings{.steps = 437, .burn_in = 33, .chains = 2, .every_update = true};
  const auto [record] = ness::run_chains(settings, chain_of, VectorXd::Zero(3), Record{});
  REQUIRE(record.states.size() == 2 * 437);
  std::size_t seen = 0;
  for (int k = 0; k < 2; ++k) {
    auto chain = chain_of(k);
    for (int update = 0; update < 33; ++update) chain.update();
    for (int update = 0; update < 437; ++update) {
      chain.update();
      CHECK(record.states[seen++] == chain.theta());
    }
  }
}

TEST_CASE("Where a Markov step is one update, every update is every step") {
  const ness::Sgd<ness::WithReplacement> training{0.01, {4}};
  const auto make = [&](int) { return ness::Chain(objective(), training, VectorXd::Zero(3)); };
  const auto [steps] = ness::run_chains({.steps = 300}, make, VectorXd::Zero(3), Record{});
  const auto [updates] =
      ness::run_chains({.steps = 300, .every_update = true}, make, VectorXd::Zero(3), Record{});
  CHECK(steps.states == updates.states);
}

TEST_CASE("The covariance over the phases of an epoch, and at its end, are those of the theory") {
  constexpr int n = 8;
  constexpr double eta = 0.02;
  constexpr double lambda = 1;
  const GivenGradients model{generic_values(1, 32, 5)};
  const ness::Objective<GivenGradients, ness::L2> of(model, ness::L2{lambda});
  const ness::Sgd<ness::WithoutReplacement> training{eta, {4}};
  const VectorXd gradients = model.gradients.row(0);
  const double scatter = (gradients.array() - gradients.mean()).square().mean();
  const double of_update = eta * eta * scatter * (32 - 4) / (4.0 * (32 - 1));  // 2D
  const auto [end, mean] = variances(1 - 2 * eta * lambda, n);
  const VectorXd start = VectorXd::Constant(1, -gradients.mean() / (2 * lambda));
  const auto make = [&](int k) {
    return ness::Chain(of, training, start, ness::Philox(7, static_cast<std::uint64_t>(k)));
  };
  const auto check = [&](bool every_update, double expected) {
    const std::int64_t updates = 800'000;
    const auto [moments] = ness::run_chains(
        {.steps = updates, .burn_in = 4'000, .chains = 4, .every_update = every_update}, make,
        start, ness::Moments<>(1, updates / (every_update ? 16 : 16 * n)));
    const auto found = moments.covariance();
    INFO(found.value << " +- " << found.standard_error << " for " << expected);
    CHECK(found.standard_error(0, 0) <= 0.01 * expected);
    CHECK(std::abs(found.value(0, 0) - expected) <= 3.5 * found.standard_error(0, 0));
  };
  check(false, end * of_update);
  check(true, mean * of_update);
  CHECK(mean > 5 * end);
}

TEST_CASE("A measurement of every update counts updates") {
  const ness::Sgd<ness::WithoutReplacement> training{0.01, {4}};
  const auto state =
      ness::predict(objective(), ness::minimize(objective(), VectorXd::Zero(3).eval()), training);
  ness::MeasureSettings settings{.run = {.steps = 192'000, .burn_in = 1'000, .chains = 2}};
  settings.run.every_update = true;
  const auto phases = ness::measure(objective(), training, state, settings);
  CHECK(phases.markov_steps == 2 * 192'000);
  CHECK(phases.batch_length == 5'952);  // 31 of 192, so that there are 64 batches
  settings.run.every_update = false;
  const auto ends = ness::measure(objective(), training, state, settings);
  CHECK(ends.markov_steps == 2 * 19'200);
  CHECK(phases.covariance.value.trace() > 5 * ends.covariance.value.trace());
}

TEST_CASE("A chain that diverges within an epoch says at which update; one without is refused") {
  const ness::Sgd<ness::WithoutReplacement> training{1e3, {4}};
  CHECK_THROWS_WITH(ness::run_chains(
                        {.steps = 2'000, .every_update = true},
                        [&](int) { return ness::Chain(objective(), training, VectorXd::Ones(3)); },
                        VectorXd::Zero(3), Record{}),
                    contains("diverged at update "));
  CHECK_THROWS_WITH(ness::run_chains(
                        {.steps = 100, .every_update = true}, [](int) { return StepsOnly{}; },
                        VectorXd::Zero(1), Record{}),
                    "ness::run_chains: every_update needs a chain with update(), whose Markov step "
                    "is 3 updates");
}
