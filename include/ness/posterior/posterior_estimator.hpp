// How far what a sampler drew is from the posterior (Sec. 4.6): the measured side of
// `predict_posterior_error`.
#pragma once

#include <Eigen/Cholesky>
#include <cmath>
#include <numbers>

#include "ness/detail/check.hpp"
#include "ness/posterior/gaussian_posterior.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/moments.hpp"

namespace ness {

/// Mean and covariance of the draws in the coordinates w = Lᵀδθ, LLᵀ = H₀, where those of the
/// posterior are 0 and I, and from them the divergence of Eq. 46: for `run_chains`.
///
/// Deviations must be taken from θ₀. `batch_length` in Markov steps should be long beside the
/// relaxation 1/(ηh_min). Cost: a product of N × N with each state, and those of `Moments`.
template <int N>
class PosteriorEstimator {
 public:
  using Vector = Eigen::Matrix<double, N, 1>;
  using Matrix = Eigen::Matrix<double, N, N>;

  /// Throws `std::invalid_argument` unless the precision is positive definite.
  PosteriorEstimator(const GaussianPosterior<Matrix>& posterior, std::int64_t batch_length)
      : whitened_(Vector::Zero(posterior.mean.size()), Vector::Zero(posterior.mean.size()), 1),
        moments_(posterior.mean.size(), batch_length) {
    const Eigen::LLT<Matrix> factor(posterior.precision);
    if (factor.info() != Eigen::Success)
      detail::invalid("PosteriorEstimator", "the precision must be positive definite");
    root_ = factor.matrixU();
  }

  template <class S>
  void add(const TrajectoryBlock<S, N>& block) {
    states_.noalias() = root_ * block.all_deviations().template cast<double>();
    if (states_.cols() - 1 > whitened_.capacity())
      whitened_ =
          Whitened(Vector::Zero(states_.rows()), Vector::Zero(states_.rows()), states_.cols() - 1);
    whitened_.assign(states_);
    moments_.add(whitened_);
  }
  void merge(const PosteriorEstimator& other) { moments_.merge(other.moments_); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(moments_);
  }

  /// In the coordinates of θ. The standard error of the divergence is that of its expansion to
  /// second order, in which the elements of the whitened moments count as independent; `chance` is
  /// its mean for a perfect sampler.
  PosteriorError<Matrix> result() const {
    const Estimate<Vector> mean = moments_.mean();
    const Estimate<Matrix> covariance = moments_.covariance();
    const Eigen::Index n = mean.value.size();
    const Matrix excess = covariance.value - Matrix::Identity(n, n);
    const Matrix back =
        root_.template triangularView<Eigen::Upper>().solve(Matrix(Matrix::Identity(n, n)));

    PosteriorError<Matrix> error;
    error.mean_shift = {back * mean.value,
                        (back.cwiseAbs2() * mean.standard_error.cwiseAbs2()).cwiseSqrt()};
    error.covariance_excess = {
        back * excess * back.transpose(),
        (back.cwiseAbs2() * covariance.standard_error.cwiseAbs2() * back.cwiseAbs2().transpose())
            .cwiseSqrt()};
    error.divergence.value =
        kl_divergence_of_excess(mean.value, excess, Matrix(Matrix::Identity(n, n)));
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

  /// Integrated autocorrelation time of each of the coordinates w, in Markov steps.
  Vector autocorrelation_time() const { return moments_.autocorrelation_time(); }
  std::int64_t steps() const { return moments_.steps(); }

 private:
  using Whitened = TrajectoryBlock<double, N>;
  Matrix root_;
  Eigen::Matrix<double, N, Eigen::Dynamic> states_;
  Whitened whitened_;
  Moments<N> moments_;
};

}  // namespace ness
