#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

namespace {

/// The same colour for a sampler in all pictures; solid lines without, dashed with replacement.
std::string sampler_color(const std::string& key) {
  if (key == "sgld") return "'#c81d1d'";
  if (key == "sgworld") return "'#1f4e9c'";
  if (key == "sgworld_uncorrected") return "'#2a9d5c'";
  if (key == "sgld_without_replacement") return "'#d9822b'";
  if (key == "sgworld_lm_uncorrected") return "'#8e44ad'";
  if (key == "sgworld_lm") return "'#111111'";
  if (key == "sgworld_lm_there_and_back") return "'#c2a5cf'";
  if (key == "ubu") return "'#f4a582'";
  if (key == "ubu_there_and_back") return "'#00838f'";
  if (key == "baoab_there_and_back") return "'#66c2a5'";
  if (key == "full_batch") return "'#888888'";
  return "'#bbbbbb'";
}

/// The axes of Fig. 6, one pair for both of its pictures.
std::string divergence_axes(const std::string& x_title) {
  return "set logscale xy\nset format y '10^{%T}'\nset format x '10^{%T}'\nset xlabel '" + x_title +
         R"('
set ylabel 'divergence from the posterior (bits)'
set grid lc rgb '#e0e0e0'
)";
}

}  // namespace

void draw_figure6(FigureFolder& folder, const Results& results, const Options& options) {
  std::string plots;
  for (const std::string key : {"sgld", "sgworld_uncorrected", "sgworld"}) {
    const SamplerResults& sampler = results[key];
    DataTable table;
    for (const Point& point : sampler.curve)
      if (point.theory.divergence.value > 0) table.row(point.eta, point.theory.divergence.value);
    folder.data("fig6_theory_" + key, table);
    plots += std::string(plots.empty() ? "" : ", ") + "'fig6_theory_" + key +
             ".dat' with lines lw 3 lc rgb " + sampler_color(key) + " title '" + sampler.title +
             "'";
  }
  const auto [least, most] = std::minmax_element(options.eta.begin(), options.eta.end());
  std::ostringstream range;
  range << "set xrange [" << *least / 1.2 << ":" << *most * 1.2 << "]\nset yrange [1e-17:1e2]\n";
  folder.draw("fig6_theory", divergence_axes("learning rate {/:Italic η}") + range.str() + R"(
set title 'theory of continuous time (Fig. 6)'
set key bottom right Left reverse samplen 2
plot )" + plots + "\n");

  plots.clear();
  for (const SamplerResults& sampler : results.samplers) {
    DataTable exact, runs;
    for (const Point& point : sampler.points) {
      if (point.exact.divergence.value > 1e-20) exact.row(point.eta, point.exact.divergence.value);
      if (!point.run || point.run->diverged) continue;
      // What chance alone makes is no measurement.
      const double net = point.run->error.divergence.value - point.run->error.chance;
      if (net > 3 * point.run->error.divergence.standard_error)
        runs.row(point.eta, net, point.run->error.divergence.standard_error);
    }
    const std::string name = "fig6_measured_" + sampler.key;
    folder.data(name, exact);
    folder.data(name + "_runs", runs);
    if (exact.empty()) continue;  // exact, or never stationary
    plots += (plots.empty() ? "" : ", ") + ("'" + name + ".dat' with lines lw 2.5 lc rgb ") +
             sampler_color(sampler.key) + " title '" + sampler.title + "'";
    if (!runs.empty())
      plots += ", '" + name + "_runs.dat' with yerrorbars pt 7 ps 0.9 lc rgb " +
               sampler_color(sampler.key) + " notitle";
  }
  plots +=
      ", 'fig6_theory_sgworld.dat' with lines lw 2 dt 2 lc rgb '#1f4e9c' title 'SGWORLD in "
      "theory'";
  folder.draw("fig6_measured", divergence_axes("learning rate {/:Italic η}") + range.str() + R"(
set title 'what the algorithms do: exact moments (lines), runs (points)'
set key outside right top Left reverse samplen 2 font ',15'
plot )" + plots + "\n",
              1250, 700);
}

void draw_cost(FigureFolder& folder, const Results& results) {
  std::string plots;
  for (const SamplerResults& sampler : results.samplers) {
    DataTable table;
    for (const Point& point : sampler.points)
      if (point.exact.divergence.value > 1e-20) table.row(point.cost, point.exact.divergence.value);
    if (table.empty()) continue;
    folder.data("cost_" + sampler.key, table);
    plots += (plots.empty() ? "" : ", ") +
             ("'cost_" + sampler.key +
              ".dat' with linespoints pt 7 "
              "ps 0.8 lw 2 lc rgb ") +
             sampler_color(sampler.key) + " title '" + sampler.title + "'";
  }
  if (plots.empty()) return;
  folder.draw("cost", divergence_axes("gradients of single samples for each effective draw") + R"(
set yrange [1e-17:1e2]
set title 'what a draw costs, and how far it is from the posterior'
set key outside right top Left reverse samplen 2 font ',15'
plot )" + plots + "\n",
              1250, 700);
}
