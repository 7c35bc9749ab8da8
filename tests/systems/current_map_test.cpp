#include "ness/trajectory/current_map.hpp"

#include <cmath>

#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/trajectory/density.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"

namespace {
using Eigen::Vector2d;
const auto identity = [](const Vector2d& t) { return t; };

// The largest deviation of the measured current in standard errors, over bins that are not rare,
// and the largest predicted one.
auto compare(const auto& system, double dt) {
  const ness::StationaryState state(system);
  const ness::Axis axis{-3, 3, 10};
  constexpr std::int64_t steps = 1'000'000;
  auto [map] = ness::run_chains(
      {.steps = steps, .burn_in = 5000, .chains = 8},
      [&](int k) {
        return ness::EulerMaruyama(system, dt, Vector2d(0, 0),
                                   ness::Philox(41, static_cast<std::uint64_t>(k)));
      },
      Vector2d(0.1, -0.2),
      ness::CurrentMap(identity, axis, axis, ness::batch_length(steps, 8, 64)));
  const auto x = map.current_x(), y = map.current_y();
  const auto density = map.density();
  double worst = 0, largest = 0;
  for (Eigen::Index i = 0; i < 10; ++i)
    for (Eigen::Index j = 0; j < 10; ++j) {
      if (density.value(i, j) < 0.01) continue;
      Vector2d expected(0, 0);  // mean over the bin, by its middle and corners
      constexpr double h = 0.3 * 0.57735026918962576;
      for (const double u : {-h, h})
        for (const double v : {-h, h})
          expected += state.current(Vector2d(axis.center(i) + u, axis.center(j) + v)) / 4;
      worst = std::max(worst, std::abs(x.value(i, j) / dt - expected[0]) /
                                  (x.standard_error(i, j) / dt + 0.002));
      worst = std::max(worst, std::abs(y.value(i, j) / dt - expected[1]) /
                                  (y.standard_error(i, j) / dt + 0.002));
      largest = std::max(largest, expected.norm() / (x.standard_error(i, j) / dt + 0.002));
    }
  return std::pair(worst, largest);
}
}  // namespace

TEST_CASE("Displacements are counted in the bin of their middle") {
  // From (0.2, 0.1) to (1.0, 0.3), middle (0.6, 0.2): the second bin; then out of the axes.
  ness::TrajectoryBlock<double> block(Vector2d(0.2, 0.1), Vector2d(0.5, 0.5), 4);
  int call = 0;
  const Vector2d states[] = {{1.0, 0.3}, {9, 9}};
  block.fill(2, [&] { return states[call++]; });
  ness::CurrentMap map(identity, {0, 1, 2}, {0, 1, 1}, 1);
  map.add(block);
  CHECK(relative_error(map.density().value(1, 0), 0.5 / 0.5) <= 1e-14);
  CHECK(map.density().value(0, 0) == 0);
  CHECK(relative_error(map.current_x().value(1, 0), 0.8 / 2 / 0.5) <= 1e-14);
  CHECK(relative_error(map.current_y().value(1, 0), 0.2 / 2 / 0.5) <= 1e-14);
}

TEST_CASE("The measured current is v^s P^s, and none in equilibrium") {
  const auto [worst, largest] = compare(ness::brownian_gyrator(2, 1.5, 3, 0.5), 0.01);
  INFO(worst << " of " << largest);
  CHECK(worst < 4);
  CHECK(largest > 25);
  const auto [noise, none] = compare(ness::brownian_gyrator(2, 1.5, 1, 1), 0.01);
  CHECK(noise < 4);
  CHECK(none < 1e-10);
}

TEST_CASE("Density counts states in bins, and says what one of them is worth") {
  ness::TrajectoryBlock<double> block(Vector2d(0.2, 0.1), Vector2d(0.5, 0.5), 4);
  int call = 0;
  const Vector2d states[] = {{0.7, 0.3}, {0.3, 9}, {-2, 0}, {0, 0}};
  block.fill(4, [&] { return states[call++]; });
  const auto first = [](const Vector2d& t) { return t[0]; };
  ness::Density density(first, {0, 1, 2}, 1);
  density.add(block);  // 0.2, 0.7, 0.3, −2
  CHECK(density.counts()[0] == 2);
  CHECK(density.counts()[1] == 1);
  CHECK(relative_error(density.density().value[0], 1.0) <= 1e-14);
  CHECK(relative_error(density.mean().value, -0.2) <= 1e-14);
  CHECK(relative_error(density.mean_square().value, (0.04 + 0.49 + 0.09 + 4) / 4) <= 1e-14);
  auto merged = density;
  merged.merge(density);
  CHECK(merged.counts()[0] == 4);
  CHECK(merged.density().value[0] == density.density().value[0]);
  using Density = decltype(density);
  CHECK_THROWS_WITH(Density(first, {1, 0, 2}, 1), contains("lower must be below upper"));
  CHECK_THROWS_WITH(Density(first, {0, 1, 2}, 1, 0), contains("stride must be at least 1"));
}
