// What the user asks for, and whether it can be done.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ness/ness.hpp>
#include <string>
#include <vector>

#include "../common/command_line.hpp"

struct Options {
  std::string data_x, data_y;  ///< empty: the built-in data set
  std::vector<std::string> sampling{"wr"};
  double zeta = 1e-4;
  double eta = 1e-7;
  std::int64_t batch = 10;
  double lambda = 10;
  std::int64_t steps = 10'000'000;
  std::int64_t chains = 32;
  std::int64_t threads = 0;
  std::int64_t seed = 1;
  std::string json, figures;  ///< empty: none
  std::int64_t training_runs = 1000;
  std::int64_t training_steps = 200'000;
};

inline void add_options(CLI::App& app, Options& options) {
  app.add_option("--data-x", options.data_x,
                 "Inputs x, one a line, with --data-y (default: a built-in data set of 200)")
      ->type_name("FILE");
  app.add_option("--data-y", options.data_y, "Targets y, one a line")->type_name("FILE");
  app.add_option("--sampling", options.sampling,
                 "How training is made stochastic: wr, minibatches drawn with replacement; wor, "
                 "without; earthquake, the whole gradient at a point shaken by --zeta. Several, as "
                 "in wr,wor, are set side by side")
      ->delimiter(',')
      ->capture_default_str()
      ->type_name("NAME");
  add_number(app, "--zeta", options.zeta, "Size of the earthquakes");
  add_number(app, "--eta", options.eta, "Learning rate");
  add_count(app, "--batch", options.batch, "Minibatch size m");
  add_number(app, "--lambda", options.lambda, "Regularizer lambda |theta|^2");
  add_count(app, "--steps", options.steps, "Parameter updates of each chain, after its burn-in");
  add_count(app, "--chains", options.chains, "Independent chains");
  add_count(app, "--threads", options.threads,
            "Threads; 0: all of the machine. The results do not depend on it");
  add_count(app, "--seed", options.seed, "Seed of the random numbers");
  app.add_option("--json", options.json, "Write the results to this file")->type_name("FILE");
  app.add_option("--figures", options.figures,
                 "Draw the figures of the paper in this folder: data, gnuplot scripts and, where "
                 "gnuplot is installed, pictures")
      ->type_name("DIR");
  add_count(app, "--training-runs", options.training_runs,
            "Runs averaged in Fig. 1C; 0 leaves the figure out");
  add_count(app, "--training-steps", options.training_steps, "Parameter updates of each of them");
}

inline void require_positive_option(const std::string& option, double value,
                                    const std::string& usual) {
  require_option(value > 0 && std::isfinite(value), option, "be positive and finite", value,
                 "try " + usual);
}

inline void require_count(const std::string& option, std::int64_t value, std::int64_t least,
                          std::int64_t most, const std::string& remedy) {
  require_option(value >= least && value <= most, option,
                 "be in " + std::to_string(least) + " ... " + std::to_string(most), value, remedy);
}

/// Is this one of the ways of sampling asked for?
inline bool uses(const Options& options, const std::string& sampling) {
  return std::count(options.sampling.begin(), options.sampling.end(), sampling) > 0;
}

/// What is wrong whatever the data are. Throws `UserError`.
inline void check(const Options& options) {
  for (std::size_t k = 0; k < options.sampling.size(); ++k) {
    const std::string& sampling = options.sampling[k];
    require_option(sampling == "wr" || sampling == "wor" || sampling == "earthquake", "--sampling",
                   "be wr, wor or earthquake", "'" + sampling + "'", "use wr");
    require_option(std::count(options.sampling.begin(), options.sampling.end(), sampling) == 1,
                   "--sampling", "name each way once", "'" + sampling + "' twice", "leave one out");
  }
  if (options.data_x.empty() != options.data_y.empty())
    throw UserError("--data-x and --data-y go together, but only one is there: give the other");
  require_positive_option("--zeta", options.zeta, "1e-4");
  require_positive_option("--eta", options.eta, "1e-7");
  require_option(options.lambda >= 0 && std::isfinite(options.lambda), "--lambda",
                 "be finite and not negative", options.lambda, "try 10");
  constexpr std::int64_t many = 1'000'000;
  constexpr std::int64_t endless = 1'000'000'000'000;
  require_count("--chains", options.chains, 1, 10'000, "try 32");
  require_count("--steps", options.steps, 1, endless, "try 1e7");
  require_count("--threads", options.threads, 0, many, "use 0 for all that the machine has");
  require_count("--seed", options.seed, 0, std::numeric_limits<std::int64_t>::max(), "try 1");
  require_count("--training-runs", options.training_runs, 0, many, "try 1000");
  require_count("--training-steps", options.training_steps, 1, endless, "try 2e5");
}

/// What is wrong with M samples. Throws `UserError`.
inline void check_batch(const Options& options, std::int64_t samples) {
  require_option(options.batch >= 1 && options.batch <= samples, "--batch",
                 "be in 1 ... M = " + std::to_string(samples), options.batch,
                 "there are " + std::to_string(samples) + " samples to draw from");
  if (!uses(options, "wor")) return;
  const auto [below, above] = ness::nearest_batch_sizes(samples, options.batch);
  require_option(
      samples % options.batch == 0, "--batch",
      "divide M = " + std::to_string(samples) + " without replacement", options.batch,
      "the nearest that do are " + std::to_string(below) + " and " + std::to_string(above));
  require_option(options.steps >= samples / options.batch, "--steps",
                 "be at least one epoch of " + std::to_string(samples / options.batch) +
                     " updates without replacement",
                 options.steps, "raise it");
}

/// What is wrong where the largest eigenvalue of the Hessian is `steepest`. Throws `UserError`.
inline void check_stability(const Options& options, double steepest) {
  std::ostringstream rule;
  rule << "be below 2 / h_max = " << 2 / steepest << " for a stationary state to exist";
  require_option(options.eta * steepest < 2, "--eta", rule.str(), options.eta, "lower it");
}
