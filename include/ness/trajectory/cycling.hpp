// Cycling frequencies from trajectories alone.
#pragma once

#include <cstdint>

#include "ness/detail/matrices.hpp"
#include "ness/statistics/cycling.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/irreversibility.hpp"
#include "ness/trajectory/state_source.hpp"

namespace ness {

/// How fast θ goes round in given planes: ω = ⟨½(aΔb − bΔa)⟩/⟨½(a² + b²)⟩ of a = u·δθ, b = v·δθ,
/// aΔb and bΔa at the middle of a step. Where u, v are those of `Cycling` these are its
/// frequencies, and to first order also where they come near; the largest of them then is too
/// small, if anything.
template <class Scalar = double>
class CyclingRates {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// Planes and what rates are expected in them, from other steps; `centre` N, `batch_length` in
  /// Markov steps. Throws `std::invalid_argument` for sizes that disagree.
  CyclingRates(const Cycling<Scalar>& expected, const Vector& centre, std::int64_t batch_length);

  /// Cost: a product of each state with the axes.
  template <class S>
  void add(const TrajectoryBlock<S>& block);

  void merge(const CyclingRates& other) { sums_.merge(other.sums_); }

  /// ω of each plane, in radians per Markov step.
  Estimate<Vector> frequencies() const;

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

 private:
  Matrix axes_;
  Vector expected_, centre_;
  BatchMeans<Scalar>
      sums_;  // of each plane: ½(aΔb − bΔa) − ω½(a² + b²) of the expected ω, ½(a² + b²)
};

/// What `cycling` finds.
struct MeasuredCycling {
  /// ω ≥ 0, decreasing, in radians per Markov step, from planes that were learnt of other steps.
  Estimate<DynamicVector<double>> frequencies;
  /// Of all states; `of_all.frequencies` are larger: they know their own noise.
  Cycling<double> of_all;
  DynamicMatrix<double> circulation;  ///< C per Markov step, N × N
  DynamicMatrix<double> covariance;   ///< Σ, N × N
  DynamicVector<double> centre;       ///< the mean, N
};

namespace detail {
template <class Scalar>
MeasuredCycling cycling(const StateReader<Scalar>& states, const IrreversibilitySettings& settings);
}

/// The frequencies of successive states, (T + 1) × N, a state in a row, with errors:
///
///   const auto found = ness::cycling(ness::read_npy("states.npy"));
///   found.frequencies.value[0];   // radians per step
///
/// Planes are learnt from each half and tried on the other, as by `irreversibility`, and the two
/// averaged. So the first frequency, which maximises over planes, is not too large by what noise
/// makes of N² numbers, √(2N/T) or so where there is none, but too small where planes are not well
/// known; and in equilibrium either sign comes out. The error that planes have adds one of second
/// order to the smaller frequencies, ω₁ times its square, which is not in theirs. Errors are those
/// of the means over batches, which should be longer than the correlation. Throws as
/// `irreversibility`.
template <class Derived>
MeasuredCycling cycling(const Eigen::MatrixBase<Derived>& states,
                        const IrreversibilitySettings& settings = {}) {
  const DynamicMatrix<double> rows = states.template cast<double>();
  return detail::cycling(detail::StateReader<double>(rows), settings);
}

/// The same of states that need not fit in memory, which are read twice.
template <StateSource Source>
MeasuredCycling cycling(Source&& states, const IrreversibilitySettings& settings = {}) {
  return detail::cycling(detail::StateReader<double>(states), settings);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <cmath>

#include "ness/detail/check.hpp"

namespace ness {

template <class Scalar>
CyclingRates<Scalar>::CyclingRates(const Cycling<Scalar>& expected, const Vector& centre,
                                   std::int64_t batch_length)
    : axes_(expected.axes),
      expected_(expected.frequencies),
      centre_(centre),
      sums_(expected.frequencies.size(), 2, batch_length) {
  detail::require_size(axes_, centre.size(), 2 * expected_.size(), "CyclingRates", "axes");
}

template <class Scalar>
template <class S>
void CyclingRates<Scalar>::add(const TrajectoryBlock<S>& block) {
  detail::require_size(block.reference(), centre_.size(), 1, "CyclingRates", "a state");
  Matrix states = block.all_deviations().template cast<Scalar>();
  for (Eigen::Index i = 0; i < centre_.size(); ++i)
    states.col(i).array() += static_cast<Scalar>(block.reference()[i]) - centre_[i];
  const Matrix places = detail::product(states, axes_);
  Matrix sums = Matrix::Zero(expected_.size(), 2);
  for (Eigen::Index p = 0; p < expected_.size(); ++p) {
    const Scalar* const a = places.data() + 2 * p * places.rows();
    const Scalar* const b = a + places.rows();
    Scalar area(0), square(0);
    for (Eigen::Index k = 0; k < block.steps(); ++k) {
      area += a[k] * b[k + 1] - b[k] * a[k + 1];
      square += a[k] * a[k] + b[k] * b[k] + a[k + 1] * a[k + 1] + b[k + 1] * b[k + 1];
    }
    sums(p, 1) = square / 4;
    sums(p, 0) = area / 2 - expected_[p] * sums(p, 1);
  }
  sums_.add(sums, block.steps());
}

template <class Scalar>
Estimate<DynamicVector<Scalar>> CyclingRates<Scalar>::frequencies() const {
  Estimate<Vector> result{expected_, expected_, sums_.degrees_of_freedom()};
  const Matrix mean = sums_.mean(), error = sums_.standard_error();
  for (Eigen::Index p = 0; p < expected_.size(); ++p) {
    result.value[p] += mean(p, 0) / mean(p, 1);
    result.standard_error[p] = error(p, 0) / mean(p, 1);
  }
  return result;
}

template <class Scalar>
template <class Archive>
void CyclingRates<Scalar>::serialize(Archive& archive) {
  archive(sums_);
}

namespace detail {

template <class Scalar>
MeasuredCycling cycling(const StateReader<Scalar>& states,
                        const IrreversibilitySettings& settings) {
  constexpr std::string_view name = "cycling";
  require_states(states, name);
  const Eigen::Index steps = states.rows - 1, half = steps / 2;
  const Eigen::Index length = steps_per_batch(steps, settings, name);
  const DynamicVector<Scalar> reference = states.reference(name);
  CurrentForce<Scalar> first(states.cols), second(states.cols);
  show_steps(states, reference, 0, half, name, first);
  show_steps(states, reference, half, steps, name, second);
  const auto of = [](const CurrentForce<Scalar>& seen) {
    return Cycling<Scalar>(seen.circulation(), seen.covariance());
  };
  CyclingRates<Scalar> of_first(of(second), second.centre(), length);
  CyclingRates<Scalar> of_second(of(first), first.centre(), length);
  show_steps(states, reference, 0, half, name, of_first);
  show_steps(states, reference, half, steps, name, of_second);
  first.merge(second);
  MeasuredCycling found{.frequencies = {},
                        .of_all = of(first),
                        .circulation = first.circulation(),
                        .covariance = first.covariance(),
                        .centre = first.centre()};
  const auto a = of_first.frequencies(), b = of_second.frequencies();
  const Eigen::Index pairs = std::min(a.value.size(), b.value.size());
  found.frequencies = {DynamicVector<double>(pairs), DynamicVector<double>(pairs),
                       a.degrees_of_freedom + b.degrees_of_freedom};
  for (Eigen::Index p = 0; p < pairs; ++p) {
    found.frequencies.value[p] = (a.value[p] + b.value[p]) / 2;
    found.frequencies.standard_error[p] = std::hypot(a.standard_error[p], b.standard_error[p]) / 2;
  }
  return found;
}

}  // namespace detail
}  // namespace ness
#endif
