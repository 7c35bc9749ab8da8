// Autocovariances and averages against powers of the chain of θ and its buffer.
#include "ness/stationary/averages.hpp"

#include <Eigen/LU>
#include <cmath>
#include <unsupported/Eigen/MatrixFunctions>
#include <vector>

#include "ness/minibatch/epoch_correlation.hpp"
#include "ness/stationary/additive_epochs.hpp"
#include "ness/stationary/momentum.hpp"
#include "ness/trajectory/averages.hpp"
#include "ness/trajectory/run.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"
#include "support/noisy_descent.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::LinearUpdate;

const std::vector<LinearUpdate> updates{LinearUpdate{},
                                        ness::HeavyBall{0.0}.linear(),
                                        ness::HeavyBall{1e-12}.linear(),
                                        ness::HeavyBall{0.9}.linear(),
                                        ness::HeavyBall{0.5, 0.3}.linear(),
                                        ness::HeavyBall{0.999}.linear(),
                                        ness::Nesterov{0.9}.linear(),
                                        ness::Nesterov{0.3}.linear(),
                                        ness::QuasiHyperbolic{0.9, 0.7}.linear()};

const MatrixXd hessian = positive_definite(4, 3, 0.05, 1.2);
const MatrixXd diffusion = positive_definite(4, 8, 0.1, 3);
constexpr double eta = 0.7;

ness::StationaryState<double> state_of(const LinearUpdate& update) {
  auto chain = ness::linear_chain(VectorXd::Zero(4), hessian, diffusion, eta);
  ness::remember(update, chain);
  return ness::StationaryState<double>(chain);
}

/// R(0), …, R(count − 1) from s = (θ, ηb), s' = As + Uξ: the corner of A^t⟨ssᵀ⟩, in long double.
std::vector<MatrixXd> lagged_by_powers(const LinearUpdate& update, int count) {
  using Matrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
  const Matrix one = Matrix::Identity(4, 4);
  const Matrix k = eta * hessian.cast<long double>();
  const long double beta = update.momentum, gain = update.gain, buffered = update.buffered;
  const long double c0 = update.direct + buffered * gain;
  Matrix a(8, 8), u(8, 4);
  a << one - c0 * k, -buffered * beta * one, gain * k, beta * one;
  u << -c0 * one, gain * one;
  Matrix x = u * 2 * diffusion.cast<long double>() * u.transpose(), power = a;
  for (int i = 0; i < 40; ++i) {
    x = (x + power * x * power.transpose()).eval();
    power = (power * power).eval();
  }
  std::vector<MatrixXd> result;
  for (; count > 0; --count) {
    result.push_back(x.topLeftCorner(4, 4).cast<double>());
    x = (a * x).eval();
  }
  return result;
}

MatrixXd mean_by_loops(const std::vector<MatrixXd>& lagged, int window, int stride) {
  MatrixXd sum = MatrixXd::Zero(4, 4);
  for (int t = 0; t < window; ++t)
    for (int s = 0; s < window; ++s) {
      const MatrixXd& r = lagged[static_cast<std::size_t>(std::abs(t - s) * stride)];
      if (t >= s)
        sum += r;
      else
        sum += r.transpose();
    }
  return sum / (window * window);
}

MatrixXd exponential_by_loops(const std::vector<MatrixXd>& lagged, double decay) {
  MatrixXd sum = lagged[0];
  double weight = 1;
  for (std::size_t t = 1; t < lagged.size(); ++t)
    sum += (weight *= decay) * (lagged[t] + lagged[t].transpose());
  return (1 - decay) / (1 + decay) * sum;
}

/// The variance of the mean of T iterates in one direction of rate x, D = 1, from R(0) and R(1) of
/// heavy ball on, in long double.
double slow_mean_by_loops(long double beta, long double x, int window) {
  const long double rest = 1 - beta, bound = 2 * (1 + beta) - x;
  long double value = 2 * (1 + beta) / (rest * x * bound);  // Σ
  long double drop = 2 / (rest * bound);                    // ½⟨v²⟩, R(0) − R(1)
  long double sum = window * value;
  for (int t = 1; t < window; ++t) {
    value -= drop;
    sum += 2 * (window - t) * value;
    drop = beta * drop + x * value;
  }
  return static_cast<double>(sum / window / window);
}

void check_close(const ness::Moments<>& moments, const MatrixXd& expected) {
  const auto found = moments.covariance();
  INFO(found.value << "\n+-\n" << found.standard_error << "\nfor\n" << expected);
  for (Eigen::Index i = 0; i < expected.rows(); ++i) {
    CHECK(found.standard_error(i, i) <= 0.03 * expected(i, i));
    for (Eigen::Index j = 0; j <= i; ++j)
      CHECK(std::abs(found.value(i, j) - expected(i, j)) <= 3 * found.standard_error(i, j));
  }
}

}  // namespace

TEST_CASE("autocovariances and averages are those of the chain's powers") {
  for (const LinearUpdate& update : updates) {
    INFO(update.description());
    const ness::Autocovariance<double> lagged(state_of(update));
    const auto exact = lagged_by_powers(update, 2'000);
    constexpr double tolerance = 5e-13;
    for (const int t : {0, 1, 2, 3, 10, 57})
      CHECK((lagged.at(t) - exact[static_cast<std::size_t>(t)]).norm() <= 1e-12 * exact[0].norm());
    for (const int t : {1, 3, 10}) {
      const MatrixXd& r = exact[static_cast<std::size_t>(t)];
      CHECK((lagged.circulation(t) - (r.transpose() - r) / 2).norm() <= 1e-12 * exact[0].norm());
    }
    CHECK(relative_error(lagged.circulation(1), state_of(update).circulation()) <= 1e-11);
    for (const int window : {1, 2, 3, 16, 101})
      for (const int stride : {1, 2, 7})
        CHECK(relative_error(lagged.of_mean(window, stride),
                             mean_by_loops(exact, window, stride)) <= tolerance);
    for (const double decay : {0.0, 0.5, 0.97})
      CHECK(relative_error(lagged.of_exponential_mean(decay), exponential_by_loops(exact, decay)) <=
            tolerance);
    const MatrixXd inverse = (eta * hessian).inverse();
    CHECK(relative_error(lagged.sum(), inverse * 2 * diffusion * inverse) <= 1e-13);
    CHECK(relative_error(1e9 * lagged.of_mean(1'000'000'000), lagged.sum()) <= 1e-4);
  }
}

TEST_CASE("averages of slow directions lose no digits") {
  const auto one = [](double value) { return MatrixXd::Constant(1, 1, value); };
  for (const double beta : {0.0, 0.5, 0.9, 0.999})
    for (const double x : {1e-9, 1e-3})
      for (const int window : {1, 2, 1'000}) {
        INFO(beta << ' ' << x << ' ' << window);
        auto chain = ness::linear_chain(VectorXd::Zero(1), one(x), one(1), 1);
        ness::remember(ness::HeavyBall{beta}.linear(), chain);
        const ness::Autocovariance<double> lagged{ness::StationaryState<double>(chain)};
        CHECK(relative_error(lagged.of_mean(window)(0, 0), slow_mean_by_loops(beta, x, window)) <=
              1e-14);
      }
}

TEST_CASE("iterates in continuous time are looked at once in a unit") {
  const ness::StationaryState state(ness::linear_chain(VectorXd::Zero(4), hessian, diffusion, eta));
  const ness::Autocovariance<double> lagged(state);
  const MatrixXd step = (-eta * hessian).exp();
  CHECK(relative_error(lagged.at(3), step * step * step * state.covariance()) <= 1e-13);
  CHECK(relative_error(lagged.of_mean(2), (2 * state.covariance() + step * state.covariance() +
                                           state.covariance() * step) /
                                              4) <= 1e-13);
  CHECK(relative_error(1e9 * lagged.of_mean(1'000'000'000), lagged.sum()) <= 1e-6);
}

TEST_CASE("the mean over epochs without replacement falls as the square of their number") {
  const auto correlation = ness::EpochCorrelation::of_order(6, 2, 3, 2);
  const ness::StationaryState state(ness::additive_epochs(VectorXd::Zero(4), hessian, diffusion,
                                                          eta, LinearUpdate{}, correlation));
  const MatrixXd k = eta * hessian;
  const MatrixXd one = MatrixXd::Identity(4, 4);
  const MatrixXd factor = one - k;
  // T epochs by hand: θ_{k+1} = (1 − K)θ_k + ξ_k, and Σ_k θ_k as a sum over the start and all ξ.
  for (const int epochs : {1, 2, 5}) {
    const int steps = 3 * epochs;
    std::vector<MatrixXd> sums{MatrixXd::Zero(4, 4)};  // Σ_{s<t} (1 − K)^s
    for (int t = 0; t < steps; ++t) sums.push_back(one + factor * sums.back());
    MatrixXd exact = sums.back() * state.covariance() * sums.back().transpose();
    for (int t = 0; t < steps; ++t)
      for (int s = 0; s < steps; ++s) {
        if (t / 3 != s / 3) continue;
        const double weight = t == s ? 1 : correlation.between / correlation.variance;
        exact += weight * sums[static_cast<std::size_t>(steps - 1 - t)] * 2 * diffusion *
                 sums[static_cast<std::size_t>(steps - 1 - s)].transpose();
      }
    CHECK(relative_error(ness::covariance_of_mean_over_epochs(state, k, 3, epochs),
                         exact / (steps * steps)) <= 1e-12);
  }
  const MatrixXd many = ness::covariance_of_mean_over_epochs(state, k, 3, 1'000);
  CHECK(relative_error(ness::covariance_of_mean_over_epochs(state, k, 3, 10'000), many / 100) <=
        1e-12);
  // θ at the end of epochs is a chain of its own.
  const ness::Autocovariance<double> lagged(state);
  CHECK(relative_error(lagged.at(2), factor * factor * factor * factor * factor * factor *
                                         state.covariance()) <= 1e-12);
}

TEST_CASE("simulated averages scatter as predicted") {
  constexpr std::int64_t steps = 600'000;
  const LinearUpdate update = ness::Nesterov{0.8}.linear();
  const MatrixXd h = positive_definite(3, 41, 0.5, 3);
  const MatrixXd d = positive_definite(3, 42, 0.02, 0.2);
  auto chain = ness::linear_chain(VectorXd::Zero(3), h, d, 0.1);
  ness::remember(update, chain);
  const ness::Autocovariance<double> lagged{ness::StationaryState<double>(chain)};
  const std::int64_t length = ness::batch_length(steps, 4, 64);
  const auto [all, some, exponential] = ness::run_chains(
      {.steps = steps, .burn_in = 1'000, .chains = 4},
      [&](int k) {
        return NoisyDescent<LinearUpdate>(h, d, 0.1, update, VectorXd::Zero(3),
                                          static_cast<std::uint64_t>(k));
      },
      VectorXd::Zero(3), ness::WindowMean<>(3, 30, 1, length), ness::WindowMean<>(3, 8, 5, length),
      ness::ExponentialMean<>(3, 0.95, length));
  check_close(all.moments(), lagged.of_mean(30));
  check_close(some.moments(), lagged.of_mean(8, 5));
  check_close(exponential.moments(), lagged.of_exponential_mean(0.95));
}

TEST_CASE("what autocovariances refuse") {
  const ness::Autocovariance<double> lagged(state_of({}));
  CHECK_THROWS_WITH(lagged.at(-1),
                    "ness::Autocovariance::at: steps must not be negative, but is -1");
  CHECK_THROWS_WITH(lagged.of_mean(0),
                    "ness::Autocovariance::of_mean: window must be at least 1, but is 0");
  CHECK_THROWS_WITH(lagged.of_mean(1, 0),
                    "ness::Autocovariance::of_mean: stride must be at least 1, but is 0");
  CHECK_THROWS_WITH(lagged.of_exponential_mean(1),
                    "ness::Autocovariance::of_exponential_mean: decay must be in [0, 1), but is 1");
  const ness::StationaryState phases(ness::additive_epochs(
      VectorXd::Zero(4), hessian, diffusion, eta, ness::HeavyBall{0.5}.linear(),
      ness::EpochCorrelation::of_order(6, 2, 3, 2)));
  CHECK_THROWS_WITH(
      ness::Autocovariance<double>(phases),
      "ness::Autocovariance: the covariance with the next step must be known, but it is not of "
      "epochs with a memory, nor of a mean over phases: take plain updates and the end of epochs");
  CHECK_THROWS_AS(ness::covariance_of_mean_over_epochs(phases, hessian, 3, 1),
                  std::invalid_argument);
}
