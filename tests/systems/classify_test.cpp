#include "ness/stationary/classify.hpp"

#include <cmath>
#include <cstdint>

#include "ness/diffusion/training_system.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/systems/polymer.hpp"
#include "ness/systems/wright_fisher.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/network.hpp"

namespace {

using Eigen::MatrixXd;
using ness::StationaryKind;

// Its G is not given.
struct WithoutWeight {
  ness::WrightFisher<3> evolution{50, Eigen::Vector3d(0.02, 0.03, 0.01),
                                  Eigen::Vector3d(0.03, -0.01, 0)};
  static constexpr Eigen::Index parameters() { return 2; }
  double beta() const { return evolution.beta(); }
  auto potential(const auto& t) const { return evolution.potential(t); }
  auto diffusion(const auto& t) const { return evolution.diffusion(t); }
};
struct WrongWeight : WithoutWeight {
  auto log_weight(const auto& t) const { return 0.9 * evolution.log_weight(t); }
};

template <class Theta>
using MatrixOf =
    Eigen::Matrix<typename Theta::Scalar, Theta::RowsAtCompileTime, Theta::RowsAtCompileTime>;

struct HotSpot {  // a particle in a fluid that is hotter away from the centre
  static constexpr Eigen::Index parameters() { return 1; }
  auto potential(const auto& t) const { return t[0] * t[0] / 2; }
  template <class Theta>
  auto diffusion(const Theta& t) const {
    return MatrixOf<Theta>(0.1 * (1 + t[0] * t[0]));
  }
  double beta() const { return 5; }
};
struct HotSpotOfMobility {  // the same, which moves alike everywhere
  static constexpr Eigen::Index parameters() { return 1; }
  auto potential(const auto& t) const { return t[0] * t[0] / 2; }
  auto diffusion(const auto& t) const { return HotSpot{}.diffusion(t); }
  Eigen::Matrix<double, 1, 1> mobility() const { return Eigen::Matrix<double, 1, 1>(1.0); }
};
struct Vanishing : HotSpotOfMobility {  // D = 0 at the centre
  template <class Theta>
  auto diffusion(const Theta& t) const {
    return MatrixOf<Theta>(t[0] * t[0]);
  }
};

struct Whirl {  // μ = βD, and D⁻¹∇·D is no gradient
  static constexpr Eigen::Index parameters() { return 2; }
  auto potential(const auto& t) const { return t.squaredNorm() / 2; }
  template <class Theta>
  auto diffusion(const Theta& t) const {
    MatrixOf<Theta> d;
    d << 1 + t[0] * t[0] * t[1] * t[1], 0.5 * t[1], 0.5 * t[1], 2 + t[0] * t[0];
    return d;
  }
  double beta() const { return 2; }
};
struct WhirlInPlace {
  static constexpr Eigen::Index parameters() { return 2; }
  auto potential(const auto& t) const { return t.squaredNorm() / 2; }
  void diffusion(const Eigen::Vector2d& t, Eigen::Matrix2d& out) const {
    out = Whirl{}.diffusion(t);
  }
  double beta() const { return 2; }
};
struct HotPlane {  // D = f(θ) I: D⁻¹∇·D = ∇log f
  static constexpr Eigen::Index parameters() { return 2; }
  auto potential(const auto& t) const { return t.squaredNorm() / 2; }
  void diffusion(const Eigen::Vector2d& t, Eigen::Matrix2d& out) const {
    out = std::exp(std::sin(3 * t[0]) * t[1]) * Eigen::Matrix2d::Identity();
  }
  double beta() const { return 2; }
};

struct Pulled {  // a gradient by D⁻¹ too, but the force is a large number and rounds
  double pull;
  static constexpr Eigen::Index parameters() { return 2; }
  auto potential(const auto& t) const { return t.squaredNorm() / 2 + pull * (t[0] + t[1]); }
  Eigen::Matrix2d mobility() const { return Eigen::Matrix2d::Identity(); }
  template <class Theta>
  auto diffusion(const Theta&) const {
    MatrixOf<Theta> d;
    d << 2, 0.5, 0.5, 1;
    return d;
  }
};

Eigen::Matrix2Xd frequencies() {
  Eigen::Matrix2Xd x(2, 4);
  x << 0.1, 0.3, 0.6, 0.05, 0.2, 0.4, 0.3, 0.9;
  return x;
}

// Points of the network about its minimum, as far as it wanders.
auto around_minimum(double spread) {
  Eigen::Matrix<double, 7, Eigen::Dynamic> points =
      generic_values<Eigen::MatrixXd>(7, 6, 3, spread);
  points.colwise() += network_minimum().theta;
  return points;
}

}  // namespace

TEST_CASE("Systems of Box 1 are told apart, by residuals that are rounding where they should be") {
  ness::Philox random(4);
  const ness::Polymer<> zimm({.beads = 6, .temperature = 3});
  MatrixXd configurations(18, 3);
  for (int k = 0; k < 3; ++k) configurations.col(k) = zimm.draw(random);
  const auto polymer = ness::classify(zimm, configurations);
  CHECK(polymer.kind == StationaryKind::boltzmann);
  CHECK(relative_error(polymer.einstein.beta, 1.0 / 3) <= 1e-14);

  const auto evolution = ness::classify(WithoutWeight{}.evolution, frequencies());
  CHECK(evolution.kind == StationaryKind::generalized_boltzmann);
  CHECK(relative_error(evolution.einstein.beta, 100.0) <= 1e-14);
  CHECK(evolution.einstein.residual <= 1e-14);
  CHECK(evolution.weighted_divergence <= 1e-13);
  CHECK(evolution.divergence > 0.1);

  const auto without = ness::classify(WithoutWeight{}, frequencies());
  CHECK(without.kind == StationaryKind::generalized_boltzmann);
  CHECK(std::isnan(without.weighted_divergence));
  CHECK(without.curl <= 1e-8);
  // A G that is wrong is no proof of a current.
  CHECK(ness::classify(WrongWeight{}, frequencies()).kind == StationaryKind::generalized_boltzmann);
  CHECK(ness::classify(WrongWeight{}, frequencies()).weighted_divergence > 0.01);
}

TEST_CASE("Driven systems violate the Einstein relation by a number known in closed form") {
  const Eigen::Matrix2Xd anywhere = Eigen::Matrix2Xd::Ones(2, 1);
  const auto gyrator = ness::classify(ness::brownian_gyrator(2, 1, 3, 1), anywhere);
  CHECK(gyrator.kind == StationaryKind::nonequilibrium);
  CHECK(relative_error(gyrator.einstein.beta, 0.4) <= 1e-14);  // (T₁ + T₂)/(T₁² + T₂²)
  CHECK(relative_error(gyrator.einstein.residual, std::sqrt(1 - 16.0 / 20)) <= 1e-13);
  CHECK(gyrator.divergence == 0);
  const auto trap = ness::classify(ness::driven_trap(2, 1, 0.5), anywhere);
  CHECK(relative_error(trap.einstein.beta, 2.0) <= 1e-14);
  CHECK(relative_error(trap.einstein.residual, 0.5 / std::sqrt(1.25)) <= 1e-13);
  CHECK(ness::classify(ness::brownian_gyrator(2, 1, 3, 3), anywhere).kind ==
        StationaryKind::boltzmann);
}

TEST_CASE("One dimension is always in equilibrium; of which potential is another matter") {
  const Eigen::RowVectorXd points = Eigen::RowVectorXd::LinSpaced(5, -1, 1);
  const auto hot = ness::classify(HotSpot{}, points);
  CHECK(hot.kind == StationaryKind::generalized_boltzmann);
  CHECK(hot.curl == 0);
  CHECK(ness::classify(HotSpotOfMobility{}, points).kind == StationaryKind::other_equilibrium);
  CHECK(ness::classify(Vanishing{}, points).kind == StationaryKind::undetermined);
}

TEST_CASE("Two temperatures without a coupling are in equilibrium, with one they are not") {
  const Eigen::Matrix2Xd points = generic_values<Eigen::MatrixXd>(2, 3, 5);
  for (const double unit : {1.0, 1e-100, 1e8}) {
    const auto scaled = [&](const auto& gyrator) {
      const Eigen::Vector2d s(unit, 1);
      const auto by = s.asDiagonal();
      const auto per = s.cwiseInverse().asDiagonal();
      return ness::LinearSystem<Eigen::Matrix2d>(gyrator.center(), per * gyrator.hessian() * per,
                                                 by * gyrator.mobility() * by,
                                                 by * gyrator.diffusion() * by);
    };
    const Eigen::Matrix2Xd at = Eigen::Vector2d(unit, 1).asDiagonal() * points;
    const auto apart = ness::classify(scaled(ness::brownian_gyrator(2, 0, 3, 1)), at);
    CHECK(apart.kind == StationaryKind::other_equilibrium);
    const auto coupled = ness::classify(scaled(ness::brownian_gyrator(2, 1, 3, 1)), at);
    CHECK(coupled.kind == StationaryKind::nonequilibrium);
    // F = −D⁻¹K, in units of √D: K_ij √(T_j/T_i).
    const double a = std::sqrt(3.0), b = 1 / a;
    const double antisymmetric = std::sqrt(2) * (a - b),
                 sum = std::hypot(4, 4, std::sqrt(2) * (a + b));
    CHECK(relative_error(coupled.curl, antisymmetric / (antisymmetric + sum)) <= 1e-8);
    CHECK(relative_error(coupled.einstein.residual, std::sqrt(1 - 16.0 / 20)) <= 1e-13);
  }
  // Nearly in equilibrium is not in equilibrium.
  CHECK(ness::classify(ness::brownian_gyrator(2, 1, 1 + 1e-5, 1), points).kind ==
        StationaryKind::nonequilibrium);
}

TEST_CASE("A curl of a D that depends on the place is seen, by any way that D is given") {
  Eigen::Matrix2Xd points = generic_values<Eigen::MatrixXd>(2, 3, 5);
  points.array() += 2;
  const auto generic = ness::classify(Whirl{}, points);
  CHECK(generic.kind == StationaryKind::nonequilibrium);
  CHECK(generic.einstein.residual <= 1e-15);
  CHECK(generic.curl > 1e-3);
  CHECK(generic.curl_error <= 1e-10);  // of widths h and 2h, both of order h² = 4e-11
  const auto in_place = ness::classify(WhirlInPlace{}, points);
  CHECK(in_place.kind == StationaryKind::nonequilibrium);
  CHECK(std::abs(in_place.curl - generic.curl) <= 1e-3 * generic.curl);
  // Differences of differences cannot tell 1e-12 from 0.
  CHECK(ness::classify(HotPlane{}, points, 1e-12).kind == StationaryKind::undetermined);
  CHECK(ness::classify(HotPlane{}, points).kind == StationaryKind::generalized_boltzmann);
}

TEST_CASE("SGD settles into a NESS, with and without replacement; the earthquake does not") {
  const auto points = around_minimum(1e-3);
  const ness::Sgd<ness::WithReplacement> wr{.learning_rate = 1e-7, .minibatch = {10}};
  const auto with = ness::classify(ness::TrainingSystem(network(), wr), points);
  CHECK(with.kind == StationaryKind::nonequilibrium);
  CHECK(with.einstein.residual > 0.5);
  const ness::Sgd<ness::WithoutReplacement> wor{.learning_rate = 1e-7, .minibatch = {10}};
  const auto without =
      ness::classify(ness::TrainingSystem(network(), wor), points.leftCols(2).eval());
  CHECK(without.kind == StationaryKind::nonequilibrium);
  CHECK(without.einstein.residual > 0.5);

  const ness::EarthquakeModel shaking{.learning_rate = 1e-7, .noise = {1e-4}};
  const auto system = ness::predict(network(), network_minimum(), shaking).linear_system();
  const auto earthquake = ness::classify(system, points);
  CHECK(earthquake.kind == StationaryKind::boltzmann);
  CHECK(relative_error(earthquake.einstein.beta, 2 / (1e-7 * 1e-8)) <= 1e-12);
}

TEST_CASE("SGLD becomes Boltzmann as η → 0: what is left of μ = βD vanishes as η") {
  const auto points = around_minimum(1e-3);
  double last = 0;
  for (const double eta : {1e-8, 1e-9, 1e-10}) {
    const ness::Sgld sgld{.learning_rate = eta, .minibatch = {10}};
    const auto found = ness::classify(ness::TrainingSystem(network(), sgld), points);
    CAPTURE(eta, found.einstein.residual, found.divergence, found.curl, found.curl_error);
    CHECK(found.kind == StationaryKind::nonequilibrium);
    if (last != 0) CHECK(std::abs(std::log10(last / found.einstein.residual) - 1) < 0.05);
    last = found.einstein.residual;
    if (eta == 1e-10) CHECK(std::abs(found.einstein.beta - 1) < 1e-3);
  }
  CHECK(last < 1e-3);
}

TEST_CASE("The rounding of a large force is not taken for a curl") {
  for (const double pull : {0.0, 1e4, 1e6, 1e8, 1e10, 1e12})
    for (const std::uint64_t seed : {1, 2, 3}) {
      const auto found = ness::classify(
          Pulled{pull}, Eigen::Matrix2Xd(generic_values<Eigen::MatrixXd>(2, 5, seed)));
      INFO("pull " << pull << ": curl " << found.curl << " +- " << found.curl_error);
      CHECK(found.kind != StationaryKind::nonequilibrium);
      if (pull < 1e5) CHECK(found.kind == StationaryKind::other_equilibrium);
    }
}

TEST_CASE("bad points are refused") {
  const auto gyrator = ness::brownian_gyrator(2, 1, 3, 1);
  CHECK_THROWS_WITH(ness::classify(gyrator, Eigen::Matrix2Xd(2, 0)), contains("at least 1 column"));
  CHECK_THROWS_WITH(ness::classify(gyrator, Eigen::Matrix2Xd::Constant(2, 1, NAN)),
                    contains("points must be finite"));
  const ness::Polymer<> chain({.beads = 3});
  CHECK_THROWS_WITH(ness::classify(chain, MatrixXd(MatrixXd::Ones(8, 1))),
                    contains("points must be 9 x 1"));
}
