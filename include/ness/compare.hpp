// Theory against simulation: where the two lanes of the library meet.
#pragma once

#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>
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

namespace detail {

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
  using Vector = DynamicVector<double>;
  using Matrix = DynamicMatrix<double>;
  const Vector rates = predicted.decay_rates().template cast<double>();
  const double left_out = rates[rates.size() - 1];
  const double of_chords = 1 + static_cast<double>(measured.stride - 1) / 2;
  const Vector shift = mean_shift.size() > 0 ? mean_shift : Vector(Vector::Zero(rates.size()));
  const Vector mean = predicted.mean().template cast<double>();
  const Matrix covariance = predicted.covariance().template cast<double>();
  const Matrix circulation = predicted.circulation().template cast<double>();
  const auto entropy_production = static_cast<double>(predicted.entropy_production());
  const Estimate<Vector> measured_shift{measured.mean.value - mean, measured.mean.standard_error};
  Comparison result;
  result.rows = {
      detail::compare_row("shift of the mean", shift, measured_shift, 0),
      detail::compare_row("covariance", covariance, measured.covariance, left_out),
      detail::compare_row("circulation", circulation, measured.circulation, left_out * of_chords),
  };
  for (const auto& part : measured.trajectories) {
    const std::string length = " (l = " + std::to_string(part.length) + ")";
    result.rows.push_back(detail::compare_row("entropy production" + length, entropy_production,
                                              part.entropy_production, left_out));
    result.rows.push_back(
        detail::compare_row("<exp(-sigma)>" + length, 1.0, part.integral_fluctuation, 0));
  }
  return result;
}

inline std::ostream& operator<<(std::ostream& out, const Comparison& comparison) {
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
  return out << text.str();
}

}  // namespace ness
