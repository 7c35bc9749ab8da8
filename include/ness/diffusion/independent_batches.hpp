// The noise of minibatches that are drawn independently of each other (Sec. 3.1, App. A).
#pragma once

#include <cmath>

#include "ness/detail/matrices.hpp"
#include "ness/diffusion/injected_noise.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/training/training.hpp"

namespace ness {

namespace detail {

/// Σ_i (∇ℓ_i − ∇L)(∇ℓ_i − ∇L)ᵀ, and ∇L. One pass in blocks; the mean of the first block stands in
/// for ∇L until it is known, so that nothing is lost to cancellation far from a minimum.
template <class M>
struct GradientScatter {
  using Scalar = scalar_t<M>;
  DynamicMatrix<Scalar> scatter;  ///< N × N
  DynamicVector<Scalar> mean;     ///< ∇L, N

  GradientScatter(const M& model, const vector_t<M>& theta) {
    const Index n = model.parameters();
    const auto samples = static_cast<Scalar>(model.samples());
    scatter.setZero(n, n);
    vector_t<M> shift = vector_t<M>::Zero(n);
    vector_t<M> sum = shift;  // of what is beyond it
    Derivatives<M>(model).for_each_gradient_block(theta, [&](Index first, auto& block) {
      if (first == 0) {
        for (Index j = 0; j < block.cols(); ++j) shift += block.col(j);
        shift /= static_cast<Scalar>(block.cols());
      }
      for (Index j = 0; j < block.cols(); ++j) {
        block.col(j) -= shift;
        sum += block.col(j);
      }
      add_outer_products(scatter, block);
    });
    const DynamicMatrix<Scalar> column = sum;
    add_outer_products(scatter, column, Scalar(-1) / samples);
    mirror(scatter);
    sum /= samples;
    mean = shift;
    mean += sum;
  }
};

/// Σ_i weight_i (scale_i ∇ℓ_i − c)(…)ᵀ, c the mean of the group of i. Two passes in blocks.
template <class M>
DynamicMatrix<scalar_t<M>> scatter_in_groups(const M& model, const vector_t<M>& theta,
                                             const SampleMoments& moments) {
  using Scalar = scalar_t<M>;
  const Index n = model.parameters();
  Derivatives<M> derivatives(model);
  DynamicMatrix<Scalar> means = DynamicMatrix<Scalar>::Zero(n, moments.groups);
  DynamicVector<double> total = DynamicVector<double>::Zero(moments.groups);
  const auto group_of = [&](Index i) {
    return static_cast<Index>(moments.group[static_cast<std::size_t>(i)]);
  };
  derivatives.for_each_gradient_block(theta, [&](Index first, auto& block) {
    for (Index j = 0; j < block.cols(); ++j) {
      const double weight = moments.weight[first + j];
      total[group_of(first + j)] += weight;
      means.col(group_of(first + j)) +=
          static_cast<Scalar>(weight * moments.scale[first + j]) * block.col(j);
    }
  });
  for (Index s = 0; s < moments.groups; ++s)
    if (total[s] > 0) means.col(s) /= static_cast<Scalar>(total[s]);
  DynamicMatrix<Scalar> scatter = DynamicMatrix<Scalar>::Zero(n, n);
  derivatives.for_each_gradient_block(theta, [&](Index first, auto& block) {
    for (Index j = 0; j < block.cols(); ++j) {
      block.col(j) *= static_cast<Scalar>(moments.scale[first + j]);
      block.col(j) -= means.col(group_of(first + j));
      block.col(j) *= static_cast<Scalar>(std::sqrt(moments.weight[first + j]));
    }
    add_outer_products(scatter, block);
  });
  mirror(scatter);
  return scatter;
}

}  // namespace detail

/// D of a single update, ½η² times the covariance of a batch gradient, from the moments of the
/// weights that the minibatch policy states; N × N, per update. It does not contain R.
///
/// Of m distinct samples it is D = η²(n−1)/(2(M−1)) [M VVᵀ − ∇L∇Lᵀ] (Eq. 14, A10), n = M/m: exact,
/// in the form without cancellation, η²(n−1)/(2M(M−1)) Σ_i (∇ℓ_i − ∇L)(∇ℓ_i − ∇L)ᵀ. m need not
/// divide M. Where samples are preferred it is ½η² times what `SampleMoments` has. Within an epoch
/// it is the noise of each update, which adds up to 0 at the end.
///
/// Cost: one pass of sample gradients and a symmetric rank-M product; memory O(N² + N·256). Throws
/// `std::invalid_argument` for a bad θ or settings that do not fit.
template <class M, class R, class Theta, IsTraining T>
DynamicMatrix<scalar_t<M>> update_diffusion(const Objective<M, R>& objective,
                                            const Eigen::MatrixBase<Theta>& theta,
                                            const T& training) {
  using Scalar = scalar_t<M>;
  const vector_t<M> at = objective.point(theta, "diffusion");
  training.check(objective.samples(), "diffusion");
  const double half = training.learning_rate * training.learning_rate / 2;
  if constexpr (StatesSampleMoments<typename T::Minibatch>) {
    auto d = detail::scatter_in_groups(objective.model(), at,
                                       training.minibatch.sample_moments(objective.samples()));
    d *= static_cast<Scalar>(half);
    return d;
  } else {
    const WeightMoments weights = training.minibatch.weight_moments(objective.samples());
    if (weights.vanish()) return DynamicMatrix<Scalar>::Zero(at.size(), at.size());
    const auto samples = static_cast<double>(objective.samples());
    detail::GradientScatter<M> gradients(objective.model(), at);
    gradients.scatter *= static_cast<Scalar>(half * weights.scatter);
    const auto of_mean = static_cast<Scalar>(half * weights.total * samples * samples);
    for (Index j = 0; weights.total > 0 && j < at.size(); ++j)
      for (Index i = 0; i < at.size(); ++i)
        gradients.scatter(i, j) += of_mean * gradients.mean[i] * gradients.mean[j];
    return std::move(gradients.scatter);
  }
}

/// D = ½⟨ξξᵀ⟩ of independent batches, and of the noise that is injected: `update_diffusion`, in
/// samplers + ηI (D' of Eq. 37); N × N, per update. Cost and errors are those of it.
template <class M, class R, class Theta, DrawsIndependently T>
  requires(!ShakingNoise<typename T::Noise>)
DynamicMatrix<scalar_t<M>> diffusion(const Objective<M, R>& objective,
                                     const Eigen::MatrixBase<Theta>& theta, const T& training) {
  DynamicMatrix<scalar_t<M>> d = update_diffusion(objective, theta, training);
  add_injected_diffusion(training, objective.samples(), d);
  return d;
}

}  // namespace ness
