// A system in other coordinates (Sec. 2.1): what changes with them, and what does not.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <utility>

#include "ness/model/dual.hpp"
#include "ness/systems/fokker_planck.hpp"

namespace ness {

namespace detail {

/// log |det A| by elimination with pivots, of numbers of any kind.
template <class Matrix>
typename Matrix::Scalar log_abs_determinant(Matrix a) {
  using std::abs, std::log;
  typename Matrix::Scalar sum(0);
  for (Index k = 0; k < a.rows(); ++k) {
    Index pivot = k;
    for (Index i = k + 1; i < a.rows(); ++i)
      if (abs(a(i, k)) > abs(a(pivot, k))) pivot = i;
    for (Index j = k; j < a.cols(); ++j) std::swap(a(k, j), a(pivot, j));
    sum += log(abs(a(k, k)));
    for (Index i = k + 1; i < a.rows(); ++i) {
      const auto share = a(i, k) / a(k, k);
      for (Index j = k; j < a.cols(); ++j) a(i, j) -= share * a(k, j);
    }
  }
  return sum;
}

}  // namespace detail

/// The same system in coordinates y = φ(θ), J = ∂φ/∂θ, by Itô's formula:
///   D' = JDJᵀ,  drift' = J drift + Σ_αγ D_αγ ∂_α∂_γ φ,  P' = P/|det J|,  v' = Jv.
/// Entropy production, curvature (`curvature`) and being in equilibrium, v = 0, are the same in all
/// coordinates. The conditions of Sec. 2.1 are not:
///   (∇'·G'D')/G' = J (∇·GD)/G + Σ_αγ D_αγ ∂_α∂_γ φ,  G' = G/|det J|,
/// so that (ii) holds in y where each φ_k is harmonic with the weight G, ∇·(GD∇φ_k) = 0; for
/// G = (det D)^{−1/2} these are the harmonic coordinates of the metric D⁻¹. And drift' is −βD'∇'𝓛'
/// for some 𝓛', so that (i) holds, where the system is in equilibrium and (ii) holds in y.
///
/// The map has `auto operator()(const auto& theta) const` and `auto inverse(const auto& y) const`,
/// both generic over the scalar:
///
///   struct Logarithm {
///     auto operator()(const auto& t) const { return t.array().log().matrix().eval(); }
///     auto inverse(const auto& y) const { return y.array().exp().matrix().eval(); }
///   };
///   const ness::InCoordinates system(evolution, Logarithm());
///
/// What it has is D' and the drift, so that trajectories, densities and forces can be had of it. It
/// refers to the system, whose `diffusion` is constant or generic. Cost of a drift: N(N+1)/2
/// evaluations of the map with dual numbers.
template <class S, class Map>
class InCoordinates {
  static_assert(HasGenericDiffusion<S> || HasConstantDiffusion<S>,
                "ness: to be seen in other coordinates your system needs a constant diffusion "
                "matrix or `auto diffusion(const auto& theta) const`");

 public:
  static constexpr int size = parameters_at_compile_time<S>;  ///< N, or Eigen::Dynamic
  using Scalar = scalar_t<S>;
  using Vector = vector_t<S>;
  template <class T>
  using VectorOf = Eigen::Matrix<T, size, 1>;  ///< of other numbers, N
  template <class T>
  using MatrixOf = Eigen::Matrix<T, size, size>;  ///< N × N

  /// Refers to the system, so keep it.
  InCoordinates(const S& system, Map map) : system_(&system), map_(std::move(map)) {}
  InCoordinates(S&&, Map) = delete;

  Index parameters() const
    requires(size == Eigen::Dynamic)
  {
    return system_->parameters();
  }
  static constexpr Index parameters()
    requires(size != Eigen::Dynamic)
  {
    return size;
  }
  /// φ and its inverse.
  const Map& map() const { return map_; }

  /// J(θ), N × N.
  template <class T>
  MatrixOf<T> jacobian(const VectorOf<T>& theta) const {
    using Number = Dual<T, 1>;
    const Index n = theta.size();
    MatrixOf<T> result(n, n);
    VectorOf<Number> point(n);
    for (Index i = 0; i < n; ++i) point[i] = Number(theta[i]);
    for (Index k = 0; k < n; ++k) {
      point[k].derivative[0] = T(1);
      const VectorOf<Number> image = map_(std::as_const(point));
      point[k].derivative[0] = T(0);
      for (Index i = 0; i < n; ++i) result(i, k) = image[i].derivative[0];
    }
    return result;
  }

  /// D' = JDJᵀ at y.
  template <class Y>
  auto diffusion(const Y& y) const {
    using T = typename Y::Scalar;
    const VectorOf<T> theta = map_.inverse(y);
    const MatrixOf<T> j = jacobian<T>(theta);
    return MatrixOf<T>(j * diffusion_at<T>(theta) * j.transpose());
  }

  /// J drift + Σ_αγ D_αγ ∂_α∂_γ φ at y, N.
  void drift(const Vector& y, Vector& drift) const {
    const Vector theta = map_.inverse(y);
    SystemTerms<S> terms(*system_);
    terms.at(theta);
    drift = jacobian<Scalar>(theta) * terms.drift();
    using Number = Dual<Dual<Scalar, 1>, 1>;
    VectorOf<Number> point(theta.size());
    for (Index k = 0; k < theta.size(); ++k)
      for (Index l = 0; l <= k; ++l) {
        for (Index i = 0; i < theta.size(); ++i) point[i] = Number(theta[i]);
        point[k].value.derivative[0] = Scalar(1);
        point[l].derivative[0].value = Scalar(1);
        const VectorOf<Number> image = map_(std::as_const(point));
        const Scalar weight = (k == l ? 1 : 2) * terms.diffusion()(k, l);
        for (Index i = 0; i < theta.size(); ++i)
          drift[i] += weight * image[i].derivative[0].derivative[0];
      }
  }

  /// Φ' = β𝓛 − log G + log|det J| at y, generic over the scalar: e^{−Φ'} is the stationary density
  /// in y of a system in equilibrium (Eq. 4).
  template <class Y>
  auto equilibrium_potential(const Y& y) const
    requires HasBeta<S> && HasPotential<S>
  {
    using T = typename Y::Scalar;
    const VectorOf<T> theta = map_.inverse(y);
    T result = system_->beta() * system_->potential(theta) +
               detail::log_abs_determinant(jacobian<T>(theta));
    if constexpr (HasLogWeight<S>) result -= system_->log_weight(theta);
    return result;
  }

 private:
  template <class T>
  MatrixOf<T> diffusion_at(const VectorOf<T>& theta) const {
    if constexpr (HasConstantDiffusion<S>)
      return matrix_t<S>(system_->diffusion()).template cast<T>();
    else
      return system_->diffusion(theta);
  }

  const S* system_;
  Map map_;
};

}  // namespace ness
