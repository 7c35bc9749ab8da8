// A polymer in solution (Box 1): beads on a chain, with the flow that each bead makes.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <concepts>
#include <numbers>
#include <type_traits>

#include "ness/detail/check.hpp"
#include "ness/random/normal.hpp"
#include "ness/systems/fokker_planck.hpp"
#include "ness/systems/folding.hpp"

namespace ness {

/// Beads do not feel each other's flow: the chain of P. E. Rouse (J. Chem. Phys. 21, 1953,
/// doi:10.1063/1.1699180).
struct FreeDraining {};

/// Beads drag each other through the fluid (J. Rotne and S. Prager, J. Chem. Phys. 50, 1969,
/// doi:10.1063/1.1670977; H. Yamakawa, ibid. 53, 1970, doi:10.1063/1.1673799). Between two of them,
/// r apart, with n = r/|r|:
///   μ₀ (3a/4r) [(1 + 2a²/3r²) I + (1 − 2a²/r²) nnᵀ]    r ≥ 2a
///   μ₀ [(1 − 9r/32a) I + (3r/32a) nnᵀ]                  r < 2a
/// Positive definite and without divergence in any configuration.
struct RotnePragerYamakawa {
  double bead_radius = 0.25;  ///< a
};

/// A chain of springs and nothing else: 𝓛 = ½k Σ|r_{i+1} − r_i|² with k = 3T/b², so that a spring
/// has the mean square length b².
struct Springs {};

/// Beads on a chain, in three dimensions; θ is r_1 … r_B, 3B numbers. D = Tμ, β = 1/T, ∇·D = 0:
/// Boltzmann equilibrium (Eq. 4, G = 1), whatever the mobility. The centre of mass diffuses freely,
/// so that the stationary density is that of the shape.
///
/// 𝓛 is that of `Springs`, or of `Folding`: bonds that end, beads that do not overlap, and contacts
/// that hold a native structure together. That is steep, and infinite beyond where bonds end:
/// `MetropolizedEuler` is the integrator for it. Other interactions of pairs have the same members
/// `act` and `check` as `Folding`.
template <class Hydrodynamics = RotnePragerYamakawa, class S = double, class Interactions = Springs>
class Polymer {
  using Vector3 = Eigen::Matrix<S, 3, 1>;
  using Matrix3 = Eigen::Matrix<S, 3, 3>;

 public:
  using Scalar = S;
  using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;
  using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
  static constexpr bool drains_freely =
      std::is_same_v<Hydrodynamics, FreeDraining>;  ///< has each bead a mobility of its own?
  static constexpr bool is_ideal =
      std::is_same_v<Interactions, Springs>;  ///< is its stationary density known in closed form?

  /// What it is made of.
  struct Settings {
    Index beads = 2;                   ///< B
    double bond_length = 1;            ///< b: root mean square length of a spring, or `Folding`'s
    double temperature = 1;            ///< T
    double bead_mobility = 1;          ///< μ₀, velocity over force of one bead alone
    Hydrodynamics hydrodynamics = {};  ///< how beads move each other
    Interactions interactions = {};    ///< 𝓛
  };

  /// Throws `std::invalid_argument` for fewer than 2 beads, numbers that are not positive, or
  /// contacts of beads that are not there.
  explicit Polymer(const Settings& settings) : settings_(settings) {
    detail::require(settings.beads >= 2, "Polymer", "beads must be at least 2", settings.beads);
    detail::require_positive(settings.bond_length, "Polymer", "bond_length");
    detail::require_positive(settings.temperature, "Polymer", "temperature");
    detail::require_positive(settings.bead_mobility, "Polymer", "bead_mobility");
    if constexpr (!drains_freely)
      detail::require_positive(settings.hydrodynamics.bead_radius, "Polymer", "bead_radius");
    if constexpr (!is_ideal)
      settings.interactions.check(settings.beads, settings.bond_length, "Polymer");
  }

  /// What it is made of.
  const Settings& settings() const { return settings_; }
  /// B
  Index beads() const { return settings_.beads; }
  Index parameters() const { return 3 * settings_.beads; }
  double beta() const { return 1 / settings_.temperature; }
  /// k = 3T/b²
  double stiffness() const
    requires is_ideal
  {
    return 3 * settings_.temperature / (settings_.bond_length * settings_.bond_length);
  }
  /// The longest relaxation time of the free-draining chain, 1/(4kμ₀ sin²(π/2B)).
  double relaxation_time() const
    requires is_ideal
  {
    const double sine = std::sin(std::numbers::pi / (2 * static_cast<double>(beads())));
    return 1 / (4 * stiffness() * settings_.bead_mobility * sine * sine);
  }

  Scalar potential(const Vector& theta) const
    requires is_ideal
  {
    const Index rest = theta.size() - 3;
    return static_cast<Scalar>(stiffness() / 2) *
           (theta.tail(rest) - theta.head(rest)).squaredNorm();
  }

  void gradient(const Vector& theta, Vector& gradient) const
    requires is_ideal
  {
    const Index rest = theta.size() - 3;
    gradient.setZero();
    const auto k = static_cast<Scalar>(stiffness());
    for (Index i = 0; i < rest; ++i) {
      const Scalar force = k * (theta[i + 3] - theta[i]);
      gradient[i] -= force;
      gradient[i + 3] += force;
    }
  }

  /// Infinite where a bond is longer than it can be, or two beads are in one place.
  Scalar potential(const Vector& theta) const
    requires(!is_ideal)
  {
    Scalar sum(0);
    settings_.interactions.act(
        theta, settings_.bond_length,
        [&](Index, Index, const Vector3&, const PairEnergy<Scalar>& pair) { sum += pair.energy; });
    return sum;
  }

  /// NaN where the potential is infinite.
  void gradient(const Vector& theta, Vector& gradient) const
    requires(!is_ideal)
  {
    gradient.setZero();
    settings_.interactions.act(
        theta, settings_.bond_length,
        [&](Index i, Index j, const Vector3& apart, const PairEnergy<Scalar>& pair) {
          gradient.template segment<3>(3 * i) -= 2 * pair.slope * apart;
          gradient.template segment<3>(3 * j) += 2 * pair.slope * apart;
        });
  }

  /// Q: the share of native contacts whose beads are no further apart than `reach` times their
  /// distance in the native structure. NaN without contacts.
  double native_fraction(const Vector& theta, double reach = 1.2) const
    requires std::same_as<Interactions, Folding>
  {
    const auto& contacts = settings_.interactions.contacts;
    double made = 0;
    for (const NativeContact& contact : contacts) {
      const Vector3 apart = bead(theta, contact.second) - bead(theta, contact.first);
      if (static_cast<double>(apart.norm()) <= reach * contact.distance) ++made;
    }
    return made / static_cast<double>(contacts.size());
  }

  Matrix diffusion() const
    requires drains_freely
  {
    return alone() * Matrix::Identity(parameters(), parameters());
  }
  /// D is a number times I: no product with a matrix is needed.
  void drift(const Vector& theta, Vector& drift) const
    requires drains_freely
  {
    gradient(theta, drift);
    drift *= static_cast<Scalar>(-settings_.bead_mobility);
  }
  void noise(const Vector&, const Vector& normals, Vector& noise) const
    requires drains_freely
  {
    noise = std::sqrt(alone()) * normals;
  }

  void diffusion(const Vector& theta, Matrix& diffusion) const
    requires(!drains_freely)
  {
    for (Index j = 0; j < beads(); ++j) {
      diffusion.template block<3, 3>(3 * j, 3 * j) = alone() * Matrix3::Identity();
      for (Index i = j + 1; i < beads(); ++i) {
        const Matrix3 pair = alone() * drag(bead(theta, i) - bead(theta, j));
        diffusion.template block<3, 3>(3 * i, 3 * j) = pair;
        diffusion.template block<3, 3>(3 * j, 3 * i) = pair;
      }
    }
  }
  /// ∇·D = 0.
  void diffusion_divergence(const Vector&, Vector& divergence) const
    requires(!drains_freely)
  {
    divergence.setZero();
  }

  /// r_{B} − r_1, whose mean square is (B − 1) b².
  Vector3 end_to_end(const Vector& theta) const {
    return theta.template tail<3>() - theta.template head<3>();
  }

  /// √((1/B) Σ|r_i − r̄|²)
  Scalar radius_of_gyration(const Vector& theta) const {
    Vector3 center = Vector3::Zero();
    for (Index i = 0; i < beads(); ++i) center += bead(theta, i) / static_cast<Scalar>(beads());
    Scalar sum(0);
    for (Index i = 0; i < beads(); ++i) sum += (bead(theta, i) - center).squaredNorm();
    return std::sqrt(sum / static_cast<Scalar>(beads()));
  }

  /// A configuration of the stationary state, its first bead at the origin.
  template <RandomBits Random>
  Vector draw(Random& random) const
    requires is_ideal
  {
    Normal normal;
    Vector theta = Vector::Zero(parameters());
    const double spread = settings_.bond_length / std::sqrt(3.0);
    for (Index i = 3; i < theta.size(); ++i)
      theta[i] = theta[i - 3] + static_cast<Scalar>(spread * normal(random));
    return theta;
  }

 private:
  static Vector3 bead(const Vector& theta, Index i) { return theta.template segment<3>(3 * i); }

  /// D of one bead alone, Tμ₀.
  Scalar alone() const {
    return static_cast<Scalar>(settings_.temperature * settings_.bead_mobility);
  }

  /// The mobility between two beads, over μ₀.
  Matrix3 drag(const Vector3& apart) const {
    const auto a = static_cast<Scalar>(settings_.hydrodynamics.bead_radius);
    const Scalar square = apart.squaredNorm();
    const Scalar r = std::sqrt(square);
    Scalar isotropic(0);
    Scalar along(0);  // times r rᵀ
    if (r >= 2 * a) {
      const Scalar far = 3 * a / (4 * r);
      const Scalar near = 2 * a * a / square;
      isotropic = far * (1 + near / 3);
      along = far * (1 - near) / square;
    } else {
      isotropic = 1 - 9 * r / (32 * a);
      along = r > 0 ? 3 / (32 * a * r) : Scalar(0);
    }
    Matrix3 result = along * apart * apart.transpose();
    result.diagonal().array() += isotropic;
    return result;
  }

  Settings settings_;
};

}  // namespace ness
