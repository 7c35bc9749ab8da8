// Leading eigenpairs by products alone, against dense decompositions.
#include "ness/landscape/eigenpairs.hpp"

#include <cmath>

#include "ness/landscape/minimize.hpp"
#include "ness/model/softmax_regression.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/matrices.hpp"
#include "support/network.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::EigenpairSettings;
using ness::Index;

ness::detail::HessianProducts<double> products_of(const MatrixXd& h) {
  return [&h](const MatrixXd& along) -> MatrixXd { return h * along; };
}

/// Eigenvalues, orthonormal vectors and the residuals that it tells.
void check_pairs(const ness::Eigenpairs<>& pairs, const MatrixXd& h, double tolerance) {
  const Index count = pairs.values.size();
  const VectorXd all = ness::detail::SymmetricEigen<double>(h).values.reverse();
  const double largest = all.cwiseAbs().maxCoeff();
  REQUIRE(pairs.vectors.cols() == count);
  const MatrixXd gram = pairs.vectors.transpose() * pairs.vectors;
  CHECK((gram - MatrixXd::Identity(count, count)).norm() <= 1e-13 * std::sqrt(1. + count));
  for (Index k = 0; k < count; ++k) {
    INFO("eigenvalue " << k << " of " << count << ", " << pairs.products << " products");
    CHECK(std::abs(pairs.values[k] - all[k]) <= tolerance * tolerance * largest + 1e-13 * largest);
    const VectorXd u = pairs.vectors.col(k);
    const double residual = (h * u - pairs.values[k] * u).norm() / std::abs(pairs.values[k]);
    CHECK(residual <= tolerance + 1e-13 * largest / std::abs(pairs.values[k]));
    CHECK(std::abs(residual - pairs.residuals[k]) <=
          1e-3 * residual + 1e-13 * largest / std::abs(pairs.values[k]));
  }
}

/// n eigenvalues k^−decay in generic directions.
MatrixXd decaying(Index n, double decay) {
  MatrixXd h = MatrixXd::Zero(n, n);
  const MatrixXd o = ness::detail::SymmetricEigen<double>(
                         MatrixXd(generic_values(n, n, 3) + generic_values(n, n, 3).transpose()))
                         .vectors;
  for (Index k = 0; k < n; ++k) h(k, k) = std::pow(1. + static_cast<double>(k), -decay);
  return o * h * o.transpose();
}

}  // namespace

TEST_CASE("Leading eigenpairs are those of the dense decomposition") {
  for (const double decay : {0.5, 1.0, 2.0}) {
    const MatrixXd h = decaying(300, decay);
    for (const Index block : {1, 3, 8}) {
      const auto pairs = ness::detail::leading_eigenpairs<double>(
          products_of(h), 300, {.count = 12, .tolerance = 1e-8, .block = block});
      CHECK(pairs.converged);
      check_pairs(pairs, h, 1e-8);
    }
  }
}

TEST_CASE("Leading eigenpairs do not depend on units, and are found in small spaces") {
  const MatrixXd h = decaying(200, 1);
  const auto in_units = [&](double unit) {
    const MatrixXd scaled = unit * h;
    return ness::detail::leading_eigenpairs<double>(products_of(scaled), 200, {.count = 10});
  };
  const auto one = in_units(1);
  for (const double unit : {1e-100, 1e100}) {
    const auto other = in_units(unit);
    CHECK(other.products == one.products);
    CHECK(relative_error(VectorXd(other.values / unit), one.values) <= 1e-13);
  }
  for (const Index n : {1, 2, 7, 30}) {
    const MatrixXd small = positive_definite(n, 5, 0.1, 3);
    for (const Index count : {Index{1}, (n + 1) / 2, n}) {
      const auto pairs =
          ness::detail::leading_eigenpairs<double>(products_of(small), n, {.count = count});
      CHECK(pairs.converged);
      check_pairs(pairs, small, 1e-6);
    }
  }
}

TEST_CASE(
    "Leading eigenpairs of matrices of low rank, of one eigenvalue, and that are indefinite") {
  MatrixXd low = MatrixXd::Zero(60, 60);
  low.topLeftCorner(3, 3) = positive_definite(3, 2, 1, 2);
  const auto found = ness::detail::leading_eigenpairs<double>(products_of(low), 60, {.count = 3});
  CHECK(found.converged);
  check_pairs(found, low, 1e-6);
  const MatrixXd same = 2 * MatrixXd::Identity(40, 40);
  const auto alike = ness::detail::leading_eigenpairs<double>(products_of(same), 40, {.count = 20});
  CHECK(alike.converged);
  check_pairs(alike, same, 1e-6);
  const MatrixXd mixed = decaying(50, 1) - 0.1 * MatrixXd::Identity(50, 50);
  const auto both = ness::detail::leading_eigenpairs<double>(products_of(mixed), 50, {.count = 15});
  CHECK(both.converged);
  check_pairs(both, mixed, 1e-6);
}

TEST_CASE("Leading eigenpairs of objectives: the regression network and 100 softmax weights") {
  const auto of_network =
      ness::leading_eigenpairs(ness::StreamedObjective(network()), network_minimum().theta,
                               {.count = 5, .tolerance = 1e-10});
  CHECK(of_network.converged);
  check_pairs(of_network, network_minimum().hessian, 1e-8);

  MatrixXd labels = MatrixXd::Zero(5, 700);
  for (Index i = 0; i < 700; ++i) labels((i * i + i / 3) % 5, i) = 1;
  const ness::Objective softmax(ness::SoftmaxRegression<>(generic_values(20, 700, 1), labels),
                                ness::L2{0.01});
  const VectorXd theta = generic_values(100, 1, 2);
  const auto pairs = ness::leading_eigenpairs(ness::StreamedObjective(softmax), theta,
                                              {.count = 10, .tolerance = 1e-8});
  CHECK(pairs.converged);
  check_pairs(pairs, softmax.hessian(theta), 1e-8);
}

TEST_CASE("Leading eigenpairs say what they did not reach, and refuse bad settings") {
  const MatrixXd h = decaying(300, 0.3);
  const auto pairs = ness::detail::leading_eigenpairs<double>(
      products_of(h), 300, {.count = 12, .tolerance = 1e-12, .max_products = 40});
  CHECK_FALSE(pairs.converged);
  CHECK(pairs.products <= 40);
  CHECK(pairs.residuals.maxCoeff() > 1e-12);
  const auto with = [&](EigenpairSettings settings) {
    return ness::detail::leading_eigenpairs<double>(products_of(h), 300, settings);
  };
  CHECK_THROWS_WITH(with({.count = 301}), contains("1 ... N = 300") && contains("is 301"));
  CHECK_THROWS_WITH(with({.count = 0}), contains("is 0"));
  CHECK_THROWS_WITH(with({.tolerance = 0}), contains("tolerance"));
  CHECK_THROWS_WITH(with({.block = 0}), contains("block"));
  const MatrixXd bad = MatrixXd::Constant(300, 300, std::nan(""));
  CHECK_THROWS_WITH(ness::detail::leading_eigenpairs<double>(products_of(bad), 300, {}),
                    contains("must be finite"));
}
