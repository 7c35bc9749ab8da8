// Samplers of a posterior (Sec. 4.6, Fig. 6): in theory, exactly, and by running them.
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

  const Objective objective(make_model(options), ness::L2{options.lambda});
  check_batch(options, objective.samples(), true);
  const Results results = study(options, objective);

  print(std::cout, options, objective, results);
  std::cout.flush();
  if (!options.json.empty())
    write_atomically(options.json, to_json(options, results).dump(2) + "\n");
  if (!folder) return;
  draw_figure6(*folder, results, options);
  draw_cost(*folder, results);
  std::cout << '\n' << folder->summary() << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Samplers of the posterior of a linear regression, as in arXiv 2306.03521, Sec. 4.6: SGLD, "
      "SGWORLD and what makes it true.\nThe exit status is 0 if the run succeeded; whether theory, "
      "exact moments and runs agree is in the table.");
  Options options;
  add_options(app, options);
  return run_program("posterior", app, argc, argv, [&] { run(options); });
}
