// How far what a sampler drew is from the posterior (Sec. 4.6): the measured side of
// `predict_posterior_error`.
#pragma once

#include <cstdint>

#include "ness/detail/matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/posterior/gaussian_posterior.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/moments.hpp"

namespace ness {

/// Mean and covariance of the draws in the coordinates w = Λ^½Vᵀδθ, VΛVᵀ = H₀, where those of the
/// posterior are 0 and I, and from them the divergence of Eq. 46: for `run_chains`.
///
/// Deviations must be taken from θ₀. `batch_length` in Markov steps should be long beside the
/// relaxation 1/(ηh_min). Cost: a product of N × N with each state, and those of `Moments`.
template <class Scalar = double>
class PosteriorEstimator {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// Throws `std::invalid_argument` unless the precision is positive definite.
  PosteriorEstimator(const GaussianPosterior<Scalar>& posterior, std::int64_t batch_length);

  template <class S>
  void add(const TrajectoryBlock<S>& block) {
    add_states(block.all_deviations().template cast<Scalar>());
  }
  void merge(const PosteriorEstimator& other) { moments_.merge(other.moments_); }

  template <class Archive>
  void serialize(Archive& archive);

  /// In the coordinates of θ. The standard error of the divergence is that of its expansion to
  /// second order, in which the elements of the whitened moments count as independent; `chance` is
  /// its mean for a perfect sampler.
  PosteriorError<Scalar> result() const;

  /// Integrated autocorrelation time of each of the coordinates w, in Markov steps: along
  /// eigenvectors of H₀, the slowest first.
  Vector autocorrelation_time() const { return moments_.autocorrelation_time(); }
  /// Markov steps that were seen.
  std::int64_t steps() const { return moments_.steps(); }

 private:
  static const Matrix& checked(const GaussianPosterior<Scalar>& posterior);
  void add_states(const Matrix& states);

  detail::SymmetricEigen<Scalar> precision_;
  Matrix map_;  // VΛ^½
  TrajectoryBlock<Scalar> whitened_;
  Moments<Scalar> moments_;
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>
#include <numbers>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/posterior/divergence.hpp"

namespace ness {

template <class Scalar>
PosteriorEstimator<Scalar>::PosteriorEstimator(const GaussianPosterior<Scalar>& posterior,
                                               std::int64_t batch_length)
    : precision_(checked(posterior)),
      map_(precision_.root()),
      whitened_(Vector::Zero(posterior.mean.size()), Vector::Zero(posterior.mean.size()), 1),
      moments_(posterior.mean.size(), batch_length) {
  if (!(precision_.values[0] > 0))
    detail::invalid("PosteriorEstimator", "the precision must be positive definite");
}

template <class Scalar>
const DynamicMatrix<Scalar>& PosteriorEstimator<Scalar>::checked(
    const GaussianPosterior<Scalar>& posterior) {
  const Eigen::Index n = posterior.mean.size();
  detail::require_not_empty(posterior.mean, "PosteriorEstimator", "mean");
  detail::require_size(posterior.precision, n, n, "PosteriorEstimator", "precision");
  detail::require_finite(posterior.precision, "PosteriorEstimator", "precision");
  detail::require_symmetric(posterior.precision, "PosteriorEstimator", "precision");
  return posterior.precision;
}

template <class Scalar>
void PosteriorEstimator<Scalar>::add_states(const Matrix& states) {
  const Vector origin = Vector::Zero(states.cols());
  if (states.rows() - 1 > whitened_.capacity())
    whitened_ = TrajectoryBlock<Scalar>(origin, origin, states.rows() - 1);
  whitened_.assign(Matrix(states * map_));  // wᵀ = δθᵀVΛ^½
  moments_.add(whitened_);
}

template <class Scalar>
PosteriorError<Scalar> PosteriorEstimator<Scalar>::result() const {
  const Estimate<Vector> mean = moments_.mean();
  const Estimate<Matrix> covariance = moments_.covariance();
  const Eigen::Index n = mean.value.size();
  const Matrix identity = Matrix::Identity(n, n);
  const Matrix excess = covariance.value - identity;
  Matrix back = precision_.vectors;  // VΛ^−½
  for (Eigen::Index k = 0; k < n; ++k) back.col(k) /= std::sqrt(precision_.values[k]);
  const Matrix back_transposed = back.transpose();
  const Matrix squares = back.cwiseAbs2();
  const Matrix squares_transposed = back_transposed.cwiseAbs2();
  const Matrix mean_variance = mean.standard_error.cwiseAbs2();
  const Matrix covariance_variance = covariance.standard_error.cwiseAbs2();

  PosteriorError<Scalar> error;
  error.mean_shift = {back * mean.value, Matrix(squares * mean_variance).cwiseSqrt(),
                      mean.degrees_of_freedom};
  error.covariance_excess = {
      Matrix(back * excess) * back_transposed,
      Matrix(Matrix(squares * covariance_variance) * squares_transposed).cwiseSqrt(),
      covariance.degrees_of_freedom};
  error.divergence.value = detail::kl_divergence_of_excess(mean.value, excess, identity);
  // To second order the divergence is Σ c x² / ln 2, with c = ½ for a component of the mean, ¼
  // for a diagonal element of the excess and ½ for one below the diagonal.
  double variance = 0;
  const auto count = [&](double c, double x, double deviation) {
    const double square = deviation * deviation;
    error.chance += c * square / std::numbers::ln2;
    variance += 4 * c * c * x * x * square + 2 * c * c * square * square;
  };
  for (Eigen::Index j = 0; j < n; ++j) {
    count(0.5, mean.value[j], mean.standard_error[j]);
    for (Eigen::Index i = j; i < n; ++i)
      count(i == j ? 0.25 : 0.5, excess(i, j), covariance.standard_error(i, j));
  }
  error.divergence.standard_error = std::sqrt(variance) / std::numbers::ln2;
  return error;
}

template <class Scalar>
template <class Archive>
void PosteriorEstimator<Scalar>::serialize(Archive& archive) {
  archive(moments_);
}

}  // namespace ness
#endif
