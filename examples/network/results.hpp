// What the table, the JSON file and the figures are made from.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <ness/diffusion/noise_spectrum.hpp>
#include <ness/landscape/eigenpairs.hpp>
#include <ness/landscape/minimize.hpp>
#include <ness/landscape/spectral_density.hpp>
#include <ness/stationary/stationary_state.hpp>
#include <ness/statistics/estimate.hpp>
#include <optional>
#include <string>
#include <vector>

using State = ness::StationaryState<double>;

/// What is known of the problem before any sampling.
struct Summary {
  Eigen::Index parameters, samples;
  ness::Minimum<double> minimum;
  double accuracy;  ///< the part of the samples whose largest output is that of their label
  double relative_gradient;
  Eigen::Index products;  ///< of the Hessian with a vector, to find the minimum
  ness::Eigenpairs<double> pairs;
  ness::NoiseSpectrum<double> noise;  ///< of updates with replacement
  double minimum_seconds, spectrum_seconds, noise_seconds, epochs_seconds;
};

/// One way of sampling in theory, in the K directions.
struct Prediction {
  State state;
  double diffusion_seconds;
  Eigen::VectorXd of_curvature;  ///< the part that batches of different curvature make; or empty
};

/// The same in simulation.
struct Simulation {
  ness::Estimate<Eigen::MatrixXd> covariance, circulation;
  /// C in theory, of as many steps as lie between two looks.
  Eigen::MatrixXd circulation_theory;
  Eigen::VectorXd autocorrelation_time;  ///< in looks
  std::int64_t looks, updates_per_look, batch_length, burn_in;
  double seconds_per_step;
};

struct Results {
  std::string sampling;
  Prediction predicted;
  std::optional<Simulation> simulated;  ///< not of the theory alone
};

/// 𝓛 along each of some directions, in units of the standard deviation there.
struct LossAlong {
  Eigen::VectorXd steps;  ///< in standard deviations with replacement
  Eigen::MatrixXd loss;   ///< 𝓛 − 𝓛(θ₀), steps × directions
  Eigen::MatrixXd form;   ///< ½h times the square
};
