// Decompositions by the equations that define them, and against Eigen's own.
#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ness/detail/general_matrices.hpp"
#include "ness/detail/reflections.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::MatrixXf;
using Eigen::VectorXd;
using Eigen::VectorXf;
using ness::detail::GeneralLyapunov;
using ness::detail::SymmetricEigen;

/// The smallest, and those about the widths of the blocks of reflections, 32, and of Cholesky's
/// columns, 64.
const std::vector<Eigen::Index> sizes{1, 2, 3, 31, 32, 33, 34, 63, 64, 65, 66, 100, 130};

MatrixXd generic_symmetric(Eigen::Index n) {
  const MatrixXd a = generic_values(n, n, 5);
  return a + a.transpose();
}

/// A V = V Λ, VᵀV = I, values increasing and those of Eigen's solver. `scale` is about the largest
/// element, by which all is divided first.
void check_eigen(const MatrixXd& symmetric, double scale = 1) {
  const Eigen::Index n = symmetric.rows();
  INFO("N = " << n << ", scale " << scale);
  const SymmetricEigen eigen(symmetric);
  const MatrixXd a = symmetric / scale;
  const VectorXd values = eigen.values / scale;
  const Eigen::SelfAdjointEigenSolver<MatrixXd> expected(a);
  const double rounding = 1e-15 * static_cast<double>(n + 10);
  CHECK((values - expected.eigenvalues()).norm() <= rounding * a.norm());
  CHECK((a * eigen.vectors - eigen.vectors * values.asDiagonal()).norm() <= rounding * a.norm());
  CHECK((eigen.vectors.transpose() * eigen.vectors - MatrixXd::Identity(n, n)).norm() <=
        rounding * std::sqrt(static_cast<double>(n)));
  CHECK(std::is_sorted(values.begin(), values.end()));
}

/// R with eigenvalues between 0.5 and 3 and, where `turning` > 0, imaginary parts.
MatrixXd stable(Eigen::Index n, double turning) {
  const MatrixXd a = generic_values(n, n, 6);
  return positive_definite(n, 7, 0.5, 3) + turning / static_cast<double>(n) * (a - a.transpose());
}

/// RX + XRᵀ − cRXRᵀ = Q, and what is said of the eigenvalues of R.
void check_lyapunov(const MatrixXd& r, double c, double rounding = 1e-13) {
  const Eigen::Index n = r.rows();
  INFO("N = " << n << ", c = " << c);
  const MatrixXd q = positive_definite(n, 8, 0.1, 2);
  const GeneralLyapunov<double> solved(r, q, c);
  const MatrixXd& x = solved.solution;
  CHECK(relative_error(r * x + x * r.transpose() - c * r * x * r.transpose(), q) <= rounding);
  CHECK(solved.residual <= rounding);
  CHECK(x == x.transpose());
  const Eigen::VectorXcd eigenvalues = r.eigenvalues();
  VectorXd rates = eigenvalues.real();
  std::sort(rates.begin(), rates.end());
  CHECK(relative_error(solved.decay_rates, rates) <= 1e-12);
  const double radius = (1 - c * eigenvalues.array()).abs().maxCoeff();
  CHECK(std::abs(solved.spectral_radius - (c == 0 ? 0 : radius)) <= 1e-12);
}

}  // namespace

TEST_CASE("The way back from a reduced form is Eigen's, in blocks of any number") {
  for (const Eigen::Index n : sizes) {
    if (n < 2) continue;
    INFO("N = " << n);
    const Eigen::Tridiagonalization<MatrixXd> tridiagonal(generic_symmetric(n));
    const Eigen::HessenbergDecomposition<MatrixXd> hessenberg(generic_values(n, n, 9));
    const auto check = [&](const auto& reduced) {
      const MatrixXd z = generic_values(n, 3, 10);
      const MatrixXd q = reduced.matrixQ();
      MatrixXd turned = z;
      const VectorXd h = reduced.householderCoefficients();
      ness::detail::reflect(MatrixXd(reduced.packedMatrix()), h, turned);
      CHECK(relative_error(turned, q * z) <= 1e-13);
    };
    check(tridiagonal);
    check(hessenberg);
  }
}

TEST_CASE("Eigenvalues and eigenvectors of symmetric matrices are what they say") {
  for (const Eigen::Index n : sizes) {
    check_eigen(generic_symmetric(n));
    check_eigen(positive_definite(n, 1, 1e-9, 1));
  }
}

TEST_CASE("Degenerate symmetric matrices have their eigenvalues and a whole basis") {
  CHECK(SymmetricEigen(MatrixXd(0, 0)).values.size() == 0);
  for (const Eigen::Index n : sizes) {
    check_eigen(MatrixXd::Zero(n, n));
    check_eigen(3 * MatrixXd::Identity(n, n));
    check_eigen(MatrixXd::Ones(n, n));
    const MatrixXd q = orthogonal(n, 3);
    VectorXd values = VectorXd::Ones(n);
    values.head((n + 1) / 2).setConstant(-2);
    check_eigen(q * values.asDiagonal() * q.transpose());
    const VectorXd up = VectorXd::LinSpaced(n, 1, 2);
    check_eigen(up.reverse().asDiagonal());
  }
}

TEST_CASE("Tiny and huge symmetric matrices neither underflow nor overflow") {
  for (const Eigen::Index n : sizes)
    for (const double scale : {1e-300, 1e-160, 1e160, 1e300}) {
      check_eigen(scale * generic_symmetric(n), scale);
      check_eigen(scale * MatrixXd::Identity(n, n), scale);
    }
}

TEST_CASE("Of a symmetric matrix the lower triangle alone is read") {
  for (const Eigen::Index n : {2, 3, 40, 130}) {
    const MatrixXd a = generic_symmetric(n);
    MatrixXd half = a;
    half.triangularView<Eigen::StrictlyUpper>().setConstant(1e3);
    CHECK(SymmetricEigen(half).values == SymmetricEigen(a).values);
    CHECK(SymmetricEigen(half).vectors == SymmetricEigen(a).vectors);
    MatrixXd positive = positive_definite(n, 2, 0.5, 3);
    MatrixXd lower = positive;
    positive.triangularView<Eigen::StrictlyUpper>().setConstant(1e3);
    CHECK(ness::detail::cholesky(positive));
    CHECK(ness::detail::cholesky(lower));
    CHECK(positive == lower);
  }
}

TEST_CASE("Functions and roots of symmetric matrices") {
  const MatrixXd a = positive_definite(5, 4, 0.3, 2);
  const SymmetricEigen eigen(a);
  const VectorXd inverse = eigen.values.cwiseInverse();
  CHECK(relative_error(eigen.function(inverse) * a, MatrixXd::Identity(5, 5)) <= 1e-14);
  CHECK(relative_error(eigen.root() * eigen.root().transpose(), a) <= 1e-14);
  // What rounding made negative counts as 0.
  const SymmetricEigen with_negative(MatrixXd(Eigen::Vector2d(-1e-17, 4).asDiagonal()));
  CHECK(with_negative.root().col(0).norm() == 0);
}

TEST_CASE(
    "Matrices of float are decomposed in double: right to float's rounding, each eigenvalue") {
  for (const Eigen::Index n : {1, 2, 33}) {
    INFO("N = " << n);
    const MatrixXf a = positive_definite(n, 1, 1e-5, 1).cast<float>();
    const SymmetricEigen eigen(a);
    const SymmetricEigen wide(MatrixXd(a.cast<double>()));
    CHECK(eigen.values == wide.values.cast<float>());
    CHECK(eigen.vectors == wide.vectors.cast<float>());

    VectorXf solution = generic_values<VectorXf>(n, 1, 3);
    VectorXd wide_solution = solution.cast<double>();
    REQUIRE(ness::detail::solve_positive_definite(a, solution));
    REQUIRE(ness::detail::solve_positive_definite(MatrixXd(a.cast<double>()), wide_solution));
    CHECK(solution == wide_solution.cast<float>());

    MatrixXf lower = a;
    MatrixXd wide_lower = a.cast<double>();
    REQUIRE(ness::detail::cholesky(lower));
    REQUIRE(ness::detail::cholesky(wide_lower));
    CHECK(lower == wide_lower.cast<float>());

    const MatrixXf r = stable(n, 3).cast<float>();
    const MatrixXf q = positive_definite(n, 8, 0.1, 2).cast<float>();
    const MatrixXf b = generic_values<MatrixXf>(n, 2, 4);
    CHECK(ness::detail::solve_general(r, b) ==
          ness::detail::solve_general(MatrixXd(r.cast<double>()), MatrixXd(b.cast<double>()))
              .cast<float>());
    const GeneralLyapunov<float> solved(r, q, 0.25F);
    const GeneralLyapunov<double> wide_solved(r.cast<double>(), q.cast<double>(), 0.25);
    CHECK(solved.solution == wide_solved.solution.cast<float>());
    CHECK(solved.decay_rates == wide_solved.decay_rates.cast<float>());
    CHECK(solved.spectral_radius == static_cast<float>(wide_solved.spectral_radius));
  }
}

TEST_CASE("Cholesky's factor and what is solved with it") {
  for (const Eigen::Index n : sizes) {
    INFO("N = " << n);
    const MatrixXd a = positive_definite(n, 2, 0.5, 3);
    MatrixXd lower = a;
    REQUIRE(ness::detail::cholesky(lower));
    CHECK(relative_error(lower * lower.transpose(), a) <= 1e-14);
    CHECK(lower.isLowerTriangular(0));
    const MatrixXd b = generic_values(n, 3, 3);
    MatrixXd x = b;
    ness::detail::solve_lower(lower, x);
    CHECK(relative_error(lower * x, b) <= 1e-13);
    VectorXd y = b.col(0);
    REQUIRE(ness::detail::solve_positive_definite(a, y));
    CHECK(relative_error(a * y, b.col(0)) <= 1e-13);
    CHECK(ness::detail::is_positive_definite(a));

    MatrixXd indefinite = a;
    indefinite(n - 1, n - 1) = -1;
    CHECK_FALSE(ness::detail::is_positive_definite(indefinite));
    VectorXd untouched = b.col(0);
    CHECK_FALSE(ness::detail::solve_positive_definite(indefinite, untouched));
    CHECK(untouched == b.col(0));
    // The last pivot decides, and is a hundredth to either side of 0.
    MatrixXd edge = a;
    const double pivot = lower(n - 1, n - 1) * lower(n - 1, n - 1);
    edge(n - 1, n - 1) = a(n - 1, n - 1) - 0.99 * pivot;
    CHECK(ness::detail::is_positive_definite(edge));
    edge(n - 1, n - 1) = a(n - 1, n - 1) - 1.01 * pivot;
    CHECK_FALSE(ness::detail::is_positive_definite(edge));
  }
  CHECK_FALSE(ness::detail::is_positive_definite(MatrixXd(MatrixXd::Zero(2, 2))));
  MatrixXd nan = MatrixXd::Identity(2, 2);
  nan(1, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(ness::detail::is_positive_definite(nan));
}

TEST_CASE("Linear equations without symmetry, with pivots") {
  for (const Eigen::Index n : sizes) {
    const MatrixXd a = generic_values(n, n, 2);
    const MatrixXd b = generic_values(n, 3, 3);
    CHECK(relative_error(a * ness::detail::solve_general(a, b), b) <= 1e-11);
  }
  MatrixXd exchange(2, 2);
  exchange << 0, 1, 1, 0;
  CHECK(ness::detail::solve_general(exchange, MatrixXd(Eigen::Vector2d(3, 4))) ==
        MatrixXd(Eigen::Vector2d(4, 3)));
}

TEST_CASE("The Lyapunov equation of a general R holds, whatever the eigenvalues of R are") {
  for (const double c : {0.0, 0.25})
    for (const Eigen::Index n : sizes) {
      check_lyapunov(stable(n, 0), c);
      check_lyapunov(stable(n, 8), c);
    }
  MatrixXd one(1, 1);
  one << 3;
  const MatrixXd q = MatrixXd::Constant(1, 1, 0.5);
  CHECK(relative_error(GeneralLyapunov<double>(one, q, 0).solution(0, 0), 0.5 / 6) <= 1e-15);
  CHECK(relative_error(GeneralLyapunov<double>(one, q, 0.2).solution(0, 0), 0.5 / (6 - 1.8)) <=
        1e-15);
}

TEST_CASE("A defective R, one without eigenvectors enough, does no harm") {
  for (const Eigen::Index n : {2, 3, 5}) {
    MatrixXd jordan = 2 * MatrixXd::Identity(n, n);
    jordan.diagonal(1).setOnes();
    for (const double c : {0.0, 0.25}) {
      INFO("N = " << n << ", c = " << c);
      const MatrixXd q = positive_definite(n, 8, 0.1, 2);
      const auto check = [&](const MatrixXd& r, double rate_rounding) {
        const GeneralLyapunov<double> solved(r, q, c);
        const MatrixXd& x = solved.solution;
        CHECK(relative_error(r * x + x * r.transpose() - c * r * x * r.transpose(), q) <= 1e-12);
        // Rounding ε moves an n-fold eigenvalue by the n-th root of ε.
        CHECK((solved.decay_rates - VectorXd::Constant(n, 2)).cwiseAbs().maxCoeff() <=
              rate_rounding);
      };
      check(jordan, 0);
      const MatrixXd turn = orthogonal(n, 4);
      check(turn * jordan * turn.transpose(), 10 * std::pow(1e-15, 1 / static_cast<double>(n)));
    }
  }
}

TEST_CASE("Products that are known to be symmetric, and sums of outer products") {
  const MatrixXd a = generic_values(4, 4, 1);
  const MatrixXd b = generic_values(4, 4, 2);
  CHECK(relative_error(ness::detail::product(a, b), a * b) <= 1e-15);
  CHECK(ness::detail::transposed(a) == a.transpose());
  const MatrixXd square = ness::detail::symmetric_product(a, MatrixXd(a.transpose()));
  CHECK(relative_error(square, a * a.transpose()) <= 1e-14);
  CHECK(square == square.transpose());
  CHECK(ness::detail::half_sum_with_transpose(a, 1) == (a + a.transpose()) / 2);
  CHECK(ness::detail::half_sum_with_transpose(a, -1) == (a - a.transpose()) / 2);
  MatrixXd sum = b;
  ness::detail::add_scaled(sum, -2, a);
  CHECK(relative_error(sum, b - 2 * a) <= 1e-15);
  MatrixXd outer = square;
  const MatrixXd block = generic_values(4, 7, 3);
  ness::detail::add_outer_products(outer, block, 0.5);
  ness::detail::mirror(outer);
  CHECK(relative_error(outer, square + 0.5 * block * block.transpose()) <= 1e-14);
  CHECK(outer == outer.transpose());
}

TEST_CASE("A semidefinite matrix may have a direction without anything, and nothing beside it") {
  const auto check = [](const MatrixXd& matrix) {
    ness::detail::require_semidefinite(matrix, "f", "D");
  };
  MatrixXd d = MatrixXd::Zero(3, 3);
  d(0, 0) = 2;
  d(2, 2) = 1;
  d(0, 2) = d(2, 0) = 0.5;
  CHECK_NOTHROW(check(d));
  MatrixXd negative = d;
  negative(1, 1) = -1e-300;
  CHECK_THROWS_WITH(check(negative), contains("element (1, 1) is -1e-300"));
  MatrixXd beside = d;
  beside(1, 0) = beside(0, 1) = 0.1;
  CHECK_THROWS_WITH(check(beside), contains("D must be positive semidefinite"));
}
