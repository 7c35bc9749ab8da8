// A training says in words all that decides its chain: checkpoints rely on it.
#include <cmath>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>

#include "ness/dynamics/chain.hpp"
#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/systems/linear.hpp"
#include "ness/training/earthquake.hpp"
#include "ness/update/adaptive.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/foreign_locale.hpp"
#include "support/generic_values.hpp"

namespace {

using Corrected = ness::Training<ness::WithoutReplacement, ness::Plain, ness::EpochLangevinNoise,
                                 ness::SamplingCorrection>;

}  // namespace

TEST_CASE("The description of a training names every setting, each with its value") {
  CHECK(ness::Sgd<ness::WithReplacement>{0.125, {7}}.description() ==
        "learning rate 0.125, minibatches of 7 distinct samples, with replacement, plain updates, "
        "no noise, no "
        "correction");
  CHECK(ness::Sgd<ness::FullBatch>{1e-300}.description() ==
        "learning rate 1e-300, all samples in every step, plain updates, no noise, no correction");
  CHECK(ness::EarthquakeModel{.learning_rate = 3, .noise = {0.75}}.description() ==
        "learning rate 3, all samples in every step, plain updates, gradients at points shaken by "
        "zeta = 0.75, no "
        "correction");
  CHECK(ness::SgworldLm{.learning_rate = 2, .minibatch = {6}, .correction = {.samples = 12}}
            .description() ==
        "learning rate 2, minibatches of 6, without replacement, plain updates, noise of "
        "Leimkuhler and Matthews, "
        "correction of the sampling from 12 samples (0: all)");
}

TEST_CASE("Trainings that differ in anything have different descriptions") {
  std::set<std::string> seen;
  int count = 0;
  const auto add = [&](const auto&... training) {
    (seen.insert(training.description()), ...);
    count += static_cast<int>(sizeof...(training));
  };
  const double next = std::nextafter(0.01, 1);
  add(ness::Sgd<ness::WithReplacement>{0.01, {4}}, ness::Sgd<ness::WithReplacement>{next, {4}},
      ness::Sgd<ness::WithReplacement>{0.01, {5}}, ness::Sgd<ness::WithoutReplacement>{0.01, {4}},
      ness::Sgd<ness::WithoutReplacement>{0.01, {5}}, ness::Sgd<ness::FullBatch>{0.01});
  add(ness::Sgld{0.01, {4}}, ness::SgldLm{0.01, {4}}, ness::SgldWithoutReplacement{0.01, {4}},
      ness::SgworldUncorrected{0.01, {4}}, ness::SgworldLmUncorrected{0.01, {4}},
      ness::Langevin{0.01}, ness::LangevinLm{0.01});
  add(ness::Sgworld{0.01, {4}}, ness::Sgworld{0.01, {4}, {}, {}, {8}}, ness::SgworldLm{0.01, {4}},
      ness::SgworldLm{0.01, {4}, {}, {}, {8}}, Corrected{0.01, {4}},
      Corrected{0.01, {4}, {}, {}, {8}});
  const auto updated_by = [](const auto& update) {
    return ness::Sgd<ness::WithReplacement, std::decay_t<decltype(update)>>{0.01, {4}, update};
  };
  add(updated_by(ness::HeavyBall{0.5}), updated_by(ness::HeavyBall{0.25}),
      updated_by(ness::HeavyBall{0.5, 0.25}), updated_by(ness::HeavyBall{std::nextafter(0.5, 1)}),
      updated_by(ness::Nesterov{0.5}), updated_by(ness::QuasiHyperbolic{0.5, 0.25}),
      updated_by(ness::QuasiHyperbolic{0.5, 0.5}), updated_by(ness::QuasiHyperbolic{0.25, 0.25}),
      updated_by(ness::HeavyBall{0.5}.linear()), updated_by(ness::Nesterov{0.5}.linear()));
  auto uncorrected = ness::Adaptive::adam();
  uncorrected.corrects_bias = false;
  add(updated_by(ness::Adaptive::adam()), updated_by(ness::Adaptive::adam_w()),
      updated_by(ness::Adaptive::rms_prop()), updated_by(uncorrected),
      updated_by(ness::Adaptive{.floor = 1e-9}), updated_by(ness::Adaptive{.momentum = 0.5}),
      updated_by(ness::Adaptive{.square_memory = 0.5}));
  add(ness::EarthquakeModel{0.01, {}, {}, {0.01}}, ness::EarthquakeModel{0.01, {}, {}, {next}},
      ness::EarthquakeModel{next, {}, {}, {0.01}});
  CHECK(seen.size() == static_cast<std::size_t>(count));
}

TEST_CASE("A chain describes itself as its training does, a system's by its time step") {
  const ness::Objective objective{
      ness::LinearModel<>(generic_values(2, 8, 1), generic_values(1, 8, 2))};
  const ness::SgworldLm training{.learning_rate = 0.5, .minibatch = {2}};
  const ness::Chain chain(objective, training, Eigen::Vector2d(1, 2));
  CHECK(chain.description() == training.description());
  const auto gyrator = ness::brownian_gyrator(2, 1, 3, 1);
  CHECK(ness::EulerMaruyama(gyrator, 0.1, Eigen::Vector2d(0, 0)).description() !=
        ness::EulerMaruyama(gyrator, std::nextafter(0.1, 1), Eigen::Vector2d(0, 0)).description());
}

TEST_CASE("Descriptions are the same in every locale") {
  const auto all = [] {
    const auto gyrator = ness::brownian_gyrator(2, 1, 3, 1);
    return ness::detail::in_words(1234567.5) + '\n' +
           ness::SgworldLm{1234567.5, {12345}, {}, {}, {123456}}.description() + '\n' +
           ness::EarthquakeModel{1234567.5, {}, {}, {7654321.5}}.description() + '\n' +
           ness::EulerMaruyama(gyrator, 12345.5, Eigen::Vector2d(0, 0)).description();
  };
  const std::string words = all();
  CHECK(words.rfind("1234567.5\n", 0) == 0);
  const ForeignLocale foreign;
  std::ostringstream text;
  text << 12345.5;
  REQUIRE(text.str() == "12.345,5");
  CHECK(all() == words);
}
