// The regularizer R(θ) of the objective 𝓛 = L + R (Eq. 10). It makes no noise.
//
// The least that one needs is a value that is generic over its scalar:
//
//   struct Ridge {                                       // R = Σ_α w_α θ_α²
//     Eigen::VectorXd weights;
//     auto value(const auto& theta) const { return theta.cwiseAbs2().dot(weights); }
//   };
//
// `add_gradient(theta, gradient)` and `add_hessian_product(theta, direction, product)` are used
// where a regularizer has them, with its `Workspace` after the rest where it names a type of that
// name; otherwise automatic differentiation does their work. One that can be wrong for a model says
// so in `check(parameters, function)`, which an objective asks.
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/model/autodiff.hpp"
#include "ness/model/concepts.hpp"

namespace ness {

/// R = 0.
struct NoRegularizer {
  template <class Vector>
  typename Vector::Scalar value(const Vector&) const {
    return typename Vector::Scalar(0);
  }
  template <class Vector>
  void add_gradient(const Vector&, Vector&) const {}
  template <class Vector>
  void add_hessian_product(const Vector&, const Vector&, Vector&) const {}
};

/// R(θ) = λ |θ|²: ∇R = 2λθ, ∂∂R = 2λI (Sec. 4.1).
struct L2 {
  double lambda = 0;  ///< λ

  template <class Vector>
  typename Vector::Scalar value(const Vector& theta) const {
    return lambda * theta.squaredNorm();
  }
  template <class Vector>
  void add_gradient(const Vector& theta, Vector& gradient) const {
    gradient += typename Vector::Scalar(2 * lambda) * theta;
  }
  template <class Vector>
  void add_hessian_product(const Vector&, const Vector& direction, Vector& product) const {
    product += typename Vector::Scalar(2 * lambda) * direction;
  }
};

/// R(w) = ½ wᵀAw + bᵀw + c: minus the logarithm of any Gaussian prior.
template <class Matrix>
struct QuadraticForm {
  using Scalar = typename Matrix::Scalar;
  using Vector = Eigen::Matrix<Scalar, Matrix::RowsAtCompileTime, 1>;
  Matrix curvature;   ///< A, N × N, symmetric
  Vector slope;       ///< b, N
  Scalar constant{};  ///< c

  /// Throws `std::invalid_argument` unless A is N × N and symmetric, b has N elements, and all are
  /// finite.
  void check(Eigen::Index parameters, std::string_view function) const {
    detail::require_size(curvature, parameters, parameters, function, "curvature");
    detail::require_size(slope, parameters, 1, function, "slope");
    detail::require_finite(curvature, function, "curvature");
    detail::require_finite(slope, function, "slope");
    detail::require_symmetric(curvature, function, "curvature");
  }

  template <class V>
  typename V::Scalar value(const V& w) const {
    typename V::Scalar sum(constant);
    for (Eigen::Index j = 0; j < w.size(); ++j) {
      typename V::Scalar row(slope[j]);
      for (Eigen::Index k = 0; k < w.size(); ++k) row += curvature(j, k) / 2 * w[k];
      sum += row * w[j];
    }
    return sum;
  }
  void add_gradient(const Vector& w, Vector& gradient) const {
    gradient.noalias() += curvature * w;
    gradient += slope;
  }
  void add_hessian_product(const Vector&, const Vector& direction, Vector& product) const {
    product.noalias() += curvature * direction;
  }
};

/// What may stand for R with parameters of type `Vector`.
template <class R, class Vector>
concept Regularizer = requires(const R& regularizer, const Vector& theta) {
  { regularizer.value(theta) } -> std::convertible_to<typename Vector::Scalar>;
};

/// The derivatives of a regularizer, by its own members or by automatic differentiation.
template <class R, class Vector>
class RegularizerDerivatives {
 public:
  /// Refers to the regularizer, so keep it.
  explicit RegularizerDerivatives(const R& regularizer) : regularizer_(&regularizer) {}

  /// gradient += ∇R(θ)
  void add_gradient(const Vector& theta, Vector& gradient) {
    if constexpr (requires { regularizer_->add_gradient(theta, gradient, workspace_); }) {
      regularizer_->add_gradient(theta, gradient, workspace_);
    } else if constexpr (requires { regularizer_->add_gradient(theta, gradient); }) {
      regularizer_->add_gradient(theta, gradient);
    } else {
      scratch_.resize(theta.size());
      autodiff_.gradient(value(), theta, scratch_);
      gradient += scratch_;
    }
  }

  /// product += ∂∂R(θ) · direction
  void add_hessian_product(const Vector& theta, const Vector& direction, Vector& product) {
    if constexpr (requires {
                    regularizer_->add_hessian_product(theta, direction, product, workspace_);
                  }) {
      regularizer_->add_hessian_product(theta, direction, product, workspace_);
    } else if constexpr (requires {
                           regularizer_->add_hessian_product(theta, direction, product);
                         }) {
      regularizer_->add_hessian_product(theta, direction, product);
    } else {
      scratch_.resize(theta.size());
      autodiff_.hessian_product(value(), theta, direction, scratch_);
      product += scratch_;
    }
  }

 private:
  auto value() const {
    return [this](const auto& theta) { return regularizer_->value(theta); };
  }

  const R* regularizer_;
  [[no_unique_address]] workspace_t<R> workspace_;
  Autodiff<Vector> autodiff_;
  Vector scratch_;
};

}  // namespace ness
