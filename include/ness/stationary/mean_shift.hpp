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

/// The mean over the n updates of an epoch of the second moment before each, N × N, to all orders
/// in ηnh: of the Σ of its start, the D of an update, and one Hessian for all batches,
///   (1/n) Σ_t {AᵗΣAᵗ + (2/(n−1)) [n Σ_{k<t} AᵏDAᵏ − (Σ_{k<t} Aᵏ) D (Σ_{k<t} Aᵏ)]},  A = I − ηH.
template <class Scalar>
DynamicMatrix<Scalar> moment_within_epoch(const DynamicMatrix<Scalar>& covariance,
                                          const DynamicMatrix<Scalar>& diffusion,
                                          const DynamicMatrix<Scalar>& hessian,
                                          double learning_rate, Index updates);

/// The second moment, about the state, of the points where a training takes its gradients, N × N.
template <class M, class R, IsTraining T>
DynamicMatrix<scalar_t<M>> moment_of_evaluation(const Objective<M, R>& objective, const T& training,
                                                const StationaryState<scalar_t<M>>& state,
                                                const DynamicMatrix<scalar_t<M>>& hessian) {
  using Scalar = scalar_t<M>;
  DynamicMatrix<Scalar> moment = state.covariance();
  if constexpr (ShakingNoise<typename T::Noise>)
    moment.diagonal().array() += static_cast<Scalar>(training.noise.evaluation_variance());
  if constexpr (DrawsEpochs<T>) {
    const Index n = training.updates_per_markov_step(objective.samples());
    const DynamicMatrix<Scalar> d = update_diffusion(objective, state.mean(), training);
    if (!IsSampler<T> && state.form() == LyapunovForm::discrete)
      return moment_within_epoch<Scalar>(moment, d, hessian, training.learning_rate, n);
    // In leading order 2D t(n−t)/(n−1) after t updates, the bridge of a walk whose steps add up to
    // a fixed sum. Its mean over t = 0 ... n−1 is D(n+1)/3.
    moment += static_cast<Scalar>(n + 1) / 3 * d;
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
/// the earthquake model, and without replacement its mean over an epoch, for within one the
/// parameters wander much farther than from epoch to epoch: Σ̂ + D(n+1)/3 with the D of a single
/// step, or, of a state beyond the leading order, that to all orders in ηnh. The mean at the end of
/// an epoch differs from that over its updates by a relative ηnh/2 of the shift.
///
/// The second derivatives of ∇𝓛 are taken as central differences one standard deviation to either
/// side along each eigenvector of S. Cost: 2N gradients and a Hessian, and nN² operations within
/// epochs. It is 0 for a loss quadratic in θ. Throws `std::invalid_argument` for a training that
/// does not fit.
template <class M, class R, IsTraining T>
DynamicVector<scalar_t<M>> mean_shift(const Objective<M, R>& objective, const T& training,
                                      const StationaryState<scalar_t<M>>& state) {
  using Scalar = scalar_t<M>;
  using Vector = DynamicVector<Scalar>;
  training.check(objective.samples(), "mean_shift");
  const DynamicMatrix<Scalar> hessian = objective.hessian(state.mean());
  const detail::SymmetricEigen<Scalar> spread(
      detail::moment_of_evaluation(objective, training, state, hessian));
  const Vector centre = objective.gradient(state.mean());
  Vector force = Vector::Zero(centre.size());
  for (Index k = 0; k < force.size(); ++k) {
    if (!(spread.values[k] > 0)) continue;
    const Vector axis = spread.vectors.col(k);
    for (const Scalar sign : {Scalar(1), Scalar(-1)}) {
      const Scalar length = sign * std::sqrt(spread.values[k]);
      Vector gradient = objective.gradient(detail::moved(state.mean(), length, axis));
      gradient -= centre;
      force += gradient;
    }
  }
  force *= Scalar(-0.5);
  detail::solve_positive_definite(hessian, force);
  return force;
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library
namespace ness::detail {

template <class Scalar>
DynamicMatrix<Scalar> moment_within_epoch(const DynamicMatrix<Scalar>& covariance,
                                          const DynamicMatrix<Scalar>& diffusion,
                                          const DynamicMatrix<Scalar>& hessian,
                                          double learning_rate, Index updates) {
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;
  if (updates < 2) return covariance;
  const SymmetricEigen<Scalar> eigen(hessian);
  const Matrix back = transposed(eigen.vectors);
  const Matrix start = symmetric_product(back, product(covariance, eigen.vectors));
  const Matrix d = symmetric_product(back, product(diffusion, eigen.vectors));
  const Index size = start.rows();
  const auto n = static_cast<Scalar>(updates);
  const auto eta = static_cast<Scalar>(learning_rate);
  Vector power = Vector::Ones(size), sum = Vector::Zero(size);  // Aᵗ, and of those before
  Matrix squares = Matrix::Zero(size, size);                    // of their products
  Matrix moment = squares;
  for (Index t = 0; t < updates; ++t) {
    for (Index j = 0; j < size; ++j)
      for (Index i = j; i < size; ++i) {
        const Scalar product = power[i] * power[j];
        moment(i, j) +=
            product * start(i, j) + 2 * d(i, j) * (n * squares(i, j) - sum[i] * sum[j]) / (n - 1);
        squares(i, j) += product;
      }
    for (Index k = 0; k < size; ++k) {
      sum[k] += power[k];
      power[k] *= 1 - eta * eigen.values[k];
    }
  }
  mirror(moment);
  moment *= 1 / n;
  return symmetric_product(eigen.vectors, product(moment, back));
}

}  // namespace ness::detail
#endif
