// Changes of the learning rate, against steps of the moments and runs of many chains.
#include "ness/stationary/schedule.hpp"

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <cmath>
#include <vector>

#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"
#include "ness/stationary/momentum.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using State = ness::StationaryState<double>;

const MatrixXd hessian = positive_definite(3, 3, 0.3, 1.2);
const MatrixXd gradient_noise = positive_definite(3, 8, 0.5, 2);

/// D = ½η²S about a mean that moves with η.
State at_rate(double eta, double wider = 1) {
  const VectorXd mean = VectorXd::Constant(3, 0.3 * eta);
  const MatrixXd d = wider * 0.5 * eta * eta * gradient_noise;
  return State(ness::linear_chain(mean, hessian, d, eta, ness::LyapunovForm::discrete));
}

struct Average {
  double mean, standard_error;
};

/// e^{−Y} over runs through the rates, three steps at each, that believe in `wider` times the
/// covariance of the states they end in.
Average hatano_sasa(const std::vector<double>& rates, double wider) {
  constexpr int runs = 40'000;
  std::vector<State> states;
  std::vector<State> believed;
  std::vector<MatrixXd> noise;
  for (const double eta : rates) {
    states.push_back(at_rate(eta));
    believed.push_back(at_rate(eta, states.size() > 1 ? wider : 1));
    noise.push_back((2 * states.back().diffusion()).llt().matrixL());
  }
  const MatrixXd start = states[0].covariance().llt().matrixL();
  ness::Philox random(11, 0);
  ness::Normal normal;
  VectorXd z(3);
  double sum = 0, squares = 0;
  for (int run = 0; run < runs; ++run) {
    normal.fill(random, z);
    VectorXd theta = states[0].mean() + start * z;
    double y = 0;
    for (std::size_t k = 1; k < rates.size(); ++k) {
      y += ness::switching_potential(believed[k - 1], believed[k], theta);
      for (int step = 0; step < 3; ++step) {
        normal.fill(random, z);
        const VectorXd away = theta - states[k].mean();
        theta += noise[k] * z - states[k].relaxation() * away;
      }
    }
    sum += std::exp(-y);
    squares += std::exp(-2 * y);
  }
  const double mean = sum / runs;
  return {mean, std::sqrt((squares / runs - mean * mean) / runs)};
}

}  // namespace

TEST_CASE("after a change of the learning rate the moments go step by step to the new state") {
  const State from = at_rate(0.8), to = at_rate(0.1);
  const MatrixXd step = MatrixXd::Identity(3, 3) - to.relaxation();
  VectorXd mean = from.mean();
  MatrixXd covariance = from.covariance();
  for (int t = 0; t <= 40; ++t) {
    const auto found = ness::ensemble_after(from, to, t);
    CHECK(relative_error(found.mean, mean) <= 1e-13);
    CHECK(relative_error(found.covariance, covariance) <= 1e-13);
    mean = (to.mean() + step * (mean - to.mean())).eval();
    covariance = (step * covariance * step.transpose() + 2 * to.diffusion()).eval();
  }
  // About a mean that is known to another order.
  const State moved = to.about(VectorXd::Constant(3, 7));
  CHECK(relative_error(ness::ensemble_after(from, moved, 1e6).mean, moved.mean()) <= 1e-13);
  CHECK(relative_error(ness::ensemble_after(from, to, 1e6).covariance, to.covariance()) <= 1e-13);
}

TEST_CASE("the steps to a new state are the first after which the covariance is near") {
  for (const double eta : {0.1, 1.5}) {
    const State from = at_rate(0.8), to = at_rate(eta);
    const MatrixXd step = MatrixXd::Identity(3, 3) - to.relaxation();
    for (const double fraction : {0.5, 0.01, 1e-6}) {
      MatrixXd away = from.covariance() - to.covariance();
      int steps = 0;
      for (; away.norm() > fraction * to.covariance().norm(); ++steps)
        away = (step * away * step.transpose()).eval();
      CHECK(ness::steps_to_settle(from, to, fraction) == steps);
    }
    CHECK(ness::steps_to_settle(to, to, 1e-9) == 0);
  }
  const State slow = at_rate(1e-7);
  const auto steps = ness::steps_to_settle(at_rate(0.8), slow, 0.01);
  const auto near = [&](std::int64_t t) {
    const MatrixXd found =
        ness::ensemble_after(at_rate(0.8), slow, static_cast<double>(t)).covariance;
    return (found - slow.covariance()).norm() / slow.covariance().norm();
  };
  CHECK(near(steps) <= 0.01 * (1 + 1e-6));
  CHECK(near(steps - 1000) > 0.01);
  CHECK_THROWS_WITH(ness::steps_to_settle(slow, slow, 0),
                    "ness::steps_to_settle: fraction must be positive and finite, but is 0");
}

TEST_CASE("the identity of Hatano and Sasa holds for runs through several learning rates") {
  const Average right = hatano_sasa({0.4, 0.5, 0.35, 0.2}, 1);
  INFO(right.mean << " +- " << right.standard_error);
  CHECK(std::abs(right.mean - 1) <= 3 * right.standard_error);
  CHECK(right.standard_error <= 0.01);
  const Average wrong = hatano_sasa({0.4, 0.5, 0.35, 0.2}, 1.1);
  INFO(wrong.mean << " +- " << wrong.standard_error);
  CHECK(std::abs(wrong.mean - 1) > 3 * wrong.standard_error);
}

TEST_CASE("the variance of one switch is a Gaussian integral, and finite below twice the width") {
  const State from = at_rate(0.5), to = at_rate(0.6);
  const MatrixXd a = 2 * to.covariance().inverse() - from.covariance().inverse();
  const VectorXd shift = to.mean() - from.mean();
  const VectorXd b = from.covariance().inverse() * shift;
  const double exact = std::sqrt(from.covariance().determinant() / a.determinant()) /
                           to.covariance().determinant() *
                           std::exp((b.dot(a.inverse() * b) + shift.dot(b)) / 2) -
                       1;
  CHECK(relative_error(ness::switching_variance(from, to), exact) <= 1e-12);
  CHECK(std::abs(ness::switching_variance(from, from)) <= 1e-14);
  CHECK(std::isinf(ness::switching_variance(at_rate(0.2), at_rate(0.5))));
  CHECK(std::isfinite(ness::switching_variance(at_rate(0.5), at_rate(0.01))));
  // As measured of one switch.
  const Average one = hatano_sasa({0.5, 0.6}, 1);
  CHECK(std::abs(one.mean - 1) <= 3 * one.standard_error);
  CHECK(relative_error(one.standard_error, std::sqrt(exact / 40'000)) <= 0.1);
}

TEST_CASE("a change of updates with a memory is refused") {
  auto chain = at_rate(0.5).chain();
  ness::remember(ness::HeavyBall{0.5}.linear(), chain);
  const State remembers(chain);
  CHECK_THROWS_WITH(ness::ensemble_after(remembers, at_rate(0.5), 1),
                    "ness::ensemble_after: theta alone must be a Markov chain before and after, "
                    "but one remembers");
  CHECK_THROWS_AS(ness::switching_potential(at_rate(0.5), remembers, VectorXd(VectorXd::Zero(3))),
                  std::invalid_argument);
}
