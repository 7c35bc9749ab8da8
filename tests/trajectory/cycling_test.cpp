// Cycling frequencies and the current in a plane from trajectories, against what is predicted.
#include "ness/trajectory/cycling.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <ness/dynamics/euler_maruyama.hpp>
#include <ness/files/npy.hpp>
#include <ness/stationary/momentum.hpp>
#include <ness/stationary/stationary_state.hpp>
#include <ness/trajectory/moments.hpp>
#include <ness/trajectory/replay.hpp>
#include <ness/trajectory/vorticity.hpp>
#include <ness/update/momentum.hpp>
#include <vector>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/linear_states.hpp"
#include "support/matrices.hpp"
#include "support/temporary_file.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using State = ness::StationaryState<>;

State in_steps(const auto& system, double time_step) {
  return State(ness::linear_chain(system, time_step, ness::LyapunovForm::discrete));
}

}  // namespace

TEST_CASE("a trap that is driven round, and a gyrator, cycle as closed forms have it") {
  const State trap(ness::driven_trap(1, 0.5, 2));  // v^s = ωJδθ
  CHECK(relative_error(trap.cycling_frequencies(), VectorXd{{0.5}}) < 1e-14);
  CHECK(trap.cycling().axes.determinant() > 0);
  // ω² = det C/det Σ of two coordinates, C = κΔ/2k = ½ here.
  const State gyrator(ness::brownian_gyrator(2, 1, 3, 1));
  CHECK(relative_error(gyrator.cycling_frequencies()[0],
                       0.5 / std::sqrt(gyrator.covariance().determinant())) < 1e-13);
}

TEST_CASE("the velocity of midpoints is that of the joint law of two states") {
  const State state = chain_of(4, 0.3);
  const MatrixXd axes = generic_values<MatrixXd>(4, 2, 3);
  // ⟨Δx x̄ᵀ⟩⟨x̄x̄ᵀ⟩⁻¹ from the covariance of θ and the lagged one.
  const MatrixXd lagged = state.covariance() - state.relaxation() * state.covariance();
  const MatrixXd cross = (lagged - lagged.transpose()) / 2;
  const MatrixXd middle = (2 * state.covariance() + lagged + lagged.transpose()) / 4;
  const MatrixXd expected =
      (axes.transpose() * cross * axes) * (axes.transpose() * middle * axes).inverse();
  CHECK(relative_error(state.midpoint_velocity(axes), expected) < 1e-12);
  // Of short steps −CΣ⁻¹.
  const State slow = chain_of(4, 1e-6);
  const MatrixXd all = MatrixXd::Identity(4, 4);
  CHECK(relative_error(slow.midpoint_velocity(all),
                       MatrixXd(-slow.circulation() * slow.covariance().inverse())) < 1e-5);
  CHECK_THROWS_WITH(State(ness::driven_trap(1, 0.5, 2)).midpoint_velocity(MatrixXd::Ones(2, 1)),
                    contains("use LyapunovForm::discrete"));
  CHECK_THROWS_WITH(state.midpoint_velocity(MatrixXd::Ones(4, 2)),
                    contains("axes must be independent"));
}

TEST_CASE("cycling frequencies of trajectories are those predicted, over 30 seeds") {
  const State state = chain_of(5, 0.1);
  const VectorXd exact = state.cycling_frequencies();
  constexpr int seeds = 30;
  VectorXd sum = VectorXd::Zero(2), squares = sum;
  for (int seed = 0; seed < seeds; ++seed) {
    // With a quarter of the steps planes that mix add as much to the scatter of the second.
    const auto found = ness::cycling(states_of(state, 160'001, 50 + std::uint64_t(seed)));
    REQUIRE(found.frequencies.value.size() == 2);
    const VectorXd pull =
        (found.frequencies.value - exact).cwiseQuotient(found.frequencies.standard_error);
    sum += pull;
    squares += pull.cwiseAbs2();
    CHECK(found.frequencies.standard_error[0] < 0.1 * exact[0]);
    CHECK(relative_error(found.covariance, state.covariance()) < 0.2);
    CHECK(relative_error(found.circulation, state.circulation()) < 0.3);
  }
  INFO("mean pulls " << sum.transpose() / seeds << ", chi square " << squares.transpose());
  for (int i : {0, 1}) {
    CHECK(std::abs(sum[i]) <= 3.3 * std::sqrt(seeds));
    CHECK(squares[i] > 11.6);  // 99.9 % of χ² of 30
    CHECK(squares[i] < 59.7);
  }
}

TEST_CASE("in equilibrium the frequency is 0, where that of the same steps is not") {
  const MatrixXd one = MatrixXd::Identity(6, 6);
  const State state(ness::linear_chain(VectorXd::Zero(6).eval(), one, (0.1 * one).eval(), 0.1,
                                       ness::LyapunovForm::discrete));
  constexpr int seeds = 30;
  double sum = 0, naive = 0, squares = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const auto found = ness::cycling(states_of(state, 8001, 150 + std::uint64_t(seed)));
    const double pull = found.frequencies.value[0] / found.frequencies.standard_error[0];
    sum += pull;
    squares += pull * pull;
    naive += found.of_all.frequencies[0] / found.frequencies.standard_error[0];
  }
  INFO(sum / seeds << ' ' << squares << ' ' << naive / seeds);
  CHECK(std::abs(sum) <= 3.3 * std::sqrt(seeds));
  CHECK(squares < 59.7);
  CHECK(naive / seeds > 2);
}

TEST_CASE("cycling of a file, read in blocks, is that of the matrix") {
  const MatrixXd states = states_of(chain_of(3, 0.2), 5003, 5);
  const TemporaryFile file;
  ness::write_npy(file.name, states);
  ness::NpyRows rows(file.name);
  const auto whole = ness::cycling(states), read = ness::cycling(rows);
  CHECK(whole.frequencies.value == read.frequencies.value);
  CHECK(whole.frequencies.standard_error == read.frequencies.standard_error);
  CHECK(whole.of_all.axes == read.of_all.axes);
  CHECK(whole.centre == read.centre);
  const MatrixXd away = states.rowwise() - states.colwise().mean();
  const MatrixXd direct = away.transpose() * away / static_cast<double>(states.rows());
  CHECK(relative_error(whole.covariance, direct) < 2e-3);  // but for the ends
  const MatrixXd turned = away.topRows(5002).transpose() * away.bottomRows(5002) / 5002;
  const MatrixXd area = (turned.transpose() - turned) / 2;  // of θ'θᵀ
  CHECK(relative_error(whole.circulation, MatrixXd(-area)) < 1e-2);
  const auto moments = [](auto&& from) {
    return std::get<0>(ness::replay(from, ness::Moments<>(3, 1000))).covariance();
  };
  CHECK(relative_error(moments(rows).value, moments(states).value) < 1e-12);
  // Units do not matter.
  const auto scaled = ness::cycling(MatrixXd(states * VectorXd{{0.5, 1024, 1}}.asDiagonal()));
  CHECK(scaled.frequencies.value == whole.frequencies.value);
  CHECK(ness::cycling(MatrixXd(states.leftCols(1))).frequencies.value.size() == 0);
  CHECK_THROWS_WITH(ness::cycling(MatrixXd::Ones(20, 2)),
                    contains("ness::cycling: the steps of a batch of half"));
}

TEST_CASE(
    "vorticity: chances are even where the prediction is right, in cells and steps of any size") {
  for (const double time_step : {0.02, 0.3}) {
    const State state = in_steps(ness::brownian_gyrator(2, 1, 3, 1), time_step);
    const MatrixXd plane = state.cycling().plane();
    const MatrixXd velocity = state.midpoint_velocity(plane);
    const auto test = [&](const MatrixXd& states, const MatrixXd& m) {
      const ness::Axis axis{-2.5, 2.5, 5};
      return std::get<0>(ness::replay(states, ness::VorticityTest<>(plane, state.mean(), m, axis,
                                                                    axis, 768)))
          .result();
    };
    constexpr int seeds = 40;
    std::vector<double> chances;
    double squares = 0;
    for (int seed = 0; seed < seeds; ++seed) {
      const MatrixXd states = states_of(state, 80'001, 300 + std::uint64_t(seed));
      const ness::Fit fit = test(states, velocity);
      CHECK(fit.freedom >= 12);
      CHECK(fit.batches == 104);
      chances.push_back(fit.chance);
      squares += fit.chi_square / static_cast<double>(fit.freedom);
      if (seed > 0) continue;
      CHECK(test(states, 2 * velocity).chance < 1e-6);
      CHECK(test(states, -velocity).chance < 1e-6);
      CHECK(test(states, MatrixXd::Zero(2, 2)).chance < 1e-6);
    }
    // Kolmogorov and Smirnov's distance from even, 99.9 %.
    std::sort(chances.begin(), chances.end());
    double farthest = 0;
    for (int k = 0; k < seeds; ++k)
      farthest = std::max({farthest, std::abs(chances[std::size_t(k)] - (k + 1.) / seeds),
                           std::abs(chances[std::size_t(k)] - double(k) / seeds)});
    INFO("step " << time_step << ": distance " << farthest << ", chi square " << squares / seeds);
    CHECK(farthest < 1.95 / std::sqrt(seeds));
    CHECK(std::abs(squares / seeds - 1) < 0.2);
  }
}

TEST_CASE("vorticity in a plane of more parameters, and of two axes, with momentum") {
  auto chain = chain_of(4, 0.2).chain();
  ness::remember(ness::HeavyBall{0.8}.linear(), chain);
  const State state(chain);
  const MatrixXd root = Eigen::LLT<MatrixXd>(2 * chain.diffusion).matrixL();
  ness::Philox random(3);
  ness::Normal normal;
  VectorXd theta = VectorXd::Zero(4), last = theta, noise(4);
  MatrixXd states(200'000, 4);
  for (Eigen::Index k = -1000; k < states.rows(); ++k) {
    normal.fill(random, noise);
    const VectorXd step = 0.8 * (theta - last) - chain.relaxation * theta + root * noise;
    last = theta;
    theta += step;
    if (k >= 0) states.row(k) = theta.transpose();
  }
  MatrixXd first(4, 2);
  for (const MatrixXd& plane : {state.cycling().plane(), MatrixXd(MatrixXd::Identity(4, 2))}) {
    const MatrixXd spread = plane.transpose() * state.covariance() * plane;
    const ness::Axis x{-2.5 * std::sqrt(spread(0, 0)), 2.5 * std::sqrt(spread(0, 0)), 6};
    const ness::Axis y{-2.5 * std::sqrt(spread(1, 1)), 2.5 * std::sqrt(spread(1, 1)), 6};
    const MatrixXd velocity = state.midpoint_velocity(plane);
    const auto [right, wrong] =
        ness::replay(states, ness::VorticityTest<>(plane, state.mean(), velocity, x, y, 960),
                     ness::VorticityTest<>(plane, state.mean(), 1.5 * velocity, x, y, 960));
    CHECK(right.result().chance > 1e-3);
    CHECK(right.result().freedom > 15);
    CHECK(wrong.result().chance < 1e-3);
  }
}

TEST_CASE("vorticity: merged it is as if one had seen all, and what cannot be is refused") {
  const MatrixXd states = states_of(chain_of(2, 0.2), 3841, 5);
  const ness::Axis axis{-1, 1, 4};
  const MatrixXd one = MatrixXd::Identity(2, 2);
  const ness::VorticityTest<> empty(one, VectorXd::Zero(2), 0.1 * one, axis, axis, 192);
  const auto whole = std::get<0>(ness::replay(states, empty));
  auto first = std::get<0>(ness::replay(states.topRows(1921), empty));
  first.merge(std::get<0>(ness::replay(states.bottomRows(1921), empty)));
  ness::CheckpointWriter writer;
  writer(first);
  auto read = empty;
  ness::CheckpointReader reader(writer.bytes());
  reader(read);
  CHECK(read.result().batches == 20);
  CHECK(read.result().freedom == whole.result().freedom);
  CHECK(relative_error(read.result().chi_square, whole.result().chi_square) < 1e-8);
  CHECK(std::isnan(std::get<0>(ness::replay(states.topRows(500), empty)).result().chance));
  CHECK_THROWS_WITH(ness::VorticityTest<>(one, VectorXd::Zero(3), one, axis, axis, 9),
                    contains("plane must be 3 x 2"));
  CHECK_THROWS_WITH(ness::VorticityTest<>(one, VectorXd::Zero(2), one, axis, {0, 1, 1}, 9),
                    contains("each axis must have 2 bins"));
}
