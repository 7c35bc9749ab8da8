// What the user asks for, and whether it can be done.
#pragma once

#include "../common/digits.hpp"
#include "../common/training_options.hpp"

struct Options : TrainingOptions, DigitOptions {
  bool single = false;
  std::int64_t stride = 24;  ///< with replacement
  std::string checkpoint;    ///< empty: none
  double checkpoint_seconds = 60;
  std::int64_t clones = 0;
  std::int64_t clone_steps = 48;

  Options() {
    eta = 1e-4;
    batch = 100;
    lambda = 1e-2;
    steps = 10'000'000;
    chains = 2;
  }
};

void add_options(CommandLine& line, Options& options);

/// What is wrong whatever the data are. Throws `UserError`.
void check(const Options& options);
