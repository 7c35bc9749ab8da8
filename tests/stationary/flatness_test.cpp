#include <ness/model/linear_model.hpp>
#include <ness/stationary/flatness.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/quadratic.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// ℓ = 1 + θ₁² + 4θ₂⁴ for θ₂ > 0, 1 + θ₁² + 16θ₂² for θ₂ < 0, and 5 at most along θ₃
struct Valley {
  Eigen::Index parameters() const { return 3; }
  Eigen::Index samples() const { return 1; }
  auto sample_loss(const auto& t, Eigen::Index) const {
    using Scalar = std::decay_t<decltype(t[0])>;
    const Scalar second =
        t[1] > 0 ? Scalar(4.0 * t[1] * t[1] * t[1] * t[1]) : Scalar(16.0 * t[1] * t[1]);
    const Scalar square = t[2] * t[2];
    return Scalar(1.0 + t[0] * t[0] + second + square / (1.0 + square));
  }
};

}  // namespace

TEST_CASE(
    "flatness is the distance between the points where the loss is e times that at the centre") {
  const ness::Objective objective(Valley{});
  const VectorXd centre = VectorXd::Zero(3);
  const double rise = std::exp(1.0) - 1;
  const auto along = [&](const VectorXd& d) { return ness::flatness(objective, centre, d); };
  CHECK(relative_error(along(VectorXd::Unit(3, 0)), 2 * std::sqrt(rise)) <= 1e-14);
  CHECK(relative_error(along(3 * VectorXd::Unit(3, 0)), 2 * std::sqrt(rise)) <= 1e-14);
  CHECK(relative_error(along(VectorXd::Unit(3, 1)),
                       std::pow(rise / 4, 0.25) + std::sqrt(rise / 16)) <= 1e-14);
  CHECK(std::isinf(along(VectorXd::Unit(3, 2))));
}

TEST_CASE("flatness of a parabola from off its minimum is the nearest crossings") {
  const ness::Objective objective(Valley{});
  // 1 + t² = 2e at t = ±√(2e − 1), from t = 1.
  const VectorXd off = VectorXd::Unit(3, 0);
  CHECK(relative_error(ness::flatness(objective, off, off), 2 * std::sqrt(2 * std::exp(1.0) - 1)) <=
        1e-14);
}

TEST_CASE("variance and flatness go along the eigenvectors of Σ") {
  const MatrixXd h = Eigen::Vector3d(1, 10, 100).asDiagonal();
  const ness::StationaryState state(
      ness::linear_chain(VectorXd::Zero(3), h, h * h, 1e-3));  // Σ ∝ H
  const ness::Objective objective(Valley{});
  const auto relation = ness::variance_flatness(objective, state);
  CHECK(relative_error(relation.variance, 1e3 * h.diagonal()) <= 1e-12);
  CHECK(relation.directions.cwiseAbs().isApprox(MatrixXd::Identity(3, 3), 1e-12));
  CHECK(relative_error(relation.flatness[0], 2 * std::sqrt(std::exp(1.0) - 1)) <= 1e-12);
  CHECK(std::isinf(relation.flatness[2]));
}

TEST_CASE("bad input of flatness is refused with its value") {
  const ness::Objective objective(Valley{});
  const VectorXd zero = VectorXd::Zero(3);
  CHECK_THROWS_WITH(ness::flatness(objective, zero, zero), contains("direction must not be 0"));
  CHECK_THROWS_WITH(ness::flatness(objective, zero, VectorXd::Ones(2).eval()),
                    contains("must be 3 x 1"));
  CHECK_THROWS_WITH(ness::flatness(objective, zero, VectorXd::Ones(3).eval(), -1),
                    contains("reach"));
  const ness::Objective negative(QuadraticLosses(3, 2, 1));
  CHECK_THROWS_WITH(ness::flatness(negative, zero, VectorXd::Ones(3).eval()),
                    contains("must be positive at theta, but is 0"));
}
