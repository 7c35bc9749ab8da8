#include "ness/systems/folding.hpp"

#include <Eigen/Geometry>
#include <cmath>
#include <limits>

#include "ness/stationary/classify.hpp"
#include "ness/systems/polymer.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::VectorXd;
using Vector3 = Eigen::Vector3d;
using Protein = ness::Polymer<ness::RotnePragerYamakawa, double, ness::Folding>;

constexpr double epsilon = std::numeric_limits<double>::epsilon();

// Away from 1 in everything, so that no factor can hide.
Protein::Settings settings(Eigen::Index beads = 8) {
  const VectorXd native = ness::helix(beads, 1.2);
  return {.beads = beads,
          .bond_length = 1.25,
          .temperature = 0.4,
          .interactions = {.core_energy = 0.7,
                           .bond_stiffness = 25,
                           .contact_energy = 1.6,
                           .contacts = ness::native_contacts(native, 2.1)}};
}

VectorXd shaken(Eigen::Index beads, std::uint64_t seed) {
  return ness::helix(beads, 1.2) + generic_values<VectorXd>(3 * beads, 1, seed, 0.05);
}

// U at the square of a distance, and its slope by differences.
template <class Force>
void check_slope(const Force& force, double r) {
  const double square = r * r;
  const double step = 1e-5 * square;
  const double above = force(square + step).energy;
  const double below = force(square - step).energy;
  const double size = std::abs(above) + std::abs(below) + std::abs(force(square).slope) * square;
  INFO(r << ": " << (above - below) / (2 * step) << " and " << force(square).slope);
  CHECK(std::abs((above - below) / (2 * step) - force(square).slope) * square <= 1e-8 * size);
}

}  // namespace

TEST_CASE("Energies of pairs are what they are called, and their slopes are derivatives") {
  const ness::FiniteBond bond{30, 1.5};
  const ness::RepulsiveCore core{0.7, 1.1};
  const ness::NativeWell well{1.3, 1.4};
  for (const double r : {0.9, 1.0, 1.2, 1.4}) {
    check_slope(bond, r);
    check_slope(core, r);
    check_slope(well, r);
  }
  // A short bond is a spring of stiffness k: U = ½kr².
  CHECK(relative_error(bond(1e-10).energy, 0.5 * 30 * 1e-10) <= 1e-9);
  CHECK(relative_error(bond(1.0).energy, -0.5 * 30 * 2.25 * std::log(1 - 1 / 2.25)) <= 1e-14);
  CHECK(std::isinf(bond(2.25).energy));
  CHECK(std::isnan(bond(2.25).slope));
  // U(σ) = ε, and U and U' go to 0 where the core ends.
  CHECK(relative_error(core(1.1 * 1.1).energy, 0.7) <= 4 * epsilon);
  const double end = std::pow(2.0, 1.0 / 3) * 1.1 * 1.1;
  CHECK(core(end * (1 + 1e-12)).energy == 0);
  CHECK(std::abs(core(end * (1 - 1e-6)).energy) <= 1e-10);
  CHECK(std::abs(core(end * (1 - 1e-9)).slope) <= 1e-7);
  CHECK(std::isinf(core(0.0).energy));
  // The bottom of the well is −ε at r₀, and it is attractive without an end.
  CHECK(relative_error(well(1.4 * 1.4).energy, -1.3) <= 4 * epsilon);
  CHECK(std::abs(well(1.4 * 1.4).slope) <= 30 * 1.3 * 4 * epsilon);
  CHECK(well(4.0).energy < 0);
  CHECK(well(4.0).slope > 0);
  CHECK(std::isinf(well(0.0).energy));
}

TEST_CASE("The potential of a chain is the sum over bonds, pairs and contacts") {
  const Protein polymer(settings(5));
  const ness::Folding& folding = polymer.settings().interactions;
  REQUIRE(folding.contacts.size() == 3);
  const VectorXd theta = shaken(5, 2);
  double expected = 0;
  const auto square = [&](Eigen::Index i, Eigen::Index j) {
    return (theta.segment<3>(3 * i) - theta.segment<3>(3 * j)).squaredNorm();
  };
  for (Eigen::Index i = 0; i < 5; ++i)
    for (Eigen::Index j = i + 1; j < 5; ++j) {
      const double sixth = std::pow(1.25 * 1.25 / square(i, j), 3);
      if (sixth > 0.5) expected += 4 * 0.7 * (sixth * sixth - sixth + 0.25);
      const double longest = 1.5 * 1.25 * 1.5 * 1.25;
      const double k = 25 * 0.7 / (1.25 * 1.25);
      if (j == i + 1) expected -= 0.5 * k * longest * std::log(1 - square(i, j) / longest);
    }
  for (const auto& contact : folding.contacts) {
    const double ratio =
        contact.distance * contact.distance / square(contact.first, contact.second);
    expected += 1.6 * (5 * std::pow(ratio, 6) - 6 * std::pow(ratio, 5));
  }
  CHECK(relative_error(polymer.potential(theta), expected) <= 1e-13);
}

TEST_CASE("The gradient is that of the potential; forces and torques sum to 0") {
  const Protein polymer(settings());
  for (const std::uint64_t seed : {1, 2, 3}) {
    const VectorXd theta = shaken(8, seed);
    VectorXd gradient(24);
    polymer.gradient(theta, gradient);
    for (Eigen::Index k = 0; k < 24; ++k) {
      // Five points, so that the differences are right to rounding.
      const auto at = [&](double step) {
        VectorXd moved = theta;
        moved[k] += step;
        return polymer.potential(moved);
      };
      constexpr double h = 1e-4;
      const double found = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      CHECK(std::abs(found - gradient[k]) <= 1e-8 * gradient.norm());
    }
    Vector3 force = Vector3::Zero(), torque = Vector3::Zero();
    for (Eigen::Index i = 0; i < 8; ++i) {
      const Vector3 place = theta.segment<3>(3 * i), push = -gradient.segment<3>(3 * i);
      force += push;
      torque += place.cross(push);
    }
    CHECK(force.norm() <= 32 * epsilon * gradient.norm());
    CHECK(torque.norm() <= 64 * epsilon * gradient.norm() * theta.norm());
  }
}

TEST_CASE("A chain that is moved, turned or seen in a mirror has the same energy, Q and size") {
  const Protein polymer(settings());
  const VectorXd theta = shaken(8, 4);
  Eigen::Matrix3d about_x, about_z;  // by an angle of cosine 3/5
  about_x << 1, 0, 0, 0, 0.6, -0.8, 0, 0.8, 0.6;
  about_z << 0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0, 1;
  const Eigen::Matrix3d turn = about_x * about_z;
  REQUIRE((turn * turn.transpose() - Eigen::Matrix3d::Identity()).norm() <= 1e-15);
  for (const double hand : {1.0, -1.0}) {
    VectorXd moved = theta;
    for (Eigen::Index i = 0; i < 8; ++i) {
      const Vector3 place = theta.segment<3>(3 * i);
      moved.segment<3>(3 * i) = hand * turn * place + Vector3(1, -2, 0.5);
    }
    CHECK(std::abs(polymer.potential(moved) - polymer.potential(theta)) <= 1e-12);
    CHECK(polymer.native_fraction(moved) == polymer.native_fraction(theta));
    CHECK(relative_error(polymer.radius_of_gyration(moved), polymer.radius_of_gyration(theta)) <=
          1e-14);
  }
}

TEST_CASE("Energy is in units of ε, length in units of b") {
  Protein::Settings one = settings();
  Protein::Settings two = one;
  two.bond_length *= 3;
  two.interactions.core_energy *= 5;
  two.interactions.contact_energy *= 5;
  for (auto& contact : two.interactions.contacts) contact.distance *= 3;
  const VectorXd theta = shaken(8, 5);
  const double small = Protein(one).potential(theta);
  const double large = Protein(two).potential(3 * theta);
  CHECK(std::abs(large - 5 * small) <= 1e-11);
}

TEST_CASE("The native structure is the bottom of its wells; Q counts what is made") {
  const Protein polymer(settings());
  const VectorXd native = ness::helix(8, 1.2);
  for (Eigen::Index i = 0; i < 7; ++i)
    CHECK(relative_error((native.segment<3>(3 * i + 3) - native.segment<3>(3 * i)).norm(), 1.2) <=
          1e-14);
  CHECK(polymer.settings().interactions.contacts.size() == 9);  // (i, i + 3) and (i, i + 4)
  CHECK(polymer.native_fraction(native) == 1);
  VectorXd straight = VectorXd::Zero(24);
  for (Eigen::Index i = 0; i < 8; ++i) straight[3 * i] = 1.2 * static_cast<double>(i);
  CHECK(polymer.native_fraction(straight) == 0);
  CHECK(polymer.potential(native) < polymer.potential(straight));
  // One end pulled away: its contacts with beads 3 and 4 from it are broken.
  VectorXd frayed = native;
  frayed.head<3>() = native.segment<3>(3) - 1.2 * Vector3::UnitZ();
  CHECK(relative_error(polymer.native_fraction(frayed), 7.0 / 9) <= 1e-15);
  // Of B points in a row, b apart, R_g² = b²(B² − 1)/12.
  CHECK(relative_error(polymer.radius_of_gyration(straight), 1.2 * std::sqrt(63.0 / 12)) <= 1e-14);
}

TEST_CASE("A chain that folds is in Boltzmann equilibrium, whatever the mobility") {
  Eigen::MatrixXd points(24, 3);
  for (const std::uint64_t k : {0, 1, 2}) points.col(static_cast<Eigen::Index>(k)) = shaken(8, k);
  const Protein draggers(settings());
  CHECK(ness::classify(draggers, points).kind == ness::StationaryKind::boltzmann);
  const Protein::Settings same = settings();
  const ness::Polymer<ness::FreeDraining, double, ness::Folding> free(
      {.beads = 8, .bond_length = 1.25, .temperature = 0.4, .interactions = same.interactions});
  ness::SystemTerms terms(free);
  VectorXd gradient(24);
  draggers.gradient(points.col(1), gradient);
  CHECK(relative_error(VectorXd(-terms.at(points.col(1)).drift()), gradient) <= 1e-14);
  CHECK(free.potential(points.col(1)) == draggers.potential(points.col(1)));
}

TEST_CASE("bad chains that fold are refused") {
  const auto with = [](ness::Folding folding) {
    return Protein({.beads = 4, .interactions = std::move(folding)});
  };
  CHECK_THROWS_WITH(with({.core_energy = 0}), contains("core_energy must be positive"));
  CHECK_THROWS_WITH(with({.bond_stiffness = -1}), contains("bond_stiffness must be positive"));
  CHECK_THROWS_WITH(with({.bond_extent = 0}), contains("bond_extent must be positive"));
  CHECK_THROWS_WITH(with({.contact_energy = -2}), contains("contact_energy must not be negative"));
  CHECK_THROWS_WITH(with({.contacts = {{0, 4, 1.3}}}),
                    contains("beads of contacts must be those of the chain, but is 4"));
  CHECK_THROWS_WITH(with({.contacts = {{1, 1, 1.3}}}), contains("with itself"));
  CHECK_THROWS_WITH(with({.contacts = {{0, 3, 1.1}}}), contains("at least 2^(1/6) bond_length"));
  CHECK_THROWS_WITH(ness::helix(1, 1.0), contains("beads must be at least 2"));
  CHECK_THROWS_WITH(ness::helix(3, 0.0), contains("bond_length must be positive"));
}
