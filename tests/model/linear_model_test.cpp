#include "ness/model/linear_model.hpp"

#include <Eigen/Core>
#include <limits>
#include <stdexcept>

#include "ness/diffusion/epochs.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "support/against_autodiff.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

TEST_CASE("The loss of a linear model is scale · |W x − y|² with the rows of W in θ") {
  const Eigen::MatrixXd x = generic_values(3, 10, 1);
  const Eigen::MatrixXd y = generic_values(2, 10, 2);
  const Eigen::VectorXd theta = generic_values<Eigen::VectorXd>(6, 1, 3);
  Eigen::MatrixXd w(2, 3);
  w.row(0) = theta.head(3).transpose();
  w.row(1) = theta.tail(3).transpose();
  const ness::LinearModel<> model(x, y, {0.7});
  for (Eigen::Index i = 0; i < 10; ++i)
    CHECK(relative_error(model.sample_loss(theta, i),
                         0.7 * (w * x.col(i) - y.col(i)).squaredNorm()) <= 1e-14);
  CHECK(relative_error(model.loss(theta), 0.7 * (w * x - y).squaredNorm() / 10) <= 1e-14);
}

TEST_CASE("Derivatives of linear models are those of their sample_loss") {
  const auto check = []<class Model>(const Model& model) {
    const auto theta = generic_values<ness::vector_t<Model>>(model.parameters(), 1, 3);
    check_against_autodiff(model, theta, {1, 2, 9, model.samples()});
  };
  check(ness::LinearModel<>(generic_values(5, 30, 1), generic_values(3, 30, 2), {0.7}));
  check(ness::LinearModel<>(generic_values(1, 30, 1), generic_values(1, 30, 2)));
  check(ness::LinearModel<>(generic_values(3, 300, 1), generic_values(1, 300, 2)));  // two blocks
  check(ness::LinearModel<double, 6>(generic_values(3, 30, 1), generic_values(2, 30, 2), {12.5}));
  using Floats = Eigen::MatrixXf;
  check(ness::LinearModel<float>(generic_values<Floats>(4, 30, 1), generic_values<Floats>(2, 30, 2),
                                 {0.7}));
  // Every padded width, and more outputs than any holds.
  for (const Eigen::Index outputs : {1, 2, 4, 5, 8, 9, 12, 13, 16, 17, 24, 25, 49})
    check(ness::LinearModel<>(generic_values(19, 30, 1), generic_values(outputs, 30, 2)));
  check(ness::LinearModel<double, Eigen::Dynamic, float>(generic_values(5, 30, 1),
                                                         generic_values(3, 30, 2)));
}

TEST_CASE("Data stored in single precision are rounded once, and all computations are in double") {
  const Eigen::MatrixXd x = generic_values(5, 300, 1);
  const Eigen::MatrixXd y = generic_values(3, 300, 2);
  const ness::LinearModel<double, Eigen::Dynamic, float> stored(x, y);
  const ness::LinearModel<> rounded(x.cast<float>().cast<double>(), y.cast<float>().cast<double>());
  CHECK(stored.features() == rounded.features());
  CHECK(stored.targets() == rounded.targets());
  const ness::Objective a(stored, ness::L2{0.1});
  const ness::Objective b(rounded, ness::L2{0.1});
  const Eigen::VectorXd theta = generic_values<Eigen::VectorXd>(15, 1, 3);
  CHECK(relative_error(a.gradient(theta), b.gradient(theta)) <= 1e-15);
  CHECK(relative_error(a.hessian(theta), b.hessian(theta)) <= 1e-15);
  const ness::Sgd<ness::WithoutReplacement> training{.learning_rate = 0.01, .minibatch = {10}};
  CHECK(relative_error(ness::diffusion(a, theta, training), ness::diffusion(b, theta, training)) <=
        1e-14);
}

TEST_CASE("The Hessian of a linear model is (2 scale / M) I ⊗ X Xᵀ") {
  const Eigen::MatrixXd x = generic_values(3, 10, 1);
  const ness::LinearModel<> model(x, generic_values(2, 10, 2), {0.7});
  Eigen::MatrixXd hessian;
  model.hessian(Eigen::VectorXd::Zero(6).eval(), hessian);
  Eigen::MatrixXd expected = Eigen::MatrixXd::Zero(6, 6);
  expected.topLeftCorner(3, 3) = expected.bottomRightCorner(3, 3) = 1.4 / 10 * x * x.transpose();
  CHECK(relative_error(hessian, expected) <= 1e-14);
}

TEST_CASE("The number of parameters of a linear model is outputs times features") {
  const ness::LinearModel<> model(generic_values(5, 30, 1), generic_values(3, 30, 2));
  CHECK(model.parameters() == 15);
  CHECK(model.samples() == 30);
  CHECK(model.outputs() == 3);
  STATIC_REQUIRE(ness::parameters_at_compile_time<ness::LinearModel<>> == Eigen::Dynamic);
  STATIC_REQUIRE(ness::parameters_at_compile_time<ness::LinearModel<double, 6>> == 6);
}

TEST_CASE("A linear model refuses data that is empty, uneven or not finite, and says what it got") {
  using Linear = ness::LinearModel<>;
  const Eigen::MatrixXd x = Eigen::MatrixXd::Ones(3, 5);
  const Eigen::MatrixXd y = Eigen::MatrixXd::Ones(2, 5);
  REQUIRE_NOTHROW(Linear(x, y));
  REQUIRE_THROWS_AS(Linear(Eigen::MatrixXd(3, 0), Eigen::MatrixXd(2, 0)), std::invalid_argument);
  REQUIRE_THROWS_WITH(Linear(Eigen::MatrixXd(3, 0), Eigen::MatrixXd(2, 0)),
                      contains("LinearModel: features must not be empty, but is 0"));
  REQUIRE_THROWS_WITH(Linear(Eigen::MatrixXd(0, 5), y), contains("features must not be empty"));
  REQUIRE_THROWS_WITH(Linear(x, Eigen::MatrixXd(0, 5)),
                      contains("targets must have at least 1 row, but is 0"));
  REQUIRE_THROWS_WITH(Linear(x, Eigen::MatrixXd::Ones(2, 4)),
                      contains("targets must be 2 x 5, but is 2 x 4"));
  Eigen::MatrixXd bad = x;
  bad(2, 4) = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_THROWS_WITH(Linear(bad, y), contains("features must be finite, but element (2, 4) is") &&
                                          contains("nan"));
  bad = y;
  bad(1, 0) = -std::numeric_limits<double>::infinity();
  REQUIRE_THROWS_WITH(Linear(x, bad),
                      contains("targets must be finite, but element (1, 0) is -inf"));
  for (const double scale : {0.0, -1.0, std::numeric_limits<double>::infinity()})
    REQUIRE_THROWS_AS(Linear(x, y, {scale}), std::invalid_argument);
  REQUIRE_THROWS_WITH(Linear(x, y, {-1.5}),
                      contains("loss.scale must be positive and finite, but is -1.5"));
  using Static = ness::LinearModel<double, 7>;
  REQUIRE_THROWS_WITH(Static(x, y), contains("static number of parameters, but is 6"));
}
