#include "ness/systems/geometry.hpp"

#include <cmath>

#include "ness/systems/linear.hpp"
#include "ness/systems/polymer.hpp"
#include "ness/systems/wright_fisher.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Vector2 = Eigen::Vector2d;
using Vector3 = Eigen::Vector3d;

// Any D(θ), with the least of a system around it.
template <int N, class D>
struct Diffusing {
  D d;
  static constexpr Eigen::Index parameters() { return N; }
  void drift(const Eigen::Matrix<double, N, 1>&, Eigen::Matrix<double, N, 1>& out) const {
    out.setZero();
  }
  auto diffusion(const auto& t) const { return d(t); }
};
template <int N, class D>
Diffusing<N, D> diffusing(D d) {
  return {d};
}

template <class Theta>
using Matrix2Of = Eigen::Matrix<typename Theta::Scalar, 2, 2>;

const auto polar = [](const auto& t) {  // the plane: ds² = dr² + r²dφ²
  Matrix2Of<std::decay_t<decltype(t)>> d;
  d << 1, 0, 0, 1 / (t[0] * t[0]);
  return d;
};
const auto half_plane = [](const auto& t) {  // Poincaré's: ds² = (dx² + dy²)/y²
  Matrix2Of<std::decay_t<decltype(t)>> d;
  d << t[1] * t[1], 0, 0, t[1] * t[1];
  return d;
};
const auto sphere = [](const auto& t) {  // ds² = 4(dϑ² + sin²ϑ dφ²): radius 2
  using std::sin;
  const auto s = sin(t[0]);
  Matrix2Of<std::decay_t<decltype(t)>> d;
  d << 0.25, 0, 0, 0.25 / (s * s);
  return d;
};
// A metric without any symmetry, and the same in the coordinates y = (x₁ + x₂³/3, 2x₂ − sin x₁).
const auto uneven = [](const auto& t) {
  using std::cos;
  Matrix2Of<std::decay_t<decltype(t)>> d;
  d << 2 + t[0] * t[0], t[0] * t[1] / 2, t[0] * t[1] / 2, 1 + t[1] * t[1] + cos(t[0]) / 2;
  return d;
};

// D in place, of doubles alone: derivatives by differences.
struct Differenced {
  ness::WrightFisher<3> evolution;
  static constexpr Eigen::Index parameters() { return 2; }
  double beta() const { return evolution.beta(); }
  auto potential(const auto& t) const { return evolution.potential(t); }
  void diffusion(const Vector2& t, Eigen::Matrix2d& out) const { out = evolution.diffusion(t); }
};

}  // namespace

TEST_CASE("Wright and Fisher's manifold is a sphere of radius √(8N_e)") {
  const double size = 37;
  const double expected = 1 / (8 * size);
  const ness::WrightFisher<3> three(size, Vector3(0.1, 0.2, 0.1), Vector3(0, 0.1, 0));
  for (const Vector2& theta : {Vector2(0.2, 0.5), Vector2(0.05, 0.9), Vector2(0.3, 0.01)}) {
    const auto found = ness::curvature(three, theta);
    CHECK(relative_error(found.scalar, 2 * expected) <= 1e-10);
    CHECK(std::abs(found.scalar - 2 * expected) <= found.error);
    CHECK(relative_error(found.sectional(Vector2(1, 0.3), Vector2(-0.2, 2)), expected) <= 1e-10);
  }
  const ness::WrightFisher<4> four(size, Eigen::Vector4d(0.1, 0.2, 0.1, 0.1),
                                   Eigen::Vector4d(0, 0.1, 0, 0));
  for (const Vector3& theta : {Vector3(0.2, 0.4, 0.1), Vector3(0.02, 0.03, 0.9)}) {
    const auto found = ness::curvature(four, theta);
    CHECK(relative_error(found.scalar, 6 * expected) <= 1e-10);
    CHECK(found.error <= 1e-10 * found.scalar);
    // Constant: R_abcd = (g_ac g_bd − g_ad g_bc)/r², so that the Ricci tensor is 2g/r².
    CHECK(relative_error(found.ricci, MatrixXd(2 * expected * found.metric)) <= 1e-10);
    for (const std::uint64_t k : {1, 2, 3}) {
      const VectorXd u = generic_values<VectorXd>(3, 1, k), v = generic_values<VectorXd>(3, 1, 9);
      CHECK(relative_error(found.sectional(u, v), expected) <= 1e-10);
    }
  }
  const ness::WrightFisher<2> two(size, Vector2(0.1, 0.2), Vector2(0, 0.1));
  const auto line = ness::curvature(two, Eigen::Matrix<double, 1, 1>(0.3));
  CHECK(std::abs(line.scalar) <= line.error);  // a line has no curvature
}

TEST_CASE("Constant D is flat, and so is the plane in polar coordinates") {
  const auto gyrator = ness::brownian_gyrator(2, 1, 3, 1);
  CHECK(ness::curvature(gyrator, Vector2(1, 2)).scalar == 0);
  const auto plane = ness::curvature(diffusing<2>(polar), Vector2(0.7, 0.2));
  CHECK(std::abs(plane.scalar) <= plane.error);
  CHECK(plane.error <= 1e-12);
}

TEST_CASE("The sphere has the curvature 1/r², the hyperbolic plane −1") {
  const auto ball = ness::curvature(diffusing<2>(sphere), Vector2(0.7, 0.2));
  CHECK(relative_error(ball.scalar, 2.0 / 4) <= 1e-13);
  CHECK(relative_error(ball.sectional(Vector2(1, 0), Vector2(3, 1)), 1.0 / 4) <= 1e-13);
  const auto saddle = ness::curvature(diffusing<2>(half_plane), Vector2(0.7, 0.2));
  CHECK(relative_error(saddle.scalar, -2.0) <= 1e-13);
  CHECK(relative_error(saddle.sectional(Vector2(1, 0), Vector2(3, 1)), -1.0) <= 1e-13);
}

TEST_CASE("The tensor has the symmetries of a curvature") {
  const auto d = [](const auto& t) {
    using Scalar = typename std::decay_t<decltype(t)>::Scalar;
    Eigen::Matrix<Scalar, 3, 3> b;
    b << 1 + t[1] * t[1], t[2], 0, t[0] * t[2], 2 + t[0], t[1], t[2] * t[2], t[0], 1;
    return Eigen::Matrix<Scalar, 3, 3>(b * b.transpose());
  };
  const auto found = ness::curvature(diffusing<3>(d), Vector3(0.3, -0.2, 0.4));
  double largest = 0;
  for (const double each : found.riemann) largest = std::max(largest, std::abs(each));
  REQUIRE(largest > 0);
  const auto r = [&](int a, int b, int c, int e) { return found.component(a, b, c, e); };
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b)
      for (int c = 0; c < 3; ++c)
        for (int e = 0; e < 3; ++e) {
          CHECK(std::abs(r(a, b, c, e) + r(b, a, c, e)) <= 1e-12 * largest);
          CHECK(std::abs(r(a, b, c, e) - r(c, e, a, b)) <= 1e-12 * largest);
          CHECK(std::abs(r(a, b, c, e) + r(a, c, e, b) + r(a, e, b, c)) <= 1e-12 * largest);
        }
}

TEST_CASE("Curvature does not depend on the coordinates") {
  const Vector2 x(0.4, -0.3);
  // D' = JDJᵀ as a function of y, at x(y) by Newton's method: dual numbers go along.
  const auto elsewhere = [&](const auto& y) {
    using Scalar = typename std::decay_t<decltype(y)>::Scalar;
    using std::cos, std::sin;
    Eigen::Matrix<Scalar, 2, 1> at(Scalar(0.4), Scalar(-0.3));
    Matrix2Of<std::decay_t<decltype(y)>> j;
    for (int k = 0; k < 12; ++k) {
      j << Scalar(1), at[1] * at[1], -cos(at[0]), Scalar(2);
      const Scalar first = at[0] + at[1] * at[1] * at[1] / 3 - y[0];
      const Scalar second = 2 * at[1] - sin(at[0]) - y[1];
      const Scalar det = j(0, 0) * j(1, 1) - j(0, 1) * j(1, 0);
      at[0] -= (j(1, 1) * first - j(0, 1) * second) / det;
      at[1] -= (j(0, 0) * second - j(1, 0) * first) / det;
    }
    j << Scalar(1), at[1] * at[1], -cos(at[0]), Scalar(2);
    return Matrix2Of<std::decay_t<decltype(y)>>(j * uneven(at) * j.transpose());
  };
  const Vector2 y(x[0] + std::pow(x[1], 3) / 3, 2 * x[1] - std::sin(x[0]));
  const auto here = ness::curvature(diffusing<2>(uneven), x);
  const auto there = ness::curvature(diffusing<2>(elsewhere), y);
  CHECK(std::abs(here.scalar) > 0.01);
  CHECK(relative_error(there.scalar, here.scalar) <= 1e-12);
  Eigen::Matrix2d j;
  j << 1, x[1] * x[1], -std::cos(x[0]), 2;
  const Vector2 u(1, 0.3), v(0.2, -1);
  CHECK(relative_error(there.sectional(j * u, j * v), here.sectional(u, v)) <= 1e-12);
}

TEST_CASE("By differences it is the same, within the error that it states, in any units") {
  const ness::WrightFisher<3> evolution(37, Vector3(0.1, 0.2, 0.1), Vector3(0, 0.1, 0));
  const Differenced differenced{evolution};
  const double exact = 2 / (8.0 * 37);
  const auto found = ness::curvature(differenced, Vector2(0.2, 0.5));
  INFO(found.scalar / exact - 1 << ", error " << found.error / exact);
  CHECK(std::abs(found.scalar - exact) <= found.error);
  CHECK(found.error <= 1e-6 * exact);
  CHECK(relative_error(found.scalar, exact) <= 1e-7);
  // A polymer with hydrodynamics: curved, but not for beads that are far apart.
  const ness::Polymer<> polymer({.beads = 2, .hydrodynamics = {0.25}});
  VectorXd theta(6), lengths(6);
  theta << 0, 0, 0, 0.8, 0.3, 0.4;
  lengths.setConstant(0.5);
  const auto near = ness::curvature(polymer, theta, lengths);
  theta.tail<3>() *= 100;
  lengths *= 100;
  const auto far = ness::curvature(polymer, theta, lengths);
  CHECK(std::abs(near.scalar) > 10 * near.error);
  CHECK(std::abs(far.scalar) <= 1e-4 * std::abs(near.scalar));
}

TEST_CASE("Curvature where there is none is refused") {
  const ness::WrightFisher<3> evolution(37, Vector3(0.1, 0.2, 0.1), Vector3(0, 0.1, 0));
  CHECK_THROWS_WITH(ness::curvature(evolution, Vector2(0, 0.5)),
                    contains("diffusion must be positive definite"));
  const Differenced differenced{evolution};
  const auto found = ness::curvature(differenced, Vector2(0.2, 0.5));
  CHECK_THROWS_WITH(found.sectional(VectorXd(VectorXd::Ones(3)), Vector2(1, 0)),
                    contains("u must be 2 x 1"));
}
