// The stationary state of updates with a memory, against the chain of θ and its buffer.
#include "ness/stationary/momentum.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "ness/compare.hpp"
#include "ness/minibatch/drop_last.hpp"
#include "ness/minibatch/independent_draws.hpp"
#include "ness/minibatch/poisson.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/stationary/relaxation.hpp"
#include "ness/trajectory/measure.hpp"
#include "ness/trajectory/momentum_entropy.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"
#include "support/network.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::LinearUpdate;

const std::vector<LinearUpdate> updates{
    ness::HeavyBall{0.9}.linear(),  ness::HeavyBall{0.5, 0.3}.linear(),
    ness::HeavyBall{0.99}.linear(), ness::Nesterov{0.9}.linear(),
    ness::Nesterov{0.3}.linear(),   ness::QuasiHyperbolic{0.9, 0.7}.linear()};

struct Problem {
  MatrixXd hessian = positive_definite(4, 3, 0.05, 1.2);
  MatrixXd diffusion = positive_definite(4, 8, 0.1, 3);
  double eta = 0.7;

  ness::LinearChain<double> chain(const LinearUpdate& update) const {
    auto result = ness::linear_chain(VectorXd::Zero(4), hessian, diffusion, eta);
    ness::remember(update, result);
    return result;
  }
  ness::StationaryState<double> state(const LinearUpdate& update) const {
    return ness::StationaryState<double>(chain(update));
  }
};

/// s = (θ, ηb): s' = As + Uξ, 2N × 2N and 2N × N.
struct WithBuffer {
  MatrixXd a, u;

  WithBuffer(const Problem& of, const LinearUpdate& update) : a(8, 8), u(8, 4) {
    const MatrixXd one = MatrixXd::Identity(4, 4);
    const MatrixXd k = of.eta * of.hessian;
    const double c0 = update.direct + update.buffered * update.gain;
    a << one - c0 * k, -update.buffered * update.momentum * one, update.gain * k,
        update.momentum * one;
    u << -c0 * one, update.gain * one;
  }
  /// ⟨ssᵀ⟩ by doubling.
  MatrixXd covariance(const MatrixXd& diffusion) const {
    MatrixXd x = u * 2 * diffusion * u.transpose();
    MatrixXd power = a;
    for (int k = 0; k < 40; ++k) {
      x = (x + power * x * power.transpose()).eval();
      power = (power * power).eval();
    }
    return x;
  }
};

/// (1/4π)∫ tr[S(−ω)⁻¹S(ω) − 1] dω of S = T⁻¹2DT⁻ᴴ: the trapezoidal rule, exact to rounding for
/// enough points of a period.
double entropy_of_spectrum(const Problem& of, const LinearUpdate& update) {
  using Complex = std::complex<double>;
  using Matrix = Eigen::MatrixXcd;
  constexpr int points = 20'000;
  const double c0 = update.direct + update.buffered * update.gain;
  const double c1 = -update.momentum * update.direct;
  const MatrixXd one = MatrixXd::Identity(4, 4);
  const MatrixXd p = (1 + update.momentum) * one - c0 * of.eta * of.hessian;
  const MatrixXd q = update.momentum * one + c1 * of.eta * of.hessian;
  double sum = 0;
  for (int k = 0; k < points; ++k) {
    const double omega = 2 * std::numbers::pi * (k + 0.5) / points;
    const auto spectrum = [&](double at) -> Matrix {
      const Complex z = std::polar(1.0, at);
      const Matrix t = z * one.cast<Complex>() - p.cast<Complex>() + q.cast<Complex>() / z;
      const Matrix inverse = t.inverse();
      return inverse * of.diffusion.cast<Complex>() * inverse.adjoint();
    };
    sum += (spectrum(-omega).inverse() * spectrum(omega)).trace().real() - 4;
  }
  return sum / (2 * points);
}

/// Σ_ij, −⟨Δθ_iθ_j⟩ over 2D_ij of two directions, in long double, from the pairs (θ, ηb).
struct LongPair {
  long double covariance, drift;

  LongPair(const LinearUpdate& update, long double x, long double y) {
    using Matrix = Eigen::Matrix<long double, 2, 2>;
    const long double beta = update.momentum, rho = update.gain, kappa = update.buffered;
    const long double c0 = update.direct + kappa * rho;
    const auto map = [&](long double at) {
      Matrix a;
      a << 1 - c0 * at, -kappa * beta, rho * at, beta;
      return a;
    };
    const Eigen::Matrix<long double, 2, 1> u(-c0, rho);
    Matrix left = map(x), right = map(y), sum = u * u.transpose();
    for (int k = 0; k < 60; ++k) {
      sum = (sum + left * sum * right.transpose()).eval();
      left = (left * left).eval();
      right = (right * right).eval();
    }
    covariance = sum(0, 0);
    drift = c0 * x * sum(0, 0) + kappa * beta * sum(1, 0);
  }
};

}  // namespace

TEST_CASE("Σ, C and ⟨vvᵀ⟩ with a memory are those of the chain of θ and its buffer") {
  const Problem problem;
  for (const LinearUpdate& update : updates) {
    INFO(update.description());
    const WithBuffer whole(problem, update);
    const MatrixXd x = whole.covariance(problem.diffusion);
    const auto state = problem.state(update);
    CHECK(relative_error(state.covariance(), x.topLeftCorner(4, 4)) <= 1e-12);
    const MatrixXd next = (whole.a * x).topLeftCorner(4, 4);  // ⟨θ_{k+1}θ_kᵀ⟩
    const MatrixXd now = x.topLeftCorner(4, 4);
    CHECK(relative_error(state.drift(), now - next) <= 1e-11);
    // The area of a step: ½⟨θ_k Δθᵀ − Δθ θ_kᵀ⟩, as of plain updates.
    CHECK(relative_error(state.circulation(), (next.transpose() - next) / 2) <= 1e-11);
    CHECK(relative_error(state.velocity_covariance(), 2 * now - next - next.transpose()) <= 1e-11);
    CHECK(state.residual() <= 1e-13);
    CHECK(state.drift_correlation() == Approx((now - next).trace()));
    CHECK(state.speed() == Approx(update.speed()));
  }
}

TEST_CASE("Decay rates with a memory are those of the chain of θ and its buffer") {
  const Problem problem;
  for (const LinearUpdate& update : updates) {
    INFO(update.description());
    const ness::detail::SymmetricEigen<double> eigen(problem.hessian);
    std::vector<double> expected;
    for (const double h : eigen.values) {
      Eigen::Matrix2d a;
      const double c0 = update.direct + update.buffered * update.gain;
      a << 1 - c0 * problem.eta * h, -update.buffered * update.momentum,
          update.gain * problem.eta * h, update.momentum;
      expected.push_back(1 - a.eigenvalues().cwiseAbs().maxCoeff());
    }
    std::sort(expected.begin(), expected.end());
    const VectorXd found = problem.state(update).decay_rates();
    for (Eigen::Index k = 0; k < 4; ++k)
      CHECK(found[k] == Approx(expected[static_cast<std::size_t>(k)]).epsilon(1e-10));
  }
  // A root near −1, and one near 1 that is lost where 1 − it is formed.
  using Mode = ness::detail::MemoryMode<double>;
  const LinearUpdate ball = ness::HeavyBall{0.5}.linear();
  CHECK(Mode(ball, 2.99).decay_rate() == Approx(1 - 0.98000 - 0.00028).margin(1e-3));
  CHECK(Mode(ball, 1e-14).decay_rate() == Approx(2e-14).epsilon(1e-12));
}

TEST_CASE("⟨σ⟩ with a memory is that of the spectrum of θ") {
  const Problem problem;
  for (const LinearUpdate& update : updates) {
    INFO(update.description());
    const double expected = entropy_of_spectrum(problem, update);
    REQUIRE(expected > 1e-3);
    CHECK(relative_error(problem.state(update).entropy_production(), expected) <= 1e-10);
  }
  // Heavy ball: −γη tr(D⁻¹HC).
  const LinearUpdate ball = ness::HeavyBall{0.9}.linear();
  const auto state = problem.state(ball);
  const MatrixXd product = problem.diffusion.inverse() * problem.hessian * state.circulation();
  CHECK(state.entropy_production() == Approx(-(1 - 0.9) * problem.eta * product.trace()));
}

TEST_CASE("Without momentum the memory is none: the discrete form of plain updates") {
  const Problem problem;
  const ness::StationaryState plain(ness::linear_chain(VectorXd::Zero(4), problem.hessian,
                                                       problem.diffusion, problem.eta,
                                                       ness::LyapunovForm::discrete));
  for (const LinearUpdate& update :
       {LinearUpdate{}, ness::HeavyBall{0}.linear(), ness::Nesterov{0}.linear(),
        ness::QuasiHyperbolic{0, 0.4}.linear()}) {
    const auto state = problem.state(update);
    CHECK(relative_error(state.covariance(), plain.covariance()) <= 1e-13);
    CHECK(relative_error(state.circulation(), plain.circulation()) <= 1e-12);
    CHECK(relative_error(state.entropy_production(), plain.entropy_production()) <= 1e-11);
    CHECK(relative_error(state.decay_rates(), plain.decay_rates()) <= 1e-13);
  }
}

TEST_CASE("No digit is lost as β → 1 and ηh → 0") {
  for (const double gamma : {0.5, 1e-2, 1e-5, 1e-9})
    for (const double x : {1.0, 1e-3, 1e-7, 1e-12})
      for (const double ratio : {1.0, 1.0 - 1e-9, 1e-3}) {
        INFO("1 − β = " << gamma << ", x = " << x << ", ratio " << ratio);
        const double beta = 1 - gamma;
        const double y = ratio * x;
        const LinearUpdate ball = ness::HeavyBall{beta}.linear();
        using Mode = ness::detail::MemoryMode<double>;
        const ness::detail::MemoryPair<double> pair(ball, Mode(ball, x), Mode(ball, y));
        const long double g = 1 - static_cast<long double>(beta), b = beta, p = x, q = y;
        const long double sigma =
            g * (1 + b) / (g * g * ((1 + b) * (p + q) - p * q) + b * (p - q) * (p - q));
        CHECK(relative_error(pair.covariance, static_cast<double>(sigma)) <= 1e-13);
        // C_ij = (x_i − x_j)Σ_ij/(2γ), half the difference of the two drifts.
        const ness::detail::MemoryPair<double> other(ball, Mode(ball, y), Mode(ball, x));
        const double area = static_cast<double>((p - q) * sigma / (2 * g));
        CHECK(std::abs((pair.drift - other.drift) / 2 - area) <=
              1e-13 * (std::abs(pair.drift) + std::abs(other.drift)));
      }
  for (const double beta : {0.5, 0.9, 0.99, 0.999})
    for (const double x : {0.5, 1e-2, 1e-4, 1e-6})
      for (const double ratio : {1.0, 0.3, 1e-2}) {
        INFO("β = " << beta << ", x = " << x << ", ratio " << ratio);
        for (const LinearUpdate& update :
             {ness::Nesterov{beta}.linear(), ness::QuasiHyperbolic{beta, 0.6}.linear()}) {
          using Mode = ness::detail::MemoryMode<double>;
          const ness::detail::MemoryPair<double> pair(update, Mode(update, x),
                                                      Mode(update, ratio * x));
          const LongPair expected(update, x, ratio * static_cast<long double>(x));
          CHECK(relative_error(pair.covariance, static_cast<double>(expected.covariance)) <= 1e-11);
          CHECK(relative_error(pair.drift, static_cast<double>(expected.drift)) <= 1e-11);
        }
      }
}

TEST_CASE("Momentum is stable up to its own bound, and refused beyond, in terms of η") {
  const MatrixXd h = MatrixXd::Identity(1, 1);
  const auto state = [&](double eta, const LinearUpdate& update) {
    auto chain = ness::linear_chain(VectorXd::Zero(1), h, h, eta);
    ness::remember(update, chain);
    return ness::StationaryState<double>(chain);
  };
  const LinearUpdate ball = ness::HeavyBall{0.9}.linear();
  const LinearUpdate nesterov = ness::Nesterov{0.9}.linear();
  CHECK(ness::detail::largest_stable_rate(ball) == Approx(3.8));
  CHECK(ness::detail::largest_stable_rate(nesterov) == Approx(3.8 / 2.8));
  for (const LinearUpdate& update : {ball, nesterov}) {
    const double most = ness::detail::largest_stable_rate(update);
    CHECK(state(most * (1 - 1e-6), update).covariance()(0, 0) > 1e4);
    CHECK_THROWS_WITH(state(most * (1 + 1e-6), update),
                      contains("must be below") && contains("a momentum of 0.9"));
  }
  CHECK_THROWS_WITH(state(1, LinearUpdate{.momentum = 1}),
                    contains("update.momentum") && contains("but is 1"));
  CHECK_THROWS_WITH(state(1, LinearUpdate{.direct = 0}), contains("update.speed()"));
}

TEST_CASE("What is known of Markov chains alone is refused of a memory") {
  const Problem problem;
  const auto state = problem.state(updates[0]);
  CHECK(state.has_memory());
  CHECK_THROWS_WITH(state.integral_fluctuation(1), contains("must be a Markov chain"));
  CHECK_THROWS_WITH(state.circulation_from_diffusion(), contains("must be a Markov chain"));
  CHECK_THROWS_WITH(state.linear_system(), contains("must be a Markov chain"));
  CHECK_THROWS_WITH(
      ness::Relaxation(problem.chain(updates[0]), {VectorXd::Zero(4), MatrixXd::Zero(4, 4)}),
      contains("this one remembers"));
}

namespace {

const auto& objective() {
  static const ness::Objective linear(
      ness::LinearModel<>(generic_values(3, 200, 51), generic_values(1, 200, 52)), ness::L2{0.2});
  return linear;
}

const auto& minimum() {
  static const auto found = ness::minimize(objective(), VectorXd::Zero(3).eval());
  return found;
}

/// The largest deviation of an element of Σ or C, in standard errors.
template <class Minibatch>
double largest_deviation(const Minibatch& minibatch, const LinearUpdate& update) {
  const ness::Sgd<Minibatch, LinearUpdate> training{
      .learning_rate = 1e-3, .minibatch = minibatch, .update = update};
  const auto state =
      ness::predict(objective(), minimum(), training, {.form = ness::LyapunovForm::discrete});
  const auto measured = ness::measure(
      objective(), training, state,
      {.run = {.steps = 100'000, .burn_in = 20'000, .chains = 8, .seed = 3}, .lengths = {}});
  const auto worst = [](const auto& estimate, const MatrixXd& theory) {
    double largest = 0;
    for (Eigen::Index k = 0; k < theory.size(); ++k)
      if (const double error = estimate.standard_error.data()[k]; error > 0)
        largest = std::max(largest, std::abs(estimate.value.data()[k] - theory.data()[k]) / error);
    return largest;
  };
  return std::max(worst(measured.covariance, state.covariance()),
                  worst(measured.circulation, state.circulation()));
}

}  // namespace

TEST_CASE("A linear model with momentum: simulation agrees with prediction") {
  // 9 comparisons of 9 free elements, t with 63 degrees of freedom: beyond 3.9 once in 50.
  for (const LinearUpdate& update :
       {LinearUpdate{}, ness::HeavyBall{0.9}.linear(), ness::Nesterov{0.9}.linear()}) {
    INFO(update.description());
    CHECK(largest_deviation(ness::WithReplacement{5}, update) <= 3.9);
    CHECK(largest_deviation(ness::IndependentDraws{5}, update) <= 3.9);
    CHECK(largest_deviation(ness::Poisson{5}, update) <= 3.9);
  }
}

TEST_CASE("predict takes momentum beyond the stability of plain updates, and no further") {
  const double steepest = minimum().hessian_eigenvalues.maxCoeff();
  using Ball = ness::Sgd<ness::WithReplacement, ness::HeavyBall>;
  const Ball fast{.learning_rate = 3 / steepest, .minibatch = {200}};
  CHECK(ness::predict(objective(), minimum(), fast).covariance().norm() == 0);  // m = M
  const Ball faster{.learning_rate = 3.9 / steepest, .minibatch = {5}};
  CHECK_THROWS_WITH(ness::predict(objective(), minimum(), faster),
                    contains("learning_rate must be below 3.") && contains("h_max"));
  const Ball ball{.learning_rate = 1e-3, .minibatch = {5}};
  const ness::Sgd<ness::WithReplacement> slow{.learning_rate = 1e-2, .minibatch = {5}};
  // η → 0: as plain updates with the rate η/(1 − β).
  const auto a = ness::predict(objective(), minimum(), ball).covariance();
  const auto b = ness::predict(objective(), minimum(), slow).covariance();
  CHECK(relative_error(a, b) <= 1e-2 * steepest);
}

TEST_CASE(
    "predict refuses a shift of the mean that it does not know, and epochs of leading order") {
  const ness::Sgd<ness::DropLast> dropped{.learning_rate = 1e-3, .minibatch = {7}};
  CHECK_THROWS_WITH(ness::predict(objective(), minimum(), dropped),
                    contains("epochs.order must be additive") && contains("the last dropped"));
  ness::PredictSettings settings{.epochs = {.order = ness::EpochOrder::additive}};
  CHECK(ness::predict(objective(), minimum(), dropped, settings).covariance().norm() > 0);
  settings.mean_shift = true;
  CHECK_THROWS_WITH(ness::predict(objective(), minimum(), dropped, settings),
                    contains("mean_shift must be false"));
}

TEST_CASE("measure and compare have the entropy production of paths with momentum") {
  const ness::Sgd<ness::WithReplacement, LinearUpdate> training{
      .learning_rate = 1e-6, .minibatch = {10}, .update = ness::HeavyBall{0.9}.linear()};
  const ness::PredictSettings discrete{.form = ness::LyapunovForm::discrete};
  const auto state = ness::predict(network(), network_minimum(), training, discrete);
  const auto measure_with_stride = [&](Eigen::Index stride) {
    return ness::measure(network(), training, state,
                         {.run = {.steps = 400'000, .burn_in = 40'000, .chains = 8, .seed = 5},
                          .lengths = {1, 3},
                          .stride = stride});
  };
  const auto measured = measure_with_stride(1);
  const ness::Comparison good = ness::compare(state, measured);
  INFO(good);
  REQUIRE(good.rows.size() == 5);
  CHECK(good.rows[3].quantity == "entropy production (l = 1)");
  for (std::size_t row = 1; row < 5; ++row)  // the shift of the mean is not asked for
    CHECK(good.rows[row].agrees(good.level()));
  const auto& sigma = measured.entropy_production;
  CHECK(sigma.value > 20 * sigma.standard_error);
  CHECK(std::abs(sigma.value - state.entropy_production()) <= 3.5 * sigma.standard_error);
  // From one block of steps in four, each with no step before its first.
  const auto thinned = measure_with_stride(4).entropy_production;
  CHECK(std::abs(thinned.value - state.entropy_production()) <= 3.5 * thinned.standard_error);
  // Its bins are wide enough.
  const ness::Histogram& bins = measured.trajectories[1].histogram;
  CHECK(static_cast<double>(bins.below() + bins.above()) <=
        1e-5 * static_cast<double>(bins.total()));

  auto other = training;
  other.update = ness::HeavyBall{0.85}.linear();
  const ness::Comparison bad =
      ness::compare(ness::predict(network(), network_minimum(), other, discrete), measured);
  CHECK_FALSE(bad.rows[3].agrees(bad.level()));
}

TEST_CASE("no entropy production is measured where a path has none that is known") {
  const ness::Sgd<ness::WithReplacement, ness::Nesterov> training{
      .learning_rate = 1e-2, .minibatch = {5}, .update = {0.5}};
  const auto state =
      ness::predict(objective(), minimum(), training, {.form = ness::LyapunovForm::discrete});
  const auto measured = ness::measure(objective(), training, state,
                                      {.run = {.steps = 20'000, .burn_in = 2'000, .chains = 4}});
  CHECK(measured.trajectories.empty());
  CHECK(std::isnan(measured.entropy_production.value));
  CHECK(ness::compare(state, measured).rows.size() == 3);
}
