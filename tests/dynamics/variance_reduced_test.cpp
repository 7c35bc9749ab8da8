// Gradients against a reference that moves: every batch enumerated, and runs against exact moments.
#include "ness/dynamics/variance_reduced.hpp"

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <vector>

#include "ness/dynamics/projected.hpp"
#include "ness/dynamics/scheduled.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/minibatch/drop_last.hpp"
#include "ness/minibatch/full_batch.hpp"
#include "ness/minibatch/importance_sampling.hpp"
#include "ness/minibatch/independent_draws.hpp"
#include "ness/minibatch/one_order.hpp"
#include "ness/minibatch/poisson.hpp"
#include "ness/minibatch/stratified.hpp"
#include "ness/minibatch/there_and_back.hpp"
#include "ness/model/control_variates.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/trajectory/draws.hpp"
#include "ness/trajectory/moments.hpp"
#include "ness/trajectory/run.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/decay.hpp"
#include "support/every_draw.hpp"
#include "support/quadratic.hpp"
#include "support/scripted_bits.hpp"
#include "support/temporary_file.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::VarianceReduced;

constexpr Eigen::Index n = 2, samples = 6;

const auto& objective() {
  static const ness::Objective result(
      QuadraticLosses(n, samples, 5),
      QuadraticRegularizer{8 * MatrixXd::Identity(n, n), VectorXd::Ones(n)});
  return result;
}
const auto& minimum() {
  static const auto result = ness::minimize(objective(), VectorXd(VectorXd::Zero(n)));
  return result;
}
const VectorXd& start() {
  static const VectorXd result = minimum().theta + VectorXd::LinSpaced(n, 0.3, -0.5);
  return result;
}

/// H of the objective on these samples.
template <class Batch>
MatrixXd hessian_of(const Batch& batch) {
  MatrixXd result = objective().regularizer_hessian(minimum().theta);
  for (const std::uint32_t i : batch)
    result += objective().model().curvature[i] / static_cast<double>(batch.size());
  return result;
}

template <class T>
auto reduced(const T& training, ness::Index renew_every, std::uint64_t stream = 0) {
  return VarianceReduced(ness::Chain(objective(), training, start(), ness::Philox(7, stream)),
                         renew_every);
}

/// Where a chain that is renewed in each update goes, against full gradients.
template <class Minibatch>
void check_without_noise(const Minibatch& minibatch) {
  const ness::Sgd<Minibatch, ness::HeavyBall> training{
      .learning_rate = 0.02, .minibatch = minibatch, .update = {0.5}};
  const ness::Sgd<ness::FullBatch, ness::HeavyBall> all{.learning_rate = 0.02, .update = {0.5}};
  auto chain = reduced(training, 1);
  ness::Chain expected(objective(), all, start());
  for (int k = 0; k < 12; ++k) {
    chain.update();
    expected.update();
    CHECK(relative_error(chain.theta(), expected.theta()) <= 1e-14);
  }
}

/// ⟨ssᵀ⟩ of s = (θ − θ₀, v, θ_r − θ₀) after an update, from that before it, of one batch.
MatrixXd force(const MatrixXd& of_batch, bool renewed) {
  MatrixXd result = MatrixXd::Zero(n, 3 * n);
  result.leftCols(n) = renewed ? minimum().hessian : of_batch;
  if (!renewed) result.rightCols(n) = minimum().hessian - of_batch;
  return result;
}
MatrixXd renewal(bool renewed) {
  MatrixXd result = MatrixXd::Identity(3 * n, 3 * n);
  if (!renewed) return result;
  result.bottomRightCorner(n, n).setZero();
  result.bottomLeftCorner(n, n).setIdentity();
  return result;
}
MatrixXd moved(const ness::Sgld& sampler, const MatrixXd& before, const MatrixXd& of_batch,
               bool renewed) {
  MatrixXd map = renewal(renewed);
  map.topRows(n) -= sampler.learning_rate * force(of_batch, renewed);
  MatrixXd after = map * before * map.transpose();
  after.topLeftCorner(n, n).diagonal().array() += 2 * sampler.learning_rate;
  return after;
}
MatrixXd moved(const ness::UbuWithReplacement& sampler, const MatrixXd& before,
               const MatrixXd& of_batch, bool renewed) {
  const auto fly = [&](const MatrixXd& from) -> MatrixXd {
    const ness::KineticCoefficients c(ness::Ubu::before[0], sampler.learning_rate,
                                      sampler.update.friction);
    MatrixXd map = MatrixXd::Identity(3 * n, 3 * n);
    map.block(0, n, n, n).diagonal().array() = c.drift;
    map.block(n, n, n, n) *= c.keep;
    MatrixXd result = map * from * map.transpose();
    result.topLeftCorner(n, n).diagonal().array() += c.of_first * c.of_first;
    result.block(0, n, n, n).diagonal().array() += c.of_first * c.first;
    result.block(n, 0, n, n).diagonal().array() += c.of_first * c.first;
    result.block(n, n, n, n).diagonal().array() += c.first * c.first + c.second * c.second;
    return result;
  };
  MatrixXd map = renewal(renewed);
  map.middleRows(n, n) -= sampler.learning_rate * force(of_batch, renewed);
  return fly(map * fly(before) * map.transpose());
}

/// Σ over the phases of a period, by going through periods until it no longer changes.
template <class T>
MatrixXd exact_covariance(const T& sampler, ness::Index renew_every) {
  MatrixXd moments = MatrixXd::Zero(3 * n, 3 * n), sum = MatrixXd::Zero(n, n), last;
  do {
    last = sum;
    sum.setZero();
    for (ness::Index k = 0; k < renew_every; ++k) {
      MatrixXd next = MatrixXd::Zero(3 * n, 3 * n);
      for (std::uint32_t i = 0; i < samples; ++i)
        next += moved(sampler, moments, hessian_of(std::array{i}), k == 0) / samples;
      moments = next;
      sum += moments.topLeftCorner(n, n) / static_cast<double>(renew_every);
    }
  } while ((sum - last).norm() > 1e-13 * sum.norm());
  return sum;
}

template <class T>
void check_by_running(const T& sampler, ness::Index renew_every) {
  const auto [moments] = ness::run_chains(
      {.steps = 500'000, .burn_in = 500, .chains = 4},
      [&](int k) { return reduced(sampler, renew_every, static_cast<std::uint64_t>(k)); },
      minimum().theta, ness::Moments<>(n, 1000));
  const auto covariance = moments.covariance();
  const auto away = [&](const MatrixXd& expected) {
    return ((covariance.value - expected).array() / covariance.standard_error.array())
        .abs()
        .maxCoeff();
  };
  CHECK(away(exact_covariance(sampler, renew_every)) <= 4);
  // Enough to tell it from a reference that is renewed sooner, later, or in every update.
  CHECK(away(exact_covariance(sampler, renew_every - 1)) > 8);
  CHECK(away(exact_covariance(sampler, renew_every + 1)) > 8);
  CHECK(away(exact_covariance(sampler, 1)) > 20);
}

/// Counts the gradients of single samples.
struct Counting {
  const QuadraticLosses* losses;
  std::int64_t* count;
  ness::Index parameters() const { return losses->parameters(); }
  ness::Index samples() const { return losses->samples(); }
  double sample_loss(const VectorXd& theta, ness::Index i) const {
    return losses->sample_loss(theta, i);
  }
  void batch_gradient(const VectorXd& theta, ness::Batch batch, VectorXd& gradient) const {
    *count += static_cast<std::int64_t>(batch.size());
    ness::Derivatives(*losses).batch_gradient(theta, batch, gradient);
  }
};

struct Killed {};

}  // namespace

TEST_CASE("between renewals the gradient is without bias, its noise that of unequal curvature") {
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.03, .minibatch = {2}};
  const VectorXd first = start() - 0.03 * objective().gradient(start());
  VectorXd sum = VectorXd::Zero(n);
  int draws = 0;
  for_every_draw({6, 5, 6, 5}, [&](auto random) {
    auto bits = random;
    ness::WithReplacement::Sampler sampler(training.minibatch, samples);
    sampler.next(bits);
    const auto batch = to_vector(sampler.next(bits));
    VarianceReduced chain(ness::Chain(objective(), training, start(), random), 2);
    chain.update();
    CHECK(relative_error(chain.theta(), first) <= 1e-14);
    CHECK(chain.reference() == start());
    chain.update();
    CHECK(chain.reference() == start());
    const VectorXd noise = (hessian_of(batch) - minimum().hessian) * (first - start());
    const VectorXd expected = first - 0.03 * (objective().gradient(first) + noise);
    CHECK(relative_error(chain.theta(), expected) <= 1e-14);
    sum += chain.theta();
    ++draws;
  });
  CHECK(draws == 900);
  CHECK(relative_error(VectorXd(sum / draws),
                       VectorXd(first - 0.03 * objective().gradient(first))) <= 1e-14);
}

TEST_CASE("a gradient against a reference is without bias whatever the losses are") {
  const ness::Objective target(GenericDecay<>{}, ness::L2{0.1});
  const Eigen::Vector3d from(1.3, 0.7, -0.4);
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.03, .minibatch = {1}};
  const auto all = static_cast<std::uint32_t>(target.samples());
  const Eigen::Vector3d first = from - 0.03 * target.gradient(from);
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  for (std::uint32_t i = 0; i < all; ++i) {
    const ScriptedBits<> random({word_for(7, all), word_for(i, all)});
    VarianceReduced chain(ness::Chain(target, training, from, random), 9);
    chain.update();
    chain.update();
    sum += chain.theta() / all;
  }
  CHECK(relative_error(sum, Eigen::Vector3d(first - 0.03 * target.gradient(first))) <= 1e-13);
}

TEST_CASE("at a renewal there is no noise, whatever draws the batches and moves the state") {
  check_without_noise(ness::WithReplacement{2});
  check_without_noise(ness::WithoutReplacement{2});
  check_without_noise(ness::ThereAndBack{2});
  check_without_noise(ness::IndependentDraws{3});
  check_without_noise(ness::Poisson{2});
  check_without_noise(ness::DropLast{4});
  check_without_noise(ness::ImportanceSampling{2, {1, 2, 3, 4, 5, 6}});
  check_without_noise(ness::Stratified{{0, 0, 0, 0, 1, 1}, {2, 1}});
  // Where kinetic samplers take gradients, by batches that take nothing from the random stream.
  const ness::Training<ness::OneOrder, ness::Kinetic<ness::Ubu>> kinetic{
      .learning_rate = 0.2, .minibatch = {2}, .update = {.friction = 2}};
  const ness::Training<ness::FullBatch, ness::Kinetic<ness::Ubu>> all{.learning_rate = 0.2,
                                                                      .update = {.friction = 2}};
  auto chain = reduced(kinetic, 1);
  ness::Chain expected(objective(), all, start(), ness::Philox(7));
  for (int k = 0; k < 12; ++k) {
    chain.update();
    expected.update();
    CHECK(relative_error(chain.theta(), expected.theta()) <= 1e-13);
  }
}

TEST_CASE("a reference that stays is that of control variates") {
  const auto check = [](const auto& training) {
    const ness::Objective controlled(ness::ControlVariates(objective().model(), start()),
                                     objective().regularizer());
    ness::Chain expected(controlled, training, start(), ness::Philox(7));
    auto chain = reduced(training, 1000);
    for (int k = 0; k < 20; ++k) {
      chain.step();
      expected.step();
      CHECK(relative_error(chain.theta(), expected.theta()) <= 1e-12);
    }
  };
  check(ness::Sgld{.learning_rate = 0.02, .minibatch = {2}});
  check(ness::SgworldLmUncorrected{.learning_rate = 0.02, .minibatch = {2}});
  check(ness::SmsBaoab{.learning_rate = 0.1, .minibatch = {2}, .update = {.friction = 2}});
}

TEST_CASE("a sampler with a moving reference runs as its exact moments say") {
  check_by_running(ness::Sgld{.learning_rate = 0.12, .minibatch = {1}}, 3);
  check_by_running(
      ness::UbuWithReplacement{.learning_rate = 0.45, .minibatch = {1}, .update = {.friction = 2}},
      3);
}

TEST_CASE("gradients are counted: all samples at a renewal, two of each of a batch else") {
  std::int64_t count = 0;
  const ness::Objective counted(Counting{&objective().model(), &count}, objective().regularizer());
  const auto counts = [&](const auto& training, int steps) {
    VarianceReduced chain(ness::Chain(counted, training, start()), 9);
    count = 0;
    for (int k = 0; k < steps; ++k) chain.step();
    return static_cast<double>(count) / steps;
  };
  const ness::Sgld sgld{.learning_rate = 0.01, .minibatch = {2}};
  CHECK(relative_error(counts(sgld, 9), (6 + 8 * 2 * 2) / 9.0) <= 1e-15);
  CHECK(relative_error(ness::gradient_evaluations(sgld, samples, 9), counts(sgld, 9)) <= 1e-15);
  const ness::SmsUbu sms{.learning_rate = 0.1, .minibatch = {2}, .update = {.friction = 2}};
  CHECK(relative_error(ness::gradient_evaluations(sms, samples, 9), counts(sms, 9)) <= 1e-15);
  const ness::SgworldLmUncorrected epochs{.learning_rate = 0.01, .minibatch = {3}};
  CHECK(relative_error(ness::gradient_evaluations(epochs, samples, 9), counts(epochs, 9)) <= 1e-15);
}

TEST_CASE(
    "a chain with a moving reference says what it is, and refuses one that is never renewed") {
  const ness::Sgld sgld{.learning_rate = 0.01, .minibatch = {2}};
  const auto chain = reduced(sgld, 30);
  CHECK(chain.description() == sgld.description() + ", reference renewed every 30 updates");
  CHECK(chain.renew_every() == 30);
  CHECK_THROWS_WITH(reduced(sgld, 0), contains("renew_every must be at least 1, but is 0"));
  // Seen in a few directions, and with a learning rate that falls.
  const MatrixXd basis = MatrixXd::Identity(n, 1);
  ness::Projected seen(
      ness::Scheduled(reduced(sgld, 3), ness::PowerSchedule{.first = 0.02, .delay = 1}), basis,
      start());
  ness::Chain first(objective(), ness::Sgld{0.02, {2}}, start(), ness::Philox(7));
  auto same = VarianceReduced(first, 3);
  seen.step();
  same.step();
  CHECK(seen.theta()[0] == (same.theta() - start())[0]);
}

TEST_CASE("a run with a moving reference goes on to the same bits after it was killed") {
  const auto check = [](const auto& training, bool every_update) {
    const auto run = [&](ness::RunSettings settings) {
      settings.steps = 20'000;
      settings.chains = 2;
      settings.threads = 2;
      settings.every_update = every_update;
      const auto make_chain = [&](int k) {
        return reduced(training, 7, static_cast<std::uint64_t>(k));
      };
      const auto [draws] = ness::run_chains(settings, make_chain, start(), ness::Draws(n, 7));
      return draws.array().values;
    };
    const auto whole = run({});
    const TemporaryFile file;
    int kills = 0;
    for (const std::int64_t updates : {1, 15'001, 30'000}) {
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
  check(ness::Sgld{.learning_rate = 0.02, .minibatch = {2}}, false);
  check(ness::SgworldLmUncorrected{.learning_rate = 0.02, .minibatch = {2}}, true);
  check(ness::SmsBaoab{.learning_rate = 0.1, .minibatch = {2}, .update = {.friction = 2}}, false);
}
