// Fewer samples than parameters: the Gauss-Newton Hessian, the noise and the state that they make
// in the span of the samples' gradients, exactly (not in the paper).
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "ness/detail/matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/model/regularizer.hpp"

namespace ness {

/// A model whose outputs f are taken to be linear in θ about θ₀, in the coordinates w of θ = θ₀ +
/// Qw: f_i = f_i(θ₀) + L_iᵀw, and the losses quadratic in f,
///   ℓ_i(w) = ℓ_i(θ₀) + z_i · ∂ℓ_i/∂f + ½ z_iᵀ(∂²ℓ_i/∂f∂f)z_i,  z_i = L_iᵀw.
/// Its Hessian is that of Gauss and Newton. r parameters; memory: r numbers for each output of each
/// sample. Made by `GaussNewton`.
template <class S = double>
class LinearizedModel {
 public:
  using Scalar = S;
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// `moves` is L, r × M', `slopes` ∂ℓ_i/∂f_i in column i, outputs × M, and `curvatures` their
  /// second derivatives side by side, outputs × M'.
  LinearizedModel(Matrix moves, Matrix slopes, Matrix curvatures)
      : moves_(std::move(moves)), slopes_(std::move(slopes)), curvatures_(std::move(curvatures)) {}

  Index parameters() const { return moves_.rows(); }
  Index samples() const { return slopes_.cols(); }

  /// Less what it is at θ₀.
  template <class W>
  auto sample_loss(const W& w, Index i) const {
    using T = typename W::Scalar;
    const Eigen::Matrix<T, Eigen::Dynamic, 1> z = of(i).transpose().template cast<T>() * w;
    const Eigen::Matrix<T, Eigen::Dynamic, 1> bent = curvature(i).template cast<T>() * z;
    T sum(0);
    for (Index k = 0; k < z.size(); ++k) sum += z[k] * (slopes_(k, i) + bent[k] / 2);
    return sum;
  }

  void sample_gradients(const Vector& w, Index first, Matrix& gradients) const {
    for (Index j = 0; j < gradients.cols(); ++j) {
      const Index i = first + j;
      const Vector z = of(i).transpose() * w;
      gradients.col(j).noalias() = of(i) * (slopes_.col(i) + curvature(i) * z);
    }
  }

  void sample_hessian_products(const Vector&, Index first, const Matrix& directions,
                               Matrix& products) const {
    for (Index j = 0; j < directions.cols(); ++j) {
      const Index i = first + j;
      const Vector z = of(i).transpose() * directions.col(j);
      products.col(j).noalias() = of(i) * (curvature(i) * z);
    }
  }

  /// LΛLᵀ/M. Cost: a product of r × M' with M' × r.
  void hessian(const Vector&, Matrix& hessian) const {
    Matrix bent(moves_.rows(), moves_.cols());
    for (Index i = 0; i < samples(); ++i)
      bent.middleCols(i * slopes_.rows(), slopes_.rows()).noalias() = of(i) * curvature(i);
    hessian.noalias() = bent * moves_.transpose();
    hessian /= static_cast<Scalar>(samples());
  }

 private:
  using Columns = Eigen::Block<const Matrix, Eigen::Dynamic, Eigen::Dynamic, true>;
  Columns of(Index i) const { return columns_of(moves_, i); }
  Columns curvature(Index i) const { return columns_of(curvatures_, i); }
  Columns columns_of(const Matrix& all, Index i) const {
    return all.middleCols(i * slopes_.rows(), slopes_.rows());
  }

  Matrix moves_, slopes_, curvatures_;
};

/// The objective 𝓛 = L + λ|θ|² with the Gauss-Newton Hessian H = 2λ + JᵀΛJ/M about θ₀, J = ∂f/∂θ of
/// the outputs f of all samples, M' × N, and Λ = ∂²ℓ/∂f∂f: in the span of the rows of J. With
/// JJᵀ = E diag(s) Eᵀ and Q = JᵀE s^{−1/2}, N × r,
///   QᵀHQ = 2λ + LΛLᵀ/M,  Qᵀ∇ℓ_i = L_i ∂ℓ_i/∂f_i,  L = s^{1/2}Eᵀ;
/// in all other directions there is no noise, and Σ = QΣ_wQᵀ: of fewer samples than parameters all
/// of the stationary state, exactly, and without a matrix of N × N. Where the outputs are linear in
/// θ, or the losses of all samples are at their least, it is the state of the model itself.
///
///   const ness::GaussNewton span(objective, minimum.theta);
///   const auto few = span.objective();
///   const auto state = ness::predict(few, ness::minimize(few, span.origin()), training);
///   const auto variance = [&](const auto& direction) {
///     const auto w = span.coordinates(direction);
///     return w.dot(state.covariance() * w);
///   };
///
/// Cost: an eigendecomposition of M' × M', and that of `linearize_outputs`; memory: five such
/// matrices. Directions whose s is rounding, as those of samples that are alike, are left out.
/// Throws `std::invalid_argument` for a θ₀ of another size or not finite.
template <LinearizesOutputs M, class S = double>
class GaussNewton {
 public:
  using Vector = DynamicVector<S>;
  using Matrix = DynamicMatrix<S>;

  /// Linearizes the outputs at θ, which may be any point.
  GaussNewton(const Objective<M, L2>& objective, const Vector& theta)
      : model_(&objective.model()), theta_(objective.point(theta, "GaussNewton")) {
    DynamicMatrix<scalar_t<M>> gram, slopes, curvatures;
    model_->linearize_outputs(theta_, gram, slopes, curvatures);
    const detail::SymmetricEigen<S> eigen(Matrix(gram.template cast<S>()));
    const Index all = gram.rows();
    const S largest = std::max(S(0), eigen.values[all - 1]);
    const S rounding =
        static_cast<S>(std::numeric_limits<scalar_t<M>>::epsilon()) * static_cast<S>(all) * largest;
    Index rank = 0;
    while (rank < all && eigen.values[all - 1 - rank] > rounding) ++rank;
    roots_ = eigen.values.tail(rank).cwiseSqrt();
    directions_ = eigen.vectors.rightCols(rank);
    const Vector origin = coordinates(theta_.template cast<S>());
    const auto lambda = static_cast<S>(objective.regularizer().lambda);
    prior_ = {2 * lambda * Matrix::Identity(rank, rank), 2 * lambda * origin,
              lambda * theta_.template cast<S>().squaredNorm()};
    slopes_ = slopes.template cast<S>();
    curvatures_ = curvatures.template cast<S>();
  }
  GaussNewton(Objective<M, L2>&&, const Vector&) = delete;  // it would dangle

  /// r
  Index parameters() const { return roots_.size(); }
  /// w of θ₀: 0, r.
  Vector origin() const { return Vector::Zero(parameters()); }

  /// 𝓛 in the coordinates w, less the loss L(θ₀).
  Objective<LinearizedModel<S>, QuadraticForm<Matrix>> objective() const {
    return Objective(
        LinearizedModel<S>(roots_.asDiagonal() * directions_.transpose(), slopes_, curvatures_),
        prior_);
  }

  /// Qᵀ · direction, r. Throws `std::invalid_argument` for another size.
  Vector coordinates(const Vector& direction) const {
    return coordinates_of(Matrix(direction)).col(0);
  }
  /// The same of each column of N numbers, r × any.
  Matrix coordinates_of(const Matrix& directions) const {
    detail::require_size(directions, theta_.size(), directions.cols(), "GaussNewton", "directions");
    const block_t<M> along = directions.template cast<scalar_t<M>>();
    DynamicMatrix<scalar_t<M>> products;
    model_->output_products(theta_, along, products);
    Matrix result = directions_.transpose() * products.template cast<S>();
    for (Index j = 0; j < result.cols(); ++j) result.col(j).array() /= roots_.array();
    return result;
  }

 private:
  const M* model_;
  vector_t<M> theta_;
  Vector roots_;       // √s
  Matrix directions_;  // E
  Matrix slopes_, curvatures_;
  QuadraticForm<Matrix> prior_;
};
template <class M>
GaussNewton(const Objective<M, L2>&, const DynamicVector<double>&) -> GaussNewton<M>;

}  // namespace ness
