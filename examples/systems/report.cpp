#include "report.hpp"

#include <cmath>
#include <iomanip>
#include <ostream>
#include <string>

namespace {

/// All that is known of a system, with its share of the rate of false alarms.
ness::Comparison comparison_of(const System& system, std::size_t systems) {
  ness::Comparison all{.rows = {compare_number("entropy production", system.entropy_theory,
                                               system.entropy, system.entropy_bias)},
                       .false_alarms = 1e-3 / static_cast<double>(systems)};
  for (const Curve& curve : system.curves) all.rows.push_back(curve.row());
  all.rows.insert(all.rows.end(), system.rows.begin(), system.rows.end());
  return all;
}

void print(std::ostream& out, const ness::Classification& found) {
  out << "Einstein relation        beta = " << found.einstein.beta << " leaves "
      << 100 * found.einstein.residual << " % of mu\n"
      << "divergence condition     div D is " << found.divergence << " of the drift";
  if (std::isfinite(found.weighted_divergence)) out << ", (div GD)/G " << found.weighted_divergence;
  out << '\n';
}

void print(std::ostream& out, const System& system, std::size_t systems) {
  out << '\n' << system.title << ": " << to_string(system.classification.kind) << '\n';
  print(out, system.classification);
  out << "relaxation               " << system.relaxation_time << " steps, "
      << 1e9 * system.seconds_per_step << " ns each\n"
      << "entropy production       " << system.entropy.value << " +- "
      << system.entropy.standard_error << " per relaxation time, theory " << system.entropy_theory
      << '\n';
  for (const Curve& curve : system.curves)
    out << "density " << curve.name << ": of " << curve.variable << ", " << curve.title
        << "; of its bins the row is the farthest off\n";
  out << '\n' << comparison_of(system, systems);
}

void print(std::ostream& out, const Trainings& trainings) {
  out << "\nWays of training, around the minimum\n";
  for (const auto& [name, found] : trainings.kinds)
    out << std::left << std::setw(26) << name << to_string(found.kind)
        << ", beta = " << found.einstein.beta << " leaves " << 100 * found.einstein.residual
        << " % of mu\n"
        << std::right;
  out << "\nSGLD becomes Boltzmann as eta -> 0\n         eta        beta    left of mu\n";
  const Approach& approach = trainings.approach;
  for (std::size_t k = 0; k < approach.eta.size(); ++k)
    out << std::setw(12) << approach.eta[k] << std::setw(12) << approach.beta[k] << std::setw(14)
        << approach.residual[k] << '\n';
}

void print(std::ostream& out, const FoldingStudy& study) {
  out << "\nPolymer that folds: share Q of native contacts\n"
      << "         T  free draining            +-      with flow            +-\n";
  for (std::size_t k = 0; k < study.temperature.size(); ++k) {
    out << std::setw(10) << study.temperature[k];
    for (const auto* const found : {&study.free_draining[k], &study.hydrodynamics[k]})
      out << std::setw(15) << found->value << std::setw(14) << found->standard_error;
    out << '\n';
  }
  out << '\n' << ness::Comparison{.rows = study.rows, .false_alarms = 1e-3};
}

void write(const Json& json, const ness::Classification& found) {
  json["kind"] = std::string(to_string(found.kind));
  json["beta"] = found.einstein.beta;
  json["einstein_residual"] = found.einstein.residual;
  json["divergence"] = found.divergence;
  if (std::isfinite(found.weighted_divergence))
    json["weighted_divergence"] = found.weighted_divergence;
}

void write(const Json& json, const Curve& curve) {
  json["lower"] = curve.axis.lower;
  json["upper"] = curve.axis.upper;
  json["theory"] = curve.theory;
  json["simulation"] = curve.measured.value;
  json["standard_error"] = curve.measured.standard_error;
}

void write(const Json& json, const ness::ComparisonRow& row, double level) {
  json["quantity"] = row.quantity;
  json["theory"] = row.theory;
  json["simulation"] = row.simulation;
  json["difference"] = row.difference;
  json["standard_error"] = row.standard_error;
  json["chance"] = row.chance;
  json["agrees"] = row.agrees(level);
}

void write(const Json& json, const System& system, std::size_t systems) {
  write(json["classification"], system.classification);
  json["relaxation_time"] = system.relaxation_time;
  json["seconds_per_step"] = system.seconds_per_step;
  json["entropy_production"]["theory"] = system.entropy_theory;
  json["entropy_production"]["simulation"] = system.entropy.value;
  json["entropy_production"]["standard_error"] = system.entropy.standard_error;
  for (const Curve& curve : system.curves) write(json["density"][curve.name], curve);
  const ness::Comparison comparison = comparison_of(system, systems);
  for (const auto& row : comparison.rows) {
    const Json document;
    write(document, row, comparison.level());
    json["comparison"].push_back(document);
  }
}

void write(const Json& json, const FoldingStudy& study) {
  json["temperature"] = study.temperature;
  const auto write_fraction = [](const Json& part, const std::vector<Estimate<double>>& found) {
    std::vector<double> value, error;
    for (const auto& each : found) {
      value.push_back(each.value);
      error.push_back(each.standard_error);
    }
    part["simulation"] = value;
    part["standard_error"] = error;
  };
  write_fraction(json["native_fraction"]["free_draining"], study.free_draining);
  write_fraction(json["native_fraction"]["hydrodynamics"], study.hydrodynamics);
}

void write(const Json& json, const Approach& approach) {
  json["eta"] = approach.eta;
  json["beta"] = approach.beta;
  json["einstein_residual"] = approach.residual;
}

}  // namespace

void print(std::ostream& out, const Results& results) {
  out << "Entropy production is measured from trajectories, without their density; 0 in "
         "equilibrium.\n";
  for (const System& system : results.systems) print(out, system, results.systems.size());
  if (results.folding) print(out, *results.folding);
  if (results.trainings) print(out, *results.trainings);
}

Json to_json(const Results& results) {
  const Json json;
  for (const System& system : results.systems)
    write(json[system.key], system, results.systems.size());
  if (results.folding) write(json["folding"], *results.folding);
  if (!results.trainings) return json;
  for (const auto& [name, found] : results.trainings->kinds) write(json["trainings"][name], found);
  write(json["sgld"], results.trainings->approach);
  return json;
}
