// The effective landscape of Sec. 3.2, by enumeration and by differences.
#include <Eigen/Cholesky>
#include <cmath>
#include <ness/landscape/effective_landscape.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/linear_model.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/decay.hpp"
#include "support/every_partition.hpp"
#include "support/network.hpp"
#include "support/quadratic.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Sgd = ness::Sgd<ness::WithoutReplacement>;

auto quadratic_objective(Eigen::Index n, Eigen::Index samples) {
  return ness::Objective(QuadraticLosses(n, samples, 3),
                         QuadraticRegularizer{symmetric(n, 4), generic_values<VectorXd>(n, 1, 5)});
}

/// Central differences of f along each axis, one column for each.
template <class F>
MatrixXd differences(const F& f, const VectorXd& theta, double step) {
  MatrixXd result;
  for (Eigen::Index k = 0; k < theta.size(); ++k) {
    const VectorXd axis = step * VectorXd::Unit(theta.size(), k);
    const VectorXd column = (f(theta + axis) - f(theta - axis)) / (2 * step);
    result.conservativeResize(column.size(), k + 1);
    result.col(k) = column;
  }
  return result;
}

}  // namespace

TEST_CASE("−η∇δ𝓛 is the mean of the η² term over all partitions, for generic U, V, X, Y") {
  constexpr double eta = 0.31;
  for (const auto& [samples, m] : std::vector<std::pair<Eigen::Index, Eigen::Index>>{
           {2, 1}, {3, 1}, {4, 1}, {4, 2}, {5, 1}, {6, 1}, {6, 2}, {6, 3}, {7, 1}, {8, 4}, {9, 3}})
    for (Eigen::Index n : {1, 3}) {
      const auto objective = quadratic_objective(n, samples);
      const VectorXd theta = generic_values<VectorXd>(n, 1, 9);
      const ness::EffectiveLandscape landscape(objective, Sgd{eta, {m}});
      const EpochCoefficient enumerated(objective, theta, m);
      INFO("M = " << samples << ", m = " << m << ", N = " << n);
      CHECK(relative_error(landscape.correction_gradient(theta), -eta * enumerated.mean) <= 1e-12);
    }
}

TEST_CASE("𝓛̂, ∇𝓛̂ and ∂∂𝓛̂ are each other's derivatives") {
  const ness::Objective objective(GenericDecay<double, Eigen::Dynamic>{}, ness::L2{0.3});
  const ness::EffectiveLandscape landscape(objective, Sgd{0.01, {30}});
  const VectorXd theta = Eigen::Vector3d(1.3, 0.7, -0.4);
  const auto correction = [&](const VectorXd& at) {
    return Eigen::Matrix<double, 1, 1>(landscape.correction(at));
  };
  const auto value = [&](const VectorXd& at) {
    return Eigen::Matrix<double, 1, 1>(landscape.value(at));
  };
  const auto correction_gradient = [&](const VectorXd& at) {
    return landscape.correction_gradient(at);
  };
  CHECK(relative_error(landscape.correction_gradient(theta).transpose(),
                       differences(correction, theta, 1e-5)) <= 1e-8);
  CHECK(relative_error(landscape.gradient(theta).transpose(), differences(value, theta, 1e-5)) <=
        1e-8);
  CHECK(relative_error(landscape.correction_hessian(theta),
                       differences(correction_gradient, theta, 1e-4)) <= 1e-7);
  CHECK(relative_error(landscape.hessian(theta), 10 * objective.hessian(theta) +
                                                     landscape.correction_hessian(theta)) <= 1e-14);
}

TEST_CASE("the Hessian of δ𝓛 of a linear model in closed form is that by differences") {
  const ness::Objective objective(
      ness::LinearModel<>(generic_values(3, 300, 1), generic_values(2, 300, 2), {0.7}),
      QuadraticRegularizer{symmetric(6, 4), generic_values<VectorXd>(6, 1, 5)});
  const ness::EffectiveLandscape landscape(objective, Sgd{0.01, {30}});
  const VectorXd theta = generic_values<VectorXd>(6, 1, 9);
  CHECK(relative_error(
            landscape.correction_hessian(theta),
            differences([&](const VectorXd& at) { return landscape.correction_gradient(at); },
                        theta, 1)) <= 1e-10);
}

TEST_CASE("θ̂₀ is the minimum of 𝓛̂ to rounding, and not θ₀") {
  const auto& objective = network();
  const auto& minimum = network_minimum();
  const Sgd training{.learning_rate = 1e-7, .minibatch = {10}};
  const auto effective = ness::effective_minimum(objective, minimum, training);
  REQUIRE(effective.status == ness::MinimumStatus::converged);
  CHECK(effective.iterations < 30);
  const ness::EffectiveLandscape landscape(objective, training);
  CHECK(landscape.gradient(effective.theta).norm() == effective.gradient_norm);
  CHECK(effective.gradient_norm <= 64 * effective.gradient_rounding);
  CHECK(effective.gradient_rounding <= 1e-12 * (effective.hessian * effective.theta).norm());
  CHECK(effective.value < landscape.value(minimum.theta));
  const double shift = (effective.theta - minimum.theta).norm();
  CHECK(shift > 1e-6);
  // The first Newton step: −(nH₀)⁻¹∇δ𝓛(θ₀).
  const Eigen::Matrix<double, 7, 1> first =
      -(20 * minimum.hessian).ldlt().solve(landscape.correction_gradient(minimum.theta));
  CHECK(relative_error(effective.theta - minimum.theta, first) <= 0.05);
}

TEST_CASE("one batch has no correction; what does not fit is refused; no minimum is a status") {
  const auto& objective = network();
  const auto& minimum = network_minimum();
  const auto single = ness::effective_minimum(objective, minimum, Sgd{1e-7, {200}});
  CHECK(single.status == ness::MinimumStatus::converged);
  CHECK((single.theta - minimum.theta).norm() <= 1e-12);
  const ness::EffectiveLandscape landscape(objective, Sgd{1e-7, {200}});
  CHECK(landscape.correction(minimum.theta) == 0);
  CHECK(landscape.correction_gradient(minimum.theta).norm() == 0);
  CHECK(landscape.correction_hessian(minimum.theta).norm() == 0);

  CHECK_THROWS_WITH(ness::effective_minimum(objective, minimum, Sgd{1e-7, {7}}),
                    contains("must divide M = 200"));
  CHECK_THROWS_WITH(ness::effective_minimum(objective, minimum, Sgd{0, {10}}),
                    contains("but is 0"));
  // ηn h_max = 60: the first order in η says nothing there.
  const auto far = ness::effective_minimum(objective, minimum, Sgd{1e-4, {10}});
  CHECK(far.status != ness::MinimumStatus::converged);
}

TEST_CASE("a gradient of which rounding leaves stairs is known to be 0 between two of them") {
  const auto status_of = [](double stair, double slope, double rest) {
    const ness::detail::LandscapeFunctions<double> stairs{
        [](const VectorXd& theta) { return theta.squaredNorm() / 2; },
        [=](const VectorXd& theta) -> VectorXd {
          const double rounded = stair * std::round(slope * theta[0] / stair);
          return VectorXd::Constant(1, rounded + rest);
        },
        [=](const VectorXd&) -> MatrixXd { return MatrixXd::Constant(1, 1, slope); }};
    return ness::detail::polish_minimum<double>(stairs, VectorXd::Zero(1),
                                                MatrixXd::Identity(1, 1));
  };
  using ness::MinimumStatus;
  // The Newton step is a part of a stair, and takes nothing from the gradient.
  for (const double part : {0.3, 1e-2, 1e-4, 1e-6})
    CHECK(status_of(1e-16, 1, part * 1e-16).status == MinimumStatus::converged);
  CHECK(status_of(1e-16, 1, 1e-18).direction.size() == 0);
  // Here it overshoots, ever more: no rounding does that.
  const auto none = status_of(1e-16, 2.5, 1e-3);
  CHECK(none.status == MinimumStatus::no_minimum);
  CHECK(std::abs(none.direction.norm() - 1) <= 1e-15);
  CHECK_THAT(none.explanation(), contains("falls for ever along"));
}
