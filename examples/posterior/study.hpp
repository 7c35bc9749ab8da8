// Each sampler at each learning rate: by theory, by the exact moments of its chain, and by running
// it.
#pragma once

#include <memory>

#include "options.hpp"
#include "results.hpp"

/// What depends on the model's type is compiled in theory.cpp and simulation.cpp, each part once.
class Study {
 public:
  /// Finds the maximum of the posterior. Throws `UserError`.
  explicit Study(const Options& options);
  ~Study();

  Results predict() const;
  /// Adds the runs, with progress bars.
  void simulate(Results& results) const;

 private:
  struct Problem;
  std::unique_ptr<const Problem> problem_;
};
