// A model of many parameters in a few directions: all of the theory runs on it unchanged.
#pragma once

#include <optional>
#include <string_view>

#include "ness/landscape/eigenpairs.hpp"
#include "ness/landscape/minimize.hpp"

namespace ness {

/// A model in the coordinates w of θ = θ₀ + Qw, with orthonormal columns Q, N × K: K parameters.
///
/// Between eigenvectors of H the Lyapunov equation of constant noise decouples,
/// Σ_ij = 2D_ij/(x_i + x_j − x_ix_j), x = ηh, so that with K eigenvectors of H for Q what `predict`
/// says of this model (Σ, C, decay rates; with momentum, for batches of any kind, epochs of
/// additive noise) is that of all N parameters in these directions, exactly: nothing is truncated.
/// What does not decouple are terms beyond: noise that depends on θ (App. D), which the other
/// directions feed, and with it epochs by other orders than `EpochOrder::additive`; ⟨σ⟩ is that of
/// the marginal motion alone, a part of the whole.
///
///   const auto pairs = ness::leading_eigenpairs(streamed, minimum.theta, {.count = 20});
///   const auto few = ness::in_subspace(objective, minimum.theta, pairs.vectors);
///   const auto state = ness::predict(few, ness::in_subspace(minimum, pairs), training);
///
/// In double precision, whatever the model's. Cost: sample gradients are Qᵀ∇ℓ_i, which a model that
/// has `projected_gradients` makes without ∇ℓ_i; memory: some vectors of N beside Q, and nothing of
/// N × samples. It refers to the model, so keep that alive.
template <class M>
class Subspace {
 public:
  using Scalar = double;
  using Vector = DynamicVector<double>;
  using Matrix = DynamicMatrix<double>;

  /// Scratch for one thread.
  struct Workspace {
    std::optional<Derivatives<M>> derivatives;
    projections_t<M> projections;
    block_t<M> directions, products;
  };

  /// `origin` is θ₀, N, and `basis` Q, N × K. Throws `std::invalid_argument` where a size disagrees
  /// or a number is not finite.
  Subspace(const M& model, const Vector& origin, const Matrix& basis) : model_(&model) {
    constexpr std::string_view name = "Subspace";
    detail::require_size(origin, model.parameters(), 1, name, "origin");
    detail::require_size(basis, model.parameters(), basis.cols(), name, "basis");
    detail::require_finite(origin, name, "origin");
    detail::require_finite(basis, name, "basis");
    origin_ = origin.template cast<scalar_t<M>>();
    basis_ = basis.template cast<scalar_t<M>>();
  }
  Subspace(M&&, const Vector&, const Matrix&) = delete;  // it would dangle

  Index parameters() const { return basis_.cols(); }
  Index samples() const { return model_->samples(); }

  /// θ₀ + Qw, N.
  vector_t<M> point(const Vector& w) const {
    const DynamicVector<scalar_t<M>> coordinates = w.template cast<scalar_t<M>>();
    vector_t<M> theta = origin_;
    theta.noalias() += basis_ * coordinates;
    return theta;
  }

  double sample_loss(const Vector& w, Index i) const {
    return static_cast<double>(model_->sample_loss(point(w), i));
  }
  double loss(const Vector& w) const {
    return static_cast<double>(Derivatives<M>(*model_).summed_loss(point(w), 0, samples())) /
           static_cast<double>(samples());
  }

  void sample_gradients(const Vector& w, Index first, Matrix& gradients, Workspace& ws) const {
    ws.projections.resize(parameters(), gradients.cols());
    in(ws).projected_gradients(point(w), first, basis_, ws.projections);
    gradients = ws.projections.template cast<double>();
  }

  void sample_hessian_products(const Vector& w, Index first, const Matrix& directions,
                               Matrix& products, Workspace& ws) const
    requires TwiceDifferentiable<M>
  {
    const vector_t<M> theta = point(w);
    for (Index j = 0; j < directions.cols(); ++j) {  // one at a time: N numbers
      ws.directions.noalias() = basis_ * directions.col(j).template cast<scalar_t<M>>();
      ws.products.resize(basis_.rows(), 1);
      in(ws).sample_hessian_products(theta, first + j, ws.directions, ws.products);
      products.col(j) = (basis_.transpose() * ws.products).template cast<double>();
    }
  }

  /// QᵀH_LQ, K × K.
  void hessian(const Vector& w, Matrix& hessian, Workspace& ws) const
    requires(HasSummedHessianProducts<M> || TwiceDifferentiable<M>)
  {
    in(ws).summed_hessian_products(point(w), 0, samples(), basis_, ws.products);
    hessian =
        (basis_.transpose() * ws.products).template cast<double>() / static_cast<double>(samples());
  }

 private:
  Derivatives<M>& in(Workspace& ws) const {
    if (!ws.derivatives) ws.derivatives.emplace(*model_);
    return *ws.derivatives;
  }

  const M* model_;
  vector_t<M> origin_;
  block_t<M> basis_;
};

/// R(θ₀ + Qw) of a regularizer R of θ.
template <class R, class Theta>
class SubspaceRegularizer {
 public:
  using Vector = DynamicVector<double>;
  using Matrix = DynamicMatrix<double>;

  SubspaceRegularizer(R regularizer, Vector origin, Matrix basis)
      : regularizer_(std::move(regularizer)),
        origin_(std::move(origin)),
        basis_(std::move(basis)) {}

  double value(const Vector& w) const { return static_cast<double>(regularizer_.value(point(w))); }
  /// gradient += Qᵀ∇R
  void add_gradient(const Vector& w, Vector& gradient) const {
    Theta slope = Theta::Zero(origin_.size());
    RegularizerDerivatives<R, Theta>(regularizer_).add_gradient(point(w), slope);
    gradient.noalias() += basis_.transpose() * slope.template cast<double>();
  }
  /// product += Qᵀ∂∂R Q · direction
  void add_hessian_product(const Vector& w, const Vector& direction, Vector& product) const {
    const Theta along = (basis_ * direction).template cast<typename Theta::Scalar>();
    Theta curved = Theta::Zero(origin_.size());
    RegularizerDerivatives<R, Theta>(regularizer_).add_hessian_product(point(w), along, curved);
    product.noalias() += basis_.transpose() * curved.template cast<double>();
  }

 private:
  Theta point(const Vector& w) const {
    return (origin_ + basis_ * w).template cast<typename Theta::Scalar>();
  }

  R regularizer_;
  Vector origin_;
  Matrix basis_;
};

/// The objective in the coordinates w of θ = θ₀ + Qw: see `Subspace`. It refers to the model of
/// `objective`. Throws `std::invalid_argument` where a size disagrees or a number is not finite.
template <class M, class R>
auto in_subspace(const Objective<M, R>& objective, const DynamicVector<double>& origin,
                 const DynamicMatrix<double>& basis) {
  return Objective(Subspace<M>(objective.model(), origin, basis),
                   SubspaceRegularizer<R, vector_t<M>>(objective.regularizer(), origin, basis));
}
template <class M, class R>
void in_subspace(Objective<M, R>&&, const DynamicVector<double>&,
                 const DynamicMatrix<double>&) = delete;  // it would dangle

/// A minimum θ₀ in the coordinates of eigenvectors of its Hessian: w = 0, H = diag h. Throws
/// `std::invalid_argument` for eigenpairs of another size, or that have not converged.
template <class Scalar>
Minimum<Scalar> in_subspace(const Minimum<Scalar>& minimum, const Eigenpairs<Scalar>& pairs) {
  constexpr std::string_view name = "in_subspace";
  detail::require_size(pairs.vectors, minimum.theta.size(), pairs.values.size(), name,
                       "pairs.vectors");
  if (!pairs.converged)
    detail::invalid(name, "the eigenpairs must have converged, but the largest residual is ",
                    pairs.residuals.maxCoeff(), ": raise max_products, or the tolerance");
  Minimum<Scalar> result = minimum;
  const Eigen::Index count = pairs.values.size();
  result.theta = DynamicVector<Scalar>::Zero(count);
  result.hessian = pairs.values.asDiagonal();
  result.hessian_eigenvalues = pairs.values.reverse();
  result.direction.resize(0);
  if (minimum.offset.size() > 0) result.offset = pairs.vectors.transpose() * minimum.offset;
  return result;
}

}  // namespace ness
