// What the user asks for, and whether it can be done.
#pragma once

#include <vector>

#include "../common/regression_data.hpp"
#include "../common/training_options.hpp"

struct Options : RunOptions, DataOptions {
  std::vector<double> eta{1e-8, 3e-8, 1e-7, 3e-7, 6e-7, 1e-6, 2e-6, 4e-6, 1e-5};
  std::int64_t permutations = 20'000;

  Options() {
    batch = 10;
    lambda = 10;
    steps = 4'000'000;
    chains = 8;
  }
};

inline void add_options(CLI::App& app, Options& options) {
  add_data_options(app, options);
  app.add_option("--eta", options.eta, "Learning rates, as in 1e-7,1e-6")
      ->delimiter(',')
      ->capture_default_str()
      ->type_name("NUMBER");
  add_run_options(app, options,
                  "; 0 for theory and exact moments alone. Of SGLD: other samplers get as many "
                  "gradients of samples");
  add_count(app, "--permutations", options.permutations,
            "Random orders of the samples that the exact moments are averaged over");
}

/// What is wrong whatever the data are. Throws `UserError`.
inline void check(const Options& options) {
  check_run_options(options, 0);
  check_data_options(options);
  require_option(!options.eta.empty(), "--eta", "name a learning rate", "empty", "try 1e-7,1e-6");
  for (const double eta : options.eta) require_positive_option("--eta", eta, "1e-7,1e-6");
  require_count("--permutations", options.permutations, 64, 1'000'000'000, "try 2e4");
}
