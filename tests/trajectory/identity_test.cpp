// A kept run goes on with nothing else than what it was begun with: whatever decides its numbers
// is part of its identity.
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/systems/linear.hpp"
#include "ness/training/earthquake.hpp"
#include "ness/trajectory/measure.hpp"
#include "ness/update/adaptive.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/foreign_locale.hpp"
#include "support/generic_values.hpp"
#include "support/temporary_file.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// The numbers of a run, all that there are, to be compared to the last bit.
using Numbers = std::vector<double>;
/// A run under given settings, whatever else it is of.
using Run = std::function<Numbers(const ness::RunSettings&)>;

void append(Numbers& numbers, const auto& estimate) {
  numbers.insert(numbers.end(), estimate.value.reshaped().begin(), estimate.value.reshaped().end());
  numbers.insert(numbers.end(), estimate.standard_error.reshaped().begin(),
                 estimate.standard_error.reshaped().end());
}
Numbers numbers_of(const ness::Measurement& measured) {
  Numbers numbers;
  append(numbers, measured.mean);
  append(numbers, measured.covariance);
  append(numbers, measured.circulation);
  for (const auto& part : measured.trajectories) {
    numbers.push_back(part.entropy_production.value);
    numbers.push_back(part.integral_fluctuation.value);
    for (Eigen::Index bin = 0; bin < part.histogram.axis().bins; ++bin)
      numbers.push_back(static_cast<double>(part.histogram.count(bin)));
  }
  return numbers;
}
Numbers numbers_of(const ness::Moments<>& moments) {
  Numbers numbers;
  append(numbers, moments.mean());
  append(numbers, moments.covariance());
  return numbers;
}

auto objective_of(const MatrixXd& targets, double lambda = 0.1) {
  return ness::Objective(ness::LinearModel<>(generic_values(3, 40, 31), targets), ness::L2{lambda});
}
const MatrixXd& targets() {
  static const MatrixXd result = generic_values(1, 40, 32);
  return result;
}
const auto& objective() {
  static const auto result = objective_of(targets());
  return result;
}
const ness::Sgd<ness::WithReplacement> sgd{0.01, {4}};

template <class Update>
auto updated_by(const Update& update) {
  return ness::Sgd<ness::WithReplacement, Update>{0.01, {4}, update};
}

/// The state that all runs take their reference and their force from, whatever their training.
const auto& state() {
  static const auto result =
      ness::predict(objective(), ness::minimize(objective(), VectorXd::Zero(3).eval()), sgd);
  return result;
}

template <class O, class T, class State>
Run by_measure(const O& of, const T& training, const State& around,
               ness::MeasureSettings settings = {}) {
  return [=, &of](const ness::RunSettings& run) {
    auto with = settings;
    with.run = run;
    return numbers_of(ness::measure(of, training, around, with));
  };
}

template <class O, class T>
Run by_measure_with(const O& of, const T& training, ness::MeasureSettings settings = {}) {
  return [=, &of](const ness::RunSettings& run) {
    auto with = settings;
    with.run = run;
    const ness::Axis axis{-1, 1, 10};
    const auto [measured, histogram] =
        ness::measure_with(of, training, state(), with, ness::Histogram2d(0, axis, 1, axis));
    Numbers numbers = numbers_of(measured);
    for (Eigen::Index i = 0; i < 10; ++i)
      for (Eigen::Index j = 0; j < 10; ++j)
        numbers.push_back(static_cast<double>(histogram.count(i, j)));
    return numbers;
  };
}

template <class O, class T>
Run by_run_chains(const O& of, const T& training, const VectorXd& reference = state().mean()) {
  return [=, &of](const ness::RunSettings& run) {
    const auto make_chain = [&](int k) {
      return ness::Chain(of, training, state().mean(),
                         ness::Philox(run.seed, static_cast<std::uint64_t>(k)));
    };
    return numbers_of(
        std::get<0>(ness::run_chains(run, make_chain, reference, ness::Moments<>(3, 100))));
  };
}

template <class System>
Run by_euler_maruyama(const System& system, double time_step) {
  return [=, &system](const ness::RunSettings& run) {
    const Eigen::Vector2d start(0.3, -0.2);
    const auto make_chain = [&](int k) {
      return ness::EulerMaruyama(system, time_step, start,
                                 ness::Philox(run.seed, static_cast<std::uint64_t>(k)));
    };
    return numbers_of(
        std::get<0>(ness::run_chains(run, make_chain, start, ness::Moments<>(2, 100))));
  };
}

template <class O, class T>
std::vector<Run> every_way(const O& of, const T& training) {
  return {by_measure(of, training, state()), by_measure_with(of, training),
          by_run_chains(of, training)};
}

ness::RunSettings kept_in(const TemporaryFile& file) {
  ness::RunSettings run{.steps = 2'000, .burn_in = 100, .chains = 2, .threads = 1};
  run.checkpoint = {.file = file.name, .seconds = 1e-9};
  return run;
}

struct Killed {};

/// Stops a run halfway; false where it came to its end.
bool is_killed(const Run& run, ness::RunSettings settings) {
  settings.progress = [](std::int64_t done, std::int64_t all) {
    if (2 * done >= all) throw Killed{};
  };
  try {
    (void)run(settings);
  } catch (const Killed&) {
    return true;
  }
  return false;
}

/// What was stopped goes on to the same numbers as if it had not been.
void check_continued(const Run& run) {
  const TemporaryFile file;
  auto settings = kept_in(file);
  REQUIRE(is_killed(run, settings));
  const Numbers continued = run(settings);
  settings.checkpoint = {};
  CHECK(continued == run(settings));
}

/// `other` must not go on with what `run` has left, and must say by what they differ.
void check_refused(const Run& run, const Run& other, const std::string& was,
                   const std::string& is) {
  INFO("was [" << was << "], is [" << is << "]");
  const TemporaryFile file;
  const auto settings = kept_in(file);
  REQUIRE(is_killed(run, settings));
  const std::string kept = file.contents();
  CHECK_THROWS_AS(other(settings), ness::CheckpointError);
  CHECK_THROWS_WITH(other(settings), contains("is of another run, with [") && contains(was) &&
                                         contains("], but this one has [") && contains(is));
  CHECK(file.contents() == kept);
  CHECK_NOTHROW(run(settings));
}

template <class O, class T, class Other, class OtherT>
void check_refused(const O& of, const T& training, const Other& other, const OtherT& other_training,
                   const std::string& was, const std::string& is) {
  const auto ways = every_way(of, training);
  const auto other_ways = every_way(other, other_training);
  for (std::size_t k = 0; k < ways.size(); ++k) check_refused(ways[k], other_ways[k], was, is);
}

/// By whatever call.
template <class B, class Other>
void check_minibatches(double eta, const B& minibatch, double other_eta, const Other& other,
                       const std::string& was, const std::string& is) {
  check_refused(objective(), ness::Sgd<B>{eta, minibatch}, objective(),
                ness::Sgd<Other>{other_eta, other}, was, is);
}

template <class T, class Other>
void check_trainings(const T& training, const Other& other, const std::string& was,
                     const std::string& is) {
  check_refused(by_measure(objective(), training, state()), by_measure(objective(), other, state()),
                was, is);
}

/// Other data have another number, which the message shows.
template <class Other>
void check_objectives(const Other& other) {
  const auto data = [](const auto& of) {
    return "data " + std::to_string(ness::Chain(of, sgd, state().mean()).fingerprint());
  };
  REQUIRE(data(other) != data(objective()));
  check_refused(objective(), sgd, other, sgd, data(objective()), data(other));
}

}  // namespace

TEST_CASE("A kept run goes on with the same everything to the last bit, by whatever call") {
  for (const Run& run : every_way(objective(), sgd)) check_continued(run);
  check_continued(by_measure(objective(), ness::SgworldLm{1e-3, {4}, {}, {}, {8}}, state()));
  check_continued(by_measure(objective(), ness::EarthquakeModel{0.01, {}, {}, {0.125}}, state()));
  check_continued(by_measure(objective(), updated_by(ness::HeavyBall{0.5}), state()));
  check_continued(by_measure(objective(), updated_by(ness::Nesterov{0.5}), state()));
  check_continued(by_measure(objective(), updated_by(ness::Adaptive::adam_w()), state()));
  const auto gyrator = ness::brownian_gyrator(2, 1, 3, 1);
  check_continued(by_euler_maruyama(gyrator, 0.01));
}

TEST_CASE("A kept run of every update goes on within an epoch") {
  const ness::Sgd<ness::WithoutReplacement, ness::HeavyBall> training{0.01, {4}, {0.5}};
  for (const Run& run : every_way(objective(), training))
    check_continued([&](ness::RunSettings settings) {
      settings.every_update = true;
      return run(settings);
    });
}

TEST_CASE("The same objective made anew, and another locale, are no other run") {
  const auto again = objective_of(targets());
  const auto ways = every_way(objective(), sgd);
  const auto again_ways = every_way(again, sgd);
  for (std::size_t k = 0; k < ways.size(); ++k) {
    const TemporaryFile file;
    auto settings = kept_in(file);
    REQUIRE(is_killed(ways[k], settings));
    const ForeignLocale foreign;
    const Numbers continued = again_ways[k](settings);
    settings.checkpoint = {};
    CHECK(continued == ways[k](settings));
  }
}

TEST_CASE("A run does not go on with another learning rate") {
  const ness::WithReplacement four{4};
  check_minibatches(0.01, four, 0.02, four, "learning rate 0.01,", "learning rate 0.02,");
  const double next = std::nextafter(0.25, 1);
  check_minibatches(0.25, four, next, four, "learning rate 0.25,",
                    "learning rate " + ness::detail::in_words(next) + ",");
}

TEST_CASE("A run does not go on with other minibatches") {
  const auto check = [](const auto& minibatch, const auto& other, const std::string& was,
                        const std::string& is) {
    check_minibatches(0.01, minibatch, 0.01, other, was, is);
  };
  check(ness::WithReplacement{4}, ness::WithReplacement{5}, "minibatches of 4 ",
        "minibatches of 5 ");
  check(ness::WithReplacement{4}, ness::WithoutReplacement{4}, "with replacement",
        "without replacement");
  check(ness::WithoutReplacement{4}, ness::WithoutReplacement{8}, "minibatches of 4,",
        "minibatches of 8,");
  check_trainings(ness::Sgd<ness::WithReplacement>{0.01, {40}}, ness::Sgd<ness::FullBatch>{0.01},
                  "minibatches of 40", "all samples in every step");
}

TEST_CASE("A run does not go on with another update") {
  const auto ball = updated_by(ness::HeavyBall{0.5});
  check_trainings(sgd, ball, "plain updates", "heavy ball of momentum 0.5");
  check_trainings(ball, updated_by(ness::HeavyBall{0.25}), "momentum 0.5,", "momentum 0.25,");
  check_trainings(ball, updated_by(ness::HeavyBall{0.5, 0.25}), "momentum 0.5,",
                  "momentum 0.5 and dampening 0.25,");
  check_trainings(ball, updated_by(ness::Nesterov{0.5}), "heavy ball", "Nesterov's momentum 0.5");
  check_trainings(updated_by(ness::QuasiHyperbolic{0.5, 0.25}),
                  updated_by(ness::QuasiHyperbolic{0.5, 0.5}), "weight 0.25,", "weight 0.5,");
  check_trainings(updated_by(ness::Adaptive::adam()), updated_by(ness::Adaptive::adam_w(0.25)),
                  "decay 0,", "decay 0.25,");
}

TEST_CASE("A run does not go on with other noise") {
  check_trainings(sgd, ness::Sgld{0.01, {4}}, "no noise", "Langevin noise after each update");
  check_trainings(ness::Sgld{0.01, {4}}, ness::SgldLm{0.01, {4}},
                  "Langevin noise after each update", "noise of Leimkuhler and Matthews");
  check_trainings(ness::SgworldUncorrected{1e-3, {4}}, ness::SgldWithoutReplacement{1e-3, {4}},
                  "Langevin noise once a Markov step", "Langevin noise after each update");
  check_trainings(ness::EarthquakeModel{0.01, {}, {}, {0.125}},
                  ness::EarthquakeModel{0.01, {}, {}, {0.25}}, "zeta = 0.125,", "zeta = 0.25,");
}

TEST_CASE("A run does not go on with another correction") {
  const ness::SgworldLm corrected{1e-3, {4}, {}, {}, {8}};
  using Other = ness::Training<ness::WithoutReplacement, ness::Plain, ness::LeimkuhlerMatthewsNoise,
                               ness::LandscapeCorrection>;
  check_trainings(corrected, ness::SgworldLmUncorrected{1e-3, {4}},
                  "correction of the sampling from 8 samples", "no correction");
  check_trainings(corrected, ness::SgworldLm{1e-3, {4}, {}, {}, {9}}, "sampling from 8 samples",
                  "sampling from 9 samples");
  check_trainings(corrected, Other{1e-3, {4}, {}, {}, {8}}, "correction of the sampling from 8",
                  "correction of the landscape from 8");
}

TEST_CASE("A run does not go on with other data, be it one number by a part in 10⁹") {
  for (const Eigen::Index sample : {0, 17, 39}) {
    MatrixXd other = targets();
    other(0, sample) *= 1 + 1e-9;
    check_objectives(objective_of(other));
  }
  MatrixXd turned = targets();
  turned.col(3).swap(turned.col(4));
  check_objectives(objective_of(turned));
  MatrixXd features = generic_values(3, 40, 31);
  features(2, 11) *= 1 + 1e-9;
  check_objectives(ness::Objective(ness::LinearModel<>(features, targets()), ness::L2{0.1}));
}

TEST_CASE("A run does not go on with another regularizer") {
  check_objectives(objective_of(targets(), 0.2));
  check_objectives(objective_of(targets(), 0.1 * (1 + 1e-9)));
  check_objectives(ness::Objective(ness::LinearModel<>(generic_values(3, 40, 31), targets())));
}

TEST_CASE("A measurement does not go on with other settings of its own") {
  const auto refused = [](const ness::MeasureSettings& settings, const ness::MeasureSettings& other,
                          const std::string& was, const std::string& is) {
    check_refused(by_measure(objective(), sgd, state(), settings),
                  by_measure(objective(), sgd, state(), other), was, is);
    check_refused(by_measure_with(objective(), sgd, settings),
                  by_measure_with(objective(), sgd, other), was, is);
  };
  refused({}, {.lengths = {1, 2}}, "lengths 1 2 3]", "lengths 1 2]");
  refused({}, {.lengths = {1, 2, 4}}, "lengths 1 2 3]", "lengths 1 2 4]");
  refused({.lengths = {12}}, {.lengths = {1, 2}}, "lengths 12]", "lengths 1 2]");
  refused({}, {.batches = 32}, "batches 64,", "batches 32,");
  refused({}, {.stride = 2}, "stride 1,", "stride 2,");
  refused({.stride = 4}, {.stride = 2}, "stride 4,", "stride 2,");
}

TEST_CASE("A measurement does not go on with the force of another state") {
  auto chain = state().chain();
  chain.diffusion(0, 0) *= 1 + 1e-9;
  check_refused(by_measure(objective(), sgd, state()),
                by_measure(objective(), sgd, ness::StationaryState(chain)), "state ", "state ");
}

TEST_CASE("A run does not go on with deviations from another point") {
  VectorXd other = state().mean();
  other[1] += 1e-9;
  check_refused(by_run_chains(objective(), sgd), by_run_chains(objective(), sgd, other),
                "reference ", "reference ");
}

TEST_CASE("A run does not go on under other settings") {
  const auto run = by_run_chains(objective(), sgd);
  const auto refused = [&](const auto& change, const std::string& was, const std::string& is) {
    check_refused(
        run,
        [&](ness::RunSettings settings) {
          change(settings);
          return run(settings);
        },
        was, is);
  };
  refused([](auto& settings) { ++settings.steps; }, "steps 2000,", "steps 2001,");
  refused([](auto& settings) { ++settings.burn_in; }, "burn-in 100,", "burn-in 101,");
  refused([](auto& settings) { ++settings.chains; }, "chains 2,", "chains 3,");
  refused([](auto& settings) { ++settings.seed; }, "seed 1,", "seed 2,");
  refused([](auto& settings) { settings.every_update = true; }, "reference ", ", every update");
  refused([](auto& settings) { settings.checkpoint.identity = "mine"; }, "data ", "; mine]");
}

TEST_CASE("A run of a system does not go on with another time step or another system") {
  const auto gyrator = ness::brownian_gyrator(2, 1, 3, 1);
  const Run run = by_euler_maruyama(gyrator, 0.01);
  check_refused(run, by_euler_maruyama(gyrator, 0.02), "time step 0.01,", "time step 0.02,");
  const double next = std::nextafter(0.01, 1);
  check_refused(run, by_euler_maruyama(gyrator, next), "time step 0.01,",
                "time step " + ness::detail::in_words(next));
  const std::vector<ness::LinearSystem<Eigen::Matrix2d>> others{
      ness::brownian_gyrator(2, 1, 3, 1 + 1e-9),  // diffusion
      ness::brownian_gyrator(2, 1 + 1e-9, 3, 1),  // drift
      ness::driven_trap(2, 1, 3)};
  for (const auto& other : others)
    check_refused(run, by_euler_maruyama(other, 0.01), "data ", "data ");
}
