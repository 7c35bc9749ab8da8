// The stationary state of adaptive updates, against the chain of θ and its momentum, closed forms
// and simulation.
#include "ness/stationary/adaptive.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "ness/minibatch/with_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/random/normal.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/trajectory/measure.hpp"
#include "ness/trajectory/momentum_entropy.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"
#include "support/network.hpp"
#include "support/noisy_descent.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Adaptive;

constexpr Eigen::Index n = 4;

const std::vector<Adaptive> updates{Adaptive::adam(), Adaptive::adam_w(0.3), Adaptive::rms_prop(),
                                    Adaptive{.momentum = 0.5, .floor = 0.7, .decay = 0.1},
                                    Adaptive{.momentum = 0, .decay = 0.2}};

struct Problem {
  MatrixXd hessian = positive_definite(n, 3, 0.05, 1.2);
  MatrixXd gradients = positive_definite(n, 8, 0.1, 3);  // their covariance
  VectorXd minimum = VectorXd::LinSpaced(n, -0.7, 1.1);
  double eta = 0.2;

  Problem() {  // sizes that differ, so that P is not I
    const VectorXd sizes = VectorXd::LinSpaced(n, 0.2, 3);
    hessian = (sizes.asDiagonal() * hessian * sizes.asDiagonal()).eval();
    gradients = (sizes.asDiagonal() * gradients * sizes.asDiagonal()).eval();
  }
  MatrixXd diffusion() const { return eta * eta / 2 * gradients; }
  ness::LinearChain<double> chain(const Adaptive& update) const {
    return ness::adaptive_chain(minimum, hessian, diffusion(), eta, update);
  }
};

/// P of a chain.
VectorXd scale_of(const ness::LinearChain<double>& chain, double eta) {
  return chain.mobility.diagonal() / eta;
}

/// s = (θ, m) of given P: s' = As + Uξ, 2N × 2N and 2N × N.
struct WithMomentum {
  MatrixXd a{2 * n, 2 * n}, u{2 * n, n};

  WithMomentum(const Problem& of, const Adaptive& update, const VectorXd& p) {
    const MatrixXd one = MatrixXd::Identity(n, n), scale = of.eta * MatrixXd(p.asDiagonal());
    const double fresh = 1 - update.momentum;
    a << (1 - of.eta * update.decay) * one - fresh * scale * of.hessian, -update.momentum * scale,
        fresh * of.hessian, update.momentum * one;
    u << -fresh * scale, fresh * one;
  }
  MatrixXd covariance(const MatrixXd& gradients) const {
    MatrixXd x = u * gradients * u.transpose(), power = a;
    for (int k = 0; k < 40; ++k) {
      x = (x + power * x * power.transpose()).eval();
      power = (power * power).eval();
    }
    return x;
  }
};

}  // namespace

TEST_CASE("v of an adaptive update is the mean square of the gradients that it makes") {
  const Problem problem;
  for (const Adaptive& update : updates) {
    INFO(update.description());
    const ness::StationaryState<double> state(problem.chain(update));
    const VectorXd p = scale_of(state.chain(), problem.eta);
    const VectorXd mean = problem.hessian * (state.mean() - problem.minimum);
    // Decay and gradient balance.
    CHECK((update.decay * state.mean() + p.cwiseProduct(mean)).norm() <= 1e-13);
    const MatrixXd moment = problem.gradients +
                            problem.hessian * state.covariance() * problem.hessian +
                            mean * mean.transpose();
    const VectorXd denominators = moment.diagonal().cwiseSqrt().array() + update.floor;
    CHECK(relative_error(p.cwiseInverse(), denominators) <= 1e-13);
  }
}

TEST_CASE("Σ, C, ⟨σ⟩ and decay rates of an adaptive update are those of the chain of θ and m") {
  const Problem problem;
  for (const Adaptive& update : updates) {
    INFO(update.description());
    const ness::StationaryState<double> state(problem.chain(update));
    const WithMomentum whole(problem, update, scale_of(state.chain(), problem.eta));
    const MatrixXd x = whole.covariance(problem.gradients);
    const MatrixXd now = x.topLeftCorner(n, n);
    const MatrixXd next = (whole.a * x).topLeftCorner(n, n);  // ⟨θ_{k+1}θ_kᵀ⟩
    CHECK(relative_error(state.covariance(), now) <= 1e-12);
    CHECK(relative_error(state.drift(), now - next) <= 1e-11);
    CHECK(relative_error(state.circulation(), (next.transpose() - next) / 2) <= 1e-11);
    CHECK(state.residual() <= 1e-13);
    CHECK(state.nonequilibrium_ratio() > 0.1);
    VectorXd rates = 1 - whole.a.eigenvalues().cwiseAbs().array();
    std::sort(rates.begin(), rates.end());
    CHECK(state.decay_rates()[0] == Approx(rates[0]).epsilon(1e-10));
    // Heavy ball of momentum β and c₀: −(1 − β)/c₀ tr(D⁻¹KC).
    const double beta = update.momentum * (1 - problem.eta * update.decay);
    const MatrixXd product = state.diffusion().inverse() * state.relaxation() * state.circulation();
    const double sigma = -(1 - beta) / (1 - update.momentum) * product.trace();
    CHECK(relative_error(state.entropy_production(), sigma) <= 1e-10);
    // What the drift goes down.
    MatrixXd held = problem.hessian;
    held.diagonal() += update.decay * scale_of(state.chain(), problem.eta).cwiseInverse();
    CHECK(relative_error(state.landscape_hessian(), held) <= 1e-13);
  }
}

TEST_CASE("A floor far above all gradients makes Adam the heavy ball of rate η(1 − β₁)/ε") {
  const Problem problem;
  const auto difference = [&](double floor) {
    const double eta = problem.eta * floor;
    const MatrixXd d = eta * eta / 2 * problem.gradients;
    const ness::StationaryState<double> adam(
        ness::adaptive_chain(problem.minimum, problem.hessian, d, eta, Adaptive{.floor = floor}));
    auto chain = ness::linear_chain(problem.minimum, problem.hessian, problem.diffusion(),
                                    problem.eta, ness::LyapunovForm::discrete);
    ness::remember(ness::HeavyBall{0.9, 0.9}.linear(), chain);
    const ness::StationaryState<double> ball(chain);
    return relative_error(adam.covariance(), ball.covariance()) +
           relative_error(adam.circulation(), ball.circulation());
  };
  CHECK(difference(1e9) <= 1e-7);
  CHECK(difference(1e7) / difference(1e8) == Approx(10).epsilon(1e-5));
}

TEST_CASE("Adaptive updates do not depend on the unit of the loss, nor on one of all parameters") {
  const Problem problem;
  for (const Adaptive& update : updates) {
    const ness::StationaryState<double> state(problem.chain(update));
    const double unit = 1e6;
    Adaptive of_loss = update, of_theta = update;
    of_loss.floor *= unit;
    of_theta.floor /= unit;
    of_theta.decay /= unit;
    const ness::StationaryState<double> loss(
        ness::adaptive_chain(problem.minimum, unit * problem.hessian,
                             unit * unit * problem.diffusion(), problem.eta, of_loss));
    CHECK(relative_error(loss.covariance(), state.covariance()) <= 1e-12);
    CHECK(relative_error(loss.circulation(), state.circulation()) <= 1e-11);
    const ness::StationaryState<double> theta(
        ness::adaptive_chain(unit * problem.minimum, problem.hessian / unit / unit,
                             problem.diffusion(), unit * problem.eta, of_theta));
    CHECK(relative_error(theta.covariance(), unit * unit * state.covariance()) <= 1e-12);
    CHECK(relative_error(theta.entropy_production(), state.entropy_production()) <= 1e-10);
  }
}

namespace {

const MatrixXd one = MatrixXd::Identity(1, 1);

/// η²C of a direction with h = 1 and the covariance C of the gradients.
ness::LinearChain<double> direction(double eta, double covariance, const Adaptive& update) {
  return ness::adaptive_chain(VectorXd::Zero(1), one, eta * eta / 2 * covariance * one, eta,
                              update);
}

}  // namespace

TEST_CASE("Adaptive updates keep below the edge of stability, as far as there is noise") {
  // One direction: v = 2C/(2 − x), x = ηh/√v, so that √v = (ηh + √(η²h² + 16C))/4.
  Adaptive update = Adaptive::rms_prop();
  update.floor = 1e-300;
  for (const double eta : {1e-3, 1.0, 10.0, 1e3}) {
    INFO("η = " << eta);
    const double root = (eta + std::sqrt(eta * eta + 16)) / 4;
    CHECK(scale_of(direction(eta, 1, update), eta)[0] == Approx(1 / root).epsilon(1e-12));
  }
  Problem problem;
  problem.eta = 300;
  const ness::StationaryState<double> state(problem.chain(Adaptive::adam()));
  CHECK(state.covariance().allFinite());
  CHECK_THROWS_WITH(
      direction(0.1, 0, Adaptive::adam()),
      contains("the mean squares of the gradients must settle") && contains("raise update.floor"));
}

TEST_CASE("An adaptive update that the theory does not reach is refused by a sentence") {
  CHECK_THROWS_WITH(direction(0.1, 1, {.square_memory = 0.8}),
                    contains("ness::adaptive_chain: update.square_memory must be near 1") &&
                        contains("but is 0.8") && contains("off by a relative -0.07"));
  CHECK_NOTHROW(direction(0.1, 1, {.square_memory = 0.9}));
  CHECK_THROWS_WITH(direction(0.1, 1, {.decay = 11}),
                    contains("learning_rate * update.decay must be below 1, but is 1.1"));
  CHECK_THROWS_WITH(ness::adaptive_chain(VectorXd::Zero(1), -one, one, 0.1, Adaptive::adam()),
                    contains("every eigenvalue of the Hessian must be positive"));
  CHECK_THROWS_WITH(ness::adaptive_chain(VectorXd::Zero(2), one, one, 0.1, Adaptive::adam()),
                    contains("hessian must be 2 x 2"));
  const ness::Sgd<ness::WithReplacement, Adaptive> training{.learning_rate = 1e-3,
                                                            .minibatch = {10}};
  CHECK_THROWS_WITH(ness::predict(network(), network_minimum(), training, {.mean_shift = true}),
                    contains("mean_shift must be false"));
}

TEST_CASE("Adaptive updates in single precision") {
  const Problem problem;
  for (const Adaptive& update : updates) {
    const ness::StationaryState<double> state(problem.chain(update));
    const Eigen::MatrixXf h = problem.hessian.cast<float>(), d = problem.diffusion().cast<float>();
    const Eigen::VectorXf minimum = problem.minimum.cast<float>();
    const ness::StationaryState<float> single(
        ness::adaptive_chain(minimum, h, d, problem.eta, update));
    CHECK(relative_error(single.covariance(), state.covariance()) <= 1e-4);
  }
}

namespace {

/// What β₂ < 1 does to ⟨θ²⟩ of one direction, over ⟨θ²⟩, from the same noise with v fixed, which
/// takes away most of the scatter.
struct Deviation {
  double value, error;

  template <class Noise>
  Deviation(double eta, const Adaptive& update, Noise noise) {
    constexpr int groups = 40, steps = 100'000;
    const auto chain = direction(eta, 1, update);
    const double expected = ness::StationaryState<double>(chain).covariance()(0, 0);
    const double p = scale_of(chain, eta)[0];
    Adaptive::State<Eigen::Vector<double, 1>> state(update, eta, 1);
    Eigen::Vector<double, 1> theta(0), gradient;
    double fixed = 0, momentum = 0;
    std::vector<double> means;
    for (int group = -2; group < groups; ++group) {
      double sum = 0;
      for (int k = 0; k < steps; ++k) {
        const double xi = noise();
        gradient[0] = theta[0] + xi;
        state.move(theta, gradient);
        momentum = update.momentum * momentum + (1 - update.momentum) * (fixed + xi);
        fixed -= eta * p * momentum;
        sum += theta[0] * theta[0] - fixed * fixed;
      }
      if (group >= 0) means.push_back(sum / steps / expected);
    }
    const Eigen::Map<VectorXd> all(means.data(), groups);
    value = all.mean();
    error = (all.array() - value).matrix().norm() / std::sqrt(groups * (groups - 1.0));
  }
};

/// Mean 0, variance 1, of m draws of 0 and ±√6: their excess kurtosis is 3/m.
auto sparse(int m, std::uint64_t seed) {
  return [m, random = ness::Philox(seed)]() mutable {
    double sum = 0;
    for (int k = 0; k < m; ++k)
      if (const auto bits = static_cast<std::uint32_t>(random()); bits % 6 == 0)
        sum += bits & 1u << 30 ? std::sqrt(6.0) : -std::sqrt(6.0);
    return sum / std::sqrt(double(m));
  };
}

}  // namespace

TEST_CASE("Σ of an adaptive update deviates in proportion to 1 − β₂, and as the kurtosis has it") {
  const auto normal = [](std::uint64_t seed) {
    return
        [random = ness::Philox(seed), normal = ness::Normal{}]() mutable { return normal(random); };
  };
  const auto update = [](double u, double momentum) {
    return Adaptive{.momentum = momentum, .square_memory = 1 - u};
  };
  // The second order is of a relative 4u with β₁ = 0, and 1/(1 − β₁) times that of u with it.
  for (const double u : {1e-2, 1e-3})
    for (const double eta : {0.1, 0.01}) {
      INFO("1 − β₂ = " << u << ", η = " << eta);
      const Adaptive rms = update(u, 0);
      const Deviation found(eta, rms, normal(7));
      const double expected = ness::adaptive_deviation(rms, eta);
      CHECK(std::abs(found.value - expected) <= 3 * found.error + 4 * u * std::abs(expected));
    }
  const Deviation tenth(0.1, update(0.1, 0), normal(8)), hundredth(0.1, update(0.01, 0), normal(8));
  CHECK(tenth.value < -10 * tenth.error);
  CHECK(hundredth.value < -8 * hundredth.error);
  CHECK(tenth.value / hundredth.value == Approx(10).epsilon(0.3));
  const Deviation adam(0.01, update(0.003, 0.9), normal(7));
  CHECK(std::abs(adam.value + 0.375 * 0.003) <= 3 * adam.error);
  for (const int m : {1, 10})
    for (const double eta : {0.1, 0.01}) {
      INFO("kurtosis of " << m << " samples, η = " << eta);
      const Adaptive rms = update(0.01, 0);
      const Deviation found(eta, rms, sparse(m, 11));
      const double expected = ness::adaptive_deviation(rms, eta, 3.0 / m);
      CHECK(std::abs(found.value - expected) <= 3 * found.error + 0.04 * std::abs(expected));
    }
}

TEST_CASE("Σ, C and ⟨σ⟩ of the path of Adam with normal noise are the predicted") {
  Problem problem;
  problem.minimum.setZero();
  problem.eta = 0.05;
  const Adaptive update{.square_memory = 0.9999};
  const ness::StationaryState<double> state(problem.chain(update));
  const ness::RunSettings run{.steps = 200'000, .burn_in = 50'000, .chains = 8};
  const std::int64_t length = ness::batch_length(run.steps, run.chains, 64);
  const auto [moments, area, entropy] = ness::run_chains(
      run,
      [&](int k) {
        return NoisyDescent<Adaptive>(problem.hessian, problem.diffusion(), problem.eta, update,
                                      VectorXd::Zero(n), static_cast<std::uint64_t>(k));
      },
      VectorXd::Zero(n), ness::Moments<>(n, length), ness::Area<>(n, length),
      ness::MomentumEntropy<>(state.diffusion().inverse(), state.relaxation(), state.chain().update,
                              {1}, length, 50));
  const auto worst = [](const auto& estimate, const MatrixXd& theory) {
    double largest = 0;
    for (Eigen::Index k = 0; k < theory.size(); ++k)
      if (const double error = estimate.standard_error.data()[k]; error > 0)
        largest = std::max(largest, std::abs(estimate.value.data()[k] - theory.data()[k]) / error);
    return largest;
  };
  CHECK(worst(moments.covariance(), state.covariance()) <= 3.5);
  CHECK(worst(area.circulation(), state.circulation()) <= 3.5);
  const auto sigma = entropy.results().front().entropy_production;
  CHECK(state.entropy_production() > 20 * sigma.standard_error);
  CHECK(std::abs(sigma.value - state.entropy_production()) <= 3 * sigma.standard_error);
}

namespace {

/// The largest relative deviation of a variance, and how well it is known.
template <class Objective, class Minimum>
std::pair<double, double> deviation_of(const Objective& objective, const Minimum& minimum,
                                       double eta, const Adaptive& update, std::int64_t steps) {
  const ness::Sgd<ness::WithReplacement, Adaptive> training{
      .learning_rate = eta, .minibatch = {10}, .update = update};
  const auto state = ness::predict(objective, minimum, training);
  const auto measured = ness::measure(
      objective, training, state,
      {.run = {.steps = steps, .burn_in = steps / 10, .chains = 8, .seed = 3}, .lengths = {}});
  double worst = 0, error = 0;
  for (Eigen::Index k = 0; k < state.mean().size(); ++k) {
    const double theory = state.covariance()(k, k);
    worst = std::max(worst, std::abs(measured.covariance.value(k, k) / theory - 1));
    error = std::max(error, measured.covariance.standard_error(k, k) / theory);
  }
  return {worst, error};
}

}  // namespace

TEST_CASE("Adam on a linear model and on the regression network: variances within 3 %") {
  const ness::Objective linear(
      ness::LinearModel<>(generic_values(3, 200, 51), generic_values(1, 200, 52)), ness::L2{0.2});
  const auto minimum = ness::minimize(linear, VectorXd::Zero(3).eval());
  for (const Adaptive& update : {Adaptive::adam(), Adaptive::rms_prop(0.999)}) {
    INFO(update.description());
    const auto [worst, error] = deviation_of(linear, minimum, 1e-3, update, 1'000'000);
    CHECK(error <= 0.01);
    CHECK(worst <= 0.03);
  }
  const auto [worst, error] =
      deviation_of(network(), network_minimum(), 1e-3, Adaptive::adam(), 1'000'000);
  CHECK(error <= 0.015);
  CHECK(worst <= 0.03);
}

TEST_CASE("AdamW settles where its decay balances the gradients of the network, not at a minimum") {
  const ness::Sgd<ness::WithReplacement, Adaptive> training{
      .learning_rate = 1e-3, .minibatch = {10}, .update = Adaptive::adam_w(0.1)};
  const auto state = ness::predict(network(), network_minimum(), training);
  const VectorXd p = scale_of(state.chain(), training.learning_rate);
  const VectorXd gradient = network().gradient(state.mean());
  const VectorXd pull = 0.1 * state.mean();
  CHECK((pull + p.cwiseProduct(gradient)).norm() <= 1e-8 * pull.norm());
  CHECK((state.mean() - network_minimum().theta).norm() > 0.1);
  const MatrixXd h = network().hessian(state.mean());
  const MatrixXd noise = 2e6 * ness::update_diffusion(network(), state.mean(), training);
  const VectorXd squares =
      (noise + h * state.covariance() * h + gradient * gradient.transpose()).diagonal();
  CHECK(relative_error(p.cwiseInverse().cwiseAbs2(), squares) <= 1e-7);
}
