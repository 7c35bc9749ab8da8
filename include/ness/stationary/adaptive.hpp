// The stationary state of updates that scale each parameter's gradient by its size: Adam, AdamW,
// RMSProp (not in the paper).
#pragma once

#include <functional>
#include <utility>

#include "ness/stationary/linear_chain.hpp"
#include "ness/stationary/momentum.hpp"
#include "ness/update/adaptive.hpp"

namespace ness {

/// By how much Σ of an adaptive update without decay deviates from its limit β₂ → 1, relative, to
/// first order in u = 1 − β₂. Of one direction that relaxes by `rate` = x ≪ 1 − β₁ in an update,
/// and gradients with the excess kurtosis κ, 0 of normal ones, 1/m of that of a sample for m of
/// them:
///
///   Σ/Σ₀ − 1 = −u[⅜ + (11/16)κ − ¾κx/(2x + u)].
///
/// v holds the gradient that it divides, so that steps s = g/√v have less noise, ⟨s²⟩ = 1 − u(1 +
/// κ/2), and less drift, √v⟨∂s/∂g⟩ = 1 − u, and v fluctuates, which adds ⅜Var v/v² = ⅜u(1 + κ/2) to
/// it; that v is large where θ is far matters for κ ≠ 0 only, the more the longer v remembers than
/// θ. In several directions that mix, and for x near 1 − β₁, the deviation is of this order, of
/// either sign. A third moment of the gradients moves the mean by ½u²/(x + u) H⁻¹⟨ξ³⟩/v.
constexpr double adaptive_deviation(const Adaptive& update, double rate = 0, double excess = 0) {
  const double u = 1 - update.square_memory;
  return -u * (0.375 + 0.6875 * excess - 0.75 * excess * rate / (2 * rate + u));
}
/// The deviation of normal gradients beyond which an adaptive update is refused.
inline constexpr double most_adaptive_deviation = 0.05;

namespace detail {

/// Where a chain settles, and what it finds there.
template <class Scalar>
struct AdaptivePlace {
  DynamicVector<Scalar> mean;       ///< ⟨θ⟩, N
  DynamicVector<Scalar> gradient;   ///< ∇𝓛(⟨θ⟩), N: 0 without decay
  DynamicMatrix<Scalar> hessian;    ///< H = ∂∂𝓛(⟨θ⟩), N × N
  DynamicMatrix<Scalar> diffusion;  ///< D of a plain update there, N × N
};

/// The place of given denominators √v + ε, in which λ diag(√v + ε)θ + ∇𝓛(θ) = 0.
template <class Scalar>
using AdaptivePlaces = std::function<AdaptivePlace<Scalar>(const DynamicVector<Scalar>&)>;

/// From `start`, the place without decay.
template <class Scalar>
LinearChain<Scalar> adaptive_chain(AdaptivePlace<Scalar> start,
                                   const AdaptivePlaces<Scalar>& place_of, double learning_rate,
                                   const Adaptive& update);

/// The places in a quadratic landscape with constant noise.
template <class Scalar>
LinearChain<Scalar> adaptive_chain(AdaptivePlace<Scalar> minimum, double learning_rate,
                                   const Adaptive& update);

/// `covariance_of_chain_with_memory` in units of √μ_ii of a diagonal μ, in which μ⁻¹K symmetric
/// makes K symmetric. Errors and cost are those of it.
template <class Scalar>
ChainCovariance<Scalar> covariance_of_scaled_chain(const LinearChain<Scalar>& chain);

}  // namespace detail

/// The linear chain of `update` near a minimum at `mean`, in a quadratic landscape with constant
/// noise: H is symmetric N × N, D = ½η² times the covariance of a batch gradient, that of a plain
/// update with η, N × N.
///
/// As β₂ → 1, v is the mean square of the gradients g, and P = diag(1/(√v + ε)) does not move:
///   v_i = 2D_ii/η² + (HΣH)_ii + ⟨g_i⟩²,
/// with the Σ of θ_{k+1} = (1−ηλ)θ_k − ηPm, which is that of the heavy ball of momentum β₁(1 − ηλ)
/// and dampening by 1 − β₁ that has K = η(PH + λ), noise PDP and mobility ηP: symmetric in φ =
/// P^{−½}θ, with the Hessian P^½HP^½ + λ. The mean is where decay and gradient balance, λ⟨θ⟩ =
/// −P∇𝓛, so that |⟨θ_i⟩| < 1/λ. Correction of the bias is of no consequence. What β₂ < 1 does is in
/// `adaptive_deviation`; where
/// decay holds a gradient, a v that remembers for less than θ, u > x, follows D(θ) and with it the
/// pull of decay λ(√v + ε)⟨θ⟩: in Σ of a direction that relaxes by x that is of the order of
/// ηλ⟨θ_i⟩∂_j log v_i/(2x).
///
/// v follows by iteration, to rounding. Where a plain update is unstable v grows until this one is
/// not: ηh/(√v + ε) stays below 2(1 + β₁)/(1 − β₁), the edge of stability. Cost: an
/// eigendecomposition and three products for each of three to ten iterations, of hundreds near the
/// edge. Throws `std::invalid_argument` for sizes that disagree, numbers that are not finite, an H
/// that is not symmetric and positive definite, settings out of bounds, ηλ ≥ 1, an
/// `adaptive_deviation` beyond `most_adaptive_deviation`, and where v does not settle: many
/// parameters on the edge, or batches that say nothing of one.
template <class Mean, class Hessian, class Diffusion>
LinearChain<typename Hessian::Scalar> adaptive_chain(const Eigen::MatrixBase<Mean>& mean,
                                                     const Eigen::MatrixBase<Hessian>& hessian,
                                                     const Eigen::MatrixBase<Diffusion>& diffusion,
                                                     double learning_rate, const Adaptive& update) {
  return detail::adaptive_chain<typename Hessian::Scalar>({mean, {}, hessian, diffusion},
                                                          learning_rate, update);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ness/detail/symmetric_matrices.hpp"

namespace ness::detail {

/// a_ij s_i s_j
template <class Scalar>
DynamicMatrix<Scalar> scaled(DynamicMatrix<Scalar> a, const DynamicVector<Scalar>& s) {
  for (Eigen::Index j = 0; j < a.cols(); ++j)
    for (Eigen::Index i = 0; i < a.rows(); ++i) a(i, j) *= s[i] * s[j];
  return a;
}

template <class Scalar>
ChainCovariance<Scalar> covariance_of_scaled_chain(const LinearChain<Scalar>& chain) {
  DynamicVector<Scalar> units = chain.mean;
  for (Eigen::Index k = 0; k < units.size(); ++k) units[k] = std::sqrt(chain.mobility(k, k));
  LinearChain<Scalar> round = chain;
  for (Eigen::Index j = 0; j < units.size(); ++j)
    for (Eigen::Index i = 0; i < units.size(); ++i) round.relaxation(i, j) *= units[j] / units[i];
  round.diffusion = in_units(chain.diffusion, units);
  ChainCovariance<Scalar> result = covariance_of_chain_with_memory(round);
  result.covariance = scaled(std::move(result.covariance), units);
  result.drift = scaled(std::move(result.drift), units);
  result.flow = scaled(std::move(result.flow), units);
  return result;
}

/// What is left of an adaptive update once v stands still. With the momentum of its gradients apart
/// from decay, θ_{k+1} − (a + β₁)θ_k + β₁aθ_{k−1} = −η(1 − β₁)Pg, a = 1 − ηλ.
constexpr LinearUpdate with_fixed_scale(const Adaptive& update, double learning_rate) {
  return {.momentum = update.momentum * (1 - learning_rate * update.decay),
          .gain = 1 - update.momentum,
          .direct = 0,
          .buffered = 1};
}

/// The iteration for the denominators √v + ε.
template <class Scalar>
class AdaptiveScale {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  AdaptiveScale(double learning_rate, const Adaptive& update)
      : update_(update),
        linear_(with_fixed_scale(update, learning_rate)),
        eta_(static_cast<Scalar>(learning_rate)),
        floor_(static_cast<Scalar>(update.floor)) {}

  /// Of gradients with no other spread than the noise.
  Vector first(const AdaptivePlace<Scalar>& at) const {
    Vector result(at.mean.size());
    for (Eigen::Index k = 0; k < result.size(); ++k)
      result[k] = std::sqrt(noise_of(at, k)) + floor_;
    return result;
  }

  /// By how much the logarithms of denominators should change for those of the gradients that they
  /// make, as far as is prudent; `change` is the largest change that was due. Empty where steps are
  /// beyond stability.
  Vector due(const AdaptivePlace<Scalar>& at, const Vector& denominators, Scalar& change) const {
    const Vector half = denominators.cwiseInverse().cwiseSqrt();  // P^½
    const SymmetricEigen<Scalar> eigen(scaled(at.hessian, half));
    Vector rates = eigen.values;
    for (Scalar& rate : rates) rate = eta_ * (rate + static_cast<Scalar>(update_.decay));
    const auto limit = static_cast<Scalar>(largest_stable_rate(linear_));
    if (!(rates[rates.size() - 1] < limit)) return {};
    require_stable_memory(linear_, rates);
    Vector stiffness = (limit - rates.array()).inverse() * limit;
    const Vector forces = squared_forces(eigen, rates, scaled(at.diffusion, half), stiffness);
    change = 0;
    Vector result(denominators.size());
    for (Eigen::Index k = 0; k < denominators.size(); ++k) {
      const Scalar square = noise_of(at, k) + forces[k] * denominators[k];
      const Scalar root = std::sqrt(square);
      const Scalar whole = std::log((root + floor_) / denominators[k]);
      change = std::max(change, std::abs(whole));
      // Newton's step of one direction: larger denominators make for smaller forces.
      const Scalar slope =
          square > 0 ? stiffness[k] * denominators[k] / (2 * root * (root + floor_)) : Scalar(0);
      result[k] = whole / (1 + slope);
    }
    return result;
  }

  LinearChain<Scalar> chain(AdaptivePlace<Scalar> at, const Vector& denominators) const {
    const Vector p = denominators.cwiseInverse();
    LinearChain<Scalar> chain;
    chain.relaxation = std::move(at.hessian);
    chain.mobility.setZero(p.size(), p.size());
    for (Eigen::Index k = 0; k < p.size(); ++k) {
      chain.mobility(k, k) = eta_ * p[k];
      for (Eigen::Index i = 0; i < p.size(); ++i) chain.relaxation(i, k) *= eta_ * p[i];
      chain.relaxation(k, k) += eta_ * static_cast<Scalar>(update_.decay);
    }
    chain.mean = std::move(at.mean);
    chain.diffusion = scaled(std::move(at.diffusion), p);
    remember(linear_, chain);
    chain.solve = &covariance_of_scaled_chain<Scalar>;
    return chain;
  }

 private:
  /// ⟨g²⟩ of a parameter at the mean.
  Scalar noise_of(const AdaptivePlace<Scalar>& at, Eigen::Index k) const {
    const Scalar mean = at.gradient.size() > 0 ? at.gradient[k] : Scalar(0);
    return 2 * at.diffusion(k, k) / (eta_ * eta_) + mean * mean;
  }

  /// The diagonal of AΣA, A = P^½HP^½ and Σ of φ, in the eigenvectors of A, which lose nothing
  /// where curvatures are decades apart. `stiffness` holds 1/(1 − x/x_max) of each eigenvector, by
  /// which its forces fall with a larger denominator, and that of the diagonal afterwards.
  Vector squared_forces(const SymmetricEigen<Scalar>& eigen, const Vector& rates,
                        const Matrix& noise, Vector& stiffness) const {
    const auto modes = modes_of(linear_, rates);
    Matrix forces = symmetric_product(transposed(eigen.vectors), product(noise, eigen.vectors));
    for (Eigen::Index j = 0; j < forces.cols(); ++j)
      for (Eigen::Index i = 0; i < forces.rows(); ++i) {
        const MemoryPair<Scalar> pair(linear_, modes[static_cast<std::size_t>(i)],
                                      modes[static_cast<std::size_t>(j)]);
        forces(i, j) *= 2 * pair.covariance * eigen.values[i] * eigen.values[j];
      }
    const Matrix half = product(eigen.vectors, forces);
    Vector result = Vector::Zero(rates.size()), stiff = result;
    for (Eigen::Index j = 0; j < half.cols(); ++j)
      for (Eigen::Index i = 0; i < half.rows(); ++i) {
        const Scalar part = half(i, j) * eigen.vectors(i, j);
        result[i] += part;
        stiff[i] += part * stiffness[j];
      }
    stiffness = stiff;
    return result;
  }

  Adaptive update_;
  LinearUpdate linear_;
  Scalar eta_, floor_;
};

/// Steps of an iteration x' = x + f(x) that learn from those before: f is made as small as
/// differences of the last few can make it (D. G. Anderson, 1965, doi:10.1145/321296.321305).
template <class Scalar>
class Mixing {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  Vector step(const Vector& x, const Vector& f) {
    if (x_.size() > 0) {
      if (static_cast<Eigen::Index>(differences_.size()) == most)
        differences_.erase(differences_.begin());
      differences_.emplace_back(x - x_, f - f_);
    }
    x_ = x;
    f_ = f;
    const auto count = static_cast<Eigen::Index>(differences_.size());
    Matrix normal(count, count);
    Vector weights(count), result = f;
    for (Eigen::Index j = 0; j < count; ++j) {
      const Vector& column = differences_[static_cast<std::size_t>(j)].second;
      weights[j] = column.dot(f);
      for (Eigen::Index i = 0; i < count; ++i)
        normal(i, j) = column.dot(differences_[static_cast<std::size_t>(i)].second);
      normal(j, j) *= 1 + 100 * std::numeric_limits<Scalar>::epsilon();
    }
    if (count > 0 && solve_positive_definite(normal, weights))
      for (Eigen::Index j = 0; j < count; ++j) {
        const auto& [of_x, of_f] = differences_[static_cast<std::size_t>(j)];
        result -= weights[j] * (of_x + of_f);
      }
    const Scalar largest = result.cwiseAbs().maxCoeff();
    if (largest > 1) result /= largest;
    return result;
  }

 private:
  static constexpr Eigen::Index most = 6;
  Vector x_, f_;
  std::vector<std::pair<Vector, Vector>> differences_;
};

template <class Scalar>
void check_adaptive(const AdaptivePlace<Scalar>& at, double learning_rate, const Adaptive& update) {
  constexpr std::string_view name = "adaptive_chain";
  require_positive(learning_rate, name, "learning_rate");
  update.check(name);
  require(learning_rate * update.decay < 1, name, "learning_rate * update.decay must be below 1",
          learning_rate * update.decay);
  if (const double deviation = adaptive_deviation(update); !(-deviation <= most_adaptive_deviation))
    invalid(name, "update.square_memory must be near 1 for this theory, at least ",
            1 - most_adaptive_deviation / 0.375, ", but is ", update.square_memory,
            ", with which the covariance is off by a relative ", deviation, " or so");
  const Eigen::Index n = at.mean.size();
  require_not_empty(at.mean, name, "mean");
  require_finite(at.mean, name, "mean");
  require_size(at.hessian, n, n, name, "hessian");
  require_finite(at.hessian, name, "hessian");
  require_symmetric(at.hessian, name, "hessian");
  require_size(at.diffusion, n, n, name, "diffusion");
  require_finite(at.diffusion, name, "diffusion");
  require_semidefinite(at.diffusion, name, "diffusion");
}

template <class Scalar>
LinearChain<Scalar> adaptive_chain(AdaptivePlace<Scalar> start,
                                   const AdaptivePlaces<Scalar>& place_of, double learning_rate,
                                   const Adaptive& update) {
  constexpr int most_rounds = 300;
  constexpr Scalar epsilon = std::numeric_limits<Scalar>::epsilon();
  check_adaptive(start, learning_rate, update);
  const AdaptiveScale<Scalar> scale(learning_rate, update);
  const Scalar rounding = 16 * static_cast<Scalar>(start.mean.size()) * epsilon;
  DynamicVector<Scalar> denominators = scale.first(start), stable;
  AdaptivePlace<Scalar> place = std::move(start);
  Mixing<Scalar> mixing;
  Scalar change = std::numeric_limits<Scalar>::infinity();
  for (int round = 0; round < most_rounds; ++round) {
    if (update.decay > 0) place = place_of(denominators);
    const Scalar before = change;
    const DynamicVector<Scalar> due = scale.due(place, denominators, change);
    if (due.size() == 0) {  // halfway back, where there is a way back
      denominators *= Scalar(2);
      if (stable.size() > 0) denominators = (denominators.array() / 2 * stable.array()).sqrt();
      mixing = {};
      continue;
    }
    // What a model's own rounding leaves of the place does not shrink any more.
    const bool stands = change >= before && change <= std::sqrt(epsilon);
    if (change <= rounding || stands) return scale.chain(std::move(place), denominators);
    if (change >= before) mixing = {};  // too far for what is learnt
    stable = denominators;
    denominators.array() *= mixing.step(denominators.array().log(), due).array().exp();
  }
  invalid("adaptive_chain", "the mean squares of the gradients must settle, but after ",
          most_rounds, " iterations their roots still change by a relative ", change,
          ": steps are at the edge of stability, where many parameters move as one or batches say "
          "nothing of one: lower learning_rate, or raise update.floor");
}

/// (H + λR)(θ − θ₀) = −λRθ₀, R = diag(√v + ε).
template <class Scalar>
LinearChain<Scalar> adaptive_chain(AdaptivePlace<Scalar> minimum, double learning_rate,
                                   const Adaptive& update) {
  const auto decay = static_cast<Scalar>(update.decay);
  const AdaptivePlaces<Scalar> place_of = [minimum, decay](const auto& denominators) {
    AdaptivePlace<Scalar> place = minimum;
    DynamicMatrix<Scalar> held = minimum.hessian;
    DynamicVector<Scalar> shift = minimum.mean;
    for (Eigen::Index k = 0; k < shift.size(); ++k) {
      held(k, k) += decay * denominators[k];
      shift[k] *= -decay * denominators[k];
    }
    if (!solve_positive_definite(held, shift))
      invalid("adaptive_chain", "the Hessian must be positive definite with its decay, but is not");
    place.mean += shift;
    place.gradient = minimum.hessian * shift;
    return place;
  };
  return adaptive_chain(std::move(minimum), place_of, learning_rate, update);
}

}  // namespace ness::detail
#endif
