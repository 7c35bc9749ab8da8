// The factor of a matrix of static size, and solving with it, by what defines them.
#include "ness/detail/static_cholesky.hpp"

#include <Eigen/Core>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

template <class Scalar, int N>
void check_factor(double tolerance) {
  using Matrix = Eigen::Matrix<Scalar, N, N>;
  const Matrix root = generic_values(N, N, 3).template cast<Scalar>();
  const Matrix matrix = root * root.transpose() + Scalar(0.1) * Matrix::Identity();
  Matrix lower = matrix;
  lower.template triangularView<Eigen::StrictlyUpper>().setConstant(Scalar(99));  // is not read
  REQUIRE(ness::detail::cholesky(lower));
  CHECK(lower.isLowerTriangular(0));
  CHECK(relative_error(lower * lower.transpose(), matrix) <= tolerance);

  const Eigen::Matrix<Scalar, N, 1> expected = generic_values(N, 1, 4).template cast<Scalar>();
  Eigen::Matrix<Scalar, N, 1> vector = matrix * expected;
  ness::detail::solve_factored(lower, vector);
  CHECK(relative_error(vector, expected) <= 1e3 * tolerance);
}

}  // namespace

TEST_CASE("Cholesky's factor of a static matrix is one, and solves") {
  check_factor<double, 1>(1e-15);
  check_factor<double, 2>(1e-15);
  check_factor<double, 7>(1e-14);
  check_factor<float, 3>(1e-6);
}

TEST_CASE("A singular or indefinite matrix has no factor") {
  Eigen::Matrix2d singular = Eigen::Matrix2d::Ones();
  CHECK_FALSE(ness::detail::cholesky(singular));
  Eigen::Matrix2d indefinite{{1, 2}, {2, 1}};
  CHECK_FALSE(ness::detail::cholesky(indefinite));
  Eigen::Matrix<double, 1, 1> zero(0.0);
  CHECK_FALSE(ness::detail::cholesky(zero));
}
