#include "ness/landscape/rounding.hpp"

#include <Eigen/Core>
#include <cmath>

#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"

using Eigen::VectorXd;

// A second difference of independent errors of variance s² has 6s²: one error of 1 among nine
// values makes second differences of 1, −2 and 1 among seven.
TEST_CASE("The rounding of values is a sixth of the mean square of their second differences") {
  const VectorXd start = VectorXd::Zero(1), step = VectorXd::Ones(1);
  const auto one_is_wrong = [](const VectorXd& theta) { return theta[0] == 0 ? 1.0 : 0.0; };
  const double found = ness::detail::value_rounding<double>(one_is_wrong, start, step);
  CHECK(relative_error(found * found, 6.0 / (6 * 7)) <= 1e-15);
  const auto a_line = [](const VectorXd& theta) { return 4 + 64 * theta[0]; };
  CHECK(ness::detail::value_rounding<double>(a_line, start, step) == 0);
}

TEST_CASE(
    "The rounding of gradients is their scatter, as it is and in the metric of the landscape") {
  const VectorXd start = VectorXd::Ones(40), step = VectorXd::Constant(40, 1e-3);
  VectorXd hessian = VectorXd::LinSpaced(40, 0.5, 8);
  ness::detail::Metric<double> metric;
  REQUIRE(metric.factor(hessian.asDiagonal()));
  for (const double scatter : {1e-9, 3.0}) {
    ness::Philox random(3);
    ness::Normal normal;
    const auto scattered = [&](const VectorXd& theta) {
      VectorXd z(40);
      normal.fill(random, z);
      return VectorXd(hessian.cwiseProduct(theta) + scatter * z);
    };
    const auto found = ness::detail::gradient_rounding<double>(scattered, start, step, metric);
    // Of 240 normal numbers, the smaller of two such.
    CHECK(std::abs(found.absolute / (scatter * std::sqrt(40.0)) - 1) <= 0.2);
    CHECK(std::abs(found.norm / (scatter * std::sqrt(hessian.cwiseInverse().sum())) - 1) <= 0.2);
  }
}

TEST_CASE("A step that rounding swallows is lengthened until the gradient feels it") {
  // What of θ is below 5e-9 is lost in the sums that the gradient is made of.
  const VectorXd theta = VectorXd::Zero(3), gradient = VectorXd::Ones(3);
  const VectorXd step = VectorXd::Constant(3, -1e-9);
  const auto sums = [&](const VectorXd& at) {
    const double times = at[0] / step[0];
    return VectorXd(times < 5 ? gradient : VectorXd((1 - times) * gradient));
  };
  const VectorXd felt = ness::detail::felt_step<double>(sums, theta, gradient, step);
  CHECK(relative_error(felt, VectorXd(8 * step)) <= 1e-15);
  // Where the step takes the gradient to 0 it is long enough, and not made longer.
  const auto parabola = [](const VectorXd& at) { return at; };
  const VectorXd here = VectorXd::Ones(3);
  CHECK(ness::detail::felt_step<double>(parabola, here, here, VectorXd(-here)) == -here);
  // One that takes off nine tenths is as good; one that takes off a tenth is not.
  CHECK(ness::detail::felt_step<double>(parabola, here, here, VectorXd(-0.9 * here)) ==
        -0.9 * here);
  CHECK(ness::detail::felt_step<double>(parabola, here, here, VectorXd(-0.1 * here)) ==
        -0.1 * here);
  // Where the gradient does not change at all, neither does the step.
  const auto constant = [&](const VectorXd&) { return gradient; };
  CHECK(ness::detail::felt_step<double>(constant, theta, gradient, step) == step);
}
