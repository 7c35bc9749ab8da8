#include "report.hpp"

#include <iomanip>
#include <ness/compare.hpp>
#include <ostream>
#include <string>

#include "../common/memory.hpp"
#include "../common/reports.hpp"

namespace {

void print_summary(std::ostream& out, const Options& options, const Summary& summary) {
  const Minimum& minimum = summary.minimum;
  if (options.synthetic)
    out << "MADE-UP DATA (--synthetic): of the shape of MNIST, but not MNIST\n";
  out << "linear classifier, N = " << summary.parameters << ", M = " << summary.samples
      << ", m = " << options.batch << ", eta = " << options.eta << ", lambda = " << options.lambda
      << '\n'
      << "loss at the minimum      " << minimum.value << "  (|gradient| " << minimum.gradient_norm
      << ", its rounding " << minimum.gradient_rounding << ")\n"
      << "accuracy in training     " << 100 * summary.accuracy << " %\n"
      << "Hessian eigenvalues      " << minimum.hessian_eigenvalues.minCoeff() << " ... "
      << minimum.hessian_eigenvalues.maxCoeff() << '\n';
}

void print_theory(std::ostream& out, const Minimum& minimum, const Prediction& predicted) {
  const State& state = predicted.state;
  if (predicted.effective)
    out << "effective minimum        |theta^_0 - theta_0| = "
        << (predicted.effective->theta - minimum.theta).norm() << "  ("
        << predicted.effective_seconds << " s)\n";
  out << "eta h_max                " << state.decay_rates().maxCoeff()
      << "  (what the theory leaves out is of this relative order)\n"
      << "slowest relaxation       " << predicted.relaxation_time() << " Markov steps\n"
      << "diffusion                trace " << state.diffusion().trace() << ", rank " << state.rank()
      << " of " << state.mean().size() << "  (" << predicted.diffusion_seconds << " s)\n"
      << "covariance               trace " << state.covariance().trace() << ", norm "
      << state.covariance().norm() << ", residual " << state.residual() << "  ("
      << predicted.covariance_seconds << " s)\n"
      << "circulation              norm " << state.circulation().norm()
      << ", |C| / |D| = " << state.nonequilibrium_ratio() << '\n'
      << "entropy production       " << state.entropy_production()
      << " on the range of D; of the velocity, a relative " << state.velocity_outside_range()
      << " is outside of it\n";
  if (predicted.leading_entropy_production)
    out << "  in leading order       " << *predicted.leading_entropy_production << " (Eq. 29)\n";
  for (const RankCheck& check : predicted.ranks)
    out << "  with eigenvalues below " << std::setw(8) << check.tolerance
        << " of the largest dropped: " << check.entropy_production << ", rank " << check.rank
        << '\n';
  for (const NoiseLevel& level : predicted.levels)
    out << "  noise of an epoch, " << std::left << std::setw(17) << level.name << std::right
        << " trace " << std::setw(12) << level.trace << ", off by " << std::setw(10)
        << 100 * level.difference << " %  (" << level.seconds << " s)\n";
}

/// Batches must be long beside the slowest relaxation, or else their scatter says too little.
void warn_of_short_run(std::ostream& out, const Results& results) {
  const double relaxation = results.predicted.relaxation_time();
  if (static_cast<double>(results.simulated->measured.batch_length) >= 1.5 * relaxation) return;
  out << "The run is short beside the slowest relaxation of " << relaxation
      << " Markov steps: the standard errors are too small,\nand rows that do not agree say "
         "nothing. Raise "
         "--steps.\n\n";
}

void print_simulation(std::ostream& out, const Results& results, double false_alarms) {
  const ness::Measurement& measured = results.simulated->measured;
  const Directions& directions = results.simulated->directions;
  const State& state = results.predicted.state;
  auto comparison = ness::compare(state, measured, results.predicted.fluctuations);
  comparison.false_alarms = false_alarms;
  const bool rare = state.entropy_production() > 1;
  if (rare) std::erase_if(comparison.rows, [](const auto& row) { return row.quantity[0] == '<'; });
  out << "Markov steps             " << measured.markov_steps << " observed, after "
      << results.simulated->burn_in << " updates of burn-in in each chain; "
      << measured.seconds_per_step * 1e6 << " us an update\n"
      << "                         every " << measured.stride << ". state; batches of "
      << measured.batch_length << "; autocorrelation times "
      << directions.autocorrelation_time.minCoeff() << " ... "
      << directions.autocorrelation_time.maxCoeff() << '\n'
      << '\n'
      << comparison << '\n';
  warn_of_short_run(out, results);
  out << "trace of the covariance, simulation / theory: "
      << measured.covariance.value.trace() / state.covariance().trace() << '\n'
      << "covariance, simulation against theory: "
      << 100 * relative_error(measured.covariance.value, state.covariance())
      << " %; what chance alone would leave: "
      << 100 * measured.covariance.standard_error.norm() / state.covariance().norm() << " %\n"
      << "variances along the " << directions.theory.size()
      << " eigenvectors of H: " << 100 * directions.within(1) << " % within 1, "
      << 100 * directions.within(2) << " % within 2, " << 100 * directions.within(3)
      << " % within 3 standard errors of theory\n";
  if (rare && !results.cumulants)
    out << "A step produces so much entropy that <exp(-sigma)> comes from trajectories too rare to "
           "be seen: --clones finds them.\n";
}

void write(const Json& json, const Summary& summary, const Results& results) {
  const Prediction& predicted = results.predicted;
  const State& state = predicted.state;
  json["sampling"] = results.sampling;
  json["parameters"] = summary.parameters;
  json["samples"] = summary.samples;
  json["loss_at_minimum"] = summary.minimum.value;
  json["train_accuracy"] = summary.accuracy;
  json["hessian_eigenvalues"]["min"] = summary.minimum.hessian_eigenvalues.minCoeff();
  json["hessian_eigenvalues"]["max"] = summary.minimum.hessian_eigenvalues.maxCoeff();
  json["diffusion"]["trace"] = state.diffusion().trace();
  json["diffusion"]["rank"] = state.rank();
  json["diffusion"]["seconds"] = predicted.diffusion_seconds;
  for (const NoiseLevel& level : predicted.levels) {
    const Json row;
    row["name"] = level.name;
    row["trace"] = level.trace;
    row["relative_difference"] = level.difference;
    row["seconds"] = level.seconds;
    json["diffusion"]["levels"].push_back(row);
  }
  json["covariance"]["trace"] = state.covariance().trace();
  json["covariance"]["norm"] = state.covariance().norm();
  json["covariance"]["seconds"] = predicted.covariance_seconds;
  json["circulation"]["norm"] = state.circulation().norm();
  json["entropy_production"]["theory"] = state.entropy_production();
  if (predicted.leading_entropy_production)
    json["entropy_production"]["leading_order"] = *predicted.leading_entropy_production;
  json["peak_memory_bytes"] = peak_memory_bytes();
  if (results.cumulants) write(json, *results.cumulants);
  if (!results.simulated) return;
  const ness::Measurement& measured = results.simulated->measured;
  write_trajectories(json, measured.trajectories);
  const Json simulation = json["simulation"];
  simulation["covariance_trace"] = measured.covariance.value.trace();
  simulation["covariance_relative_error"] =
      relative_error(measured.covariance.value, state.covariance());
  simulation["circulation_relative_error"] =
      relative_error(measured.circulation.value, state.circulation());
  simulation["seconds_per_step"] = measured.seconds_per_step;
  simulation["markov_steps_total"] = measured.markov_steps;
  simulation["directions_within_3_standard_errors"] = results.simulated->directions.within(3);
}

}  // namespace

void print(std::ostream& out, const Options& options, const Summary& summary,
           const std::vector<Results>& all) {
  print_summary(out, options, summary);
  for (const Results& results : all) {
    out << "\nsampling " << results.sampling << ", per "
        << to_string(results.predicted.state.step()) << "\n\n";
    print_theory(out, summary.minimum, results.predicted);
    const double false_alarms = 1e-3 / static_cast<double>(all.size());
    if (results.simulated) print_simulation(out, results, false_alarms);
    if (!results.cumulants) continue;
    print_clones(out, *results.cumulants);
    out << '\n' << compare(*results.cumulants, 0.01, false_alarms) << '\n';
  }
  out << "\npeak memory              " << peak_memory_bytes() / 1'000'000 << " MB\n";
}

Json to_json(const Summary& summary, const std::vector<Results>& all) {
  const Json json;
  for (const Results& results : all)
    write(all.size() == 1 ? json : json[results.sampling], summary, results);
  return json;
}
