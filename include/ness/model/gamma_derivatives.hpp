// Derivatives of log Γ, which std does not have.
#pragma once

#include <cmath>
#include <concepts>
#include <limits>
#include <numbers>

namespace ness::detail {

/// ψ(x) = (log Γ)'(x), of real x: the recurrence ψ(x) = ψ(x + 1) − 1/x up to x ≥ 20, and Stirling's
/// series there (Abramowitz and Stegun, 6.3.18), whose next term is below 10⁻²⁴; below 0 by the
/// reflection ψ(x) = ψ(1 − x) − π cot πx. NaN at the poles 0, −1, −2 …
template <std::floating_point T>
T digamma(T x) {
  if (x <= 0) {
    if (x == std::floor(x)) return std::numeric_limits<T>::quiet_NaN();
    constexpr T pi = std::numbers::pi_v<T>;
    return digamma(1 - x) - pi / std::tan(pi * (x - std::round(x)));
  }
  T below(0);
  for (; x < 20; x += 1) below += 1 / x;
  const T z = 1 / (x * x);
  // Σ B_2k/(2k x^2k)
  const T series =
      z * (T(1) / 12 -
           z * (T(1) / 120 -
                z * (T(1) / 252 -
                     z * (T(1) / 240 -
                          z * (T(1) / 132 -
                               z * (T(691) / 32760 - z * (T(1) / 12 - z * T(3617) / 8160)))))));
  return std::log(x) - 1 / (2 * x) - series - below;
}

/// ψ'(x), in the same way: ψ'(x) = ψ'(x + 1) + 1/x² (6.4.12), and ψ'(x) = π²/sin² πx − ψ'(1 − x).
template <std::floating_point T>
T trigamma(T x) {
  if (x <= 0) {
    if (x == std::floor(x)) return std::numeric_limits<T>::infinity();
    constexpr T pi = std::numbers::pi_v<T>;
    const T sine = std::sin(pi * (x - std::round(x)));
    return pi * pi / (sine * sine) - trigamma(1 - x);
  }
  T below(0);
  for (; x < 20; x += 1) below += 1 / (x * x);
  const T z = 1 / (x * x);
  // Σ B_2k/x^2k
  const T series =
      z *
      (T(1) / 6 -
       z * (T(1) / 30 -
            z * (T(1) / 42 -
                 z * (T(1) / 30 - z * (T(5) / 66 - z * (T(691) / 2730 -
                                                        z * (T(7) / 6 - z * T(3617) / 510)))))));
  return below + (1 + 1 / (2 * x) + series) / x;
}

}  // namespace ness::detail
