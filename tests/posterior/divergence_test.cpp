#include "ness/posterior/divergence.hpp"

#include <Eigen/LU>
#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Exact = long double;
const Exact two_ln_2 = 2 * std::log(Exact{2});

// x − log(1 + x) by its series, summed until nothing changes.
Exact by_series(Exact x) {
  Exact sum = 0;
  Exact power = x;
  for (int k = 2; k < 4000; ++k) {
    power *= -x;
    sum += -power / k;
  }
  return sum;
}

// In one dimension and units of Σ: (x − log(1 + x)) / (2 ln 2).
double divergence_of(double x) {
  using One = Eigen::Matrix<double, 1, 1>;
  return ness::kl_divergence_of_excess(One(0), One(x), One(1));
}

}  // namespace

TEST_CASE("x − log(1 + x) keeps all digits down to the smallest x") {
  for (const double x : {1e-160, 1e-30, 1e-14, 1e-7, 1e-3, 0.0499, 0.0501, 0.3, 0.9}) {
    for (const double sign : {1.0, -1.0}) {
      const double expected = static_cast<double>(by_series(Exact{sign * x}) / two_ln_2);
      CHECK(relative_error(divergence_of(sign * x), expected) <= 2e-14);
    }
  }
  CHECK(relative_error(divergence_of(50),
                       static_cast<double>((50 - std::log(Exact{51})) / two_ln_2)) <= 1e-15);
  CHECK(divergence_of(0) == 0);
  CHECK(std::isinf(divergence_of(-1)));
  CHECK(std::isinf(divergence_of(-3)));
}

TEST_CASE("The divergence of one-dimensional Gaussians is the textbook's") {
  using One = Eigen::Matrix<double, 1, 1>;
  const double a = 0.7;
  const double s = 2.1;
  const double b = -0.4;
  const double r = 1.3;
  const double nats = std::log(r / s) + (s * s + (a - b) * (a - b)) / (2 * r * r) - 0.5;
  CHECK(relative_error(ness::kl_divergence(One(a), One(s * s), One(b), One(r * r)),
                       nats / std::log(2.0)) <= 1e-14);
}

TEST_CASE("Eq. 46: log of determinants and trace, with a mean term") {
  const MatrixXd p = positive_definite(5, 1, 0.5, 3);
  const MatrixXd q = positive_definite(5, 2, 1, 7);
  const VectorXd a = generic_values(5, 1, 3);
  const VectorXd b = generic_values(5, 1, 4);
  const MatrixXd inverse = q.inverse();
  const double nats = 0.5 * (std::log(q.determinant() / p.determinant()) - 5 +
                             (inverse * p).trace() + (a - b).dot(inverse * (a - b)));
  CHECK(relative_error(ness::kl_divergence(a, p, b, q), nats / std::log(2.0)) <= 1e-12);
}

TEST_CASE("The divergence does not depend on the coordinates") {
  const MatrixXd p = positive_definite(4, 5, 0.5, 3);
  const MatrixXd q = positive_definite(4, 6, 1, 7);
  const VectorXd a = generic_values(4, 1, 7);
  const VectorXd b = generic_values(4, 1, 8);
  const MatrixXd t = generic_values(4, 4, 9);
  CHECK(relative_error(ness::kl_divergence(VectorXd(t * a), MatrixXd(t * p * t.transpose()),
                                           VectorXd(t * b), MatrixXd(t * q * t.transpose())),
                       ness::kl_divergence(a, p, b, q)) <= 1e-10);
}

TEST_CASE("Identical Gaussians have divergence 0, and tiny ones all their digits") {
  const MatrixXd q = positive_definite(6, 11, 1e-3, 1e3);
  const VectorXd mean = generic_values(6, 1, 12);
  CHECK(ness::kl_divergence(mean, q, mean, q) <= 1e-15);
  // Σ + εΣ: x_k = ε each.
  for (const double epsilon : {1e-3, 1e-7, 1e-12}) {
    const double expected =
        static_cast<double>(6 * by_series(Exact{epsilon}) / (2 * std::log(Exact{2})));
    CHECK(relative_error(
              ness::kl_divergence_of_excess(VectorXd(VectorXd::Zero(6)), MatrixXd(epsilon * q), q),
              expected) <= 1e-10);
  }
}

TEST_CASE("What is no Gaussian is infinitely far or refused") {
  const MatrixXd q = MatrixXd::Identity(2, 2);
  const VectorXd zero = VectorXd::Zero(2);
  CHECK(std::isinf(ness::kl_divergence_of_excess(zero, MatrixXd(-2 * q), q)));
  CHECK_THROWS_WITH(ness::kl_divergence_of_excess(zero, q, MatrixXd(-q)),
                    contains("must be positive definite"));
  CHECK_THROWS_WITH(ness::kl_divergence(VectorXd(0), MatrixXd(0, 0), VectorXd(0), MatrixXd(0, 0)),
                    contains("covariance must not be empty"));
  MatrixXd skew = q;
  skew(0, 1) = -2 * skew(1, 0) - 1;
  CHECK_THROWS_WITH(ness::kl_divergence_of_excess(zero, q, skew), contains("must be symmetric"));
  CHECK_THROWS_WITH(ness::kl_divergence_of_excess(VectorXd(VectorXd::Zero(3)), q, q),
                    contains("shift must be 2 x 1, but is 3 x 1"));
  CHECK_THROWS_WITH(ness::kl_divergence(zero, MatrixXd(MatrixXd::Identity(3, 3)), zero, q),
                    contains("covariance must be 2 x 2, but is 3 x 3"));
  MatrixXd bad = q;
  bad(1, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(ness::kl_divergence_of_excess(zero, bad, q), contains("excess must be finite"));
}
