// Two temperatures.
#include <ness/dynamics/euler_maruyama.hpp>
#include <ness/stationary/classify.hpp>
#include <ness/stationary/grid_density.hpp>
#include <ness/stationary/linear_chain.hpp>
#include <ness/stationary/stationary_state.hpp>
#include <ness/systems/force.hpp>
#include <ness/systems/linear.hpp>
#include <ness/trajectory/measure.hpp>

#include "chains.hpp"
#include "study.hpp"

namespace {

/// Adds moments of the Fokker–Planck equation's solution on a grid, in a box of six standard
/// deviations.
void add_grid(System& system, const Gyrator& gyrator, const ness::StationaryState<>& state) {
  const ness::Axis x = axis_of(4 * state.covariance()(0, 0), 96);
  const ness::Axis y = axis_of(4 * state.covariance()(1, 1), 96);
  const auto grid = ness::stationary_density(gyrator, {x, y});
  const double area = x.width() * y.width();
  Eigen::Matrix2d covariance = Eigen::Matrix2d::Zero();
  double circulation = 0;  // C_12 = ½∫(x 𝓙_y − y 𝓙_x)
  for (Eigen::Index i = 0; i < x.bins; ++i)
    for (Eigen::Index j = 0; j < y.bins; ++j) {
      const Eigen::Vector2d at(x.center(i), y.center(j));
      covariance += area * grid.density(i, j) * at * at.transpose();
      circulation += area / 2 * (at[0] * grid.current_y(i, j) - at[1] * grid.current_x(i, j));
    }
  const auto add = [&](const std::string& name, double theory, double found) {
    system.rows.push_back(
        compare_number(name + ", on the grid", theory, Estimate<double>{found, 0}, 0.01));
  };
  add("Sigma_11", state.covariance()(0, 0), covariance(0, 0));
  add("Sigma_12", state.covariance()(0, 1), covariance(0, 1));
  add("C_12", state.circulation()(0, 1), circulation);
}

}  // namespace

std::pair<System, Settling> study_gyrator(const Options& options) {
  constexpr double stiffness = 2, coupling = 1, time_step = 0.005;
  const Gyrator gyrator = ness::brownian_gyrator(stiffness, coupling, options.hot, options.cold);
  const ness::StationaryState state(gyrator);
  const ness::StationaryState steps(
      ness::linear_chain(gyrator, time_step, ness::LyapunovForm::discrete));
  const double relaxation = 1 / (stiffness - coupling);
  System system{.key = "gyrator",
                .title = "Brownian gyrator",
                .laws = "μ = I,  D = diag(T_1, T_2)",
                .x_title = "{/:Italic θ}_1",
                .y_title = "{/:Italic θ}_2",
                .entropy_range = 4,
                .time_step = time_step,
                .relaxation_time = relaxation / time_step,
                .entropy_theory = state.entropy_production() * relaxation,
                .entropy_bias = time_step * (stiffness + coupling)};
  system.classification = ness::classify(gyrator, Eigen::Matrix2Xd(Eigen::Matrix2d::Identity()));
  system.theory = gaussian_map(state.covariance(), state.circulation());
  add_grid(system, gyrator, state);

  const auto first = [](const Eigen::VectorXd& t) { return t[0]; };
  const auto make_chain = [&](int k) {
    return ness::EulerMaruyama(gyrator, time_step, Eigen::Vector2d(0, 0), stream(options, k));
  };
  const auto [density, stationary] = run(
      system, options, burn_in_updates(system.relaxation_time, options.steps), make_chain,
      Eigen::Vector2d(0, 0), ness::ThermodynamicForce<Gyrator>(gyrator),
      [](const Eigen::VectorXd& t) -> Eigen::Vector2d { return t; },
      density_of(first, axis_of(state.covariance()(0, 0), 30), options, system.relaxation_time),
      ness::StationaryEstimator<>(steps, {1, 10, 100},
                                  batch_length(options, system.relaxation_time)));
  system.curves.push_back(make_curve("gyrator_first", "simulation", "θ1", density,
                                     gaussian_bins(density.axis(), steps.covariance()(0, 0))));
  for (auto& row : ness::compare(steps, stationary.result()).rows)
    system.rows.push_back(std::move(row));
  Settling settling = settle_gyrator(gyrator, time_step, system.relaxation_time, options);
  for (auto& row : rows_of(settling)) system.rows.push_back(std::move(row));
  return {std::move(system), std::move(settling)};
}
