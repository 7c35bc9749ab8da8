// A measured number with its standard error, from the means of long batches of a correlated series.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"

namespace ness {

namespace detail {

/// The states of a batch of `batch_length` steps when one is looked at every `stride` steps. Throws
/// `std::invalid_argument` for a stride below 1.
inline std::int64_t states_per_batch(std::int64_t batch_length, Eigen::Index stride,
                                     std::string_view function) {
  require(stride >= 1, function, "stride must be at least 1", stride);
  return std::max<std::int64_t>(1, batch_length / stride);
}

}  // namespace detail

/// A value measured from a simulation, and its standard error, element by element.
template <class T>
struct Estimate {
  T value;           ///< as measured
  T standard_error;  ///< of each of its elements
  /// Of the error itself: batches − 1. What deviates by t errors is Student's t with so many.
  double degrees_of_freedom = std::numeric_limits<double>::infinity();
};

/// Mean and standard error of a correlated series by batch means (P. W. Glynn and D. L. Iglehart,
/// Math. Oper. Res. 15, 1990, doi:10.1287/moor.15.1.1): the means of batches much longer than the
/// correlation time are independent, and their scatter gives the error.
///
/// The terms are matrices of one shape, rows × cols; a number is 1 × 1. Memory: four of them. A
/// batch left incomplete counts for the mean and not for the error. The error is an underestimate
/// where batches are not much longer than the correlation time: compare
/// `Measurement::autocorrelation_time` with the batch length.
template <class Scalar = double>
class BatchMeans {
 public:
  using Matrix = DynamicMatrix<Scalar>;

  /// Of terms rows × cols; `batch_length` in terms.
  BatchMeans(Eigen::Index rows, Eigen::Index cols, std::int64_t batch_length);

  /// Adds the sum of `count` consecutive terms.
  void add(const Matrix& sum_of_terms, std::int64_t count);

  /// Appends what another series has gathered; incomplete batches are not joined.
  void merge(const BatchMeans& other);

  /// Terms that were added.
  std::int64_t count() const { return count_ + batch_count_; }
  /// Batches that are complete.
  std::int64_t batches() const { return batches_; }
  /// Of the batches so far, on average: longer than asked for where terms come many at a time.
  std::int64_t batch_length() const { return batches_ > 0 ? batched_ / batches_ : batch_length_; }

  /// Of all terms.
  Matrix mean() const;
  /// The variance between batch means; NaN for fewer than two batches.
  Matrix batch_variance() const;
  /// Of the mean, element by element.
  Matrix standard_error() const;
  /// Of the standard error: batches − 1.
  double degrees_of_freedom() const { return static_cast<double>(batches_ - 1); }
  /// Mean and standard error, as `Value`: a vector where the terms have one column.
  template <class Value = Matrix>
  Estimate<Value> estimate() const {
    return {mean(), standard_error(), degrees_of_freedom()};
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

 private:
  void close();
  void settle();

  std::int64_t batch_length_;
  std::int64_t batch_count_ = 0;
  std::int64_t count_ = 0;
  std::int64_t batches_ = 0;
  std::int64_t batched_ = 0;  // terms in complete batches
  Matrix batch_, sum_, batch_mean_, batch_scatter_;
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>

namespace ness {

template <class Scalar>
BatchMeans<Scalar>::BatchMeans(Eigen::Index rows, Eigen::Index cols, std::int64_t batch_length)
    : batch_length_(batch_length),
      batch_(Matrix::Zero(rows, cols)),
      sum_(batch_),
      batch_mean_(batch_),
      batch_scatter_(batch_) {}

template <class Scalar>
void BatchMeans<Scalar>::add(const Matrix& sum_of_terms, std::int64_t count) {
  detail::add_scaled(batch_, 1, sum_of_terms);
  batch_count_ += count;
  if (batch_count_ >= batch_length_) close();
}

template <class Scalar>
void BatchMeans<Scalar>::merge(const BatchMeans& other) {
  settle();
  detail::add_scaled(sum_, 1, other.sum_);
  detail::add_scaled(sum_, 1, other.batch_);
  count_ += other.count_ + other.batch_count_;
  if (other.batches_ == 0) return;
  // Two means and their scatters (T. F. Chan, G. H. Golub, R. J. LeVeque, 1979).
  const auto a = static_cast<Scalar>(batches_);
  const auto b = static_cast<Scalar>(other.batches_);
  for (Eigen::Index k = 0; k < sum_.size(); ++k) {
    Scalar& mean = batch_mean_.data()[k];
    const Scalar difference = other.batch_mean_.data()[k] - mean;
    mean += b / (a + b) * difference;
    batch_scatter_.data()[k] +=
        other.batch_scatter_.data()[k] + a * b / (a + b) * difference * difference;
  }
  batches_ += other.batches_;
  batched_ += other.batched_;
}

template <class Scalar>
DynamicMatrix<Scalar> BatchMeans<Scalar>::mean() const {
  Matrix mean = sum_;
  detail::add_scaled(mean, 1, batch_);
  mean /= static_cast<Scalar>(count());
  return mean;
}

template <class Scalar>
DynamicMatrix<Scalar> BatchMeans<Scalar>::batch_variance() const {
  Matrix variance = batch_scatter_;
  if (batches_ < 2)
    variance.setConstant(std::numeric_limits<Scalar>::quiet_NaN());
  else
    variance /= static_cast<Scalar>(batches_ - 1);
  return variance;
}

template <class Scalar>
DynamicMatrix<Scalar> BatchMeans<Scalar>::standard_error() const {
  Matrix error = batch_variance();
  for (Eigen::Index k = 0; k < error.size(); ++k)
    error.data()[k] = std::sqrt(error.data()[k] / static_cast<Scalar>(batches_));
  return error;
}

template <class Scalar>
void BatchMeans<Scalar>::close() {
  ++batches_;
  batched_ += batch_count_;
  for (Eigen::Index k = 0; k < batch_.size(); ++k) {
    const Scalar value = batch_.data()[k] / static_cast<Scalar>(batch_count_);
    Scalar& mean = batch_mean_.data()[k];
    const Scalar before = value - mean;
    mean += before / static_cast<Scalar>(batches_);
    batch_scatter_.data()[k] += before * (value - mean);
  }
  settle();
}

// What is in the open batch goes to the total.
template <class Scalar>
void BatchMeans<Scalar>::settle() {
  detail::add_scaled(sum_, 1, batch_);
  count_ += batch_count_;
  batch_.setZero();
  batch_count_ = 0;
}

template <class Scalar>
template <class Archive>
void BatchMeans<Scalar>::serialize(Archive& archive) {
  archive(batch_count_, count_, batches_, batched_, batch_, sum_, batch_mean_, batch_scatter_);
}

}  // namespace ness
#endif
