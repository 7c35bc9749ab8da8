#include "ness/statistics/student.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "support/catch.hpp"
#include "support/close.hpp"

namespace {

/// P(|T| < t) for an even number of degrees of freedom, as a finite sum (Abramowitz and Stegun,
/// 26.7.4).
double inside_of_even(double t, int degrees) {
  const double angle = std::atan(t / std::sqrt(degrees));
  double term = 1;
  double sum = 1;
  for (int k = 2; k < degrees; k += 2) {
    term *= (k - 1.0) / k * std::cos(angle) * std::cos(angle);
    sum += term;
  }
  return std::sin(angle) * sum;
}

}  // namespace

TEST_CASE("Student's t has the tails of its closed forms") {
  using ness::student_tail;
  for (double t : {0.0, 1e-3, 0.3, 1.0, 2.5, 7.0, 40.0}) {
    CHECK(std::abs(student_tail(t, 1.0) - (1 - 2 / std::numbers::pi * std::atan(t))) <= 1e-13);
    const double third = std::atan(t / std::sqrt(3)) + t / std::sqrt(3) / (1 + t * t / 3);
    CHECK(std::abs(student_tail(t, 3.0) - (1 - 2 / std::numbers::pi * third)) <= 1e-13);
    for (int degrees : {2, 4, 10, 64, 300})
      CHECK(std::abs(student_tail(t, double(degrees)) - (1 - inside_of_even(t, degrees))) <= 1e-12);
    CHECK(student_tail(-t, 5.0) == student_tail(t, 5.0));
  }
}

TEST_CASE("Student's t keeps the digits of small chances, and becomes normal") {
  const double root = std::sqrt(2 + 1e6);
  CHECK(relative_error(ness::student_tail(1e3, 2.0), 2 / (root * (root + 1e3))) <= 1e-12);
  for (double t : {0.5, 2.0, 6.0}) {
    const double normal = std::erfc(t / std::numbers::sqrt2);
    CHECK(ness::student_tail(t, std::numeric_limits<double>::infinity()) == normal);
    CHECK(relative_error(ness::student_tail(t, 1e8), normal) <= 1e-5);
  }
  CHECK(std::isnan(ness::student_tail(std::nan(""), 5.0)));
}

TEST_CASE("Fisher's F has the tails of its closed forms") {
  for (double f : {0.0, 1e-3, 0.3, 1.0, 2.5, 40.0})
    for (double degrees : {1.0, 7.0, 64.0, 1000.0}) {
      CHECK(relative_error(ness::fisher_tail(f, 2., degrees),
                           std::pow(1 + 2 * f / degrees, -degrees / 2)) <= 1e-11);
      if (f == 0) continue;
      // 1/F has the degrees exchanged.
      for (double p : {1.0, 5.0, 49.0})
        CHECK(std::abs(ness::fisher_tail(f, p, degrees) + ness::fisher_tail(1 / f, degrees, p) -
                       1) <= 1e-12);
    }
  CHECK(std::isnan(ness::fisher_tail(std::nan(""), 3., 4.)));
}
