// How the drift of a trajectory is correlated with its place (Eq. 22).
#pragma once

#include <cstdint>

#include "ness/detail/matrices.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/moments.hpp"

namespace ness {

/// −⟨Δθ δθᵀ⟩, N × N, per Markov step. Given θ a step is −η∇𝓛(θ) on average, so that of SGD this is
/// η⟨∇𝓛 δθᵀ⟩ = ηHΣ, whose trace is tr D (Eq. 22); in general KΣ, of which
/// `StationaryState::drift_correlation` predicts the trace. No gradient of the whole loss is taken,
/// and epochs, whose 𝓛̂ has none that is cheap, do as well.
///
/// In a stationary state the symmetric part is ½⟨Δθ Δθᵀ⟩, D and half the square of the mean drift,
/// relatively ηh/2 of it; the antisymmetric part is the circulation. Cost: as that of `Area`.
template <class Scalar = double>
class DriftCorrelation {
 public:
  using Matrix = DynamicMatrix<Scalar>;

  /// `batch_length` in Markov steps.
  DriftCorrelation(Eigen::Index parameters, std::int64_t batch_length)
      : products_(parameters, parameters, batch_length), traces_(1, 1, batch_length) {}

  template <class S>
  void add(const TrajectoryBlock<S>& block);

  void merge(const DriftCorrelation& other) {
    products_.merge(other.products_);
    traces_.merge(other.traces_);
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

  /// −⟨Δθ δθᵀ⟩, N × N.
  Estimate<Matrix> matrix() const { return products_.estimate(); }
  /// With an error of its own: those of the diagonal are correlated.
  Estimate<Scalar> trace() const;

 private:
  BatchMeans<Scalar> products_, traces_;
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library
namespace ness {

template <class Scalar>
template <class S>
void DriftCorrelation<Scalar>::add(const TrajectoryBlock<S>& block) {
  const auto places = block.deviations();
  const DynamicMatrix<S> steps = -block.increments();
  const Eigen::Index n = block.parameters();
  DynamicMatrix<S> products(n, n);
  if (n <= detail::few_parameters) {
    for (Eigen::Index j = 0; j < n; ++j)
      for (Eigen::Index i = 0; i < n; ++i) products(i, j) = steps.col(i).dot(places.col(j));
  } else {
    const DynamicMatrix<S> columns = steps.transpose();
    const DynamicMatrix<S> rows = places;
    products = detail::product(columns, rows);
  }
  products_.add(products.template cast<Scalar>(), block.steps());
  traces_.add(Matrix::Constant(1, 1, static_cast<Scalar>(products.trace())), block.steps());
}

template <class Scalar>
Estimate<Scalar> DriftCorrelation<Scalar>::trace() const {
  const auto [value, error, degrees_of_freedom] = traces_.estimate();
  return {value(0, 0), error(0, 0), degrees_of_freedom};
}

template <class Scalar>
template <class Archive>
void DriftCorrelation<Scalar>::serialize(Archive& archive) {
  archive(products_, traces_);
}

}  // namespace ness
#endif
