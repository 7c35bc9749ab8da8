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
