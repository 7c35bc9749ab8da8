// Mean, covariance and circulation of a trajectory.
#pragma once

#include <cstdint>
#include <utility>

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
  const Eigen::Index n = block.parameters(), steps = block.steps();
  reference_ = detail::converted<Scalar>(block.reference());
  DynamicMatrix<S> products = DynamicMatrix<S>::Zero(n, n);
  DynamicMatrix<S> sum(n, 1);
  for (Eigen::Index j = 0; j < n; ++j) sum(j, 0) = detail::sum(block.series(j), steps);
  if (n <= detail::few_parameters) {
    for (Eigen::Index j = 0; j < n; ++j)
      for (Eigen::Index i = j; i < n; ++i)
        products(i, j) = detail::dot(block.series(i), block.series(j), steps);
  } else {
    detail::add_outer_products(products, block.columns());
  }
  detail::mirror(products);
  first_.add(detail::converted<Scalar>(sum), steps);
  second_.add(detail::converted<Scalar>(products), steps);
}

template <class Scalar>
Estimate<DynamicVector<Scalar>> Moments<Scalar>::mean() const {
  auto [shift, error, degrees] = first_.template estimate<Vector>();
  shift += reference_;
  return {std::move(shift), std::move(error), degrees};
}

template <class Scalar>
Estimate<DynamicMatrix<Scalar>> Moments<Scalar>::covariance() const {
  auto [moment, error, degrees] = second_.estimate();
  const Matrix shift = first_.mean();
  for (Eigen::Index j = 0; j < shift.rows(); ++j)
    for (Eigen::Index i = 0; i < shift.rows(); ++i) moment(i, j) -= shift(i, 0) * shift(j, 0);
  return {std::move(moment), std::move(error), degrees};
}

template <class Scalar>
DynamicVector<Scalar> Moments<Scalar>::autocorrelation_time() const {
  const Matrix moment = covariance().value;
  Vector time = first_.batch_variance();
  for (Eigen::Index k = 0; k < time.size(); ++k)
    time[k] *= static_cast<Scalar>(batch_length()) / (2 * moment(k, k));
  return time;
}

template <class Scalar>
template <class S>
void Area<Scalar>::add(const TrajectoryBlock<S>& block) {
  const DynamicMatrix<S> d = block.increments();
  const Eigen::Index n = block.parameters(), steps = block.steps();
  DynamicMatrix<S> products;
  if (n <= detail::few_parameters) {
    products.resize(n, n);
    for (Eigen::Index j = 0; j < n; ++j)
      for (Eigen::Index i = 0; i < n; ++i)
        products(i, j) = detail::dot(block.series(i), d.data() + j * steps, steps);
  } else {
    products = detail::product(block.columns(), d);
  }
  // ½(P − Pᵀ), in place: for many parameters fresh memory costs as much as a product.
  for (Eigen::Index j = 0; j < n; ++j) {
    products(j, j) = 0;
    for (Eigen::Index i = j + 1; i < n; ++i) {
      products(i, j) = (products(i, j) - products(j, i)) / 2;
      products(j, i) = -products(i, j);
    }
  }
  area_.add(detail::converted<Scalar>(products), steps);
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
