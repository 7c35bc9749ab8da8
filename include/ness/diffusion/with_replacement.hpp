// The noise of minibatches drawn with replacement (Sec. 3.1, App. A).
#pragma once

#include "ness/detail/outer_products.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/minibatch/full_batch.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/training/training.hpp"

namespace ness {

namespace detail {

/// Σ_i (∇ℓ_i − ḡ)(∇ℓ_i − ḡ)ᵀ where `centred`, Σ_i ∇ℓ_i ∇ℓ_iᵀ where not. One pass in blocks; the
/// mean of the first block stands in for ḡ until ḡ is known, so that nothing is lost to
/// cancellation far from a minimum.
template <class M>
matrix_t<M> gradient_scatter(const M& model, const vector_t<M>& theta, bool centred) {
  using Scalar = scalar_t<M>;
  const Index n = model.parameters();
  matrix_t<M> scatter = matrix_t<M>::Zero(n, n);
  vector_t<M> shift = vector_t<M>::Zero(n);
  vector_t<M> sum = vector_t<M>::Zero(n);
  Derivatives<M>(model).for_each_gradient_block(theta, [&](Index first, auto& block) {
    if (centred) {
      if (first == 0) shift = block.rowwise().mean();
      block.colwise() -= shift;
      sum += block.rowwise().sum();
    }
    add_outer_products(scatter, block);
  });
  add_outer_products(scatter, sum, Scalar(-1) / static_cast<Scalar>(model.samples()));
  mirror(scatter);
  return scatter;
}

}  // namespace detail

/// D = η²(n−1)/(2(M−1)) [M VVᵀ − ∇L∇Lᵀ] (Eq. 14, A10), n = M/m: exact for the noise of one WR step
/// at θ, D = ½⟨ξξᵀ⟩. N × N, per step. It does not contain R.
///
/// Cost: one pass of sample gradients and a symmetric rank-M product; memory O(N² + N·256). m need
/// not divide M. Throws `std::invalid_argument` for a bad θ, η or m.
template <class M, class R>
matrix_t<M> diffusion(const Objective<M, R>& objective, const vector_t<M>& theta,
                      const Sgd<WithReplacement>& training) {
  using Scalar = scalar_t<M>;
  objective.check(theta, "diffusion");
  training.check(objective.samples(), "diffusion");
  const auto samples = static_cast<Scalar>(objective.samples());
  const auto batch = static_cast<Scalar>(training.minibatch.batch_size);
  const auto eta = static_cast<Scalar>(training.learning_rate);
  if (samples == batch) return matrix_t<M>::Zero(theta.size(), theta.size());
  // [M VVᵀ − ∇L∇Lᵀ] = (1/M) Σ_i (∇ℓ_i − ∇L)(∇ℓ_i − ∇L)ᵀ, which is the form without cancellation.
  const Scalar factor = eta * eta * (samples / batch - 1) / (2 * (samples - 1) * samples);
  return factor * detail::gradient_scatter(objective.model(), theta, true);
}

/// D ≈ ½ η² n VVᵀ: the limit M, n ≫ 1 of Eq. 14, for comparison with the literature. Use
/// `diffusion`.
template <class M, class R>
matrix_t<M> diffusion_limit(const Objective<M, R>& objective, const vector_t<M>& theta,
                            const Sgd<WithReplacement>& training) {
  using Scalar = scalar_t<M>;
  objective.check(theta, "diffusion_limit");
  training.check(objective.samples(), "diffusion_limit");
  const auto samples = static_cast<Scalar>(objective.samples());
  const auto batch = static_cast<Scalar>(training.minibatch.batch_size);
  const auto eta = static_cast<Scalar>(training.learning_rate);
  return eta * eta / (2 * batch * samples) *
         detail::gradient_scatter(objective.model(), theta, false);
}

/// V_αi = (1/M) ∂_α ℓ_i (A9), N × M: memory for all samples at once, so only for small problems.
template <class M, class R>
block_t<M> scaled_gradients(const Objective<M, R>& objective, const vector_t<M>& theta) {
  objective.check(theta, "scaled_gradients");
  block_t<M> v(objective.parameters(), objective.samples());
  Derivatives<M>(objective.model()).for_each_gradient_block(theta, [&](Index first, const auto& g) {
    v.middleCols(first, g.cols()) = g / static_cast<scalar_t<M>>(objective.samples());
  });
  return v;
}

/// D = 0: all samples in every step make no noise.
template <class M, class R>
matrix_t<M> diffusion(const Objective<M, R>& objective, const vector_t<M>& theta,
                      const Sgd<FullBatch>& training) {
  objective.check(theta, "diffusion");
  training.check(objective.samples(), "diffusion");
  return matrix_t<M>::Zero(theta.size(), theta.size());
}

}  // namespace ness
