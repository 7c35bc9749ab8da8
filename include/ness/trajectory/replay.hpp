// States that were made elsewhere, seen by the estimators.
#pragma once

#include <Eigen/Core>
#include <tuple>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/trajectory/run.hpp"
#include "ness/trajectory/state_source.hpp"

namespace ness {

/// A chain whose states are known beforehand, T × N, a state in a row: for `run_chains`, which
/// observes T − 1 steps of it, and for `replay`. It refers to the states, so keep them alive.
template <class S>
class Replay {
 public:
  using States = DynamicMatrix<S>;
  using Vector = DynamicVector<S>;

  /// Throws `std::invalid_argument` for less than two states, or numbers that are not finite.
  explicit Replay(const States& states) : states_(&states) {
    detail::require(states.rows() >= 2, "Replay", "there must be at least 2 states", states.rows());
    detail::require_not_empty(states, "Replay", "a state");
    detail::require_finite(states, "Replay", "states");
    look();
  }
  explicit Replay(States&&) = delete;  // it would dangle

  /// Goes to the next state. Throws `std::invalid_argument` where there is none.
  void step() {
    detail::require(at_ + 1 < states_->rows(), "Replay", "steps must be fewer than the states",
                    at_ + 1);
    ++at_;
    look();
  }

  /// The state, N
  const Vector& theta() const { return theta_; }
  /// A Markov step is from a state to the next.
  static constexpr Eigen::Index updates_per_markov_step() { return 1; }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(at_, theta_);
  }

 private:
  void look() { theta_ = states_->row(at_).transpose(); }

  const States* states_;
  std::int64_t at_ = 0;
  Vector theta_;
};

/// The estimators, filled by the steps between successive states, T × N, a state in a row, from
/// wherever they come; one chain. Deviations are taken from the mean of the states.
///
///   const Eigen::MatrixXd states = ness::read_npy("states.npy");
///   const auto [moments, area] =
///       ness::replay(states, ness::Moments<>(n, length), ness::Area<>(n, length));
///
/// Several chains: `run_chains` with a `Replay` of each. Cost: that of the estimators; memory: that
/// of a block. Throws as `Replay`.
template <class Derived, class... Estimators>
std::tuple<Estimators...> replay(const Eigen::MatrixBase<Derived>& states,
                                 const Estimators&... estimators) {
  using Scalar = typename Derived::Scalar;
  const DynamicMatrix<Scalar>& kept = states.derived();  // a copy of what is of another type
  const Replay<Scalar> chain(kept);
  const DynamicVector<Scalar> reference = kept.colwise().mean().transpose();
  return run_chains(
      {.steps = kept.rows() - 1, .threads = 1}, [&](int) { return chain; }, reference,
      estimators...);
}

/// The same of states that need not fit in memory, read once; in double precision. Deviations are
/// taken from the mean of the first of them.
template <StateSource Source, class... Estimators>
std::tuple<Estimators...> replay(Source&& states, const Estimators&... estimators) {
  const detail::StateReader<double> reader(states);
  detail::require(reader.rows >= 2, "replay", "there must be at least 2 states", reader.rows);
  std::tuple<Estimators...> filled(estimators...);
  const auto show = [&](auto&... estimator) {
    detail::show_steps(reader, reader.reference("replay"), 0, reader.rows - 1, "replay",
                       estimator...);
  };
  std::apply(show, filled);
  const auto finish = [](auto& estimator) {
    if constexpr (requires { estimator.finish(); }) estimator.finish();
  };
  std::apply([&](auto&... estimator) { (finish(estimator), ...); }, filled);
  return filled;
}

}  // namespace ness
