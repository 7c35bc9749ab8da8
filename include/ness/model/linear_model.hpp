// Outputs linear in the parameters: f = W x (Sec. 4.2; with features ψ(x) for x, Sec. 4.6).
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <type_traits>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/model/derivatives.hpp"
#include "ness/model/losses.hpp"
#include "ness/model/narrow_product.hpp"

namespace ness {

/// ℓ_i = scale · |W x_i − y_i|² with F features and K outputs: N = K·F parameters.
///
/// θ holds the rows of W one after the other: θ_{kF+f} = W_kf. Then ∇ℓ_i = 2 scale · r_i ⊗ x_i with
/// r_i = W x_i − y_i, and ∂∂ℓ_i = 2 scale · I ⊗ x_i x_iᵀ. Everything is in closed form. A batch
/// gradient is two products of F × m with m × K, fused for few outputs.
///
/// A step waits for the memory that its samples are fetched from, so a sample's features and
/// targets are side by side, and `Stored` may be narrower than the scalar of all computations:
/// `LinearModel<double, Eigen::Dynamic, float>` rounds the data once, to single precision.
template <class S = double, int N = Eigen::Dynamic, class Stored = S>
class LinearModel {
 public:
  using Scalar = S;
  using Data = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

  /// Scratch for one thread.
  struct Workspace {
    Data features, residuals, weights, gradient;
  };

  /// `features` is F × M and `targets` K × M, one column a sample. Throws `std::invalid_argument`
  /// where they disagree in M, are empty, or hold a number that is not finite.
  LinearModel(const Data& features, const Data& targets, SquaredLoss loss = {})
      : feature_count_(features.rows()), loss_(loss) {
    detail::require(features.size() > 0, "LinearModel", "features must not be empty",
                    features.size());
    detail::require(targets.rows() > 0, "LinearModel", "targets must have at least 1 row",
                    targets.rows());
    detail::require_size(targets, targets.rows(), features.cols(), "LinearModel", "targets");
    detail::require_finite(features, "LinearModel", "features");
    detail::require_finite(targets, "LinearModel", "targets");
    detail::require_positive(loss_.scale, "LinearModel", "loss.scale");
    if constexpr (N != Eigen::Dynamic)
      detail::require(features.rows() * targets.rows() == N, "LinearModel",
                      "features.rows() * targets.rows() must be the static number of parameters",
                      features.rows() * targets.rows());
    data_.resize(features.rows() + targets.rows(), features.cols());
    data_ << features.template cast<Stored>(), targets.template cast<Stored>();
  }

  Index parameters() const
    requires(N == Eigen::Dynamic)
  {
    return feature_count_ * outputs();
  }
  static constexpr Index parameters()
    requires(N != Eigen::Dynamic)
  {
    return N;
  }
  Index samples() const { return data_.cols(); }
  /// Numbers that are predicted of a sample.
  Index outputs() const { return data_.rows() - feature_count_; }
  /// x_i in columns, F × M.
  auto features() const { return as_scalars(data_.topRows(feature_count_)); }
  /// y_i in columns, K × M.
  auto targets() const { return as_scalars(data_.bottomRows(outputs())); }
  /// The loss of the outputs.
  const SquaredLoss& loss_function() const { return loss_; }
  /// c of ∂∂ℓ_i = c I ⊗ x_i x_iᵀ
  Scalar curvature_factor() const { return static_cast<Scalar>(2 * loss_.scale); }

  template <class Vector>
  auto sample_loss(const Vector& theta, Index i) const {
    typename Vector::Scalar sum(0);
    for (Index k = 0; k < outputs(); ++k) {
      typename Vector::Scalar residual(-Scalar(data_(feature_count_ + k, i)));
      for (Index f = 0; f < feature_count_; ++f)
        residual += theta[k * feature_count_ + f] * Scalar(data_(f, i));
      sum += residual * residual;
    }
    return typename Vector::Scalar(loss_.scale * sum);
  }

  template <class Vector>
  Scalar loss(const Vector& theta) const {
    Scalar sum(0);
    for (Index first = 0; first < samples(); first += block) {
      const Index count = std::min(block, samples() - first);
      sum += (weights(theta).transpose() * features().middleCols(first, count) -
              targets().middleCols(first, count))
                 .squaredNorm();
    }
    return static_cast<Scalar>(loss_.scale) * sum / static_cast<Scalar>(samples());
  }

  template <class Vector>
  void batch_gradient(const Vector& theta, Batch batch, Vector& gradient, Workspace& ws) const {
    gather(batch, ws);
    gradient.resize(parameters());
    const Scalar factor = curvature_factor() * static_cast<Scalar>(batch.weight());
    const bool done = detail::with_narrow_product<Scalar>(
        outputs(), [&]<class Product>() { narrow_gradient<Product>(theta, factor, gradient, ws); });
    if (done) return;
    ws.residuals.topRows(outputs()).noalias() += weights(theta).transpose() * ws.features;
    weights(gradient).noalias() = factor * ws.features * ws.residuals.transpose();
  }

  template <class Vector, class Block>
  void sample_gradients(const Vector& theta, Index first, Block& gradients, Workspace& ws) const {
    const Index count = gradients.cols();
    const auto x = features().middleCols(first, count);
    ws.residuals = -targets().middleCols(first, count);
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
      const auto x = features().col(first + j);
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
    const Index f = feature_count_;
    Data gram = Data::Zero(f, f);
    detail::for_each_range(samples(), block, [&](Index first, Index count) {
      detail::add_outer_products(gram, Data(features().middleCols(first, count)),
                                 curvature_factor() / static_cast<Scalar>(samples()));
    });
    detail::mirror(gram);
    hessian.setZero(parameters(), parameters());
    for (Index k = 0; k < outputs(); ++k) hessian.block(k * f, k * f, f, f) = gram;
  }

 private:
  static constexpr Index block = 256;
  static constexpr Index look_ahead = 16;                          // samples
  static constexpr Index cache_line = 64 / Index{sizeof(Stored)};  // numbers

  template <class Block>
  static auto as_scalars(const Block& stored) {
    if constexpr (std::is_same_v<Stored, Scalar>)
      return stored;
    else
      return stored.template cast<Scalar>();
  }

  // The batch's features, and minus its targets padded with zeros.
  void gather(Batch batch, Workspace& ws) const {
    const auto m = static_cast<Index>(batch.size());
    const Index width = detail::narrow_width<Scalar>(outputs());
    ws.features.resize(feature_count_, m);
    if (ws.residuals.rows() != width || ws.residuals.cols() != m) ws.residuals.setZero(width, m);
    const auto sample_of = [&](Index s) {
      return data_.col(batch[static_cast<std::size_t>(std::min(s, m - 1))]).data();
    };
    // Plain loops: those of Eigen begin by asking how a column is aligned, which for samples drawn
    // at random no processor can foresee.
    for (Index s = 0; s < m; ++s) {
      for (Index f = 0; f < data_.rows(); f += cache_line)
        Eigen::internal::prefetch(sample_of(s + look_ahead) + f);
      const Stored* const sample = sample_of(s);
      Scalar* const x = ws.features.col(s).data();
      for (Index f = 0; f < feature_count_; ++f) x[f] = Scalar(sample[f]);
      Scalar* const residual = ws.residuals.col(s).data();
      for (Index k = 0; k < outputs(); ++k) residual[k] = -Scalar(sample[feature_count_ + k]);
    }
  }

  template <class Product, class Vector>
  void narrow_gradient(const Vector& theta, Scalar factor, Vector& gradient, Workspace& ws) const {
    if (ws.weights.size() == 0) ws.weights.setZero(Product::width, feature_count_);
    ws.weights.topRows(outputs()) = weights(theta).transpose();
    Product::add_outputs(ws.weights, ws.features, ws.residuals);
    ws.gradient.resize(Product::width, feature_count_);
    Product::sum_gradient(ws.features, ws.residuals, ws.gradient);
    weights(gradient) = factor * ws.gradient.topRows(outputs()).transpose();
  }

  // Wᵀ, F × K, in the memory of θ.
  template <class Vector>
  auto weights(const Vector& theta) const {
    return Eigen::Map<const Data>(theta.data(), feature_count_, outputs());
  }
  template <class Vector>
  auto weights(Vector& theta) const {
    return Eigen::Map<Data>(theta.data(), feature_count_, outputs());
  }

  // Features above targets, (F + K) × M.
  Eigen::Matrix<Stored, Eigen::Dynamic, Eigen::Dynamic> data_;
  Index feature_count_;
  SquaredLoss loss_;
};

}  // namespace ness
