#include "options.hpp"

#include "../common/user_error.hpp"

void add_options(CommandLine& line, Options& options) {
  line.add("--system", options.system, "NAME",
           "gyrator (default): two coordinates at two temperatures; trap: a particle that a force "
           "drives round; ring: one on a ring with a hill, against quadrature; sgd, wor, momentum: "
           "the paper's regression network, with replacement, without, and with a heavy ball");
  line.add("--states", options.states, "FILE",
           "In place of a system: states that were recorded elsewhere, a state in a row, in a .npy "
           "file or a text file of numbers (blanks or commas between them, # before remarks)");
  add_run_options(line, options, ", or time steps; 0 for what suits the system");
  line.add("--time-step", options.time_step,
           "Time between two states, for rates per unit of time; 0 for what suits the system, 1 of "
           "a file");
  line.add("--every", options.every, "Take every so many-th state of the file");
  line.add("--lags", options.lags, "Look at states so many steps apart; the first is for all else");
  line.add("--plane", options.plane,
           "Show the current in the plane of two coordinates, counted from 1, as in 1,2; the "
           "default is the plane that goes round fastest");
  line.add("--eta", options.eta, "Learning rate");
  line.add("--momentum", options.momentum, "Of the heavy ball");
  line.add("--torque", options.torque, "On the ring, whose hill is 2 high at temperature 1");
  add_data_options(line, options);
}

void check(const Options& options) {
  check_names("--system", {options.system}, {"gyrator", "trap", "ring", "sgd", "wor", "momentum"});
  check_data_options(options);
  if (options.steps != 0)
    check_run_options(options, 20'000);
  else
    check_run_options({.batch = options.batch,
                       .lambda = options.lambda,
                       .steps = endless,
                       .chains = options.chains,
                       .threads = options.threads,
                       .seed = options.seed,
                       .json = {},
                       .figures = {}},
                      1);
  if (options.time_step != 0) require_positive_option("--time-step", options.time_step, "0.005");
  require_count("--every", options.every, 1, many, "try 10");
  require_option(!options.lags.empty(), "--lags", "name one at least", std::int64_t{0},
                 "try 1,2,4");
  for (const std::int64_t lag : options.lags) require_count("--lags", lag, 1, 10'000, "try 1,2,4");
  require_option(options.plane.empty() || options.plane.size() == 2, "--plane",
                 "name two coordinates", static_cast<std::int64_t>(options.plane.size()),
                 "write them as in 1,2");
  require_positive_option("--eta", options.eta, "1e-6");
  require_option(options.momentum >= 0 && options.momentum < 1, "--momentum", "be in 0 ... 1",
                 options.momentum, "try 0.9");
  require_option(options.torque >= 0 && options.torque <= 20, "--torque", "be in 0 ... 20",
                 options.torque, "try 1.5");
}

Eigen::Index plane_column(const Options& options, std::size_t which, Eigen::Index parameters) {
  const std::int64_t column = options.plane[which];
  require_option(column >= 1 && column <= parameters, "--plane",
                 "be of 1 ... " + std::to_string(parameters), column, "name two of these");
  require_option(options.plane[0] != options.plane[1], "--plane", "name two coordinates", column,
                 "they are the same");
  return column - 1;
}
