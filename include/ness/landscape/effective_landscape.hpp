// The landscape that training without replacement sees (Sec. 3.2, Eqs. 16, B10).
#pragma once

#include "ness/detail/matrices.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/landscape/pair_force.hpp"
#include "ness/model/differences.hpp"
#include "ness/training/training.hpp"

namespace ness {

namespace detail {

/// What epochs see of δ𝓛: where noise is injected after each update an epoch is no long step of its
/// own, and what is corrected is gone.
template <DrawsOrders T>
constexpr LandscapeParts landscape_parts() {
  LandscapeParts parts;
  if constexpr (IsSampler<T>)
    if (!T::Noise::injection.once_a_markov_step) parts.discretization = 0;
  if constexpr (CancelsLandscape<typename T::Correction>) {
    parts.discretization -= T::Correction::parts.discretization;
    parts.sampling -= T::Correction::parts.sampling;
  }
  return parts;
}

}  // namespace detail

/// 𝓛̂ = n𝓛 + δ𝓛, the landscape whose gradient is the mean displacement of one epoch over −η, to
/// first order in η:
///   δ𝓛 = −(ηn(n−1)/4) [ |∇𝓛|² + |∇L|²/(M−1) − (M/(M−1)) tr(VVᵀ) ]   (Eqs. 16, B10).
///
/// Of a sampler (Sec. 4.6) it is what is left of δ𝓛: without |∇𝓛|² where noise is injected after
/// each update, and without what the correction cancels.
///
/// What is left out is of relative order (ηn‖H‖)² in ∇𝓛̂: an epoch is taken for short beside the
/// relaxation. At θ̂₀ that is a second-order term of the epoch map (`sample_epoch_map`), and where 𝓛
/// has a third derivative the wandering within an epoch (`mean_shift`). The objective is referred
/// to, so keep it. With one batch, n = 1, δ𝓛 = 0.
template <class M, class R>
class EffectiveLandscape {
 public:
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  static_assert(TwiceDifferentiable<M>,
                "ness: the effective landscape needs second derivatives of single samples: make "
                "sample_loss generic, or give your Model `sample_hessian_products`");

  /// Throws `std::invalid_argument` for a bad η, or an m that does not divide M.
  template <DrawsOrders T>
  EffectiveLandscape(const Objective<M, R>& objective, const T& training)
      : EffectiveLandscape(objective, training, detail::landscape_parts<T>()) {}
  template <DrawsOrders T>
  EffectiveLandscape(Objective<M, R>&&, const T&) = delete;  // it would dangle

  /// With the given parts of δ𝓛.
  template <DrawsOrders T>
  EffectiveLandscape(const Objective<M, R>& objective, const T& training, LandscapeParts parts)
      : objective_(&objective), samples_(static_cast<Scalar>(objective.samples())), parts_(parts) {
    training.check(objective.samples(), "EffectiveLandscape");
    n_ = static_cast<Scalar>(training.updates_per_markov_step(objective.samples()));
    factor_ = static_cast<Scalar>(training.learning_rate) * n_ * (n_ - 1) / 2;
  }

  /// n = M/m
  Scalar batches_per_epoch() const { return n_; }

  /// 𝓛̂(θ). Cost: two passes of sample gradients.
  template <class Theta>
  Scalar value(const Eigen::MatrixBase<Theta>& theta) const {
    return n_ * objective_->value(theta) + correction(theta);
  }
  /// ∇𝓛̂(θ), N.
  template <class Theta>
  Vector gradient(const Eigen::MatrixBase<Theta>& theta) const {
    return n_ * objective_->gradient(theta) + correction_gradient(theta);
  }
  /// ∂∂𝓛̂(θ), N × N.
  template <class Theta>
  Matrix hessian(const Eigen::MatrixBase<Theta>& theta) const {
    return n_ * objective_->hessian(theta) + correction_hessian(theta);
  }

  /// δ𝓛(θ)
  template <class Theta>
  Scalar correction(const Eigen::MatrixBase<Theta>& theta) const {
    if (vanishes()) return 0;
    const Vector at = objective_->point(theta, "EffectiveLandscape::correction");
    const Vector mean = objective_->loss_gradient(at);
    Scalar scatter(0);
    Derivatives<M>(objective_->model())
        .for_each_gradient_block(at, [&](Index, const auto& gradients) {
          scatter += (gradients.colwise() - mean).squaredNorm();
        });
    // |∇L|² − M tr(VVᵀ) = −(1/M) Σ_i |∇ℓ_i − ∇L|², which is the form without cancellation.
    const Scalar full = (mean + objective_->regularizer_gradient(at)).squaredNorm();
    return -factor_ / 2 *
           (of_full() * full - of_sampling() * scatter / (samples_ * (samples_ - 1)));
  }

  /// ∇δ𝓛(θ) = −(ηn(n−1)/2) [ H∇𝓛 + H_L∇L/(M−1) − (1/(M(M−1))) Σ_i ∂∂ℓ_i∇ℓ_i ], N.
  /// Cost: two passes of sample gradients and one Hessian product for each sample.
  template <class Theta>
  Vector correction_gradient(const Eigen::MatrixBase<Theta>& theta) const {
    Vector force = Vector::Zero(objective_->parameters());
    if (!vanishes())
      detail::PairForce<M, R>(*objective_, parts_)
          .exact(objective_->point(theta, "EffectiveLandscape::correction_gradient"), force);
    force *= -factor_;
    return force;
  }

  /// ∂∂δ𝓛(θ), N × N. Central differences of ∇δ𝓛 at a cost of 2N of them, to a relative 1e-9 or so;
  /// in closed form where a model has `HasKroneckerCurvature`, and R is taken for quadratic there.
  template <class Theta>
  Matrix correction_hessian(const Eigen::MatrixBase<Theta>& theta) const {
    const Vector at = objective_->point(theta, "EffectiveLandscape::correction_hessian");
    if (vanishes()) return Matrix::Zero(at.size(), at.size());
    if constexpr (HasKroneckerCurvature<M>)
      return quadratic_correction_hessian(at);
    else
      return differences(at);
  }

 private:
  bool vanishes() const { return n_ == 1 || (parts_.discretization == 0 && parts_.sampling == 0); }
  Scalar of_full() const { return static_cast<Scalar>(parts_.discretization); }
  Scalar of_sampling() const { return static_cast<Scalar>(parts_.sampling); }

  Matrix differences(const Vector& theta) const {
    Matrix result(theta.size(), theta.size());
    Vector moved = theta;
    for (Index k = 0; k < theta.size(); ++k)
      result.col(k) = detail::central_difference(
          moved, k, [&](const Vector& at) { return correction_gradient(at); });
    return (result + result.transpose()) / 2;
  }

  // −(ηn(n−1)/2) [ H² + H_L²/(M−1) − (1/(M(M−1))) Σ_i (∂∂ℓ_i)² ], all third derivatives being 0,
  // with Σ_i (∂∂ℓ_i)² = c² I ⊗ Σ_i |x_i|² x_i x_iᵀ.
  Matrix quadratic_correction_hessian(const Vector& theta) const {
    const M& model = objective_->model();
    const auto& x = model.features();
    const Index f = x.rows();
    DynamicMatrix<Scalar> squares = DynamicMatrix<Scalar>::Zero(f, f);
    DynamicMatrix<Scalar> weighted;
    detail::for_each_range(x.cols(), Derivatives<M>::block_size, [&](Index first, Index count) {
      const auto some = x.middleCols(first, count);
      weighted = some * some.colwise().norm().asDiagonal();
      detail::add_outer_products(squares, weighted);
    });
    detail::mirror(squares);
    Matrix loss_hessian;
    Derivatives<M>(model).hessian(theta, loss_hessian);
    const Matrix full = loss_hessian + objective_->regularizer_hessian(theta);
    Matrix scatter = loss_hessian * loss_hessian / (samples_ - 1);
    const Scalar c = model.curvature_factor();
    for (Index k = 0; k < theta.size(); k += f)
      scatter.block(k, k, f, f) -= c * c / (samples_ * (samples_ - 1)) * squares;
    return -factor_ * (of_full() * full * full + of_sampling() * scatter);
  }

  const Objective<M, R>* objective_;
  Scalar samples_;
  Scalar n_{};
  Scalar factor_{};  // ηn(n−1)/2
  LandscapeParts parts_;
};

/// The minimum θ̂₀ of 𝓛̂ near `minimum`, the mean that training without replacement settles around:
/// `value`, `gradient_norm` and `hessian` in the result are those of 𝓛̂, per epoch.
///
/// Newton steps with the Hessian nH₀ of the minimum, or that of 𝓛̂ where it is had in closed form:
/// each gains a factor of about ηn h_max, and they end when rounding does that.
/// Cost: a dozen gradients of 𝓛̂ (there two or three) and one Hessian.
/// Where ηn h_max is not small 𝓛̂ may have no minimum: the status says so. Throws
/// `std::invalid_argument` for settings that do not fit. Of δ𝓛 are the given parts.
template <class M, class R, DrawsOrders T>
Minimum<scalar_t<M>> effective_minimum(const Objective<M, R>& objective,
                                       const Minimum<scalar_t<M>>& minimum, const T& training,
                                       LandscapeParts parts = detail::landscape_parts<T>()) {
  using Scalar = scalar_t<M>;
  using Theta = DynamicVector<Scalar>;
  const EffectiveLandscape<M, R> landscape(objective, training, parts);
  const Scalar n = landscape.batches_per_epoch();
  DynamicMatrix<Scalar> curvature = n * minimum.hessian;
  if constexpr (HasKroneckerCurvature<M>) curvature = landscape.hessian(minimum.theta);
  const detail::LandscapeFunctions<Scalar> functions{
      [&](const Theta& theta) { return landscape.value(theta); },
      [&](const Theta& theta) -> Theta { return landscape.gradient(theta); },
      [&](const Theta& theta) -> DynamicMatrix<Scalar> { return landscape.hessian(theta); },
      objective.samples()};
  return detail::polish_minimum<Scalar>(functions, minimum.theta, curvature);
}

}  // namespace ness
