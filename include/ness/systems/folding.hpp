// What makes a polymer fold (Box 1): bonds that end, beads that do not overlap, native contacts.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <numbers>
#include <string_view>
#include <vector>

#include "ness/detail/check.hpp"

namespace ness {

/// U of a pair at a distance r, and dU/d(r²), so that the force needs no root.
template <class Scalar>
struct PairEnergy {
  Scalar energy;  ///< U
  Scalar slope;   ///< dU/d(r²), half of U'/r; NaN where U is infinite
};

/// A bond that cannot be longer than R₀: U = −½kR₀² log(1 − r²/R₀²), and infinite from R₀ on
/// ("FENE"; H. R. Warner, Ind. Eng. Chem. Fundam. 11, 379, 1972, doi:10.1021/i160043a017).
struct FiniteBond {
  double stiffness;  ///< k, of a short bond
  double extent;     ///< R₀

  /// Of the square of the distance.
  template <class Scalar>
  PairEnergy<Scalar> operator()(Scalar square) const {
    const auto k = static_cast<Scalar>(stiffness);
    const auto limit = static_cast<Scalar>(extent * extent);
    if (!(square < limit))
      return {std::numeric_limits<Scalar>::infinity(), std::numeric_limits<Scalar>::quiet_NaN()};
    const Scalar ratio = square / limit;
    return {-k * limit / 2 * std::log1p(-ratio), k / 2 / (1 - ratio)};
  }
};

/// Beads that push each other off and do not attract: U = 4ε[(σ/r)¹² − (σ/r)⁶ + ¼] up to
/// r = 2^{1/6}σ, its minimum, and 0 beyond; of order 1 in the derivatives, U' is continuous (J. D.
/// Weeks, D. Chandler and H. C. Andersen, J. Chem. Phys. 54, 5237, 1971, doi:10.1063/1.1674820).
struct RepulsiveCore {
  double energy;    ///< ε = U(σ)
  double diameter;  ///< σ

  /// Of the square of the distance.
  template <class Scalar>
  PairEnergy<Scalar> operator()(Scalar square) const {
    const auto ratio = static_cast<Scalar>(diameter * diameter) / square;  // NaN for NaN: not 0
    const Scalar sixth = ratio * ratio * ratio;
    if (sixth <= Scalar(0.5)) return {Scalar(0), Scalar(0)};
    const auto e = static_cast<Scalar>(energy);
    const Scalar u = e * (4 * sixth * (sixth - 1) + 1);
    if (!std::isfinite(u))
      return {std::numeric_limits<Scalar>::infinity(), std::numeric_limits<Scalar>::quiet_NaN()};
    return {u, -12 * e * sixth * (2 * sixth - 1) / square};
  }
};

/// A contact that is made in the native structure, at the distance r₀: U = ε[5(r₀/r)¹² −
/// 6(r₀/r)¹⁰], −ε at r₀ (C. Clementi, H. Nymeyer and J. N. Onuchic, J. Mol. Biol. 298, 937, 2000,
/// doi:10.1006/jmbi.2000.3693).
struct NativeWell {
  double depth;     ///< ε
  double distance;  ///< r₀

  /// Of the square of the distance.
  template <class Scalar>
  PairEnergy<Scalar> operator()(Scalar square) const {
    const auto ratio = static_cast<Scalar>(distance * distance) / square;
    const auto e = static_cast<Scalar>(depth);
    const Scalar tenth = ratio * ratio * ratio * ratio * ratio;
    const Scalar u = e * tenth * (5 * ratio - 6);
    if (!std::isfinite(u))
      return {std::numeric_limits<Scalar>::infinity(), std::numeric_limits<Scalar>::quiet_NaN()};
    return {u, -30 * e * tenth * (ratio - 1) / square};
  }
};

/// Two beads that touch in the native structure.
struct NativeContact {
  Eigen::Index first;   ///< of the beads, counted from 0
  Eigen::Index second;  ///< and the other
  double distance;      ///< r₀, of their centres
};

/// A chain that folds (N. Gō, Annu. Rev. Biophys. Bioeng. 12, 183, 1983,
/// doi:10.1146/annurev.bb.12.060183.001151): bonds of finite length between neighbours, a repulsive
/// core between all beads (K. Kremer and G. S. Grest, J. Chem. Phys. 92, 5057, 1990,
/// doi:10.1063/1.458541), and a well for each contact of the native structure. 𝓛 is their sum, and
/// does not depend on T; b of the polymer is the diameter σ of a bead, and a bond about as long.
/// Distances do not tell a structure from its mirror image, so both are native. Cost: B² pairs.
struct Folding {
  double core_energy = 1;                    ///< ε of the repulsive cores
  double bond_stiffness = 30;                ///< k of the bonds, in core energies over b²
  double bond_extent = 1.5;                  ///< R₀ of the bonds, in b
  double contact_energy = 1;                 ///< ε of each native contact, its depth
  std::vector<NativeContact> contacts = {};  ///< what `native_contacts` finds, say

  /// The bond between neighbours of diameter b.
  FiniteBond bond(double b) const {
    return {bond_stiffness * core_energy / (b * b), bond_extent * b};
  }
  /// The core of beads of diameter b.
  RepulsiveCore core(double b) const { return {core_energy, b}; }

  /// Calls `visit(i, j, r_j − r_i, PairEnergy)` for each pair of beads and each of its forces; θ is
  /// r_1 … r_B.
  template <class Vector, class Visit>
  void act(const Vector& theta, double b, const Visit& visit) const {
    using Vector3 = Eigen::Matrix<typename Vector::Scalar, 3, 1>;
    const auto pair = [&](Eigen::Index i, Eigen::Index j, const auto& force) {
      const Vector3 apart = theta.template segment<3>(3 * j) - theta.template segment<3>(3 * i);
      visit(i, j, apart, force(apart.squaredNorm()));
    };
    const Eigen::Index beads = theta.size() / 3;
    for (Eigen::Index i = 0; i + 1 < beads; ++i) pair(i, i + 1, bond(b));
    for (Eigen::Index j = 0; j < beads; ++j)
      for (Eigen::Index i = 0; i < j; ++i) pair(i, j, core(b));
    for (const NativeContact& contact : contacts)
      pair(contact.first, contact.second, NativeWell{contact_energy, contact.distance});
  }

  /// Throws `std::invalid_argument` for numbers that are not positive, contacts of beads that are
  /// not there, or so close that cores would press them apart, r₀ < 2^{1/6} b.
  void check(Eigen::Index beads, double b, std::string_view function) const {
    detail::require_positive(core_energy, function, "core_energy");
    detail::require_positive(bond_stiffness, function, "bond_stiffness");
    detail::require_positive(bond_extent, function, "bond_extent");
    detail::require(contact_energy >= 0 && std::isfinite(contact_energy), function,
                    "contact_energy must not be negative", contact_energy);
    const double closest = std::pow(2.0, 1.0 / 6) * b * (1 - 1e-12);
    for (const NativeContact& contact : contacts) {
      for (const Eigen::Index bead : {contact.first, contact.second})
        detail::require(bead >= 0 && bead < beads, function,
                        "beads of contacts must be those of the chain", bead);
      detail::require(contact.first != contact.second, function,
                      "contacts must be of two beads, but one is of a bead with itself",
                      contact.first);
      detail::require(contact.distance >= closest && std::isfinite(contact.distance), function,
                      "distances of contacts must be at least 2^(1/6) bond_length",
                      contact.distance);
    }
  }
};

/// r_1 … r_B on a helix of 100° and 0.39 bonds a bead, as that of proteins, with neighbours
/// `bond_length` apart. Throws `std::invalid_argument` for fewer than 2 beads, or a length that is
/// not positive.
template <class Scalar = double>
Eigen::Matrix<Scalar, Eigen::Dynamic, 1> helix(Eigen::Index beads, double bond_length) {
  detail::require(beads >= 2, "helix", "beads must be at least 2", beads);
  detail::require_positive(bond_length, "helix", "bond_length");
  constexpr double turn = 100 * std::numbers::pi / 180;
  const double rise = 0.39 * bond_length;
  const double radius =
      std::sqrt(bond_length * bond_length - rise * rise) / (2 * std::sin(turn / 2));
  Eigen::Matrix<Scalar, Eigen::Dynamic, 1> theta(3 * beads);
  for (Eigen::Index i = 0; i < beads; ++i) {
    const double angle = turn * static_cast<double>(i);
    theta[3 * i] = static_cast<Scalar>(radius * std::cos(angle));
    theta[3 * i + 1] = static_cast<Scalar>(radius * std::sin(angle));
    theta[3 * i + 2] = static_cast<Scalar>(rise * static_cast<double>(i));
  }
  return theta;
}

/// The pairs of beads of a structure, 3B numbers, that are at most `reach` apart, and at least
/// `separation` along the chain.
template <class Vector>
std::vector<NativeContact> native_contacts(const Vector& structure, double reach,
                                           Eigen::Index separation = 3) {
  std::vector<NativeContact> result;
  for (Eigen::Index j = separation; 3 * j < structure.size(); ++j)
    for (Eigen::Index i = 0; i + separation <= j; ++i) {
      const auto distance = static_cast<double>(
          (structure.template segment<3>(3 * j) - structure.template segment<3>(3 * i)).norm());
      if (distance <= reach) result.push_back({i, j, distance});
    }
  return result;
}

}  // namespace ness
