#include "pictures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ness/detail/symmetric_matrices.hpp>
#include <numbers>
#include <sstream>

#include "../common/titles.hpp"

namespace {

std::string text(double number, int digits = 6) {
  std::ostringstream out;
  out.precision(digits);
  out << number;
  return out.str();
}

const std::string logarithmic = R"(
set logscale xy
set format x '10^{%T}'
set format y '10^{%T}'
set grid lc rgb '#e0e0e0'
)";

/// Points of δᵀΣ⁻¹δ = 1 in the plane of the first two coordinates, over `unit`.
DataTable ellipse(const Eigen::MatrixXd& covariance, double unit) {
  const Eigen::Matrix2d corner = covariance.topLeftCorner(2, 2);
  const Eigen::MatrixXd root = ness::detail::SymmetricEigen<double>(Eigen::MatrixXd(corner)).root();
  DataTable table;
  for (int k = 0; k <= 100; ++k) {
    const double angle = 2 * std::numbers::pi * k / 100;
    const Eigen::Vector2d at = root * Eigen::Vector2d(std::cos(angle), std::sin(angle));
    table.row(at[0] / unit, at[1] / unit);
  }
  return table;
}

/// v^s = −CΣ⁻¹δ of the plane, at points of the ellipse, and the longest of these.
DataTable currents(const State& state, double unit) {
  const Eigen::Matrix2d sigma = state.covariance().topLeftCorner(2, 2);
  const Eigen::MatrixXd root = ness::detail::SymmetricEigen<double>(Eigen::MatrixXd(sigma)).root();
  const double c = state.circulation()(0, 1);
  const double determinant = sigma(0, 0) * sigma(1, 1) - sigma(0, 1) * sigma(1, 0);
  DataTable table;
  double longest = 0;
  std::vector<std::array<double, 4>> arrows;
  for (int k = 0; k < 16; ++k) {
    const double angle = 2 * std::numbers::pi * k / 16;
    const Eigen::Vector2d at = root * Eigen::Vector2d(std::cos(angle), std::sin(angle));
    // Σ⁻¹δ of two rows, and C = ((0, c), (−c, 0)).
    const double x = (sigma(1, 1) * at[0] - sigma(0, 1) * at[1]) / determinant;
    const double y = (sigma(0, 0) * at[1] - sigma(1, 0) * at[0]) / determinant;
    arrows.push_back({at[0], at[1], -c * y, c * x});
    longest = std::max(longest, std::hypot(c * x, c * y));
  }
  const double size = 0.25 * std::sqrt(std::min(sigma(0, 0), sigma(1, 1))) / unit;
  for (const auto& [x, y, u, v] : arrows)
    if (longest > 0) table.row(x / unit, y / unit, u * size / longest, v * size / longest);
  return table;
}

}  // namespace

namespace {

/// Eigenvalues, or what weighs them, per unit of log₁₀ h: each node is spread as far as its
/// neighbours are away, for between them a quadrature knows nothing, and `narrowest` at the least.
Eigen::VectorXd on_log_axis(const ness::SpectralDensity<double>& density, const Eigen::VectorXd& at,
                            double narrowest) {
  Eigen::VectorXd result = Eigen::VectorXd::Zero(at.size());
  for (Eigen::Index p = 0; p < density.nodes.cols(); ++p) {
    const auto nodes = density.nodes.col(p);
    const auto apart = [&](Eigen::Index k, Eigen::Index l) {
      const bool both = l >= 0 && l < nodes.size() && nodes[std::min(k, l)] > 0;
      return both ? std::abs(std::log10(nodes[l] / nodes[k])) : 0.0;
    };
    for (Eigen::Index k = 0; k < nodes.size(); ++k) {
      if (!(nodes[k] > 0)) continue;
      const double width = std::max(narrowest, std::max(apart(k, k - 1), apart(k, k + 1)) / 2);
      for (Eigen::Index x = 0; x < at.size(); ++x) {
        const double z = (std::log10(nodes[k]) - at[x]) / width;
        result[x] += density.weights(k, p) * std::exp(-z * z / 2) / width;
      }
    }
  }
  const double probes = static_cast<double>(density.nodes.cols());
  return static_cast<double>(density.parameters) / (probes * std::sqrt(2 * std::numbers::pi)) *
         result;
}

/// log₁₀ h from below the least eigenvalue that was found to above the largest.
Eigen::VectorXd log_axis(const Summary& summary) {
  const double least =
      std::max(summary.minimum.hessian_eigenvalues[0], 1e-6 * summary.pairs.values[0]) / 2;
  return Eigen::VectorXd::LinSpaced(300, std::log10(least),
                                    std::log10(2 * summary.pairs.values[0]));
}

}  // namespace

void draw_spectrum(FigureFolder& folder, const ness::SpectralDensity<double>& density,
                   const Summary& summary) {
  const Eigen::VectorXd axis = log_axis(summary);
  const Eigen::VectorXd counts = on_log_axis(density, axis, 0.04);
  DataTable curve, leading;
  for (Eigen::Index p = 0; p < axis.size(); ++p) curve.row(std::pow(10, axis[p]), counts[p]);
  for (const double h : summary.pairs.values) leading.row(h, 1);
  folder.data("spectrum_density", curve);
  folder.data("spectrum_leading", leading);
  folder.draw("spectrum", "set title '{/:Italic N} = " + std::to_string(summary.parameters) +
                              "'\n" + logarithmic + "set xrange [" + text(std::pow(10, axis[0])) +
                              ":" + text(std::pow(10, axis[axis.size() - 1])) +
                              R"(]
set yrange [0.1:*]
set xlabel 'eigenvalue {/:Italic h} of the Hessian'
set ylabel 'eigenvalues per unit of log_{10} {/:Italic h}'
set key top right
plot 'spectrum_density.dat' with filledcurves y1=0.1 fs transparent solid 0.3 lc rgb '#1f4e9c' title 'density', 'spectrum_leading.dat' with impulses lw 1.5 lc rgb '#c81d1d' title 'the leading )" +
                              std::to_string(summary.pairs.values.size()) + "'\n");
}

void draw_variance(FigureFolder& folder, const Summary& summary, const std::vector<Line>& theory,
                   const std::vector<Results>& all, const Options& options) {
  std::string plots;
  for (const Line& line : theory) {
    const std::string name = "variance_" + line.name;
    DataTable table;
    for (Eigen::Index k = 0; k < line.values.size(); ++k)
      table.row(summary.pairs.values[k], line.values[k]);
    folder.data(name, table);
    plots += std::string(plots.empty() ? "plot '" : ", '") + name + ".dat' with lines lw 2" +
             (line.dashed ? " dt (3,4)" : "") + " lc rgb '" + line.color + "' title '" +
             line.title + "'";
  }
  for (const Results& results : all) {
    if (!results.simulated) continue;
    const std::string name = "variance_" + results.sampling + "_simulation";
    DataTable table;
    for (Eigen::Index k = 0; k < summary.pairs.values.size(); ++k)
      table.row(summary.pairs.values[k], results.simulated->covariance.value(k, k),
                results.simulated->covariance.standard_error(k, k));
    folder.data(name, table);
    plots += ", '" + name + ".dat' with yerrorbars pt 7 ps 1 lc rgb '" +
             sampling_color(results.sampling) + "' title '" + sampling_title(results.sampling) +
             ", simulation'";
  }
  folder.draw("variance",
              "set title \"{/:Italic η} = " + number_title(options.eta) +
                  ",  {/:Italic m} = " + std::to_string(options.batch) + "\"\n" + logarithmic + R"(
set xlabel 'curvature {/:Italic h} along an eigenvector of the Hessian'
set ylabel 'variance along it'
set key outside right top Left reverse samplen 3 font ',15'
)" + plots + "\n",
              1200, 700);
}

void draw_noise(FigureFolder& folder, const ness::SpectralDensity<double>& density,
                const Summary& summary, const Prediction& predicted, const Options& options) {
  DataTable table, mean;
  for (Eigen::Index k = 0; k < summary.pairs.values.size(); ++k)
    table.row(summary.pairs.values[k], predicted.state.diffusion()(k, k));
  const Eigen::VectorXd axis = log_axis(summary);
  constexpr double wide = 0.15;  // so that a mean has eigenvectors to take
  const Eigen::VectorXd counts = on_log_axis(density, axis, wide);
  const Eigen::VectorXd weighed = on_log_axis(summary.noise.weighed, axis, wide);
  for (Eigen::Index p = 0; p < axis.size(); ++p)
    if (counts[p] > 1 && std::pow(10, axis[p]) < summary.pairs.values[0])
      mean.row(std::pow(10, axis[p]), weighed[p] / counts[p]);
  folder.data("noise", table);
  folder.data("noise_mean", mean);
  const double slope = predicted.state.diffusion()(0, 0) / summary.pairs.values[0];
  folder.draw("noise", "set title \"one batch,  {/:Italic η} = " + number_title(options.eta) +
                           ",  {/:Italic m} = " + std::to_string(options.batch) + "\"\n" +
                           logarithmic +
                           R"(
set xlabel 'curvature {/:Italic h} along an eigenvector of the Hessian'
set ylabel 'diffusion {/:Italic D} along it'
set key top left Left reverse
plot 'noise_mean.dat' with lines lw 2 lc rgb '#7a9fd4' title 'mean of all eigenvectors near {/:Italic h}', 'noise.dat' with points pt 7 ps 1.2 lc rgb '#1f4e9c' title 'the leading )" +
                           std::to_string(summary.pairs.values.size()) + "', " + text(slope) +
                           " * x with lines dt (8,5) lc rgb 'black' title '∝ {/:Italic h}'\n");
}

void draw_plane(FigureFolder& folder, const Results& results, const Options& options) {
  const State& state = results.predicted.state;
  if (state.mean().size() < 2) return;
  const std::string name = "plane_" + results.sampling;
  const double power = std::floor(std::log10(std::sqrt(state.covariance()(0, 0))));
  const double scale = std::pow(10, power);
  const std::string unit = "(10^{" + std::string(power < 0 ? "−" : "") +
                           std::to_string(static_cast<int>(std::abs(power))) + "})";
  folder.data(name + "_theory", ellipse(state.covariance(), scale));
  folder.data(name + "_current", currents(state, scale));
  std::string plots = "plot '" + name +
                      "_theory.dat' with lines lw 2 lc rgb '#1f4e9c' title "
                      "'{/:Italic Σ}, theory'";
  if (results.simulated) {
    folder.data(name + "_simulation", ellipse(results.simulated->covariance.value, scale));
    plots += ", '" + name +
             "_simulation.dat' with lines lw 2 dt (6,4) lc rgb '#c81d1d' title "
             "'simulation'";
  }
  plots += ", '" + name +
           "_current.dat' using 1:2:3:4 with vectors filled lw 2 lc rgb '#e08a00' title "
           "'velocity {/:Italic v^s}'";
  folder.draw(name,
              "set title \"" + minibatch_title(results.sampling, options.eta, options.batch) +
                  R"("
set size ratio -1
set xlabel 'along the leading eigenvector of the Hessian  )" +
                  unit + R"('
set ylabel 'along the second  )" +
                  unit + R"('
set grid lc rgb '#e0e0e0'
set key outside right top Left reverse samplen 2 font ',15'
)" + plots + "\n",
              1050, 760);
}

void draw_loss(FigureFolder& folder, const LossAlong& loss, const Summary& summary) {
  const std::vector<std::string> colors{"#1f4e9c", "#2a9d5c", "#c81d1d"};
  std::string plots;
  for (Eigen::Index k = 0; k < loss.loss.cols(); ++k) {
    const std::string name = "loss_" + std::to_string(k + 1);
    DataTable table;
    for (Eigen::Index p = 0; p < loss.steps.size(); ++p)
      table.row(loss.steps[p], loss.loss(p, k), loss.form(p, k));
    folder.data(name, table);
    const std::string color = " lc rgb '" + colors[static_cast<std::size_t>(k) % 3] + "' ";
    plots += std::string(k == 0 ? "plot '" : ", '") + name + ".dat' using 1:3 with lines lw 2" +
             color + "title '{/:Italic h} = " + text(summary.pairs.values[k], 3) + "', '" + name +
             ".dat' using 1:2 with points pt 7 ps 0.9" + color + "notitle";
  }
  folder.draw("loss",
              R"(
set xlabel 'along an eigenvector  (standard deviations)'
set ylabel 'loss above the minimum'
set format y '%.0t · 10^{%T}'
set grid lc rgb '#e0e0e0'
set key top center
)" + plots +
                  ", NaN with points pt 7 lc rgb 'black' title 'loss', NaN with lines lw 2 lc rgb "
                  "'black' title 'its quadratic form'\n");
}
