// Kinetic samplers: their exact moments against all batches, enumerated, and closed forms.
#include "ness/posterior/kinetic_error.hpp"

#include <Eigen/LU>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "ness/dynamics/chain.hpp"
#include "ness/minibatch/full_batch.hpp"
#include "ness/minibatch/there_and_back.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/random/normal.hpp"
#include "ness/trajectory/moments.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/quadratic.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr Eigen::Index n = 2, samples = 4;

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

/// Gradient and Hessian of the objective on two of the samples, at the minimum.
struct PairOfSamples {
  VectorXd gradient = VectorXd::Zero(n);
  MatrixXd hessian = MatrixXd::Zero(n, n);
};
std::vector<PairOfSamples> every_pair() {
  const auto& losses = objective().model();
  std::vector<PairOfSamples> result;
  for (std::size_t i = 0; i < samples; ++i)
    for (std::size_t j = 0; j < i; ++j) {
      PairOfSamples pair;
      for (const std::size_t s : {i, j}) {
        pair.hessian += losses.curvature[s] / 2;
        pair.gradient += (losses.curvature[s] * minimum().theta +
                          losses.slope.col(static_cast<Eigen::Index>(s))) /
                         2;
      }
      pair.hessian += objective().regularizer_hessian(minimum().theta);
      pair.gradient += objective().regularizer_gradient(minimum().theta);
      result.push_back(pair);
    }
  return result;
}

/// A map of (δθ, v, 1) with the covariance of what it adds, 2N + 1.
struct Moved {
  MatrixXd map = MatrixXd::Identity(2 * n + 1, 2 * n + 1);
  MatrixXd noise = MatrixXd::Zero(2 * n + 1, 2 * n + 1);
  void by(const MatrixXd& m, const MatrixXd& c) {
    map = m * map;
    noise = m * noise * m.transpose() + c;
  }
};

/// The parts of a step as their equations say, flights by many short ones of drift and friction.
struct ByHand {
  double h, friction;
  PairOfSamples pair;
  Moved all = {};

  MatrixXd one() const { return MatrixXd::Identity(2 * n + 1, 2 * n + 1); }
  void drift(double t) {
    MatrixXd m = one();
    m.block(0, n, n, n).diagonal().array() += t;
    all.by(m, MatrixXd::Zero(2 * n + 1, 2 * n + 1));
  }
  void kick(double t) {
    MatrixXd m = one();
    m.block(n, 0, n, n) -= t * pair.hessian;
    m.block(n, 2 * n, n, 1) -= t * pair.gradient;
    all.by(m, MatrixXd::Zero(2 * n + 1, 2 * n + 1));
  }
  void noisy(double keep, double variance) {
    MatrixXd m = one(), c = MatrixXd::Zero(2 * n + 1, 2 * n + 1);
    m.block(n, n, n, n).diagonal().array() *= keep;
    c.block(n, n, n, n).diagonal().array() += variance;
    all.by(m, c);
  }
  void orbit(double t) { noisy(std::exp(-friction * t), 1 - std::exp(-2 * friction * t)); }
  void flight(double t) {  // of order pieces⁻²
    constexpr int pieces = 4000;
    for (int k = 0; k < pieces; ++k) {
      drift(t / pieces / 2);
      orbit(t / pieces);
      drift(t / pieces / 2);
    }
  }
};

/// S of ⟨M ⊗ M⟩ S + noise = S, whose last element is `one`.
MatrixXd second_moment(MatrixXd system, const MatrixXd& noise, double one) {
  const Eigen::Index size = noise.rows(), last = size * size - 1;
  system.diagonal().array() -= 1;
  VectorXd right = -noise.reshaped();
  system.row(last).setZero();
  system(last, last) = 1;
  right[last] = one;
  return VectorXd(system.fullPivLu().solve(right)).reshaped(size, size);
}

/// ⟨δθ⟩ and its covariance, of S = ⟨(z, 1)(z, 1)ᵀ⟩.
std::pair<VectorXd, MatrixXd> solved(const MatrixXd& system, const MatrixXd& noise) {
  const MatrixXd second = second_moment(system, noise, 1);
  const VectorXd mean = second.col(2 * n).head(n);
  return {mean, second.topLeftCorner(n, n) - mean * mean.transpose()};
}

template <class Steps>
MatrixXd enumerated(double h, double friction, const Steps& steps) {
  const auto pairs = every_pair();
  constexpr Eigen::Index size = 2 * n + 1;
  MatrixXd system = MatrixXd::Zero(size * size, size * size), noise = MatrixXd::Zero(size, size);
  for (const PairOfSamples& pair : pairs) {
    ByHand by{h, friction, pair};
    steps(by);
    for (Eigen::Index a = 0; a < size; ++a)
      for (Eigen::Index b = 0; b < size; ++b)
        system.block(a * size, b * size, size, size) +=
            by.all.map(a, b) * by.all.map / static_cast<double>(pairs.size());
    noise += by.all.noise / static_cast<double>(pairs.size());
  }
  return solved(system, noise).second;
}

template <class Scheme, class Steps>
void check(const Steps& steps, double tolerance = 1e-11) {
  for (const double h : {0.05, 0.2})
    for (const double friction : {0.3, 2.0, 8.0}) {
      CAPTURE(Scheme::name, h, friction);
      const ness::Training<ness::WithReplacement, ness::Kinetic<Scheme>> sampler{
          .learning_rate = h, .minibatch = {2}, .update = {.friction = friction}};
      const auto found = ness::exact_posterior_error(objective(), minimum(), sampler);
      REQUIRE(found.status == ness::SamplingStatus::stationary);
      const MatrixXd expected = enumerated(h, friction, [&](ByHand& by) { steps(by, h); });
      CHECK(relative_error(MatrixXd(minimum().hessian.inverse() + found.covariance_excess.value),
                           expected) <= tolerance);
    }
}

/// Epochs of BAOAB, of all six orders of two batches: which pair of samples comes first, then the
/// rest, and back where `and_back`.
struct AllOrders {
  MatrixXd system = MatrixXd::Zero(25, 25), noise = MatrixXd::Zero(5, 5);
  std::vector<Moved> epochs;

  AllOrders(double h, double friction, bool and_back) {
    const auto pairs = every_pair();
    constexpr Eigen::Index size = 2 * n + 1;
    for (std::size_t k = 0; k < 6; ++k) {
      // every_pair lists (1,0), (2,0), (2,1), (3,0), (3,1), (3,2): the rest of k is 5 − k.
      std::vector<std::size_t> order{k, 5 - k};
      if (and_back) order.insert(order.end(), {5 - k, k});
      Moved epoch;
      for (const std::size_t at : order) {
        ByHand by{h, friction, pairs[at], epoch};
        by.kick(h);
        by.drift(h / 2);
        by.orbit(h);
        by.drift(h / 2);
        epoch = by.all;
      }
      for (Eigen::Index a = 0; a < size; ++a)
        for (Eigen::Index b = 0; b < size; ++b)
          system.block(a * size, b * size, size, size) += epoch.map(a, b) * epoch.map / 6;
      noise += epoch.noise / 6;
      epochs.push_back(epoch);
    }
  }

  /// By how much Σ would differ if one order were drawn more often: the root mean square.
  double scatter() const {
    const MatrixXd second = second_moment(system, noise, 1);
    double sum = 0;
    for (const Moved& epoch : epochs) {
      const MatrixXd more = epoch.map * second * epoch.map.transpose() + epoch.noise - second;
      sum += second_moment(system, more, 0).topLeftCorner(n, n).squaredNorm() / 6;
    }
    return std::sqrt(sum);
  }
};

/// ⟨δθ⟩ and Σ after them.
std::pair<VectorXd, MatrixXd> all_orders(double h, double friction, bool and_back) {
  const AllOrders all(h, friction, and_back);
  return solved(all.system, all.noise);
}

}  // namespace

TEST_CASE("the moments of kinetic samplers are those of all batches, enumerated part by part") {
  check<ness::Baoab>([](ByHand& by, double h) {
    by.kick(h);
    by.drift(h / 2);
    by.orbit(h);
    by.drift(h / 2);
  });
  check<ness::Aboba>([](ByHand& by, double h) {
    by.drift(h / 2);
    by.kick(h / 2);
    by.orbit(h);
    by.kick(h / 2);
    by.drift(h / 2);
  });
  check<ness::Obabo>([](ByHand& by, double h) {
    by.kick(h / 2);
    by.orbit(h / 2);
    by.orbit(h / 2);
    by.kick(h / 2);
    by.drift(h);
  });
  check<ness::EulerKinetic>([](ByHand& by, double h) {
    by.drift(h);
    by.noisy(1 - by.friction * h, 2 * by.friction * h);
    by.kick(h);
  });
  check<ness::Ubu>(
      [](ByHand& by, double h) {
        by.flight(h / 2);
        by.kick(h);
        by.flight(h / 2);
      },
      1e-8);
}

TEST_CASE("a flight has the covariance of the Ornstein–Uhlenbeck process, short or long") {
  for (const double x : {1e-4, 0.01, 0.69, 0.71, 3.0, 40.0})
    for (const double friction : {0.1, 5.0}) {
      const double t = x / friction;
      const ness::KineticCoefficients c({ness::KineticPart::flight, 1}, t, friction);
      const double e = std::exp(-x);
      CHECK(relative_error(c.first * c.first + c.second * c.second, -std::expm1(-2 * x)) <= 1e-14);
      CHECK(relative_error(c.of_first * c.first, std::pow(std::expm1(-x), 2) / friction) <= 1e-14);
      // Var θ' = ∫ 2γ [(1 − e^{−γs})/γ]² ds, by Simpson's rule
      double integral = 0;
      constexpr int pieces = 20'000;
      for (int k = 0; k <= pieces; ++k) {
        const double f = std::pow(std::expm1(-x * k / pieces), 2);
        integral += f * (k == 0 || k == pieces ? 1 : k % 2 == 1 ? 4 : 2);
      }
      CHECK(relative_error(c.of_first * c.of_first, 2 / friction * integral * t / pieces / 3) <=
            1e-11);
      CHECK(c.keep == e);
    }
}

TEST_CASE("with all samples a harmonic well is exact by BAOAB, and of order h² by others") {
  const double curvature = minimum().hessian_eigenvalues[1];
  const auto excess = [&]<class Scheme>(const Scheme&, double h) {
    const ness::Training<ness::FullBatch, ness::Kinetic<Scheme>> sampler{.learning_rate = h,
                                                                         .update = {.friction = 2}};
    const auto found = ness::exact_posterior_error(objective(), minimum(), sampler);
    const VectorXd top = ness::detail::SymmetricEigen(minimum().hessian).vectors.col(1);
    return top.dot(found.covariance_excess.value * top) * curvature;
  };
  for (const double h : {0.1, 0.2}) {
    CHECK(std::abs(excess(ness::Baoab{}, h)) <= 1e-13);
    const double z = h * h * curvature;
    CHECK(relative_error(excess(ness::Obabo{}, h), 1 / (1 - z / 4) - 1) <= 1e-11);
  }
  for (const double ratio :
       {excess(ness::Ubu{}, 0.02) / excess(ness::Ubu{}, 0.01),
        excess(ness::EulerKinetic{}, 2e-4) / excess(ness::EulerKinetic{}, 1e-4)})
    CHECK(std::abs(ratio - 4) <= 0.05);
}

TEST_CASE("runs have the exact moments, and go on from a checkpoint to the last bit") {
  const ness::Training<ness::WithReplacement, ness::Kinetic<ness::Ubu>> sampler{
      .learning_rate = 0.2, .minibatch = {2}, .update = {.friction = 2}};
  const auto exact = ness::exact_posterior_error(objective(), minimum(), sampler);
  const MatrixXd sigma = minimum().hessian.inverse() + exact.covariance_excess.value;
  const auto [moments] = ness::run_chains(
      {.steps = 300'000, .burn_in = 1'000, .chains = 2},
      [&](int k) {
        return ness::Chain(objective(), sampler, minimum().theta,
                           ness::Philox(1, static_cast<std::uint64_t>(k)));
      },
      minimum().theta, ness::Moments<>(n, 1'000));
  const auto covariance = moments.covariance();
  CHECK(relative_error(sigma, MatrixXd(minimum().hessian.inverse())) > 0.02);
  for (Eigen::Index k = 0; k < n * n; ++k)
    CHECK(std::abs(covariance.value.data()[k] - sigma.data()[k]) <=
          4 * covariance.standard_error.data()[k]);
  CHECK(covariance.standard_error.norm() <= 0.02 * sigma.norm());

  ness::Chain chain(objective(), sampler, minimum().theta, ness::Philox(1, 0));
  for (int k = 0; k < 100; ++k) chain.step();
  ness::CheckpointWriter writer;
  writer(chain);
  ness::Chain again(objective(), sampler, minimum().theta, ness::Philox(7, 3));
  ness::CheckpointReader reader(writer.bytes());
  reader(again);
  for (int k = 0; k < 100; ++k) {
    chain.step();
    again.step();
  }
  CHECK(chain.theta() == again.theta());
}

TEST_CASE("kinetic samplers there and back are a hundred times nearer for the same gradients") {
  // A posterior of condition 60, in five batches of unequal curvature.
  constexpr Eigen::Index size = 4, points = 20;
  ness::Philox random(3);
  ness::Normal normal;
  MatrixXd x(size, points), y(1, points);
  for (Eigen::Index i = 0; i < points; ++i) {
    for (Eigen::Index k = 0; k < size; ++k)
      x(k, i) = normal(random) * std::pow(100, -static_cast<double>(k) / 6) *
                (1 + 0.5 * static_cast<double>(i % 3));
    y(0, i) = normal(random);
  }
  const ness::Objective target(ness::LinearModel<>(x, y, ness::SquaredLoss{points / 2.0}),
                               ness::L2{1e-3});
  const auto lowest = ness::minimize(target, VectorXd(VectorXd::Zero(size)));
  const double slow = std::sqrt(lowest.hessian_eigenvalues[0]);
  const MatrixXd root = ness::detail::SymmetricEigen(lowest.hessian).root();
  const auto error = [&](auto sampler, double rate) {
    sampler.learning_rate = rate;
    sampler.minibatch = {4};
    if constexpr (requires { sampler.update.friction; }) sampler.update.friction = 2 * slow;
    const auto found = ness::exact_posterior_error(target, lowest, sampler,
                                                   {.epoch_map = {.permutations = 4'000}});
    return MatrixXd(root.transpose() * found.covariance_excess.value * root).norm();
  };
  using WithUbu = ness::Training<ness::WithReplacement, ness::Kinetic<ness::Ubu>>;
  // The table in the README of the posterior example: batch gradients for an e-fold, and errors.
  struct Row {
    double gradients;
    std::array<double, 5> errors;
  };
  for (const Row& row : {Row{200, {0.88, 0.21, 0.26, 2.0e-3, 1.8e-3}},
                         Row{1000, {0.14, 0.033, 0.050, 8.3e-5, 7.6e-5}}}) {
    const double eta = 1 / (row.gradients * slow * slow), h = 1 / (row.gradients * slow);
    const std::array<double, 5> found{error(ness::Sgld{}, eta),
                                      error(ness::SgworldLmUncorrected{}, eta), error(WithUbu{}, h),
                                      error(ness::SmsUbu{}, h), error(ness::SmsBaoab{}, h)};
    for (std::size_t k = 0; k < 5; ++k) CHECK(std::abs(found[k] / row.errors[k] - 1) <= 0.05);
  }
}

TEST_CASE("what does not fit a kinetic sampler is refused; one that runs away says so") {
  ness::SmsUbu sampler{.learning_rate = 0.1, .minibatch = {2}, .update = {.friction = 0}};
  CHECK_THROWS_WITH(ness::exact_posterior_error(objective(), minimum(), sampler),
                    contains("update.friction must be positive and finite, but is 0"));
  CHECK_THROWS_WITH(ness::Chain(objective(), sampler, minimum().theta),
                    contains("update.friction must be positive and finite, but is 0"));
  const ness::Sghmc wild{.learning_rate = 2, .minibatch = {2}, .update = {.friction = 1}};
  CHECK(ness::exact_posterior_error(objective(), minimum(), wild).status ==
        ness::SamplingStatus::no_stationary_state);
  CHECK(ness::gradient_evaluations(sampler, samples) == 2 * samples);
  CHECK(ness::gradient_evaluations(wild, samples) == 2);
}

TEST_CASE("the moments of kinetic epochs there and back are those of all orders") {
  const double h = 0.2, friction = 2;
  const auto [mean, expected] = all_orders(h, friction, true);
  const ness::Training<ness::ThereAndBack, ness::Kinetic<ness::Baoab>> sampler{
      .learning_rate = h, .minibatch = {2}, .update = {.friction = friction}};
  const auto found = ness::exact_posterior_error(objective(), minimum(), sampler,
                                                 {.epoch_map = {.permutations = 60'000}});
  const MatrixXd sigma = minimum().hessian.inverse() + found.covariance_excess.value;
  const double error = found.covariance_excess.standard_error.maxCoeff();
  CHECK((sigma - expected).cwiseAbs().maxCoeff() <= 4 * error);
  CHECK(error <= 1e-3 * expected.norm());
  CHECK((found.mean_shift.value - mean).cwiseAbs().maxCoeff() <=
        4 * found.mean_shift.standard_error.maxCoeff());
}

TEST_CASE("what is known of kinetic epochs is taken off: few of them say what all orders do") {
  const auto check = []<class Sampler>(const Sampler&, bool and_back) {
    for (const double h : {0.05, 0.02}) {
      CAPTURE(h, and_back);
      const Sampler sampler{.learning_rate = h, .minibatch = {2}, .update = {.friction = 2}};
      const auto [mean, sigma] = all_orders(h, 2, and_back);
      const MatrixXd excess = sigma - minimum().hessian.inverse();
      const auto found = ness::exact_posterior_error(objective(), minimum(), sampler,
                                                     {.epoch_map = {.permutations = 64}});
      const MatrixXd& error = found.covariance_excess.standard_error;
      CHECK(((found.covariance_excess.value - excess).array() / error.array()).abs().maxCoeff() <=
            4);
      const double plain = AllOrders(h, 2, and_back).scatter() / 8;  // of 64 orders
      CHECK(plain >= 0.05 * excess.norm());
      CHECK(error.norm() <= 0.1 * plain);
      CHECK(((found.mean_shift.value - mean).array() / found.mean_shift.standard_error.array())
                .abs()
                .maxCoeff() <= 4);
      CHECK(found.mean_shift.standard_error.norm() <= 0.02 * mean.norm());
    }
  };
  check(ness::SmsBaoab{}, true);
  check(ness::Training<ness::WithoutReplacement, ness::Kinetic<ness::Baoab>>{}, false);
}

TEST_CASE("the leading error of kinetic epochs is that of batches unequal in curvature, order η²") {
  // Σ − H⁻¹ = −η²(n + 1)/6 H⁻¹⟨(H_B − H)²⟩H⁻¹, with or without the way back; n = 2.
  const MatrixXd hessian = minimum().hessian, inverse = hessian.inverse();
  MatrixXd square = MatrixXd::Zero(n, n);
  for (const PairOfSamples& pair : every_pair()) {
    const MatrixXd away = pair.hessian - hessian;
    square += away * away / 6;
  }
  for (const double friction : {0.5, 2.0, 8.0})
    for (const bool and_back : {false, true}) {
      CAPTURE(friction, and_back);
      const auto leading = [&](double h) -> MatrixXd {
        return (all_orders(h, friction, and_back).second - inverse) / (h * h);
      };
      const MatrixXd expected = -0.5 * inverse * square * inverse;
      // What is left is smaller by η² there and back, and by η without, for batches then kick
      // apart.
      const MatrixXd far = leading(0.01), near = leading(0.005);
      const double weight = and_back ? 4 : 2;
      CHECK(relative_error(MatrixXd((weight * near - far) / (weight - 1)), expected) <= 0.004);
    }
}
