#include "training_options.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ness/minibatch/without_replacement.hpp>
#include <sstream>

#include "user_error.hpp"

void add_run_options(CommandLine& line, RunOptions& options, const std::string& of_steps) {
  line.add("--batch", options.batch, "Minibatch size m");
  line.add("--lambda", options.lambda, "Regularizer lambda |theta|^2");
  line.add("--steps", options.steps,
           "Parameter updates of each chain, after its burn-in" + of_steps);
  line.add("--chains", options.chains, "Independent chains");
  line.add("--threads", options.threads,
           "Threads; 0: all of the machine. The results do not depend on it");
  line.add("--seed", options.seed, "Seed of the random numbers");
  line.add("--json", options.json, "FILE", "Write the results to this file");
  line.add("--figures", options.figures, "DIR",
           "Draw the figures of the paper in this folder: data, gnuplot scripts and, where "
           "gnuplot is installed, pictures");
}

void add_training_options(CommandLine& line, TrainingOptions& options, const std::string& ways,
                          const std::string& of_steps) {
  line.add("--sampling", options.sampling, ways);
  line.add("--eta", options.eta, "Learning rate");
  add_run_options(line, options, of_steps);
}

void require_positive_option(const std::string& option, double value, const std::string& usual) {
  require_option(value > 0 && std::isfinite(value), option, "be positive and finite", value,
                 "try " + usual);
}

void require_count(const std::string& option, std::int64_t value, std::int64_t least,
                   std::int64_t most, const std::string& remedy) {
  require_option(value >= least && value <= most, option,
                 "be in " + std::to_string(least) + " ... " + std::to_string(most), value, remedy);
}

void check_names(const std::string& option, const std::vector<std::string>& names,
                 const std::vector<std::string>& known) {
  std::string rule = "be ";
  for (std::size_t k = 0; k < known.size(); ++k)
    rule += (k == 0 ? "" : k + 1 == known.size() ? " or " : ", ") + known[k];
  for (const std::string& name : names) {
    require_option(std::count(known.begin(), known.end(), name) > 0, option, rule, "'" + name + "'",
                   "use " + known.front());
    require_option(std::count(names.begin(), names.end(), name) == 1, option, "name each once",
                   "'" + name + "' twice", "leave one out");
  }
}

void check_run_options(const RunOptions& options, std::int64_t least_steps) {
  const RunOptions& o = options;
  require_option(o.lambda >= 0 && std::isfinite(o.lambda), "--lambda", "be finite and not negative",
                 o.lambda, "try 10");
  require_count("--chains", o.chains, 1, 10'000, "try 2");
  require_count("--steps", o.steps, least_steps, endless, "try 1e7");
  require_count("--threads", o.threads, 0, many, "use 0 for all that the machine has");
  require_count("--seed", o.seed, 0, std::numeric_limits<std::int64_t>::max(), "try 1");
}

void check_training_options(const TrainingOptions& options, const std::vector<std::string>& ways,
                            std::int64_t least_steps) {
  check_names("--sampling", options.sampling, ways);
  require_positive_option("--eta", options.eta, "1e-4");
  check_run_options(options, least_steps);
}

void check_batch(const RunOptions& options, std::int64_t samples, bool without_replacement) {
  require_option(options.batch >= 1 && options.batch <= samples, "--batch",
                 "be in 1 ... M = " + std::to_string(samples), options.batch,
                 "there are " + std::to_string(samples) + " samples to draw from");
  if (!without_replacement) return;
  const auto [below, above] = ness::nearest_batch_sizes(samples, options.batch);
  require_option(
      samples % options.batch == 0, "--batch",
      "divide M = " + std::to_string(samples) + " without replacement", options.batch,
      "the nearest that do are " + std::to_string(below) + " and " + std::to_string(above));
  require_option(options.steps == 0 || options.steps >= samples / options.batch, "--steps",
                 "be at least one epoch of " + std::to_string(samples / options.batch) +
                     " updates without replacement",
                 options.steps, "raise it");
}

void check_batch(const TrainingOptions& options, std::int64_t samples) {
  const auto& ways = options.sampling;
  check_batch(options, samples, std::count(ways.begin(), ways.end(), "wor") > 0);
}

void check_stability(const TrainingOptions& options, double steepest) {
  std::ostringstream rule;
  rule << "be below 2 / h_max = " << 2 / steepest << " for a stationary state to exist";
  require_option(options.eta * steepest < 2, "--eta", rule.str(), options.eta, "lower it");
}

std::int64_t burn_in_updates(double relaxation, std::int64_t observed) {
  return static_cast<std::int64_t>(
      std::min(std::ceil(5 * relaxation), static_cast<double>(observed)));
}
