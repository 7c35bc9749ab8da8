// The data of the regression examples: the user's, or those that come with the library.
#pragma once

#include <string>
#include <vector>

#include "command_line.hpp"

struct DataOptions {
  std::string data_x, data_y;  ///< empty: the built-in data set
};

/// Inputs and targets, M each.
struct RegressionData {
  std::vector<double> x, y;
};

void add_data_options(CommandLine& line, DataOptions& options);

/// Throws `UserError` where one of the two is missing.
void check_data_options(const DataOptions& options);

/// The user's data, or the built-in data set. Throws `UserError`.
RegressionData regression_data(const DataOptions& options);
