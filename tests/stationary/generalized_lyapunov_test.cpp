#include "ness/stationary/generalized_lyapunov.hpp"

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <cmath>
#include <vector>

#include "ness/diffusion/curvature.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/minibatch/full_batch.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/matrices.hpp"
#include "support/quadratic.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Wr = ness::Sgd<ness::WithReplacement>;
using Wor = ness::Sgd<ness::WithoutReplacement>;

// ½ Σ_k [D(θ + s_k) + D(θ − s_k) − 2D(θ)] for the columns s_k of a Cholesky factor of S.
template <class Objective, class Training>
MatrixXd by_definition(const Objective& objective, const VectorXd& theta, const Training& training,
                       const MatrixXd& spread) {
  const MatrixXd root = spread.llt().matrixL();
  const MatrixXd centre = ness::diffusion(objective, theta, training);
  MatrixXd sum = MatrixXd::Zero(theta.size(), theta.size());
  for (Eigen::Index k = 0; k < theta.size(); ++k) {
    const VectorXd above = theta + root.col(k);
    const VectorXd below = theta - root.col(k);
    sum += (ness::diffusion(objective, above, training) +
            ness::diffusion(objective, below, training)) /
               2 -
           centre;
  }
  return sum;
}

// M linear regressions with K outputs.
ness::Objective<ness::LinearModel<>, ness::L2> linear(Eigen::Index features, Eigen::Index outputs,
                                                      Eigen::Index samples) {
  return ness::Objective(ness::LinearModel<>(generic_values(features, samples, 31),
                                             generic_values(outputs, samples, 32)),
                         ness::L2{0.2});
}

}  // namespace

TEST_CASE("Π(S) is the second-order change of D, whatever vectors S is made of") {
  const MatrixXd spread = positive_definite(4, 3, 0.5, 2);
  const VectorXd theta = generic_values(4, 1, 8);
  SECTION("with replacement, structured: in closed form") {
    const auto objective = linear(2, 2, 30);
    const Wr training{0.1, {5}};
    const ness::DiffusionCurvature curvature(objective, theta, training, spread);
    CHECK(relative_error(curvature(spread), by_definition(objective, theta, training, spread)) <=
          1e-12);
  }
  SECTION("with replacement, any quadratic losses: by differences") {
    const ness::Objective objective(QuadraticLosses(4, 9, 5));
    const Wr training{0.1, {2}};
    const MatrixXd reference = positive_definite(4, 7, 0.1, 3);
    const ness::DiffusionCurvature curvature(objective, theta, training, reference);
    CHECK(relative_error(curvature(spread), by_definition(objective, theta, training, spread)) <=
          1e-12);
  }
  SECTION("of an epoch without replacement") {
    const ness::Objective objective(QuadraticLosses(4, 8, 5),
                                    QuadraticRegularizer{symmetric(4, 6), VectorXd::Ones(4)});
    const Wor training{0.1, {2}};
    const MatrixXd reference = positive_definite(4, 7, 0.1, 3);
    const ness::DiffusionCurvature curvature(objective, theta, training, reference);
    CHECK(relative_error(curvature(spread), by_definition(objective, theta, training, spread)) <=
          1e-11);
  }
  SECTION("none of all samples at once") {
    const auto objective = linear(2, 2, 30);
    const ness::DiffusionCurvature curvature(
        objective, theta, ness::Sgd<ness::FullBatch>{.learning_rate = 0.1}, spread);
    CHECK(curvature(spread).norm() == 0);
  }
}

TEST_CASE("Π is linear, also in matrices that are no covariance") {
  const ness::Objective objective(QuadraticLosses(3, 8, 5));
  const VectorXd theta = generic_values(3, 1, 8);
  const MatrixXd reference = positive_definite(3, 7, 0.1, 3);
  const MatrixXd a = symmetric(3, 21);
  const MatrixXd b = symmetric(3, 22);
  const ness::DiffusionCurvature curvature(objective, theta, Wor{0.1, {2}}, reference);
  CHECK(relative_error(curvature(2 * a - 3 * b), 2 * curvature(a) - 3 * curvature(b)) <= 1e-11);
}

TEST_CASE("The solution satisfies Eq. 44; directly and by iteration it is the same") {
  const auto form = GENERATE(ness::LyapunovForm::continuous, ness::LyapunovForm::discrete);
  const auto objective = linear(5, 2, 60);
  const auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(10)));
  const Wr training{0.06, {4}};
  const MatrixXd d = ness::diffusion(objective, minimum.theta, training);
  const ness::DiffusionCurvature curvature(objective, minimum.theta, training,
                                           MatrixXd(MatrixXd::Identity(10, 10)));
  const auto solve = [&](Eigen::Index direct_up_to) {
    return ness::solve_generalized_lyapunov(minimum.hessian, d, training.learning_rate, curvature,
                                            {.form = form, .direct_up_to = direct_up_to});
  };
  const auto direct = solve(20);
  const auto iterated = solve(0);
  REQUIRE(direct.status == ness::LyapunovStatus::solved);
  REQUIRE(iterated.status == ness::LyapunovStatus::solved);
  CHECK(direct.residual <= 1e-13);
  CHECK(iterated.residual <= 1e-13);
  CHECK(relative_error(direct.covariance, iterated.covariance) <= 1e-12);

  const MatrixXd& h = minimum.hessian;
  const MatrixXd& s = direct.covariance;
  MatrixXd left = h * s + s * h;
  if (form == ness::LyapunovForm::discrete) left -= training.learning_rate * h * s * h;
  const MatrixXd right = 2 / training.learning_rate *
                         (d + by_definition(objective, minimum.theta, training, s + 0 * h));
  CHECK(relative_error(left, right) <= 1e-12);
  // The second term matters here.
  const auto plain = ness::solve_lyapunov(h, d, training.learning_rate, form);
  CHECK(relative_error(plain.covariance, s) > 0.05);
}

TEST_CASE("The discrete form is the exact second moment of SGD on quadratic losses, enumerated") {
  const ness::Objective objective(QuadraticLosses(2, 5, 5), ness::L2{6});
  const auto minimum = ness::minimize(objective, VectorXd(VectorXd::Zero(2)));
  REQUIRE(minimum.status == ness::MinimumStatus::converged);
  const double eta = 0.01;
  const Wr training{eta, {2}};
  // ⟨A⊗A⟩ and ⟨bbᵀ⟩ over all ten batches.
  ness::Derivatives<QuadraticLosses> derivatives(objective.model());
  MatrixXd g(2, 5), h(4, 5);
  derivatives.sample_gradients(minimum.theta, 0, g);
  derivatives.sample_hessians(minimum.theta, 0, h);
  const VectorXd x = objective.regularizer_gradient(minimum.theta);
  const MatrixXd y = objective.regularizer_hessian(minimum.theta);
  MatrixXd pairs = MatrixXd::Zero(4, 4);
  MatrixXd source = MatrixXd::Zero(2, 2);
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < i; ++j) {
      const MatrixXd a =
          MatrixXd::Identity(2, 2) - eta * ((h.col(i) + h.col(j)).reshaped(2, 2) / 2 + y);
      const VectorXd b = -eta * ((g.col(i) + g.col(j)) / 2 + x);
      for (int r = 0; r < 2; ++r)
        for (int c = 0; c < 2; ++c) pairs.block(2 * r, 2 * c, 2, 2) += a(r, c) * a / 10;
      source += b * b.transpose() / 10;
    }
  const VectorXd exact = (MatrixXd::Identity(4, 4) - pairs).lu().solve(source.reshaped());

  const ness::DiffusionCurvature curvature(objective, minimum.theta, training,
                                           MatrixXd(MatrixXd::Identity(2, 2)));
  const auto solution = ness::solve_generalized_lyapunov(
      minimum.hessian, ness::diffusion(objective, minimum.theta, training), eta, curvature,
      {.form = ness::LyapunovForm::discrete});
  REQUIRE(solution.status == ness::LyapunovStatus::solved);
  CHECK(relative_error(solution.covariance, exact.reshaped(2, 2)) <= 1e-12);
}

TEST_CASE(
    "Where the noise outgrows the drift there is no stationary state, and the status says so") {
  // One parameter, D = d (1 + c δ²): Σ = d/(ηh − dc) until dc = ηh.
  using One = Eigen::Matrix<double, 1, 1>;
  const double h = 2;
  const double eta = 0.1;
  const double d = 0.3;
  for (const Eigen::Index direct_up_to : {0, 12}) {
    const auto solve = [&](double c) {
      const auto curvature = [&](const One& s) { return One(d * c * s); };
      return ness::solve_generalized_lyapunov(One(h), One(d), eta, curvature,
                                              {.direct_up_to = direct_up_to});
    };
    const double critical = eta * h / d;
    const auto below = solve(0.9 * critical);
    REQUIRE(below.status == ness::LyapunovStatus::solved);
    CHECK(relative_error(below.covariance(0, 0), d / (eta * h * 0.1)) <= 1e-12);
    const auto above = solve(1.1 * critical);
    CHECK(above.status == ness::LyapunovStatus::no_stationary_state);
    CHECK(std::isnan(above.covariance(0, 0)));
    CHECK(to_string(above.status) == "no stationary state");
  }
  const auto slow = ness::solve_generalized_lyapunov(
      One(h), One(d), eta, [&](const One& s) { return One(0.99 * eta * h * s); },
      {.direct_up_to = 0, .max_iterations = 10});
  CHECK(slow.status == ness::LyapunovStatus::not_converged);
}

TEST_CASE("Other outcomes and bad input are those of the plain equation") {
  using One = Eigen::Matrix<double, 1, 1>;
  const auto none = [](const One& s) { return One(0 * s); };
  CHECK(ness::solve_generalized_lyapunov(One(-1), One(1), 0.1, none).status ==
        ness::LyapunovStatus::indefinite_hessian);
  CHECK(ness::solve_generalized_lyapunov(One(30), One(1), 0.1, none).status ==
        ness::LyapunovStatus::unstable_learning_rate);
  CHECK_THROWS_WITH(ness::solve_generalized_lyapunov(One(1), One(1), 0, none),
                    contains("solve_generalized_lyapunov: learning_rate must be positive"));
  CHECK_THROWS_WITH(
      ness::solve_generalized_lyapunov(One(1), One(1), 0.1, none, {.direct_up_to = -1}),
      contains("direct_up_to must not be negative, but is -1"));
  const auto objective = linear(2, 1, 10);
  CHECK_THROWS_WITH(ness::DiffusionCurvature(objective, VectorXd(VectorXd::Zero(2)), Wor{0.1, {2}},
                                             MatrixXd(MatrixXd::Zero(2, 2))),
                    contains("eigenvalues of reference must be positive"));
}
