#include "report.hpp"

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
        << "mean to the next order   theta_0 + "
        << in_row(state.mean() + predicted.mean_shift - minimum.theta, 5) << '\n';
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

/// Batches must be long beside the slowest relaxation, or else their scatter says too little.
void warn_of_short_run(std::ostream& out, const Results& results) {
  const double relaxation = 1 / results.predicted.state.decay_rates()[0];
  if (static_cast<double>(results.simulated.measured.batch_length) >= 2 * relaxation) return;
  out << "The run is short beside the slowest relaxation, 1 / (eta h_min) = " << relaxation
      << " Markov steps:\nthe standard errors are too small, and a FAIL may come of that. Raise "
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

void print(std::ostream& out, const Options& options, const Minimum& minimum,
           const Results& results) {
  const State& state = results.predicted.state;
  out << "\nsampling " << results.sampling;
  if (results.sampling == "earthquake")
    out << ", zeta = " << options.zeta << "\n\n";
  else
    out << ", m = " << options.batch << "\n\n";
  print_theory(out, minimum, results.predicted);
  print_simulation(out, options, minimum, results);
  out << '\n'
      << ness::compare(state, results.simulated.measured, results.predicted.mean_shift) << '\n';
  warn_of_short_run(out, results);
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
       [&](P p, M) { return (p.state.mean() + p.mean_shift - minimum.theta).norm(); });
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

void write(const Json& json, const Options& options, const Minimum& minimum,
           const Results& results) {
  const Prediction& predicted = results.predicted;
  const State& state = predicted.state;
  const ness::Measurement& measured = results.simulated.measured;
  json["sampling"] = results.sampling;
  json["minimum"] = minimum.theta;
  json["loss_at_minimum"] = minimum.value;
  json["hessian_eigenvalues"] = minimum.hessian_eigenvalues;
  if (predicted.effective) json["effective_minimum"] = predicted.effective->theta;
  json["chains"] = options.chains;
  json["markov_steps"] = measured.markov_steps / options.chains;
  json["markov_steps_total"] = measured.markov_steps;
  json["seconds_per_step"] = measured.seconds_per_step;
  json["autocorrelation_time"] = measured.autocorrelation_time;
  write(json["mean"], measured.mean, Eigen::VectorXd(state.mean() + predicted.mean_shift));
  json["diffusion"]["theory"] = state.diffusion();
  write(json["covariance"], measured.covariance, state.covariance());
  write(json["circulation"], measured.circulation, state.circulation());
  json["entropy_production"]["theory"] = state.entropy_production();
  write_trajectories(json, measured.trajectories);
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
  for (const Results& results : all) print(out, options, minimum, results);
  if (all.size() > 1) print_side_by_side(out, minimum, all);
}

Json to_json(const Options& options, const Minimum& minimum, const std::vector<Results>& all) {
  const Json json;
  for (const Results& results : all)
    write(all.size() == 1 ? json : json[results.sampling], options, minimum, results);
  return json;
}
