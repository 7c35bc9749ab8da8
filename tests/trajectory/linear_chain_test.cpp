// Where the theory is exact: a linear chain with constant Gaussian noise.
#include <ness/compare.hpp>
#include <ness/dynamics/euler_maruyama.hpp>
#include <ness/stationary/stationary_state.hpp>
#include <ness/trajectory/measure.hpp>
#include <sstream>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using State = ness::StationaryState<>;

State state_of(Eigen::Index n, double eta, ness::LyapunovForm form) {
  return State(ness::linear_chain(generic_values<VectorXd>(n, 1, 2),
                                  positive_definite(n, 41, 0.3, 3),
                                  positive_definite(n, 42, 0.02, 0.2), eta, form));
}

/// Chains from `start` with the entropy production of `state`.
auto simulate(const State& state, const VectorXd& start, std::int64_t steps, std::int64_t burn_in) {
  const std::vector<int> lengths{1, 2, 3, 5};
  constexpr int chains = 8;
  const ness::LinearSystem<MatrixXd> system = state.linear_system();
  auto [estimator] = ness::run_chains(
      {.steps = steps, .burn_in = burn_in, .chains = chains},
      [&](int k) {
        return ness::EulerMaruyama(system, 1, start,
                                   ness::Philox(5, static_cast<std::uint64_t>(k)));
      },
      state.mean(),
      ness::StationaryEstimator(state, lengths, ness::batch_length(steps, chains, 64)));
  return estimator.result();
}

/// The largest deviation over the elements, in standard errors.
double largest_z(const auto& estimate, const auto& exact) {
  double largest = 0;
  for (Eigen::Index j = 0; j < exact.cols(); ++j)
    for (Eigen::Index i = 0; i < exact.rows(); ++i)
      if (estimate.standard_error(i, j) > 0)
        largest = std::max(
            largest, std::abs(estimate.value(i, j) - exact(i, j)) / estimate.standard_error(i, j));
  return largest;
}

}  // namespace

TEST_CASE("⟨e^−σ⟩ = 1 for every length, exactly, with Σ and C of Eqs. 21–25") {
  for (double eta : {0.005, 0.02}) {
    const State state = state_of(3, eta, ness::LyapunovForm::continuous);
    CHECK(state.nonequilibrium_ratio() > 0.1);
    const auto measured = simulate(state, state.mean(), 400'000, 1000);
    for (const auto& part : measured.trajectories) {
      INFO("eta " << eta << ", length " << part.length
                  << ", <exp(-sigma)> = " << part.integral_fluctuation.value << " +- "
                  << part.integral_fluctuation.standard_error);
      CHECK(part.integral_fluctuation.standard_error < 0.001);
      CHECK(std::abs(part.integral_fluctuation.value - 1) <=
            4 * part.integral_fluctuation.standard_error);
    }
  }
}

TEST_CASE("⟨e^−σ⟩ = 1 step by step: E[exp(−Fδθ·Δθ) | δθ] for normal noise, in closed form") {
  const State state = state_of(4, 0.3, ness::LyapunovForm::continuous);
  for (std::uint64_t seed : {1, 2, 3}) {
    const VectorXd deviation = generic_values<VectorXd>(4, 1, seed);
    // Δθ ~ N(−ηHδθ, 2D): log E[e^{−f·Δθ}] = f·ηHδθ + f·Df with f = Fδθ.
    const VectorXd f = state.force_matrix() * deviation;
    const double drift = f.dot(state.relaxation() * deviation);
    const double spread = f.dot(state.diffusion() * f);
    CHECK(std::abs(drift + spread) <= 1e-11 * spread);
  }
}

TEST_CASE("moments, circulation and entropy production of a linear chain are the discrete form's") {
  for (Eigen::Index n : {3, 5}) {
    const State state = state_of(n, 0.1, ness::LyapunovForm::discrete);
    const auto measured = simulate(state, state.mean(), 400'000, 1000);
    CHECK(largest_z(measured.mean, state.mean()) <= 4);
    CHECK(largest_z(measured.covariance, state.covariance()) <= 4);
    CHECK(largest_z(measured.circulation, state.circulation()) <= 4);
    for (const auto& part : measured.trajectories)
      CHECK(std::abs(part.entropy_production.value - state.entropy_production()) <=
            4 * part.entropy_production.standard_error);
    // At this learning rate the continuous form is off by much more than the errors.
    const State continuous = state_of(n, 0.1, ness::LyapunovForm::continuous);
    CHECK(largest_z(measured.covariance, continuous.covariance()) > 6);
  }
}

TEST_CASE("a comparison agrees where it should and not where it should not") {
  const State state = state_of(3, 0.01, ness::LyapunovForm::continuous);
  const auto measured = simulate(state, state.mean(), 200'000, 5000);
  const auto good = ness::compare(state, measured);
  std::ostringstream text;
  text << good;
  INFO(text.str());
  CHECK(good.agrees());
  CHECK(good.rows.size() == 3 + 2 * 4);
  CHECK(text.str().find("FAIL") == std::string::npos);

  auto wrong = state.chain();
  wrong.diffusion *= 1.2;
  const auto bad = ness::compare(State(wrong), measured);
  CHECK_FALSE(bad.agrees());
  CHECK_FALSE(bad.rows[1].agrees(bad.level()));
}

TEST_CASE("a singular D moves the chain on its range alone") {
  MatrixXd d = MatrixXd::Zero(3, 3);
  d(1, 1) = 5;
  const MatrixXd one = MatrixXd::Identity(3, 3);
  const ness::LinearSystem<MatrixXd> system(VectorXd::Zero(3), one, one, d);
  ness::EulerMaruyama chain(system, 0.1, VectorXd::Zero(3).eval());
  double sum = 0;
  constexpr int steps = 100'000;
  VectorXd before = chain.theta();
  for (int k = 0; k < steps; ++k) {
    before = chain.theta();
    chain.step();
    sum += std::pow(chain.theta()[1] - 0.9 * before[1], 2);
  }
  CHECK(chain.theta()[0] == 0);
  CHECK(chain.theta()[2] == 0);
  CHECK(std::abs(sum / steps - 1) <= 4 * std::sqrt(2.0 / steps));  // 2D Δt = 1
}

TEST_CASE("bad input of linear systems and their chains is refused") {
  const VectorXd center = VectorXd::Zero(2);
  const MatrixXd one = MatrixXd::Identity(2, 2);
  const MatrixXd negative = Eigen::Vector2d(1, -1).asDiagonal();
  using System = ness::LinearSystem<MatrixXd>;
  CHECK_THROWS_WITH(System(center, one, one, MatrixXd(MatrixXd::Identity(3, 3))),
                    contains("diffusion must be 2 x 2"));
  CHECK_THROWS_WITH(System(center, one * NAN, one, one), contains("hessian must be finite"));
  CHECK_THROWS_WITH(System(center, one, one, negative), contains("element (1, 1) is -1"));
  const System system(center, one, one, one);
  CHECK_THROWS_WITH(ness::EulerMaruyama(system, 0.0, center), contains("time_step"));
  CHECK_THROWS_WITH(ness::EulerMaruyama(system, 0.1, VectorXd(VectorXd::Zero(3))),
                    contains("theta must be 2 x 1"));
  CHECK_THROWS_WITH(State(ness::linear_chain(system, 2.5, ness::LyapunovForm::discrete)),
                    contains("spectral radius"));
  CHECK_THROWS_WITH(State(System(center, negative, one, one)), contains("positive real part"));
}
