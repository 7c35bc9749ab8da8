#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ness/compare.hpp>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>

#include "../common/reports.hpp"

namespace {

double divergence_in_theory(const Point& point) { return point.theory.divergence.value; }
double exact_divergence(const Point& point) { return point.exact.divergence.value; }

std::string verdict(bool passes) { return passes ? "pass" : "FAIL"; }

void print_number(std::ostream& out, double value, int width = 11) {
  std::ostringstream text;
  if (std::isfinite(value))
    text << std::setprecision(3) << value;
  else
    text << '-';
  out << std::setw(width) << text.str();
}

void print_point(std::ostream& out, const Point& point, double level) {
  print_number(out, point.eta, 10);
  print_number(out, point.theory.divergence.value);
  print_number(out, point.exact.divergence.value);
  print_number(out, point.exact.divergence.standard_error);
  print_number(out, point.cost);
  if (point.run && point.run->diverged) {
    out << "   diverges" << std::string(22, ' ');
  } else if (point.run) {
    print_number(out, point.run->error.divergence.value);
    print_number(out, point.run->error.chance);
    print_number(out, point.run->error.divergence.standard_error);
  }
  if (point.run) {
    print_number(out, point.gradients_per_sample);
    out << "  " << (point.run->too_short ? "short" : verdict(point.chance() >= level));
  }
  out << '\n';
}

void print(std::ostream& out, const SamplerResults& sampler, bool runs, double level) {
  out << '\n'
      << sampler.title << "  (" << sampler.key << ", " << sampler.gradients_per_step
      << " gradients of samples a Markov step)\n"
      << std::setw(10) << "eta" << std::setw(11) << "theory" << std::setw(11) << "exact"
      << std::setw(11) << "std. err." << std::setw(11) << "cost";
  if (runs)
    out << std::setw(11) << "simulation" << std::setw(11) << "chance" << std::setw(11)
        << "std. err." << std::setw(11) << "cost";
  out << '\n';
  for (const Point& point : sampler.points) print_point(out, point, level);
}

/// One line "what  value  rule  pass".
void print_check(std::ostream& out, const std::string& what, double value, const std::string& rule,
                 bool passes) {
  out << std::left << std::setw(64) << what << std::right << std::setw(10) << std::setprecision(3)
      << value << "  " << std::left << std::setw(14) << rule << std::right << verdict(passes)
      << '\n';
}

/// The slope of log(divergence) against log(η) by least squares over η in [from, to]; none where
/// there are fewer than two points.
template <class Divergence>
std::optional<double> fitted_slope(const std::vector<Point>& points, double from, double to,
                                   const Divergence& divergence) {
  std::vector<Eigen::Vector2d> logarithms;
  constexpr double margin = 1 + 1e-9;  // η may be rounded
  constexpr double rounding = 1e-30;   // what is less is 0
  for (const Point& point : points)
    if (point.eta * margin >= from && point.eta <= to * margin && divergence(point) > rounding)
      logarithms.emplace_back(std::log(point.eta), std::log(divergence(point)));
  Eigen::Vector2d mean = Eigen::Vector2d::Zero();
  for (const auto& at : logarithms) mean += at / static_cast<double>(logarithms.size());
  double spread = 0;
  double together = 0;
  for (const auto& at : logarithms) {
    spread += std::pow(at[0] - mean[0], 2);
    together += (at[0] - mean[0]) * (at[1] - mean[1]);
  }
  if (!(spread > 0)) return {};
  return together / spread;
}

void print_slopes(std::ostream& out, const Results& results) {
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
void print_promise(std::ostream& out, const Results& results) {
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

/// What is not finite becomes null.
template <class Quantity>
std::vector<double> of_points(const std::vector<Point>& points, const Quantity& quantity) {
  std::vector<double> values;
  for (const Point& point : points) values.push_back(quantity(point));
  return values;
}

void write(const Json& json, const SamplerResults& sampler, bool runs) {
  const auto& points = sampler.points;
  json["theory"] = of_points(points, divergence_in_theory);
  json["exact"] = of_points(points, exact_divergence);
  json["exact_standard_error"] =
      of_points(points, [](const Point& p) { return p.exact.divergence.standard_error; });
  json["gradients_per_markov_step"] = sampler.gradients_per_step;
  if (!runs) return;
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
}

/// Of a run against exact moments, which may have an error of their own.
template <class Value>
double chance_of(const ness::Estimate<Value>& exact, const ness::Estimate<Value>& run) {
  const auto variance = exact.standard_error.cwiseAbs2() + run.standard_error.cwiseAbs2();
  const ness::Estimate<Value> both{run.value, variance.cwiseSqrt(), run.degrees_of_freedom};
  return ness::compare_row("", exact.value, both, 0).chance;
}

}  // namespace

double Point::chance() const {
  const bool stationary = exact.status == ness::SamplingStatus::stationary;
  if (run->diverged || !stationary) return run->diverged != stationary ? 1 : 0;
  const double mean = chance_of(exact.mean_shift, run->error.mean_shift);
  const double covariance = chance_of(exact.covariance_excess, run->error.covariance_excess);
  return std::min(1.0, 2 * std::min(mean, covariance));
}

double Results::level() const {
  double points = 0;
  for (const SamplerResults& sampler : samplers)
    points += static_cast<double>(sampler.points.size());
  return 1e-3 / points;
}

const SamplerResults& Results::operator[](const std::string& key) const {
  return *std::find_if(samplers.begin(), samplers.end(),
                       [&](const SamplerResults& sampler) { return sampler.key == key; });
}

void print(std::ostream& out, const Options& options, const Results& results) {
  out << "posterior of a linear regression, N = 3, M = " << results.samples
      << ", m = " << options.batch << ", lambda = " << options.lambda << '\n'
      << "mean theta_0             " << in_row(results.minimum.theta, 6) << '\n'
      << "Hessian eigenvalues      " << in_row(results.minimum.hessian_eigenvalues, 6) << R"(

Divergence from the posterior in bits. Theory is that of continuous time (Eqs. 44-47, Fig. 6), exact the
second moment of the real chain; a dash: no stationary state, or no theory. Kinetic samplers (UBU, BAOAB) take
the step eta sqrt(h_min), with which an e-fold takes as many updates. Cost is gradients of single samples for
each effective draw in the slowest direction, by the mean of the updates and as a run shows it. Runs cost all
samplers the same number of gradients. Chance is what it alone would make of a perfect sampler. A run passes
where its mean and covariance agree with the exact ones; one table in 1000 has a false alarm; short: a run too
short to tell.
)";
  for (const SamplerResults& sampler : results.samplers)
    print(out, sampler, options.steps > 0, results.level());
  print_slopes(out, results);
  print_promise(out, results);
}

Json to_json(const Options& options, const Results& results) {
  const Json json;
  json["eta"] = options.eta;
  json["theta0"] = results.minimum.theta;
  json["hessian_eigenvalues"] = results.minimum.hessian_eigenvalues;
  for (const SamplerResults& sampler : results.samplers) {
    write(json["kl"][sampler.key], sampler, options.steps > 0);
    json["cost"][sampler.key] =
        of_points(sampler.points, [](const Point& point) { return point.cost; });
  }
  return json;
}
