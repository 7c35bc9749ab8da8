// The paper's nonlinear regression example (Sec. 4.1, Eq. 30): network and data.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <utility>

#include "ness/model/mlp.hpp"
#include "ness/random/normal.hpp"

namespace ness {

/// f(x; θ) = θ5 tanh(θ1 x + θ3) + θ6 tanh(θ2 x + θ4) + θ7 (Eq. 30): seven parameters at static
/// size.
using RegressionNetwork = Mlp<Layers<1, 2, 1>>;

/// The standard deviation ε of the noise in the data (Sec. 4.1).
inline constexpr double regression_noise = 0.1;

/// ℓ = (M/2ε²)(y − f)² (Sec. 4.1), for M samples.
inline SquaredLoss regression_loss(Index samples) {
  return {static_cast<double>(samples) / (2 * regression_noise * regression_noise)};
}

/// M = 200 points x_i = −3 + 0.03 (i − 1), y_i = exp(−x_i²) + ε · normal (Sec. 4.1).
template <RandomBits Random, class Network = RegressionNetwork>
Network regression_network(Random& random) {
  constexpr Index samples = 200;
  Normal normal;
  typename Network::Data x(1, samples);
  typename Network::Data y(1, samples);
  for (Index i = 0; i < samples; ++i) {
    x(0, i) = -3 + 0.03 * static_cast<double>(i);
    y(0, i) = std::exp(-x(0, i) * x(0, i)) + regression_noise * normal(random);
  }
  return Network(std::move(x), std::move(y), {}, regression_loss(samples));
}

}  // namespace ness
