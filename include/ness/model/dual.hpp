// Forward-mode automatic differentiation (R. E. Wengert, CACM 7, 1964, doi:10.1145/355586.364791).
#pragma once

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <concepts>
#include <limits>
#include <numbers>
#include <type_traits>

#include "ness/model/gamma_derivatives.hpp"

namespace ness {

namespace detail {
template <class S>
concept Number = std::is_arithmetic_v<S>;

/// Is it 0, with all its derivatives?
template <class T>
constexpr bool vanishes(const T& x) {
  if constexpr (Number<T>) {
    return x == T(0);
  } else {
    bool result = vanishes(x.value);
    for (const auto& d : x.derivative) result = result && vanishes(d);
    return result;
  }
}

/// slope · d, and 0 where x does not move, though the slope there be infinite or none.
template <class T>
constexpr T along(const T& slope, const T& d) {
  return vanishes(d) ? T(0) : slope * d;
}
}  // namespace detail

/// A value and its derivatives along `Width` directions: x + Σ_k d_k ε_k with ε_j ε_k = 0.
///
/// No operation returns an expression that refers to its arguments, so `auto` is safe in the code
/// that is differentiated. `Dual<Dual<T, 1>, W>` holds second derivatives.
template <class T, int Width>
struct Dual {
  T value{};                          ///< x
  std::array<T, Width> derivative{};  ///< d

  constexpr Dual() = default;
  /// A constant, which does not move.
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

  /// Another value, with the same derivatives.
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

  /// The same where a slope may be infinite, or not exist along directions in which nothing moves.
  static constexpr Dual combine_singular(const T& f, const Dual& a, const T& slope_a, const Dual& b,
                                         const T& slope_b) {
    Dual result;
    result.value = f;
    for (int k = 0; k < Width; ++k)
      result.derivative[k] =
          detail::along(slope_a, a.derivative[k]) + detail::along(slope_b, b.derivative[k]);
    return result;
  }
  /// The same of one argument.
  constexpr Dual chain_singular(const T& f, const T& slope) const {
    return combine_singular(f, *this, slope, Dual(), T(0));
  }

  friend Dual abs(const Dual& x) { return x.value < T(0) ? -x : x; }
  friend Dual fabs(const Dual& x) { return abs(x); }
  friend Dual abs2(const Dual& x) { return x * x; }
  friend Dual sqrt(const Dual& x) {
    using std::sqrt;
    const T root = sqrt(x.value);
    return root == T(0) ? x.chain_singular(root, T(0.5) / root) : x.chain(root, T(0.5) / root);
  }
  friend Dual cbrt(const Dual& x) {
    using std::cbrt;
    const T root = cbrt(x.value);
    const T slope = T(1) / (T(3) * root * root);
    return root == T(0) ? x.chain_singular(root, slope) : x.chain(root, slope);
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
  friend Dual exp2(const Dual& x) {
    using std::exp2;
    const T e = exp2(x.value);
    return x.chain(e, T(std::numbers::ln2) * e);
  }
  friend Dual log2(const Dual& x) {
    using std::log2;
    return x.chain(log2(x.value), T(std::numbers::log2e) / x.value);
  }
  friend Dual log10(const Dual& x) {
    using std::log10;
    return x.chain(log10(x.value), T(std::numbers::log10e) / x.value);
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
    return x.chain(asin(x.value), T(1) / sqrt((T(1) - x.value) * (T(1) + x.value)));
  }
  friend Dual acos(const Dual& x) {
    using std::acos, std::sqrt;
    return x.chain(acos(x.value), T(-1) / sqrt((T(1) - x.value) * (T(1) + x.value)));
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
  friend Dual asinh(const Dual& x) {
    using std::asinh, std::hypot;
    return x.chain(asinh(x.value), T(1) / hypot(T(1), x.value));
  }
  friend Dual acosh(const Dual& x) {
    using std::acosh, std::sqrt;
    return x.chain(acosh(x.value), T(1) / (sqrt(x.value - T(1)) * sqrt(x.value + T(1))));
  }
  friend Dual atanh(const Dual& x) {
    using std::atanh;
    return x.chain(atanh(x.value), T(1) / ((T(1) - x.value) * (T(1) + x.value)));
  }
  friend Dual erf(const Dual& x) {
    using std::erf, std::exp;
    return x.chain(erf(x.value), T(2 * std::numbers::inv_sqrtpi) * exp(-x.value * x.value));
  }
  friend Dual erfc(const Dual& x) {
    using std::erfc, std::exp;
    return x.chain(erfc(x.value), T(-2 * std::numbers::inv_sqrtpi) * exp(-x.value * x.value));
  }
  friend Dual lgamma(const Dual& x) {
    using detail::digamma, std::lgamma;
    return x.chain(lgamma(x.value), digamma(x.value));
  }
  friend Dual tgamma(const Dual& x) {
    using detail::digamma, std::tgamma;
    const T gamma = tgamma(x.value);
    return x.chain(gamma, gamma * digamma(x.value));
  }
  friend Dual digamma(const Dual& x) {
    using detail::digamma, detail::trigamma;
    return x.chain(digamma(x.value), trigamma(x.value));
  }

  /// x^y. For x < 0 it is a function of x alone, with a whole y.
  friend Dual pow(const Dual& x, const Dual& y) {
    using std::log, std::pow;
    const T power = pow(x.value, y.value);
    if (x.value > T(0))
      return combine(power, x, power * (y.value / x.value), y, power * log(x.value));
    const T slope = detail::vanishes(y.value) ? T(0) : y.value * pow(x.value, y.value - T(1));
    return combine_singular(power, x, slope, y, slope_in_exponent(x.value, y.value));
  }
  template <detail::Number S>
  friend Dual pow(const Dual& x, S exponent) {
    using std::pow;
    if (exponent == S(0)) return Dual(T(1));  // also where x = 0
    const T power = pow(x.value, exponent);
    const T slope = T(exponent) * pow(x.value, exponent - S(1));
    return x.value == T(0) ? x.chain_singular(power, slope) : x.chain(power, slope);
  }
  template <detail::Number S>
  friend Dual pow(S base, const Dual& x) {
    return pow(Dual(T(base)), x);
  }
  friend Dual atan2(const Dual& y, const Dual& x) {
    using std::atan2;
    const T square = x.value * x.value + y.value * y.value;
    return combine(atan2(y.value, x.value), y, x.value / square, x, -y.value / square);
  }
  /// Of its tip, where there is no derivative, it takes 0.
  friend Dual hypot(const Dual& x, const Dual& y) {
    using std::hypot;
    const T length = hypot(x.value, y.value);
    if (length == T(0)) return Dual(length);
    return combine(length, x, x.value / length, y, y.value / length);
  }
  friend Dual max(const Dual& a, const Dual& b) { return a.value < b.value ? b : a; }
  friend Dual min(const Dual& a, const Dual& b) { return b.value < a.value ? b : a; }
  friend Dual clamp(const Dual& x, const Dual& low, const Dual& high) {
    return min(max(x, low), high);
  }
  // With a plain number: what `using std::max;` brings in besides is refused below.
  template <detail::Number S>
  friend Dual max(const Dual& a, const S& b) {
    return max(a, Dual(T(b)));
  }
  template <detail::Number S>
  friend Dual max(const S& a, const Dual& b) {
    return max(Dual(T(a)), b);
  }
  template <detail::Number S>
  friend Dual min(const Dual& a, const S& b) {
    return min(a, Dual(T(b)));
  }
  template <detail::Number S>
  friend Dual min(const S& a, const Dual& b) {
    return min(Dual(T(a)), b);
  }
  template <detail::Number S>
  friend Dual clamp(const Dual& x, const S& low, const S& high) {
    return clamp(x, Dual(T(low)), Dual(T(high)));
  }
  friend Dual fmax(const Dual& a, const Dual& b) { return max(a, b); }
  friend Dual fmin(const Dual& a, const Dual& b) { return min(a, b); }
  friend Dual copysign(const Dual& size, const Dual& sign) {
    using std::signbit;
    return signbit(size.value) == signbit(sign.value) ? size : -size;
  }
  // Steps: constant but where they jump.
  friend Dual floor(const Dual& x) {
    using std::floor;
    return Dual(floor(x.value));
  }
  friend Dual ceil(const Dual& x) {
    using std::ceil;
    return Dual(ceil(x.value));
  }
  friend Dual round(const Dual& x) {
    using std::round;
    return Dual(round(x.value));
  }
  friend Dual trunc(const Dual& x) {
    using std::trunc;
    return Dual(trunc(x.value));
  }
  friend bool signbit(const Dual& x) {
    using std::signbit;
    return signbit(x.value);
  }
  friend bool isfinite(const Dual& x) {
    using std::isfinite;
    return isfinite(x.value);
  }
  friend bool isnan(const Dual& x) {
    using std::isnan;
    return isnan(x.value);
  }

 private:
  // ∂x^y/∂y = x^y log x where x is 0 or less. At 0 it is 0, and so are its derivatives for y > 1;
  // for 0 < y ≤ 1 it falls with an infinite slope.
  static T slope_in_exponent(const T& x, const T& y) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (x < T(0)) return T(std::numeric_limits<double>::quiet_NaN());
    if (!(y > T(0))) return T(-infinity);
    if constexpr (!detail::Number<T>)
      if (!(y > T(1))) return x.chain_singular({}, -infinity);
    return T(0);
  }
};

namespace detail {
template <class A>
constexpr bool is_dual = false;
template <class T, int Width>
constexpr bool is_dual<Dual<T, Width>> = true;
template <class A, class B>
concept DualAndNumber = (is_dual<A> && Number<B>) || (Number<A> && is_dual<B>);
template <class A, class B>
using dual_of_t = std::conditional_t<Number<A>, B, A>;
}  // namespace detail

// With a plain number: the C library's own are as near otherwise, by way of `operator double`.
template <class A, class B>
  requires detail::DualAndNumber<A, B>
detail::dual_of_t<A, B> atan2(const A& y, const B& x) {
  using D = detail::dual_of_t<A, B>;
  return atan2(D(y), D(x));
}
template <class A, class B>
  requires detail::DualAndNumber<A, B>
detail::dual_of_t<A, B> hypot(const A& x, const B& y) {
  using D = detail::dual_of_t<A, B>;
  return hypot(D(x), D(y));
}
template <class A, class B>
  requires detail::DualAndNumber<A, B>
detail::dual_of_t<A, B> fmax(const A& a, const B& b) {
  using D = detail::dual_of_t<A, B>;
  return max(D(a), D(b));
}
template <class A, class B>
  requires detail::DualAndNumber<A, B>
detail::dual_of_t<A, B> fmin(const A& a, const B& b) {
  using D = detail::dual_of_t<A, B>;
  return min(D(a), D(b));
}
template <class A, class B>
  requires detail::DualAndNumber<A, B>
detail::dual_of_t<A, B> copysign(const A& size, const B& sign) {
  using D = detail::dual_of_t<A, B>;
  return copysign(D(size), D(sign));
}

namespace detail {
template <class D>
constexpr D refuse_std_extremum(const D& x) {
  static_assert(!std::same_as<D, D>,
                "ness: std::max, std::min and std::clamp take one type alone, and theta's is not "
                "double: in sample_loss write `max(x, 0.0)` with `using std::max;`, not "
                "`std::max(x, 0.0)`");
  return x;
}
}  // namespace detail

}  // namespace ness

/// @cond what Eigen asks of a scalar
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

/// @endcond

// A call of std::max with another type than θ's, which deduces none, would be explained by the
// compiler alone. No overload may be had but here, where a qualified name is looked up.
namespace std {
template <class S, class T, int Width>
  requires ness::detail::Number<S>
constexpr ness::Dual<T, Width> max(const S&, const ness::Dual<T, Width>& x) {
  return ness::detail::refuse_std_extremum(x);
}
template <class S, class T, int Width>
  requires ness::detail::Number<S>
constexpr ness::Dual<T, Width> max(const ness::Dual<T, Width>& x, const S&) {
  return ness::detail::refuse_std_extremum(x);
}
template <class S, class T, int Width>
  requires ness::detail::Number<S>
constexpr ness::Dual<T, Width> min(const S&, const ness::Dual<T, Width>& x) {
  return ness::detail::refuse_std_extremum(x);
}
template <class S, class T, int Width>
  requires ness::detail::Number<S>
constexpr ness::Dual<T, Width> min(const ness::Dual<T, Width>& x, const S&) {
  return ness::detail::refuse_std_extremum(x);
}
template <class S, class T, int Width>
  requires ness::detail::Number<S>
constexpr ness::Dual<T, Width> clamp(const ness::Dual<T, Width>& x, const S&, const S&) {
  return ness::detail::refuse_std_extremum(x);
}
}  // namespace std
