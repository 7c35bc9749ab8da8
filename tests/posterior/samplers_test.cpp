#include "ness/posterior/samplers.hpp"

#include <cmath>
#include <vector>

#include "ness/dynamics/chain.hpp"
#include "ness/landscape/effective_landscape.hpp"
#include "ness/landscape/pair_force.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/training/earthquake.hpp"
#include "ness/trajectory/checkpoint.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/quadratic.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Philox;

constexpr double eta = 1e-3;
constexpr Eigen::Index samples = 12;
constexpr Eigen::Index batch = 3;
constexpr Eigen::Index epoch = samples / batch;

const auto& objective() {
  static const ness::Objective result(QuadraticLosses(3, samples, 5),
                                      QuadraticRegularizer{symmetric(3, 6), VectorXd::Ones(3)});
  return result;
}

const VectorXd& start() {
  static const VectorXd theta = generic_values(3, 1, 9);
  return theta;
}

template <class Training>
ness::Chain<std::decay_t<decltype(objective())>, Training, Philox> chain(const Training& training) {
  return {objective(), training, start(), Philox(3)};
}

VectorXd next_normals(ness::Normal& normal, Philox& random) {
  VectorXd z(3);
  normal.fill(random, z);
  return z;
}

// ∇δ𝓛 and its part that is due to the batches, by the formulas of Eq. 16 and App. B.
struct Landscape {
  VectorXd full, sampling;
  explicit Landscape(const VectorXd& theta) {
    ness::Derivatives<QuadraticLosses> derivatives(objective().model());
    MatrixXd g(3, samples);
    MatrixXd h(9, samples);
    derivatives.sample_gradients(theta, 0, g);
    derivatives.sample_hessians(theta, 0, h);
    MatrixXd mean_h = MatrixXd::Zero(3, 3);
    VectorXd hg = VectorXd::Zero(3);
    for (Eigen::Index i = 0; i < samples; ++i) {
      mean_h += h.col(i).reshaped(3, 3) / samples;
      hg += h.col(i).reshaped(3, 3) * g.col(i);
    }
    const VectorXd mean_g = g.rowwise().mean();
    const double factor = -eta * epoch * (epoch - 1) / 2;
    const double m = samples;
    sampling = factor * (mean_h * mean_g / (m - 1) - hg / (m * (m - 1)));
    full = sampling + factor * objective().hessian(theta) * objective().gradient(theta);
  }
};

}  // namespace

TEST_CASE("Langevin noise adds √(2η) z after each update") {
  const ness::Langevin training{.learning_rate = eta};
  auto langevin = chain(training);
  Philox random(3);
  ness::Normal normal;
  VectorXd theta = start();
  for (int k = 0; k < 3; ++k) {
    theta += -eta * objective().gradient(theta) + std::sqrt(2 * eta) * next_normals(normal, random);
    langevin.update();
    CHECK(relative_error(langevin.theta(), theta) <= 1e-14);
  }
}

TEST_CASE("Leimkuhler–Matthews noise is shared by neighbouring updates") {
  const ness::LangevinLm training{.learning_rate = eta};
  auto langevin = chain(training);
  Philox random(3);
  ness::Normal normal;
  VectorXd theta = start();
  VectorXd last = next_normals(normal, random);
  for (int k = 0; k < 3; ++k) {
    const VectorXd next = next_normals(normal, random);
    theta += -eta * objective().gradient(theta) + std::sqrt(eta / 2) * (last + next);
    last = next;
    langevin.update();
    CHECK(relative_error(langevin.theta(), theta) <= 1e-14);
  }
}

TEST_CASE("The noise of an epoch is added at its end, once, with n times the variance") {
  auto plain = chain(ness::Sgd<ness::WithoutReplacement>{eta, {batch}});
  auto noisy = chain(ness::SgworldUncorrected{eta, {batch}});
  for (Eigen::Index k = 0; k < epoch; ++k) {
    CHECK(noisy.theta() == plain.theta());
    plain.update();
    noisy.update();
  }
  // The epoch took the words of its order, all 32 bits: one for each sample but rejections.
  Philox random(3);
  ness::WithoutReplacement::Sampler sampler({batch}, samples);
  for (Eigen::Index k = 0; k < epoch; ++k) sampler.next(random);
  ness::Normal normal;
  const VectorXd noise = std::sqrt(2 * eta * epoch) * next_normals(normal, random);
  CHECK(relative_error(noisy.theta() - plain.theta(), noise) <= 1e-12);
}

TEST_CASE("Corrections add η∇δ𝓛 of the start of the epoch at its end: all of it, or of sampling") {
  const Landscape landscape(start());
  auto uncorrected = chain(ness::SgworldUncorrected{eta, {batch}});
  auto corrected = chain(ness::Sgworld{eta, {batch}});
  auto lm_uncorrected = chain(ness::SgworldLmUncorrected{eta, {batch}});
  auto lm = chain(ness::SgworldLm{eta, {batch}});
  uncorrected.step();
  corrected.step();
  lm_uncorrected.step();
  lm.step();
  CHECK(relative_error(corrected.theta() - uncorrected.theta(), eta * landscape.full) <= 1e-10);
  CHECK(relative_error(lm.theta() - lm_uncorrected.theta(), eta * landscape.sampling) <= 1e-10);
}

TEST_CASE("The effective landscape is what noise and correction leave of it") {
  const Landscape expected(start());
  const auto left = [&](const auto& training) {
    return ness::EffectiveLandscape(objective(), training).correction_gradient(start());
  };
  CHECK(relative_error(left(ness::Sgd<ness::WithoutReplacement>{eta, {batch}}), expected.full) <=
        1e-12);
  CHECK(relative_error(left(ness::SgworldUncorrected{eta, {batch}}), expected.full) <= 1e-12);
  CHECK(relative_error(left(ness::SgworldLmUncorrected{eta, {batch}}), expected.sampling) <= 1e-12);
  CHECK(left(ness::Sgworld{eta, {batch}}).norm() == 0);
  CHECK(left(ness::SgworldLm{eta, {batch}}).norm() == 0);
  const ness::Training<ness::WithoutReplacement, ness::Plain, ness::EpochLangevinNoise,
                       ness::SamplingCorrection>
      mixed{eta, {batch}};
  CHECK(relative_error(left(mixed), expected.full - expected.sampling) <= 1e-12);
  // The value and the Hessian belong to the gradient: central differences, exact for quadratics.
  const ness::EffectiveLandscape landscape(objective(), mixed);
  const VectorXd step = 1e-2 * generic_values(3, 1, 14);
  const double rise = landscape.correction(start() + step) - landscape.correction(start() - step);
  CHECK(relative_error(2 * step.dot(landscape.correction_gradient(start())), rise) <= 1e-9);
  const VectorXd turn =
      landscape.correction_gradient(start() + step) - landscape.correction_gradient(start() - step);
  CHECK(relative_error(2 * landscape.correction_hessian(start()) * step, turn) <= 1e-8);
}

TEST_CASE("A force estimated from K samples is right on average, and exact from all of them") {
  const ness::LandscapeParts parts =
      GENERATE(ness::LandscapeParts{1, 1}, ness::LandscapeParts{0, 1}, ness::LandscapeParts{1, 0},
               ness::LandscapeParts{0.5, 2});
  ness::detail::PairForce force(objective(), parts);
  VectorXd exact(3), found(3);
  force.exact(start(), exact);
  double last_variance = 0;
  for (const std::size_t size : {2U, 4U, 8U}) {
    VectorXd mean = VectorXd::Zero(3);
    double square = 0;
    int count = 0;
    for (std::uint32_t set = 0; set < 1U << samples; ++set) {
      std::vector<std::uint32_t> subset;
      for (std::uint32_t i = 0; i < samples; ++i)
        if ((set >> i & 1U) != 0) subset.push_back(i);
      if (subset.size() != size) continue;
      force.estimate(start(), subset, found);
      mean += found;
      square += (found - exact).squaredNorm();
      ++count;
    }
    CHECK(relative_error(mean / count, exact) <= 1e-12);
    // Var ∝ 1/K − 1/M, and a term in 1/K² on top for pairs: between (1/K − 1/M) and its square.
    const double variance = square / count;
    if (last_variance > 0) {
      const auto k = static_cast<double>(size);
      const double fall = (2 / k - 1.0 / samples) / (1 / k - 1.0 / samples);
      CHECK(last_variance / variance >= 0.999 * fall);
      CHECK(last_variance / variance <= 1.001 * fall * fall);
    }
    last_variance = variance;
  }
  std::vector<std::uint32_t> all(samples);
  std::iota(all.begin(), all.end(), 0U);
  force.estimate(start(), all, found);
  CHECK(relative_error(found, exact) <= 1e-12);
}

TEST_CASE("Blocks of one width cover all samples of a model larger than a block") {
  const ness::Objective wide(
      ness::LinearModel<>(generic_values(4, 700, 21), generic_values(1, 700, 22)), ness::L2{0.3});
  const VectorXd theta = generic_values(4, 1, 23);
  ness::detail::PairForce force(wide, {1, 1});
  std::vector<std::uint32_t> all(700);
  std::iota(all.begin(), all.end(), 0U);
  VectorXd exact(4), by_samples(4);
  force.exact(theta, exact);
  force.estimate(theta, all, by_samples);
  CHECK(relative_error(exact, by_samples) <= 1e-12);
}

TEST_CASE("A sampler goes on from a checkpoint to the last bit, also in the middle of an epoch") {
  ness::SgworldLm training{eta, {batch}};
  training.correction.samples = GENERATE(0, 4);
  auto first = chain(training);
  for (int k = 0; k < 6; ++k) first.update();
  ness::CheckpointWriter writer;
  writer(first);
  auto second = chain(training);
  second.update();
  ness::CheckpointReader reader(writer.bytes());
  reader(second);
  CHECK(reader.at_end());
  for (int k = 0; k < 20; ++k) {
    first.update();
    second.update();
    CHECK(first.theta() == second.theta());
  }
}

TEST_CASE("Noise policies are told apart by what they have") {
  using Vector = Eigen::VectorXd;
  STATIC_REQUIRE(ness::NoisePolicy<ness::NoNoise, Vector>);
  STATIC_REQUIRE(ness::NoisePolicy<ness::Earthquake, Vector>);
  STATIC_REQUIRE(ness::NoisePolicy<ness::LangevinNoise, Vector>);
  STATIC_REQUIRE(!ness::NoisePolicy<ness::NoCorrection, Vector>);
  STATIC_REQUIRE(ness::ShakingNoise<ness::Earthquake>);
  STATIC_REQUIRE(!ness::ShakingNoise<ness::NoNoise>);
  STATIC_REQUIRE(!ness::ShakingNoise<ness::EpochLangevinNoise>);
  STATIC_REQUIRE(ness::InjectedNoise<ness::LangevinNoise>);
  STATIC_REQUIRE(ness::InjectedNoise<ness::LeimkuhlerMatthewsNoise>);
  STATIC_REQUIRE(!ness::InjectedNoise<ness::NoNoise>);
  STATIC_REQUIRE(!ness::InjectedNoise<ness::Earthquake>);
}

TEST_CASE("Gradient evaluations of a Markov step") {
  CHECK(ness::gradient_evaluations(ness::Sgld{eta, {3}}, 12) == 3);
  CHECK(ness::gradient_evaluations(ness::Langevin{eta}, 12) == 12);
  CHECK(ness::gradient_evaluations(ness::SgworldUncorrected{eta, {3}}, 12) == 12);
  CHECK(ness::gradient_evaluations(ness::Sgworld{eta, {3}}, 12) == 12 + 48);
  CHECK(ness::gradient_evaluations(
            ness::SgworldLm{.learning_rate = eta, .minibatch = {3}, .correction = {.samples = 2}},
            12) == 12 + 8);
}

TEST_CASE("Settings that do not fit are refused") {
  const auto make = [](Eigen::Index subset) {
    return chain(ness::SgworldLm{
        .learning_rate = eta, .minibatch = {batch}, .correction = {.samples = subset}});
  };
  CHECK_THROWS_WITH(make(1), contains("correction.samples must be 0, for all, or in 2 ... M = 12, "
                                      "but is 1"));
  CHECK_THROWS_WITH(make(13), contains("but is 13"));
  CHECK_THROWS_WITH(make(-1), contains("but is -1"));
  CHECK_THROWS_WITH(chain(ness::Sgld{0, {batch}}), contains("learning_rate must be positive"));
  CHECK_THROWS_WITH(chain(ness::Sgworld{eta, {5}}), contains("must divide M = 12"));
}
