// What the table, the JSON file and the figures are made from.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <ness/diffusion/noise_cumulants.hpp>
#include <ness/landscape/minimize.hpp>
#include <ness/stationary/stationary_state.hpp>
#include <ness/trajectory/histogram.hpp>
#include <ness/trajectory/measure.hpp>
#include <optional>
#include <string>
#include <vector>

using Minimum = ness::Minimum<double>;
using State = ness::StationaryState<double>;

/// How far the noise of a Markov step is from Gaussian, along the eigenvectors of D.
struct NoiseShape {
  ness::NoiseCumulants cumulants;
  std::optional<ness::NoiseCumulants> standard_error;  ///< where they are drawn
};

struct Prediction {
  State state;  ///< about the mean to the next order; without replacement to all in ηn‖H‖
  NoiseShape noise;
  std::vector<ness::SubTrajectoryPrediction> fluctuations;  ///< none in equilibrium
  std::optional<Minimum> effective;                         ///< θ̂₀, without replacement
  std::optional<State> leading;                             ///< Appendix B, without replacement
  std::optional<State> discrete;                            ///< of finite steps, of the others
};

/// 𝓙 of the two parameters shown, in coarse bins about the mean of theory, per Markov step.
struct Currents {
  ness::Axis x, y;  ///< of θ
  ness::Estimate<Eigen::MatrixXd> along_x, along_y;
};

struct Simulation {
  ness::Measurement measured;
  ness::Histogram2d density;  ///< of the two parameters shown, as δθ from the mean of theory
  Currents currents;
  ness::Estimate<double> drift_correlation;  ///< η⟨∇𝓛·δθ⟩ per step (Eq. 22)
  std::int64_t burn_in;                      ///< parameter updates of each chain
};

/// One way of sampling.
struct Results {
  std::string sampling;
  Prediction predicted;
  Simulation simulated;
};

/// The data, and the network's output on a grid.
struct Fit {
  Eigen::VectorXd x, y;
  Eigen::VectorXd grid, output;
};

/// Variance and flatness along each eigenvector of the predicted Σ, by increasing flatness.
struct Relation {
  std::string sampling;
  Eigen::VectorXd variance, flatness;
  Eigen::MatrixXd directions;  ///< in columns
};

/// How runs that start far away come to the stationary state, in each eigenvector of H.
struct Approach {
  std::vector<double> times;  ///< in the slowest relaxation time
  Eigen::VectorXd curvature;  ///< h, increasing
  Eigen::MatrixXd
      farthest;  ///< |u·δθ| of the farthest run over its σ in theory, directions × times
  int runs = 0;
  double start = 0;  ///< where they start
  double level = 0;  ///< what the farthest passes once in 1000 times in the stationary state
};

/// 𝓛(θ)/𝓛(θ₀) − 1 over runs, at each of `TrainingCurve::updates`.
struct RelativeError {
  std::vector<double> mean, lower_quartile, median, upper_quartile;
  double stationary = 0;  ///< its mean in the stationary state, in theory
};

/// The relative error of the loss as training goes on, from random starts.
struct TrainingCurve {
  std::vector<std::int64_t> updates;
  RelativeError with_replacement;
  std::optional<RelativeError> without_replacement;  ///< where m divides M
};
