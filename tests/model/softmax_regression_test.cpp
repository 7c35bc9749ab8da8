#include "ness/model/softmax_regression.hpp"

#include <cmath>
#include <limits>

#include "ness/landscape/minimize.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/testing/check_model.hpp"
#include "support/against_autodiff.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

// Probabilities without a pattern, one column a sample.
template <class Data = Eigen::MatrixXd>
Data targets(Eigen::Index classes, Eigen::Index samples) {
  Data y = generic_values<Data>(classes, samples, 2).array().exp();
  for (Eigen::Index i = 0; i < samples; ++i) y.col(i) /= y.col(i).sum();
  return y;
}

}  // namespace

TEST_CASE("The loss of a softmax regression is the cross entropy of W x") {
  const Eigen::MatrixXd x = generic_values(3, 300, 1);
  const Eigen::MatrixXd y = targets(4, 300);
  const Eigen::VectorXd theta = generic_values(12, 1, 3);
  const Eigen::MatrixXd w = theta.reshaped(3, 4).transpose();
  const ness::SoftmaxRegression<> model(x, y, {0.7});
  double sum = 0;
  for (Eigen::Index i = 0; i < 300; ++i) {
    const Eigen::VectorXd weights = (w * x.col(i)).array().exp();
    const double loss = -0.7 * y.col(i).dot((weights / weights.sum()).array().log().matrix());
    CHECK(relative_error(model.sample_loss(theta, i), loss) <= 1e-13);
    sum += loss / 300;
  }
  CHECK(relative_error(model.loss(theta), sum) <= 1e-13);
  // Safe where the exponentials of the outputs are not.
  CHECK(std::isfinite(model.loss(Eigen::VectorXd(1e4 * theta))));
}

TEST_CASE("Derivatives of softmax regressions are those of their sample_loss") {
  const auto check = []<class Model>(const Model& model) {
    const auto theta = generic_values<ness::vector_t<Model>>(model.parameters(), 1, 3);
    check_against_autodiff(model, theta, {1, 2, 9, model.samples()});
  };
  check(ness::SoftmaxRegression<>(generic_values(5, 30, 1), targets(3, 30), {0.7}));
  check(ness::SoftmaxRegression<>(generic_values(1, 300, 1), targets(2, 300)));  // two blocks
  using Floats = Eigen::MatrixXf;
  check(ness::SoftmaxRegression<float>(generic_values<Floats>(4, 30, 1), targets<Floats>(2, 30)));
  const ness::SoftmaxRegression<> model(generic_values(4, 700, 1), targets(3, 700), {5});
  CHECK(ness::check_model(model, Eigen::VectorXd(generic_values(12, 1, 3))).ok());
}

TEST_CASE("A softmax regression refuses data that do not fit") {
  const Eigen::MatrixXd x = Eigen::MatrixXd::Ones(3, 5);
  const Eigen::MatrixXd y = targets(2, 5);
  using Model = ness::SoftmaxRegression<>;
  CHECK_NOTHROW(Model(x, y));
  CHECK_THROWS_WITH(Model(x, targets(2, 4)), contains("targets must be 2 x 5, but is 2 x 4"));
  CHECK_THROWS_WITH(Model(x, Eigen::MatrixXd::Ones(1, 5)), contains("at least 2 rows, but is 1"));
  CHECK_THROWS_WITH(Model(x, Eigen::MatrixXd::Ones(2, 5)), contains("must sum to 1"));
  CHECK_THROWS_WITH(Model(x, y, {-1}), contains("loss.scale must be positive"));
  Eigen::MatrixXd bad = x;
  bad(1, 2) = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH(Model(bad, y), contains("features must be finite, but element (1, 2) is inf"));
}
