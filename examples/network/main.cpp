// A network of many parameters on digits: its stationary state along the leading eigenvectors of
// the Hessian, predicted and measured.
#include <iostream>
#include <vector>

#include "../common/outputs.hpp"
#include "../common/titles.hpp"
#include "pictures.hpp"
#include "report.hpp"
#include "study.hpp"

namespace {

std::vector<Line> theory_of(const Study& study) {
  std::vector<Line> lines;
  const auto add = [&](const std::string& sampling, double momentum, const std::string& title) {
    lines.push_back({sampling + (momentum > 0 ? "_momentum" : ""), title, sampling_color(sampling),
                     momentum > 0,
                     study.predict(sampling, momentum).state.covariance().diagonal()});
  };
  for (const double momentum : {0.0, 0.9}) {
    const std::string with = momentum > 0 ? ", momentum 0.9" : "";
    add("wr", momentum, "with replacement" + with);
    if (study.batches_divide_samples()) add("wor", momentum, "without replacement" + with);
  }
  return lines;
}

void draw(FigureFolder& folder, const Options& options, const Study& study,
          const std::vector<Results>& all) {
  const Summary& summary = study.summary();
  const ness::SpectralDensity<double> density = study.spectrum();
  draw_spectrum(folder, density, summary);
  draw_variance(folder, summary, theory_of(study), all, options);
  const Prediction plain = study.predict("wr", 0);
  draw_noise(folder, density, summary, plain, options);
  draw_loss(folder, study.loss_along(plain, 3), summary);
  for (const Results& results : all) draw_plane(folder, results, options);
}

void run(const Options& options) {
  check(options);
  Outputs outputs(options);
  const Study study(options);
  std::vector<Results> all;
  for (const std::string& sampling : options.sampling) {
    Results results{sampling, study.predict(sampling), {}};
    if (options.steps > 0) results.simulated = study.simulate(sampling, results.predicted);
    all.push_back(std::move(results));
  }
  print(std::cout, options, study.summary(), all);
  outputs.write(to_json(options, study.summary(), all));
  outputs.draw([&](FigureFolder& folder) { draw(folder, options, study, all); });
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line(
      "network",
      "The stationary state of SGD on a multilayer perceptron of any size along the leading "
      "eigenvectors of its Hessian: theory against simulation.\nThe exit status is 0 if the run "
      "succeeded; whether theory and simulation agree is in the table.");
  Options options;
  add_options(line, options);
  return line.run(argc, argv, [&] { run(options); });
}
