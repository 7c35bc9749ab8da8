// Samples that count more or less than others.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/model/concepts.hpp"

namespace ness {

/// Any model with weights w_i ≥ 0 of its samples: ℓ_i → w_i ℓ_i, so that L = (1/M) Σ_i w_i ℓ_i. It
/// is a model like others, under every minibatch policy: batches are drawn as before, and what D is
/// made of are the gradients w_i ∇ℓ_i. Weights that sum to M keep the scale of L. Not in the paper.
///
///   const ness::WeightedSamples weighted(model, weights);
///   const ness::Objective objective(weighted);
///
/// It has those members of the model that belong to samples. What sums over all samples at once
/// (`loss`, `hessian`, `hessian_product`, `features`) cannot be weighted and is made from the
/// samples instead: a model whose curvature is only in such a member has none here.
/// Cost: a batch gradient is one of the model's for each run of samples in the batch that weigh the
/// same: with equal weights that of the model, with all of them different m gradients of one
/// sample.
template <class M>
class WeightedSamples {
 public:
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;

  /// Scratch for one thread.
  struct Workspace {
    workspace_t<M> model;
    Vector gradient;
  };

  /// `weights` has one element for each sample. Throws `std::invalid_argument` unless it has M
  /// elements, each finite and not negative.
  WeightedSamples(M model, const DynamicVector<double>& weights) : model_(std::move(model)) {
    detail::require_size(weights, model_.samples(), 1, "WeightedSamples", "weights");
    for (Index i = 0; i < weights.size(); ++i)
      if (!(weights[i] >= 0) || !std::isfinite(weights[i])) [[unlikely]]
        detail::invalid("WeightedSamples", "weights must be finite and not negative, but element ",
                        i, " is ", weights[i]);
    weights_ = weights.template cast<Scalar>();
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
  /// w, M
  const DynamicVector<Scalar>& weights() const { return weights_; }

  template <class Theta>
    requires(HasGenericSampleLoss<M> || std::same_as<Theta, Vector>)
  auto sample_loss(const Theta& theta, Index i) const {
    using Number = typename Theta::Scalar;
    return Number(weights_[i] * model_.sample_loss(theta, i));
  }

  // The model's gradient of a run keeps the weight of the batch; its own is multiplied in here.
  void batch_gradient(const Vector& theta, Batch batch, Vector& gradient, Workspace& ws) const
    requires HasBatchGradient<M>
  {
    gradient.setZero(parameters());
    ws.gradient.resize(parameters());
    for (std::size_t first = 0, end = 0; first < batch.size(); first = end) {
      const Scalar weight = weights_[batch[first]];
      while (end < batch.size() && weights_[batch[end]] == weight) ++end;
      const Batch run(std::span(batch.data() + first, end - first), batch.weight());
      detail::call_member(detail::CallBatchGradient{}, model_, ws.model, theta, run, ws.gradient);
      gradient += weight * ws.gradient;
    }
  }

  void sample_gradients(const Vector& theta, Index first, block_t<M>& gradients,
                        Workspace& ws) const
    requires HasSampleGradients<M>
  {
    detail::call_member(detail::CallSampleGradients{}, model_, ws.model, theta, first, gradients);
    weigh(first, gradients);
  }

  void sample_hessian_products(const Vector& theta, Index first, const block_t<M>& directions,
                               block_t<M>& products, Workspace& ws) const
    requires HasSampleHessianProducts<M>
  {
    detail::call_member(detail::CallSampleHessianProducts{}, model_, ws.model, theta, first,
                        directions, products);
    weigh(first, products);
  }

  void sample_hessians(const Vector& theta, Index first, hessians_t<M>& hessians,
                       Workspace& ws) const
    requires HasSampleHessians<M>
  {
    detail::call_member(detail::CallSampleHessians{}, model_, ws.model, theta, first, hessians);
    weigh(first, hessians);
  }

 private:
  template <class Columns>
  void weigh(Index first, Columns& columns) const {
    for (Index j = 0; j < columns.cols(); ++j) columns.col(j) *= weights_[first + j];
  }

  M model_;
  DynamicVector<Scalar> weights_;
};

}  // namespace ness
