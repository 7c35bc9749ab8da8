// What the user asks for, and whether it can be done.
#pragma once

#include "../common/regression_data.hpp"
#include "../common/training_options.hpp"

struct Options : TrainingOptions, DataOptions {
  double zeta = 1e-4;
  std::int64_t training_runs = 1000;
  std::int64_t training_steps = 200'000;

  Options() {
    eta = 1e-7;
    batch = 10;
    lambda = 10;
    steps = 10'000'000;
    chains = 32;
  }
};

inline void add_options(CLI::App& app, Options& options) {
  add_data_options(app, options);
  add_training_options(
      app, options,
      "How training is made stochastic: wr, minibatches drawn with replacement; wor, without; "
      "earthquake, the whole gradient at a point shaken by --zeta. Several, as in wr,wor, are set "
      "side by side",
      "");
  add_number(app, "--zeta", options.zeta, "Size of the earthquakes");
  add_count(app, "--training-runs", options.training_runs,
            "Runs averaged in Fig. 1C; 0 leaves the figure out");
  add_count(app, "--training-steps", options.training_steps, "Parameter updates of each of them");
}

/// What is wrong whatever the data are. Throws `UserError`.
inline void check(const Options& options) {
  check_training_options(options, {"wr", "wor", "earthquake"}, 1);
  check_data_options(options);
  require_positive_option("--zeta", options.zeta, "1e-4");
  require_count("--training-runs", options.training_runs, 0, many, "try 1000");
  require_count("--training-steps", options.training_steps, 1, endless, "try 2e5");
}
