// Epochs without replacement (App. B) to all orders in ηn‖H‖, for losses that are quadratic in θ.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "ness/diffusion/without_replacement.hpp"
#include "ness/landscape/effective_landscape.hpp"
#include "ness/stationary/epoch_sampler.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/statistics/estimate.hpp"

namespace ness {

struct EpochMapSettings {
  /// Random orders of the samples; each counts twice, forwards and backwards.
  std::int64_t permutations = 20'000;
  int threads = 0;  ///< 0: as many as the machine has; the result does not depend on it
  std::uint64_t seed = 1;
  double rank_tolerance = 0;  ///< of the state, as in `StationarySettings`

  /// Throws `std::invalid_argument` for a count below its least value.
  void check(std::string_view function) const {
    detail::require(permutations >= 2, function, "permutations must be at least 2", permutations);
    detail::require(threads >= 0, function, "threads must not be negative", threads);
  }
  /// Groups of orders, for the standard errors.
  int groups() const { return static_cast<int>(std::min<std::int64_t>(64, permutations)); }
  std::int64_t group_size() const { return (permutations + groups() - 1) / groups(); }
};

/// What random orders of the samples say of the epoch map, with standard errors; per epoch.
template <class Matrix>
struct EpochMap {
  using Vector = Eigen::Matrix<typename Matrix::Scalar, Matrix::RowsAtCompileTime, 1>;
  Estimate<Vector> mean;        ///< the fixed point of the mean map, N
  Estimate<Matrix> hessian;     ///< (I − ⟨A⟩)/η, N × N
  Estimate<Matrix> diffusion;   ///< D̂, half the second moment of the noise, N × N
  Estimate<Matrix> covariance;  ///< Σ̂, N × N
  StationaryState<Matrix> state;
};

namespace detail {

/// Follows an epoch to its affine map δ → Aδ + b, and calls `look(A | b, Σ_{s<t} Q_t G_s)`.
template <class Affine, class Vector, class Look>
class MapWalk {
 public:
  using Scalar = typename Affine::Scalar;
  MapWalk(Index size, Scalar learning_rate, const Look& look)
      : size_(size),
        learning_rate_(learning_rate),
        look_(look),
        map_(size, size + 1),
        force_(size, size + 1),
        second_(size),
        gradients_(size) {}
  void begin() {
    map_.setIdentity();
    second_.setZero();
    gradients_.setZero();
  }
  void follow(const Affine& batch) {
    // δ' = δ − η(Qδ + G)
    force_.noalias() = batch.leftCols(size_) * map_;
    force_.col(size_) += batch.col(size_);
    map_ -= learning_rate_ * force_;
    second_.noalias() += batch.leftCols(size_) * gradients_;
    gradients_ += batch.col(size_);
  }
  void end() { look_(map_, second_); }

 private:
  Index size_;
  Scalar learning_rate_;
  const Look& look_;
  Affine map_, force_;
  Vector second_, gradients_;
};

}  // namespace detail

/// The stationary state of epochs without replacement to all orders in ηn‖H‖ (not in the paper).
///
/// Each loss is taken for quadratic about `theta` (θ̂₀ is best), with its own gradient and Hessian
/// there. One epoch is then an affine map δ' = Aδ + b, A = ∏_t (I − ηQ_t) with the Hessian Q_t of
/// batch t, and independent epochs have
///   ⟨δ⟩ = (I − ⟨A⟩)⁻¹⟨b⟩,  Σ̂ = ⟨A⟩Σ̂⟨A⟩ + 2D̂,  2D̂ = ⟨ccᵀ⟩ + ⟨(A−⟨A⟩)Σ̂(A−⟨A⟩)ᵀ⟩,
/// c = b + (A − I)⟨δ⟩. The averages are over random orders of the samples, each taken forwards and
/// backwards, which makes ⟨A⟩ symmetric; the standard errors are from 64 groups of them. Only what
/// lies beyond the order η² of an epoch is averaged: that order itself, ∇δ𝓛 and D̂ of Appendix B, is
/// known exactly and serves as a control variate. In the small second term of D̂ the Σ̂ of leading
/// order is used.
///
/// Cost: for each order M N² + 2n N³ additions and multiplications, twice; memory M N(N+1) numbers:
/// for tens of parameters. The same numbers for any number of threads. Throws
/// `std::invalid_argument` for bad settings, or if the map does not contract.
template <class M, class R>
EpochMap<matrix_t<M>> sample_epoch_map(const Objective<M, R>& objective, const vector_t<M>& theta,
                                       const Sgd<WithoutReplacement>& training,
                                       const EpochMapSettings& settings = {}) {
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  static_assert(TwiceDifferentiable<M>,
                "ness: the epoch map needs second derivatives of single samples: make sample_loss "
                "generic, or give your Model `sample_hessian_products`");
  constexpr std::string_view name = "sample_epoch_map";
  objective.check(theta, name);
  training.check(objective.samples(), name);
  settings.check(name);
  const Index size = theta.size();
  const auto eta = static_cast<Scalar>(training.learning_rate);
  const detail::EpochSampler<M> sampler(objective, theta, training);
  using Affine = typename detail::EpochSampler<M>::Affine;

  const int groups = settings.groups();
  const std::int64_t group_size = settings.group_size();
  // Averages of `look(sum, A | b, Σ_{s<t} Q_t G_s)` over all orders, and over each group of them.
  const auto average = [&](const auto& look) {
    auto sums = detail::sums_of_groups(
        groups, settings.threads, Affine(Affine::Zero(size, size + 1)),
        [&](Affine& sum, std::uint64_t stream) {
          const auto look_at = [&](const Affine& map, const Vector& second) {
            look(sum, map, second);
          };
          detail::MapWalk<Affine, Vector, decltype(look_at)> walk(size, eta, look_at);
          sampler.draw(group_size, Philox(settings.seed, stream), walk);
        });
    BatchMeans<Affine> means(sums.front(), 1);
    for (Affine& sum : sums) {
      sum /= static_cast<Scalar>(2 * group_size);
      means.add(sum, 1);
    }
    return std::pair(means.estimate(), std::move(sums));
  };

  // The first two orders of b are known: b₁ = −ηn∇𝓛 + η² Σ_{s<t} Q_t G_s, ⟨b₁⟩ = −η∇𝓛̂.
  const EffectiveLandscape<M, R> landscape(objective, training);
  const Scalar n = landscape.batches_per_epoch();
  const Vector first = -eta * n * objective.gradient(theta);
  const Vector correction = -eta * landscape.correction_gradient(theta);
  const auto maps = average([&](Affine& sum, const Affine& map, const Vector& second) {
                      sum += map;
                      sum.col(size) -= first + eta * eta * second;
                    }).first;
  Matrix a = maps.value.leftCols(size);
  a = (a + a.transpose()).eval() / 2;
  const Matrix hessian = (Matrix::Identity(size, size) - a) / eta;
  detail::DynamicVector<Scalar> solved = (first + correction + maps.value.col(size)) / eta;
  if (!detail::solve_positive_definite<Scalar>(hessian, solved))
    detail::invalid(name,
                    "the mean map of an epoch must contract, but (I - A)/eta is not positive "
                    "definite: start from a minimum, or lower learning_rate, which is ",
                    training.learning_rate);
  const Vector shift = solved;

  const Matrix leading = diffusion(objective, theta, training);
  const auto estimate = solve_lyapunov(hessian, leading, training.learning_rate);
  if (estimate.status != LyapunovStatus::solved)
    detail::invalid(name, "the map of an epoch must contract, but its status is '",
                    to_string(estimate.status), "': lower learning_rate, which is ",
                    training.learning_rate);
  const detail::SymmetricEigen<Matrix> spread(estimate.covariance);
  const Matrix root = spread.vectors * spread.values.cwiseMax(Scalar(0)).cwiseSqrt().asDiagonal();
  const auto [noise, group_noise] =
      average([&](Affine& sum, const Affine& map, const Vector& second) {
        if (n == 1) return;  // a single batch makes no noise, only rounding errors
        const Vector c = map.col(size) + map.leftCols(size) * shift - shift;
        const Vector known = eta * eta * second - correction;
        const Matrix scatter = (map.leftCols(size) - a) * root;
        sum.leftCols(size) +=
            (c * c.transpose() - known * known.transpose() + scatter * scatter.transpose()) / 2;
        sum.col(size) += c - known;
      });

  const auto covariance_of = [&](const Matrix& d) {
    return solve_lyapunov(hessian, d, training.learning_rate, LyapunovForm::discrete).covariance;
  };
  BatchMeans<Matrix> covariances(hessian, 1);
  BatchMeans<Vector> means(shift, 1);
  for (const Affine& group : group_noise) {
    covariances.add(covariance_of(leading + group.leftCols(size)), 1);
    solved = group.col(size) / eta;
    detail::solve_positive_definite<Scalar>(hessian, solved);
    means.add(Vector(solved), 1);
  }
  const Matrix d = leading + noise.value.leftCols(size);
  StationaryState<Matrix> state(
      theta + shift, hessian, (d + d.transpose()) / 2, training.learning_rate,
      {.form = LyapunovForm::discrete, .rank_tolerance = settings.rank_tolerance});
  return {.mean = {state.mean, means.standard_error()},
          .hessian = {hessian, maps.standard_error.leftCols(size) / eta},
          .diffusion = {state.diffusion, noise.standard_error.leftCols(size)},
          .covariance = {state.covariance, covariances.standard_error()},
          .state = std::move(state)};
}

}  // namespace ness
