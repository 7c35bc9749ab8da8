#include "report.hpp"

#include <cmath>
#include <iomanip>
#include <ness/compare.hpp>
#include <ostream>
#include <sstream>
#include <string>

#include "../common/reports.hpp"

namespace {

void print_theory(std::ostream& out, const Minimum& minimum, const Prediction& predicted) {
  const State& state = predicted.state;
  const auto einstein = state.einstein_relation();
  out << "minimum theta_0          " << in_row(minimum.theta, 5) << '\n'
      << "loss at the minimum      " << minimum.value << "  (|gradient| " << minimum.gradient_norm
      << ", its rounding " << minimum.gradient_rounding << ")\n"
      << "Hessian eigenvalues      " << in_row(minimum.hessian_eigenvalues, 5) << '\n'
      << "eta h_max                " << state.decay_rates().maxCoeff()
      << (predicted.effective
              ? "  of an epoch (what Appendix B leaves out is of this relative order)\n"
              : "  (what the theory leaves out is of this relative order)\n")
      << "Einstein relation        mu = beta D " << (einstein.holds() ? "holds" : "does not hold")
      << ": beta = " << einstein.beta << " leaves " << 100 * einstein.residual << " % of mu\n"
      << "stationary state         "
      << (state.is_equilibrium() ? "equilibrium" : "out of equilibrium")
      << " (|C| / |D| = " << state.nonequilibrium_ratio() << ", rank of D " << state.rank()
      << ")\n";
  if (predicted.effective)
    out << "effective minimum        theta_0 + "
        << in_row(predicted.effective->theta - minimum.theta, 5) << '\n'
        << "mean to the next order   theta_0 + " << in_row(state.mean() - minimum.theta, 5) << '\n';
}

void print_simulation(std::ostream& out, const Options& options, const Minimum& minimum,
                      const Results& results) {
  const ness::Measurement& measured = results.simulated.measured;
  if (results.predicted.effective)
    out << "mean, simulation         theta_0 + " << in_row(measured.mean.value - minimum.theta, 5)
        << '\n';
  out << "Markov steps             " << measured.markov_steps << " in " << options.chains
      << " chains, each after " << results.simulated.burn_in << " of burn-in; "
      << measured.seconds_per_step * 1e9 << " ns a step\n"
      << "autocorrelation times    " << in_row(measured.autocorrelation_time, 5) << "  (batches of "
      << measured.batch_length << ")\n";
}

/// Eq. 22. The difference is of relative order ηh, that of a finite step.
void print_drift_correlation(std::ostream& out, const Results& results) {
  const State& state = results.predicted.state;
  const auto& measured = results.simulated.drift_correlation;
  out << "drift correlation        eta <grad L . dtheta> = " << measured.value << " +- "
      << measured.standard_error << "; tr D = " << state.diffusion().trace() << "  (Eq. 22)\n";
}

/// Batches must be long beside the slowest relaxation, or else their scatter says too little.
void warn_of_short_run(std::ostream& out, const Results& results) {
  const double relaxation = 1 / results.predicted.state.decay_rates()[0];
  if (static_cast<double>(results.simulated.measured.batch_length) >= 2 * relaxation) return;
  out << "The run is short beside the slowest relaxation, 1 / (eta h_min) = " << relaxation
      << " Markov steps:\nthe standard errors are too small, and rows that do not agree say "
         "nothing. Raise "
         "--steps.\n\n";
}

/// How far the simulated covariance is from the predictions.
void print_covariance(std::ostream& out, const Results& results) {
  const auto& measured = results.simulated.measured.covariance;
  const Prediction& predicted = results.predicted;
  const auto line = [&](const std::string& theory, const State& state) {
    out << "covariance, simulation against " << theory << ": "
        << 100 * relative_error(measured.value, state.covariance()) << " %\n";
  };
  if (predicted.leading) {
    line("all orders in eta n |H|", predicted.state);
    line("leading order (Appendix B)", *predicted.leading);
  } else {
    line("theory", predicted.state);
    line("its discrete form", *predicted.discrete);
  }
  out << "what chance alone would leave: "
      << 100 * measured.standard_error.norm() / predicted.state.covariance().norm() << " %\n";
}

/// "1 + 3.1e-06", "1 - 2e-05", "1": a number near 1.
std::string near_one(double value) {
  const double more = value - 1;
  if (std::abs(more) < 1e-14) return "1";
  std::ostringstream text;
  text << std::setprecision(2) << (more > 0 ? "1 + " : "1 - ") << std::abs(more);
  return text.str();
}

/// How far from 1 real minibatches are, beside what Gaussian noise would give, and why.
void print_fluctuations(std::ostream& out, const Results& results) {
  const Prediction& predicted = results.predicted;
  if (predicted.fluctuations.empty()) return;
  for (const auto& part : predicted.fluctuations)
    out << "<exp(-sigma)> (l = " << part.length << "): real minibatches "
        << near_one(part.integral_fluctuation.value) << std::setprecision(2) << " +- "
        << part.integral_fluctuation.standard_error << std::setprecision(6)
        << "; Gaussian noise would give "
        << near_one(predicted.state.integral_fluctuation(part.length)) << '\n';
  out << "It is not 1 since minibatch noise is skewed and long-tailed and changes with theta, and "
         "the force is not linear;\n"
      << (predicted.effective ? "and since v^s is that of continuous time. " : "")
      << "P(-sigma)/P(sigma) is not exp(-sigma) for the same reasons: its rows are the bins that "
         "are farthest off theory.\n";
}

void print_noise(std::ostream& out, const NoiseShape& noise) {
  const auto line = [&](const std::string& name, const Eigen::VectorXd& value, const auto* error) {
    out << name << in_row(value, 2);
    if (error) out << "  (+- " << std::setprecision(2) << error->maxCoeff() << ')';
    out << std::setprecision(6) << '\n';
  };
  const auto* error = noise.standard_error ? &*noise.standard_error : nullptr;
  line("noise, skewness          ", noise.cumulants.skewness, error ? &error->skewness : nullptr);
  line("noise, excess kurtosis   ", noise.cumulants.excess_kurtosis,
       error ? &error->excess_kurtosis : nullptr);
}

void print(std::ostream& out, const Options& options, const Minimum& minimum,
           const Results& results, double false_alarms) {
  const State& state = results.predicted.state;
  out << "\nsampling " << results.sampling;
  if (results.sampling == "earthquake")
    out << ", zeta = " << options.zeta << "\n\n";
  else
    out << ", m = " << options.batch << "\n\n";
  print_theory(out, minimum, results.predicted);
  print_noise(out, results.predicted.noise);
  print_simulation(out, options, minimum, results);
  print_drift_correlation(out, results);
  auto comparison =
      ness::compare(state, results.simulated.measured, results.predicted.fluctuations);
  comparison.false_alarms = false_alarms;
  out << '\n' << comparison << '\n';
  warn_of_short_run(out, results);
  print_fluctuations(out, results);
  if (state.covariance().norm() > 0) print_covariance(out, results);
}

/// The ways of sampling side by side: theory, and below it the simulation.
void print_side_by_side(std::ostream& out, const Minimum& minimum,
                        const std::vector<Results>& all) {
  std::ostringstream text;
  const auto line = [&](const std::string& name, const std::string& kind, const auto& value) {
    text << '\n' << std::left << std::setw(22) << name << std::setw(10) << kind << std::right;
    for (const Results& results : all)
      text << std::setw(15) << value(results.predicted, results.simulated.measured);
  };
  using P = const Prediction&;
  using M = const ness::Measurement&;
  text << "\nside by side, per Markov step   " << std::right;
  for (const Results& results : all) text << std::setw(15) << results.sampling;
  text.precision(5);
  line("|mean - theta_0|", "theory",
       [&](P p, M) { return (p.state.mean() - minimum.theta).norm(); });
  line("", "simulation", [&](P, M m) { return (m.mean.value - minimum.theta).norm(); });
  line("|covariance|", "theory", [](P p, M) { return p.state.covariance().norm(); });
  line("", "simulation", [](P, M m) { return m.covariance.value.norm(); });
  line("|circulation|", "theory", [](P p, M) { return p.state.circulation().norm(); });
  line("", "simulation", [](P, M m) { return m.circulation.value.norm(); });
  line("entropy production", "theory", [](P p, M) { return p.state.entropy_production(); });
  line("", "simulation", [](P, M m) { return m.entropy_production.value; });
  line("equilibrium", "", [](P p, M) { return p.state.is_equilibrium() ? "yes" : "no"; });
  out << text.str() << '\n';
}

template <class Value>
void write(const Json& json, const ness::Estimate<Value>& simulation, const Value& theory) {
  json["simulation"] = simulation.value;
  json["standard_error"] = simulation.standard_error;
  json["theory"] = theory;
}

/// What is predicted of the fluctuation theorems, and the ratios that were measured.
void write_fluctuations(const Json& json, const Results& results) {
  const Prediction& predicted = results.predicted;
  const Json integral = json["integral_fluctuation"];
  for (const auto& part : results.simulated.measured.trajectories) {
    const double gaussian = predicted.state.integral_fluctuation(part.length);
    ness::Estimate<double> theory{gaussian, 0};
    for (const auto& of_length : predicted.fluctuations)
      if (of_length.length == part.length) theory = of_length.integral_fluctuation;
    integral["theory"].push_back(theory.value);
    integral["theory_standard_error"].push_back(theory.standard_error);
    integral["gaussian"].push_back(gaussian);
  }
  for (const auto& part : predicted.fluctuations) {
    const Json ratios;
    ratios["length"] = static_cast<std::int64_t>(part.length);
    for (const auto& point : part.fluctuation_ratios) {
      ratios["entropy"].push_back(point.entropy);
      ratios["theory"].push_back(point.ratio);
      ratios["standard_error"].push_back(point.standard_error);
    }
    json["fluctuation_ratio"].push_back(ratios);
  }
}

void write(const Json& json, const Options& options, const Minimum& minimum,
           const Results& results) {
  const Prediction& predicted = results.predicted;
  const State& state = predicted.state;
  const ness::Measurement& measured = results.simulated.measured;
  json["sampling"] = results.sampling;
  json["minimum"] = minimum.theta;
  json["loss_at_minimum"] = minimum.value;
  json["hessian"] = minimum.hessian;
  json["hessian_eigenvalues"] = minimum.hessian_eigenvalues;
  if (predicted.effective) json["effective_minimum"] = predicted.effective->theta;
  json["chains"] = options.chains;
  json["markov_steps"] = measured.markov_steps / options.chains;
  json["markov_steps_total"] = measured.markov_steps;
  json["seconds_per_step"] = measured.seconds_per_step;
  json["autocorrelation_time"] = measured.autocorrelation_time;
  write(json["mean"], measured.mean, state.mean());
  json["diffusion"]["theory"] = state.diffusion();
  write(json["drift_correlation"], results.simulated.drift_correlation, state.drift_correlation());
  write(json["covariance"], measured.covariance, state.covariance());
  write(json["circulation"], measured.circulation, state.circulation());
  json["entropy_production"]["theory"] = state.entropy_production();
  write_trajectories(json, measured.trajectories);
  write_fluctuations(json, results);
  json["noise"]["skewness"] = predicted.noise.cumulants.skewness;
  json["noise"]["excess_kurtosis"] = predicted.noise.cumulants.excess_kurtosis;
  if (!predicted.leading) return;
  json["diffusion"]["leading_order"] = predicted.leading->diffusion();
  json["covariance"]["leading_order"] = predicted.leading->covariance();
  json["circulation"]["leading_order"] = predicted.leading->circulation();
  json["entropy_production"]["leading_order"] = predicted.leading->entropy_production();
}

}  // namespace

void print(std::ostream& out, const Options& options, Eigen::Index samples, const Minimum& minimum,
           const std::vector<Results>& all) {
  out << "regression network, N = " << minimum.theta.size() << ", M = " << samples
      << ", eta = " << options.eta << ", lambda = " << options.lambda << '\n';
  for (const Results& results : all)
    print(out, options, minimum, results, 1e-3 / static_cast<double>(all.size()));
  if (all.size() > 1) print_side_by_side(out, minimum, all);
}

Json to_json(const Options& options, const Minimum& minimum, const std::vector<Results>& all,
             const std::vector<Way>& others) {
  const Json json;
  const bool one = all.size() + others.size() == 1;
  for (const Results& results : all)
    write(one ? json : json[results.sampling], options, minimum, results);
  for (const Way& way : others) write(one ? json : json[way.sampling], options, minimum, way);
  return json;
}
