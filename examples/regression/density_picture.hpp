// Fig. 2: the density of two of the parameters, its contours, those of the loss, and the current.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <cmath>
#include <numbers>
#include <string>

#include "../common/figures.hpp"
#include "study.hpp"

/// What Fig. 2 shows of a state: its marginal in the two parameters, each in units of Θ = Σ_αα^½.
struct ShownMarginal {
  Eigen::Vector2d unit;        ///< Θ
  Eigen::Matrix2d covariance;  ///< Σ
  Eigen::Matrix2d loss;  ///< of a Boltzmann density e^{−β𝓛}, H⁻¹/β, brought to the trace of Σ
  Eigen::Matrix2d velocity;  ///< v = velocity · δθ

  explicit ShownMarginal(const Predicted& predicted) {
    unit = block(predicted.covariance).diagonal().cwiseSqrt();
    covariance = scaled(predicted.covariance);
    loss = scaled(predicted.hessian.inverse());
    loss *= covariance.trace() / loss.trace();
    // −(CΣ⁻¹⟨δθ | δθ_a⟩)_a = −C_aa Σ_aa⁻¹ δθ_a: v^s averaged over the other parameters.
    velocity = -scaled(predicted.circulation) * covariance.inverse();
  }

  /// 𝓙^s at δθ/Θ = `at`, up to a factor.
  Eigen::Vector2d current(const Eigen::Vector2d& at) const {
    return std::exp(-0.5 * at.dot(covariance.inverse() * at)) * (velocity * at);
  }

 private:
  static Eigen::Matrix2d block(const Matrix& matrix) {
    return matrix(Eigen::Vector2i(shown[0], shown[1]), Eigen::Vector2i(shown[0], shown[1]));
  }
  Eigen::Matrix2d scaled(const Matrix& matrix) const {
    const Eigen::Vector2d inverse = unit.cwiseInverse();
    return inverse.asDiagonal() * block(matrix) * inverse.asDiagonal();
  }
};

/// log10 of the measured density; "NaN" where nothing was counted.
inline DataTable heat_map(const ness::Histogram2d& histogram, const Eigen::Vector2d& unit) {
  DataTable table;
  const auto& x = histogram.first_axis();
  const auto& y = histogram.second_axis();
  for (Eigen::Index i = 0; i < x.bins; ++i) {
    for (Eigen::Index j = 0; j < y.bins; ++j) {
      const double density = histogram.density(i, j) * unit.prod();
      table.row(x.center(i) / unit[0], y.center(j) / unit[1],
                density > 0 ? std::to_string(std::log10(density)) : std::string("NaN"));
    }
    table.gap();
  }
  return table;
}

/// Where a Gaussian density has fallen to 1/10, 1/100, ... of its height.
inline DataTable contours(const Eigen::Matrix2d& covariance) {
  DataTable table;
  const Eigen::Matrix2d root = covariance.llt().matrixL();
  constexpr int points = 120;
  for (int k = 1; k <= 5; ++k) {
    const double radius = std::sqrt(2 * k * std::numbers::ln10);
    for (int j = 0; j <= points; ++j) {
      const double angle = 2 * std::numbers::pi * j / points;
      const Eigen::Vector2d at = radius * root * Eigen::Vector2d(std::cos(angle), std::sin(angle));
      table.row(at[0], at[1]);
    }
    table.gap();
  }
  return table;
}

/// Arrows on a grid, their lengths in proportion to the current; the short ones are left out.
inline DataTable arrows(const ShownMarginal& marginal) {
  constexpr int half = 6;
  constexpr double spacing = 0.6;
  double longest = 0;
  for (int i = -half; i <= half; ++i)
    for (int j = -half; j <= half; ++j)
      longest = std::max(longest, marginal.current(spacing * Eigen::Vector2d(i, j)).norm());
  DataTable table;
  for (int i = -half; i <= half; ++i)
    for (int j = -half; j <= half; ++j) {
      const Eigen::Vector2d at = spacing * Eigen::Vector2d(i, j);
      const Eigen::Vector2d arrow = 0.75 * marginal.current(at) / longest;
      if (arrow.norm() > 0.04)
        table.row(at[0] - arrow[0] / 2, at[1] - arrow[1] / 2, arrow[0], arrow[1]);
    }
  return table;
}

inline void draw_density(FigureFolder& folder, const Results& results, const std::string& name) {
  if (!(results.predicted.covariance.diagonal().minCoeff() > 0)) return;  // there is no noise
  const ShownMarginal marginal(results.predicted);
  folder.data(name + "_density", heat_map(results.density, marginal.unit));
  folder.data(name + "_theory", contours(marginal.covariance));
  folder.data(name + "_loss", contours(marginal.loss));
  folder.data(name + "_current", arrows(marginal));
  folder.draw(name,
              "name = '" + name + "'\na = " + std::to_string(shown[0] + 1) +
                  "\nb = " + std::to_string(shown[1] + 1) + R"(
set xlabel sprintf('{/:Italic δθ}_%d / {/:Italic Θ}_%d', a, a)
set ylabel sprintf('{/:Italic δθ}_%d / {/:Italic Θ}_%d', b, b) offset 1
set size ratio -1
set xrange [-4.5:4.5]
set yrange [-4.5:4.5]
set xtics 1
set ytics 1
set cbtics 1
set autoscale cbfix
set cblabel 'log_{10} of the density (simulation)' offset 1.5
set palette defined (0 '#20207a', 1 '#2b6fd6', 2 '#4fd0d0', 3 '#b8e04a', 4 '#f5a623', 5 '#c81d1d')
set object rectangle from graph 0,0 to graph 1,1 behind fillcolor rgb '#20207a' fillstyle solid noborder
set key outside below horizontal maxrows 2 samplen 3 height 0.5 font ',15'
set key box lc rgb '#cccccc' opaque fillcolor rgb '#8fa3c8'
plot name.'_density.dat' using 1:2:3 with image notitle, \
     name.'_theory.dat' with lines dt (9,7) lw 1.6 lc rgb 'white' title 'theory {/:Italic P}^s, factors of 10', \
     name.'_loss.dat' with lines dt (9,7) lw 1.6 lc rgb '#ffe14d' title 'levels of the loss', \
     name.'_current.dat' using 1:2:3:4 with vectors head filled size 0.14,20 lw 1.5 lc rgb 'black' title 'current {/:Italic J}^s', \
     '-' using 1:2:('★') with labels font ',30' textcolor rgb '#ffe14d' notitle, \
     NaN with points pt 3 ps 2 lw 2 lc rgb '#ffe14d' title 'minimum {/:Italic θ}_0'
0 0
e
)",
              1000, 1000);
}
