// What the user asks for, and the problem that follows from it.
#pragma once

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdint>
#include <ness/ness.hpp>
#include <string>

#include "../common/files.hpp"

using Network = ness::RegressionNetwork;
using Objective = ness::Objective<Network, ness::L2>;
using Theta = ness::vector_t<Network>;
using Matrix = ness::matrix_t<Network>;

struct Options {
  std::string data_x, data_y;
  std::string sampling = "wr";
  double zeta = 1e-4;
  double eta = 1e-7;
  std::int64_t batch = 10;
  double lambda = 10;
  double steps = 1e7;
  int chains = 32;
  int threads = 0;
  std::uint64_t seed = 1;
  std::string json, figures;
  int training_runs = 1000;

  std::int64_t updates() const { return static_cast<std::int64_t>(steps); }
};

inline void add_options(CLI::App& app, Options& options) {
  app.add_option("--data-x", options.data_x, "File of the inputs x, one a line (with --data-y)");
  app.add_option("--data-y", options.data_y, "File of the targets y, one a line");
  app.add_option("--sampling", options.sampling, "How minibatches are drawn: wr (with replacement)")
      ->capture_default_str();
  app.add_option("--zeta", options.zeta, "Size of the earthquakes")->capture_default_str();
  app.add_option("--eta", options.eta, "Learning rate")->capture_default_str();
  app.add_option("--batch", options.batch, "Minibatch size m")->capture_default_str();
  app.add_option("--lambda", options.lambda, "Regularizer lambda |theta|^2")->capture_default_str();
  app.add_option("--steps", options.steps, "Parameter updates of each chain")
      ->capture_default_str();
  app.add_option("--chains", options.chains, "Independent chains")->capture_default_str();
  app.add_option("--threads", options.threads, "Threads; 0: all of the machine")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of the random numbers")->capture_default_str();
  app.add_option("--json", options.json, "Write the results to this file");
  app.add_option("--figures", options.figures, "Draw the figures of the paper in this folder");
  app.add_option("--training-runs", options.training_runs,
                 "Runs averaged in Fig. 1C (200000 updates each); 0 leaves it out")
      ->capture_default_str();
}

/// What the library does not check itself.
inline void check(const Options& options) {
  if (options.sampling == "wor" || options.sampling == "earthquake")
    throw UserError("--sampling " + options.sampling +
                    " has no prediction in this version: only wr has");
  if (options.sampling != "wr")
    throw UserError("--sampling must be wr, wor or earthquake, but is '" + options.sampling + "'");
  if (options.data_x.empty() != options.data_y.empty())
    throw UserError("--data-x and --data-y go together: one of them is missing");
  if (!(options.steps >= 1) || options.steps > 1e15 || options.steps != std::floor(options.steps))
    throw UserError("--steps must be a whole number from 1 to 1e15, but is " +
                    std::to_string(options.steps));
  if (!(options.lambda >= 0) || !std::isfinite(options.lambda))
    throw UserError("--lambda must be 0 or positive, but is " + std::to_string(options.lambda));
  if (options.training_runs < 0)
    throw UserError("--training-runs must not be negative, but is " +
                    std::to_string(options.training_runs));
}

/// The network on the user's data, or on the built-in data set.
inline Network make_network(const Options& options) {
  if (options.data_x.empty()) {
    ness::Philox random(2306'03521);  // the data set is the same for every --seed
    return ness::regression_network(random);
  }
  const Eigen::VectorXd x = read_numbers(options.data_x);
  const Eigen::VectorXd y = read_numbers(options.data_y);
  if (x.size() != y.size())
    throw UserError("'" + options.data_x + "' holds " + std::to_string(x.size()) +
                    " numbers and '" + options.data_y + "' " + std::to_string(y.size()) +
                    ": they must be as many");
  return Network(x.transpose(), y.transpose(), {}, ness::regression_loss(x.size()));
}

/// Of the eight equivalent minima (either hidden unit's sign may be turned, and the two exchanged),
/// the one with θ5 ≥ θ6 ≥ 0.
inline Theta canonical(Theta theta) {
  for (int unit = 0; unit < 2; ++unit)
    if (theta[4 + unit] < 0)
      for (int first : {0, 2, 4}) theta[first + unit] = -theta[first + unit];
  if (theta[4] < theta[5])
    for (int first : {0, 2, 4}) std::swap(theta[first], theta[first + 1]);
  return theta;
}

/// The lowest minimum found from several starts.
inline auto find_minimum(const Objective& objective) {
  ness::Philox random(7);
  ness::Normal normal;
  Theta best;
  double lowest = std::numeric_limits<double>::infinity();
  for (int attempt = 0; attempt < 10; ++attempt) {
    Theta start;
    normal.fill(random, start);
    const auto minimum = ness::minimize(objective, start);
    if (minimum.status != ness::MinimumStatus::converged || minimum.value >= lowest) continue;
    lowest = minimum.value;
    best = minimum.theta;
  }
  if (!std::isfinite(lowest))
    throw UserError(
        "no minimum was found from ten random starts: raise --lambda, or check the data");
  return ness::minimize(objective, canonical(best));
}
