// What is compared where a training samples a posterior (Sec. 4.6).
#pragma once

#include <string_view>

#include "ness/detail/matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/statistics/estimate.hpp"

namespace ness {

/// N(θ₀, Σ_po), Σ_po = H₀⁻¹ (42, 43): the posterior e^{−𝓛} where 𝓛 is quadratic, which it is for
/// linear models with squared loss and an L2 regularizer; else Laplace's approximation of it.
template <class Scalar = double>
struct GaussianPosterior {
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;
  Vector mean;        ///< θ₀, N
  Matrix precision;   ///< H₀, N × N
  Matrix covariance;  ///< Σ_po = H₀⁻¹, N × N
};

enum class SamplingStatus {
  stationary,           ///< there is a stationary state
  no_stationary_state,  ///< the chain runs away, or nothing holds it
  not_converged         ///< the iteration limit was reached
};

constexpr std::string_view to_string(SamplingStatus status) {
  switch (status) {
    case SamplingStatus::stationary:
      return "stationary";
    case SamplingStatus::no_stationary_state:
      return "no stationary state";
    case SamplingStatus::not_converged:
      return "not converged";
  }
  return "";
}

/// How far the draws of a sampler are from N(θ₀, H₀⁻¹), with standard errors: 0 in theory.
template <class Scalar = double>
struct PosteriorError {
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;
  SamplingStatus status = SamplingStatus::stationary;  ///< is there a stationary state?
  Estimate<Vector> mean_shift;                         ///< ⟨θ⟩ − θ₀, N
  Estimate<Matrix> covariance_excess;  ///< Σ − H₀⁻¹, N × N; of an epoch's end without replacement
  Estimate<double> divergence;         ///< of Eq. 46, in bits
  /// What the standard errors alone would make of the divergence of a perfect sampler.
  double chance = 0;
};

/// The posterior about a minimum. Cost: one eigendecomposition. Throws `std::invalid_argument`
/// unless H₀ is positive definite.
template <class Scalar>
GaussianPosterior<Scalar> gaussian_posterior(const Minimum<Scalar>& minimum) {
  const detail::SymmetricEigen<Scalar> eigen(minimum.hessian);
  if (!(eigen.values[0] > 0))
    detail::invalid("gaussian_posterior",
                    "the Hessian must be positive definite, but its smallest eigenvalue is ",
                    eigen.values[0]);
  return {minimum.theta, minimum.hessian, eigen.function(eigen.values.cwiseInverse())};
}

}  // namespace ness
