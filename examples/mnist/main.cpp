// MNIST by a linear classifier (Secs. 4.2–4.4): the stationary state of its 490 weights under SGD,
// predicted and measured.
#include <iostream>
#include <vector>

#include "../common/entropy_pictures.hpp"
#include "../common/outputs.hpp"
#include "../common/titles.hpp"
#include "pictures.hpp"
#include "report.hpp"
#include "study.hpp"

namespace {

void draw(FigureFolder& folder, const Options& options, const Results& results) {
  if (results.cumulants)
    draw_cumulants(folder, "cumulants_" + results.sampling,
                   minibatch_title(results.sampling, options.eta, options.batch),
                   *results.cumulants);
  if (!results.simulated) return;
  draw_elements(folder, results, options);
  draw_directions(folder, results, options);
  draw_entropy(folder, results.simulated->measured.trajectories, {},
               results.predicted.state.entropy_production(), results.sampling,
               minibatch_title(results.sampling, options.eta, options.batch));
}

void run(const Options& options) {
  check(options);
  Outputs outputs(options);
  const Study study(options);
  std::vector<Results> all;
  for (const std::string& sampling : options.sampling) {
    Results results{sampling, study.predict(sampling)};
    if (options.steps > 0) results.simulated = study.simulate(sampling, results.predicted);
    if (options.clones > 0 && results.predicted.state.step() == ness::MarkovStep::epoch)
      results.cumulants = study.clone(sampling, results.predicted);
    all.push_back(std::move(results));
  }
  print(std::cout, options, study.summary(), all);
  outputs.write(to_json(study.summary(), all));
  outputs.draw([&](FigureFolder& folder) {
    for (const Results& results : all) draw(folder, options, results);
    draw_flatness(folder, study.summary().minimum, all, options);
    draw_ways(folder, study.ways(), all, options);
  });
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line(
      "mnist",
      "The stationary state of SGD on MNIST, a linear classifier as in arXiv 2306.03521, Sec. 4: "
      "theory against simulation.\nThe exit status is 0 if the run succeeded; whether theory and "
      "simulation agree is in the table.");
  Options options;
  add_options(line, options);
  return line.run(argc, argv, [&] { run(options); });
}
