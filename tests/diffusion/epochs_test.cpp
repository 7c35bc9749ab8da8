// Appendix B by enumeration: every partition of up to nine samples.
#include <Eigen/Cholesky>
#include <ness/diffusion/epochs.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/linear_model.hpp>
#include <utility>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/every_partition.hpp"
#include "support/quadratic.hpp"
#include "support/scaled_gradients.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Sgd = ness::Sgd<ness::WithoutReplacement>;
using ness::EpochNoise;

/// (M, m), all with m a divisor of M.
const std::vector<std::pair<Eigen::Index, Eigen::Index>> partitions{
    {2, 1}, {3, 1}, {4, 1}, {4, 2}, {5, 1}, {6, 1}, {6, 2}, {6, 3}, {7, 1}, {8, 2}, {8, 4}, {9, 3}};

auto quadratic_objective(Eigen::Index n, Eigen::Index samples) {
  return ness::Objective(QuadraticLosses(n, samples, 3),
                         QuadraticRegularizer{symmetric(n, 4), generic_values<VectorXd>(n, 1, 5)});
}

/// The losses of a linear model, of whose structure nothing is said.
struct Plain {
  const ness::LinearModel<>& model;
  Eigen::Index parameters() const { return model.parameters(); }
  Eigen::Index samples() const { return model.samples(); }
  template <class Vector>
  auto sample_loss(const Vector& theta, Eigen::Index i) const {
    return model.sample_loss(theta, i);
  }
};

}  // namespace

TEST_CASE("the moments of a random partition are those of all partitions") {
  for (const auto& [samples, m] : partitions) {
    const auto M = static_cast<double>(samples);
    const double n = M / static_cast<double>(m);
    ness::EpochMoments sum{};
    double count = 0;
    for_every_partition(samples, m, [&, m = m](const std::vector<int>& batch_of) {
      const auto zeta = [&](std::size_t i) { return (n - 1) / 2 - batch_of[i]; };
      const auto chi = [&](std::size_t i, std::size_t j) {
        return (batch_of[i] > batch_of[j] ? 1 : 0) - (M - static_cast<double>(m)) / (2 * (M - 1));
      };
      ++count;
      sum.a0 += zeta(0) * zeta(0);
      sum.a0_off += zeta(0) * zeta(1);
      sum.a1 += zeta(0) * chi(1, 0);
      sum.a3 += chi(0, 1) * chi(0, 1);
      sum.a4 += chi(0, 1) * chi(1, 0);
      if (batch_of.size() < 3) return;
      sum.a2 += chi(0, 1) * chi(0, 2);
      sum.a5 += chi(0, 1) * chi(2, 0);
      if (batch_of.size() < 4) return;
      sum.a6 += chi(0, 1) * chi(2, 3);
    });
    const auto a = ness::EpochMoments::exact(samples, m);
    INFO("M = " << samples << ", m = " << m);
    CHECK(std::abs(a.a0 - sum.a0 / count) <= 1e-13 * a.a0);
    CHECK(std::abs(a.a0_off - sum.a0_off / count) <= 1e-13 * a.a0);
    CHECK(std::abs(a.a1 - sum.a1 / count) <= 1e-13);
    CHECK(std::abs(a.a2 - sum.a2 / count) <= 1e-13);
    CHECK(std::abs(a.a3 - sum.a3 / count) <= 1e-13);
    CHECK(std::abs(a.a4 - sum.a4 / count) <= 1e-13);
    CHECK(std::abs(a.a5 - sum.a5 / count) <= 1e-13);
    CHECK(std::abs(a.a6 - sum.a6 / count) <= 1e-13);
  }
}

TEST_CASE("D̂ is half the covariance of the η² term over all partitions, for generic U, V, X, Y") {
  constexpr double eta = 0.31;
  for (const auto& [samples, m] : partitions)
    for (Eigen::Index n : {1, 3}) {
      const auto objective = quadratic_objective(n, samples);
      const VectorXd theta = generic_values<VectorXd>(n, 1, 9);
      const EpochCoefficient enumerated(objective, theta, m);
      const MatrixXd d = ness::diffusion(objective, theta, Sgd{eta, {m}});
      INFO("M = " << samples << ", m = " << m << ", N = " << n);
      CHECK(relative_error(d / std::pow(eta, 4), enumerated.half_covariance) <= 1e-12);
      CHECK(d == d.transpose());
    }
}

TEST_CASE("D̂ of a linear model, by sums over pairs of features, is that of all partitions") {
  for (const auto& [samples, m] : partitions)
    for (Eigen::Index outputs : {1, 2, 3}) {
      const ness::Objective objective(
          ness::LinearModel<>(generic_values(3, samples, 1), generic_values(outputs, samples, 2),
                              {0.7}),
          QuadraticRegularizer{symmetric(3 * outputs, 4),
                               generic_values<VectorXd>(3 * outputs, 1, 5)});
      static_assert(ness::HasKroneckerCurvature<ness::LinearModel<>>);
      const VectorXd theta = generic_values<VectorXd>(3 * outputs, 1, 9);
      const EpochCoefficient enumerated(objective, theta, m);
      const MatrixXd d = ness::diffusion(objective, theta, Sgd{1, {m}});
      INFO("M = " << samples << ", m = " << m << ", K = " << outputs);
      CHECK(relative_error(d, enumerated.half_covariance) <= 1e-12);
    }
}

TEST_CASE("a step of static size and blocks that do not hold all samples give the same D̂") {
  const MatrixXd features = generic_values(3, 700, 1);
  const MatrixXd targets = generic_values(2, 700, 2);
  const ness::LinearModel<> model(features, targets);
  const ness::LinearModel<double, 6> static_model(features, targets);
  static_assert(!ness::HasKroneckerCurvature<Plain>);
  const Eigen::Matrix<double, 6, 1> theta = generic_values<VectorXd>(6, 1, 9);
  const Sgd training{.learning_rate = 1, .minibatch = {50}};
  const ness::L2 l2{0.4};
  const VectorXd at = theta;
  const MatrixXd by_pairs = ness::diffusion(ness::Objective(model, l2), at, training);
  CHECK(relative_error(ness::diffusion(ness::Objective(Plain{model}, l2), at, training),
                       by_pairs) <= 1e-12);
  CHECK(relative_error(ness::diffusion(ness::Objective(static_model, l2), theta, training),
                       by_pairs) <= 1e-12);
}

TEST_CASE("the leading and curvature forms are their formulas, and approach D̂ near a minimum") {
  // At a minimum with M and n large, all of them agree to a few per cent.
  constexpr Eigen::Index samples = 2000, m = 20, n = samples / m;
  MatrixXd features = generic_values(2, samples, 1);
  features.row(0).array() += 3;
  const MatrixXd targets =
      Eigen::RowVector2d(0.5, -1) * features + generic_values(1, samples, 2, 0.3);
  const ness::Objective objective(ness::LinearModel<>(features, targets), ness::L2{0.2});
  const VectorXd zero = VectorXd::Zero(2);
  const MatrixXd h = objective.hessian(zero);
  const VectorXd theta = -h.llt().solve(objective.gradient(zero));
  constexpr double eta = 1e-3;
  const Sgd training{.learning_rate = eta, .minibatch = {m}};
  const auto d = [&](EpochNoise level) {
    return MatrixXd(ness::diffusion(objective, theta, training, level));
  };

  const MatrixXd v = scaled_gradients(objective, theta);
  const MatrixXd h_loss = h - 0.4 * MatrixXd::Identity(2, 2);
  MatrixXd b = h_loss * v;
  for (Eigen::Index i = 0; i < samples; ++i)
    b.col(i) -= 2.0 / samples * features.col(i) * features.col(i).dot(v.col(i));
  b *= n * n;
  const double a2 = ness::EpochMoments::exact(samples, m).a2;
  CHECK(relative_error(d(EpochNoise::leading), std::pow(eta, 4) / 2 * a2 * b * b.transpose()) <=
        1e-12);
  CHECK(relative_error(d(EpochNoise::curvature),
                       std::pow(eta * n, 4) / 24 * h * v * v.transpose() * h) <= 1e-12);
  const ness::Sgd<ness::WithReplacement> step{.learning_rate = eta, .minibatch = {m}};
  CHECK(relative_error(
            d(EpochNoise::step_noise),
            eta * eta * n * n * n / 12 * h * ness::diffusion(objective, theta, step) * h) <= 1e-12);

  const MatrixXd exact = d(EpochNoise::exact);
  CHECK(relative_error(d(EpochNoise::printed), exact) <= 0.01);
  CHECK(relative_error(d(EpochNoise::printed), exact) > 1e-8);
  CHECK(relative_error(d(EpochNoise::curvature), exact) <= 0.05);
  CHECK(relative_error(d(EpochNoise::step_noise), exact) <= 0.05);
}

TEST_CASE("D̂ as printed in B18 differs from the truth by per cents for few samples") {
  for (const auto& [samples, m] : partitions) {
    if (samples < 4) continue;
    const auto objective = quadratic_objective(3, samples);
    const VectorXd theta = generic_values<VectorXd>(3, 1, 9);
    const MatrixXd printed = ness::diffusion(objective, theta, Sgd{1, {m}}, EpochNoise::printed);
    const double off =
        relative_error(printed, EpochCoefficient(objective, theta, m).half_covariance);
    INFO("M = " << samples << ", m = " << m << ": " << off);
    CHECK(off > 0.001);
    CHECK(off < 0.6);
  }
}

TEST_CASE("one batch makes no noise, and bad input of D̂ is refused") {
  const auto objective = quadratic_objective(2, 6);
  const VectorXd theta = VectorXd::Zero(2);
  for (EpochNoise level : {EpochNoise::exact, EpochNoise::printed, EpochNoise::leading,
                           EpochNoise::curvature, EpochNoise::step_noise})
    CHECK(ness::diffusion(objective, theta, Sgd{0.1, {6}}, level).norm() == 0);
  CHECK(ness::diffusion(quadratic_objective(2, 1), theta, Sgd{0.1, {1}}).norm() == 0);
  CHECK_THROWS_WITH(ness::diffusion(objective, theta, Sgd{0.1, {4}}),
                    contains("must divide M = 6") && contains("3 and 6"));
  CHECK_THROWS_WITH(ness::diffusion(objective, theta, Sgd{0, {3}}), contains("but is 0"));
  CHECK_THROWS_WITH(ness::diffusion(objective, VectorXd::Zero(3).eval(), Sgd{1, {3}}),
                    contains("theta must be 2 x 1, but is 3 x 1"));
}
