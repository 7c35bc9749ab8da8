// The data of the regression examples: the user's, or those that come with the library.
#pragma once

#include <CLI/CLI.hpp>
#include <ness/ness.hpp>
#include <string>

#include "files.hpp"

struct DataOptions {
  std::string data_x, data_y;  ///< empty: the built-in data set
};

/// Inputs and targets, M each.
struct RegressionData {
  Eigen::VectorXd x, y;
};

inline void add_data_options(CLI::App& app, DataOptions& options) {
  app.add_option("--data-x", options.data_x,
                 "Inputs x, one a line, with --data-y (default: a built-in data set of 200)")
      ->type_name("FILE");
  app.add_option("--data-y", options.data_y, "Targets y, one a line")->type_name("FILE");
}

/// Throws `UserError` where one of the two is missing.
inline void check_data_options(const DataOptions& options) {
  if (options.data_x.empty() != options.data_y.empty())
    throw UserError("--data-x and --data-y go together, but only one is there: give the other");
}

/// The user's data, or the built-in data set. Throws `UserError`.
inline RegressionData regression_data(const DataOptions& options) {
  if (options.data_x.empty()) {
    ness::Philox random(2306'03521);  // the data set is the same for every --seed
    const ness::RegressionNetwork network = ness::regression_network(random);
    return {network.inputs().transpose(), network.targets().transpose()};
  }
  RegressionData data{read_numbers(options.data_x), read_numbers(options.data_y)};
  if (data.x.size() != data.y.size())
    throw UserError("'" + options.data_x + "' holds " + std::to_string(data.x.size()) +
                    " numbers and '" + options.data_y + "' " + std::to_string(data.y.size()) +
                    ": there must be one y for each x");
  return data;
}
