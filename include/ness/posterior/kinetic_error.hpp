// How well kinetic samplers draw from the posterior e^{−𝓛}: the exact moments of their chains (not
// in the paper).
#pragma once

#include <Eigen/Core>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "ness/detail/symmetric_matrices.hpp"
#include "ness/diffusion/curvature.hpp"
#include "ness/posterior/kinetic_modes.hpp"
#include "ness/posterior/posterior_error.hpp"
#include "ness/posterior/unequal_batches.hpp"
#include "ness/update/kinetic.hpp"

namespace ness {

namespace detail {

/// Σ where gradients are taken, of noise of gradients with ½⟨ξξᵀ⟩ = D: linear in D.
template <class Scalar = double>
class KineticEquation {
 public:
  using Matrix = DynamicMatrix<Scalar>;
  KineticEquation(const KineticModes<Scalar>& modes, Matrix vectors);

  Eigen::Index size() const { return vectors_.rows(); }
  Matrix solve(const Matrix& diffusion) const { return weighted(at_gradient_, diffusion); }
  /// Σ at the end of updates.
  Matrix at_end(const Matrix& diffusion) const { return weighted(at_end_, diffusion); }

 private:
  // Element by element, in the basis of the Hessian.
  Matrix weighted(const Matrix& kernel, const Matrix& diffusion) const;

  Matrix vectors_, at_gradient_, at_end_;
};

/// Σ − Σ_po of independent batches, from D and Π of gradients.
template <class Scalar>
PosteriorError<Scalar> error_of_kinetic(const GaussianPosterior<Scalar>& posterior,
                                        const KineticMap<Scalar>& before,
                                        const KineticMap<Scalar>& after,
                                        const DynamicMatrix<Scalar>& diffusion,
                                        const CurvatureFunction<Scalar>& curvature);

}  // namespace detail

/// What a kinetic sampler with independent batches really does near a minimum, for losses quadratic
/// in θ (else taken for quadratic about θ₀): Σ of θ at the end of updates, all orders in h kept
/// (not in the paper). In the basis of H an update is z' = A_i z + noise of z = (θ, v), and the
/// noise of batches has ⟨ξξᵀ⟩ = 2[D + Π(S)] with the S of the places where gradients are taken: a
/// generalised Lyapunov equation, solved as that of `solve_generalized_lyapunov`.
///
/// Cost: N²/2 systems of 4 × 4, and those of `DiffusionCurvature`. Throws `std::invalid_argument`
/// for settings that do not fit.
template <class M, class R, IsTraining T>
  requires KineticUpdate<typename T::Update> && DrawsIndependently<T>
PosteriorError<scalar_t<M>> exact_posterior_error(const Objective<M, R>& objective,
                                                  const Minimum<scalar_t<M>>& minimum,
                                                  const T& training,
                                                  const PosteriorSettings& = {}) {
  static_assert(std::same_as<scalar_t<M>, double>,
                "ness: the moments of kinetic samplers are those of a model in double precision");
  using Scheme = typename T::Update::Scheme;
  using Gradients = Sgd<typename T::Minibatch>;
  training.check(objective.samples(), "exact_posterior_error");
  const auto posterior = detail::posterior_about(minimum, "exact_posterior_error");
  const double step = training.learning_rate, friction = training.update.friction;
  const Gradients gradients{.learning_rate = 1, .minibatch = training.minibatch};
  const DiffusionCurvature<M, R, Gradients> curvature(objective, minimum.theta, gradients,
                                                      posterior.covariance);
  return detail::error_of_kinetic<double>(
      posterior, detail::KineticMap<>(Scheme::before, step, friction),
      detail::KineticMap<>(Scheme::after, step, friction),
      diffusion(objective, minimum.theta, gradients), std::cref(curvature));
}

namespace detail {

/// Second moments of z = (θ, v), N × N each.
template <class Scalar>
struct KineticMoments {
  DynamicMatrix<Scalar> theta_theta, theta_v, v_v;
};

/// Epochs of a kinetic sampler, for losses quadratic about the minimum: their affine maps of
/// z = (θ, v), and what they make of the second moment that updates without noise of batches have.
///
/// That is followed order by order in what batches differ in from all samples: the orders 1 and 2,
/// whose means are known (`epoch_source`), and what is left, which alone is averaged.
template <class M, class T>
class KineticEpochs {
 public:
  using Sampler = EpochSampler<scalar_t<M>, parameters_at_compile_time<M>, typename T::Minibatch>;
  using Real = typename DoubleFor<M>::type;
  using Matrix = DynamicMatrix<Real>;
  using Vector = DynamicVector<Real>;
  using Moments = KineticMoments<Real>;

  template <class R>
  KineticEpochs(const Objective<M, R>& objective, const Minimum<double>& minimum,
                const GaussianPosterior<double>& posterior, const T& training)
      : sampler_(objective, objective.point(posterior.mean, "exact_posterior_error"),
                 training.minibatch),
        hessian_(posterior.precision),
        gradient_(objective.gradient(posterior.mean)),
        before_(coefficients(T::Update::Scheme::before, training)),
        after_(coefficients(T::Update::Scheme::after, training)) {
    const SymmetricEigen<Real> eigen(posterior.precision);
    const KineticModes<Real> modes = kinetic_modes(training, eigen.values);
    is_stable_ = modes.is_stable();
    if (!is_stable_) return;
    const Index size = hessian_.rows();
    Matrix of_modes(size, 4);  // θθ, θv, vv, and what is more of θθ than the posterior's
    for (Index i = 0; i < size; ++i) {
      const auto moments = modes.stationary(i);
      of_modes.row(i) << moments(0, 0), moments(0, 1), moments(1, 1), modes.excess(i)(0, 0);
    }
    start_ = {eigen.function(of_modes.col(0)), eigen.function(of_modes.col(1)),
              eigen.function(of_modes.col(2))};
    own_ = eigen.function(of_modes.col(3));
    const EpochCorrelation correlation = training.minibatch.epoch_correlation(objective.samples());
    is_known_ = correlation.last_variance == correlation.variance;
    if (is_known_)
      known_ = in_coordinates(epoch_source(modes, sample_scatter(objective, minimum), correlation),
                              eigen.vectors);
  }

  /// Do updates without noise of batches contract?
  bool is_stable() const { return is_stable_; }
  /// What Σ is then more than that of the posterior.
  const Matrix& own() const { return own_; }

  /// Adds `epochs` random epochs, drawn from a stream of `seed`.
  void add(std::int64_t epochs, std::uint64_t seed, std::uint64_t stream,
           EpochSums<Real>& sums) const {
    Walk walk(*this, sums);
    sampler_.draw(epochs, Philox(seed, stream), walk);
  }

 private:
  static std::vector<KineticCoefficients> coefficients(std::span<const KineticMove> moves,
                                                       const T& training) {
    std::vector<KineticCoefficients> result;
    for (const KineticMove& move : moves)
      result.emplace_back(move, training.learning_rate, training.update.friction);
    return result;
  }

  class Walk {
   public:
    Walk(const KineticEpochs& common, EpochSums<Real>& sums)
        : common_(common), sums_(sums), size_(common.hessian_.rows()) {}

    void begin() {
      of_theta_.setZero(size_, 2 * size_ + 1);
      of_theta_.leftCols(size_).setIdentity();
      of_v_.setZero(size_, 2 * size_ + 1);
      of_v_.middleCols(size_, size_).setIdentity();
      const Matrix none = Matrix::Zero(size_, size_);
      levels_.fill({none, none, none});
      levels_[0] = common_.start_;
      known_theta_.setZero(size_, 2);
      known_v_.setZero(size_, 2);
    }
    void follow(const typename Sampler::Affine& batch) {
      for (const KineticCoefficients& c : common_.before_) move(c, batch);
      for (const KineticCoefficients& c : common_.after_) move(c, batch);
    }
    void end() {
      Matrix map(2 * size_, 2 * size_ + 1);
      map << of_theta_, of_v_;
      const Index rows = map.rows(), cols = map.cols();
      for (Index j = 0; j < cols; ++j)
        for (Index i = 0; i < rows; ++i)
          sums_.pairs.block(i * rows, j * cols, rows, cols) += map(i, j) * map;
      Moments more = levels_.back();
      if (common_.is_known_) {
        Matrix known(rows, 2);
        known << known_theta_, known_v_;
        map.col(rows) += common_.known_.shift - known.rowwise().sum();
        sums_.excess += common_.known_.of_curvature + common_.known_.of_gradients -
                        known.col(0) * known.col(0).transpose();
      } else {
        for (std::size_t k = 1; k <= known_orders; ++k) add_to(more, levels_[k]);
      }
      ++sums_.count;
      sums_.map += map;
      sums_.excess.topLeftCorner(size_, size_) += more.theta_theta;
      sums_.excess.topRightCorner(size_, size_) += more.theta_v;
      sums_.excess.bottomLeftCorner(size_, size_) += more.theta_v.transpose();
      sums_.excess.bottomRightCorner(size_, size_) += more.v_v;
    }

   private:
    void move(const KineticCoefficients& c, const typename Sampler::Affine& batch) {
      if (c.kick != 0) return kick(c.kick, batch);
      for (Moments& level : levels_) {
        const Matrix turned = level.theta_v + level.theta_v.transpose();
        level.theta_theta += c.drift * turned + c.drift * c.drift * level.v_v;
        level.theta_v = (c.keep * (level.theta_v + c.drift * level.v_v)).eval();
        level.v_v *= c.keep * c.keep;
      }
      levels_[0].theta_theta.diagonal().array() += c.of_first * c.of_first;
      levels_[0].theta_v.diagonal().array() += c.of_first * c.first;
      levels_[0].v_v.diagonal().array() += c.first * c.first + c.second * c.second;
      of_theta_ += c.drift * of_v_;
      of_v_ *= c.keep;
      known_theta_ += c.drift * known_v_;
      known_v_ *= c.keep;
    }
    // Level k is of order k in q = Q − H, the last all that is left, so it moves with Q itself.
    void kick(double t, const typename Sampler::Affine& batch) {
      const Matrix all = batch.leftCols(size_), q = all - common_.hessian_;
      Matrix pulled_before, pulled;
      std::array<Matrix, levels> theta_v;
      for (std::size_t k = 0; k < levels; ++k) {
        const Matrix& own = k + 1 < levels ? common_.hessian_ : all;
        Moments& level = levels_[k];
        pulled = own * level.theta_theta;
        Matrix met = own * level.theta_v;
        if (k > 0) {
          pulled += q * levels_[k - 1].theta_theta;
          met += q * levels_[k - 1].theta_v;
          level.v_v += t * t * pulled_before * q;
        }
        level.v_v += t * t * pulled * own - t * (met + met.transpose());
        theta_v[k] = level.theta_v - t * pulled.transpose();
        pulled_before = pulled;
      }
      for (std::size_t k = 0; k < levels; ++k) levels_[k].theta_v = theta_v[k];
      of_v_ -= t * all * of_theta_;
      of_v_.col(2 * size_) -= t * batch.col(size_);
      known_v_ -= t * common_.hessian_ * known_theta_;
      known_v_.col(0) -= t * (batch.col(size_) - common_.gradient_);
      known_v_.col(1) -= t * q * known_theta_.col(0);
    }
    static void add_to(Moments& sum, const Moments& term) {
      sum.theta_theta += term.theta_theta;
      sum.theta_v += term.theta_v;
      sum.v_v += term.v_v;
    }

    static constexpr std::size_t known_orders = 2, levels = known_orders + 2;

    const KineticEpochs& common_;
    EpochSums<Real>& sums_;
    Index size_;
    Matrix of_theta_, of_v_;  // of (z, 1) at the start, N × (2N + 1)
    std::array<Moments, levels> levels_;
    Matrix known_theta_, known_v_;  // the orders 1 and 2 of the displacement, N × 2
  };

  Sampler sampler_;
  Matrix hessian_;
  Vector gradient_;
  std::vector<KineticCoefficients> before_, after_;
  bool is_stable_ = false, is_known_ = false;
  Moments start_;
  Matrix own_;
  EpochSource<Real> known_;
};

}  // namespace detail

/// The same of epochs, of any batches, there and back as well: the state at their ends, by random
/// epochs with standard errors of `settings.epoch_map`. What is known to second order in the
/// differences of batches of one size (`leading_posterior_error`) serves as control variate, so
/// that the standard error is of third order, and a hundred epochs say more than a million without.
/// To leading order it is that of batches of unequal curvature, Σ − H⁻¹ = −h²(n + 1)/6 H⁻¹⟨(H_B −
/// H)²⟩H⁻¹ of n batches in a random order, back again or not, beside what the splitting errs by
/// with all samples.
///
/// Cost: for each epoch its updates times 40 N³, and 16 N⁴; memory 16 N⁴ numbers for each of 64
/// groups: for some ten parameters.
template <class M, class R, IsTraining T>
  requires KineticUpdate<typename T::Update> && DrawsEpochs<T>
PosteriorError<scalar_t<M>> exact_posterior_error(const Objective<M, R>& objective,
                                                  const Minimum<scalar_t<M>>& minimum,
                                                  const T& training,
                                                  const PosteriorSettings& settings = {}) {
  training.check(objective.samples(), "exact_posterior_error");
  settings.epoch_map.check("exact_posterior_error");
  const auto posterior = detail::posterior_about(minimum, "exact_posterior_error");
  const EpochMapSettings& map = settings.epoch_map;
  const detail::KineticEpochs<M, T> epochs(objective, minimum, posterior, training);
  if (!epochs.is_stable())
    return detail::posterior_error<double>(posterior, LyapunovStatus::unstable_learning_rate,
                                           posterior.mean - minimum.theta, posterior.covariance);
  return detail::error_of_epochs(
      posterior, epochs.own(),
      detail::sums_of_groups(map.groups(), map.threads,
                             detail::EpochSums<double>(2 * posterior.mean.size()),
                             [&](detail::EpochSums<double>& sums, std::uint64_t stream) {
                               epochs.add(map.group_size(), map.seed, stream, sums);
                             }));
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>

#include "ness/detail/general_matrices.hpp"

namespace ness::detail {

template <class Scalar>
KineticEquation<Scalar>::KineticEquation(const KineticModes<Scalar>& modes, Matrix vectors)
    : vectors_(std::move(vectors)),
      at_gradient_(modes.size(), modes.size()),
      at_end_(at_gradient_) {
  for (Eigen::Index j = 0; j < modes.size(); ++j)
    for (Eigen::Index i = 0; i < modes.size(); ++i) {
      const auto moments = modes.of_gradients(i, j);
      at_gradient_(i, j) = modes.at_gradient(moments);
      at_end_(i, j) = moments(0, 0);
    }
}

template <class Scalar>
DynamicMatrix<Scalar> KineticEquation<Scalar>::weighted(const Matrix& kernel,
                                                        const Matrix& diffusion) const {
  const Matrix back = transposed(vectors_);
  Matrix along = product(back, product(diffusion, vectors_));
  for (Eigen::Index j = 0; j < along.cols(); ++j)
    for (Eigen::Index i = 0; i < along.rows(); ++i) along(i, j) *= 2 * kernel(i, j);
  return product(vectors_, product(along, back));
}

template <class Scalar>
PosteriorError<Scalar> error_of_kinetic(const GaussianPosterior<Scalar>& posterior,
                                        const KineticMap<Scalar>& before,
                                        const KineticMap<Scalar>& after,
                                        const DynamicMatrix<Scalar>& diffusion,
                                        const CurvatureFunction<Scalar>& curvature) {
  using Matrix = DynamicMatrix<Scalar>;
  using Vector = DynamicVector<Scalar>;
  const SymmetricEigen<Scalar> eigen(posterior.precision);
  const KineticModes<Scalar> modes(before, after, eigen.values);
  const Index size = modes.size();
  const Vector shift = Vector::Zero(size);
  if (!modes.is_stable())
    return posterior_error<Scalar>(posterior, LyapunovStatus::unstable_learning_rate, shift,
                                   Matrix::Zero(size, size));
  Vector here(size), own(size);  // ⟨θθ⟩ of the scheme itself: where gradients are, and what is more
  for (Eigen::Index i = 0; i < size; ++i) {
    const auto excess = modes.excess(i);
    here[i] = modes.posterior_at_gradient(i) + modes.at_gradient(excess);
    own[i] = excess(0, 0);
  }
  const KineticEquation<Scalar> equation(modes, eigen.vectors);
  Matrix known = curvature(eigen.function(here));
  known += diffusion;
  Matrix more = Matrix::Zero(size, size);  // of the batches, where gradients are taken
  const LyapunovStatus status = solve_generalized(equation, known, curvature, {}, more);
  known += curvature(more);
  Matrix excess = eigen.function(own);
  excess += equation.at_end(known);
  return posterior_error<Scalar>(posterior, status, shift, excess);
}

}  // namespace ness::detail
#endif
