// Epochs without replacement, enumerated: every partition of the samples into ordered batches.
#pragma once

#include <algorithm>
#include <ness/landscape/objective.hpp>
#include <ness/model/derivatives.hpp>
#include <vector>

/// Calls `look(t)` once for each assignment t of `samples` samples to n batches of m.
template <class Look>
void for_every_partition(Eigen::Index samples, Eigen::Index m, const Look& look) {
  std::vector<int> batch_of(static_cast<std::size_t>(samples));
  for (std::size_t i = 0; i < batch_of.size(); ++i)
    batch_of[i] = static_cast<int>(i) / static_cast<int>(m);
  do look(batch_of);
  while (std::next_permutation(batch_of.begin(), batch_of.end()));
}

/// The coefficient of η² in where an epoch leads from θ: Σ_{s<t} Q_t G_s, with the gradient G and
/// the Hessian Q of the objective on each batch. Its mean and half its covariance.
struct EpochCoefficient {
  Eigen::VectorXd mean;
  Eigen::MatrixXd half_covariance;

  template <class M, class R>
  EpochCoefficient(const ness::Objective<M, R>& objective, const ness::vector_t<M>& theta,
                   Eigen::Index m) {
    const Eigen::Index size = objective.parameters();
    const Eigen::Index samples = objective.samples();
    const auto n = static_cast<std::size_t>(samples / m);
    ness::Derivatives<M> derivatives(objective.model());
    ness::block_t<M> gradients(size, samples);
    ness::hessians_t<M> hessians(size * size, samples);
    derivatives.sample_gradients(theta, 0, gradients);
    derivatives.sample_hessians(theta, 0, hessians);
    const Eigen::VectorXd x = objective.regularizer_gradient(theta);
    const Eigen::MatrixXd y = objective.regularizer_hessian(theta);

    std::vector<Eigen::VectorXd> found;
    mean.setZero(size);
    for_every_partition(samples, m, [&](const std::vector<int>& batch_of) {
      std::vector<Eigen::VectorXd> g(n, x);
      std::vector<Eigen::MatrixXd> q(n, y);
      for (Eigen::Index i = 0; i < samples; ++i) {
        const auto t = static_cast<std::size_t>(batch_of[static_cast<std::size_t>(i)]);
        g[t] += gradients.col(i) / static_cast<double>(m);
        q[t] += hessians.col(i).reshaped(size, size) / static_cast<double>(m);
      }
      Eigen::VectorXd before = Eigen::VectorXd::Zero(size);
      Eigen::VectorXd sum = Eigen::VectorXd::Zero(size);
      for (std::size_t t = 0; t < n; ++t) {
        sum += q[t] * before;
        before += g[t];
      }
      found.push_back(sum);
      mean += sum;
    });
    const auto count = static_cast<double>(found.size());
    mean /= count;
    half_covariance.setZero(size, size);
    for (const Eigen::VectorXd& sum : found)
      half_covariance += (sum - mean) * (sum - mean).transpose() / (2 * count);
  }
};
