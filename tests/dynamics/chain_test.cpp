#include "ness/dynamics/chain.hpp"

#include <Eigen/Core>
#include <Eigen/LU>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>
#include <type_traits>

#include "ness/minibatch/full_batch.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/model/regression_network.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/decay.hpp"
#include "support/generic_values.hpp"

namespace {

using ness::FullBatch;
using ness::Sgd;
using ness::WithoutReplacement;
using ness::WithReplacement;

constexpr double learning_rate = 0.03;
constexpr double lambda = 0.2;
const Eigen::Vector3d start(1.3, 0.7, -0.4);

// θ − η [(1/m) Σ_{i∈B} ∇ℓ_i(θ) + 2λθ], by the closed form.
template <class Model>
Eigen::Vector3d updated(const Model& model, const Eigen::Vector3d& theta, ness::Batch batch) {
  Eigen::Vector3d gradient = 2 * lambda * theta;
  for (const auto i : batch)
    gradient += model.exact_gradient(theta, i) / static_cast<double>(batch.size());
  return theta - learning_rate * gradient;
}

// A chain and the formula side by side, the batches being drawn by a second sampler.
template <class Model, class Minibatch>
void check_updates(const Minibatch& minibatch) {
  const ness::Objective objective(Model{}, ness::L2{lambda});
  const Sgd<Minibatch> training{.learning_rate = learning_rate, .minibatch = minibatch};
  ness::Chain chain(objective, training, start, ness::Philox(4, 2));
  CHECK(chain.theta() == start);
  ness::Philox random(4, 2);
  typename Minibatch::Sampler sampler(minibatch, 300);
  Eigen::Vector3d theta = start;
  for (int k = 0; k < 40; ++k) {
    theta = updated(objective.model(), theta, sampler.next(random));
    chain.update();
    CHECK(relative_error(chain.theta(), theta) <= 1e-13);
  }
}

}  // namespace

TEST_CASE("One update is θ' = θ − η [∇L_B(θ) + ∇R(θ)], for every model and minibatch policy") {
  check_updates<GenericDecay<>>(WithReplacement{10});
  check_updates<GenericDecay<>>(WithoutReplacement{10});
  check_updates<GenericDecay<>>(FullBatch{});
  check_updates<BatchGradientDecay<>>(WithReplacement{1});
  check_updates<SampleGradientsDecay<>>(WithReplacement{300});
  check_updates<WorkspaceDecay<>>(WithoutReplacement{100});
}

TEST_CASE("With replacement a Markov step is one update, without it is an epoch of M/m") {
  const ness::Objective objective(WorkspaceDecay<>{});
  const auto check = [&](const auto& training, int updates) {
    ness::Chain steps(objective, training, start, ness::Philox(5));
    ness::Chain single(objective, training, start, ness::Philox(5));
    CHECK(steps.updates_per_markov_step() == updates);
    for (int step = 0; step < 3; ++step) {
      steps.step();
      for (int k = 0; k < updates; ++k) single.update();
      CHECK(steps.theta() == single.theta());
    }
  };
  check(Sgd<WithReplacement>{.learning_rate = 0.01, .minibatch = {10}}, 1);
  check(Sgd<WithoutReplacement>{.learning_rate = 0.01, .minibatch = {10}}, 30);
  check(Sgd<WithoutReplacement>{.learning_rate = 0.01, .minibatch = {300}}, 1);
  check(Sgd<FullBatch>{.learning_rate = 0.01}, 1);
}

TEST_CASE("An epoch of a loss linear in θ moves by the mean gradient, whatever the order") {
  // Each sample is used once, so that Σ_batches η (1/m) Σ_{i∈B} g_i = η n ∇L.
  struct Linear : ness::NoRegularizer {
    static constexpr Eigen::Index parameters() { return 2; }
    static Eigen::Index samples() { return 12; }
    static Eigen::Vector2d slope(Eigen::Index i) {
      return {static_cast<double>(i * i), 1.0 / static_cast<double>(i + 1)};
    }
    double sample_loss(const Eigen::Vector2d& theta, Eigen::Index i) const {
      return slope(i).dot(theta);
    }
    void batch_gradient(const Eigen::Vector2d&, ness::Batch batch, Eigen::Vector2d& g) const {
      g.setZero();
      for (const auto i : batch) g += slope(i) / static_cast<double>(batch.size());
    }
  };
  const ness::Objective objective{Linear{}};
  const Sgd<WithoutReplacement> training{.learning_rate = 0.1, .minibatch = {3}};
  ness::Chain chain(objective, training, Eigen::Vector2d(0, 0));
  Eigen::Vector2d mean = Eigen::Vector2d::Zero();
  for (Eigen::Index i = 0; i < 12; ++i) mean += Linear::slope(i) / 12;
  for (int epoch = 1; epoch <= 5; ++epoch) {
    chain.step();
    CHECK(relative_error(chain.theta(), -0.1 * 4 * epoch * mean) <= 1e-13);
  }
}

TEST_CASE("Gradient descent on a quadratic contracts by I − ηH in every step") {
  const ness::Objective objective(
      ness::LinearModel<>(generic_values(3, 20, 1), generic_values(1, 20, 2)), ness::L2{0.1});
  const Eigen::VectorXd zero = Eigen::VectorXd::Zero(3);
  const Eigen::MatrixXd hessian = objective.hessian(zero);
  const Eigen::VectorXd minimum = hessian.inverse() * -objective.gradient(zero);
  const Sgd<FullBatch> training{.learning_rate = 0.05};
  ness::Chain chain(objective, training, Eigen::VectorXd::Constant(3, 2.0).eval());
  Eigen::VectorXd distance = chain.theta() - minimum;
  for (int k = 0; k < 30; ++k) {
    chain.step();
    distance -= 0.05 * hessian * distance;
    CHECK((chain.theta() - minimum - distance).norm() <= 1e-13);
  }
}

TEST_CASE("A chain of float follows that of double to float rounding") {
  const ness::Objective floats(WorkspaceDecay<float>{}, ness::L2{lambda});
  const ness::Objective doubles(WorkspaceDecay<>{}, ness::L2{lambda});
  const Sgd<WithReplacement> training{.learning_rate = learning_rate, .minibatch = {10}};
  ness::Chain narrow(floats, training, start.cast<float>().eval(), ness::Philox(6));
  ness::Chain wide(doubles, training, start, ness::Philox(6));
  for (int k = 0; k < 100; ++k) {
    narrow.step();
    wide.step();
  }
  CHECK(relative_error(narrow.theta(), wide.theta()) <= 1e-4);
}

TEST_CASE("A chain is fixed by its random stream, and other streams give other chains") {
  const ness::Objective objective(WorkspaceDecay<>{});
  const Sgd<WithReplacement> training{.learning_rate = learning_rate, .minibatch = {10}};
  const auto end = [&](const ness::Philox& random) {
    ness::Chain chain(objective, training, start, random);
    for (int k = 0; k < 50; ++k) chain.step();
    return chain.theta();
  };
  CHECK(end(ness::Philox(1, 2)) == end(ness::Philox(1, 2)));
  CHECK(end(ness::Philox(1, 2)) != end(ness::Philox(1, 3)));
  CHECK(end(ness::Philox(1, 2)) != end(ness::Philox(2, 2)));
}

TEST_CASE("A copy of a chain branches: the same future, apart from the first") {
  const ness::Objective objective(WorkspaceDecay<>{});
  const Sgd<WithoutReplacement> training{.learning_rate = learning_rate, .minibatch = {10}};
  ness::Chain chain(objective, training, start, ness::Philox(7));
  for (int k = 0; k < 13; ++k) chain.update();  // into the middle of an epoch
  ness::Chain branch = chain;
  const Eigen::Vector3d fork = chain.theta();
  for (int k = 0; k < 40; ++k) chain.update();
  CHECK(branch.theta() == fork);
  for (int k = 0; k < 40; ++k) branch.update();
  CHECK(branch.theta() == chain.theta());
}

namespace {

// One chain that goes on from another's state, and from its own again, does what they do alone.
template <class Training>
void check_states(const Training& training) {
  const ness::Objective objective(ness::RegressionNetwork(Eigen::RowVectorXd::LinSpaced(12, -1, 2),
                                                          Eigen::RowVectorXd::LinSpaced(12, 1, 0)),
                                  ness::L2{lambda});
  const Eigen::VectorXd theta = Eigen::VectorXd::LinSpaced(objective.parameters(), -0.5, 0.7);
  const auto chain_from = [&](double scale) {
    return ness::Chain(objective, training, (scale * theta).eval(), ness::Philox(3, 1));
  };
  auto chain = chain_from(1), other = chain_from(2);
  for (int k = 0; k < 3; ++k) {
    chain.step();
    other.step();
  }
  auto state = other.state();
  for (int k = 0; k < 3; ++k) {
    auto host = chain;  // with the random numbers of both
    host.swap_state(state);
    host.step();
    state = host.state();
    chain.step();
    other.step();
    CHECK(host.theta() == other.theta());
    CHECK(host.theta() != chain.theta());
  }
  chain.update();
  if (chain.updates_per_markov_step() > 1)
    CHECK_THROWS_WITH(chain.swap_state(state), contains("a Markov step has begun"));
}

}  // namespace

TEST_CASE("A chain goes on from the state of another, with what updates and noise remember") {
  check_states(Sgd<WithReplacement>{.learning_rate = learning_rate, .minibatch = {4}});
  check_states(Sgd<WithoutReplacement>{.learning_rate = learning_rate, .minibatch = {4}});
  check_states(ness::Training<WithReplacement, ness::HeavyBall>{
      .learning_rate = learning_rate, .minibatch = {4}, .update = {0.9}});
  check_states(ness::SgworldLmUncorrected{.learning_rate = 1e-3, .minibatch = {4}});
  check_states(ness::SmsUbu{.learning_rate = 1e-3, .minibatch = {4}});
}

TEST_CASE("Any generator of random bits drives a chain") {
  const ness::Objective objective(WorkspaceDecay<>{});
  const Sgd<WithReplacement> training{.learning_rate = learning_rate, .minibatch = {10}};
  ness::Chain chain(objective, training, start, std::mt19937_64(1));
  chain.step();
  CHECK(chain.theta() != start);
  CHECK(chain.theta().allFinite());
}

TEST_CASE("A chain refuses settings that do not fit, and says what it got") {
  const ness::Objective objective(GenericDecay<double, Eigen::Dynamic>{});
  const Eigen::VectorXd theta = start;
  const auto with = [&](double eta, ness::Index m) {
    ness::Chain(objective, Sgd<WithReplacement>{.learning_rate = eta, .minibatch = {m}}, theta);
  };
  const auto without = [&](double eta, ness::Index m) {
    ness::Chain(objective, Sgd<WithoutReplacement>{.learning_rate = eta, .minibatch = {m}}, theta);
  };
  REQUIRE_NOTHROW(with(0.1, 7));
  REQUIRE_NOTHROW(without(0.1, 10));
  REQUIRE_THROWS_AS(with(0, 10), std::invalid_argument);
  REQUIRE_THROWS_WITH(with(0, 10),
                      contains("Chain: learning_rate must be positive and finite, but is 0"));
  REQUIRE_THROWS_WITH(with(-0.5, 10), contains("but is -0.5"));
  REQUIRE_THROWS_WITH(with(std::numeric_limits<double>::quiet_NaN(), 10), contains("nan"));
  REQUIRE_THROWS_WITH(with(0.1, 0),
                      contains("Chain: batch_size must be in 1 ... M = 300, but is 0"));
  REQUIRE_THROWS_WITH(with(0.1, 301), contains("but is 301"));
  REQUIRE_THROWS_WITH(without(0.1, 7), contains("Chain: batch_size must divide M = 300") &&
                                           contains("but is 7") && contains("6 and 10"));
  const Sgd<WithReplacement> good{.learning_rate = 0.1, .minibatch = {10}};
  REQUIRE_THROWS_WITH(ness::Chain(objective, good, Eigen::VectorXd::Ones(4).eval()),
                      contains("Chain: theta must be 3 x 1, but is 4 x 1"));
  Eigen::VectorXd bad = start;
  bad[1] = std::numeric_limits<double>::infinity();
  REQUIRE_THROWS_WITH(ness::Chain(objective, good, bad),
                      contains("Chain: theta must be finite, but element (1, 0) is inf"));
}

TEST_CASE("A chain cannot be made from a temporary objective, which would dangle") {
  using Objective = ness::Objective<GenericDecay<>>;
  using Chain = ness::Chain<Objective, Sgd<WithReplacement>>;
  using Training = Sgd<WithReplacement>;
  STATIC_REQUIRE(std::is_constructible_v<Chain, const Objective&, Training, Eigen::Vector3d>);
  STATIC_REQUIRE_FALSE(std::is_constructible_v<Chain, Objective, Training, Eigen::Vector3d>);
}

TEST_CASE(
    "Every number of the data, the loss, the regularizer and the start shows in the fingerprint") {
  Eigen::MatrixXd x = generic_values(2, 6, 1), y = generic_values(1, 6, 2);
  Eigen::VectorXd theta = Eigen::VectorXd::Zero(2);  // where no loss depends on a feature
  double scale = 0.7, strength = 0.1;
  const auto fingerprint = [&] {
    const ness::Objective objective(ness::LinearModel<>(x, y, {scale}), ness::L2{strength});
    return ness::Chain(objective, Sgd<FullBatch>{.learning_rate = 0.1}, theta).fingerprint();
  };
  const auto original = fingerprint();
  std::set<std::uint64_t> seen{original};
  const auto nudge = [&](double& number) {
    const double kept = number;
    number = number * (1 + 1e-13) + 1e-13;
    CHECK(seen.insert(fingerprint()).second);
    number = kept;
  };
  for (double& each : x.reshaped()) nudge(each);
  for (double& each : y.reshaped()) nudge(each);
  for (double& each : theta) nudge(each);
  nudge(scale);
  nudge(strength);
  // The same samples in another order draw other batches.
  x.col(0).swap(x.col(3));
  y.col(0).swap(y.col(3));
  CHECK(seen.insert(fingerprint()).second);
  x.col(0).swap(x.col(3));
  y.col(0).swap(y.col(3));
  CHECK(fingerprint() == original);
}

TEST_CASE("The fingerprint is that of the chain where it stands, and leaves it alone") {
  const ness::Objective objective(GenericDecay<>{});
  ness::Chain chain(objective, Sgd<FullBatch>{.learning_rate = 0.01}, start);
  const auto first = chain.fingerprint();
  CHECK(chain.theta() == start);
  CHECK(chain.fingerprint() == first);
  CHECK(ness::Chain(objective, Sgd<FullBatch>{.learning_rate = 0.01}, start).fingerprint() ==
        first);
}
