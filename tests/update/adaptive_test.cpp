// Adam, AdamW and RMSProp against PyTorch's definition, worked out by hand over three updates.
#include "ness/update/adaptive.hpp"

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "ness/dynamics/chain.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/trajectory/checkpoint.hpp"
#include "support/catch.hpp"
#include "support/decay.hpp"

namespace {

using Eigen::Vector2d;

/// θ after updates with η = 0.1 from (1, −2) against (1, 4), (−0.5, 4), (0.25, 4).
std::vector<Vector2d> places(const ness::Adaptive& update) {
  ness::Adaptive::State<Vector2d> state(update, 0.1, 2);
  std::vector<Vector2d> result;
  Vector2d theta(1, -2);
  for (const double gradient : {1.0, -0.5, 0.25}) {
    state.move(theta, Vector2d(gradient, 4));
    result.push_back(theta);
  }
  return result;
}

void check_places(const ness::Adaptive& update, const std::vector<Vector2d>& expected) {
  const auto found = places(update);
  for (std::size_t k = 0; k < 3; ++k) {
    INFO(found[k].transpose() << " for " << expected[k].transpose());
    CHECK((found[k] - expected[k]).cwiseAbs().maxCoeff() <= 1e-14);
  }
}

void check_refused(const ness::Adaptive& update, const std::string& message) {
  CHECK_THROWS_WITH(update.check("f"), message);
}

}  // namespace

TEST_CASE("The defaults are those of PyTorch") {
  const auto adam = ness::Adaptive::adam();
  CHECK((adam.momentum == 0.9 && adam.square_memory == 0.999 && adam.floor == 1e-8));
  CHECK((adam.decay == 0 && adam.corrects_bias));
  const auto adam_w = ness::Adaptive::adam_w();
  CHECK((adam_w.momentum == 0.9 && adam_w.square_memory == 0.999 && adam_w.decay == 0.01));
  const auto rms_prop = ness::Adaptive::rms_prop();
  CHECK((rms_prop.momentum == 0 && rms_prop.square_memory == 0.99 && rms_prop.floor == 1e-8));
  CHECK((rms_prop.decay == 0 && !rms_prop.corrects_bias));
}

// β₁ = ½, β₂ = ¾, ε = ½. First parameter: m = 1/2, 0, 1/8 over 1/2, 3/4, 7/8 is m̂ = 1, 0, 1/7;
// v = 1/4, 1/4, 13/64 over 1/4, 7/16, 37/64 is v̂ = 1, 4/7, 13/37. Second: m̂ = 4, v̂ = 16.
TEST_CASE("Adam is that of PyTorch over three updates") {
  const double a = 1 - 0.1 / 1.5;
  const double b = a - 0.1 / 7 / (std::sqrt(13. / 37) + 0.5);
  check_places({.momentum = 0.5, .square_memory = 0.75, .floor = 0.5},
               {{a, -2 - 0.4 / 4.5}, {a, -2 - 0.8 / 4.5}, {b, -2 - 1.2 / 4.5}});
}

TEST_CASE("AdamW takes its decay from the parameters before it moves them") {
  const double a = 0.95 - 0.1 / 1.5;
  const double b = 0.95 * 0.95 * a - 0.1 / 7 / (std::sqrt(13. / 37) + 0.5);
  const double c = -2 * 0.95 - 0.4 / 4.5;
  const double d = c * 0.95 - 0.4 / 4.5;
  check_places({.momentum = 0.5, .square_memory = 0.75, .floor = 0.5, .decay = 0.5},
               {{a, c}, {0.95 * a, d}, {b, 0.95 * d - 0.4 / 4.5}});
}

// v = 1/4, 1/4, 13/64 and 4, 7, 37/4.
TEST_CASE("RMSProp is that of PyTorch, which does not correct the bias") {
  auto update = ness::Adaptive::rms_prop(0.75);
  update.floor = 0.5;
  const double a = 1 - 0.1;
  const double b = a + 0.05;
  const double c = -2 - 0.4 / 2.5;
  const double d = c - 0.4 / (std::sqrt(7.) + 0.5);
  check_places(update,
               {{a, c},
                {b, d},
                {b - 0.025 / (std::sqrt(13.) / 8 + 0.5), d - 0.4 / (std::sqrt(37.) / 2 + 0.5)}});
}

TEST_CASE("The first update of Adam moves every parameter by the learning rate") {
  const Vector2d first = places(ness::Adaptive::adam())[0];
  CHECK((first - Vector2d(0.9, -2.1)).cwiseAbs().maxCoeff() <= 2e-9);
}

TEST_CASE("An adaptive update states what it is made of, and that it is not linear") {
  static_assert(ness::AdaptivelyUpdates<ness::Adaptive>);
  static_assert(!ness::LinearlyUpdates<ness::Adaptive>);
  static_assert(!ness::RemembersNothing<ness::Adaptive>);
  static_assert(!ness::AdaptivelyUpdates<ness::Plain>);
  CHECK(ness::Adaptive{.momentum = 0.3}.adaptive().momentum == 0.3);
}

TEST_CASE("Adaptive settings out of bounds are refused by a sentence") {
  check_refused({.momentum = 1}, "ness::f: update.momentum must be in [0, 1), but is 1");
  check_refused({.square_memory = 1}, "ness::f: update.square_memory must be in [0, 1), but is 1");
  check_refused({.square_memory = -1},
                "ness::f: update.square_memory must be in [0, 1), but is -1");
  CHECK_THROWS_WITH(ness::Adaptive{.floor = 0}.check("f"),
                    contains("ness::f: update.floor must be") && contains("but is 0"));
  check_refused({.decay = -0.5},
                "ness::f: update.decay must be finite and not negative, but is -0.5");
  CHECK_NOTHROW(ness::Adaptive::adam_w().check("f"));
}

TEST_CASE("A chain with adaptive updates is written down and goes on to the bit") {
  const ness::Objective objective(GenericDecay<>{}, ness::L2{0.2});
  const ness::Sgd<ness::WithoutReplacement, ness::Adaptive> training{
      .learning_rate = 0.03, .minibatch = {100}, .update = ness::Adaptive::adam_w()};
  const auto chain_of = [&](std::uint64_t seed, int steps) {
    ness::Chain chain(objective, training, Eigen::Vector3d(1.3, 0.7, -0.4), ness::Philox(seed));
    for (int k = 0; k < steps; ++k) chain.update();
    return chain;
  };
  auto chain = chain_of(4, 7);
  auto other = chain_of(5, 2);
  ness::CheckpointWriter writer;
  writer(chain);
  ness::CheckpointReader reader(writer.bytes());
  reader(other);
  for (int k = 0; k < 20; ++k) chain.update(), other.update();
  CHECK(other.theta() == chain.theta());
}
