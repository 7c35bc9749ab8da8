// The errors of several means together, from long batches of a correlated series.
#pragma once

#include <cstdint>

#include "ness/detail/matrices.hpp"

namespace ness {

/// As `BatchMeans`, of some numbers with the covariances of their means. Memory: the square of how
/// many they are.
template <class Scalar = double>
class BatchCovariance {
 public:
  using Matrix = DynamicMatrix<Scalar>;
  using Vector = DynamicVector<Scalar>;

  /// Of terms of so many numbers; `batch_length` in terms.
  BatchCovariance(Eigen::Index numbers, std::int64_t batch_length);

  /// Adds the sum, numbers × 1, of `count` consecutive terms.
  void add(const Matrix& sum_of_terms, std::int64_t count);
  /// Terms until the batch is full.
  std::int64_t left() const { return batch_length_ - batch_count_; }

  /// Appends what another series has gathered; incomplete batches are not joined.
  void merge(const BatchCovariance& other);

  /// Terms that were added.
  std::int64_t count() const { return count_ + batch_count_; }
  /// Batches that are complete.
  std::int64_t batches() const { return batches_; }

  /// Of all terms.
  Scalar mean(Eigen::Index k) const {
    return (sum_(k, 0) + batch_(k, 0)) / static_cast<Scalar>(count());
  }
  /// Of two means; NaN for fewer than 2 batches.
  Scalar covariance(Eigen::Index a, Eigen::Index b) const;

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

 private:
  void close();
  void settle();

  std::int64_t batch_length_;
  std::int64_t batch_count_ = 0, count_ = 0, batches_ = 0;
  Matrix batch_, sum_, batch_mean_, scatter_;
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <limits>

namespace ness {

template <class Scalar>
BatchCovariance<Scalar>::BatchCovariance(Eigen::Index numbers, std::int64_t batch_length)
    : batch_length_(batch_length),
      batch_(Matrix::Zero(numbers, 1)),
      sum_(batch_),
      batch_mean_(batch_),
      scatter_(Matrix::Zero(numbers, numbers)) {}

template <class Scalar>
void BatchCovariance<Scalar>::add(const Matrix& sum_of_terms, std::int64_t count) {
  detail::add_scaled(batch_, 1, sum_of_terms);
  batch_count_ += count;
  if (batch_count_ >= batch_length_) close();
}

template <class Scalar>
void BatchCovariance<Scalar>::close() {
  ++batches_;
  Matrix change = batch_ / static_cast<Scalar>(batch_count_) - batch_mean_;
  detail::add_scaled(batch_mean_, 1 / static_cast<Scalar>(batches_), change);
  detail::add_outer_products(scatter_, change,
                             static_cast<Scalar>(batches_ - 1) / static_cast<Scalar>(batches_));
  settle();
}

// What is in an open batch counts for the mean alone.
template <class Scalar>
void BatchCovariance<Scalar>::settle() {
  detail::add_scaled(sum_, 1, batch_);
  count_ += batch_count_;
  batch_.setZero();
  batch_count_ = 0;
}

template <class Scalar>
void BatchCovariance<Scalar>::merge(const BatchCovariance& other) {
  settle();
  detail::add_scaled(sum_, 1, other.sum_);
  detail::add_scaled(sum_, 1, other.batch_);
  count_ += other.count();
  if (other.batches_ == 0) return;
  // Two means and their scatters (T. F. Chan, G. H. Golub, R. J. LeVeque, 1979).
  const auto a = static_cast<Scalar>(batches_), b = static_cast<Scalar>(other.batches_);
  const Matrix between = other.batch_mean_ - batch_mean_;
  detail::add_scaled(scatter_, 1, other.scatter_);
  detail::add_outer_products(scatter_, between, a * b / (a + b));
  detail::add_scaled(batch_mean_, b / (a + b), between);
  batches_ += other.batches_;
}

template <class Scalar>
Scalar BatchCovariance<Scalar>::covariance(Eigen::Index a, Eigen::Index b) const {
  if (batches_ < 2) return std::numeric_limits<Scalar>::quiet_NaN();
  const auto count = static_cast<Scalar>(batches_);
  return (a >= b ? scatter_(a, b) : scatter_(b, a)) / (count * (count - 1));
}

template <class Scalar>
template <class Archive>
void BatchCovariance<Scalar>::serialize(Archive& archive) {
  archive(batch_count_, count_, batches_, batch_, sum_, batch_mean_, scatter_);
}

}  // namespace ness
#endif
