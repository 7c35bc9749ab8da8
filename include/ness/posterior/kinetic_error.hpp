// How well kinetic samplers draw from the posterior e^{−𝓛}: the exact moments of their chains (not
// in the paper).
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "ness/detail/symmetric_matrices.hpp"
#include "ness/diffusion/curvature.hpp"
#include "ness/posterior/posterior_error.hpp"
#include "ness/update/kinetic.hpp"

namespace ness {

namespace detail {

/// What some moves do to z = (θ, v) in one direction: z' = map z − kick g + noise.
template <class Scalar = double>
struct KineticMap {
  using Matrix = Eigen::Matrix<Scalar, 2, 2>;
  Matrix map = Matrix::Identity();
  Eigen::Matrix<Scalar, 2, 1> kick = Eigen::Matrix<Scalar, 2, 1>::Zero();
  Matrix noise = Matrix::Zero();  ///< its covariance

  KineticMap(std::span<const KineticMove> moves, double step, double friction);
};

/// The directions of a Hessian with these eigenvalues, and what happens before a gradient and
/// after it.
template <class Scalar = double>
class KineticModes {
 public:
  using Matrix = Eigen::Matrix<Scalar, 2, 2>;
  KineticModes(KineticMap<Scalar> before, KineticMap<Scalar> after,
               DynamicVector<Scalar> curvatures)
      : before_(std::move(before)), after_(std::move(after)), curvatures_(std::move(curvatures)) {}

  Eigen::Index size() const { return curvatures_.size(); }
  /// An update in direction i, without noise.
  Matrix update(Eigen::Index i) const { return after(i) * before_.map; }
  /// Do all updates contract?
  bool is_stable() const;

  /// ⟨zzᵀ⟩ of directions i and j at the end of an update, of a noise of this covariance in each.
  Matrix moments(Eigen::Index i, Eigen::Index j, const Matrix& noise) const;
  /// The same of gradients with unit covariance in these directions.
  Matrix of_gradients(Eigen::Index i, Eigen::Index j) const {
    return moments(i, j, after_.kick * after_.kick.transpose());
  }
  /// ⟨zzᵀ⟩ after an update that begins with the posterior's z in direction i, less that.
  Matrix excess_of_update(Eigen::Index i) const;

  /// ⟨θθ⟩ where gradients are taken, of ⟨zzᵀ⟩ at the end of an update.
  Scalar at_gradient(const Matrix& moments) const {
    return (before_.map * moments * before_.map.transpose())(0, 0);
  }
  /// The same of the posterior's z in direction i.
  Scalar posterior_at_gradient(Eigen::Index i) const {
    return at_gradient(posterior(i)) + before_.noise(0, 0);
  }

 private:
  Matrix posterior(Eigen::Index i) const {
    Matrix result = Matrix::Identity();
    result(0, 0) = 1 / curvatures_[i];
    return result;
  }
  Matrix after(Eigen::Index i) const {
    Matrix map = after_.map;
    map.col(0) -= curvatures_[i] * after_.kick;
    return map;
  }

  KineticMap<Scalar> before_, after_;
  DynamicVector<Scalar> curvatures_;
};

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

/// Epochs of a kinetic sampler, for losses quadratic about the minimum: their affine maps of
/// z = (θ, v), and what they make of the posterior's second moment.
template <class M, class T>
class KineticEpochs {
 public:
  using Sampler = EpochSampler<scalar_t<M>, parameters_at_compile_time<M>, typename T::Minibatch>;
  using Matrix = DynamicMatrix<double>;

  template <class R>
  KineticEpochs(const Objective<M, R>& objective, const GaussianPosterior<double>& posterior,
                const T& training)
      : sampler_(objective, objective.point(posterior.mean, "exact_posterior_error"),
                 training.minibatch),
        covariance_(posterior.covariance),
        before_(coefficients(T::Update::Scheme::before, training)),
        after_(coefficients(T::Update::Scheme::after, training)) {}

  /// Adds `epochs` random epochs, drawn from a stream of `seed`.
  void add(std::int64_t epochs, std::uint64_t seed, std::uint64_t stream,
           EpochSums<double>& sums) const {
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
    Walk(const KineticEpochs& common, EpochSums<double>& sums)
        : common_(common), sums_(sums), size_(common.covariance_.rows()) {}

    void begin() {
      of_theta_.setZero(size_, 2 * size_ + 1);
      of_theta_.leftCols(size_).setIdentity();
      of_v_.setZero(size_, 2 * size_ + 1);
      of_v_.middleCols(size_, size_).setIdentity();
      theta_theta_ = common_.covariance_;
      theta_v_.setZero(size_, size_);
      v_v_.setIdentity(size_, size_);
    }
    void follow(const typename Sampler::Affine& batch) {
      for (const KineticCoefficients& c : common_.before_) move(c, batch);
      for (const KineticCoefficients& c : common_.after_) move(c, batch);
    }
    void end() {
      Matrix map(2 * size_, 2 * size_ + 1);
      map << of_theta_, of_v_;
      ++sums_.count;
      sums_.map += map;
      theta_theta_ -= common_.covariance_;
      v_v_.diagonal().array() -= 1;
      sums_.excess.topLeftCorner(size_, size_) += theta_theta_;
      sums_.excess.topRightCorner(size_, size_) += theta_v_;
      sums_.excess.bottomLeftCorner(size_, size_) += theta_v_.transpose();
      sums_.excess.bottomRightCorner(size_, size_) += v_v_;
      const Index rows = map.rows(), cols = map.cols();
      for (Index j = 0; j < cols; ++j)
        for (Index i = 0; i < rows; ++i)
          sums_.pairs.block(i * rows, j * cols, rows, cols) += map(i, j) * map;
    }

   private:
    void move(const KineticCoefficients& c, const typename Sampler::Affine& batch) {
      if (c.kick != 0) return kick(c.kick, batch);
      const Matrix turned = theta_v_ + theta_v_.transpose();
      theta_theta_ += c.drift * turned + c.drift * c.drift * v_v_;
      theta_theta_.diagonal().array() += c.of_first * c.of_first;
      theta_v_ = (c.keep * (theta_v_ + c.drift * v_v_)).eval();
      theta_v_.diagonal().array() += c.of_first * c.first;
      v_v_ *= c.keep * c.keep;
      v_v_.diagonal().array() += c.first * c.first + c.second * c.second;
      of_theta_ += c.drift * of_v_;
      of_v_ *= c.keep;
    }
    void kick(double t, const typename Sampler::Affine& batch) {
      const Matrix q = batch.leftCols(size_);
      const Matrix pulled = q * theta_theta_, met = q * theta_v_;
      v_v_ += t * t * pulled * q - t * (met + met.transpose());
      theta_v_ -= t * pulled.transpose();
      of_v_ -= t * q * of_theta_;
      of_v_.col(2 * size_) -= t * batch.col(size_);
    }

    const KineticEpochs& common_;
    EpochSums<double>& sums_;
    Index size_;
    Matrix of_theta_, of_v_;              // of (z, 1) at the start, N × (2N + 1)
    Matrix theta_theta_, theta_v_, v_v_;  // second moments that began as those of the posterior
  };

  Sampler sampler_;
  Matrix covariance_;
  std::vector<KineticCoefficients> before_, after_;
};

}  // namespace detail

/// The same of epochs, of any batches, there and back as well: the state at their ends, by random
/// epochs with standard errors of `settings.epoch_map`. To leading order it is that of batches of
/// unequal curvature, Σ − H⁻¹ = −h²(n + 1)/6 H⁻¹⟨(H_B − H)²⟩H⁻¹ of n batches in a random order,
/// back again or not, beside what the splitting errs by with all samples.
///
/// Cost: for each epoch its updates times 10 N³, and 16 N⁴; memory 16 N⁴ numbers for each of 64
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
  const detail::KineticEpochs<M, T> epochs(objective, posterior, training);
  return detail::error_of_epochs(
      posterior, detail::sums_of_groups(map.groups(), map.threads,
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
KineticMap<Scalar>::KineticMap(std::span<const KineticMove> moves, double step, double friction) {
  for (const KineticMove& move : moves) {
    const KineticCoefficients c(move, step, friction);
    Matrix by = Matrix::Identity(), root = Matrix::Zero();
    by(0, 1) = static_cast<Scalar>(c.drift);
    by(1, 1) = static_cast<Scalar>(c.keep);
    root(0, 0) = static_cast<Scalar>(c.of_first);
    root(1, 0) = static_cast<Scalar>(c.first);
    root(1, 1) = static_cast<Scalar>(c.second);
    map = (by * map).eval();
    kick = (by * kick).eval();
    kick[1] += static_cast<Scalar>(c.kick);
    noise = (by * noise * by.transpose() + root * root.transpose()).eval();
  }
}

// Both eigenvalues lie within the unit circle (E. I. Jury's test).
template <class Scalar>
bool KineticModes<Scalar>::is_stable() const {
  for (Eigen::Index i = 0; i < size(); ++i) {
    const Matrix a = update(i);
    const Scalar area = a(0, 0) * a(1, 1) - a(0, 1) * a(1, 0);
    if (!(std::abs(a.trace()) < 1 + area && area < 1)) return false;
  }
  return true;
}

template <class Scalar>
Eigen::Matrix<Scalar, 2, 2> KineticModes<Scalar>::moments(Eigen::Index i, Eigen::Index j,
                                                          const Matrix& noise) const {
  const Matrix a = update(i), b = update(j);
  DynamicMatrix<Scalar> system = DynamicMatrix<Scalar>::Identity(4, 4), right(4, 1);
  for (int k = 0; k < 4; ++k) {  // a S bᵀ, of the elements of S column by column
    right(k, 0) = noise(k % 2, k / 2);
    for (int l = 0; l < 4; ++l) system(k, l) -= a(k % 2, l % 2) * b(k / 2, l / 2);
  }
  const DynamicMatrix<Scalar> solution = solve_general(system, right);
  Matrix result;
  for (int k = 0; k < 4; ++k) result(k % 2, k / 2) = solution(k, 0);
  return result;
}

template <class Scalar>
Eigen::Matrix<Scalar, 2, 2> KineticModes<Scalar>::excess_of_update(Eigen::Index i) const {
  const Matrix start = posterior(i), rest = after(i), all = rest * before_.map;
  return all * start * all.transpose() - start + rest * before_.noise * rest.transpose() +
         after_.noise;
}

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
    const auto excess = modes.moments(i, i, modes.excess_of_update(i));
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
