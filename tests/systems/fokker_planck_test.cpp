#include "ness/systems/fokker_planck.hpp"

#include <Eigen/LU>
#include <cmath>

#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/systems/force.hpp"
#include "ness/systems/polymer.hpp"
#include "ness/systems/wright_fisher.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::Matrix2d;
using Eigen::Vector2d;

// One system, in different spellings: 𝓛 = x⁴/4 + xy + y², D and μ without symmetry between the
// axes.
template <class Theta>
auto potential_of(const Theta& t) {
  return t[0] * t[0] * t[0] * t[0] / 4 + t[0] * t[1] + t[1] * t[1];
}
template <class Theta>
auto diffusion_of(const Theta& t) {
  using std::sin;
  using Scalar = typename Theta::Scalar;
  Eigen::Matrix<Scalar, 2, 2> d;
  d(0, 0) = 2 + t[0] * t[1] * t[1];
  d(0, 1) = d(1, 0) = 0.3 * sin(t[0]);
  d(1, 1) = 1 + t[0] * t[0];
  return d;
}
Matrix2d turning() {
  Matrix2d mobility;
  mobility << 1, -0.5, 0.7, 2;
  return mobility;
}

struct Generic {
  static constexpr Eigen::Index parameters() { return 2; }
  auto potential(const auto& t) const { return potential_of(t); }
  auto diffusion(const auto& t) const { return diffusion_of(t); }
  Matrix2d mobility() const { return turning(); }
};

struct InPlace {
  Eigen::Index parameters() const { return 2; }
  using Vector = Eigen::VectorXd;
  using Matrix = Eigen::MatrixXd;
  void gradient(const Vector& t, Vector& out) const {
    out << t[0] * t[0] * t[0] + t[1], t[0] + 2 * t[1];
  }
  void diffusion(const Vector& t, Matrix& out) const { out = diffusion_of(t); }
  void mobility(const Vector&, Matrix& out) const { out = turning(); }
};

struct OwnDivergence : InPlace {
  void diffusion_divergence(const Vector& t, Vector& out) const {
    out << t[1] * t[1], 0.3 * std::cos(t[0]);
  }
};

struct OwnDrift {
  static constexpr Eigen::Index parameters() { return 2; }
  void drift(const Vector2d& t, Vector2d& out) const {
    out = -turning() * Vector2d(t[0] * t[0] * t[0] + t[1], t[0] + 2 * t[1]);
  }
  Matrix2d diffusion(const Vector2d& t) const { return diffusion_of(t); }
};

static_assert(ness::FokkerPlanck<Generic> && ness::HasGenericDiffusion<Generic>);
static_assert(ness::FokkerPlanck<InPlace> && !ness::HasGenericDiffusion<InPlace>);
static_assert(ness::FokkerPlanck<OwnDrift> && !ness::HasGenericDiffusion<OwnDrift>);
static_assert(!ness::HasLandscape<OwnDrift>);
static_assert(ness::FokkerPlanck<ness::Polymer<>> && !ness::HasConstantDiffusion<ness::Polymer<>>);
static_assert(ness::HasConstantDiffusion<ness::Polymer<ness::FreeDraining>>);

struct NoMobility {
  static constexpr Eigen::Index parameters() { return 1; }
  auto potential(const auto& t) const { return t[0] * t[0]; }
  Eigen::Matrix<double, 1, 1> diffusion() const { return Eigen::Matrix<double, 1, 1>(1.0); }
};
static_assert(!ness::FokkerPlanck<NoMobility>);

struct Lopsided {  // no D
  static constexpr Eigen::Index parameters() { return 2; }
  auto potential(const auto& t) const { return t.squaredNorm(); }
  Eigen::Matrix2d diffusion() const { return Eigen::Matrix2d{{1, 0.1}, {0, 1}}; }
  double beta() const { return 1; }
};

}  // namespace

TEST_CASE("Gradient, drift and divergence are the same in every spelling of a system") {
  const Vector2d theta(0.7, -1.2);
  const Vector2d gradient(0.343 - 1.2, 0.7 - 2.4);
  const Vector2d drift = -turning() * gradient;
  const Vector2d divergence(1.44, 0.3 * std::cos(0.7));
  const auto check = [&](const auto& system, double tolerance) {
    ness::SystemTerms terms(system);
    terms.at(theta);
    CHECK(relative_error(terms.drift(), drift) <= 1e-14);
    CHECK(relative_error(terms.diffusion(), diffusion_of(theta)) <= 1e-15);
    CHECK(relative_error(terms.diffusion_divergence(), divergence) <= tolerance);
    if constexpr (ness::HasLandscape<std::decay_t<decltype(system)>>) {
      CHECK(relative_error(terms.gradient(), gradient) <= 1e-14);
      CHECK(relative_error(terms.mobility(), turning()) == 0);
    }
    // What was computed elsewhere is forgotten.
    terms.at(Vector2d(-1, 2));
    CHECK(relative_error(terms.diffusion_divergence(), Vector2d(4, 0.3 * std::cos(1.0))) <=
          tolerance);
    CHECK(relative_error(terms.drift(), -turning() * Vector2d(1, 3)) <= 1e-14);
  };
  check(Generic{}, 1e-14);
  check(InPlace{}, 1e-9);
  check(OwnDivergence{}, 1e-15);
  check(OwnDrift{}, 1e-9);
}

TEST_CASE("v is the current over the density, and the current is −Pμ∇𝓛 − ∇·(DP) (Eqs. 2, 3)") {
  // P = exp(−x² − 2y²), and ∇·(DP) by differences.
  const auto density = [](const Vector2d& t) { return std::exp(-t[0] * t[0] - 2 * t[1] * t[1]); };
  const Vector2d theta(0.4, -0.3);
  const Vector2d phi_gradient(2 * theta[0], 4 * theta[1]);
  Vector2d divergence = Vector2d::Zero();
  constexpr double h = 1e-5;
  for (int k = 0; k < 2; ++k) {
    Vector2d up = theta, down = theta;
    up[k] += h;
    down[k] -= h;
    divergence +=
        (diffusion_of(up).col(k) * density(up) - diffusion_of(down).col(k) * density(down)) /
        (2 * h);
  }
  const Generic system;
  ness::SystemTerms terms(system);
  const Vector2d expected = density(theta) * terms.at(theta).drift() - divergence;
  const Vector2d current =
      ness::current(system, theta, density(theta), Vector2d(-density(theta) * phi_gradient));
  CHECK(relative_error(current, expected) <= 1e-9);
  const Vector2d velocity = ness::velocity(system, theta, phi_gradient);
  CHECK(relative_error(Vector2d(density(theta) * velocity), current) <= 1e-14);
}

TEST_CASE("v^s of a linear system is that of its stationary state, −CΣ⁻¹δθ (Eq. 24)") {
  const Eigen::MatrixXd k = positive_definite(4, 3, 0.5, 2);
  const Eigen::MatrixXd mobility = positive_definite(4, 5, 1, 2) + generic_values(4, 4, 6, 0.1);
  const ness::LinearSystem<Eigen::MatrixXd> system(generic_values<Eigen::VectorXd>(4, 1, 7), k,
                                                   mobility, positive_definite(4, 8, 0.2, 1));
  const ness::StationaryState state(system);
  const Eigen::VectorXd theta = generic_values<Eigen::VectorXd>(4, 1, 9);
  const Eigen::VectorXd phi_gradient = state.covariance().inverse() * (theta - state.mean());
  const Eigen::VectorXd velocity = ness::velocity(system, theta, phi_gradient);
  CHECK(state.nonequilibrium_ratio() > 0.01);
  CHECK(relative_error(velocity, state.velocity(theta)) <= 1e-12);
  // D⁻¹v^s is the force of the entropy production, with Φ given as a function.
  const auto phi = [&](const auto& t) {
    typename std::decay_t<decltype(t)>::Scalar sum(0);
    const Eigen::MatrixXd inverse = state.covariance().inverse();
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j)
        sum += 0.5 * inverse(i, j) * (t[i] - state.mean()[i]) * (t[j] - state.mean()[j]);
    return sum;
  };
  ness::StationaryForce force(system, phi);
  Eigen::VectorXd found(4);
  force(theta, found);
  CHECK(relative_error(found, state.force_matrix() * (theta - state.mean())) <= 1e-11);
}

TEST_CASE("v^s and the force of the entropy production vanish in equilibrium (Eq. 4)") {
  const ness::WrightFisher<3> evolution(50, Eigen::Vector3d(0.02, 0.03, 0.01),
                                        Eigen::Vector3d(0.03, -0.01, 0));
  const Vector2d x(0.2, 0.5);
  ness::EquilibriumPotential phi(evolution);
  Vector2d gradient;
  phi.gradient(x, gradient);
  ness::SystemTerms terms(evolution);
  const double scale = terms.at(x).drift().norm();
  CHECK(ness::velocity(evolution, x, gradient).norm() <= 1e-13 * scale);
  ness::StationaryForce force(evolution, phi);
  Vector2d w;
  force(x, w);
  CHECK(w.norm() <= 1e-12 * gradient.norm());
  // Φ is −log of the density: 2N_e Σ s_j x_j and (2N_e u_j − 1) log x_j.
  const Vector2d moved(0.21, 0.47);
  const double expected = -100 * (0.03 * 0.01 - 0.01 * -0.03) - 1 * std::log(0.21 / 0.2) -
                          2 * std::log(0.47 / 0.5) - 0 * std::log(0.32 / 0.3);
  CHECK(relative_error(phi(moved) - phi(x), expected) <= 1e-12);

  const ness::Polymer<> polymer({.beads = 5, .temperature = 2});
  ness::Philox random(3);
  const Eigen::VectorXd theta = polymer.draw(random);
  ness::EquilibriumPotential of_chain(polymer);
  ness::StationaryForce nothing(polymer, of_chain);
  Eigen::VectorXd rest(15);
  nothing(theta, rest);
  CHECK(rest.norm() == 0);
}

TEST_CASE("A constant D that is not symmetric is refused") {
  const Lopsided system;
  CHECK_THROWS_WITH(ness::SystemTerms(system), contains("diffusion must be symmetric"));
  CHECK_THROWS_WITH(ness::EulerMaruyama(system, 0.1, Eigen::Vector2d(0, 0)),
                    contains("diffusion must be symmetric"));
}

TEST_CASE("The force is not to be had where D is singular") {
  const ness::WrightFisher<2> evolution(50, Eigen::Vector2d(0.02, 0.03), Eigen::Vector2d(0, 0));
  ness::ThermodynamicForce force(evolution);
  Eigen::Matrix<double, 1, 1> out;
  CHECK_THROWS_WITH(force(Eigen::Matrix<double, 1, 1>(0.0), out),
                    contains("diffusion must be positive definite"));
}
