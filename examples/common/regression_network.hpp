// The network of Sec. 4.1, its data, and the minimum that training settles around.
#pragma once

#include <ness/ness.hpp>
#include <string>
#include <utility>

#include "regression_data.hpp"

using Network = ness::RegressionNetwork;
using Objective = ness::Objective<Network, ness::L2>;
using Theta = ness::vector_t<Network>;
using Matrix = ness::matrix_t<Network>;
using Minimum = ness::Minimum<Theta, Matrix>;

/// The network on the user's data, or on the built-in data set. Throws `UserError`.
inline Network make_network(const DataOptions& options) {
  const RegressionData data = regression_data(options);
  return Network(data.x.transpose(), data.y.transpose(), {}, ness::regression_loss(data.x.size()));
}

/// Of the eight equivalent minima (tanh is odd, so either hidden unit's sign may be turned, and the
/// two exchanged), the one with θ5 ≥ θ6 ≥ 0.
inline Theta canonical(Theta theta) {
  for (int unit = 0; unit < 2; ++unit)
    if (theta[4 + unit] < 0)
      for (int first : {0, 2, 4}) theta[first + unit] = -theta[first + unit];
  if (theta[4] < theta[5])
    for (int first : {0, 2, 4}) std::swap(theta[first], theta[first + 1]);
  return theta;
}

/// The lowest minimum found from several starts, which do not depend on --seed.
inline Minimum find_minimum(const Objective& objective) {
  ness::Philox random(7);
  ness::Normal normal;
  Minimum best;
  for (int attempt = 0; attempt < 20; ++attempt) {
    Theta start;
    normal.fill(random, start);
    const Minimum minimum = ness::minimize(objective, start);
    if (minimum.status != ness::MinimumStatus::converged) continue;
    if (best.status != ness::MinimumStatus::converged || minimum.value < best.value) best = minimum;
  }
  if (best.status != ness::MinimumStatus::converged)
    throw UserError("no minimum was found from 20 random starts: raise --lambda or check the data");
  return ness::minimize(objective, canonical(best.theta));
}
