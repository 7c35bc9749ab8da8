// Entropy production along a trajectory near a minimum (Eq. 27).
#pragma once

#include <cstdint>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/sub_trajectories.hpp"

namespace ness {

/// σ = Σ_k v^s(θ_k)·D⁻¹Δθ_k (Eq. 27), the sum taken at the start of each step, over consecutive
/// sub-trajectories of given lengths.
///
/// The velocity field enters as the matrix F with D⁻¹v^s = F δθ. Cost: a product of N × N with each
/// state, and an exponential for each sub-trajectory.
template <class Scalar = double>
class EntropyProduction {
 public:
  using Matrix = DynamicMatrix<Scalar>;

  /// `bins` over ±`range` for the histograms of σ. Throws `std::invalid_argument` for a length
  /// below 1 or a matrix that is not square.
  EntropyProduction(const Matrix& force, const std::vector<int>& lengths, std::int64_t batch_length,
                    double range, Eigen::Index bins = 200)
      : force_transposed_(detail::transposed(force)),
        sums_(lengths, batch_length, range, bins, "EntropyProduction") {
    detail::require_size(force, force.rows(), force.rows(), "EntropyProduction", "force");
  }

  template <class S>
  void add(const TrajectoryBlock<S>& block);

  /// Sub-trajectories left incomplete at the end of `other` are dropped.
  void merge(const EntropyProduction& other) { sums_.merge(other.sums_); }

  /// The next block does not follow upon the last: a sub-trajectory left incomplete is dropped.
  void interrupt() { sums_.interrupt(); }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

  /// One for each length.
  std::vector<SubTrajectories> results() const { return sums_.results(); }

 private:
  Matrix force_transposed_;
  detail::EntropySums<Scalar> sums_;
  Matrix states_, increments_;
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library
namespace ness {

// σ of each step: Σ_α Δθ_α (F δθ)_α.
template <class Scalar>
template <class S>
void EntropyProduction<Scalar>::add(const TrajectoryBlock<S>& block) {
  if (sums_.empty()) return;
  detail::convert(block.deviations(), states_);
  detail::convert(block.increments(), increments_);
  sums_.add(detail::dot_products_of_rows(detail::product_of_rows(states_, force_transposed_),
                                         increments_));
}

template <class Scalar>
template <class Archive>
void EntropyProduction<Scalar>::serialize(Archive& archive) {
  archive(sums_);
}

}  // namespace ness
#endif
