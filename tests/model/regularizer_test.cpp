#include "ness/model/regularizer.hpp"

#include <Eigen/Core>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

// The example at the head of the header: a value and nothing else.
struct Ridge {
  Eigen::VectorXd weights;
  auto value(const auto& theta) const { return theta.cwiseAbs2().dot(weights); }
};

// Not quadratic: R = Σ_α θ_α⁴, ∇R = 4θ³, ∂∂R = diag(12θ²).
struct Quartic {
  auto value(const auto& theta) const {
    auto sum = 0 * theta[0];
    for (Eigen::Index i = 0; i < theta.size(); ++i)
      sum += theta[i] * theta[i] * theta[i] * theta[i];
    return sum;
  }
};

// Adds to what is there, as a chain does, and takes it away again.
template <class Vector, class R>
Vector gradient_of(const R& regularizer, const Vector& theta) {
  Vector gradient = Vector::Ones(theta.size());
  ness::RegularizerDerivatives<R, Vector>(regularizer).add_gradient(theta, gradient);
  return gradient - Vector::Ones(theta.size());
}
template <class Vector, class R>
Vector product_of(const R& regularizer, const Vector& theta, const Vector& direction) {
  Vector product = Vector::Ones(theta.size());
  ness::RegularizerDerivatives<R, Vector>(regularizer)
      .add_hessian_product(theta, direction, product);
  return product - Vector::Ones(theta.size());
}

template <class Vector>
void check_l2(double tolerance) {
  const auto theta = generic_values<Vector>(4, 1, 1);
  const auto direction = generic_values<Vector>(4, 1, 2);
  const ness::L2 l2{0.3};
  const Eigen::Vector4d exact = theta.template cast<double>();
  CHECK(relative_error(l2.value(theta), 0.3 * exact.squaredNorm()) <= tolerance);
  CHECK(relative_error(gradient_of(l2, theta), 0.6 * exact) <= tolerance);
  CHECK(relative_error(product_of(l2, theta, direction), 0.6 * direction.template cast<double>()) <=
        tolerance);
}

}  // namespace

TEST_CASE("L2 is λ|θ|², with gradient 2λθ and Hessian 2λI") {
  check_l2<Eigen::VectorXd>(2e-15);
  check_l2<Eigen::Vector4d>(2e-15);
  check_l2<Eigen::VectorXf>(1e-6);
  CHECK(ness::L2{}.lambda == 0);
}

TEST_CASE("No regularizer is 0, with derivatives 0") {
  const Eigen::Vector3d theta(1, 2, 3);
  CHECK(ness::NoRegularizer{}.value(theta) == 0);
  CHECK(gradient_of(ness::NoRegularizer{}, theta).isZero(0));
  CHECK(product_of(ness::NoRegularizer{}, theta, theta).isZero(0));
}

TEST_CASE("A regularizer with a value alone is differentiated automatically") {
  const Eigen::VectorXd theta = generic_values<Eigen::VectorXd>(11, 1, 1);
  const Eigen::VectorXd direction = generic_values<Eigen::VectorXd>(11, 1, 2);
  const Ridge ridge{generic_values<Eigen::VectorXd>(11, 1, 3)};
  CHECK(relative_error(gradient_of(ridge, theta), 2 * theta.cwiseProduct(ridge.weights)) <= 1e-14);
  CHECK(relative_error(product_of(ridge, theta, direction),
                       2 * direction.cwiseProduct(ridge.weights)) <= 1e-14);

  const Eigen::Vector3d x(0.5, -2, 1.5);
  const Eigen::Vector3d v(1, 3, -2);
  CHECK(relative_error(gradient_of(Quartic{}, x), 4 * x.array().cube().matrix()) <= 1e-14);
  CHECK(relative_error(product_of(Quartic{}, x, v),
                       (12 * x.array().square() * v.array()).matrix()) <= 1e-14);
}

TEST_CASE("A regularizer's own derivatives are used where it has them") {
  struct Odd {  // its members do not agree, so that one can tell them apart
    double value(const Eigen::Vector3d&) const { return 0; }
    void add_gradient(const Eigen::Vector3d&, Eigen::Vector3d& g) const { g[0] += 5; }
    void add_hessian_product(const Eigen::Vector3d&, const Eigen::Vector3d&,
                             Eigen::Vector3d& p) const {
      p[1] += 7;
    }
  };
  const Eigen::Vector3d theta(1, 2, 3);
  CHECK(gradient_of(Odd{}, theta) == Eigen::Vector3d(5, 0, 0));
  CHECK(product_of(Odd{}, theta, theta) == Eigen::Vector3d(0, 7, 0));
}

TEST_CASE("A regularizer needs a constant value that is a number") {
  struct NotConst {
    double value(const Eigen::VectorXd&) { return 0; }
  };
  struct NotANumber {
    Eigen::VectorXd value(const Eigen::VectorXd& theta) const { return theta; }
  };
  STATIC_REQUIRE(ness::Regularizer<ness::L2, Eigen::VectorXf>);
  STATIC_REQUIRE(ness::Regularizer<ness::NoRegularizer, Eigen::Vector3d>);
  STATIC_REQUIRE(ness::Regularizer<Ridge, Eigen::VectorXd>);
  STATIC_REQUIRE(ness::Regularizer<Quartic, Eigen::VectorXd>);
  STATIC_REQUIRE_FALSE(ness::Regularizer<NotConst, Eigen::VectorXd>);
  STATIC_REQUIRE_FALSE(ness::Regularizer<NotANumber, Eigen::VectorXd>);
  STATIC_REQUIRE_FALSE(ness::Regularizer<int, Eigen::VectorXd>);
}
