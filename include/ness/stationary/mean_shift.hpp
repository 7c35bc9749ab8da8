// Where the mean of the stationary state is, beyond the Gaussian theory.
#pragma once

#include <cmath>

#include "ness/detail/symmetric_matrices.hpp"
#include "ness/diffusion/independent_batches.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/training/training.hpp"

namespace ness {

namespace detail {

/// The second moment, about the state, of the points where a training takes its gradients, N × N.
template <class M, class R, IsTraining T>
DynamicMatrix<scalar_t<M>> moment_of_evaluation(const Objective<M, R>& objective, const T& training,
                                                const StationaryState<scalar_t<M>>& state) {
  using Scalar = scalar_t<M>;
  DynamicMatrix<Scalar> moment = state.covariance();
  if constexpr (ShakingNoise<typename T::Noise>)
    moment.diagonal().array() += static_cast<Scalar>(training.noise.evaluation_variance());
  if constexpr (DrawsEpochs<T>) {
    // Within an epoch, after t of its n updates: 2D t(n−t)/(n−1), the bridge of a walk whose steps
    // add up to a fixed sum. Its mean over t = 0 ... n−1 is D(n+1)/3.
    const auto n = static_cast<Scalar>(training.updates_per_markov_step(objective.samples()));
    moment += (n + 1) / 3 * update_diffusion(objective, state.mean(), training);
  }
  return moment;
}

}  // namespace detail

/// ⟨θ⟩ − `state.mean()` to leading order in S (not in the paper), N: the mean force vanishes in a
/// stationary state, H⟨δθ⟩ + ½ Σ_βγ (∂_β∂_γ∇𝓛) S_βγ = 0, so where the landscape has a third
/// derivative the mean is not at the minimum. The Gaussian theory of Sec. 3.3 leaves this out: it
/// is of the order of Σ, while the spread is of the order of √Σ.
///
/// S is the second moment of the points where gradients are taken: Σ with replacement, Σ + ζ²I in
/// the earthquake model, and without replacement Σ̂ + D(n+1)/3 with the D of a single step, for
/// within an epoch the parameters wander much farther than from epoch to epoch; H and the force are
/// per epoch then.
///
/// The second derivatives of ∇𝓛 are taken as central differences one standard deviation to either
/// side along each eigenvector of S. Cost: 2N gradients. It is 0 for a loss quadratic in θ. Throws
/// `std::invalid_argument` for a training that does not fit.
template <class M, class R, IsTraining T>
DynamicVector<scalar_t<M>> mean_shift(const Objective<M, R>& objective, const T& training,
                                      const StationaryState<scalar_t<M>>& state) {
  using Scalar = scalar_t<M>;
  using Vector = DynamicVector<Scalar>;
  training.check(objective.samples(), "mean_shift");
  const detail::SymmetricEigen<Scalar> spread(
      detail::moment_of_evaluation(objective, training, state));
  const Vector centre = objective.gradient(state.mean());
  Vector force = Vector::Zero(centre.size());
  for (Index k = 0; k < force.size(); ++k) {
    if (!(spread.values[k] > 0)) continue;
    for (const Scalar sign : {Scalar(1), Scalar(-1)}) {
      const Vector moved =
          state.mean() + sign * std::sqrt(spread.values[k]) * spread.vectors.col(k);
      const Vector gradient = objective.gradient(moved);
      force += gradient - centre;
    }
  }
  // K⟨δθ⟩ = −½η n Σ …, per Markov step of n updates
  const double updates = static_cast<double>(training.updates_per_markov_step(objective.samples()));
  Vector shift = static_cast<Scalar>(-training.learning_rate * updates / 2) * force;
  detail::solve_positive_definite(state.relaxation(), shift);
  return shift;
}

}  // namespace ness
