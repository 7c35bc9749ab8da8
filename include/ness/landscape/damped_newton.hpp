// The iterations of `minimize`, and how they tell what they have come to.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "ness/landscape/minimize.hpp"
#include "ness/landscape/natural_units.hpp"
#include "ness/landscape/rounding.hpp"

namespace ness::detail {

/// The state of the iteration: the best point so far, and how much steps are damped.
template <class Scalar>
class DampedNewton {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  DampedNewton(const LandscapeFunctions<Scalar>& landscape, const Vector& start,
               const MinimizeSettings& settings)
      : landscape_(landscape), settings_(settings) {
    best_.theta = start;
    best_.value = landscape.value(start);
    if (!std::isfinite(best_.value))
      invalid("minimize", "the objective must be finite at the start, but is ", best_.value);
    gradient_ = landscape.gradient(start);
    require_finite(gradient_, "minimize", "the gradient at the start");
    best_.hessian = landscape.hessian(start);
    require_finite(best_.hessian, "minimize", "the Hessian at the start");
  }

  Minimum<Scalar> run() {
    while (!is_at_minimum() && best_.iterations < settings_.max_iterations) {
      ++best_.iterations;
      if (iterate() && (concluded_ || !leave_saddle())) break;
    }
    conclude();
    return std::move(best_);
  }

 private:
  static constexpr Scalar epsilon = std::numeric_limits<Scalar>::epsilon();

  bool is_at_minimum() {
    stationary_ = is_zero(gradient_);
    return stationary_ && is_curved(best_.hessian, curvature_noise());
  }

  // One trial. True where the iteration is at its end.
  bool iterate() {
    if (stationary_) return true;
    Matrix damped = best_.hessian;
    const Vector units = natural_units(best_.hessian);
    for (Index k = 0; k < units.size(); ++k) damped(k, k) += damping_ / (units[k] * units[k]);
    if (!metric_.factor(damped)) return !raise_damping();
    Vector step = metric_.solve(gradient_);
    step *= Scalar(-1);
    if (pays(step)) return steps_ % 8 == 0 && falls_for_ever();
    if (is_negligible(step)) {
      if (damping_ > 0 && !tried_undamped_) return try_undamped();
      if (!is_curved(best_.hessian, -curvature_noise()) && leave_saddle()) return false;
      if (judge(step)) return true;
    }
    if (raise_damping()) return false;
    return conclude_as(MinimumStatus::inconsistent, step);  // no step pays, however short
  }

  bool try_undamped() {
    tried_undamped_ = true;
    remembered_damping_ = damping_;
    damping_ = 0;
    return false;
  }

  // False where no damping is strong enough.
  bool raise_damping() {
    const Scalar least = std::sqrt(epsilon);
    damping_ = damping_ > 0 ? 4 * damping_ : std::max(remembered_damping_ / 4, least);
    return damping_ <= 1 / epsilon;
  }

  void lower_damping(Scalar gain) {  // what 𝓛 fell by, of what the quadratic form promised
    remembered_damping_ = damping_;
    if (gain > Scalar(0.9))
      damping_ = 0;
    else if (gain > Scalar(0.25))
      damping_ = damping_ > std::sqrt(epsilon) ? damping_ / 4 : Scalar(0);
  }

  bool conclude_as(MinimumStatus status, const Vector& direction) {
    best_.status = status;
    best_.direction = normalized(direction);
    return concluded_ = true;
  }

  // Of 𝓛 itself: the distances over which a quadratic form would change by as much.
  Scalar size_of_landscape() const {
    return std::max(in_natural_units(best_.theta), std::sqrt(2 * std::abs(best_.value)));
  }

  Scalar in_natural_units(const Vector& step) const {
    return norm_in_units(step, natural_units(best_.hessian));
  }

  // What of a value cannot be told from rounding: at least.
  static Scalar resolution(Scalar value) { return 64 * epsilon * std::abs(value); }
  Scalar resolution() const { return std::max(resolution(best_.value), value_noise_); }

  Scalar promised(const Vector& step) const { return -dot(gradient_, step) / 2; }

  // Is it so short that 𝓛 can be told from a quadratic form no more, or hardly from a constant?
  bool is_negligible(const Vector& step) const {
    return promised(step) <= resolution() ||
           in_natural_units(step) <= 16 * std::sqrt(epsilon) * size_of_landscape();
  }

  // Goes where the step leads, if 𝓛 falls, or, where it cannot tell, the gradient shrinks.
  bool pays(const Vector& step) {
    const Vector trial = moved(best_.theta, Scalar(1), step);
    if (!is_finite(trial) || std::equal(trial.begin(), trial.end(), best_.theta.begin()))
      return false;
    const Scalar value = landscape_.value(trial);
    if (!std::isfinite(value)) return false;
    const Scalar fall = best_.value - value;
    const bool falls = promised(step) > resolution() && fall >= promised(step) / 1000;
    if (!falls) learn_value_noise(step);
    if (!falls && !(is_negligible(step) && is_hardly_damped())) return false;
    Vector gradient = landscape_.gradient(trial);
    if (!is_finite(gradient)) return false;
    if (!falls && !(metric_.norm(gradient) < metric_.norm(gradient_) / 2)) return false;
    const Scalar gain = falls ? fall / promised(step) : Scalar(1);
    move(trial, value, std::move(gradient), step);
    lower_damping(gain);
    return true;
  }

  // Else the shrinking gradient might be that of a saddle.
  bool is_hardly_damped() const { return damping_ <= std::sqrt(epsilon); }

  // Where a step hardly promises more than the last places of 𝓛, it is worth knowing how many of
  // them are right.
  void learn_value_noise(const Vector& step) {
    if (value_noise_ > 0 || promised(step) > std::sqrt(epsilon) * std::abs(best_.value)) return;
    const Scalar found = 8 * value_rounding(landscape_.value, best_.theta, step);
    if (std::isfinite(found)) value_noise_ = found;
  }

  void move(const Vector& theta, Scalar value, Vector gradient, const Vector& step) {
    Matrix hessian = landscape_.hessian(theta);
    require_finite(hessian, "minimize", "the Hessian");
    const bool fades =
        curvature_along(hessian, step) < Scalar(0.7) * curvature_along(best_.hessian, step);
    fading_ = damping_ == 0 && fades ? fading_ + 1 : 0;
    ++steps_;
    best_.theta = theta;
    best_.value = value;
    best_.hessian = std::move(hessian);
    gradient_ = std::move(gradient);
    last_step_ = step;
    last_damping_ = damping_;
    value_noise_ = 0;
    tried_undamped_ = false;
    stationary_ = false;
  }

  // A thousand Newton steps ahead any minimum would be far behind, and 𝓛 above it; without
  // curvature, a million million times the size of all there is.
  bool falls_for_ever() {
    if (!is_curved(best_.hessian, curvature_noise())) {
      Vector soft = Softest<Scalar>(best_.hessian).direction;
      soft *= dot(gradient_, soft) > 0 ? -size_or_one() : size_or_one();
      return falls_along(soft, 40);
    }
    return steps_ > 0 && last_damping_ == 0 && falls_along(last_step_, 10);
  }

  Scalar size_or_one() const { return size_of_landscape() > 0 ? size_of_landscape() : Scalar(1); }

  bool falls_along(const Vector& step, int doublings) {
    Scalar before = best_.value;
    Vector ahead = best_.theta;
    Scalar length(1);
    for (int k = 0; k <= doublings; ++k, length *= 2) {
      ahead = moved(best_.theta, length, step);
      if (!is_finite(ahead)) return false;
      const Scalar value = landscape_.value(ahead);
      if (!(value <= before + resolution(before))) return false;
      before = value;
    }
    if (!std::isfinite(before)) return conclude_as(MinimumStatus::no_minimum, step);
    const bool falls = dot(landscape_.gradient(ahead), step) <= resolution(before);
    if (!falls || !(before < best_.value - resolution())) return false;
    return conclude_as(MinimumStatus::no_minimum, step);
  }

  // Why does no step pay? True where that is known.
  bool judge(const Vector& step) {
    const double norm = metric_.norm(gradient_);
    if (norm == 0 || norm <= settings_.tolerance * rounding(step)) return stationary_ = true;
    return is_kink(step) || is_inconsistent(step);
  }

  double rounding(const Vector& step) {
    // What θ itself is rounded by counts as well.
    const auto of_theta =
        static_cast<double>(epsilon * in_natural_units(best_.theta) / std::sqrt(1 + damping_));
    const auto found = gradient_rounding(landscape_.gradient, best_.theta, step, metric_);
    Vector squares = natural_units(best_.hessian);
    for (Scalar& each : squares) each *= each;
    const Scalar absolute = epsilon * norm_in_units(best_.theta, squares);
    best_.gradient_rounding = std::max(static_cast<Scalar>(found.absolute), absolute);
    return std::max(found.norm, of_theta);
  }

  Scalar slope(const Vector& step, Scalar part) const {
    return dot(landscape_.gradient(moved(best_.theta, part, step)), step);
  }

  // Does the slope along the step change its sign within any fraction of it, all at once?
  bool is_kink(const Vector& step) {
    Scalar below(0), above(1);
    Scalar slope_below = slope(step, below), slope_above = slope(step, above);
    const Scalar all = slope_above - slope_below;
    if (!(slope_below < 0 && slope_above > 0)) return false;
    for (int k = 0; k < 12; ++k) {
      const Scalar middle = (below + above) / 2;
      const Scalar slope_middle = slope(step, middle);
      (slope_middle < 0 ? below : above) = middle;
      (slope_middle < 0 ? slope_below : slope_above) = slope_middle;
    }
    return slope_above - slope_below > all / 4 && conclude_as(MinimumStatus::kink, step);
  }

  bool is_inconsistent(const Vector& step) {
    const bool resolved = promised(step) > 16 * resolution();
    return resolved && slope(step, 1) < 0 && conclude_as(MinimumStatus::inconsistent, step);
  }

  // Goes down along the direction of most negative curvature, from here or, where that is none,
  // from further along the valley: at lengths so close that only a narrow part of it is stepped
  // over, and not where 𝓛 is higher by more than a curvature of half of the digits, for a valley
  // may bend. False where no way down is found.
  bool leave_saddle() {
    if (is_curved(best_.hessian, curvature_noise())) return false;
    const Softest<Scalar> soft(best_.hessian);
    if (soft.curvature < -curvature_noise()) return descend_along(best_, soft);
    const Scalar ratio = std::sqrt(Scalar(2));
    for (Scalar length = size_or_one() / 16; length < 5 * size_or_one(); length *= ratio)
      for (const int side : {1, -1}) {
        Minimum<Scalar> other;
        other.theta = moved(best_.theta, static_cast<Scalar>(side) * length, soft.direction);
        other.value = landscape_.value(other.theta);
        const Scalar rise = resolution() + std::sqrt(epsilon) * length * length / 2;
        if (!(other.value <= best_.value + rise)) continue;
        other.hessian = landscape_.hessian(other.theta);
        if (!is_finite(other.hessian)) continue;
        const Softest<Scalar> there(other.hessian);
        if (there.curvature < -curvature_noise() && descend_along(other, there)) return true;
      }
    return false;
  }

  bool descend_along(const Minimum<Scalar>& from, const Softest<Scalar>& soft) {
    const Scalar size = size_or_one();
    const Scalar side = dot(gradient_, soft.direction) > 0 ? Scalar(-1) : Scalar(1);
    for (Scalar length = size; length > std::sqrt(epsilon) * size; length /= 4) {
      const Vector trial = moved(from.theta, side * length, soft.direction);
      const Scalar value = landscape_.value(trial);
      const Scalar least = -soft.curvature * length * length / 8;
      if (!(best_.value - value > std::max(least, resolution()))) continue;
      Vector gradient = landscape_.gradient(trial);
      if (!is_finite(gradient)) continue;
      damping_ = 0;
      move(trial, value, std::move(gradient), soft.direction);
      last_damping_ = 1;  // this was no Newton step
      return true;
    }
    return false;
  }

  Scalar curvature_noise() const {
    return curvature_rounding<Scalar>(best_.theta.size(), landscape_.terms);
  }

  void conclude() {
    best_.gradient_norm = detail::norm(gradient_);
    best_.hessian_eigenvalues = SymmetricEigen<Scalar>(best_.hessian).values;
    const bool curved = is_curved(best_.hessian, curvature_noise());
    if (curved && metric_.factor(best_.hessian)) best_.offset = metric_.solve(gradient_);
    const bool fades = fading_ >= 8;
    const bool is_minimum = stationary_ && curved && !fades;
    if (concluded_ || (!is_minimum && falls_for_ever())) return;
    if (is_minimum) {
      best_.status = MinimumStatus::converged;
      return;
    }
    const Softest<Scalar> soft(best_.hessian);
    const bool down = soft.curvature < -curvature_noise();
    if (!stationary_ && !fades && (curved || down)) return;  // out of iterations
    conclude_as(down ? MinimumStatus::saddle : MinimumStatus::flat,
                fades ? last_step_ : soft.direction);
  }

  const LandscapeFunctions<Scalar>& landscape_;
  const MinimizeSettings& settings_;
  Metric<Scalar> metric_;
  Scalar damping_{}, remembered_damping_{};
  Scalar value_noise_{};  // at this θ, where it was measured
  bool tried_undamped_ = false;
  bool stationary_ = false;  // the gradient is at its rounding
  bool concluded_ = false;   // the status says what else was found
  int steps_ = 0;
  int fading_ = 0;  // undamped steps in a row that each found less curvature
  Scalar last_damping_{};
  Vector gradient_, last_step_;
  Minimum<Scalar> best_;
};

template <class Scalar>
Minimum<Scalar> minimize(const LandscapeFunctions<Scalar>& landscape,
                         const DynamicVector<Scalar>& start, const MinimizeSettings& settings) {
  settings.check("minimize");
  return DampedNewton<Scalar>(landscape, start, settings).run();
}

template <class Scalar>
Minimum<Scalar> polish_minimum(const LandscapeFunctions<Scalar>& landscape,
                               const DynamicVector<Scalar>& start,
                               const DynamicMatrix<Scalar>& curvature) {
  constexpr int max_iterations = 100;
  constexpr double tolerance = 64;
  Minimum<Scalar> best;
  best.status = MinimumStatus::no_minimum;
  best.theta = start;
  Metric<Scalar> metric;
  const bool curved = metric.factor(curvature);
  DynamicVector<Scalar> gradient = landscape.gradient(start);
  DynamicVector<Scalar> step = DynamicVector<Scalar>::Zero(start.size());
  bool stalled = false;
  while (curved && !stalled && best.iterations < max_iterations) {
    ++best.iterations;
    step = metric.solve(gradient);
    step *= Scalar(-1);
    const DynamicVector<Scalar> trial = moved(best.theta, Scalar(1), step);
    if (!is_finite(trial)) break;
    const DynamicVector<Scalar> trial_gradient = landscape.gradient(trial);
    stalled = !(metric.norm(trial_gradient) < metric.norm(gradient));  // rounding ends it
    if (stalled) break;
    best.theta = trial;
    gradient = trial_gradient;
  }
  best.gradient_norm = detail::norm(gradient);
  best.value = landscape.value(best.theta);
  best.hessian = landscape.hessian(best.theta);
  best.hessian_eigenvalues = SymmetricEigen<Scalar>(best.hessian).values;
  if (detail::norm(step) > 0) best.direction = normalized(step);
  if (!stalled) return best;
  const auto found =
      gradient_rounding(landscape.gradient, best.theta,
                        felt_step(landscape.gradient, best.theta, gradient, step), metric);
  const auto of_theta = static_cast<double>(std::numeric_limits<Scalar>::epsilon() *
                                            norm_in_units(best.theta, natural_units(curvature)));
  best.gradient_rounding = static_cast<Scalar>(found.absolute);
  best.offset = metric.solve(gradient);
  if (metric.norm(gradient) <= tolerance * std::max(found.norm, of_theta))
    best.status =
        best.hessian_eigenvalues[0] > 0 ? MinimumStatus::converged : MinimumStatus::saddle;
  if (best.status == MinimumStatus::converged) best.direction.resize(0);
  return best;
}

/// "0.71 theta[3] - 0.70 theta[5] + ...": the elements that are largest in natural units.
template <class Scalar>
std::string direction_in_words(const DynamicVector<Scalar>& direction,
                               const DynamicMatrix<Scalar>& hessian) {
  if (direction.size() == 0 || is_zero(direction)) return "a direction that is not known";
  DynamicVector<Scalar> units = DynamicVector<Scalar>::Ones(direction.size());
  if (hessian.size() > 0) units = natural_units(hessian);  // else of many parameters
  DynamicVector<Scalar> weights = direction;
  Scalar largest(0);
  for (Index k = 0; k < weights.size(); ++k) {
    weights[k] = std::abs(direction[k] / units[k]);
    largest = std::max(largest, weights[k]);
  }
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text.precision(3);
  const Scalar least = Scalar(1e-3) * largest;
  for (int k = 0; k < 5; ++k) {
    Index at = 0;
    for (Index a = 1; a < weights.size(); ++a)
      if (weights[a] > weights[at]) at = a;
    if (!(weights[at] > least)) break;
    if (k == 4) return text.str() + " + ...";
    const char* const sign = direction[at] < 0 ? " - " : " + ";
    text << (k > 0 ? sign : (direction[at] < 0 ? "-" : "")) << std::abs(direction[at]) << " theta["
         << at << "]";
    weights[at] = 0;
  }
  return text.str();
}

}  // namespace ness::detail

namespace ness {

template <class Scalar>
std::string Minimum<Scalar>::explanation() const {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text.precision(3);
  const auto along = [&] { return detail::direction_in_words(direction, hessian); };
  switch (status) {
    case MinimumStatus::converged:
      text << "converged: |gradient| is " << gradient_norm << ", its rounding "
           << gradient_rounding;
      break;
    case MinimumStatus::saddle:
      text << "the gradient vanishes at a saddle, where the Hessian's smallest eigenvalue is "
           << hessian_eigenvalues[0] << ": start beside it, along " << along();
      break;
    case MinimumStatus::flat:
      text << "the objective is too flat along " << along()
           << " to tell where its minimum is: the curvature there cannot be told from zero. Drop "
              "or merge parameters that the data do not tell apart, or add a regularizer";
      break;
    case MinimumStatus::no_minimum:
      text << "the objective falls for ever along " << along() << " (it is " << value
           << " where |theta| is " << detail::norm(theta)
           << "): add a regularizer, or start elsewhere";
      break;
    case MinimumStatus::kink:
      text << "the gradient jumps at a kink along " << along()
           << ", so there is no Hessian and no theory of this minimum: use a smooth loss, "
              "activation or regularizer";
      break;
    case MinimumStatus::inconsistent:
      text << "the objective does not fall along minus its gradient: the derivatives are not those "
              "of sample_loss; run ness::check_model on the model";
      break;
    case MinimumStatus::iteration_limit:
      text << "no minimum after " << iterations << " iterations: |gradient| is " << gradient_norm
           << ": raise max_iterations" << (hessian.size() > 0 ? "" : " or max_products")
           << ", or start elsewhere";
      break;
  }
  return text.str();
}

}  // namespace ness
