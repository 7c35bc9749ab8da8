// Samplers of a posterior (Sec. 4.6, Fig. 6): in theory, exactly, and by running them.
#include <iostream>

#include "../common/outputs.hpp"
#include "../common/user_error.hpp"
#include "classifier.hpp"
#include "classifier_report.hpp"
#include "network.hpp"
#include "network_report.hpp"
#include "pictures.hpp"
#include "report.hpp"
#include "study.hpp"

namespace {

void sample_regression(const Options& options, Outputs& outputs) {
  const Study study(options);
  Results results = study.predict();
  study.add_exact_moments(results);
  if (options.steps > 0) study.add_runs(results);
  const auto decreasing = study.decreasing();
  print(std::cout, options, results);
  print(std::cout, decreasing);
  const Json json = to_json(options, results);
  write(json, decreasing);
  outputs.write(json);
  outputs.draw([&](FigureFolder& folder) {
    draw_figure6(folder, results, options);
    draw_cost(folder, results);
    draw(folder, decreasing);
  });
}

void sample_classifier(const ClassifierOptions& options, const RunOptions& run, Outputs& outputs) {
  const classifier::Results results = classifier::study(options, run);
  classifier::print(std::cout, options, results);
  outputs.write(classifier::to_json(results));
  outputs.draw([&](FigureFolder& folder) { classifier::draw(folder, results); });
}

void sample_network(const Options& options, const NetworkOptions& of_network, Outputs& outputs) {
  const network::Results results = network::study(options, of_network);
  network::print(std::cout, options, results);
  outputs.write(network::to_json(results));
  outputs.draw([&](FigureFolder& folder) { network::draw(folder, results); });
}

void run(const Options& options, const ClassifierOptions& of_classifier,
         const NetworkOptions& of_network) {
  check(options);
  check(of_classifier);
  check(of_network, options);
  if (of_network.network && of_classifier.wanted())
    throw UserError("--network goes without --images and --synthetic: choose one of them");
  Outputs outputs(options);
  if (of_network.network)
    sample_network(options, of_network, outputs);
  else if (of_classifier.wanted())
    sample_classifier(of_classifier, options, outputs);
  else
    sample_regression(options, outputs);
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line(
      "posterior",
      "Samplers of the posterior of a linear regression, as in arXiv 2306.03521, Sec. 4.6: SGLD, "
      "SGWORLD and what makes it true;\nwith --images, of a softmax regression on digits; with "
      "--network, of a neural "
      "network.\nThe "
      "exit status is 0 if the run succeeded; whether theory, "
      "exact moments and runs agree is in the table.");
  Options options;
  add_options(line, options);
  ClassifierOptions of_classifier;
  add_options(line, of_classifier);
  NetworkOptions of_network;
  add_options(line, of_network);
  return line.run(argc, argv, [&] { run(options, of_classifier, of_network); });
}
