// Linear systems: a quadratic potential, constant mobility and diffusion. Near a minimum every
// system is one, SGD among them (Sec. 3.3).
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <string_view>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/systems/fokker_planck.hpp"

namespace ness {

/// 𝓛 = ½δθᵀKδθ about a centre, with constant μ and D: the drift is −μKδθ (Eq. 19). μ need not be
/// symmetric: its antisymmetric part turns the force, and so does no work on average.
///
/// Its stationary state is `StationaryState(system)`; `state.linear_system()` is the way back.
template <class Matrix_>
class LinearSystem {
 public:
  using Matrix = Matrix_;
  using Scalar = typename Matrix::Scalar;
  static constexpr int size = Matrix::RowsAtCompileTime;  ///< N, or Eigen::Dynamic
  using Vector = Eigen::Matrix<Scalar, size, 1>;

  /// Centre N; K, μ and D N × N, μ and D per unit of time. Throws `std::invalid_argument` for sizes
  /// that disagree or are 0, numbers that are not finite, or a D that is not symmetric and positive
  /// semidefinite.
  LinearSystem(Vector center, Matrix hessian, Matrix mobility, Matrix diffusion)
      : center_(std::move(center)),
        hessian_(std::move(hessian)),
        mobility_(std::move(mobility)),
        diffusion_(std::move(diffusion)) {
    detail::require_not_empty(center_, "LinearSystem", "center");
    detail::require_finite(center_, "LinearSystem", "center");
    const auto check = [&](const Matrix& matrix, std::string_view name) {
      detail::require_size(matrix, center_.size(), center_.size(), "LinearSystem", name);
      detail::require_finite(matrix, "LinearSystem", name);
    };
    check(hessian_, "hessian");
    check(mobility_, "mobility");
    check(diffusion_, "diffusion");
    detail::require_semidefinite<Scalar>(diffusion_, "LinearSystem", "diffusion");
    relaxation_ = mobility_ * hessian_;
  }

  Index parameters() const
    requires(size == Eigen::Dynamic)
  {
    return center_.size();
  }
  static constexpr Index parameters()
    requires(size != Eigen::Dynamic)
  {
    return size;
  }

  /// Where the drift vanishes, N.
  const Vector& center() const { return center_; }
  /// K = ∂∂𝓛, N × N.
  const Matrix& hessian() const { return hessian_; }
  const Matrix& mobility() const { return mobility_; }
  const Matrix& diffusion() const { return diffusion_; }
  /// μK, N × N, per unit of time: the drift is −μKδθ.
  const Matrix& relaxation() const { return relaxation_; }

  Scalar potential(const Vector& theta) const {
    const Vector away = theta - center_;
    return away.dot(hessian_ * away) / 2;
  }
  void gradient(const Vector& theta, Vector& gradient) const {
    gradient.noalias() = hessian_ * (theta - center_);
  }
  void drift(const Vector& theta, Vector& drift) const {
    drift.noalias() = -relaxation_ * (theta - center_);
  }

 private:
  Vector center_;
  Matrix hessian_, mobility_, diffusion_, relaxation_;
};

/// Two coordinates at two temperatures in one potential, 𝓛 = ½kθ² + κθ₁θ₂, μ = I, D = diag(T₁, T₂)
/// (R. Filliger and P. Reimann, PRL 99, 230602, 2007). Heat goes from the hot to the cold one, and
/// θ gyrates: with Δ = T₁ − T₂ and v = −CΣ⁻¹δθ
///   C = (κΔ/2k) [0 −1; 1 0],  ⟨σ⟩ = κ²Δ² / (2k T₁T₂) per unit of time.
/// Throws `std::invalid_argument` unless |κ| < k and T₁, T₂ > 0.
template <class Scalar = double>
LinearSystem<Eigen::Matrix<Scalar, 2, 2>> brownian_gyrator(double stiffness, double coupling,
                                                           double temperature1,
                                                           double temperature2) {
  using Matrix = Eigen::Matrix<Scalar, 2, 2>;
  detail::require_positive(stiffness, "brownian_gyrator", "stiffness");
  detail::require(std::abs(coupling) < stiffness, "brownian_gyrator",
                  "coupling must be below stiffness in size", coupling);
  detail::require_positive(temperature1, "brownian_gyrator", "temperature1");
  detail::require_positive(temperature2, "brownian_gyrator", "temperature2");
  const auto k = static_cast<Scalar>(stiffness), c = static_cast<Scalar>(coupling);
  const auto t1 = static_cast<Scalar>(temperature1), t2 = static_cast<Scalar>(temperature2);
  return {Eigen::Matrix<Scalar, 2, 1>::Zero(), Matrix{{k, c}, {c, k}}, Matrix::Identity(),
          Matrix{{t1, 0}, {0, t2}}};
}

/// A particle in a harmonic trap that a force drives round, −kθ + ωJθ with J = [0 −1; 1 0], D = TI.
/// The drive is μ = I − (ω/k)J. The density is that of equilibrium at T, yet
///   v = ωJδθ,  C = −(ωT/k) J,  ⟨σ⟩ = 2ω²/k per unit of time.
/// Throws `std::invalid_argument` unless k, T > 0.
template <class Scalar = double>
LinearSystem<Eigen::Matrix<Scalar, 2, 2>> driven_trap(double stiffness, double rotation,
                                                      double temperature) {
  using Matrix = Eigen::Matrix<Scalar, 2, 2>;
  detail::require_positive(stiffness, "driven_trap", "stiffness");
  detail::require_positive(temperature, "driven_trap", "temperature");
  const auto drive = static_cast<Scalar>(rotation / stiffness);
  return {Eigen::Matrix<Scalar, 2, 1>::Zero(), static_cast<Scalar>(stiffness) * Matrix::Identity(),
          Matrix{{1, drive}, {-drive, 1}}, static_cast<Scalar>(temperature) * Matrix::Identity()};
}

}  // namespace ness
