// The noise of the earthquake model (Sec. 4.5).
#pragma once

#include "ness/diffusion/independent_batches.hpp"
#include "ness/training/earthquake.hpp"

namespace ness {

/// D = ½η²ζ²H² (Eq. 33), N × N, per step: the noise of ∇𝓛(θ + ζz) to leading order in ζ, exact for
/// a quadratic 𝓛; and that of the batches, of which the earthquake model has none. With the
/// mobility μ = ηH² of Eq. 33 the Einstein relation holds, β = 2/(ηζ²), and Σ = ½ηζ²H (the paper's
/// text prints the inverse of β).
///
/// Throws `std::invalid_argument` for a bad θ, η or ζ.
template <class M, class R, class Theta, DrawsIndependently T>
  requires ShakingNoise<typename T::Noise>
DynamicMatrix<scalar_t<M>> diffusion(const Objective<M, R>& objective,
                                     const Eigen::MatrixBase<Theta>& theta, const T& training) {
  using Scalar = scalar_t<M>;
  DynamicMatrix<Scalar> d = update_diffusion(objective, theta, training);
  const DynamicMatrix<Scalar> h = objective.hessian(theta);
  const double half = training.learning_rate * training.learning_rate / 2;
  detail::add_scaled(d, static_cast<Scalar>(half * training.noise.evaluation_variance()),
                     detail::symmetric_product(h, h));
  return d;
}

}  // namespace ness
