// A model in other coordinates, in which its posterior is nearly round (Sec. 4.6).
#pragma once

#include <Eigen/Core>
#include <optional>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/model/derivatives.hpp"
#include "ness/model/regularizer.hpp"

namespace ness {

namespace detail {

/// θ₀ + S w, also of dual numbers.
template <class Vector, class Map, class V>
auto image(const Vector& centre, const Map& map, const V& w) {
  using T = typename V::Scalar;
  Eigen::Matrix<T, Vector::RowsAtCompileTime, 1> result = centre.template cast<T>();
  for (Eigen::Index k = 0; k < w.size(); ++k)
    for (Eigen::Index j = 0; j < w.size(); ++j) result[j] += map(j, k) * w[k];
  return result;
}

}  // namespace detail

/// The model at θ = θ₀ + S w, as a model of w: ∇_wℓ = Sᵀ∇ℓ, ∂_w∂_wℓ = Sᵀ(∂∂ℓ)S.
///
/// Langevin dynamics of w with the learning rate η is that of θ with the mobility ηSSᵀ. Where the
/// curvatures of a posterior are decades apart, S Sᵀ ≈ H₀⁻¹ makes all directions relax at one rate:
/// see `precondition`. Cost: two products of N × N with a vector for each step, and with each
/// column of a block.
template <class M>
class Preconditioned {
 public:
  using Scalar = scalar_t<M>;
  using Theta = vector_t<M>;
  using Map = matrix_t<M>;

  /// Scratch for one thread. It refers to the model that it was first used with.
  struct Workspace {
    std::optional<Derivatives<M>> derivatives;
    Theta w, theta, gradient;
    block_t<M> directions, products;
  };

  /// Throws `std::invalid_argument` unless `centre` has N and `map` N × N finite elements.
  Preconditioned(M model, Theta centre, Map map)
      : model_(std::move(model)), centre_(std::move(centre)), map_(std::move(map)) {
    const Index n = model_.parameters();
    detail::require_size(centre_, n, 1, "Preconditioned", "centre");
    detail::require_size(map_, n, n, "Preconditioned", "map");
    detail::require_finite(centre_, "Preconditioned", "centre");
    detail::require_finite(map_, "Preconditioned", "map");
  }

  Index parameters() const
    requires(parameters_at_compile_time<M> == Eigen::Dynamic)
  {
    return model_.parameters();
  }
  static constexpr Index parameters()
    requires(parameters_at_compile_time<M> != Eigen::Dynamic)
  {
    return M::parameters();
  }
  Index samples() const { return model_.samples(); }
  const M& model() const { return model_; }
  /// θ₀, which w = 0 is.
  const Theta& centre() const { return centre_; }
  /// A of θ = θ₀ + Aw, N × N.
  const Map& map() const { return map_; }

  /// θ = θ₀ + S w
  template <class V>
  auto theta(const V& w) const {
    return detail::image(centre_, map_, w);
  }

  template <class V>
  auto sample_loss(const V& w, Index i) const {
    return model_.sample_loss(theta(w), i);
  }
  template <class V>
  Scalar loss(const V& w) const {
    return Derivatives<M>(model_).loss(theta(w));
  }

  void batch_gradient(const Theta& w, Batch batch, Theta& gradient, Workspace& ws) const {
    go_to(w, ws);
    ws.gradient.resize(w.size());
    ws.derivatives->batch_gradient(ws.theta, batch, ws.gradient);
    gradient.noalias() = map_.transpose() * ws.gradient;
  }

  void sample_gradients(const Theta& w, Index first, block_t<M>& gradients, Workspace& ws) const {
    go_to(w, ws);
    ws.products.resize(gradients.rows(), gradients.cols());
    ws.derivatives->sample_gradients(ws.theta, first, ws.products);
    gradients.noalias() = map_.transpose() * ws.products;
  }

  void sample_hessian_products(const Theta& w, Index first, const block_t<M>& directions,
                               block_t<M>& products, Workspace& ws) const
    requires TwiceDifferentiable<M>
  {
    go_to(w, ws);
    ws.directions.noalias() = map_ * directions;
    ws.products.resize(directions.rows(), directions.cols());
    ws.derivatives->sample_hessian_products(ws.theta, first, ws.directions, ws.products);
    products.noalias() = map_.transpose() * ws.products;
  }

  /// Sᵀ H_L S
  void hessian(const Theta& w, Map& hessian) const
    requires HasCurvature<M>
  {
    Map of_theta;
    Derivatives<M>(model_).hessian(theta(w), of_theta);
    hessian.noalias() = map_.transpose() * (of_theta * map_);
  }

 private:
  void go_to(const Theta& w, Workspace& ws) const {
    // Many calls may follow with the same point, one for each sample.
    if (ws.derivatives && ws.w == w) return;
    if (!ws.derivatives) ws.derivatives.emplace(model_);
    ws.w = w;
    ws.theta = centre_;
    ws.theta.noalias() += map_ * w;
  }

  M model_;
  Theta centre_;
  Map map_;
};

/// R(θ₀ + S w) as a regularizer of w, of any R. Cost: two products of N × N with a vector, and R's.
template <class R, class Vector, class Map>
class RegularizerInCoordinates {
 public:
  /// Scratch for one thread. It refers to the regularizer that it was first used with.
  struct Workspace {
    std::optional<RegularizerDerivatives<R, Vector>> derivatives;
    Vector theta, direction, of_theta;
  };

  /// Of θ₀, N, and S, N × N.
  RegularizerInCoordinates(R regularizer, Vector centre, Map map)
      : regularizer_(std::move(regularizer)), centre_(std::move(centre)), map_(std::move(map)) {}

  template <class V>
  typename V::Scalar value(const V& w) const {
    return regularizer_.value(detail::image(centre_, map_, w));
  }
  void add_gradient(const Vector& w, Vector& gradient, Workspace& ws) const {
    go_to(w, ws);
    ws.derivatives->add_gradient(ws.theta, ws.of_theta);
    gradient.noalias() += map_.transpose() * ws.of_theta;
  }
  void add_hessian_product(const Vector& w, const Vector& direction, Vector& product,
                           Workspace& ws) const {
    go_to(w, ws);
    ws.direction.noalias() = map_ * direction;
    ws.derivatives->add_hessian_product(ws.theta, ws.direction, ws.of_theta);
    product.noalias() += map_.transpose() * ws.of_theta;
  }

 private:
  void go_to(const Vector& w, Workspace& ws) const {
    if (!ws.derivatives) ws.derivatives.emplace(regularizer_);
    ws.theta = centre_;
    ws.theta.noalias() += map_ * w;
    ws.of_theta.setZero(w.size());
  }

  R regularizer_;
  Vector centre_;
  Map map_;
};

namespace detail {

/// R(θ₀ + S w): of those that are at most quadratic as such a form.
template <class R, class Vector, class Map>
auto regularizer_in_coordinates(const R& regularizer, const Vector& centre, const Map& map) {
  return RegularizerInCoordinates<R, Vector, Map>(regularizer, centre, map);
}
template <class Vector, class Map>
auto regularizer_in_coordinates(const NoRegularizer&, const Vector&, const Map&) {
  return NoRegularizer{};
}
template <class Matrix, class Vector, class Map>
auto regularizer_in_coordinates(const QuadraticForm<Matrix>& form, const Vector& centre,
                                const Map& map) {
  const Vector pulled = form.curvature * centre + form.slope;
  return QuadraticForm<Map>{map.transpose() * form.curvature * map, map.transpose() * pulled,
                            form.value(centre)};
}
template <class Vector, class Map>
auto regularizer_in_coordinates(const L2& l2, const Vector& centre, const Map& map) {
  using Scalar = typename Vector::Scalar;
  const auto twice = static_cast<Scalar>(2 * l2.lambda);
  return QuadraticForm<Map>{twice * map.transpose() * map, twice * map.transpose() * centre,
                            twice / 2 * centre.squaredNorm()};
}

}  // namespace detail

/// 𝓛(θ₀ + S w) as an objective of w, whose gradient steps with η are those of θ with ηSSᵀ, as of
/// `preconditioner_for`: θ₀ = `centre`, N, and S = `map`, N × N. The model is copied. Throws
/// `std::invalid_argument` for other sizes, or numbers that are not finite.
template <class M, class R, class Centre, class Map>
auto in_coordinates(const Objective<M, R>& objective, const Eigen::MatrixBase<Centre>& centre,
                    const Eigen::MatrixBase<Map>& map) {
  using Matrix = matrix_t<M>;
  const vector_t<M> at = objective.point(centre, "in_coordinates");
  detail::require_size(map, at.size(), at.size(), "in_coordinates", "map");
  const Matrix s = map;
  return Objective(Preconditioned<M>(objective.model(), at, s),
                   detail::regularizer_in_coordinates(objective.regularizer(), at, s));
}

/// 𝓛(θ₀ + S w) as an objective of w with S = H₀^{−½}: its Hessian at w = 0 is I, so that the
/// posterior is nearly N(0, I) and Langevin dynamics relaxes in 1/η steps in all directions.
///
/// `centre` and `hessian` are those of a minimum, say. The model is copied. Throws
/// `std::invalid_argument` unless the Hessian is positive definite.
template <class M, class R, class Centre, class Hessian>
auto precondition(const Objective<M, R>& objective, const Eigen::MatrixBase<Centre>& centre,
                  const Eigen::MatrixBase<Hessian>& hessian) {
  using Scalar = scalar_t<M>;
  using Matrix = matrix_t<M>;
  const vector_t<M> at = objective.point(centre, "precondition");
  detail::require_size(hessian, at.size(), at.size(), "precondition", "hessian");
  const detail::SymmetricEigen<Scalar> eigen(hessian.template cast<Scalar>());
  if (!(eigen.values[0] > 0))
    detail::invalid("precondition",
                    "the Hessian must be positive definite, but its smallest eigenvalue is ",
                    eigen.values[0]);
  const Matrix map = eigen.function(eigen.values.cwiseSqrt().cwiseInverse());
  return in_coordinates(objective, at, map);
}

}  // namespace ness
