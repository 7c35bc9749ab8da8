#include "regression_data.hpp"

#include <ness/model/regression_network.hpp>
#include <ness/random/philox.hpp>

#include "numbers.hpp"
#include "user_error.hpp"

void add_data_options(CommandLine& line, DataOptions& options) {
  line.add("--data-x", options.data_x, "FILE",
           "Inputs x, one a line, with --data-y (default: a built-in data set of 200)");
  line.add("--data-y", options.data_y, "FILE", "Targets y, one a line");
}

void check_data_options(const DataOptions& options) {
  if (options.data_x.empty() != options.data_y.empty())
    throw UserError("--data-x and --data-y go together, but only one is there: give the other");
}

RegressionData regression_data(const DataOptions& options) {
  if (options.data_x.empty()) {
    ness::Philox random(2306'03521);  // the data set is the same for every --seed
    const ness::RegressionNetwork network = ness::regression_network(random);
    const auto numbers = [](const auto& row) {
      return std::vector<double>(row.data(), row.data() + row.size());
    };
    return {numbers(network.inputs()), numbers(network.targets())};
  }
  RegressionData data{read_numbers(options.data_x), read_numbers(options.data_y)};
  if (data.x.size() != data.y.size())
    throw UserError("'" + options.data_x + "' holds " + std::to_string(data.x.size()) +
                    " numbers and '" + options.data_y + "' " + std::to_string(data.y.size()) +
                    ": there must be one y for each x");
  return data;
}
