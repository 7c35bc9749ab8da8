#include "ness/detail/wide_number.hpp"

#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/close.hpp"

using ness::detail::WideNumber;

TEST_CASE("Wide numbers calculate as double does, where it can") {
  for (const double a : {0.0, 5e-324, 1e-300, 1e-77, 0.3, 1.0, 1e77, 1e300})
    for (const double b : {1e-300, 1e-77, 0.7, 3.0, 1e77, 1e300}) {
      CAPTURE(a, b);
      const auto check = [](const WideNumber& found, double expected) {
        if (expected > std::numeric_limits<double>::min() && std::isfinite(expected))
          CHECK(std::abs(found.log() - std::log(expected)) <=
                1e-13 * std::abs(std::log(expected)) + 1e-15);
      };
      check(WideNumber(a) * WideNumber(b), a * b);
      check(WideNumber(a) / WideNumber(b), a / b);
      check(WideNumber(a) + WideNumber(b), a + b);
      check(WideNumber(b) + WideNumber(a), a + b);
      CHECK((WideNumber(a) * WideNumber(b)).is_positive() == (a > 0));
    }
}

TEST_CASE("Wide numbers go on where double ends") {
  for (const double x : {-1e6, -800.0, -1.0, 0.0, 178.0, 355.0, 1e6}) {
    CHECK(relative_error(WideNumber::exp(x).log(), x) <= 1e-14);
    const WideNumber square = WideNumber::exp(x) * WideNumber::exp(x);
    CHECK(relative_error(square.log(), 2 * x) <= 1e-14);
    // e^x + e^{x−d} = e^x (1 + e^{−d}), whichever powers of two they lie between.
    for (const double d : {0.0, 1.0, 30.0, 354.0, 356.0, 1000.0}) {
      const WideNumber sum = WideNumber::exp(x - d) + WideNumber::exp(x);
      CHECK(std::abs((sum / WideNumber::exp(x)).log() - std::log1p(std::exp(-d))) <= 1e-9);
    }
  }
  WideNumber product(1);
  for (int k = 0; k < 10000; ++k) product = product * WideNumber(1e-300);
  CHECK(relative_error(product.log(), -3e6 * std::log(10.0)) <= 1e-13);
  for (int k = 0; k < 10000; ++k) product /= WideNumber(1e-300);
  CHECK(std::abs(product.log()) <= 1e-11);
  CHECK_FALSE((WideNumber(0) + WideNumber(0)).is_positive());
}
