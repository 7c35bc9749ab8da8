// The noise of the earthquake model (Sec. 4.5).
#pragma once

#include "ness/landscape/objective.hpp"
#include "ness/training/earthquake.hpp"

namespace ness {

/// D = ½η²ζ²H² (Eq. 33), N × N, per step: the noise of ∇𝓛(θ + ζz) to leading order in ζ, exact for
/// a quadratic 𝓛. With the mobility μ = ηH² of Eq. 33 the Einstein relation holds,
/// β = 2/(ηζ²), and Σ = ½ηζ²H (the paper's text prints the inverse of β).
///
/// Throws `std::invalid_argument` for a bad θ, η or ζ.
template <class M, class R>
matrix_t<M> diffusion(const Objective<M, R>& objective, const vector_t<M>& theta,
                      const EarthquakeModel& training) {
  using Scalar = scalar_t<M>;
  objective.check(theta, "diffusion");
  training.check(objective.samples(), "diffusion");
  const matrix_t<M> noise =
      static_cast<Scalar>(training.learning_rate * training.noise.zeta) * objective.hessian(theta);
  return noise * noise / 2;
}

/// μ = ηH² (Eq. 33), N × N: with it the drift −η∇𝓛 goes down a landscape with the Hessian H⁻¹
/// (Eq. 34).
template <class M, class R>
matrix_t<M> mobility(const Objective<M, R>& objective, const vector_t<M>& theta,
                     const EarthquakeModel& training) {
  objective.check(theta, "mobility");
  training.check(objective.samples(), "mobility");
  const matrix_t<M> h = objective.hessian(theta);
  return static_cast<scalar_t<M>>(training.learning_rate) * h * h;
}

/// μ = ηI of SGD (Eq. 13), with noise injected or not (Eqs. 37, 38), N × N.
template <class M, class R, Minibatch B, class Noise, class Correction>
matrix_t<M> mobility(const Objective<M, R>& objective, const vector_t<M>& theta,
                     const Training<B, Noise, Correction>& training) {
  objective.check(theta, "mobility");
  training.check(objective.samples(), "mobility");
  return static_cast<scalar_t<M>>(training.learning_rate) *
         matrix_t<M>::Identity(theta.size(), theta.size());
}

}  // namespace ness
