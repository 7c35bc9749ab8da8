// How well samplers draw from the posterior e^{−𝓛} (Sec. 4.6, App. D): by the theory of continuous
// time, and by the exact moments of the chains.
#pragma once

#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "ness/diffusion/curvature.hpp"
#include "ness/landscape/effective_landscape.hpp"
#include "ness/posterior/divergence.hpp"
#include "ness/posterior/gaussian_posterior.hpp"
#include "ness/posterior/sampler_epochs.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/stationary/epoch_map.hpp"
#include "ness/stationary/generalized_lyapunov.hpp"
#include "ness/update/kinetic.hpp"

namespace ness {

/// What of a sampler is followed.
struct PosteriorSettings {
  bool position_dependent = true;  ///< D(θ) to second order about the mean (Eqs. 44, 47), not D(θ₀)
  EpochNoise epoch_noise = EpochNoise::exact;  ///< how much of D̂
  EpochMapSettings epoch_map = {};  ///< orders that the exact moments of epochs are averaged over
};

namespace detail {

/// From the shift of the mean and the excess of the covariance to the divergence.
template <class Scalar>
PosteriorError<Scalar> posterior_error(const GaussianPosterior<Scalar>& posterior,
                                       LyapunovStatus status, const DynamicVector<Scalar>& shift,
                                       const DynamicMatrix<Scalar>& excess);

/// Solves the generalised Lyapunov equation for what Σ is more than Σ_po. `known` is the part of
/// the right side that Σ_po makes, itself tiny: nothing cancels.
template <class Scalar>
PosteriorError<Scalar> error_of_equation(const GaussianPosterior<Scalar>& posterior,
                                         const DynamicVector<Scalar>& shift,
                                         const DynamicMatrix<Scalar>& hessian,
                                         const DynamicMatrix<Scalar>& known, double learning_rate,
                                         const CurvatureFunction<Scalar>& curvature,
                                         LyapunovForm form);

/// Of all orders, with standard errors by leaving out one group at a time (the jackknife). `own` is
/// what the second moment that the excesses of the epochs are over is itself more than Σ_po.
template <class Scalar>
PosteriorError<Scalar> error_of_epochs(const GaussianPosterior<Scalar>& posterior,
                                       const DynamicMatrix<Scalar>& own,
                                       const std::vector<EpochSums<Scalar>>& groups);

/// The mean of a sampler, its drift, and D beyond what is injected and the posterior makes.
template <class Scalar>
struct SamplerTheory {
  DynamicVector<Scalar> mean;
  DynamicMatrix<Scalar> hessian, known;
  bool has_minimum = true;
};

template <class M, class R, IsTraining T>
SamplerTheory<scalar_t<M>> sampler_theory(const Objective<M, R>& objective,
                                          const Minimum<scalar_t<M>>& minimum,
                                          const GaussianPosterior<scalar_t<M>>& posterior,
                                          const T& training, EpochNoise level) {
  using Scalar = scalar_t<M>;
  using Matrix = DynamicMatrix<Scalar>;
  const auto updates = static_cast<Scalar>(training.updates_per_markov_step(objective.samples()));
  SamplerTheory<Scalar> theory{minimum.theta, updates * minimum.hessian, minimum.hessian};
  if constexpr (DrawsEpochs<T>) {
    const auto effective = effective_minimum(objective, minimum, training);
    theory.mean = effective.theta;
    theory.has_minimum = effective.status == MinimumStatus::converged;
    if (!theory.has_minimum) return theory;
    const Matrix tilt = EffectiveLandscape(objective, training).correction_hessian(theory.mean);
    theory.hessian += tilt;
    theory.known = diffusion(objective, theory.mean, without_noise(training), level);
    const Matrix product = tilt * posterior.covariance;
    theory.known -=
        static_cast<Scalar>(training.learning_rate / 2) * (product + product.transpose());
  } else {
    theory.known = diffusion(objective, theory.mean, without_noise(training));
  }
  return theory;
}

}  // namespace detail

namespace detail {

/// `gaussian_posterior`, of what is a minimum and known well enough for it.
template <class Scalar>
GaussianPosterior<Scalar> posterior_about(const Minimum<Scalar>& minimum,
                                          std::string_view function) {
  require_minimum(minimum, function);
  const auto& offset = minimum.offset;
  if (minimum.status != MinimumStatus::converged)
    require_near_minimum(std::sqrt(static_cast<double>(offset.dot(minimum.hessian * offset))),
                         minimum, function);
  return gaussian_posterior(minimum);
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
template <class M, class R, IsTraining T>
PosteriorError<scalar_t<M>> predict_posterior_error(const Objective<M, R>& objective,
                                                    const Minimum<scalar_t<M>>& minimum,
                                                    const T& training,
                                                    const PosteriorSettings& settings = {}) {
  using Scalar = scalar_t<M>;
  using Matrix = DynamicMatrix<Scalar>;
  static_assert(IsSampler<T>,
                "ness: a sampler has injected noise: use ness::Sgld, ness::SgworldLm or another of "
                "ness/posterior/samplers.hpp, or `predict` for training without it");
  static_assert(!DrawsEpochs<T> || DrawsOrders<T>,
                "ness: samplers of epochs are known of ness::WithoutReplacement alone");
  static_assert(RemembersNothing<typename T::Update>,
                "ness: the theory of a sampler is that of an update that remembers nothing: use "
                "ness::Plain");
  training.check(objective.samples(), "predict_posterior_error");
  const auto posterior = detail::posterior_about(minimum, "predict_posterior_error");
  auto theory =
      detail::sampler_theory(objective, minimum, posterior, training, settings.epoch_noise);
  const DynamicVector<Scalar> shift = theory.mean - minimum.theta;
  if (!theory.has_minimum)
    return detail::posterior_error(posterior, LyapunovStatus::indefinite_hessian, shift,
                                   theory.known);
  detail::CurvatureFunction<Scalar> curvature = [](const Matrix& spread) -> Matrix {
    return Matrix::Zero(spread.rows(), spread.cols());
  };
  if (settings.position_dependent)
    curvature = DiffusionCurvature<M, R, T>(objective, theory.mean, training, posterior.covariance);
  theory.known += curvature(posterior.covariance);
  return detail::error_of_equation(posterior, shift, theory.hessian, theory.known,
                                   training.learning_rate, curvature, LyapunovForm::continuous);
}

/// What a sampler really does near a minimum, for losses quadratic in θ (else taken for quadratic
/// about θ₀): mean and covariance of the chain θ' = Aθ + b + noise from ⟨A⊗A⟩, ⟨A⊗b⟩ and ⟨b⊗b⟩, all
/// orders in η kept (not in the paper). Of epochs it is the state at their ends.
///
/// With replacement, and with all samples, in closed form: the discrete generalised Lyapunov
/// equation, with the noise 2η(I − ½ηH) in place of 2ηI where it is that of Leimkuhler and
/// Matthews. Of epochs by random ones, of an order forwards and backwards, with standard errors of
/// `settings.epoch_map`; the order η², which is known without replacement and there and back,
/// serves as control variate.
///
/// Cost of epochs: for each M N² + 10 n N³ + N⁴, twice without replacement; memory M N² + 64 N⁴
/// numbers: for some ten parameters. Throws `std::invalid_argument` for settings that do not fit.
template <class M, class R, IsTraining T>
  requires(!KineticUpdate<typename T::Update>)
PosteriorError<scalar_t<M>> exact_posterior_error(const Objective<M, R>& objective,
                                                  const Minimum<scalar_t<M>>& minimum,
                                                  const T& training,
                                                  const PosteriorSettings& settings = {}) {
  using Scalar = scalar_t<M>;
  using Matrix = DynamicMatrix<Scalar>;
  static_assert(TwiceDifferentiable<M>,
                "ness: the exact moments need second derivatives of single samples: make "
                "sample_loss generic, or give your Model `sample_hessian_products`");
  static_assert(IsSampler<T>,
                "ness: a sampler has injected noise: use ness::Sgld, ness::SgworldLm or another of "
                "ness/posterior/samplers.hpp, or `predict` for training without it");
  static_assert(!DrawsEpochs<T> || DrawsOrders<T> || !CancelsLandscape<typename T::Correction>,
                "ness: the correction of a sampler is that of ness::WithoutReplacement");
  static_assert(RemembersNothing<typename T::Update>,
                "ness: the theory of a sampler is that of an update that remembers nothing: use "
                "ness::Plain");
  training.check(objective.samples(), "exact_posterior_error");
  settings.epoch_map.check("exact_posterior_error");
  const auto posterior = detail::posterior_about(minimum, "exact_posterior_error");
  const Index size = posterior.mean.size();
  if constexpr (DrawsEpochs<T>) {
    const EpochMapSettings& map = settings.epoch_map;
    const detail::SamplerEpochs<M, T> epochs(objective, posterior, training);
    return detail::error_of_epochs(
        posterior, Matrix(Matrix::Zero(size, size)),
        detail::sums_of_groups(map.groups(), map.threads, detail::EpochSums<Scalar>(size),
                               [&](detail::EpochSums<Scalar>& sums, std::uint64_t stream) {
                                 epochs.add(map.group_size(), map.seed, stream, sums);
                               }));
  } else {
    const auto half = static_cast<Scalar>(training.learning_rate * training.learning_rate / 2);
    const DiffusionCurvature<M, R, T> curvature(objective, minimum.theta, training,
                                                posterior.covariance);
    // H Σ_po + Σ_po H − ηHΣ_poH = 2I − ηH, of which the noise makes 2I, or just this.
    Matrix known = diffusion(objective, minimum.theta, without_noise(training)) +
                   curvature(posterior.covariance) + half * minimum.hessian;
    subtract_shared_diffusion(training, minimum.hessian, known);
    const DynamicVector<Scalar> shift = DynamicVector<Scalar>::Zero(size);
    return detail::error_of_equation<Scalar>(posterior, shift, minimum.hessian, known,
                                             training.learning_rate, curvature,
                                             LyapunovForm::discrete);
  }
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>
#include <limits>

namespace ness::detail {

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

template <class Scalar>
PosteriorError<Scalar> posterior_error(const GaussianPosterior<Scalar>& posterior,
                                       LyapunovStatus status, const DynamicVector<Scalar>& shift,
                                       const DynamicMatrix<Scalar>& excess) {
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;
  PosteriorError<Scalar> error;
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

template <class Scalar>
PosteriorError<Scalar> error_of_equation(const GaussianPosterior<Scalar>& posterior,
                                         const DynamicVector<Scalar>& shift,
                                         const DynamicMatrix<Scalar>& hessian,
                                         const DynamicMatrix<Scalar>& known, double learning_rate,
                                         const CurvatureFunction<Scalar>& curvature,
                                         LyapunovForm form) {
  LyapunovEquation<Scalar> equation(hessian, learning_rate, form, "posterior_error");
  LyapunovStatus status = equation.status();
  // In continuous time no step is too long.
  if (form == LyapunovForm::continuous && status == LyapunovStatus::unstable_learning_rate)
    status = LyapunovStatus::solved;
  DynamicMatrix<Scalar> excess = DynamicMatrix<Scalar>::Zero(hessian.rows(), hessian.rows());
  if (status == LyapunovStatus::solved)
    status = solve_generalized(equation, known, curvature, {}, excess);
  return posterior_error(posterior, status, shift, excess);
}

template <class Scalar>
PosteriorError<Scalar> error_of_sums(const GaussianPosterior<Scalar>& posterior,
                                     const DynamicMatrix<Scalar>& own,
                                     const EpochSums<Scalar>& sums) {
  const auto [shift, excess] = solve_moments(sums);
  const Index size = posterior.mean.size();  // of θ, before whatever else the state has
  return posterior_error<Scalar>(posterior, LyapunovStatus::solved, shift.head(size),
                                 own + excess.topLeftCorner(size, size));
}

template <class Scalar>
PosteriorError<Scalar> error_of_epochs(const GaussianPosterior<Scalar>& posterior,
                                       const DynamicMatrix<Scalar>& own,
                                       const std::vector<EpochSums<Scalar>>& groups) {
  const Index size = posterior.mean.size();
  EpochSums<Scalar> total(groups.front().excess.rows());
  for (const EpochSums<Scalar>& group : groups) total += group;
  PosteriorError<Scalar> error = error_of_sums(posterior, own, total);
  DynamicVector<Scalar> mean_square = DynamicVector<Scalar>::Zero(size);
  DynamicMatrix<Scalar> excess_square = DynamicMatrix<Scalar>::Zero(size, size);
  double divergence_square = 0;
  for (const EpochSums<Scalar>& group : groups) {
    EpochSums<Scalar> rest = total;
    rest -= group;
    const auto without = error_of_sums(posterior, own, rest);
    mean_square += (without.mean_shift.value - error.mean_shift.value).cwiseAbs2();
    excess_square += (without.covariance_excess.value - error.covariance_excess.value).cwiseAbs2();
    divergence_square += std::pow(without.divergence.value - error.divergence.value, 2);
  }
  const double weight = 1 - 1 / static_cast<double>(groups.size());
  const auto scale = static_cast<Scalar>(weight);
  error.mean_shift.standard_error = (scale * mean_square).cwiseSqrt();
  error.covariance_excess.standard_error = (scale * excess_square).cwiseSqrt();
  error.divergence.standard_error = std::sqrt(weight * divergence_square);
  return error;
}

}  // namespace ness::detail
#endif
