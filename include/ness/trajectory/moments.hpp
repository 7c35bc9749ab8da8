// Mean, covariance and circulation of a trajectory.
#pragma once

#include <cstdint>

#include "ness/detail/matrices.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/block.hpp"

namespace ness {

/// ⟨θ⟩ and Σ = ⟨δθ δθᵀ⟩ − ⟨δθ⟩⟨δθ⟩ᵀ, with standard errors and autocorrelation times.
///
/// Deviations are taken from the trajectory's reference point, which should be near the mean: the
/// errors of Σ are those of ⟨δθ δθᵀ⟩. All blocks must have the same one. Cost: a symmetric rank-k
/// product for each block of k steps.
template <class Scalar = double>
class Moments {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// `batch_length` in Markov steps, long beside the correlation.
  Moments(Eigen::Index parameters, std::int64_t batch_length)
      : reference_(Vector::Zero(parameters)),
        first_(parameters, 1, batch_length),
        second_(parameters, parameters, batch_length) {}

  template <class S>
  void add(const TrajectoryBlock<S>& block);

  void merge(const Moments& other) {
    first_.merge(other.first_);
    second_.merge(other.second_);
  }

  /// Markov steps that were seen.
  std::int64_t steps() const { return first_.count(); }
  /// Batches that are complete.
  std::int64_t batches() const { return first_.batches(); }
  /// In Markov steps.
  std::int64_t batch_length() const { return first_.batch_length(); }

  /// ⟨θ⟩, N.
  Estimate<Vector> mean() const;
  /// Σ, N × N.
  Estimate<Matrix> covariance() const;

  /// Integrated autocorrelation time of each parameter, in Markov steps: the variance of a mean
  /// over T steps is 2τΣ_αα/T. For an exponential decay over many steps, its time constant.
  Vector autocorrelation_time() const;

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

 private:
  Vector reference_;
  BatchMeans<Scalar> first_, second_;
};

/// The mean area per step, ½⟨δθ_α Δθ_γ − δθ_γ Δθ_α⟩ (Eq. 26), which is the circulation C (Eq. 28).
template <class Scalar = double>
class Area {
 public:
  using Matrix = DynamicMatrix<Scalar>;

  /// `batch_length` in Markov steps, long beside the correlation.
  Area(Eigen::Index parameters, std::int64_t batch_length)
      : area_(parameters, parameters, batch_length) {}

  template <class S>
  void add(const TrajectoryBlock<S>& block);

  void merge(const Area& other) { area_.merge(other.area_); }

  /// ⟨A⟩/ℓ, N × N, antisymmetric, per Markov step.
  Estimate<Matrix> circulation() const { return area_.estimate(); }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

 private:
  BatchMeans<Scalar> area_;
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library
namespace ness {
namespace detail {

// Up to so many parameters a matrix product costs more than the products of pairs of series.
inline constexpr Eigen::Index few_parameters = 16;

}  // namespace detail

template <class Scalar>
template <class S>
void Moments<Scalar>::add(const TrajectoryBlock<S>& block) {
  const auto x = block.deviations();
  const Eigen::Index n = block.parameters();
  reference_ = block.reference().template cast<Scalar>();
  DynamicMatrix<S> products = DynamicMatrix<S>::Zero(n, n);
  DynamicMatrix<S> sum(n, 1);
  for (Eigen::Index j = 0; j < n; ++j) sum(j, 0) = x.col(j).sum();
  if (n <= detail::few_parameters) {
    for (Eigen::Index j = 0; j < n; ++j)
      for (Eigen::Index i = j; i < n; ++i) products(i, j) = x.col(i).dot(x.col(j));
  } else {
    const DynamicMatrix<S> columns = x.transpose();
    detail::add_outer_products(products, columns);
  }
  detail::mirror(products);
  first_.add(sum.template cast<Scalar>(), block.steps());
  second_.add(products.template cast<Scalar>(), block.steps());
}

template <class Scalar>
Estimate<DynamicVector<Scalar>> Moments<Scalar>::mean() const {
  return {reference_ + first_.mean().col(0), first_.standard_error(), first_.degrees_of_freedom()};
}

template <class Scalar>
Estimate<DynamicMatrix<Scalar>> Moments<Scalar>::covariance() const {
  const Vector shift = first_.mean();
  return {second_.mean() - shift * shift.transpose(), second_.standard_error(),
          second_.degrees_of_freedom()};
}

template <class Scalar>
DynamicVector<Scalar> Moments<Scalar>::autocorrelation_time() const {
  const Vector variance = covariance().value.diagonal();
  const Vector of_means = first_.batch_variance();
  return static_cast<Scalar>(batch_length()) / 2 * of_means.cwiseQuotient(variance);
}

template <class Scalar>
template <class S>
void Area<Scalar>::add(const TrajectoryBlock<S>& block) {
  const auto x = block.deviations();
  const DynamicMatrix<S> d = block.increments();
  const Eigen::Index n = block.parameters();
  DynamicMatrix<S> products;
  if (n <= detail::few_parameters) {
    products.resize(n, n);
    for (Eigen::Index j = 0; j < n; ++j)
      for (Eigen::Index i = 0; i < n; ++i) products(i, j) = x.col(i).dot(d.col(j));
  } else {
    const DynamicMatrix<S> columns = x.transpose();
    products = detail::product(columns, d);
  }
  // ½(P − Pᵀ), in place: for many parameters fresh memory costs as much as a product.
  for (Eigen::Index j = 0; j < n; ++j) {
    products(j, j) = 0;
    for (Eigen::Index i = j + 1; i < n; ++i) {
      products(i, j) = (products(i, j) - products(j, i)) / 2;
      products(j, i) = -products(i, j);
    }
  }
  area_.add(products.template cast<Scalar>(), block.steps());
}

template <class Scalar>
template <class Archive>
void Moments<Scalar>::serialize(Archive& archive) {
  archive(reference_, first_, second_);
}

template <class Scalar>
template <class Archive>
void Area<Scalar>::serialize(Archive& archive) {
  archive(area_);
}

}  // namespace ness
#endif
