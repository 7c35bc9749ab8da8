#include "pictures.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>

namespace {

void write_map(const FigureFolder& folder, const std::string& name, const Map& map) {
  DataTable table;
  for (Eigen::Index j = 0; j < map.y.bins; ++j)
    for (Eigen::Index i = 0; i < map.x.bins; ++i)
      table.row(map.x.center(i), map.y.center(j), map.density(i, j));
  folder.data(name, table);
}

/// The speed of blocks of two by two cells in cells a unit of time, so that both axes count alike.
Eigen::Vector2d in_cells(const Map& map, Eigen::Index i, Eigen::Index j) {
  return {map.current_x.block(i, j, 2, 2).mean() / map.x.width(),
          map.current_y.block(i, j, 2, 2).mean() / map.y.width()};
}

/// Some three to six tics on an axis, at 1, 2 or 5 times a power of ten.
double tic_distance(const ness::Axis& axis) {
  const double wanted = (axis.upper - axis.lower) / 3;
  const double decade = std::pow(10, std::floor(std::log10(wanted)));
  const double digit = wanted / decade;
  return decade * (digit < 2 ? 1 : digit < 5 ? 2 : 5);
}

double largest(const Map& map) {
  double most = 0;
  for (Eigen::Index j = 0; j + 1 < map.y.bins; j += 2)
    for (Eigen::Index i = 0; i + 1 < map.x.bins; i += 2)
      most = std::max(most, in_cells(map, i, j).norm());
  return most;
}

/// Currents as arrows about the middles of blocks; `unit` is drawn as long as a block is wide.
void write_arrows(const FigureFolder& folder, const std::string& name, const Map& map,
                  double unit) {
  DataTable table;
  for (Eigen::Index j = 0; j + 1 < map.y.bins; j += 2)
    for (Eigen::Index i = 0; i + 1 < map.x.bins; i += 2) {
      const Eigen::Vector2d arrow = 2.2 * in_cells(map, i, j) / unit;
      if (!(arrow.norm() > 0.05)) continue;
      const double dx = arrow[0] * map.x.width(), dy = arrow[1] * map.y.width();
      table.row(map.x.center(i) + map.x.width() / 2 - dx / 2,
                map.y.center(j) + map.y.width() / 2 - dy / 2, dx, dy);
    }
  if (table.empty()) table.row(map.x.lower, map.y.lower, 0, 0);
  folder.data(name, table);
}

void draw_current(FigureFolder& folder, const Results& results) {
  const Map& measured = *results.measured;
  const Map& scale = results.predicted ? *results.predicted : measured;
  const double unit = largest(scale);
  std::ostringstream commands;
  commands.precision(4);
  const bool both = results.predicted.has_value();
  const auto panel = [&](const std::string& kind, const Map& map, const std::string& title) {
    const double left = both ? (kind == "measured" ? 0.07 : 0.57) : 0.15;
    commands << "set lmargin at screen " << left << "\nset rmargin at screen "
             << left + (both ? 0.31 : 0.62) << '\n';
    write_map(folder, "current_" + kind, map);
    write_arrows(folder, "current_arrows_" + kind, map, unit);
    commands << "set title \"" << title << "\"\nset xrange [" << map.x.lower << ":" << map.x.upper
             << "]\nset yrange [" << map.y.lower << ":" << map.y.upper << "]\nset xtics "
             << tic_distance(map.x) << "\nset ytics " << tic_distance(map.y) << "\nset xlabel '"
             << results.plane.x_title << "'\nset ylabel '" << results.plane.y_title
             << "'\nplot 'current_" << kind << ".dat' using 1:2:3 with image notitle, "
             << "'current_arrows_" << kind
             << ".dat' using 1:2:3:4 with vectors head filled size graph 0.02,18 lw 1.3 lc rgb "
                "'black' notitle\n";
  };
  commands << "set palette defined (0 'white', 0.25 '#d6e6f4', 0.6 '#7fb0dc', 1 '#2a68ad')\n"
           << "set bmargin at screen 0.14\nset tmargin at screen 0.84\nset tics out nomirror\nset "
              "format '%g'\n"
           << "set cblabel 'probability density' offset 1.5,0\nset cbtics format '%g'\n"
           << "set multiplot layout 1," << (both ? 2 : 1) << '\n';
  std::ostringstream fit;
  fit.precision(3);
  if (results.fit)
    fit << "\\n{/*0.75 {/:Italic χ}^2 = " << results.fit->chi_square << " of "
        << results.fit->freedom << " degrees of freedom, chance " << results.fit->chance << "}";
  panel("measured", measured, "current, measured" + (both ? fit.str() : std::string()));
  if (both)
    panel("predicted", *results.predicted, "current, predicted\\n{/*0.75 " + results.title + "}");
  commands << "unset multiplot\n";
  folder.draw("current", commands.str(), both ? 1600 : 820, 720);
}

void draw_bounds(FigureFolder& folder, const Results& results) {
  DataTable table;
  for (const Bounds& row : results.bounds)
    table.row(row.lag, row.uncertainty.value, row.uncertainty.standard_error, row.entropy.value,
              row.entropy.standard_error, row.exact);
  folder.data("bounds", table);
  std::ostringstream commands;
  commands << "set logscale x 2\nset xlabel 'lag, in steps of " << results.time_step << "'\n"
           << "set ylabel 'entropy production per " << results.unit << "'\n"
           << "set xrange [" << 0.8 * static_cast<double>(results.bounds.front().lag) << ":"
           << 1.25 * static_cast<double>(results.bounds.back().lag) << "]\n"
           << "set offsets 0, 0, graph 0.1, graph 0.05\nset grid lc rgb '#e0e0e0'\n"
           << "set title \"" << results.title
           << "\\n{/*0.8 bounds from states alone, two standard errors}\"\n"
           << "set key below Left reverse samplen 2\nplot ";
  const auto line = [&](double value, const std::string& title, int dash) {
    if (!std::isnan(value))
      commands << value << " with lines lw 2 dt " << dash << " lc rgb '#444444' title '" << title
               << "', ";
  };
  const bool path = !std::isnan(results.of_path);
  line(path ? results.of_path : results.exact, path ? "rate of long paths" : "exact", 1);
  bool known = false;
  for (const Bounds& row : results.bounds) known = known || !std::isnan(row.exact);
  if (known)
    commands << "'bounds.dat' using 1:6 with linespoints pt 2 lw 1.5 dt 2 lc rgb '#444444' title "
                "'exact, of pairs so far apart', ";
  commands
      << "'bounds.dat' using ($1*0.97):2:(2*$3) with yerrorbars pt 7 ps 1 lw 2 lc rgb '#1f4e9c' "
         "title 'uncertainty relation', "
      << "'' using ($1*1.03):4:(2*$5) with yerrorbars pt 5 ps 0.9 lw 2 lc rgb '#c81d1d' title "
         "'Donsker "
         "and Varadhan'\n";
  folder.draw("bounds", commands.str(), 900, 760);
}

void draw_spectrum(FigureFolder& folder, const Results& results) {
  const Spectrum& spectrum = *results.spectrum;
  DataTable table;
  // A band of one natural logarithm, so that areas are what they look like.
  for (Eigen::Index k = 0; k < spectrum.frequency.size(); ++k)
    table.row(spectrum.frequency[k] / results.time_step,
              spectrum.frequency[k] * spectrum.density[k] / results.time_step);
  folder.data("spectrum", table);
  const bool pairs = spectrum.pairs.size() > 0;
  std::ostringstream commands;
  commands
      << "set multiplot layout 1," << (pairs ? 2 : 1)
      << "\nset logscale x\nset format x '10^{%T}'\n"
      << "set xlabel 'frequency {/:Italic ω}, radians per " << results.unit << "'\n"
      << "set ylabel 'entropy production per " << results.unit << " and unit of log {/:Italic ω}'\n"
      << "set grid lc rgb '#e0e0e0'\nset yrange [0:*]\n"
      << "set title \"at which frequencies it is irreversible\\n{/*0.75 " << results.title
      << "}\"\n"
      << "plot 'spectrum.dat' with filledcurves y1=0 fc rgb '#d6e6f4' notitle, '' with lines lw "
         "2.5 lc rgb '#1f4e9c' notitle\n";
  if (pairs) {
    DataTable matrix;
    const Eigen::Index n = spectrum.pairs.rows();
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < n; ++j) matrix.row(i + 1, j + 1, 100 * spectrum.pairs(i, j));
    folder.data("spectrum_pairs", matrix);
    commands
        << "unset logscale x\nset format x '%g'\nunset grid\nset size square\nset xrange [0.5:" << n
        << ".5]\nset yrange [0.5:" << n << ".5]\nset xtics " << std::max<Eigen::Index>(1, n / 8)
        << "\nset ytics " << std::max<Eigen::Index>(1, n / 8)
        << "\nset palette defined (0 'white', 0.3 '#d6e6f4', 0.7 '#7fb0dc', 1 '#16407a')\n"
        << "set cbrange [0:*]\nset cblabel '% of the whole' offset 1,0\n"
        << "set xlabel 'direction, from slow to fast'\nset ylabel 'direction, from slow to fast'\n"
        << "set title \"between which directions\"\nplot 'spectrum_pairs.dat' with image notitle\n";
  }
  commands << "unset multiplot\n";
  folder.draw("spectrum", commands.str(), pairs ? 1500 : 900, 700);
}

void draw_ring(FigureFolder& folder, const Ring& ring) {
  DataTable table;
  for (Eigen::Index k = 0; k < ring.angle.size(); ++k)
    table.row(ring.angle[k], ring.density[k], ring.found_density.value[k],
              ring.found_density.standard_error[k], ring.velocity[k], ring.found_velocity.value[k],
              ring.found_velocity.standard_error[k]);
  folder.data("ring", table);
  folder.draw("ring", R"(set multiplot layout 1,2
set xrange [0:2*pi]
set xtics ('0' 0, 'π/2' pi/2, 'π' pi, '3π/2' 3*pi/2, '2π' 2*pi)
set xlabel 'angle {/:Italic φ}'
set yrange [0:*]
set grid lc rgb '#e0e0e0'
set key below Left reverse samplen 2
set ylabel 'probability density {/:Italic P}'
set title 'where it is'
plot 'ring.dat' using 1:2 with lines lw 2.5 lc rgb '#1f4e9c' title 'quadrature', '' using 1:3:(2*$4) with yerrorbars pt 7 ps 0.7 lc rgb '#c81d1d' title 'simulation, two standard errors'
set ylabel 'velocity {/:Italic v^s} = {/:Italic J/P}, radians per unit of time'
set title 'how fast it goes round there'
plot 'ring.dat' using 1:5 with lines lw 2.5 lc rgb '#1f4e9c' title 'quadrature', '' using 1:6:(2*$7) with yerrorbars pt 7 ps 0.7 lc rgb '#c81d1d' title 'simulation, two standard errors'
unset multiplot
)",
              1400, 640);
}

}  // namespace

void draw(FigureFolder& folder, const Results& results) {
  if (results.measured) draw_current(folder, results);
  draw_bounds(folder, results);
  if (results.spectrum) draw_spectrum(folder, results);
  if (results.ring) draw_ring(folder, *results.ring);
}
