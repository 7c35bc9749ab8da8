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

TEST_CASE("The ready-made systems come in single precision too") {
  const auto gyrator = ness::brownian_gyrator<float>(2, 1, 3, 1);
  const auto trap = ness::driven_trap<float>(2, 3, 0.5);
  CHECK(gyrator.hessian() == ness::brownian_gyrator(2, 1, 3, 1).hessian().cast<float>());
  CHECK(gyrator.diffusion() == Eigen::Matrix2f{{3, 0}, {0, 1}});
  CHECK(trap.mobility() == ness::driven_trap(2, 3, 0.5).mobility().cast<float>());
}
