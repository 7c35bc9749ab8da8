// Theory against simulation: where the two lanes of the library meet.
#pragma once

#include <cmath>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "ness/detail/matrices.hpp"
#include "ness/statistics/estimate.hpp"

namespace ness {

/// One quantity, predicted and measured. For vectors and matrices the numbers are Frobenius norms.
struct ComparisonRow {
  std::string quantity;
  double theory;
  double simulation;
  double difference;      ///< |simulation − theory|
  double standard_error;  ///< of the difference: root of the sum of squares over the elements
  double tolerance;       ///< what the theory itself leaves out
  bool agrees() const { return difference <= 3 * standard_error + tolerance; }
};

/// A table; `std::cout << comparison` prints it.
struct Comparison {
  std::vector<ComparisonRow> rows;
  bool agrees() const {
    for (const auto& row : rows)
      if (!row.agrees()) return false;
    return true;
  }
};

/// Compares a vector or matrix with its estimate.
template <class Value>
ComparisonRow compare_row(std::string quantity, const Value& theory,
                          const Estimate<Value>& measured, double relative_tolerance) {
  const Value difference = measured.value - theory;
  return {std::move(quantity),
          theory.norm(),
          measured.value.norm(),
          difference.norm(),
          measured.standard_error.norm(),
          relative_tolerance * theory.norm()};
}

/// Compares a number with its estimate.
inline ComparisonRow compare_row(std::string quantity, double theory,
                                 const Estimate<double>& measured, double relative_tolerance) {
  return {std::move(quantity),     theory,
          measured.value,          std::abs(measured.value - theory),
          measured.standard_error, relative_tolerance * std::abs(theory)};
}

namespace detail {

/// What is compared of a prediction, in double precision.
struct ComparedState {
  DynamicVector<double> mean, mean_shift;
  DynamicMatrix<double> covariance, circulation;
  double entropy_production;
  double left_out;  ///< of what is predicted, relative
};

template <class Measured>
Comparison compare(const ComparedState& predicted, const Measured& measured);

/// `Stream` is std::ostream, a template argument only so that this is compiled where it is used.
template <class Stream>
void print(Stream& out, const Comparison& comparison);

}  // namespace detail

/// Compares what `predict` and `measure` say of the same training: mean, Σ, C, ⟨σ⟩ and the integral
/// fluctuation theorem for every measured length.
///
/// A row agrees within 3 standard errors and ηh_max of the predicted value, the relative order that
/// the theory of Eqs. 21–29 leaves out (the mean and ⟨e^{−σ}⟩ have no such allowance; C from chords
/// of several steps has as much more as they leave out). The row of
/// the mean is its distance from the predicted one; `mean_shift` says what that is expected to be,
/// N, or a number of elements 0 if not given.
template <class Predicted, class Measured>
Comparison compare(const Predicted& predicted, const Measured& measured,
                   const DynamicVector<double>& mean_shift = {}) {
  return detail::compare(
      {.mean = predicted.mean().template cast<double>(),
       .mean_shift = mean_shift,
       .covariance = predicted.covariance().template cast<double>(),
       .circulation = predicted.circulation().template cast<double>(),
       .entropy_production = static_cast<double>(predicted.entropy_production()),
       .left_out = static_cast<double>(predicted.decay_rates()[predicted.mean().size() - 1])},
      measured);
}

inline std::ostream& operator<<(std::ostream& out, const Comparison& comparison) {
  detail::print(out, comparison);
  return out;
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <iomanip>
#include <sstream>

namespace ness {

namespace detail {

template <class Measured>
Comparison compare(const ComparedState& predicted, const Measured& measured) {
  using Vector = DynamicVector<double>;
  Vector shift = predicted.mean_shift;
  if (shift.size() == 0) shift = Vector::Zero(predicted.mean.size());
  const double of_chords = 1 + static_cast<double>(measured.stride - 1) / 2;
  const Estimate<Vector> measured_shift{measured.mean.value - predicted.mean,
                                        measured.mean.standard_error};
  Comparison result;
  result.rows = {
      compare_row("shift of the mean", shift, measured_shift, 0),
      compare_row("covariance", predicted.covariance, measured.covariance, predicted.left_out),
      compare_row("circulation", predicted.circulation, measured.circulation,
                  predicted.left_out * of_chords)};
  for (const auto& part : measured.trajectories) {
    const std::string length = " (l = " + std::to_string(part.length) + ")";
    result.rows.push_back(compare_row("entropy production" + length, predicted.entropy_production,
                                      part.entropy_production, predicted.left_out));
    result.rows.push_back(compare_row("<exp(-sigma)>" + length, 1.0, part.integral_fluctuation, 0));
  }
  return result;
}

template <class Stream>
void print(Stream& out, const Comparison& comparison) {
  std::ostringstream text;
  text << std::left << std::setw(28) << "quantity" << std::right << std::setw(13) << "theory"
       << std::setw(13) << "simulation" << std::setw(12) << "difference" << std::setw(12)
       << "std. error" << '\n';
  for (const auto& row : comparison.rows) {
    text << std::left << std::setw(28) << row.quantity << std::right << std::setprecision(5)
         << std::setw(13) << row.theory << std::setw(13) << row.simulation << std::setprecision(2)
         << std::setw(12) << row.difference << std::setw(12) << row.standard_error
         << (row.agrees() ? "  pass" : "  FAIL") << '\n';
  }
  out << text.str();
}

}  // namespace detail

}  // namespace ness
#endif
