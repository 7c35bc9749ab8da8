#include "ness/landscape/preconditioned.hpp"

#include <type_traits>

#include "ness/landscape/minimize.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/posterior/posterior_error.hpp"
#include "support/against_autodiff.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/decay.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Σ_j θ_j⁴ + θ_0, by its value alone.
struct Quartic {
  auto value(const auto& theta) const {
    typename std::decay_t<decltype(theta)>::Scalar sum = theta[0];
    for (Eigen::Index j = 0; j < theta.size(); ++j)
      sum += theta[j] * theta[j] * theta[j] * theta[j];
    return sum;
  }
};

/// The same, with derivatives of its own.
struct QuarticWithDerivatives : Quartic {
  template <class Vector>
  void add_gradient(const Vector& theta, Vector& gradient) const {
    gradient += 4 * theta.array().cube().matrix();
    gradient[0] += 1;
  }
  template <class Vector>
  void add_hessian_product(const Vector& theta, const Vector& direction, Vector& product) const {
    product += (12 * theta.array().square() * direction.array()).matrix();
  }
};

template <class R>
void check_in_coordinates(const R& regularizer) {
  const ness::Objective objective(
      ness::LinearModel<>(generic_values(4, 30, 11), generic_values(1, 30, 12), {15}), regularizer);
  const VectorXd centre = generic_values(4, 1, 14), w = generic_values(4, 1, 13);
  const MatrixXd map = generic_values(4, 4, 15);
  const auto there = ness::in_coordinates(objective, centre, map);
  const VectorXd theta = centre + map * w;
  CHECK(relative_error(there.model().theta(w), theta) <= 1e-14);
  CHECK(relative_error(there.value(w), objective.value(theta)) <= 1e-13);
  CHECK(relative_error(there.gradient(w), map.transpose() * objective.gradient(theta)) <= 1e-13);
  CHECK(relative_error(there.hessian(w), map.transpose() * objective.hessian(theta) * map) <=
        1e-12);
}

}  // namespace

TEST_CASE("In other coordinates the objective is the same, whatever its regularizer") {
  const MatrixXd a = generic_values(4, 4, 7);
  check_in_coordinates(ness::NoRegularizer{});
  check_in_coordinates(ness::L2{0.3});
  check_in_coordinates(
      ness::QuadraticForm<MatrixXd>{a + a.transpose(), generic_values(4, 1, 8), 0.3});
  check_in_coordinates(Quartic{});
  check_in_coordinates(QuarticWithDerivatives{});
}

TEST_CASE("Preconditioned by its Hessian an objective with any regularizer is round") {
  const ness::Objective objective(
      ness::LinearModel<>(generic_values(4, 60, 11), generic_values(1, 60, 12), {30}), Quartic{});
  const auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(4)));
  const auto round = ness::precondition(objective, minimum.theta, minimum.hessian);
  CHECK(relative_error(round.hessian(VectorXd(VectorXd::Zero(4))), MatrixXd::Identity(4, 4)) <=
        1e-12);
}

TEST_CASE("Derivatives in the new coordinates are those of the loss there") {
  SECTION("a model with all members") {
    const ness::Preconditioned model(
        ness::LinearModel<>(generic_values(3, 300, 1), generic_values(2, 300, 2), {0.7}),
        VectorXd(generic_values(6, 1, 4)), generic_values(6, 6, 5));
    check_against_autodiff(model, VectorXd(generic_values(6, 1, 3)), {1, 9, 300});
  }
  SECTION("a model of static size with a loss alone") {
    using Vector = ness::vector_t<GenericDecay<>>;
    using Matrix = ness::matrix_t<GenericDecay<>>;
    const Eigen::Index n = GenericDecay<>::parameters();
    const ness::Preconditioned model(GenericDecay<>{}, Vector(generic_values<Vector>(n, 1, 4, 0.3)),
                                     Matrix(generic_values<Matrix>(n, n, 5, 0.3)));
    STATIC_REQUIRE(ness::parameters_at_compile_time<std::decay_t<decltype(model)>> ==
                   GenericDecay<>::parameters());
    check_against_autodiff(model, Vector(generic_values<Vector>(n, 1, 3, 0.3)), {1, 9});
  }
}

TEST_CASE("A quadratic form is what it says") {
  const MatrixXd a = generic_values(4, 4, 7);
  const ness::QuadraticForm<MatrixXd> form{a + a.transpose(), generic_values(4, 1, 8), 0.3};
  const VectorXd w = generic_values(4, 1, 9);
  CHECK(relative_error(form.value(w), 0.5 * w.dot(form.curvature * w) + form.slope.dot(w) + 0.3) <=
        1e-14);
  VectorXd gradient = VectorXd::Ones(4);
  VectorXd product = VectorXd::Ones(4);
  form.add_gradient(w, gradient);
  form.add_hessian_product(w, w, product);
  VectorXd expected(4);
  ness::Autodiff<VectorXd>().gradient([&](const auto& v) { return form.value(v); }, w, expected);
  CHECK(relative_error(gradient - VectorXd::Ones(4), expected) <= 1e-13);
  CHECK(relative_error(product - VectorXd::Ones(4), form.curvature * w) <= 1e-13);
}

TEST_CASE("Preconditioned by its Hessian the objective is the same, and its curvature I") {
  // Curvatures that are four decades apart.
  MatrixXd x = generic_values(4, 60, 11);
  x.row(0) *= 100;
  const ness::Objective objective(ness::LinearModel<>(x, generic_values(1, 60, 12), {30}),
                                  ness::L2{0.4});
  const auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(4)));
  REQUIRE(minimum.hessian_eigenvalues[3] > 1e4 * minimum.hessian_eigenvalues[0]);
  const auto round = ness::precondition(objective, minimum.theta, minimum.hessian);
  const VectorXd w = generic_values(4, 1, 13);
  const VectorXd theta = round.model().theta(w);
  CHECK(relative_error(round.value(w), objective.value(theta)) <= 1e-12);
  CHECK(relative_error(round.gradient(w),
                       round.model().map().transpose() * objective.gradient(theta)) <= 1e-12);
  CHECK(relative_error(round.hessian(VectorXd(VectorXd::Zero(4))), MatrixXd::Identity(4, 4)) <=
        1e-10);
  // So its posterior is N(0, I), whatever that of θ is, and a sampler's error small in all
  // directions.
  const auto there = ness::minimize(round, w);
  CHECK(there.theta.norm() <= 1e-10);
  const auto error =
      ness::exact_posterior_error(round, there, ness::Langevin{.learning_rate = 0.1}, {});
  CHECK(relative_error(error.covariance_excess.value, (1 / 0.95 - 1) * MatrixXd::Identity(4, 4)) <=
        1e-8);
}

TEST_CASE("What does not fit is refused") {
  const ness::LinearModel<> model(generic_values(2, 9, 1), generic_values(1, 9, 2));
  const ness::Objective objective(model, ness::L2{1});
  const VectorXd two = VectorXd::Ones(2);
  CHECK_THROWS_WITH(ness::Preconditioned(model, two, MatrixXd(MatrixXd::Identity(3, 3))),
                    contains("map must be 2 x 2, but is 3 x 3"));
  CHECK_THROWS_WITH(ness::precondition(objective, two, MatrixXd(-MatrixXd::Identity(2, 2))),
                    contains("must be positive definite"));
  CHECK_THROWS_WITH(ness::precondition(objective, VectorXd(VectorXd::Ones(3)),
                                       MatrixXd(MatrixXd::Identity(2, 2))),
                    contains("theta must be 2 x 1, but is 3 x 1"));
}
