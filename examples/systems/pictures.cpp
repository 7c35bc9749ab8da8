#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

namespace {

/// Some three to six tics on an axis, at 1, 2 or 5 times a power of ten.
double tic_distance(const ness::Axis& axis) {
  const double wanted = (axis.upper - axis.lower) / 3;
  const double decade = std::pow(10, std::floor(std::log10(wanted)));
  const double digit = wanted / decade;
  return decade * (digit < 2 ? 1 : digit < 5 ? 2 : 5);
}

void write_map(const FigureFolder& folder, const std::string& name, const Map& map) {
  DataTable table;
  for (Eigen::Index j = 0; j < map.y.bins; ++j)
    for (Eigen::Index i = 0; i < map.x.bins; ++i)
      table.row(map.x.center(i), map.y.center(j), map.density(i, j));
  folder.data(name, table);
}

/// Currents of blocks of two by two cells, as arrows about their middles. `unit` is drawn as long
/// as a block is wide.
void write_arrows(const FigureFolder& folder, const std::string& name, const Map& map,
                  double unit) {
  DataTable table;
  for (Eigen::Index j = 0; j + 1 < map.y.bins; j += 2)
    for (Eigen::Index i = 0; i + 1 < map.x.bins; i += 2) {
      // In cells a unit of time: so that both axes count alike.
      const double u = map.current_x.block(i, j, 2, 2).mean() / map.x.width() / unit;
      const double v = map.current_y.block(i, j, 2, 2).mean() / map.y.width() / unit;
      if (std::hypot(u, v) < 0.02) continue;
      const double dx = 2 * u * map.x.width(), dy = 2 * v * map.y.width();
      table.row(map.x.center(i) + map.x.width() / 2 - dx / 2,
                map.y.center(j) + map.y.width() / 2 - dy / 2, dx, dy);
    }
  if (table.empty()) table.row(map.x.lower, map.y.lower, 0, 0);
  folder.data(name, table);
}

/// The current that an arrow of one block stands for, in cells: the largest in theory; in
/// equilibrium a tenth of what would carry the whole density across a cell in a relaxation time.
double arrow_unit(const System& system) {
  const Map& map = system.theory;
  const Eigen::ArrayXXd speed =
      ((map.current_x / map.x.width()).square() + (map.current_y / map.y.width()).square()).sqrt();
  const double largest = speed.maxCoeff();
  return largest > 0 ? largest
                     : map.density.maxCoeff() * static_cast<double>(map.x.bins) /
                           (10 * system.relaxation_time * system.time_step);
}

/// What stands above and in a column of the figure.
void draw_column(std::ostringstream& commands, FigureFolder& folder, const System& system,
                 int column, int columns) {
  const std::string& key = system.key;
  const double unit = arrow_unit(system);
  write_map(folder, "box1_theory_" + key, system.theory);
  write_map(folder, "box1_simulation_" + key, system.measured);
  write_arrows(folder, "box1_theory_arrows_" + key, system.theory, unit);
  write_arrows(folder, "box1_simulation_arrows_" + key, system.measured, unit);
  DataTable histogram;
  const ness::Histogram& paths = system.short_paths->histogram;
  const double mean = system.short_paths->entropy_production.value * system.short_paths->length;
  double reach = 0;
  for (Eigen::Index bin = 0; bin < paths.axis().bins; ++bin) {
    if (paths.density(bin) > 0) histogram.row(paths.axis().center(bin), paths.density(bin));
    if (paths.density(bin) > 1e-4) reach = std::max(reach, std::abs(paths.axis().center(bin)));
  }
  folder.data("box1_entropy_" + key, histogram);

  const double width = 0.95 / columns;
  const double left = 0.045 + column * width;
  const auto panel = [&](double bottom, double height) {
    commands << "set lmargin at screen " << left + 0.1 * width << "\nset rmargin at screen "
             << left + 0.93 * width << "\nset bmargin at screen " << bottom
             << "\nset tmargin at screen " << bottom + height << "\n";
  };
  const auto map = [&](const std::string& kind, double bottom, const std::string& x_title,
                       const std::string& title) {
    panel(bottom, 0.27);
    commands << "unset colorbox\nset xrange [" << system.theory.x.lower << ":"
             << system.theory.x.upper << "]\nset yrange [" << system.theory.y.lower << ":"
             << system.theory.y.upper << "]\nset xtics autofreq format '%g' offset 0,0.4\n"
             << "set xtics " << tic_distance(system.theory.x) << "\nset ytics "
             << tic_distance(system.theory.y) << " format '%g' offset 0.6,0\n"
             << "set xlabel '" << x_title << "' offset 0,0.9\nset ylabel '" << system.y_title
             << "' offset 1.6,0\nset title \"" << title << "\" offset 0,-0.6\n"
             << "plot 'box1_" << kind << "_" << key << ".dat' using 1:2:3 with image notitle, "
             << "'box1_" << kind << "_arrows_" << key
             << ".dat' using 1:2:3:4 with vectors head filled size graph 0.025,18 lw 1.3 lc rgb "
                "'black' notitle\n";
  };
  map("theory", 0.645, "",
      "{/:Bold " + system.title + "}\\n{/*0.8 " + system.laws + "}\\n{/*0.8 " +
          std::string(to_string(system.classification.kind)) + "}");
  map("simulation", 0.345, system.x_title, "");
  panel(0.07, 0.2);
  commands << "set xtics autofreq\nset ytics autofreq\nset xrange [" << -1.1 * reach << ":"
           << 1.1 * reach << "]\nset yrange [1e-4:*]\nset logscale y\nset format y '10^{%T}'\n"
           << "set xlabel 'entropy {/:Italic σ} of 1/50 relaxation time' offset 0,0.7\n"
           << "set ylabel '" << (column == 0 ? "density" : "") << "' offset 1.2,0\nset title \"\"\n"
           << "set arrow 1 from " << mean << ", graph 0 to " << mean
           << ", graph 1 nohead lw 2 lc rgb '#c81d1d'\n"
           << "set label 1 \"⟨{/:Italic σ}⟩ per relaxation time\\n"
           << system.entropy.value << " ± " << system.entropy.standard_error
           << "\" at graph 0.03, graph 0.92 left font ',12' tc rgb '#c81d1d'\n"
           << "plot 'box1_entropy_" << key << ".dat' with lines lw 2.5 lc rgb '#1f4e9c' notitle\n"
           << "unset arrow 1\nunset label 1\nunset logscale y\nset format y '%g'\n";
}

void draw_box1(FigureFolder& folder, const Results& results) {
  std::ostringstream commands;
  commands.precision(3);
  commands << "set palette defined (0 'white', 0.25 '#d6e6f4', 0.6 '#7fb0dc', 1 '#2a68ad')\n"
           << "set tics font ',12' scale 0.5\nset title font ',17'\nset label font ',15'\n"
           << "set xlabel font ',14'\nset ylabel font ',14'\nset multiplot\n"
           << "set label 2 'theory' at screen 0.016, 0.78 rotate by 90 center font ',17'\n"
           << "set label 3 'simulation' at screen 0.016, 0.48 rotate by 90 center font ',17'\n";
  const int columns = static_cast<int>(results.systems.size());
  for (int column = 0; column < columns; ++column) {
    draw_column(commands, folder, results.systems[static_cast<std::size_t>(column)], column,
                columns);
    if (column == 0) commands << "unset label 2\nunset label 3\n";
  }
  commands << "unset multiplot\n";
  folder.draw("box1", commands.str(), 60 + 430 * columns, 1250);
}

void draw_densities(FigureFolder& folder, const Results& results) {
  std::ostringstream commands;
  int panels = 0;
  for (const System& system : results.systems)
    for (const Curve& curve : system.curves) {
      DataTable table;
      for (Eigen::Index bin = 0; bin < curve.axis.bins; ++bin)
        table.row(curve.axis.center(bin), curve.theory[bin], curve.measured.value[bin],
                  curve.measured.standard_error[bin]);
      folder.data("density_" + curve.name, table);
      commands << "set title '" << system.title << ": " << curve.title << "'\nset xlabel '"
               << curve.variable << "'\nset xtics " << tic_distance(curve.axis)
               << "\nplot 'density_" << curve.name
               << ".dat' using 1:2 with lines lw 2 lc rgb '#1f4e9c' title 'theory', '' using 1:3:4 "
                  "with yerrorbars pt "
                  "7 ps 0.7 lc rgb '#c81d1d' title 'simulation'\n";
      ++panels;
    }
  const int columns = std::min(3, panels);
  const int rows = (panels + columns - 1) / columns;
  std::ostringstream head;
  head << "set multiplot layout " << rows << "," << columns
       << "\nset key font ',13' samplen 2\nset tics font ',13'\nset title font ',16'\n"
       << "set yrange [0:*]\nset offsets 0, 0, graph 0.25, 0\nset ylabel 'probability density'\n"
       << "set grid lc rgb '#e0e0e0'\n";
  folder.draw("densities", head.str() + commands.str() + "unset multiplot\n", 480 * columns,
              400 * rows);
}

void draw_approach(FigureFolder& folder, const Approach& approach) {
  DataTable table;
  for (std::size_t k = 0; k < approach.eta.size(); ++k)
    table.row(approach.eta[k], approach.residual[k]);
  folder.data("sgld_approach", table);
  std::ostringstream commands;
  commands << "slope(x) = " << approach.residual.back() << " * x / " << approach.eta.back() << R"(
set logscale xy
set format x '10^{%T}'
set format y '10^{%T}'
set xlabel 'learning rate {/:Italic η}'
set ylabel 'what is left of {/:Italic μ} = {/:Italic βD},  |{/:Italic μ} − {/:Italic βD}| / |{/:Italic μ}|'
set title 'SGLD on its way to Boltzmann equilibrium'
set yrange [*:2]
set grid lc rgb '#e0e0e0'
set key bottom right Left reverse samplen 2
plot slope(x) with lines lw 2 dt 2 lc rgb '#888888' title 'proportional to {/:Italic η}', \
     'sgld_approach.dat' with linespoints lw 2.5 pt 7 ps 1.2 lc rgb '#1f4e9c' title 'around the minimum of the network'
)";
  folder.draw("sgld_approach", commands.str());
}

void draw_settling(FigureFolder& folder, const Settling& settling) {
  DataTable table;
  for (std::size_t k = 0; k < settling.theory.size(); ++k) {
    const auto& theory = settling.theory[k];
    const auto& found = settling.measured[k];
    const auto& covariance = found.covariance;
    table.row(static_cast<double>(found.steps) * settling.time_step, theory.mean[0],
              found.mean.value[0], found.mean.standard_error[0], theory.mean[1],
              found.mean.value[1], found.mean.standard_error[1], theory.covariance(0, 0),
              covariance.value(0, 0), covariance.standard_error(0, 0), theory.covariance(1, 1),
              covariance.value(1, 1), covariance.standard_error(1, 1), theory.covariance(0, 1),
              covariance.value(0, 1), covariance.standard_error(0, 1));
  }
  folder.data("settling", table);
  // Theory in one column, simulation and its error in the two after it.
  const auto series = [](int column, const std::string& colour, const std::string& name) {
    const auto number = [&](int k) { return std::to_string(column + k); };
    return "'settling.dat' using 1:" + number(0) + " with lines lw 2.5 lc rgb '" + colour +
           "' title \"" + name + "\", '' using 1:" + number(1) + ":(2*$" + number(2) +
           ") with yerrorbars pt 7 ps 0.8 lw 1.2 lc rgb '" + colour + "' notitle";
  };
  const std::string blue = "#1f4e9c", red = "#c81d1d", green = "#2a8a3c";
  folder.draw("settling",
              R"(
set multiplot layout 1,2
set grid lc rgb '#e0e0e0'
set key top right samplen 2 spacing 1.2
set xlabel 'time {/:Italic t}'
set offsets 0, 0, graph 0.15, graph 0.05
set title "Brownian gyrator: mean of 10 000 runs\n{/*0.8 lines: theory (C5), points: simulation, two standard errors}"
set ylabel '⟨{/:Italic θ}⟩'
plot )" + series(2, blue, "⟨{/:Italic θ}_1⟩") +
                  ", " + series(5, red, "⟨{/:Italic θ}_2⟩") + R"(
set title "their covariance, all from one point\n{/*0.8 lines: theory (C6), points: simulation, two standard errors}"
set ylabel '{/:Italic Σ}'
set key at graph 0.97, graph 0.44 right
plot )" + series(8, blue, "{/:Italic Σ}_{11}") +
                  ", " + series(11, red, "{/:Italic Σ}_{22}") + ", " +
                  series(14, green, "{/:Italic Σ}_{12}") + "\nunset multiplot\n",
              1300, 560);
}

void write_beads(const FigureFolder& folder, const std::string& name,
                 const Eigen::Matrix3Xd& beads) {
  DataTable table;
  for (Eigen::Index i = 0; i < beads.cols(); ++i)
    table.row(beads(0, i), beads(1, i), beads(2, i), static_cast<double>(i));
  folder.data(name, table);
}

void draw_folding(FigureFolder& folder, const FoldingStudy& study) {
  DataTable table;
  for (std::size_t k = 0; k < study.temperature.size(); ++k)
    table.row(study.temperature[k], study.free_draining[k].value,
              study.free_draining[k].standard_error, study.hydrodynamics[k].value,
              study.hydrodynamics[k].standard_error);
  folder.data("folding", table);
  write_beads(folder, "folding_cold", study.cold);
  write_beads(folder, "folding_hot", study.hot);
  const double reach =
      1.05 * std::max(study.cold.cwiseAbs().maxCoeff(), study.hot.cwiseAbs().maxCoeff());
  std::ostringstream commands;
  commands.precision(3);
  commands << R"(
set multiplot
set grid lc rgb '#e0e0e0'
set lmargin at screen 0.085
set rmargin at screen 0.47
set xlabel 'temperature {/:Italic T}, of contacts 2 deep'
set ylabel 'native contacts ⟨{/:Italic Q}⟩'
set xrange [0.4:2.1]
set yrange [0:1.05]
set key top right samplen 2 spacing 1.2
set title "A helix of 8 beads: equilibrium whatever the mobility\n{/*0.8 bars: two standard errors}"
plot 'folding.dat' using 1:2:(2*$3) with yerrorlines pt 7 ps 1.2 lw 2 lc rgb '#1f4e9c' title 'free draining', \
     '' using 1:4:(2*$5) with yerrorbars pt 6 ps 2 lw 2 lc rgb '#c81d1d' title 'with hydrodynamics'
unset key
unset grid
unset border
unset tics
unset xlabel
unset ylabel
set view 75, 30, 1.7
set view equal xyz
set palette defined (0 '#1f4e9c', 1 '#f0c040')
unset colorbox
)";
  const auto panel = [&](const std::string& name, double temperature, double left) {
    commands << "set lmargin at screen " << left << "\nset rmargin at screen " << left + 0.24
             << "\nset xrange [" << -reach << ":" << reach << "]\nset yrange [" << -reach << ":"
             << reach << "]\nset zrange [" << -reach << ":" << reach
             << "]\nset title \"a state at {/:Italic T} = " << temperature << "\"\n"
             << "splot '" << name << ".dat' using 1:2:3 with lines lw 4 lc rgb '#888888', '" << name
             << ".dat' using 1:2:3:4 with points pt 7 ps 4 lc palette\n";
  };
  panel("folding_cold", study.cold_temperature, 0.5);
  panel("folding_hot", study.hot_temperature, 0.75);
  commands << "unset multiplot\n";
  folder.draw("folding", commands.str(), 1500, 560);
}

}  // namespace

void draw(FigureFolder& folder, const Results& results) {
  if (!results.systems.empty()) {
    draw_box1(folder, results);
    draw_densities(folder, results);
  }
  if (results.folding) draw_folding(folder, *results.folding);
  if (results.settling) draw_settling(folder, *results.settling);
  if (results.trainings) draw_approach(folder, results.trainings->approach);
}
