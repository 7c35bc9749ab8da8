// The paper's regression network on its built-in data, and its minimum.
#pragma once

#include <ness/landscape/minimize.hpp>
#include <ness/model/regression_network.hpp>

inline const auto& network() {
  static const ness::Objective objective = [] {
    ness::Philox random(5);
    return ness::Objective(ness::regression_network(random), ness::L2{10});
  }();
  return objective;
}

inline const auto& network_minimum() {
  static const auto minimum = [] {
    ness::vector_t<ness::RegressionNetwork> start;
    start << 1.23, 1.28, 0.53, -0.70, 0.91, -0.93, 0.01;
    return ness::minimize(network(), start);
  }();
  return minimum;
}
