#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>
#include <string>

#include "../common/titles.hpp"

namespace {

/// Simulation, theory and standard error of the distinct elements, in units of 10^power.
DataTable elements(const Eigen::MatrixXd& theory, const ness::Estimate<Eigen::MatrixXd>& simulation,
                   bool diagonal, int power) {
  DataTable table;
  const double unit = std::pow(10, power);
  for (Eigen::Index j = 0; j < theory.cols(); ++j)
    for (Eigen::Index i = diagonal ? j : j + 1; i < theory.rows(); ++i)
      table.row(simulation.value(i, j) / unit, theory(i, j) / unit,
                simulation.standard_error(i, j) / unit);
  return table;
}

/// The power of ten of the largest element.
int decade(const Eigen::MatrixXd& matrix) {
  const double largest = matrix.cwiseAbs().maxCoeff();
  return largest > 0 ? static_cast<int>(std::floor(std::log10(largest))) : 0;
}

/// The same range on both axes, which holds all points and error bars, and about four tics.
std::string square_range(const Eigen::MatrixXd& theory,
                         const ness::Estimate<Eigen::MatrixXd>& simulation, double unit) {
  // The error of a run of one batch is not known.
  const Eigen::ArrayXXd error =
      simulation.standard_error.array().isFinite().select(simulation.standard_error, 0);
  const double low =
      std::min(theory.minCoeff(), (simulation.value.array() - error).minCoeff()) / unit;
  const double high =
      std::max(theory.maxCoeff(), (simulation.value.array() + error).maxCoeff()) / unit;
  const double margin = high > low ? 0.08 * (high - low) : 1;
  const double wanted = (high - low + 2 * margin) / 4;
  const double decade = std::pow(10, std::floor(std::log10(wanted)));
  const double digit = wanted / decade;
  std::ostringstream commands;
  commands << "set xrange [" << low - margin << ":" << high + margin << "]\nset yrange ["
           << low - margin << ":" << high + margin << "]\nset xtics "
           << decade * (digit < 1.5   ? 1
                        : digit < 3.5 ? 2
                                      : 5)
           << "\nset ytics "
           << decade * (digit < 1.5   ? 1
                        : digit < 3.5 ? 2
                                      : 5)
           << "\n";
  return commands.str();
}

/// What is drawn of a matrix, and how.
struct Panel {
  std::string name, symbol, title, color;
  bool diagonal;
};

/// Writes the data, and returns the commands.
std::string element_panel(const FigureFolder& folder, const Panel& panel,
                          const Eigen::MatrixXd& theory,
                          const ness::Estimate<Eigen::MatrixXd>& simulation) {
  // In equilibrium the theory of the circulation is 0 but for rounding.
  const int power = std::max(decade(theory), decade(simulation.value));
  folder.data(panel.name, elements(theory, simulation, panel.diagonal, power));
  const std::string unit = "  (10^{" + std::to_string(power) + "})'\n";
  const std::string matrix = "'{/:Italic " + panel.symbol + "}@_{{/:Italic αβ}}^{";
  return "set title '" + panel.title + "'\nset xlabel " + matrix + "sim}   " + unit +
         "set ylabel " + matrix + "th}   " + unit +
         square_range(theory, simulation, std::pow(10, power)) +
         "plot x with lines lw 0.8 lc rgb '#888888' notitle, '" + panel.name +
         ".dat' using 1:2:3 with xerrorbars pt 7 ps 0.8 lc rgb '" + panel.color + "' notitle\n";
}

/// The variance of the simulation along each direction.
DataTable simulated(const Relation& relation, const Eigen::MatrixXd& covariance) {
  DataTable table;
  for (Eigen::Index k = 0; k < relation.variance.size(); ++k) {
    double variance = 0;
    for (Eigen::Index i = 0; i < covariance.rows(); ++i)
      for (Eigen::Index j = 0; j < covariance.cols(); ++j)
        variance += relation.directions(i, k) * covariance(i, j) * relation.directions(j, k);
    table.row(relation.flatness[k], variance);
  }
  return table;
}

/// The relation of the earthquake model where the loss is a parabola of curvature h along each
/// direction: Σ = ½ηζ²h and F² = 8(e − 1)𝓛₀/h.
DataTable parabola(const Minimum& minimum, const Options& options) {
  DataTable table;
  for (const double flatness : {0.1, 10.0}) {
    const double curvature = 8 * (std::numbers::e - 1) * minimum.value / (flatness * flatness);
    table.row(flatness, options.eta * options.zeta * options.zeta * curvature / 2);
  }
  return table;
}

struct CurveStyle {
  std::string title, color, width;
};

/// Mean, median and the band between the quartiles, and at the end the stationary value of theory.
std::string spread_plot(const FigureFolder& folder, const std::string& name,
                        const TrainingCurve& curve, const RelativeError& error,
                        const CurveStyle& style, const Options& options) {
  DataTable table, stationary;
  for (std::size_t k = 0; k < curve.updates.size(); ++k)
    table.row(curve.updates[k], error.mean[k], error.median[k], error.lower_quartile[k],
              error.upper_quartile[k]);
  folder.data(name, table);
  stationary.row(1.02 * static_cast<double>(options.training_steps), error.stationary);
  stationary.row(1.12 * static_cast<double>(options.training_steps), error.stationary);
  folder.data(name + "_stationary", stationary);
  const std::string color = " lc rgb '" + style.color + "' ";
  const std::string file = "'" + name + ".dat' using ($1/unit):";
  return file + "4:5 with filledcurves fs transparent solid 0.25 noborder" + color + "notitle, " +
         file + "2 with lines lw " + style.width + color + "title '" + style.title + ", mean', " +
         file + "3 with lines lw 2 dt (6,4)" + color +
         "title 'median, and band of the quartiles', '" + name +
         "_stationary.dat' using ($1/unit):2 with lines lw 4" + color +
         "title 'stationary value in theory'";
}

}  // namespace

std::string title_of(const std::string& sampling, const Options& options) {
  if (sampling == "earthquake") return earthquake_title(options.eta, options.zeta);
  return minibatch_title(sampling, options.eta, options.batch);
}

void draw_fit(FigureFolder& folder, const Fit& fit) {
  DataTable data, network;
  for (Eigen::Index i = 0; i < fit.x.size(); ++i) data.row(fit.x[i], fit.y[i]);
  for (Eigen::Index k = 0; k < fit.grid.size(); ++k) network.row(fit.grid[k], fit.output[k]);
  folder.data("fig1a_data", data);
  folder.data("fig1a_fit", network);
  folder.draw("fig1a", R"(
set xlabel '{/:Italic x}'
set ylabel '{/:Italic y}'
set key top right samplen 2
set grid lc rgb '#e0e0e0'
plot 'fig1a_data.dat' with points pt 7 ps 0.6 lc rgb '#d62728' title 'data', \
     'fig1a_fit.dat' with lines lw 2.5 lc rgb '#1f4e9c' title 'network {/:Italic f}({/:Italic x}; {/:Italic θ}_0)'
)");
}

void draw_training(FigureFolder& folder, const TrainingCurve& curve, const Options& options) {
  std::string plots = spread_plot(folder, "fig1c_wr", curve, curve.with_replacement,
                                  {"with replacement", "#5aa0e6", "5"}, options);
  if (curve.without_replacement)
    plots += ", \\\n" + spread_plot(folder, "fig1c_wor", curve, *curve.without_replacement,
                                    {"without replacement", "#14336b", "2"}, options);
  std::ostringstream commands;
  const double power = std::floor(std::log10(static_cast<double>(options.training_steps)));
  commands << "unit = 1e" << power << "\nlast = " << options.training_steps
           << "/unit\nset xlabel 'parameter updates  (10^{" << power << "})'\nset title \""
           << options.training_runs
           << " runs from random starts,  {/:Italic η} = " << number_title(options.eta)
           << ",  {/:Italic m} = " << options.batch << "\"\n";
  folder.draw("fig1c", commands.str() + R"(
set logscale y
set format y '10^{%T}'
set xrange [0:last*1.14]
set ylabel 'relative error of the loss,  {/:Italic L}({/:Italic θ}) / {/:Italic L}({/:Italic θ}_0) − 1'
set grid lc rgb '#e0e0e0'
set key bottom left Left reverse samplen 2.5 font ',15'
plot )" + plots + "\n",
              1000, 760);
}

void draw_elements(FigureFolder& folder, const Results& results, const Options& options) {
  const std::string name = "fig3a_" + results.sampling;
  const State& predicted = results.predicted.state;
  const ness::Measurement& measured = results.simulated.measured;
  const Panel covariance{name + "_covariance", "Σ", "covariance", "#1f4e9c", true};
  const Panel circulation{name + "_circulation", "C", "circulation", "#c81d1d", false};
  folder.draw(
      name,
      "set multiplot layout 1,2 title \"" + title_of(results.sampling, options) +
          "\"\nset size square\nset grid lc rgb '#e0e0e0'\n" +
          element_panel(folder, covariance, predicted.covariance(), measured.covariance) +
          element_panel(folder, circulation, predicted.circulation(), measured.circulation) +
          "unset multiplot\n",
      1400, 720);
}

void draw_flatness(FigureFolder& folder, const std::vector<Relation>& relations,
                   const std::vector<Results>& all, const Minimum& minimum,
                   const Options& options) {
  std::string plots;
  bool simulated_any = false;
  for (const Relation& relation : relations) {
    const std::string name = "variance_flatness_" + relation.sampling;
    const std::string color = "lc rgb '" + sampling_color(relation.sampling) + "' ";
    DataTable theory;
    for (Eigen::Index k = 0; k < relation.variance.size(); ++k)
      theory.row(relation.flatness[k], relation.variance[k]);
    folder.data(name + "_theory", theory);
    plots += std::string(plots.empty() ? "plot '" : ", '") + name +
             "_theory.dat' with points pt 6 ps 2 lw 1.5 " + color + "title '" +
             sampling_title(relation.sampling) + "'";
    for (const Results& results : all) {
      if (results.sampling != relation.sampling) continue;
      simulated_any = true;
      folder.data(name + "_simulation",
                  simulated(relation, results.simulated.measured.covariance.value));
      plots += ", '" + name + "_simulation.dat' with points pt 7 ps 0.9 " + color + "notitle";
    }
  }
  if (plots.empty()) return;
  folder.data("variance_flatness_parabola", parabola(minimum, options));
  plots += ", '" +
           std::string("variance_flatness_parabola.dat' with lines dt (8,5) lw 1.2 lc rgb '") +
           sampling_color("earthquake") + "' title 'earthquake model, parabola'";
  if (simulated_any) plots += ", NaN with points pt 7 ps 0.9 lc rgb 'black' title 'simulation'";
  folder.draw("variance_flatness",
              "set title \"{/:Italic η} = " + number_title(options.eta) +
                  ",  {/:Italic m} = " + std::to_string(options.batch) +
                  ",  {/:Italic ζ} = " + number_title(options.zeta) + "\"\n" + R"(
set logscale xy
set xrange [0.1:10]
set format x '10^{%T}'
set format y '10^{%T}'
set xlabel 'flatness {/:Italic F} of the loss along an eigenvector of Σ'
set ylabel 'variance along it'
set grid lc rgb '#e0e0e0'
set key outside right top Left reverse samplen 2 font ',15'
)" + plots + "\n",
              1150, 700);
}

void draw_approach(FigureFolder& folder, const Approach& approach, const Options& options) {
  const std::vector<std::string> colors{"#14336b", "#5aa0e6", "#2a9d5c", "#8e44ad",
                                        "#e08a00", "#c81d1d", "#555555"};
  std::string plots;
  for (Eigen::Index k = 0; k < approach.curvature.size(); ++k) {
    const std::string name = "stationarity_" + std::to_string(k + 1);
    DataTable table;
    for (std::size_t t = 0; t < approach.times.size(); ++t)
      table.row(approach.times[t], approach.farthest(k, static_cast<Eigen::Index>(t)));
    folder.data(name, table);
    plots += std::string(k == 0 ? "plot '" : ", '") + name + ".dat' with lines lw " +
             (k < 2 ? "3" : "1.3") + " lc rgb '" +
             colors[static_cast<std::size_t>(k) % colors.size()] +
             "' title '{/:Italic h} = " + std::to_string(std::llround(approach.curvature[k])) + "'";
  }
  std::ostringstream level;
  level << approach.level;
  folder.draw("stationarity",
              "set title \"" + std::to_string(approach.runs) + " runs from " +
                  number_title(approach.start) +
                  " standard deviations away,  {/:Italic η} = " + number_title(options.eta) +
                  ",  {/:Italic m} = " + std::to_string(options.batch) + "\"\n" + R"(
set yrange [0:*]
set xrange [0:6]
set xlabel 'time  (slowest relaxation time)'
set ylabel 'farthest of the runs  (standard deviations)'
set grid lc rgb '#e0e0e0'
set key outside right top Left reverse samplen 2 font ',15'
)" + plots + ", " +
                  level.str() +
                  " with lines dt (8,5) lw 1.5 lc rgb 'black' title 'passed once in 1000'\n",
              1150, 700);
}
