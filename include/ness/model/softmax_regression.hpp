// Multinomial logistic regression (D. Böhning, Ann. Inst. Stat. Math. 44, 1992,
// doi:10.1007/BF00048682): the log odds of the classes are linear in the parameters.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/model/derivatives.hpp"
#include "ness/model/losses.hpp"

namespace ness {

/// ℓ_i = −scale · Σ_k y_ki log p_ki, p_i = softmax(W x_i), with F features and K classes: N = K·F
/// parameters. With scale M the sum L = (1/M) Σ ℓ_i is minus the log likelihood of all samples.
///
/// θ holds the rows of W one after the other, θ_{kF+f} = W_kf; give x a row of ones for offsets.
///   ∇ℓ_i = scale · (p_i − y_i) ⊗ x_i,  ∂∂ℓ_i = scale · (diag p_i − p_i p_iᵀ) ⊗ x_i x_iᵀ,
/// all in closed form, by products of blocks of samples.
template <class S = double>
class SoftmaxRegression {
 public:
  using Scalar = S;
  using Data = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

  /// Scratch for one thread.
  struct Workspace {
    Data features, targets, residuals, tangents, curved;
  };

  /// `features` is F × M and `targets` K × M, one column a sample: one-hot labels or probabilities.
  /// Throws `std::invalid_argument` where they disagree in M, are empty, hold a number that is not
  /// finite, or where the targets of a sample do not sum to 1.
  SoftmaxRegression(Data features, Data targets, SoftmaxCrossEntropy loss = {})
      : features_(std::move(features)), targets_(std::move(targets)), loss_(loss) {
    constexpr std::string_view name = "SoftmaxRegression";
    detail::require(features_.size() > 0, name, "features must not be empty", features_.size());
    detail::require(targets_.rows() > 1, name, "targets must have at least 2 rows",
                    targets_.rows());
    detail::require_size(targets_, targets_.rows(), features_.cols(), name, "targets");
    detail::require_finite(features_, name, "features");
    detail::require_finite(targets_, name, "targets");
    detail::require_positive(loss_.scale, name, "loss.scale");
    const Scalar off = (targets_.colwise().sum().array() - 1).abs().maxCoeff();
    if (!(off <= Scalar(1e-5)))
      detail::invalid(name, "the targets of each sample must sum to 1, but one is off by ", off);
  }

  Index parameters() const { return features_.rows() * targets_.rows(); }
  Index samples() const { return features_.cols(); }
  /// K
  Index classes() const { return targets_.rows(); }
  /// Features × M.
  const Data& features() const { return features_; }
  /// K × M, one-hot or probabilities.
  const Data& targets() const { return targets_; }

  /// Column i of `result` = softmax(W x_i) for the columns of `inputs`, F × any.
  template <class Vector, class Inputs>
  void probabilities(const Vector& theta, const Inputs& inputs, Data& result) const {
    result.noalias() = weights(theta).transpose() * inputs;
    auto rows = result.transpose();
    loss_.probabilities(rows, rows);
  }

  template <class Vector>
  auto sample_loss(const Vector& theta, Index i) const {
    Eigen::Matrix<typename Vector::Scalar, Eigen::Dynamic, 1> outputs(classes());
    for (Index k = 0; k < classes(); ++k) {
      typename Vector::Scalar sum(0);
      for (Index f = 0; f < features_.rows(); ++f)
        sum += theta[k * features_.rows() + f] * features_(f, i);
      outputs[k] = sum;
    }
    return loss_.value(outputs, targets_.col(i));
  }

  template <class Vector>
  Scalar loss(const Vector& theta) const {
    return summed_loss(theta, 0, samples()) / static_cast<Scalar>(samples());
  }

  template <class Vector>
  Scalar summed_loss(const Vector& theta, Index begin, Index size) const {
    Scalar sum(0);
    Data outputs;
    detail::for_each_range(size, block, [&](Index first, Index count) {
      first += begin;
      outputs.noalias() = weights(theta).transpose() * features_.middleCols(first, count);
      for (Index j = 0; j < count; ++j) sum += loss_.value(outputs.col(j), targets_.col(first + j));
    });
    return sum;
  }

  template <class Vector>
  void batch_gradient(const Vector& theta, Batch batch, Vector& gradient, Workspace& ws) const {
    gradient.setZero(parameters());
    const auto m = static_cast<Index>(batch.size());
    detail::for_each_range(m, block, [&](Index first, Index count) {
      gather(batch.data() + first, count, ws.features, ws.targets);
      probabilities(theta, ws.features, ws.residuals);
      ws.residuals -= ws.targets;
      weights(gradient).noalias() += ws.features * ws.residuals.transpose();
    });
    gradient *= scale() * static_cast<Scalar>(batch.weight());
  }

  template <class Vector, class Block>
  void sample_gradients(const Vector& theta, Index first, Block& gradients, Workspace& ws) const {
    const Index count = gradients.cols();
    const auto x = features_.middleCols(first, count);
    probabilities(theta, x, ws.residuals);
    ws.residuals -= targets_.middleCols(first, count);
    for (Index j = 0; j < count; ++j)
      for (Index k = 0; k < classes(); ++k)
        gradients.col(j).segment(k * x.rows(), x.rows()) =
            (scale() * ws.residuals(k, j)) * x.col(j);
  }

  template <class Vector, class Block>
  void sample_hessian_products(const Vector& theta, Index first, const Block& directions,
                               Block& products, Workspace& ws) const {
    const Index count = directions.cols();
    const Index f = features_.rows();
    const auto x = features_.middleCols(first, count);
    ws.residuals.noalias() = weights(theta).transpose() * x;
    ws.tangents.resize(classes(), count);
    ws.curved.resize(classes(), count);
    for (Index j = 0; j < count; ++j)
      for (Index k = 0; k < classes(); ++k)
        ws.tangents(k, j) = directions.col(j).segment(k * f, f).dot(x.col(j));
    loss_.curvature(ws.residuals.transpose(), targets_.middleCols(first, count).transpose(),
                    ws.tangents.transpose(), ws.curved.transpose());
    for (Index j = 0; j < count; ++j)
      for (Index k = 0; k < classes(); ++k)
        products.col(j).segment(k * f, f) = ws.curved(k, j) * x.col(j);
  }

  /// Cost: for each direction two products of F × K with the samples.
  template <class Vector, class Block>
  void batch_hessian_products(const Vector& theta, Batch batch, const Block& directions,
                              Block& products, Workspace& ws) const {
    products.setZero(parameters(), directions.cols());
    detail::for_each_range(static_cast<Index>(batch.size()), block, [&](Index first, Index count) {
      gather(batch.data() + first, count, ws.features, ws.targets);
      ws.residuals.noalias() = weights(theta).transpose() * ws.features;
      ws.curved.resize(classes(), count);
      for (Index k = 0; k < directions.cols(); ++k) {
        ws.tangents.noalias() = column(directions, k).transpose() * ws.features;
        loss_.curvature(ws.residuals.transpose(), ws.targets.transpose(), ws.tangents.transpose(),
                        ws.curved.transpose());
        column(products, k).noalias() += ws.features * ws.curved.transpose();
      }
    });
    products *= static_cast<Scalar>(batch.weight());
  }

  /// Cost: for each direction a product of F × K with the samples.
  template <class Vector, class Block, class Projections>
  void projected_gradients(const Vector& theta, Index first, const Block& subspace,
                           Projections& projections, Workspace& ws) const {
    const auto x = features_.middleCols(first, projections.cols());
    probabilities(theta, x, ws.residuals);
    ws.residuals -= targets_.middleCols(first, projections.cols());
    for (Index k = 0; k < subspace.cols(); ++k) {
      ws.tangents.noalias() = column(subspace, k).transpose() * x;
      projections.row(k) = scale() * ws.tangents.cwiseProduct(ws.residuals).colwise().sum();
    }
  }

  /// H_L. Cost: K(K + 1)/2 products of F × M with M × F.
  template <class Vector, class Matrix>
  void hessian(const Vector& theta, Matrix& hessian) const {
    const Index f = features_.rows();
    hessian.setZero(parameters(), parameters());
    Data p, weighted, product(f, f);
    detail::for_each_range(samples(), block, [&](Index first, Index count) {
      const auto x = features_.middleCols(first, count);
      probabilities(theta, x, p);
      for (Index k = 0; k < classes(); ++k)
        for (Index l = 0; l <= k; ++l) {
          const auto row = p.row(k).array() * (Scalar(k == l ? 1 : 0) - p.row(l).array());
          weighted.noalias() = x * row.matrix().asDiagonal();
          product.noalias() = weighted * x.transpose();
          hessian.block(k * f, l * f, f, f) += product;
        }
    });
    hessian *= scale() / static_cast<Scalar>(samples());
    hessian.template triangularView<Eigen::StrictlyUpper>() = hessian.transpose();
  }

 private:
  static constexpr Index block = 256;
  Scalar scale() const { return static_cast<Scalar>(loss_.scale); }

  void gather(const std::uint32_t* numbers, Index count, Data& features, Data& targets) const {
    features.resize(features_.rows(), count);
    targets.resize(targets_.rows(), count);
    for (Index j = 0; j < count; ++j) {
      features.col(j) = features_.col(numbers[j]);
      targets.col(j) = targets_.col(numbers[j]);
    }
  }

  // Wᵀ, F × K, in the memory of θ.
  template <class Vector>
  auto weights(const Vector& theta) const {
    return Eigen::Map<const Data>(theta.data(), features_.rows(), classes());
  }
  template <class Vector>
  auto weights(Vector& theta) const {
    return Eigen::Map<Data>(theta.data(), features_.rows(), classes());
  }

  // The same of a column of N numbers.
  template <class Block>
  auto column(const Block& all, Index k) const {
    return Eigen::Map<const Data>(all.col(k).data(), features_.rows(), classes());
  }
  template <class Block>
  auto column(Block& all, Index k) const {
    return Eigen::Map<Data>(all.col(k).data(), features_.rows(), classes());
  }

  Data features_, targets_;
  SoftmaxCrossEntropy loss_;
};

}  // namespace ness
