// Samplers of a posterior (Sec. 4.6, Fig. 6): in theory, exactly, and by running them.
#include <iostream>
#include <optional>

#include "classifier_report.hpp"
#include "pictures.hpp"
#include "report.hpp"

namespace {

nlohmann::json sample_regression(const Options& options, std::optional<FigureFolder>& folder) {
  const Objective objective(make_model(options), ness::L2{options.lambda});
  check_batch(options, objective.samples(), true);
  const Results results = study(options, objective);
  print(std::cout, options, objective, results);
  if (folder) {
    draw_figure6(*folder, results, options);
    draw_cost(*folder, results);
  }
  return to_json(options, results);
}

nlohmann::json sample_classifier(const ClassifierOptions& options, const RunOptions& run,
                                 std::optional<FigureFolder>& folder) {
  const classifier::Results results = classifier::Study(options, run).run();
  classifier::print(std::cout, options, results);
  if (folder) classifier::draw(*folder, results);
  return classifier::to_json(results);
}

void run(const Options& options, const ClassifierOptions& of_classifier) {
  check(options);
  check(of_classifier);
  if (!options.json.empty()) require_writable(options.json);
  std::optional<FigureFolder> folder;
  if (!options.figures.empty()) folder.emplace(options.figures);
  const nlohmann::json json = of_classifier.wanted()
                                  ? sample_classifier(of_classifier, options, folder)
                                  : sample_regression(options, folder);
  std::cout.flush();
  if (!options.json.empty()) write_atomically(options.json, json.dump(2) + "\n");
  if (folder) std::cout << '\n' << folder->summary() << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Samplers of the posterior of a linear regression, as in arXiv 2306.03521, Sec. 4.6: SGLD, "
      "SGWORLD and what makes it true;\nwith --images, of a softmax regression on digits.\nThe "
      "exit status is 0 if the run succeeded; whether theory, "
      "exact moments and runs agree is in the table.");
  Options options;
  add_options(app, options);
  ClassifierOptions of_classifier;
  add_classifier_options(app, of_classifier);
  return run_program("posterior", app, argc, argv, [&] { run(options, of_classifier); });
}
