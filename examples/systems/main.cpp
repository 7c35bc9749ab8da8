// Systems in and out of equilibrium (Sec. 2, Box 1): a polymer, evolution, a gyrator, and SGD.
#include <iostream>
#include <optional>

#include "pictures.hpp"
#include "report.hpp"

namespace {

void run(const Options& options) {
  check(options);
  if (!options.json.empty()) require_writable(options.json);
  std::optional<FigureFolder> folder;
  if (!options.figures.empty()) folder.emplace(options.figures);
  const Results results = study(options);
  print(std::cout, results);
  std::cout.flush();
  if (!options.json.empty()) write_atomically(options.json, to_json(results).dump(2) + "\n");
  if (!folder) return;
  draw(*folder, results);
  std::cout << '\n' << folder->summary() << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Stationary states in and out of equilibrium, as in arXiv 2306.03521, Sec. 2: a polymer in "
      "solution (Boltzmann),\nevolution (generalised Boltzmann), a Brownian gyrator and SGD "
      "(nonequilibrium), by the same tools.\nThe exit status is 0 if the run succeeded; whether "
      "theory and simulation agree is in the table.");
  Options options;
  add_options(app, options);
  return run_program("systems", app, argc, argv, [&] { run(options); });
}
