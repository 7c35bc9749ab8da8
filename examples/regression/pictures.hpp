// The figures of the paper, Secs. 4.1–4.4, with replacement.
#pragma once

#include "../common/figures.hpp"
#include "report.hpp"
#include "training_curve.hpp"

/// Fig. 1A: data and fit.
inline void draw_fit(FigureFolder& folder, const Network& network, const Theta& theta) {
  DataTable table;
  std::vector<Eigen::Index> order(static_cast<std::size_t>(network.samples()));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Eigen::Index>(i);
  std::sort(order.begin(), order.end(), [&](Eigen::Index a, Eigen::Index b) {
    return network.inputs()(0, a) < network.inputs()(0, b);
  });
  for (const Eigen::Index i : order)
    table.row(network.inputs()(0, i), network.targets()(0, i),
              network.output(theta, network.inputs().col(i))[0]);
  folder.data("fig1a", table);
  folder.draw("fig1a", R"(
set xlabel 'x'
set ylabel 'y'
set key top right
set grid lc rgb '#e0e0e0'
plot 'fig1a.dat' using 1:2 with points pt 7 ps 0.6 lc rgb '#d62728' title 'data (x_i, y_i)', \
     '' using 1:3 with lines lw 2.5 lc rgb '#1f4e9c' title 'network f(x; θ_0)'
)");
}

/// Fig. 1C: the relative error of the loss during training.
inline void draw_training(FigureFolder& folder, const TrainingCurve& curve, int runs) {
  const bool both = !curve.without_replacement.empty();
  DataTable table;
  for (std::size_t k = 1; k < curve.updates.size(); ++k)
    table.row(curve.updates[k], curve.with_replacement[k],
              both ? curve.without_replacement[k] : std::nan(""));
  folder.data("fig1c", table);
  std::string commands = R"(
set logscale xy
set format x '10^{%T}'
set format y '10^{%T}'
set xlabel 'training steps'
set ylabel 'relative error of the loss, L(θ)/L(θ_0) − 1'
set grid lc rgb '#e0e0e0'
set key bottom left
)";
  commands += "set title 'mean of " + std::to_string(runs) + " runs from random starts'\n";
  commands +=
      "plot 'fig1c.dat' using 1:2 with lines lw 7 lc rgb '#9cc8f0' title 'with replacement'";
  if (both)
    commands += ", '' using 1:3 with lines lw 2 lc rgb '#14336b' title 'without replacement'";
  folder.draw("fig1c", commands + "\n");
}

/// The ellipse δᵀ S⁻¹ δ = level, as rows of the table.
inline void ellipse(DataTable& table, const Eigen::Matrix2d& s, double level) {
  const Eigen::Matrix2d root = Eigen::LLT<Eigen::Matrix2d>(s).matrixL();
  constexpr int points = 120;
  for (int k = 0; k <= points; ++k) {
    const double angle = 2 * std::numbers::pi * k / points;
    const Eigen::Vector2d at =
        std::sqrt(level) * root * Eigen::Vector2d(std::cos(angle), std::sin(angle));
    table.row(at[0], at[1]);
  }
  table.gap();
}

/// Fig. 2A: the marginal density of two parameters in units of their standard deviations, with the
/// contours of theory and loss, and the current.
inline void draw_density(FigureFolder& folder, const Predicted& predicted,
                         const ness::Histogram2d& histogram, int first, int second) {
  const std::array<int, 2> ab{first, second};
  const auto block = [&](const Matrix& matrix) {
    Eigen::Matrix2d result;
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j) result(i, j) = matrix(ab[i], ab[j]);
    return result;
  };
  const Eigen::Vector2d unit = block(predicted.covariance).diagonal().cwiseSqrt();
  const Eigen::Vector2d inverse = unit.cwiseInverse();
  const auto scaled = [&](const Eigen::Matrix2d& m) -> Eigen::Matrix2d {
    return inverse.asDiagonal() * m * inverse.asDiagonal();
  };

  DataTable heat;
  const auto& x = histogram.first_axis();
  const auto& y = histogram.second_axis();
  for (Eigen::Index i = 0; i < x.bins; ++i) {
    for (Eigen::Index j = 0; j < y.bins; ++j) {
      const double density = histogram.density(i, j) * unit[0] * unit[1];
      heat.row(x.center(i) / unit[0], y.center(j) / unit[1],
               density > 0 ? std::to_string(std::log10(density)) : std::string("NaN"));
    }
    heat.gap();
  }
  folder.data("fig2a_density", heat);

  const Eigen::Matrix2d s = scaled(block(predicted.covariance));
  DataTable theory;
  for (int k = 1; k <= 5; ++k) ellipse(theory, s, 2 * k * std::numbers::ln10);
  folder.data("fig2a_theory", theory);

  // The Boltzmann density e^{−β𝓛} has the marginal covariance (H⁻¹)/β: drawn at the same scale.
  Eigen::Matrix2d loss = scaled(block(predicted.hessian.inverse()));
  loss *= s.trace() / loss.trace();
  DataTable levels;
  for (int k = 1; k <= 5; ++k) ellipse(levels, loss, 2 * k * std::numbers::ln10);
  folder.data("fig2a_loss", levels);

  // The current of a Gaussian, averaged over the other parameters: −C_aa Σ_aa⁻¹ δθ_a P_a.
  const Eigen::Matrix2d velocity = -scaled(block(predicted.circulation)) * s.inverse();
  DataTable arrows;
  double longest = 0;
  const auto current = [&](const Eigen::Vector2d& at) -> Eigen::Vector2d {
    return std::exp(-0.5 * at.dot(s.inverse() * at)) * (velocity * at);
  };
  constexpr int half = 5;
  constexpr double spacing = 0.6;
  for (int i = -half; i <= half; ++i)
    for (int j = -half; j <= half; ++j)
      longest = std::max(longest, current(spacing * Eigen::Vector2d(i, j)).norm());
  for (int i = -half; i <= half; ++i)
    for (int j = -half; j <= half; ++j) {
      const Eigen::Vector2d at = spacing * Eigen::Vector2d(i, j);
      const Eigen::Vector2d arrow = 0.75 * current(at) / longest;
      if (arrow.norm() > 0.05)
        arrows.row(at[0] - arrow[0] / 2, at[1] - arrow[1] / 2, arrow[0], arrow[1]);
    }
  folder.data("fig2a_current", arrows);

  const std::string a = std::to_string(first + 1);
  const std::string b = std::to_string(second + 1);
  folder.draw(
      "fig2a",
      "set xlabel 'δθ_" + a + " / Θ_" + a + "'\nset ylabel 'δθ_" + b + " / Θ_" + b + "'\n" + R"(
set size ratio -1
set xrange [-4.5:4.5]
set yrange [-4.5:4.5]
set cblabel 'log_{10} of the density (simulation)' offset 1
set palette defined (0 '#20207a', 1 '#2b6fd6', 2 '#4fd0d0', 3 '#b8e04a', 4 '#f5a623', 5 '#c81d1d')
set object rectangle from graph 0,0 to graph 1,1 behind fillcolor rgb '#20207a' fillstyle solid noborder
set key outside below horizontal maxrows 2 textcolor rgb 'black' samplen 3
set key box lc rgb '#cccccc' opaque fillcolor rgb '#8899bb'
plot 'fig2a_density.dat' using 1:2:3 with image notitle, \
     'fig2a_theory.dat' with lines dt 2 lw 1.6 lc rgb 'white' title 'theory P^s, factors of 10', \
     'fig2a_loss.dat' with lines dt 2 lw 1.6 lc rgb '#ffe14d' title 'levels of the loss', \
     'fig2a_current.dat' using 1:2:3:4 with vectors head filled size 0.12,20 lw 1.6 lc rgb 'black' title 'current J^s', \
     '-' with points pt 3 ps 2.2 lw 2.5 lc rgb '#ffe14d' title 'minimum θ_0'
0 0
e
)",
      900, 900);
}

/// Fig. 3A, left: elements of Σ and C, theory against simulation.
inline void draw_elements(FigureFolder& folder, const Results& results) {
  DataTable covariance;
  DataTable circulation;
  const auto& [minimum, predicted, mean_shift, measured] = results;
  for (int j = 0; j < 7; ++j)
    for (int i = j; i < 7; ++i) {
      covariance.row(measured.covariance.value(i, j), predicted.covariance(i, j),
                     measured.covariance.standard_error(i, j));
      if (i > j)
        circulation.row(measured.circulation.value(i, j), predicted.circulation(i, j),
                        measured.circulation.standard_error(i, j));
    }
  folder.data("fig3a_covariance", covariance);
  folder.data("fig3a_circulation", circulation);
  folder.draw("fig3a", R"(
set multiplot layout 1,2
set size square
set grid lc rgb '#e0e0e0'
set key top left
set format '%.0te%+03T'
set xtics rotate by -40
set title 'covariance'
set xlabel 'Σ^{sim}_{αβ}'
set ylabel 'Σ^{th}_{αβ}'
plot x with lines lc rgb '#888888' notitle, \
     'fig3a_covariance.dat' using 1:2:3 with xerrorbars pt 7 ps 0.9 lc rgb '#1f4e9c' title '28 elements'
set title 'circulation'
set xlabel 'C^{sim}_{αβ}'
set ylabel 'C^{th}_{αβ}'
plot x with lines lc rgb '#888888' notitle, \
     'fig3a_circulation.dat' using 1:2:3 with xerrorbars pt 7 ps 0.9 lc rgb '#c81d1d' title '21 elements'
unset multiplot
)",
              1300, 640);
}

/// Fig. 4, left: the distribution of e^{−σ}, the detailed fluctuation theorem, and ⟨σ⟩ against ℓ.
inline void draw_entropy(FigureFolder& folder, const Results& results) {
  DataTable exponentials;
  DataTable ratios;
  DataTable means;
  for (const auto& part : results.measured.trajectories) {
    const auto& axis = part.histogram.axis();
    for (Eigen::Index bin = 0; bin < axis.bins; ++bin) {
      const double w = std::exp(-axis.center(bin));  // 𝒫(w) = 𝒫(σ) |dσ/dw| = 𝒫(σ) / w
      if (part.histogram.count(bin) > 0) exponentials.row(w, part.histogram.density(bin) / w);
    }
    exponentials.gap();
    exponentials.gap();
    for (const auto& ratio : ness::fluctuation_ratios(part.histogram))
      ratios.row(ratio.entropy, ratio.ratio, ratio.standard_error);
    ratios.gap();
    ratios.gap();
    means.row(part.length, part.length * part.entropy_production.value,
              part.length * part.entropy_production.standard_error,
              part.integral_fluctuation.value);
  }
  folder.data("fig4a", exponentials);
  folder.data("fig4b", ratios);
  folder.data("fig4c", means);

  std::string titles;
  std::string points;
  constexpr std::array<const char*, 3> colors{"#1f4e9c", "#2a9d5c", "#d9822b"};
  for (std::size_t k = 0; k < results.measured.trajectories.size(); ++k) {
    const auto& part = results.measured.trajectories[k];
    const std::string index = std::to_string(k);
    const std::string color = colors[k % colors.size()];
    const std::string length = "ℓ = " + std::to_string(part.length);
    std::ostringstream mean;
    mean.precision(6);
    mean << std::fixed << part.integral_fluctuation.value;
    const std::string comma = k == 0 ? "" : ", ";
    titles += comma + "'fig4a.dat' index " + index + " with lines lw 2 lc rgb '" + color +
              "' title '" + length + ", ⟨e^{−σ}⟩ = " + mean.str() + "'";
    points += ", 'fig4b.dat' index " + index + " with yerrorbars pt 7 ps 0.6 lc rgb '" + color +
              "' title '" + length + "'";
  }
  folder.draw("fig4a",
              "set xlabel 'e^{−σ}'\nset ylabel 'probability density'\n"
              "set logscale y\nset format y '10^{%T}'\nset yrange [1e-3:*]\n"
              "set grid lc rgb '#e0e0e0'\nset key top right\n"
              "set arrow from 1, graph 0 to 1, graph 1 nohead dt 3 lc rgb 'black'\nplot " +
                  titles + "\n");
  folder.draw("fig4b",
              "set xlabel 'σ'\nset ylabel 'P(−σ) / P(σ)'\nset grid lc rgb '#e0e0e0'\n"
              "set key bottom left\nset yrange [0.5:1.2]\n"
              "plot exp(-x) with lines lw 2.5 lc rgb 'black' title 'e^{−σ}'" +
                  points + "\n");
  std::ostringstream line;
  line << "rate = " << results.predicted.entropy_production << '\n';
  folder.draw("fig4c", line.str() + R"(
set xlabel 'ℓ (Markov steps)'
set ylabel '⟨σ⟩'
set xtics 1
set xrange [0.5:*]
set yrange [0:*]
set offsets 0, 0.5, graph 0.1, 0
set format y '%.0te%+03T'
set grid lc rgb '#e0e0e0'
set key top left
plot rate*x with lines lw 2 lc rgb '#c81d1d' title 'theory (Eq. 29)', \
     'fig4c.dat' using 1:2:3 with yerrorbars pt 7 ps 1.2 lc rgb '#1f4e9c' title 'simulation'
)");
}
