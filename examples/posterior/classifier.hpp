// A real posterior: multinomial logistic regression on digits (softmax cross-entropy, Gaussian
// prior), drawn from by several samplers at equal cost.
//
// Its curvatures are four decades apart, so all samplers run in the coordinates w = H₀^½(θ − θ₀) of
// Laplace's approximation, where all directions relax in about 1/η updates: in those of θ none
// would get anywhere in 10⁴ epochs.
#pragma once

#include <Eigen/Core>
#include <ness/landscape/minimize.hpp>
#include <ness/statistics/estimate.hpp>
#include <string>
#include <vector>

#include "../common/calibration.hpp"
#include "options.hpp"

namespace classifier {

/// What a sampler drew. Moments are those of w.
struct Draws {
  std::string key, title;
  double learning_rate = 0;
  double gradient_evaluations = 0;  ///< of single samples, all chains, with what was burnt in
  double effective_samples = 0;     ///< of the median direction
  ness::Estimate<Eigen::VectorXd> mean, variance;
  PredictionQuality quality;
};

struct Results {
  ness::Minimum<> minimum;
  Eigen::Index samples;
  Draws reference;
  std::vector<Draws> samplers;
  PredictionQuality point, laplace;  ///< of θ₀ alone, and of N(θ₀, H₀⁻¹)
};

/// With progress bars. Throws `UserError`.
Results study(const ClassifierOptions& options, const RunOptions& run);

}  // namespace classifier
