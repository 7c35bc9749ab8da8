// The inverse variance–flatness relation (Sec. 4.5; Y. Feng and Y. Tu, PNAS 118, e2015617118, 2021,
// doi:10.1073/pnas.2015617118).
#pragma once

#include <cmath>
#include <limits>
#include <numbers>

#include "ness/detail/symmetric_matrices.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/stationary/stationary_state.hpp"

namespace ness {

/// The flatness of 𝓛 at θ along `direction`: the distance θ_r − θ_l between the nearest points to
/// either side where 𝓛 = e · 𝓛(θ), as Feng and Tu define it.
///
/// Infinite where 𝓛 stays below that level up to `reach` lengths of `direction` to a side. Found by
/// strides that grow by a quarter from `reach`·1e-9 on, and bisection to rounding: a crossing and
/// return within one stride is passed over. Cost: some 300 values of 𝓛. Throws
/// `std::invalid_argument` unless 𝓛(θ) is positive, the sizes fit and `direction` is not 0.
template <class M, class R>
scalar_t<M> flatness(const Objective<M, R>& objective, const DynamicVector<scalar_t<M>>& theta,
                     const DynamicVector<scalar_t<M>>& direction, double reach = 1e3) {
  using Scalar = scalar_t<M>;
  constexpr std::string_view name = "flatness";
  detail::require_size(direction, theta.size(), 1, name, "direction");
  detail::require_finite(direction, name, "direction");
  if (!(direction.norm() > 0))
    detail::invalid(name, "direction must not be 0, but its norm is ", direction.norm());
  detail::require_positive(reach, name, "reach");
  const Scalar centre = objective.value(theta);
  detail::require(centre > 0, name, "the objective must be positive at theta", centre);
  const Scalar level = std::numbers::e_v<Scalar> * centre;
  const auto below = [&](Scalar t) { return objective.value(theta + t * direction) < level; };
  const auto crossing = [&](Scalar sign) {
    Scalar inside = 0;
    auto outside = static_cast<Scalar>(reach * 1e-9);
    while (below(sign * outside)) {
      if (outside >= static_cast<Scalar>(reach)) return std::numeric_limits<Scalar>::infinity();
      inside = outside;
      outside *= Scalar(1.25);
    }
    for (;;) {
      const Scalar middle = inside + (outside - inside) / 2;
      if (!(middle > inside && middle < outside)) return outside;
      (below(sign * middle) ? inside : outside) = middle;
    }
  };
  return (crossing(1) + crossing(-1)) * direction.norm();
}

/// Variance and flatness along each eigenvector of Σ, by increasing variance.
template <class Scalar = double>
struct VarianceFlatness {
  DynamicVector<Scalar> variance;    ///< eigenvalues of Σ, N
  DynamicVector<Scalar> flatness;    ///< N
  DynamicMatrix<Scalar> directions;  ///< eigenvectors of Σ in columns, N × N
};

/// The variance–flatness relation of a state, at its mean: where the variance grows as the flatness
/// falls it is the inverse of what Boltzmann's distribution on 𝓛 would have.
///
/// Cost: one eigendecomposition and some 300 N values of 𝓛. Throws as `flatness`.
template <class M, class R>
VarianceFlatness<scalar_t<M>> variance_flatness(const Objective<M, R>& objective,
                                                const StationaryState<scalar_t<M>>& state) {
  using Scalar = scalar_t<M>;
  const detail::SymmetricEigen<Scalar> spread(state.covariance());
  VarianceFlatness<Scalar> result{spread.values, spread.values, spread.vectors};
  for (Index k = 0; k < spread.values.size(); ++k) {
    const DynamicVector<Scalar> direction = spread.vectors.col(k);
    result.flatness[k] = flatness(objective, state.mean(), direction);
  }
  return result;
}

}  // namespace ness
