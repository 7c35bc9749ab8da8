#include "cumulants.hpp"

#include <algorithm>
#include <cmath>
#include <ness/stationary/entropy_spectrum.hpp>
#include <ostream>
#include <sstream>
#include <utility>

namespace {

std::string name_of(double k) {
  std::ostringstream text;
  text << "mu(" << k << ")";
  return text.str();
}

}  // namespace

std::vector<double> tilts(const std::vector<double>& apart) {
  std::vector<double> k{-0.5};
  for (const double x : apart) {
    k.push_back(-0.5 - x);
    k.push_back(-0.5 + x);
  }
  std::sort(k.begin(), k.end());
  return k;
}

Cumulants predict_cumulants(const ness::StationaryState<double>& state,
                            std::vector<ness::CumulantEstimate> found,
                            const std::vector<ness::CumulantEstimate>& control, int clones) {
  constexpr Eigen::Index points = 41;
  const auto measured = static_cast<Eigen::Index>(found.size());
  Eigen::VectorXd k(points + measured);
  k.head(points).setLinSpaced(-1, 0);
  for (Eigen::Index i = 0; i < measured; ++i) k[points + i] = found[static_cast<std::size_t>(i)].k;
  const Eigen::VectorXd mu = ness::EntropySpectrum(state).cumulant_function(k);
  Cumulants result{.k = {k.begin(), k.begin() + points},
                   .curve = {mu.begin(), mu.begin() + points},
                   .theory = {mu.begin() + points, mu.end()},
                   .found = std::move(found),
                   .bias = {},
                   .clones = clones};
  for (std::size_t i = 0; i < control.size(); ++i) {
    ness::Estimate<double>& rate = result.found[i].rate;
    result.bias.push_back(control[i].rate.value - result.theory[i]);
    rate = ness::detail::difference(rate, {result.bias.back(), control[i].rate.standard_error,
                                           control[i].rate.degrees_of_freedom});
  }
  return result;
}

ness::Comparison compare(const Cumulants& cumulants, double relative_tolerance,
                         double false_alarms) {
  ness::Comparison comparison{.rows = {}, .false_alarms = false_alarms};
  const auto& found = cumulants.found;
  for (std::size_t i = 0; i < found.size(); ++i)
    comparison.rows.push_back(ness::compare_row(name_of(found[i].k), cumulants.theory[i],
                                                found[i].rate, relative_tolerance));
  for (std::size_t i = 0; i < found.size() / 2; ++i) {
    const auto& mirrored = found[found.size() - 1 - i];
    comparison.rows.push_back(
        ness::compare_row(name_of(found[i].k) + " - " + name_of(mirrored.k), 0.0,
                          ness::detail::difference(found[i].rate, mirrored.rate), 0));
  }
  return comparison;
}

void print_clones(std::ostream& out, const Cumulants& cumulants) {
  out << "cloning, " << cumulants.clones << " clones; those that carry the weight, at";
  for (const auto& each : cumulants.found)
    out << (&each == cumulants.found.data() ? " k = " : ", ") << each.k << ": "
        << std::round(each.effective_clones);
  out << "\nso few err, in the Gaussian chain of the same K and D, by";
  for (const double& bias : cumulants.bias)
    out << (&bias == cumulants.bias.data() ? " " : ", ") << bias;
  out << ", which is taken off\n";
}

void write(const Json& json, const Cumulants& cumulants) {
  const Json part = json["cumulants"];
  for (std::size_t i = 0; i < cumulants.found.size(); ++i) {
    const auto& each = cumulants.found[i];
    part["k"].push_back(each.k);
    part["theory"].push_back(cumulants.theory[i]);
    part["simulation"].push_back(each.rate.value);
    part["standard_error"].push_back(each.rate.standard_error);
    part["effective_clones"].push_back(each.effective_clones);
    part["bias"].push_back(cumulants.bias[i]);
  }
}

void draw_cumulants(FigureFolder& folder, const std::string& name, const std::string& title,
                    const Cumulants& cumulants) {
  DataTable curve, found, mirrored;
  for (std::size_t i = 0; i < cumulants.k.size(); ++i)
    curve.row(cumulants.k[i], cumulants.curve[i]);
  for (const auto& each : cumulants.found) {
    found.row(each.k, each.rate.value, each.rate.standard_error);
    mirrored.row(-1 - each.k, each.rate.value);
  }
  folder.data(name + "_theory", curve);
  folder.data(name + "_simulation", found);
  folder.data(name + "_mirrored", mirrored);
  folder.draw(name, "name = '" + name + "'\nset title \"" + title + "\"\n" + R"(
set xlabel 'tilt {/:Italic k}'
set ylabel '{/:Italic μ}({/:Italic k}) = lim log⟨{/:Italic e}^{{/:Italic kσ}}⟩ / {/:Italic t}, per step'
set grid lc rgb '#e0e0e0'
set xrange [-1.05:0.05]
set arrow from -0.5, graph 0 to -0.5, graph 1 nohead dt 3 lc rgb 'black'
set key top center Left reverse opaque samplen 2 font ',15'
plot name.'_theory.dat' with lines lw 2 lc rgb '#c81d1d' title 'theory', \
     name.'_simulation.dat' with yerrorbars pt 7 ps 1.1 lw 1.5 lc rgb '#14336b' title 'cloning', \
     name.'_mirrored.dat' with points pt 6 ps 1.8 lw 1.5 lc rgb '#d9822b' title 'the same at −1 − {/:Italic k}'
)");
}
