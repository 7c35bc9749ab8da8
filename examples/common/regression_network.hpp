// The network of Sec. 4.1, its data, and the minimum that training settles around.
#pragma once

#include <Eigen/Core>
#include <ness/landscape/minimize.hpp>
#include <ness/landscape/objective.hpp>
#include <ness/model/regression_network.hpp>
#include <ness/model/regularizer.hpp>
#include <ness/random/normal.hpp>
#include <ness/random/philox.hpp>

#include "regression_data.hpp"
#include "user_error.hpp"

using Network = ness::RegressionNetwork;
using Objective = ness::Objective<Network, ness::L2>;

/// The network on the user's data, or on the built-in data set. Throws `UserError`.
Network make_network(const DataOptions& options);

/// Of the eight equivalent points (tanh is odd, so either hidden unit's sign may be turned, and the
/// two exchanged), the one with θ5 ≥ θ6 ≥ 0.
Eigen::VectorXd canonical(Eigen::VectorXd theta);

/// The lowest minimum found from several starts, which do not depend on --seed. Throws `UserError`.
/// A template, so that it costs the file alone that calls it.
template <class Objective>
ness::Minimum<> find_minimum(const Objective& objective) {
  constexpr auto converged = ness::MinimumStatus::converged;
  ness::Philox random(7);
  ness::Normal normal;
  ness::Minimum<> best;
  for (int attempt = 0; attempt < 20; ++attempt) {
    Eigen::VectorXd start(objective.parameters());
    normal.fill(random, start);
    const auto minimum = ness::minimize(objective, start);
    if (minimum.status != converged) continue;
    if (best.status != converged || minimum.value < best.value) best = minimum;
  }
  if (best.status != converged)
    throw UserError("no minimum was found from 20 random starts: raise --lambda or check the data");
  return ness::minimize(objective, canonical(best.theta));
}
