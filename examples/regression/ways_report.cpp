#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ness/compare.hpp>
#include <ostream>
#include <sstream>

#include "../common/reports.hpp"
#include "../common/titles.hpp"
#include "ways.hpp"

namespace {

/// With the error of a sampled prediction.
ness::Estimate<Eigen::MatrixXd> with_error(ness::Estimate<Eigen::MatrixXd> measured,
                                           const Eigen::MatrixXd& of_theory) {
  for (Eigen::Index k = 0; k < of_theory.size(); ++k)
    measured.standard_error.data()[k] =
        std::hypot(measured.standard_error.data()[k], of_theory.data()[k]);
  return measured;
}

/// Σ and C, to all orders in η of losses quadratic in θ: without an allowance. ⟨σ⟩, whose noise at
/// θ is not that at the minimum, with one of ηh_max.
ness::Comparison comparison_of(const Way& way, double false_alarms) {
  const OtherPrediction& theory = way.theory;
  ness::Comparison comparison;
  comparison.false_alarms = false_alarms;
  comparison.too_short =
      static_cast<double>(way.measured.batch_length) * theory.state.decay_rates()[0] < 2;
  comparison.rows = {
      ness::compare_row("covariance", theory.state.covariance(),
                        with_error(way.measured.covariance, theory.covariance_error), 0),
      ness::compare_row("circulation", theory.state.circulation(),
                        with_error(way.measured.circulation, theory.circulation_error), 0),
      ness::compare_row("variances along H", way.directions.theory, way.directions.simulation,
                        way.epochs ? 0.01 : 0)};
  for (const auto& part : way.measured.trajectories)
    comparison.rows.push_back(
        ness::compare_row("entropy production (l = " + std::to_string(part.length) + ")",
                          theory.state.entropy_production(), part.entropy_production,
                          theory.state.decay_rates()[theory.state.mean().size() - 1]));
  return comparison;
}

void print(std::ostream& out, const Way& way, double false_alarms) {
  const State& state = way.theory.state;
  out << "\nsampling " << way.sampling << ": " << way.description << "\n\n"
      << "Hessian eigenvalues      " << in_row(way.directions.curvature, 5) << '\n'
      << "variances along them     " << in_row(way.directions.theory, 5) << "  (theory, per "
      << to_string(state.step()) << ")\n"
      << "simulation               " << in_row(way.directions.simulation.value, 5) << '\n'
      << "its standard errors      " << in_row(way.directions.simulation.standard_error, 2) << '\n'
      << "decay rates              " << in_row(state.decay_rates(), 5) << '\n'
      << "entropy production       " << state.entropy_production() << '\n'
      << "Markov steps             " << way.measured.markov_steps << ", each chain after "
      << way.burn_in << " updates of burn-in; " << way.measured.seconds_per_step * 1e9
      << " ns a step\n\n"
      << comparison_of(way, false_alarms) << '\n';
  if (std::isnan(state.entropy_production()))
    out << "nan: not known of epochs that are sampled, with a memory, or over their phases\n";
}

/// Along each eigenvector of H, in columns: h, theory, simulation, its error.
DataTable directions_table(const DirectionalVariances& directions) {
  DataTable table;
  for (Eigen::Index k = 0; k < directions.curvature.size(); ++k)
    table.row(directions.curvature[k], directions.theory[k], directions.simulation.value[k],
              directions.simulation.standard_error[k]);
  return table;
}

std::string momentum_title(const Options& options) {
  if (options.momentum == 0) return "";
  return std::string(",  ") + (options.nesterov ? "Nesterov" : "heavy ball") +
         ",  {/:Italic β} = " + number_title(options.momentum);
}

}  // namespace

bool is_other_way(const std::string& sampling, const Options& options) {
  return options.momentum > 0 || (options.phase == "mean" && sampling == "wor") ||
         (sampling != "wr" && sampling != "wor" && sampling != "earthquake");
}

void print(std::ostream& out, const Options& options, const Minimum& minimum,
           const std::vector<Way>& ways) {
  if (ways.empty()) return;
  out << "\nregression network, N = " << minimum.theta.size() << ", eta = " << options.eta
      << ", lambda = " << options.lambda << ", other ways of training\n";
  for (const Way& way : ways) print(out, way, 1e-3 / static_cast<double>(ways.size()));
}

void write(const Json& json, const Options& options, const Minimum& minimum, const Way& way) {
  const auto both = [](const Json& part, const auto& simulation, const auto& theory) {
    part["simulation"] = simulation.value;
    part["standard_error"] = simulation.standard_error;
    part["theory"] = theory;
  };
  json["sampling"] = way.sampling;
  json["training"] = way.description;
  json["momentum"] = options.momentum;
  json["phase"] = options.phase;
  json["minimum"] = minimum.theta;
  json["loss_at_minimum"] = minimum.value;
  json["hessian"] = minimum.hessian;
  json["hessian_eigenvalues"] = minimum.hessian_eigenvalues;
  json["chains"] = options.chains;
  json["markov_steps"] = way.measured.markov_steps / options.chains;
  json["seconds_per_step"] = way.measured.seconds_per_step;
  both(json["mean"], way.measured.mean, way.theory.state.mean());
  both(json["covariance"], way.measured.covariance, way.theory.state.covariance());
  both(json["circulation"], way.measured.circulation, way.theory.state.circulation());
  both(json["variance"], way.directions.simulation, way.directions.theory);
  json["entropy_production"]["theory"] = way.theory.state.entropy_production();
  for (const auto& part : way.measured.trajectories) {
    json["entropy_production"]["simulation"].push_back(part.entropy_production.value);
    json["entropy_production"]["standard_error"].push_back(part.entropy_production.standard_error);
  }
}

void draw_directions(FigureFolder& folder, const Options& options, Eigen::Index samples,
                     const std::vector<Way>& ways) {
  if (ways.empty()) return;
  const std::vector<std::string> colors{"#1f4e9c", "#2a9d5c", "#c81d1d",
                                        "#e08a00", "#7a3fa0", "#444444"};
  // Some ways have the same state: dashes, and points of different sizes, let each be seen.
  const std::vector<std::string> dashes{"1", "1", "(9,6)", "(3,5)", "(9,6)", "1"};
  const std::vector<std::string> points{"7 ps 1.2", "7 ps 1.2", "6 ps 2",
                                        "8 ps 2.4", "6 ps 2",   "5 ps 1"};
  std::string plots;
  for (std::size_t k = 0; k < ways.size(); ++k) {
    const std::string name = "directions_" + ways[k].sampling;
    const std::string color = " lc rgb '" + colors[k % colors.size()] + "' ";
    folder.data(name, directions_table(ways[k].directions));
    plots += std::string(k == 0 ? "plot '" : ", '") + name + ".dat' using 1:2 with lines lw 2 dt " +
             dashes[k % dashes.size()] + color + "title '" + sampling_title(ways[k].sampling) +
             "', '" + name + ".dat' using 1:3:4 with yerrorbars pt " + points[k % points.size()] +
             color + "notitle";
  }
  const double updates = static_cast<double>(samples) / static_cast<double>(options.batch);
  const double crossing = 3 * (1 - options.momentum) / (options.eta * updates);
  const Eigen::VectorXd& h = ways.front().directions.curvature;
  folder.draw("directions",
              "set title \"{/:Italic η} = " + number_title(options.eta) +
                  ",  {/:Italic m} = " + std::to_string(options.batch) + momentum_title(options) +
                  (options.phase == "mean" ? ",  mean over the phases of an epoch"
                                           : ",  at the end of an epoch") +
                  "\"\n" + curvature_axes(h.minCoeff(), h.maxCoeff(), crossing) + plots +
                  ", NaN with points pt 7 ps 1 lc rgb 'black' title 'simulation'\n",
              1150, 700);
}
