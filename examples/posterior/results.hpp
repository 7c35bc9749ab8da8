// What the table, the JSON file and the figures are made from.
#pragma once

#include <Eigen/Core>
#include <ness/landscape/minimize.hpp>
#include <ness/posterior/gaussian_posterior.hpp>
#include <optional>
#include <string>
#include <vector>

/// What a run of a sampler gave.
struct Run {
  bool diverged = false;
  ness::PosteriorError<> error;
  double autocorrelation_time = 0;  ///< of the slowest direction, in Markov steps
  double effective_samples = 0;
  bool too_short = false;  ///< for errors that say enough: batches of less than 3 relaxation times
};

/// A sampler at one learning rate.
struct Point {
  double eta;
  ness::PosteriorError<> theory, exact;
  std::optional<Run> run;
  double cost = 0;  ///< gradients of single samples for each effective draw, by its mean map
  double gradients_per_sample = 0;  ///< the same as the run shows it

  /// The chance of a run as far as this from the exact moments, were they right. The moments are
  /// compared and not the divergence, which is never negative and which chance raises.
  double chance() const;
};

struct SamplerResults {
  std::string key, title;
  Eigen::Index gradients_per_step;  ///< of single samples, in a Markov step
  std::vector<Point> points;        ///< one for each learning rate
  std::vector<Point> curve;         ///< theory alone, on a finer grid
};

struct Results {
  Eigen::Index samples;
  ness::Minimum<> minimum;
  std::vector<SamplerResults> samplers;

  const SamplerResults& operator[](const std::string& key) const;
  /// The least chance with which a run agrees: one table in a thousand has a false alarm.
  double level() const;
};
