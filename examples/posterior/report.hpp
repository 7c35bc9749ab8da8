// The results: a table for people and JSON for machines.
#pragma once

#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

#include "../common/json.hpp"
#include "study.hpp"

inline double divergence_in_theory(const Point& point) { return point.theory.divergence.value; }
inline double exact_divergence(const Point& point) { return point.exact.divergence.value; }

inline std::string verdict(bool passes) { return passes ? "pass" : "FAIL"; }

inline void print_number(std::ostream& out, double value, int width = 11) {
  std::ostringstream text;
  if (std::isfinite(value))
    text << std::setprecision(3) << value;
  else
    text << '-';
  out << std::setw(width) << text.str();
}

inline void print_point(std::ostream& out, const Point& point) {
  print_number(out, point.eta, 10);
  print_number(out, point.theory.divergence.value);
  print_number(out, point.exact.divergence.value);
  print_number(out, point.exact.divergence.standard_error);
  if (point.run && point.run->diverged) {
    out << "   diverges" << std::string(22, ' ');
  } else if (point.run) {
    print_number(out, point.run->error.divergence.value);
    print_number(out, point.run->error.chance);
    print_number(out, point.run->error.divergence.standard_error);
  }
  if (point.run) {
    print_number(out, point.gradients_per_sample);
    out << "  " << verdict(point.agrees());
  }
  out << '\n';
}

inline void print(std::ostream& out, const SamplerResults& sampler, bool runs) {
  out << '\n'
      << sampler.title << "  (" << sampler.key << ", " << sampler.gradients_per_step
      << " gradients of samples a Markov step)\n"
      << std::setw(10) << "eta" << std::setw(11) << "theory" << std::setw(11) << "exact"
      << std::setw(11) << "std. err.";
  if (runs)
    out << std::setw(11) << "simulation" << std::setw(11) << "chance" << std::setw(11)
        << "std. err." << std::setw(11) << "cost";
  out << '\n';
  for (const Point& point : sampler.points) print_point(out, point);
}

/// One line "what  value  rule  pass".
inline void print_check(std::ostream& out, const std::string& what, double value,
                        const std::string& rule, bool passes) {
  out << std::left << std::setw(64) << what << std::right << std::setw(10) << std::setprecision(3)
      << value << "  " << std::left << std::setw(14) << rule << std::right << verdict(passes)
      << '\n';
}

inline void print_slopes(std::ostream& out, const Results& results) {
  constexpr double from = 1e-8;
  constexpr double to = 1e-6;
  out << "\nslopes, log(divergence) against log(eta) from " << from << " to " << to << '\n'
      << std::left << std::setw(28) << "" << std::right << std::setw(11) << "theory"
      << std::setw(11) << "exact" << '\n';
  for (const SamplerResults& sampler : results.samplers) {
    const auto theory = fitted_slope(sampler.points, from, to, divergence_in_theory);
    const auto exact = fitted_slope(sampler.points, from, to, exact_divergence);
    out << std::left << std::setw(28) << sampler.title << std::right;
    print_number(out, theory.value_or(NAN));
    print_number(out, exact.value_or(NAN));
    const double expected = sampler.key == "sgld" ? 2 : sampler.key == "sgworld" ? 6 : NAN;
    if (theory && std::isfinite(expected))
      out << "  theory must be " << expected << " +- 0.1  "
          << verdict(std::abs(*theory - expected) <= 0.1);
    out << '\n';
  }
}

/// Does the corrected sampler with Leimkuhler–Matthews noise do what Fig. 6 promises of SGWORLD?
inline void print_promise(std::ostream& out, const Results& results) {
  constexpr double least = 3e-7;
  constexpr double most = 4e-6;
  constexpr double margin = 1 + 1e-9;  // η may be rounded
  out << '\n';
  for (std::size_t k = 0; k < results.samplers.front().points.size(); ++k) {
    const Point& best = results["sgworld_lm"].points[k];
    std::ostringstream at;
    at << " at eta = " << best.eta;
    if (best.eta * margin < least || best.eta > most * margin) continue;
    const double to_theory =
        best.exact.divergence.value / results["sgworld"].points[k].theory.divergence.value;
    print_check(out, "sgworld_lm, exact / theory of SGWORLD" + at.str(), to_theory, "in 0.5 ... 2",
                to_theory > 0.5 && to_theory < 2);
    if (best.eta > least * margin) continue;
    const double gain =
        results["sgld"].points[k].exact.divergence.value / best.exact.divergence.value;
    print_check(out, "SGLD / sgworld_lm, both exact" + at.str(), gain, "over 1000", gain > 1000);
  }
}

inline void print(std::ostream& out, const Options& options, const Objective& objective,
                  const Results& results) {
  const Eigen::IOFormat row(6, Eigen::DontAlignCols, " ", " ");
  out << "posterior of a linear regression, N = 3, M = " << objective.samples()
      << ", m = " << options.batch << ", lambda = " << options.lambda << '\n'
      << "mean theta_0             " << results.minimum.theta.transpose().format(row) << '\n'
      << "Hessian eigenvalues      " << results.minimum.hessian_eigenvalues.transpose().format(row)
      << "\n\nDivergence from the posterior in bits. Theory is that of continuous time (Eqs. "
         "44-47, Fig. 6), exact the\nsecond moment of the real chain; a dash: no stationary state. "
         "Runs "
         "cost all samplers the same number of\ngradients. Chance is what it alone would make of a "
         "perfect sampler; a run agrees within 3 standard errors of\nexact + chance. Cost is "
         "gradients of single samples for each effective draw in the slowest direction.\n";
  for (const SamplerResults& sampler : results.samplers) print(out, sampler, options.steps > 0);
  print_slopes(out, results);
  print_promise(out, results);
}

/// A number, or null where there is none.
inline nlohmann::json number_or_null(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

template <class Quantity>
nlohmann::json of_points(const std::vector<Point>& points, const Quantity& quantity) {
  nlohmann::json array = nlohmann::json::array();
  for (const Point& point : points) array.push_back(number_or_null(quantity(point)));
  return array;
}

inline nlohmann::json to_json(const SamplerResults& sampler, bool runs) {
  const auto& points = sampler.points;
  nlohmann::json json;
  json["theory"] = of_points(points, divergence_in_theory);
  json["exact"] = of_points(points, exact_divergence);
  json["exact_standard_error"] =
      of_points(points, [](const Point& p) { return p.exact.divergence.standard_error; });
  json["gradients_per_markov_step"] = sampler.gradients_per_step;
  if (!runs) return json;
  const auto of_runs = [&](const auto& quantity) {
    return of_points(points, [&](const Point& p) { return p.run->diverged ? NAN : quantity(p); });
  };
  json["simulation"] = of_runs([](const Point& p) { return p.run->error.divergence.value; });
  json["standard_error"] =
      of_runs([](const Point& p) { return p.run->error.divergence.standard_error; });
  json["chance"] = of_runs([](const Point& p) { return p.run->error.chance; });
  json["effective_samples"] = of_runs([](const Point& p) { return p.run->effective_samples; });
  json["gradients_per_effective_sample"] =
      of_runs([](const Point& p) { return p.gradients_per_sample; });
  return json;
}

inline nlohmann::json to_json(const Options& options, const Results& results) {
  nlohmann::json json;
  json["eta"] = options.eta;
  json["theta0"] = to_json_array(results.minimum.theta);
  json["hessian_eigenvalues"] = to_json_array(results.minimum.hessian_eigenvalues);
  for (const SamplerResults& sampler : results.samplers)
    json["kl"][sampler.key] = to_json(sampler, options.steps > 0);
  return json;
}
