// No step allocates: neither by operator new nor by Eigen, whose own allocation is caught by
// EIGEN_RUNTIME_NO_MALLOC. Its assertions are made to count, also in release builds. Where another
// file of the program compiled Eigen without them, a linker could take its functions for these.
inline int failed_assertions = 0;
#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition) ((condition) ? (void)0 : (void)++failed_assertions)

#include <Eigen/Core>
#include <array>
#include <type_traits>
#include <utility>
#include <vector>

#include "ness/dynamics/chain.hpp"
#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/dynamics/metropolized_euler.hpp"
#include "ness/dynamics/scheduled.hpp"
#include "ness/minibatch/full_batch.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/model/regression_network.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/systems/linear.hpp"
#include "ness/systems/polymer.hpp"
#include "ness/systems/wright_fisher.hpp"
#include "ness/update/adaptive.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/counting_new.hpp"
#include "support/decay.hpp"
#include "support/generic_values.hpp"

namespace {

// What allocates within `work`, by either route.
template <class Work>
int allocations_in(const Work& work) {
  failed_assertions = 0;
  const int before = allocations_by_new();
  Eigen::internal::set_is_malloc_allowed(false);
  work();
  Eigen::internal::set_is_malloc_allowed(true);
  return allocations_by_new() - before + failed_assertions;
}

// After the first Markov step, which makes the scratch memory.
template <class Model, ness::IsTraining T, class Regularizer = ness::L2>
int allocations_in_steps(Model model, const T& training, const Regularizer& regularizer = {0.1}) {
  const ness::Objective objective(std::move(model), regularizer);
  using Vector = typename decltype(objective)::Vector;
  ness::Chain chain(objective, training, Vector::Constant(objective.parameters(), 0.1).eval());
  chain.step();
  return allocations_in([&] {
    for (int k = 0; k < 5; ++k) chain.step();
  });
}

template <class Model, ness::Minibatch B, class Regularizer = ness::L2>
int allocations_in_steps(Model model, const B& minibatch, const Regularizer& regularizer = {0.1}) {
  return allocations_in_steps(
      std::move(model), ness::Sgd<B>{.learning_rate = 1e-4, .minibatch = minibatch}, regularizer);
}

// R = Σ_α w_α θ_α², with a value alone.
struct Ridge {
  Eigen::VectorXd weights;
  auto value(const auto& theta) const { return theta.cwiseAbs2().dot(weights); }
};

}  // namespace

TEST_CASE("This test sees allocations by Eigen and by the standard library") {
  CHECK(allocations_in([] { Eigen::VectorXd(100).setZero(); }) > 0);
  static std::vector<int> kept;  // what nobody else can see, a compiler may put on the stack
  CHECK(allocations_in([] { kept.resize(100); }) > 0);
  CHECK(allocations_in([] {}) == 0);
}

TEST_CASE("A step of a user's model does not allocate, whichever member it has") {
  const ness::WithReplacement minibatch{10};
  CHECK(allocations_in_steps(GenericDecay<>{}, minibatch) == 0);
  CHECK(allocations_in_steps(GenericDecay<double, Eigen::Dynamic>{}, minibatch) == 0);
  CHECK(allocations_in_steps(SampleGradientsDecay<double, Eigen::Dynamic>{}, minibatch) == 0);
  CHECK(allocations_in_steps(BatchGradientDecay<double, Eigen::Dynamic>{}, minibatch) == 0);
}

TEST_CASE("A step with a regularizer that has a value alone does not allocate") {
  const Ridge ridge{Eigen::Vector3d(1, 2, 3)};
  CHECK(allocations_in_steps(GenericDecay<>{}, ness::WithReplacement{10}, ridge) == 0);
  CHECK(allocations_in_steps(GenericDecay<double, Eigen::Dynamic>{}, ness::WithReplacement{10},
                             ridge) == 0);
}

TEST_CASE("A step of the regression network does not allocate, with any minibatch policy") {
  ness::Philox random(1);
  const auto network = ness::regression_network(random);
  CHECK(allocations_in_steps(network, ness::WithReplacement{10}) == 0);
  CHECK(allocations_in_steps(network, ness::WithReplacement{33}) == 0);
  CHECK(allocations_in_steps(network, ness::WithoutReplacement{20}) == 0);
  CHECK(allocations_in_steps(network, ness::FullBatch{}) == 0);
}

TEST_CASE("A step of chains side by side does not allocate") {
  ness::Philox random(1);
  const ness::Objective objective(ness::regression_network(random), ness::L2{0.1});
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 1e-6, .minibatch = {10}};
  ness::Chain one(objective, training, Eigen::VectorXd::Constant(7, 0.1), ness::Philox(1));
  ness::Chain other(objective, training, Eigen::VectorXd::Constant(7, 0.2), ness::Philox(2));
  const std::array chains{&one, &other};
  one.step();
  CHECK(allocations_in([&] { decltype(one)::step(chains); }) == 0);
}

TEST_CASE("A step of a linear model does not allocate") {
  const ness::LinearModel<> model(generic_values(49, 300, 1), generic_values(10, 300, 2));
  CHECK(allocations_in_steps(model, ness::WithReplacement{100}) == 0);
  CHECK(allocations_in_steps(model, ness::WithoutReplacement{50}) == 0);
}

TEST_CASE("A step of a dynamic network does not allocate") {
  const ness::Mlp<ness::DynamicLayers> network(generic_values(5, 300, 1), generic_values(2, 300, 2),
                                               {5, 8, 2});
  CHECK(allocations_in_steps(network, ness::WithReplacement{30}) == 0);
  CHECK(allocations_in_steps(network, ness::WithReplacement{64}) == 0);
  CHECK(allocations_in_steps(network, ness::WithReplacement{100}) == 0);
  CHECK(allocations_in_steps(network, ness::WithReplacement{131}) == 0);
}

TEST_CASE("A step of a sampler does not allocate, whatever its noise and correction") {
  const ness::LinearModel<> model(generic_values(7, 600, 1), generic_values(3, 600, 2));
  CHECK(allocations_in_steps(model, ness::Sgld{1e-4, {30}}) == 0);
  CHECK(allocations_in_steps(model, ness::SgworldLmUncorrected{1e-4, {30}}) == 0);
  CHECK(allocations_in_steps(model, ness::Sgworld{1e-4, {30}}) == 0);
  CHECK(allocations_in_steps(model, ness::SgworldLm{.learning_rate = 1e-4,
                                                    .minibatch = {30},
                                                    .correction = {.samples = 20}}) == 0);
  CHECK(allocations_in_steps(model, ness::SmsUbu{1e-4, {30}, {2}}) == 0);
  CHECK(allocations_in_steps(model, ness::Sghmc{1e-4, {30}, {2}}) == 0);
  ness::Philox random(1);
  CHECK(allocations_in_steps(ness::regression_network(random), ness::Sgworld{1e-9, {10}}) == 0);
  CHECK(allocations_in_steps(ness::regression_network(random), ness::SmsBaoab{1e-9, {10}, {2}}) ==
        0);
}

TEST_CASE("A step with an update that remembers does not allocate") {
  const auto with = [](const auto& update) {
    const ness::Sgd<ness::WithReplacement, std::decay_t<decltype(update)>> training{
        .learning_rate = 1e-4, .minibatch = {30}, .update = update};
    const ness::LinearModel<> model(generic_values(7, 600, 1), generic_values(3, 600, 2));
    return allocations_in_steps(model, training);
  };
  CHECK(with(ness::HeavyBall{}) == 0);
  CHECK(with(ness::Nesterov{}) == 0);
  CHECK(with(ness::QuasiHyperbolic{}) == 0);
  CHECK(with(ness::Adaptive::adam_w()) == 0);
}

TEST_CASE("A step with another learning rate does not allocate") {
  const auto in_steps = [](const auto& training) {
    const ness::Objective objective(
        ness::LinearModel<>(generic_values(7, 600, 1), generic_values(3, 600, 2)), ness::L2{0.1});
    ness::Scheduled chain(ness::Chain(objective, training, Eigen::VectorXd::Constant(21, 0.1)),
                          ness::PowerSchedule{.first = 1e-4, .delay = 1, .exponent = 0.5});
    chain.step();
    return allocations_in([&] {
      for (int k = 0; k < 5; ++k) chain.step();
    });
  };
  CHECK(in_steps(ness::Sgld{1e-4, {30}}) == 0);
  CHECK(in_steps(ness::SgworldLm{.learning_rate = 1e-4, .minibatch = {30}}) == 0);
  CHECK(in_steps(ness::SmsBaoab{1e-4, {30}, {2}}) == 0);
  CHECK(in_steps(ness::Sgd<ness::WithReplacement, ness::Nesterov>{1e-4, {30}}) == 0);
  CHECK(in_steps(ness::Sgd<ness::WithReplacement, ness::Adaptive>{1e-4, {30}}) == 0);
}

TEST_CASE("A step of a system does not allocate") {
  const auto in_steps = [](auto chain) {
    chain.step();
    return allocations_in([&] {
      for (int k = 0; k < 5; ++k) chain.step();
    });
  };
  ness::Philox random(3);
  const ness::Polymer<> polymer({.beads = 10});
  CHECK(in_steps(ness::EulerMaruyama(polymer, 0.01, polymer.draw(random))) == 0);
  const ness::Polymer<ness::FreeDraining> free({.beads = 10});
  CHECK(in_steps(ness::EulerMaruyama(free, 0.01, free.draw(random))) == 0);
  const Eigen::VectorXd native = ness::helix(10, 1.0);
  const ness::Folding folding{.contacts = ness::native_contacts(native, 1.7)};
  const ness::Polymer<ness::RotnePragerYamakawa, double, ness::Folding> folds(
      {.beads = 10, .interactions = folding});
  CHECK(in_steps(ness::MetropolizedEuler(folds, 1e-3, native)) == 0);
  const ness::Polymer<ness::FreeDraining, double, ness::Folding> folds_freely(
      {.beads = 10, .interactions = folding});
  CHECK(in_steps(ness::MetropolizedEuler(folds_freely, 1e-3, native)) == 0);
  const auto gyrator = ness::brownian_gyrator(2, 1, 3, 1);
  CHECK(in_steps(ness::EulerMaruyama(gyrator, 0.01, Eigen::Vector2d(0, 0))) == 0);
  using Walls = ness::ReflectingWalls<Eigen::Vector2d>;
  const auto walls = Walls::box(Eigen::Vector2d(-0.1, -0.1), Eigen::Vector2d(0.1, 0.1));
  CHECK(in_steps(ness::EulerMaruyama(gyrator, 0.01, Eigen::Vector2d(0, 0), ness::Philox(1),
                                     walls)) == 0);
  const ness::WrightFisher<> evolution(100, Eigen::Vector3d(0.1, 0.1, 0.1),
                                       Eigen::Vector3d(0, 0, 0));
  CHECK(in_steps(ness::WrightFisherChain(evolution, 1,
                                         Eigen::VectorXd(Eigen::Vector2d(0.3, 0.3)))) == 0);
}
