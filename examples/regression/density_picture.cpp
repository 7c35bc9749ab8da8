// Fig. 2.
#include <Eigen/LU>
#include <cmath>
#include <ness/posterior/gaussian_posterior.hpp>
#include <numbers>
#include <sstream>
#include <string>

#include "pictures.hpp"

namespace {

/// The two parameters shown.
Eigen::Vector2d of_shown(const Eigen::VectorXd& theta) {
  return {theta[shown[0]], theta[shown[1]]};
}

/// What Fig. 2 shows of a state: its marginal in the two parameters, as δθ = θ − θ₀, each in units
/// of Θ = Σ_αα^½ with replacement, the same for every way of sampling.
struct ShownMarginal {
  Eigen::Vector2d unit;        ///< Θ
  Eigen::Vector2d center;      ///< of the density
  Eigen::Matrix2d covariance;  ///< Σ
  Eigen::Matrix2d precision;   ///< Σ⁻¹
  double deviation;            ///< the larger of the two standard deviations
  Eigen::Matrix2d loss;  ///< of a Boltzmann density e^{−β𝓛}, H⁻¹/β, brought to the trace of Σ
  Eigen::Matrix2d velocity;  ///< v = velocity · (δθ − center)

  ShownMarginal(const State& state, const Minimum& minimum, const Eigen::Vector2d& unit_)
      : unit(unit_),
        center(of_shown(state.mean() - minimum.theta).cwiseQuotient(unit)),
        covariance(scaled(state.covariance())),
        precision(covariance.inverse()),
        deviation(std::sqrt(covariance.diagonal().maxCoeff())),
        loss(scaled(ness::gaussian_posterior(minimum).covariance)),
        // −(CΣ⁻¹⟨δθ | δθ_a⟩)_a = −C_aa Σ_aa⁻¹ δθ_a: v^s averaged over the other parameters.
        velocity(-scaled(state.circulation()) * precision) {
    loss *= covariance.trace() / loss.trace();
  }

  /// 𝓙^s at `at` from the center, up to a factor.
  Eigen::Vector2d current(const Eigen::Vector2d& at) const {
    return std::exp(-0.5 * at.dot(precision * at)) * (velocity * at);
  }

 private:
  Eigen::Matrix2d scaled(const Eigen::MatrixXd& matrix) const {
    Eigen::Matrix2d block;
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j) block(i, j) = matrix(shown[i], shown[j]) / (unit[i] * unit[j]);
    return block;
  }
};

/// log10 of the measured density; missing where nothing was counted.
DataTable heat_map(const ness::Histogram2d& histogram, const ShownMarginal& marginal) {
  DataTable table;
  const auto& x = histogram.first_axis();
  const auto& y = histogram.second_axis();
  for (Eigen::Index i = 0; i < x.bins; ++i) {
    for (Eigen::Index j = 0; j < y.bins; ++j) {
      const double density = histogram.density(i, j) * marginal.unit.prod();
      table.row(marginal.center[0] + x.center(i) / marginal.unit[0],
                marginal.center[1] + y.center(j) / marginal.unit[1],
                density > 0 ? std::log10(density) : std::nan(""));
    }
    table.gap();
  }
  return table;
}

/// Where a Gaussian density about `center` has fallen to 1/10, 1/100, ... of its height.
DataTable contours(const Eigen::Vector2d& center, const Eigen::Matrix2d& covariance) {
  DataTable table;
  Eigen::Matrix2d root = Eigen::Matrix2d::Zero();  // Cholesky's
  root(0, 0) = std::sqrt(covariance(0, 0));
  root(1, 0) = covariance(1, 0) / root(0, 0);
  root(1, 1) = std::sqrt(covariance(1, 1) - root(1, 0) * root(1, 0));
  constexpr int points = 120;
  for (int k = 1; k <= 5; ++k) {
    const double radius = std::sqrt(2 * k * std::numbers::ln10);
    for (int j = 0; j <= points; ++j) {
      const double angle = 2 * std::numbers::pi * j / points;
      const Eigen::Vector2d at =
          center + radius * root * Eigen::Vector2d(std::cos(angle), std::sin(angle));
      table.row(at[0], at[1]);
    }
    table.gap();
  }
  return table;
}

/// Arrows on a grid, their lengths in proportion to the current; the short ones are left out.
DataTable arrows(const ShownMarginal& marginal) {
  constexpr int half = 6;
  const double spacing = 0.6 * marginal.deviation;
  double longest = 0;
  for (int i = -half; i <= half; ++i)
    for (int j = -half; j <= half; ++j)
      longest = std::max(longest, marginal.current(spacing * Eigen::Vector2d(i, j)).norm());
  DataTable table;
  for (int i = -half; i <= half; ++i)
    for (int j = -half; j <= half; ++j) {
      const Eigen::Vector2d at = spacing * Eigen::Vector2d(i, j);
      const Eigen::Vector2d arrow = 0.75 * marginal.deviation * marginal.current(at) / longest;
      const Eigen::Vector2d from = marginal.center + at - arrow / 2;
      if (arrow.norm() > 0.04 * marginal.deviation) table.row(from[0], from[1], arrow[0], arrow[1]);
    }
  return table;
}

/// Ranges of both axes, equally wide, that hold the density and θ₀.
std::string ranges(const ShownMarginal& marginal) {
  const double margin = 4.5 * marginal.deviation;
  const Eigen::Array2d low = marginal.center.array().min(0) - margin;
  const Eigen::Array2d high = marginal.center.array().max(0) + margin;
  const double half = (high - low).maxCoeff() / 2;
  const Eigen::Array2d middle = (low + high) / 2;
  std::ostringstream text;
  text << "set xrange [" << middle[0] - half << ":" << middle[0] + half << "]\n"
       << "set yrange [" << middle[1] - half << ":" << middle[1] + half << "]\n";
  return text.str();
}

}  // namespace

void draw_density(FigureFolder& folder, const Minimum& minimum, const Results& results,
                  const Eigen::Vector2d& unit) {
  const State& state = results.predicted.state;
  if (!(state.covariance().diagonal().minCoeff() > 0)) return;  // there is no noise
  const std::string name = results.sampling == "wr"    ? "fig2a"
                           : results.sampling == "wor" ? "fig2b"
                                                       : "fig2c";
  const ShownMarginal marginal(state, minimum, unit);
  const bool currents = !state.is_equilibrium();
  folder.data(name + "_density", heat_map(results.simulated.density, marginal));
  folder.data(name + "_theory", contours(marginal.center, marginal.covariance));
  folder.data(name + "_loss", contours(Eigen::Vector2d::Zero(), marginal.loss));
  if (currents) folder.data(name + "_current", arrows(marginal));
  std::string effective;
  if (const auto& theta_hat = results.predicted.effective) {
    const Eigen::Vector2d at = of_shown(theta_hat->theta - minimum.theta).cwiseQuotient(unit);
    DataTable table;
    table.row(at[0], at[1]);
    folder.data(name + "_minimum", table);
    effective =
        ", \\\n     name.'_minimum.dat' with points pt 7 ps 2.2 lc rgb 'white' title "
        "'effective minimum {/:Italic θ̂}_0', \\\n     name.'_minimum.dat' with points pt "
        "6 ps 2.2 lw 1.5 lc rgb 'black' notitle";
  }
  folder.draw(
      name,
      "name = '" + name + "'\na = " + std::to_string(shown[0] + 1) +
          "\nb = " + std::to_string(shown[1] + 1) + "\n" + ranges(marginal) + R"(
set xlabel sprintf('{/:Italic δθ}_%d / {/:Italic Θ}_%d', a, a)
set ylabel sprintf('{/:Italic δθ}_%d / {/:Italic Θ}_%d', b, b) offset 1
set size ratio -1
set xtics font ',15'
set ytics font ',15'
set cbtics 1
set autoscale cbfix
set cblabel 'log_{10} of the density (simulation)' offset 1.5
set palette defined (0 '#20207a', 1 '#2b6fd6', 2 '#4fd0d0', 3 '#b8e04a', 4 '#f5a623', 5 '#c81d1d')
set object rectangle from graph 0,0 to graph 1,1 behind fillcolor rgb '#20207a' fillstyle solid noborder
set key outside below horizontal maxrows 3 samplen 3 height 0.5 font ',15'
set key box lc rgb '#cccccc' opaque fillcolor rgb '#8fa3c8'
$star << EOD
0 0
EOD
plot name.'_density.dat' using 1:2:3 with image notitle, \
     name.'_theory.dat' with lines dt (9,7) lw 1.6 lc rgb 'white' title 'theory {/:Italic P}^s, factors of 10', \
     name.'_loss.dat' with lines dt (9,7) lw 1.6 lc rgb '#ffe14d' title 'levels of the loss', \
)" +
          (currents ? "     name.'_current.dat' using 1:2:3:4 with vectors head filled size graph "
                      "0.015,20 lw 1.5 lc rgb 'black' title 'current {/:Italic J}^s', \\\n"
                    : "") +
          R"(     $star using 1:2:('★') with labels font ',30' textcolor rgb '#ffe14d' notitle, \
     NaN with points pt 3 ps 2 lw 2 lc rgb '#ffe14d' title 'minimum {/:Italic θ}_0')" +
          effective + "\n",
      1000, 1000);
}
