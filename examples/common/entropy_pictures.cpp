#include "entropy_pictures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

namespace {

using Trajectories = std::vector<ness::SubTrajectories>;

/// One colour and shape of point for each ℓ.
std::string length_style(std::size_t k) {
  constexpr std::array<const char*, 3> styles{"lc rgb '#1f4e9c' pt 7", "lc rgb '#2a9d5c' pt 5",
                                              "lc rgb '#d9822b' pt 9"};
  return styles[k % styles.size()];
}

/// As 1.0002 ± 0.0001, to the first digit of the error.
std::string with_error(const ness::Estimate<double>& estimate) {
  const double error = estimate.standard_error;
  std::ostringstream text;
  text.precision(6);
  if (!(error > 0) || !std::isfinite(error)) {  // of a single batch
    text << estimate.value;
    return text.str();
  }
  text.precision(std::clamp(static_cast<int>(-std::floor(std::log10(error))), 0, 9));
  text << std::fixed << estimate.value << " ± " << error;
  return text.str();
}

std::string title_command(const std::string& title) { return "set title \"" + title + "\"\n"; }

void draw_exponentials(FigureFolder& folder, const Trajectories& trajectories,
                       const std::string& sampling, const std::string& title) {
  const std::string figure = "fig4a_" + sampling;
  std::ostringstream plots;
  constexpr double least_density = 1e-3;
  double reach = 1;  // of e^{−σ} where its density is in the picture
  for (std::size_t k = 0; k < trajectories.size(); ++k) {
    const auto& part = trajectories[k];
    const std::string name = figure + "_" + std::to_string(part.length);
    DataTable table;
    for (Eigen::Index bin = 0; bin < part.histogram.axis().bins; ++bin) {
      const double w = std::exp(-part.histogram.axis().center(bin));
      // 𝒫(w) = 𝒫(σ) |dσ/dw| = 𝒫(σ) / w
      const double density = part.histogram.density(bin) / w;
      if (density > 0) table.row(w, density);
      if (density > least_density) reach = std::max(reach, w);
    }
    folder.data(name, table);
    plots << (k == 0 ? "" : ", ") << "'" << name << ".dat' with lines lw 2 " << length_style(k)
          << " title 'ℓ = " << part.length
          << ", ⟨{/:Italic e}^{−{/:Italic σ}}⟩ = " << with_error(part.integral_fluctuation) << "'";
  }
  // About 1 for steps near equilibrium, and from 0 on far from it: the other side has room.
  const std::string key = reach > 2 ? "set key right\n" : "set key left\n";
  folder.draw(figure, title_command(title) + key + "set xrange [0:" + std::to_string(1.05 * reach) +
                          "]\n" + R"(
set xlabel '{/:Italic e}^{−{/:Italic σ}}'
set ylabel 'probability density'
set logscale y
set format y '10^{%T}'
set yrange [1e-3:200]
set grid lc rgb '#e0e0e0'
set key top Left reverse samplen 2 font ',15'
set arrow from 1, graph 0 to 1, graph 1 nohead dt 3 lc rgb 'black'
plot )" + plots.str() + "\n");
}

/// What is predicted of minibatches, as far as there are points.
std::string predicted_ratios(FigureFolder& folder, const std::string& figure, std::size_t k,
                             const ness::SubTrajectoryPrediction& part, double reach) {
  DataTable table;
  for (const auto& point : part.fluctuation_ratios)
    if (point.entropy <= reach) table.row(point.entropy, point.ratio);
  const std::string name = figure + "_theory_" + std::to_string(part.length);
  folder.data(name, table);
  return ", '" + name + ".dat' with lines lw 1.5 " + length_style(k) + " notitle";
}

void draw_ratios(FigureFolder& folder, const Trajectories& trajectories,
                 const std::vector<ness::SubTrajectoryPrediction>& predicted,
                 const std::string& sampling, const std::string& title) {
  const std::string figure = "fig4b_" + sampling;
  constexpr double largest_error = 0.03;  // beyond it a point says nothing and hides others
  std::string plots;
  double reach = 0;
  for (std::size_t k = 0; k < trajectories.size(); ++k) {
    const auto& part = trajectories[k];
    const std::string length = std::to_string(part.length);
    DataTable table;
    for (const auto& point : ness::fluctuation_ratios(part.histogram)) {
      if (point.standard_error > largest_error) continue;
      table.row(point.entropy, point.ratio, point.standard_error);
      reach = std::max(reach, point.entropy);
    }
    folder.data(figure + "_" + length, table);
    plots += ", '" + figure + "_" + length + ".dat' with yerrorbars lw 0.8 ps 0.6 " +
             length_style(k) + " title 'ℓ = " + length + "'";
  }
  const bool empty = !(reach > 0);
  if (empty) reach = 1;
  for (std::size_t k = 0; k < predicted.size(); ++k)
    plots += predicted_ratios(folder, figure, k, predicted[k], reach);
  if (!predicted.empty())
    plots += ", NaN with lines lw 1.5 lc rgb '#888888' title 'theory of minibatches'";
  const std::string note =
      empty ? "set label \"no bin has counts enough at {/:Italic σ}\\nand at −{/:Italic σ}: raise "
              "--steps\" at graph 0.96, graph 0.9 right\n"
            : "";
  folder.draw(figure, title_command(title) + note +
                          "set xrange [0:" + std::to_string(1.05 * reach) + "]\n" + R"(
set xlabel '{/:Italic σ}'
set ylabel '{/:Italic P}(−{/:Italic σ}) / {/:Italic P}({/:Italic σ})'
set grid lc rgb '#e0e0e0'
set key bottom left Left reverse samplen 2
plot exp(-x) with lines lw 2 dt 2 lc rgb 'black' title '{/:Italic e}^{−{/:Italic σ}}')" +
                          plots + "\n");
}

void draw_mean_entropy(FigureFolder& folder, const Trajectories& trajectories, double rate,
                       const std::string& sampling, const std::string& title) {
  DataTable table;
  for (const auto& part : trajectories)
    table.row(part.length, part.length * part.entropy_production.value,
              part.length * part.entropy_production.standard_error);
  const std::string figure = "fig4c_" + sampling;
  folder.data(figure, table);
  const double power = rate > 0 ? std::floor(std::log10(3 * rate)) : 0;
  std::ostringstream theory;
  theory << title_command(title) << "data = '" << figure << ".dat'\nrate = " << rate
         << "\nunit = 1e" << power << "\nset ylabel '⟨{/:Italic σ}⟩  (10^{" << power << "})'\n";
  folder.draw(figure, theory.str() + R"(
set xlabel '{/:Italic ℓ}  (Markov steps)'
set xtics 1
set xrange [0:3.5]
set yrange [0:*]
set grid lc rgb '#e0e0e0'
set key top left Left reverse samplen 2
plot rate*x/unit with lines lw 2 lc rgb '#c81d1d' title 'theory (Eq. 29)', \
     data using 1:($2/unit):($3/unit) with yerrorbars pt 7 ps 1.2 lc rgb '#1f4e9c' title 'simulation'
)");
}

}  // namespace

void draw_entropy(FigureFolder& folder, const Trajectories& trajectories,
                  const std::vector<ness::SubTrajectoryPrediction>& predicted, double rate,
                  const std::string& sampling, const std::string& title) {
  draw_exponentials(folder, trajectories, sampling, title);
  draw_ratios(folder, trajectories, predicted, sampling, title);
  draw_mean_entropy(folder, trajectories, rate, sampling, title);
}
