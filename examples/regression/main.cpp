// The paper's nonlinear regression network (Secs. 4.1–4.4): its stationary state under SGD,
// predicted and measured.
#include <algorithm>
#include <array>
#include <iostream>
#include <numbers>

#include "pictures.hpp"

namespace {

constexpr int first_shown = 5;  // θ6 and θ7 are the axes of Fig. 2
constexpr int second_shown = 6;

/// 160 × 160 bins over 4.5 standard deviations to either side.
ness::Histogram2d density_histogram(const Predicted& predicted) {
  const auto axis = [&](int k) {
    const double reach = 4.5 * std::sqrt(predicted.covariance(k, k));
    return ness::Axis{-reach, reach, 160};
  };
  return ness::Histogram2d(first_shown, axis(first_shown), second_shown, axis(second_shown));
}

/// Several times the slowest relaxation, but no longer than what is observed.
std::int64_t burn_in(const Predicted& predicted, const Options& options) {
  const double relaxation = 1 / (options.eta * predicted.hessian_eigenvalues[0]);
  return static_cast<std::int64_t>(std::min(5 * relaxation, options.steps));
}

void run(const Options& options) {
  check(options);
  if (!options.json.empty()) require_writable(options.json);
  std::optional<FigureFolder> folder;
  if (!options.figures.empty()) folder.emplace(options.figures);

  const Objective objective(make_network(options), ness::L2{options.lambda});
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = options.eta,
                                                  .minibatch = {options.batch}};
  training.check(objective.samples(), "regression");
  const auto minimum = find_minimum(objective);
  const auto predicted = ness::predict(objective, minimum, training);

  ness::MeasureSettings settings;
  settings.run = {.steps = options.updates(),
                  .burn_in = burn_in(predicted, options),
                  .chains = options.chains,
                  .threads = options.threads,
                  .seed = options.seed};
  auto [measured, density] = [&] {
    ProgressBar bar("simulating");
    settings.run.progress = [&](std::int64_t done, std::int64_t all) { bar(done, all); };
    return ness::measure_with(objective, training, predicted, settings,
                              density_histogram(predicted));
  }();
  const Results results{minimum, predicted, ness::mean_shift(objective, predicted), measured};

  print(std::cout, objective, options, results);
  if (!options.json.empty())
    write_atomically(options.json, to_json(options, results).dump(2) + "\n");
  if (!folder) return;
  draw_fit(*folder, objective.model(), minimum.theta);
  draw_density(*folder, predicted, density, first_shown, second_shown);
  draw_elements(*folder, results);
  draw_entropy(*folder, results);
  if (options.training_runs > 0)
    draw_training(*folder, training_curve(objective, options, minimum.value),
                  options.training_runs);
  std::cout << '\n' << folder->summary() << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "The stationary state of SGD on the regression network of arXiv 2306.03521, Sec. 4: theory "
      "against simulation.");
  Options options;
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  try {
    run(options);
  } catch (const std::exception& error) {
    std::cerr << "regression: " << error.what() << '\n';
    return 1;
  }
  return std::cout.flush() ? 0 : 1;
}
