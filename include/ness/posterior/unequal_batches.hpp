// What epochs of a sampler err by because batches differ in gradient and curvature: to second order
// in these differences, and to all orders in the step (not in the paper).
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "ness/detail/matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/minibatch/epoch_correlation.hpp"
#include "ness/model/derivatives.hpp"
#include "ness/posterior/kinetic_modes.hpp"

namespace ness::detail {

/// How samples differ, along the eigenvectors of the Hessian of the objective: means over samples
/// of q = ∂∂ℓ_i − H_L and g = ∇ℓ_i − ∇L.
template <class Scalar>
struct SampleScatter {
  DynamicVector<Scalar> values;     ///< of the Hessian
  DynamicMatrix<Scalar> vectors;    ///< its eigenvectors
  DynamicMatrix<Scalar> curvature;  ///< ⟨q_ik q_jk⟩ in row `pair(i, j)` and column k
  DynamicMatrix<Scalar> mixed;      ///< ⟨q_ik g_k⟩
  DynamicMatrix<Scalar> gradients;  ///< ⟨g_i g_j⟩

  /// The number of the pair i ≤ j.
  static Eigen::Index pair(Eigen::Index i, Eigen::Index j) { return j * (j + 1) / 2 + i; }
};

/// Cost: M N³ operations; memory N³/2 numbers.
template <class M, class R>
auto sample_scatter(const Objective<M, R>& objective, const Minimum<double>& minimum) {
  using Scalar = typename DoubleFor<M>::type;
  using Matrix = DynamicMatrix<Scalar>;
  const vector_t<M> at = objective.point(minimum.theta, "sample_scatter");
  const SymmetricEigen<Scalar> eigen(minimum.hessian);
  const Index size = at.size();
  SampleScatter<Scalar> result{eigen.values, eigen.vectors,
                               Matrix::Zero(size * (size + 1) / 2, size), Matrix::Zero(size, size),
                               Matrix::Zero(size, size)};
  const auto add_curvature = [&](Index k, const Matrix& square) {
    for (Index j = 0; j < size; ++j)
      result.curvature.block(result.pair(0, j), k, j + 1, 1) += square.block(0, j, j + 1, 1);
  };
  const block_t<M> axes = eigen.vectors.template cast<scalar_t<M>>();
  projections_t<M> block;
  // About the means of the first block, so that those of all are small: q of column k, and g last.
  Matrix shift(size, size + 1), mean = Matrix::Zero(size, size + 1);
  const Scalar weight = 1 / static_cast<Scalar>(objective.samples());
  Derivatives<M> derivatives(objective.model());
  derivatives.for_each_block([&](Index first, Index count) {
    block.resize(size, count);
    const auto shifted = [&](Index k) {
      Matrix columns = block.template cast<Scalar>();
      if (first == 0) shift.col(k) = columns.rowwise().sum() / static_cast<Scalar>(count);
      columns.colwise() -= shift.col(k);
      mean.col(k) += weight * columns.rowwise().sum();
      return columns;
    };
    derivatives.projected_gradients(at, first, axes, block);
    const Matrix g = shifted(size);
    result.gradients += weight * symmetric_product<Scalar>(g, transposed<Scalar>(g));
    for (Index k = 0; k < size; ++k) {
      const vector_t<M> axis = axes.col(k);
      derivatives.projected_hessian_products(at, first, axis, axes, block);
      const Matrix q = shifted(k);
      add_curvature(k, weight * symmetric_product<Scalar>(q, transposed<Scalar>(q)));
      result.mixed.col(k) += weight * (q * g.row(k).transpose());
    }
  });
  const auto of_gradients = mean.col(size);
  result.gradients -= of_gradients * of_gradients.transpose();
  for (Index k = 0; k < size; ++k) {
    add_curvature(k, -mean.col(k) * mean.col(k).transpose());
    result.mixed.col(k) -= of_gradients[k] * mean.col(k);
  }
  return result;
}

/// What an epoch adds to the moments of z = (θ, v), along the eigenvectors of the Hessian: first
/// all of θ, then all of v.
template <class Scalar>
struct EpochSource {
  DynamicMatrix<Scalar> of_curvature;  ///< to ⟨zzᵀ⟩ by the q of batches, 2N × 2N
  DynamicMatrix<Scalar> of_gradients;  ///< by their g
  DynamicVector<Scalar> shift;         ///< to ⟨z⟩, 2N
};

/// To second order in what batches differ in, of an epoch that begins in the state that the updates
/// would settle in without it. With U_p = A^p kick of the mean update A, w = ⟨zθ⟩ of the end of an
/// update and the place of its gradient, d_p = A^p w, and c(τ) = where · d_{τ−1} and r(τ) = where ·
/// U_{τ−1}, correlation and response of places τ updates apart, the sources in directions i and j
/// are sums over updates t and s of an epoch of L, each with the correlation ρ(t, s) of their
/// batches, ⟨q_ik q_jk⟩ of one sample, and the sum over k:
///   Σ_ts ρ U_{L−1−t}(i) U_{L−1−s}(j)ᵀ c_k(|t − s|) + [Σ_{t>s} ρ U_{L−1−t}(i) d_{L−1−s}(j)ᵀ
///   r_k(t−s)
///   + the same of j and i, transposed].
/// ρ is `between` for two batches and `variance` for one with itself, so a double sum of geometric
/// sequences, which is a single one, and a single one.
///
/// Cost: L N³ by matrix products and 100 L N²; memory N³/2 numbers. The last batch must be of the
/// size of others.
template <class Scalar>
EpochSource<Scalar> epoch_source(const KineticModes<Scalar>& modes,
                                 const SampleScatter<Scalar>& scatter,
                                 const EpochCorrelation& correlation);

/// The same in the coordinates of which the eigenvectors are the columns of `vectors`.
template <class Scalar>
EpochSource<Scalar> in_coordinates(const EpochSource<Scalar>& source,
                                   const DynamicMatrix<Scalar>& vectors);

}  // namespace ness::detail

#ifndef NESS_COMPILED  // else they are in the library
namespace ness::detail {

/// The sequences U_p, d_p and the sums over them.
template <class Scalar>
class EpochSourceSums {
 public:
  using Matrix = DynamicMatrix<Scalar>;
  using Vector = DynamicVector<Scalar>;
  using Small = Eigen::Matrix<Scalar, 2, 2>;

  EpochSourceSums(const KineticModes<Scalar>& modes, const SampleScatter<Scalar>& scatter,
                  const EpochCorrelation& correlation)
      : scatter_(scatter),
        size_(modes.size()),
        length_(correlation.updates()),
        mirrored_(correlation.mirrored),
        between_(static_cast<Scalar>(correlation.between)),
        within_(static_cast<Scalar>(correlation.variance - correlation.between)),
        batches_(static_cast<Scalar>(correlation.batches)),
        kicked_(2 * size_, length_),
        moved_(2 * size_, length_),
        correlations_(size_, length_),
        responses_(Matrix::Zero(size_, length_)) {
    const auto where = modes.where();
    for (Index i = 0; i < size_; ++i) {
      updates_.push_back(modes.update(i));
      kicked_.template block<2, 1>(2 * i, 0) = modes.kick();
      moved_.template block<2, 1>(2 * i, 0) = modes.with_place(i);
      for (Index p = 1; p < length_; ++p) {
        kicked_.template block<2, 1>(2 * i, p) =
            updates_.back() * kicked_.template block<2, 1>(2 * i, p - 1);
        moved_.template block<2, 1>(2 * i, p) =
            updates_.back() * moved_.template block<2, 1>(2 * i, p - 1);
        responses_(i, p) = where * kicked_.template block<2, 1>(2 * i, p - 1);
        correlations_(i, p) = where * moved_.template block<2, 1>(2 * i, p - 1);
      }
      correlations_(i, 0) = modes.posterior_at_gradient(i) + modes.at_gradient(modes.excess(i));
    }
  }

  Matrix of_curvature() const {
    const Index pairs = scatter_.curvature.rows();
    std::vector<Pair> sums(static_cast<std::size_t>(pairs));
    constexpr Index most = 32;
    for (Index last = length_; last > 0; last -= std::min(last, most)) {
      const Index count = std::min(last, most), first = last - count;
      const Matrix c = product<Scalar>(scatter_.curvature, correlations_.middleCols(first, count));
      const Matrix r = product<Scalar>(scatter_.curvature, responses_.middleCols(first, count));
      for (Index j = 0; j < size_; ++j)
        for (Index i = 0; i <= j; ++i) {
          const Index pair = scatter_.pair(i, j);
          for (Index k = count; k-- > 0;)
            add(i, j, first + k, c(pair, k), r(pair, k), sums[static_cast<std::size_t>(pair)]);
        }
    }
    Matrix result(2 * size_, 2 * size_);
    for (Index j = 0; j < size_; ++j)
      for (Index i = 0; i <= j; ++i) {
        const Pair& sum = sums[static_cast<std::size_t>(scatter_.pair(i, j))];
        const Small all = between_ * (sum.before + sum.after + sum.here) + within_ * sum.same;
        put(i, j, all, result);
        put(j, i, all.transpose(), result);
      }
    return result;
  }

  // Σ_b ρ of what a batch does, in its one or two updates, about the mean: nothing cancels where
  // batches add up to nothing.
  Matrix of_gradients() const {
    const auto n = static_cast<Index>(batches_);
    Matrix deeds = kicked_.leftCols(n);
    if (mirrored_) deeds += kicked_.rightCols(n).rowwise().reverse();
    const Vector mean = deeds.rowwise().sum() / batches_;
    deeds.colwise() -= mean;
    const Matrix square = within_ * symmetric_product<Scalar>(deeds, transposed<Scalar>(deeds)) +
                          batches_ * (batches_ * between_ + within_) * mean * mean.transpose();
    Matrix result(2 * size_, 2 * size_);
    for (Index j = 0; j < size_; ++j)
      for (Index i = 0; i < size_; ++i)
        put(i, j, scatter_.gradients(i, j) * square.template block<2, 2>(2 * i, 2 * j), result);
    return result;
  }

  Vector shift() const {
    const Matrix moved = product<Scalar>(scatter_.mixed, responses_);
    Vector result(2 * size_);
    for (Index i = 0; i < size_; ++i) {
      Eigen::Matrix<Scalar, 2, 1> before, all, same;
      before.setZero(), all.setZero(), same.setZero();
      for (Index lag = length_ - 1; lag > 0; --lag) {
        before += kicked_.template block<2, 1>(2 * i, length_ - 1 - lag);
        all += moved(i, lag) * before;
        if (mirrored_ && lag % 2 == 1)
          same += moved(i, lag) * kicked_.template block<2, 1>(2 * i, (length_ - 1 - lag) / 2);
      }
      const Eigen::Matrix<Scalar, 2, 1> sum = between_ * all + within_ * same;
      result[i] = sum[0];
      result[size_ + i] = sum[1];
    }
    return result;
  }

 private:
  /// Of directions i and j, lag by lag from the longest.
  struct Pair {
    Small kicks = Small::Zero();   // Σ_p U_p(i) U_p(j)ᵀ
    Small later = Small::Zero();   // Σ_p U_p(i) d_p(j)ᵀ
    Small sooner = Small::Zero();  // Σ_p d_p(i) U_p(j)ᵀ
    Small before = Small::Zero();  // the double sum over t > s
    Small after = Small::Zero();   // over t < s
    Small here = Small::Zero();    // over t = s
    Small same = Small::Zero();    // over t and s of one batch
  };

  auto kicked(Index i, Index p) const { return kicked_.template block<2, 1>(2 * i, p); }
  auto moved(Index i, Index p) const { return moved_.template block<2, 1>(2 * i, p); }

  void add(Index i, Index j, Index lag, Scalar c, Scalar r, Pair& sum) const {
    const Index p = length_ - 1 - lag;
    sum.kicks += kicked(i, p) * kicked(j, p).transpose();
    if (lag == 0) {
      sum.here = c * sum.kicks;
      sum.same += sum.here;
      return;
    }
    sum.later += kicked(i, p) * moved(j, p).transpose();
    sum.sooner += moved(i, p) * kicked(j, p).transpose();
    const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(j);
    sum.before = ((sum.before + c * sum.kicks + r * sum.later) * updates_[b].transpose()).eval();
    sum.after = (updates_[a] * (sum.after + c * sum.kicks + r * sum.sooner)).eval();
    if (!mirrored_ || lag % 2 == 0) return;
    const Index s = p / 2, t = length_ - 1 - s;
    sum.same +=
        c * (kicked(i, s) * kicked(j, t).transpose() + kicked(i, t) * kicked(j, s).transpose()) +
        r * (kicked(i, s) * moved(j, t).transpose() + moved(i, t) * kicked(j, s).transpose());
  }

  void put(Index i, Index j, const Small& of_pair, Matrix& result) const {
    for (Index b = 0; b < 2; ++b)
      for (Index a = 0; a < 2; ++a) result(a * size_ + i, b * size_ + j) = of_pair(a, b);
  }

  const SampleScatter<Scalar>& scatter_;
  Index size_, length_;  // N, L
  bool mirrored_;
  Scalar between_, within_, batches_;
  std::vector<Small> updates_;
  Matrix kicked_, moved_;            // U_p and d_p, 2N × L
  Matrix correlations_, responses_;  // c(τ) and r(τ), N × L
};

template <class Scalar>
EpochSource<Scalar> epoch_source(const KineticModes<Scalar>& modes,
                                 const SampleScatter<Scalar>& scatter,
                                 const EpochCorrelation& correlation) {
  const EpochSourceSums<Scalar> sums(modes, scatter, correlation);
  return {sums.of_curvature(), sums.of_gradients(), sums.shift()};
}

template <class Scalar>
EpochSource<Scalar> in_coordinates(const EpochSource<Scalar>& source,
                                   const DynamicMatrix<Scalar>& vectors) {
  using Matrix = DynamicMatrix<Scalar>;
  const Index size = vectors.rows();
  Matrix both = Matrix::Zero(2 * size, 2 * size);
  both.topLeftCorner(size, size) = both.bottomRightCorner(size, size) = vectors;
  const Matrix back = transposed(both);
  return {product(both, product(source.of_curvature, back)),
          product(both, product(source.of_gradients, back)), both * source.shift};
}

}  // namespace ness::detail
#endif
