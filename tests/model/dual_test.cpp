#include "ness/model/dual.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <numbers>
#include <type_traits>

#include "support/catch.hpp"
#include "support/close.hpp"

namespace {

using First = ness::Dual<double, 2>;
using Second = ness::Dual<ness::Dual<double, 1>, 1>;

// x as the variable of a first and a second derivative.
Second variable(double x) {
  Second result(x);
  result.value.derivative[0] = 1;
  result.derivative[0] = 1;
  return result;
}

// f's value and first two derivatives, against those in closed form.
template <class F, class Slope, class Curvature>
void check_function(std::initializer_list<double> points, const F& f, const Slope& slope,
                    const Curvature& curvature) {
  for (const double x : points) {
    CAPTURE(x);
    const Second y = f(variable(x));
    CHECK(relative_error(y.value.value, f(x)) <= 1e-15);
    CHECK(relative_error(y.value.derivative[0], slope(x)) <= 1e-14);
    CHECK(relative_error(y.derivative[0].value, slope(x)) <= 1e-14);
    CHECK(relative_error(y.derivative[0].derivative[0], curvature(x)) <= 1e-13);
  }
}

First dual(double value, double d0, double d1) {
  First result(value);
  result.derivative = {d0, d1};
  return result;
}

void check_equal(const First& found, double value, double d0, double d1) {
  CHECK(relative_error(found.value, value) <= 1e-15);
  CHECK(relative_error(found.derivative[0], d0) <= 1e-15);
  CHECK(relative_error(found.derivative[1], d1) <= 1e-15);
}

}  // namespace

// A macro would be shorter, but each line below is a fact to be read.
TEST_CASE("Exponentials and logarithms have their derivatives") {
  using std::exp, std::expm1, std::log, std::log1p;
  check_function(
      {-2, 0, 0.5, 3}, [](auto x) { return exp(x); }, [](double x) { return exp(x); },
      [](double x) { return exp(x); });
  check_function(
      {-2, 1e-9, 3}, [](auto x) { return expm1(x); }, [](double x) { return exp(x); },
      [](double x) { return exp(x); });
  check_function(
      {0.1, 1, 7}, [](auto x) { return log(x); }, [](double x) { return 1 / x; },
      [](double x) { return -1 / (x * x); });
  check_function(
      {-0.5, 1e-9, 7}, [](auto x) { return log1p(x); }, [](double x) { return 1 / (1 + x); },
      [](double x) { return -1 / ((1 + x) * (1 + x)); });
}

TEST_CASE("Roots and powers have their derivatives") {
  using std::cbrt, std::pow, std::sqrt;
  check_function(
      {0.2, 1, 9}, [](auto x) { return sqrt(x); }, [](double x) { return 0.5 / sqrt(x); },
      [](double x) { return -0.25 / (x * sqrt(x)); });
  check_function(
      {-8, 0.2, 27}, [](auto x) { return cbrt(x); }, [](double x) { return 1 / (3 * cbrt(x * x)); },
      [](double x) { return -2 / (9 * x * cbrt(x * x)); });
  check_function(
      {-1.5, 0.5, 2}, [](auto x) { return pow(x, 3); }, [](double x) { return 3 * x * x; },
      [](double x) { return 6 * x; });
  check_function(
      {0.5, 2}, [](auto x) { return pow(x, 2.5); }, [](double x) { return 2.5 * pow(x, 1.5); },
      [](double x) { return 3.75 * pow(x, 0.5); });
  check_function(
      {0.5, 2}, [](auto x) { return pow(x, -2); }, [](double x) { return -2 * pow(x, -3); },
      [](double x) { return 6 * pow(x, -4); });
  check_function(
      {-1, 0, 2}, [](auto x) { return pow(3, x); },
      [](double x) { return std::log(3) * pow(3, x); },
      [](double x) { return std::log(3) * std::log(3) * pow(3, x); });
  check_function(
      {0.5, 2}, [](auto x) { return pow(x, x); },
      [](double x) { return pow(x, x) * (1 + std::log(x)); },
      [](double x) { return pow(x, x) * ((1 + std::log(x)) * (1 + std::log(x)) + 1 / x); });
}

TEST_CASE("Powers have derivatives at 0 where they exist") {
  const auto derivatives = [](auto exponent) {
    const Second y = pow(variable(0), exponent);
    return Eigen::Vector3d(y.value.value, y.derivative[0].value, y.derivative[0].derivative[0]);
  };
  CHECK(derivatives(0) == Eigen::Vector3d(1, 0, 0));
  CHECK(derivatives(0.0) == Eigen::Vector3d(1, 0, 0));
  CHECK(derivatives(1) == Eigen::Vector3d(0, 1, 0));
  CHECK(derivatives(2) == Eigen::Vector3d(0, 0, 2));
  CHECK(derivatives(2U) == Eigen::Vector3d(0, 0, 2));
  CHECK(derivatives(3.0) == Eigen::Vector3d(0, 0, 0));
}

TEST_CASE("x^y has its derivatives where the base or the exponent is 0, or the base below it") {
  const double infinity = std::numeric_limits<double>::infinity();
  // Value, ∂_x, ∂_y; ∂_x², ∂_x∂_y, ∂_y²: y^{(k)} x^{y−k} and x^y log^k x where they exist.
  const auto check = [](double x, double y, const Eigen::Vector3d& first,
                        const Eigen::Vector3d& second) {
    CAPTURE(x, y);
    const First f = pow(dual(x, 1, 0), dual(y, 0, 1));
    CHECK(f.value == first[0]);
    CHECK(f.derivative[0] == first[1]);
    CHECK(f.derivative[1] == first[2]);
    using Inner = ness::Dual<double, 2>;
    ness::Dual<Inner, 2> a(Inner(dual(x, 1, 0))), b(Inner(dual(y, 0, 1)));
    a.derivative[0] = Inner(1);
    b.derivative[1] = Inner(1);
    const auto g = pow(a, b);
    CHECK(g.derivative[0].derivative[0] == second[0]);
    CHECK(g.derivative[0].derivative[1] == second[1]);
    CHECK(g.derivative[1].derivative[0] == second[1]);
    CHECK(g.derivative[1].derivative[1] == second[2]);
  };
  check(0, 3, {0, 0, 0}, {0, 0, 0});
  check(0, 2, {0, 0, 0}, {2, 0, 0});
  check(0, 1.5, {0, 0, 0}, {infinity, 0, 0});
  check(1, 2, {1, 2, 0}, {2, 1, 0});
  check(1, 0, {1, 0, 0}, {0, 1, 0});
  const First y1 = pow(dual(0, 1, 0), dual(1, 0, 1));
  check_equal(y1, 0, 1, 0);
  check_equal(pow(0, dual(2, 1, 3)), 0, 0, 0);
  check_equal(pow(0.0, dual(0.5, 1, 3)), 0, 0, 0);
  const Second flat = pow(0, variable(0.3));
  CHECK(flat.derivative[0].derivative[0] == 0);
  CHECK(pow(0, dual(0, 1, 0)).derivative[0] == -infinity);

  // A whole exponent that is a dual number, but does not move.
  check_equal(pow(dual(-2, 1, 3), First(3)), -8, 12, 36);
  check_equal(pow(dual(-2, 1, 3), First(-1)), -0.5, -0.25, -0.75);
  check_equal(pow(dual(-2, 1, 3), First(0)), 1, 0, 0);
  check_equal(pow(dual(0, 1, 3), First(0)), 1, 0, 0);
  for (const double x : {-2.0, 0.0, 3.0}) {
    const Second cube = pow(variable(x), Second(3));
    CHECK(relative_error(cube.value.value, x * x * x) <= 1e-15);
    CHECK(relative_error(cube.derivative[0].value, 3 * x * x) <= 1e-15);
    CHECK(relative_error(cube.derivative[0].derivative[0], 6 * x) <= 1e-15);
  }
  check_equal(pow(-2, First(3)), -8, 0, 0);
  CHECK(std::isnan(pow(-2, dual(3, 1, 0)).derivative[0]));  // there is no (−2)^y about y = 3
  CHECK(pow(-2, dual(3, 1, 0)).derivative[1] == 0);
}

TEST_CASE("An infinite slope is no slope along what does not move") {
  const double infinity = std::numeric_limits<double>::infinity();
  const First zero = dual(0, 2, 0);
  for (const First& y : {sqrt(zero), cbrt(zero), pow(zero, 0.3), pow(zero, First(0.3))}) {
    CHECK(y.value == 0);
    CHECK(y.derivative[0] == infinity);
    CHECK(y.derivative[1] == 0);
  }
}

TEST_CASE("Logarithms and powers of other bases have their derivatives") {
  using std::exp2, std::log10, std::log2;
  const double ln2 = std::log(2.0), ln10 = std::log(10.0);
  check_function(
      {-2, 0, 0.5, 3}, [](auto x) { return exp2(x); }, [=](double x) { return ln2 * exp2(x); },
      [=](double x) { return ln2 * ln2 * exp2(x); });
  check_function(
      {0.1, 1, 7}, [](auto x) { return log2(x); }, [=](double x) { return 1 / (ln2 * x); },
      [=](double x) { return -1 / (ln2 * x * x); });
  check_function(
      {0.1, 1, 7}, [](auto x) { return log10(x); }, [=](double x) { return 1 / (ln10 * x); },
      [=](double x) { return -1 / (ln10 * x * x); });
}

TEST_CASE("The gamma function and its logarithm have their derivatives") {
  using ness::detail::digamma, ness::detail::trigamma, std::lgamma, std::tgamma;
  constexpr double pi = std::numbers::pi, euler = std::numbers::egamma;
  // ψ(n + 1) = H_n − γ, ψ(n + ½) = −γ − 2 log 2 + Σ 2/(2k − 1); ψ' of them the sums of squares.
  double whole = -euler, half = -euler - 2 * std::numbers::ln2;
  double whole_slope = pi * pi / 6, half_slope = pi * pi / 2;
  for (int n = 1; n <= 60; ++n) {
    const auto error = [](double found, double expected) {
      return std::abs(found - expected) / (1 + std::abs(expected));
    };
    CHECK(error(digamma(double(n)), whole) <= 4e-16 * (1 + n));
    CHECK(error(digamma(n - 0.5), half) <= 4e-16 * (1 + n));
    CHECK(relative_error(trigamma(double(n)), whole_slope) <= 1e-14 * n);
    CHECK(relative_error(trigamma(n - 0.5), half_slope) <= 1e-14 * n);
    whole += 1.0 / n;
    half += 2.0 / (2 * n - 1);
    whole_slope -= 1.0 / n / n;
    half_slope -= 4.0 / (2 * n - 1) / (2 * n - 1);
  }
  // Either side of 0 they go on as ψ(x + 1) = ψ(x) + 1/x does.
  for (const double x : {-0.3, -1.5, -2.7, -17.25, 0.01}) {
    CHECK(std::abs(digamma(x + 1) - digamma(x) - 1 / x) <= 1e-13 * (1 + std::abs(1 / x)));
    CHECK(std::abs(trigamma(x + 1) - trigamma(x) + 1 / (x * x)) <= 1e-13 * (1 + 1 / (x * x)));
  }
  // Where the series is worth most: the last terms show in long double alone.
  using Long = long double;
  Long at_twenty = -std::numbers::egamma_v<Long>;
  Long slope_at_twenty = std::numbers::pi_v<Long> * std::numbers::pi_v<Long> / 6;
  for (int n = 1; n < 20; ++n) {
    at_twenty += Long(1) / n;
    slope_at_twenty -= Long(1) / (n * n);
  }
  const auto rounding = static_cast<double>(8 * std::numeric_limits<Long>::epsilon());
  CHECK(std::abs(static_cast<double>(digamma(Long(20)) - at_twenty)) <= rounding);
  CHECK(std::abs(static_cast<double>(trigamma(Long(20)) - slope_at_twenty)) <= rounding);
  CHECK(relative_error(digamma(1e10), std::log(1e10)) <= 1e-10);
  CHECK(relative_error(digamma(0.5F), digamma(0.5)) <= 1e-6);
  CHECK(std::isnan(digamma(-2.0)));

  check_function(
      {-1.4, 0.3, 2.5, 30}, [](auto x) { return lgamma(x); }, [](double x) { return digamma(x); },
      [](double x) { return trigamma(x); });
  check_function(
      {-1.4, 0.3, 2.5, 30}, [](auto x) { return tgamma(x); },
      [](double x) { return tgamma(x) * digamma(x); },
      [](double x) { return tgamma(x) * (digamma(x) * digamma(x) + trigamma(x)); });
}

TEST_CASE("Trigonometric functions and their inverses have their derivatives") {
  using std::acos, std::asin, std::atan, std::cos, std::sin, std::sqrt, std::tan;
  check_function(
      {-1, 0.3, 2}, [](auto x) { return sin(x); }, [](double x) { return cos(x); },
      [](double x) { return -sin(x); });
  check_function(
      {-1, 0.3, 2}, [](auto x) { return cos(x); }, [](double x) { return -sin(x); },
      [](double x) { return -cos(x); });
  check_function(
      {-1, 0.3, 1.2}, [](auto x) { return tan(x); }, [](double x) { return 1 / (cos(x) * cos(x)); },
      [](double x) { return 2 * tan(x) / (cos(x) * cos(x)); });
  check_function(
      {-0.6, 0.1, 0.9}, [](auto x) { return asin(x); },
      [](double x) { return 1 / sqrt(1 - x * x); },
      [](double x) { return x / std::pow(1 - x * x, 1.5); });
  check_function(
      {-0.6, 0.1, 0.9}, [](auto x) { return acos(x); },
      [](double x) { return -1 / sqrt(1 - x * x); },
      [](double x) { return -x / std::pow(1 - x * x, 1.5); });
  check_function(
      {-3, 0.1, 0.9}, [](auto x) { return atan(x); }, [](double x) { return 1 / (1 + x * x); },
      [](double x) { return -2 * x / ((1 + x * x) * (1 + x * x)); });
}

TEST_CASE("Hyperbolic functions and the error function have their derivatives") {
  using std::cosh, std::erf, std::sinh, std::tanh;
  check_function(
      {-1, 0.3, 2}, [](auto x) { return sinh(x); }, [](double x) { return cosh(x); },
      [](double x) { return sinh(x); });
  check_function(
      {-1, 0.3, 2}, [](auto x) { return cosh(x); }, [](double x) { return sinh(x); },
      [](double x) { return cosh(x); });
  check_function(
      {-1, 0.3, 2}, [](auto x) { return tanh(x); },
      [](double x) { return 1 / (cosh(x) * cosh(x)); },
      [](double x) { return -2 * tanh(x) / (cosh(x) * cosh(x)); });
  const double c = 2 / std::sqrt(std::numbers::pi);
  check_function(
      {-1, 0.3, 2}, [](auto x) { return erf(x); }, [c](double x) { return c * std::exp(-x * x); },
      [c](double x) { return -2 * c * x * std::exp(-x * x); });
}

TEST_CASE("Inverse hyperbolic functions and the rest of the error function have derivatives") {
  using std::acosh, std::asinh, std::atanh, std::erfc;
  check_function(
      {-3, 0, 0.4}, [](auto x) { return asinh(x); },
      [](double x) { return 1 / std::sqrt(1 + x * x); },
      [](double x) { return -x / std::pow(1 + x * x, 1.5); });
  check_function(
      {1.2, 3, 50}, [](auto x) { return acosh(x); },
      [](double x) { return 1 / std::sqrt(x * x - 1); },
      [](double x) { return -x / std::pow(x * x - 1, 1.5); });
  check_function(
      {-0.7, 0, 0.4}, [](auto x) { return atanh(x); }, [](double x) { return 1 / (1 - x * x); },
      [](double x) { return 2 * x / std::pow(1 - x * x, 2); });
  const double c = 2 / std::sqrt(std::numbers::pi);
  check_function(
      {-1, 0.3, 5}, [](auto x) { return erfc(x); }, [c](double x) { return -c * std::exp(-x * x); },
      [c](double x) { return 2 * c * x * std::exp(-x * x); });
  CHECK(asinh(dual(1e200, 1, 0)).derivative[0] == 1e-200);
}

TEST_CASE("Functions of two variables have their partial derivatives") {
  const First x = dual(0.6, 1, 0);
  const First y = dual(-1.7, 0, 1);
  const double r2 = 0.6 * 0.6 + 1.7 * 1.7;
  check_equal(atan2(y, x), std::atan2(-1.7, 0.6), 1.7 / r2, 0.6 / r2);
  check_equal(hypot(x, y), std::sqrt(r2), 0.6 / std::sqrt(r2), -1.7 / std::sqrt(r2));
  check_equal(pow(x, y), std::pow(0.6, -1.7), -1.7 * std::pow(0.6, -2.7),
              std::log(0.6) * std::pow(0.6, -1.7));
  check_equal(max(x, y), 0.6, 1, 0);
  check_equal(max(y, x), 0.6, 1, 0);
  check_equal(min(x, y), -1.7, 0, 1);
  check_equal(min(y, x), -1.7, 0, 1);
}

TEST_CASE("A length neither overflows, nor is its tip without a number") {
  check_equal(hypot(dual(3e200, 1, 0), dual(4e200, 0, 1)), 5e200, 0.6, 0.8);
  check_equal(hypot(First(0), dual(0, 1, 0)), 0, 0, 0);
  check_equal(hypot(dual(3, 1, 2), 4), 5, 0.6, 1.2);
  check_equal(hypot(4.0, dual(3, 1, 2)), 5, 0.6, 1.2);
  check_equal(atan2(dual(1, 1, 2), 1.0), std::numbers::pi / 4, 0.5, 1);
  check_equal(atan2(1, dual(1, 1, 2)), std::numbers::pi / 4, -0.5, -1);
}

TEST_CASE("Pieces have the derivative of the piece") {
  using std::clamp, std::max, std::min;  // as users write
  check_equal(max(dual(-2, 3, 5), 0.0), 0, 0, 0);
  check_equal(max(0, dual(2, 3, 5)), 2, 3, 5);
  check_equal(min(dual(-2, 3, 5), 0), -2, 3, 5);
  check_equal(min(0.0, dual(2, 3, 5)), 0, 0, 0);
  check_equal(fmax(dual(-2, 3, 5), 0.0), 0, 0, 0);
  check_equal(fmin(dual(-2, 3, 5), 0.0), -2, 3, 5);
  check_equal(clamp(dual(0.5, 3, 5), 0.0, 1.0), 0.5, 3, 5);
  check_equal(clamp(dual(-2, 3, 5), 0.0, 1.0), 0, 0, 0);
  check_equal(clamp(dual(2, 3, 5), First(0), First(1)), 1, 0, 0);
  check_equal(copysign(dual(-2, 3, 5), First(1)), 2, -3, -5);
  check_equal(copysign(dual(-2, 3, 5), 1.0), 2, -3, -5);
  check_equal(copysign(2, dual(-2, 3, 5)), -2, 0, 0);
  check_equal(copysign(dual(2, 3, 5), First(1)), 2, 3, 5);
  check_equal(floor(dual(-1.5, 3, 5)), -2, 0, 0);
  check_equal(ceil(dual(-1.5, 3, 5)), -1, 0, 0);
  check_equal(round(dual(-1.6, 3, 5)), -2, 0, 0);
  check_equal(trunc(dual(-1.6, 3, 5)), -1, 0, 0);
  check_equal(abs(dual(-2, 3, 5)), 2, -3, -5);
  check_equal(abs(dual(2, 3, 5)), 2, 3, 5);
  check_equal(fabs(dual(-2, 3, 5)), 2, -3, -5);
  check_equal(abs2(dual(-2, 3, 5)), 4, -12, -20);
}

TEST_CASE("The four operations obey the sum, product and quotient rules") {
  const double a = 1.25;
  const double b = -0.5;
  const First x = dual(a, 2, -3);
  const First y = dual(b, 5, 7);
  check_equal(x + y, a + b, 7, 4);
  check_equal(x - y, a - b, -3, -10);
  check_equal(x * y, a * b, 2 * b + a * 5, -3 * b + a * 7);
  check_equal(x / y, a / b, (2 * b - a * 5) / (b * b), (-3 * b - a * 7) / (b * b));
  check_equal(-x, -a, -2, 3);
  check_equal(+x, a, 2, -3);
  First z = x;
  z += y;
  check_equal(z, a + b, 7, 4);
  z -= y;
  check_equal(z, a, 2, -3);
  z *= y;
  check_equal(z, a * b, 2 * b + a * 5, -3 * b + a * 7);
  z /= y;
  check_equal(z, a, 2, -3);
  z = x;
  z *= z;  // its own argument
  check_equal(z, a * a, 4 * a, -6 * a);
}

TEST_CASE("A plain number of any type is a constant") {
  const First x = dual(1.25, 2, -3);
  check_equal(x + 2, 3.25, 2, -3);
  check_equal(2 + x, 3.25, 2, -3);
  check_equal(x - 2.0, -0.75, 2, -3);
  check_equal(2.0F - x, 0.75, -2, 3);
  check_equal(x * 4, 5, 8, -12);
  check_equal(4L * x, 5, 8, -12);
  check_equal(x / 4, 0.3125, 0.5, -0.75);  // not an integer division
  check_equal(5 / x, 4, -5 * 2 / (1.25 * 1.25), 5 * 3 / (1.25 * 1.25));
  check_equal(First(3), 3, 0, 0);
  First y = 2;
  y *= x;
  check_equal(y, 2.5, 4, -6);
}

TEST_CASE("Second derivatives of quotients and products are those of the closed form") {
  check_function(
      {-0.7, 0.4, 3}, [](auto x) { return 1 / (1 + x * x); },
      [](double x) { return -2 * x / std::pow(1 + x * x, 2); },
      [](double x) { return (6 * x * x - 2) / std::pow(1 + x * x, 3); });
  check_function(
      {-0.7, 0.4, 3}, [](auto x) { return x * x * x / 4 - 2 * x; },
      [](double x) { return 0.75 * x * x - 2; }, [](double x) { return 1.5 * x; });
  check_function(
      {-0.7, 0.4, 3}, [](auto x) { return (x - 1) / (x + 5); },
      [](double x) { return 6 / std::pow(x + 5, 2); },
      [](double x) { return -12 / std::pow(x + 5, 3); });
}

TEST_CASE("Comparisons look at the value alone") {
  // Catch2 would print the operands, and dual numbers refuse to become plain ones.
  const First x = dual(1, 2, 3);
  const First same = dual(1, -7, 0);
  const First larger = dual(2, 0, 0);
  CHECK((x == same));
  CHECK((x != larger));
  CHECK((x < larger));
  CHECK((larger >= x));
  CHECK((x > 0));
  CHECK((0.5 < x));
  CHECK((x == 1));
  CHECK((variable(2) > 1.5));
  CHECK((variable(2) == variable(2)));
}

TEST_CASE("isfinite and isnan look at the value") {
  CHECK(isfinite(dual(1, 0, 0)));
  CHECK_FALSE(isfinite(dual(std::numeric_limits<double>::infinity(), 0, 0)));
  CHECK(isnan(dual(std::numeric_limits<double>::quiet_NaN(), 0, 0)));
  CHECK_FALSE(isnan(dual(1, 0, 0)));
}

TEST_CASE("Eigen calculates with dual numbers, also mixed with plain ones") {
  using Vector = Eigen::Matrix<First, 2, 1>;
  const Vector x(dual(3, 1, 0), dual(-2, 0, 1));
  const Eigen::Vector2d w(0.5, 4);
  check_equal(x.squaredNorm(), 13, 6, -4);
  check_equal(x.dot(w), -6.5, 0.5, 4);
  check_equal(x.cwiseAbs2().dot(w), 20.5, 3, -16);
  check_equal(x.sum(), 1, 1, 1);
  check_equal((2.0 * x)[0], 6, 2, 0);
  check_equal((w.asDiagonal() * x).eval()[1], -8, 0, 4);
  const Eigen::Matrix2d a = (Eigen::Matrix2d() << 1, 2, 3, 4).finished();
  check_equal((a.cast<First>() * x)[1], 1, 3, 4);
  check_equal(x.norm(), std::sqrt(13.0), 3 / std::sqrt(13.0), -2 / std::sqrt(13.0));
}

TEST_CASE("Dual numbers of float stay float") {
  using Single = ness::Dual<float, 1>;
  Single x(0.5F);
  x.derivative[0] = 1;
  STATIC_REQUIRE(std::is_same_v<decltype(2.0 * x), Single>);
  CHECK(relative_error((2.0 * x * x).derivative[0], 2) <= 1e-6);
  CHECK(relative_error(tanh(x).derivative[0], 1 - std::tanh(0.5) * std::tanh(0.5)) <= 1e-6);
}
