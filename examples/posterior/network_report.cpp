#include "network_report.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

namespace network {
namespace {

using Eigen::Index;
using Vector = Eigen::VectorXd;

std::string in_words(const std::vector<int>& widths) {
  std::string text;
  for (const int width : widths) text += (text.empty() ? "" : "-") + std::to_string(width);
  return text;
}

/// √ of a mean square, and its standard error.
ness::Estimate<Vector> root(const ness::Estimate<Vector>& square) {
  const Vector value = square.value.cwiseSqrt();
  return {value, square.standard_error.cwiseQuotient(2 * value), square.degrees_of_freedom};
}

/// Moments of draws, column by column.
Band band_of(const Eigen::MatrixXd& draws) {
  Band band{draws.colwise().mean(), {}};
  band.deviation =
      (draws.rowwise() - band.mean.transpose()).array().square().colwise().mean().sqrt();
  return band;
}

/// At the places, of a band on the grid.
Band at_places(const Results& results, const Band& band) {
  Band result{results.places, results.places};
  for (Index k = 0; k < results.places.size(); ++k) {
    Index nearest;
    (results.grid.array() - results.places[k]).abs().minCoeff(&nearest);
    result.mean[k] = band.mean[nearest];
    result.deviation[k] = band.deviation[nearest];
  }
  return result;
}

void print_row(std::ostream& out, const std::string& title, const Vector& numbers) {
  out << std::left << std::setw(31) << title << std::right;
  for (const double number : numbers) out << std::setw(11) << number;
  out << '\n';
}

void print_functions(std::ostream& out, const Results& results) {
  const Draws& reference = results.reference;
  const Index count = results.places.size();
  const auto deviation = root(reference.square);
  const Band linear = at_places(results, results.linear), laplace = band_of(results.laplace_draws);
  out << std::setprecision(3) << '\n';
  print_row(out, "x", results.places);
  print_row(out, "mean of f, reference", reference.mean.value.head(count));
  print_row(out, "  standard error", reference.mean.standard_error.head(count));
  if (results.exact) print_row(out, "  exact, by integrals", results.exact->mean);
  print_row(out, "  at the minimum", linear.mean);
  print_row(out, "  draws of N(theta_0, 1/H)", laplace.mean);
  print_row(out, "deviation of f, reference", deviation.value.head(count));
  print_row(out, "  standard error", deviation.standard_error.head(count));
  if (results.exact) print_row(out, "  exact, by integrals", results.exact->deviation);
  print_row(out, "  N(theta_0, 1/H), f linear", linear.deviation);
  print_row(out, "  draws of N(theta_0, 1/H)", laplace.deviation);
  out << std::setprecision(5);
  print_row(out, "R-hat", reference.converged.r_hat.head(count));
  print_row(out, "effective draws, bulk", reference.converged.bulk_draws.head(count));
  print_row(out, "effective draws, tail", reference.converged.tail_draws.head(count));
  if (results.exact) {
    const Comparison comparison = results.compare_with_exact();
    out << "\nreference against exact: " << std::setprecision(2) << comparison.deviation
        << " standard errors at most, " << comparison.of << ", chance of one so far "
        << comparison.chance << "  "
        << (comparison.chance * 2 * static_cast<double>(count) >= 1e-3 ? "pass" : "FAIL") << '\n';
  }
  out << std::setprecision(5) << "\nobjective " << reference.mean.value[count] << " +- "
      << std::setprecision(2) << reference.mean.standard_error[count] << ", R-hat "
      << std::setprecision(5) << reference.converged.r_hat[count] << "; |theta|^2 "
      << reference.mean.value[count + 1] << " +- " << std::setprecision(2)
      << reference.mean.standard_error[count + 1] << ", R-hat " << std::setprecision(5)
      << reference.converged.r_hat[count + 1] << "\nParameters have R-hat up to "
      << std::setprecision(3) << results.parameters_r_hat << " (theta_" << results.parameter + 1
      << "; median " << results.parameters_r_hat_median << R"(): hidden units may be exchanged
and their signs turned without a change of f, so parameters are not identified and need not mix; f is, and must.
)";
}

void print_sampler(std::ostream& out, const Draws& draws, const Results& results) {
  out << std::left << std::setw(25) << draws.title << std::right << std::setprecision(3)
      << std::setw(10) << draws.step << std::setw(6) << draws.batch << std::setw(10)
      << draws.gradients;
  if (!draws.failure.empty()) {
    out << "  diverged\n";
    return;
  }
  out << std::fixed << std::setprecision(3) << std::setw(8) << draws.r_hat() << std::defaultfloat
      << std::setw(8) << std::lround(draws.bulk_draws()) << std::setw(8)
      << std::lround(draws.tail_draws()) << std::setw(10) << draws.gradients_per_draw()
      << std::setprecision(5) << std::setw(9) << draws.log_density.value << std::setprecision(1)
      << std::setw(8) << draws.log_density.standard_error;
  if (&draws == &results.reference) {
    out << (draws.has_converged() ? "" : "  not converged: raise --steps") << '\n';
    return;
  }
  const Comparison comparison = results.compare(draws);
  out << std::setprecision(2) << std::setw(7) << comparison.deviation << std::setw(9)
      << comparison.chance << "  ";
  if (!draws.has_converged() || !results.reference.has_converged())
    out << "not converged";
  else
    out << (comparison.chance >= results.level() ? "agrees" : "differs");
  out << ": " << comparison.of << '\n';
}

void write(const Json& json, const ness::Estimate<Vector>& estimate) {
  json["value"] = estimate.value;
  json["standard_error"] = estimate.standard_error;
}

void write(const Json& json, const Band& band) {
  json["mean"] = band.mean;
  json["deviation"] = band.deviation;
}

void write(const Json& json, const Draws& draws, const Results& results) {
  json["step"] = draws.step;
  json["friction"] = draws.friction;
  json["batch"] = static_cast<std::int64_t>(draws.batch);
  json["gradient_evaluations"] = draws.gradients;
  json["diverged"] = !draws.failure.empty();
  if (!draws.failure.empty()) return;
  write(json["mean"], draws.mean);
  write(json["deviation"], root(draws.square));
  json["r_hat"] = draws.converged.r_hat;
  json["bulk_draws"] = draws.converged.bulk_draws;
  json["tail_draws"] = draws.converged.tail_draws;
  json["gradients_per_draw"] = draws.gradients_per_draw();
  json["log_density"] = draws.log_density.value;
  json["log_density_standard_error"] = draws.log_density.standard_error;
  json["converged"] = draws.has_converged();
  if (&draws == &results.reference || !results.reference.failure.empty()) return;
  const Comparison comparison = results.compare(draws);
  json["furthest"] = comparison.deviation;
  json["chance"] = comparison.chance;
  json["agrees"] = comparison.chance >= results.level();
}

// The data, and the posterior of f with its Gaussian approximation; below what both are about the
// mean.
void draw_predictions(FigureFolder& folder, const Results& results) {
  DataTable band, data;
  for (Index k = 0; k < results.grid.size(); ++k)
    band.row(results.grid[k], results.reference.band.mean[k], results.reference.band.deviation[k],
             results.linear.mean[k], results.linear.deviation[k]);
  for (std::size_t k = 0; k < results.x.size(); ++k) data.row(results.x[k], results.y[k]);
  folder.data("network_band", band);
  folder.data("network_data", data);
  std::ostringstream range;
  range << "set xrange [" << results.grid[0] << ":" << results.grid[results.grid.size() - 1]
        << "]\n";
  folder.draw("network_predictions",
              range.str() + R"(
set multiplot layout 2,1
set lmargin at screen 0.12
set rmargin at screen 0.66
set grid lc rgb '#e0e0e0'
set key outside right top Left reverse samplen 2
set title 'posterior of a )" +
                  in_words(results.widths) +
                  R"( network: {/:Italic f} without the noise of the data'
set ylabel '{/:Italic f}({/:Italic x})'
plot 'network_band.dat' using 1:($2-2*$3):($2+2*$3) with filledcurves lc rgb '#c6dbef' title 'mean ± 2 deviations', \
  '' using 1:($2-$3):($2+$3) with filledcurves lc rgb '#85b4d9' title 'mean ± 1 deviation', \
  'network_data.dat' with points pt 7 ps 0.45 lc rgb '#555555' title 'data', \
  'network_band.dat' using 1:2 with lines lw 2 lc rgb '#1f4e9c' title 'mean', \
  '' using 1:4 with lines lw 2 dt 2 lc rgb '#c81d1d' title 'at the minimum'
set title ''
set xlabel '{/:Italic x}'
set ylabel '{/:Italic f}({/:Italic x}) - its mean'
plot 'network_band.dat' using 1:(-2*$3):(2*$3) with filledcurves lc rgb '#c6dbef' title '± 2 deviations', \
  '' using 1:(-$3):($3) with filledcurves lc rgb '#85b4d9' title '± 1 deviation', \
  '' using 1:($4-$2) with lines lw 2 dt 2 lc rgb '#c81d1d' title 'at the minimum', \
  '' using 1:($4-$2-2*$5) with lines lw 2 lc rgb '#c81d1d' title '± 2, {/:Italic f} linear about it', \
  '' using 1:($4-$2+2*$5) with lines lw 2 lc rgb '#c81d1d' notitle
unset multiplot
)",
              1250, 950);
}

// One quantity of all draws.
std::vector<double> sorted_draws(const Draws& draws, Index quantity) {
  std::vector<double> values;
  const auto size = static_cast<std::size_t>(draws.quantities.shape[2]);
  for (auto at = static_cast<std::size_t>(quantity); at < draws.quantities.values.size();
       at += size)
    values.push_back(draws.quantities.values[at]);
  std::sort(values.begin(), values.end());
  return values;
}

DataTable histogram(const std::vector<double>& sorted, double from, double to) {
  constexpr int bins = 40;
  const double width = (to - from) / bins;
  DataTable table;
  auto at = std::lower_bound(sorted.begin(), sorted.end(), from);
  for (int bin = 0; bin < bins; ++bin) {
    const auto end = std::lower_bound(at, sorted.end(), from + width * (bin + 1));
    table.row(from + width * (bin + 0.5),
              static_cast<double>(end - at) / (width * static_cast<double>(sorted.size())));
    at = end;
  }
  return table;
}

/// 1, 2 or 5 times a power of ten, near `step` and not below it.
double round_step(double step) {
  const double power = std::pow(10, std::floor(std::log10(step)));
  for (const double factor : {1., 2., 5.})
    if (factor * power >= step) return factor * power;
  return 10 * power;
}

// f at both ends, outside of the data, and in the middle.
void draw_densities(FigureFolder& folder, const Results& results) {
  const Band linear = at_places(results, results.linear),
             laplace_band = band_of(results.laplace_draws);
  std::string plots;
  int panel = 0;
  for (const Index k : {Index{0}, Index{3}, results.places.size() - 1}) {
    const auto reference = sorted_draws(results.reference, k);
    const double deviation = std::max(std::sqrt(results.reference.square.value[k]), 1e-12);
    const double from = results.reference.mean.value[k] - 4.5 * deviation;
    const double to = results.reference.mean.value[k] + 4.5 * deviation;
    const std::string name = "network_density_" + std::to_string(++panel);
    folder.data(name, histogram(reference, from, to));
    std::vector<double> laplace(results.laplace_draws.col(k).begin(),
                                results.laplace_draws.col(k).end());
    std::sort(laplace.begin(), laplace.end());
    const bool near = laplace_band.deviation[k] < 3 * deviation;  // else it is flat here
    if (near) folder.data(name + "_laplace", histogram(laplace, from, to));
    std::ostringstream text;
    text << "set title '{/:Italic x} = " << std::setprecision(3) << results.places[k]
         << std::setprecision(6) << "'\nset xrange [" << from << ":" << to
         << "]\nset yrange [0:" << 0.65 / std::min(deviation, linear.deviation[k])
         << "]\nset xtics " << round_step(2.5 * deviation) << "\nplot '" << name
         << ".dat' with boxes fs solid lc rgb '#85b4d9' title 'reference'";
    for (const Draws& draws : results.samplers) {
      if (draws.key != "baoab_there_and_back" || !draws.failure.empty()) continue;
      folder.data(name + "_" + draws.key, histogram(sorted_draws(draws, k), from, to));
      text << ", '" << name << "_" << draws.key
           << ".dat' with histeps lw 2 lc rgb '#2a9d5c' title '" << draws.title << "'";
    }
    if (near)
      text << ", '" << name << "_laplace.dat' with histeps lw 1.5 lc rgb '#d9822b' title "
           << "'Gaussian about the minimum, draws'";
    text << ", exp(-(x-(" << linear.mean[k] << "))**2/(2*" << linear.deviation[k] << "**2))/("
         << linear.deviation[k]
         << "*sqrt(2*pi)) with lines lw 2 dt 2 lc rgb '#c81d1d' title 'the same, "
            "{/:Italic f} linear'\nset key off\nunset ylabel\n";
    plots += text.str();
  }
  folder.draw("network_densities", R"(
set multiplot layout 1,3
set xlabel '{/:Italic f}({/:Italic x})'
set ylabel 'posterior density'
set samples 400
set key top left Left reverse samplen 1.5 font ',11' noopaque
)" + plots + "unset multiplot\n",
              1500, 560);
}

// What does not mix, and what does.
void draw_mixing(FigureFolder& folder, const Results& results) {
  DataTable parameter, function;
  const Index chains = results.parameter_draws.cols(), count = results.parameter_draws.rows();
  const auto& quantities = results.reference.quantities;
  const Index every = std::max<Index>(1, quantities.shape[1] / count);
  const Index middle = results.places.size() / 2;
  for (Index chain = 0; chain < chains; ++chain) {
    for (Index k = 0; k < count; ++k) {
      const Index draw = std::min<Index>(k * every, quantities.shape[1] - 1);
      const auto at = (chain * quantities.shape[1] + draw) * quantities.shape[2] + middle;
      parameter.row(chain + static_cast<double>(k) / static_cast<double>(count),
                    results.parameter_draws(k, chain), chain);
      function.row(chain + static_cast<double>(k) / static_cast<double>(count),
                   quantities.values[static_cast<std::size_t>(at)], chain);
    }
    parameter.gap();
    function.gap();
  }
  folder.data("network_mixing_parameter", parameter);
  folder.data("network_mixing_function", function);
  std::ostringstream text;
  text << std::setprecision(3)
       << "set multiplot layout 2,1\nset lmargin at screen 0.12\nset xrange [0:" << chains
       << "]\nset xtics 1\nset format x ''\nset grid xtics lc rgb '#888888'\nunset key\n"
       << "set palette maxcolors " << std::max<Index>(2, chains)
       << " defined (0 '#1f4e9c', 1 '#2a9d5c', 2 '#d9822b', 3 '#c81d1d')\nunset colorbox\n"
       << "set ylabel '{/:Italic θ}_{" << results.parameter + 1
       << "}'\nset title 'a parameter: R̂ = " << results.parameters_r_hat
       << "'\nplot 'network_mixing_parameter.dat' with lines lw 1 lc palette\n"
       << "set xlabel 'draws of " << chains << " chains, one after the other'\n"
       << std::defaultfloat << "set ylabel '{/:Italic f}(" << results.places[middle]
       << ")'\nset title 'the function: R̂ = " << std::setprecision(4)
       << results.reference.converged.r_hat[middle]
       << "'\nplot 'network_mixing_function.dat' with lines lw 1 lc palette\nunset multiplot\n";
  folder.draw("network_mixing", text.str(), 1100, 800);
}

}  // namespace

void print(std::ostream& out, const Options& options, const Results& results) {
  const auto precision = out.precision();
  out << "posterior of a network " << in_words(results.widths) << ", N = " << results.parameters
      << ", M = " << results.samples << ", noise of the data " << results.noise
      << ", prior deviation " << std::setprecision(3) << 1 / std::sqrt(2 * options.lambda) << '\n'
      << "objective at its minimum " << std::setprecision(6) << results.minimum << ", curvatures "
      << results.curvature_least << " ... " << results.curvature_most << '\n'
      << options.chains
      << R"( chains of each sampler, from draws of the prior; a fifth of each is burnt in.
)";
  if (results.reference.failure.empty())
    print_functions(out, results);
  else
    out << "\nthe reference: " << results.reference.failure << '\n';
  out << R"(
R-hat is the largest of f at these x, the objective and |theta|^2, rank-normalised and split; draws are the
effective ones of what mixes least, in bulk and tail, and cost gradients of single samples each. log p is the
mean of log p(y_i | all others), by importance weights. Last what is furthest from the reference, of all means
and mean squared deviations: by how many standard errors of both, which the scatter of quarters of chains
gives, and the chance of as much were both right. A sampler differs where that is below )"
      << std::setprecision(2) << results.level() << R"(: one table in
1000 has a false alarm. Not converged: R-hat above 1.05, or fewer than 25 draws of a chain.

)" << std::left
      << std::setw(25) << "" << std::right << std::setw(10) << "step" << std::setw(6) << "m"
      << std::setw(10) << "gradients" << std::setw(8) << "R-hat" << std::setw(8) << "bulk"
      << std::setw(8) << "tail" << std::setw(10) << "per draw" << std::setw(9) << "log p"
      << std::setw(8) << "error" << std::setw(7) << "off" << std::setw(9) << "chance" << '\n';
  print_sampler(out, results.reference, results);
  if (results.reference.failure.empty())
    for (const Draws& draws : results.samplers) print_sampler(out, draws, results);
  out.precision(precision);
}

Json to_json(const Results& results) {
  const Json document;
  const Json json = document["network"];
  json["widths"] = std::vector<double>(results.widths.begin(), results.widths.end());
  json["parameters"] = static_cast<std::int64_t>(results.parameters);
  json["samples"] = static_cast<std::int64_t>(results.samples);
  json["minimum"] = results.minimum;
  json["curvatures"] = std::vector<double>{results.curvature_least, results.curvature_most};
  json["x"] = results.places;
  json["level"] = results.level();
  json["parameters_r_hat"] = results.parameters_r_hat;
  write(json["laplace"], band_of(results.laplace_draws));
  if (results.exact) {
    write(json["exact"], *results.exact);
    if (results.reference.failure.empty())
      json["exact"]["chance"] = results.compare_with_exact().chance;
  }
  write(json["linear"], at_places(results, results.linear));
  write(json["reference"], results.reference, results);
  for (const Draws& draws : results.samplers) write(json[draws.key], draws, results);
  return document;
}

void draw(FigureFolder& folder, const Results& results) {
  if (!results.reference.failure.empty()) return;
  draw_predictions(folder, results);
  draw_densities(folder, results);
  draw_mixing(folder, results);
}

}  // namespace network
