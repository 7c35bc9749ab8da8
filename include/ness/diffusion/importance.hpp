// Which samples to prefer (P. Zhao and T. Zhang, 2015, arXiv 1401.2753).
#pragma once

#include <numeric>
#include <vector>

#include "ness/landscape/objective.hpp"

namespace ness {

/// Rates in proportion to ‖∇ℓ_i(θ)‖, mixed with the same rate for all: (1 − floor)‖∇ℓ_i‖/Σ‖∇ℓ_j‖ +
/// floor/M. Without a floor they make the trace of D least at θ, and samples that fit exactly there
/// would never be drawn. Cost: a pass of sample gradients. Throws `std::invalid_argument` unless 0
/// < floor ≤ 1.
template <class M, class R, class Theta>
std::vector<double> importance_of_gradients(const Objective<M, R>& objective,
                                            const Eigen::MatrixBase<Theta>& theta,
                                            double floor = 0.1) {
  const vector_t<M> at = objective.point(theta, "importance_of_gradients");
  detail::require(floor > 0 && floor <= 1, "importance_of_gradients", "floor must be in (0, 1]",
                  floor);
  std::vector<double> rates;
  Derivatives<M>(objective.model()).for_each_gradient_block(at, [&](Index, const auto& block) {
    for (Index j = 0; j < block.cols(); ++j)
      rates.push_back(static_cast<double>(block.col(j).norm()));
  });
  const double sum = std::accumulate(rates.begin(), rates.end(), 0.);
  const double share = 1 / static_cast<double>(rates.size());
  for (double& rate : rates) rate = sum > 0 ? (1 - floor) * rate / sum + floor * share : share;
  return rates;
}

}  // namespace ness
