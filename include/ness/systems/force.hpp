// Forces of a system: what its entropy production is made of (Eq. 7).
#pragma once

#include <utility>

#include "ness/detail/static_cholesky.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/systems/fokker_planck.hpp"

namespace ness {

/// Φ = β𝓛 − log G: of a system in equilibrium, e^{−Φ} is its stationary density (Eq. 4). G is the
/// system's own `log_weight`, else 1. It refers to the system.
template <class S>
class EquilibriumPotential {
  static_assert(HasBeta<S> && HasLandscape<S>,
                "ness: the density of equilibrium needs `double beta() const` and the potential of "
                "your system, not its drift alone");

 public:
  using Scalar = scalar_t<S>;
  using Vector = vector_t<S>;

  /// Refers to the system, so keep it.
  explicit EquilibriumPotential(const S& system)
      : terms_(system), weight_gradient_(system.parameters()) {}
  explicit EquilibriumPotential(S&&) = delete;

  /// Φ(θ), up to a constant.
  Scalar operator()(const Vector& theta) const
    requires HasPotential<S>
  {
    const S& system = terms_.system();
    Scalar potential = static_cast<Scalar>(system.beta()) * system.potential(theta);
    if constexpr (HasLogWeight<S>) potential -= system.log_weight(theta);
    return potential;
  }

  /// Overwrites `gradient` with ∇Φ(θ), N.
  void gradient(const Vector& theta, Vector& gradient) {
    const S& system = terms_.system();
    gradient = static_cast<Scalar>(system.beta()) * terms_.at(theta).gradient();
    if constexpr (HasLogWeight<S>) {
      autodiff_.gradient([&](const auto& t) { return system.log_weight(t); }, theta,
                         weight_gradient_);
      gradient -= weight_gradient_;
    }
  }

 private:
  SystemTerms<S> terms_;
  Vector weight_gradient_;
  Autodiff<Vector> autodiff_;
};

/// D⁻¹(−μ∇𝓛 − ∇·D), the force that does the work of the trajectory: where the system has settled,
/// D∇Φ is the rest of v^s (Eq. 3), and ∫∇Φ∘dθ is the difference of Φ between the ends. So the mean
/// of ∫F∘dθ is the entropy production of the stationary state, whose density need not be known.
///
/// Cost: that of the drift and ∇·D, and a Cholesky solve, N³/3, unless μ = βD and ∇·D = 0.
template <class S>
class ThermodynamicForce {
 public:
  using Vector = vector_t<S>;

  /// Refers to the system, so keep it.
  explicit ThermodynamicForce(const S& system) : terms_(system), rest_(system.parameters()) {}
  explicit ThermodynamicForce(S&&) = delete;

  /// Overwrites `force`, N. Throws `std::invalid_argument` where D is not positive definite.
  void operator()(const Vector& theta, Vector& force) {
    terms_.at(theta);
    here(force);
  }

  /// The same at the point where `terms` is.
  void here(Vector& force) {
    using Scalar = scalar_t<S>;
    const Vector& divergence = terms_.diffusion_divergence();
    if constexpr (HasBeta<S> && HasLandscape<S>) {
      force = -static_cast<Scalar>(terms_.system().beta()) * terms_.gradient();
      if (divergence.isZero(0)) return;
      rest_ = -divergence;
      divide_by_diffusion(rest_);
      force += rest_;
    } else {
      force = terms_.drift() - divergence;
      divide_by_diffusion(force);
    }
  }

  /// The terms of the system at the last point.
  SystemTerms<S>& terms() { return terms_; }

 private:
  void divide_by_diffusion(Vector& vector) {
    if (!(HasConstantDiffusion<S> && factored_)) {
      lower_ = terms_.diffusion();
      factored_ = detail::cholesky(lower_);
    }
    if (!factored_)
      detail::invalid("ThermodynamicForce",
                      "diffusion must be positive definite, but is singular at theta = (",
                      terms_.theta().transpose(), ")");
    detail::solve_factored(lower_, vector);
  }

  SystemTerms<S> terms_;
  matrix_t<S> lower_;  // LLᵀ = D
  Vector rest_;
  bool factored_ = false;
};

/// D⁻¹v^s = ∇Φ + D⁻¹(−μ∇𝓛 − ∇·D) (Eqs. 3, 7) for the stationary density e^{−Φ}: the force of the
/// entropy production, whose fluctuation theorems hold for trajectories of any length.
///
/// `Phi` has `gradient(theta, out)` (see `EquilibriumPotential`), or is a function that is generic
/// over the scalar of θ.
template <class S, class Phi>
class StationaryForce {
 public:
  using Vector = vector_t<S>;

  /// Of a system, which it refers to, with the Φ of its stationary state.
  StationaryForce(const S& system, Phi phi)
      : rest_(system), phi_(std::move(phi)), gradient_(system.parameters()) {}
  StationaryForce(S&&, Phi) = delete;

  /// force = D⁻¹v^s at θ.
  void operator()(const Vector& theta, Vector& force) {
    rest_(theta, force);
    if constexpr (requires { phi_.gradient(theta, gradient_); })
      phi_.gradient(theta, gradient_);
    else
      autodiff_.gradient(phi_, theta, gradient_);
    force += gradient_;
  }

 private:
  ThermodynamicForce<S> rest_;
  Phi phi_;
  Vector gradient_;
  Autodiff<Vector> autodiff_;
};

}  // namespace ness
