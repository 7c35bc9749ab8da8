// The way to the stationary state: simulation against `Relaxation`.
#include <ness/dynamics/euler_maruyama.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/stationary/relaxation.hpp>
#include <ness/trajectory/relaxation.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Elements beyond three standard errors; `largest` is raised to the largest deviation.
int beyond_three(const auto& estimate, const auto& exact, double& largest) {
  int count = 0;
  for (Eigen::Index j = 0; j < exact.cols(); ++j)
    for (Eigen::Index i = j; i < exact.rows(); ++i) {
      const double z = std::abs(estimate.value(i, j) - exact(i, j)) / estimate.standard_error(i, j);
      count += z > 3 ? 1 : 0;
      largest = std::max(largest, z);
    }
  return count;
}

}  // namespace

TEST_CASE("runs of a linear system with Gaussian noise relax as predicted") {
  const ness::LinearSystem<MatrixXd> system(
      generic_values<VectorXd>(3, 1, 1), positive_definite(3, 2, 0.3, 3),
      MatrixXd::Identity(3, 3) + 0.3 * generic_values(3, 3, 4), positive_definite(3, 5, 0.1, 1));
  const double dt = 0.1;
  const VectorXd start = VectorXd::Constant(3, 2.0);
  const ness::Relaxation<> relaxation(ness::linear_chain(system, dt, ness::LyapunovForm::discrete),
                                      {start, MatrixXd::Zero(3, 3)});
  const auto measured = ness::measure_relaxation(
      [&](int run) {
        return ness::EulerMaruyama(system, dt, start,
                                   ness::Philox(3, static_cast<std::uint64_t>(run)));
      },
      {1, 3, 10, 30, 100}, {.runs = 20'000, .groups = 100});
  // 5 times of 3 + 6 numbers: 0.1 of them beyond 3 standard errors by chance; beyond 4.5 of
  // Student's t with 99 degrees of freedom, one in a thousand such tests.
  int beyond = 0;
  double largest = 0;
  for (const auto& at : measured) {
    CAPTURE(at.steps);
    const auto expected = relaxation.at(static_cast<double>(at.steps));
    beyond += beyond_three(at.mean, expected.mean, largest);
    beyond += beyond_three(at.covariance, expected.covariance, largest);
    CHECK(at.covariance.standard_error.norm() <= 0.03 * expected.covariance.norm());
  }
  CHECK(beyond <= 2);
  CHECK(largest <= 4.5);
  // The errors are those of independent Gaussian runs: √(Σ_ii/R), √(2/R) Σ_ii.
  const auto last = relaxation.at(100).covariance;
  const auto& found = measured.back();
  for (Eigen::Index k = 0; k < 3; ++k) {
    CHECK(relative_error(found.mean.standard_error[k], std::sqrt(last(k, k) / 20'000)) <= 0.25);
    CHECK(relative_error(found.covariance.standard_error(k, k),
                         std::sqrt(2.0 / 20'000) * last(k, k)) <= 0.25);
  }
}

TEST_CASE("the spread of the start is Gaussian, with the covariance asked for") {
  const ness::Objective objective(
      ness::LinearModel<>(generic_values(3, 60, 21), generic_values(1, 60, 22)), ness::L2{0.05});
  const auto minimum = ness::minimize(objective, VectorXd::Zero(3));
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.02, .minibatch = {5}};
  const auto state =
      ness::predict(objective, minimum, training, {.form = ness::LyapunovForm::discrete});
  const MatrixXd spread = positive_definite(3, 9, 0.001, 0.01);
  const VectorXd start = minimum.theta + VectorXd::Constant(3, 0.2);
  const ness::Relaxation<> relaxation(state.chain(), {start, spread});
  const ness::RelaxationSettings settings{.runs = 20'000, .groups = 100, .threads = 2};
  const auto measured =
      ness::measure_relaxation(objective, training, start, spread, {0, 20}, settings);
  double largest = 0;
  for (const auto& at : measured) {
    const auto expected = relaxation.at(static_cast<double>(at.steps));
    beyond_three(at.mean, expected.mean, largest);  // exact for a linear gradient
  }
  beyond_three(measured[0].covariance, spread, largest);
  CHECK(largest <= 4.5);
  // D grows away from the minimum, by less than a tenth of Σ here.
  CHECK(relative_error(measured[1].covariance.value, relaxation.at(20).covariance) <= 0.1);
  // Threads change nothing.
  auto alone = settings;
  alone.threads = 1;
  const auto again = ness::measure_relaxation(objective, training, start, spread, {0, 20}, alone);
  CHECK(again[1].covariance.value == measured[1].covariance.value);
}

TEST_CASE("what does not fit is refused, and a run that diverges is named") {
  const ness::LinearSystem<MatrixXd> system(VectorXd::Zero(1), MatrixXd::Identity(1, 1),
                                            MatrixXd::Identity(1, 1), MatrixXd::Identity(1, 1));
  const auto run_with = [&](double dt, const std::vector<std::int64_t>& steps,
                            const ness::RelaxationSettings& settings) {
    return ness::measure_relaxation(
        [&](int run) {
          return ness::EulerMaruyama(system, dt, VectorXd(VectorXd::Ones(1)),
                                     ness::Philox(3, static_cast<std::uint64_t>(run)));
        },
        steps, settings);
  };
  CHECK_THROWS_WITH(run_with(0.1, {5, 5}, {}), contains("steps must increase"));
  CHECK_THROWS_WITH(run_with(0.1, {-1}, {}), contains("steps must increase from 0"));
  CHECK_THROWS_WITH(run_with(0.1, {5}, {.runs = 99, .groups = 50}),
                    contains("runs must be at least 2 * groups, but is 99"));
  CHECK_THROWS_WITH(run_with(0.1, {5}, {.runs = 101, .groups = 50}),
                    contains("runs must be a multiple of groups, but is 101"));
  CHECK_THROWS_AS(run_with(50, {1000}, {.runs = 4, .groups = 2}), ness::Diverged);
}
