// Where the mean of the stationary state is, beyond the Gaussian theory.
#pragma once

#include "ness/detail/symmetric_eigen.hpp"
#include "ness/model/objective.hpp"
#include "ness/stationary/stationary_state.hpp"

namespace ness {

/// ⟨θ⟩ − θ₀ to leading order in Σ (not in the paper), N: the mean force vanishes in a stationary
/// state, ⟨∇𝓛⟩ = H⟨δθ⟩ + ½ Σ_βγ (∂_β∂_γ∇𝓛) Σ_βγ = 0, so where the landscape has a third derivative
/// the mean is not at the minimum. The Gaussian theory of Sec. 3.3, in which it is, leaves this
/// out: it is of the order of Σ, while the spread is of the order of √Σ.
///
/// The second derivatives of ∇𝓛 are taken as central differences one standard deviation to either
/// side along each eigenvector of Σ. Cost: 2N gradients. It is 0 for a loss quadratic in θ.
template <class M, class R>
vector_t<M> mean_shift(const Objective<M, R>& objective,
                       const StationaryState<matrix_t<M>>& state) {
  const detail::SymmetricEigen<matrix_t<M>> spread(state.covariance);
  vector_t<M> force = vector_t<M>::Zero(state.mean.size());
  const vector_t<M> centre = objective.gradient(state.mean);
  for (Index k = 0; k < force.size(); ++k) {
    if (!(spread.values[k] > 0)) continue;
    const vector_t<M> step = std::sqrt(spread.values[k]) * spread.vectors.col(k);
    force += (objective.gradient(state.mean + step) - centre) +
             (objective.gradient(state.mean - step) - centre);
  }
  detail::DynamicVector<scalar_t<M>> shift = -force / 2;
  detail::solve_positive_definite<scalar_t<M>>(state.hessian, shift);
  return shift;
}

}  // namespace ness
