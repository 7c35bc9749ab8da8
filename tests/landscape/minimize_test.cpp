#include "ness/landscape/minimize.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include "ness/model/linear_model.hpp"
#include "ness/model/regression_network.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/decay.hpp"
#include "support/generic_values.hpp"

namespace {

using ness::MinimumStatus;

// One sample, any function of two parameters for a loss.
template <class F>
struct Surface {
  F f;
  static constexpr Eigen::Index parameters() { return 2; }
  Eigen::Index samples() const { return 1; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return f(theta[0], theta[1]); }
};

template <class F>
auto surface(const F& f) {
  return ness::Objective(Surface<F>{f});
}

constexpr auto rosenbrock = [](const auto& x, const auto& y) {
  const auto a = 1 - x;
  const auto b = y - x * x;
  return a * a + 100 * b * b;
};

// What every converged minimum must be, whatever the objective.
template <class Objective, class Minimum>
void check_is_minimum(const Objective& objective, const Minimum& minimum) {
  constexpr double epsilon = std::numeric_limits<typename Objective::Scalar>::epsilon();
  CHECK(minimum.status == MinimumStatus::converged);
  CHECK(minimum.gradient_norm <= 32 * minimum.gradient_rounding);
  CHECK(minimum.gradient_rounding <= 1e3 * epsilon * (minimum.hessian * minimum.theta).norm());
  CHECK(minimum.direction.size() == 0);
  CHECK(relative_error(minimum.hessian * minimum.offset, objective.gradient(minimum.theta)) <=
        1e-6);
  CHECK(relative_error(minimum.value, objective.value(minimum.theta)) <= 100 * epsilon);
  CHECK(objective.gradient(minimum.theta).norm() == minimum.gradient_norm);
  CHECK(relative_error(minimum.hessian, objective.hessian(minimum.theta)) <= 100 * epsilon);
  CHECK(minimum.hessian_eigenvalues[0] > 0);
  CHECK(relative_error(minimum.hessian_eigenvalues.sum(), minimum.hessian.trace()) <=
        100 * epsilon);
  for (Eigen::Index k = 1; k < minimum.hessian_eigenvalues.size(); ++k)
    CHECK(minimum.hessian_eigenvalues[k] >= minimum.hessian_eigenvalues[k - 1]);
}

}  // namespace

TEST_CASE("The minimum of ridge regression is that of the normal equations") {
  const Eigen::MatrixXd x = generic_values(4, 50, 1);
  const Eigen::MatrixXd y = generic_values(2, 50, 2);
  const double scale = 0.7;
  const double lambda = 0.3;
  const ness::Objective objective(ness::LinearModel<>(x, y, {scale}), ness::L2{lambda});
  const auto minimum = ness::minimize(objective, Eigen::VectorXd::Constant(8, 3.0).eval());
  check_is_minimum(objective, minimum);
  // (scale/M)(X Xᵀ) wᵀ + λ wᵀ = (scale/M) X yᵀ
  const Eigen::MatrixXd normal =
      scale / 50 * x * x.transpose() + lambda * Eigen::MatrixXd::Identity(4, 4);
  const Eigen::MatrixXd w = normal.llt().solve(scale / 50 * x * y.transpose());
  const Eigen::Map<const Eigen::VectorXd> expected(w.data(), 8);
  CHECK(relative_error(minimum.theta, expected) <= 1e-14);
  CHECK(relative_error(minimum.hessian.topLeftCorner(4, 4), 2 * normal) <= 1e-14);
}

TEST_CASE("Rosenbrock's valley leads to (1, 1) from every side") {
  const auto objective = surface(rosenbrock);
  for (const Eigen::Vector2d& start :
       {Eigen::Vector2d(-1.2, 1), {0, 0}, {5, -5}, {-30, 200}, {20, -20}}) {
    CAPTURE(start.transpose());
    const auto minimum = ness::minimize(objective, start);
    // Its gradient can vanish exactly, so that there is no scale to compare it with.
    CHECK(minimum.status == MinimumStatus::converged);
    CHECK(relative_error(minimum.theta, Eigen::Vector2d(1, 1)) <= 1e-13);
  }
}

TEST_CASE("A start at the minimum stays there") {
  const auto minimum = ness::minimize(surface(rosenbrock), Eigen::Vector2d(1, 1));
  CHECK(minimum.status == MinimumStatus::converged);
  CHECK(minimum.theta == Eigen::Vector2d(1, 1));
  CHECK(minimum.iterations == 0);
}

TEST_CASE("From a saddle, and beside it, the way leads down to one of its minima") {
  // Minima at y = ±1, a saddle between them.
  const auto objective = surface([](const auto& x, const auto& y) {
    const auto well = y * y - 1;
    return x * x + well * well;
  });
  for (const double side : {1e-6, -1e-6, 0.0}) {
    const auto minimum = ness::minimize(objective, Eigen::Vector2d(0.3, side));
    CHECK(minimum.status == MinimumStatus::converged);
    CHECK(std::abs(minimum.theta[0]) <= 1e-12);
    CHECK(std::abs(std::abs(minimum.theta[1]) - 1) <= 1e-14);
  }
}

TEST_CASE("The regression network is minimised to a gradient at rounding level") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    ness::Philox random(seed);
    const ness::Objective objective(ness::regression_network(random), ness::L2{10});
    const auto start = generic_values<Eigen::Matrix<double, 7, 1>>(7, 1, 100 + seed, 0.5);
    const auto minimum = ness::minimize(objective, start);
    check_is_minimum(objective, minimum);
    CHECK(minimum.value <= objective.value(start));
  }
}

TEST_CASE("Objectives of float are minimised to float rounding") {
  const ness::Objective objective(
      ness::LinearModel<float>(generic_values<Eigen::MatrixXf>(3, 40, 1),
                               generic_values<Eigen::MatrixXf>(1, 40, 2)),
      ness::L2{0.1});
  check_is_minimum(objective, ness::minimize(objective, Eigen::VectorXf::Ones(3).eval()));
}

TEST_CASE("The iteration limit is reported, with the best point so far") {
  const auto objective = surface(rosenbrock);
  const Eigen::Vector2d start(-1.2, 1);
  for (const int limit : {0, 1, 5}) {
    const auto stopped = ness::minimize(objective, start, {.max_iterations = limit});
    CHECK(stopped.status == MinimumStatus::iteration_limit);
    CHECK(stopped.iterations == limit);
    CHECK_THAT(stopped.explanation(), contains("raise max_iterations"));
    CHECK(stopped.value <= objective.value(start));
    CHECK(relative_error(stopped.value, objective.value(stopped.theta)) <= 1e-12);
    CHECK(relative_error(stopped.gradient_norm, objective.gradient(stopped.theta).norm()) <= 1e-12);
  }
}

TEST_CASE("minimize refuses a start of another size or not finite, and says what it got") {
  const ness::Objective objective(GenericDecay<double, Eigen::Dynamic>{});
  REQUIRE_THROWS_AS(ness::minimize(objective, Eigen::VectorXd::Ones(4).eval()),
                    std::invalid_argument);
  REQUIRE_THROWS_WITH(ness::minimize(objective, Eigen::VectorXd::Ones(4).eval()),
                      contains("minimize: theta must be 3 x 1, but is 4 x 1"));
  Eigen::VectorXd start = Eigen::VectorXd::Ones(3);
  start[2] = std::numeric_limits<double>::infinity();
  REQUIRE_THROWS_WITH(ness::minimize(objective, start),
                      contains("theta must be finite, but element (2, 0) is inf"));
  start[2] = 1e200;  // finite, but its square is not
  REQUIRE_THROWS_WITH(ness::minimize(objective, start),
                      contains("the objective must be finite at the start, but is inf"));
}

TEST_CASE("minimize refuses bad settings") {
  const ness::Objective objective(GenericDecay<double, Eigen::Dynamic>{});
  const Eigen::VectorXd start = Eigen::VectorXd::Ones(3);
  CHECK_THROWS_WITH(ness::minimize(objective, start, {.max_iterations = -1}),
                    contains("max_iterations must not be negative, but is -1"));
  CHECK_THROWS_WITH(ness::minimize(objective, start, {.tolerance = 0}),
                    contains("tolerance must be positive and finite, but is 0"));
}

TEST_CASE("Every status has a name") {
  CHECK(ness::to_string(MinimumStatus::converged) == "converged");
  CHECK(ness::to_string(MinimumStatus::no_minimum) == "no minimum");
  CHECK(ness::to_string(MinimumStatus::iteration_limit) == "iteration limit");
}
