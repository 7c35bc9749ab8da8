// What the user asks for, and whether it can be done.
#pragma once

#include <string>
#include <vector>

#include "../common/regression_data.hpp"
#include "../common/training_options.hpp"

struct Options : RunOptions, DataOptions {
  std::vector<std::string> system{"polymer", "folding", "wright-fisher", "gyrator", "sgd"};
  std::int64_t beads = 10;
  double bead_radius = 0.25;
  std::int64_t population = 1000;
  std::vector<double> mutation{1e-3, 7.5e-4, 1.25e-3};
  std::vector<double> selection{1e-3, 0, -1e-3};
  double hot = 3;
  double cold = 1;
  double eta = 1e-7;

  Options() {
    batch = 10;
    lambda = 10;
    steps = 4'000'000;
    chains = 8;
  }
};

void add_options(CommandLine& line, Options& options);

/// What is wrong whatever the data are. Throws `UserError`.
void check(const Options& options);
