// All sample gradients at once, which the library never holds: what the formulas of App. A are
// written in.
#pragma once

#include <ness/landscape/objective.hpp>

/// V = (∇ℓ_1, …, ∇ℓ_M)/M, N × M.
template <class M, class R, class Theta>
Eigen::MatrixXd scaled_gradients(const ness::Objective<M, R>& objective, const Theta& theta) {
  ness::block_t<M> gradients(objective.parameters(), objective.samples());
  ness::Derivatives<M>(objective.model()).sample_gradients(theta, 0, gradients);
  return gradients / static_cast<double>(objective.samples());
}
