// MNIST by a linear classifier (Secs. 4.2–4.4): the stationary state of its 490 weights under SGD,
// predicted and measured.
#include <iostream>
#include <optional>
#include <vector>

#include "../common/entropy_pictures.hpp"
#include "pictures.hpp"
#include "report.hpp"

namespace {

void draw(FigureFolder& folder, const std::vector<Results>& all) {
  for (const Results& results : all) {
    if (!results.measured) continue;
    draw_elements(folder, results);
    draw_directions(folder, results);
    draw_entropy(folder, results.measured->trajectories, results.predicted.entropy_production,
                 results.sampling);
  }
  std::cout << '\n' << folder.summary() << '\n';
}

Objective make_objective(const Options& options) {
  const Digits digits = get_digits(options);
  check_batch(options, digits.features.cols());
  return Objective(Classifier(digits.features, one_hot(digits.labels)), ness::L2{options.lambda});
}

void run(const Options& options) {
  check(options);
  if (!options.json.empty()) require_writable(options.json);
  std::optional<FigureFolder> folder;
  if (!options.figures.empty()) folder.emplace(options.figures);

  const Objective objective = make_objective(options);
  const Minimum minimum = ness::minimize(objective, Vector(Vector::Zero(objective.parameters())));
  if (minimum.status != ness::MinimumStatus::converged)
    throw UserError("the minimum is " + std::string(to_string(minimum.status)) +
                    ": raise --lambda");
  check_stability(options, minimum.hessian_eigenvalues.maxCoeff());
  std::vector<Results> all;
  for (const std::string& sampling : options.sampling)
    all.push_back(study(options, objective, minimum, sampling));

  print(std::cout, options, objective, minimum, all);
  std::cout.flush();
  if (!options.json.empty())
    write_atomically(options.json, to_json(objective, minimum, all).dump(2) + "\n");
  if (folder) draw(*folder, all);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "The stationary state of SGD on MNIST, a linear classifier as in arXiv 2306.03521, Sec. 4: "
      "theory against simulation.\nThe exit status is 0 if the run succeeded; whether theory and "
      "simulation agree is in the table.");
  Options options;
  add_options(app, options);
  return run_program("mnist", app, argc, argv, [&] { run(options); });
}
