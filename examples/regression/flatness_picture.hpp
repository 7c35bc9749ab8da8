// The variance–flatness relation of Sec. 4.5, for every way of sampling.
#pragma once

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "../common/figures.hpp"
#include "study.hpp"

/// A way of sampling as the picture shows it.
struct ShownRelation {
  std::string sampling, title, color;
  Predicted predicted;
};

/// Variance against flatness along each eigenvector of Σ: theory for all three ways of sampling,
/// simulation for those that were simulated.
inline void draw_flatness(FigureFolder& folder, const Options& options, const Objective& objective,
                          const std::vector<Results>& all) {
  const Minimum& minimum = all.front().minimum;
  std::vector<ShownRelation> relations{
      {"wr", "with replacement", "#1f4e9c",
       ness::predict(objective, minimum, with_replacement(options))},
      {"earthquake", "earthquake", "#c81d1d",
       ness::predict(objective, minimum, earthquake(options))}};
  if (objective.samples() % options.batch == 0)
    relations.insert(relations.begin() + 1,
                     {"wor", "without replacement", "#2a9d5c",
                      ness::predict(objective, minimum, without_replacement(options))});
  std::string plots;
  for (const ShownRelation& shown_relation : relations) {
    if (!(shown_relation.predicted.covariance.norm() > 0)) continue;
    const auto relation = ness::variance_flatness(objective, shown_relation.predicted);
    std::vector<Eigen::Index> order(static_cast<std::size_t>(relation.flatness.size()));
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](Eigen::Index a, Eigen::Index b) {
      return relation.flatness[a] < relation.flatness[b];
    });
    const std::string name = "variance_flatness_" + shown_relation.sampling;
    DataTable theory;
    for (const Eigen::Index k : order) theory.row(relation.flatness[k], relation.variance[k]);
    folder.data(name + "_theory", theory);
    plots += std::string(plots.empty() ? "plot '" : ", '") + name +
             "_theory.dat' with linespoints lw 1.2 pt 6 ps 1.8 lc rgb '" + shown_relation.color +
             "' title '" + shown_relation.title + "'";
    for (const Results& results : all) {
      if (results.sampling != shown_relation.sampling) continue;
      DataTable simulation;
      for (Eigen::Index k = 0; k < relation.variance.size(); ++k) {
        const Theta direction = relation.directions.col(k);
        simulation.row(relation.flatness[k],
                       direction.dot(results.measured.covariance.value * direction));
      }
      folder.data(name + "_simulation", simulation);
      plots += ", '" + name + "_simulation.dat' with points pt 7 ps 0.9 lc rgb '" +
               shown_relation.color + "' title 'simulation'";
    }
  }
  if (plots.empty()) return;
  folder.draw("variance_flatness", R"(
set logscale xy
set format x '10^{%T}'
set format y '10^{%T}'
set xlabel 'flatness {/:Italic F} of the loss along an eigenvector of Σ'
set ylabel 'variance along it'
set grid lc rgb '#e0e0e0'
set key outside right top Left reverse samplen 2 font ',15'
)" + plots + "\n",
              1150, 700);
}
