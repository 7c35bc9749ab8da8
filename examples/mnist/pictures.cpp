#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <ness/detail/symmetric_matrices.hpp>
#include <numbers>
#include <sstream>
#include <string>
#include <vector>

#include "../common/quadratic_forms.hpp"
#include "../common/titles.hpp"

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

/// As many decades of either sign as have room for their labels, from the largest down.
std::string decade_tics(int first, int last, double size, double room) {
  const auto place = [&](int power) { return std::asinh(std::pow(10.0, power) / size); };
  std::ostringstream tics;
  tics << "('0' 0";
  double last_place = std::numeric_limits<double>::infinity();
  for (int power = last; power >= first && place(power) >= room; --power) {
    if (last_place - place(power) < room) continue;
    last_place = place(power);
    const std::string label =
        std::string("10^{") + (power < 0 ? "−" : "") + std::to_string(std::abs(power)) + "}' f(";
    tics << ", '" << label << "1e" << power << "), '−" << label << "-1e" << power << ")";
  }
  tics << ")";
  return tics.str();
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
  const double decades = std::asinh(largest / size);
  // A label is wider than it is high.
  commands << "set xtics " << decade_tics(first, last, size, 0.34 * decades) << "\nset ytics "
           << decade_tics(first, last, size, 0.19 * decades) << "\n";
  const std::string matrix = "'{/:Italic " + symbol + "}@_{{/:Italic αβ}}^{";
  commands << "set xlabel " << matrix << "sim}'\nset ylabel " << matrix << "th}'\nplot '" << file
           << "' using (f($1)):(f($2)) with dots lc rgb '" << color
           << "' notitle, x with lines lw 1 lc rgb 'black' notitle\n";
  return commands.str();
}

/// Of a bin, as sums.
struct Mean {
  double place = 0, value = 0, squared_error = 0, count = 0;

  void add(double at, double number, double error) {
    place += at;
    value += number;
    squared_error += error * error;
    count += 1;
  }
};

/// The distance between the two points where 𝓛 = e𝓛(θ₀): this loss is a parabola along any line.
Eigen::VectorXd flatness_along(const Eigen::MatrixXd& directions, const Minimum& minimum) {
  const double level = 8 * (std::numbers::e - 1) * minimum.value;
  return (level * quadratic_forms(directions, minimum.hessian).cwiseInverse()).cwiseSqrt();
}

/// Those that a logarithm can show.
DataTable variances(const Eigen::VectorXd& flatness, const Eigen::VectorXd& variance) {
  DataTable table;
  for (Eigen::Index k = 0; k < variance.size(); ++k)
    if (variance[k] > 0) table.row(flatness[k], variance[k]);
  return table;
}

/// h, the mean variance of the directions that have it, and its error. Each output of a linear
/// classifier has the same curvature, and which directions are its eigenvectors is then arbitrary.
DataTable by_curvature(const Eigen::VectorXd& curvature, const Eigen::VectorXd& variance,
                       const Eigen::VectorXd& error) {
  DataTable table;
  const Eigen::Index size = curvature.size();
  for (Eigen::Index first = 0, end = 0; first < size; first = end) {
    while (end < size && curvature[end] - curvature[first] <= 1e-9 * curvature[size - 1]) ++end;
    const double mean = variance.segment(first, end - first).mean();
    const double off = error.segment(first, end - first).norm() / static_cast<double>(end - first);
    if (mean > 0) table.row(curvature.segment(first, end - first).mean(), mean, off);
  }
  return table;
}

}  // namespace

void draw_elements(FigureFolder& folder, const Results& results, const Options& options) {
  const std::string name = "fig3b_" + results.sampling;
  const Eigen::MatrixXd& sigma = results.simulated->measured.covariance.value;
  const Eigen::MatrixXd& circulation = results.simulated->measured.circulation.value;
  folder.data(name + "_covariance", elements(results.predicted.state.covariance(), sigma, true));
  folder.data(name + "_circulation",
              elements(results.predicted.state.circulation(), circulation, false));
  folder.draw(name,
              "set multiplot layout 1,2 title \"" +
                  minibatch_title(results.sampling, options.eta, options.batch) +
                  "\"\nset size square\nset grid lc rgb '#e0e0e0'\n" +
                  element_panel(name + "_covariance.dat", "Σ", "covariance", "#1f4e9c",
                                results.predicted.state.covariance(), sigma) +
                  element_panel(name + "_circulation.dat", "C", "circulation", "#c81d1d",
                                results.predicted.state.circulation(), circulation) +
                  "unset multiplot\n",
              1500, 780);
}

void draw_directions(FigureFolder& folder, const Results& results, const Options& options) {
  const std::string name = "directions_" + results.sampling;
  const Directions& directions = results.simulated->directions;
  DataTable each, binned;
  std::map<int, Mean> bins;  // ten a decade of h
  for (Eigen::Index k = 0; k < directions.theory.size(); ++k) {
    const double theory = directions.theory[k], h = directions.curvature[k];
    if (!(theory > 0) || !(h > 0)) continue;
    const double ratio = directions.variance.value[k] / theory;
    each.row(h, ratio);
    bins[static_cast<int>(std::floor(10 * std::log10(h)))].add(
        std::log(h), ratio, directions.variance.standard_error[k] / theory);
  }
  for (const auto& [bin, mean] : bins)
    binned.row(std::exp(mean.place / mean.count), mean.value / mean.count,
               std::sqrt(mean.squared_error) / mean.count);
  folder.data(name, each);
  folder.data(name + "_binned", binned);
  folder.draw(name, "name = '" + name + "'\nset title \"" +
                        minibatch_title(results.sampling, options.eta, options.batch) + "\"\n" + R"(
set logscale x
set format x '10^{%T}'
set xlabel 'eigenvalue {/:Italic h} of the Hessian'
set ylabel 'variance along its eigenvector, simulation / theory'
set grid lc rgb '#e0e0e0'
set yrange [0:2]
set key top right Left reverse samplen 2 font ',15'
plot name.'.dat' with points pt 7 ps 0.4 lc rgb '#9cb8dd' title 'each direction', \
     1 with lines lw 1.5 lc rgb '#c81d1d' notitle, \
     name.'_binned.dat' with yerrorbars pt 7 ps 1 lw 1.5 lc rgb '#14336b' title 'mean, ten bins a decade'
)");
}

void draw_flatness(FigureFolder& folder, const Minimum& minimum, const std::vector<Results>& all,
                   const Options& options) {
  std::string plots;
  bool simulated = false;
  for (const Results& results : all) {
    const std::string name = "variance_flatness_" + results.sampling;
    const std::string color = "'" + sampling_color(results.sampling) + "'";
    const ness::detail::SymmetricEigen<double> eigen(results.predicted.state.covariance());
    const Eigen::VectorXd flatness = flatness_along(eigen.vectors, minimum);
    folder.data(name + "_theory", variances(flatness, eigen.values));
    plots += std::string(plots.empty() ? "plot '" : ", '") + name +
             "_theory.dat' with points pt 6 ps 0.9 lc rgb " + color + " title '" +
             sampling_title(results.sampling) + "'";
    if (!results.simulated) continue;
    simulated = true;
    const Eigen::MatrixXd& sigma = results.simulated->measured.covariance.value;
    folder.data(name + "_simulation", variances(flatness, quadratic_forms(eigen.vectors, sigma)));
    plots +=
        ", '" + name + "_simulation.dat' with points pt 7 ps 0.35 lc rgb " + color + " notitle";
  }
  if (simulated) plots += ", NaN with points pt 7 ps 0.5 lc rgb 'black' title 'simulation'";
  folder.draw("variance_flatness",
              "set title \"{/:Italic η} = " + number_title(options.eta) +
                  ",  {/:Italic m} = " + std::to_string(options.batch) + "\"\n" + R"(
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

void draw_ways(FigureFolder& folder, const WaysInTheory& theory, const std::vector<Results>& all,
               const Options& options) {
  std::string plots;
  for (const WayInTheory& way : theory.ways) {
    const std::string name = "variance_curvature_theory_" + way.name;
    const Eigen::VectorXd exact = Eigen::VectorXd::Zero(way.variance.size());
    folder.data(name, by_curvature(theory.curvature, way.variance, exact));
    plots += std::string(plots.empty() ? "plot '" : ", '") + name + ".dat' with lines " +
             (way.momentum > 0 ? "lw 3 dt (2,4)" : "lw 1.5") + " lc rgb '" + way.color +
             "' title '" + way.title +
             (way.momentum > 0 ? ",  {/:Italic β} = " + number_title(way.momentum) : "") + "'";
  }
  for (const Results& results : all) {
    if (!results.simulated) continue;
    const Directions& found = results.simulated->directions;
    const std::string name = "variance_curvature_" + results.sampling;
    folder.data(name,
                by_curvature(found.curvature, found.variance.value, found.variance.standard_error));
    plots += ", '" + name + ".dat' with yerrorbars pt 6 ps 1.1 lw 1.3 lc rgb '" +
             sampling_color(results.sampling) + "' title '" + sampling_title(results.sampling) +
             ", simulation'";
  }
  const Eigen::VectorXd& h = theory.curvature;
  folder.draw("variance_curvature",
              "set title \"{/:Italic η}/(1 − {/:Italic β}) = " + number_title(options.eta) +
                  ",  {/:Italic m} = " + std::to_string(options.batch) + "\"\n" +
                  curvature_axes(h.minCoeff(), h.maxCoeff(), 3 / theory.epoch) + plots + "\n",
              1250, 740);
}
