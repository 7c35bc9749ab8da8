// What the user asks for, and whether it can be done.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "../common/regression_data.hpp"
#include "../common/training_options.hpp"

struct Options : TrainingOptions, DataOptions {
  double zeta = 1e-4;
  double momentum = 0;
  bool nesterov = false;
  std::string phase = "end";
  std::vector<std::int64_t> axes{6, 7};
  std::int64_t training_runs = 1000;
  std::int64_t training_steps = 200'000;

  Options() {
    eta = 1e-7;
    batch = 10;
    lambda = 10;
    steps = 10'000'000;
    chains = 32;
  }

  /// The parameters of Fig. 2, counted from 0.
  std::array<Eigen::Index, 2> shown() const { return {axes[0] - 1, axes[1] - 1}; }
};

void add_options(CommandLine& line, Options& options);

/// What is wrong whatever the data are. Throws `UserError`.
void check(const Options& options);
