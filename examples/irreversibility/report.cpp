#include "report.hpp"

#include <algorithm>
#include <iomanip>
#include <ostream>

namespace {

std::ostream& operator<<(std::ostream& out, const Estimate<double>& estimate) {
  return out << std::setw(11) << estimate.value << " +- " << std::left << std::setw(10)
             << estimate.standard_error << std::right;
}

void print_bounds(std::ostream& out, const Results& results) {
  const bool known = !std::isnan(results.exact);
  out << "\nlower bounds on the entropy production per " << results.unit << ", from states alone\n"
      << "   lag        time   uncertainty relation         Donsker and Varadhan         ceiling"
      << (known ? "       exact of pairs\n" : "\n");
  for (const Bounds& row : results.bounds) {
    out << std::setw(6) << row.lag << std::setw(12)
        << static_cast<double>(row.lag) * results.time_step << row.uncertainty << "  "
        << row.entropy << std::setw(12) << row.ceiling;
    if (!std::isnan(row.exact)) out << std::setw(16) << row.exact;
    out << '\n';
  }
}

void print_exact(std::ostream& out, const Results& results) {
  if (std::isnan(results.exact)) return;
  out << "entropy production       " << results.exact << " of the steps as they are, "
      << results.continuous << " of short ones (Eq. 29), per " << results.unit << '\n';
  if (!std::isnan(results.of_path))
    out << "with a memory            that is of pairs, which know speed besides place, and no "
           "rate: "
           "paths have "
        << results.of_path << " per " << results.unit << '\n';
}

void print_frequencies(std::ostream& out, const Results& results) {
  const auto& found = results.frequencies;
  if (found.value.size() == 0) return;
  out << "\ncycling frequencies, radians per " << results.unit << '\n';
  for (Eigen::Index k = 0; k < std::min<Eigen::Index>(5, found.value.size()); ++k) {
    out << std::setw(6) << k + 1 << std::setw(12 + 11) << found.value[k] << " +- " << std::left
        << std::setw(10) << found.standard_error[k] << std::right;
    if (k < results.predicted_frequencies.size())
      out << "  theory " << results.predicted_frequencies[k];
    out << '\n';
  }
}

void print_pairs(std::ostream& out, const Spectrum& spectrum) {
  if (spectrum.pairs.size() == 0) return;
  Eigen::Index i = 0, j = 0;
  const double most = spectrum.pairs.maxCoeff(&i, &j);
  out << "of it between            directions " << std::min(i, j) + 1 << " and "
      << std::max(i, j) + 1 << " of the Hessian, from flat to steep: " << 200 * most << " %\n";
}

void print_finite_steps(std::ostream& out, const FiniteSteps& table, double exact_over_leading) {
  out << "\nlearning rate   entropy production, exact in steps, over Eq. 29\n";
  for (std::size_t k = 0; k < table.eta.size(); ++k)
    out << std::setw(13) << table.eta[k] << std::setw(14) << table.ratio[k] << '\n';
  out << "here" << std::setw(23) << exact_over_leading << '\n';
}

/// The training is the last of them.
void print_between(std::ostream& out, const std::vector<Between>& chains, const Bounds& training) {
  out << "\nlower bounds at lag " << std::left << std::setw(24) << training.lag << std::right
      << "    uncertainty relation         Donsker and Varadhan\n";
  const auto line = [&](const std::string& name, const Estimate<double>& uncertainty,
                        const Estimate<double>& entropy) {
    out << std::left << std::setw(44) << name << std::right << uncertainty << "  " << entropy
        << '\n';
  };
  for (const Between& row : chains) line(row.chain, row.uncertainty, row.entropy);
  line("loss, minibatches", training.uncertainty, training.entropy);
}

void print_verdict(std::ostream& out, const Results& results) {
  if (!results.rows.empty()) {
    out << '\n' << ness::Comparison{.rows = results.rows};
    return;
  }
  const Estimate<double>& bound = results.bounds.front().uncertainty;
  const double errors = bound.value / bound.standard_error;
  out << "\nthe first bound is " << errors << " standard errors above 0: "
      << (errors > 4 ? "irreversible\n" : "no sign of irreversibility\n");
}

void write_estimate(const Json& json, const std::string& name, const Estimate<double>& estimate) {
  json[name]["value"] = estimate.value;
  json[name]["standard_error"] = estimate.standard_error;
}

void write(const Json& json, const Map& map) {
  const auto axis = [&](const std::string& name, const ness::Axis& of) {
    json[name]["lower"] = of.lower;
    json[name]["upper"] = of.upper;
  };
  axis("x", map.x);
  axis("y", map.y);
  json["density"] = map.density.matrix();
  json["current_x"] = map.current_x.matrix();
  json["current_y"] = map.current_y.matrix();
}

void write_entropy(const Json& json, const Results& results) {
  const Bounds& first = results.bounds.front();
  json["exact"] = results.exact;
  json["exact_of_short_steps"] = results.continuous;
  json["exact_of_paths"] = results.of_path;
  json["uncertainty_bound"] = first.uncertainty.value;
  json["standard_error"] = first.uncertainty.standard_error;
  json["entropy_bound"] = first.entropy.value;
  json["entropy_bound_standard_error"] = first.entropy.standard_error;
  json["ceiling"] = first.ceiling;
}

}  // namespace

void print(std::ostream& out, const Results& results) {
  const auto digits = out.precision(4);
  out << results.title << ": " << results.parameters
      << (results.parameters == 1 ? " coordinate, " : " coordinates, ") << std::setprecision(8)
      << results.steps << std::setprecision(4) << " steps of " << results.time_step << '\n';
  print_exact(out, results);
  if (results.spectrum) print_pairs(out, *results.spectrum);
  print_bounds(out, results);
  print_frequencies(out, results);
  if (results.finite_steps)
    print_finite_steps(out, *results.finite_steps, results.exact / results.continuous);
  if (!results.between.empty()) print_between(out, results.between, results.bounds.front());
  print_verdict(out, results);
  out.precision(digits);
}

Json to_json(const Results& results) {
  const Json json;
  json["system"] = results.key;
  json["unit"] = results.unit;
  json["time_step"] = results.time_step;
  json["steps"] = results.steps;
  json["parameters"] = static_cast<std::int64_t>(results.parameters);
  write_entropy(json["entropy_production"], results);
  for (const Bounds& row : results.bounds) {
    const Json document;
    document["lag"] = row.lag;
    write_estimate(document, "uncertainty_bound", row.uncertainty);
    write_estimate(document, "entropy_bound", row.entropy);
    document["ceiling"] = row.ceiling;
    document["exact"] = row.exact;
    json["lags"].push_back(document);
  }
  if (results.frequencies.value.size() > 0) {
    json["cycling_frequencies"]["value"] = results.frequencies.value;
    json["cycling_frequencies"]["standard_error"] = results.frequencies.standard_error;
    if (results.predicted_frequencies.size() > 0)
      json["cycling_frequencies"]["theory"] = results.predicted_frequencies;
  }
  if (results.plane.axes.size() > 0) json["plane"] = results.plane.axes;
  if (results.fit) {
    json["current"]["chi_square"] = results.fit->chi_square;
    json["current"]["degrees_of_freedom"] = static_cast<std::int64_t>(results.fit->freedom);
    json["current"]["chance"] = results.fit->chance;
  }
  if (results.measured) write(json["map"], *results.measured);
  if (results.predicted) write(json["predicted_map"], *results.predicted);
  if (results.finite_steps) {
    json["finite_step"]["eta"] = results.finite_steps->eta;
    json["finite_step"]["ratio"] = results.finite_steps->ratio;
  }
  for (const Between& row : results.between) {
    const Json document;
    document["chain"] = row.chain;
    write_estimate(document, "uncertainty_bound", row.uncertainty);
    write_estimate(document, "entropy_bound", row.entropy);
    json["between"].push_back(document);
  }
  const ness::Comparison comparison{.rows = results.rows};
  for (const auto& row : results.rows) {
    const Json document;
    document["quantity"] = row.quantity;
    document["theory"] = row.theory;
    document["simulation"] = row.simulation;
    document["standard_error"] = row.standard_error;
    document["chance"] = row.chance;
    document["agrees"] = row.agrees(comparison.level());
    json["comparison"].push_back(document);
  }
  return json;
}
