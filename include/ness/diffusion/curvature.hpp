// How the noise changes with the position (App. D).
#pragma once

#include <cmath>
#include <limits>

#include "ness/detail/symmetric_matrices.hpp"
#include "ness/diffusion/epochs.hpp"
#include "ness/diffusion/independent_batches.hpp"

namespace ness {

/// Π(S) = ½𝓗_DS = ½ Σ_μγ ∂_μ∂_γD(θ) S_μγ (D3): by how much the mean of D over points with second
/// moment S about θ exceeds D(θ), N × N, per Markov step. Linear in S, symmetric N × N of any sign.
///
/// For independent batches and a model with `HasKroneckerCurvature` it is in closed form,
///   Π(S) = η²(n−1)/(2M(M−1)) Σ_i (∂∂ℓ_i − H_L) S (∂∂ℓ_i − H_L) with replacement.
/// Otherwise by differences of D one standard deviation of `reference` to either side, which are
/// exact up to rounding for losses quadratic in θ, where D is quadratic too. `reference` is a
/// positive definite covariance about the size of that of the state.
///
/// Cost of a call: a pass over the samples and their pairs of features, or 2N times D, and one
/// eigendecomposition. The objective is referred to, so keep it.
template <class M, class R, IsTraining T>
class DiffusionCurvature {
 public:
  using Scalar = scalar_t<M>;
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// Throws `std::invalid_argument` for settings that do not fit.
  template <class Theta>
  DiffusionCurvature(const Objective<M, R>& objective, const Eigen::MatrixBase<Theta>& theta,
                     const T& training, const Matrix& reference)
      : objective_(&objective),
        theta_(objective.point(theta, "DiffusionCurvature")),
        sampling_(without_noise(training)),
        weights_(weights_of(training, objective.samples())) {
    training.check(objective.samples(), "DiffusionCurvature");
    detail::require_size(reference, theta.size(), theta.size(), "DiffusionCurvature", "reference");
    if (weights_.vanish()) return;
    if constexpr (in_closed_form)
      Derivatives<M>(objective.model()).hessian(theta_, mean_hessian_);
    else
      prepare_differences(reference);
  }
  template <class Theta>
  DiffusionCurvature(Objective<M, R>&&, const Eigen::MatrixBase<Theta>&, const T&,
                     const Matrix&) = delete;  // it would dangle

  /// What `spread` = ⟨δθδθᵀ⟩ adds to the mean of D, N × N.
  Matrix operator()(const Matrix& spread) const {
    if (weights_.vanish()) return Matrix::Zero(theta_.size(), theta_.size());
    if constexpr (in_closed_form)
      return closed_form(spread);
    else
      return differences(spread);
  }

 private:
  static constexpr bool in_closed_form = HasKroneckerCurvature<M> && DrawsIndependently<T> &&
                                         StatesWeightMoments<typename T::Minibatch>;

  /// Where samples are preferred, no more than that there is noise.
  static WeightMoments weights_of(const T& training, Index samples) {
    if constexpr (StatesWeightMoments<typename T::Minibatch>)
      return training.minibatch.weight_moments(samples);
    else
      return {.scatter = 1};
  }

  Matrix closed_form(const Matrix& spread) const {
    const auto samples = static_cast<double>(objective_->samples());
    const double half = sampling_.learning_rate * sampling_.learning_rate / 2;
    Derivatives<M> derivatives(objective_->model());
    detail::KroneckerCurvature<M> curvature(objective_->model());
    detail::for_each_range(objective_->samples(), curvature.block_size(),
                           [&](Index first, Index count) {
                             curvature.load(derivatives, theta_, first, count);
                             curvature.add_sandwich(spread);
                           });
    const Matrix of_mean = mean_hessian_ * spread * mean_hessian_;
    return static_cast<Scalar>(half * weights_.scatter) * curvature.f() +
           static_cast<Scalar>(half * samples * (samples * weights_.total - weights_.scatter)) *
               of_mean;
  }

  void prepare_differences(const Matrix& reference) {
    const detail::SymmetricEigen<Scalar> spread(reference);
    detail::require(spread.values[0] > 0, "DiffusionCurvature",
                    "the eigenvalues of reference must be positive", spread.values[0]);
    root_ = spread.root();
    inverse_ = spread.values.cwiseSqrt().cwiseInverse().asDiagonal() * spread.vectors.transpose();
    centre_ = diffusion(*objective_, theta_, sampling_);
  }

  // ½ Σ_k λ_k [D(θ + s_k) + D(θ − s_k) − 2D(θ)] along the axes of S, each a standard deviation of
  // the reference long.
  Matrix differences(const Matrix& spread) const {
    const Matrix transposed = inverse_.transpose();
    const Matrix scaled = inverse_ * spread;
    const detail::SymmetricEigen<Scalar> axes(Matrix(scaled * transposed));
    Matrix sum = Matrix::Zero(theta_.size(), theta_.size());
    const Scalar least = axes.values.cwiseAbs().maxCoeff() * std::numeric_limits<Scalar>::epsilon();
    for (Index k = 0; k < theta_.size(); ++k) {
      if (std::abs(axes.values[k]) <= least) continue;
      const Vector step = root_ * axes.vectors.col(k);
      for (const Scalar sign : {Scalar(1), Scalar(-1)})
        sum += axes.values[k] / 2 *
               (diffusion(*objective_, theta_ + sign * step, sampling_) - centre_);
    }
    return sum;
  }

  const Objective<M, R>* objective_;
  vector_t<M> theta_;
  Sgd<typename T::Minibatch, typename T::Update> sampling_;
  WeightMoments weights_;
  matrix_t<M> mean_hessian_;
  Matrix root_, inverse_, centre_;
};
template <class M, class R, class Theta, IsTraining T, class Matrix>
DiffusionCurvature(const Objective<M, R>&, const Theta&, const T&, const Matrix&)
    -> DiffusionCurvature<M, R, T>;

}  // namespace ness
