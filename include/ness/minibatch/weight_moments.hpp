// The second moments of the weights that a batch gives to the samples (App. A).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "ness/detail/matrices.hpp"
#include "ness/model/batch.hpp"

namespace ness {

/// The gradient of a batch is Σ_i w_i ∇ℓ_i with random weights of mean 1/M. Where no sample is
/// preferred, its covariance is
///   scatter · Σ_i (∇ℓ_i − ∇L)(∇ℓ_i − ∇L)ᵀ + total · M² ∇L∇Lᵀ,
/// with scatter = ⟨w_i²⟩ − ⟨w_iw_j⟩, i ≠ j, and total the variance of Σ_i w_i over M².
struct WeightMoments {
  double scatter = 0;  ///< ⟨w_i²⟩ − ⟨w_iw_j⟩
  double total = 0;    ///< ⟨(Σ_iw_i − 1)²⟩ / M²

  /// m distinct samples, each with the weight 1/m: (n−1)/(M(M−1)) with n = M/m, and 0 (Eq. 14).
  static constexpr WeightMoments distinct(Index samples, Index batch_size) {
    if (samples == batch_size) return {};
    const auto M = static_cast<double>(samples);
    const auto m = static_cast<double>(batch_size);
    return {.scatter = (M - m) / (m * M * (M - 1)), .total = 0};
  }

  /// Is there no noise at all?
  constexpr bool vanish() const { return scatter == 0 && total == 0; }
};

/// The same where samples are preferred: the covariance of the gradient of a batch is
///   Σ_i weight_i (scale_i ∇ℓ_i − c)(scale_i ∇ℓ_i − c)ᵀ
/// with c the mean of scale_i ∇ℓ_i over the group of sample i, by these weights.
struct SampleMoments {
  DynamicVector<double> weight;      ///< M
  DynamicVector<double> scale;       ///< M
  std::vector<std::uint32_t> group;  ///< M numbers from 0, without a gap
  Index groups = 1;                  ///< of samples whose mean is taken off
};

/// The third and fourth moments of Σ_i w_i c_i for numbers c_i that sum to 0, with p_k = Σ_i c_i^k:
///   ⟨(Σ w_i c_i)³⟩ = third · p_3,  ⟨(Σ w_i c_i)⁴⟩ = fourth · p_4 + pairs · p_2².
struct HigherWeightMoments {
  double third = 0;   ///< of Σ_i c_i³
  double fourth = 0;  ///< of Σ_i c_i⁴
  double pairs = 0;   ///< of (Σ_i c_i²)²

  /// m distinct samples, each with the weight 1/m. With f_k = m···(m−k+1)/(M···(M−k+1)), the chance
  /// that k given samples are drawn, the sums over distinct samples give f₁ − 3f₂ + 2f₃,
  /// f₁ − 7f₂ + 12f₃ − 6f₄ and 3(f₂ − 2f₃ + f₄), over m³ and m⁴: exact.
  static constexpr HigherWeightMoments distinct(Index samples, Index batch_size) {
    if (samples == batch_size) return {};
    double f[5] = {1, 0, 0, 0, 0};
    for (Index k = 0; k < 4 && k < batch_size; ++k)
      f[k + 1] = f[k] * static_cast<double>(batch_size - k) / static_cast<double>(samples - k);
    const auto m = static_cast<double>(batch_size);
    const double cube = m * m * m;
    return {.third = (f[1] - 3 * f[2] + 2 * f[3]) / cube,
            .fourth = (f[1] - 7 * f[2] + 12 * f[3] - 6 * f[4]) / (cube * m),
            .pairs = 3 * (f[2] - 2 * f[3] + f[4]) / (cube * m)};
  }
};

/// ⟨exp((1/m) Σ_{i∈B} a_i)⟩ − 1 over all subsets B of m of the M samples, exact: with x_i =
/// e^{a_i/m} it is e_m(x)/binom(M, m) − 1, e_m the elementary symmetric polynomial. Cost: O(Mm).
///
/// The means e_k/binom of ever more samples are followed, as what they are more than 1: averages of
/// positive numbers, which neither cancel nor grow, so that a small result keeps its digits.
inline double mean_exponential_of_distinct(const DynamicVector<double>& values, Index batch_size) {
  const auto m = static_cast<double>(batch_size);
  const double mean = values.sum() / static_cast<double>(values.size());
  std::vector<double> more(static_cast<std::size_t>(batch_size) + 1);  // of k samples
  for (Index j = 1; j <= values.size(); ++j) {
    const double excess = std::expm1((values[j - 1] - mean) / m);
    const double share = 1 / static_cast<double>(j);
    for (Index k = std::min(j, batch_size); k > 0; --k) {
      // The last of j samples is among k of them with the chance k/j.
      const double chance = share * static_cast<double>(k);
      const auto at = static_cast<std::size_t>(k);
      const double with = excess + (1 + excess) * more[at - 1];
      more[at] += chance * (with - more[at]);
    }
  }
  return std::expm1(mean) + std::exp(mean) * more.back();
}

}  // namespace ness
