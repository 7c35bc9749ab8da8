#include "ness/posterior/likelihood_scale.hpp"

#include <cmath>

#include "ness/landscape/preconditioned.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/model/softmax_regression.hpp"
#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"
#include "ness/random/uniform.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr Index samples = 4000;

/// y = x_1 − x_2 and noise of variance 0.09, with losses of so large a scale.
ness::LinearModel<> regression(double scale) {
  const MatrixXd x = generic_values(2, samples, 1);
  ness::Philox random(2);
  ness::Normal normal;
  MatrixXd noise(1, samples);
  normal.fill(random, noise);
  return ness::LinearModel<>(x, MatrixXd(x.row(0) - x.row(1) + 0.3 * noise), {scale});
}

template <class M>
double scale_of(const M& model, double lambda) {
  const ness::Objective objective(model, ness::L2{lambda});
  const VectorXd start = VectorXd::Zero(model.parameters());
  return ness::likelihood_scale(objective, ness::minimize(objective, start));
}

}  // namespace

TEST_CASE("the scale of squared losses is the variance of residuals over that of the likelihood") {
  // −M log p of a normal y is M r²/(2σ²).
  const double scale = samples / (2 * 0.09);
  const double of_likelihood = scale_of(regression(scale), 0.5);
  CHECK(std::abs(of_likelihood - 1) <= 4 * std::sqrt(2.0 / samples));
  // Linear in the losses where the prior is as well.
  CHECK(relative_error(scale_of(regression(scale / samples), 0.5 / samples),
                       of_likelihood / samples) <= 1e-9);
  CHECK(relative_error(scale_of(regression(scale / 4), 0.5 / 4), of_likelihood / 4) <= 1e-9);
}

TEST_CASE("the scale in one dimension, by hand") {
  const MatrixXd x = generic_values(1, 5, 3), y = generic_values(1, 5, 4);
  const ness::Objective objective(ness::LinearModel<>(x, y, {7}), ness::L2{0.8});
  const auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(1)));
  const VectorXd r = (minimum.theta[0] * x - y).transpose();
  const VectorXd gradients = 2 * 7 * r.cwiseProduct(x.row(0).transpose());
  const double expected = gradients.squaredNorm() / 5 / (5 * 2 * 7 * x.squaredNorm() / 5);
  CHECK(relative_error(ness::likelihood_scale(objective, minimum), expected) <= 1e-12);
}

TEST_CASE("the scale of labels that are drawn as the model says is 1, in any units") {
  const MatrixXd x = generic_values(2, samples, 5);
  const MatrixXd weights = generic_values(3, 2, 6);
  MatrixXd labels = MatrixXd::Zero(3, samples);
  ness::Philox random(7);
  for (Index i = 0; i < samples; ++i) {
    const VectorXd p = (weights * x.col(i)).array().exp();
    double left = ness::uniform_real(random) * p.sum();
    Index k = 0;
    while (k < 2 && (left -= p[k]) > 0) ++k;
    labels(k, i) = 1;
  }
  const ness::Objective objective(ness::SoftmaxRegression<>(x, labels, {samples}), ness::L2{0.5});
  const auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(6)));
  const double found = ness::likelihood_scale(objective, minimum);
  CHECK(std::abs(found - 1) <= 4 * std::sqrt(2.0 / samples));
  const auto round = ness::precondition(objective, minimum.theta, minimum.hessian);
  const auto there = ness::minimize(round, VectorXd(VectorXd::Zero(6)));
  CHECK(relative_error(ness::likelihood_scale(round, there), found) <= 1e-6);
}

TEST_CASE("without a minimum there is no scale") {
  const ness::Objective objective(regression(1), ness::L2{0.5});
  auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(2)));
  minimum.hessian *= -1;
  CHECK_THROWS_WITH(ness::likelihood_scale(objective, minimum), contains("positive definite"));
}
