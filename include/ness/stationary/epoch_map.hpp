// Epochs without replacement (App. B) to all orders in ηn‖H‖, for losses that are quadratic in θ.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "ness/detail/symmetric_matrices.hpp"
#include "ness/diffusion/epochs.hpp"
#include "ness/landscape/effective_landscape.hpp"
#include "ness/random/philox.hpp"
#include "ness/stationary/epoch_sampler.hpp"
#include "ness/stationary/linear_chain.hpp"
#include "ness/statistics/estimate.hpp"

namespace ness {

/// How many orders are drawn, and from which numbers.
struct EpochMapSettings {
  /// Random orders of the samples; each counts twice, forwards and backwards.
  std::int64_t permutations = 20'000;
  int threads = 0;  ///< 0: as many as the machine has; the result does not depend on it
  std::uint64_t seed = 1;

  /// Throws `std::invalid_argument` for a count below its least value.
  void check(std::string_view function) const {
    detail::require(permutations >= 2, function, "permutations must be at least 2", permutations);
    detail::require(threads >= 0, function, "threads must not be negative", threads);
  }
  /// Groups of orders, for the standard errors.
  int groups() const { return static_cast<int>(std::min<std::int64_t>(64, permutations)); }
  /// Orders in a group, whose scatter gives the error.
  std::int64_t group_size() const { return (permutations + groups() - 1) / groups(); }
};

/// What random orders of the samples say of the epoch map, with standard errors; per epoch.
template <class Scalar = double>
struct EpochMap {
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;
  Estimate<Vector> mean;        ///< the fixed point of the mean map, N
  Estimate<Matrix> relaxation;  ///< I − ⟨A⟩, N × N
  Estimate<Matrix> diffusion;   ///< D̂, half the second moment of the noise, N × N
  Estimate<Matrix> covariance;  ///< Σ̂, N × N
  LinearChain<Scalar> chain;    ///< of the same values: `StationaryState(map.chain)`
};

namespace detail {

/// Follows an epoch to its affine map δ → Aδ + b, and calls `look(A | b, Σ_{s<t} Q_t G_s)`.
template <class Sampler, class Look>
class MapWalk {
 public:
  using Scalar = typename Sampler::Scalar;
  using Affine = typename Sampler::Affine;

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
  typename Sampler::Vector second_, gradients_;
};

/// Averages of `look(sum, A | b, Σ_{s<t} Q_t G_s)` over the orders of each group, N × (N + 1).
template <class Sampler, class Look>
std::vector<DynamicMatrix<typename Sampler::Scalar>> average_epochs(
    const Sampler& sampler, double learning_rate, const EpochMapSettings& settings,
    const Look& look) {
  using Scalar = typename Sampler::Scalar;
  using Affine = typename Sampler::Affine;
  const Index size = sampler.regularizer().rows();
  const auto eta = static_cast<Scalar>(learning_rate);
  return sums_of_groups(settings.groups(), settings.threads,
                        DynamicMatrix<Scalar>(DynamicMatrix<Scalar>::Zero(size, size + 1)),
                        [&](DynamicMatrix<Scalar>& average, std::uint64_t stream) {
                          Affine sum = Affine::Zero(size, size + 1);
                          const auto look_at = [&](const Affine& map, const auto& second) {
                            look(sum, map, second);
                          };
                          MapWalk<Sampler, decltype(look_at)> walk(size, eta, look_at);
                          sampler.draw(settings.group_size(), Philox(settings.seed, stream), walk);
                          average = sum / static_cast<Scalar>(2 * settings.group_size());
                        });
}

/// The first two orders of the displacement b of an epoch are known: b₁ = −ηn∇𝓛 + η² Σ_{s<t} Q_t
/// G_s, ⟨b₁⟩ = −η∇𝓛̂. The averages of A and of what b is more than b₁.
template <class Sampler>
std::vector<DynamicMatrix<typename Sampler::Scalar>> average_maps(
    const Sampler& sampler, double learning_rate, const typename Sampler::Vector& first,
    const EpochMapSettings& settings) {
  using Scalar = typename Sampler::Scalar;
  const auto square = static_cast<Scalar>(learning_rate * learning_rate);
  const Index size = first.size();
  return average_epochs(sampler, learning_rate, settings,
                        [&](auto& sum, const auto& map, const auto& second) {
                          sum += map;
                          sum.col(size) -= first + square * second;
                        });
}

/// What the noise makes beyond the leading order: (½⟨ccᵀ − known knownᵀ⟩ + ½⟨(A−⟨A⟩)Σ̂(A−⟨A⟩)ᵀ⟩ |
/// ⟨c − known⟩), c = b + (A − I)⟨δ⟩, with Σ̂ = root rootᵀ.
template <class Sampler>
std::vector<DynamicMatrix<typename Sampler::Scalar>> average_noise(
    const Sampler& sampler, double learning_rate, const typename Sampler::Vector& correction,
    const typename Sampler::Vector& shift, const typename Sampler::Matrix& mean_map,
    const typename Sampler::Matrix& root, const EpochMapSettings& settings) {
  using Scalar = typename Sampler::Scalar;
  const auto square = static_cast<Scalar>(learning_rate * learning_rate);
  const Index size = shift.size();
  return average_epochs(
      sampler, learning_rate, settings, [&](auto& sum, const auto& map, const auto& second) {
        const typename Sampler::Vector c = map.col(size) + map.leftCols(size) * shift - shift;
        const typename Sampler::Vector known = square * second - correction;
        const typename Sampler::Matrix scatter = (map.leftCols(size) - mean_map) * root;
        sum.leftCols(size) +=
            (c * c.transpose() - known * known.transpose() + scatter * scatter.transpose()) / 2;
        sum.col(size) += c - known;
      });
}

/// Mean and standard error of the averages of groups.
template <class Scalar>
Estimate<DynamicMatrix<Scalar>> estimate_of_groups(
    const std::vector<DynamicMatrix<Scalar>>& groups);

/// From the averages to the affine map (I − ⟨A⟩ | ⟨δ⟩). Throws where it does not contract.
template <class Scalar>
DynamicMatrix<Scalar> contracting_map(const DynamicMatrix<Scalar>& mean_map,
                                      const DynamicVector<Scalar>& known, double learning_rate);

/// S with SSᵀ = Σ̂ of leading order. Throws where there is none.
template <class Scalar>
DynamicMatrix<Scalar> leading_root(const DynamicMatrix<Scalar>& relaxation,
                                   const DynamicMatrix<Scalar>& diffusion, double learning_rate);

/// All that follows, with what groups of orders add to D̂ and to the displacement.
template <class Scalar>
EpochMap<Scalar> assemble_epoch_map(const DynamicVector<Scalar>& theta,
                                    const DynamicVector<Scalar>& shift,
                                    const Estimate<DynamicMatrix<Scalar>>& relaxation,
                                    const DynamicMatrix<Scalar>& leading,
                                    const std::vector<DynamicMatrix<Scalar>>& more,
                                    double learning_rate);

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
template <class M, class R, class Theta, DrawsOrders T>
EpochMap<scalar_t<M>> sample_epoch_map(const Objective<M, R>& objective,
                                       const Eigen::MatrixBase<Theta>& theta, const T& training,
                                       const EpochMapSettings& settings = {}) {
  using Scalar = scalar_t<M>;
  using Matrix = DynamicMatrix<Scalar>;
  using Vector = DynamicVector<Scalar>;
  static_assert(TwiceDifferentiable<M>,
                "ness: the epoch map needs second derivatives of single samples: make sample_loss "
                "generic, or give your Model `sample_hessian_products`");
  static_assert(Forgets<T>,
                "ness: the epoch map is that of updates that remember nothing: with momentum use "
                "EpochOrder::additive of ness::predict");
  static_assert(SilentNoise<typename T::Noise>,
                "ness: the epoch map is that of SGD: for samplers use exact_posterior_error");
  constexpr std::string_view name = "sample_epoch_map";
  const vector_t<M> at = objective.point(theta, name);
  training.check(objective.samples(), name);
  settings.check(name);
  const Index size = at.size();
  const double eta = training.learning_rate;
  const detail::EpochSampler sampler(objective, at, training.minibatch);
  const Index n = sampler.batches_per_epoch();

  const EffectiveLandscape<M, R> landscape(objective, training);
  const vector_t<M> first =
      static_cast<Scalar>(-eta * static_cast<double>(n)) * objective.gradient(at);
  const vector_t<M> correction = static_cast<Scalar>(-eta) * landscape.correction_gradient(at);
  const auto maps = detail::estimate_of_groups(detail::average_maps(sampler, eta, first, settings));
  const Vector known = first + correction;
  const Matrix map = detail::contracting_map(maps.value, known, eta);
  const Matrix relaxation = map.leftCols(size);
  const Vector shift = map.col(size);

  const Matrix leading = diffusion(objective, at, training);
  std::vector<Matrix> more(static_cast<std::size_t>(settings.groups()),
                           Matrix::Zero(size, size + 1));
  if (n > 1)  // a single batch makes no noise, only rounding errors
    more = detail::average_noise(sampler, eta, correction, shift,
                                 matrix_t<M>::Identity(size, size) - relaxation,
                                 detail::leading_root(relaxation, leading, eta), settings);
  return detail::assemble_epoch_map<Scalar>(
      at, shift, {relaxation, maps.standard_error.leftCols(size)}, leading, more, eta);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library
namespace ness::detail {

template <class Scalar>
Estimate<DynamicMatrix<Scalar>> estimate_of_groups(
    const std::vector<DynamicMatrix<Scalar>>& groups) {
  BatchMeans<Scalar> means(groups.front().rows(), groups.front().cols(), 1);
  for (const DynamicMatrix<Scalar>& group : groups) means.add(group, 1);
  return means.estimate();
}

template <class Scalar>
DynamicMatrix<Scalar> contracting_map(const DynamicMatrix<Scalar>& mean_map,
                                      const DynamicVector<Scalar>& known, double learning_rate) {
  const Index size = mean_map.rows();
  const DynamicMatrix<Scalar> a = mean_map.leftCols(size);
  DynamicMatrix<Scalar> relaxation = DynamicMatrix<Scalar>::Identity(size, size);
  relaxation -= (a + a.transpose()) / 2;
  DynamicVector<Scalar> shift = known + mean_map.col(size);
  if (!solve_positive_definite(relaxation, shift))
    invalid("sample_epoch_map",
            "the mean map A of an epoch must contract, but I - A is not positive definite: start "
            "from a minimum, or lower learning_rate, which is ",
            learning_rate);
  DynamicMatrix<Scalar> map(size, size + 1);
  map.leftCols(size) = relaxation;
  map.col(size) = shift;
  return map;
}

template <class Scalar>
DynamicMatrix<Scalar> leading_root(const DynamicMatrix<Scalar>& relaxation,
                                   const DynamicMatrix<Scalar>& diffusion, double learning_rate) {
  const auto estimate = solve_lyapunov(relaxation, diffusion, 1, LyapunovForm::continuous);
  if (estimate.status != LyapunovStatus::solved)
    invalid("sample_epoch_map", "the map of an epoch must contract, but its status is '",
            to_string(estimate.status), "': lower learning_rate, which is ", learning_rate);
  return SymmetricEigen<Scalar>(estimate.covariance).root();
}

template <class Scalar>
EpochMap<Scalar> assemble_epoch_map(const DynamicVector<Scalar>& theta,
                                    const DynamicVector<Scalar>& shift,
                                    const Estimate<DynamicMatrix<Scalar>>& relaxation,
                                    const DynamicMatrix<Scalar>& leading,
                                    const std::vector<DynamicMatrix<Scalar>>& more,
                                    double learning_rate) {
  const Index size = theta.size();
  LyapunovEquation<Scalar> equation(relaxation.value, 1, LyapunovForm::discrete,
                                    "sample_epoch_map");
  BatchMeans<Scalar> covariances(size, size, 1);
  BatchMeans<Scalar> means(size, 1, 1);
  for (const DynamicMatrix<Scalar>& group : more) {
    covariances.add(equation.solve(leading + group.leftCols(size)), 1);
    DynamicVector<Scalar> displacement = group.col(size);
    solve_positive_definite(relaxation.value, displacement);
    means.add(displacement, 1);
  }
  const auto noise = estimate_of_groups(more);
  const DynamicMatrix<Scalar> d = leading + noise.value.leftCols(size);
  EpochMap<Scalar> map;
  map.chain.mean = theta + shift;
  map.chain.relaxation = relaxation.value;
  map.chain.diffusion = (d + d.transpose()) / 2;
  map.chain.mobility =
      DynamicMatrix<Scalar>::Identity(size, size) * static_cast<Scalar>(learning_rate);
  map.chain.step = MarkovStep::epoch;
  map.chain.form = LyapunovForm::discrete;
  map.mean = {map.chain.mean, means.standard_error()};
  map.relaxation = relaxation;
  map.diffusion = {map.chain.diffusion, noise.standard_error.leftCols(size)};
  map.covariance = {equation.solve(map.chain.diffusion), covariances.standard_error()};
  return map;
}

}  // namespace ness::detail
#endif
