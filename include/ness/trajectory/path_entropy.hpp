// Entropy production along the trajectory of any system (Eq. 7).
#pragma once

#include <utility>
#include <vector>

#include "ness/detail/matrices.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/sub_trajectories.hpp"

namespace ness {

/// Where in a step the integrand of ∫F·dθ is taken.
enum class StochasticIntegral {
  ito,          ///< at its start
  stratonovich  ///< along the chord from its start to its end, by Gauss's rule of two points
};

namespace detail {

/// The vectors that a force takes: those it names, else of run-time size.
template <class Force>
struct VectorOfForce {
  using type = DynamicVector<double>;
};
template <class Force>
  requires requires { typename Force::Vector; }
struct VectorOfForce<Force> {
  using type = typename Force::Vector;
};

}  // namespace detail

/// σ = ∫F∘dθ (Eq. 7) over consecutive sub-trajectories of given lengths, F = D⁻¹v^s
/// (`StationaryForce`), or without Φ (`ThermodynamicForce`: the same mean, no fluctuation theorem).
///
/// Eq. 7 is an integral in the sense of Stratonovich: then ⟨σ⟩ = ⟨v^s·D⁻¹v^s⟩ ≥ 0, and σ changes
/// its sign when the trajectory is reversed, so that Eqs. 8 and 9 hold. In the sense of Itô the
/// mean is less by ⟨D_αγ ∂_α F_γ⟩. That vanishes for a linear force and constant D (tr CΣ⁻¹ = 0),
/// and there ⟨e^{−σ}⟩ = 1 as well, step by step: see `EntropyProduction`, which does that case
/// faster.
///
/// A force that has a potential leaves the difference of it between the ends, to the fifth order of
/// the steps, and none is asked for at the ends, which may be on a boundary where it is infinite.
/// `Force` is called as force(theta, out), with vectors of its type `Vector`, else of run-time
/// size. Cost: two calls for each step, Itô's one.
template <class Force>
class PathEntropy {
 public:
  /// `bins` over ±`range` for the histograms of σ. Throws `std::invalid_argument` for a length
  /// below 1.
  PathEntropy(Force force, const std::vector<int>& lengths, std::int64_t batch_length, double range,
              StochasticIntegral integral = StochasticIntegral::stratonovich,
              Eigen::Index bins = 200)
      : force_(std::move(force)),
        integral_(integral),
        sums_(lengths, batch_length, range, bins, "PathEntropy") {}

  template <class S>
  void add(const TrajectoryBlock<S>& block) {
    // A state in a column, as the force takes it.
    states_ = block.all_deviations().transpose().template cast<double>();
    const Vector reference = block.reference().template cast<double>();
    entropy_.resize(block.steps());
    at_ = force_here_ = sum_ = reference;  // the right sizes
    for (Eigen::Index k = 0; k < block.steps(); ++k) {
      const auto step = states_.col(k + 1) - states_.col(k);
      const auto evaluate = [&](double fraction) -> const Vector& {
        at_ = reference + states_.col(k) + fraction * step;
        force_(std::as_const(at_), force_here_);
        return force_here_;
      };
      if (integral_ == StochasticIntegral::ito) {
        entropy_[k] = evaluate(0).dot(step);
      } else {
        sum_ = evaluate(first_node);
        entropy_[k] = (sum_ + evaluate(1 - first_node)).dot(step) / 2;
      }
    }
    sums_.add(entropy_);
  }

  /// Sub-trajectories left incomplete at the end of `other` are dropped.
  void merge(const PathEntropy& other) { sums_.merge(other.sums_); }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(sums_);
  }

  /// One for each length.
  std::vector<SubTrajectories> results() const { return sums_.results(); }

 private:
  using Vector = typename detail::VectorOfForce<Force>::type;
  static constexpr double first_node = 0.21132486540518711775;  // ½ − 1/√12

  Force force_;
  StochasticIntegral integral_;
  detail::EntropySums<double> sums_;
  DynamicVector<double> entropy_;
  DynamicMatrix<double> states_;
  Vector at_, force_here_, sum_;
};

}  // namespace ness
