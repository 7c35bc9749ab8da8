// The preconditioner of a wanted covariance: against chains of a known one, closed forms, and
// training with it.
#include "ness/stationary/preconditioner.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "ness/landscape/preconditioned.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/trajectory/measure.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr Eigen::Index n = 5;

struct Problem {
  MatrixXd hessian = positive_definite(n, 3, 0.05, 1.2);
  MatrixXd gradients = positive_definite(n, 8, 0.1, 3);
};

/// Σ of θ' = θ − Λ(Hθ + ξ) by doubling.
MatrixXd covariance_with(const MatrixXd& lambda, const Problem& of) {
  MatrixXd power = MatrixXd::Identity(n, n) - lambda * of.hessian;
  MatrixXd sigma = lambda * of.gradients * lambda;
  for (int k = 0; k < 40; ++k) {
    sigma = (sigma + power * sigma * power.transpose()).eval();
    power = (power * power).eval();
  }
  return sigma;
}

double residual(const MatrixXd& lambda, const MatrixXd& wanted, const Problem& of) {
  const MatrixXd step = MatrixXd::Identity(n, n) - lambda * of.hessian;
  return (step * wanted * step.transpose() + lambda * of.gradients * lambda - wanted).norm() /
         wanted.norm();
}

}  // namespace

TEST_CASE("The covariance of a known preconditioner gives it back") {
  const Problem problem;
  for (const double largest : {0.02, 0.3, 1.5}) {
    INFO("eigenvalues of Λ up to " << largest);
    const MatrixXd lambda = positive_definite(n, 21, largest / 50, largest);
    const MatrixXd sigma = covariance_with(lambda, problem);
    const auto found = ness::preconditioner_for(sigma, problem.hessian, problem.gradients);
    CHECK(relative_error(found.matrix, lambda) <= 1e-11);
    CHECK(relative_error(found.root * found.root.transpose(), lambda) <= 1e-11);
    CHECK(found.residual <= 1e-13);
  }
}

TEST_CASE("Any covariance is made stationary, in any units") {
  const Problem problem;
  for (const std::uint64_t seed : {31, 32, 33})
    for (const double size : {1e-3, 1.0, 1e3}) {
      INFO("seed " << seed << ", size " << size);
      const MatrixXd wanted = size * positive_definite(n, seed, 0.01, 1);
      const auto found = ness::preconditioner_for(wanted, problem.hessian, problem.gradients);
      CHECK(residual(found.matrix, wanted, problem) <= 1e-12);
      CHECK(found.residual <= 1e-13);
      CHECK(relative_error(covariance_with(found.matrix, problem), wanted) <= 1e-10);
      // Stable, with Λ⁻¹ − ½H > 0.
      const MatrixXd step = MatrixXd::Identity(n, n) - found.matrix * problem.hessian;
      CHECK(step.eigenvalues().cwiseAbs().maxCoeff() < 1);
      const MatrixXd rest = found.matrix.inverse() - problem.hessian / 2;
      CHECK(rest.selfadjointView<Eigen::Lower>().eigenvalues().minCoeff() > 0);
      // Σ of the chain by Schur's form.
      ness::LinearChain<double> chain;
      chain.mean = VectorXd::Zero(n);
      chain.relaxation = found.matrix * problem.hessian;
      chain.diffusion = found.matrix * problem.gradients * found.matrix / 2;
      chain.mobility = found.matrix;
      chain.form = ness::LyapunovForm::discrete;
      chain.solve = &ness::detail::covariance_of_any_chain<double>;
      CHECK(relative_error(ness::StationaryState<double>(chain).covariance(), wanted) <= 1e-10);
      // Parameters in units of u.
      const VectorXd u = (VectorXd::LinSpaced(n, -9, 9) * std::log(2)).array().exp();
      const auto scaled = [](const MatrixXd& matrix, const VectorXd& by) -> MatrixXd {
        return by.asDiagonal() * matrix * by.asDiagonal();
      };
      const auto other =
          ness::preconditioner_for(scaled(wanted, u), scaled(problem.hessian, u.cwiseInverse()),
                                   scaled(problem.gradients, u.cwiseInverse()));
      CHECK(relative_error(scaled(other.matrix, u.cwiseInverse()), found.matrix) <= 1e-11);
      CHECK(other.residual <= 1e-12);
    }
}

TEST_CASE("The preconditioners of the posterior and of the sandwich are known") {
  const Problem problem;
  const MatrixXd inverse = problem.hessian.inverse();
  const auto posterior = ness::preconditioner_for(inverse, problem.hessian, problem.gradients);
  CHECK(relative_error(posterior.matrix, 2 * (problem.hessian + problem.gradients).inverse()) <=
        1e-12);
  const MatrixXd sandwich = inverse * problem.gradients * inverse;
  const auto newton = ness::preconditioner_for(sandwich, problem.hessian, problem.gradients);
  CHECK(relative_error(newton.matrix, inverse) <= 1e-12);
  // The same in single precision.
  const Eigen::MatrixXf s = sandwich.cast<float>(), h = problem.hessian.cast<float>(),
                        c = problem.gradients.cast<float>();
  CHECK(relative_error(ness::preconditioner_for(s, h, c).matrix, inverse) <= 1e-4);
}

TEST_CASE("A covariance that no preconditioner makes is refused by a sentence") {
  const MatrixXd one = MatrixXd::Identity(2, 2);
  MatrixXd bad = one;
  bad(1, 1) = -0.5;
  MatrixXd half = one;
  half(1, 1) = 0;
  const auto refused = [&](const MatrixXd& wanted, const MatrixXd& hessian,
                           const MatrixXd& gradients, const auto& message) {
    CHECK_THROWS_WITH(ness::preconditioner_for(wanted, hessian, gradients), message);
  };
  refused(bad, one, one, contains("wanted must be positive semidefinite") && contains("is -0.5"));
  refused(MatrixXd::Ones(2, 2), one, one,
          contains("wanted must be positive definite, but its smallest eigenvalue"));
  refused(one, bad, one,
          contains("every eigenvalue of hessian * wanted must be positive; the smallest, but is "
                   "-0.5"));
  refused(one, one, bad, contains("gradients must be positive semidefinite") && contains("-0.5"));
  // Λ⁻¹ = ½H: the spectral radius is 1.
  refused(one, one, half,
          contains("the noise of the gradients must reach all directions") &&
              contains("the spectral radius of a step is 1 and not below 1"));
  refused(one, one, MatrixXd::Zero(2, 2), contains("must reach all directions"));
  refused(one, MatrixXd::Identity(3, 3), one, contains("hessian must be 2 x 2, but is 3 x 3"));
  refused(MatrixXd(), one, one, contains("wanted must not be empty"));
  // Of rank one, but H takes it to the other direction.
  const MatrixXd coupled = positive_definite(2, 4, 0.3, 1);
  CHECK(ness::preconditioner_for(one, coupled, half).residual <= 1e-13);
}

namespace {

const auto& objective() {
  static const ness::Objective linear(
      ness::LinearModel<>(generic_values(3, 200, 51), generic_values(1, 200, 52)), ness::L2{0.2});
  return linear;
}
const auto& minimum() {
  static const auto found = ness::minimize(objective(), VectorXd::Zero(3).eval());
  return found;
}

const MatrixXd wanted = positive_definite(3, 61, 0.01, 0.04);
const ness::Sgd<ness::WithReplacement> batches{.learning_rate = 0.3, .minibatch = {5}};

/// The covariance of batch gradients, on average over points spread as `wanted`: for a quadratic
/// loss that of 2N points is exact.
MatrixXd gradients_of_spread() {
  const MatrixXd root = Eigen::LLT<MatrixXd>(wanted).matrixL();
  MatrixXd sum = MatrixXd::Zero(3, 3);
  for (int k = 0; k < 3; ++k)
    for (const double sign : {1.0, -1.0})
      sum += ness::update_diffusion(objective(),
                                    minimum().theta + sign * std::sqrt(3.0) * root.col(k), batches);
  return sum / 6 * 2 / (0.3 * 0.3);
}

}  // namespace

TEST_CASE("Of a training the preconditioner takes the noise of the points where it will be") {
  const auto found = ness::preconditioner_for(objective(), minimum(), batches, wanted);
  const MatrixXd gradients = gradients_of_spread();
  const auto expected = ness::preconditioner_for(wanted, minimum().hessian, gradients);
  CHECK(relative_error(found.matrix, expected.matrix) <= 1e-11);
  auto other = batches;
  other.learning_rate = 1e-4;
  CHECK(relative_error(ness::preconditioner_for(objective(), minimum(), other, wanted).matrix,
                       found.matrix) <= 1e-11);
}

TEST_CASE("Trained with its preconditioner a linear model has the wanted covariance") {
  const auto scale = ness::preconditioner_for(objective(), minimum(), batches, wanted);
  const auto round = ness::in_coordinates(objective(), minimum().theta, scale.root);
  auto training = batches;
  training.learning_rate = 1;
  const auto origin = ness::minimize(round, VectorXd::Zero(3).eval());
  const auto state = ness::predict(round, origin, training, {.form = ness::LyapunovForm::discrete});
  const auto measured = ness::measure(
      round, training, state,
      {.run = {.steps = 200'000, .burn_in = 2'000, .chains = 8, .seed = 3}, .lengths = {}});
  const MatrixXd inverse = scale.root.inverse();
  const MatrixXd expected = inverse * wanted * inverse.transpose();
  const MatrixXd deviation = measured.covariance.value - expected;
  CHECK((deviation.cwiseQuotient(measured.covariance.standard_error)).cwiseAbs().maxCoeff() <= 3);
  CHECK(measured.covariance.standard_error.norm() <= 3e-3 * expected.norm());
  // Constant noise would not do.
  CHECK((state.covariance() - expected).norm() > 0.02 * expected.norm());
}
