// The network about its minimum: its stationary state along the leading eigenvectors of the
// Hessian, in theory and in simulation.
#pragma once

#include <memory>
#include <string>

#include "options.hpp"
#include "results.hpp"

/// What depends on the network's type is compiled in study.cpp alone.
class Study {
 public:
  /// Reads the data, finds the minimum and the eigenvectors, with progress bars. Throws
  /// `UserError`.
  explicit Study(const Options& options);
  ~Study();

  const Summary& summary() const;

  Prediction predict(const std::string& sampling) const { return predict(sampling, momentum()); }
  Prediction predict(const std::string& sampling, double momentum) const;
  /// With a progress bar. Throws `ness::Diverged` and `ness::CheckpointError`.
  Simulation simulate(const std::string& sampling, const Prediction& predicted) const;

  // For the figures.
  ness::SpectralDensity<double> spectrum() const;
  LossAlong loss_along(const Prediction& predicted, Eigen::Index directions) const;
  bool batches_divide_samples() const;

 private:
  double momentum() const;

  struct Problem;
  std::unique_ptr<const Problem> problem_;
};
