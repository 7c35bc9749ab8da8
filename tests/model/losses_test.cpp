#include "ness/model/losses.hpp"

#include <Eigen/Core>
#include <cmath>

#include "ness/model/autodiff.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

// Rows that sum to 1, as targets of a classification do.
Eigen::MatrixXd probabilities(Eigen::Index rows, Eigen::Index cols) {
  Eigen::MatrixXd result = generic_values(rows, cols, 3).cwiseAbs();
  for (Eigen::Index row = 0; row < rows; ++row) result.row(row) /= result.row(row).sum();
  return result;
}

// A loss's gradient and curvature, row by row, against those of its value by dual numbers.
template <class Matrix, class Loss>
void check_derivatives(const Loss& loss, double tolerance) {
  constexpr Eigen::Index rows = 5;
  constexpr Eigen::Index outputs = 4;
  const Matrix f = generic_values(rows, outputs, 1, 2).cast<typename Matrix::Scalar>();
  const Matrix y = probabilities(rows, outputs).cast<typename Matrix::Scalar>();
  const Matrix tangent = generic_values(rows, outputs, 2).cast<typename Matrix::Scalar>();
  Matrix delta(rows, outputs);
  Matrix curvature(rows, outputs);
  loss.gradient(f, y, delta);
  loss.curvature(f, y, tangent, curvature);

  ness::Autodiff<Eigen::VectorXd> autodiff;
  for (Eigen::Index row = 0; row < rows; ++row) {
    const Eigen::VectorXd outputs_of_row = f.row(row).transpose().template cast<double>();
    const Eigen::VectorXd direction = tangent.row(row).transpose().template cast<double>();
    const auto value = [&](const auto& g) {
      return loss.value(g, y.row(row).transpose().template cast<double>().eval());
    };
    Eigen::VectorXd expected(outputs);
    autodiff.gradient(value, outputs_of_row, expected);
    CHECK(relative_error(delta.row(row).transpose(), expected) <= tolerance);
    autodiff.hessian_product(value, outputs_of_row, direction, expected);
    CHECK(relative_error(curvature.row(row).transpose(), expected) <= tolerance);
  }
}

}  // namespace

TEST_CASE("The squared loss is scale · |f − y|²") {
  const Eigen::Vector3d f(1, 2, 3);
  const Eigen::Vector3d y(0, 4, 3);
  CHECK(ness::SquaredLoss{}.value(f, y) == 5);
  CHECK(ness::SquaredLoss{0.25}.value(f, y) == 1.25);
}

TEST_CASE("The cross entropy is −scale · Σ_k y_k log p_k with p = softmax(f)") {
  const Eigen::Vector3d f(0.3, -1.2, 2);
  const Eigen::Vector3d y(0.2, 0.5, 0.3);
  const Eigen::Vector3d p = f.array().exp() / f.array().exp().sum();
  CHECK(relative_error(ness::SoftmaxCrossEntropy{}.value(f, y),
                       -(y.array() * p.array().log()).sum()) <= 1e-15);
  CHECK(relative_error(ness::SoftmaxCrossEntropy{7}.value(f, y),
                       -7 * (y.array() * p.array().log()).sum()) <= 1e-15);
}

TEST_CASE("Gradients and curvatures of losses are the derivatives of their values") {
  for (const double scale : {1.0, 0.3}) {
    check_derivatives<Eigen::MatrixXd>(ness::SquaredLoss{scale}, 1e-14);
    check_derivatives<Eigen::MatrixXf>(ness::SquaredLoss{scale}, 2e-6);
    check_derivatives<Eigen::MatrixXd>(ness::SoftmaxCrossEntropy{scale}, 1e-14);
    check_derivatives<Eigen::MatrixXf>(ness::SoftmaxCrossEntropy{scale}, 2e-6);
  }
}

TEST_CASE("The cross entropy does not change when all outputs move together, however far") {
  // In eighths, so that f + shift is exact.
  const Eigen::RowVector4d f(0.5, -1.25, 2, 0.125);
  const Eigen::RowVector4d y(0, 0, 1, 0);
  const ness::SoftmaxCrossEntropy loss;
  Eigen::RowVector4d delta;
  loss.gradient(f, y, delta);
  for (const double shift : {1000.0, -1000.0, 1e6}) {
    const Eigen::RowVector4d moved = f.array() + shift;
    Eigen::RowVector4d moved_delta;
    loss.gradient(moved, y, moved_delta);
    CHECK(loss.value(moved, y) == loss.value(f, y));
    CHECK(moved_delta == delta);
  }
}

TEST_CASE("The cross entropy of a hopeless output is its distance, not infinity") {
  const Eigen::Vector2d f(-2000, 3000);
  CHECK(ness::SoftmaxCrossEntropy{}.value(f, Eigen::Vector2d(1, 0)) == 5000);
}

TEST_CASE("Probabilities are positive and sum to 1 in each row") {
  const Eigen::MatrixXd f = generic_values(6, 5, 9, 100);
  Eigen::MatrixXd p(6, 5);
  ness::SoftmaxCrossEntropy::probabilities(f, p);
  CHECK(p.minCoeff() >= 0);
  CHECK(relative_error(p.rowwise().sum(), Eigen::VectorXd::Ones(6)) <= 1e-15);
}
