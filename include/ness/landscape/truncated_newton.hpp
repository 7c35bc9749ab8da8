// A minimum of the objective of many parameters, by products of its Hessian with vectors alone
// (not in the paper).
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <string_view>

#include "ness/landscape/eigenpairs.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/landscape/streamed_objective.hpp"
#include "ness/random/philox.hpp"
#include "ness/random/signs.hpp"

namespace ness {

/// Where `minimize` of many parameters is.
struct MinimizeProgress {
  int iteration;                       ///< of Newton
  Eigen::Index products;               ///< of the Hessian with a vector, so far
  double value;                        ///< 𝓛
  double relative_gradient;            ///< |∇𝓛| over its scale
  const DynamicVector<double>& theta;  ///< the best point so far: to keep it, in case
};

/// When a search ends.
struct MatrixFreeSettings {
  int max_iterations = 1000;
  Eigen::Index max_products = 200'000;
  /// Converged when |∇𝓛| is at most this times its scale, the root mean square of |∇ℓ_i| there; or
  /// at most 16 times the rounding of the model's numbers, if that is more; or, where no step pays,
  /// 16 times its own rounding as it was measured.
  double relative_gradient = 1e-8;
  /// Called after each iteration. A search that begins with the theta of a search that was stopped
  /// goes on from there.
  std::function<void(const MinimizeProgress&)> progress = {};

  /// Throws `std::invalid_argument` for a negative number of iterations or products, or a gradient
  /// ≤ 0.
  void check(std::string_view function) const {
    detail::require(max_iterations >= 0, function, "max_iterations must not be negative",
                    max_iterations);
    detail::require(max_products >= 0, function, "max_products must not be negative", max_products);
    detail::require_positive(relative_gradient, function, "relative_gradient");
  }
};

namespace detail {

/// A landscape as the iterations see it, without matrices.
template <class Scalar>
struct MatrixFreeLandscape {
  using Vector = DynamicVector<Scalar>;
  std::function<Scalar(const Vector&)> value;
  std::function<Vector(const Vector&)> gradient;
  std::function<Vector(const Vector&, const Vector&)> hessian_product;  ///< of θ and a direction
  std::function<Scalar(const Vector&)> gradient_scale;  ///< the root mean square of |∇ℓ_i|
  Scalar rounding;                                      ///< of the model's numbers
};

/// See `ness::minimize`.
template <class Scalar>
Minimum<Scalar> minimize(const MatrixFreeLandscape<Scalar>& landscape,
                         const DynamicVector<Scalar>& start, const MatrixFreeSettings& settings);

/// √⟨|∇ℓ_i|²⟩, by their projections on eight random vectors of signs: good to a part of itself.
template <class M, class R>
double gradient_scale(const StreamedObjective<M, R>& streamed, const DynamicVector<double>& theta) {
  constexpr Index probes = 8;
  Philox random(1);
  const auto signs = random_signs<double>(random, streamed.parameters(), probes);
  double sum = 0;
  streamed.for_each_projection(
      theta, signs, [&](Index, const DynamicMatrix<double>& part) { sum += part.squaredNorm(); });
  return std::sqrt(sum / static_cast<double>(probes * streamed.samples()));
}

}  // namespace detail

/// Finds a minimum of 𝓛 of any number of parameters downhill from `start`: Newton steps, each of
/// them by conjugate gradients on Hessian products, cut off at the edge of a region where the
/// quadratic form is trusted, and along directions of negative curvature at its edge (T. Steihaug,
/// SIAM J. Numer. Anal. 20, 626 (1983), doi:10.1137/0720042); solved the better the nearer the
/// minimum is (S. Eisenstat and H. Walker, SIAM J. Sci. Comput. 17, 16 (1996),
/// doi:10.1137/0917003). Where 𝓛 itself can no longer tell two points apart, a step is judged by
/// the gradient. At the end the lowest part of the spectrum is looked at, and a direction in which
/// 𝓛 falls is followed.
///
///   const ness::StreamedObjective streamed(objective);
///   const auto minimum = ness::minimize(streamed, start, {.progress = [](const auto& now) {…}});
///
/// The result is that of `minimize` of an objective, without `hessian`, and with
/// `hessian_eigenvalues` of the lowest curvature that was found alone, which is not below 0 at a
/// minimum but may be above the smallest eigenvalue. Cost: for each iteration a gradient, two
/// values and some Hessian products, of which a network takes hundreds to thousands in all; memory:
/// some thirty vectors of N. Throws `std::invalid_argument` for a start of another size
/// or not finite, derivatives that are not finite, or bad settings.
template <class M, class R>
Minimum<double> minimize(const StreamedObjective<M, R>& streamed,
                         const DynamicVector<double>& start,
                         const MatrixFreeSettings& settings = {}) {
  using Vector = DynamicVector<double>;
  detail::require_size(start, streamed.parameters(), 1, "minimize", "theta");
  detail::require_finite(start, "minimize", "theta");
  return detail::minimize<double>(
      {[&](const Vector& theta) { return streamed.value(theta); },
       [&](const Vector& theta) { return streamed.gradient(theta); },
       [&](const Vector& theta, const Vector& direction) -> Vector {
         return streamed.hessian_products(theta, direction).col(0);
       },
       [&](const Vector& theta) { return detail::gradient_scale(streamed, theta); },
       static_cast<double>(std::numeric_limits<scalar_t<M>>::epsilon())},
      start, settings);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <utility>

#include "ness/landscape/rounding.hpp"

namespace ness::detail {

/// Of gradients, where there is no matrix to measure them by.
template <class Scalar>
struct EuclideanNorm {
  double norm(const DynamicVector<Scalar>& gradient) const {
    return static_cast<double>(gradient.norm());
  }
};

/// The state of the search: the best point so far, and how far its quadratic form is trusted.
template <class Scalar>
class TruncatedNewton {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  TruncatedNewton(const MatrixFreeLandscape<Scalar>& landscape, const Vector& start,
                  const MatrixFreeSettings& settings)
      : landscape_(landscape), settings_(settings) {
    best_.theta = start;
    best_.value = landscape.value(start);
    if (!std::isfinite(best_.value))
      invalid("minimize", "the objective must be finite at the start, but is ", best_.value);
    gradient_ = landscape.gradient(start);
    require_finite(gradient_, "minimize", "the gradient at the start");
    scale_ = landscape.gradient_scale(start);
  }

  Minimum<Scalar> run() {
    while (!concluded_ && has_products()) {
      if (is_stationary() && !leave_saddle()) break;
      if (best_.iterations >= settings_.max_iterations) break;
      ++best_.iterations;
      iterate();
      report();
    }
    best_.gradient_norm = gradient_.norm();
    best_.gradient_rounding = std::max(landscape_.rounding * scale_, measured_rounding_);
    if (best_.status == MinimumStatus::converged) find_offset();
    return std::move(best_);
  }

 private:
  static constexpr Scalar epsilon = std::numeric_limits<Scalar>::epsilon();

  Scalar tolerance() const {
    return std::max(static_cast<Scalar>(settings_.relative_gradient), 16 * landscape_.rounding) *
           scale_;
  }

  bool has_products() const { return products_ < settings_.max_products; }

  bool is_stationary() {
    if (is_rounding_) return true;
    if (gradient_.norm() <= tolerance()) {
      scale_ = landscape_.gradient_scale(best_.theta);  // which the way has changed
      return gradient_.norm() <= tolerance();
    }
    return false;
  }

  Vector product(const Vector& direction) {
    ++products_;
    Vector result = landscape_.hessian_product(best_.theta, direction);
    require_finite(result, "minimize", "the product of the Hessian with a vector");
    return result;
  }

  struct Step {
    Vector move;
    Scalar promised;  // of what 𝓛 falls by
    bool at_edge;
  };

  // Minus the gradient's Newton step, as far as the quadratic form is trusted.
  Step truncated_step() {
    const Scalar slope = gradient_.norm();
    const Scalar enough = slope * std::min(Scalar(0.3), std::sqrt(slope / scale_));
    Vector step = Vector::Zero(gradient_.size()), left = gradient_, along = -gradient_;
    Scalar square = left.squaredNorm();
    Scalar promised(0);
    bool at_edge = false;
    // In exact arithmetic N products are enough.
    for (Eigen::Index k = 0; k < 2 * gradient_.size() && has_products(); ++k) {
      const Vector image = product(along);
      const Scalar curvature = along.dot(image);
      const Scalar length = square / curvature;
      at_edge = !(curvature > 0) || (step + length * along).norm() >= radius_;
      const Scalar moved = at_edge ? length_to_edge(step, along) : length;
      promised += moved * square - moved * moved * curvature / 2;
      step += moved * along;
      if (at_edge) break;
      left += length * image;
      const Scalar next = left.squaredNorm();
      if (std::sqrt(next) <= enough) break;
      along = (next / square) * along - left;
      square = next;
    }
    return {std::move(step), promised, at_edge};
  }

  // With |step + length · along| = radius.
  Scalar length_to_edge(const Vector& step, const Vector& along) const {
    const Scalar a = along.squaredNorm(), b = step.dot(along);
    const Scalar c = step.squaredNorm() - radius_ * radius_;
    const Scalar root = std::sqrt(std::max(Scalar(0), b * b - a * c));
    return b > 0 ? -c / (b + root) : (root - b) / a;
  }

  void iterate() {
    if (!(radius_ > 0)) radius_ = first_radius();
    const Step step = truncated_step();
    const Scalar length = step.move.norm();
    if (!has_products() && !(length > 0)) return;
    if (pays(step)) {
      if (step.at_edge && gain_ > Scalar(0.75)) radius_ = std::max(radius_, 2 * length);
      if (gain_ < Scalar(0.25)) radius_ = length / 4;
      if (++steps_ % 8 == 0 && falls_for_ever(step.move))
        conclude(MinimumStatus::no_minimum, step.move);
      return;
    }
    radius_ = std::min(radius_, length) / 4;
    if (radius_ > landscape_.rounding * best_.theta.norm() / 16 || radius_ > shortest()) return;
    is_rounding_ = is_rounding(step.move);
    if (!is_rounding_) conclude(MinimumStatus::inconsistent, step.move);
  }

  // Of an exact fit, and of samples that are alike, the scale vanishes with the gradient: then it
  // is at its end where it cannot be told from how gradients beside θ scatter.
  bool is_rounding(const Vector& step) {
    const auto found =
        gradient_rounding(landscape_.gradient, best_.theta, step, EuclideanNorm<Scalar>());
    measured_rounding_ = std::max(static_cast<Scalar>(found.absolute), rounding_of_theta());
    return gradient_.norm() <= 16 * measured_rounding_;
  }

  // What a last place of each of its elements, up or down, makes of the gradient.
  Scalar rounding_of_theta() {
    Philox random(1);
    const Vector signs = random_signs<Scalar>(random, best_.theta.size(), 1);
    return landscape_.rounding * product(best_.theta.cwiseProduct(signs)).norm();
  }

  // Where steps of Newton along the gradient lead, or something to begin with.
  Scalar first_radius() {
    const Scalar slope = gradient_.norm();
    if (!(slope > 0)) return best_.theta.norm() > 0 ? best_.theta.norm() / 10 : Scalar(1);
    const Scalar curvature = std::abs(gradient_.dot(product(gradient_))) / (slope * slope);
    const Scalar newton = curvature > 0 ? slope / curvature : Scalar(0);
    first_ = newton > 0 ? newton : std::max(Scalar(1), best_.theta.norm());
    return first_;
  }
  Scalar shortest() const { return epsilon * epsilon * first_; }

  // What of 𝓛 cannot be told from rounding.
  Scalar resolution() const { return 64 * landscape_.rounding * std::abs(best_.value); }

  // Goes where the step leads, if 𝓛 falls, or, where it cannot tell, the gradient shrinks.
  bool pays(const Step& step) {
    const Vector trial = best_.theta + step.move;
    if (!trial.allFinite() || trial == best_.theta) return false;
    const Scalar value = landscape_.value(trial);
    if (!std::isfinite(value)) return false;
    const Scalar fall = best_.value - value;
    const bool negligible = step.promised <= resolution();
    if (!negligible && !(fall >= step.promised / 1000)) return false;
    Vector gradient = landscape_.gradient(trial);
    if (!gradient.allFinite()) return false;
    if (negligible && !(gradient.norm() < gradient_.norm())) return false;
    gain_ = negligible ? Scalar(1) : fall / step.promised;
    best_.theta = trial;
    best_.value = value;
    gradient_ = std::move(gradient);
    is_rounding_ = false;
    return true;
  }

  void conclude(MinimumStatus status, const Vector& direction) {
    best_.status = status;
    best_.direction = direction.normalized();
    concluded_ = true;
  }

  // A million million times the step ahead 𝓛 still falls.
  bool falls_for_ever(const Vector& step) {
    Scalar before = best_.value, length(1);
    for (int doubling = 0; doubling <= 40; ++doubling, length *= 2) {
      const Vector ahead = best_.theta + length * step;
      if (!ahead.allFinite()) return false;
      const Scalar value = landscape_.value(ahead);
      if (!(value <= before)) return false;
      before = value;
    }
    return before < best_.value;
  }

  // False where there is none. The lowest eigenvector of H is the leading one of −H; uᵀHu < 0 needs
  // no eigenvector to be a way down.
  bool leave_saddle() {
    Scalar largest(0);  // |Hu|
    const auto left = settings_.max_products - products_;
    const auto lowest = leading_eigenpairs<Scalar>(
        [&](const Matrix& directions) -> Matrix {
          Matrix images(directions.rows(), directions.cols());
          for (Eigen::Index k = 0; k < directions.cols(); ++k) {
            images.col(k) = -product(directions.col(k));
            largest = std::max(largest, images.col(k).norm() / directions.col(k).norm());
          }
          return images;
        },
        gradient_.size(),
        {.count = 1,
         .tolerance = 0.05,
         .block = 2,
         .max_products = std::min<Eigen::Index>(60, left)});
    const Scalar curvature = -lowest.values[0], noise = 8 * landscape_.rounding * largest;
    const Vector direction = lowest.vectors.col(0);
    best_.hessian_eigenvalues = Vector::Constant(1, curvature);
    if (curvature < -noise && follow(direction, curvature)) return true;
    if (curvature > noise) {
      best_.status = MinimumStatus::converged;
      concluded_ = true;
    } else {
      conclude(curvature < -noise ? MinimumStatus::saddle : MinimumStatus::flat, direction);
    }
    return false;
  }

  // To either side, from far to near.
  bool follow(const Vector& direction, Scalar curvature) {
    Scalar length = std::max({radius_, best_.theta.norm(), Scalar(1)});
    for (int halving = 0; halving < 60; ++halving, length /= 2)
      for (const Scalar sign : {Scalar(1), Scalar(-1)}) {
        const Scalar promised = -curvature * length * length / 2;
        const Step step{sign * length * direction, promised, true};
        if (promised > resolution() && pays(step)) {
          radius_ = length;
          return true;
        }
      }
    return false;
  }

  // H⁻¹∇𝓛, to a few per cent: how far the minimum may be off.
  void find_offset() {
    radius_ = std::numeric_limits<Scalar>::max();
    const Scalar slope = gradient_.norm();
    if (!(slope > 0)) {
      best_.offset = Vector::Zero(gradient_.size());
      return;
    }
    const Step step = truncated_step();
    if (!step.at_edge && has_products()) best_.offset = -step.move;
  }

  void report() {
    if (settings_.progress)
      settings_.progress({best_.iterations, products_, static_cast<double>(best_.value),
                          static_cast<double>(gradient_.norm() / scale_), best_.theta});
  }

  const MatrixFreeLandscape<Scalar>& landscape_;
  const MatrixFreeSettings& settings_;
  Minimum<Scalar> best_;
  Vector gradient_;
  Scalar scale_{}, radius_{}, first_{}, gain_{}, measured_rounding_{};
  Eigen::Index products_ = 0;
  int steps_ = 0;
  bool is_rounding_ = false;  // the gradient, as was measured
  bool concluded_ = false;
};

template <class Scalar>
Minimum<Scalar> minimize(const MatrixFreeLandscape<Scalar>& landscape,
                         const DynamicVector<Scalar>& start, const MatrixFreeSettings& settings) {
  settings.check("minimize");
  return TruncatedNewton<Scalar>(landscape, start, settings).run();
}

}  // namespace ness::detail
#endif
