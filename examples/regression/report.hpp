// The results: a table for people and JSON for machines.
#pragma once

#include <iomanip>
#include <ostream>
#include <sstream>
#include <vector>

#include "../common/json.hpp"
#include "study.hpp"

/// ‖Σ − Σ_theory‖ / ‖Σ_theory‖
inline double relative_error(const Matrix& value, const Matrix& theory) {
  return (value - theory).norm() / theory.norm();
}

inline void print_theory(std::ostream& out, const Results& results) {
  const Minimum& minimum = results.minimum;
  const Predicted& predicted = results.predicted;
  const Eigen::IOFormat row(5, Eigen::DontAlignCols, " ", " ");
  const auto einstein = predicted.einstein_relation();
  out << "minimum theta_0          " << minimum.theta.transpose().format(row) << '\n'
      << "loss at the minimum      " << minimum.value << "  (|gradient| " << minimum.gradient_norm
      << ", of terms that sum to " << minimum.gradient_scale << ")\n"
      << "Hessian eigenvalues      " << minimum.hessian_eigenvalues.transpose().format(row) << '\n'
      << "eta h_max                "
      << predicted.learning_rate * predicted.hessian_eigenvalues.maxCoeff()
      << (results.effective
              ? "  of an epoch (what Appendix B leaves out is of this relative order)\n"
              : "  (what the theory leaves out is of this relative order)\n")
      << "Einstein relation        mu = beta D " << (einstein.holds() ? "holds" : "does not hold")
      << ": beta = " << einstein.beta << " leaves " << 100 * einstein.residual << " % of mu\n"
      << "stationary state         "
      << (predicted.is_equilibrium() ? "equilibrium" : "out of equilibrium")
      << " (|C| / |D| = " << predicted.nonequilibrium_ratio() << ", rank of D " << predicted.rank
      << ")\n";
  if (results.effective)
    out << "effective minimum        theta_0 + "
        << (results.effective->theta - minimum.theta).transpose().format(row) << '\n'
        << "mean to the next order   theta_0 + "
        << (predicted.mean + results.mean_shift - minimum.theta).transpose().format(row) << '\n';
}

inline void print_simulation(std::ostream& out, const Options& options, const Results& results) {
  const Measured& measured = results.measured;
  const Eigen::IOFormat row(5, Eigen::DontAlignCols, " ", " ");
  if (results.effective)
    out << "mean, simulation         theta_0 + "
        << (measured.mean.value - results.minimum.theta).transpose().format(row) << '\n';
  out << "Markov steps             " << measured.markov_steps << " in " << options.chains
      << " chains, each after " << results.burn_in << " of burn-in; "
      << measured.seconds_per_step * 1e9 << " ns a step\n"
      << "autocorrelation times    " << measured.autocorrelation_time.transpose().format(row)
      << "  (batches of " << measured.batch_length << ")\n";
}

/// Batches must be long beside the slowest relaxation, or else their scatter says too little.
inline void warn_of_short_run(std::ostream& out, const Results& results) {
  const double relaxation = relaxation_time(results.predicted);
  if (static_cast<double>(results.measured.batch_length) >= 2 * relaxation) return;
  out << "The run is short beside the slowest relaxation, 1 / (eta h_min) = " << relaxation
      << " Markov steps:\nthe standard errors are too small, and a FAIL may come of that. Raise "
         "--steps.\n\n";
}

/// How far the simulated covariance is from one prediction.
inline void print_covariance(std::ostream& out, const std::string& theory, const Results& results,
                             const Matrix& covariance) {
  out << "covariance, simulation against " << theory << ": "
      << 100 * relative_error(results.measured.covariance.value, covariance) << " %\n";
}

inline void print(std::ostream& out, const Options& options, const Results& results) {
  const Predicted& predicted = results.predicted;
  out << "\nsampling " << results.sampling;
  if (results.sampling == "earthquake")
    out << ", zeta = " << options.zeta << "\n\n";
  else
    out << ", m = " << options.batch << "\n\n";
  print_theory(out, results);
  print_simulation(out, options, results);
  out << '\n' << ness::compare(predicted, results.measured, results.mean_shift) << '\n';
  warn_of_short_run(out, results);
  if (!(predicted.covariance.norm() > 0)) return;
  if (results.leading) {
    print_covariance(out, "all orders in eta n |H|", results, predicted.covariance);
    print_covariance(out, "leading order (Appendix B)", results, results.leading->covariance);
  } else {
    const Predicted discrete(predicted.mean, predicted.hessian, predicted.diffusion, options.eta,
                             {.form = ness::LyapunovForm::discrete});
    print_covariance(out, "theory", results, predicted.covariance);
    print_covariance(out, "its discrete form", results, discrete.covariance);
  }
  out << "what chance alone would leave: "
      << 100 * results.measured.covariance.standard_error.norm() / predicted.covariance.norm()
      << " %\n";
}

/// The ways of sampling side by side: theory, and below it the simulation.
inline void print_side_by_side(std::ostream& out, const std::vector<Results>& all) {
  std::ostringstream text;
  text << "\nside by side, per Markov step" << std::string(3, ' ');
  const auto cell = [&](const auto& value) { text << std::setw(15) << value; };
  const auto line = [&](const std::string& name, const auto& theory, const auto& simulation) {
    text << '\n' << std::left << std::setw(22) << name << std::setw(10) << "theory" << std::right;
    for (const Results& results : all) cell(theory(results.predicted, results));
    text << '\n' << std::left << std::setw(22) << "" << std::setw(10) << "simulation" << std::right;
    for (const Results& results : all) cell(simulation(results.measured, results));
  };
  text << std::right;
  for (const Results& results : all) cell(results.sampling);
  text.precision(5);
  line(
      "|mean - theta_0|",
      [](const Predicted& p, const Results& r) {
        return (p.mean + r.mean_shift - r.minimum.theta).norm();
      },
      [](const Measured& m, const Results& r) { return (m.mean.value - r.minimum.theta).norm(); });
  line(
      "|covariance|", [](const Predicted& p, const Results&) { return p.covariance.norm(); },
      [](const Measured& m, const Results&) { return m.covariance.value.norm(); });
  line(
      "|circulation|", [](const Predicted& p, const Results&) { return p.circulation.norm(); },
      [](const Measured& m, const Results&) { return m.circulation.value.norm(); });
  line(
      "entropy production", [](const Predicted& p, const Results&) { return p.entropy_production; },
      [](const Measured& m, const Results&) { return m.entropy_production.value; });
  text << '\n' << std::left << std::setw(32) << "equilibrium" << std::right;
  for (const Results& results : all) cell(results.predicted.is_equilibrium() ? "yes" : "no");
  out << text.str() << '\n';
}

inline void print(std::ostream& out, const Objective& objective, const Options& options,
                  const std::vector<Results>& all) {
  out << "regression network, N = " << objective.parameters() << ", M = " << objective.samples()
      << ", eta = " << options.eta << ", lambda = " << options.lambda << '\n';
  for (const Results& results : all) print(out, options, results);
  if (all.size() > 1) print_side_by_side(out, all);
}

inline nlohmann::json to_json(const Options& options, const Results& results) {
  const Minimum& minimum = results.minimum;
  const Predicted& predicted = results.predicted;
  const auto estimate = [](const auto& value) {
    return nlohmann::json{{"simulation", to_json_array(value.value)},
                          {"standard_error", to_json_array(value.standard_error)}};
  };
  nlohmann::json json;
  const Measured& measured = results.measured;
  json["sampling"] = results.sampling;
  json["minimum"] = to_json_array(minimum.theta);
  json["loss_at_minimum"] = minimum.value;
  json["hessian_eigenvalues"] = to_json_array(minimum.hessian_eigenvalues);
  if (results.effective) json["effective_minimum"] = to_json_array(results.effective->theta);
  json["chains"] = options.chains;
  json["markov_steps"] = measured.markov_steps / options.chains;
  json["markov_steps_total"] = measured.markov_steps;
  json["seconds_per_step"] = measured.seconds_per_step;
  json["autocorrelation_time"] = to_json_array(measured.autocorrelation_time);
  json["mean"] = estimate(measured.mean);
  json["mean"]["theory"] = to_json_array(predicted.mean + results.mean_shift);
  json["diffusion"]["theory"] = to_json_array(predicted.diffusion);
  json["covariance"] = estimate(measured.covariance);
  json["covariance"]["theory"] = to_json_array(predicted.covariance);
  json["circulation"] = estimate(measured.circulation);
  json["circulation"]["theory"] = to_json_array(predicted.circulation);
  if (results.leading) {
    json["diffusion"]["leading_order"] = to_json_array(results.leading->diffusion);
    json["covariance"]["leading_order"] = to_json_array(results.leading->covariance);
    json["circulation"]["leading_order"] = to_json_array(results.leading->circulation);
    json["entropy_production"]["leading_order"] = results.leading->entropy_production;
  }
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

/// One way of sampling as it is; several under their names.
inline nlohmann::json to_json(const Options& options, const std::vector<Results>& all) {
  if (all.size() == 1) return to_json(options, all.front());
  nlohmann::json json;
  for (const Results& results : all) json[results.sampling] = to_json(options, results);
  return json;
}
