// How well kinetic samplers draw from the posterior e^{−𝓛}: the exact moments of their chains (not
// in the paper).
#pragma once

#include <Eigen/Core>
#include <cmath>
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
struct KineticMap {
  Eigen::Matrix2d map = Eigen::Matrix2d::Identity();
  Eigen::Vector2d kick = Eigen::Vector2d::Zero();
  Eigen::Matrix2d noise = Eigen::Matrix2d::Zero();  ///< its covariance
};

inline KineticMap kinetic_map(std::span<const KineticMove> moves, double step, double friction) {
  KineticMap all;
  for (const KineticMove& move : moves) {
    const KineticCoefficients c(move, step, friction);
    const Eigen::Matrix2d map{{1, c.drift}, {0, c.keep}};
    const Eigen::Matrix2d root{{c.of_first, 0}, {c.first, c.second}};
    all.map = (map * all.map).eval();
    all.kick = (map * all.kick).eval();
    all.kick[1] += c.kick;
    all.noise = (map * all.noise * map.transpose() + root * root.transpose()).eval();
  }
  return all;
}

/// Before a gradient and after it, of the directions of a Hessian with these eigenvalues.
class KineticModes {
 public:
  KineticModes(KineticMap before, KineticMap after, const DynamicVector<double>& curvatures)
      : before_(std::move(before)), after_(std::move(after)), curvatures_(curvatures) {}

  /// An update in direction i, without noise.
  Eigen::Matrix2d update(Eigen::Index i) const { return after(i) * before_.map; }
  bool is_stable() const;

  /// ⟨zzᵀ⟩ of directions i and j at the end of an update, of a noise of this covariance in each.
  Eigen::Matrix2d moments(Eigen::Index i, Eigen::Index j, const Eigen::Matrix2d& noise) const;
  /// The same of a unit covariance of gradients in these directions.
  Eigen::Matrix2d of_gradients(Eigen::Index i, Eigen::Index j) const {
    return moments(i, j, after_.kick * after_.kick.transpose());
  }
  /// Of z' at the end of an update that begins with the posterior's z in direction i, less those.
  Eigen::Matrix2d excess_of_update(Eigen::Index i) const;

  /// ⟨θθ⟩ where gradients are taken, of ⟨zzᵀ⟩ at the end of an update.
  double at_gradient(const Eigen::Matrix2d& moments) const {
    return (before_.map * moments * before_.map.transpose())(0, 0);
  }
  /// The same of the posterior's z in direction i.
  double posterior_at_gradient(Eigen::Index i) const {
    return at_gradient(posterior(i)) + before_.noise(0, 0);
  }
  Eigen::Index size() const { return curvatures_.size(); }

 private:
  Eigen::Matrix2d posterior(Eigen::Index i) const {
    return Eigen::Vector2d(1 / curvatures_[i], 1).asDiagonal();
  }
  Eigen::Matrix2d after(Eigen::Index i) const {
    Eigen::Matrix2d map = after_.map;
    map.col(0) -= curvatures_[i] * after_.kick;
    return map;
  }

  KineticMap before_, after_;
  DynamicVector<double> curvatures_;
};

/// Σ where gradients are taken, of noise of gradients with ½⟨ξξᵀ⟩ = D: linear in D.
class KineticEquation {
 public:
  using Matrix = DynamicMatrix<double>;
  KineticEquation(const KineticModes& modes, Matrix vectors);

  Eigen::Index size() const { return vectors_.rows(); }
  Matrix solve(const Matrix& diffusion) const { return turned_back(at_gradient_, diffusion); }
  /// Σ at the end of updates.
  Matrix at_end(const Matrix& diffusion) const { return turned_back(at_end_, diffusion); }

 private:
  Matrix turned_back(const Matrix& kernel, const Matrix& diffusion) const {
    const Matrix along = vectors_.transpose() * diffusion * vectors_;
    return vectors_ * (2 * kernel.cwiseProduct(along)) * vectors_.transpose();
  }

  Matrix vectors_, at_gradient_, at_end_;
};

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
                "ness: the moments of kinetic samplers are those of double precision");
  using Scheme = typename T::Update::Scheme;
  using Matrix = DynamicMatrix<double>;
  training.check(objective.samples(), "exact_posterior_error");
  const auto posterior = detail::posterior_about(minimum, "exact_posterior_error");
  const detail::SymmetricEigen<double> eigen(minimum.hessian);
  const double step = training.learning_rate, friction = training.update.friction;
  const detail::KineticModes modes(detail::kinetic_map(Scheme::before, step, friction),
                                   detail::kinetic_map(Scheme::after, step, friction),
                                   eigen.values);
  const DynamicVector<double> shift = DynamicVector<double>::Zero(modes.size());
  if (!modes.is_stable())
    return detail::posterior_error<double>(posterior, LyapunovStatus::unstable_learning_rate, shift,
                                           Matrix::Zero(modes.size(), modes.size()));
  const detail::KineticEquation equation(modes, eigen.vectors);
  DynamicVector<double> here(modes.size()), own(modes.size());  // of the scheme itself
  for (Eigen::Index i = 0; i < modes.size(); ++i) {
    const Eigen::Matrix2d excess = modes.moments(i, i, modes.excess_of_update(i));
    here[i] = modes.posterior_at_gradient(i) + modes.at_gradient(excess);
    own[i] = excess(0, 0);
  }
  const Sgd<typename T::Minibatch> of_gradients{.learning_rate = 1,
                                                .minibatch = training.minibatch};
  const DiffusionCurvature<M, R, Sgd<typename T::Minibatch>> curvature(
      objective, minimum.theta, of_gradients, posterior.covariance);
  const Matrix d =
      diffusion(objective, minimum.theta, of_gradients) + curvature(eigen.function(here));
  Matrix more = Matrix::Zero(modes.size(), modes.size());
  const LyapunovStatus status = detail::solve_generalized<detail::KineticEquation, double>(
      equation, d, std::cref(curvature), GeneralizedLyapunovSettings{}, more);
  const Matrix excess = eigen.function(own) + equation.at_end(d + curvature(more));
  return detail::posterior_error<double>(posterior, status, shift, excess);
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
/// epochs with standard errors of `settings.epoch_map`.
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

#include <Eigen/LU>

namespace ness::detail {

inline bool KineticModes::is_stable() const {
  for (Eigen::Index i = 0; i < size(); ++i) {
    const Eigen::Matrix2d a = update(i);  // both eigenvalues within the unit circle (Jury)
    if (!(std::abs(a.trace()) < 1 + a.determinant() && a.determinant() < 1)) return false;
  }
  return true;
}

inline Eigen::Matrix2d KineticModes::moments(Eigen::Index i, Eigen::Index j,
                                             const Eigen::Matrix2d& noise) const {
  const Eigen::Matrix2d a = update(i), b = update(j);
  Eigen::Matrix4d system = Eigen::Matrix4d::Identity();
  for (int c = 0; c < 2; ++c)
    for (int d = 0; d < 2; ++d) system.block<2, 2>(2 * c, 2 * d) -= b(c, d) * a;
  const Eigen::Vector4d solution = system.partialPivLu().solve(noise.reshaped());
  return solution.reshaped(2, 2);
}

inline Eigen::Matrix2d KineticModes::excess_of_update(Eigen::Index i) const {
  const Eigen::Matrix2d start = posterior(i), rest = after(i), all = rest * before_.map;
  return all * start * all.transpose() - start + rest * before_.noise * rest.transpose() +
         after_.noise;
}

inline KineticEquation::KineticEquation(const KineticModes& modes, Matrix vectors)
    : vectors_(std::move(vectors)),
      at_gradient_(modes.size(), modes.size()),
      at_end_(at_gradient_) {
  for (Eigen::Index j = 0; j < modes.size(); ++j)
    for (Eigen::Index i = 0; i < modes.size(); ++i) {
      const Eigen::Matrix2d moments = modes.of_gradients(i, j);
      at_gradient_(i, j) = modes.at_gradient(moments);
      at_end_(i, j) = moments(0, 0);
    }
}

}  // namespace ness::detail
