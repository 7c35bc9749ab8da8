// The mobility of a training: how its parameters go down the landscape (Eqs. 13, 33).
#pragma once

#include "ness/detail/matrices.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// μ = ηI of SGD (Eq. 13), with noise injected or not (Eqs. 37, 38), N × N, per update.
///
/// μ = ηH² where the ground shakes (Eq. 33): with it the drift −η∇𝓛 goes down a landscape with the
/// Hessian H⁻¹ (Eq. 34). Throws `std::invalid_argument` for a bad θ or settings that do not fit.
template <class M, class R, class Theta, IsTraining T>
DynamicMatrix<scalar_t<M>> mobility(const Objective<M, R>& objective,
                                    const Eigen::MatrixBase<Theta>& theta, const T& training) {
  using Scalar = scalar_t<M>;
  training.check(objective.samples(), "mobility");
  const vector_t<M> at = objective.point(theta, "mobility");
  DynamicMatrix<Scalar> mobility = DynamicMatrix<Scalar>::Identity(at.size(), at.size());
  if constexpr (ShakingNoise<typename T::Noise>) {
    const DynamicMatrix<Scalar> h = objective.hessian(at);
    mobility = detail::symmetric_product(h, h);
  }
  mobility *= static_cast<Scalar>(training.learning_rate);
  return mobility;
}

}  // namespace ness
