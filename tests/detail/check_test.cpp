#include "ness/detail/check.hpp"

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "support/catch.hpp"

namespace {

namespace check = ness::detail;
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("A message names the function, the rule and the value, to its last digit") {
  REQUIRE_THROWS_AS(check::invalid("f", "x"), std::invalid_argument);
  REQUIRE_THROWS_WITH(check::invalid("f", "a ", 1, " b ", 2.5), "ness::f: a 1 b 2.5");
  REQUIRE_THROWS_WITH(check::require(false, "f", "x must be 1", 7),
                      "ness::f: x must be 1, but is 7");
  try {
    check::require(false, "f", "x", 0.1 + 0.2);
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    CHECK(std::stod(message.substr(message.find("is ") + 3)) == 0.1 + 0.2);
  }
  REQUIRE_NOTHROW(check::require(true, "f", "x must be 1", 7));
}

TEST_CASE("require_finite names the first element that is not finite") {
  Eigen::MatrixXd values = Eigen::MatrixXd::Ones(3, 4);
  REQUIRE_NOTHROW(check::require_finite(values, "f", "data"));
  values(2, 1) = infinity;
  values(0, 3) = not_a_number;
  REQUIRE_THROWS_WITH(check::require_finite(values, "f", "data"),
                      "ness::f: data must be finite, but element (2, 1) is inf");
  values(2, 1) = 0;
  REQUIRE_THROWS_WITH(check::require_finite(values, "f", "data"),
                      contains("element (0, 3) is") && contains("nan"));
  Eigen::Vector2f floats(1, -std::numeric_limits<float>::infinity());
  REQUIRE_THROWS_WITH(check::require_finite(floats, "f", "x"), contains("element (1, 0) is -inf"));
  REQUIRE_NOTHROW(check::require_finite(Eigen::MatrixXd(0, 3), "f", "data"));
}

TEST_CASE("require_size says both sizes") {
  const Eigen::MatrixXd values(2, 3);
  REQUIRE_NOTHROW(check::require_size(values, 2, 3, "f", "x"));
  REQUIRE_THROWS_WITH(check::require_size(values, 2, 4, "f", "x"),
                      "ness::f: x must be 2 x 4, but is 2 x 3");
  REQUIRE_THROWS_WITH(check::require_size(values, 3, 3, "f", "x"),
                      "ness::f: x must be 3 x 3, but is 2 x 3");
}

TEST_CASE("require_symmetric names the first element that differs from its mirror image") {
  Eigen::Matrix3d values;
  values << 1, 2, 0, 2 + 1e-5, 1, 4, 0, 4, 9;
  REQUIRE_NOTHROW(check::require_symmetric(values, "f", "diffusion"));
  values(2, 1) = -4;
  REQUIRE_THROWS_WITH(
      check::require_symmetric(values, "f", "diffusion"),
      "ness::f: diffusion must be symmetric, but element (2, 1) is -4 and (1, 2) is 4");
  for (const double unit : {1e-100, 1.0, 1e8}) {
    REQUIRE_NOTHROW(check::require_symmetric(
        Eigen::Matrix2d{{unit * unit, 2 * unit}, {(2 + 1e-5) * unit, 1}}, "f", "x"));
    REQUIRE_THROWS_WITH(
        check::require_symmetric(Eigen::Matrix2d{{unit * unit, 0.1 * unit}, {0, 1}}, "f", "x"),
        contains("element (1, 0) is 0 and (0, 1) is"));
  }
  REQUIRE_NOTHROW(check::require_symmetric(Eigen::Matrix2d{{0, 1}, {1 + 1e-9, 0}}, "f", "x"));
  REQUIRE_THROWS(check::require_symmetric(Eigen::Matrix2d{{0, 1}, {2, 0}}, "f", "x"));
  for (const Eigen::Index size : {0, 2})
    REQUIRE_NOTHROW(check::require_symmetric(Eigen::MatrixXd::Zero(size, size), "f", "x"));
}

TEST_CASE("require_not_empty says the size") {
  REQUIRE_NOTHROW(check::require_not_empty(Eigen::MatrixXd(1, 1), "f", "x"));
  REQUIRE_THROWS_WITH(check::require_not_empty(Eigen::MatrixXd(0, 3), "f", "x"),
                      "ness::f: x must not be empty, but is 0 x 3");
}

TEST_CASE("require_positive refuses 0, negative, infinite and NaN") {
  REQUIRE_NOTHROW(check::require_positive(5e-324, "f", "eta"));
  for (const double bad : {0.0, -0.0, -1.0, infinity, -infinity, not_a_number})
    REQUIRE_THROWS_AS(check::require_positive(bad, "f", "eta"), std::invalid_argument);
  REQUIRE_THROWS_WITH(check::require_positive(-0.25, "f", "eta"),
                      "ness::f: eta must be positive and finite, but is -0.25");
}
