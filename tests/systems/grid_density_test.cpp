#include "ness/stationary/grid_density.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "ness/stationary/stationary_state.hpp"
#include "ness/systems/linear.hpp"
#include "ness/systems/wright_fisher.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::Vector2d;
using Vector1 = Eigen::Matrix<double, 1, 1>;

struct DoubleWell {
  static constexpr Eigen::Index parameters() { return 1; }
  double barrier = 1;
  auto potential(const auto& t) const {
    const auto u = t[0] * t[0] - 1;
    return barrier * u * u;
  }
  Eigen::Matrix<double, 1, 1> diffusion() const { return Eigen::Matrix<double, 1, 1>(1.0); }
  double beta() const { return 1; }
};

struct Correlated {  // D with a large off-diagonal part
  static constexpr Eigen::Index parameters() { return 2; }
  double correlation = 0.5;
  auto potential(const auto& t) const { return 0.5 * (t[0] * t[0] + t[1] * t[1]); }
  Eigen::Matrix2d diffusion() const {
    Eigen::Matrix2d d;
    d << 1, correlation, correlation, 1;
    return d;
  }
  Eigen::Matrix2d mobility() const {
    Eigen::Matrix2d m;
    m << 1, 0.8, -0.3, 1;
    return m;
  }
};

struct TiltedWell {  // two wells with a barrier of some 1000 between them
  static constexpr Eigen::Index parameters() { return 1; }
  static double well(double x) { return (x * x - 1) * (x * x - 1) - 0.1 * x; }
  double temperature = 1e-3;
  auto potential(const auto& t) const {
    const auto u = t[0] * t[0] - 1;
    return u * u - 0.1 * t[0];
  }
  Vector1 diffusion() const { return Vector1(temperature); }
  double beta() const { return 1 / temperature; }
};

struct TiltedWells {  // the same in one of two coordinates
  static constexpr Eigen::Index parameters() { return 2; }
  auto potential(const auto& t) const {
    const auto u = t[0] * t[0] - 1;
    return u * u - 0.1 * t[0] + t[1] * t[1];
  }
  Eigen::Matrix2d diffusion() const { return 1e-3 * Eigen::Matrix2d::Identity(); }
  double beta() const { return 1e3; }
};

struct Absorbing {  // P ∝ 1/x
  static constexpr Eigen::Index parameters() { return 1; }
  void drift(const Vector1&, Vector1& drift) const { drift.setZero(); }
  auto diffusion(const auto& t) const {
    return Eigen::Matrix<std::decay_t<decltype(t[0])>, 1, 1>(t[0]);
  }
  double beta() const { return 1; }
};

// log ∫e^f over an interval, by the middle of many parts.
template <class F>
double log_integral(const F& f, double lower, double width, int parts = 20000) {
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  const auto middle = [&](int k) { return lower + width * (k + 0.5) / parts; };
  for (int k = 0; k < parts; ++k) largest = std::max(largest, f(middle(k)));
  for (int k = 0; k < parts; ++k) sum += std::exp(f(middle(k)) - largest);
  return largest + std::log(sum * width / parts);
}

// ∫|P − exact|, and the same of the current over ∫|𝓙|.
std::pair<double, double> errors(const ness::GridDensity& grid,
                                 const ness::StationaryState<>& state) {
  const double area = grid.x.width() * grid.y.width();
  double of_density = 0, of_current = 0, currents = 0;
  for (Eigen::Index i = 0; i < grid.x.bins; ++i)
    for (Eigen::Index j = 0; j < grid.y.bins; ++j) {
      const Vector2d theta(grid.x.center(i), grid.y.center(j));
      of_density += area * std::abs(grid.density(i, j) - state.density(theta));
      const Vector2d current = state.current(theta);
      of_current += (Vector2d(grid.current_x(i, j), grid.current_y(i, j)) - current).norm();
      currents += current.norm();
    }
  return {of_density, of_current / currents};
}

}  // namespace

TEST_CASE(
    "Density and current of linear systems out of equilibrium, of second order in the width") {
  const auto check = [](const auto& system, double range) {
    const ness::StationaryState state(system);
    std::pair<double, double> last{0, 0};
    for (const Eigen::Index bins : {20, 40, 80}) {
      const auto grid =
          ness::stationary_density(system, {{-range, range, bins}, {-range, range, bins}});
      CHECK(grid.residual <= 1e-13);
      CHECK(grid.density.minCoeff() > 0);
      CHECK(std::abs(grid.density.sum() * grid.x.width() * grid.y.width() - 1) <= 1e-13);
      const auto found = errors(grid, state);
      if (last.first > 0) {
        CHECK(last.first / found.first > 3.5);
        CHECK(last.second / found.second > 3.5);
      }
      last = found;
    }
    CHECK(last.first < 6e-3);
    CHECK(last.second < 2e-2);
  };
  check(ness::brownian_gyrator(2, 1, 3, 1), 8);
  check(ness::driven_trap(1, 2, 1), 6);
  Eigen::Matrix2d mobility, diffusion;
  mobility << 1, 0.8, -0.3, 1;
  for (const double xy : {0.5, -0.5}) {
    diffusion << 1, xy, xy, 1;
    check(ness::LinearSystem<Eigen::Matrix2d>(Vector2d::Zero(), Eigen::Matrix2d::Identity(),
                                              mobility, diffusion),
          6);
  }
}

TEST_CASE("In equilibrium every jump balances by itself, and far tails are right") {
  // e^{−40(x² − 1)²} at 2.2 is 10⁻²⁵⁶; cells hold their means.
  const DoubleWell well{40};
  const auto grid = ness::stationary_density(well, {{-2.2, 2.2, 880}});
  CHECK(grid.current_x.abs().maxCoeff() <= 1e-13 * grid.density.maxCoeff() / grid.x.width());
  double worst = 0;
  const Eigen::Index at = 240;  // x ≈ −1
  for (Eigen::Index i = 0; i < 880; ++i) {
    const auto log_mean = [&](Eigen::Index k) {
      return log_integral([&](double x) { return -well.potential(Vector1(x)); },
                          grid.x.lower + static_cast<double>(k) * grid.x.width(), grid.x.width());
    };
    const double expected = log_mean(i) - log_mean(at);
    worst =
        std::max(worst, std::abs(std::log(grid.density(i, 0) / grid.density(at, 0)) - expected));
  }
  CHECK(worst < 1e-8);
  CHECK(grid.density(0, 0) < 1e-200);
}

TEST_CASE("Wells are right to each other across barriers that no double can tell") {
  const TiltedWell system;
  const auto log_weight = [&](double x) { return -TiltedWell::well(x) / system.temperature; };
  const double expected =
      log_integral(log_weight, -2, 2, 400000) - log_integral(log_weight, 0, 2, 400000);
  CHECK(std::abs(expected + 200) < 1);
  for (const auto& [range, bins] : {std::pair{2.0, 400}, {10.0, 400}, {10.0, 40}}) {
    const auto grid = ness::stationary_density(system, {{-range, range, bins}});
    CHECK(grid.residual <= 1e-12);
    const double left = grid.density.topRows(bins / 2).sum();
    const double right = grid.density.bottomRows(bins / 2).sum();
    CHECK(std::abs(std::log(left / right) - expected) <= 1e-6);
  }
  // In two dimensions jumps go by the force half way, which sums to the same ratio in each column.
  const auto grid = ness::stationary_density(TiltedWells{}, {{-1.6, 1.6, 160}, {-0.2, 0.2, 20}});
  double along = 0;
  const double h = grid.x.width();
  for (Eigen::Index i = 30; i < 129; ++i) {
    const double x = grid.x.center(i) + h / 2;
    along -= 1e3 * h * (4 * x * (x * x - 1) - 0.1);
  }
  CHECK(along > 150);
  for (const Eigen::Index j : {9, 12})
    CHECK(std::abs(std::log(grid.density(129, j) / grid.density(30, j)) - along) <= 1e-9);
  CHECK(grid.residual <= 1e-12);
  CHECK(grid.density.minCoeff() == 0);  // below the range of double
}

TEST_CASE("A density much steeper than a cell lies where it does in the cell") {
  for (const double slope : {10.0, 1e3, 1e5}) {
    const ness::LinearSystem<Vector1> ramp(Vector1(-1e6), Vector1(slope / 1e6), Vector1(1.0),
                                           Vector1(1.0));  // e^{−slope·x}, nearly
    const auto grid = ness::stationary_density(ramp, {{0, 4, 4}});
    const double expected = 1 / slope - 1 / std::expm1(slope);
    CHECK(relative_error(grid.mean_x[0], expected) <= 1e-5);
  }
}

TEST_CASE("Where mutation is rare the density diverges, and averages are of second order yet") {
  const auto error_of = [](double a, double b, Eigen::Index bins) {
    const ness::WrightFisher<2> evolution(50, Eigen::Vector2d(a, b) / 100, Eigen::Vector2d(0, 0));
    const auto grid = ness::stationary_density(evolution, {{0, 1, bins}});
    CHECK(std::abs(grid.density.sum() * grid.x.width() - 1) <= 1e-12);
    // Beta(a, b)
    const double sum = a + b;
    const double exact = a * b / (sum * (sum + 1));
    return std::abs(grid.mean([](double x) { return x * (1 - x); }) - exact) / exact;
  };
  for (const auto& [a, b] : {std::pair{0.02, 0.02}, {0.02, 3.0}, {0.5, 0.5}, {0.7, 0.3}}) {
    CAPTURE(a, b);
    const double coarse = error_of(a, b, 50), fine = error_of(a, b, 100),
                 finest = error_of(a, b, 200);
    CHECK(coarse / fine > 3.7);  // h² log h where the mass lies at the walls
    CHECK(fine / finest > 3.7);
    CHECK(finest < 1e-4);
  }
  // The arcsine law in every cell, of which those at the walls hold the most.
  const ness::WrightFisher<2> even(50, Eigen::Vector2d(0.005, 0.005), Eigen::Vector2d(0, 0));
  double last = 0;
  for (const Eigen::Index bins : {50, 100, 200}) {
    const auto grid = ness::stationary_density(even, {{0, 1, bins}});
    double worst = 0, mass = 0;
    for (Eigen::Index i = 0; i < bins; ++i) {
      mass += grid.density(i, 0) * grid.x.width();
      const double edge = static_cast<double>(i + 1) * grid.x.width();
      const double law = 2 / std::numbers::pi * std::asin(std::sqrt(std::min(edge, 1.0)));
      worst = std::max(worst, std::abs(mass - law));
    }
    if (last > 0) CHECK(last / worst > 3.8);  // h^(a + 2) of a cell at the wall
    last = worst;
  }
  CHECK(last < 1e-6);
}

TEST_CASE("Evolution of two and of three alleles has the density of Wright") {
  // Two alleles: x^{a−1} (1−x)^{b−1} e^{2N_e s x}.
  const ness::WrightFisher<2> two(100, Eigen::Vector2d(0.02, 0.01), Eigen::Vector2d(0.01, 0));
  const auto density = [&](double x) { return std::pow(x, 3) * (1 - x) * std::exp(2 * x); };
  double last = 0;
  for (const Eigen::Index bins : {50, 100, 200}) {
    const auto grid = ness::stationary_density(two, {{0, 1, bins}});
    double sum = 0;
    for (Eigen::Index i = 0; i < bins; ++i) sum += density(grid.x.center(i)) * grid.x.width();
    double error = 0;
    for (Eigen::Index i = 0; i < bins; ++i)
      error += std::abs(grid.density(i, 0) - density(grid.x.center(i)) / sum) * grid.x.width();
    if (last > 0) CHECK(last / error > 3);
    last = error;
  }
  CHECK(last < 1e-3);

  const ness::WrightFisher<3> three(100, Eigen::Vector3d(0.01, 0.015, 0.02),
                                    Eigen::Vector3d(0.01, 0, -0.01));
  const auto grid = ness::stationary_density(three, {{0, 1, 60}, {0, 1, 60}},
                                             [](const Vector2d& t) { return t.sum() < 0.9999; });
  const ness::EquilibriumPotential phi(three);
  Eigen::ArrayXXd expected = Eigen::ArrayXXd::Zero(60, 60);
  for (Eigen::Index i = 0; i < 60; ++i)
    for (Eigen::Index j = 0; j < 60; ++j) {
      const Vector2d t(grid.x.center(i), grid.y.center(j));
      if (t.sum() < 0.9999) expected(i, j) = std::exp(-phi(t));
    }
  expected /= expected.sum() * grid.x.width() * grid.y.width();
  CHECK((grid.density - expected).abs().sum() * grid.x.width() * grid.y.width() < 0.01);
  CHECK((grid.density == 0).select(expected, 0).abs().maxCoeff() == 0);
  // In equilibrium: no current, though D is not diagonal.
  CHECK(grid.current_x.abs().maxCoeff() < 1e-12);
}

TEST_CASE("The elimination finds what a linear solver finds") {
  constexpr Eigen::Index states = 30, reach = 4;
  ness::detail::BandedJumpProcess process(states, reach);
  Eigen::MatrixXd generator = Eigen::MatrixXd::Zero(states, states);
  const Eigen::MatrixXd rates = generic_values(states, states, 3).cwiseAbs();
  for (Eigen::Index i = 0; i < states; ++i)
    for (Eigen::Index j = std::max<Eigen::Index>(0, i - reach);
         j <= std::min(states - 1, i + reach); ++j) {
      if (i == j) continue;
      process.rate(i, j) = rates(i, j);
      generator(j, i) += rates(i, j);
      generator(i, i) -= rates(i, j);
    }
  ness::detail::BandedJumpProcess<ness::detail::WideNumber> wide(states, reach);
  for (Eigen::Index i = 0; i < states; ++i)
    for (Eigen::Index j = std::max<Eigen::Index>(0, i - reach);
         j <= std::min(states - 1, i + reach); ++j)
      wide.rate(i, j) = process.rate(i, j);
  Eigen::ArrayXd found = process.solve().value().exp();
  found /= found.sum();
  Eigen::ArrayXd widely = wide.solve().value().exp();
  widely /= widely.sum();
  CHECK(relative_error(widely.matrix(), found.matrix()) <= 1e-13);
  generator.row(0).setOnes();
  const Eigen::VectorXd expected = generator.partialPivLu().solve(Eigen::VectorXd::Unit(states, 0));
  CHECK(relative_error(found.matrix(), expected) <= 1e-13);
}

TEST_CASE("The elimination in double says where it leaves its range") {
  // 0 and 1 meet in 2 alone: p₁/p₀ = a d/(c b).
  const double a = 1e-300, b = 1e-200, c = 1e-200, d = 1;
  const auto fill = [&](auto& process) {
    process.rate(0, 2) = a;
    process.rate(2, 0) = b;
    process.rate(1, 2) = c;
    process.rate(2, 1) = d;
  };
  ness::detail::BandedJumpProcess plain(3, 2);
  fill(plain);
  CHECK_FALSE(plain.solve().has_value());
  CHECK(plain.left_range());
  ness::detail::BandedJumpProcess<ness::detail::WideNumber> wide(3, 2);
  fill(wide);
  const Eigen::ArrayXd found = wide.solve().value();
  CHECK(std::abs(found[1] - found[0] - 100 * std::log(10.0)) <= 1e-12);
  ness::detail::BandedJumpProcess apart(3, 2);
  apart.rate(0, 2) = apart.rate(2, 0) = 1;
  CHECK_FALSE(apart.solve().has_value());
  CHECK_FALSE(apart.left_range());
  CHECK(apart.unconnected() == 1);
}

TEST_CASE("bad grids are refused") {
  const auto gyrator = ness::brownian_gyrator(2, 1, 3, 1);
  const ness::Axis axis{-1, 1, 10};
  CHECK_THROWS_WITH(ness::stationary_density(gyrator, {axis}), contains("an axis for each"));
  CHECK_THROWS_WITH(ness::stationary_density(gyrator, {axis, {1, 1, 5}}),
                    contains("lower must be below upper"));
  CHECK_THROWS_WITH(
      ness::stationary_density(gyrator, {axis, axis}, [](const auto&) { return false; }),
      contains("at least 2 cells"));
  CHECK_THROWS_WITH(
      ness::stationary_density(gyrator, {axis, axis},
                               [](const Vector2d& t) { return std::abs(t[0]) > 0.5; }),
      contains("cells must be connected"));
  CHECK_THROWS_WITH(ness::stationary_density(Absorbing{}, {{0, 1, 10}}),
                    contains("cannot be normalised: near 0 it goes as the power -1 "));
  const ness::WrightFisher<3> rare(100, Eigen::Vector3d(0.01, 0.001, 0.02),
                                   Eigen::Vector3d::Zero());
  CHECK_THROWS_WITH(
      ness::stationary_density(rare, {{0, 1, 20}, {0, 1, 20}},
                               [](const Vector2d& t) { return t.sum() < 0.9999; }),
      contains("in two dimensions the density must not diverge") && contains("power -0.79999"));
  CHECK_THROWS_WITH(ness::stationary_density(Absorbing{}, {{-1, 1, 10}}),
                    contains("diffusion must be positive definite"));
  const Correlated correlated;
  CHECK_THROWS_WITH(ness::stationary_density(correlated, {axis, {-3, 3, 10}}),
                    contains("change their ratio"));
}
