#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace {

/// The distinct elements, simulation and theory.
DataTable elements(const Eigen::MatrixXd& theory, const Eigen::MatrixXd& simulation,
                   bool diagonal) {
  DataTable table;
  for (Eigen::Index j = 0; j < theory.cols(); ++j)
    for (Eigen::Index i = diagonal ? j : j + 1; i < theory.rows(); ++i)
      table.row(simulation(i, j), theory(i, j));
  return table;
}

/// The median size of the simulated elements: below it, the scale of the picture is linear.
double typical_size(const Eigen::MatrixXd& simulation) {
  std::vector<double> sizes;
  for (Eigen::Index j = 0; j < simulation.cols(); ++j)
    for (Eigen::Index i = j + 1; i < simulation.rows(); ++i)
      sizes.push_back(std::abs(simulation(i, j)));
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return *middle;
}

/// Both axes are asinh(x / unit): logarithmic for large numbers of either sign, linear through 0.
std::string element_panel(const std::string& file, const std::string& symbol,
                          const std::string& title, const std::string& color,
                          const Eigen::MatrixXd& theory, const Eigen::MatrixXd& simulation) {
  const double largest = std::max(theory.cwiseAbs().maxCoeff(), simulation.cwiseAbs().maxCoeff());
  const double size = typical_size(simulation);
  if (!(size > 0)) return "";
  const int first = static_cast<int>(std::floor(std::log10(size)));
  const int last = static_cast<int>(std::floor(std::log10(largest)));
  std::ostringstream commands;
  commands << "unit = " << size << "\nf(x) = asinh(x / unit)\nreach = 1.03 * f(" << largest << ")\n"
           << "set title '" << title << "'\nset xrange [-reach:reach]\nset yrange [-reach:reach]\n";
  // As many decades as have room for their labels, from the largest down.
  const auto place = [&](int power) { return std::asinh(std::pow(10.0, power) / size); };
  const double room = 0.19 * std::asinh(largest / size);
  std::ostringstream tics;
  tics << "('0' 0";
  double last_place = std::numeric_limits<double>::infinity();
  for (int power = last; power >= first && place(power) >= room; --power) {
    if (last_place - place(power) < room) continue;
    last_place = place(power);
    tics << ", '10^{" << power << "}' f(1e" << power << "), '−10^{" << power << "}' f(-1e" << power
         << ")";
  }
  tics << ")";
  const std::string matrix = "'{/:Italic " + symbol + "}@_{{/:Italic αβ}}^{";
  commands << "set xtics " << tics.str() << "\nset ytics " << tics.str() << "\nset xlabel "
           << matrix << "sim}'\nset ylabel " << matrix << "th}'\nplot '" << file
           << "' using (f($1)):(f($2)) with dots lc rgb '" << color
           << "' notitle, x with lines lw 1 lc rgb 'black' notitle\n";
  return commands.str();
}

}  // namespace

void draw_elements(FigureFolder& folder, const Results& results) {
  const std::string name = "fig3b_" + results.sampling;
  const Eigen::MatrixXd& sigma = results.simulated->measured.covariance.value;
  const Eigen::MatrixXd& circulation = results.simulated->measured.circulation.value;
  folder.data(name + "_covariance", elements(results.predicted.state.covariance(), sigma, true));
  folder.data(name + "_circulation",
              elements(results.predicted.state.circulation(), circulation, false));
  folder.draw(name,
              "set multiplot layout 1,2\nset size square\nset grid lc rgb '#e0e0e0'\n" +
                  element_panel(name + "_covariance.dat", "Σ", "covariance", "#1f4e9c",
                                results.predicted.state.covariance(), sigma) +
                  element_panel(name + "_circulation.dat", "C", "circulation", "#c81d1d",
                                results.predicted.state.circulation(), circulation) +
                  "unset multiplot\n",
              1500, 780);
}

void draw_directions(FigureFolder& folder, const Results& results) {
  const std::string name = "directions_" + results.sampling;
  const Directions& directions = results.simulated->directions;
  DataTable table;
  for (Eigen::Index k = 0; k < directions.theory.size(); ++k)
    if (directions.theory[k] > 0)
      table.row(directions.curvature[k], directions.variance.value[k] / directions.theory[k],
                directions.variance.standard_error[k] / directions.theory[k]);
  folder.data(name, table);
  folder.draw(name, "data = '" + name + ".dat'\n" + R"(
set logscale x
set format x '10^{%T}'
set xlabel 'eigenvalue {/:Italic h} of the Hessian'
set ylabel 'variance along its eigenvector, simulation / theory'
set grid lc rgb '#e0e0e0'
set yrange [0:2]
plot 1 with lines lw 1.5 lc rgb '#c81d1d' notitle, \
     data with yerrorbars pt 7 ps 0.5 lw 0.6 lc rgb '#1f4e9c' notitle
)");
}
