// Epochs whose batches differ in their gradients alone (additive noise), to all orders in ηnh, with
// and without momentum (not in the paper).
#pragma once

#include "ness/minibatch/epoch_correlation.hpp"
#include "ness/stationary/linear_chain.hpp"
#include "ness/update/update.hpp"

namespace ness {

/// At which updates of an epoch the stationary state is meant.
enum class EpochPhase {
  end,  ///< after the last, where an epoch is a Markov step: Σ̂ is (ηnh)²/12 of Σ_WR for ηnh ≪ 1
  mean  ///< the average over all updates of an epoch: ηnh/3 of Σ_WR
};

/// What epochs make of additive noise in the eigenbasis of H: each matrix is to be multiplied
/// element by element by 2D_ij, D of one update. Per epoch.
template <class Scalar = double>
struct EpochKernels {
  DynamicVector<Scalar> relaxation;  ///< K̂_i: 1 − (1 − ηh_i)ⁿ of plain updates, N
  DynamicMatrix<Scalar> noise;  ///< ⟨ξ̂ξ̂ᵀ⟩ of an epoch that begins with an empty memory
  DynamicMatrix<Scalar> covariance;   ///< Σ̂
  DynamicMatrix<Scalar> circulation;  ///< C, antisymmetric: the area per epoch
  double residual = 0;  ///< of Σ̂ = AᴺΣ̂Aᴺᵀ + Q by substitution, relative to Q
};

namespace detail {

/// `rates` are the ηh_i. Throws `std::invalid_argument` for a correlation that is none, or where a
/// direction does not relax or is unstable.
template <class Scalar>
EpochKernels<Scalar> epoch_kernels(const DynamicVector<Scalar>& rates, const LinearUpdate& update,
                                   const EpochCorrelation& correlation, EpochPhase phase,
                                   std::string_view function);

/// `correction` is added to D̂ where it is not empty.
template <class Scalar>
LinearChain<Scalar> additive_epochs(DynamicVector<Scalar> mean,
                                    const DynamicMatrix<Scalar>& hessian,
                                    const DynamicMatrix<Scalar>& diffusion, double learning_rate,
                                    const LinearUpdate& update, const EpochCorrelation& correlation,
                                    EpochPhase phase, const DynamicMatrix<Scalar>& correction);

/// Σ and C as the chain has them.
template <class Scalar>
ChainCovariance<Scalar> known_covariance(const LinearChain<Scalar>& chain) {
  return {chain.known.covariance, chain.known.decay_rates, chain.known.residual};
}

}  // namespace detail

/// Epochs of n updates with the noises ξ_t, ⟨ξ_tξ_sᵀ⟩ = 2D · cov_ts/variance as `correlation` has
/// them, and one Hessian H for all batches: exact in ηnh, for any N.
///
/// Along an eigenvector of H, x = ηh, the state after an update is s' = As + uξ. In place of θ and
/// the buffer b it is (y, z), θ = y + z, z = −(β·buffered/(1−β)) ηb and y where θ would come to
/// rest without further gradients: with p = β·buffered·gain/(1−β) and c₀ + p, the `speed` of the
/// update,
///   A = [1 − speed x, −speed x; p x, β + p x],  u = (speed, −p),
/// for only what is of order x in A changes y, so that slow and fast do not mix. Then
///   Σ̂ = AᴺΣ̂Aᴺᵀ + Q,  Q = Σ_ts cov_ts u_t2Du_sᵀ,  u_t = A^{N−1−t}u,
/// N = n, and there and back (`mirrored`) N = 2n with the sum of both visits of a batch in place of
/// u_t. Noises that add up to 0 make Q = (variance − between) Σ_t (u_t − ū)2D(u_t − ū)ᵀ/variance.
///
/// H is symmetric N × N, D = ½⟨ξξᵀ⟩ of one update N × N, `mean` of N elements. Plain updates at the
/// end of an epoch are a Markov chain of θ: K̂ = 1 − (1 − ηH)ⁿ and D̂ = ½Q, in the discrete form,
/// from which all else follows, ⟨σ⟩ of an epoch as well, exact for Gaussian noise. With a memory,
/// or as the mean over phases, θ alone is none: Σ̂ and C are `known`, and ⟨σ⟩ is NaN. K̂ and D̂ are
/// then those of an epoch that begins with an empty memory. C is the mean area per epoch, of θ at
/// the end of each epoch, or, as the mean over phases, of θ after each update.
///
/// Cost: one eigendecomposition, four products of N × N, and O(N²(log n + log 1/(1 − ρ))) for the
/// systems of pairs. Where the noise of an epoch nearly vanishes, ηnh ≪ 1, nothing cancels: u_t − ū
/// is had by doubling the epoch. Throws `std::invalid_argument` for sizes that disagree, numbers
/// that are not finite, an H that is not symmetric and positive definite, an unstable η, and for
/// what is not known: there and back with a last batch of another size, or as a mean over phases.
template <class Mean, class Hessian, class Diffusion>
LinearChain<typename Hessian::Scalar> additive_epochs(
    const Eigen::MatrixBase<Mean>& mean, const Eigen::MatrixBase<Hessian>& hessian,
    const Eigen::MatrixBase<Diffusion>& diffusion, double learning_rate, const LinearUpdate& update,
    const EpochCorrelation& correlation, EpochPhase phase = EpochPhase::end) {
  return detail::additive_epochs<typename Hessian::Scalar>(mean, hessian, diffusion, learning_rate,
                                                           update, correlation, phase, {});
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "ness/detail/symmetric_matrices.hpp"

namespace ness::detail {

/// Sums over the updates of an epoch, in double precision: a template only so that a program that
/// needs none of it does not compile it.
template <class Real>
struct EpochAlgebra {
  using EpochMatrix = Eigen::Matrix<Real, 2, 2>;
  using EpochVector = Eigen::Matrix<Real, 2, 1>;

  /// a S bᵀ and u vᵀ, each compiled once for a size, where every expression of Eigen would be.
  template <int K>
  static Eigen::Matrix<Real, K, K> sandwich(const Eigen::Matrix<Real, K, K>& a,
                                            const Eigen::Matrix<Real, K, K>& s,
                                            const Eigen::Matrix<Real, K, K>& b) {
    Eigen::Matrix<Real, K, K> half, all;
    for (int j = 0; j < K; ++j)
      for (int i = 0; i < K; ++i) {
        half(i, j) = 0;
        for (int k = 0; k < K; ++k) half(i, j) += a(i, k) * s(k, j);
      }
    for (int j = 0; j < K; ++j)
      for (int i = 0; i < K; ++i) {
        all(i, j) = 0;
        for (int k = 0; k < K; ++k) all(i, j) += half(i, k) * b(j, k);
      }
    return all;
  }
  template <int K>
  static Eigen::Matrix<Real, K, K> outer(const Eigen::Matrix<Real, K, 1>& u,
                                         const Eigen::Matrix<Real, K, 1>& v) {
    Eigen::Matrix<Real, K, K> all;
    for (int j = 0; j < K; ++j)
      for (int i = 0; i < K; ++i) all(i, j) = u[i] * v[j];
    return all;
  }
  static EpochMatrix times(const EpochMatrix& a, const EpochMatrix& b) {
    return sandwich<2>(a, b, EpochMatrix::Identity());
  }
  /// a bᵀ
  static EpochMatrix times_transposed(const EpochMatrix& a, const EpochMatrix& b) {
    return sandwich<2>(EpochMatrix::Identity(), a, b);
  }
  static EpochVector applied(const EpochMatrix& a, const EpochVector& u) {
    return {a(0, 0) * u[0] + a(0, 1) * u[1], a(1, 0) * u[0] + a(1, 1) * u[1]};
  }

  /// The noises of an epoch as a sum of squares of independent parts, all over `variance`:
  /// scatter · Σ_t (u_t − ū)(u_t − ū)ᵀ + all · wwᵀ + last · u_lu_lᵀ over the `group` of batches
  /// alike, w = Σ_t (u_t + share · u_l), with the last batch l apart from them where it is of
  /// another size.
  struct EpochSquares {
    Index group;
    bool apart = false;
    double scatter, all, share = 0, last = 0;

    explicit EpochSquares(const EpochCorrelation& of)
        : group(of.batches), apart(of.batches > 1 && of.last_variance != of.variance) {
      if (apart) --group;
      const auto n = static_cast<double>(group);
      scatter = (of.variance - of.between) / of.variance;
      // What rounding leaves of noises that add up to 0 would exceed the rest where ηnh ≪ 1.
      const double sum = of.variance + (n - 1) * of.between;
      all = sum > 1e-14 * of.variance ? sum / of.variance / n : 0;
      if (!apart) return;
      share = of.between / sum;
      const double rest = of.last_variance - n * of.between * share;
      last = std::max(rest, 0.) / of.variance;
    }
  };

  /// Of one direction, as (y, z) where memory is shorter than relaxation, else as (θ, v), v =
  /// −buffered ηb, for there the two would be large and opposite: the sums over u_k = A^ku, k < a,
  /// for a growing epoch of a updates, as departures from an epoch without relaxation, so that they
  /// keep their digits for xa ≪ 1.
  class EpochDirection {
   public:
    EpochDirection(double x, const LinearUpdate& update) {
      const double rest = 1 - update.momentum;
      const double gain = update.buffered * update.gain;
      const double memory = update.momentum * gain / rest;
      const double speed = update.speed();
      if (speed * x <= rest) {
        one_ << speed * x, speed * x, -memory * x, rest - memory * x;
        u_ << speed, -memory;
        theta_ << 1, 1;
      } else {
        one_ << update.of_gradient() * x, -update.momentum, gain * x, rest;
        u_ << update.of_gradient(), gain;
        theta_ << 1, 0;
      }
      lost_ = one_;
      curved_.setZero();
      short_.setZero();
    }

    const EpochVector& theta() const { return theta_; }  ///< θ = thetaᵀ(y, z)
    const EpochMatrix& one() const { return one_; }      ///< 1 − A
    const EpochMatrix& lost() const { return lost_; }    ///< 1 − A^a
    const EpochVector& noise() const { return u_; }
    EpochVector lost_noise() const { return applied(lost_, u_); }  ///< u − A^au
    /// u + A^au − (1 + A)ū
    const EpochVector& curved() const { return curved_; }
    EpochVector behind() const { return (curved_ + (1 - 1 / a_) * lost_noise()) / 2; }  ///< u − ū
    EpochVector mean() const { return u_ - behind(); }                                  ///< ū
    EpochVector next() const { return (curved_ + (1 + 1 / a_) * lost_noise()) / 2; }  ///< u − Aū
    /// ½a(a − 1)u − Σ_k (a − 1 − k)u_k
    const EpochVector& short_of() const { return short_; }
    double updates() const { return a_; }

    void twice() {
      short_ = 2 * short_ + a_ * a_ * behind() + applied(lost_, displacement());
      curved_ += applied(lost_, lost_noise() - curved_) / 2;
      lost_ = 2 * lost_ - times(lost_, lost_);
      a_ *= 2;
    }
    void once() {
      short_ += applied(one_, displacement());
      const EpochVector half = applied(one_, lost_noise() - curved_ * (a_ / (a_ + 1))) / 2;
      curved_ = curved_ * (a_ / (a_ + 1)) + half;
      lost_ += one_ - times(one_, lost_);
      a_ += 1;
    }
    /// Σ_{τ<a} Σ_{k<τ} u_k
    EpochVector displacement() const { return a_ * (a_ - 1) / 2 * u_ - short_; }
    EpochVector sum() const { return a_ * mean(); }

   private:
    double a_ = 1;
    EpochMatrix one_, lost_;
    EpochVector u_, theta_, curved_, short_;
  };

  /// S ← first S firstᵀ [+ second S secondᵀ] + weight · apart apartᵀ, with the matrices of
  /// direction i on the left and those of j on the right.
  template <int K>
  struct EpochFold {
    using Matrix = Eigen::Matrix<Real, K, K>;
    using Vector = Eigen::Matrix<Real, K, 1>;
    Matrix first, second;
    Vector apart;
    double weight;
    bool doubles;
  };

  /// The folds of all directions that make the sum over an epoch of one over pairs of directions.
  template <int K>
  struct EpochFolds {
    using Matrix = typename EpochFold<K>::Matrix;
    Matrix start = Matrix::Zero();
    std::vector<std::vector<EpochFold<K>>> of;  // for each direction

    Matrix pair(Index i, Index j) const {
      const auto& left = of[static_cast<std::size_t>(i)];
      const auto& right = of[static_cast<std::size_t>(j)];
      Matrix s = start;
      for (std::size_t k = 0; k < left.size(); ++k) {
        Matrix next = sandwich<K>(left[k].first, s, right[k].first);
        if (left[k].doubles) next += sandwich<K>(left[k].second, s, right[k].second);
        s = next + left[k].weight * outer<K>(left[k].apart, right[k].apart);
      }
      return s;
    }
  };

  /// Grows an epoch of one update to `updates` by doubling and by one more, and calls
  /// `look(direction, doubled)` before each.
  template <class Look>
  static EpochDirection grow_epoch(EpochDirection direction, Index updates, const Look& look) {
    int bits = 0;
    while ((updates >> (bits + 1)) > 0) ++bits;
    for (int bit = bits - 1; bit >= 0; --bit) {
      look(direction, true);
      direction.twice();
      if (((updates >> bit) & 1) == 0) continue;
      look(direction, false);
      direction.once();
    }
    return direction;
  }

  /// Σ_k (u_k − ū)(u_k − ū)ᵀ
  static EpochFold<2> scatter_fold(const EpochDirection& at, bool doubled) {
    const EpochMatrix one = EpochMatrix::Identity();
    const double a = at.updates();
    if (doubled) return {one, one - at.lost(), applied(at.lost(), at.mean()), a / 2, true};
    return {one - at.one(), EpochMatrix::Zero(), at.next(), a / (a + 1), false};
  }

  /// The same of (u_k + u_{a−1−k}, u_{a−1−k}), of which the sum hardly varies.
  static EpochFold<4> mirrored_fold(const EpochDirection& at, bool doubled) {
    const EpochMatrix one = EpochMatrix::Identity();
    const EpochMatrix zero = EpochMatrix::Zero();
    const double a = at.updates();
    EpochFold<4> fold;
    fold.doubles = doubled;
    fold.second.setZero();
    if (doubled) {
      fold.first << one, -at.lost(), zero, one - at.lost();
      fold.second << one - at.lost(), at.lost(), zero, one;
      fold.apart << EpochVector::Zero(), applied(at.lost(), at.mean());
      fold.weight = a / 2;
    } else {
      fold.first << one - at.one(), at.one(), zero, one;
      fold.apart << at.curved(), at.behind() - at.lost_noise();
      fold.weight = a / (a + 1);
    }
    return fold;
  }

  /// Σ_{τ<a} (U_τ, 1)(U_τ, 1)ᵀ, U_τ = Σ_{k<τ} u_k
  static EpochFold<3> phase_fold(const EpochDirection& at, bool doubled) {
    EpochFold<3> fold;
    fold.doubles = doubled;
    fold.first.setIdentity();
    fold.second.setZero();
    fold.apart.setZero();
    fold.weight = 0;
    auto& map = doubled ? fold.second : fold.first;
    map.setIdentity();
    map.template topLeftCorner<2, 2>() -= doubled ? at.lost() : at.one();
    map.template topRightCorner<2, 1>() = doubled ? at.sum() : at.noise();
    if (doubled) return fold;
    fold.apart[2] = 1;
    fold.weight = 1;
    return fold;
  }

  /// Σ_{k<a} of (s_k, (a − 1 − k)s_k), s_k = A^k S A^kᵀ, as the step from a to 2a or a + 1.
  struct EpochPowers {
    EpochMatrix sum, later;

    void grow(const EpochFold<2>& left, const EpochFold<2>& right, const EpochMatrix& one,
              double a) {
      if (left.doubles) {
        later += a * sum + sandwich<2>(left.second, later, right.second);
        sum += sandwich<2>(left.second, sum, right.second);
      } else {
        later = sandwich<2>(left.first, later, right.first) + a * one;
        sum = sandwich<2>(left.first, sum, right.first) + one;
      }
    }
  };

  /// All that pairs of directions are made from.
  class EpochPairs {
   public:
    EpochPairs(const std::vector<double>& rates, const LinearUpdate& update,
               const EpochCorrelation& correlation, EpochPhase phase)
        : correlation_(correlation), squares_(correlation), phase_(phase) {
      folds3_.start(2, 2) = 1;
      for (const double x : rates) add(EpochDirection(x, update));
    }

    Index updates() const { return correlation_.batches * (correlation_.mirrored ? 2 : 1); }
    const EpochDirection& end(Index i) const { return epochs_[static_cast<std::size_t>(i)]; }

    double of_theta(Index i, Index j, const EpochMatrix& pair) const {
      return end(i).theta().dot(applied(pair, end(j).theta()));
    }

    /// Q
    EpochMatrix noise(Index i, Index j) const {
      if (correlation_.mirrored) return mirrored_noise(i, j);
      const EpochDirection& l = groups_[static_cast<std::size_t>(i)];
      const EpochDirection& r = groups_[static_cast<std::size_t>(j)];
      EpochMatrix q = squares_.scatter * folds2_.pair(i, j);
      const auto n = static_cast<double>(squares_.group);
      if (!squares_.apart) return q + squares_.all * outer<2>(l.sum(), r.sum());
      const EpochMatrix a = EpochMatrix::Identity() - l.one();
      const EpochMatrix b = EpochMatrix::Identity() - r.one();
      const auto with_last = [&](const EpochDirection& of) -> EpochVector {
        return n * ((1 + squares_.share) * of.noise() - of.next());
      };
      q = sandwich<2>(a, q, b);
      q += squares_.all * outer<2>(with_last(l), with_last(r));
      return q + squares_.last * outer<2>(l.noise(), r.noise());
    }

    /// Σ̂ = Σ_k A^{Nk}QA^{Nkᵀ}, by doubling: sums of positive matrices, so that slow directions keep
    /// their digits.
    EpochMatrix end_covariance(Index i, Index j, EpochMatrix sum) const {
      const auto& left = powers_[static_cast<std::size_t>(i)];
      const auto& right = powers_[static_cast<std::size_t>(j)];
      for (std::size_t k = 0; k < std::min(left.size(), right.size()); ++k)
        sum +=
            sandwich<2>(EpochMatrix::Identity() - left[k], sum, EpochMatrix::Identity() - right[k]);
      return sum;
    }

    /// The mean over τ < n of A^τΣ̂A^τᵀ + Σ_ts<τ cov_ts u_{τ−1−t}u_{τ−1−s}ᵀ.
    EpochMatrix mean_covariance(Index i, Index j, const EpochMatrix& at_end) const {
      const auto& left = phases_[static_cast<std::size_t>(i)];
      const auto& right = phases_[static_cast<std::size_t>(j)];
      const EpochMatrix noise = outer<2>(end(i).noise(), end(j).noise());
      EpochPowers start{at_end, EpochMatrix::Zero()};
      EpochPowers later{noise, EpochMatrix::Zero()};
      double a = 1;
      for (std::size_t k = 0; k < left.size(); ++k) {
        start.grow(left[k], right[k], at_end, a);
        later.grow(left[k], right[k], noise, a);
        a = left[k].doubles ? 2 * a : a + 1;
      }
      const EpochMatrix together = folds3_.pair(i, j).template topLeftCorner<2, 2>();
      const double between = correlation_.between / correlation_.variance;
      return (start.sum + (1 - between) * later.later + between * together) / a;
    }

    /// ½(R₁ᵀ − R₁) per epoch, R₁ = ⟨θ_{k+1}θ_kᵀ⟩ from epoch to epoch, or summed over its updates.
    double circulation(Index i, Index j, const EpochMatrix& covariance) const {
      const bool mean = phase_ == EpochPhase::mean;
      const EpochMatrix& a = mean ? end(i).one() : end(i).lost();
      const EpochMatrix& b = mean ? end(j).one() : end(j).lost();
      const double drift =
          of_theta(i, j, times(a, covariance) - times_transposed(covariance, b)) / 2;
      if (!mean) return drift;
      const double between = correlation_.between / correlation_.variance;
      const double apart =
          (end(j).theta().dot(end(j).short_of()) - end(i).theta().dot(end(i).short_of())) *
          end(i).theta().dot(end(i).noise());
      return static_cast<double>(updates()) * drift + between * apart / 2;
    }

   private:
    void add(const EpochDirection& direction) {
      std::vector<EpochFold<2>> folds;
      std::vector<EpochFold<4>> mirrored;
      groups_.push_back(grow_epoch(direction, squares_.group, [&](const auto& at, bool doubled) {
        if (correlation_.mirrored)
          mirrored.push_back(mirrored_fold(at, doubled));
        else
          folds.push_back(scatter_fold(at, doubled));
      }));
      folds2_.of.push_back(std::move(folds));
      folds4_.of.push_back(std::move(mirrored));
      std::vector<EpochFold<2>> phases;
      std::vector<EpochFold<3>> sums;
      epochs_.push_back(grow_epoch(direction, updates(), [&](const auto& at, bool doubled) {
        if (phase_ != EpochPhase::mean) return;
        phases.push_back(scatter_fold(at, doubled));
        sums.push_back(phase_fold(at, doubled));
      }));
      phases_.push_back(std::move(phases));
      folds3_.of.push_back(std::move(sums));
      powers_.push_back(powers(epochs_.back().lost()));
    }

    /// 1 − A^N, 1 − A^{2N}, … until nothing is left of A^{Nk}.
    static std::vector<EpochMatrix> powers(EpochMatrix lost) {
      std::vector<EpochMatrix> all;
      constexpr int most = 200;
      for (int k = 0; k < most; ++k) {
        all.push_back(lost);
        if ((EpochMatrix::Identity() - lost).squaredNorm() < 1e-60) break;
        lost = 2 * lost - times(lost, lost);
      }
      return all;
    }

    EpochMatrix mirrored_noise(Index i, Index j) const {
      const EpochDirection& l = groups_[static_cast<std::size_t>(i)];
      const EpochDirection& r = groups_[static_cast<std::size_t>(j)];
      const auto both = [](const EpochDirection& of) -> EpochVector {
        return 2 * of.sum() - applied(of.lost(), of.sum());
      };
      // (1, −lost) S (1, −lost)ᵀ
      const typename EpochFolds<4>::Matrix pair = folds4_.pair(i, j);
      const auto part = [&](int row, int col) -> EpochMatrix {
        return pair.template block<2, 2>(row, col);
      };
      const EpochMatrix upper = part(0, 0) - times_transposed(part(0, 2), r.lost());
      const EpochMatrix lower = part(2, 0) - times_transposed(part(2, 2), r.lost());
      const EpochMatrix q = squares_.scatter * (upper - times(l.lost(), lower));
      return q + squares_.all * outer<2>(both(l), both(r));
    }

    EpochCorrelation correlation_;
    EpochSquares squares_;
    EpochPhase phase_;
    std::vector<EpochDirection> groups_, epochs_;
    EpochFolds<2> folds2_;
    EpochFolds<3> folds3_;
    EpochFolds<4> folds4_;
    std::vector<std::vector<EpochFold<2>>> phases_;
    std::vector<std::vector<EpochMatrix>> powers_;
  };
};

/// Refuses what is no correlation, or is not known.
inline void check_epoch_correlation(const EpochCorrelation& correlation, EpochPhase phase,
                                    std::string_view function) {
  require(correlation.batches >= 1, function, "correlation.batches must be at least 1",
          correlation.batches);
  require(correlation.variance >= 0 && std::isfinite(correlation.variance), function,
          "correlation.variance must be finite and not negative", correlation.variance);
  if (!correlation.mirrored) return;
  require(correlation.variance == correlation.last_variance, function,
          "correlation.last_variance must be that of the others there and back",
          correlation.last_variance);
  if (phase == EpochPhase::mean)
    invalid(function, "phase must be end for batches there and back, but is mean");
}

/// Refuses an ηh that does not relax, or not stably: the characteristic polynomial of A is
/// λ² − (1 + β − c₀x)λ + β + c₁x, up to the sign of c₁.
inline void require_stable_direction(double x, const LinearUpdate& update,
                                     std::string_view function) {
  if (!(x > 0))
    invalid(function,
            "every direction must relax (the Hessian be positive definite), but learning_rate * h "
            "of one is ",
            x, ": start from a minimum, or add a regularizer");
  const double trace = 1 + update.momentum - update.of_gradient() * x;
  const double product = update.momentum + update.of_last_gradient() * x;
  if (!(std::abs(product) < 1 && std::abs(trace) < 1 + product))
    invalid(function, "learning_rate * h must be stable in every direction, but is ", x,
            " in one: lower learning_rate");
}

template <class Scalar>
EpochKernels<Scalar> epoch_kernels(const DynamicVector<Scalar>& rates, const LinearUpdate& update,
                                   const EpochCorrelation& correlation, EpochPhase phase,
                                   std::string_view function) {
  if constexpr (!std::is_same_v<Scalar, double>) {  // once is enough to compile
    const auto exact =
        epoch_kernels<double>(rates.template cast<double>(), update, correlation, phase, function);
    return {exact.relaxation.template cast<Scalar>(), exact.noise.template cast<Scalar>(),
            exact.covariance.template cast<Scalar>(), exact.circulation.template cast<Scalar>(),
            exact.residual};
  } else {
    using Algebra = EpochAlgebra<Scalar>;
    using EpochMatrix = typename Algebra::EpochMatrix;
    check_epoch_correlation(correlation, phase, function);
    std::vector<double> x;
    for (const Scalar rate : rates) {
      x.push_back(static_cast<double>(rate));
      require_stable_direction(x.back(), update, function);
    }
    const Index size = rates.size();
    EpochKernels<Scalar> kernels;
    kernels.relaxation.resize(size);
    kernels.noise.setZero(size, size);
    kernels.covariance = kernels.circulation = kernels.noise;
    EpochCorrelation scaled = correlation;
    const bool silent = correlation.variance == 0;
    if (silent) scaled.variance = scaled.last_variance = 1;
    const typename Algebra::EpochPairs pairs(x, update, scaled, phase);
    double error = 0, whole = 0;
    for (Index j = 0; j < size; ++j) {
      const EpochMatrix& lost = pairs.end(j).lost();
      kernels.relaxation[j] = static_cast<Scalar>(pairs.end(j).theta().dot(lost.col(0)));
      for (Index i = j; i < size && !silent; ++i) {
        const EpochMatrix noise = pairs.noise(i, j);
        EpochMatrix covariance = pairs.end_covariance(i, j, noise);
        const EpochMatrix& a = pairs.end(i).lost();
        const EpochMatrix rest = Algebra::times(a, covariance) +
                                 Algebra::times_transposed(covariance, lost) -
                                 Algebra::template sandwich<2>(a, covariance, lost) - noise;
        error += rest.squaredNorm();
        whole += noise.squaredNorm();
        if (phase == EpochPhase::mean) covariance = pairs.mean_covariance(i, j, covariance);
        const auto area = static_cast<Scalar>(i == j ? 0 : pairs.circulation(i, j, covariance));
        kernels.noise(i, j) = kernels.noise(j, i) =
            static_cast<Scalar>(pairs.of_theta(i, j, noise));
        kernels.covariance(i, j) = kernels.covariance(j, i) =
            static_cast<Scalar>(pairs.of_theta(i, j, covariance));
        kernels.circulation(i, j) = area;
        kernels.circulation(j, i) = -area;
      }
    }
    kernels.residual = whole > 0 ? std::sqrt(error / whole) : 0;
    return kernels;
  }
}

/// O (kernel ∘ OᵀDO) Oᵀ; `sign` −1 for an antisymmetric kernel.
template <class Scalar>
DynamicMatrix<Scalar> with_kernel(const SymmetricEigen<Scalar>& eigen,
                                  const DynamicMatrix<Scalar>& kernel,
                                  DynamicMatrix<Scalar> in_basis, int sign) {
  for (Index k = 0; k < kernel.size(); ++k) in_basis.data()[k] *= kernel.data()[k];
  return half_sum_with_transpose(
      product(product(eigen.vectors, in_basis), transposed(eigen.vectors)), sign);
}

template <class Scalar>
LinearChain<Scalar> additive_epochs(DynamicVector<Scalar> mean,
                                    const DynamicMatrix<Scalar>& hessian,
                                    const DynamicMatrix<Scalar>& diffusion, double learning_rate,
                                    const LinearUpdate& update, const EpochCorrelation& correlation,
                                    EpochPhase phase, const DynamicMatrix<Scalar>& correction) {
  constexpr std::string_view name = "additive_epochs";
  auto chain =
      linear_chain(std::move(mean), hessian, diffusion, learning_rate, LyapunovForm::discrete);
  const Index size = chain.mean.size();
  require_size(diffusion, size, size, name, "diffusion");
  require_finite(diffusion, name, "diffusion");
  require_semidefinite(diffusion, name, "diffusion");
  const SymmetricEigen<Scalar> eigen(hessian);
  const auto eta = static_cast<Scalar>(learning_rate);
  const auto kernels = epoch_kernels<Scalar>(eta * eigen.values, update, correlation, phase, name);
  const DynamicMatrix<Scalar> in_basis =
      product(product(transposed(eigen.vectors), diffusion), eigen.vectors);
  chain.step = MarkovStep::epoch;
  chain.relaxation = half_sum_with_transpose(eigen.function(kernels.relaxation), 1);
  chain.diffusion = with_kernel(eigen, kernels.noise, in_basis, 1);
  if (correction.size() > 0) add_scaled(chain.diffusion, 1, correction);
  if (update.forgets() && phase == EpochPhase::end) return chain;
  const DynamicMatrix<Scalar> noise = Scalar(2) * in_basis;
  chain.known = {with_kernel(eigen, kernels.covariance, noise, 1),
                 with_kernel(eigen, kernels.circulation, noise, -1), kernels.relaxation,
                 static_cast<Scalar>(kernels.residual)};
  std::sort(chain.known.decay_rates.begin(), chain.known.decay_rates.end());
  chain.solve = &known_covariance<Scalar>;
  return chain;
}

}  // namespace ness::detail
#endif
