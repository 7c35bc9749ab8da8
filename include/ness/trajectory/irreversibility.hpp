// Entropy production from trajectories alone: lower bounds from currents (not in the paper).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/statistics/batch_covariance.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/state_source.hpp"

namespace ness {

/// The force field F of the current J = Δθ·F(δθ̄ − ⟨δθ̄⟩), with Δθ = θ' − θ and the midpoint δθ̄ of a
/// step, that tells a step best from its reverse; N × N, from a trajectory, whatever makes it.
///
/// Reversal turns the sign of A = ⟨Δθ δθ̄ᵀ⟩ = −C, the circulation, and leaves V = ⟨ΔθΔθᵀ⟩ and
/// W = ⟨δθ̄δθ̄ᵀ⟩ − ⟨δθ̄⟩⟨δθ̄⟩ᵀ as they are. Of normal steps the logarithm of how much likelier a step
/// is than its reverse is such a J, at any length of a step, with
///   F = 2(V − AW⁻¹Aᵀ)⁻¹AW⁻¹,  ⟨σ⟩ = Σ_i 2ρ_i²/(1 − ρ_i²),
/// ρ_i the singular values of V^{−½}AW^{−½}. For short steps V is 2D, W is Σ, and F that of
/// `StationaryState::force_matrix`, −D⁻¹CΣ⁻¹.
///
/// T steps leave an error of variance 1/(2T) in each element of V^{−½}AW^{−½} where Δθ is nearly
/// white, and by it ρ_i up to √(2N/T) where there is none. So ρ_i² less 2N/T takes the place of
/// ρ_i², and what is not above it is left out; where nothing is, the largest pair stays as it is,
/// and the entropy bound of an equilibrium then is some N/T below 0. That is the best shrinkage of
/// singular values for such an error (M. Gavish and D. Donoho, IEEE Trans. Inf. Theory 63, 2017,
/// doi:10.1109/TIT.2017.2653801), if V and W are well known. A poor F makes the bounds of
/// `CurrentBounds` loose, never wrong. Cost: three products for each block of steps, and for F
/// three eigendecompositions. Directions in which V or W is 0, to within rounding, are left out.
template <class Scalar = double>
class CurrentForce {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// Of N parameters.
  explicit CurrentForce(Eigen::Index parameters)
      : reference_(Vector::Zero(parameters)),
        first_(reference_),
        increments_(Matrix::Zero(parameters, parameters)),
        midpoints_(increments_),
        cross_(increments_) {}

  /// All blocks must have the same reference, which should be near the mean.
  template <class S>
  void add(const TrajectoryBlock<S>& block);

  void merge(const CurrentForce& other);

  /// Markov steps that were seen.
  std::int64_t steps() const { return steps_; }
  /// F, N × N: as likelihoods have it for normal steps, J ≈ σ. Zero before the first step.
  Matrix force() const;
  /// The mean midpoint, N.
  Vector centre() const;
  /// C = −⟨Δθδθ̄ᵀ⟩, N × N, antisymmetric: the mean area per step (Eq. 28).
  Matrix circulation() const;
  /// W, N × N.
  Matrix midpoint_covariance() const;
  /// Σ = W + ¼V, N × N: of the two states of a step together.
  Matrix covariance() const;

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

 private:
  std::int64_t steps_ = 0;
  Vector reference_, first_;
  Matrix increments_, midpoints_, cross_;  // sums of ΔθΔθᵀ, δθ̄δθ̄ᵀ, Δθδθ̄ᵀ
};

/// Lower bounds on ⟨σ⟩ = ⟨log p(θ, θ')/p(θ', θ)⟩, p of two states a step apart in the stationary
/// state, from a current J(θ, θ') = −J(θ', θ). That is the entropy production per step of a Markov
/// chain of θ; of any other, how irreversible pairs of states are: no more than is any path that
/// holds them, but it may be more than a long path gains with each step, as with momentum, where a
/// pair knows speed besides place and its reverse has the opposite one.
///
/// The uncertainty bound, exact for steps of any length,
///   ⟨σ⟩ ≥ 2r artanh r,  r² = ⟨J⟩²/⟨J²⟩,
/// for ⟨J⟩ = ⟨J tanh ½σ⟩, thus r² ≤ ⟨tanh² ½σ⟩ = ⟨tanh ½σ⟩, and ⟨σ⟩ = ⟨σ tanh ½σ⟩ is the mean of
/// a convex function, 2x artanh x, of x² = tanh² ½σ (A. M. Timpanaro et al., PRL 123, 090604, 2019,
/// doi:10.1103/PhysRevLett.123.090604; by this way Y. Zhang, arXiv 1910.12862). For short steps it
/// is 2⟨J⟩²/Var J. The scale of J does not matter. It is tight for short steps and J = σ.
///
/// The entropy bound of Donsker and Varadhan (Commun. Pure Appl. Math. 28, 1975; of maximum
/// entropy, arXiv 2505.10444),
///   ⟨σ⟩ ≥ ⟨J⟩ − log⟨e^{−J}⟩,
/// tight for J = σ at any length of a step. T samples cannot show more than its ceiling, log T:
/// near it, and wherever e^{−J} is large where one seldom is, value and error are not to be
/// trusted, and the uncertainty bound is.
///
/// J must not be made from the same steps: it would know their noise. Then both are estimated
/// without bias to order 1/T, whatever J: the variance of the measured mean is taken off its
/// square, so in equilibrium, or too near it to tell, two in three values of the uncertainty bound
/// are negative. Errors are those of the means over batches, which should be longer than the
/// correlation; NaN, as the values, for fewer than 2.
template <class Scalar = double>
class CurrentBounds {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// J = Δθ·F(θ̄ − centre), of F N × N and a centre of N; `batch_length` in Markov steps. Throws
  /// `std::invalid_argument` for other sizes, or numbers that are not finite.
  CurrentBounds(const Matrix& force, const Vector& centre, std::int64_t batch_length);
  /// Of currents that are made elsewhere, for `add_currents`.
  explicit CurrentBounds(std::int64_t batch_length) : CurrentBounds({}, {}, batch_length) {}

  /// Cost: a product of N × N with each state.
  template <class S>
  void add(const TrajectoryBlock<S>& block);
  /// J of further steps.
  void add_currents(const Vector& currents);

  void merge(const CurrentBounds& other) { terms_.merge(other.terms_); }

  /// Markov steps that were seen.
  std::int64_t steps() const { return terms_.count(); }
  /// Batches that are complete.
  std::int64_t batches() const { return terms_.batches(); }

  /// Per Markov step. 0 where J is 0 at every step.
  Estimate<double> uncertainty_bound() const;
  /// Per Markov step. −∞ where e^{−2J} overflows.
  Estimate<double> entropy_bound() const;
  /// log T
  double ceiling() const { return std::log(static_cast<double>(steps())); }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

 private:
  double mean(Eigen::Index term) const { return static_cast<double>(terms_.mean(term)); }
  double covariance_of_means(Eigen::Index a, Eigen::Index b) const {
    return static_cast<double>(terms_.covariance(a, b));
  }

  Matrix force_transposed_;
  Vector centre_;
  BatchCovariance<Scalar> terms_;  // J, J², e^{−J}
};

/// For `irreversibility`.
struct IrreversibilitySettings {
  int batches = 32;  ///< for the errors, of each half; longer each than the correlation
};

/// What `irreversibility` finds.
struct Irreversibility {
  Estimate<double> uncertainty_bound;  ///< on ⟨σ⟩ per step
  Estimate<double> entropy_bound;      ///< on ⟨σ⟩ per step
  double ceiling = 0;                  ///< what the entropy bound cannot exceed
  /// F of all states, N × N, for J = Δθ·F(θ̄ − centre); or the coefficients of own currents, p × 1.
  DynamicMatrix<double> force;
  DynamicVector<double> centre;  ///< N; empty for own currents
};

namespace detail {

/// F of V, W and A (`CurrentForce`), each N × N; `noise` is taken off ρ².
template <class Scalar>
DynamicMatrix<Scalar> current_force(const DynamicMatrix<Scalar>& increments,
                                    const DynamicMatrix<Scalar>& midpoints,
                                    const DynamicMatrix<Scalar>& cross, Scalar noise);

/// a = 2(⟨jjᵀ⟩ − ⟨j⟩⟨j⟩ᵀ)⁻¹⟨j⟩ of currents j, T × p.
template <class Scalar>
DynamicVector<Scalar> current_coefficients(const DynamicMatrix<Scalar>& currents);

template <class Scalar>
Irreversibility irreversibility(const StateReader<Scalar>& states,
                                const IrreversibilitySettings& settings);

/// Throws `std::invalid_argument` where there is no state, or none of any parameter.
template <class Scalar>
void require_states(const StateReader<Scalar>& states, std::string_view function) {
  require(states.rows >= 1 && states.cols >= 1, function,
          "states must not be empty; rows times columns", states.rows * states.cols);
}

/// Of each half. Throws `std::invalid_argument` for too few.
template <class Settings>
Eigen::Index steps_per_batch(Eigen::Index steps, const Settings& settings,
                             std::string_view function) {
  require(settings.batches >= 2, function, "settings.batches must be at least 2", settings.batches);
  const Eigen::Index length = steps / 2 / settings.batches;
  require(length >= 2, function, "the steps of a batch of half of the states must be at least 2",
          length);
  return length;
}

/// Of own currents, T × p.
template <class Scalar>
Irreversibility irreversibility_of_currents(const DynamicMatrix<Scalar>& currents,
                                            const IrreversibilitySettings& settings);

}  // namespace detail

/// Lower bounds on ⟨σ⟩ per step from successive states of the stationary state, (T + 1) × N, a
/// state in a row, from wherever they come (`CurrentBounds`):
///
///   const auto found = ness::irreversibility(ness::read_npy("states.npy"));
///   found.uncertainty_bound.value;   // per step
///
/// F is learnt from each half (`CurrentForce`) and tried on the other, so neither bound is biased
/// upwards, and the two are averaged with equal weights: weights by the errors would go with the
/// values. Halves count as independent. Several chains: `run_chains` with `CurrentForce`, and with
/// another seed `CurrentBounds`. Throws `std::invalid_argument` for fewer than 2 batches, fewer
/// than 2 steps for each batch of each half, or numbers that are not finite.
template <class Derived>
Irreversibility irreversibility(const Eigen::MatrixBase<Derived>& states,
                                const IrreversibilitySettings& settings = {}) {
  const DynamicMatrix<double> rows = states.template cast<double>();
  return detail::irreversibility(detail::StateReader<double>(rows), settings);
}

/// The same, to the last bit, of states that need not fit in memory, which are read twice:
///
///   ness::NpyRows states("states.npy");
///   const auto found = ness::irreversibility(states);
///
/// Memory: some blocks of states. Throws also what the source does.
template <StateSource Source>
Irreversibility irreversibility(Source&& states, const IrreversibilitySettings& settings = {}) {
  return detail::irreversibility(detail::StateReader<double>(states), settings);
}

/// The same from J = Σ_i a_i j_i of own currents, `current(from, to)`, a vector of p numbers, as
/// few as one thinks tell: a = 2sK⁻¹⟨j⟩, K their covariance, is learnt from each half and tried on
/// the other; s is 1 for normal j, and where the entropy bound of the half learnt from is largest.
/// What of j is not antisymmetric in its two states is taken off, ½(j(θ, θ') − j(θ', θ)). Cost: two
/// calls of `current` for each step, and memory for p numbers.
template <class Derived, class Current>
  requires(!std::is_convertible_v<Current, IrreversibilitySettings>)
Irreversibility irreversibility(const Eigen::MatrixBase<Derived>& states, const Current& current,
                                const IrreversibilitySettings& settings = {}) {
  const DynamicMatrix<double> rows = states.template cast<double>();
  detail::require(rows.rows() >= 2, "irreversibility", "there must be at least 2 states",
                  rows.rows());
  DynamicMatrix<double> currents;
  DynamicVector<double> from(rows.cols()), to = from;
  for (Eigen::Index k = 0; k + 1 < rows.rows(); ++k) {
    for (Eigen::Index i = 0; i < from.size(); ++i) {
      from[i] = rows(k, i);
      to[i] = rows(k + 1, i);
    }
    const DynamicVector<double> there = current(from, to);
    const DynamicVector<double> back = current(to, from);
    if (k == 0) currents.resize(rows.rows() - 1, there.size());
    detail::require_size(there, currents.cols(), 1, "irreversibility", "current(from, to)");
    detail::require_size(back, currents.cols(), 1, "irreversibility", "current(to, from)");
    for (Eigen::Index i = 0; i < there.size(); ++i) currents(k, i) = (there[i] - back[i]) / 2;
  }
  return detail::irreversibility_of_currents<double>(currents, settings);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include "ness/detail/symmetric_matrices.hpp"

namespace ness {

template <class Scalar>
template <class S>
void CurrentForce<Scalar>::add(const TrajectoryBlock<S>& block) {
  if (block.steps() == 0) return;
  reference_ = block.reference().template cast<Scalar>();
  const Matrix states = block.all_deviations().template cast<Scalar>();
  const Eigen::Index steps = block.steps();
  const Matrix increments = states.bottomRows(steps) - states.topRows(steps);
  const Matrix midpoints = (states.bottomRows(steps) + states.topRows(steps)) / Scalar(2);
  detail::add_products_of_columns(increments_, increments);
  detail::add_products_of_columns(midpoints_, midpoints);
  detail::add_scaled(cross_, 1, detail::product_of_columns(increments, midpoints));
  for (Eigen::Index i = 0; i < first_.size(); ++i) first_[i] += midpoints.col(i).sum();
  steps_ += steps;
}

template <class Scalar>
void CurrentForce<Scalar>::merge(const CurrentForce& other) {
  if (other.steps_ == 0) return;
  reference_ = other.reference_;
  first_ += other.first_;
  detail::add_scaled(increments_, 1, other.increments_);
  detail::add_scaled(midpoints_, 1, other.midpoints_);
  detail::add_scaled(cross_, 1, other.cross_);
  steps_ += other.steps_;
}

template <class Scalar>
DynamicVector<Scalar> CurrentForce<Scalar>::centre() const {
  Vector centre = reference_;
  if (steps_ > 0) centre += first_ / static_cast<Scalar>(steps_);
  return centre;
}

template <class Scalar>
DynamicMatrix<Scalar> CurrentForce<Scalar>::circulation() const {
  // The symmetric part is what the ends of the trajectory leave.
  Matrix result = detail::half_sum_with_transpose(cross_, -1);
  if (steps_ > 0) result /= -static_cast<Scalar>(steps_);
  return result;
}

template <class Scalar>
DynamicMatrix<Scalar> CurrentForce<Scalar>::midpoint_covariance() const {
  if (steps_ == 0) return midpoints_;
  const auto count = static_cast<Scalar>(steps_);
  Matrix midpoints = midpoints_ / count;
  for (Eigen::Index j = 0; j < first_.size(); ++j)
    for (Eigen::Index i = j; i < first_.size(); ++i)
      midpoints(i, j) -= first_[i] / count * (first_[j] / count);
  detail::mirror(midpoints);
  return midpoints;
}

template <class Scalar>
DynamicMatrix<Scalar> CurrentForce<Scalar>::covariance() const {
  Matrix result = midpoint_covariance();
  if (steps_ == 0) return result;
  Matrix increments = increments_;
  detail::mirror(increments);
  detail::add_scaled(result, 1 / (4 * static_cast<Scalar>(steps_)), increments);
  return result;
}

template <class Scalar>
DynamicMatrix<Scalar> CurrentForce<Scalar>::force() const {
  const Eigen::Index n = first_.size();
  if (steps_ == 0) return Matrix::Zero(n, n);
  const auto count = static_cast<Scalar>(steps_);
  Matrix increments = increments_ / count;
  detail::mirror(increments);
  const Matrix cross = -circulation();
  return detail::current_force(increments, midpoint_covariance(), cross,
                               2 * static_cast<Scalar>(n) / count);
}

template <class Scalar>
template <class Archive>
void CurrentForce<Scalar>::serialize(Archive& archive) {
  archive(steps_, reference_, first_, increments_, midpoints_, cross_);
}

template <class Scalar>
CurrentBounds<Scalar>::CurrentBounds(const Matrix& force, const Vector& centre,
                                     std::int64_t batch_length)
    : force_transposed_(detail::transposed(force)), centre_(centre), terms_(3, batch_length) {
  detail::require_size(force, centre.size(), centre.size(), "CurrentBounds", "force");
  detail::require_finite(force, "CurrentBounds", "force");
  detail::require_finite(centre, "CurrentBounds", "centre");
  detail::require(batch_length >= 1, "CurrentBounds", "batch_length must be at least 1",
                  batch_length);
}

template <class Scalar>
template <class S>
void CurrentBounds<Scalar>::add(const TrajectoryBlock<S>& block) {
  detail::require_size(block.reference(), centre_.size(), 1, "CurrentBounds", "a state");
  const Eigen::Index steps = block.steps();
  const Matrix states = block.all_deviations().template cast<Scalar>();
  const Matrix increments = states.bottomRows(steps) - states.topRows(steps);
  Matrix midpoints = (states.bottomRows(steps) + states.topRows(steps)) / Scalar(2);
  for (Eigen::Index i = 0; i < centre_.size(); ++i)
    midpoints.col(i).array() += static_cast<Scalar>(block.reference()[i]) - centre_[i];
  add_currents(detail::dot_products_of_rows(detail::product_of_rows(midpoints, force_transposed_),
                                            increments));
}

template <class Scalar>
void CurrentBounds<Scalar>::add_currents(const Vector& currents) {
  Matrix sums = Matrix::Zero(3, 1);
  std::int64_t count = 0;
  for (Eigen::Index k = 0; k < currents.size(); ++k) {
    const Scalar current = currents[k];
    sums(0, 0) += current;
    sums(1, 0) += current * current;
    sums(2, 0) += std::exp(-current);
    if (++count < terms_.left() && k + 1 < currents.size()) continue;
    terms_.add(sums, count);
    sums.setZero();
    count = 0;
  }
}

namespace detail {

/// f(x) = 2√x artanh √x, analytic at 0, and its slope.
template <class Scalar>
struct UncertaintyFunction {
  Scalar value, slope;
  explicit UncertaintyFunction(Scalar x) {
    const Scalar root = std::sqrt(std::abs(x));
    const Scalar arc = x > 0 ? std::atanh(root) : std::atan(root);
    value = x > 0 ? 2 * root * arc : -2 * root * arc;
    slope = (root > 0 ? arc / root : Scalar(1)) + 1 / (1 - x);
  }
};

}  // namespace detail

// With m = ⟨J⟩, q = ⟨J²⟩ and the (co)variances of what is measured for them, the error is that of
// m²/q and that which m² has where m is 0, √2 var(m).
template <class Scalar>
Estimate<double> CurrentBounds<Scalar>::uncertainty_bound() const {
  const double m = mean(0), q = mean(1);
  const auto freedom = static_cast<double>(batches() - 1);
  if (q == 0) return {0, 0, freedom};
  const double of_mean = covariance_of_means(0, 0);
  const double square = (m * m - of_mean) / q;
  const detail::UncertaintyFunction<double> f(square);
  const double variance = 4 * m * m * of_mean - 4 * m * square * covariance_of_means(0, 1) +
                          square * square * covariance_of_means(1, 1) + 2 * of_mean * of_mean;
  return {f.value, f.slope * std::sqrt(variance) / q, freedom};
}

template <class Scalar>
Estimate<double> CurrentBounds<Scalar>::entropy_bound() const {
  const double m = mean(0), e = mean(2);
  const auto freedom = static_cast<double>(batches() - 1);
  const double of_log = covariance_of_means(2, 2) / (e * e);
  if (std::isinf(e * e) || (batches() >= 2 && !std::isfinite(of_log)))
    return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN(),
            freedom};
  const double variance = covariance_of_means(0, 0) - 2 * covariance_of_means(0, 2) / e + of_log;
  return {m - std::log(e) - of_log / 2, std::sqrt(std::max(0.0, variance)), freedom};
}

template <class Scalar>
template <class Archive>
void CurrentBounds<Scalar>::serialize(Archive& archive) {
  archive(terms_);
}

namespace detail {

/// By how much each singular vector of V^{−½}AW^{−½} is multiplied, ρ*/(ρ(1 − ρ*²)) with ρ*² for
/// ρ², from all ρ², increasing.
template <class Scalar>
DynamicVector<Scalar> shrinkage(const DynamicVector<Scalar>& squares, Scalar noise) {
  const Eigen::Index n = squares.size();
  // A sample of few steps can have ρ = 1, which its error does not allow to believe.
  const Scalar most = std::max(Scalar(0.5), 1 - noise);
  const bool none = n == 0 || !(squares[n - 1] > noise);
  DynamicVector<Scalar> factors = DynamicVector<Scalar>::Zero(n);
  for (Eigen::Index k = none ? std::max<Eigen::Index>(0, n - 2) : 0; k < n; ++k) {
    const Scalar kept = std::min(most, none ? squares[k] : squares[k] - noise);
    if (kept > 0) factors[k] = std::sqrt(kept / squares[k]) / (1 - kept);
  }
  return factors;
}

template <class Scalar>
DynamicMatrix<Scalar> current_force(const DynamicMatrix<Scalar>& increments,
                                    const DynamicMatrix<Scalar>& midpoints,
                                    const DynamicMatrix<Scalar>& cross, Scalar noise) {
  const Eigen::Index n = cross.rows();
  const DynamicMatrix<Scalar> left = whitening(increments);
  const DynamicMatrix<Scalar> right = whitening(midpoints);
  if (left.cols() == 0 || right.cols() == 0) return DynamicMatrix<Scalar>::Zero(n, n);
  const DynamicMatrix<Scalar> white = product(transposed(left), product(cross, right));
  const SymmetricEigen<Scalar> eigen(symmetric_product(white, transposed(white)));
  const DynamicMatrix<Scalar> shrunk =
      product(eigen.function(shrinkage(eigen.values, noise)), white);
  return 2 * product(left, product(shrunk, transposed(right)));
}

template <class Scalar>
DynamicVector<Scalar> current_coefficients(const DynamicMatrix<Scalar>& currents) {
  const auto count = static_cast<Scalar>(currents.rows());
  const Eigen::Index p = currents.cols();
  DynamicMatrix<Scalar> mean(p, 1);
  for (Eigen::Index i = 0; i < p; ++i) mean(i, 0) = currents.col(i).sum() / count;
  DynamicMatrix<Scalar> covariance = product(transposed(currents), currents);
  covariance /= count;
  add_scaled(covariance, -1, product(mean, transposed(mean)));
  const DynamicMatrix<Scalar> white = whitening(covariance);
  if (white.cols() == 0) return DynamicVector<Scalar>::Zero(p);
  return 2 * product(white, product(transposed(white), mean));
}

/// s that maximises s⟨J⟩ − log⟨e^{−sJ}⟩, concave, of J seen, between 0 and 8; by halves, for
/// Newton's steps overflow.
template <class Scalar>
Scalar best_scale(const DynamicVector<Scalar>& currents) {
  Scalar low(0), high(8);
  const Scalar largest = std::max(Scalar(0), -currents.minCoeff());
  const Scalar mean = currents.sum() / static_cast<Scalar>(currents.size());
  for (int k = 0; k < 24; ++k) {
    const Scalar scale = (low + high) / 2;
    Scalar weight(0), tilted(0);
    for (Eigen::Index i = 0; i < currents.size(); ++i) {
      const Scalar w = std::exp(-scale * (currents[i] + largest));
      weight += w;
      tilted += w * currents[i];
    }
    (mean + tilted / weight > 0 ? low : high) = scale;
  }
  return (low + high) / 2;
}

template <class Scalar>
Estimate<double> average_of_halves(const Estimate<Scalar>& a, const Estimate<Scalar>& b) {
  return {(a.value + b.value) / 2, std::hypot(a.standard_error, b.standard_error) / 2,
          a.degrees_of_freedom + b.degrees_of_freedom};
}

template <class Scalar>
Irreversibility of_both_halves(const CurrentBounds<Scalar>& a, const CurrentBounds<Scalar>& b) {
  return {.uncertainty_bound = average_of_halves(a.uncertainty_bound(), b.uncertainty_bound()),
          .entropy_bound = average_of_halves(a.entropy_bound(), b.entropy_bound()),
          .ceiling = (a.ceiling() + b.ceiling()) / 2,
          .force = {},
          .centre = {}};
}

template <class Scalar>
Irreversibility irreversibility(const StateReader<Scalar>& states,
                                const IrreversibilitySettings& settings) {
  constexpr std::string_view name = "irreversibility";
  require_states(states, name);
  const Eigen::Index steps = states.rows - 1, half = steps / 2;
  const Eigen::Index length = steps_per_batch(steps, settings, name);
  const DynamicVector<Scalar> reference = states.reference(name);
  CurrentForce<Scalar> first(states.cols), second(states.cols);
  show_steps(states, reference, 0, half, name, first);
  show_steps(states, reference, half, steps, name, second);
  CurrentBounds<Scalar> of_first(second.force(), second.centre(), length);
  CurrentBounds<Scalar> of_second(first.force(), first.centre(), length);
  show_steps(states, reference, 0, half, name, of_first);
  show_steps(states, reference, half, steps, name, of_second);
  Irreversibility found = of_both_halves(of_first, of_second);
  first.merge(second);
  found.force = first.force().template cast<double>();
  found.centre = first.centre().template cast<double>();
  return found;
}

template <class Scalar>
Irreversibility irreversibility_of_currents(const DynamicMatrix<Scalar>& currents,
                                            const IrreversibilitySettings& settings) {
  require_not_empty(currents, "irreversibility", "current(from, to)");
  require_finite(currents, "irreversibility", "current(from, to)");
  const Eigen::Index steps = currents.rows(), half = steps / 2;
  const Eigen::Index length = steps_per_batch(steps, settings, "irreversibility");
  const DynamicMatrix<Scalar> first = currents.topRows(half);
  const DynamicMatrix<Scalar> second = currents.bottomRows(steps - half);
  const auto tried = [&](const DynamicMatrix<Scalar>& on, const DynamicMatrix<Scalar>& learnt_on) {
    CurrentBounds<Scalar> bounds(length);
    DynamicMatrix<Scalar> coefficients = current_coefficients(learnt_on);
    coefficients *= best_scale<Scalar>(product(learnt_on, coefficients).col(0));
    bounds.add_currents(product(on, coefficients).col(0));
    return bounds;
  };
  Irreversibility found = of_both_halves(tried(first, second), tried(second, first));
  const DynamicMatrix<Scalar> coefficients = current_coefficients(currents);
  const Scalar scale = best_scale<Scalar>(product(currents, coefficients).col(0));
  found.force = scale * coefficients.template cast<double>();
  return found;
}

}  // namespace detail
}  // namespace ness
#endif
