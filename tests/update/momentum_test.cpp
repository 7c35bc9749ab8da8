// Updates with a memory against PyTorch's definition, worked out by hand.
#include "ness/update/momentum.hpp"

#include <Eigen/Core>
#include <limits>
#include <vector>

#include "ness/dynamics/chain.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/training/earthquake.hpp"
#include "ness/trajectory/checkpoint.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/decay.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::VectorXd;

/// θ after each update against the gradients given.
template <class Update>
std::vector<double> places(const Update& update, double eta, double theta,
                           const std::vector<double>& gradients) {
  typename Update::template State<VectorXd> state(update, eta, 1);
  VectorXd at = VectorXd::Constant(1, theta);
  std::vector<double> result;
  for (const double gradient : gradients) {
    state.move(at, VectorXd::Constant(1, gradient));
    result.push_back(at[0]);
  }
  return result;
}

void check_places(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t k = 0; k < found.size(); ++k)
    CHECK(std::abs(found[k] - expected[k]) <= 1e-15 * std::abs(expected[k]));
}

/// θ_{k+1} − θ_k = β(θ_k − θ_{k−1}) − η(c₀g_k + c₁g_{k−1}) after the first update, which takes the
/// gradient itself for the buffer.
void check_recursion(const ness::LinearUpdate& linear, const std::vector<double>& found, double eta,
                     const std::vector<double>& gradients) {
  for (std::size_t k = 2; k < found.size(); ++k) {
    const double step =
        linear.momentum * (found[k - 1] - found[k - 2]) -
        eta * (linear.of_gradient() * gradients[k] + linear.of_last_gradient() * gradients[k - 1]);
    CHECK(std::abs(found[k] - found[k - 1] - step) <= 1e-15);
  }
}

template <class Update>
void check_recursion(const Update& update) {
  const std::vector<double> gradients{1, -0.5, 0.25, 2, -3, 0.125};
  check_recursion(update.linear(), places(update, 0.1, 0.7, gradients), 0.1, gradients);
  // The same chosen when the program runs, to the bit.
  CHECK(places(update.linear(), 0.1, 0.7, gradients) == places(update, 0.1, 0.7, gradients));
}

/// In the end a constant gradient moves θ by η speed() in each update.
template <class Update>
void check_speed(const Update& update) {
  const auto found = places(update, 0.01, 0, std::vector<double>(2000, 3.0));
  const double step = found[found.size() - 2] - found.back();
  CHECK(std::abs(step - 0.01 * 3 * update.linear().speed()) <= 1e-12);
}

template <class Update>
auto trained(const Update& update) {
  return ness::Sgd<ness::WithReplacement, Update>{
      .learning_rate = 0.03, .minibatch = {10}, .update = update};
}

template <class Update>
Eigen::Vector3d end_of_chain(const Update& update) {
  static const ness::Objective objective(GenericDecay<>{}, ness::L2{0.2});
  ness::Chain chain(objective, trained(update), Eigen::Vector3d(1.3, 0.7, -0.4), ness::Philox(4));
  for (int k = 0; k < 100; ++k) chain.step();
  return chain.theta();
}

template <class Chain>
Chain& stepped(Chain& chain, int steps) {
  for (int k = 0; k < steps; ++k) chain.update();
  return chain;
}

/// What is written down within an epoch and read by a chain that is elsewhere, or new, goes on to
/// the bit.
template <class Update>
void check_continued(const Update& update) {
  const ness::Objective objective(GenericDecay<>{}, ness::L2{0.2});
  const ness::Sgd<ness::WithoutReplacement, Update> training{
      .learning_rate = 0.03, .minibatch = {100}, .update = update};
  const Eigen::Vector3d start(1.3, 0.7, -0.4);
  ness::Chain chain(objective, training, start, ness::Philox(4));
  stepped(chain, 7);
  ness::CheckpointWriter writer;
  writer(chain);
  stepped(chain, 20);
  for (const int already : {0, 2}) {
    ness::Chain other(objective, training, start, ness::Philox(5));
    stepped(other, already);
    ness::CheckpointReader reader(writer.bytes());
    reader(other);
    CHECK(reader.at_end());
    CHECK(stepped(other, 20).theta() == chain.theta());
  }
}

template <class Update>
void check_refused(const Update& update, const std::string& message) {
  CHECK_THROWS_WITH(trained(update).check(300, "f"), message);
}

}  // namespace

TEST_CASE("The heavy ball is that of PyTorch, with the first gradient for the first buffer") {
  // b = 1, 0.4, 0.45, η = 0.1 and β = 0.9
  check_places(places(ness::HeavyBall{0.9}, 0.1, 1, {1, -0.5, 0.09}), {0.9, 0.86, 0.815});
  // b = 1, 0.9 − 0.25 = 0.65, 0.585 + 0.045 = 0.63 with τ = ½: not 0.5 at first
  check_places(places(ness::HeavyBall{0.9, 0.5}, 0.1, 1, {1, -0.5, 0.09}), {0.9, 0.835, 0.772});
}

TEST_CASE("Nesterov's momentum is that of PyTorch") {
  // b = 1, 0.4, 0.45; g + βb = 1.9, −0.14, 0.495
  check_places(places(ness::Nesterov{0.9}, 0.1, 1, {1, -0.5, 0.09}), {0.81, 0.824, 0.7745});
}

TEST_CASE("Quasi-hyperbolic momentum mixes the gradient with an average of gradients") {
  // β = ½, ν = ¾: b = 1, 0.25, 0.625; ¼g + ¾b = 1, 0.0625, 0.71875
  check_places(places(ness::QuasiHyperbolic{0.5, 0.75}, 0.1, 1, {1, -0.5, 1}),
               {0.9, 0.89375, 0.821875});
}

TEST_CASE("What an update states is what it does") {
  check_recursion(ness::HeavyBall{0.9});
  check_recursion(ness::HeavyBall{0.8, 0.3});
  check_recursion(ness::Nesterov{0.9});
  check_recursion(ness::QuasiHyperbolic{0.9, 0.6});
  check_speed(ness::HeavyBall{0.9});
  check_speed(ness::HeavyBall{0.8, 0.3});
  check_speed(ness::Nesterov{0.9});
  check_speed(ness::QuasiHyperbolic{0.9, 0.6});
  CHECK(std::abs(ness::HeavyBall{0.75}.linear().speed() - 4) <= 1e-15);
  CHECK(std::abs(ness::Nesterov{0.75}.linear().speed() - 4) <= 1e-15);
  CHECK(std::abs(ness::QuasiHyperbolic{0.75, 0.3}.linear().speed() - 1) <= 1e-15);
}

TEST_CASE("Without momentum the trajectory is the plain one to the bit") {
  const Eigen::Vector3d plain = end_of_chain(ness::Plain{});
  CHECK(end_of_chain(ness::HeavyBall{0}) == plain);
  CHECK(end_of_chain(ness::Nesterov{0}) == plain);
  CHECK(end_of_chain(ness::QuasiHyperbolic{0, 1}) == plain);
  CHECK(end_of_chain(ness::QuasiHyperbolic{0.5, 0}) == plain);
  CHECK(end_of_chain(ness::HeavyBall{0.5}) != plain);
}

TEST_CASE("Only what remembers nothing whatever its settings says so") {
  static_assert(ness::RemembersNothing<ness::Plain>);
  static_assert(!ness::RemembersNothing<ness::HeavyBall>);
  static_assert(!ness::RemembersNothing<ness::LinearUpdate>);
  CHECK(ness::Plain{}.linear().forgets());
  CHECK(ness::HeavyBall{0}.linear().forgets());
  CHECK(!ness::Nesterov{0.1}.linear().forgets());
}

TEST_CASE("Momentum out of bounds is refused by a sentence") {
  const std::string rule = "ness::f: update.momentum must be in [0, 1), but is ";
  check_refused(ness::HeavyBall{1}, rule + "1");
  check_refused(ness::HeavyBall{-0.5}, rule + "-0.5");
  check_refused(ness::Nesterov{1.5}, rule + "1.5");
  check_refused(ness::QuasiHyperbolic{1, 0.5}, rule + "1");
  check_refused(ness::HeavyBall{std::numeric_limits<double>::quiet_NaN()}, rule + "nan");
  check_refused(ness::HeavyBall{0.5, 1}, "ness::f: update.dampening must be in [0, 1), but is 1");
  check_refused(ness::HeavyBall{0.5, -1}, "ness::f: update.dampening must be in [0, 1), but is -1");
  check_refused(ness::QuasiHyperbolic{0.5, 1.5},
                "ness::f: update.weight must be in [0, 1], but is 1.5");
  check_refused(ness::QuasiHyperbolic{0.5, -1},
                "ness::f: update.weight must be in [0, 1], but is -1");
  check_refused(ness::LinearUpdate{.direct = -1},
                "ness::f: update.speed() = direct + buffered * gain / (1 - momentum) must be "
                "positive, but is -1");
  CHECK_NOTHROW(trained(ness::HeavyBall{0, 0}).check(300, "f"));
  CHECK_NOTHROW(trained(ness::QuasiHyperbolic{0, 1}).check(300, "f"));
}

TEST_CASE("A chain with momentum is written down and goes on to the bit") {
  check_continued(ness::HeavyBall{0.9});
  check_continued(ness::Nesterov{0.9});
  check_continued(ness::QuasiHyperbolic{0.9, 0.7});
}

TEST_CASE("Gradients at shaken points go through the buffer as others do") {
  const ness::Objective objective(GenericDecay<>{}, ness::L2{0.2});
  const Eigen::Vector3d start(1.3, 0.7, -0.4);
  const auto first = [&](const auto& update) {
    const ness::Training<ness::FullBatch, std::decay_t<decltype(update)>, ness::Earthquake>
        training{.learning_rate = 0.03, .update = update, .noise = {0.1}};
    ness::Chain chain(objective, training, start, ness::Philox(4));
    chain.step();
    return Eigen::Vector3d(chain.theta() - start);
  };
  const Eigen::Vector3d plain = first(ness::Plain{});
  CHECK(relative_error(first(ness::HeavyBall{0.9}), plain) <= 1e-14);
  CHECK(relative_error(first(ness::Nesterov{0.9}), Eigen::Vector3d(1.9 * plain)) <= 1e-13);
}
