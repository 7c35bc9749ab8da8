// How outputs f are compared with targets y: losses of one sample, with their derivatives in f.
//
// A loss has `value(f, y)`, generic over the scalar of f, and, for outputs held one sample a row,
// `gradient(f, y, delta)`: delta = ∂ℓ/∂f, and `curvature(f, y, tangent, result)`:
// result = (∂²ℓ/∂f²) · tangent, row by row.
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "ness/detail/lanes.hpp"

namespace ness {

/// ℓ = scale · |f − y|². Scale M/(2ε²) is the paper's Gaussian likelihood (Sec. 4.1), 1 its MNIST
/// loss (Sec. 4.2).
struct SquaredLoss {
  double scale = 1;  ///< of all losses alike

  template <class Outputs, class Targets>
  auto value(const Outputs& f, const Targets& y) const {
    typename Outputs::Scalar sum(0);
    for (Eigen::Index k = 0; k < f.size(); ++k) {
      const typename Outputs::Scalar residual = f[k] - y[k];
      sum += residual * residual;
    }
    return typename Outputs::Scalar(scale * sum);
  }

  template <class Outputs, class Targets, class Delta>
  void gradient(const Outputs& f, const Targets& y, Delta&& delta) const {
    delta = static_cast<typename Outputs::Scalar>(2 * scale) * (f - y);
  }

  /// ∂ℓ/∂f of one output, which depends on no other.
  detail::DoubleLanes slope(const detail::DoubleLanes& f, const detail::DoubleLanes& y) const {
    return detail::multiply(detail::DoubleLanes{} + 2 * scale, f - y);
  }

  template <class Outputs, class Targets, class Tangent, class Result>
  void curvature(const Outputs&, const Targets&, const Tangent& tangent, Result&& result) const {
    result = static_cast<typename Outputs::Scalar>(2 * scale) * tangent;
  }
};

/// ℓ = −scale · Σ_k y_k log p_k, p = softmax(f), for targets with Σ_k y_k = 1 (one-hot labels or
/// probabilities).
struct SoftmaxCrossEntropy {
  double scale = 1;  ///< of all losses alike

  template <class Outputs, class Targets>
  auto value(const Outputs& f, const Targets& y) const {
    using std::exp, std::log;
    using Scalar = typename Outputs::Scalar;
    Scalar largest = f[0];
    for (Eigen::Index k = 1; k < f.size(); ++k)
      if (largest < f[k]) largest = f[k];
    Scalar sum(0);
    Scalar target(0);
    for (Eigen::Index k = 0; k < f.size(); ++k) {
      const Scalar shifted = f[k] - largest;
      sum += exp(shifted);
      target += shifted * y[k];
    }
    return Scalar(scale * (log(sum) - target));
  }

  template <class Outputs, class Targets, class Delta>
  void gradient(const Outputs& f, const Targets& y, Delta&& delta) const {
    probabilities(f, delta);
    delta = static_cast<typename Outputs::Scalar>(scale) * (delta - y);
  }

  /// (diag p − p pᵀ) · tangent
  template <class Outputs, class Targets, class Tangent, class Result>
  void curvature(const Outputs& f, const Targets&, const Tangent& tangent, Result&& result) const {
    probabilities(f, result);
    for (Eigen::Index row = 0; row < f.rows(); ++row) {
      const auto mean = result.row(row).dot(tangent.row(row));
      result.row(row).array() *=
          static_cast<typename Outputs::Scalar>(scale) * (tangent.row(row).array() - mean);
    }
  }

  /// Row by row softmax(f), safe for large f.
  template <class Outputs, class Result>
  static void probabilities(const Outputs& f, Result&& result) {
    for (Eigen::Index row = 0; row < f.rows(); ++row) {
      result.row(row) = (f.row(row).array() - f.row(row).maxCoeff()).exp().matrix();
      result.row(row) /= result.row(row).sum();
    }
  }
};

}  // namespace ness
