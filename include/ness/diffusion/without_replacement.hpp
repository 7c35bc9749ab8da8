// The noise of an epoch without replacement (Sec. 3.2, App. B).
#pragma once

#include "ness/detail/outer_products.hpp"
#include "ness/diffusion/sample_curvature.hpp"
#include "ness/diffusion/with_replacement.hpp"
#include "ness/minibatch/epoch_moments.hpp"
#include "ness/minibatch/without_replacement.hpp"

namespace ness {

/// How much of Appendix B is kept in D̂. All of them are of leading order in ηn‖H‖.
enum class EpochNoise {
  exact,      ///< all terms, with the exact moments of a random partition
  printed,    ///< all terms of B18, with the moments that the paper prints
  leading,    ///< ½η⁴ a2 BBᵀ (B21)
  curvature,  ///< ((ηn)⁴/24) H VVᵀ H (Eq. 18, first form)
  step_noise  ///< (η²n³/12) H D H, D of a step with replacement (Eq. 18, second form)
};

namespace detail {

/// y · v for a symmetric Y, which of most regularizers is diagonal.
template <class Matrix, class Block>
void product_with_regularizer(const Matrix& y, const Block& v, Block& product) {
  if (y.isDiagonal(0))
    product = y.diagonal().asDiagonal() * v;
  else
    product.noalias() = y * v;
}

/// D̂ with all terms. With V_i, U_i, X, Y of App. B, and
///   P_i = B_i − C_i = n²(H_L V_i − U_i∇L),   Q_i = B_i + C_i = n²(H_L V_i + U_i∇L − 2U_iV_i),
///   W_i = Z_i + (a1/α) P_i,                  α = a0 − ⟨ζ_iζ_j⟩,
/// it is a sum of squares: D̂ = ½η⁴ { α WWᵀ + ⟨ζ_iζ_j⟩ zzᵀ + (½(a2 − a5) − a1²/α) PPᵀ
///   + ½(a2 + a5 − 2a6) QQᵀ + (a3 − 2a2 + a6) F + (a4 − 2a5 + a6) G + a6 ssᵀ }.
template <class M, class R>
matrix_t<M> diffusion_of_epoch(const Objective<M, R>& objective, const vector_t<M>& theta,
                               double learning_rate, Index batch_size, const EpochMoments& a) {
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  using Block = block_t<M>;
  const Index size = objective.parameters();
  const auto samples = static_cast<Scalar>(objective.samples());
  const Scalar n = samples / static_cast<Scalar>(batch_size);
  Derivatives<M> derivatives(objective.model());

  Vector gradient = Vector::Zero(size);  // ∇L
  Matrix vv = Matrix::Zero(size, size);
  derivatives.for_each_gradient_block(theta, [&](Index, const Block& block) {
    gradient += block.rowwise().sum() / samples;
    add_outer_products(vv, block, 1 / (samples * samples));
  });
  mirror(vv);
  const Vector x = objective.regularizer_gradient(theta);
  const Matrix y = objective.regularizer_hessian(theta);
  auto curvature = sample_curvature(objective.model());
  const Matrix h = curvature.hessian(derivatives, theta, objective.samples());

  const double alpha = a.a0 - a.a0_off;
  const auto of_p = static_cast<Scalar>((a.a2 - a.a5) / 2 - a.a1 * a.a1 / alpha);
  const auto of_q = static_cast<Scalar>((a.a2 + a.a5 - 2 * a.a6) / 2);
  const auto of_f = static_cast<Scalar>(a.a3 - 2 * a.a2 + a.a6);
  const auto of_g = static_cast<Scalar>(a.a4 - 2 * a.a5 + a.a6);
  const auto p_in_w = static_cast<Scalar>(a.a1 / alpha);

  Matrix d = Matrix::Zero(size, size);
  Vector uv_sum = Vector::Zero(size);
  Block v, uv, p, q, w, u_gradient, u_x;
  for_each_range(objective.samples(), curvature.block_size(), [&](Index first, Index count) {
    v.resize(size, count);
    derivatives.sample_gradients(theta, first, v);
    v /= samples;
    curvature.load(derivatives, theta, first, count);
    curvature.products(v, uv);
    curvature.common_products(gradient, u_gradient);
    curvature.common_products(x, u_x);
    uv /= samples;
    // Of n²(…) in P and Q and n(…) in Z, one n is left for the end.
    p.noalias() = (n * h) * v;
    q = p + (n / samples) * u_gradient - (2 * n) * uv;
    p -= (n / samples) * u_gradient;
    product_with_regularizer(y, v, w);
    w += p_in_w * p - u_x / samples;
    add_outer_products(d, w, static_cast<Scalar>(alpha));
    add_outer_products(d, p, of_p);
    add_outer_products(d, q, of_q);
    add_outer_products(d, uv, -n * n * (of_f + of_g));
    uv_sum += uv.rowwise().sum();
    curvature.add(v, vv);
  });
  const Vector s = n * (h * gradient - uv_sum);
  const Vector z = y * gradient - h * x;
  add_outer_products(d, s, static_cast<Scalar>(a.a6));
  add_outer_products(d, z, static_cast<Scalar>(a.a0_off));
  const Scalar scale = n * n / (samples * samples);
  d += scale * (of_f * curvature.f() + of_g * curvature.g());
  mirror(d);
  const auto eta = static_cast<Scalar>(learning_rate);
  return eta * eta * eta * eta * n * n / 2 * d;
}

/// ½η⁴ a2 BBᵀ, B_i = n²(H_L V_i − U_i V_i) (B21).
template <class M, class R>
matrix_t<M> leading_diffusion_of_epoch(const Objective<M, R>& objective, const vector_t<M>& theta,
                                       double learning_rate, Index batch_size, double a2) {
  using Scalar = scalar_t<M>;
  using Block = block_t<M>;
  const Index size = objective.parameters();
  const auto samples = static_cast<Scalar>(objective.samples());
  Derivatives<M> derivatives(objective.model());
  matrix_t<M> h(size, size);
  derivatives.hessian(theta, h);
  matrix_t<M> d = matrix_t<M>::Zero(size, size);
  Block b, products;
  derivatives.for_each_gradient_block(theta, [&](Index first, const Block& g) {
    products.resize(size, g.cols());
    derivatives.sample_hessian_products(theta, first, g, products);
    b.noalias() = h * g;
    b -= products / samples;
    add_outer_products(d, b, 1 / (samples * samples));
  });
  mirror(d);
  const Scalar scale =
      static_cast<Scalar>(learning_rate) * samples / static_cast<Scalar>(batch_size);
  return scale * scale * scale * scale * static_cast<Scalar>(a2) / 2 * d;
}

}  // namespace detail

/// D̂ = ½⟨ξ̂ξ̂ᵀ⟩, N × N per epoch: half the covariance of where an epoch without replacement leads
/// from θ, to leading order in ηn‖H‖ (B18, with the exact moments where the paper's are not).
///
/// `level` names the approximations and the formula as printed. The regularizer enters through
/// Z = n(YV − [U_iX]).
///
/// Cost: `exact` and `printed` take two passes of sample gradients, the Hessian of every sample and
/// six products of N × N with N × M; for a model with `HasKroneckerCurvature` instead of the sample
/// Hessians a product of N × M with M × F²/2. Memory O(N³), with that structure O(N² + N F²). The
/// others take one or two passes and O(N² + N·256). Never anything of size M. Throws
/// `std::invalid_argument` for a bad θ or η, or an m that does not divide M.
template <class M, class R>
matrix_t<M> diffusion(const Objective<M, R>& objective, const vector_t<M>& theta,
                      const Sgd<WithoutReplacement>& training,
                      EpochNoise level = EpochNoise::exact) {
  using Scalar = scalar_t<M>;
  using Matrix = matrix_t<M>;
  static_assert(TwiceDifferentiable<M>,
                "ness: the noise of an epoch needs second derivatives of single samples: make "
                "sample_loss generic, or give your Model `sample_hessian_products`");
  objective.check(theta, "diffusion");
  training.check(objective.samples(), "diffusion");
  const Index samples = objective.samples();
  const Index m = training.minibatch.batch_size;
  const double eta = training.learning_rate;
  if (samples == m) return Matrix::Zero(theta.size(), theta.size());
  const Scalar epoch = static_cast<Scalar>(eta) * static_cast<Scalar>(samples / m);
  switch (level) {
    case EpochNoise::exact:
      return detail::diffusion_of_epoch(objective, theta, eta, m, EpochMoments::exact(samples, m));
    case EpochNoise::printed:
      return detail::diffusion_of_epoch(objective, theta, eta, m,
                                        EpochMoments::printed(samples, m));
    case EpochNoise::leading:
      return detail::leading_diffusion_of_epoch(objective, theta, eta, m,
                                                EpochMoments::exact(samples, m).a2);
    case EpochNoise::curvature: {
      const auto count = static_cast<Scalar>(samples);
      const Matrix h = objective.hessian(theta) * (epoch * epoch / count);
      return h * detail::gradient_scatter(objective.model(), theta, false) * h / 24;
    }
    case EpochNoise::step_noise: {
      const Matrix h = objective.hessian(theta);
      const Sgd<WithReplacement> step{.learning_rate = eta, .minibatch = {m}};
      return epoch * epoch * static_cast<Scalar>(samples / m) / 12 * h *
             diffusion(objective, theta, step) * h;
    }
  }
  detail::invalid("diffusion", "unknown level of EpochNoise: ", static_cast<int>(level));
}

}  // namespace ness
