// Numbers that are not negative, with an exponent of 64 bits: probabilities beyond barriers of any
// height.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace ness::detail {

/// m · 2^(512 e), 2⁻²⁵⁶ ≤ m < 2²⁵⁶, or m = 0: right to the rounding of double, without underflow.
class WideNumber {
 public:
  constexpr WideNumber() = default;
  /// Of a finite number that is not negative.
  constexpr WideNumber(double value) : mantissa_(value) { normalize(); }  // NOLINT: implicit

  static WideNumber exp(double x) {
    const double steps = std::round(x / log_step);
    WideNumber result(std::exp(x - steps * log_step));
    result.exponent_ += static_cast<std::int64_t>(steps);
    return result;
  }
  double log() const { return std::log(mantissa_) + static_cast<double>(exponent_) * log_step; }

  friend constexpr WideNumber operator*(WideNumber a, const WideNumber& b) {
    a.mantissa_ *= b.mantissa_;
    a.exponent_ += b.exponent_;
    a.normalize();
    return a;
  }
  friend constexpr WideNumber operator/(WideNumber a, const WideNumber& b) {
    a.mantissa_ /= b.mantissa_;
    a.exponent_ -= b.exponent_;
    a.normalize();
    return a;
  }
  friend constexpr WideNumber operator+(WideNumber a, WideNumber b) {
    if (a.mantissa_ == 0 || (b.mantissa_ != 0 && a.exponent_ < b.exponent_)) {
      const WideNumber smaller = a;
      a = b;
      b = smaller;
    }
    if (b.mantissa_ == 0 || a.exponent_ > b.exponent_ + 1) return a;
    a.mantissa_ += a.exponent_ == b.exponent_ ? b.mantissa_ : b.mantissa_ * down;
    a.normalize();
    return a;
  }
  constexpr WideNumber& operator+=(const WideNumber& b) { return *this = *this + b; }
  constexpr WideNumber& operator/=(const WideNumber& b) { return *this = *this / b; }
  constexpr bool is_positive() const { return mantissa_ > 0; }

 private:
  static constexpr double up = 0x1p512, down = 0x1p-512;
  static constexpr double log_step = 512 * std::numbers::ln2;

  constexpr void normalize() {
    if (mantissa_ >= 0x1p256) {
      mantissa_ *= down;
      ++exponent_;
    } else if (mantissa_ < 0x1p-256 && mantissa_ > 0) {
      mantissa_ *= up;
      --exponent_;
    }
  }

  double mantissa_ = 0;
  std::int64_t exponent_ = 0;
};

}  // namespace ness::detail
