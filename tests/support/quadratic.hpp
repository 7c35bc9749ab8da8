// Losses quadratic in θ with given gradients and Hessians: every U, V, X and Y of Appendix B.
#pragma once

#include <ness/landscape/objective.hpp>

#include "support/generic_values.hpp"

/// ½ θᵀAθ + bᵀθ, for plain and for dual numbers.
template <class Vector>
auto quadratic_form(const Eigen::MatrixXd& a, const Eigen::VectorXd& b, const Vector& theta) {
  typename Vector::Scalar sum(0);
  for (Eigen::Index j = 0; j < b.size(); ++j) {
    sum += b[j] * theta[j];
    for (Eigen::Index k = 0; k < b.size(); ++k) sum += 0.5 * a(j, k) * theta[j] * theta[k];
  }
  return sum;
}

inline Eigen::MatrixXd symmetric(Eigen::Index n, std::uint64_t seed) {
  const Eigen::MatrixXd a = generic_values(n, n, seed);
  return a + a.transpose();
}

/// ℓ_i = ½ θᵀA_iθ + b_iᵀθ
struct QuadraticLosses {
  std::vector<Eigen::MatrixXd> curvature;
  Eigen::MatrixXd slope;

  QuadraticLosses(Eigen::Index parameters, Eigen::Index samples, std::uint64_t seed)
      : slope(generic_values(parameters, samples, seed)) {
    for (Eigen::Index i = 0; i < samples; ++i)
      curvature.push_back(symmetric(parameters, seed + 100 + static_cast<std::uint64_t>(i)));
  }
  Eigen::Index parameters() const { return slope.rows(); }
  Eigen::Index samples() const { return slope.cols(); }
  template <class Vector>
  auto sample_loss(const Vector& theta, Eigen::Index i) const {
    return quadratic_form(curvature[static_cast<std::size_t>(i)], slope.col(i), theta);
  }
};

/// R = ½ θᵀYθ + bᵀθ, not diagonal
struct QuadraticRegularizer {
  Eigen::MatrixXd curvature;
  Eigen::VectorXd slope;

  template <class Vector>
  auto value(const Vector& theta) const {
    return quadratic_form(curvature, slope, theta);
  }
};
