#include "report.hpp"

#include <cmath>
#include <iomanip>
#include <ness/compare.hpp>
#include <ostream>
#include <sstream>

#include "../common/memory.hpp"
#include "../common/reports.hpp"

namespace {

std::string with_error(const ness::Estimate<double>& found) {
  std::ostringstream text;
  text.precision(3);
  text << found.value << " +- " << found.standard_error;
  return text.str();
}

void print_summary(std::ostream& out, const Options& options, const Summary& summary) {
  if (options.synthetic)
    out << "MADE-UP DATA (--synthetic): of the shape of MNIST, but not MNIST\n";
  out << "network";
  for (std::size_t k = 0; k < options.widths.size(); ++k)
    out << (k == 0 ? " " : "-") << options.widths[k];
  out << ", N = " << summary.parameters << ", M = " << summary.samples << ", m = " << options.batch
      << ", eta = " << options.eta << ", lambda = " << options.lambda
      << ", momentum = " << options.momentum << '\n'
      << "loss at the minimum      " << summary.minimum.value << "  (|gradient| "
      << summary.minimum.gradient_norm << ", of its scale " << summary.relative_gradient << "; "
      << summary.minimum.iterations << " steps, " << summary.products << " Hessian products, "
      << summary.minimum_seconds << " s)\n"
      << "accuracy in training     " << 100 * summary.accuracy << " %\n"
      << "Hessian, " << std::setw(4) << summary.pairs.values.size() << " leading    "
      << in_row(summary.pairs.values, 4) << "  (residual " << summary.pairs.residuals.maxCoeff()
      << "; " << summary.pairs.products << " products, " << summary.spectrum_seconds << " s)\n"
      << "lowest curvature found   " << summary.minimum.hessian_eigenvalues[0] << '\n'
      << "noise of an update       tr D " << with_error(summary.noise.diffusion()) << ", tr Sigma "
      << with_error(summary.noise.covariance(options.eta)) << ", mean curvature tr HD / tr D "
      << summary.noise.mean_curvature() << "  (" << summary.noise_seconds << " s)\n";
}

Eigen::VectorXd errors_of(const Simulation& simulation) {
  return simulation.covariance.standard_error.diagonal();
}

/// In how many of the directions theory is within z standard errors.
Eigen::Index within(const Results& results, double z) {
  const Eigen::VectorXd off = results.simulated->covariance.value.diagonal() -
                              results.predicted.state.covariance().diagonal();
  return (off.array().abs() <= z * errors_of(*results.simulated).array()).count();
}

/// Σ of noise that does not depend on θ: what does is of relative order ηh.
ness::Comparison comparison_of(const Results& results, double false_alarms) {
  const State& state = results.predicted.state;
  const Simulation& found = *results.simulated;
  ness::Comparison comparison;
  comparison.false_alarms = false_alarms;
  const double left_out = state.decay_rates()[state.mean().size() - 1];
  // In batches, that is looks, beside the slowest of the directions.
  const double per_look =
      state.step() == ness::MarkovStep::update ? static_cast<double>(found.updates_per_look) : 1.0;
  comparison.too_short =
      static_cast<double>(found.batch_length) * per_look * state.decay_rates()[0] < 2;
  comparison.rows = {
      ness::compare_row("covariance", state.covariance(), found.covariance, left_out),
      ness::compare_row("circulation", found.circulation_theory, found.circulation, left_out)};
  return comparison;
}

void print_directions(std::ostream& out, const Summary& summary, const Results& results) {
  const State& state = results.predicted.state;
  out << "          h      variance";
  if (results.simulated) out << "    simulation    std. error   tau (looks)";
  out << '\n';
  for (Eigen::Index k = 0; k < summary.pairs.values.size(); ++k) {
    out << std::setw(11) << summary.pairs.values[k] << std::setw(14) << state.covariance()(k, k);
    if (results.simulated)
      out << std::setw(14) << results.simulated->covariance.value(k, k) << std::setw(14)
          << results.simulated->covariance.standard_error(k, k) << std::setw(14)
          << results.simulated->autocorrelation_time[k];
    out << '\n';
  }
}

void write(const Json& json, const Options& options, const Summary& summary,
           const Results& results) {
  const State& state = results.predicted.state;
  json["sampling"] = results.sampling;
  json["momentum"] = options.momentum;
  json["parameters"] = summary.parameters;
  json["samples"] = summary.samples;
  json["train_accuracy"] = summary.accuracy;
  json["loss_at_minimum"] = summary.minimum.value;
  json["gradient_norm"] = summary.minimum.gradient_norm;
  json["relative_gradient"] = summary.relative_gradient;
  json["hessian_eigenvalues"] = summary.pairs.values;
  json["eigenpair_residual"] = summary.pairs.residuals.maxCoeff();
  json["variance"]["theory"] = Eigen::VectorXd(state.covariance().diagonal());
  json["circulation"]["theory"] = state.circulation();
  json["diffusion"]["theory"] = state.diffusion();
  json["trace"]["diffusion"] = summary.noise.diffusion().value;
  json["trace"]["covariance"] = summary.noise.covariance(options.eta).value;
  json["seconds"]["minimum"] = summary.minimum_seconds;
  json["seconds"]["spectrum"] = summary.spectrum_seconds;
  json["seconds"]["diffusion"] = results.predicted.diffusion_seconds;
  json["peak_memory_bytes"] = peak_memory_bytes();
  if (!results.simulated) return;
  const Simulation& found = *results.simulated;
  json["variance"]["simulation"] = Eigen::VectorXd(found.covariance.value.diagonal());
  json["variance"]["standard_error"] = errors_of(found);
  json["circulation"]["theory"] = found.circulation_theory;  // of the steps between two looks
  json["circulation"]["simulation"] = found.circulation.value;
  json["circulation"]["standard_error"] = found.circulation.standard_error;
  json["updates_per_look"] = found.updates_per_look;
  json["seconds"]["step"] = found.seconds_per_step;
}

}  // namespace

void print(std::ostream& out, const Options& options, const Summary& summary,
           const std::vector<Results>& all) {
  print_summary(out, options, summary);
  for (const Results& results : all) {
    out << "\nsampling " << results.sampling << ", per "
        << to_string(results.predicted.state.step()) << ", D between the directions in "
        << results.predicted.diffusion_seconds << " s\n\n";
    print_directions(out, summary, results);
    if (const Eigen::VectorXd& part = results.predicted.of_curvature; part.size() > 0)
      out << "of which batches that differ in curvature make " << std::setprecision(3)
          << 100 * part.minCoeff() << " to " << 100 * part.maxCoeff() << " %\n"
          << std::setprecision(6);
    if (!results.simulated) continue;
    const Simulation& found = *results.simulated;
    out << "\nlooks                    " << found.looks << ", every " << found.updates_per_look
        << " updates, after " << found.burn_in << " of burn-in in each chain; "
        << found.seconds_per_step * 1e6 << " us an update\n"
        << "within 3 standard errors " << within(results, 3) << " of "
        << summary.pairs.values.size() << " directions\n\n"
        << comparison_of(results, 1e-3 / static_cast<double>(all.size())) << '\n';
  }
  out << "\npeak memory              " << peak_memory_bytes() / 1'000'000 << " MB\n";
}

Json to_json(const Options& options, const Summary& summary, const std::vector<Results>& all) {
  const Json json;
  for (const Results& results : all)
    write(all.size() == 1 ? json : json[results.sampling], options, summary, results);
  return json;
}
