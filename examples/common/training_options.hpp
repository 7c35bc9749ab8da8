// The options that all examples share: how to train, how long, and where results go.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "command_line.hpp"

/// The defaults are those of each example.
struct RunOptions {
  std::int64_t batch = 0;
  double lambda = 0;
  std::int64_t steps = 0;
  std::int64_t chains = 1;
  std::int64_t threads = 0;
  std::int64_t seed = 1;
  std::string json, figures;  ///< empty: none
};

struct TrainingOptions : RunOptions {
  std::vector<std::string> sampling{"wr"};
  double eta = 0;
};

void add_run_options(CommandLine& line, RunOptions& options, const std::string& of_steps);

/// `ways` describes the ways of sampling.
void add_training_options(CommandLine& line, TrainingOptions& options, const std::string& ways,
                          const std::string& of_steps);

inline constexpr std::int64_t many = 1'000'000;
inline constexpr std::int64_t endless = 1'000'000'000'000;

// What follows throws `UserError`.

void require_positive_option(const std::string& option, double value, const std::string& usual);

void require_count(const std::string& option, std::int64_t value, std::int64_t least,
                   std::int64_t most, const std::string& remedy);

/// Are these names of the known ones, each once?
void check_names(const std::string& option, const std::vector<std::string>& names,
                 const std::vector<std::string>& known);

/// What is wrong whatever the data are.
void check_run_options(const RunOptions& options, std::int64_t least_steps);
void check_training_options(const TrainingOptions& options, const std::vector<std::string>& ways,
                            std::int64_t least_steps);

/// What is wrong with M samples.
void check_batch(const RunOptions& options, std::int64_t samples, bool without_replacement);
void check_batch(const TrainingOptions& options, std::int64_t samples);

/// What is wrong where the largest eigenvalue of the Hessian is `steepest`.
void check_stability(const TrainingOptions& options, double steepest);

/// Five relaxations, but no longer than what is observed; all in parameter updates.
std::int64_t burn_in_updates(double relaxation, std::int64_t observed);
