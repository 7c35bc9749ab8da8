// Mean, covariance and circulation of a trajectory.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <utility>

#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/block.hpp"

namespace ness {

/// ⟨θ⟩ and Σ = ⟨δθ δθᵀ⟩ − ⟨δθ⟩⟨δθ⟩ᵀ, with standard errors and autocorrelation times.
///
/// Deviations are taken from the trajectory's reference point, which should be near the mean: the
/// errors of Σ are those of ⟨δθ δθᵀ⟩. All blocks must have the same one. Cost: a symmetric rank-k
/// product for each block of k steps.
template <int N>
class Moments {
 public:
  using Vector = Eigen::Matrix<double, N, 1>;
  using Matrix = Eigen::Matrix<double, N, N>;

  Moments(Eigen::Index parameters, std::int64_t batch_length)
      : reference_(Vector::Zero(parameters)),
        first_(reference_, batch_length),
        second_(Matrix(reference_.size(), reference_.size()), batch_length) {}

  template <class S>
  void add(const TrajectoryBlock<S, N>& block) {
    using Product = Eigen::Matrix<S, N, N>;
    const auto x = block.deviations();
    const Eigen::Index n = block.parameters();
    reference_ = block.reference().template cast<double>();
    Product products = Product::Zero(n, n);
    if constexpr (TrajectoryBlock<S, N>::small) {
      for (Eigen::Index j = 0; j < n; ++j)
        for (Eigen::Index i = j; i < n; ++i) products(i, j) = x.row(i).dot(x.row(j));
    } else {
      products.template selfadjointView<Eigen::Lower>().rankUpdate(x);
    }
    products.template triangularView<Eigen::StrictlyUpper>() = products.transpose();
    const Eigen::Matrix<S, N, 1> sum = x.rowwise().sum();
    first_.add(sum.template cast<double>(), block.steps());
    second_.add(products.template cast<double>(), block.steps());
  }

  void merge(const Moments& other) {
    first_.merge(other.first_);
    second_.merge(other.second_);
  }

  std::int64_t steps() const { return first_.count(); }
  std::int64_t batches() const { return first_.batches(); }
  std::int64_t batch_length() const { return first_.batch_length(); }

  Estimate<Vector> mean() const { return {reference_ + first_.mean(), first_.standard_error()}; }

  Estimate<Matrix> covariance() const {
    const Vector shift = first_.mean();
    return {second_.mean() - shift * shift.transpose(), second_.standard_error()};
  }

  /// Integrated autocorrelation time of each parameter, in Markov steps: the variance of a mean
  /// over T steps is 2τΣ_αα/T. For an exponential decay over many steps, its time constant.
  Vector autocorrelation_time() const {
    return static_cast<double>(batch_length()) / 2 *
           first_.batch_variance().cwiseQuotient(covariance().value.diagonal());
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(reference_, first_, second_);
  }

 private:
  Vector reference_;
  BatchMeans<Vector> first_;
  BatchMeans<Matrix> second_;
};

/// The mean area per step, ½⟨δθ_α Δθ_γ − δθ_γ Δθ_α⟩ (Eq. 26), which is the circulation C (Eq. 28).
template <int N>
class Area {
 public:
  using Matrix = Eigen::Matrix<double, N, N>;

  Area(Eigen::Index parameters, std::int64_t batch_length)
      : area_(Matrix(parameters, parameters), batch_length) {}

  template <class S>
  void add(const TrajectoryBlock<S, N>& block) {
    using Product = Eigen::Matrix<S, N, N>;
    const auto x = block.deviations();
    const auto d = block.increments();
    const Eigen::Index n = block.parameters();
    Product area = Product::Zero(n, n);
    if constexpr (TrajectoryBlock<S, N>::small) {
      for (Eigen::Index j = 0; j < n; ++j)
        for (Eigen::Index i = j + 1; i < n; ++i) {
          area(i, j) = (x.row(i).dot(d.row(j)) - x.row(j).dot(d.row(i))) / 2;
          area(j, i) = -area(i, j);
        }
    } else {
      Product products(n, n);
      products.noalias() = x * d.transpose();
      area = (products - products.transpose()) / 2;
    }
    area_.add(area.template cast<double>(), block.steps());
  }

  void merge(const Area& other) { area_.merge(other.area_); }

  /// ⟨A⟩/ℓ, N × N, antisymmetric, per Markov step.
  Estimate<Matrix> circulation() const { return area_.estimate(); }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(area_);
  }

 private:
  BatchMeans<Matrix> area_;
};

}  // namespace ness
