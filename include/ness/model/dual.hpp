// Forward-mode automatic differentiation (R. E. Wengert, CACM 7, 1964, doi:10.1145/355586.364791).
#pragma once

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

namespace ness {

namespace detail {
template <class S>
concept Number = std::is_arithmetic_v<S>;
}

/// A value and its derivatives along `Width` directions: x + Σ_k d_k ε_k with ε_j ε_k = 0.
///
/// No operation returns an expression that refers to its arguments, so `auto` is safe in the code
/// that is differentiated. `Dual<Dual<T, 1>, W>` holds second derivatives.
template <class T, int Width>
struct Dual {
  T value{};
  std::array<T, Width> derivative{};

  constexpr Dual() = default;
  template <class S>
    requires detail::Number<S> || std::same_as<S, T>
  constexpr Dual(const S& constant) : value(constant) {}  // NOLINT: implicit, a constant is a Dual

  // What `std::exp(x)` or `double y = x` would call: both would lose the derivatives.
  constexpr operator double() const {  // NOLINT: implicit, so that it is found
    static_assert(!std::same_as<T, T>,
                  "ness: an automatic-differentiation scalar became a plain number and lost its "
                  "derivatives: in sample_loss use `auto` or theta's Scalar, and write `exp(x)` "
                  "with `using std::exp;`, not `std::exp(x)`");
    return 0;
  }

  constexpr Dual& operator+=(const Dual& b) { return *this = *this + b; }
  constexpr Dual& operator-=(const Dual& b) { return *this = *this - b; }
  constexpr Dual& operator*=(const Dual& b) { return *this = *this * b; }
  constexpr Dual& operator/=(const Dual& b) { return *this = *this / b; }

  friend constexpr Dual operator+(const Dual& a) { return a; }
  friend constexpr Dual operator-(const Dual& a) { return a.chain(-a.value, T(-1)); }

  friend constexpr Dual operator+(const Dual& a, const Dual& b) {
    return combine(a.value + b.value, a, T(1), b, T(1));
  }
  friend constexpr Dual operator-(const Dual& a, const Dual& b) {
    return combine(a.value - b.value, a, T(1), b, T(-1));
  }
  friend constexpr Dual operator*(const Dual& a, const Dual& b) {
    return combine(a.value * b.value, a, b.value, b, a.value);
  }
  friend constexpr Dual operator/(const Dual& a, const Dual& b) {
    const T inverse = T(1) / b.value;
    const T quotient = a.value * inverse;
    return combine(quotient, a, inverse, b, -quotient * inverse);
  }

  // With a plain number: its derivatives need not be multiplied by zero.
  template <detail::Number S>
  friend constexpr Dual operator+(const Dual& a, S b) {
    return a.with_value(a.value + T(b));
  }
  template <detail::Number S>
  friend constexpr Dual operator+(S a, const Dual& b) {
    return b.with_value(T(a) + b.value);
  }
  template <detail::Number S>
  friend constexpr Dual operator-(const Dual& a, S b) {
    return a.with_value(a.value - T(b));
  }
  template <detail::Number S>
  friend constexpr Dual operator-(S a, const Dual& b) {
    return b.chain(T(a) - b.value, T(-1));
  }
  template <detail::Number S>
  friend constexpr Dual operator*(const Dual& a, S b) {
    return a.chain(a.value * T(b), T(b));
  }
  template <detail::Number S>
  friend constexpr Dual operator*(S a, const Dual& b) {
    return b * a;
  }
  template <detail::Number S>
  friend constexpr Dual operator/(const Dual& a, S b) {
    return a * (1 / static_cast<double>(b));
  }
  template <detail::Number S>
  friend constexpr Dual operator/(S a, const Dual& b) {
    const T quotient = T(a) / b.value;
    return b.chain(quotient, -quotient / b.value);
  }

  friend constexpr bool operator==(const Dual& a, const Dual& b) { return a.value == b.value; }
  friend constexpr auto operator<=>(const Dual& a, const Dual& b) { return a.value <=> b.value; }
  template <detail::Number S>
  friend constexpr bool operator==(const Dual& a, S b) {
    return a.value == b;
  }
  template <detail::Number S>
  friend constexpr auto operator<=>(const Dual& a, S b) {
    return a.value <=> b;
  }

  constexpr Dual with_value(const T& f) const {
    Dual result = *this;
    result.value = f;
    return result;
  }

  /// f(x) by the chain rule, given f and f' at the value.
  constexpr Dual chain(const T& f, const T& slope) const {
    Dual result;
    result.value = f;
    for (int k = 0; k < Width; ++k) result.derivative[k] = slope * derivative[k];
    return result;
  }

  /// f(a, b) given f and its two partial derivatives.
  static constexpr Dual combine(const T& f, const Dual& a, const T& slope_a, const Dual& b,
                                const T& slope_b) {
    Dual result;
    result.value = f;
    for (int k = 0; k < Width; ++k)
      result.derivative[k] = slope_a * a.derivative[k] + slope_b * b.derivative[k];
    return result;
  }

  friend Dual abs(const Dual& x) { return x.value < T(0) ? -x : x; }
  friend Dual fabs(const Dual& x) { return abs(x); }
  friend Dual abs2(const Dual& x) { return x * x; }
  friend Dual sqrt(const Dual& x) {
    using std::sqrt;
    const T root = sqrt(x.value);
    return x.chain(root, T(0.5) / root);
  }
  friend Dual cbrt(const Dual& x) {
    using std::cbrt;
    const T root = cbrt(x.value);
    return x.chain(root, T(1) / (T(3) * root * root));
  }
  friend Dual exp(const Dual& x) {
    using std::exp;
    const T e = exp(x.value);
    return x.chain(e, e);
  }
  friend Dual expm1(const Dual& x) {
    using std::exp, std::expm1;
    return x.chain(expm1(x.value), exp(x.value));
  }
  friend Dual log(const Dual& x) {
    using std::log;
    return x.chain(log(x.value), T(1) / x.value);
  }
  friend Dual log1p(const Dual& x) {
    using std::log1p;
    return x.chain(log1p(x.value), T(1) / (T(1) + x.value));
  }
  friend Dual sin(const Dual& x) {
    using std::cos, std::sin;
    return x.chain(sin(x.value), cos(x.value));
  }
  friend Dual cos(const Dual& x) {
    using std::cos, std::sin;
    return x.chain(cos(x.value), -sin(x.value));
  }
  friend Dual tan(const Dual& x) {
    using std::tan;
    const T t = tan(x.value);
    return x.chain(t, T(1) + t * t);
  }
  friend Dual asin(const Dual& x) {
    using std::asin, std::sqrt;
    return x.chain(asin(x.value), T(1) / sqrt(T(1) - x.value * x.value));
  }
  friend Dual acos(const Dual& x) {
    using std::acos, std::sqrt;
    return x.chain(acos(x.value), T(-1) / sqrt(T(1) - x.value * x.value));
  }
  friend Dual atan(const Dual& x) {
    using std::atan;
    return x.chain(atan(x.value), T(1) / (T(1) + x.value * x.value));
  }
  friend Dual sinh(const Dual& x) {
    using std::cosh, std::sinh;
    return x.chain(sinh(x.value), cosh(x.value));
  }
  friend Dual cosh(const Dual& x) {
    using std::cosh, std::sinh;
    return x.chain(cosh(x.value), sinh(x.value));
  }
  friend Dual tanh(const Dual& x) {
    using std::tanh;
    const T t = tanh(x.value);
    return x.chain(t, T(1) - t * t);
  }
  friend Dual erf(const Dual& x) {
    using std::erf, std::exp;
    return x.chain(erf(x.value), T(1.1283791670955125739) * exp(-x.value * x.value));  // 2/√π
  }
  friend Dual pow(const Dual& x, const Dual& y) { return exp(y * log(x)); }
  template <detail::Number S>
  friend Dual pow(const Dual& x, S exponent) {
    using std::pow;
    if (exponent == S(0)) return Dual(T(1));  // also where x = 0
    return x.chain(pow(x.value, exponent), T(exponent) * pow(x.value, exponent - S(1)));
  }
  template <detail::Number S>
  friend Dual pow(S base, const Dual& x) {
    using std::log;
    return exp(x * Dual(T(log(base))));
  }
  friend Dual atan2(const Dual& y, const Dual& x) {
    using std::atan2;
    const T square = x.value * x.value + y.value * y.value;
    return combine(atan2(y.value, x.value), y, x.value / square, x, -y.value / square);
  }
  friend Dual hypot(const Dual& x, const Dual& y) { return sqrt(x * x + y * y); }
  friend Dual max(const Dual& a, const Dual& b) { return a.value < b.value ? b : a; }
  friend Dual min(const Dual& a, const Dual& b) { return b.value < a.value ? b : a; }
  friend bool isfinite(const Dual& x) {
    using std::isfinite;
    return isfinite(x.value);
  }
  friend bool isnan(const Dual& x) {
    using std::isnan;
    return isnan(x.value);
  }
};

}  // namespace ness

template <class T, int Width>
struct Eigen::NumTraits<ness::Dual<T, Width>> : Eigen::NumTraits<T> {
  using Real = ness::Dual<T, Width>;
  using NonInteger = Real;
  using Nested = Real;
  using Literal = Real;
  enum { RequireInitialization = 1, AddCost = 1 + Width, MulCost = 1 + 2 * Width };
};

template <class T, int Width, class Operation>
struct Eigen::ScalarBinaryOpTraits<ness::Dual<T, Width>, double, Operation> {
  using ReturnType = ness::Dual<T, Width>;
};
template <class T, int Width, class Operation>
struct Eigen::ScalarBinaryOpTraits<double, ness::Dual<T, Width>, Operation> {
  using ReturnType = ness::Dual<T, Width>;
};
template <class T, int Width, class Operation>
struct Eigen::ScalarBinaryOpTraits<ness::Dual<T, Width>, float, Operation> {
  using ReturnType = ness::Dual<T, Width>;
};
template <class T, int Width, class Operation>
struct Eigen::ScalarBinaryOpTraits<float, ness::Dual<T, Width>, Operation> {
  using ReturnType = ness::Dual<T, Width>;
};
