// Elementary functions without a branch or a call, so that a plain loop over an array becomes
// vector instructions on any machine. Accurate to a few units in the last place.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>

namespace ness::detail {

inline constexpr double ln2_high = 0x1.62e42fefa0000p-1;  // 40 bits: k · ln2_high is exact
inline constexpr double ln2_low = 0x1.cf79abc9e3b3ap-40;  // ln 2 − ln2_high

/// 2^k for −1022 ≤ k ≤ 1023.
inline double power_of_two(int k) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(std::int64_t{k} + 1023) << 52);
}

/// The integer nearest to x, for |x| < 2^30.
inline int nearest_integer(double x) { return static_cast<int>(x + std::copysign(0.5, x)); }

/// tanh x from x = k ln2/2 + y: tanh y = b/a by the [7/6] convergent of Lambert's continued
/// fraction (|y| < 0.174: error below 1e-22), then the addition theorem with
/// tanh(k ln2/2) = (2^k − 1)/(2^k + 1): one division in all, and full relative accuracy at 0.
/// NaN for a NaN and for infinities, so that a diverged run shows.
inline double tanh(double x) {
  // The bound is taken on the bits: compilers turn a comparison of doubles here into a branch.
  const auto magnitude = std::bit_cast<std::uint64_t>(std::abs(x));
  constexpr auto largest = std::bit_cast<std::uint64_t>(20.0);  // tanh 20 rounds to 1
  const double bounded = std::copysign(std::bit_cast<double>(std::min(magnitude, largest)), x);
  const int k = nearest_integer(bounded * 0x1.71547652b82fep1);  // 2 / ln 2
  const double y = (bounded - k * (ln2_high / 2)) - k * (ln2_low / 2);
  const double z = y * y;
  const double a = 135135 + z * (62370 + z * (3150 + z * 28));
  const double b = y * (135135 + z * (17325 + z * (378 + z)));
  const double scale = power_of_two(k);
  const double ratio = ((scale - 1) * a + (scale + 1) * b) / ((scale + 1) * a + (scale - 1) * b);
  return ratio + (x - x);
}

/// Natural logarithm of a normal positive x: x = 2^k y with y in [√½, √2), log y = 2 artanh(t),
/// t = (y − 1)/(y + 1), by its series to t^21 (error below 1e-17).
inline double log(double x) {
  constexpr std::uint64_t half_root = 0x3FE6A09E667F3BCD;  // bits of √½
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const auto k = static_cast<std::int64_t>(bits - half_root) >> 52;
  const auto y = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(k) << 52));
  const double t = (y - 1) / (y + 1);
  const double z = t * t;
  double series = 1.0 / 21;
  for (int n = 19; n >= 3; n -= 2) series = 1.0 / n + z * series;
  const double power = static_cast<double>(static_cast<int>(k));
  return power * ln2_high + (2 * t + (2 * t * z * series + power * ln2_low));
}

/// sin and cos of 2πu for 0 ≤ u < 1, from the Taylor series on |angle| ≤ π/4.
inline void sincos_turns(double u, double& sine, double& cosine) {
  const int quarter = nearest_integer(4 * u);
  const double angle = (u - 0.25 * quarter) * 0x1.921fb54442d18p2;  // exact difference, times 2π
  const double z = angle * angle;
  double s = 1;
  double c = 1;
  for (int n = 8; n >= 1; --n) {
    s = 1 - z * (1.0 / (2 * n * (2 * n + 1))) * s;
    c = 1 - z * (1.0 / (2 * n * (2 * n - 1))) * c;
  }
  s *= angle;
  const double odd = quarter & 1;  // products with 0 and 1 select without a branch
  const double sine_sign = 1 - (quarter & 2);
  const double cosine_sign = 1 - ((quarter + 1) & 2);
  sine = sine_sign * (odd * c + (1 - odd) * s);
  cosine = cosine_sign * (odd * s + (1 - odd) * c);
}

}  // namespace ness::detail
