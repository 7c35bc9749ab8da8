// Gradients of batches with the noise taken off that they have at a reference point.
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <optional>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/model/concepts.hpp"
#include "ness/model/derivatives.hpp"

namespace ness {

/// Any model with control variates at a reference θ_r: ℓ_i → ℓ_i − (∇ℓ_i(θ_r) − ∇L(θ_r))·(θ − θ_r).
/// The sum over all samples, so L, its minimum and its Hessian, is as before, and so are the
/// Hessians of samples; a batch gradient becomes
///   ∇L_B(θ) − ∇L_B(θ_r) + ∇L(θ_r),
/// without bias and, in batches of a fixed size, with no noise at all at θ_r: D(θ_r) = 0, and D
/// grows with the square of the distance. With the minimum as reference a sampler is left with the
/// noise of the batches' curvatures alone (J. Baker, P. Fearnhead, E. B. Fox and C. Nemeth, Stat.
/// Comput. 29, 2019, arXiv 1706.05439). It is a model like others: every policy, sampler and
/// prediction takes it. Not in the paper.
///
///   const ness::ControlVariates controlled(model, minimum.theta);
///   const ness::Objective objective(controlled, regularizer);
///
/// A reference that moves with a chain is `VarianceReduced`'s.
///
/// Cost: two of the model's gradients for each sample of a batch, and one pass over all samples at
/// the start; memory N numbers. The loss of a sample or of some costs their gradients; `loss` does
/// not.
template <Model M>
class ControlVariates {
 public:
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;

  /// How many of the model's gradients one of a sample takes.
  static constexpr Index gradients_per_sample = 2;

  /// Scratch for one thread.
  struct Workspace {
    std::optional<Derivatives<M>> model;
    Vector at_reference;
    block_t<M> block_at_reference;
  };

  /// `reference` is θ_r, N. Throws `std::invalid_argument` unless it has N finite elements.
  ControlVariates(M model, Vector reference)
      : model_(std::move(model)), reference_(std::move(reference)) {
    detail::require_size(reference_, model_.parameters(), 1, "ControlVariates", "reference");
    detail::require_finite(reference_, "ControlVariates", "reference");
    Derivatives<M>(model_).loss_gradient(reference_, mean_);
  }

  static constexpr Index parameters()
    requires(parameters_at_compile_time<M> != Eigen::Dynamic)
  {
    return parameters_at_compile_time<M>;
  }
  Index parameters() const
    requires(parameters_at_compile_time<M> == Eigen::Dynamic)
  {
    return model_.parameters();
  }
  Index samples() const { return model_.samples(); }
  const M& model() const { return model_; }
  /// θ_r, N
  const Vector& reference() const { return reference_; }

  template <class Theta>
    requires(HasGenericSampleLoss<M> || std::same_as<Theta, Vector>)
  auto sample_loss(const Theta& theta, Index i) const {
    using Number = typename Theta::Scalar;
    block_t<M> gradient(reference_.size(), 1);
    Derivatives<M>(model_).sample_gradients(reference_, i, gradient);
    Number loss(model_.sample_loss(theta, i));
    for (Index k = 0; k < theta.size(); ++k)
      loss -= Number(gradient(k, 0) - mean_[k]) * (theta[k] - Number(reference_[k]));
    return loss;
  }

  Scalar summed_loss(const Vector& theta, Index first, Index count) const {
    Derivatives<M> of_model(model_);
    Vector gradient(theta.size());
    of_model.summed_gradient(reference_, first, count, gradient);
    gradient -= static_cast<Scalar>(count) * mean_;
    return of_model.summed_loss(theta, first, count) - gradient.dot(theta - reference_);
  }

  Scalar loss(const Vector& theta) const {
    if constexpr (HasLoss<M>) {
      return model_.loss(theta);
    } else {
      const Scalar sum = Derivatives<M>(model_).summed_loss(theta, 0, samples());
      return sum / static_cast<Scalar>(samples());
    }
  }

  void batch_gradient(const Vector& theta, Batch batch, Vector& gradient, Workspace& ws) const {
    Derivatives<M>& of_model = derivatives(ws);
    of_model.batch_gradient(theta, batch, gradient);
    ws.at_reference.resize(theta.size());
    of_model.batch_gradient(reference_, batch, ws.at_reference);
    gradient -= ws.at_reference;
    gradient += static_cast<Scalar>(batch.weight() * static_cast<double>(batch.size())) * mean_;
  }

  void sample_gradients(const Vector& theta, Index first, block_t<M>& gradients,
                        Workspace& ws) const {
    Derivatives<M>& of_model = derivatives(ws);
    of_model.sample_gradients(theta, first, gradients);
    ws.block_at_reference.resize(gradients.rows(), gradients.cols());
    of_model.sample_gradients(reference_, first, ws.block_at_reference);
    gradients -= ws.block_at_reference;
    gradients.colwise() += mean_;
  }

  void sample_hessian_products(const Vector& theta, Index first, const block_t<M>& directions,
                               block_t<M>& products, Workspace& ws) const
    requires TwiceDifferentiable<M>
  {
    derivatives(ws).sample_hessian_products(theta, first, directions, products);
  }

  void sample_hessians(const Vector& theta, Index first, hessians_t<M>& hessians,
                       Workspace& ws) const
    requires HasSampleHessians<M>
  {
    derivatives(ws).sample_hessians(theta, first, hessians);
  }

  void batch_hessian_products(const Vector& theta, Batch batch, const block_t<M>& directions,
                              block_t<M>& products, Workspace& ws) const
    requires HasBatchHessianProducts<M>
  {
    derivatives(ws).batch_hessian_products(theta, batch, directions, products);
  }

  void hessian_product(const Vector& theta, const Vector& direction, Vector& product,
                       Workspace& ws) const
    requires HasHessianProduct<M>
  {
    derivatives(ws).hessian_product(theta, direction, product);
  }

  void hessian(const Vector& theta, matrix_t<M>& hessian, Workspace& ws) const
    requires HasHessian<M>
  {
    derivatives(ws).hessian(theta, hessian);
  }

 private:
  Derivatives<M>& derivatives(Workspace& ws) const {
    if (!ws.model) ws.model.emplace(model_);
    return *ws.model;
  }

  M model_;
  Vector reference_, mean_;  // mean_: ∇L(θ_r)
};

}  // namespace ness
