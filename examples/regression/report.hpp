// The results: a table for people and JSON for machines.
#pragma once

#include <ostream>

#include "../common/json.hpp"
#include "study.hpp"

/// ‖Σ − Σ_theory‖ / ‖Σ_theory‖
inline double relative_error(const Matrix& value, const Matrix& theory) {
  return (value - theory).norm() / theory.norm();
}

inline void print_theory(std::ostream& out, const Results& results) {
  const auto& [minimum, predicted, mean_shift, measured, density, burn_in] = results;
  const Eigen::IOFormat row(5, Eigen::DontAlignCols, " ", " ");
  const auto einstein = predicted.einstein_relation();
  out << "minimum theta_0          " << minimum.theta.transpose().format(row) << '\n'
      << "loss at the minimum      " << minimum.value << "  (|gradient| " << minimum.gradient_norm
      << ", of terms that sum to " << minimum.gradient_scale << ")\n"
      << "Hessian eigenvalues      " << minimum.hessian_eigenvalues.transpose().format(row) << '\n'
      << "eta h_max                "
      << predicted.learning_rate * predicted.hessian_eigenvalues.maxCoeff()
      << "  (what the theory leaves out is of this relative order)\n"
      << "Einstein relation        mu = beta D " << (einstein.holds() ? "holds" : "does not hold")
      << ": beta = " << einstein.beta << " leaves " << 100 * einstein.residual << " % of mu\n"
      << "stationary state         "
      << (predicted.is_equilibrium() ? "equilibrium" : "out of equilibrium")
      << " (|C| / |D| = " << predicted.nonequilibrium_ratio() << ", rank of D " << predicted.rank
      << ")\n";
}

inline void print_simulation(std::ostream& out, const Options& options, const Results& results) {
  const Measured& measured = results.measured;
  const Eigen::IOFormat row(5, Eigen::DontAlignCols, " ", " ");
  out << "Markov steps             " << measured.markov_steps << " in " << options.chains
      << " chains, each after " << results.burn_in << " of burn-in; "
      << measured.seconds_per_step * 1e9 << " ns a step\n"
      << "autocorrelation times    " << measured.autocorrelation_time.transpose().format(row)
      << "  (batches of " << measured.batch_length << ")\n";
}

/// Batches must be long beside the slowest relaxation, or else their scatter says too little.
inline void warn_of_short_run(std::ostream& out, const Results& results) {
  const Predicted& predicted = results.predicted;
  const double relaxation = 1 / (predicted.learning_rate * predicted.hessian_eigenvalues[0]);
  if (static_cast<double>(results.measured.batch_length) >= 2 * relaxation) return;
  out << "The run is short beside the slowest relaxation, 1 / (eta h_min) = " << relaxation
      << " steps:\nthe standard errors are too small, and a FAIL may come of that. Raise "
         "--steps.\n\n";
}

inline void print(std::ostream& out, const Objective& objective, const Options& options,
                  const Results& results) {
  const auto& [minimum, predicted, mean_shift, measured, density, burn_in] = results;
  const Predicted discrete(predicted.mean, predicted.hessian, predicted.diffusion, options.eta,
                           {.form = ness::LyapunovForm::discrete});
  out << "regression network, N = " << objective.parameters() << ", M = " << objective.samples()
      << ", sampling " << options.sampling << ", m = " << options.batch << ", eta = " << options.eta
      << ", lambda = " << options.lambda << "\n\n";
  print_theory(out, results);
  print_simulation(out, options, results);
  out << '\n' << ness::compare(predicted, measured, mean_shift) << '\n';
  warn_of_short_run(out, results);
  if (!(predicted.covariance.norm() > 0)) return;
  out << "covariance, relative error of the simulation: "
      << 100 * relative_error(measured.covariance.value, predicted.covariance)
      << " %, expected by chance "
      << 100 * measured.covariance.standard_error.norm() / predicted.covariance.norm() << " %\n"
      << "covariance, discrete form against continuous: "
      << 100 * relative_error(discrete.covariance, predicted.covariance) << " %\n";
}

inline nlohmann::json to_json(const Options& options, const Results& results) {
  const auto& [minimum, predicted, mean_shift, measured, density, burn_in] = results;
  const auto estimate = [](const auto& value) {
    return nlohmann::json{{"simulation", to_json_array(value.value)},
                          {"standard_error", to_json_array(value.standard_error)}};
  };
  nlohmann::json json;
  json["sampling"] = options.sampling;
  json["minimum"] = to_json_array(minimum.theta);
  json["loss_at_minimum"] = minimum.value;
  json["hessian_eigenvalues"] = to_json_array(minimum.hessian_eigenvalues);
  json["chains"] = options.chains;
  json["markov_steps"] = measured.markov_steps / options.chains;
  json["markov_steps_total"] = measured.markov_steps;
  json["seconds_per_step"] = measured.seconds_per_step;
  json["autocorrelation_time"] = to_json_array(measured.autocorrelation_time);
  json["mean"] = estimate(measured.mean);
  json["mean"]["theory"] = to_json_array(predicted.mean + mean_shift);
  json["diffusion"]["theory"] = to_json_array(predicted.diffusion);
  json["covariance"] = estimate(measured.covariance);
  json["covariance"]["theory"] = to_json_array(predicted.covariance);
  json["circulation"] = estimate(measured.circulation);
  json["circulation"]["theory"] = to_json_array(predicted.circulation);
  auto& entropy = json["entropy_production"];
  auto& integral = json["integral_fluctuation"];
  entropy["theory"] = predicted.entropy_production;
  for (const auto& part : measured.trajectories) {
    entropy["simulation"].push_back(part.entropy_production.value);
    entropy["standard_error"].push_back(part.entropy_production.standard_error);
    integral["simulation"].push_back(part.integral_fluctuation.value);
    integral["standard_error"].push_back(part.integral_fluctuation.standard_error);
  }
  return json;
}
