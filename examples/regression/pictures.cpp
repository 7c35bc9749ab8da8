#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <string>

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

std::string element_panel(const std::string& file, const std::string& symbol, int power,
                          const std::string& title, const std::string& color) {
  const std::string unit = "  (10^{" + std::to_string(power) + "})'\n";
  const std::string matrix = "'{/:Italic " + symbol + "}@_{{/:Italic αβ}}^{";
  return "set title '" + title + "'\nset xlabel " + matrix + "sim}   " + unit + "set ylabel " +
         matrix + "th}   " + unit + "plot x with lines lw 0.8 lc rgb '#888888' notitle, '" + file +
         "' using 1:2:3 with xerrorbars pt 7 ps 0.8 lc rgb '" + color + "' notitle\n";
}

/// How a way of sampling is shown.
struct Style {
  std::string title, color;
};

Style style_of(const std::string& sampling) {
  if (sampling == "wr") return {"with replacement", "#1f4e9c"};
  if (sampling == "wor") return {"without replacement", "#2a9d5c"};
  return {"earthquake", "#c81d1d"};
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

}  // namespace

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
  const bool both = !curve.without_replacement.empty();
  DataTable table;
  for (std::size_t k = 0; k < curve.updates.size(); ++k)
    table.row(curve.updates[k], curve.with_replacement[k],
              both ? curve.without_replacement[k] : std::nan(""));
  folder.data("fig1c", table);
  std::string commands = R"(
set logscale xy
set format x '10^{%T}'
set format y '10^{%T}'
set xlabel 'parameter updates'
set ylabel 'relative error of the loss,  {/:Italic L}({/:Italic θ}) / {/:Italic L}({/:Italic θ}_0) − 1'
set grid lc rgb '#e0e0e0'
set key bottom left Left reverse samplen 2
)";
  commands += "set xrange [1:" + std::to_string(options.training_steps) + "*1.2]\n";
  commands +=
      "set title 'mean of " + std::to_string(options.training_runs) + " runs from random starts'\n";
  commands +=
      "plot 'fig1c.dat' using 1:2 with lines lw 6 lc rgb '#9cc8f0' title 'with replacement'";
  if (both)
    commands += ", '' using 1:3 with lines lw 2 lc rgb '#14336b' title 'without replacement'";
  folder.draw("fig1c", commands + "\n");
}

void draw_elements(FigureFolder& folder, const Results& results) {
  const std::string name = "fig3a_" + results.sampling;
  const State& predicted = results.predicted.state;
  const ness::Measurement& measured = results.simulated.measured;
  const int covariance = decade(predicted.covariance());
  // In equilibrium the theory is 0 but for rounding.
  const int circulation =
      std::max(decade(predicted.circulation()), decade(measured.circulation.value));
  folder.data(name + "_covariance",
              elements(predicted.covariance(), measured.covariance, true, covariance));
  folder.data(name + "_circulation",
              elements(predicted.circulation(), measured.circulation, false, circulation));
  folder.draw(
      name,
      "set multiplot layout 1,2\nset size square\nset grid lc rgb '#e0e0e0'\n" +
          element_panel(name + "_covariance.dat", "Σ", covariance, "covariance", "#1f4e9c") +
          element_panel(name + "_circulation.dat", "C", circulation, "circulation", "#c81d1d") +
          "unset multiplot\n",
      1400, 720);
}

void draw_flatness(FigureFolder& folder, const std::vector<Relation>& relations,
                   const std::vector<Results>& all) {
  std::string plots;
  for (const Relation& relation : relations) {
    const Style style = style_of(relation.sampling);
    const std::string name = "variance_flatness_" + relation.sampling;
    DataTable theory;
    for (Eigen::Index k = 0; k < relation.variance.size(); ++k)
      theory.row(relation.flatness[k], relation.variance[k]);
    folder.data(name + "_theory", theory);
    plots += std::string(plots.empty() ? "plot '" : ", '") + name +
             "_theory.dat' with linespoints lw 1.2 pt 6 ps 1.8 lc rgb '" + style.color +
             "' title '" + style.title + "'";
    for (const Results& results : all) {
      if (results.sampling != relation.sampling) continue;
      folder.data(name + "_simulation",
                  simulated(relation, results.simulated.measured.covariance.value));
      plots += ", '" + name + "_simulation.dat' with points pt 7 ps 0.9 lc rgb '" + style.color +
               "' title 'simulation'";
    }
  }
  if (plots.empty()) return;
  folder.draw("variance_flatness", R"(
set logscale xy
set format x '10^{%T}'
set format y '10^{%T}'
set xlabel 'flatness {/:Italic F} of the loss along an eigenvector of Σ'
set ylabel 'variance along it'
set grid lc rgb '#e0e0e0'
set key outside right top Left reverse samplen 2 font ',15'
)" + plots + "\n",
              1150, 700);
}
