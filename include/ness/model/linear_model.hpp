// Outputs linear in the parameters: f = W x (Sec. 4.2; with features ψ(x) for x, Sec. 4.6).
#pragma once

#include <Eigen/Core>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/model/concepts.hpp"
#include "ness/model/losses.hpp"

namespace ness {

/// ℓ_i = scale · |W x_i − y_i|² with F features and K outputs: N = K·F parameters.
///
/// θ holds the rows of W one after the other: θ_{kF+f} = W_kf. Then ∇ℓ_i = 2 scale · r_i ⊗ x_i with
/// r_i = W x_i − y_i, and ∂∂ℓ_i = 2 scale · I ⊗ x_i x_iᵀ. Everything is in closed form; a batch
/// gradient is two products of F × m with m × K.
template <class S = double, int N = Eigen::Dynamic>
class LinearModel {
 public:
  using Scalar = S;
  using Data = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

  /// Scratch for one thread.
  struct Workspace {
    Data features, residuals;
  };

  /// `features` is F × M and `targets` K × M, one column a sample. Throws `std::invalid_argument`
  /// where they disagree in M, are empty, or hold a number that is not finite.
  LinearModel(Data features, Data targets, SquaredLoss loss = {})
      : features_(std::move(features)), targets_(std::move(targets)), loss_(loss) {
    detail::require(features_.size() > 0, "LinearModel", "features must not be empty",
                    features_.size());
    detail::require(targets_.rows() > 0, "LinearModel", "targets must have at least 1 row",
                    targets_.rows());
    detail::require_size(targets_, targets_.rows(), features_.cols(), "LinearModel", "targets");
    detail::require_finite(features_, "LinearModel", "features");
    detail::require_finite(targets_, "LinearModel", "targets");
    detail::require_positive(loss_.scale, "LinearModel", "loss.scale");
    if constexpr (N != Eigen::Dynamic)
      detail::require(features_.rows() * targets_.rows() == N, "LinearModel",
                      "features.rows() * targets.rows() must be the static number of parameters",
                      features_.rows() * targets_.rows());
  }

  Index parameters() const requires(N == Eigen::Dynamic) {
    return features_.rows() * targets_.rows();
  }
  static constexpr Index parameters() requires(N != Eigen::Dynamic) { return N; }
  Index samples() const { return features_.cols(); }
  Index outputs() const { return targets_.rows(); }
  const Data& features() const { return features_; }
  const Data& targets() const { return targets_; }
  const SquaredLoss& loss_function() const { return loss_; }
  /// c of ∂∂ℓ_i = c I ⊗ x_i x_iᵀ
  Scalar curvature_factor() const { return static_cast<Scalar>(2 * loss_.scale); }

  template <class Vector>
  auto sample_loss(const Vector& theta, Index i) const {
    typename Vector::Scalar sum(0);
    for (Index k = 0; k < outputs(); ++k) {
      typename Vector::Scalar residual(-targets_(k, i));
      for (Index f = 0; f < features_.rows(); ++f)
        residual += theta[k * features_.rows() + f] * features_(f, i);
      sum += residual * residual;
    }
    return typename Vector::Scalar(loss_.scale * sum);
  }

  template <class Vector>
  Scalar loss(const Vector& theta) const {
    Scalar sum(0);
    for (Index first = 0; first < samples(); first += block) {
      const Index count = std::min(block, samples() - first);
      sum += (weights(theta).transpose() * features_.middleCols(first, count) -
              targets_.middleCols(first, count))
                 .squaredNorm();
    }
    return static_cast<Scalar>(loss_.scale) * sum / static_cast<Scalar>(samples());
  }

  template <class Vector>
  void batch_gradient(const Vector& theta, Batch batch, Vector& gradient, Workspace& ws) const {
    const auto m = static_cast<Index>(batch.size());
    ws.features.resize(features_.rows(), m);
    ws.residuals.resize(outputs(), m);
    for (Index j = 0; j < m; ++j) {
      const Index i = batch[static_cast<std::size_t>(j)];
      ws.features.col(j) = features_.col(i);
      ws.residuals.col(j) = -targets_.col(i);
    }
    ws.residuals.noalias() += weights(theta).transpose() * ws.features;
    gradient.resize(parameters());
    weights(gradient).noalias() =
        curvature_factor() / static_cast<Scalar>(m) * ws.features * ws.residuals.transpose();
  }

  template <class Vector, class Block>
  void sample_gradients(const Vector& theta, Index first, Block& gradients, Workspace& ws) const {
    const Index count = gradients.cols();
    const auto x = features_.middleCols(first, count);
    ws.residuals = -targets_.middleCols(first, count);
    ws.residuals.noalias() += weights(theta).transpose() * x;
    for (Index j = 0; j < count; ++j)
      for (Index k = 0; k < outputs(); ++k)
        gradients.col(j).segment(k * x.rows(), x.rows()) =
            (curvature_factor() * ws.residuals(k, j)) * x.col(j);
  }

  template <class Vector, class Block>
  void sample_hessian_products(const Vector&, Index first, const Block& directions,
                               Block& products) const {
    for (Index j = 0; j < directions.cols(); ++j) {
      const auto x = features_.col(first + j);
      for (Index k = 0; k < outputs(); ++k) {
        const auto direction = directions.col(j).segment(k * x.size(), x.size());
        products.col(j).segment(k * x.size(), x.size()) =
            (curvature_factor() * x.dot(direction)) * x;
      }
    }
  }

  /// H_L = (2 scale / M) I ⊗ X Xᵀ. Cost: one symmetric rank-M product of F × F.
  template <class Vector, class Matrix>
  void hessian(const Vector&, Matrix& hessian) const {
    const Index f = features_.rows();
    Data gram = Data::Zero(f, f);
    gram.template selfadjointView<Eigen::Lower>().rankUpdate(
        features_, curvature_factor() / static_cast<Scalar>(samples()));
    gram.template triangularView<Eigen::StrictlyUpper>() = gram.transpose();
    hessian.setZero(parameters(), parameters());
    for (Index k = 0; k < outputs(); ++k) hessian.block(k * f, k * f, f, f) = gram;
  }

 private:
  static constexpr Index block = 256;

  // Wᵀ, F × K, in the memory of θ.
  template <class Vector>
  auto weights(const Vector& theta) const {
    return Eigen::Map<const Data>(theta.data(), features_.rows(), outputs());
  }
  template <class Vector>
  auto weights(Vector& theta) const {
    return Eigen::Map<Data>(theta.data(), features_.rows(), outputs());
  }

  Data features_, targets_;
  SquaredLoss loss_;
};

}  // namespace ness
