// What the user asks for, and whether it can be done.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../common/regression_data.hpp"
#include "../common/training_options.hpp"

struct Options : RunOptions, DataOptions {
  std::vector<double> eta{1e-8, 3e-8, 1e-7, 3e-7, 6e-7, 1e-6, 2e-6, 4e-6, 1e-5};
  std::int64_t permutations = 20'000;

  Options() {
    batch = 10;
    lambda = 10;
    steps = 4'000'000;
    chains = 8;
  }
};

/// Of the classifier.
struct ClassifierOptions {
  std::string images, labels, test_images, test_labels;  ///< empty: none
  bool synthetic = false;
  std::int64_t samples = 0;  ///< the first ones; 0: all
  double prior = 1;          ///< standard deviation of each weight
  std::int64_t budget = 1000;
  std::int64_t reference_budget = 6000;

  bool wanted() const { return synthetic || !images.empty(); }
};

/// Of the Bayesian neural network.
struct NetworkOptions {
  bool network = false;
  std::vector<std::int64_t> widths{1, 2, 1};
  std::string draws;  ///< empty: none
};

void add_options(CommandLine& line, Options& options);
void add_options(CommandLine& line, ClassifierOptions& options);
void add_options(CommandLine& line, NetworkOptions& options);

/// What is wrong whatever the data are. Throws `UserError`.
void check(const Options& options);
void check(const ClassifierOptions& options);
void check(const NetworkOptions& of_network, const Options& options);
