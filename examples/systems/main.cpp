// Systems in and out of equilibrium (Sec. 2, Box 1): a polymer, also one that folds, evolution, a
// gyrator, and SGD.
#include <iostream>
#include <utility>

#include "../common/outputs.hpp"
#include "pictures.hpp"
#include "report.hpp"
#include "study.hpp"

namespace {

Results study(const Options& options) {
  Results results;
  for (const std::string& name : options.system) {
    if (name == "polymer") results.systems.push_back(study_polymer(options));
    if (name == "folding") results.folding = study_folding(options);
    if (name == "wright-fisher") results.systems.push_back(study_evolution(options));
    if (name == "gyrator") {
      auto [system, settling] = study_gyrator(options);
      results.systems.push_back(std::move(system));
      results.settling = std::move(settling);
    }
    if (name == "sgd") {
      auto [system, trainings] = study_sgd(options);
      results.systems.push_back(std::move(system));
      results.trainings = std::move(trainings);
    }
  }
  return results;
}

void run(const Options& options) {
  check(options);
  Outputs outputs(options);
  const Results results = study(options);
  print(std::cout, results);
  outputs.write(to_json(results));
  outputs.draw([&](FigureFolder& folder) { draw(folder, results); });
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line(
      "systems",
      "Stationary states in and out of equilibrium, as in arXiv 2306.03521, Sec. 2: a polymer in "
      "solution (Boltzmann),\nevolution (generalised Boltzmann), a Brownian gyrator and SGD "
      "(nonequilibrium), by the same tools.\nThe exit status is 0 if the run succeeded; whether "
      "theory and simulation agree is in the table.");
  Options options;
  add_options(line, options);
  return line.run(argc, argv, [&] { run(options); });
}
