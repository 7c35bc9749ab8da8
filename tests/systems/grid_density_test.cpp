#include "ness/stationary/grid_density.hpp"

#include <Eigen/LU>
#include <cmath>

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
  // e^{−40(x² − 1)²} at 2.2 is 10⁻²⁵⁶.
  const DoubleWell well{40};
  const auto grid = ness::stationary_density(well, {{-2.2, 2.2, 880}});
  CHECK(grid.current_x.abs().maxCoeff() <= 1e-13 * grid.density.maxCoeff() / grid.x.width());
  double worst = 0;
  const Eigen::Index at = 240;  // x ≈ −1
  for (Eigen::Index i = 0; i < 880; ++i) {
    const Vector1 x(grid.x.center(i)), x0(grid.x.center(at));
    const double expected = well.potential(x0) - well.potential(x);
    worst =
        std::max(worst, std::abs(std::log(grid.density(i, 0) / grid.density(at, 0)) - expected));
  }
  CHECK(worst < 0.02);
  CHECK(grid.density(0, 0) < 1e-200);
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
  const Eigen::ArrayXd found = process.solve();
  generator.row(0).setOnes();
  const Eigen::VectorXd expected = generator.partialPivLu().solve(Eigen::VectorXd::Unit(states, 0));
  CHECK(relative_error(found.matrix(), expected) <= 1e-13);
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
  const Correlated correlated;
  CHECK_THROWS_WITH(ness::stationary_density(correlated, {axis, {-3, 3, 10}}),
                    contains("change their ratio"));
}
