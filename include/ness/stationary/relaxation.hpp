// The way to the stationary state: mean and covariance of an ensemble of linear chains as functions
// of time (Eqs. C5, C6).
#pragma once

#include <utility>

#include "ness/detail/matrices.hpp"
#include "ness/stationary/linear_chain.hpp"

namespace ness {

/// Where many independent chains are at one time.
template <class Scalar = double>
struct Ensemble {
  DynamicVector<Scalar> mean;        ///< ⟨θ⟩, N
  DynamicMatrix<Scalar> covariance;  ///< ⟨(θ − ⟨θ⟩)(θ − ⟨θ⟩)ᵀ⟩, N × N
};

namespace detail {

/// t steps of a linear chain: δθ_t = (I + change) δθ_0 + what noise adds, of covariance `noise`.
/// A^t − I is kept in place of A^t, so that slow directions lose no digits.
template <class Scalar>
struct Propagator {
  DynamicMatrix<Scalar> change;  ///< A^t − I, N × N
  DynamicMatrix<Scalar> noise;   ///< Σ_{s<t} A^s 2D A^sᵀ, N × N
};

}  // namespace detail

/// ⟨δθ⟩_t = A^t ⟨δθ⟩_0 and Σ_t = A^t Σ_0 A^tᵀ + Σ_{s<t} A^s 2D A^sᵀ, with A = I − K. In the
/// continuous form A^t is e^{−Kt} and the sum an integral: the solutions of dμ/dt = −Kμ (C5) and
/// dΣ/dt = −KΣ − ΣKᵀ + 2D (C6).
///
///   const ness::Relaxation relaxation(predicted.chain(), {start, Eigen::MatrixXd::Zero(n, n)});
///   const auto [mean, covariance] = relaxation.at(1000);
///
/// Times are in Markov steps. Nothing cancels at short times or in slow directions. A chain that
/// does not settle is followed just as well. The twin that measures it is `measure_relaxation`.
template <class Scalar = double>
class Relaxation {
 public:
  /// Throws `std::invalid_argument` for sizes that disagree, numbers that are not finite, or
  /// covariances that are not positive semidefinite. Cost for a symmetric K, which SGD has: one
  /// eigendecomposition.
  Relaxation(LinearChain<Scalar> chain, Ensemble<Scalar> start);

  /// Mean and covariance after `steps` Markov steps. Throws `std::invalid_argument` for a negative
  /// number, or one that is not whole where the chain is one of finite steps. Cost: four products
  /// of N × N for a symmetric K, else four for each doubling from one step (or 1/8 of the fastest
  /// relaxation time) to `steps`.
  Ensemble<Scalar> at(double steps) const;

 private:
  using Matrix = DynamicMatrix<Scalar>;
  bool is_discrete() const { return chain_.form == LyapunovForm::discrete; }
  detail::Propagator<Scalar> by_eigenvectors(Scalar steps) const;
  detail::Propagator<Scalar> by_doubling(Scalar steps) const;

  LinearChain<Scalar> chain_;
  Ensemble<Scalar> start_;
  DynamicVector<Scalar> rates_;  // eigenvalues of a symmetric K, else empty
  Matrix vectors_, noise_;       // 2D in that basis
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <cmath>

#include "ness/detail/symmetric_matrices.hpp"

namespace ness {

namespace detail {

/// a B aᵀ with a = I + change
template <class Scalar>
DynamicMatrix<Scalar> carried(const DynamicMatrix<Scalar>& change,
                              const DynamicMatrix<Scalar>& matrix) {
  DynamicMatrix<Scalar> a = change;
  for (Eigen::Index k = 0; k < a.rows(); ++k) a(k, k) += Scalar(1);
  return symmetric_product(a, product(matrix, transposed(a)));
}

/// First the steps of `first`, then those of `then`.
template <class Scalar>
Propagator<Scalar> after(const Propagator<Scalar>& then, const Propagator<Scalar>& first) {
  Propagator<Scalar> both{product(then.change, first.change), carried(then.change, first.noise)};
  add_scaled(both.change, 1, then.change);
  add_scaled(both.change, 1, first.change);
  add_scaled(both.noise, 1, then.noise);
  return both;
}

/// Of a short time, |K|t ≤ 1/8: Taylor's series of e^{−Kt} − I and of ∫ e^{−Ks} 2D e^{−Kᵀs} ds.
template <class Scalar>
Propagator<Scalar> short_time(const DynamicMatrix<Scalar>& relaxation,
                              const DynamicMatrix<Scalar>& diffusion, Scalar time) {
  constexpr int order = 14;  // (1/4)^15/15! is below the rounding of a double
  const Eigen::Index n = relaxation.rows();
  DynamicMatrix<Scalar> power = -time * relaxation;
  DynamicMatrix<Scalar> noise = (2 * time) * diffusion;
  const DynamicMatrix<Scalar> first = power;
  Propagator<Scalar> result{DynamicMatrix<Scalar>::Zero(n, n), noise};
  for (int k = 1; k <= order; ++k) {
    add_scaled(result.change, 1, power);
    power = product(first, power);
    power /= static_cast<Scalar>(k + 1);
    noise = half_sum_with_transpose(product(first, noise), 1);
    noise *= Scalar(2) / static_cast<Scalar>(k + 1);
    add_scaled(result.noise, 1, noise);
  }
  return result;
}

/// Is it symmetric to the last places of its elements?
template <class Scalar>
bool is_symmetric_to_rounding(const DynamicMatrix<Scalar>& matrix) {
  constexpr Scalar epsilon = std::numeric_limits<Scalar>::epsilon();
  for (Eigen::Index j = 0; j < matrix.cols(); ++j)
    for (Eigen::Index i = 0; i < j; ++i)
      if (!(std::abs(matrix(i, j) - matrix(j, i)) <= 4 * epsilon * std::abs(matrix(i, j))))
        return false;
  return true;
}

}  // namespace detail

template <class Scalar>
Relaxation<Scalar>::Relaxation(LinearChain<Scalar> chain, Ensemble<Scalar> start)
    : chain_(std::move(chain)), start_(std::move(start)) {
  const Eigen::Index n = chain_.mean.size();
  if (!chain_.update.forgets() || chain_.known.given())
    detail::invalid("Relaxation", "theta alone must be a Markov chain, but this one remembers");
  detail::require_not_empty(chain_.mean, "Relaxation", "chain.mean");
  detail::require_size(chain_.relaxation, n, n, "Relaxation", "chain.relaxation");
  detail::require_finite(chain_.relaxation, "Relaxation", "chain.relaxation");
  detail::require_size(chain_.diffusion, n, n, "Relaxation", "chain.diffusion");
  detail::require_semidefinite<Scalar>(chain_.diffusion, "Relaxation", "chain.diffusion");
  detail::require_size(start_.mean, n, 1, "Relaxation", "start.mean");
  detail::require_finite(start_.mean, "Relaxation", "start.mean");
  detail::require_size(start_.covariance, n, n, "Relaxation", "start.covariance");
  detail::require_semidefinite<Scalar>(start_.covariance, "Relaxation", "start.covariance");
  if (!detail::is_symmetric_to_rounding(chain_.relaxation)) return;
  detail::SymmetricEigen<Scalar> eigen(chain_.relaxation);
  rates_ = std::move(eigen.values);
  vectors_ = std::move(eigen.vectors);
  noise_ = detail::symmetric_product(detail::transposed(vectors_),
                                     detail::product(chain_.diffusion, vectors_));
  noise_ *= Scalar(2);
}

template <class Scalar>
Ensemble<Scalar> Relaxation<Scalar>::at(double steps) const {
  detail::require(steps >= 0 && std::isfinite(steps), "Relaxation::at",
                  "steps must not be negative", steps);
  detail::require(!is_discrete() || steps == std::floor(steps), "Relaxation::at",
                  "steps must be a whole number for a chain of finite steps", steps);
  if (steps == 0) return start_;
  const auto time = static_cast<Scalar>(steps);
  const auto all = rates_.size() > 0 ? by_eigenvectors(time) : by_doubling(time);
  const DynamicVector<Scalar> away = start_.mean - chain_.mean;
  Ensemble<Scalar> result{start_.mean, detail::carried(all.change, start_.covariance)};
  result.mean += all.change * away;
  detail::add_scaled(result.covariance, 1, all.noise);
  return result;
}

// In the eigenbasis a_i^t = e^{t l_i}, l_i = log(1 − k_i) or −k_i, and the sum is
// 2D_ij (1 − a_i^t a_j^t)/(1 − a_i a_j).
template <class Scalar>
detail::Propagator<Scalar> Relaxation<Scalar>::by_eigenvectors(Scalar steps) const {
  const Eigen::Index n = rates_.size();
  const bool odd = std::fmod(steps, Scalar(2)) == 1;
  const auto logarithm = [&](Scalar k) {  // of |1 − k|
    if (!is_discrete()) return -k;
    return k < 1 ? std::log1p(-k) : std::log(k - 1);
  };
  const auto negative = [&](Scalar k) { return is_discrete() && k > 1; };
  // 1 − ± e^{x}
  const auto left = [](Scalar x, bool minus) { return minus ? 1 + std::exp(x) : -std::expm1(x); };
  Matrix noise(n, n);
  Matrix change = Matrix::Zero(n, n);
  for (Eigen::Index j = 0; j < n; ++j) {
    change(j, j) = -left(steps * logarithm(rates_[j]), odd && negative(rates_[j]));
    for (Eigen::Index i = 0; i < n; ++i) {
      const Scalar both = logarithm(rates_[i]) + logarithm(rates_[j]);
      const bool minus = negative(rates_[i]) != negative(rates_[j]);
      const Scalar all = left(steps * both, odd && minus);
      const Scalar one = is_discrete() ? left(both, minus) : -both;
      noise(i, j) = noise_(i, j) * (one == 0 ? steps : all / one);
    }
  }
  const Matrix back = detail::transposed(vectors_);
  return {detail::symmetric_product(vectors_, detail::product(change, back)),
          detail::symmetric_product(vectors_, detail::product(noise, back))};
}

template <class Scalar>
detail::Propagator<Scalar> Relaxation<Scalar>::by_doubling(Scalar steps) const {
  const Eigen::Index n = chain_.mean.size();
  if (!is_discrete()) {
    int doublings = 0;
    Scalar time = steps;
    // In units in which K is well scaled |K| may be much smaller; more doublings do no harm.
    for (const Scalar norm = chain_.relaxation.norm(); norm * time > Scalar(0.125); time /= 2)
      ++doublings;
    auto result = detail::short_time<Scalar>(chain_.relaxation, chain_.diffusion, time);
    for (; doublings > 0; --doublings) result = detail::after(result, result);
    return result;
  }
  detail::Propagator<Scalar> result{Matrix::Zero(n, n), Matrix::Zero(n, n)};
  detail::Propagator<Scalar> doubled{-chain_.relaxation, 2 * chain_.diffusion};
  for (Scalar left = steps; left > 0; left = std::floor(left / 2)) {
    if (std::fmod(left, Scalar(2)) == 1) result = detail::after(doubled, result);
    if (left > 1) doubled = detail::after(doubled, doubled);
  }
  return result;
}

}  // namespace ness
#endif
