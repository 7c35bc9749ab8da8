#include <ness/stationary/lyapunov.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {
using Eigen::MatrixXd;
using Form = ness::LyapunovForm;
using Status = ness::LyapunovStatus;
}  // namespace

TEST_CASE("the continuous form satisfies Eq. 21") {
  for (Eigen::Index n : {1, 2, 7, 40}) {
    const MatrixXd h = positive_definite(n, 1, 0.5, 20);
    const MatrixXd d = positive_definite(n, 2, 0.1, 3);
    const auto solution = ness::solve_lyapunov(h, d, 0.03);
    REQUIRE(solution.status == Status::solved);
    const MatrixXd& sigma = solution.covariance;
    CHECK(relative_error(h * sigma + sigma * h, 2 / 0.03 * d) <= 1e-13);
    CHECK(sigma == sigma.transpose());
    CHECK(solution.residual <= 1e-13);
    CHECK(relative_error(solution.condition, n == 1 ? 1.0 : 40.0) <= 1e-12);
  }
}

TEST_CASE("the discrete form is the fixed point of one step of the chain") {
  for (Eigen::Index n : {1, 2, 7, 40}) {
    const MatrixXd h = positive_definite(n, 3, 0.5, 20);
    const MatrixXd d = positive_definite(n, 4, 0.1, 3);
    const double eta = 0.08;  // eta h up to 1.6
    const auto solution = ness::solve_lyapunov(h, d, eta, Form::discrete);
    REQUIRE(solution.status == Status::solved);
    const MatrixXd& sigma = solution.covariance;
    const MatrixXd map = MatrixXd::Identity(n, n) - eta * h;
    CHECK(relative_error(map * sigma * map + 2 * d, sigma) <= 1e-12);
    CHECK(solution.residual <= 1e-12);
  }
}

TEST_CASE("diagonal problems have their closed forms") {
  const Eigen::Vector3d h(1, 2, 5);
  Eigen::Matrix3d d;
  d << 3, 1, 0.5, 1, 2, 0.2, 0.5, 0.2, 1;
  const double eta = 0.1;
  const auto continuous = ness::solve_lyapunov(Eigen::Matrix3d(h.asDiagonal()), d, eta);
  const auto discrete =
      ness::solve_lyapunov(Eigen::Matrix3d(h.asDiagonal()), d, eta, Form::discrete);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      const double sum = h[i] + h[j];
      CHECK(relative_error(continuous.covariance(i, j), 2 / eta * d(i, j) / sum) <= 1e-14);
      CHECK(relative_error(discrete.covariance(i, j),
                           2 / eta * d(i, j) / (sum - eta * h[i] * h[j])) <= 1e-14);
    }
}

TEST_CASE("the two forms approach each other in proportion to the learning rate") {
  const MatrixXd h = positive_definite(5, 5, 0.5, 4);
  const MatrixXd d = positive_definite(5, 6, 0.1, 3);
  const auto apart = [&](double eta) {
    return relative_error(ness::solve_lyapunov(h, d, eta, Form::discrete).covariance,
                          ness::solve_lyapunov(h, d, eta).covariance);
  };
  const double ratio = apart(1e-3) / apart(5e-4);
  CHECK(std::abs(ratio - 2) <= 0.01);
}

TEST_CASE("a singular D gives a singular covariance without trouble") {
  const MatrixXd h = Eigen::Vector3d(1, 2, 3).asDiagonal();
  MatrixXd d = MatrixXd::Zero(3, 3);
  d(0, 0) = 1;
  const auto solution = ness::solve_lyapunov(h, d, 0.1);
  CHECK(solution.status == Status::solved);
  CHECK(relative_error(solution.covariance(0, 0), 10.0) <= 1e-14);
  CHECK(solution.covariance.bottomRightCorner(2, 2).norm() == 0);
}

TEST_CASE("what has no stationary state is refused by status") {
  const MatrixXd d = MatrixXd::Identity(2, 2);
  const MatrixXd saddle = Eigen::Vector2d(1, -1e-3).asDiagonal();
  const MatrixXd flat = Eigen::Vector2d(1, 0).asDiagonal();
  const MatrixXd steep = Eigen::Vector2d(1, 20).asDiagonal();
  CHECK(ness::solve_lyapunov(saddle, d, 0.1).status == Status::indefinite_hessian);
  CHECK(ness::solve_lyapunov(flat, d, 0.1).status == Status::indefinite_hessian);
  for (Form form : {Form::continuous, Form::discrete}) {
    CHECK(ness::solve_lyapunov(steep, d, 0.1, form).status == Status::unstable_learning_rate);
    CHECK(ness::solve_lyapunov(steep, d, 0.0999, form).status == Status::solved);
  }
  CHECK(ness::solve_lyapunov(steep, d, 0.1).covariance.array().isNaN().all());
}

TEST_CASE("bad input of the Lyapunov solver is refused with its value") {
  const MatrixXd h = MatrixXd::Identity(2, 2);
  MatrixXd nan = h;
  nan(1, 0) = std::nan("");
  CHECK_THROWS_WITH(ness::solve_lyapunov(MatrixXd(0, 0), MatrixXd(0, 0), 0.1),
                    contains("hessian must not be empty"));
  CHECK_THROWS_WITH(ness::solve_lyapunov(h, MatrixXd(-h), 0.1),
                    contains("diffusion must be positive semidefinite"));
  CHECK_THROWS_WITH(ness::solve_lyapunov(h, MatrixXd(MatrixXd::Identity(3, 3)), 0.1),
                    contains("diffusion must be 2 x 2, but is 3 x 3"));
  CHECK_THROWS_WITH(ness::solve_lyapunov(h, nan, 0.1), contains("element (1, 0) is nan"));
  CHECK_THROWS_WITH(ness::solve_lyapunov(nan, h, 0.1), contains("hessian must be finite"));
  CHECK_THROWS_WITH(ness::solve_lyapunov(h, h, 0.0), contains("learning_rate"));
}
