#include "classifier_report.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <string>
#include <vector>

namespace classifier {
namespace {

/// A sampler's draws against the reference's.
struct Comparison {
  double mean_error;      ///< root mean square over parameters, in posterior standard deviations
  double mean_chance;     ///< what the two numbers of draws alone would make of it
  double variance_error;  ///< mean over directions of variance / reference − 1
  double variance_standard_error;  ///< of it
};

Comparison compare(const Draws& draws, const Draws& reference) {
  const auto n = static_cast<double>(draws.mean.value.size());
  const auto ratio = draws.variance.value.array() / reference.variance.value.array();
  const auto relative = [](const Draws& d) {
    return (d.variance.standard_error.array() / d.variance.value.array()).square();
  };
  return {std::sqrt((draws.mean.value - reference.mean.value)
                        .array()
                        .square()
                        .cwiseQuotient(reference.variance.value.array())
                        .mean()),
          std::sqrt(1 / draws.effective_samples + 1 / reference.effective_samples),
          ratio.mean() - 1, std::sqrt((relative(draws) + relative(reference)).sum()) / n};
}

void print_quality(std::ostream& out, const PredictionQuality& quality) {
  out << std::setprecision(4) << std::setw(10) << 100 * quality.accuracy << std::setw(10)
      << quality.negative_log_likelihood << std::setw(10) << 100 * quality.calibration_error
      << '\n';
}

void print_row(std::ostream& out, const Draws& draws, const Results& results) {
  const Comparison against = compare(draws, results.reference);
  const auto samples = static_cast<double>(results.samples);
  out << std::left << std::setw(29) << draws.title << std::right << std::setprecision(3)
      << std::setw(10) << draws.learning_rate << std::setw(8)
      << std::lround(draws.gradient_evaluations / samples) << std::setw(8)
      << std::lround(draws.effective_samples);
  if (&draws == &results.reference)
    out << std::string(36, ' ');
  else
    out << std::setw(9) << against.mean_error << std::setw(9) << against.mean_chance << std::setw(9)
        << 100 * against.variance_error << std::setw(9) << 100 * against.variance_standard_error;
  print_quality(out, draws.quality);
}

void write(const Json& json, const PredictionQuality& quality) {
  json["accuracy"] = quality.accuracy;
  json["negative_log_likelihood"] = quality.negative_log_likelihood;
  json["calibration_error"] = quality.calibration_error;
}

void write(const Json& json, const Draws& draws, const Results& results) {
  write(json, draws.quality);
  json["learning_rate"] = draws.learning_rate;
  json["gradient_evaluations"] = draws.gradient_evaluations;
  json["effective_samples"] = draws.effective_samples;
  if (&draws == &results.reference) return;
  const Comparison against = compare(draws, results.reference);
  json["mean_error"] = against.mean_error;
  json["mean_chance"] = against.mean_chance;
  json["variance_error"] = against.variance_error;
  json["variance_standard_error"] = against.variance_standard_error;
}

/// How often predictions of a confidence are right.
void draw_reliability(FigureFolder& folder, const Results& results) {
  std::string plots;
  const auto add = [&](const std::string& key, const std::string& title,
                       const PredictionQuality& quality, const std::string& style) {
    DataTable table;
    for (const auto& bin : quality.reliability)
      if (bin.count > 0)
        table.row(bin.confidence, bin.accuracy,
                  std::sqrt(bin.accuracy * (1 - bin.accuracy) / bin.count));
    folder.data("reliability_" + key, table);
    plots += ", 'reliability_" + key + ".dat' with " + style + " title '" + title + "'";
  };
  add("maximum", "maximum of the posterior", results.point,
      "yerrorbars pt 6 ps 1.4 lw 1.5 lc rgb '#d9822b'");
  add("reference", "posterior, reference", results.reference.quality,
      "yerrorbars pt 7 ps 0.8 lw 1.5 lc rgb '#1f4e9c'");
  add(results.samplers[2].key, results.samplers[2].title, results.samplers[2].quality,
      "points pt 2 ps 1.2 lw 2 lc rgb '#c81d1d'");
  folder.draw("reliability",
              R"(
set size square
set xrange [0:1]
set yrange [0:1]
set xlabel 'confidence'
set ylabel 'how often it is right'
set grid lc rgb '#e0e0e0'
set key top left Left reverse samplen 2
plot x with lines lw 1.5 lc rgb 'black' notitle)" +
                  plots + "\n",
              800, 780);
}

/// The variances of each sampler along each direction over those of the reference, sorted.
void draw_variances(FigureFolder& folder, const Results& results) {
  const std::vector<std::string> colors{"#c81d1d", "#e8837f", "#111111",
                                        "#8e44ad", "#888888", "#2a9d5c"};
  std::string plots;
  for (std::size_t k = 0; k < results.samplers.size(); ++k) {
    const Draws& draws = results.samplers[k];
    Eigen::VectorXd ratio = draws.variance.value.cwiseQuotient(results.reference.variance.value);
    std::sort(ratio.begin(), ratio.end());
    DataTable table;
    for (Eigen::Index i = 0; i < ratio.size(); ++i)
      table.row((static_cast<double>(i) + 0.5) / static_cast<double>(ratio.size()), ratio[i]);
    folder.data("variances_" + draws.key, table);
    plots += (k == 0 ? "'variances_" : ", 'variances_") + draws.key +
             ".dat' with lines lw 2.5 lc rgb '" + colors[k % colors.size()] + "' title '" +
             draws.title + "'";
  }
  folder.draw("variances", R"(
set xrange [0:1]
set xlabel 'part of the directions, by increasing ratio'
set ylabel 'variance / that of the reference'
set grid lc rgb '#e0e0e0'
set key top left Left reverse samplen 2
plot )" + plots + ", 1 with lines lw 1 lc rgb 'black' notitle\n");
}

}  // namespace

void print(std::ostream& out, const ClassifierOptions& options, const Results& results) {
  const auto& h = results.minimum.hessian_eigenvalues;
  const auto precision = out.precision();
  if (options.synthetic)
    out << "MADE-UP DATA (--synthetic): of the shape of MNIST, but not MNIST\n";
  out << "posterior of a softmax regression, N = " << h.size() << ", M = " << results.samples
      << ", prior deviation " << options.prior << '\n'
      << "curvatures               " << h.minCoeff() << " ... " << h.maxCoeff()
      << ": all samplers run in coordinates where they are 1\n\n"
      << "Each sampler has the same number of gradients of single samples, in passes over the "
         "data; "
         "a Hessian product\ncounts as two. Against the reference: the mean in posterior standard "
         "deviations and what chance alone would\nmake of it; the variances, mean excess in % and "
         "standard error. On the test images: accuracy in %, negative\nlog likelihood, expected "
         "calibration error in %.\n\n"
      << std::left << std::setw(29) << "" << std::right << std::setw(10) << "eta" << std::setw(8)
      << "passes" << std::setw(8) << "draws" << std::setw(9) << "mean" << std::setw(9) << "chance"
      << std::setw(9) << "variance" << std::setw(9) << "std.err." << std::setw(10) << "accuracy"
      << std::setw(10) << "-log p" << std::setw(10) << "ECE" << '\n';
  const auto without_draws = [&](const std::string& title, const PredictionQuality& quality) {
    out << std::left << std::setw(91) << title << std::right;
    print_quality(out, quality);
  };
  without_draws("maximum of the posterior", results.point);
  without_draws("Laplace's approximation", results.laplace);
  print_row(out, results.reference, results);
  for (const Draws& draws : results.samplers) print_row(out, draws, results);
  out.precision(precision);
}

Json to_json(const Results& results) {
  const Json json;
  const Json inner = json["classifier"];
  inner["parameters"] = results.minimum.theta.size();
  inner["samples"] = results.samples;
  write(inner["maximum"], results.point);
  write(inner["laplace"], results.laplace);
  write(inner["reference"], results.reference, results);
  for (const Draws& draws : results.samplers) write(inner[draws.key], draws, results);
  return json;
}

void draw(FigureFolder& folder, const Results& results) {
  draw_reliability(folder, results);
  draw_variances(folder, results);
}

}  // namespace classifier
