// Entropy production along a trajectory with momentum near a minimum (not in the paper).
#pragma once

#include <cstdint>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/sub_trajectories.hpp"
#include "ness/update/update.hpp"

namespace ness {

/// The logarithm of how much likelier a stretch of the path of θ is than its reverse, up to terms
/// at its two ends whose mean is 0, of θ_{k+1} − θ_k = β(θ_k − θ_{k−1}) − c₀(Kδθ_k − ξ_k):
///
///   σ_k = −(1−β)/(4c₀²) (d₊ + d₋)ᵀD⁻¹[(1+β)(d₊ − d₋) + 2c₀Kδθ_k],
///   d₊ = θ_{k+1} − θ_k, d₋ = θ_k − θ_{k−1},
///
/// of K = ηH and D = ½⟨ξξᵀ⟩ of a plain update, exact at every η. Its mean per update is
/// −(1−β)/c₀ tr(D⁻¹KC), C the circulation. No parity is given to a velocity: θ alone is reversed.
/// Since what is left out at the ends is not independent of σ, ⟨e^{−σ}⟩ of the results is not 1;
/// for plain updates σ differs from that of `EntropyProduction` by such terms too.
///
/// The update must have c₁ = −β · direct = 0, which the heavy ball has and Nesterov's momentum has
/// not: with c₁ the noise of one step is in the next, and the chance of a path no longer is a
/// product over three states at a time. Blocks are of updates, one after the other. Cost: two
/// products of N × N with each state.
template <class Scalar = double>
class MomentumEntropy {
 public:
  using Matrix = DynamicMatrix<Scalar>;
  using Vector = DynamicVector<Scalar>;

  /// From D⁻¹ on the range of D, and K, both N × N; `bins` over ±`range` for the histograms of σ.
  /// Throws `std::invalid_argument` for matrices of other sizes, an update with c₁ ≠ 0 or out of
  /// bounds, or a length below 1.
  MomentumEntropy(const Matrix& inverse_diffusion, const Matrix& relaxation,
                  const LinearUpdate& update, const std::vector<int>& lengths,
                  std::int64_t batch_length, double range, Eigen::Index bins = 200);

  template <class S>
  void add(const TrajectoryBlock<S>& block);

  /// Sub-trajectories left incomplete at the end of `other` are dropped.
  void merge(const MomentumEntropy& other) { sums_.merge(other.sums_); }

  /// The next block does not follow upon the last: it has no step before its first.
  void interrupt() {
    sums_.interrupt();
    joined_.interrupt();
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

  /// Of the first update of all σ is not known: its step before is not.
  std::vector<SubTrajectories> results() const { return sums_.results(); }

 private:
  void gather(const Matrix& states);

  Matrix inverse_diffusion_, relaxation_transposed_;
  Scalar momentum_, speed_;  // β, c₀
  detail::EntropySums<Scalar> sums_;
  detail::JoinedBlocks<Scalar> joined_;
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library
namespace ness {

namespace detail {

/// c₀ of an update without c₁.
inline double speed_without_echo(const LinearUpdate& update) {
  constexpr std::string_view name = "MomentumEntropy";
  update.check(name);
  require(update.of_last_gradient() == 0, name,
          "update must not use the last gradient again, c1 = -momentum * direct must be 0",
          update.of_last_gradient());
  require(update.of_gradient() != 0, name, "update must use the gradient, c0 must not be 0",
          update.of_gradient());
  return update.of_gradient();
}

}  // namespace detail

template <class Scalar>
MomentumEntropy<Scalar>::MomentumEntropy(const Matrix& inverse_diffusion, const Matrix& relaxation,
                                         const LinearUpdate& update,
                                         const std::vector<int>& lengths, std::int64_t batch_length,
                                         double range, Eigen::Index bins)
    : inverse_diffusion_(inverse_diffusion),
      relaxation_transposed_(detail::transposed(relaxation)),
      momentum_(static_cast<Scalar>(update.momentum)),
      speed_(static_cast<Scalar>(detail::speed_without_echo(update))),
      sums_(lengths, batch_length, range, bins, "MomentumEntropy"),
      joined_(relaxation.rows()) {
  const Eigen::Index n = relaxation.rows();
  detail::require_size(relaxation, n, n, "MomentumEntropy", "relaxation");
  detail::require_size(inverse_diffusion, n, n, "MomentumEntropy", "inverse_diffusion");
}

template <class Scalar>
template <class S>
void MomentumEntropy<Scalar>::add(const TrajectoryBlock<S>& block) {
  if (sums_.empty() || block.steps() == 0) return;
  const Matrix states = joined_.join(block);
  if (states.rows() > 2) gather(states);
}

// σ of every state but the first and the last.
template <class Scalar>
void MomentumEntropy<Scalar>::gather(const Matrix& states) {
  const Eigen::Index count = states.rows() - 2;
  const Matrix middles = states.middleRows(1, count);
  Matrix chords(count, states.cols());
  Matrix pulls = detail::product(middles, relaxation_transposed_);
  for (Eigen::Index i = 0; i < states.cols(); ++i)
    for (Eigen::Index k = 0; k < count; ++k) {
      const Scalar before = states(k, i), after = states(k + 2, i);
      chords(k, i) = after - before;
      pulls(k, i) =
          (1 + momentum_) * (after - 2 * states(k + 1, i) + before) + 2 * speed_ * pulls(k, i);
    }
  Vector entropy = detail::dot_products_of_rows(detail::product(chords, inverse_diffusion_), pulls);
  entropy *= -(1 - momentum_) / (4 * speed_ * speed_);
  sums_.add(entropy);
}

template <class Scalar>
template <class Archive>
void MomentumEntropy<Scalar>::serialize(Archive& archive) {
  archive(sums_, joined_);
}

}  // namespace ness
#endif
