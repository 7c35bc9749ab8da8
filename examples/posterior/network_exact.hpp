// The posterior of the network of Eq. 30 in function space, exactly.
#pragma once

#include <Eigen/Core>
#include <optional>

#include "network.hpp"

namespace network {

/// y = f(x; θ) + noise, of a network 1-2-1 with the prior e^{−λ|θ|²}.
struct Regression {
  Eigen::VectorXd x, y;
  double noise, lambda;
};

/// Mean and standard deviation of f at each of some x: given the hidden weights θ_1 … θ_4 the
/// others are Gaussian, and over these the trapezoidal rule goes, about the minimum `theta` in
/// coordinates where the Gaussian of this Hessian is round. Its images by symmetry have the same f.
/// None where a finer and wider grid says otherwise, by more than 1e-3 deviations. Cost: some 10⁵
/// passes over the data.
std::optional<Band> exact_band(const Regression& regression, const Eigen::VectorXd& theta,
                               const Eigen::MatrixXd& hessian, const Eigen::VectorXd& places);

}  // namespace network
