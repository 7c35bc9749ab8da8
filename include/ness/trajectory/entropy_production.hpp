// Entropy production along a trajectory near a minimum (Eq. 27).
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/sub_trajectories.hpp"

namespace ness {

/// σ = Σ_k v^s(θ_k)·D⁻¹Δθ_k (Eq. 27), the sum taken at the start of each step, over consecutive
/// sub-trajectories of given lengths.
///
/// The velocity field enters as the matrix F with D⁻¹v^s = F δθ. Cost: a product of N × N with each
/// state, and an exponential for each sub-trajectory.
template <int N>
class EntropyProduction {
 public:
  /// `bins` over ±`range` for the histograms of σ. Throws `std::invalid_argument` for a length
  /// below 1 or a matrix that is not square.
  template <class Derived>
  EntropyProduction(const Eigen::MatrixBase<Derived>& force, const std::vector<int>& lengths,
                    std::int64_t batch_length, double range, Eigen::Index bins = 200)
      : force_(force.template cast<double>()),
        sums_(lengths, batch_length, range, bins, "EntropyProduction") {
    detail::require_size(force_, force_.rows(), force_.rows(), "EntropyProduction", "force");
  }

  template <class S>
  void add(const TrajectoryBlock<S, N>& block) {
    entropy_.resize(block.steps());
    step_entropies(block);
    sums_.add(entropy_);
  }

  /// Sub-trajectories left incomplete at the end of `other` are dropped.
  void merge(const EntropyProduction& other) { sums_.merge(other.sums_); }

  /// The next block does not follow upon the last: a sub-trajectory left incomplete is dropped.
  void interrupt() { sums_.interrupt(); }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(sums_);
  }

  std::vector<SubTrajectories> results() const { return sums_.results(); }

 private:
  // σ of each step: Σ_α Δθ_α (F δθ)_α.
  template <class S>
  void step_entropies(const TrajectoryBlock<S, N>& block) {
    const auto x = block.deviations();
    const auto d = block.increments();
    if constexpr (TrajectoryBlock<S, N>::small) {
      force_times_state_.resize(block.steps());
      entropy_.setZero();
      for (Eigen::Index i = 0; i < x.rows(); ++i) {
        force_times_state_ = force_(i, 0) * x.row(0).transpose().template cast<double>().array();
        for (Eigen::Index j = 1; j < x.rows(); ++j)
          force_times_state_ += force_(i, j) * x.row(j).transpose().template cast<double>().array();
        entropy_ += force_times_state_ * d.row(i).transpose().template cast<double>().array();
      }
    } else {
      product_.noalias() = force_ * x.template cast<double>();
      entropy_ = product_.cwiseProduct(d.template cast<double>()).colwise().sum().transpose();
    }
  }

  Eigen::Matrix<double, N, N> force_;
  detail::EntropySums sums_;
  Eigen::ArrayXd entropy_, force_times_state_;
  Eigen::Matrix<double, N, Eigen::Dynamic> product_;
};

}  // namespace ness
