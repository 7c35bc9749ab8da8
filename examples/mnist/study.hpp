// The classifier about its minimum: its stationary state in theory, and in simulation.
#pragma once

#include <memory>
#include <string>

#include "options.hpp"
#include "results.hpp"

/// What depends on the model's type is compiled in theory.cpp and simulation*.cpp, each part once.
class Study {
 public:
  /// Reads the data and finds the minimum. Throws `UserError`.
  explicit Study(const Options& options);
  ~Study();

  const Summary& summary() const;

  /// Throws `UserError` where epochs have no minimum.
  Prediction predict(const std::string& sampling) const;
  /// With and without replacement and momentum, for noise of one batch that does not depend on θ.
  WaysInTheory ways() const;
  /// In the precision asked for, with a progress bar. Throws `ness::Diverged` and
  /// `ness::CheckpointError`.
  Simulation simulate(const std::string& sampling, const Prediction& predicted) const;
  /// μ(k) of the entropy production of epochs, by cloning.
  Cumulants clone(const std::string& sampling, const Prediction& predicted) const;

 private:
  struct Problem;
  Simulation simulate_in_single(const std::string& sampling, const Prediction& predicted) const;

  std::unique_ptr<const Problem> problem_;
};
