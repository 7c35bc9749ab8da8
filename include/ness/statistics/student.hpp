// Student's t and Fisher's F: what deviations are worth when their errors are themselves estimates.
#pragma once

namespace ness {

/// The chance that |T| ≥ t of Student's t with ν > 0 degrees of freedom; with infinitely many T is
/// normal. It is I_x(ν/2, ½), x = ν/(ν + t²), the incomplete beta function, by its continued
/// fraction (W. J. Lentz, Appl. Opt. 15, 1976, doi:10.1364/AO.15.000668), to a relative 1e-12 or
/// so. NaN where t or ν is.
template <class Scalar>
Scalar student_tail(Scalar t, Scalar degrees_of_freedom);

/// The chance that F ≥ f of Fisher's F with p and ν > 0 degrees of freedom, I_x(ν/2, p/2), x = ν/(ν
/// + pf): of the mean of p normal numbers and its estimated
/// covariance, as H. Hotelling has it (Ann. Math. Stat. 2, 1931, doi:10.1214/aoms/1177732979).
template <class Scalar>
Scalar fisher_tail(Scalar f, Scalar p, Scalar degrees_of_freedom);

}  // namespace ness

#ifndef NESS_COMPILED  // else it is in the library

#include <cmath>

namespace ness {

namespace detail {

/// I_x(a, b) for x below (a + 1)/(a + b + 2), where its continued fraction converges fast.
template <class Scalar>
Scalar beta_fraction(Scalar x, Scalar a, Scalar b) {
  const Scalar logarithm =
      a * std::log(x) + b * std::log1p(-x) + std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b);
  Scalar value(1);
  Scalar numerator(1);
  Scalar denominator(0);
  for (int k = 0; k < 500; ++k) {
    const Scalar i = static_cast<Scalar>(k / 2);
    Scalar term(1);
    if (k > 0 && k % 2 == 0) term = i * (b - i) * x / ((a + 2 * i - 1) * (a + 2 * i));
    if (k % 2 == 1) term = -(a + i) * (a + b + i) * x / ((a + 2 * i) * (a + 2 * i + 1));
    denominator = 1 / (1 + term * denominator);
    numerator = 1 + term / numerator;
    const Scalar change = numerator * denominator;
    value *= change;
    if (k > 0 && std::abs(change - 1) < Scalar(1e-15)) break;
  }
  return std::exp(logarithm) / a * (value - 1);
}

}  // namespace detail

template <class Scalar>
Scalar student_tail(Scalar t, Scalar degrees_of_freedom) {
  if (std::isinf(degrees_of_freedom)) return std::erfc(std::abs(t) / std::sqrt(Scalar(2)));
  return fisher_tail(t * t, Scalar(1), degrees_of_freedom);
}

template <class Scalar>
Scalar fisher_tail(Scalar f, Scalar p, Scalar degrees_of_freedom) {
  const Scalar square = p * f;
  const Scalar a = degrees_of_freedom / 2, b = p / 2;
  const Scalar x = degrees_of_freedom / (degrees_of_freedom + square);
  if (square == 0) return Scalar(1);
  if (x < (a + 1) / (a + b + 2)) return detail::beta_fraction(x, a, b);
  return 1 - detail::beta_fraction(square / (degrees_of_freedom + square), b, a);
}

}  // namespace ness
#endif
