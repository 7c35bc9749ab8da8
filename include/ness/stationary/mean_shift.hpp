// Where the mean of the stationary state is, beyond the Gaussian theory.
#pragma once

#include "ness/detail/symmetric_eigen.hpp"
#include "ness/diffusion/with_replacement.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/training/training.hpp"

namespace ness {

namespace detail {

/// The second moment, about the state, of the points where a training takes its gradients, N × N.
template <class M, class R, class T>
matrix_t<M> moment_of_evaluation(const Objective<M, R>& objective, const T& training,
                                 const StationaryState<matrix_t<M>>& state) {
  using Scalar = scalar_t<M>;
  matrix_t<M> moment = state.covariance;
  if constexpr (ShakingNoise<decltype(T::noise)>)
    moment.diagonal().array() += static_cast<Scalar>(training.noise.evaluation_variance());
  if constexpr (std::is_same_v<decltype(T::minibatch), WithoutReplacement>) {
    // Within an epoch, after t of its n updates: 2D t(n−t)/(n−1), the bridge of a walk whose steps
    // add up to a fixed sum. Its mean over t = 0 ... n−1 is D(n+1)/3.
    const Sgd<WithReplacement> step{training.learning_rate, {training.minibatch.batch_size}};
    const auto n = static_cast<Scalar>(objective.samples() / training.minibatch.batch_size);
    moment += (n + 1) / 3 * diffusion(objective, state.mean, step);
  }
  return moment;
}

}  // namespace detail

/// ⟨θ⟩ − `state.mean` to leading order in S (not in the paper), N: the mean force vanishes in a
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
template <class M, class R, class T>
vector_t<M> mean_shift(const Objective<M, R>& objective, const T& training,
                       const StationaryState<matrix_t<M>>& state) {
  using Scalar = scalar_t<M>;
  training.check(objective.samples(), "mean_shift");
  const detail::SymmetricEigen<matrix_t<M>> spread(
      detail::moment_of_evaluation(objective, training, state));
  vector_t<M> force = vector_t<M>::Zero(state.mean.size());
  const vector_t<M> centre = objective.gradient(state.mean);
  for (Index k = 0; k < force.size(); ++k) {
    if (!(spread.values[k] > 0)) continue;
    const vector_t<M> step = std::sqrt(spread.values[k]) * spread.vectors.col(k);
    force += (objective.gradient(state.mean + step) - centre) +
             (objective.gradient(state.mean - step) - centre);
  }
  const auto updates =
      static_cast<Scalar>(training.minibatch.updates_per_markov_step(objective.samples()));
  detail::DynamicVector<Scalar> shift = -updates / 2 * force;
  detail::solve_positive_definite<Scalar>(state.hessian, shift);
  return shift;
}

}  // namespace ness
