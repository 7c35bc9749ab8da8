// Epochs of samplers, for losses quadratic about the minimum θ₀: sums over random ones of what
// their exact first and second moments are made of.
#pragma once

#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "ness/detail/general_matrices.hpp"
#include "ness/landscape/effective_landscape.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/posterior/gaussian_posterior.hpp"
#include "ness/random/philox.hpp"
#include "ness/stationary/epoch_sampler.hpp"
#include "ness/training/training.hpp"

namespace ness::detail {

/// Sums over epochs δ' = Aδ + b + noise.
template <class Scalar>
struct EpochSums {
  using Matrix = DynamicMatrix<Scalar>;
  std::int64_t count = 0;
  Matrix map;     ///< (A | b)
  Matrix excess;  ///< AΣ_poAᵀ + ⟨noise noiseᵀ⟩ − Σ_po
  Matrix pairs;   ///< (A | b) ⊗ (A | b)

  explicit EpochSums(Index size)
      : map(Matrix::Zero(size, size + 1)),
        excess(Matrix::Zero(size, size)),
        pairs(Matrix::Zero(size * size, (size + 1) * (size + 1))) {}
  EpochSums& operator+=(const EpochSums& other) {
    count += other.count;
    map += other.map;
    excess += other.excess;
    pairs += other.pairs;
    return *this;
  }
  EpochSums& operator-=(const EpochSums& other) {
    count -= other.count;
    map -= other.map;
    excess -= other.excess;
    pairs -= other.pairs;
    return *this;
  }
};

/// The force of `PairForce` on a set of samples as an affine function of δ, from its definition.
template <class Sampler>
typename Sampler::Affine affine_pair_force(const Sampler& sampler, LandscapeParts parts,
                                           Batch set) {
  using Affine = typename Sampler::Affine;
  using Scalar = typename Sampler::Scalar;
  const Affine mean = sampler.mean(set);
  const Affine of_loss = mean - sampler.regularizer();
  const Index size = mean.rows();
  const auto k = static_cast<Scalar>(set.size());
  Affine scatter = Affine::Zero(size, size + 1);
  for (const Index i : set) {
    const Affine from_mean = sampler.sample(i) - of_loss;
    scatter += sampler.sample(i).leftCols(size) * from_mean / (k - 1);
  }
  const auto a = static_cast<Scalar>(parts.discretization);
  const auto b = static_cast<Scalar>(parts.sampling);
  const Scalar c = a / k + (b - a) / static_cast<Scalar>(sampler.samples());
  return a * mean.leftCols(size) * mean - c * scatter;
}

/// What all epochs of a sampler have in common, and the walk through one of them.
///
/// With H the mean and q_t = Q_t − H of the batches' Hessians, Σ_t q_t = 0, the terms of order η²
/// of an order taken forwards and backwards, or there and back, are −½η² Σ_t q_t(Q_t | G_t) in
/// (A | b), whose mean is known: what an order has more than this is taken away again. Of other
/// epochs it is not known, and left.
template <class M, class T>
class SamplerEpochs {
 public:
  using Sampler = EpochSampler<scalar_t<M>, parameters_at_compile_time<M>, typename T::Minibatch>;
  using Scalar = scalar_t<M>;
  using Matrix = typename Sampler::Matrix;
  using Affine = typename Sampler::Affine;

  template <class R>
  SamplerEpochs(const Objective<M, R>& objective, const GaussianPosterior<Scalar>& posterior,
                const T& training)
      : sampler_(objective, objective.point(posterior.mean, "exact_posterior_error"),
                 training.minibatch),
        precision_(posterior.precision),
        covariance_(posterior.covariance),
        correction_(training.correction),
        size_(posterior.mean.size()),
        eta_(static_cast<Scalar>(training.learning_rate)),
        n_(static_cast<Scalar>(sampler_.batches_per_epoch())),
        expected_(Affine::Zero(size_, size_ + 1)),
        force_(Affine::Zero(size_, size_ + 1)) {
    const EpochCorrelation correlation = training.minibatch.epoch_correlation(sampler_.samples());
    is_known_ = DrawsOrders<T> || (correlation.mirrored && correlation.covers_all());
    const auto n = static_cast<Scalar>(correlation.batches);
    if (!is_known_ || n == 1) return;
    std::vector<std::uint32_t> all(static_cast<std::size_t>(sampler_.samples()));
    std::iota(all.begin(), all.end(), 0U);
    constexpr LandscapeParts sampling{.discretization = 0, .sampling = 1};
    expected_ = -n_ * (n - 1) * affine_pair_force(sampler_, sampling, all);
    if constexpr (corrects) force_ = affine_pair_force(sampler_, T::Correction::parts, all);
  }

  /// Adds `orders` random orders, each forwards and backwards, drawn from a stream of `seed`.
  void add(std::int64_t orders, std::uint64_t seed, std::uint64_t stream,
           EpochSums<Scalar>& sums) const {
    Walk walk(*this, Philox(seed, stream + (std::uint64_t{1} << 32)), sums);
    sampler_.draw(orders, Philox(seed, stream), walk);
  }

 private:
  static constexpr bool at_end = T::Noise::injection.once_a_markov_step;
  static constexpr bool is_shared = T::Noise::injection.shared;
  static constexpr bool corrects = CancelsLandscape<typename T::Correction>;

  class Walk {
   public:
    Walk(const SamplerEpochs& common, const Philox& random, EpochSums<Scalar>& sums)
        : common_(common), random_(random), sums_(sums) {
      if constexpr (corrects)
        if (common.correction_.samples > 0)
          subset_.emplace(WithReplacement{common.correction_.samples}, common.sampler_.samples());
    }

    void begin() {
      const Index size = common_.size_;
      map_.setIdentity(size, size + 1);
      excess_.setZero(size, size);
      products_.setZero(size, size + 1);
      after_first_.setIdentity(size, size);
      updates_ = 0;
    }

    void follow(const Affine& batch) {
      const Index size = common_.size_;
      const Scalar eta = common_.eta_;
      const Matrix& sigma = common_.covariance_;
      const auto q = batch.leftCols(size);
      const Matrix deviation = q - common_.precision_;
      products_ += deviation * batch;
      if (corrects && is_shared && updates_++ > 0)
        after_first_ -= (eta * (q * after_first_)).eval();
      const Affine force = q * map_;
      map_ -= eta * force;
      map_.col(size) -= eta * batch.col(size);
      // Σ_po + E → T(Σ_po + E)T + noise, T = I − ηQ. With noise 2ηI after each update the order η
      // of it is −η(qΣ_po + Σ_po q); what is shared makes the noise less by η²Q.
      const Matrix first = (at_end ? Matrix(q) : deviation) * sigma;
      Matrix second = q * sigma * q;
      if constexpr (is_shared) second -= q;
      const Matrix moved = excess_ - eta * (q * excess_);
      excess_ = moved - eta * (moved * q) - eta * (first + first.transpose()) + eta * eta * second;
    }

    void end() {
      const Index size = common_.size_;
      const Scalar eta = common_.eta_;
      if constexpr (at_end) excess_.diagonal().array() += 2 * eta * common_.n_;
      if constexpr (corrects) correct();
      Affine more = Affine::Zero(size, size + 1);
      if (common_.is_known_) more = eta * eta / 2 * (products_ - common_.expected_);
      const Matrix spread = more.leftCols(size) * common_.covariance_;
      ++sums_.count;
      sums_.map += map_ + more;
      sums_.excess += excess_ + spread + spread.transpose();
      for (Index j = 0; j <= size; ++j)
        for (Index i = 0; i < size; ++i)
          sums_.pairs.block(i * size, j * (size + 1), size, size + 1) += map_(i, j) * map_;
    }

   private:
    // + η∇δ𝓛 at the start of the epoch, where the state is δ itself.
    void correct() {
      const Scalar eta = common_.eta_;
      Affine force = common_.force_;
      if (subset_)
        force = affine_pair_force(common_.sampler_, T::Correction::parts, subset_->next(random_));
      force *= -eta * eta * common_.n_ * (common_.n_ - 1) / 2;
      const auto slope = force.leftCols(common_.size_);
      const Matrix turned = slope * common_.covariance_;
      Matrix mixed = turned * map_.leftCols(common_.size_).transpose();
      // δ holds the normal number that the first update adds again.
      if constexpr (is_shared) mixed += eta / 2 * slope * after_first_.transpose();
      excess_ += mixed + mixed.transpose() + turned * slope.transpose();
      map_ += force;
    }

    const SamplerEpochs& common_;
    Philox random_;
    EpochSums<Scalar>& sums_;
    std::optional<WithReplacement::Sampler> subset_;
    Affine map_, products_;        // (A | b), Σ_t q_t(Q_t | G_t)
    Matrix excess_, after_first_;  // E, the product of all T but the first
    Index updates_ = 0;
  };

  Sampler sampler_;
  Matrix precision_, covariance_;  // of the posterior
  [[no_unique_address]] typename T::Correction correction_;
  Index size_;
  Scalar eta_, n_;
  bool is_known_ = false;
  Affine expected_;  // ⟨Σ_t q_t(Q_t | G_t)⟩
  Affine force_;     // from all samples
};

/// ⟨δ⟩ and Σ − Σ_po: with ⟨δ⟩ = (I − ⟨A⟩)⁻¹⟨b⟩, the second moment S about θ₀ is that of
///   S = ⟨A S Aᵀ⟩ + ⟨A⟨δ⟩bᵀ⟩ + ⟨b⟨δ⟩ᵀAᵀ⟩ + ⟨bbᵀ⟩ + ⟨noise noiseᵀ⟩.
template <class Scalar>
std::pair<DynamicVector<Scalar>, DynamicMatrix<Scalar>> solve_moments(
    const EpochSums<Scalar>& sums);

}  // namespace ness::detail

#ifndef NESS_COMPILED  // else they are in the library
namespace ness::detail {

template <class Scalar>
std::pair<DynamicVector<Scalar>, DynamicMatrix<Scalar>> solve_moments(
    const EpochSums<Scalar>& sums) {
  using Matrix = DynamicMatrix<Scalar>;
  const Index n = sums.excess.rows();
  const Scalar weight = Scalar(1) / static_cast<Scalar>(sums.count);
  Matrix system = -weight * sums.map.leftCols(n);
  system.diagonal().array() += Scalar(1);
  const Matrix displacement = weight * sums.map.col(n);
  const Matrix shift = solve_general(system, displacement);

  DynamicVector<Scalar> means(n + 1);  // of (δ, 1)
  means.head(n) = shift.col(0);
  means[n] = Scalar(1);
  system.resize(n * n, n * n);
  Matrix source(n * n, 1);
  source.col(0) = weight * sums.excess.reshaped();
  for (Index j = 0; j <= n; ++j)
    for (Index l = 0; l <= n; ++l) {
      const auto pair = sums.pairs.col(j * (n + 1) + l);
      if (j < n && l < n)
        system.col(j * n + l) = -weight * pair;
      else
        source.col(0) += weight * means[j] * means[l] * pair;
    }
  system.diagonal().array() += Scalar(1);
  const Matrix second = solve_general(system, source).reshaped(n, n);
  const DynamicVector<Scalar> mean = shift.col(0);
  return {mean, (second + second.transpose()) / 2 - mean * mean.transpose()};
}

}  // namespace ness::detail
#endif
