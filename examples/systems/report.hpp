// Tables for readers, and JSON for machines.
#pragma once

#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "../common/json.hpp"
#include "study.hpp"

/// Equilibrium makes no entropy: zero within two standard errors, and little beside the gyrator's.
inline bool makes_no_entropy(const System& system, const Results& results) {
  bool little = true;
  for (const System& other : results.systems)
    if (other.key == "gyrator" && other.entropy_theory > 0)
      little = std::abs(system.entropy.value) < 1e-3 * other.entropy_theory;
  return little && std::abs(system.entropy.value) <= 2 * system.entropy.standard_error;
}

inline void print(std::ostream& out, const ness::Classification& found) {
  out << "Einstein relation        beta = " << found.einstein.beta << " leaves "
      << 100 * found.einstein.residual << " % of mu\n"
      << "divergence condition     div D is " << found.divergence << " of the drift";
  if (std::isfinite(found.weighted_divergence)) out << ", (div GD)/G " << found.weighted_divergence;
  out << '\n';
}

inline void print(std::ostream& out, const System& system, const Results& results) {
  out << '\n' << system.title << ": " << to_string(system.classification.kind) << '\n';
  print(out, system.classification);
  out << "relaxation               " << system.relaxation_time << " steps, "
      << 1e9 * system.seconds_per_step << " ns each\n"
      << "entropy production       " << system.entropy.value << " +- "
      << system.entropy.standard_error << " per relaxation time, theory " << system.entropy_theory;
  if (system.entropy_theory == 0) out << (makes_no_entropy(system, results) ? "  pass" : "  FAIL");
  out << '\n';
  for (const Curve& curve : system.curves)
    out << "density of " << curve.variable << ", " << curve.title << ": " << curve.bins()
        << " bins of over 100 states, the largest deviation is " << std::setprecision(3)
        << curve.worst() << std::setprecision(6) << " standard errors"
        << (curve.worst() <= 3 ? "  pass" : "  FAIL") << '\n';
  out << '\n' << ness::Comparison{system.rows};
}

inline void print(std::ostream& out, const Results& results) {
  out << "Entropy production is measured from trajectories, without their density; 0 in "
         "equilibrium.\n";
  for (const System& system : results.systems) print(out, system, results);
  if (results.trainings.empty()) return;
  out << "\nWays of training, around the minimum\n";
  for (const auto& [name, found] : results.trainings)
    out << std::left << std::setw(26) << name << to_string(found.kind)
        << ", beta = " << found.einstein.beta << " leaves " << 100 * found.einstein.residual
        << " % of mu\n"
        << std::right;
  out << "\nSGLD becomes Boltzmann as eta -> 0\n         eta        beta    left of mu\n";
  const Approach& approach = results.approach;
  for (std::size_t k = 0; k < approach.eta.size(); ++k)
    out << std::setw(12) << approach.eta[k] << std::setw(12) << approach.beta[k] << std::setw(14)
        << approach.residual[k] << '\n';
}

inline nlohmann::json to_json(const ness::Classification& found) {
  nlohmann::json json;
  json["kind"] = std::string(to_string(found.kind));
  json["beta"] = found.einstein.beta;
  json["einstein_residual"] = found.einstein.residual;
  json["divergence"] = found.divergence;
  if (std::isfinite(found.weighted_divergence))
    json["weighted_divergence"] = found.weighted_divergence;
  return json;
}

inline nlohmann::json to_json(const System& system) {
  nlohmann::json json;
  json["classification"] = to_json(system.classification);
  json["relaxation_time"] = system.relaxation_time;
  json["seconds_per_step"] = system.seconds_per_step;
  json["entropy_production"] = {{"theory", system.entropy_theory},
                                {"simulation", system.entropy.value},
                                {"standard_error", system.entropy.standard_error}};
  for (const Curve& curve : system.curves)
    json["density"][curve.name] = {
        {"lower", curve.axis.lower},
        {"upper", curve.axis.upper},
        {"theory", to_json_array(curve.theory.matrix())},
        {"simulation", to_json_array(curve.measured.value.matrix())},
        {"standard_error", to_json_array(curve.measured.standard_error.matrix())}};
  for (const auto& row : system.rows)
    json["comparison"].push_back({{"quantity", row.quantity},
                                  {"theory", row.theory},
                                  {"simulation", row.simulation},
                                  {"difference", row.difference},
                                  {"standard_error", row.standard_error},
                                  {"agrees", row.agrees()}});
  return json;
}

inline nlohmann::json to_json(const Results& results) {
  nlohmann::json json;
  for (const System& system : results.systems) json[system.key] = to_json(system);
  for (const auto& [name, found] : results.trainings) json["trainings"][name] = to_json(found);
  if (!results.approach.eta.empty())
    json["sgld"] = {{"eta", results.approach.eta},
                    {"beta", results.approach.beta},
                    {"einstein_residual", results.approach.residual}};
  return json;
}
