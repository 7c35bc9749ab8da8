// What the user asks for, and whether it can be done.
#pragma once

#include "../common/digits.hpp"
#include "../common/training_options.hpp"

struct Options : TrainingOptions, DigitOptions {
  std::vector<std::int64_t> widths{49, 20, 10};
  std::int64_t directions = 10;  ///< K
  double momentum = 0;
  std::int64_t stride = 10;  ///< updates between two looks, with replacement
  std::string start, save;   ///< files of the minimum; empty: none
  std::string checkpoint;    ///< empty: none
  double checkpoint_seconds = 60;

  Options() {
    samples = 2000;
    eta = 1e-2;
    batch = 100;
    lambda = 1e-2;
    steps = 400'000;
    chains = 2;
  }
};

void add_options(CommandLine& line, Options& options);

/// What is wrong whatever the data are. Throws `UserError`.
void check(const Options& options);
