#include "ness/model/autodiff.hpp"

#include <Eigen/Core>
#include <cmath>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

// f(θ) = Σ_i w_i exp(θ_i θ_{i+1}) with the indices in a ring: every chunk meets its neighbours.
struct Ring {
  auto operator()(const auto& theta) const {
    using std::exp;
    auto sum = 0 * theta[0];
    for (Eigen::Index i = 0; i < theta.size(); ++i)
      sum += weight(i) * exp(theta[i] * theta[next(i, theta.size())]);
    return sum;
  }
  static double weight(Eigen::Index i) { return 1 + 0.1 * static_cast<double>(i); }
  static Eigen::Index next(Eigen::Index i, Eigen::Index n) { return (i + 1) % n; }

  static Eigen::VectorXd gradient(const Eigen::VectorXd& theta) {
    const Eigen::Index n = theta.size();
    Eigen::VectorXd result = Eigen::VectorXd::Zero(n);
    for (Eigen::Index i = 0; i < n; ++i) {
      const Eigen::Index j = next(i, n);
      const double e = weight(i) * std::exp(theta[i] * theta[j]);
      result[i] += e * theta[j];
      result[j] += e * theta[i];
    }
    return result;
  }
  static Eigen::MatrixXd hessian(const Eigen::VectorXd& theta) {
    const Eigen::Index n = theta.size();
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(n, n);
    for (Eigen::Index i = 0; i < n; ++i) {
      const Eigen::Index j = next(i, n);
      const double product = theta[i] * theta[j];
      const double e = weight(i) * std::exp(product);
      result(i, i) += e * theta[j] * theta[j];
      result(j, j) += e * theta[i] * theta[i];
      result(i, j) += e * (1 + product);
      result(j, i) += e * (1 + product);
    }
    return result;
  }
};

template <int N>
void check_ring(Eigen::Index n) {
  using Vector = Eigen::Matrix<double, N, 1>;
  const auto theta = generic_values<Vector>(n, 1, 1, 0.7);
  const auto direction = generic_values<Vector>(n, 1, 2);
  ness::Autodiff<Vector> autodiff;
  for (int repeat = 0; repeat < 2; ++repeat) {  // nothing of the first call may stay
    Vector gradient = Vector::Constant(n, 1e30);
    autodiff.gradient(Ring{}, theta, gradient);
    CHECK(relative_error(gradient, Ring::gradient(theta)) <= 1e-14);
    Vector product = Vector::Constant(n, 1e30);
    autodiff.hessian_product(Ring{}, theta, direction, product);
    CHECK(relative_error(product, Ring::hessian(theta) * direction) <= 1e-14);
  }
}

}  // namespace

TEST_CASE("Automatic derivatives are exact for every number of parameters and chunks") {
  for (const Eigen::Index n : {3, 7, 8, 9, 15, 16, 17, 24, 40}) check_ring<Eigen::Dynamic>(n);
}

TEST_CASE("Automatic derivatives are exact at static sizes") {
  check_ring<3>(3);
  check_ring<8>(8);
  check_ring<9>(9);
  check_ring<20>(20);
}

TEST_CASE("A gradient costs ⌈N/8⌉ evaluations, and so does a Hessian product") {
  for (const Eigen::Index n : {1, 7, 8, 9, 16, 17, 40}) {
    int evaluations = 0;
    const auto counted = [&](const auto& theta) {
      ++evaluations;
      return theta[0] * theta[theta.size() - 1];
    };
    const Eigen::VectorXd theta = Eigen::VectorXd::Ones(n);
    Eigen::VectorXd result(n);
    ness::Autodiff<Eigen::VectorXd> autodiff;
    autodiff.gradient(counted, theta, result);
    CHECK(evaluations == (n + 7) / 8);
    autodiff.hessian_product(counted, theta, theta, result);
    CHECK(evaluations == 2 * ((n + 7) / 8));
  }
}

TEST_CASE("One object of Autodiff serves vectors of changing size") {
  ness::Autodiff<Eigen::VectorXd> autodiff;
  for (const Eigen::Index n : {12, 5, 30}) {
    const Eigen::VectorXd theta = generic_values<Eigen::VectorXd>(n, 1, 3, 0.5);
    Eigen::VectorXd gradient(n);
    autodiff.gradient(Ring{}, theta, gradient);
    CHECK(relative_error(gradient, Ring::gradient(theta)) <= 1e-14);
  }
}

TEST_CASE("Automatic derivatives go into a column of a matrix") {
  const Eigen::VectorXd theta = generic_values<Eigen::VectorXd>(10, 1, 4, 0.5);
  Eigen::MatrixXd columns = Eigen::MatrixXd::Zero(10, 3);
  ness::Autodiff<Eigen::VectorXd> autodiff;
  autodiff.gradient(Ring{}, theta, columns.col(1));
  CHECK(relative_error(columns.col(1), Ring::gradient(theta)) <= 1e-14);
  CHECK(columns.col(0).isZero(0));
  CHECK(columns.col(2).isZero(0));
}

TEST_CASE("A constant function has zero derivatives") {
  ness::Autodiff<Eigen::Vector3d> autodiff;
  const auto constant = [](const auto&) { return 5.0; };
  Eigen::Vector3d result = Eigen::Vector3d::Ones();
  autodiff.gradient(constant, Eigen::Vector3d(1, 2, 3), result);
  CHECK(result.isZero(0));
  result.setOnes();
  autodiff.hessian_product(constant, Eigen::Vector3d(1, 2, 3), Eigen::Vector3d(1, 0, 0), result);
  CHECK(result.isZero(0));
}

TEST_CASE("Automatic derivatives of float functions are good to float rounding") {
  const Eigen::VectorXf theta = generic_values<Eigen::VectorXf>(11, 1, 5, 0.5);
  Eigen::VectorXf gradient(11);
  ness::Autodiff<Eigen::VectorXf> autodiff;
  autodiff.gradient(Ring{}, theta, gradient);
  CHECK(relative_error(gradient, Ring::gradient(theta.cast<double>())) <= 1e-6);
}
