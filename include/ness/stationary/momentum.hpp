// The stationary state of updates with a memory, exact at any η for constant noise (not in the
// paper).
#pragma once

#include "ness/stationary/linear_chain.hpp"
#include "ness/update/update.hpp"

namespace ness {

namespace detail {

/// One eigenvector of H: its motion θ_{k+1} − pθ_k + qθ_{k−1} = −(c₀ξ_k + c₁ξ_{k−1}), x = ηh, by
/// what of it is small: f = 1 − p + q = (c₀ + c₁)x and 1 − q, free of cancellation as x → 0, β → 1.
template <class Scalar>
struct MemoryMode {
  Scalar f{}, last{}, not_last{};  ///< f, q, 1 − q

  MemoryMode() = default;
  MemoryMode(const LinearUpdate& update, Scalar x)
      : f(static_cast<Scalar>(update.of_gradient() + update.of_last_gradient()) * x),
        last(static_cast<Scalar>(update.momentum) +
             static_cast<Scalar>(update.of_last_gradient()) * x),
        not_last(static_cast<Scalar>(1 - update.momentum) -
                 static_cast<Scalar>(update.of_last_gradient()) * x) {}
  Scalar p() const { return 1 + last - f; }

  /// 1 − |z| of the larger root z of z² − pz + q.
  Scalar decay_rate() const;
};

/// What two eigenvectors of H make of each other: with φ_{k+1} = pφ_k − qφ_{k−1} + ξ_k in each, and
/// r(k) = ⟨φ_i(t + k)φ_j(t)⟩ for ⟨ξ_iξ_j⟩ = 1,
///   r(0) = L/(L(f_i(1 − q_j) + f_j(1 − q_i)) − (f_i − q_if_j)(f_j − q_jf_i)),  L = 1 − q_iq_j,
///   r(0) − r(1) = r(0)(f_i − q_if_j)/L,  r(0) − r(2) = f_ir(0) + p_i(r(0) − r(1)).
template <class Scalar>
struct MemoryPair {
  Scalar covariance;  ///< ⟨θ_iθ_j⟩ over 2D_ij
  Scalar drift;       ///< −⟨Δθ_i θ_j⟩ over 2D_ij, Δθ the step that follows
  Scalar drift_back;  ///< the same of i and j exchanged, which leaves the others as they are
  Scalar flow;        ///< (1/4π)∫ [T_jT_i*/(T_iT_j*) − 1] dω

  MemoryPair(const LinearUpdate& update, const MemoryMode<Scalar>& i, const MemoryMode<Scalar>& j);
};

/// By the eigenvectors of H, and `MemoryPair`: one eigendecomposition and O(N²). Throws
/// `std::invalid_argument` where K is not symmetric, nothing holds the chain, or a step is beyond
/// stability.
template <class Scalar>
ChainCovariance<Scalar> covariance_of_chain_with_memory(const LinearChain<Scalar>& chain);

/// The largest ηh of a stable update: 2(1 + β)/(c₀ − c₁), 2(1 + β) of heavy ball and
/// 2(1 + β)/(1 + 2β) of Nesterov's.
constexpr double largest_stable_rate(const LinearUpdate& update) {
  return 2 * (1 + update.momentum) / (update.of_gradient() - update.of_last_gradient());
}

}  // namespace detail

/// The same chain with updates that remember: Σ, C, ⟨σ⟩ and decay rates follow exactly for this D,
/// which is that of a plain update, ½η² times the covariance of a batch gradient.
///
/// The state θ of consecutive updates is no Markov chain. With T(ω) = e^{iω} − p + qe^{−iω}, p =
/// 1 + β − c₀x, q = β + c₁x in each eigenvector of H, the spectrum is S = T⁻¹|c|²2D T⁻ᴴ, and
///   Σ_ij = 2D_ij(1−β²)/{γ²[(1+β)(x_i+x_j) − x_ix_j] + β(x_i−x_j)²},  γ = 1 − β,
/// of heavy ball; C_ij = (x_i − x_j)Σ_ij/(2γ), the area per update; and the rate of divergence of
/// paths of θ from their reverse, ⟨σ⟩ = (1/4π)∫tr[S(−ω)⁻¹S(ω) − 1]dω, −tr(D⁻¹ηγHC) of heavy ball.
/// For β = 0 they are those of the discrete form.
template <class Scalar>
void remember(const LinearUpdate& update, LinearChain<Scalar>& chain) {
  chain.update = update;
  chain.form = LyapunovForm::discrete;
  chain.solve = &detail::covariance_of_chain_with_memory<Scalar>;
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <cmath>
#include <vector>

namespace ness::detail {

template <class Scalar>
Scalar MemoryMode<Scalar>::decay_rate() const {
  // With s = 1 − |z|: s² − (1 − q + f)s + f = 0 for the root of the sign of p; of −z, f is 1 + p +
  // q.
  const Scalar small = p() >= 0 ? f : 2 * (1 + last) - f;
  const Scalar half = (not_last + small) / 2;
  const Scalar discriminant = half * half - small;
  if (discriminant < 0) return not_last / (1 + std::sqrt(last));  // |z|² = q
  return small / (half + std::sqrt(discriminant));
}

template <class Scalar>
MemoryPair<Scalar>::MemoryPair(const LinearUpdate& update, const MemoryMode<Scalar>& i,
                               const MemoryMode<Scalar>& j) {
  const auto c0 = static_cast<Scalar>(update.of_gradient());
  const auto c1 = static_cast<Scalar>(update.of_last_gradient());
  const Scalar l = i.not_last + j.not_last - i.not_last * j.not_last;
  // f_i − q_if_j and its like, without the difference of two that are nearly equal.
  const Scalar ahead = (i.f - j.f) + j.f * i.not_last;
  const Scalar behind = (j.f - i.f) + i.f * j.not_last;
  const Scalar both = i.f * j.not_last + j.f * i.not_last;  // ahead + behind
  const Scalar r0 = l / (l * both - ahead * behind);
  const Scalar r1 = r0 * ahead / l;  // r(0) − r(1), and so on
  const Scalar r_1 = r0 * behind / l;
  const Scalar r2 = i.f * r0 + i.p() * r1;
  const Scalar r_2 = j.f * r0 + j.p() * r_1;
  const Scalar square = (c0 + c1) * (c0 + c1);
  const Scalar echo = c0 * c1;
  covariance = square * r0 - echo * r0 * both / l;
  // (c₀² + c₁²)(r(0) − r(1)) + c₀c₁(r(1) + r(−1) − r(2) − r(0)), put together
  drift = r0 / l * (square * ahead - echo * (i.not_last * both + i.f * ahead));
  drift_back = r0 / l * (square * behind - echo * (j.not_last * both + j.f * behind));
  const Scalar a = i.last - j.last;
  const Scalar b = i.f * j.not_last - j.f * i.not_last - 2 * a;
  flow = (a * (r_2 - r2) + b * (r_1 - r1)) / 2;
}

template <class Scalar>
std::vector<MemoryMode<Scalar>> modes_of(const LinearUpdate& update,
                                         const DynamicVector<Scalar>& rates) {
  std::vector<MemoryMode<Scalar>> modes;
  for (const Scalar x : rates) modes.emplace_back(update, x);
  return modes;
}

/// What holds and what is stable, in terms of the rates ηh.
template <class Scalar>
void require_stable_memory(const LinearUpdate& update, const DynamicVector<Scalar>& rates) {
  constexpr std::string_view name = "StationaryState";
  update.check(name);
  const Scalar fastest = rates[rates.size() - 1];
  if (!(rates[0] > 0))
    invalid(name, "every eigenvalue of the Hessian must be positive, but the smallest ηh is ",
            rates[0], ": start from a minimum, or add a regularizer");
  if (!(fastest < largest_stable_rate(update)))
    invalid(name, "learning_rate * h_max must be below ", largest_stable_rate(update),
            " with a momentum of ", update.momentum, " for a stationary state, but is ", fastest,
            ": lower the learning rate");
}

template <class Scalar>
DynamicVector<Scalar> decay_rates_of(const std::vector<MemoryMode<Scalar>>& modes) {
  DynamicVector<Scalar> rates(static_cast<Eigen::Index>(modes.size()));
  for (Eigen::Index k = 0; k < rates.size(); ++k)
    rates[k] = modes[static_cast<std::size_t>(k)].decay_rate();
  std::sort(rates.begin(), rates.end());
  return rates;
}

/// ‖FΣ − (G + qGᵀ + 2c₀c₁D)‖ / ‖2D‖: of ⟨θ_{k+1}θ_kᵀ⟩ = P⟨θθᵀ⟩ − q⟨θθ_{k+1}ᵀ⟩ + 2c₀c₁D with H
/// itself, along a few vectors, F = (c₀ + c₁)K, q = β + c₁K.
template <class Scalar>
Scalar residual_of_memory(const LinearChain<Scalar>& chain,
                          const ChainCovariance<Scalar>& solution) {
  const auto c0 = static_cast<Scalar>(chain.update.of_gradient());
  const auto c1 = static_cast<Scalar>(chain.update.of_last_gradient());
  const Eigen::Index n = chain.mean.size();
  Scalar worst(0);
  for (int probe = 1; probe <= 4; ++probe) {
    DynamicVector<Scalar> at(n);
    for (Eigen::Index k = 0; k < n; ++k)
      at[k] = std::cos(static_cast<Scalar>(probe) * static_cast<Scalar>(k + 1));
    const DynamicVector<Scalar> back = solution.drift.transpose() * at;
    DynamicVector<Scalar> along = solution.covariance * at;
    along *= c0 + c1;
    along -= c1 * back;
    DynamicVector<Scalar> defect = chain.relaxation * along;
    const DynamicVector<Scalar> forth = solution.drift * at;
    const DynamicVector<Scalar> noise = chain.diffusion * at;
    defect -= forth + static_cast<Scalar>(chain.update.momentum) * back + 2 * c0 * c1 * noise;
    const Scalar scale = forth.norm() + back.norm();
    if (scale > 0) worst = std::max(worst, defect.norm() / scale);
  }
  return worst;
}

template <class Scalar>
ChainCovariance<Scalar> covariance_of_chain_with_memory(const LinearChain<Scalar>& chain) {
  require_symmetric(chain.relaxation, "StationaryState", "relaxation");
  const SymmetricEigen<Scalar> eigen(chain.relaxation);
  require_stable_memory(chain.update, eigen.values);
  const auto modes = modes_of(chain.update, eigen.values);
  const DynamicMatrix<Scalar> back = transposed(eigen.vectors);
  DynamicMatrix<Scalar> sigma = symmetric_product(back, product(chain.diffusion, eigen.vectors));
  sigma *= Scalar(2);
  DynamicMatrix<Scalar> drift = sigma, flow = sigma;
  for (Eigen::Index j = 0; j < sigma.cols(); ++j)
    for (Eigen::Index i = j; i < sigma.rows(); ++i) {
      const MemoryPair<Scalar> pair(chain.update, modes[static_cast<std::size_t>(i)],
                                    modes[static_cast<std::size_t>(j)]);
      drift(i, j) *= pair.drift;
      if (i != j) drift(j, i) *= pair.drift_back;
      flow(i, j) *= pair.flow / 2;
      sigma(i, j) *= pair.covariance;
    }
  mirror(flow);
  mirror(sigma);
  ChainCovariance<Scalar> result;
  result.covariance = symmetric_product(product(eigen.vectors, sigma), back);
  result.decay_rates = decay_rates_of(modes);
  result.drift = product(product(eigen.vectors, drift), back);
  result.flow = symmetric_product(product(eigen.vectors, flow), back);
  result.residual = residual_of_memory(chain, result);
  return result;
}

}  // namespace ness::detail
#endif
