// The objective 𝓛(θ) = L(θ) + R(θ) (Eq. 10). L and R stay apart: the noise comes from L alone.
#pragma once

#include <limits>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/model/derivatives.hpp"
#include "ness/model/regularizer.hpp"

namespace ness {

/// 𝓛 = L + R, L = (1/M) Σ_i ℓ_i: a model, which it owns, and a regularizer.
///
/// What is passed by value or moved in here is referred to by chains and estimators, so keep the
/// objective alive while they run. The calls below make their own scratch memory; steps do not
/// use them.
template <class M, class R = NoRegularizer>
class Objective {
  static_assert(HasParameters<M>,
                "ness: your Model needs `Eigen::Index parameters() const`: the number N of "
                "parameters (static and constexpr gives static sizes)");
  static_assert(HasSamples<M>,
                "ness: your Model needs `Eigen::Index samples() const`: the number M of samples");
  static_assert(
      HasSampleLoss<M>,
      "ness: your Model needs `auto sample_loss(const auto& theta, Eigen::Index i) const`: "
      "the loss of sample i, as a number (not an expression of Eigen)");
  static_assert(
      !HasSampleLoss<M> || Differentiable<M>,
      "ness: your Model's gradients cannot be had: make sample_loss generic (`const auto& "
      "theta`, or a template over its scalar), or add `void batch_gradient(const Vector& "
      "theta, ness::Batch batch, Vector& gradient) const` or `void sample_gradients(const "
      "Vector& theta, Eigen::Index first, Matrix& gradients) const`");
  // A member with the right name and the wrong signature would be passed over in silence.
  static_assert(
      HasBatchGradient<M> || !requires { &M::batch_gradient; },
      "ness: your Model's batch_gradient must be callable as `void batch_gradient(const "
      "Vector& theta, ness::Batch batch, Vector& gradient) const`, with the output by "
      "reference (Vector& or Eigen::Ref<Vector>, not by value and not auto&&)");
  static_assert(
      HasSampleGradients<M> || !requires { &M::sample_gradients; },
      "ness: your Model's sample_gradients must be callable as `void sample_gradients("
      "const Vector& theta, Eigen::Index first, Matrix& gradients) const`, with the "
      "output (N x block) by reference");
  static_assert(
      HasSampleHessianProducts<M> || !requires { &M::sample_hessian_products; },
      "ness: your Model's sample_hessian_products must be callable as `void "
      "sample_hessian_products(const Vector& theta, Eigen::Index first, const Matrix& "
      "directions, Matrix& products) const`, with the output (N x block) by reference");
  static_assert(
      HasSampleHessians<M> || !requires { &M::sample_hessians; },
      "ness: your Model's sample_hessians must be callable as `void sample_hessians("
      "const Vector& theta, Eigen::Index first, Matrix& hessians) const`, with the "
      "output (N^2 x block) by reference");
  static_assert(
      HasHessianProduct<M> || !requires { &M::hessian_product; },
      "ness: your Model's hessian_product must be callable as `void hessian_product(const "
      "Vector& theta, const Vector& direction, Vector& product) const`, with the output "
      "by reference");
  static_assert(
      HasHessian<M> || !requires { &M::hessian; },
      "ness: your Model's hessian must be callable as `void hessian(const Vector& theta, "
      "Matrix& hessian) const`, with the output (N x N) by reference");

  static_assert(
      HasBatchHessianProducts<M> || !requires { &M::batch_hessian_products; },
      "ness: your Model's batch_hessian_products must be callable as `void "
      "batch_hessian_products(const Vector& theta, ness::Batch batch, const Matrix& directions, "
      "Matrix& products) const`, with the output (N x any) by reference");
  static_assert(
      HasProjectedGradients<M> || !requires { &M::projected_gradients; },
      "ness: your Model's projected_gradients must be callable as `void projected_gradients("
      "const Vector& theta, Eigen::Index first, const Matrix& subspace, Projections& projections) "
      "const`, with the output (K x block) by reference");
  static_assert(
      HasProjectedHessianProducts<M> || !requires { &M::projected_hessian_products; },
      "ness: your Model's projected_hessian_products must be callable as `void "
      "projected_hessian_products(const Vector& theta, Eigen::Index first, const Vector& "
      "direction, const Matrix& subspace, Projections& projections) const`, with the output "
      "(K x block) by reference");
  static_assert(
      HasProjectedOwnProducts<M> || !requires { &M::projected_own_products; },
      "ness: your Model's projected_own_products must be callable as `void "
      "projected_own_products(const Vector& theta, Eigen::Index first, const Matrix& subspace, "
      "Projections& projections) const`, with the output (K x block) by reference");
  static_assert(
      HasSummedLoss<M> || !requires { &M::summed_loss; },
      "ness: your Model's summed_loss must be callable as `Scalar summed_loss(const "
      "Vector& theta, Eigen::Index first, Eigen::Index count) const`");

 public:
  using Model = M;
  using Regularizer = R;
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  static_assert(ness::Regularizer<R, Vector>,
                "ness: your Regularizer needs `auto value(const auto& theta) const`: R(theta)");

  /// Throws `std::invalid_argument` for a model without parameters or samples, or a regularizer
  /// that does not fit it.
  explicit Objective(M model, R regularizer = R{})
      : model_(std::move(model)), regularizer_(std::move(regularizer)) {
    detail::require(model_.parameters() >= 1, "Objective",
                    "the model must have at least 1 parameter", model_.parameters());
    detail::require(model_.samples() >= 1, "Objective", "the model must have at least 1 sample",
                    model_.samples());
    constexpr Index most = std::numeric_limits<std::uint32_t>::max();
    detail::require(model_.samples() <= most, "Objective",
                    "the number of samples must be below 2^32", model_.samples());
    if constexpr (requires { regularizer_.check(model_.parameters(), "Objective"); })
      regularizer_.check(model_.parameters(), "Objective");
  }

  const M& model() const { return model_; }
  /// R
  const R& regularizer() const { return regularizer_; }
  Index parameters() const { return model_.parameters(); }
  Index samples() const { return model_.samples(); }

  // Each of these takes θ as any vector of Eigen, static or not, in this or another precision.
  // They throw `std::invalid_argument` unless it has N finite elements.

  /// L(θ), without R.
  template <class Theta>
  Scalar loss(const Eigen::MatrixBase<Theta>& theta) const {
    return Derivatives<M>(model_).loss(point(theta, "Objective::loss"));
  }

  /// 𝓛(θ)
  template <class Theta>
  Scalar value(const Eigen::MatrixBase<Theta>& theta) const {
    const Vector at = point(theta, "Objective::value");
    return Derivatives<M>(model_).loss(at) + static_cast<Scalar>(regularizer_.value(at));
  }

  /// ∇L(θ), N, without R. Cost: one pass of sample gradients.
  template <class Theta>
  Vector loss_gradient(const Eigen::MatrixBase<Theta>& theta) const {
    Vector gradient = Vector::Zero(parameters());
    Derivatives<M>(model_).for_each_gradient_block(point(theta, "Objective::loss_gradient"),
                                                   [&](Index, const auto& block) {
                                                     for (Index j = 0; j < block.cols(); ++j)
                                                       gradient += block.col(j);
                                                   });
    gradient /= static_cast<Scalar>(samples());
    return gradient;
  }

  /// ∇𝓛(θ), N. Cost: one pass of sample gradients.
  template <class Theta>
  Vector gradient(const Eigen::MatrixBase<Theta>& theta) const {
    const Vector at = point(theta, "Objective::gradient");
    Vector gradient = loss_gradient(at);
    RegularizerDerivatives<R, Vector>(regularizer_).add_gradient(at, gradient);
    return gradient;
  }

  /// H(θ) · direction, H = ∂∂𝓛.
  template <class Theta, class Direction>
    requires HasCurvature<M>
  Vector hessian_product(const Eigen::MatrixBase<Theta>& theta,
                         const Eigen::MatrixBase<Direction>& direction) const {
    const Vector at = point(theta, "Objective::hessian_product");
    detail::require_size(direction, parameters(), 1, "Objective::hessian_product", "direction");
    const Vector along = detail::converted<Scalar>(direction);
    Vector product(parameters());
    Derivatives<M>(model_).hessian_product(at, along, product);
    RegularizerDerivatives<R, Vector>(regularizer_).add_hessian_product(at, along, product);
    return product;
  }

  /// H(θ) = ∂∂𝓛, N × N. Cost: the model's own Hessian, or N Hessian products.
  template <class Theta>
    requires HasCurvature<M>
  Matrix hessian(const Eigen::MatrixBase<Theta>& theta) const {
    const Vector at = point(theta, "Objective::hessian");
    Matrix hessian;
    Derivatives<M>(model_).hessian(at, hessian);
    add_regularizer_hessian(at, hessian);
    return hessian;
  }

  /// X = ∇R(θ), N.
  template <class Theta>
  Vector regularizer_gradient(const Eigen::MatrixBase<Theta>& theta) const {
    Vector gradient = Vector::Zero(parameters());
    RegularizerDerivatives<R, Vector>(regularizer_)
        .add_gradient(point(theta, "Objective::regularizer_gradient"), gradient);
    return gradient;
  }

  /// Y = ∂∂R(θ), N × N. Cost: N products with it.
  template <class Theta>
  Matrix regularizer_hessian(const Eigen::MatrixBase<Theta>& theta) const {
    Matrix hessian = Matrix::Zero(parameters(), parameters());
    add_regularizer_hessian(point(theta, "Objective::regularizer_hessian"), hessian);
    return hessian;
  }

  /// θ as the model takes it.
  template <class Theta>
  Vector point(const Eigen::MatrixBase<Theta>& theta, std::string_view function) const {
    constexpr int given = Theta::SizeAtCompileTime, needed = Vector::SizeAtCompileTime;
    static_assert(given == Eigen::Dynamic || needed == Eigen::Dynamic || given == needed,
                  "ness: theta must have as many elements as parameters() of the model says");
    detail::require_size(theta, parameters(), 1, function, "theta");
    Vector point = detail::converted<Scalar>(theta);
    detail::require_finite(point, function, "theta");
    return point;
  }

 private:
  void add_regularizer_hessian(const Vector& theta, Matrix& hessian) const {
    RegularizerDerivatives<R, Vector> derivatives(regularizer_);
    Vector unit = Vector::Zero(parameters());
    Vector column(parameters());
    for (Index k = 0; k < parameters(); ++k) {
      unit[k] = Scalar(1);
      column.setZero();
      derivatives.add_hessian_product(theta, unit, column);
      hessian.col(k) += column;
      unit[k] = Scalar(0);
    }
  }

  M model_;
  R regularizer_;
};

}  // namespace ness
