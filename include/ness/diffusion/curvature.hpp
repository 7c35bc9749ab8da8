// How the noise changes with the position (App. D).
#pragma once

#include <cmath>
#include <type_traits>

#include "ness/detail/symmetric_eigen.hpp"
#include "ness/diffusion/langevin.hpp"
#include "ness/diffusion/sample_curvature.hpp"

namespace ness {

/// Π(S) = ½𝓗_DS = ½ Σ_μγ ∂_μ∂_γD(θ) S_μγ (D3): by how much the mean of D over points with second
/// moment S about θ exceeds D(θ), N × N, per Markov step. Linear in S, symmetric N × N of any sign.
///
/// With replacement, for a model with `HasKroneckerCurvature`, it is in closed form:
///   Π(S) = η²(n−1)/(2M(M−1)) Σ_i (∂∂ℓ_i − H_L) S (∂∂ℓ_i − H_L).
/// Otherwise by differences of D one standard deviation of `reference` to either side, which are
/// exact up to rounding for losses quadratic in θ, where D is quadratic too. `reference` is a
/// positive definite covariance about the size of that of the state.
///
/// Cost of a call: a pass over the samples and their pairs of features, or 2N times D, and one
/// eigendecomposition. The objective is referred to, so keep it.
template <class M, class R, class T>
class DiffusionCurvature {
 public:
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  using Minibatch = decltype(T::minibatch);

  /// Throws `std::invalid_argument` for settings that do not fit.
  DiffusionCurvature(const Objective<M, R>& objective, const Vector& theta, const T& training,
                     const Matrix& reference)
      : objective_(&objective), theta_(theta), sampling_(without_noise(training)) {
    training.check(objective.samples(), "DiffusionCurvature");
    objective.check(theta, "DiffusionCurvature");
    detail::require_size(reference, theta.size(), theta.size(), "DiffusionCurvature", "reference");
    if constexpr (in_closed_form) {
      Derivatives<M>(objective.model()).hessian(theta, mean_hessian_);
    } else if constexpr (!std::is_same_v<Minibatch, FullBatch>) {
      const detail::SymmetricEigen<Matrix> spread(reference);
      detail::require(spread.values[0] > 0, "DiffusionCurvature",
                      "the eigenvalues of reference must be positive", spread.values[0]);
      root_ = spread.vectors * spread.values.cwiseSqrt().asDiagonal();
      inverse_ = spread.values.cwiseSqrt().cwiseInverse().asDiagonal() * spread.vectors.transpose();
      centre_ = diffusion(objective, theta, sampling_);
    }
  }
  DiffusionCurvature(Objective<M, R>&&, const Vector&, const T&, const Matrix&) = delete;

  Matrix operator()(const Matrix& spread) const {
    if constexpr (std::is_same_v<Minibatch, FullBatch>)
      return Matrix::Zero(theta_.size(), theta_.size());
    else if constexpr (in_closed_form)
      return closed_form(spread);
    else
      return differences(spread);
  }

 private:
  static constexpr bool in_closed_form =
      HasKroneckerCurvature<M> && std::is_same_v<Minibatch, WithReplacement>;

  Matrix closed_form(const Matrix& spread) const {
    const auto samples = static_cast<Scalar>(objective_->samples());
    const auto batch = static_cast<Scalar>(sampling_.minibatch.batch_size);
    const auto eta = static_cast<Scalar>(sampling_.learning_rate);
    if (samples == batch) return Matrix::Zero(theta_.size(), theta_.size());
    Derivatives<M> derivatives(objective_->model());
    detail::KroneckerCurvature<M> curvature(objective_->model());
    detail::for_each_range(objective_->samples(), curvature.block_size(),
                           [&](Index first, Index count) {
                             curvature.load(derivatives, theta_, first, count);
                             curvature.add_sandwich(spread);
                           });
    return eta * eta * (samples / batch - 1) / (2 * (samples - 1)) *
           (curvature.f() / samples - mean_hessian_ * spread * mean_hessian_);
  }

  // ½ Σ_k λ_k [D(θ + s_k) + D(θ − s_k) − 2D(θ)] along the axes of S, each a standard deviation of
  // the reference long.
  Matrix differences(const Matrix& spread) const {
    const detail::SymmetricEigen<Matrix> axes(Matrix(inverse_ * spread * inverse_.transpose()));
    Matrix sum = Matrix::Zero(theta_.size(), theta_.size());
    const Scalar least = axes.values.cwiseAbs().maxCoeff() * std::numeric_limits<Scalar>::epsilon();
    for (Index k = 0; k < theta_.size(); ++k) {
      if (std::abs(axes.values[k]) <= least) continue;
      const Vector step = root_ * axes.vectors.col(k);
      sum += axes.values[k] / 2 *
             ((diffusion(*objective_, Vector(theta_ + step), sampling_) - centre_) +
              (diffusion(*objective_, Vector(theta_ - step), sampling_) - centre_));
    }
    return sum;
  }

  const Objective<M, R>* objective_;
  Vector theta_;
  Sgd<Minibatch> sampling_;
  Matrix mean_hessian_, root_, inverse_, centre_;
};

}  // namespace ness
