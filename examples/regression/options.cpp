#include "options.hpp"

#include <algorithm>

#include "../common/user_error.hpp"

void add_options(CommandLine& line, Options& options) {
  add_data_options(line, options);
  add_training_options(
      line, options,
      "How training is made stochastic: wr, minibatches drawn with replacement; wor, without; "
      "earthquake, the whole gradient at a point shaken by --zeta. Several, as in wr,wor, are set "
      "side by side",
      "");
  line.add("--zeta", options.zeta, "Size of the earthquakes");
  line.add(
      "--axes", options.axes,
      "The two parameters of Fig. 2, as 6,7; counted from 1, as theta_1 ... theta_7 of Eq. 30");
  line.add("--training-runs", options.training_runs, "Runs of Fig. 1C; 0 leaves the figure out");
  line.add("--training-steps", options.training_steps, "Parameter updates of each of them");
}

namespace {

void check_axes(const std::vector<std::int64_t>& axes) {
  constexpr std::int64_t parameters = 7;
  std::string given;
  for (const std::int64_t axis : axes) given += (given.empty() ? "" : ",") + std::to_string(axis);
  const bool in_range = std::all_of(
      axes.begin(), axes.end(), [](std::int64_t axis) { return axis >= 1 && axis <= parameters; });
  require_option(axes.size() == 2 && in_range && axes[0] != axes[1], "--axes",
                 "be two different numbers of 1 ... " + std::to_string(parameters), given,
                 "try 6,7");
}

}  // namespace

void check(const Options& options) {
  check_training_options(options, {"wr", "wor", "earthquake"}, 1);
  check_data_options(options);
  require_positive_option("--zeta", options.zeta, "1e-4");
  check_axes(options.axes);
  require_count("--training-runs", options.training_runs, 0, many, "try 1000");
  require_count("--training-steps", options.training_steps, 1, endless, "try 2e5");
}
