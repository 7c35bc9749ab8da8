// A model of many parameters in a few directions: all of the theory runs on it unchanged.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "ness/landscape/eigenpairs.hpp"
#include "ness/landscape/minimize.hpp"

namespace ness {

namespace detail {

/// Where θ = θ₀ + Qw is, in the precision of a model; the model and the regularizer share it.
template <class Theta, class Basis>
struct SubspaceFrame {
  using Vector = DynamicVector<typename DoubleFor<Theta>::type>;
  using Matrix = DynamicMatrix<typename DoubleFor<Theta>::type>;
  Theta origin;  ///< θ₀, N
  Basis basis;   ///< Q, N × K

  /// Throws `std::invalid_argument` where a size disagrees or a number is not finite.
  SubspaceFrame(Index parameters, const Vector& theta, const Matrix& directions) {
    constexpr std::string_view name = "in_subspace";
    require_size(theta, parameters, 1, name, "origin");
    require_size(directions, parameters, directions.cols(), name, "basis");
    require_finite(theta, name, "origin");
    require_finite(directions, name, "basis");
    origin = theta.template cast<typename Theta::Scalar>();
    basis = directions.template cast<typename Theta::Scalar>();
  }

  /// Qw, N.
  Theta direction(const Vector& w) const {
    const DynamicVector<typename Theta::Scalar> coordinates =
        w.template cast<typename Theta::Scalar>();
    return basis * coordinates;
  }
  /// θ₀ + Qw, N.
  Theta point(const Vector& w) const { return origin + direction(w); }
  /// Qᵀ times each column, K × any.
  template <class Columns>
  Matrix inside(const Columns& columns) const {
    return (basis.transpose() * columns).template cast<double>();
  }
};
template <class M>
using FrameOf = SubspaceFrame<vector_t<M>, block_t<M>>;

}  // namespace detail

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
  using Scalar = typename detail::DoubleFor<M>::type;
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// Scratch for one thread.
  struct Workspace {
    std::optional<Derivatives<M>> derivatives;
    projections_t<M> projections;
    block_t<M> directions, products;
  };

  /// `frame` has θ₀ and Q of this model: see `in_subspace`.
  Subspace(const M& model, std::shared_ptr<const detail::FrameOf<M>> frame)
      : model_(&model), frame_(std::move(frame)) {}
  /// `origin` is θ₀, N, and `basis` Q, N × K. Throws `std::invalid_argument` where a size disagrees
  /// or a number is not finite.
  Subspace(const M& model, const Vector& origin, const Matrix& basis)
      : Subspace(model, std::make_shared<detail::FrameOf<M>>(model.parameters(), origin, basis)) {}
  Subspace(M&&, const Vector&, const Matrix&) = delete;  // it would dangle

  Index parameters() const { return frame_->basis.cols(); }
  Index samples() const { return model_->samples(); }

  /// θ₀ + Qw, N.
  vector_t<M> point(const Vector& w) const { return frame_->point(w); }

  /// ℓ_i(θ₀ + Qw)
  double sample_loss(const Vector& w, Index i) const {
    return static_cast<double>(model_->sample_loss(point(w), i));
  }
  /// L(θ₀ + Qw)
  double loss(const Vector& w) const {
    return static_cast<double>(Derivatives<M>(*model_).summed_loss(point(w), 0, samples())) /
           static_cast<double>(samples());
  }

  void sample_gradients(const Vector& w, Index first, Matrix& gradients, Workspace& ws) const {
    ws.projections.resize(parameters(), gradients.cols());
    in(ws).projected_gradients(point(w), first, frame_->basis, ws.projections);
    gradients = ws.projections.template cast<double>();
  }

  void sample_hessian_products(const Vector& w, Index first, const Matrix& directions,
                               Matrix& products, Workspace& ws) const
    requires TwiceDifferentiable<M>
  {
    const vector_t<M> theta = point(w);
    for (Index j = 0; j < directions.cols(); ++j) {  // one at a time: N numbers
      ws.directions = frame_->direction(directions.col(j));
      ws.products.resize(theta.size(), 1);
      in(ws).sample_hessian_products(theta, first + j, ws.directions, ws.products);
      products.col(j) = frame_->inside(ws.products);
    }
  }

  /// QᵀH_LQ, K × K.
  void hessian(const Vector& w, Matrix& hessian, Workspace& ws) const
    requires(HasBatchHessianProducts<M> || TwiceDifferentiable<M>)
  {
    in(ws).summed_hessian_products(point(w), 0, samples(), frame_->basis, ws.products);
    hessian = frame_->inside(ws.products) / static_cast<double>(samples());
  }

 private:
  Derivatives<M>& in(Workspace& ws) const {
    if (!ws.derivatives) ws.derivatives.emplace(*model_);
    return *ws.derivatives;
  }

  const M* model_;
  std::shared_ptr<const detail::FrameOf<M>> frame_;
};

/// R(θ₀ + Qw) of a regularizer R of the θ of a model M.
template <class R, class M>
class SubspaceRegularizer {
 public:
  using Vector = DynamicVector<typename detail::DoubleFor<M>::type>;

  /// Of R along the columns of Q.
  SubspaceRegularizer(R regularizer, std::shared_ptr<const detail::FrameOf<M>> frame)
      : regularizer_(std::move(regularizer)), frame_(std::move(frame)) {}

  /// R(θ₀ + Qw)
  double value(const Vector& w) const {
    return static_cast<double>(regularizer_.value(frame_->point(w)));
  }
  /// gradient += Qᵀ∇R
  void add_gradient(const Vector& w, Vector& gradient) const {
    Theta slope = Theta::Zero(frame_->origin.size());
    RegularizerDerivatives<R, Theta>(regularizer_).add_gradient(frame_->point(w), slope);
    gradient += frame_->inside(slope);
  }
  /// product += Qᵀ∂∂R Q · direction
  void add_hessian_product(const Vector& w, const Vector& direction, Vector& product) const {
    Theta curved = Theta::Zero(frame_->origin.size());
    RegularizerDerivatives<R, Theta>(regularizer_)
        .add_hessian_product(frame_->point(w), frame_->direction(direction), curved);
    product += frame_->inside(curved);
  }

 private:
  using Theta = vector_t<M>;
  R regularizer_;
  std::shared_ptr<const detail::FrameOf<M>> frame_;
};

/// The objective in the coordinates w of θ = θ₀ + Qw: see `Subspace`. It refers to the model of
/// `objective`. Throws `std::invalid_argument` where a size disagrees or a number is not finite.
template <class M, class R>
auto in_subspace(const Objective<M, R>& objective, const DynamicVector<double>& origin,
                 const DynamicMatrix<double>& basis) {
  const auto frame =
      std::make_shared<const detail::FrameOf<M>>(objective.parameters(), origin, basis);
  return Objective(Subspace<M>(objective.model(), frame),
                   SubspaceRegularizer<R, M>(objective.regularizer(), frame));
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
