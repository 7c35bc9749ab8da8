// How well samplers draw from the posterior while their learning rate falls (Sec. 4.6 says that the
// slopes of Fig. 6 govern it; the rest is not in the paper).
//
// Let the stationary state of a sampler be wrong by b ∝ η^p, and η_t ∝ t^{−γ} of Markov step t.
//
//   the law of θ at step T:    Σ/Σ_po − 1 ≈ b(η_T), a divergence ∝ T^{−2pγ}
//   means Σ η f(θ)/Σ η:        bias Σ ηb(η)/Σ η ∝ T^{−pγ}, or T^{−(1−γ)} if γ > 1/(1 + p);
//                              standard deviation √(2/(h Σ η)) ∝ T^{−(1−γ)/2} of θ²
//
// The law at T follows the slope 2p of Fig. 6 as long as γ < 1. With γ = 1 it does if
// 2η₁t₁nh > p, else T^{−2·2η₁t₁nh} of what is not yet forgotten is larger. The error of means over
// the draws falls fastest with γ = 1/(2p + 1), as T^{−p/(2p+1)}: T^{−1/3} for SGLD, T^{−3/7} where
// b ∝ η³, and not by the ratio 3 of the slopes. With γ > 1/(2p + 1) of the worse of two samplers it
// falls alike for both, as T^{−(1−γ)/2}.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/posterior/autocorrelation_time.hpp"
#include "ness/posterior/gaussian_posterior.hpp"
#include "ness/posterior/kinetic_error.hpp"
#include "ness/posterior/posterior_error.hpp"
#include "ness/training/power_schedule.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// The stationary state of a sampler as a function of η, in x = diag(√h) Oᵀ(θ − θ₀) of H₀ =
/// O diag(h) Oᵀ, where the posterior is N(0, I).
struct ErrorCurve {
  using Vector = DynamicVector<double>;
  using Matrix = DynamicMatrix<double>;
  Vector curvatures;                   ///< h, N, increasing
  std::vector<double> learning_rates;  ///< increasing
  std::vector<Vector> shift;           ///< ⟨x⟩ at each, N
  std::vector<Matrix> excess;          ///< covariance of x at each, less I, N × N
  /// z' = Az of a Markov step in a direction of curvature h at learning rate η, z = (θ, v), v = 0
  /// where there is no velocity: (h, η) → A.
  std::function<Eigen::Matrix2d(double, double)> markov_step;
  /// Covariance of x with the noise of the Markov step from there, of which the sharing of
  /// Leimkuhler and Matthews puts half a number in x: ½ηh(1 − ηh)^{n−1}. Empty where nothing is
  /// shared.
  std::function<double(double, double)> shared_noise = {};
};

/// Between which learning rates, and how finely.
struct ErrorCurveSettings {
  double least = 0;                ///< η
  double greatest = 0;             ///< η
  int per_octave = 2;              ///< points for each factor of 2 of η
  PosteriorSettings moments = {};  ///< of `exact_posterior_error`

  /// Throws `std::invalid_argument` unless 0 < least ≤ greatest and `per_octave` is positive.
  void check(std::string_view function) const {
    detail::require_positive(least, function, "least");
    detail::require(greatest >= least && std::isfinite(greatest), function,
                    "greatest must be finite and not below least", greatest);
    detail::require(per_octave >= 1, function, "per_octave must be at least 1", per_octave);
  }
};

/// `exact_posterior_error` of a sampler at learning rates from `least` to `greatest`, whatever its
/// own. Cost: that of each of them. Throws `std::invalid_argument` where it does, or where there is
/// no stationary state.
template <class M, class R, IsTraining T>
ErrorCurve error_curve(const Objective<M, R>& objective, const Minimum<scalar_t<M>>& minimum,
                       T sampler, const ErrorCurveSettings& settings) {
  constexpr std::string_view name = "error_curve";
  settings.check(name);
  ErrorCurve curve;
  const detail::SymmetricEigen<double> eigen(
      DynamicMatrix<double>(minimum.hessian.template cast<double>()));
  DynamicMatrix<double> round = detail::transposed(eigen.vectors);  // h^½Oᵀ
  for (Index j = 0; j < round.cols(); ++j)
    for (Index i = 0; i < round.rows(); ++i) round(i, j) *= std::sqrt(eigen.values[i]);
  curve.curvatures = eigen.values;
  const double octaves = std::log2(settings.greatest / settings.least);
  const int intervals = std::max(1, static_cast<int>(std::ceil(octaves * settings.per_octave)));
  for (int k = 0; k <= intervals; ++k) {
    sampler.learning_rate = settings.least * std::exp2(octaves * k / intervals);
    const auto error = exact_posterior_error(objective, minimum, sampler, settings.moments);
    if (error.status != SamplingStatus::stationary)
      detail::invalid(name, "there must be a stationary state at learning rate ",
                      sampler.learning_rate, ", but it is ", to_string(error.status));
    curve.learning_rates.push_back(sampler.learning_rate);
    curve.shift.push_back(round * error.mean_shift.value.template cast<double>());
    curve.excess.push_back(round * error.covariance_excess.value.template cast<double>() *
                           round.transpose());
  }
  const auto updates = sampler.updates_per_markov_step(objective.samples());
  curve.markov_step = [sampler, updates](double curvature, double learning_rate) {
    T changed = sampler;
    changed.learning_rate = learning_rate;
    return detail::power(detail::mean_update(changed, curvature), updates);
  };
  if constexpr (IsSampler<T>)
    if (T::Noise::injection.shared)
      curve.shared_noise = [updates](double curvature, double learning_rate) {
        const double x = learning_rate * curvature;
        return x / 2 * std::pow(1 - x, static_cast<double>(updates - 1));
      };
  return curve;
}

/// What draws of a run are worth, of x of the `ErrorCurve`.
struct DecreasingError {
  using Vector = DynamicVector<double>;
  std::int64_t markov_steps = 0;  ///< T
  double learning_rate = 0;       ///< η of the last
  Vector bias;  ///< ⟨Σ ηx²/Σ η⟩ − 1, N: of a variance, relative to the posterior's
  Vector standard_deviation;  ///< of Σ ηx²/Σ η from run to run, N
  double divergence = 0;      ///< of the law of θ at step T from the posterior, in bits

  /// √ of the mean of bias² + standard_deviation² over all directions.
  double root_mean_square() const {
    double sum = 0;
    for (Eigen::Index i = 0; i < bias.size(); ++i)
      sum += bias[i] * bias[i] + standard_deviation[i] * standard_deviation[i];
    return std::sqrt(sum / static_cast<double>(bias.size()));
  }
};

/// Of a run of which Markov step t is made with η_t = schedule(t), and where it goes has the weight
/// η_t in means, as M. Welling and Y. W. Teh (ICML 2011) have it: after each number of Markov steps
/// of `markov_steps`, which increase. A run begins with a draw of the posterior, or, with `start` =
/// −1, at θ₀ itself; `start` is Σ/Σ_po − 1 there.
///
/// What is followed, with A = A(η_t) of each direction and B(η) of the curve,
///   X' = AXAᵀ + B − ABAᵀ of the excess,  P' = A(P + ηs² eeᵀ)Aᵀ, s = ⟨x²⟩,
///   (Σ η)² variance = Σ (2η²s² + 4ηP), cov(x_s², x_t²) = 2(A⋯A)² s_s²,
/// is exact in one dimension for Gaussian noise that does not depend on θ, but for B between the
/// points of the curve: log-log there, and linear where the sign changes. In more dimensions it is
/// quasi-static in that B, which knows all that directions have to do with each other, is
/// approached by each pair of directions at the rate of its own A. It fails where noise that
/// depends on θ decides how fast (ηVar(h_B) beside 2h) or makes θ far from Gaussian, where B is not
/// small; of a velocity it leaves out how far its own moments are from those of the posterior. η
/// within a relative 10⁻⁴ counts as one. Standard errors of the curve are left out.
///
/// Cost: some 10 ns N² for each Markov step. Throws `std::invalid_argument` for steps that do not
/// increase, or an η beyond the curve.
template <LearningRateSchedule Schedule>
std::vector<DecreasingError> decreasing_error(const ErrorCurve& curve, const Schedule& schedule,
                                              const std::vector<std::int64_t>& markov_steps,
                                              double start = 0);

/// The same with the curve that it takes, of η between schedule(0) and that of the last step.
template <class M, class R, IsTraining T, LearningRateSchedule Schedule>
std::vector<DecreasingError> decreasing_error(const Objective<M, R>& objective,
                                              const Minimum<scalar_t<M>>& minimum, const T& sampler,
                                              const Schedule& schedule,
                                              const std::vector<std::int64_t>& markov_steps,
                                              double start = 0) {
  detail::require(!markov_steps.empty() && markov_steps.back() >= 1, "decreasing_error",
                  "markov_steps must be positive numbers", markov_steps.size());
  const double first = schedule(0), last = schedule(markov_steps.back() - 1);
  const ErrorCurveSettings settings{.least = std::min(first, last),
                                    .greatest = std::max(first, last)};
  return decreasing_error(error_curve(objective, minimum, sampler, settings), schedule,
                          markov_steps, start);
}

namespace detail {

/// A sampler whose learning rate changes, in the mean over runs: `Curve` is `ErrorCurve`, a
/// template argument only so that this is compiled where it is used.
template <class Curve>
class DecreasingWalk {
 public:
  DecreasingWalk(const Curve& curve, double start);
  /// A Markov step with this learning rate, after which x counts with its weight.
  void step(double learning_rate);
  DecreasingError error() const;

 private:
  using Double = typename DoubleFor<Curve>::type;
  using Matrix = Eigen::Matrix<Double, 2, 2>;
  using Vector = Eigen::Matrix<Double, 2, 1>;
  using Series = DynamicVector<Double>;

  void refresh(double learning_rate);
  double interpolated(double low, double high) const;
  Matrix& pair(Index k, Index l) { return excess_[static_cast<std::size_t>(k * size_ + l)]; }

  const Curve& curve_;
  Index size_;
  double held_ = 0;                       // η of what follows
  double fraction_ = 0, of_values_ = 0;   // of the interval, in log η and in η
  std::vector<Matrix> steps_;             // A
  std::vector<Matrix> excess_, sources_;  // X and B − ABAᵀ, of pairs k ≤ l
  std::vector<Vector> shift_, of_shift_;  // ⟨z⟩ and (I − A)⟨z⟩ of the curve
  std::vector<Matrix> past_;              // P of all draws but the last
  Series last_, shared_;                  // ⟨x²⟩ of it, and what noise it shares
  double last_weight_ = 0;                // η of it
  Series sums_, variance_;                // Σ ηx², and what its variance is
  double weights_ = 0;                    // Σ η
  std::int64_t count_ = 0;
};

}  // namespace detail

template <LearningRateSchedule Schedule>
std::vector<DecreasingError> decreasing_error(const ErrorCurve& curve, const Schedule& schedule,
                                              const std::vector<std::int64_t>& markov_steps,
                                              double start) {
  detail::DecreasingWalk<ErrorCurve> walk(curve, start);
  std::vector<DecreasingError> errors;
  std::int64_t done = 0;
  for (const std::int64_t until : markov_steps) {
    detail::require(until > done, "decreasing_error", "markov_steps must be positive and increase",
                    until);
    for (; done < until; ++done) walk.step(schedule(done));
    errors.push_back(walk.error());
  }
  return errors;
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include "ness/posterior/divergence.hpp"

namespace ness::detail {

template <class Curve>
DecreasingWalk<Curve>::DecreasingWalk(const Curve& curve, double start)
    : curve_(curve),
      size_(curve.curvatures.size()),
      last_(Series::Zero(size_)),
      shared_(Series::Zero(size_)),
      sums_(Series::Zero(size_)),
      variance_(Series::Zero(size_)) {
  require(start >= -1 && std::isfinite(start), "decreasing_error",
          "start must be finite and not below -1", start);
  const auto n = static_cast<std::size_t>(size_);
  for (auto* each : {&steps_, &past_}) each->assign(n, Matrix::Zero());
  for (auto* each : {&shift_, &of_shift_}) each->assign(n, Vector::Zero());
  for (auto* each : {&excess_, &sources_}) each->assign(n * n, Matrix::Zero());
  for (Index k = 0; k < size_; ++k) pair(k, k)(0, 0) = start;
}

template <class Curve>
double DecreasingWalk<Curve>::interpolated(double low, double high) const {
  if (low * high > 0) return low * std::pow(high / low, fraction_);
  return low + of_values_ * (high - low);
}

template <class Curve>
void DecreasingWalk<Curve>::refresh(double learning_rate) {
  const std::vector<Double>& nodes = curve_.learning_rates;
  constexpr double rounding = 1e-9;
  if (!(learning_rate >= nodes.front() * (1 - rounding) &&
        learning_rate <= nodes.back() * (1 + rounding)))
    invalid("decreasing_error", "the learning rate must be within the curve, from ", nodes.front(),
            " to ", nodes.back(), ", but is ", learning_rate);
  held_ = learning_rate;
  const auto above = std::upper_bound(nodes.begin(), nodes.end(), learning_rate) - nodes.begin();
  const auto last = static_cast<std::ptrdiff_t>(nodes.size()) - 1;
  const auto at = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(above - 1, 0, last - 1));
  const std::size_t next = std::min(at + 1, nodes.size() - 1);
  const double width = nodes[next] - nodes[at];
  of_values_ = width > 0 ? (learning_rate - nodes[at]) / width : 0;
  fraction_ =
      width > 0 ? std::log(learning_rate / nodes[at]) / std::log(nodes[next] / nodes[at]) : 0;
  for (Index k = 0; k < size_; ++k) {
    const auto i = static_cast<std::size_t>(k);
    steps_[i] = curve_.markov_step(curve_.curvatures[k], learning_rate);
    if (curve_.shared_noise) shared_[k] = curve_.shared_noise(curve_.curvatures[k], learning_rate);
    const double shift = interpolated(curve_.shift[at][k], curve_.shift[next][k]);
    of_shift_[i] = shift * (Vector::UnitX() - steps_[i].col(0));
    for (Index l = 0; l <= k; ++l) {
      const double excess = interpolated(curve_.excess[at](l, k), curve_.excess[next](l, k));
      Matrix source =
          -excess * steps_[static_cast<std::size_t>(l)].col(0) * steps_[i].col(0).transpose();
      source(0, 0) += excess;
      sources_[static_cast<std::size_t>(l * size_ + k)] = source;
    }
  }
}

template <class Curve>
void DecreasingWalk<Curve>::step(double learning_rate) {
  if (!(std::abs(learning_rate - held_) <= 1e-4 * held_)) refresh(learning_rate);
  for (Index k = 0; k < size_; ++k) {
    const auto i = static_cast<std::size_t>(k);
    const Matrix& a = steps_[i];
    for (Index l = 0; l <= k; ++l)
      pair(l, k) = (steps_[static_cast<std::size_t>(l)] * pair(l, k) * a.transpose()).eval() +
                   sources_[static_cast<std::size_t>(l * size_ + k)];
    shift_[i] = (a * shift_[i]).eval() + of_shift_[i];
    // Of the last draw: ⟨z'x⟩ = A⟨zx⟩ and what is shared.
    Vector with_last = last_[k] * a.col(0);
    with_last[0] += shared_[k];
    past_[i] =
        (a * past_[i] * a.transpose()).eval() + last_weight_ * with_last * with_last.transpose();
    const double second = 1 + pair(k, k)(0, 0) + shift_[i][0] * shift_[i][0];
    sums_[k] += learning_rate * (second - 1);
    variance_[k] += learning_rate * (2 * learning_rate * second * second + 4 * past_[i](0, 0));
    last_[k] = second;
  }
  last_weight_ = learning_rate;
  weights_ += learning_rate;
  ++count_;
}

template <class Curve>
DecreasingError DecreasingWalk<Curve>::error() const {
  DecreasingError result{count_, held_, sums_ / weights_, variance_.cwiseSqrt() / weights_, 0};
  Series shift(size_);
  DynamicMatrix<Double> excess(size_, size_);
  for (Index k = 0; k < size_; ++k) {
    shift[k] = shift_[static_cast<std::size_t>(k)][0];
    for (Index l = 0; l <= k; ++l)
      excess(l, k) = excess(k, l) = excess_[static_cast<std::size_t>(l * size_ + k)](0, 0);
  }
  result.divergence =
      kl_divergence_of_excess<Double>(shift, excess, DynamicMatrix<Double>::Identity(size_, size_));
  return result;
}

}  // namespace ness::detail
#endif
