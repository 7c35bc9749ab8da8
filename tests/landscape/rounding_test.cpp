#include "ness/landscape/rounding.hpp"

#include <Eigen/Core>
#include <cmath>

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
