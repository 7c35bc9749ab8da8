// How irreversible is a trajectory, and where? Bounds from states alone, of systems with a known
// answer or from a file.
#include <iostream>

#include "../common/outputs.hpp"
#include "pictures.hpp"
#include "report.hpp"
#include "study.hpp"

namespace {

Results study(const Options& options) {
  if (!options.states.empty()) return study_states(options);
  if (options.system == "ring") return study_ring(options);
  if (options.system == "gyrator" || options.system == "trap") return study_linear(options);
  return study_training(options);
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
      "irreversibility",
      "How irreversible a trajectory is, and where its current goes, from its states alone: of a "
      "system with a known\nanswer, or from a file (--states). The exit status is 0 if the run "
      "succeeded; whether theory and simulation\nagree is in the table.");
  Options options;
  add_options(line, options);
  return line.run(argc, argv, [&] { run(options); });
}
