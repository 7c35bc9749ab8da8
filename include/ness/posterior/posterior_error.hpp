// How well samplers draw from the posterior e^{−𝓛} (Sec. 4.6, App. D): by the theory of continuous
// time, and by the exact moments of the chains.
#pragma once

#include <Eigen/Core>
#include <utility>
#include <vector>

#include "ness/diffusion/curvature.hpp"
#include "ness/landscape/effective_landscape.hpp"
#include "ness/posterior/gaussian_posterior.hpp"
#include "ness/posterior/sampler_epochs.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/stationary/epoch_map.hpp"
#include "ness/stationary/generalized_lyapunov.hpp"

namespace ness {

/// The posterior about a minimum. Cost: one eigendecomposition. Throws `std::invalid_argument`
/// unless H₀ is positive definite.
template <class Vector, class Matrix>
GaussianPosterior<Matrix> gaussian_posterior(const Minimum<Vector, Matrix>& minimum) {
  const detail::SymmetricEigen<Matrix> eigen(minimum.hessian);
  if (!(eigen.values[0] > 0))
    detail::invalid("gaussian_posterior",
                    "the Hessian must be positive definite, but its smallest eigenvalue is ",
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
  LyapunovEquation<Matrix> equation(hessian, learning_rate, form, "posterior_error");
  LyapunovStatus status = equation.status();
  // In continuous time no step is too long.
  if (form == LyapunovForm::continuous && status == LyapunovStatus::unstable_learning_rate)
    status = LyapunovStatus::solved;
  Matrix excess = Matrix::Zero(hessian.rows(), hessian.rows());
  if (status == LyapunovStatus::solved)
    status = solve_generalized(equation, known, curvature, {}, excess);
  return {status, excess};
}

template <class M, class R, class T>
void check_sampler(const Objective<M, R>& objective,
                   const Minimum<vector_t<M>, matrix_t<M>>& minimum, const T& training,
                   std::string_view function) {
  static_assert(InjectedNoise<decltype(T::noise)>,
                "ness: a sampler has injected noise: use ness::Sgld, ness::SgworldLm or another of "
                "ness/posterior/samplers.hpp, or `predict` for training without it");
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

template <class M, class R, class Noise, class Correction>
PosteriorError<matrix_t<M>> exact_error_of_epochs(
    const Objective<M, R>& objective, const Minimum<vector_t<M>, matrix_t<M>>& minimum,
    const Training<WithoutReplacement, Noise, Correction>& training,
    const EpochMapSettings& settings) {
  using Vector = vector_t<M>;
  using Matrix = matrix_t<M>;
  const auto posterior = gaussian_posterior(minimum);
  const SamplerEpochs<M, Noise, Correction> epochs(objective, posterior, training);
  const auto groups =
      sums_of_groups(settings.groups(), settings.threads, EpochSums<M>(posterior.mean.size()),
                     [&](EpochSums<M>& sums, std::uint64_t stream) {
                       epochs.add(settings.group_size(), settings.seed, stream, sums);
                     });
  EpochSums<M> total(posterior.mean.size());
  for (const EpochSums<M>& group : groups) total += group;
  const auto error_of = [&](const EpochSums<M>& sums) {
    const auto [shift, excess] = solve_moments(sums);
    return posterior_error(posterior, LyapunovStatus::solved, shift, excess);
  };
  PosteriorError<Matrix> error = error_of(total);
  // Standard errors by leaving out one group at a time (the jackknife).
  Vector mean_square = 0 * error.mean_shift.value;
  Matrix excess_square = 0 * error.covariance_excess.value;
  double divergence_square = 0;
  for (const EpochSums<M>& group : groups) {
    EpochSums<M> rest = total;
    rest -= group;
    const auto without = error_of(rest);
    mean_square += (without.mean_shift.value - error.mean_shift.value).cwiseAbs2();
    excess_square += (without.covariance_excess.value - error.covariance_excess.value).cwiseAbs2();
    divergence_square += std::pow(without.divergence.value - error.divergence.value, 2);
  }
  const double weight = 1 - 1 / static_cast<double>(groups.size());
  const auto scale = static_cast<scalar_t<M>>(weight);
  error.mean_shift.standard_error = (scale * mean_square).cwiseSqrt();
  error.covariance_excess.standard_error = (scale * excess_square).cwiseSqrt();
  error.divergence.standard_error = std::sqrt(weight * divergence_square);
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
    // H Σ_po + Σ_po H − ηHΣ_poH = 2I − ηH, of which the noise makes 2I, or just this.
    const Matrix known = diffusion(objective, minimum.theta, without_noise(training)) +
                         curvature(posterior.covariance) + eta * eta / 2 * minimum.hessian -
                         missing_diffusion(training, minimum.hessian);
    const auto [status, excess] = detail::covariance_excess(
        minimum.hessian, known, training.learning_rate, curvature, LyapunovForm::discrete);
    return detail::posterior_error(posterior, status, Vector(Vector::Zero(known.rows())), excess);
  }
}

}  // namespace ness
