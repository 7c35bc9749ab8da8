#include "ness/systems/coordinates.hpp"

#include <Eigen/LU>
#include <cmath>

#include "ness/stationary/classify.hpp"
#include "ness/stationary/grid_density.hpp"
#include "ness/systems/force.hpp"
#include "ness/systems/geometry.hpp"
#include "ness/systems/linear.hpp"
#include "ness/systems/wright_fisher.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"

namespace {

using Eigen::Matrix2d;
using Vector1 = Eigen::Matrix<double, 1, 1>;
using Vector2 = Eigen::Vector2d;
using Vector3 = Eigen::Vector3d;
template <class V>
using Same = Eigen::Matrix<typename V::Scalar, V::RowsAtCompileTime, 1>;

// The angles of (√x₁, √x₂, √x₃) on the sphere: x₃ = cos²ϑ, x₁ = sin²ϑ cos²φ.
struct Angles {
  template <class V>
  Same<V> operator()(const V& x) const {
    using std::atan, std::sqrt;
    const auto rest = x[0] + x[1];
    Same<V> y;
    y[0] = atan(sqrt(rest / (1 - rest)));
    y[1] = atan(sqrt(x[1] / x[0]));
    return y;
  }
  template <class V>
  Same<V> inverse(const V& y) const {
    using std::cos, std::sin;
    const auto s = sin(y[0]), c = cos(y[1]), d = sin(y[1]);
    Same<V> x;
    x[0] = s * s * c * c;
    x[1] = s * s * d * d;
    return x;
  }
};

// For two alleles, x = sin²y.
struct Angle {
  template <class V>
  Same<V> operator()(const V& x) const {
    using std::atan, std::sqrt;
    Same<V> y;
    y[0] = atan(sqrt(x[0] / (1 - x[0])));
    return y;
  }
  template <class V>
  Same<V> inverse(const V& y) const {
    using std::sin;
    Same<V> x;
    x[0] = sin(y[0]) * sin(y[0]);
    return x;
  }
};

// y = (2θ₁ + θ₂³/3, sinh θ₂): without any symmetry, in closed form both ways.
struct Bent {
  template <class V>
  Same<V> operator()(const V& t) const {
    using std::sinh;
    Same<V> y;
    y[1] = sinh(t[1]);
    y[0] = 2 * t[0] + t[1] * t[1] * t[1] / 3;
    return y;
  }
  template <class V>
  Same<V> inverse(const V& y) const {
    using std::log, std::sqrt;
    Same<V> t;
    t[1] = log(y[1] + sqrt(y[1] * y[1] + 1));
    t[0] = (y[0] - t[1] * t[1] * t[1] / 3) / 2;
    return t;
  }
};

ness::WrightFisher<3> three() { return {40, Vector3(0.02, 0.03, 0.015), Vector3(0.01, 0, -0.02)}; }

// The Einstein relation holds, and no G has ∇·(GD) = 0: D⁻¹∇·D is no gradient.
struct Swirling {
  static constexpr Eigen::Index parameters() { return 2; }
  auto potential(const auto& t) const { return (t[0] * t[0] + t[1] * t[1]) / 2; }
  auto diffusion(const auto& t) const {
    using std::exp;
    using Scalar = typename std::decay_t<decltype(t)>::Scalar;
    Eigen::Matrix<Scalar, 2, 2> d;
    d << exp(t[0] * t[1]), Scalar(0), Scalar(0), Scalar(1);
    return d;
  }
  double beta() const { return 2; }
};

template <class System, class Phi>
auto velocity_of(const System& system, const ness::vector_t<System>& at, const Phi& phi) {
  ness::vector_t<System> gradient(at.size());
  ness::Autodiff<ness::vector_t<System>>().gradient(phi, at, gradient);
  return ness::velocity(system, at, gradient);
}

}  // namespace

TEST_CASE("In angles Wright and Fisher's D has no divergence: Boltzmann equilibrium, G = 1") {
  const auto evolution = three();
  const ness::InCoordinates system(evolution, Angles());
  ness::SystemTerms terms(system);
  for (const Vector2& x : {Vector2(0.2, 0.5), Vector2(0.05, 0.9), Vector2(0.6, 0.1)}) {
    const Vector2 y = system.map()(x);
    CHECK(relative_error(Vector2(system.map().inverse(y)), x) <= 1e-13);
    terms.at(y);
    Matrix2d expected = Matrix2d::Zero();
    expected(0, 0) = 1 / (8.0 * 40);
    expected(1, 1) = 1 / (8.0 * 40 * std::pow(std::sin(y[0]), 2));
    CHECK((terms.diffusion() - expected).norm() <= 1e-13 * expected.norm());
    CHECK(terms.diffusion_divergence().norm() <= 1e-12 * expected.norm());
    // So that the drift is −βD'∇'𝓛', 𝓛' = Φ'/β.
    Vector2 gradient;
    ness::Autodiff<Vector2>().gradient(
        [&](const auto& t) { return system.equilibrium_potential(t); }, y, gradient);
    CHECK(relative_error(Vector2(-terms.diffusion() * gradient), terms.drift()) <= 1e-11);
  }
}

TEST_CASE("Equilibrium is equilibrium in any coordinates") {
  const auto evolution = three();
  const ness::InCoordinates system(evolution, Bent());
  const Vector2 y = system.map()(Vector2(0.2, 0.5));
  const Vector2 v =
      velocity_of(system, y, [&](const auto& t) { return system.equilibrium_potential(t); });
  ness::SystemTerms terms(system);
  CHECK(v.norm() <= 1e-12 * terms.at(y).drift().norm());
  // Condition (ii) is not met here, and not in the terms of the frequencies: G = 1/det D.
  CHECK(terms.diffusion_divergence().norm() > 1e-3 * terms.diffusion().norm());
}

TEST_CASE("Out of equilibrium the velocity is a vector, and the entropy production a scalar") {
  const auto gyrator = ness::brownian_gyrator(2, 1, 3, 1);
  const ness::InCoordinates system(gyrator, Bent());
  const auto phi = [](const auto& t) { return t[0] * t[0] + t[0] * t[1] / 3 + t[1] * t[1] / 2; };
  const auto phi_there = [&](const auto& y) {
    using T = typename std::decay_t<decltype(y)>::Scalar;
    const Eigen::Matrix<T, 2, 1> t = system.map().inverse(y);
    return phi(t) + ness::detail::log_abs_determinant(system.jacobian<T>(t));
  };
  const Vector2 theta(0.7, -0.4);
  const Vector2 y = system.map()(theta);
  const Vector2 here = velocity_of(gyrator, theta, phi);
  const Vector2 there = velocity_of(system, y, phi_there);
  const Matrix2d j = system.jacobian<double>(theta);
  REQUIRE(here.norm() > 0.1);
  CHECK(relative_error(there, Vector2(j * here)) <= 1e-13);
  const Matrix2d d = gyrator.diffusion(), d_there = system.diffusion(y);
  CHECK(relative_error(there.dot(d_there.inverse() * there), here.dot(d.inverse() * here)) <=
        1e-13);
  CHECK(std::abs(ness::curvature(system, y).scalar) <= ness::curvature(system, y).error);
}

TEST_CASE("Condition (ii) is that the coordinates are harmonic with the weight G") {
  // (∇'·G'D')/G' = J(∇·GD)/G + D:∇∇φ, G' = G/|det J|, for any G: here e^{θ₁ − θ₂²}.
  const Swirling swirl;
  const ness::InCoordinates system(swirl, Bent());
  const auto log_g = [](const auto& t) { return t[0] - t[1] * t[1]; };
  const Vector2 theta(0.3, 0.6);
  const Vector2 y = system.map()(theta);
  const auto log_g_there = [&](const auto& at) {
    using T = typename std::decay_t<decltype(at)>::Scalar;
    const Eigen::Matrix<T, 2, 1> t = system.map().inverse(at);
    return log_g(t) - ness::detail::log_abs_determinant(system.jacobian<T>(t));
  };
  const auto gauge = [](const auto& of, const Vector2& at, const auto& log_weight) {
    ness::SystemTerms terms(of);
    Vector2 gradient;
    ness::Autodiff<Vector2>().gradient(log_weight, at, gradient);
    terms.at(at);
    return Vector2(terms.diffusion_divergence() + terms.diffusion() * gradient);
  };
  // D:∇∇φ by hand: φ₁'' = 2θ₂ along θ₂, φ₂'' = sinh θ₂, D₂₂ = 1.
  const Vector2 second(2 * theta[1], std::sinh(theta[1]));
  const Vector2 expected = system.jacobian<double>(theta) * gauge(swirl, theta, log_g) + second;
  CHECK(relative_error(gauge(system, y, log_g_there), expected) <= 1e-13);
  // And the drift has the same term.
  Vector2 drift;
  system.drift(y, drift);
  ness::SystemTerms terms(swirl);
  CHECK(relative_error(drift, Vector2(system.jacobian<double>(theta) * terms.at(theta).drift() +
                                      second)) <= 1e-14);
}

TEST_CASE("A NESS can have μ = βD: the Einstein relation is one of coordinates") {
  Eigen::Matrix2Xd points(2, 3);
  points << 0.3, -0.5, 0.8, 0.6, 0.4, -0.2;
  const auto found = ness::classify(Swirling(), points);
  CHECK(found.einstein.holds(1e-12));
  CHECK(found.kind == ness::StationaryKind::nonequilibrium);
}

TEST_CASE("Densities are those of the frequencies over the Jacobian, by finite volumes") {
  const ness::WrightFisher<2> evolution(40, Vector2(0.03, 0.05), Vector2(0.02, 0));
  const ness::InCoordinates system(evolution, Angle());
  const double half = std::acos(0.0);
  const auto here = ness::stationary_density(evolution, {{0, 1, 400}});
  const auto there = ness::stationary_density(system, {{1e-3, half - 1e-3, 400}});
  const auto square = [](double x) { return x * x; };
  const double in_angles = there.mean([&](double y) { return square(std::pow(std::sin(y), 2)); });
  CHECK(relative_error(in_angles, here.mean(square)) <= 1e-4);
  // P'(y) = P(x) dx/dy = P(x) sin 2y in the middle of a cell.
  const Eigen::Index k = 200;
  const double y = there.x.center(k), x = std::pow(std::sin(y), 2);
  const double above = 2 * 40 * 0.05, below = 2 * 40 * 0.03;
  const auto beta = [&](double at) {
    return std::exp(2 * 40 * 0.02 * at) * std::pow(at, below - 1) * std::pow(1 - at, above - 1);
  };
  double total = 0;
  for (int i = 0; i < 4000; ++i) total += beta((i + 0.5) / 4000) / 4000;
  CHECK(relative_error(there.density(k, 0), beta(x) / total * std::sin(2 * y)) <= 1e-3);
}
