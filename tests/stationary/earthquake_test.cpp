// The earthquake model of Sec. 4.5: an equilibrium, on another landscape.
#include <Eigen/LU>
#include <ness/compare.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/model/regression_network.hpp>
#include <ness/stationary/flatness.hpp>
#include <ness/stationary/mean_shift.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/trajectory/measure.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/network.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::LyapunovForm;

auto linear_objective() {
  return ness::Objective(ness::LinearModel<>(generic_values(3, 40, 1), generic_values(1, 40, 2)),
                         ness::L2{0.05});
}

}  // namespace

TEST_CASE("the earthquake model is an equilibrium with β = 2/(ηζ²); SGD by the same code is not") {
  const auto& objective = network();
  const auto& minimum = network_minimum();
  constexpr double eta = 1e-7, zeta = 1e-4;
  const auto state = ness::predict(objective, minimum,
                                   ness::EarthquakeModel{.learning_rate = eta, .noise = {zeta}});
  CHECK(state.is_equilibrium());
  CHECK(state.einstein_relation().holds());
  CHECK(relative_error(state.einstein_relation().beta, 2 / (eta * zeta * zeta)) <= 1e-10);
  CHECK(relative_error(state.diffusion(),
                       eta * eta * zeta * zeta / 2 * minimum.hessian * minimum.hessian) <= 1e-13);
  CHECK(relative_error(state.mobility(), eta * minimum.hessian * minimum.hessian) <= 1e-13);
  CHECK(relative_error(state.covariance(), eta * zeta * zeta / 2 * minimum.hessian) <= 1e-9);
  CHECK(state.circulation().norm() <= 1e-12 * state.diffusion().norm());
  CHECK(state.entropy_production() <= 1e-12);
  // Boltzmann's distribution on a landscape with the Hessian H₀⁻¹ (Eq. 34).
  CHECK(relative_error(state.landscape_hessian() * minimum.hessian, MatrixXd::Identity(7, 7)) <=
        1e-9);
  CHECK(relative_error(state.landscape_hessian() * state.covariance(),
                       MatrixXd::Identity(7, 7) / state.einstein_relation().beta) <= 1e-8);

  const auto sgd =
      ness::predict(objective, minimum,
                    ness::Sgd<ness::WithReplacement>{.learning_rate = eta, .minibatch = {10}});
  CHECK_FALSE(sgd.is_equilibrium());
  CHECK_FALSE(sgd.einstein_relation().holds());
  CHECK(relative_error(sgd.landscape_hessian(), minimum.hessian) <= 1e-14);
}

TEST_CASE("the discrete form has the exact Σ = ηζ²h/(2 − ηh), and simulation agrees, ηh up to 1") {
  const auto objective = linear_objective();
  const auto minimum = ness::minimize(objective, VectorXd::Zero(3));
  const double eta = 1 / minimum.hessian_eigenvalues.maxCoeff();
  constexpr double zeta = 0.3;
  const ness::EarthquakeModel training{.learning_rate = eta, .noise = {zeta}};
  const auto state = ness::predict(objective, minimum, training, {.form = LyapunovForm::discrete});
  const MatrixXd exact = (eta * zeta * zeta * minimum.hessian) *
                         (2 * MatrixXd::Identity(3, 3) - eta * minimum.hessian).inverse();
  CHECK(relative_error(state.covariance(), exact) <= 1e-12);

  const auto measured = ness::measure(objective, training, state,
                                      {.run = {.steps = 50'000, .burn_in = 500, .chains = 8}});
  CHECK(measured.covariance.standard_error.norm() <= 0.02 * exact.norm());
  CHECK((measured.covariance.value - exact).norm() <=
        3 * measured.covariance.standard_error.norm());
  CHECK((measured.mean.value - minimum.theta).norm() <= 3 * measured.mean.standard_error.norm());
  CHECK(measured.circulation.value.norm() <= 3 * measured.circulation.standard_error.norm());
}

TEST_CASE("the earthquake on the regression network: simulation agrees with prediction") {
  // A larger ζ than the paper's, for which the shift of the mean can be seen.
  const ness::EarthquakeModel training{.learning_rate = 4e-6, .noise = {3e-3}};
  const auto& objective = network();
  const auto state = ness::predict(objective, network_minimum(), training,
                                   {.form = LyapunovForm::discrete, .mean_shift = true});
  const auto measured = ness::measure(objective, training, state,
                                      {.run = {.steps = 30'000, .burn_in = 20'000, .chains = 8}});
  const VectorXd shift = state.mean() - state.chain().mean;
  CHECK(shift.norm() > 5 * measured.mean.standard_error.norm());
  CHECK(ness::compare(state, measured).agrees());
}

TEST_CASE("the variance is larger where the loss is less flat, for all three ways of training") {
  const auto& objective = network();
  const auto relation = [&](const auto& training) {
    return ness::variance_flatness(objective,
                                   ness::predict(objective, network_minimum(), training));
  };
  for (const auto& found :
       {relation(ness::Sgd<ness::WithReplacement>{1e-7, {10}}),
        relation(ness::Sgd<ness::WithoutReplacement>{1e-7, {10}}),
        relation(ness::EarthquakeModel{.learning_rate = 1e-7, .noise = {1e-4}})}) {
    CHECK(found.variance[6] > 20 * found.variance[0]);
    CHECK(found.flatness[6] < found.flatness[0] / 3);
  }
}

TEST_CASE("bad input of the earthquake model is refused with its value") {
  const auto& objective = network();
  const auto with = [&](double eta, double zeta) {
    return ness::diffusion(objective, network_minimum().theta,
                           ness::EarthquakeModel{.learning_rate = eta, .noise = {zeta}});
  };
  CHECK_THROWS_WITH(with(1e-7, 0), contains("noise.zeta must be positive") && contains("is 0"));
  CHECK_THROWS_WITH(with(1e-7, -1), contains("but is -1"));
  CHECK_THROWS_WITH(with(0, 1e-4), contains("learning_rate must be positive"));
  CHECK_THROWS_WITH(
      ness::Chain(objective, ness::EarthquakeModel{.learning_rate = 1e-7}, network_minimum().theta),
      contains("noise.zeta"));
}
