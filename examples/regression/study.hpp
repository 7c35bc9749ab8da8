// The network about its minimum: its stationary state in theory, and in simulation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "options.hpp"
#include "results.hpp"
#include "ways.hpp"

/// What depends on the network's type is compiled in theory.cpp and simulation.cpp, each part once.
class Study {
 public:
  /// Finds the minimum. Throws `UserError`.
  explicit Study(const Options& options);
  ~Study();

  const Minimum& minimum() const;
  Eigen::Index samples() const;

  Prediction predict(const std::string& sampling) const;
  /// `steps` updates of each chain, with a progress bar. Throws `ness::Diverged`.
  Simulation simulate(const std::string& sampling, const Prediction& predicted,
                      std::int64_t steps) const;

  // Of a way of training that is not the paper's.
  OtherPrediction predict_other(const std::string& sampling) const;
  Way other_way(const std::string& sampling) const;

  // For the figures.
  Fit fit() const;
  /// Σ_αα^½ of the parameters shown, with replacement.
  Eigen::Vector2d deviations() const;
  /// Of all ways of sampling that m allows.
  std::vector<Relation> relations() const;
  TrainingCurve training_curve() const;
  /// With replacement; nothing where that takes too long, for a small η.
  std::optional<Approach> approach() const;

 private:
  struct Problem;
  std::unique_ptr<const Problem> problem_;
};
