// Learning rates that fall while a chain runs.
#include "ness/dynamics/scheduled.hpp"

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "ness/dynamics/chain.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/training/earthquake.hpp"
#include "ness/trajectory/draws.hpp"
#include "ness/trajectory/run.hpp"
#include "ness/update/adaptive.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/temporary_file.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

const auto& objective() {
  static const ness::Objective result(
      ness::LinearModel<>(generic_values(3, 40, 31), generic_values(1, 40, 32)), ness::L2{0.1});
  return result;
}

const VectorXd& start() {
  static const VectorXd result = VectorXd::Constant(3, 0.3);
  return result;
}

constexpr ness::PowerSchedule falling{.first = 0.02, .delay = 5, .exponent = 0.6};

template <class T>
auto chain_of(T training, double learning_rate) {
  training.learning_rate = learning_rate;
  return ness::Chain(objective(), training, start(), ness::Philox(5));
}

/// Calls look(training) with each kind of update, noise and correction.
template <class Look>
void for_each_training(const Look& look) {
  look(ness::Sgd<ness::WithReplacement>{.minibatch = {4}});
  look(ness::Sgd<ness::WithoutReplacement, ness::HeavyBall>{.minibatch = {4}});
  look(ness::Sgd<ness::WithReplacement, ness::QuasiHyperbolic>{.minibatch = {4}});
  look(ness::Sgd<ness::WithReplacement, ness::Adaptive>{.minibatch = {4},
                                                        .update = ness::Adaptive::adam_w()});
  look(ness::EarthquakeModel{.noise = {0.1}});
  look(ness::Sgld{.minibatch = {4}});
  look(ness::Sgworld{.minibatch = {4}, .correction = {.samples = 8}});
  look(ness::SgworldLm{.minibatch = {4}});
  look(ness::SgworldLmThereAndBack{.minibatch = {4}});
  look(ness::SmsUbu{.minibatch = {4}, .update = {.friction = 2}});
  look(ness::SmsBaoab{.minibatch = {4}, .update = {.friction = 2}});
  look(ness::Training<ness::WithReplacement, ness::Kinetic<ness::Obabo>>{
      .minibatch = {4}, .update = {.friction = 2}});
  look(ness::Sghmc{.minibatch = {4}, .update = {.friction = 2}});
}

template <class Chain>
std::vector<VectorXd> states(Chain chain, int steps) {
  std::vector<VectorXd> result;
  for (int k = 0; k < steps; ++k) {
    chain.step();
    result.push_back(chain.theta());
  }
  return result;
}

struct Killed {};

}  // namespace

TEST_CASE("a power of the steps falls as Welling and Teh have it") {
  const ness::PowerSchedule schedule{.first = 0.5, .delay = 10, .exponent = 0.55};
  CHECK(schedule(0) == 0.5);
  CHECK(relative_error(schedule(90), 0.5 * std::pow(10, -0.55)) < 1e-15);
  CHECK(ness::PowerSchedule{.first = 0.5}(1000) == 0.5);
  CHECK(ness::PowerSchedule::best_exponent(1) == 1.0 / 3);
  CHECK(ness::PowerSchedule::best_exponent(3) == 1.0 / 7);
  CHECK(schedule.description() == "learning rate 0.5 (1 + t/10)^-0.55 of Markov step t");
  const auto refused = [](const ness::PowerSchedule& bad) {
    CHECK_THROWS_AS(ness::Scheduled(chain_of(ness::Sgld{.minibatch = {4}}, 0.1), bad),
                    std::invalid_argument);
  };
  refused({.first = 0});
  refused({.first = 1, .delay = 0});
  refused({.first = 1, .exponent = -0.1});
  refused({.first = 1, .exponent = 1.1});
}

TEST_CASE("a schedule that is constant changes no bit, whatever the chain was made with") {
  for_each_training([](const auto& training) {
    const auto plain = states(chain_of(training, 0.013), 5);
    const ness::PowerSchedule constant{.first = 0.013};
    CHECK(states(ness::Scheduled(chain_of(training, 0.013), constant), 5) == plain);
    CHECK(states(ness::Scheduled(chain_of(training, 0.1), constant), 5) == plain);
  });
}

TEST_CASE("a learning rate is changed between Markov steps alone, and must be positive") {
  auto chain = chain_of(ness::SgworldLm{.minibatch = {4}}, 0.01);
  chain.update();
  CHECK_THROWS_AS(chain.set_learning_rate(0.005), std::logic_error);
  chain.set_learning_rate(0.01);  // nothing changes
  for (int k = 1; k < 10; ++k) chain.update();
  chain.set_learning_rate(0.005);
  CHECK(chain.learning_rate() == 0.005);
  CHECK_THROWS_AS(chain.set_learning_rate(0), std::invalid_argument);
  CHECK_THROWS_AS(chain.set_learning_rate(NAN), std::invalid_argument);
}

TEST_CASE("steps of plain updates and of momentum are those of the learning rate of the step") {
  const ness::Sgd<ness::FullBatch> plain{.learning_rate = 1};
  ness::Scheduled descent(ness::Chain(objective(), plain, start()), falling);
  VectorXd theta = start();
  for (int t = 0; t < 9; ++t) {
    theta -= falling(t) * objective().gradient(theta);
    descent.step();
    CHECK(descent.learning_rate() == falling(t));
    CHECK((descent.theta() - theta).norm() < 1e-14);
  }
  // The buffer is of gradients, as PyTorch has it: η multiplies it on its way to θ.
  const ness::Sgd<ness::FullBatch, ness::Nesterov> nesterov{.learning_rate = 1, .update = {0.8}};
  ness::Scheduled moving(ness::Chain(objective(), nesterov, start()), falling);
  theta = start();
  VectorXd buffer = VectorXd::Zero(3);
  for (int t = 0; t < 9; ++t) {
    const VectorXd gradient = objective().gradient(theta);
    buffer = t == 0 ? gradient : VectorXd(0.8 * buffer + gradient);
    theta -= falling(t) * (gradient + 0.8 * buffer);
    moving.step();
    CHECK((moving.theta() - theta).norm() < 1e-14);
  }
}

TEST_CASE("the shared normal numbers keep the covariance as long as the learning rate falls") {
  // 2aw = η and w² + a'² = η, a of the number before, whatever η was: w and a' from two components.
  const ness::LeimkuhlerMatthewsNoise noise;
  ness::LeimkuhlerMatthewsNoise::Source<VectorXd> source(noise, {2, 0.3, 1});
  ness::Philox random(8), again(8);
  ness::Normal normal;
  Eigen::Matrix2d z;  // this number and the next
  VectorXd number(2);
  normal.fill(again, number);
  z.col(1) = number;
  double in_theta = std::sqrt(0.15);
  for (const double eta : {0.3, 0.2, 0.199, 0.02, 0.02, 0.02, 0.0003}) {
    source.set_learning_rate(eta);
    VectorXd theta = VectorXd::Zero(2);
    source.after_update(theta, random);
    z.col(0) = z.col(1).eval();
    normal.fill(again, number);
    z.col(1) = number;
    const Eigen::Vector2d weights = Eigen::Vector2d(z(1, 1) * theta[0] - z(0, 1) * theta[1],
                                                    z(0, 0) * theta[1] - z(1, 0) * theta[0]) /
                                    (z(0, 0) * z(1, 1) - z(0, 1) * z(1, 0));
    CHECK(relative_error(2 * in_theta * weights[0], eta) < 1e-12);
    CHECK(relative_error(weights.squaredNorm(), eta) < 1e-12);
    in_theta = weights[1];
    CHECK(in_theta >= std::sqrt(eta / 2) * (1 - 1e-12));
  }
  // Where it rises both weights are those of the new one.
  source.set_learning_rate(0.5);
  VectorXd theta = VectorXd::Zero(2);
  source.after_update(theta, random);
  normal.fill(again, number);
  CHECK(relative_error(theta, (0.5 * (z.col(1) + number)).eval()) < 1e-12);
}

TEST_CASE("kicks and frictions of two steps that meet have half of each") {
  // Two chains of the same numbers: what they are apart moves as if there were no noise.
  const auto check = [](const auto& scheme, bool frictions_meet) {
    using Scheme = std::decay_t<decltype(scheme)>;
    const ness::Training<ness::FullBatch, ness::Kinetic<Scheme>> training{
        .learning_rate = 0.3, .update = {.friction = 2}};
    ness::Chain here(objective(), training, start(), ness::Philox(3));
    ness::Chain there(objective(), training, VectorXd(-2 * start()), ness::Philox(3));
    const MatrixXd hessian = objective().hessian(start());
    VectorXd theta = -3 * start(), velocity = VectorXd::Zero(3);
    double last = 0.3;
    for (const double h : {0.3, 0.2, 0.05, 0.05, 0.04}) {
      here.set_learning_rate(h);
      there.set_learning_rate(h);
      here.step();
      there.step();
      if (frictions_meet) {
        velocity -= last / 2 * hessian * theta;
        velocity *= std::exp(-2 * (last + h) / 2);
        velocity -= h / 2 * hessian * theta;
        theta += h * velocity;
      } else {
        velocity -= (last + h) / 2 * hessian * theta;
        theta += h / 2 * velocity;
        velocity *= std::exp(-2 * h);
        theta += h / 2 * velocity;
      }
      last = h;
      CHECK(relative_error((there.theta() - here.theta()).eval(), theta) < 1e-12);
    }
  };
  check(ness::Baoab{}, false);
  check(ness::Obabo{}, true);
}

TEST_CASE("a run with a schedule goes on to the same bits after it was killed") {
  const auto check = [](const auto& training, bool every_update) {
    const auto run = [&](ness::RunSettings settings) {
      settings.steps = 40'000;
      settings.chains = 2;
      settings.threads = 2;
      settings.every_update = every_update;
      const auto make_chain = [&](int k) {
        return ness::Scheduled(
            ness::Chain(objective(), training, start(), ness::Philox(9, static_cast<unsigned>(k))),
            ness::PowerSchedule{.first = 0.02, .delay = 100, .exponent = 0.4});
      };
      const auto [draws] = ness::run_chains(settings, make_chain, start(), ness::Draws(3, 7));
      return draws.array().values;
    };
    const auto whole = run({});
    const TemporaryFile file;
    int kills = 0;
    for (const std::int64_t updates : {1, 30'001, 60'000}) {
      ness::RunSettings settings;
      settings.checkpoint = {.file = file.name, .seconds = 1e-9};
      settings.progress = [&](std::int64_t done, std::int64_t) {
        if (done >= updates) throw Killed{};
      };
      try {
        (void)run(settings);
      } catch (const Killed&) {
        ++kills;
      }
    }
    CHECK(kills == 3);
    ness::RunSettings settings;
    settings.checkpoint = {.file = file.name};
    CHECK(run(settings) == whole);
  };
  check(ness::Sgld{.learning_rate = 0.1, .minibatch = {4}}, false);
  check(ness::SgworldLm{.learning_rate = 0.1, .minibatch = {4}}, false);
  check(ness::SgworldLm{.learning_rate = 0.1, .minibatch = {4}}, true);
  check(ness::SmsBaoab{.learning_rate = 0.1, .minibatch = {4}, .update = {.friction = 2}}, true);
}
