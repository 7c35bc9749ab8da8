// The options of a run as the library's settings.
#pragma once

#include <ness/trajectory/run.hpp>

#include "progress.hpp"
#include "ranks.hpp"
#include "training_options.hpp"

/// `updates` of each chain after `burn_in` of them, shown by `bar`, which must outlive the run.
inline ness::RunSettings run_settings(const RunOptions& options, std::int64_t updates,
                                      std::int64_t burn_in, ProgressBar& bar) {
  return {.steps = updates,
          .burn_in = burn_in,
          .chains = static_cast<int>(options.chains),
          .threads = static_cast<int>(options.threads),
          .seed = static_cast<std::uint64_t>(options.seed),
          .progress = [&bar](std::int64_t done, std::int64_t all) { bar(done, all); },
          .ranks = ranks()};
}
