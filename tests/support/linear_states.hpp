// A linear chain of SGD's kind, and states of one, for tests of what trajectories alone tell.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <ness/dynamics/euler_maruyama.hpp>
#include <ness/stationary/stationary_state.hpp>

#include "support/matrices.hpp"

/// Of N parameters, in steps of η.
inline ness::StationaryState<> chain_of(Eigen::Index n, double eta) {
  return ness::StationaryState<>(
      ness::linear_chain(Eigen::VectorXd::Zero(n).eval(), positive_definite(n, 41, 0.3, 3),
                         positive_definite(n, 42, 0.02, 0.2), eta, ness::LyapunovForm::discrete));
}

/// States of the stationary chain, a state in a row.
inline Eigen::MatrixXd states_of(const ness::StationaryState<>& state, std::int64_t count,
                                 std::uint64_t seed) {
  const ness::LinearSystem<Eigen::MatrixXd> system = state.linear_system();
  ness::EulerMaruyama chain(system, 1, Eigen::VectorXd(state.mean()), ness::Philox(7, seed));
  for (int k = 0; k < 1000; ++k) chain.step();
  Eigen::MatrixXd states(count, state.mean().size());
  for (std::int64_t k = 0; k < count; ++k) {
    chain.step();
    states.row(k) = chain.theta().transpose();
  }
  return states;
}
