// What the user asks for, and whether it can be done.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "../common/regression_data.hpp"
#include "../common/training_options.hpp"

struct Options : RunOptions, DataOptions {
  std::string system = "gyrator";
  std::string states;    ///< a file; empty: a system is run
  double time_step = 0;  ///< 0: that of the system, 1 of a file
  std::int64_t every = 1;
  std::vector<std::int64_t> lags{1, 4, 16};
  std::vector<std::int64_t> plane;  ///< two columns, from 1; empty: the leading pair
  double eta = 1e-6;
  double momentum = 0.9;
  double torque = 1.5;

  Options() {
    batch = 10;
    lambda = 10;
    steps = 0;  // that of the system
    chains = 8;
  }
};

void add_options(CommandLine& line, Options& options);

/// What is wrong whatever the data are. Throws `UserError`.
void check(const Options& options);

/// A column of `--plane`, from 0, of so many. Throws `UserError`.
Eigen::Index plane_column(const Options& options, std::size_t which, Eigen::Index parameters);
