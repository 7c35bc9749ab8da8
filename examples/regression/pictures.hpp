// Figs. 1 and 3A: data and fit, training, and the elements of Σ and C.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "../common/figures.hpp"
#include "study.hpp"
#include "training_curve.hpp"

/// Fig. 1A: data and fit.
inline void draw_fit(FigureFolder& folder, const Network& network, const Theta& theta) {
  const auto& x = network.inputs();
  DataTable data;
  for (Eigen::Index i = 0; i < x.cols(); ++i) data.row(x(0, i), network.targets()(0, i));
  folder.data("fig1a_data", data);

  constexpr int points = 300;
  const double step = (x.maxCoeff() - x.minCoeff()) / points;
  DataTable fit;
  for (int k = 0; k <= points; ++k) {
    const Eigen::Matrix<double, 1, 1> at(x.minCoeff() + k * step);
    fit.row(at[0], network.output(theta, at)[0]);
  }
  folder.data("fig1a_fit", fit);
  folder.draw("fig1a", R"(
set xlabel '{/:Italic x}'
set ylabel '{/:Italic y}'
set key top right samplen 2
set grid lc rgb '#e0e0e0'
plot 'fig1a_data.dat' with points pt 7 ps 0.6 lc rgb '#d62728' title 'data', \
     'fig1a_fit.dat' with lines lw 2.5 lc rgb '#1f4e9c' title 'network {/:Italic f}({/:Italic x}; {/:Italic θ}_0)'
)");
}

/// Fig. 1C: the relative error of the loss during training.
inline void draw_training(FigureFolder& folder, const TrainingCurve& curve,
                          const Options& options) {
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

/// Simulation, theory and standard error of the distinct elements, in units of 10^power.
inline DataTable elements(const Matrix& theory, const ness::Estimate<Matrix>& simulation,
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
inline int decade(const Matrix& matrix) {
  const double largest = matrix.cwiseAbs().maxCoeff();
  return largest > 0 ? static_cast<int>(std::floor(std::log10(largest))) : 0;
}

inline std::string element_panel(const std::string& file, const std::string& symbol, int power,
                                 const std::string& title, const std::string& color) {
  const std::string unit = "  (10^{" + std::to_string(power) + "})'\n";
  const std::string matrix = "'{/:Italic " + symbol + "}@_{{/:Italic αβ}}^{";
  return "set title '" + title + "'\nset xlabel " + matrix + "sim}   " + unit + "set ylabel " +
         matrix + "th}   " + unit + "plot x with lines lw 0.8 lc rgb '#888888' notitle, '" + file +
         "' using 1:2:3 with xerrorbars pt 7 ps 0.8 lc rgb '" + color + "' notitle\n";
}

/// Fig. 3A: elements of Σ and C, theory against simulation.
inline void draw_elements(FigureFolder& folder, const Results& results) {
  const std::string name = "fig3a_" + results.sampling;
  const Predicted& predicted = results.predicted;
  const Measured& measured = results.measured;
  const int covariance = decade(predicted.covariance);
  // In equilibrium the theory is 0 but for rounding.
  const int circulation =
      std::max(decade(predicted.circulation), decade(measured.circulation.value));
  folder.data(name + "_covariance",
              elements(predicted.covariance, measured.covariance, true, covariance));
  folder.data(name + "_circulation",
              elements(predicted.circulation, measured.circulation, false, circulation));
  folder.draw(
      name,
      "set multiplot layout 1,2\nset size square\nset grid lc rgb '#e0e0e0'\n" +
          element_panel(name + "_covariance.dat", "Σ", covariance, "covariance", "#1f4e9c") +
          element_panel(name + "_circulation.dat", "C", circulation, "circulation", "#c81d1d") +
          "unset multiplot\n",
      1400, 720);
}
