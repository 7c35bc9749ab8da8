// The paper's nonlinear regression network (Secs. 4.1–4.4): its stationary state under SGD,
// predicted and measured.
#include <algorithm>
#include <iostream>
#include <vector>

#include "../common/entropy_pictures.hpp"
#include "../common/outputs.hpp"
#include "pictures.hpp"
#include "report.hpp"
#include "study.hpp"

namespace {

/// Of Fig. 2C where the earthquake model is not simulated in its own right: a step takes the
/// gradient of all samples, and the directions that spread are those that relax fast.
std::int64_t earthquake_steps(const Options& options) {
  return std::max<std::int64_t>(1, options.steps / 50);
}

void draw(FigureFolder& folder, const Options& options, const Study& study,
          const std::vector<Results>& all) {
  const Eigen::Vector2d unit = study.deviations();
  draw_fit(folder, study.fit());
  const auto& ways = options.sampling;
  if (unit.minCoeff() > 0 && std::count(ways.begin(), ways.end(), "earthquake") == 0) {
    const Prediction predicted = study.predict("earthquake");
    const Simulation simulated = study.simulate("earthquake", predicted, earthquake_steps(options));
    draw_density(folder, study.minimum(), {"earthquake", predicted, simulated}, unit, options);
  }
  for (const Results& results : all) {
    const State& state = results.predicted.state;
    draw_density(folder, study.minimum(), results, unit, options);
    draw_elements(folder, results, options);
    if (state.nonequilibrium_ratio() > 1e-10)  // or else no entropy is produced
      draw_entropy(folder, results.simulated.measured.trajectories, results.predicted.fluctuations,
                   state.entropy_production(), results.sampling,
                   title_of(results.sampling, options));
  }
  draw_flatness(folder, study.relations(), all, study.minimum(), options);
  if (const auto approach = study.approach()) draw_approach(folder, *approach, options);
  if (options.training_runs > 0) draw_training(folder, study.training_curve(), options);
}

void run(const Options& options) {
  check(options);
  Outputs outputs(options);
  const Study study(options);
  std::vector<Results> all;
  std::vector<Way> others;
  for (const std::string& sampling : options.sampling) {
    if (is_other_way(sampling, options)) {
      others.push_back(study.other_way(sampling));
      continue;
    }
    const Prediction predicted = study.predict(sampling);
    all.push_back({sampling, predicted, study.simulate(sampling, predicted, options.steps)});
  }
  if (!all.empty()) print(std::cout, options, study.samples(), study.minimum(), all);
  print(std::cout, options, study.minimum(), others);
  outputs.write(to_json(options, study.minimum(), all, others));
  outputs.draw([&](FigureFolder& folder) {
    draw_directions(folder, options, study.samples(), others);
    if (!all.empty()) draw(folder, options, study, all);
  });
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line(
      "regression",
      "The stationary state of SGD on the regression network of arXiv 2306.03521, Sec. 4: theory "
      "against simulation.\nThe exit status is 0 if the run succeeded; whether theory and "
      "simulation agree is in the table.");
  Options options;
  add_options(line, options);
  return line.run(argc, argv, [&] { run(options); });
}
