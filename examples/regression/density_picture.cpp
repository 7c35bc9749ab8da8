// Fig. 2.
#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cmath>
#include <ness/posterior/gaussian_posterior.hpp>
#include <numbers>
#include <sstream>
#include <string>
#include <vector>

#include "pictures.hpp"

namespace {

using Pair = std::array<Eigen::Index, 2>;

/// The two parameters shown.
Eigen::Vector2d of_shown(const Eigen::VectorXd& theta, const Pair& shown) {
  return {theta[shown[0]], theta[shown[1]]};
}

/// What Fig. 2 shows of a state: its marginal in the two parameters, as δθ = θ − θ₀, each in units
/// of Θ = Σ_αα^½ with replacement, the same for every way of sampling.
struct ShownMarginal {
  Pair shown;
  Eigen::Vector2d origin;      ///< θ₀
  Eigen::Vector2d unit;        ///< Θ
  Eigen::Vector2d center;      ///< of the density
  Eigen::Matrix2d covariance;  ///< Σ
  Eigen::Matrix2d precision;   ///< Σ⁻¹
  double deviation;            ///< the larger of the two standard deviations
  Eigen::Matrix2d loss;  ///< of a Boltzmann density e^{−β𝓛}, H⁻¹/β, brought to the trace of Σ
  Eigen::Matrix2d velocity;  ///< v = velocity · (δθ − center), per step

  ShownMarginal(const State& state, const Minimum& minimum, const Eigen::Vector2d& unit_,
                const Pair& shown_)
      : shown(shown_),
        origin(of_shown(minimum.theta, shown)),
        unit(unit_),
        center(placed(of_shown(state.mean(), shown))),
        covariance(scaled(state.covariance())),
        precision(covariance.inverse()),
        deviation(std::sqrt(covariance.diagonal().maxCoeff())),
        loss(scaled(ness::gaussian_posterior(minimum).covariance)),
        // −(CΣ⁻¹⟨δθ | δθ_a⟩)_a = −C_aa Σ_aa⁻¹ δθ_a: v^s averaged over the other parameters.
        velocity(-scaled(state.circulation()) * precision) {
    loss *= covariance.trace() / loss.trace();
  }

  /// Where the picture has it.
  Eigen::Vector2d placed(const Eigen::Vector2d& theta) const {
    return (theta - origin).cwiseQuotient(unit);
  }

  /// 𝓙^s at `at`.
  Eigen::Vector2d current(const Eigen::Vector2d& at) const {
    const Eigen::Vector2d from = at - center;
    const double height = std::sqrt(precision.determinant()) / (2 * std::numbers::pi);
    return height * std::exp(-0.5 * from.dot(precision * from)) * (velocity * from);
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

/// The current of a bin.
struct Arrow {
  Eigen::Vector2d at, theory, simulation, error;
};

/// 𝓙^s averaged over a bin about `at`, which the simulation counts as one.
Eigen::Vector2d bin_average(const ShownMarginal& marginal, const Eigen::Vector2d& at,
                            const Eigen::Vector2d& width) {
  constexpr int points = 5;  // a side, in the middles of equal parts
  Eigen::Vector2d sum = Eigen::Vector2d::Zero();
  for (int i = 0; i < points; ++i)
    for (int j = 0; j < points; ++j) {
      const Eigen::Vector2d part((i + 0.5) / points - 0.5, (j + 0.5) / points - 0.5);
      sum += marginal.current(at + part.cwiseProduct(width));
    }
  return sum / (points * points);
}

std::vector<Arrow> currents(const Currents& measured, const ShownMarginal& marginal) {
  // 𝓙 is a density times a displacement: per area, and along one of the axes.
  const Eigen::Vector2d to_units = marginal.unit.prod() * marginal.unit.cwiseInverse();
  const Eigen::Vector2d width =
      Eigen::Vector2d(measured.x.width(), measured.y.width()).cwiseQuotient(marginal.unit);
  const auto both = [&](const Eigen::MatrixXd& x, const Eigen::MatrixXd& y, Eigen::Index i,
                        Eigen::Index j) {
    return Eigen::Vector2d(x(i, j), y(i, j)).cwiseProduct(to_units).eval();
  };
  const auto& [x, y, along_x, along_y] = measured;
  std::vector<Arrow> result;
  for (Eigen::Index i = 0; i < x.bins; ++i)
    for (Eigen::Index j = 0; j < y.bins; ++j) {
      const Eigen::Vector2d at = marginal.placed({x.center(i), y.center(j)});
      result.push_back({at, bin_average(marginal, at, width),
                        both(along_x.value, along_y.value, i, j),
                        both(along_x.standard_error, along_y.standard_error, i, j)});
    }
  return result;
}

/// Theory and simulation of a current in numbers, over the bins whose errors are known.
struct Agreement {
  double chi_square = 0;  ///< a component, of simulation from theory
  double signal = 0;      ///< the current of theory over the error, root mean squares
};

/// Of the current over its error: below it, arrows of a simulation are chance.
constexpr double least_signal = 1.5;

Agreement agreement(const std::vector<Arrow>& currents) {
  double chi_square = 0, components = 0, theory = 0, error = 0;
  for (const Arrow& each : currents) {
    if (!(each.error.minCoeff() > 0)) continue;
    chi_square += (each.simulation - each.theory).cwiseQuotient(each.error).squaredNorm();
    components += 2;
    theory += each.theory.squaredNorm();
    error += each.error.squaredNorm();
  }
  if (components == 0) return {};
  return {chi_square / components, std::sqrt(theory / error)};
}

/// Arrows in proportion to the current, about the middles of the bins; the short ones are left out.
template <class Kind>
DataTable arrows(const std::vector<Arrow>& currents, const Kind& kind, double unit,
                 double shortest) {
  DataTable table;
  for (const Arrow& each : currents) {
    const Eigen::Vector2d arrow = each.*kind / unit;
    const Eigen::Vector2d from = each.at - arrow / 2;
    if (arrow.norm() > shortest) table.row(from[0], from[1], arrow[0], arrow[1]);
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

std::string figure_name(const std::string& sampling) {
  if (sampling == "wr") return "fig2a";
  if (sampling == "wor") return "fig2b";
  if (sampling == "earthquake") return "fig2c";
  return "fig2_" + sampling;
}

std::string axis_titles(const Options& options) {
  const auto title = [](std::int64_t axis) {
    const std::string index = "_{" + std::to_string(axis) + "}";
    return "'{/:Italic δθ}" + index + " / {/:Italic Θ}" + index + "'";
  };
  return "set xlabel " + title(options.axes[0]) + "\nset ylabel " + title(options.axes[1]) +
         " offset 1\n";
}

/// The two in one scale: the thin arrow lies in the thick one where simulation follows theory. A
/// simulation whose errors are as large as the current has no arrows to show.
std::string currents_plot(const FigureFolder& folder, const std::string& name,
                          const Results& results, const ShownMarginal& marginal) {
  const std::vector<Arrow> all = currents(results.simulated.currents, marginal);
  double largest = 0;
  for (const Arrow& each : all) largest = std::max(largest, each.theory.norm());
  const double unit = largest / (0.9 * marginal.deviation);
  const double shortest = 0.04 * marginal.deviation;
  folder.data(name + "_current", arrows(all, &Arrow::theory, unit, shortest));
  folder.data(name + "_current_simulation", arrows(all, &Arrow::simulation, unit, shortest));
  const bool measured = agreement(all).signal > least_signal;
  return std::string(
             ", \\\n     name.'_current.dat' with vectors head filled size graph 0.018,20 "
             "lw 3.5 lc rgb 'black' title '  current, theory'") +
         (measured
              ? ", \\\n     name.'_current_simulation.dat' with vectors head filled size graph "
                "0.012,20 lw 1.2 lc rgb 'white' title '  current, simulation'"
              : "");
}

/// How well the currents agree, for the title.
std::string currents_note(const Results& results, const ShownMarginal& marginal) {
  const Agreement found = agreement(currents(results.simulated.currents, marginal));
  if (!(found.signal > least_signal))
    return "\\n{/*0.8 current of the simulation: within its errors, not drawn}";
  std::ostringstream note;
  note.precision(2);
  note << "\\n{/*0.8 current of the simulation from theory: {/:Italic χ}^2 = " << found.chi_square
       << " a component}";
  return note.str();
}

/// θ̂₀
std::string effective_plot(const FigureFolder& folder, const std::string& name,
                           const Eigen::Vector2d& at) {
  DataTable table;
  table.row(at[0], at[1]);
  folder.data(name + "_minimum", table);
  return R"(, \
     name.'_minimum.dat' with points pt 7 ps 2.2 lc rgb 'white' title 'effective minimum {/:Italic θ̂}_0', \
     name.'_minimum.dat' with points pt 6 ps 2.2 lw 1.5 lc rgb 'black' notitle)";
}

}  // namespace

void draw_density(FigureFolder& folder, const Minimum& minimum, const Results& results,
                  const Eigen::Vector2d& unit, const Options& options) {
  const State& state = results.predicted.state;
  if (!(state.covariance().diagonal().minCoeff() > 0 && unit.minCoeff() > 0)) return;  // no noise
  const std::string name = figure_name(results.sampling);
  const ShownMarginal marginal(state, minimum, unit, options.shown());
  folder.data(name + "_density", heat_map(results.simulated.density, marginal));
  folder.data(name + "_theory", contours(marginal.center, marginal.covariance));
  folder.data(name + "_loss", contours(Eigen::Vector2d::Zero(), marginal.loss));
  std::string plots;
  std::string note;
  if (!state.is_equilibrium()) {
    plots += currents_plot(folder, name, results, marginal);
    note = currents_note(results, marginal);
  }
  if (const auto& effective = results.predicted.effective)
    plots +=
        effective_plot(folder, name, marginal.placed(of_shown(effective->theta, marginal.shown)));
  folder.draw(name,
              "name = '" + name + "'\nset title \"" + title_of(results.sampling, options) + note +
                  "\"\n" + ranges(marginal) + axis_titles(options) + R"(
set size ratio -1
set xtics font ',15'
set ytics font ',15'
set cbtics 1
set autoscale cbfix
set cblabel 'log_{10} of the density (simulation)' offset 1.5
set palette defined (0 '#20207a', 1 '#2b6fd6', 2 '#4fd0d0', 3 '#b8e04a', 4 '#f5a623', 5 '#c81d1d')
set object rectangle from graph 0,0 to graph 1,1 behind fillcolor rgb '#20207a' fillstyle solid noborder
set key outside below horizontal maxrows 3 Left reverse samplen 3 height 0.6 font ',15'
set key opaque fillcolor rgb '#6e6e6e' textcolor rgb 'white'
$minimum << EOD
0 0
EOD
plot name.'_density.dat' using 1:2:3 with image notitle, \
     name.'_theory.dat' with lines dt (9,7) lw 1.6 lc rgb 'white' title 'density, theory', \
     name.'_loss.dat' with lines dt (9,7) lw 1.6 lc rgb '#ffe14d' title 'levels of the loss', \
     $minimum with points pt '★' ps 2.6 lc rgb '#ffe14d' title 'minimum {/:Italic θ}_0')" +
                  plots + "\n",
              1000, 1020);
}
