// The exact second moments of a random order of the samples (App. B).
#pragma once

#include "ness/model/batch.hpp"

namespace ness {

/// Second moments of ζ_i = (n−1)/2 − T(i) and χ_ij = 1[T(i) > T(j)] − (M−m)/(2(M−1)), i ≠ j, where
/// T(i) = 0 ... n−1 is the batch that holds sample i in a random partition of M samples into n
/// batches of m. What the paper calls a0 ... a5 (B14, B15), and a6, which it takes for 0.
struct EpochMoments {
  double a0;      ///< ⟨ζ_i²⟩
  double a0_off;  ///< ⟨ζ_i ζ_j⟩ = −a0/(M−1)
  double a1;      ///< ⟨ζ_i χ_ji⟩ = −⟨ζ_i χ_ij⟩
  double a2;      ///< ⟨χ_ij χ_il⟩ = ⟨χ_ji χ_li⟩
  double a3;      ///< ⟨χ_ij²⟩
  double a4;      ///< ⟨χ_ij χ_ji⟩
  double a5;      ///< ⟨χ_ij χ_ki⟩ = ⟨χ_ij χ_jl⟩
  double a6;      ///< ⟨χ_ij χ_kl⟩, four distinct samples

  /// Exact for every M ≥ 1 and every m that divides it. Moments that need more samples than there
  /// are belong to empty sums and are 0.
  static constexpr EpochMoments exact(Index samples, Index batch_size) {
    const auto M = static_cast<double>(samples);
    const auto m = static_cast<double>(batch_size);
    EpochMoments a{};
    if (samples < 2) return a;
    a.a0 = (M - m) * (M + m) / (12 * m * m);
    a.a0_off = -a.a0 / (M - 1);
    a.a1 = (M / m + 1) * (M - m) / (12 * (M - 1));
    a.a3 = (M - m) * (M + m - 2) / (4 * (M - 1) * (M - 1));
    a.a4 = -(M - m) * (M - m) / (4 * (M - 1) * (M - 1));
    if (samples < 3) return a;
    const double three = 12 * (M - 2) * (M - 1) * (M - 1);
    a.a2 = (M - m) * (M * (M - 4) + (M - 4) * m + 6) / three;
    a.a5 = -(M - m) * (M * M - 4 * M + m * M + 2 * m) / three;
    if (samples < 4) return a;
    a.a6 = (m - 1) / (4 * (M - 1)) *
           (((m - 2) * (m - 3) + (M - m) * (m - 1)) / ((M - 2) * (M - 3)) - (m - 1) / (M - 1));
    return a;
  }

  /// As the paper prints them, for comparison: no correlation of ζ_i with ζ_j nor of χ_ij with
  /// χ_kl, and an a5 (B15) that is off by O(1/M²). M and n are those of these exact ones.
  constexpr EpochMoments printed(Index samples, Index batches) const {
    EpochMoments a = *this;
    const auto M = static_cast<double>(samples);
    const double m = M / static_cast<double>(batches);
    a.a0_off = 0;
    a.a6 = 0;
    if (samples >= 3)
      a.a5 = -(M - m) * (12 * M + (M - 4) * (M * M + (6 + M) * m)) /
             (12 * (M - 2) * (M - 1) * (M - 1) * M);
    return a;
  }
};

namespace detail {

/// What the sum of squares that D̂ is counts of each term: see `EpochDiffusion`.
struct EpochFactors {
  double of_w, of_p, of_q, of_f, of_g;
  double p_in_w;  ///< a1/α of P_i in W_i

  constexpr explicit EpochFactors(const EpochMoments& a)
      : of_w(a.a0 - a.a0_off),
        of_p((a.a2 - a.a5) / 2 - a.a1 * a.a1 / of_w),
        of_q((a.a2 + a.a5 - 2 * a.a6) / 2),
        of_f(a.a3 - 2 * a.a2 + a.a6),
        of_g(a.a4 - 2 * a.a5 + a.a6),
        p_in_w(a.a1 / of_w) {}
};

}  // namespace detail

}  // namespace ness
