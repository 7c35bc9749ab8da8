// The paper's nonlinear regression network (Secs. 4.1–4.4): its stationary state under SGD,
// predicted and measured.
#include <iostream>
#include <optional>
#include <vector>

#include "../common/entropy_pictures.hpp"
#include "density_picture.hpp"
#include "flatness_picture.hpp"
#include "pictures.hpp"
#include "report.hpp"

namespace {

void draw(FigureFolder& folder, const Options& options, const Objective& objective,
          const std::vector<Results>& all) {
  const Minimum& minimum = all.front().minimum;
  const Eigen::Vector2d unit = ness::predict(objective, minimum, with_replacement(options))
                                   .covariance.diagonal()(Eigen::Vector2i(shown[0], shown[1]))
                                   .cwiseSqrt();
  draw_fit(folder, objective.model(), minimum.theta);
  for (const Results& results : all) {
    draw_density(folder, results, unit);
    draw_elements(folder, results);
    if (results.predicted.nonequilibrium_ratio() > 1e-10)  // or else no entropy is produced
      draw_entropy(folder, results.measured.trajectories, results.predicted.entropy_production,
                   results.sampling);
  }
  draw_flatness(folder, options, objective, all);
  if (options.training_runs > 0)
    draw_training(folder, training_curve(objective, options, minimum.value), options);
  std::cout << '\n' << folder.summary() << '\n';
}

void run(const Options& options) {
  check(options);
  if (!options.json.empty()) require_writable(options.json);
  std::optional<FigureFolder> folder;
  if (!options.figures.empty()) folder.emplace(options.figures);

  const Objective objective(make_network(options), ness::L2{options.lambda});
  check_batch(options, objective.samples());
  const Minimum minimum = find_minimum(objective);
  std::vector<Results> all;
  for (const std::string& sampling : options.sampling)
    all.push_back(study(options, objective, minimum, sampling));

  print(std::cout, objective, options, all);
  std::cout.flush();
  if (!options.json.empty()) write_atomically(options.json, to_json(options, all).dump(2) + "\n");
  if (folder) draw(*folder, options, objective, all);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "The stationary state of SGD on the regression network of arXiv 2306.03521, Sec. 4: theory "
      "against simulation.\nThe exit status is 0 if the run succeeded; whether theory and "
      "simulation agree is in the table.");
  Options options;
  add_options(app, options);
  return run_program("regression", app, argc, argv, [&] { run(options); });
}
