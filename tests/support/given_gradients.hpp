// A model whose sample gradients are given numbers: ℓ_i(θ) = g_i · θ.
#pragma once

#include <ness/model/concepts.hpp>

struct GivenGradients {
  Eigen::MatrixXd gradients;  // N × M

  Eigen::Index parameters() const { return gradients.rows(); }
  Eigen::Index samples() const { return gradients.cols(); }
  double sample_loss(const Eigen::VectorXd& theta, Eigen::Index i) const {
    return gradients.col(i).dot(theta);
  }
  void sample_gradients(const Eigen::VectorXd&, Eigen::Index first, Eigen::MatrixXd& block) const {
    block = gradients.middleCols(first, block.cols());
  }
};
