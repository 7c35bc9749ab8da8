// Theory against simulation: where the two lanes of the library meet.
#pragma once

#include <cmath>
#include <iosfwd>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ness/detail/matrices.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/sub_trajectories.hpp"

namespace ness {

/// One quantity, predicted and measured. For vectors and matrices the numbers are Frobenius norms;
/// of several points of a curve, those of the one that is farthest off.
struct ComparisonRow {
  std::string quantity;   ///< what is compared
  double theory;          ///< predicted; of matrices their norm
  double simulation;      ///< measured, the same
  double difference;      ///< |simulation − theory|
  double standard_error;  ///< of the difference: root of the sum of squares over the elements
  double tolerance;       ///< what the theory itself leaves out
  /// The chance, were theory right to its tolerance, of a difference as large as this. NaN, and no
  /// agreement, for a run too short for a standard error.
  double chance;
  /// Is the chance at least `level`?
  bool agrees(double level) const { return chance >= level; }
  /// May theory leave out a quarter of it or more? Agreement then says little. What is a thousandth
  /// of its tolerance is but rounding, as the ⟨σ⟩ of an equilibrium.
  bool is_rough() const {
    const double size = std::abs(theory);
    return tolerance >= size / 4 && tolerance < 1000 * size;
  }
};

/// A table; `std::cout << comparison` prints it, with its rate of false alarms.
struct Comparison {
  std::vector<ComparisonRow> rows;  ///< one for each quantity
  /// The chance that any row fails where theory is right. A program that prints several tables
  /// gives each its share.
  double false_alarms = 1e-3;
  /// Were the batches of the errors shorter than two of the slowest relaxation times? The errors
  /// are too small then, and a row that does not agree says nothing.
  bool too_short = false;

  /// The least chance with which a row agrees, `false_alarms` over the number of rows (Bonferroni),
  /// so that the rate of the table holds however the rows depend on each other.
  double level() const { return false_alarms / static_cast<double>(rows.size()); }
  /// Do all rows agree?
  bool agrees() const {
    for (const auto& row : rows)
      if (!row.agrees(level())) return false;
    return true;
  }
};

namespace detail {

/// a − b with its error, and the degrees of freedom of that (B. L. Welch, Biometrika 34, 1947).
inline Estimate<double> difference(const Estimate<double>& a, const Estimate<double>& b) {
  const double first = a.standard_error * a.standard_error;
  const double second = b.standard_error * b.standard_error;
  const double variance = first + second;
  const double inverse =
      first * first / a.degrees_of_freedom + second * second / b.degrees_of_freedom;
  const double degrees = variance > 0 ? variance * variance / inverse : a.degrees_of_freedom;
  return {a.value - b.value, std::sqrt(variance), degrees};
}

/// The chance that the largest of `count` deviations reaches `difference`, at most.
template <class Scalar>
Scalar chance_of(Scalar difference, Scalar standard_error, Scalar tolerance,
                 Scalar degrees_of_freedom, Scalar count);

/// The row of a matrix, whose allowance is `relative_tolerance` of the predicted norm.
template <class Scalar>
ComparisonRow compare_matrix(std::string quantity, const DynamicMatrix<Scalar>& theory,
                             const Estimate<DynamicMatrix<Scalar>>& measured,
                             Scalar relative_tolerance);

}  // namespace detail

/// Compares a vector or matrix with its estimate, by two tests at half the level each: of the
/// Frobenius norm of the difference in units of the root of the sum of the squared errors, and of
/// the largest element in units of its own error.
///
/// The square of the first is a Gaussian quadratic form Σλ_i z_i², Σλ_i = 1, whatever the elements'
/// correlations. Its tails are largest where all elements are one (G. J. Székely and N. K. Bakirov,
/// Probab. Theory Relat. Fields 126, 2003, doi:10.1007/s00440-003-0262-6), so that Student's t of
/// one number never says less than the chance, below 0.2. The second counts its elements
/// (Bonferroni; those of a symmetric or antisymmetric matrix once), and sees what is wrong in one
/// of them. Theory may leave out as much of one element as of the whole.
template <class Value>
ComparisonRow compare_row(std::string quantity, const Value& theory,
                          const Estimate<Value>& measured, double relative_tolerance) {
  return detail::compare_matrix<double>(
      std::move(quantity), theory,
      {measured.value, measured.standard_error, measured.degrees_of_freedom}, relative_tolerance);
}

namespace detail {

/// By Student's t, beyond an absolute `tolerance`.
inline ComparisonRow compare_number(std::string quantity, const Estimate<double>& theory,
                                    const Estimate<double>& measured, double tolerance) {
  const Estimate<double> difference = detail::difference(measured, theory);
  return {.quantity = std::move(quantity),
          .theory = theory.value,
          .simulation = measured.value,
          .difference = std::abs(difference.value),
          .standard_error = difference.standard_error,
          .tolerance = tolerance,
          .chance = chance_of<double>(std::abs(difference.value), difference.standard_error,
                                      tolerance, difference.degrees_of_freedom, 1)};
}

constexpr double rounding_of_terms = 1e-14;  // where nothing else is left to differ

}  // namespace detail

/// Compares a number that is itself known with an independent error, by Student's t.
inline ComparisonRow compare_row(std::string quantity, const Estimate<double>& theory,
                                 const Estimate<double>& measured, double relative_tolerance) {
  const double tolerance =
      (relative_tolerance + detail::rounding_of_terms) * std::abs(theory.value);
  return detail::compare_number(std::move(quantity), theory, measured, tolerance);
}

inline ComparisonRow compare_row(std::string quantity, double theory,
                                 const Estimate<double>& measured, double relative_tolerance) {
  return compare_row(std::move(quantity), Estimate<double>{theory, 0}, measured,
                     relative_tolerance);
}

/// The least likely of several numbers, whose chance counts them all (Bonferroni). `theory` and
/// `measured` have the same size; without points the row is of zeros, and agrees.
inline ComparisonRow compare_points(const std::string& quantity,
                                    const std::vector<Estimate<double>>& theory,
                                    const std::vector<Estimate<double>>& measured) {
  ComparisonRow worst{quantity, 0, 0, 0, 0, 0, 1};
  for (std::size_t k = 0; k < theory.size(); ++k) {
    auto row = compare_row(quantity, theory[k], measured[k], 0);
    row.chance *= static_cast<double>(theory.size());
    if (k == 0 || !(row.chance >= worst.chance)) worst = std::move(row);
  }
  worst.chance = worst.chance > 1 ? 1 : worst.chance;
  return worst;
}

namespace detail {

/// What is compared of a prediction, in double precision.
struct ComparedState {
  DynamicVector<double> linear_mean, mean;  // of the linear chain, and to the next order
  DynamicMatrix<double> covariance, circulation;
  double entropy_production;
  double left_out;   ///< of what is predicted, relative
  double slow_rate;  ///< the slowest decay rate, per Markov step
  std::vector<SubTrajectoryPrediction> fluctuations;
};

template <class Measured>
Comparison compare(const ComparedState& predicted, const Measured& measured);

/// `Stream` is std::ostream, a template argument only so that this is compiled where it is used.
template <class Stream>
void print(Stream& out, const Comparison& comparison);

}  // namespace detail

/// Compares what `predict` and `measure` say of the same training: mean, Σ, C, ⟨σ⟩, the integral
/// fluctuation theorem for every measured length, and, where `fluctuations` has it, the detailed
/// one.
///
/// Where theory is right, one table in a thousand has a row that does not agree (see
/// `Comparison`). Theory is allowed ηh_max of the predicted value, the relative order that Eqs.
/// 21–29 leave out (the mean and the fluctuation theorems have no such allowance; C from chords of
/// several steps has as much more as they leave out). The row of the mean is the distance from θ₀.
/// Where the run is too short for its errors the table says so in place of FAIL (`too_short`), and
/// where the allowance is a quarter of the prediction or more, "rough" in place of pass.
///
/// ⟨e^{−σ}⟩ is compared with `fluctuations`, which `predict_fluctuations` makes for the minibatches
/// themselves, or with that of Gaussian noise where they do not have its length. Of states with a
/// memory it compares mean, Σ, C, and ⟨σ⟩ where `measure` has it.
template <class Predicted, class Measured>
Comparison compare(const Predicted& predicted, const Measured& measured,
                   std::vector<SubTrajectoryPrediction> fluctuations = {}) {
  for (const auto& part : measured.trajectories) {
    if (predicted.has_memory()) break;  // whose σ is left without its ends
    bool known = false;
    for (const auto& theory : fluctuations) known = known || theory.length == part.length;
    if (known) continue;
    const auto gaussian = static_cast<double>(predicted.integral_fluctuation(part.length));
    fluctuations.push_back({.length = part.length, .integral_fluctuation = {gaussian, 0}});
  }
  return detail::compare(
      {.linear_mean = detail::converted<double>(predicted.chain().mean),
       .mean = detail::converted<double>(predicted.mean()),
       .covariance = detail::converted<double>(predicted.covariance()),
       .circulation = detail::converted<double>(predicted.circulation()),
       .entropy_production = static_cast<double>(predicted.entropy_production()),
       .left_out = static_cast<double>(predicted.decay_rates()[predicted.mean().size() - 1]),
       .slow_rate = static_cast<double>(predicted.decay_rates()[0]),
       .fluctuations = std::move(fluctuations)},
      measured);
}

inline std::ostream& operator<<(std::ostream& out, const Comparison& comparison) {
  detail::print(out, comparison);
  return out;
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <sstream>

#include "ness/statistics/student.hpp"

namespace ness {

namespace detail {

template <class Scalar>
Scalar chance_of(Scalar difference, Scalar standard_error, Scalar tolerance,
                 Scalar degrees_of_freedom, Scalar count) {
  const Scalar beyond = difference - tolerance;
  if (std::isnan(beyond) || std::isnan(standard_error))
    return std::numeric_limits<Scalar>::quiet_NaN();
  if (beyond <= 0) return Scalar(1);
  if (standard_error == 0) return Scalar(0);
  return std::min(Scalar(1), count * student_tail(beyond / standard_error, degrees_of_freedom));
}

/// How many elements are free: those of a symmetric or antisymmetric matrix count once.
template <class Scalar>
Eigen::Index free_elements(const DynamicMatrix<Scalar>& matrix) {
  const Eigen::Index n = matrix.rows();
  if (n != matrix.cols()) return matrix.size();
  const Scalar rounding = Scalar(1e-12) * norm(matrix);
  if (norm(half_sum_with_transpose(matrix, -1)) <= rounding) return n * (n + 1) / 2;
  if (norm(half_sum_with_transpose(matrix, 1)) <= rounding) return n * (n - 1) / 2;
  return matrix.size();
}

template <class Scalar>
ComparisonRow compare_matrix(std::string quantity, const DynamicMatrix<Scalar>& theory,
                             const Estimate<DynamicMatrix<Scalar>>& measured,
                             Scalar relative_tolerance) {
  DynamicMatrix<Scalar> difference = measured.value;
  add_scaled(difference, -1, theory);
  const Scalar tolerance = relative_tolerance * norm(theory);
  const Scalar degrees = measured.degrees_of_freedom;
  const Scalar error = norm(measured.standard_error);
  const auto count = static_cast<Scalar>(free_elements(measured.value));
  Scalar chance = chance_of(norm(difference), error, tolerance, degrees, Scalar(1));
  for (Eigen::Index k = 0; k < difference.size(); ++k)
    chance =
        std::min(chance, chance_of(std::abs(difference.data()[k]),
                                   measured.standard_error.data()[k], tolerance, degrees, count));
  return {.quantity = std::move(quantity),
          .theory = norm(theory),
          .simulation = norm(measured.value),
          .difference = norm(difference),
          .standard_error = error,
          .tolerance = tolerance,
          .chance = std::min(Scalar(1), 2 * chance)};
}

/// ⟨σ⟩ and the fluctuation theorems of one length.
template <class Scalar>
void add_trajectory_rows(const ComparedState& predicted, const SubTrajectories& part,
                         std::vector<ComparisonRow>& rows) {
  const std::string length = " (l = " + std::to_string(part.length) + ")";
  // Each direction has terms of order 1 in σ, whose rounding is left where they cancel.
  const Scalar rounding = rounding_of_terms * static_cast<Scalar>(predicted.mean.size());
  rows.push_back(compare_number(
      "entropy production" + length, {predicted.entropy_production, 0}, part.entropy_production,
      predicted.left_out * std::abs(predicted.entropy_production) + rounding));
  for (const auto& theory : predicted.fluctuations) {
    if (theory.length != part.length) continue;
    rows.push_back(compare_row("<exp(-sigma)>" + length, theory.integral_fluctuation,
                               part.integral_fluctuation, 0));
    if (theory.fluctuation_ratios.empty()) continue;
    const auto [expected, found] = matching_ratios(theory, part.histogram);
    rows.push_back(compare_points("P(-sigma)/P(sigma)" + length, expected, found));
  }
}

template <class Measured>
Comparison compare(const ComparedState& predicted, const Measured& measured) {
  using Vector = DynamicVector<double>;
  const double of_chords = 1 + static_cast<double>(measured.stride - 1) / 2;
  Vector shift = predicted.mean;
  Estimate<Vector> measured_shift = measured.mean;
  shift -= predicted.linear_mean;
  measured_shift.value -= predicted.linear_mean;
  Comparison result;
  result.too_short = static_cast<double>(measured.batch_length) * predicted.slow_rate < 2;
  result.rows = {
      compare_row("shift of the mean", shift, measured_shift, 0),
      compare_row("covariance", predicted.covariance, measured.covariance, predicted.left_out),
      compare_row("circulation", predicted.circulation, measured.circulation,
                  predicted.left_out * of_chords)};
  for (const auto& part : measured.trajectories)
    add_trajectory_rows<double>(predicted, part, result.rows);
  return result;
}

inline std::string_view verdict(const ComparisonRow& row, const Comparison& comparison) {
  if (!row.agrees(comparison.level())) return comparison.too_short ? "too short" : "FAIL";
  return row.is_rough() ? "rough" : "pass";
}

template <class Stream>
void print(Stream& out, const Comparison& comparison) {
  std::ostringstream text;
  double allowance = 0;
  std::size_t longest = 27;
  for (const auto& row : comparison.rows) longest = std::max(longest, row.quantity.size());
  const auto first = static_cast<std::streamsize>(longest) + 1;
  const auto name = [&](const std::string& of) {
    text.width(first);
    text << std::left << of << std::right;
  };
  const auto cell = [&](int width, const auto& what) {
    text.width(width);
    text << what;
  };
  name("quantity");
  cell(13, "theory");
  cell(13, "simulation");
  cell(12, "difference");
  cell(12, "std. error");
  text << '\n';
  for (const auto& row : comparison.rows) {
    name(row.quantity);
    // ⟨e^{−σ}⟩ differs from 1 in digits that are else not shown.
    text.precision(std::abs(row.theory - 1) < 0.01 ? 8 : 5);
    cell(13, row.theory);
    cell(13, row.simulation);
    text.precision(2);
    cell(12, row.difference);
    cell(12, row.standard_error);
    text << "  " << verdict(row, comparison) << '\n';
    if (row.is_rough()) allowance = std::max(allowance, row.tolerance / std::abs(row.theory));
  }
  if (allowance > 0)
    text << "rough: theory leaves out a relative " << allowance
         << " or so (the fastest decay in a Markov step): lower the learning rate for a sharper "
            "test\n";
  if (!comparison.rows.empty())
    text << "false alarms: in one such table of " << std::llround(1 / comparison.false_alarms)
         << ", if the theory is right\n";
  out << text.str();
}

}  // namespace detail

}  // namespace ness
#endif
