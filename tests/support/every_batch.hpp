// The weights that a minibatch policy gives to the samples, enumerated.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "support/every_draw.hpp"

/// Mean and covariance of the weights w_i of the `skip`-th and following batch of a policy, over
/// everything that it may draw: `bounds` are those of its draws up to then. `weight(batch)` is what
/// each sample of a batch counts.
struct EnumeratedWeights {
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;

  template <class Policy, class Weight>
  EnumeratedWeights(const Policy& policy, Eigen::Index samples,
                    const std::vector<std::uint32_t>& bounds, int skip, const Weight& weight)
      : mean(Eigen::VectorXd::Zero(samples)), covariance(Eigen::MatrixXd::Zero(samples, samples)) {
    double draws = 0;
    for_every_draw(bounds, [&](auto& random) {
      typename Policy::Sampler sampler(policy, samples);
      for (int k = 0; k < skip; ++k) sampler.next(random);
      const auto batch = sampler.next(random);
      Eigen::VectorXd w = Eigen::VectorXd::Zero(samples);
      for (const std::uint32_t i : batch) w[i] += weight(batch);
      mean += w;
      covariance += w * w.transpose();
      ++draws;
    });
    mean /= draws;
    covariance = (covariance / draws - mean * mean.transpose()).eval();
  }
};
