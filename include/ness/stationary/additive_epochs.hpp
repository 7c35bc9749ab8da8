// Epochs to all orders in ηnh, with and without momentum, for noise that is the same everywhere
// (not in the paper).
#pragma once

#include "ness/minibatch/epoch_correlation.hpp"
#include "ness/stationary/linear_chain.hpp"
#include "ness/stationary/momentum.hpp"
#include "ness/update/update.hpp"

namespace ness {

namespace detail {

/// As `covariance_of_chain_with_memory`, of a chain whose noise is that of epochs.
template <class Scalar>
ChainCovariance<Scalar> covariance_of_epochs(const LinearChain<Scalar>& chain);

/// K̂ = 1 − (1 − K)ⁿ and D̂ of plain updates at the ends of epochs, in place of those of an update.
template <class Scalar>
void make_epochs(const EpochCorrelation& epoch, LinearChain<Scalar>& chain);

}  // namespace detail

/// The same chain in epochs: K = ηH and D are those of one plain update, and the noise ξ_t of the
/// updates of an epoch has ⟨ξ_tξ_sᵀ⟩ = 2D c_ts/c_tt as `epoch` states. With the pair s = (θ, ηb) of
/// each eigenvector of H, s' = As + uξ, and u_t = A^{n−1−t}u,
///   Σ̂ = AⁿΣ̂Aⁿᵀ + Σ_ts (c_ts/c_tt) u_t 2D u_sᵀ
/// at the end of an epoch. Averaged over its updates, S = ASAᵀ + what one update adds and how it
/// depends on those before. Where ηnh ≪ 1 and the batches are all of the samples Σ̂ is (ηnh)²/12 of
/// that of independent batches at the end of an epoch, and ηnh/3 of it averaged: two answers to two
/// questions. Nothing is subtracted that nearly cancels.
///
/// Plain updates seen at the ends of epochs are a Markov chain: K becomes K̂, D becomes D̂, and ⟨σ⟩
/// is that of it. Else K and D remain those of an update, ⟨σ⟩ is not known (NaN), and C is the
/// area of a step, which is an update where phases are averaged. What is left out is that batches
/// differ in curvature. Cost: one eigendecomposition, products of N × n with n × N, and N² small
/// systems; memory O(N² + Nn).
template <class Scalar>
void follow_epochs(const LinearUpdate& update, const EpochCorrelation& epoch, EpochPhase phase,
                   LinearChain<Scalar>& chain) {
  chain.form = LyapunovForm::discrete;
  chain.step = phase == EpochPhase::end ? MarkovStep::epoch : MarkovStep::update;
  if (phase == EpochPhase::end && update.forgets()) {
    chain.relaxation *= static_cast<Scalar>(update.of_gradient());
    chain.diffusion *= static_cast<Scalar>(update.of_gradient() * update.of_gradient());
    detail::make_epochs(epoch, chain);
    return;
  }
  chain.update = update;
  chain.epoch = epoch;
  chain.phase = phase;
  chain.solve = &detail::covariance_of_epochs<Scalar>;
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace ness::detail {

/// The motion of one eigenvector of H in an epoch, as the pair (θ, ηb), by I − A and its powers, of
/// which nothing is lost where x = ηh is small.
class EpochMode {
 public:
  using Pair = Eigen::Vector2d;
  using Map = Eigen::Matrix2d;

  EpochMode(const LinearUpdate& update, const EpochCorrelation& epoch, double x)
      : kick_(-update.of_gradient(), update.gain) {
    loss_ << update.of_gradient() * x, update.buffered * update.momentum, -update.gain * x,
        1 - update.momentum;
    const auto n = static_cast<std::size_t>(epoch.batches);
    const auto updates = static_cast<std::size_t>(epoch.updates());
    // Powers A^k, I − A^k and A^ku − u.
    std::vector<Map> power{Map::Identity()}, lost{Map::Zero()};
    const Map a = Map::Identity() - loss_;
    moved_ = {Pair::Zero()};
    const Pair first = loss_ * kick_;
    for (std::size_t k = 0; k < updates; ++k) {
      lost.push_back(lost[k] + power[k] * loss_);
      moved_.push_back(moved_[k] - power[k] * first);
      power.push_back(power[k] * a);
    }
    loss_of_epoch_ = lost[updates];
    if (!epoch.mirrored) {
      last_ = kick_;
      away_.assign(moved_.begin(), moved_.begin() + static_cast<std::ptrdiff_t>(n));
    } else {
      last_ = 2 * kick_ + moved_[n - 1] + moved_[n];
      away_ = {Pair::Zero()};
      for (std::size_t k = 1; k < n; ++k)
        away_.push_back(away_.back() + power[n - 1 - k] * (lost[2 * k] * first));
    }
    mean_away_.setZero();
    for (const Pair& each : away_) mean_away_ += each / static_cast<double>(n);
  }

  const Map& loss() const { return loss_; }                    ///< I − A
  const Map& loss_of_epoch() const { return loss_of_epoch_; }  ///< I − A^(updates)
  const Pair& kick() const { return kick_; }                   ///< u
  /// Of the response w_t to the noise of batch t at the end of the epoch, t = n − 1 − k: that to
  /// the last batch, how far that to batch t is from the mean, and the mean.
  const Pair& last() const { return last_; }
  Pair away(std::size_t k) const { return away_[k] - mean_away_; }
  Pair mean() const { return last_ + mean_away_; }
  /// A^ku − u
  const Pair& moved(std::size_t k) const { return moved_[k]; }

 private:
  Pair kick_, last_, mean_away_;
  Map loss_, loss_of_epoch_;
  std::vector<Pair> moved_, away_;
};

inline std::vector<EpochMode> epoch_modes(const LinearUpdate& update, const EpochCorrelation& epoch,
                                          const auto& rates) {
  std::vector<EpochMode> modes;
  modes.reserve(static_cast<std::size_t>(rates.size()));
  for (Eigen::Index k = 0; k < rates.size(); ++k)
    modes.emplace_back(update, epoch, static_cast<double>(rates[k]));
  return modes;
}

/// Σ_t (w_t − w̄)(w_t − w̄)ᵀ of all pairs of modes, by components.
template <class Scalar>
class EpochResponses {
 public:
  explicit EpochResponses(const std::vector<EpochMode>& modes, const EpochCorrelation& epoch) {
    const auto size = static_cast<Eigen::Index>(modes.size());
    DynamicMatrix<Scalar> part[2];
    for (int a = 0; a < 2; ++a) {
      part[a].resize(size, epoch.batches);
      for (Eigen::Index k = 0; k < epoch.batches; ++k)
        for (Eigen::Index i = 0; i < size; ++i)
          part[a](i, k) = static_cast<Scalar>(
              modes[static_cast<std::size_t>(i)].away(static_cast<std::size_t>(k))[a]);
    }
    for (int a = 0; a < 2; ++a)
      for (int b = 0; b < 2; ++b) sums_[a][b] = product(part[a], transposed(part[b]));
  }
  Eigen::Matrix2d operator()(Eigen::Index i, Eigen::Index j) const {
    Eigen::Matrix2d sum;
    for (int a = 0; a < 2; ++a)
      for (int b = 0; b < 2; ++b) sum(a, b) = static_cast<double>(sums_[a][b](i, j));
    return sum;
  }

 private:
  DynamicMatrix<Scalar> sums_[2][2];
};

/// What the noise of an epoch adds to the pairs of two modes over 2D_ij, at its end:
/// (v − w) Σ(w_t − w̄)(w_t − w̄)ᵀ + (v + (n − 1)w) n w̄w̄ᵀ + (v_last − v) w_{n−1}w_{n−1}ᵀ, over v.
inline Eigen::Matrix2d noise_of_epoch(const EpochCorrelation& epoch, const EpochMode& i,
                                      const EpochMode& j, const Eigen::Matrix2d& scatter) {
  const auto n = static_cast<double>(epoch.batches);
  Eigen::Matrix2d noise = (epoch.variance - epoch.between) * scatter;
  noise += epoch.of_sum() * n * (i.mean() * j.mean().transpose());
  noise += (epoch.last_variance - epoch.variance) * (i.last() * j.last().transpose());
  return noise / epoch.variance;
}

/// How the noise of an update depends on the state before it, averaged over the phases, of one
/// mode: Σ_j ⟨s_jξ_j⟩ and its image under A, without what `of_sum` has.
struct PhaseCorrelation {
  Eigen::Vector2d before, after;

  PhaseCorrelation(const EpochCorrelation& epoch, const EpochMode& mode) {
    const auto updates = static_cast<std::size_t>(epoch.updates());
    before.setZero();
    after.setZero();
    for (std::size_t k = 1; k < updates; ++k) {
      const auto times = static_cast<double>(updates - k);
      after += epoch.between * times * mode.moved(k);
      before += epoch.between * (times - 1) * mode.moved(k);
    }
    if (!epoch.mirrored) return;
    for (std::size_t k = 0; 2 * k + 1 < updates; ++k) {
      after += (epoch.variance - epoch.between) * mode.moved(2 * k + 1);
      before += (epoch.variance - epoch.between) * mode.moved(2 * k);
    }
  }
};

/// E_iX + XE_jᵀ − E_iXE_jᵀ = Q for 2 × 2 matrices: X = (I − E_i)X(I − E_j)ᵀ + Q.
inline Eigen::Matrix2d solve_pair(const Eigen::Matrix2d& left, const Eigen::Matrix2d& right,
                                  const Eigen::Matrix2d& noise) {
  Eigen::Matrix4d system = Eigen::Matrix4d::Zero();
  const auto at = [](int a, int b) { return a + 2 * b; };
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 2; ++b)
      for (int c = 0; c < 2; ++c) {
        system(at(a, b), at(c, b)) += left(a, c);
        system(at(a, b), at(a, c)) += right(b, c);
        for (int d = 0; d < 2; ++d) system(at(a, b), at(c, d)) -= left(a, c) * right(b, d);
      }
  // Columns in units of their own, for those of θ are small where x is.
  Eigen::Vector4d units = system.cwiseAbs().colwise().maxCoeff().transpose();
  for (int k = 0; k < 4; ++k) system.col(k) /= units[k];
  const Eigen::Vector4d q(noise(0, 0), noise(1, 0), noise(0, 1), noise(1, 1));
  const Eigen::Vector4d x =
      Eigen::PartialPivLU<Eigen::Matrix4d>(system).solve(q).cwiseQuotient(units);
  Eigen::Matrix2d result;
  result << x[0], x[2], x[1], x[3];
  return result;
}

template <class Scalar>
ChainCovariance<Scalar> covariance_of_epochs(const LinearChain<Scalar>& chain) {
  using Matrix = DynamicMatrix<Scalar>;
  require_symmetric(chain.relaxation, "StationaryState", "relaxation");
  const SymmetricEigen<Scalar> eigen(chain.relaxation);
  require_stable_memory(chain.update, eigen.values);
  const EpochCorrelation& epoch = chain.epoch;
  const bool phases = chain.phase == EpochPhase::mean;
  const auto modes = epoch_modes(chain.update, epoch, eigen.values);
  const Matrix back = transposed(eigen.vectors);
  Matrix sigma = symmetric_product(back, product(chain.diffusion, eigen.vectors));
  sigma *= Scalar(2);
  Matrix drift = sigma;
  std::vector<PhaseCorrelation> dependence;
  for (const EpochMode& mode : modes) dependence.emplace_back(epoch, mode);
  const EpochResponses<Scalar> responses(modes, epoch);
  const auto updates = static_cast<double>(epoch.updates());
  const double of_kicks = epoch.mirrored ? 2 : 1;
  for (Eigen::Index b = 0; b < sigma.cols(); ++b)
    for (Eigen::Index a = 0; a < sigma.rows(); ++a) {
      const EpochMode& i = modes[static_cast<std::size_t>(a)];
      const EpochMode& j = modes[static_cast<std::size_t>(b)];
      const auto twice = static_cast<double>(sigma(a, b));
      Eigen::Matrix2d noise = Eigen::Matrix2d::Zero();
      double seen = 0;  // of the noise by the state before it
      if (epoch.variance > 0 && phases) {
        const auto& of_i = dependence[static_cast<std::size_t>(a)];
        const auto& of_j = dependence[static_cast<std::size_t>(b)];
        const double kicks =
            of_kicks * updates * static_cast<double>(epoch.batches) * epoch.of_sum() +
            epoch.last_variance - epoch.variance;
        noise = kicks * (i.kick() * j.kick().transpose());
        noise += of_i.after * j.kick().transpose() + i.kick() * of_j.after.transpose();
        noise /= updates * epoch.variance;
        const double all = epoch.between * updates * (updates - 1) / 2 +
                           (epoch.mirrored ? updates / 2 * (epoch.variance - epoch.between) : 0);
        seen = i.kick()[0] * (all * j.kick()[0] + of_j.before[0]) / (updates * epoch.variance);
      } else if (epoch.variance > 0) {
        noise = noise_of_epoch(epoch, i, j, responses(a, b));
      }
      const auto& left = phases ? i.loss() : i.loss_of_epoch();
      const auto& right = phases ? j.loss() : j.loss_of_epoch();
      const Eigen::Matrix2d x = solve_pair(left, right, noise);
      sigma(a, b) = static_cast<Scalar>(twice * x(0, 0));
      drift(a, b) = static_cast<Scalar>(twice * ((left * x)(0, 0) - seen));
    }
  ChainCovariance<Scalar> result;
  result.covariance = symmetric_product(product(eigen.vectors, sigma), back);
  result.drift = product(product(eigen.vectors, drift), back);
  result.flow =
      Matrix::Constant(sigma.rows(), sigma.cols(), std::numeric_limits<Scalar>::quiet_NaN());
  result.decay_rates = decay_rates_of(modes_of(chain.update, eigen.values));
  if (!phases)
    for (Scalar& rate : result.decay_rates)
      rate = -std::expm1(static_cast<Scalar>(updates) * std::log1p(-rate));
  return result;
}

template <class Scalar>
void make_epochs(const EpochCorrelation& epoch, LinearChain<Scalar>& chain) {
  using Matrix = DynamicMatrix<Scalar>;
  require_symmetric(chain.relaxation, "StationaryState", "relaxation");
  const SymmetricEigen<Scalar> eigen(chain.relaxation);
  require_stable_memory(LinearUpdate{}, eigen.values);
  const auto modes = epoch_modes(LinearUpdate{}, epoch, eigen.values);
  const Matrix back = transposed(eigen.vectors);
  Matrix d = symmetric_product(back, product(chain.diffusion, eigen.vectors));
  Matrix loss = Matrix::Zero(d.rows(), d.cols());
  const EpochResponses<Scalar> responses(modes, epoch);
  for (Eigen::Index b = 0; b < d.cols(); ++b)
    for (Eigen::Index a = 0; a < d.rows(); ++a) {
      const EpochMode& i = modes[static_cast<std::size_t>(a)];
      const EpochMode& j = modes[static_cast<std::size_t>(b)];
      if (a == b) loss(a, a) = static_cast<Scalar>(i.loss_of_epoch()(0, 0));
      d(a, b) =
          epoch.variance > 0
              ? d(a, b) * static_cast<Scalar>(noise_of_epoch(epoch, i, j, responses(a, b))(0, 0))
              : Scalar(0);
    }
  chain.relaxation = symmetric_product(product(eigen.vectors, loss), back);
  chain.diffusion = symmetric_product(product(eigen.vectors, d), back);
}

}  // namespace ness::detail
#endif
