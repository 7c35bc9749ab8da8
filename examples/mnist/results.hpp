// What the table, the JSON file and the figures are made from.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <ness/landscape/minimize.hpp>
#include <ness/stationary/stationary_state.hpp>
#include <ness/trajectory/measure.hpp>
#include <optional>
#include <string>
#include <vector>

#include "../common/cumulants.hpp"

using Minimum = ness::Minimum<double>;
using State = ness::StationaryState<double>;

/// What is known of the problem before any sampling.
struct Summary {
  Eigen::Index parameters, samples;
  Minimum minimum;
  double accuracy;  ///< the part of the samples whose largest output is that of their label
};

/// D̂ in one of the approximations of Appendix B.
struct NoiseLevel {
  std::string name;
  double trace;
  double difference;  ///< ‖D̂ − D̂_exact‖ / ‖D̂_exact‖
  double seconds;
};

/// ⟨σ⟩ and the rank of D where eigenvalues of D and Σ below `tolerance` of the largest are dropped.
struct RankCheck {
  double tolerance;
  Eigen::Index rank;
  double entropy_production;
};

struct Prediction {
  State state;
  double diffusion_seconds = 0;
  double covariance_seconds = 0;
  std::vector<RankCheck> ranks = {};
  /// ⟨e^{−σ}⟩ of real minibatches, with replacement.
  std::vector<ness::SubTrajectoryPrediction> fluctuations = {};
  std::vector<NoiseLevel> levels = {};    ///< without replacement
  std::optional<Minimum> effective = {};  ///< θ̂₀, without replacement
  double effective_seconds = 0;
  std::optional<double> leading_entropy_production = {};  ///< of Eq. 29, without replacement

  /// The slowest relaxation time, in Markov steps.
  double relaxation_time() const { return 1 / state.decay_rates()[0]; }
};

/// Variances along the eigenvectors of H.
struct Directions {
  Eigen::VectorXd curvature;  ///< h, increasing
  Eigen::VectorXd theory;
  ness::Estimate<Eigen::VectorXd> variance;
  Eigen::VectorXd autocorrelation_time;

  /// The part of the directions that agree with theory within `z` standard errors.
  double within(double z) const {
    const auto deviation = (variance.value - theory).array().abs();
    return (deviation <= z * variance.standard_error.array()).cast<double>().mean();
  }
};

/// A way of training in theory: variances along the eigenvectors of H, by increasing h.
struct WayInTheory {
  std::string name, title, color;
  double momentum;
  Eigen::VectorXd variance;
};

/// Several of them side by side, all of the same speed η/(1 − β).
struct WaysInTheory {
  Eigen::VectorXd curvature;  ///< h
  double epoch = 0;           ///< ηn/(1 − β)
  std::vector<WayInTheory> ways;
};

struct Simulation {
  ness::Measurement measured;
  Directions directions;
  std::int64_t burn_in;  ///< parameter updates of each chain
};

/// One way of sampling.
struct Results {
  std::string sampling;
  Prediction predicted;
  std::optional<Simulation> simulated = {};  ///< not of the theory alone
  std::optional<Cumulants> cumulants = {};   ///< of epochs, where asked for
};
