#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

#include "decreasing.hpp"

namespace {

bool was_run(const DecreasingPoint& point) { return point.standard_error > 0; }

std::string rounded(double value, int digits = 3) {
  std::ostringstream text;
  text << std::setprecision(digits) << value;
  return text.str();
}

/// d log f / d log passes over the last decade.
template <class Quantity>
double slope(const DecreasingSeries& series, const Quantity& quantity) {
  const DecreasingPoint& late = series.points.back();
  const DecreasingPoint& early = series.points[series.points.size() - 3];
  return std::log(quantity(late) / quantity(early)) / std::log(late.passes / early.passes);
}

double error_of(const DecreasingPoint& point) { return point.error; }
double divergence_of(const DecreasingPoint& point) { return point.divergence; }

std::string fraction(const DecreasingSeries& series) {
  if (series.name != "best") return rounded(series.exponent);
  return "1/" + rounded(std::round(1 / series.exponent));
}

template <class Quantity>
std::vector<double> of_points(const DecreasingSeries& series, const Quantity& quantity) {
  std::vector<double> values;
  for (const DecreasingPoint& point : series.points) values.push_back(quantity(point));
  return values;
}

}  // namespace

void print(std::ostream& out, const std::vector<DecreasingSeries>& all) {
  out << R"(
Learning rates that fall as (1 + t/t_1)^-gamma, t_1 = 100 passes over the data; draws weigh as the learning rate.
Error is that of the variances of the posterior by all draws of a run, relative, bias the part of it that more
runs do not make less; divergence is that of the law of the last draw, in bits. Where the stationary state is wrong
by eta^p the law goes as T^-2p gamma, the error at best as T^-p/(2p + 1), with gamma = 1/(2p + 1), and else as
T^-(1 - gamma)/2. Slopes are those of the last decade; the last column is how far a run is from what is predicted,
in standard errors.
)";
  for (const DecreasingSeries& series : all) {
    out << '\n'
        << series.title << ", gamma = " << fraction(series) << ", eta_1 = " << rounded(series.first)
        << ": slopes " << rounded(slope(series, divergence_of)) << " of the divergence (law "
        << rounded(-2 * series.order * series.exponent) << "), " << rounded(slope(series, error_of))
        << " of the error (law "
        << rounded(-(series.name == "best" ? series.order * series.exponent
                                           : (1 - series.exponent) / 2))
        << ")\n"
        << std::setw(10) << "passes" << std::setw(11) << "eta" << std::setw(13) << "divergence"
        << std::setw(10) << "bias" << std::setw(10) << "error" << std::setw(12) << "simulation"
        << std::setw(11) << "std. err." << '\n';
    for (const DecreasingPoint& point : series.points) {
      out << std::setw(10) << rounded(point.passes) << std::setw(11) << rounded(point.learning_rate)
          << std::setw(13) << rounded(point.divergence) << std::setw(10) << rounded(point.bias)
          << std::setw(10) << rounded(point.error);
      if (was_run(point))
        out << std::setw(12) << rounded(point.measured) << std::setw(11)
            << rounded(point.standard_error, 2) << std::setw(9)
            << rounded((point.measured - point.error) / point.standard_error, 2);
      out << '\n';
    }
  }
}

void write(const Json& json, const std::vector<DecreasingSeries>& all) {
  for (const DecreasingSeries& series : all) {
    const Json at = json["decreasing"][series.key][series.name];
    at["exponent"] = series.exponent;
    at["first"] = series.first;
    at["delay"] = series.delay;
    at["passes"] = of_points(series, [](const auto& point) { return point.passes; });
    at["learning_rate"] = of_points(series, [](const auto& point) { return point.learning_rate; });
    at["divergence"] = of_points(series, divergence_of);
    at["bias"] = of_points(series, [](const auto& point) { return point.bias; });
    at["error"] = of_points(series, error_of);
    const auto run = [&](const auto& quantity) {
      return of_points(series,
                       [&](const auto& point) { return was_run(point) ? quantity(point) : NAN; });
    };
    if (!was_run(series.points.front())) continue;
    at["measured"] = run([](const auto& point) { return point.measured; });
    at["standard_error"] = run([](const auto& point) { return point.standard_error; });
  }
}

void draw(FigureFolder& folder, const std::vector<DecreasingSeries>& all) {
  std::string laws, means;
  for (const DecreasingSeries& series : all) {
    const std::string name = "decreasing_" + series.key + "_" + series.name;
    DataTable theory, runs;
    for (const DecreasingPoint& point : series.points) {
      theory.row(point.passes, point.error, point.divergence);
      // Those of one sampler are beside each other, not on top.
      if (was_run(point))
        runs.row(point.passes * (series.name == "best" ? 1 : 1.12), point.measured,
                 point.standard_error);
    }
    folder.data(name, theory);
    folder.data(name + "_runs", runs);
    const std::string color = series.key == "sgld"         ? "'#c81d1d'"
                              : series.key == "sgworld_lm" ? "'#111111'"
                                                           : "'#00838f'";
    const bool best = series.name == "best";
    const std::string line =
        std::string(" with lines lw 3 dt ") + (best ? "1" : "(5,4)") + " lc rgb " + color;
    const std::string title =
        " title '" + series.title + ", {/:Italic γ} = " + fraction(series) + "'";
    laws += (laws.empty() ? "'" : ", '") + name + ".dat' using 1:3" + line + title;
    means += (means.empty() ? "'" : ", '") + name + ".dat' using 1:2" + line + " notitle";
    if (!runs.empty())
      means += ", '" + name + "_runs.dat' with yerrorbars pt " + (best ? "7" : "6") +
               " ps 1.1 lw 1.5 lc rgb " + color + " notitle";
  }
  folder.draw("decreasing",
              R"(set multiplot layout 1,2
set logscale xy
set format '10^{%T}'
set xlabel 'passes over the data'
set grid lc rgb '#e0e0e0'
set xrange [8:1.3e5]
set title 'law of the last draw'
set ylabel 'divergence from the posterior (bits)'
set key bottom left Left reverse samplen 3 font ',14'
plot )" + laws + R"(
set title 'means over all draws: prediction (lines), runs (points)'
set ylabel 'relative error of the posterior''s variances'
set format y '%g'
set ytics (0.02, 0.05, 0.1, 0.2, 0.5, 1)
set yrange [0.015:2]
set key top right Right noreverse
plot )" + means +
                  ", [2e3:1e5] 4*x**(-1.0/3) with lines lw 1 dt 3 lc rgb '#555555' title "
                  "'{/:Italic T}^{-1/3}', "
                  "[2e3:1e5] 2.2*x**(-3.0/7) with lines lw 1 dt 4 lc rgb '#555555' title "
                  "'{/:Italic T}^{-3/7}'\nunset multiplot\n",
              1500, 640);
}
