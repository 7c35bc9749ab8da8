// Elementary functions without a branch or a call, in lanes, or such that a plain loop over an
// array becomes vector instructions on any machine. Accurate to a few units in the last place.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>

#include "ness/detail/lanes.hpp"

namespace ness::detail {

inline constexpr double ln2_high = 0x1.62e42fefa0000p-1;  // 40 bits: k · ln2_high is exact
inline constexpr double ln2_low = 0x1.cf79abc9e3b3ap-40;  // ln 2 − ln2_high

/// 2^k for −1022 ≤ k ≤ 1023.
inline double power_of_two(int k) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(std::int64_t{k} + 1023) << 52);
}

/// The integer nearest to x, for |x| < 2^30.
inline int nearest_integer(double x) { return static_cast<int>(x + std::copysign(0.5, x)); }

/// tanh x from x = k ln2/2 + y: tanh y = b/a by the [5/6] convergent of Lambert's continued
/// fraction (|y| < 0.174: error below 1e-18), then the addition theorem with
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
  const double a = 10395 + z * (4725 + z * (210 + z));
  const double b = y * (10395 + z * (1260 + z * 21));
  const double scale = power_of_two(k);
  const double ratio = ((scale - 1) * a + (scale + 1) * b) / ((scale + 1) * a + (scale - 1) * b);
  return ratio + (x - x);
}

/// The same in lanes.
inline DoubleLanes tanh(const DoubleLanes& x) {
  constexpr std::uint64_t sign = std::uint64_t{1} << 63;
  constexpr double large = 20;        // tanh 20 rounds to 1
  constexpr double whole = 0x1.8p52;  // numbers near it are whole, and end in what is added to it
  const auto magnitude = DoubleLanes(WordLanes(x) & ~sign);
  const auto small = WordLanes(magnitude < large);
  const auto bounded =
      DoubleLanes((WordLanes(x) & (small | sign)) | (WordLanes(DoubleLanes{} + large) & ~small));
  const DoubleLanes shifted = multiply_add(bounded, DoubleLanes{} + 0x1.71547652b82fep1,
                                           DoubleLanes{} + whole);  // 2 / ln 2
  const DoubleLanes minus_k = whole - shifted;
  DoubleLanes y = multiply_add(minus_k, DoubleLanes{} + ln2_high / 2, bounded);
  y = multiply_add(minus_k, DoubleLanes{} + ln2_low / 2, y);
  const DoubleLanes z = y * y;
  const auto step = [&](const DoubleLanes& sum, double c) {
    return multiply_add(z, sum, DoubleLanes{} + c);
  };
  const DoubleLanes a = step(step(z + 210.0, 4725), 10395);
  const DoubleLanes b = y * step(step(DoubleLanes{} + 21.0, 1260), 10395);
  const auto scale = DoubleLanes((WordLanes(shifted) + 1023) << 52);
  const DoubleLanes less = scale - 1.0, more = scale + 1.0;
  const DoubleLanes ratio =
      multiply_add(less, a, multiply(more, b)) / multiply_add(more, a, multiply(less, b));
  return ratio + (x - x);
}

/// 1/(2n + 3) on t² ≤ 0.0295: (artanh t − t)/t³ to a relative error of 2e-16, of what is 1 % of it.
inline constexpr auto inverse_odd_numbers =
    economized<7>(std::array{1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15,
                             1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23},
                  0.0295);

/// (−1)^n / (2n + odd)!: the sine over its angle, or the cosine, by the square of the angle up to
/// (π/4)², to an error of 5e-17.
consteval auto trigonometric_series(int odd) {
  std::array<double, 11> terms{1};
  for (std::size_t n = 1; n < terms.size(); ++n) {
    const double last = 2 * static_cast<double>(n) + odd;
    terms[n] = -terms[n - 1] / (last * (last - 1));
  }
  return economized<7>(terms, 0.6169);
}
inline constexpr auto sine_series = trigonometric_series(1);
inline constexpr auto cosine_series = trigonometric_series(0);

/// Natural logarithm of a normal positive x: x = 2^k y with y in [√½, √2), log y = 2 artanh(t),
/// t = (y − 1)/(y + 1), t² ≤ 0.0295.
inline DoubleLanes log(const DoubleLanes& x) {
  constexpr std::uint64_t half_root = 0x3FE6A09E667F3BCD;  // bits of √½
  constexpr std::uint64_t bias = 1024;                     // keeps k from being negative
  const auto bits = WordLanes(x);
  const WordLanes biased = (bits - half_root + (bias << 52)) >> 52;
  const auto y = DoubleLanes(bits - ((biased - bias) << 52));
  const DoubleLanes k = small_integer(biased) - static_cast<double>(bias);
  const DoubleLanes t = (y - 1.0) / (y + 1.0);
  const DoubleLanes z = t * t;
  const DoubleLanes series = polynomial(z, inverse_odd_numbers);
  const DoubleLanes low = multiply(2.0 * t * z, series) + multiply(k, DoubleLanes{} + ln2_low);
  return multiply(k, DoubleLanes{} + ln2_high) + (2.0 * t + low);
}

/// sin and cos of 2πu for 0 ≤ u < 1, by |angle| ≤ π/4.
inline void sincos_turns(const DoubleLanes& u, DoubleLanes& sine, DoubleLanes& cosine) {
  const WordLanes quarter = WordLanes(4.0 * u + 0x1p52) & 7;   // the integer nearest to 4u
  const DoubleLanes rest = u - 0.25 * small_integer(quarter);  // exact
  const DoubleLanes angle = rest * 0x1.921fb54442d18p2;
  const DoubleLanes z = angle * angle;
  const auto s = WordLanes(multiply(angle, polynomial(z, sine_series)));
  const auto c = WordLanes(polynomial(z, cosine_series));
  const WordLanes odd = 0 - (quarter & 1);  // all bits or none
  sine = DoubleLanes(((c & odd) | (s & ~odd)) ^ (quarter & 2) << 62);
  cosine = DoubleLanes(((s & odd) | (c & ~odd)) ^ ((quarter + 1) & 2) << 62);
}

}  // namespace ness::detail
