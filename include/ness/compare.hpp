// Theory against simulation: where the two lanes of the library meet.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

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
template <class Theory, class Value>
ComparisonRow compare_row(std::string quantity, const Eigen::MatrixBase<Theory>& theory,
                          const Value& measured, double relative_tolerance) {
  const auto exact = theory.template cast<double>().eval();
  return {std::move(quantity),
          exact.norm(),
          measured.value.norm(),
          (measured.value - exact).norm(),
          measured.standard_error.norm(),
          relative_tolerance * exact.norm()};
}

/// Compares a number with its estimate.
template <class Value>
ComparisonRow compare_row(std::string quantity, double theory, const Value& measured,
                          double relative_tolerance) {
  return {std::move(quantity),     theory,
          measured.value,          std::abs(measured.value - theory),
          measured.standard_error, relative_tolerance * std::abs(theory)};
}

/// Compares what `predict` and `measure` say of the same training: mean, Σ, C, ⟨σ⟩ and the integral
/// fluctuation theorem for every measured length.
///
/// A row agrees within 3 standard errors and ηh_max of the predicted value, the relative order that
/// the theory of Eqs. 21–29 leaves out (the mean and ⟨e^{−σ}⟩ have no such allowance; C from chords
/// of several steps has as much more as they leave out). The row of
/// the mean is its distance from the predicted one; `mean_shift` says what that is expected to be,
/// 0 if not given.
template <class Predicted, class Measured>
Comparison compare(const Predicted& predicted, const Measured& measured,
                   const decltype(Predicted::mean)& mean_shift) {
  const double left_out =
      predicted.learning_rate * static_cast<double>(predicted.hessian_eigenvalues.maxCoeff());
  const double of_chords = 1 + static_cast<double>(measured.stride - 1) / 2;
  Comparison result;
  result.rows = {
      compare_row("shift of the mean", mean_shift,
                  Estimate<decltype(measured.mean.value)>{
                      measured.mean.value - predicted.mean.template cast<double>(),
                      measured.mean.standard_error},
                  0),
      compare_row("covariance", predicted.covariance, measured.covariance, left_out),
      compare_row("circulation", predicted.circulation, measured.circulation, left_out * of_chords),
  };
  for (const auto& part : measured.trajectories) {
    const std::string length = " (l = " + std::to_string(part.length) + ")";
    result.rows.push_back(compare_row("entropy production" + length,
                                      static_cast<double>(predicted.entropy_production),
                                      part.entropy_production, left_out));
    result.rows.push_back(compare_row("<exp(-sigma)>" + length, 1.0, part.integral_fluctuation, 0));
  }
  return result;
}

template <class Predicted, class Measured>
Comparison compare(const Predicted& predicted, const Measured& measured) {
  return compare(predicted, measured, (0 * predicted.mean).eval());
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
