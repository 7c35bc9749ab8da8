// Is e^{−𝓛} the posterior that was meant?
#pragma once

#include <Eigen/Core>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/model/derivatives.hpp"

namespace ness {

/// What the losses are multiplied by beside a likelihood: about 1 where ℓ_i = −M log p(y_i|θ), so
/// that e^{−𝓛} is the posterior of the prior e^{−R}, and 1/M where they are −log p and M was
/// forgotten. Samplers then draw from a posterior of one sample in place of M. (Not in the paper.)
///
/// For a likelihood that the data come from, the mean square of the gradients of log p is minus its
/// mean Hessian (the information equality: H. White, Econometrica 50, 1982, doi:10.2307/1912526),
/// so this is
///   tr(H₀⁻¹⟨∇ℓ_i∇ℓ_iᵀ⟩) / (M tr(H₀⁻¹H_L))
/// at the minimum, the same in any units of θ. Losses with a noise that is not that of the data
/// show as well: squared losses taken for the variance σ², of residuals that have s², give s²/σ².
/// It is sure to √(2/M) or so; a likelihood of the wrong shape gives another number, of order 1.
///
/// Cost: one pass over gradients, a Hessian and products of N × N with each block of gradients.
/// Throws `std::invalid_argument` unless the Hessian is positive definite.
template <class M, class R>
double likelihood_scale(const Objective<M, R>& objective, const Minimum<scalar_t<M>>& minimum) {
  using Scalar = scalar_t<M>;
  using Matrix = DynamicMatrix<Scalar>;
  const auto theta = objective.point(minimum.theta, "likelihood_scale");
  const detail::SymmetricEigen<Scalar> eigen(minimum.hessian);
  if (!(eigen.values[0] > 0))
    detail::invalid("likelihood_scale",
                    "the Hessian must be positive definite, but its smallest eigenvalue is ",
                    eigen.values[0]);
  const Matrix root = eigen.function(eigen.values.cwiseSqrt().cwiseInverse());
  double squares = 0;
  Derivatives<M>(objective.model())
      .for_each_gradient_block(theta, [&](Index, const auto& gradients) {
        squares += static_cast<double>((root * gradients).squaredNorm());
      });
  const Matrix of_losses = minimum.hessian - objective.regularizer_hessian(theta);
  const auto samples = static_cast<double>(objective.samples());
  const auto curvature = static_cast<double>((root * of_losses * root).trace());
  return squares / (samples * samples * curvature);
}

}  // namespace ness
