// The leading eigenvectors of the Hessian of many parameters, by its products with vectors alone
// (not in the paper).
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/landscape/streamed_objective.hpp"

namespace ness {

/// Some eigenvectors of H, and what is left of Hu = hu.
template <class Scalar = double>
struct [[nodiscard]] Eigenpairs {
  DynamicVector<Scalar> values;     ///< h, K, decreasing: the K largest of H
  DynamicMatrix<Scalar> vectors;    ///< u, orthonormal, N × K
  DynamicVector<Scalar> residuals;  ///< |Hu − hu| / |h|, K
  Eigen::Index products = 0;        ///< of H with a vector
  bool converged = false;           ///< are all residuals within the tolerance, or rounding?
};

/// How many, how well, and how.
struct EigenpairSettings {
  Eigen::Index count = 20;  ///< K
  double tolerance = 1e-6;  ///< most |Hu − hu| / |h|
  /// Products that are asked for at once. An eigenvalue that is there more often than this may be
  /// found fewer times than it is there.
  Eigen::Index block = 8;
  Eigen::Index max_products = 10'000;
  std::uint64_t seed = 1;  ///< of the vectors that the search begins with
  /// Called now and then with the products so far and the largest of the K residuals.
  std::function<void(Eigen::Index, double)> progress = {};

  /// Throws `std::invalid_argument` for a count that is not in 1 ... `parameters`, or another
  /// number below its least value.
  void check(Eigen::Index parameters, std::string_view function) const {
    if (count < 1 || count > parameters)
      detail::invalid(function, "count must be in 1 ... N = ", parameters, ", but is ", count);
    detail::require_positive(tolerance, function, "tolerance");
    detail::require(block >= 1, function, "block must be at least 1", block);
    detail::require(max_products >= 1, function, "max_products must be at least 1", max_products);
  }
};

namespace detail {

/// H times each column, N × any.
template <class Scalar>
using HessianProducts = std::function<DynamicMatrix<Scalar>(const DynamicMatrix<Scalar>&)>;

/// Those of the Hessian at θ. It refers to both.
template <class M, class R>
HessianProducts<double> hessian_at(const StreamedObjective<M, R>& streamed,
                                   const DynamicVector<double>& theta) {
  return [&](const DynamicMatrix<double>& directions) {
    return streamed.hessian_products(theta, directions);
  };
}

/// See `ness::leading_eigenpairs`.
template <class Scalar>
Eigenpairs<Scalar> leading_eigenpairs(const HessianProducts<Scalar>& products,
                                      Eigen::Index parameters, const EigenpairSettings& settings);

}  // namespace detail

/// The K largest eigenvalues of H = ∂∂𝓛(θ) and their eigenvectors.
///
///   const auto pairs = ness::leading_eigenpairs(ness::StreamedObjective(objective), theta);
///
/// Block Lanczos with thick restarts (K. Wu and H. Simon, SIAM J. Matrix Anal. Appl. 22, 602
/// (2000), doi:10.1137/S0895479898334605), as Rayleigh's and Ritz's method in the space that the
/// residuals of the leading vectors span, kept orthogonal to the last digit. Where `converged` is
/// false, the residuals say what the vectors are good for: an eigenvalue is nearer to h than its
/// residual times h. Those of H in float can hardly be smaller than 1e-7 h_max/h.
///
/// Cost: `products` of H, `block` at a time, some hundred for K = 20 of a network; memory: 4K +
/// 12 · `block` vectors of N. Throws `std::invalid_argument` for bad settings, a bad θ, or products
/// that are not finite.
template <class M, class R>
Eigenpairs<double> leading_eigenpairs(const StreamedObjective<M, R>& streamed,
                                      const DynamicVector<double>& theta,
                                      const EigenpairSettings& settings = {}) {
  return detail::leading_eigenpairs<double>(detail::hessian_at(streamed, theta),
                                            streamed.parameters(), settings);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <cmath>
#include <limits>

#include "ness/detail/symmetric_matrices.hpp"
#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"

namespace ness::detail {

/// An orthonormal basis V with its images HV, and what H is in it.
template <class Scalar>
class RitzSpace {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  RitzSpace(Eigen::Index parameters, Eigen::Index capacity)
      : basis_(parameters, capacity), images_(parameters, capacity) {}

  Eigen::Index parameters() const { return basis_.rows(); }
  Eigen::Index size() const { return size_; }
  Eigen::Index capacity() const { return basis_.cols(); }

  /// What is left of a block beyond V, orthonormal: columns of which only rounding is left are
  /// dropped.
  Matrix beyond(const Matrix& block) const {
    Matrix result(block.rows(), block.cols());
    Eigen::Index count = 0;
    for (Eigen::Index j = 0; j < block.cols() && size_ + count < block.rows(); ++j) {
      Vector column = block.col(j);
      const Scalar before = column.norm();
      if (!(before > 0)) continue;
      for (int times = 0; times < 2; ++times) {
        remove(basis_.leftCols(size_), column);
        remove(result.leftCols(count), column);
      }
      const Scalar left = column.norm();
      if (left <= 100 * std::numeric_limits<Scalar>::epsilon() * before) continue;
      result.col(count++) = column / left;
    }
    return result.leftCols(count);
  }

  void add(const Matrix& vectors, const Matrix& images) {
    basis_.middleCols(size_, vectors.cols()) = vectors;
    images_.middleCols(size_, vectors.cols()) = images;
    size_ += vectors.cols();
    const Matrix fresh = basis_.leftCols(size_).transpose() * images;
    Matrix grown = Matrix::Zero(size_, size_);
    grown.topLeftCorner(reduced_.rows(), reduced_.cols()) = reduced_;
    grown.rightCols(vectors.cols()) = fresh;
    grown.bottomRows(vectors.cols()) = fresh.transpose();
    reduced_ = half_sum_with_transpose(grown, 1);
    const SymmetricEigen<Scalar> eigen(reduced_);
    values_ = eigen.values.reverse();
    coordinates_ = eigen.vectors.rowwise().reverse();
  }

  const Vector& values() const { return values_; }  // decreasing

  Matrix vectors(Eigen::Index count) const {
    return basis_.leftCols(size_) * coordinates_.leftCols(count);
  }
  /// Hu − hu of the first `count`.
  Matrix residuals(Eigen::Index count) const {
    const Matrix weighed = coordinates_.leftCols(count) * values_.head(count).asDiagonal();
    Matrix result = images_.leftCols(size_) * coordinates_.leftCols(count);
    result.noalias() -= basis_.leftCols(size_) * weighed;
    return result;
  }

  /// Keeps the leading `count` vectors alone.
  void restart(Eigen::Index count) {
    const Matrix kept = coordinates_.leftCols(count);
    for (Matrix* all : {&basis_, &images_})  // some rows at a time: no second copy
      for (Eigen::Index row = 0; row < all->rows(); row += rows_at_once) {
        const Eigen::Index rows = std::min(rows_at_once, all->rows() - row);
        const Matrix turned = all->block(row, 0, rows, size_) * kept;
        all->block(row, 0, rows, count) = turned;
      }
    size_ = count;
    reduced_ = values_.head(count).asDiagonal();
  }

 private:
  static constexpr Eigen::Index rows_at_once = 1024;

  static void remove(const Eigen::Ref<const Matrix>& from, Vector& column) {
    const Vector along = from.transpose() * column;
    column.noalias() -= from * along;
  }

  Matrix basis_, images_;
  Eigen::Index size_ = 0;
  Matrix reduced_, coordinates_;  // VᵀHV, and its eigenvectors
  Vector values_;
};

/// The search itself.
template <class Scalar>
class EigenpairSearch {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  EigenpairSearch(const HessianProducts<Scalar>& products, Eigen::Index parameters,
                  const EigenpairSettings& settings)
      : products_(products),
        settings_(settings),
        block_(std::min(settings.block, parameters)),
        space_(parameters, std::min(parameters, 2 * settings.count + 6 * block_)),
        random_(settings.seed) {}

  Eigenpairs<Scalar> run() {
    extend(random_block(space_.capacity()));
    while (true) {
      look();
      if (settings_.progress) settings_.progress(result_.products, worst());
      result_.converged = space_.size() >= settings_.count && done_ == settings_.count;
      if (result_.converged || result_.products >= settings_.max_products) break;
      if (!extend(directions_)) break;  // all of the space
    }
    result_.vectors = space_.vectors(found());
    return std::move(result_);
  }

 private:
  Eigen::Index found() const { return std::min(settings_.count, space_.size()); }
  double worst() const { return static_cast<double>(result_.residuals.maxCoeff()); }

  Matrix random_block(Eigen::Index most) {
    Matrix block(space_.parameters(), std::min(block_, most));
    normal_.fill(random_, block);
    return block;
  }

  // Residuals of the leading pairs, and of some that follow; the first that are not done lead on.
  void look() {
    const Eigen::Index count = std::min(space_.size(), settings_.count + block_);
    const Matrix residuals = space_.residuals(count);
    result_.values = space_.values().head(found());
    result_.residuals.resize(found());
    directions_.resize(residuals.rows(), block_);
    const Scalar rounding =
        100 * std::numeric_limits<Scalar>::epsilon() * space_.values().cwiseAbs().maxCoeff();
    Eigen::Index open = 0;
    done_ = 0;
    for (Eigen::Index k = 0; k < count; ++k) {
      const Scalar length = residuals.col(k).norm();
      const Scalar size = std::abs(space_.values()[k]);
      const bool done =
          length <= static_cast<Scalar>(settings_.tolerance) * size || length <= rounding;
      if (k < found()) {
        result_.residuals[k] = length > 0 ? length / size : Scalar(0);
        done_ += done ? 1 : 0;
      }
      if (!done && open < block_) directions_.col(open++) = residuals.col(k);
    }
    directions_.conservativeResize(Eigen::NoChange, open);
  }

  // False where there is nothing more.
  bool extend(const Matrix& directions) {
    if (space_.size() + directions.cols() > space_.capacity() &&
        space_.capacity() < space_.parameters())
      space_.restart(std::min(space_.size(), settings_.count + 2 * block_));
    Matrix fresh = space_.beyond(directions);
    if (fresh.cols() == 0) fresh = space_.beyond(random_block(block_));
    if (fresh.cols() == 0) return false;
    const Matrix images = products_(fresh);
    require_finite(images, "leading_eigenpairs", "the product of the Hessian with a vector");
    result_.products += fresh.cols();
    space_.add(fresh, images);
    return true;
  }

  const HessianProducts<Scalar>& products_;
  const EigenpairSettings& settings_;
  Eigen::Index block_;
  RitzSpace<Scalar> space_;
  Philox random_;
  Normal normal_;
  Matrix directions_;
  Eigen::Index done_ = 0;  // of the K
  Eigenpairs<Scalar> result_;
};

template <class Scalar>
Eigenpairs<Scalar> leading_eigenpairs(const HessianProducts<Scalar>& products,
                                      Eigen::Index parameters, const EigenpairSettings& settings) {
  settings.check(parameters, "leading_eigenpairs");
  return EigenpairSearch<Scalar>(products, parameters, settings).run();
}

}  // namespace ness::detail
#endif
