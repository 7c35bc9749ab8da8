// SGD.
#include <cmath>
#include <ness/dynamics/chain.hpp>
#include <ness/fluctuation/predict_fluctuations.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/posterior/gaussian_posterior.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/systems/force.hpp>
#include <ness/trajectory/measure.hpp>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../common/user_error.hpp"
#include "chains.hpp"
#include "study.hpp"
#include "trainings.hpp"

namespace {

/// Two parameters, the pair that circulates most for its spread, in a power of ten in which their
/// deviations are neither large nor small.
struct ShownPair {
  Eigen::Index a = 0, b = 1;
  double power = 0;

  explicit ShownPair(const ness::StationaryState<>& state) {
    double most = 0;
    for (Eigen::Index j = 0; j < state.mean().size(); ++j)
      for (Eigen::Index i = 0; i < j; ++i) {
        const double turns = std::abs(state.circulation()(i, j)) /
                             std::sqrt(state.covariance()(i, i) * state.covariance()(j, j));
        if (turns > most) std::tie(most, a, b) = std::tuple(turns, i, j);
      }
    power = std::floor(std::log10(std::sqrt(state.covariance()(a, a))));
  }

  double unit() const { return std::pow(10, power); }
  Eigen::Matrix2d block(const Eigen::MatrixXd& matrix) const {
    const std::vector<Eigen::Index> pair{a, b};
    return matrix(pair, pair) / (unit() * unit());
  }
  static std::string number(Eigen::Index k) { return std::to_string(k + 1); }
  std::string in_units() const {
    std::ostringstream text;
    text << " / 10^{" << power << "}";
    return text.str();
  }
};

}  // namespace

std::pair<System, Trainings> study_sgd(const Options& options) {
  const Objective objective(make_network(options), ness::L2{options.lambda});
  check_batch(options, objective.samples(), true);
  const ness::Minimum<double> minimum = find_minimum(objective);
  require_option(options.eta * minimum.hessian_eigenvalues.maxCoeff() < 2, "--eta",
                 "be below 2 / h_max for a stationary state", options.eta, "lower it");
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = options.eta,
                                                  .minibatch = {options.batch}};
  const ness::StationaryState<> state =
      ness::predict(objective, minimum, training, {.mean_shift = true});
  const ness::LinearSystem<Eigen::MatrixXd> linear = state.linear_system();
  Trainings trainings = classify_trainings(options, objective, minimum, state.covariance());
  const ShownPair pair(state);
  const double relaxation = 1 / (options.eta * minimum.hessian_eigenvalues.minCoeff());
  System system{.key = "sgd",
                .title = "SGD",
                .laws = "μ = ηI,  D(θ) of minibatches",
                .x_title = "{/:Italic δθ}_" + pair.number(pair.a) + pair.in_units(),
                .y_title = "{/:Italic δθ}_" + pair.number(pair.b) + pair.in_units(),
                .entropy_range = 15,
                .relaxation_time = relaxation,
                .entropy_theory = state.entropy_production() * relaxation,
                .entropy_bias = state.decay_rates().maxCoeff(),
                .classification = trainings.kinds.front().second};
  system.theory = gaussian_map(pair.block(state.covariance()), pair.block(state.circulation()));

  const Eigen::VectorXd center = state.mean();
  const double variance = pair.block(state.covariance())(0, 0);
  // ∫⟨δθ_a(t) δθ_a(0)⟩dt / Σ_aa of the linear system.
  const Eigen::MatrixXd times =
      ness::gaussian_posterior(minimum).covariance * state.covariance() / options.eta;
  const double own_time = times(pair.a, pair.a) / state.covariance()(pair.a, pair.a);
  const auto plane = [=, unit = pair.unit()](const Eigen::VectorXd& t) {
    return Eigen::Vector2d((t[pair.a] - center[pair.a]) / unit,
                           (t[pair.b] - center[pair.b]) / unit);
  };
  const auto first = [=, unit = pair.unit()](const Eigen::VectorXd& t) {
    return (t[pair.a] - center[pair.a]) / unit;
  };
  const auto make_chain = [&](int k) {
    return ness::Chain(objective, training, center, stream(options, k));
  };
  const auto [density, stationary] =
      run(system, options, burn_in_updates(relaxation, options.steps), make_chain, center,
          ness::ThermodynamicForce<ness::LinearSystem<Eigen::MatrixXd>>(linear), plane,
          density_of(first, axis_of(variance, 30), options, own_time),
          ness::StationaryEstimator<>(state, {1, 2, 3}, batch_length(options, relaxation)));
  system.curves.push_back(make_curve("sgd_first", "simulation",
                                     "δθ" + pair.number(pair.a) + pair.in_units(), density,
                                     gaussian_bins(density.axis(), variance)));
  const auto fluctuations = ness::predict_fluctuations(
      objective, training, state,
      {.starts = 20'000, .exact_starts = 2000, .threads = static_cast<int>(options.threads)});
  for (auto& row : ness::compare(state, stationary.result(), fluctuations).rows)
    system.rows.push_back(std::move(row));
  return {system, trainings};
}
