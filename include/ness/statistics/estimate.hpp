// A measured number with its standard error, from the means of long batches of a correlated series.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

#include "ness/detail/check.hpp"

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
  T value;
  T standard_error;
};

/// Mean and standard error of a correlated series by batch means (P. W. Glynn and D. L. Iglehart,
/// Math. Oper. Res. 15, 1990, doi:10.1287/moor.15.1.1): the means of batches much longer than the
/// correlation time are independent, and their scatter gives the error.
///
/// `Value` is an Eigen array or matrix. Memory: four of it. A batch left incomplete counts for the
/// mean and not for the error. The error is an underestimate where batches are not much longer than
/// the correlation time: compare `Measurement::autocorrelation_time` with the batch length.
template <class Value>
class BatchMeans {
 public:
  /// `shape` is any value of the right size.
  BatchMeans(const Value& shape, std::int64_t batch_length)
      : batch_length_(batch_length),
        batch_(shape.rows(), shape.cols()),
        sum_(shape.rows(), shape.cols()),
        batch_mean_(shape.rows(), shape.cols()),
        batch_scatter_(shape.rows(), shape.cols()) {
    for (Value* value : {&batch_, &sum_, &batch_mean_, &batch_scatter_}) value->setZero();
  }

  /// Adds the sum of `count` consecutive terms.
  template <class Derived>
  void add(const Eigen::EigenBase<Derived>& sum_of_terms, std::int64_t count) {
    batch_ += sum_of_terms.derived();
    batch_count_ += count;
    if (batch_count_ >= batch_length_) close();
  }

  /// Appends what another series has gathered; incomplete batches are not joined.
  void merge(const BatchMeans& other) {
    settle();
    sum_ += other.sum_ + other.batch_;
    count_ += other.count_ + other.batch_count_;
    if (other.batches_ == 0) return;
    // Two means and their scatters (T. F. Chan, G. H. Golub, R. J. LeVeque, 1979).
    const auto a = static_cast<double>(batches_);
    const auto b = static_cast<double>(other.batches_);
    const Value difference = other.batch_mean_ - batch_mean_;
    batch_mean_ += b / (a + b) * difference;
    batch_scatter_ += other.batch_scatter_ + a * b / (a + b) * difference.cwiseProduct(difference);
    batches_ += other.batches_;
    batched_ += other.batched_;
  }

  std::int64_t count() const { return count_ + batch_count_; }
  std::int64_t batches() const { return batches_; }
  /// Of the batches so far, on average: longer than asked for where terms come many at a time.
  std::int64_t batch_length() const { return batches_ > 0 ? batched_ / batches_ : batch_length_; }

  Value mean() const { return (sum_ + batch_) / static_cast<double>(count()); }

  /// The variance between batch means; NaN for fewer than two batches.
  Value batch_variance() const {
    if (batches_ < 2)
      return Value::Constant(sum_.rows(), sum_.cols(), std::numeric_limits<double>::quiet_NaN());
    return batch_scatter_ / static_cast<double>(batches_ - 1);
  }

  Value standard_error() const {
    return batch_variance().cwiseSqrt() / std::sqrt(static_cast<double>(batches_));
  }

  Estimate<Value> estimate() const { return {mean(), standard_error()}; }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(batch_count_, count_, batches_, batched_, batch_, sum_, batch_mean_, batch_scatter_);
  }

 private:
  void close() {
    ++batches_;
    batched_ += batch_count_;
    const Value mean = batch_ / static_cast<double>(batch_count_);
    const Value before = mean - batch_mean_;
    batch_mean_ += before / static_cast<double>(batches_);
    batch_scatter_ += before.cwiseProduct(mean - batch_mean_);
    settle();
  }

  // What is in the open batch goes to the total.
  void settle() {
    sum_ += batch_;
    count_ += batch_count_;
    batch_.setZero();
    batch_count_ = 0;
  }

  std::int64_t batch_length_;
  std::int64_t batch_count_ = 0;
  std::int64_t count_ = 0;
  std::int64_t batches_ = 0;
  std::int64_t batched_ = 0;  // terms in complete batches
  Value batch_, sum_, batch_mean_, batch_scatter_;
};

}  // namespace ness
