// How well samplers draw from the posterior e^{−𝓛} (Sec. 4.6, App. D): by the theory of continuous
// time, and by the exact moments of the chains.
#pragma once

#include <Eigen/Core>
#include <utility>
#include <vector>

#include "ness/diffusion/curvature.hpp"
#include "ness/landscape/effective_landscape.hpp"
#include "ness/sampling/posterior.hpp"
#include "ness/stationary/epoch_map.hpp"
#include "ness/stationary/generalized_lyapunov.hpp"
#include "ness/training/samplers.hpp"

namespace ness {

/// The posterior about a minimum. Cost: one eigendecomposition. Throws `std::invalid_argument`
/// unless H₀ is positive definite.
template <class Vector, class Matrix>
GaussianPosterior<Matrix> gaussian_posterior(const Minimum<Vector, Matrix>& minimum) {
  const detail::SymmetricEigen<Matrix> eigen(minimum.hessian);
  detail::require(eigen.values[0] > 0, "gaussian_posterior",
                  "the Hessian must be positive definite, but its smallest eigenvalue",
                  eigen.values[0]);
  return {minimum.theta, minimum.hessian,
          eigen.vectors * eigen.values.cwiseInverse().asDiagonal() * eigen.vectors.transpose()};
}

struct PosteriorSettings {
  bool position_dependent = true;  ///< D(θ) to second order about the mean (Eqs. 44, 47), not D(θ₀)
  EpochNoise epoch_noise = EpochNoise::exact;
  EpochMapSettings epoch_map = {};  ///< orders that the exact moments of epochs are averaged over
};

namespace detail {

inline SamplingStatus sampling_status(LyapunovStatus status) {
  switch (status) {
    case LyapunovStatus::solved:
      return SamplingStatus::stationary;
    case LyapunovStatus::not_converged:
      return SamplingStatus::not_converged;
    default:
      return SamplingStatus::no_stationary_state;
  }
}

/// From the shift of the mean and the excess of the covariance to the divergence.
template <class Vector, class Matrix>
PosteriorError<Matrix> posterior_error(const GaussianPosterior<Matrix>& posterior,
                                       LyapunovStatus status, const Vector& shift,
                                       const Matrix& excess) {
  PosteriorError<Matrix> error;
  error.status = sampling_status(status);
  error.mean_shift = {shift, Vector::Zero(shift.size())};
  error.covariance_excess = {excess, Matrix::Zero(shift.size(), shift.size())};
  error.divergence = {std::numeric_limits<double>::quiet_NaN(), 0};
  if (error.status != SamplingStatus::stationary) return error;
  if (is_positive_definite(Matrix(posterior.covariance + excess)))
    error.divergence.value = kl_divergence_of_excess(shift, excess, posterior.covariance);
  else
    error.status = SamplingStatus::no_stationary_state;
  return error;
}

/// Solves the generalised Lyapunov equation for what Σ is more than Σ_po. `known` is the part of
/// the right side that Σ_po makes, itself tiny: nothing cancels.
template <class Matrix, class Curvature>
std::pair<LyapunovStatus, Matrix> covariance_excess(const Matrix& hessian, const Matrix& known,
                                                    double learning_rate,
                                                    const Curvature& curvature, LyapunovForm form) {
  LyapunovEquation<Matrix> equation(hessian, learning_rate, form, "posterior error");
  LyapunovStatus status = equation.status();
  // In continuous time no step is too long.
  if (form == LyapunovForm::continuous && status == LyapunovStatus::unstable_learning_rate)
    status = LyapunovStatus::solved;
  Matrix excess = Matrix::Zero(hessian.rows(), hessian.rows());
  if (status == LyapunovStatus::solved)
    status = solve_generalized(equation, known, curvature, {.form = form}, excess);
  return {status, excess};
}

template <class M, class R, class T>
void check_sampler(const Objective<M, R>& objective,
                   const Minimum<vector_t<M>, matrix_t<M>>& minimum, const T& training,
                   std::string_view function) {
  static_assert(InjectedNoise<decltype(T::noise)>,
                "ness: a sampler has injected noise: use ness::Sgld, ness::SgworldLm or another of "
                "ness/training/samplers.hpp, or `predict` for training without it");
  training.check(objective.samples(), function);
  require_minimum(minimum, function);
}

}  // namespace detail

/// What the theory of continuous time says of a sampler near a minimum (Eqs. 37, 38, 44–47), as
/// Fig. 6 plots it: D' = ηI + D or D'' = ηnI + D̂, the drift that of the effective landscape of the
/// training (with what noise and correction leave of δ𝓛), and D(θ) to second order about the mean.
///
/// The errors of finite steps are left out: `exact_posterior_error` has them. The excess is solved
/// for as such, so the divergence is right also where it is 1e-25. Cost: those of
/// `effective_minimum`, D and `DiffusionCurvature`. Throws `std::invalid_argument` for settings
/// that do not fit; that there is no stationary state is a status.
template <class M, class R, Minibatch B, class Noise, class Correction>
PosteriorError<matrix_t<M>> predict_posterior_error(
    const Objective<M, R>& objective, const Minimum<vector_t<M>, matrix_t<M>>& minimum,
    const Training<B, Noise, Correction>& training, const PosteriorSettings& settings = {}) {
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  detail::check_sampler(objective, minimum, training, "predict_posterior_error");
  const auto posterior = gaussian_posterior(minimum);
  const auto eta = static_cast<Scalar>(training.learning_rate);
  const auto updates =
      static_cast<Scalar>(training.minibatch.updates_per_markov_step(objective.samples()));

  Vector mean = minimum.theta;
  Matrix hessian = updates * minimum.hessian;
  Matrix known = Matrix::Zero(mean.size(), mean.size());  // D beyond what is injected
  if constexpr (std::is_same_v<B, WithoutReplacement>) {
    const auto effective = effective_minimum(objective, minimum, training);
    if (effective.status != MinimumStatus::converged)
      return detail::posterior_error(posterior, LyapunovStatus::indefinite_hessian,
                                     Vector(effective.theta - minimum.theta), known);
    mean = effective.theta;
    const Matrix tilt = EffectiveLandscape(objective, training).correction_hessian(mean);
    hessian += tilt;
    known = diffusion(objective, mean, without_noise(training), settings.epoch_noise);
    const Matrix product = tilt * posterior.covariance;
    known -= eta / 2 * (product + product.transpose());
  } else {
    known = diffusion(objective, mean, without_noise(training));
  }
  const Vector shift = mean - minimum.theta;
  const auto constant = [](const Matrix& spread) { return Matrix(0 * spread); };
  const auto error_with = [&](const auto& curvature) {
    const auto [status, excess] =
        detail::covariance_excess(hessian, Matrix(known + curvature(posterior.covariance)),
                                  training.learning_rate, curvature, LyapunovForm::continuous);
    return detail::posterior_error(posterior, status, shift, excess);
  };
  if (!settings.position_dependent) return error_with(constant);
  return error_with(DiffusionCurvature(objective, mean, training, posterior.covariance));
}

namespace detail {

/// How much of its noise an update shares with the next: the η²H that the noise lacks.
template <class Noise>
inline constexpr double shared_noise = std::is_same_v<Noise, LeimkuhlerMatthewsNoise> ? 1 : 0;

/// Sums over epochs δ' = Aδ + b + noise.
template <class M>
struct EpochSums {
  using Matrix = matrix_t<M>;
  using Affine = typename EpochSampler<M>::Affine;
  Affine map;                        ///< (A | b)
  Matrix excess;                     ///< AΣ_poAᵀ + ⟨noise noiseᵀ⟩ − Σ_po
  DynamicMatrix<scalar_t<M>> pairs;  ///< (A | b) ⊗ (A | b)

  explicit EpochSums(Index size)
      : map(Affine::Zero(size, size + 1)),
        excess(Matrix::Zero(size, size)),
        pairs(DynamicMatrix<scalar_t<M>>::Zero(size * size, (size + 1) * (size + 1))) {}
  EpochSums& operator+=(const EpochSums& other) {
    map += other.map;
    excess += other.excess;
    pairs += other.pairs;
    return *this;
  }
  EpochSums& operator-=(const EpochSums& other) {
    map -= other.map;
    excess -= other.excess;
    pairs -= other.pairs;
    return *this;
  }
};

/// Follows an epoch of a sampler on losses quadratic about θ₀, and adds what it does to `sums`.
///
/// With H the mean and q_t = Q_t − H of the batches' Hessians, Σ_t q_t = 0, the terms of order η²
/// of an order taken forwards and backwards are −½η² Σ_t q_t(Q_t | G_t) in (A | b), whose mean is
/// known: what an order has more than this is taken away again.
template <class M, class Noise, class Correction>
class SamplerWalk {
 public:
  using Scalar = scalar_t<M>;
  using Matrix = matrix_t<M>;
  using Affine = typename EpochSampler<M>::Affine;

  SamplerWalk(const EpochSampler<M>& sampler, const GaussianPosterior<Matrix>& posterior,
              const Sgd<WithoutReplacement>& training, const Correction& correction,
              const Affine& force, const Affine& expected, const Philox& random, EpochSums<M>& sums)
      : sampler_(sampler),
        posterior_(posterior),
        size_(posterior.mean.size()),
        eta_(static_cast<Scalar>(training.learning_rate)),
        n_(static_cast<Scalar>(sampler.samples() / training.minibatch.batch_size)),
        force_(force),
        expected_(expected),
        random_(random),
        sums_(sums) {
    if constexpr (corrects)
      if (correction.samples > 0)
        subset_.emplace(WithReplacement{correction.samples}, sampler.samples());
  }

  void begin() {
    map_.setIdentity(size_, size_ + 1);
    excess_.setZero(size_, size_);
    products_.setZero(size_, size_ + 1);
    after_first_.setZero(size_, size_);
  }

  void follow(const Affine& batch) {
    const auto q = batch.leftCols(size_);
    const Matrix deviation = q - posterior_.precision;
    products_ += deviation * batch;
    if constexpr (corrects) {
      if (after_first_.isZero(0))
        after_first_.setIdentity();
      else
        after_first_ -= (eta_ * (q * after_first_)).eval();
    }
    const Affine force = q * map_;
    map_ -= eta_ * force;
    map_.col(size_) -= eta_ * batch.col(size_);
    // Σ_po + E → T(Σ_po + E)T + noise, T = I − ηQ; with the noise 2ηI − κη²Q the order η of it is
    // −η(qΣ_po + Σ_po q).
    const Matrix& sigma = posterior_.covariance;
    const Matrix first = (at_end ? Matrix(q) : deviation) * sigma;
    const Matrix second = q * sigma * q;
    const Matrix moved = excess_ - eta_ * (q * excess_);
    excess_ = moved - eta_ * (moved * q) - eta_ * (first + first.transpose()) +
              eta_ * eta_ * (second - static_cast<Scalar>(shared_noise<Noise>) * q);
  }

  void end() {
    if constexpr (at_end) excess_.diagonal().array() += 2 * eta_ * n_;
    if constexpr (corrects) correct();
    const Matrix& sigma = posterior_.covariance;
    const Affine more = eta_ * eta_ / 2 * (products_ - expected_);
    const Matrix spread = more.leftCols(size_) * sigma;
    sums_.map += map_ + more;
    sums_.excess += excess_ + spread + spread.transpose();
    for (Index j = 0; j <= size_; ++j)
      for (Index i = 0; i < size_; ++i)
        sums_.pairs.block(i * size_, j * (size_ + 1), size_, size_ + 1) += map_(i, j) * map_;
  }

 private:
  static constexpr bool at_end = std::is_same_v<Noise, EpochLangevinNoise>;
  static constexpr bool corrects = !std::is_same_v<Correction, NoCorrection>;

  // + η∇δ𝓛 at the start of the epoch, where the state is δ itself.
  void correct() {
    Affine force = force_;
    if (subset_) force = pair_force(sampler_, Correction::parts, subset_->next(random_));
    force *= -eta_ * eta_ * n_ * (n_ - 1) / 2;
    const Matrix& sigma = posterior_.covariance;
    const Matrix turned = force.leftCols(size_) * sigma;
    const Matrix mixed = turned * map_.leftCols(size_).transpose();
    excess_ += mixed + mixed.transpose() + turned * force.leftCols(size_).transpose();
    // δ holds the normal number that the first update adds again.
    const Matrix again = static_cast<Scalar>(shared_noise<Noise>) * eta_ / 2 *
                         force.leftCols(size_) * after_first_.transpose();
    excess_ += again + again.transpose();
    map_ += force;
  }

 public:
  /// The force of `PairForce` on a set of samples as an affine function of δ, from the definition.
  static Affine pair_force(const EpochSampler<M>& sampler, LandscapeParts parts, Batch set) {
    const Affine mean = sampler.mean(set);
    const Affine& regularizer = sampler.regularizer();
    const Affine of_loss = mean - regularizer;
    const Index size = mean.rows();
    const auto k = static_cast<Scalar>(set.size());
    Affine scatter = Affine::Zero(size, size + 1);
    for (const Index i : set) {
      const Affine from_mean = sampler.sample(i) - of_loss;
      scatter += sampler.sample(i).leftCols(size) * from_mean / (k - 1);
    }
    const auto a = static_cast<Scalar>(parts.discretization);
    const auto b = static_cast<Scalar>(parts.sampling);
    const Scalar c = a / k + (b - a) / static_cast<Scalar>(sampler.samples());
    return a * mean.leftCols(size) * mean - c * scatter;
  }

 private:
  const EpochSampler<M>& sampler_;
  const GaussianPosterior<Matrix>& posterior_;
  Index size_;
  Scalar eta_, n_;
  const Affine& force_;
  const Affine& expected_;
  Philox random_;
  EpochSums<M>& sums_;
  std::optional<WithReplacement::Sampler> subset_;
  Affine map_, products_;
  Matrix excess_, after_first_;
};

/// ⟨δ⟩ and Σ − Σ_po from the sums over `count` epochs.
template <class M>
std::pair<vector_t<M>, matrix_t<M>> solve_moments(const EpochSums<M>& sums, std::int64_t count,
                                                  const matrix_t<M>& covariance) {
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  const Index n = covariance.rows();
  const Scalar weight = Scalar(1) / static_cast<Scalar>(count);
  DynamicMatrix<Scalar> system = -weight * sums.map.leftCols(n);
  system.diagonal().array() += Scalar(1);
  DynamicVector<Scalar> solution = weight * sums.map.col(n);
  solve_general(system, solution);
  const Vector shift = solution;

  // ⟨(A⊗A)⟩ between second moments, and what b adds to them.
  system.resize(n * n, n * n);
  Matrix source = weight * sums.excess;
  for (Index j = 0; j <= n; ++j)
    for (Index l = 0; l <= n; ++l) {
      const auto pair = weight * sums.pairs.col(j * (n + 1) + l);
      if (j < n && l < n)
        system.col(j * n + l) = -pair;
      else
        source += (j < n ? shift[j] : Scalar(1)) * (l < n ? shift[l] : Scalar(1)) *
                  Matrix(pair.reshaped(n, n));
    }
  system.diagonal().array() += Scalar(1);
  solution = source.reshaped();
  solve_general(system, solution);
  const Matrix second = solution.reshaped(n, n);
  return {shift, (second + second.transpose()) / 2 - shift * shift.transpose()};
}

template <class M, class R, class Noise, class Correction>
PosteriorError<matrix_t<M>> exact_error_of_epochs(
    const Objective<M, R>& objective, const Minimum<vector_t<M>, matrix_t<M>>& minimum,
    const Training<WithoutReplacement, Noise, Correction>& training,
    const EpochMapSettings& settings) {
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  using Walk = SamplerWalk<M, Noise, Correction>;
  using Affine = typename Walk::Affine;
  const Index size = objective.parameters();
  const Sgd<WithoutReplacement> sampling = without_noise(training);
  const EpochSampler<M> sampler(objective, minimum.theta, sampling);
  const auto posterior = gaussian_posterior(minimum);

  std::vector<std::uint32_t> all(static_cast<std::size_t>(objective.samples()));
  std::iota(all.begin(), all.end(), 0U);
  const auto samples = static_cast<Scalar>(objective.samples());
  const Scalar n = samples / static_cast<Scalar>(training.minibatch.batch_size);
  Affine expected = Affine::Zero(size, size + 1);  // ⟨Σ_t q_t(Q_t | G_t)⟩
  Affine force = Affine::Zero(size, size + 1);
  if (n > 1) expected = -n * (n - 1) * Walk::pair_force(sampler, {0, 1}, all);
  if constexpr (!std::is_same_v<Correction, NoCorrection>)
    if (n > 1) force = Walk::pair_force(sampler, Correction::parts, all);

  const auto add_epochs = [&](EpochSums<M>& sums, std::uint64_t stream) {
    Walk walk(sampler, posterior, sampling, training.correction, force, expected,
              Philox(settings.seed, stream + (std::uint64_t{1} << 32)), sums);
    sampler.draw(settings.group_size(), Philox(settings.seed, stream), walk);
  };
  const auto groups =
      sums_of_groups(settings.groups(), settings.threads, EpochSums<M>(size), add_epochs);
  EpochSums<M> total(size);
  for (const EpochSums<M>& group : groups) total += group;
  const std::int64_t in_group = 2 * settings.group_size();
  const auto count = static_cast<std::int64_t>(groups.size()) * in_group;
  const auto error_of = [&](const EpochSums<M>& sums, std::int64_t epochs) {
    const auto [shift, excess] = solve_moments<M>(sums, epochs, posterior.covariance);
    return posterior_error(posterior, LyapunovStatus::solved, shift, excess);
  };
  PosteriorError<Matrix> error = error_of(total, count);
  // Standard errors by leaving out one group at a time (the jackknife).
  const auto g = static_cast<double>(groups.size());
  Vector mean_square = Vector::Zero(size);
  Matrix excess_square = Matrix::Zero(size, size);
  double divergence_square = 0;
  for (const EpochSums<M>& group : groups) {
    EpochSums<M> rest = total;
    rest -= group;
    const auto without = error_of(rest, count - in_group);
    mean_square += (without.mean_shift.value - error.mean_shift.value).cwiseAbs2();
    excess_square += (without.covariance_excess.value - error.covariance_excess.value).cwiseAbs2();
    divergence_square += std::pow(without.divergence.value - error.divergence.value, 2);
  }
  const auto scale = static_cast<Scalar>((g - 1) / g);
  error.mean_shift.standard_error = (scale * mean_square).cwiseSqrt();
  error.covariance_excess.standard_error = (scale * excess_square).cwiseSqrt();
  error.divergence.standard_error = std::sqrt((g - 1) / g * divergence_square);
  return error;
}

}  // namespace detail

/// What a sampler really does near a minimum, for losses quadratic in θ (else taken for quadratic
/// about θ₀): mean and covariance of the chain θ' = Aθ + b + noise from ⟨A⊗A⟩, ⟨A⊗b⟩ and ⟨b⊗b⟩, all
/// orders in η kept (not in the paper). Of epochs it is the state at their ends.
///
/// With replacement, and with all samples, in closed form: the discrete generalised Lyapunov
/// equation, with the noise 2η(I − ½ηH) in place of 2ηI where it is that of Leimkuhler and
/// Matthews. Without replacement by random orders of the samples, forwards and backwards, with
/// standard errors of `settings.epoch_map`; the order η² of an epoch, which is known, serves as
/// control variate.
///
/// Cost without replacement: for each order M N² + 10 n N³ + N⁴, twice; memory M N² + 64 N⁴
/// numbers: for some ten parameters. Throws `std::invalid_argument` for settings that do not fit.
template <class M, class R, Minibatch B, class Noise, class Correction>
PosteriorError<matrix_t<M>> exact_posterior_error(const Objective<M, R>& objective,
                                                  const Minimum<vector_t<M>, matrix_t<M>>& minimum,
                                                  const Training<B, Noise, Correction>& training,
                                                  const PosteriorSettings& settings = {}) {
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  static_assert(TwiceDifferentiable<M>,
                "ness: the exact moments need second derivatives of single samples: make "
                "sample_loss generic, or give your Model `sample_hessian_products`");
  detail::check_sampler(objective, minimum, training, "exact_posterior_error");
  settings.epoch_map.check("exact_posterior_error");
  if constexpr (std::is_same_v<B, WithoutReplacement>) {
    return detail::exact_error_of_epochs(objective, minimum, training, settings.epoch_map);
  } else {
    const auto posterior = gaussian_posterior(minimum);
    const auto eta = static_cast<Scalar>(training.learning_rate);
    const DiffusionCurvature curvature(objective, minimum.theta, training, posterior.covariance);
    // H Σ_po + Σ_po H − ηHΣ_poH = 2I − ηH, and the noise makes 2I − κηH of it.
    const auto lacks = static_cast<Scalar>(1 - detail::shared_noise<Noise>);
    const Matrix known = diffusion(objective, minimum.theta, without_noise(training)) +
                         curvature(posterior.covariance) + lacks * eta * eta / 2 * minimum.hessian;
    const auto [status, excess] = detail::covariance_excess(
        minimum.hessian, known, training.learning_rate, curvature, LyapunovForm::discrete);
    return detail::posterior_error(posterior, status, Vector(Vector::Zero(known.rows())), excess);
  }
}

}  // namespace ness
