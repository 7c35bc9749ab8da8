// Cycling frequencies and planes against what defines them.
#include "ness/statistics/cycling.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd antisymmetric(Eigen::Index n, std::uint64_t seed) {
  const MatrixXd a = generic_values<MatrixXd>(n, n, seed);
  return a - a.transpose();
}

/// What `axes` must have: unit variances, no covariances, and a turn by ω in each plane alone.
void check(const ness::Cycling<>& found, const MatrixXd& c, const MatrixXd& sigma,
           double rounding) {
  const Eigen::Index pairs = found.frequencies.size();
  MatrixXd turns = MatrixXd::Zero(2 * pairs, 2 * pairs);
  for (Eigen::Index p = 0; p < pairs; ++p) {
    turns(2 * p, 2 * p + 1) = found.frequencies[p];
    turns(2 * p + 1, 2 * p) = -found.frequencies[p];
    CHECK(found.frequencies[p] >= 0);
    if (p > 0) CHECK(found.frequencies[p] <= found.frequencies[p - 1] * (1 + rounding));
    CHECK(found.plane(p) == found.axes.middleCols(2 * p, 2));
  }
  const MatrixXd& u = found.axes;
  CHECK(relative_error(MatrixXd(u.transpose() * sigma * u),
                       MatrixXd::Identity(2 * pairs, 2 * pairs)) < rounding);
  CHECK((u.transpose() * c * u - turns).norm() <= rounding * (turns.norm() + 1e-300));
}

}  // namespace

TEST_CASE("frequencies are the eigenvalues of CΣ⁻¹, and planes are where it turns") {
  for (Eigen::Index n : {1, 2, 3, 4, 7, 20}) {
    const MatrixXd c = antisymmetric(n, 5), sigma = positive_definite(n, 6, 0.1, 3);
    const ness::Cycling<> found(c, sigma);
    REQUIRE(found.frequencies.size() == n / 2);
    check(found, c, sigma, 1e-12);
    VectorXd exact = (c * sigma.inverse()).eigenvalues().imag();
    std::sort(exact.begin(), exact.end());
    for (Eigen::Index p = 0; p < n / 2; ++p)
      CHECK(std::abs(found.frequencies[p] - exact[n - 1 - p]) < 1e-12 * exact[n - 1]);
    const ness::Cycling<float> single(c.cast<float>(), sigma.cast<float>());
    if (n > 1) CHECK(relative_error(single.frequencies, found.frequencies) < 1e-5);
  }
}

TEST_CASE("counterclockwise is counterclockwise") {
  const MatrixXd j{{0, -1}, {1, 0}};
  const ness::Cycling<> found(-0.3 * j, MatrixXd::Identity(2, 2));  // v^s = 0.3 J δθ
  CHECK(found.frequencies[0] == Approx(0.3));
  CHECK(found.axes.determinant() == Approx(1));
  CHECK(ness::Cycling<>(0.3 * j, MatrixXd::Identity(2, 2)).axes.determinant() == Approx(-1));
}

TEST_CASE("frequencies that coincide have planes of their own, and equilibrium has 0") {
  const MatrixXd sigma = positive_definite(6, 6, 0.1, 3), q = orthogonal(6, 9);
  const MatrixXd root = sigma.llt().matrixL();
  for (const VectorXd& omega : {VectorXd{{2, 2, 2}}, VectorXd{{2, 2, 0.5}}, VectorXd{{2, 0, 0}}}) {
    MatrixXd b = MatrixXd::Zero(6, 6);
    for (Eigen::Index p = 0; p < 3; ++p) {
      b(2 * p, 2 * p + 1) = omega[p];
      b(2 * p + 1, 2 * p) = -omega[p];
    }
    const MatrixXd c = root * q * b * q.transpose() * root.transpose();
    const ness::Cycling<> found(c, sigma);
    CHECK((found.frequencies - omega).norm() < 1e-13 * omega.norm());
    if (omega[2] > 0) check(found, c, sigma, 1e-12);
  }
  const ness::Cycling<> none(MatrixXd::Zero(4, 4), positive_definite(4, 6, 0.1, 3));
  CHECK(none.frequencies == VectorXd::Zero(2));
}

TEST_CASE("neither units nor directions without spread matter") {
  const MatrixXd c = antisymmetric(5, 5), sigma = positive_definite(5, 6, 0.1, 3);
  const VectorXd units{{1e-6, 1, 1e3, 1e-9, 4}};
  const ness::Cycling<> found(c, sigma);
  const ness::Cycling<> scaled(units.asDiagonal() * c * units.asDiagonal(),
                               units.asDiagonal() * sigma * units.asDiagonal());
  CHECK(relative_error(scaled.frequencies, found.frequencies) < 1e-13);
  const MatrixXd wide = generic_values<MatrixXd>(8, 5, 3);
  const MatrixXd wide_c = wide * c * wide.transpose(), wide_sigma = wide * sigma * wide.transpose();
  const ness::Cycling<> embedded(wide_c, wide_sigma);
  CHECK(relative_error(embedded.frequencies, found.frequencies) < 1e-12);
  check(embedded, wide_c, wide_sigma, 1e-11);
}

TEST_CASE("what cannot be is refused by Cycling") {
  CHECK_THROWS_WITH(ness::Cycling<>(MatrixXd::Zero(2, 3), MatrixXd::Identity(2, 2)),
                    "ness::Cycling: circulation must be 2 x 2, but is 2 x 3");
  CHECK_THROWS_WITH(ness::Cycling<>(MatrixXd::Zero(2, 2), MatrixXd::Identity(2, 2) * std::nan("")),
                    contains("covariance must be finite"));
}
