// From one stationary state to the next: a change of the learning rate, of the batches or of the
// loss, and the identity of Hatano and Sasa (not in the paper).
#pragma once

#include <cstdint>

#include "ness/detail/matrices.hpp"
#include "ness/stationary/relaxation.hpp"
#include "ness/stationary/stationary_state.hpp"

namespace ness {

/// Mean and covariance `steps` Markov steps of `to` after the chain was in the stationary state
/// `from`:
///   Σ_t = A^tΣ₁A^tᵀ + Σ₂ − A^tΣ₂A^tᵀ,  ⟨θ⟩_t = ⟨θ⟩₂ + A^t(⟨θ⟩₁ − ⟨θ⟩₂),  A of `to`.
///
///   const auto [mean, covariance] = ness::ensemble_after(large_steps, small_steps, 100);
///
/// Cost and errors: those of `Relaxation`. With a memory it throws `std::invalid_argument`: what
/// the buffer holds at the change is not part of a state of θ.
template <class Scalar>
Ensemble<Scalar> ensemble_after(const StationaryState<Scalar>& from,
                                const StationaryState<Scalar>& to, double steps);

/// After how many Markov steps of `to` the covariance is that of `to` within a fraction: the least
/// t with |A^t(Σ₁ − Σ₂)A^tᵀ| ≤ `fraction` · |Σ₂| in Frobenius norm, which only falls with t; about
/// log(1/fraction)/2x of the slowest direction. Nothing is had as a difference of late states.
/// Cost: one eigendecomposition, and O(N² log t). Throws `std::invalid_argument` for a fraction
/// that is not positive, states of another size, a K that is not symmetric, and with a memory.
template <class Scalar>
std::int64_t steps_to_settle(const StationaryState<Scalar>& from, const StationaryState<Scalar>& to,
                             double fraction);

/// Y of Hatano and Sasa at one switch: φ₂(θ) − φ₁(θ), φ = −log P^s the `potential`. Along a
/// protocol λ_0, λ_1, … a run adds up Y = Σ_t [φ(θ_t; λ_{t+1}) − φ(θ_t; λ_t)], with θ_t where it is
/// when λ switches, and ⟨e^{−Y}⟩ = 1 over runs that begin in the stationary state of λ_0 (T. Hatano
/// and S. Sasa, Phys. Rev. Lett. 86, 3463 (2001)). It holds for every Markov chain, far from
/// equilibrium, if P^s is its stationary density: a test of that.
///
/// Throws `std::invalid_argument` for states of another size, or where a state of θ alone is not
/// one of a Markov chain. One switch is exact for any density, but with a memory P^s of θ alone is
/// not enough for a second.
template <class Scalar>
Scalar switching_potential(const StationaryState<Scalar>& from, const StationaryState<Scalar>& to,
                           const DynamicVector<Scalar>& theta);

/// Variance of e^{−Y} at one sudden switch of a Gaussian θ, where ⟨e^{−Y}⟩ = ∫P₁(P₂/P₁) = 1:
/// ∫P₂²/P₁ − 1 =
///   |Π(2 − Π)|^{−½} exp{½yᵀ[1 + X(2 − Π)⁻¹Xᵀ]y} − 1,  X = L₁⁻¹L₂, Π = XᵀX, y = L₁⁻¹(⟨θ⟩₂ − ⟨θ⟩₁),
/// Σ = LLᵀ. Infinite unless 2Σ₂⁻¹ − Σ₁⁻¹ ≻ 0: in no direction may the state become wider than √2
/// times what it was, so that η may be lowered at will in one switch, but raised only by less than
/// a factor of 2. Where it is infinite, a mean over runs does not converge as its standard error
/// says. Throws `std::invalid_argument` for states of another size or a singular Σ.
template <class Scalar>
Scalar switching_variance(const StationaryState<Scalar>& from, const StationaryState<Scalar>& to);

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>
#include <limits>
#include <utility>

#include "ness/detail/symmetric_matrices.hpp"

namespace ness {

template <class Scalar>
Ensemble<Scalar> ensemble_after(const StationaryState<Scalar>& from,
                                const StationaryState<Scalar>& to, double steps) {
  if (from.has_memory() || to.has_memory())
    detail::invalid("ensemble_after",
                    "theta alone must be a Markov chain before and after, but one remembers");
  LinearChain<Scalar> chain = to.chain();
  chain.mean = to.mean();
  return Relaxation<Scalar>(std::move(chain), {from.mean(), from.covariance()}).at(steps);
}

template <class Scalar>
std::int64_t steps_to_settle(const StationaryState<Scalar>& from, const StationaryState<Scalar>& to,
                             double fraction) {
  using Matrix = DynamicMatrix<Scalar>;
  constexpr std::string_view name = "steps_to_settle";
  detail::require_positive(fraction, name, "fraction");
  const Eigen::Index n = to.mean().size();
  detail::require_size(from.mean(), n, 1, name, "from.mean()");
  if (from.has_memory() || to.has_memory())
    detail::invalid(name, "theta alone must be a Markov chain before and after, but one remembers");
  detail::require_symmetric(to.relaxation(), name, "relaxation");
  const detail::SymmetricEigen<Scalar> eigen(to.relaxation());
  Matrix away = from.covariance();
  detail::add_scaled(away, -1, to.covariance());
  away = detail::product(detail::transposed(eigen.vectors), detail::product(away, eigen.vectors));
  DynamicVector<Scalar> logarithms = eigen.values;  // of |1 − x|, or e^{−x}
  for (Scalar& x : logarithms) {
    if (to.form() == LyapunovForm::continuous)
      x = -x;
    else
      x = x < 1 ? std::log1p(-x) : std::log(x - 1);
  }
  const Scalar enough = static_cast<Scalar>(fraction) * to.covariance().norm();
  const auto settled = [&](std::int64_t steps) {
    Matrix left = away;
    for (Eigen::Index j = 0; j < n && steps > 0; ++j)
      for (Eigen::Index i = 0; i < n; ++i)
        left(i, j) *= std::exp(static_cast<Scalar>(steps) * (logarithms[i] + logarithms[j]));
    return left.norm() <= enough;
  };
  if (settled(0)) return 0;
  std::int64_t late = 1;
  while (late < (std::int64_t{1} << 60) && !settled(late)) late *= 2;
  std::int64_t early = late / 2;
  while (late - early > 1) {
    const std::int64_t middle = early + (late - early) / 2;
    (settled(middle) ? late : early) = middle;
  }
  return late;
}

template <class Scalar>
Scalar switching_potential(const StationaryState<Scalar>& from, const StationaryState<Scalar>& to,
                           const DynamicVector<Scalar>& theta) {
  constexpr std::string_view name = "switching_potential";
  detail::require_size(theta, from.mean().size(), 1, name, "theta");
  detail::require_size(to.mean(), from.mean().size(), 1, name, "to.mean()");
  if (from.has_memory() || to.has_memory())
    detail::invalid(name, "theta alone must be a Markov chain before and after, but one remembers");
  return to.potential(theta) - from.potential(theta);
}

template <class Scalar>
Scalar switching_variance(const StationaryState<Scalar>& from, const StationaryState<Scalar>& to) {
  using Matrix = DynamicMatrix<Scalar>;
  constexpr std::string_view name = "switching_variance";
  const Eigen::Index n = from.mean().size();
  detail::require_size(to.mean(), n, 1, name, "to.mean()");
  Matrix first = from.covariance(), x = to.covariance();
  if (!detail::cholesky(first) || !detail::cholesky(x))
    detail::invalid(name, "both covariances must be positive definite, but one is singular");
  Scalar exponent(0);
  for (Eigen::Index k = 0; k < n; ++k) exponent -= std::log(x(k, k) / first(k, k));
  detail::solve_lower(first, x);
  Matrix y(n, 1);
  for (Eigen::Index k = 0; k < n; ++k) y(k, 0) = to.mean()[k] - from.mean()[k];
  detail::solve_lower(first, y);
  const Matrix across = detail::transposed(x);
  Matrix rest = detail::symmetric_product(across, x);
  rest *= Scalar(-1);
  for (Eigen::Index k = 0; k < n; ++k) rest(k, k) += Scalar(2);
  if (!detail::cholesky(rest)) return std::numeric_limits<Scalar>::infinity();
  Matrix shift = detail::product(across, y);
  detail::solve_lower(rest, shift);
  for (Eigen::Index k = 0; k < n; ++k)
    exponent += (y(k, 0) * y(k, 0) + shift(k, 0) * shift(k, 0)) / 2 - std::log(rest(k, k));
  return std::expm1(exponent);
}

}  // namespace ness
#endif
