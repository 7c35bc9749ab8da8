// Each sampler at each learning rate: by theory, by the exact moments of its chain, and by running
// it.
#pragma once

#include <memory>
#include <vector>

#include "decreasing.hpp"
#include "options.hpp"
#include "results.hpp"

/// What depends on the model's type is compiled in theory.cpp, exact.cpp and simulation.cpp, each
/// part once.
class Study {
 public:
  /// Finds the maximum of the posterior. Throws `UserError`.
  explicit Study(const Options& options);
  ~Study();

  /// In the theory of continuous time.
  Results predict() const;
  void add_exact_moments(Results& results) const;
  /// With progress bars.
  void add_runs(Results& results) const;
  /// Learning rates that fall, in theory, and by running them where there are steps.
  std::vector<DecreasingSeries> decreasing() const;

 private:
  struct Problem;
  std::unique_ptr<const Problem> problem_;
};
