#include "options.hpp"

void add_options(CommandLine& line, Options& options) {
  add_data_options(line, options);
  add_training_options(
      line, options,
      "How training is made stochastic: wr, minibatches drawn with replacement; wor, without; "
      "earthquake, the whole gradient at a point shaken by --zeta. Several, as in wr,wor, are set "
      "side by side",
      "");
  line.add("--zeta", options.zeta, "Size of the earthquakes");
  line.add("--training-runs", options.training_runs,
           "Runs averaged in Fig. 1C; 0 leaves the figure out");
  line.add("--training-steps", options.training_steps, "Parameter updates of each of them");
}

void check(const Options& options) {
  check_training_options(options, {"wr", "wor", "earthquake"}, 1);
  check_data_options(options);
  require_positive_option("--zeta", options.zeta, "1e-4");
  require_count("--training-runs", options.training_runs, 0, many, "try 1000");
  require_count("--training-steps", options.training_steps, 1, endless, "try 2e5");
}
