#include "ness/systems/linear.hpp"

#include <cmath>

#include "ness/stationary/stationary_state.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/matrices.hpp"

namespace {
using Eigen::Matrix2d;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using System = ness::LinearSystem<MatrixXd>;

Matrix2d quarter_turn() {
  Matrix2d j;
  j << 0, -1, 1, 0;
  return j;
}

// The same system in other units of its coordinates: θ' = Uθ.
System in_units(const System& system, const VectorXd& units) {
  const auto per = units.cwiseInverse().asDiagonal();
  const auto by = units.asDiagonal();
  return {by * system.center(), per * system.hessian() * per, by * system.mobility() * by,
          by * system.diffusion() * by};
}

System dynamic(const ness::LinearSystem<Matrix2d>& system) {
  return {system.center(), system.hessian(), system.mobility(), system.diffusion()};
}

// A particle with a mass, position and velocity: noise reaches the velocity alone. Not in
// equilibrium where it is driven from a third coordinate.
System massive_particle(double drive) {
  MatrixXd relaxation(3, 3);
  relaxation << 0, -1, 0, 2, 0.7, -drive, 0, 0, 1.5;
  return {VectorXd::Zero(3), relaxation, MatrixXd::Identity(3, 3),
          Eigen::Vector3d(0, 0.7, 0.4).asDiagonal()};
}

void check_units_do_not_matter(const System& system, const VectorXd& units) {
  CAPTURE(units.transpose());
  const ness::StationaryState plain(system), other(in_units(system, units));
  CHECK(other.rank() == plain.rank());
  CHECK(relative_error(other.entropy_production(), plain.entropy_production()) <= 1e-12);
  CHECK(std::abs(other.velocity_outside_range() - plain.velocity_outside_range()) <= 1e-12);
  CHECK(std::abs(other.nonequilibrium_ratio() - plain.nonequilibrium_ratio()) <= 1e-12);
  CHECK(std::abs(other.einstein_relation().residual - plain.einstein_relation().residual) <= 1e-12);
  CHECK(other.residual() <= 1e-13);
  CHECK(relative_error(other.decay_rates(), plain.decay_rates()) <= 1e-12);
  const auto back = units.cwiseInverse().asDiagonal();
  CHECK(relative_error(MatrixXd(back * other.covariance() * back), plain.covariance()) <= 1e-12);
  CHECK((MatrixXd(back * other.circulation() * back) - plain.circulation()).norm() <=
        1e-12 * plain.diffusion().norm());
  CHECK(
      relative_error(MatrixXd(units.asDiagonal() * other.landscape_hessian() * units.asDiagonal()),
                     plain.landscape_hessian()) <= 1e-12);
  VectorXd theta = generic_values<VectorXd>(units.size(), 1, 12);
  const double shift = units.array().log().sum();
  CHECK(std::abs(other.potential(units.asDiagonal() * theta) - plain.potential(theta) - shift) <=
        1e-11 * (1 + std::abs(shift)));
  CHECK(relative_error(VectorXd(back * other.velocity(units.asDiagonal() * theta)),
                       plain.velocity(theta)) <= 1e-12);
}
}  // namespace

TEST_CASE("The gyrator of two temperatures has its closed form") {
  for (const double hot : {1.0, 3.0}) {
    const ness::StationaryState state(ness::brownian_gyrator(2, 0.8, hot, 1));
    const double gap = hot - 1;
    CHECK((state.circulation() - 0.8 * gap / 4 * quarter_turn()).norm() <= 1e-14);
    CHECK(std::abs(state.entropy_production() - 0.64 * gap * gap / (4 * hot)) <= 1e-14);
    Matrix2d k;
    k << 2, 0.8, 0.8, 2;
    const Matrix2d d = Eigen::Vector2d(hot, 1).asDiagonal();
    const Matrix2d sigma = state.covariance();
    CHECK(relative_error(Matrix2d(k * sigma + sigma * k), Matrix2d(2 * d)) <= 1e-14);
    CHECK(state.is_equilibrium() == (hot == 1));
    CHECK(state.residual() <= 1e-14);
  }
}

TEST_CASE("The driven trap has the density of equilibrium and a current") {
  const ness::StationaryState state(ness::driven_trap(2, 3, 0.5));
  CHECK(relative_error(state.covariance(), Matrix2d(0.25 * Matrix2d::Identity())) <= 1e-14);
  CHECK(relative_error(state.circulation(), Matrix2d(-0.75 * quarter_turn())) <= 1e-14);
  CHECK(relative_error(state.entropy_production(), 9.0) <= 1e-14);
  const Eigen::Vector2d theta(0.3, -0.1);
  CHECK(relative_error(state.velocity(theta), 3 * quarter_turn() * theta) <= 1e-14);
  CHECK(relative_error(state.landscape_hessian(), Matrix2d(2 * Matrix2d::Identity())) <= 1e-14);
}

TEST_CASE("Σ of a general linear system solves its Lyapunov equation, in time and in steps") {
  for (const Eigen::Index n : {1, 2, 5, 9}) {
    // Far from symmetric, with complex eigenvalues.
    const MatrixXd mobility = positive_definite(n, 3, 1, 2) + generic_values(n, n, 5, 0.3);
    const MatrixXd hessian = positive_definite(n, 7, 0.5, 2);
    const MatrixXd d = positive_definite(n, 9, 0, 1);  // singular
    const System system(VectorXd::Zero(n), hessian, mobility, d);
    const MatrixXd a = mobility * hessian;
    const ness::StationaryState continuous(system);
    const MatrixXd s = continuous.covariance();
    CHECK(relative_error(MatrixXd(a * s + s * a.transpose()), MatrixXd(2 * d)) <= 1e-12);
    CHECK(continuous.residual() <= 1e-12);
    CHECK((continuous.circulation() + continuous.circulation().transpose()).norm() == 0);
    CHECK((continuous.circulation_from_diffusion() - continuous.circulation()).norm() <=
          1e-12 * d.norm());

    constexpr double dt = 0.1;
    const ness::StationaryState discrete(
        ness::linear_chain(system, dt, ness::LyapunovForm::discrete));
    const MatrixXd step = MatrixXd::Identity(n, n) - dt * a;
    const MatrixXd t = discrete.covariance();
    CHECK(relative_error(t, MatrixXd(step * t * step.transpose() + 2 * dt * d)) <= 1e-12);
    CHECK(discrete.residual() <= 1e-12);
    CHECK(relative_error(discrete.decay_rates(), dt * continuous.decay_rates()) <= 1e-12);
    CHECK(std::abs(continuous.decay_rates().sum() - a.trace()) <= 1e-12 * a.trace());
    // ⟨σ⟩ of Eq. 27, −tr(Fᵀ R Σ), where D has its full range.
    const System driven(VectorXd::Zero(n), hessian, mobility, positive_definite(n, 9, 0.2, 1));
    const ness::StationaryState steps(ness::linear_chain(driven, dt, ness::LyapunovForm::discrete));
    const double entropy =
        -(steps.force_matrix().transpose() * dt * a * steps.covariance()).trace();
    CHECK(std::abs(steps.entropy_production() - entropy) <= 1e-12 * (1 + entropy));
    if (n > 1) CHECK(entropy > 1e-4);
  }
}

TEST_CASE("Where H is symmetric, a linear system is what SGD is near a minimum") {
  const MatrixXd h = positive_definite(5, 3, 0.5, 2);
  const MatrixXd d = positive_definite(5, 9, 0.01, 0.1);
  const VectorXd mean = generic_values<VectorXd>(5, 1, 4);
  for (const auto form : {ness::LyapunovForm::continuous, ness::LyapunovForm::discrete}) {
    const ness::StationaryState sgd(ness::linear_chain(mean, h, d, 0.2, form));
    const ness::StationaryState linear(ness::linear_chain(sgd.linear_system(), 1, form));
    CHECK(relative_error(linear.covariance(), sgd.covariance()) <= 1e-12);
    CHECK(relative_error(linear.circulation(), sgd.circulation()) <= 1e-11);
    CHECK(relative_error(linear.entropy_production(), sgd.entropy_production()) <= 1e-11);
    CHECK(relative_error(linear.decay_rates(), sgd.decay_rates()) <= 1e-12);
    CHECK(relative_error(linear.landscape_hessian(), h) <= 1e-12);
    CHECK(relative_error(linear.mobility(), sgd.mobility()) <= 1e-15);
  }
}

TEST_CASE("Nothing depends on the units of the coordinates") {
  const System gyrator = dynamic(ness::brownian_gyrator(2, 1, 3, 1));
  CHECK(relative_error(
            ness::StationaryState(in_units(gyrator, Eigen::Vector2d(1, 1e-8))).entropy_production(),
            1.0 / 3) <= 1e-14);
  const System general(VectorXd::Zero(3), positive_definite(3, 7, 0.5, 2),
                       positive_definite(3, 3, 1, 2) + generic_values(3, 3, 5, 0.3),
                       positive_definite(3, 9, 0.2, 1));
  for (const double unit : {1e-100, 1e-8, 1e8, 1e100}) {
    check_units_do_not_matter(gyrator, Eigen::Vector2d(unit, 1));
    check_units_do_not_matter(gyrator, Eigen::Vector2d(1, unit));
    check_units_do_not_matter(gyrator, Eigen::Vector2d(unit, 1 / unit));
    check_units_do_not_matter(dynamic(ness::driven_trap(2, 3, 0.5)), Eigen::Vector2d(1, unit));
    check_units_do_not_matter(general, Eigen::Vector3d(unit, 1, 1 / unit));
    check_units_do_not_matter(massive_particle(0), Eigen::Vector3d(unit, 1, 1 / unit));
    check_units_do_not_matter(massive_particle(2), Eigen::Vector3d(1 / unit, unit, 1));
  }
}

TEST_CASE("A coupling of any size in one direction costs no digits") {
  // K = [1 a; 0 1], D = 1: Σ = [1 + a²/2, −a/2; −a/2, 1], ⟨σ⟩ = a²/2.
  for (const double a : {1.0, 1e3, 1e9, 1e100}) {
    const MatrixXd k{{1, a}, {0, 1}};
    const MatrixXd unit = MatrixXd::Identity(2, 2);
    const ness::StationaryState state(System(VectorXd::Zero(2), k, unit, unit));
    CHECK(relative_error(state.entropy_production(), a * a / 2) <= 1e-13);
    CHECK(relative_error(state.covariance()(0, 0), 1 + a * a / 2) <= 1e-14);
    CHECK(relative_error(state.covariance()(1, 0), -a / 2) <= 1e-14);
    CHECK(relative_error(state.covariance()(1, 1), 1) <= 1e-14);
  }
  // In coordinates that are turned the elements of K do not hold its eigenvalues.
  const Matrix2d turn = std::cos(0.6) * Matrix2d::Identity() + std::sin(0.6) * quarter_turn();
  const auto turned = [&](double a) {
    return ness::LinearSystem<Matrix2d>(Eigen::Vector2d::Zero(),
                                        turn * Matrix2d{{1, a}, {0, 1}} * turn.transpose(),
                                        Matrix2d::Identity(), Matrix2d::Identity());
  };
  CHECK(relative_error(ness::StationaryState(turned(1e2)).entropy_production(), 5e3) <= 1e-9);
  for (const double a : {1e8, 1e9, 1e12})
    CHECK_THROWS_AS(ness::StationaryState(turned(a)), std::invalid_argument);
}

TEST_CASE("A singular Σ has the density of the plane that it spreads over") {
  // Two coordinates of three are one: θ = (x, y, cy), whatever c.
  const Matrix2d d{{0.5, 0.2}, {0.2, 0.7}};
  const ness::StationaryState flat(ness::LinearSystem<Matrix2d>(
      Eigen::Vector2d::Zero(), Matrix2d::Identity(), Matrix2d::Identity(), d));
  for (const double c : {1.0, 1e-9, 1e12}) {
    const MatrixXd lift{{1, 0}, {0, 1}, {0, c}};
    const MatrixXd unit = MatrixXd::Identity(3, 3);
    const ness::StationaryState state(
        System(VectorXd::Zero(3), unit, unit, lift * d * lift.transpose()));
    CHECK(state.rank() == 2);
    const Eigen::Vector2d theta(0.3, -0.4);
    const double stretched = std::log(std::hypot(1, c));  // of an area
    CHECK(std::abs(state.potential(lift * theta) - flat.potential(theta) - stretched) <= 1e-12);
  }
}

TEST_CASE("bad gyrators and traps are refused") {
  CHECK_THROWS_WITH(ness::brownian_gyrator(1, 1, 1, 1), contains("coupling must be below"));
  CHECK_THROWS_WITH(ness::brownian_gyrator(0, 0, 1, 1), contains("stiffness must be positive"));
  CHECK_THROWS_WITH(ness::brownian_gyrator(1, 0, 1, -1), contains("temperature2"));
  CHECK_THROWS_WITH(ness::driven_trap(1, 2, 0), contains("temperature must be positive"));
}

TEST_CASE("A diffusion matrix that is not symmetric is refused") {
  const Matrix2d unit = Matrix2d::Identity();
  const Eigen::Vector2d origin(0, 0);
  CHECK_THROWS_WITH(ness::LinearSystem<Matrix2d>(origin, unit, unit, unit + quarter_turn()),
                    contains("LinearSystem: diffusion must be symmetric"));
  CHECK_THROWS_WITH(
      ness::StationaryState(ness::linear_chain(origin, unit, unit + quarter_turn(), 0.1)),
      contains("diffusion must be symmetric"));
  CHECK_THROWS_WITH(ness::linear_chain(origin, unit + quarter_turn(), unit, 0.1),
                    contains("hessian must be symmetric"));
}

TEST_CASE("A D that is no diffusion matrix is refused, whatever the units") {
  const Matrix2d unit = Matrix2d::Identity();
  const auto system = [&](const Matrix2d& d) {
    return ness::LinearSystem<Matrix2d>(Eigen::Vector2d::Zero(), unit, unit, d);
  };
  CHECK_THROWS_WITH(system(-unit),
                    contains("LinearSystem: diffusion must be positive semidefinite") &&
                        contains("element (0, 0) is -1"));
  CHECK_THROWS_WITH(system(Matrix2d{{1, 1}, {1, 0}}), contains("element (1, 1) is 0 and (1, 0)"));
  CHECK_THROWS_WITH(system(Matrix2d{{1e6, 50}, {0, 1}}), contains("must be symmetric"));
  for (const double u : {1e-100, 1e-8, 1.0, 1e8}) {
    CHECK_THROWS_WITH(system(Matrix2d{{u * u, 2 * u}, {2 * u, 1}}),
                      contains("scaled to a unit diagonal, is -"));
    CHECK_THROWS_WITH(system(Matrix2d{{u * u, 1.00001 * u}, {1.00001 * u, 1}}),
                      contains("scaled to a unit diagonal"));
    CHECK_THROWS_WITH(system(Matrix2d{{u * u, 0.01 * u}, {0, 1}}), contains("must be symmetric"));
    CHECK_NOTHROW(system(Matrix2d{{u * u, u}, {u, 1}}));
    CHECK_NOTHROW(system(Matrix2d{{u * u, 0}, {0, 0}}));
  }
  CHECK_NOTHROW(system(Matrix2d::Zero()));
  CHECK_THROWS_WITH(System(VectorXd(0), MatrixXd(0, 0), MatrixXd(0, 0), MatrixXd(0, 0)),
                    contains("center must not be empty, but is 0 x 1"));
}

TEST_CASE("The ready-made systems come in single precision too") {
  const auto gyrator = ness::brownian_gyrator<float>(2, 1, 3, 1);
  const auto trap = ness::driven_trap<float>(2, 3, 0.5);
  CHECK(gyrator.hessian() == ness::brownian_gyrator(2, 1, 3, 1).hessian().cast<float>());
  CHECK(gyrator.diffusion() == Eigen::Matrix2f{{3, 0}, {0, 1}});
  CHECK(trap.mobility() == ness::driven_trap(2, 3, 0.5).mobility().cast<float>());
}
