// Every other way of training than those of the paper: momentum, other batches, phases of epochs.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <ness/trajectory/measure.hpp>
#include <string>
#include <vector>

#include "../common/figures.hpp"
#include "../common/json.hpp"
#include "options.hpp"
#include "results.hpp"

/// Variances along the eigenvectors of H, by increasing h.
struct DirectionalVariances {
  Eigen::VectorXd curvature, theory;
  ness::Estimate<Eigen::VectorXd> simulation;
};

/// The state in theory. Epochs are sampled, which leaves errors of Σ and C; else they are 0.
struct OtherPrediction {
  State state;
  Eigen::MatrixXd covariance_error, circulation_error;
};

/// One of them: its state in theory, and in simulation.
struct Way {
  std::string sampling;
  std::string description;  ///< the training in words
  bool epochs;              ///< do its batches depend on each other?
  OtherPrediction theory;
  ness::Measurement measured;
  DirectionalVariances directions;
  std::int64_t burn_in;  ///< parameter updates of each chain
};

/// Is this way of sampling, with these options, not one of the paper's?
bool is_other_way(const std::string& sampling, const Options& options);

void print(std::ostream& out, const Options& options, const Minimum& minimum,
           const std::vector<Way>& ways);

/// The keys of one way.
void write(const Json& json, const Options& options, const Minimum& minimum, const Way& way);

/// Variance along each eigenvector of H against h, theory as lines and simulation as points, with
/// the h where epochs without replacement cross over (the manner of arXiv 2306.05300).
void draw_directions(FigureFolder& folder, const Options& options, Eigen::Index samples,
                     const std::vector<Way>& ways);
