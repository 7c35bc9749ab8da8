// The noise of an epoch, whose batches depend on each other (Sec. 3.2, App. B).
#pragma once

#include <utility>

#include "ness/detail/matrices.hpp"
#include "ness/diffusion/independent_batches.hpp"
#include "ness/diffusion/injected_noise.hpp"
#include "ness/diffusion/sample_curvature.hpp"
#include "ness/minibatch/epoch_moments.hpp"

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

/// product ← y · v for a symmetric Y, which of most regularizers is diagonal.
template <class Matrix, class Block>
void product_with_regularizer(const Matrix& y, const Block& v, Block& product) {
  bool diagonal = true;
  for (Index j = 0; j < y.cols() && diagonal; ++j)
    for (Index i = 0; i < y.rows() && diagonal; ++i) diagonal = i == j || y(i, j) == 0;
  if (diagonal) {
    product = v;
    for (Index j = 0; j < v.cols(); ++j)
      for (Index i = 0; i < v.rows(); ++i) product(i, j) *= y(i, i);
  } else {
    product.noalias() = y * v;
  }
}

/// D̂ with all terms. With V_i, U_i, X, Y of App. B, and
///   P_i = B_i − C_i = n²(H_L V_i − U_i∇L),   Q_i = B_i + C_i = n²(H_L V_i + U_i∇L − 2U_iV_i),
///   W_i = Z_i + (a1/α) P_i,                  α = a0 − ⟨ζ_iζ_j⟩,
/// it is a sum of squares: D̂ = ½η⁴ { α WWᵀ + ⟨ζ_iζ_j⟩ zzᵀ + (½(a2 − a5) − a1²/α) PPᵀ
///   + ½(a2 + a5 − 2a6) QQᵀ + (a3 − 2a2 + a6) F + (a4 − 2a5 + a6) G + a6 ssᵀ }.
template <class M, class R>
class EpochDiffusion {
 public:
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  using Block = block_t<M>;

  EpochDiffusion(const Objective<M, R>& objective, const Vector& theta, Scalar updates,
                 const EpochMoments& moments)
      : objective_(objective),
        theta_(theta),
        samples_(static_cast<Scalar>(objective.samples())),
        n_(updates),
        a_(moments),
        factors_(moments),
        derivatives_(objective.model()),
        curvature_(sample_curvature(objective.model())),
        d_(DynamicMatrix<Scalar>::Zero(theta.size(), theta.size())) {}

  /// 2D̂/(η⁴n²)
  DynamicMatrix<Scalar> sum() {
    sum_gradients();
    h_ = curvature_.hessian(derivatives_, theta_, objective_.samples());
    const Vector x = objective_.regularizer_gradient(theta_);
    const Matrix y = objective_.regularizer_hessian(theta_);
    Vector uv_sum = Vector::Zero(theta_.size());
    for_each_range(objective_.samples(), curvature_.block_size(), [&](Index first, Index count) {
      load(first, count, x);
      add_block(y);
      for (Index j = 0; j < count; ++j) uv_sum += uv_.col(j);
      curvature_.add(v_, vv_);
    });
    const DynamicMatrix<Scalar> s = n_ * (h_ * gradient_ - uv_sum);
    const DynamicMatrix<Scalar> z = y * gradient_ - h_ * x;
    add_outer_products(d_, s, static_cast<Scalar>(a_.a6));
    add_outer_products(d_, z, static_cast<Scalar>(a_.a0_off));
    const Scalar scale = n_ * n_ / (samples_ * samples_);
    d_ += (scale * of_f()) * curvature_.f();
    d_ += (scale * of_g()) * curvature_.g();
    mirror(d_);
    return std::move(d_);
  }

 private:
  Scalar of_f() const { return static_cast<Scalar>(factors_.of_f); }
  Scalar of_g() const { return static_cast<Scalar>(factors_.of_g); }

  // ∇L and VVᵀ
  void sum_gradients() {
    gradient_ = Vector::Zero(theta_.size());
    DynamicMatrix<Scalar> vv = DynamicMatrix<Scalar>::Zero(theta_.size(), theta_.size());
    derivatives_.for_each_gradient_block(theta_, [&](Index, const Block& block) {
      for (Index j = 0; j < block.cols(); ++j) gradient_ += block.col(j);
      add_outer_products(vv, block, 1 / (samples_ * samples_));
    });
    mirror(vv);
    vv_ = vv;
    gradient_ /= samples_;
  }

  // V_i, U_iV_i, ∂∂ℓ_i∇L and ∂∂ℓ_iX of a block of samples.
  void load(Index first, Index count, const Vector& x) {
    v_.resize(theta_.size(), count);
    derivatives_.sample_gradients(theta_, first, v_);
    for (Index k = 0; k < v_.size(); ++k) v_.data()[k] /= samples_;
    curvature_.load(derivatives_, theta_, first, count);
    curvature_.products(v_, uv_);
    curvature_.common_products(gradient_, u_gradient_);
    curvature_.common_products(x, u_x_);
    for (Index k = 0; k < uv_.size(); ++k) uv_.data()[k] /= samples_;
  }

  // Of n²(…) in P and Q and n(…) in Z, one n is left for the end.
  void add_block(const Matrix& y) {
    const auto p_in_w = static_cast<Scalar>(factors_.p_in_w);
    p_.noalias() = h_ * v_;
    product_with_regularizer(y, v_, w_);
    // All of it in one loop: an expression of Eigen for each would take longer to compile than to
    // run.
    q_.resize(v_.rows(), v_.cols());
    for (Index k = 0; k < v_.size(); ++k) {
      const Scalar of_mean = n_ / samples_ * u_gradient_.data()[k];
      const Scalar of_all = n_ * p_.data()[k];
      q_.data()[k] = of_all + of_mean - 2 * n_ * uv_.data()[k];
      p_.data()[k] = of_all - of_mean;
      w_.data()[k] += p_in_w * p_.data()[k] - u_x_.data()[k] / samples_;
    }
    add_outer_products(d_, w_, static_cast<Scalar>(factors_.of_w));
    add_outer_products(d_, p_, static_cast<Scalar>(factors_.of_p));
    add_outer_products(d_, q_, static_cast<Scalar>(factors_.of_q));
    add_outer_products(d_, uv_, -n_ * n_ * (of_f() + of_g()));
  }

  const Objective<M, R>& objective_;
  const Vector& theta_;
  Scalar samples_, n_;
  const EpochMoments& a_;
  EpochFactors factors_;
  Derivatives<M> derivatives_;
  decltype(sample_curvature(std::declval<const M&>())) curvature_;
  DynamicMatrix<Scalar> d_;
  Vector gradient_;
  Matrix vv_, h_;
  Block v_, uv_, p_, q_, w_, u_gradient_, u_x_;
};

/// Σ_i B_iB_iᵀ/n⁴, B_i = n²(H_L V_i − U_i V_i) (B21).
template <class M, class R>
DynamicMatrix<scalar_t<M>> leading_diffusion_of_epoch(const Objective<M, R>& objective,
                                                      const vector_t<M>& theta) {
  using Scalar = scalar_t<M>;
  using Block = block_t<M>;
  const Index size = objective.parameters();
  const auto samples = static_cast<Scalar>(objective.samples());
  Derivatives<M> derivatives(objective.model());
  matrix_t<M> h(size, size);
  derivatives.hessian(theta, h);
  DynamicMatrix<Scalar> d = DynamicMatrix<Scalar>::Zero(size, size);
  Block b, products;
  derivatives.for_each_gradient_block(theta, [&](Index first, const Block& g) {
    products.resize(size, g.cols());
    derivatives.sample_hessian_products(theta, first, g, products);
    b.noalias() = h * g;
    for (Index k = 0; k < b.size(); ++k) b.data()[k] -= products.data()[k] / samples;
    add_outer_products(d, b, 1 / (samples * samples));
  });
  mirror(d);
  return d;
}

/// A B A of symmetric matrices.
template <class Scalar>
DynamicMatrix<Scalar> sandwich(const DynamicMatrix<Scalar>& a, const DynamicMatrix<Scalar>& b) {
  return symmetric_product(a, product(b, a));
}

}  // namespace detail

/// D̂ = ½⟨ξ̂ξ̂ᵀ⟩, in samplers + ηnI (D'' of Eq. 38), N × N per epoch: half the covariance of where an
/// epoch without replacement leads from θ, to leading order in ηn‖H‖ (B18, with the exact moments
/// where the paper's are not).
///
/// `level` names the approximations and the formula as printed. The regularizer enters through
/// Z = n(YV − [U_iX]).
///
/// Cost: `exact` and `printed` take two passes of sample gradients, the Hessian of every sample and
/// six products of N × N with N × M; for a model with `HasKroneckerCurvature` instead of the sample
/// Hessians a product of N × M with M × F²/2. Memory O(N³), with that structure O(N² + N F²). The
/// others take one or two passes and O(N² + N·256). Never anything of size M. Throws
/// `std::invalid_argument` for a bad θ or η, or an m that does not divide M.
template <class M, class R, class Theta, DrawsOrders T>
  requires(!ShakingNoise<typename T::Noise>)
DynamicMatrix<scalar_t<M>> diffusion(const Objective<M, R>& objective,
                                     const Eigen::MatrixBase<Theta>& theta, const T& training,
                                     EpochNoise level = EpochNoise::exact) {
  using Scalar = scalar_t<M>;
  using Matrix = DynamicMatrix<Scalar>;
  static_assert(TwiceDifferentiable<M>,
                "ness: the noise of an epoch needs second derivatives of single samples: make "
                "sample_loss generic, or give your Model `sample_hessian_products`");
  const vector_t<M> at = objective.point(theta, "diffusion");
  training.check(objective.samples(), "diffusion");
  const Index updates = training.updates_per_markov_step(objective.samples());
  const auto n = static_cast<Scalar>(updates);
  const Scalar epoch = static_cast<Scalar>(training.learning_rate) * n;  // ηn
  const EpochMoments moments = training.minibatch.order_moments(objective.samples());
  Matrix d = Matrix::Zero(at.size(), at.size());
  if (updates > 1) {
    switch (level) {
      case EpochNoise::exact:
      case EpochNoise::printed: {
        const EpochMoments a =
            level == EpochNoise::exact ? moments : moments.printed(objective.samples(), updates);
        d = detail::EpochDiffusion<M, R>(objective, at, n, a).sum();
        d *= epoch * epoch * epoch * epoch / (2 * n * n);
        break;
      }
      case EpochNoise::leading:
        d = detail::leading_diffusion_of_epoch(objective, at);
        d *= epoch * epoch * epoch * epoch * static_cast<Scalar>(moments.a2) / 2;
        break;
      case EpochNoise::curvature: {
        // VVᵀ = (1/M²) Σ_i (∇ℓ_i − ∇L)(∇ℓ_i − ∇L)ᵀ + (1/M) ∇L∇Lᵀ
        const detail::GradientScatter<M> gradients(objective.model(), at);
        const auto samples = static_cast<Scalar>(objective.samples());
        Matrix vv = gradients.scatter / (samples * samples);
        vv += gradients.mean * gradients.mean.transpose() / samples;
        d = detail::sandwich(Matrix(objective.hessian(at)), vv);
        d *= epoch * epoch * epoch * epoch / 24;
        break;
      }
      case EpochNoise::step_noise:
        d = detail::sandwich(Matrix(objective.hessian(at)),
                             update_diffusion(objective, at, training));
        d *= epoch * epoch * n / 12;
        break;
    }
  }
  add_injected_diffusion(training, objective.samples(), d);
  return d;
}

}  // namespace ness
