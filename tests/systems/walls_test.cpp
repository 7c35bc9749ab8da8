#include "ness/dynamics/walls.hpp"

#include <cmath>
#include <cstdint>
#include <limits>

#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/dynamics/metropolized_euler.hpp"
#include "ness/stationary/grid_density.hpp"
#include "ness/systems/wright_fisher.hpp"
#include "ness/trajectory/density.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"

namespace {

using Eigen::Matrix2d;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Vector1 = Eigen::Matrix<double, 1, 1>;
using Vector2 = Eigen::Vector2d;
using Walls1 = ness::ReflectingWalls<Vector1>;
using Walls2 = ness::ReflectingWalls<Vector2>;

constexpr double drop = 3, noise = 0.7;

// Falls onto a floor: P ∝ e^{−3θ/0.7} in 0 … 1.
struct Falling {
  static constexpr Eigen::Index parameters() { return 1; }
  auto potential(const auto& t) const { return drop * t[0]; }
  Vector1 diffusion() const { return Vector1(noise); }
  double beta() const { return 1 / noise; }
};

// Noise that is correlated, and a force along the first coordinate alone.
struct Slanted {
  static constexpr Eigen::Index parameters() { return 2; }
  auto potential(const auto& t) const { return 2 * t[0]; }
  Matrix2d diffusion() const {
    Matrix2d d;
    d << 1, 0.6, 0.6, 0.8;
    return d;
  }
  double beta() const { return 1; }
};

template <class System, class Walls, class F>
auto mean_between(const System& system, const Walls& walls, double time_step,
                  const ness::vector_t<System>& start, const F& f, std::int64_t steps) {
  constexpr int chains = 8;
  const ness::Density estimator(f, {0, 1, 1}, ness::batch_length(steps, chains, 128), 2);
  auto [result] = ness::run_chains(
      {.steps = steps, .burn_in = steps / 20, .chains = chains},
      [&](int k) {
        return ness::EulerMaruyama(system, time_step, start,
                                   ness::Philox(17, static_cast<std::uint64_t>(k)), walls);
      },
      ness::vector_t<System>(ness::vector_t<System>::Zero(system.parameters())), estimator);
  return result.mean();
}

double normal_below(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// ⟨θ⟩ of `Falling` in reflected steps of Δt, from the law of a step, on cells: no noise.
double reflected_mean(double time_step) {
  constexpr Eigen::Index cells = 300;
  const double width = std::sqrt(2 * noise * time_step);
  MatrixXd transition(cells, cells);
  for (Eigen::Index i = 0; i < cells; ++i) {
    const double mean = (static_cast<double>(i) + 0.5) / cells - drop * time_step;
    const auto below = [&](double x) { return normal_below((x - mean) / width); };
    for (Eigen::Index j = 0; j < cells; ++j) {
      const double low = static_cast<double>(j) / cells;
      const double high = static_cast<double>(j + 1) / cells;
      double sum = 0;
      for (const int image : {-2, 0, 2})
        sum += below(high + image) - below(low + image) + below(image - low) - below(image - high);
      transition(j, i) = sum;
    }
  }
  VectorXd density = VectorXd::Constant(cells, 1.0 / cells);
  for (int k = 0; k < std::lround(4 / time_step); ++k) density = (transition * density).eval();
  return (VectorXd::LinSpaced(cells, 0.5, cells - 0.5) / cells).dot(density) / density.sum();
}

// ⟨θ⟩ for e^{−aθ} in 0 … 1.
double exponential_mean(double a) { return 1 / a - 1 / std::expm1(a); }

}  // namespace

TEST_CASE("A reflection is along Dn, and as deep inside as the step was outside") {
  const auto walls = Walls2::box(Vector2(0, -1), Vector2(2, 1));
  const Matrix2d d = Slanted().diffusion();
  Vector2 scratch, theta(-0.1, 0.2);
  const auto diffusion = [&]() -> const Matrix2d& { return d; };
  walls.reflect(Vector2(0.1, 0.2), diffusion, scratch, theta);
  CHECK(relative_error(theta, Vector2(0.1, 0.2 + 0.2 * 0.6)) <= 1e-15);
  theta = Vector2(1, 1.25);
  walls.reflect(Vector2(1, 0.9), diffusion, scratch, theta);
  CHECK(relative_error(theta, Vector2(1 - 0.5 * 0.6 / 0.8, 0.75)) <= 1e-15);
  // No noise across a wall: onto it. A step of many sizes of the box: not taken.
  const Matrix2d none = Matrix2d::Zero();
  theta = Vector2(-0.1, 0.2);
  walls.reflect(
      Vector2(0.1, 0.2), [&]() -> const Matrix2d& { return none; }, scratch, theta);
  CHECK(theta == Vector2(0, 0.2));
  theta = Vector2(1e9, 0);
  walls.reflect(Vector2(0.1, 0.2), diffusion, scratch, theta);
  CHECK(theta == Vector2(0.1, 0.2));
}

TEST_CASE("Boxes and simplexes have the walls that they should") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto half = Walls2::box(Vector2(0, -infinity), Vector2(infinity, infinity));
  CHECK(half.walls() == 1);
  CHECK(half.contain(Vector2(0, -1e9)));
  CHECK(!half.contain(Vector2(-1e-300, 0)));
  const auto simplex = Walls2::simplex(2);
  CHECK(simplex.walls() == 3);
  CHECK(simplex.contain(Vector2(0.25, 0.75)));
  CHECK(simplex.contain(Vector2(0, 0)));
  CHECK(!simplex.contain(Vector2(0.5, 0.51)));
  CHECK(!simplex.contain(Vector2(0.5, -0.01)));
}

TEST_CASE("Between walls, with constant D, steps have the law of the reflected one") {
  const Falling system;
  const auto walls = Walls1::box(Vector1(0.0), Vector1(1.0));
  for (const double time_step : {0.04, 0.01}) {
    const auto found = mean_between(
        system, walls, time_step, Vector1(0.5), [](const Vector1& t) { return t[0]; }, 100'000);
    const double expected = reflected_mean(time_step);
    INFO(found.value << " +- " << found.standard_error << ", expected " << expected);
    CHECK(std::abs(found.value - expected) <= 4 * found.standard_error);
    CHECK(found.standard_error < 0.002);
  }
}

TEST_CASE("Between walls, with constant D, averages have an error of order Δt") {
  const double exact = exponential_mean(drop / noise);
  double last = 0;
  for (const double time_step : {0.02, 0.01, 0.005}) {
    const double error = reflected_mean(time_step) - exact;
    if (last != 0) {
      INFO(last << " " << error);
      CHECK(std::abs(last / error - 2) <= 0.05);
    }
    last = error;
  }
}

TEST_CASE("Correlated noise between walls has the density of finite volumes, without a current") {
  const Slanted system;
  const auto walls = Walls2::box(Vector2(0, 0), Vector2(1, 1));
  const auto grid = ness::stationary_density(system, {{0, 1, 40}, {0, 1, 40}});
  const double x = grid.mean([](double a, double) { return a; });
  const double xy = grid.mean([](double a, double b) { return (a - 0.5) * (b - 0.5); });
  CHECK(relative_error(x, exponential_mean(2)) <= 1e-3);  // second order in the cells
  CHECK(std::abs(xy) <= 1e-12);                           // P is a product
  const auto mean = [&](const auto& f) {
    const auto coarse = mean_between(system, walls, 0.004, Vector2(0.5, 0.5), f, 600'000);
    const auto fine = mean_between(system, walls, 0.002, Vector2(0.5, 0.5), f, 1'200'000);
    return ness::Estimate<double>{2 * fine.value - coarse.value,
                                  std::hypot(2 * fine.standard_error, coarse.standard_error)};
  };
  const auto first = mean([](const Vector2& t) { return t[0]; });
  const auto product = mean([](const Vector2& t) { return (t[0] - 0.5) * (t[1] - 0.5); });
  INFO(first.value << " +- " << first.standard_error << ", " << product.value << " +- "
                   << product.standard_error);
  CHECK(std::abs(first.value - x) <= 4 * first.standard_error);
  CHECK(std::abs(product.value - xy) <= 4 * product.standard_error);
  CHECK(first.standard_error < 0.005);
  CHECK(product.standard_error < 0.001);
}

TEST_CASE("Frequencies between the walls of the simplex have Dirichlet's moments") {
  // 2N_e u = 3, 2, 4: the density vanishes at the walls, and the error is of order Δt.
  const ness::WrightFisher<3> evolution(50, Eigen::Vector3d(0.03, 0.02, 0.04),
                                        Eigen::Vector3d(0, 0, 0));
  const auto walls = Walls2::simplex(2);
  const auto square = [](const Vector2& t) { return t[0] * t[1]; };
  const double exact = 3.0 * 2 / (9 * 10);
  const Vector2 start(0.3, 0.3);
  const auto coarse = mean_between(evolution, walls, 2, start, square, 100'000);
  const auto fine = mean_between(evolution, walls, 1, start, square, 200'000);
  const double extrapolated = 2 * fine.value - coarse.value;
  const double error = std::hypot(2 * fine.standard_error, coarse.standard_error);
  INFO(coarse.value << " " << fine.value << " -> " << extrapolated << " +- " << error);
  CHECK(std::abs(extrapolated - exact) <= 4 * error);
  CHECK(error < 0.02 * exact);
  ness::EulerMaruyama chain(evolution, 20.0, start, ness::Philox(3), walls);
  for (int k = 0; k < 10'000; ++k) {
    chain.step();
    REQUIRE(walls.contain(chain.theta()));
  }
}

TEST_CASE("Where D vanishes and the density diverges, the error is of order Δt^2Nu only") {
  // Beta(½, ½). Steps are reflected too far inwards; those of `MetropolizedEuler` are right.
  const ness::WrightFisher<2> evolution(50, Vector2(0.005, 0.005), Vector2(0, 0));
  const auto walls = Walls1::box(Vector1(0.0), Vector1(1.0));
  const auto spread = [](const Vector1& t) { return (t[0] - 0.5) * (t[0] - 0.5); };
  const double exact = 1.0 / 8;
  const auto error = [&](double time_step, std::int64_t steps) {
    const auto found = mean_between(evolution, walls, time_step, Vector1(0.5), spread, steps);
    CHECK(found.standard_error < 0.0015);
    return found.value - exact;
  };
  const double first = error(8, 50'000), second = error(2, 100'000), third = error(0.5, 200'000);
  INFO(first << " " << second << " " << third);
  CHECK(first < 0);
  // A quarter of the step, half of the error.
  CHECK(std::abs(first / second - 2) < 0.4);
  CHECK(std::abs(second / third - 2) < 0.6);

  const ness::Density estimator(spread, {0, 1, 1}, ness::batch_length(100'000, 8, 128), 2);
  auto [metropolized] = ness::run_chains(
      {.steps = 100'000, .burn_in = 1000, .chains = 8},
      [&](int k) {
        return ness::MetropolizedEuler(evolution, 2.0, Vector1(0.5),
                                       ness::Philox(19, static_cast<std::uint64_t>(k)));
      },
      Vector1(0.0), estimator);
  const auto right = metropolized.mean();
  INFO(right.value << " +- " << right.standard_error);
  CHECK(std::abs(right.value - exact) <= 4 * right.standard_error);
  CHECK(right.standard_error < std::abs(second) / 4);
}

TEST_CASE("A chain between walls says so, and is told from one without") {
  const Falling system;
  const auto walls = Walls1::box(Vector1(0.0), Vector1(1.0));
  const ness::EulerMaruyama chain(system, 0.25, Vector1(0.5), ness::Philox(), walls);
  CHECK(chain.description() == "Euler-Maruyama between reflecting walls, time step 0.25");
  const ness::EulerMaruyama free(system, 0.25, Vector1(0.5));
  CHECK(chain.fingerprint() != free.fingerprint());
  const ness::EulerMaruyama wider(system, 0.25, Vector1(0.5), ness::Philox(),
                                  Walls1::box(Vector1(0.0), Vector1(2.0)));
  CHECK(chain.fingerprint() != wider.fingerprint());
}

TEST_CASE("bad walls are refused") {
  CHECK_THROWS_WITH(Walls2::box(Vector2(0, 0), Vector2(1, 0)),
                    contains("lower must be below upper"));
  CHECK_THROWS_WITH(Walls2(Matrix2d::Zero(), Vector2(1, 1)), contains("normals must not be 0"));
  CHECK_THROWS_WITH(Walls2(Matrix2d::Identity(), VectorXd(VectorXd::Ones(3))),
                    contains("offsets must be 2 x 1"));
  const Falling system;
  CHECK_THROWS_WITH(ness::EulerMaruyama(system, 0.1, Vector1(1.5), ness::Philox(),
                                        Walls1::box(Vector1(0.0), Vector1(1.0))),
                    contains("theta must be within the walls"));
}
