// Every way to draw a batch with every update: predicted against simulated covariances, element by
// element, on the paper's network and on a linear model.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "ness/landscape/minimize.hpp"
#include "ness/minibatch/drop_last.hpp"
#include "ness/minibatch/independent_draws.hpp"
#include "ness/minibatch/one_of.hpp"
#include "ness/minibatch/poisson.hpp"
#include "ness/minibatch/there_and_back.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/stationary/sampled_epochs.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/trajectory/measure.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/generic_values.hpp"
#include "support/network.hpp"

namespace {

using Minibatch = ness::OneOf<ness::WithReplacement, ness::WithoutReplacement, ness::ThereAndBack,
                              ness::IndependentDraws, ness::Poisson, ness::DropLast>;
using Training = ness::Sgd<Minibatch, ness::LinearUpdate>;

struct Way {
  std::string name;
  Minibatch minibatch;
  ness::EpochPhase phase = ness::EpochPhase::end;
};

const std::vector<Way> ways{
    {"with replacement", ness::WithReplacement{10}},
    {"without, at the end", ness::WithoutReplacement{10}},
    {"without, over the phases", ness::WithoutReplacement{10}, ness::EpochPhase::mean},
    {"there and back", ness::ThereAndBack{10}},
    {"independent draws", ness::IndependentDraws{10}},
    {"Poisson", ness::Poisson{10}},
    {"the last dropped", ness::DropLast{9}}};

/// An update, and η that makes a gradient move θ as far as a plain update's does.
struct Update {
  ness::LinearUpdate linear;
  double slower;
};
const std::vector<Update> updates{{ness::LinearUpdate{}, 1},
                                  {ness::HeavyBall{.momentum = 0.9}.linear(), 0.1},
                                  {ness::Nesterov{0.9}.linear(), 0.1}};

struct Count {
  int elements = 0, beyond = 0;
  double most = 0;
};

/// Of the elements of Σ: those that are off by more than 3 standard errors of the simulation and of
/// the sampled prediction.
template <class Objective, class Minimum>
Count compare_covariance(const Objective& objective, const Minimum& minimum,
                         const Training& training, ness::EpochPhase phase, std::uint64_t seed) {
  const auto predicted =
      ness::sample_epochs(objective, minimum.theta, training, phase, {.permutations = 20'000});
  ness::MeasureSettings settings{
      .run = {.steps = 300'000, .burn_in = 100'000, .chains = 8, .seed = seed}, .lengths = {}};
  settings.run.every_update = phase == ness::EpochPhase::mean;
  const auto measured =
      ness::measure(objective, training, ness::StationaryState(predicted.chain), settings);
  const auto& theory = predicted.covariance;
  const auto& simulation = measured.covariance;
  Count count;
  for (Eigen::Index j = 0; j < theory.value.cols(); ++j)
    for (Eigen::Index i = 0; i <= j; ++i) {
      const double z = std::abs(simulation.value(i, j) - theory.value(i, j)) /
                       std::hypot(simulation.standard_error(i, j), theory.standard_error(i, j));
      ++count.elements;
      if (!(z <= 3)) ++count.beyond;
      count.most = std::max(count.most, z);
    }
  return count;
}

/// All ways and updates. With 63 degrees of freedom an element is beyond 3 errors in 1 of 260, and
/// beyond 4.3 in 1 of 16 000.
template <class Objective, class Minimum>
Count compare_all(const Objective& objective, const Minimum& minimum, double eta) {
  Count all;
  std::uint64_t seed = 0;
  for (const Update& update : updates)
    for (const Way& way : ways) {
      const Training training{eta * update.slower, way.minibatch, update.linear};
      const Count count = compare_covariance(objective, minimum, training, way.phase, ++seed);
      INFO(way.name << ", " << update.linear.description());
      CHECK(count.most <= 4.3);
      all.elements += count.elements;
      all.beyond += count.beyond;
    }
  return all;
}

}  // namespace

TEST_CASE("Every way to train the paper's network is predicted") {
  const Count count = compare_all(network(), network_minimum(), 1e-6);
  CHECK(count.elements == 21 * 28);
  CHECK(count.beyond <= 7);  // 2.3 are expected; more than 7 once in 300, if each went its own way
}

TEST_CASE("Every way to train a linear model is predicted") {
  const ness::Objective linear(
      ness::LinearModel<>(generic_values(3, 200, 51), generic_values(1, 200, 52)), ness::L2{0.2});
  const Count count =
      compare_all(linear, ness::minimize(linear, Eigen::VectorXd::Zero(3).eval()), 1e-2);
  CHECK(count.elements == 21 * 6);
  CHECK(count.beyond <= 3);  // 0.5 are expected; more than 3 once in 500
}
