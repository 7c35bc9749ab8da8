// How the noise of minibatches lies in the spectrum of the Hessian, for many parameters.
#pragma once

#include <cmath>
#include <limits>
#include <string_view>

#include "ness/landscape/spectral_density.hpp"
#include "ness/landscape/streamed_objective.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// The spectrum of H as the noise D of one update weighs it: see `noise_spectrum`.
template <class Scalar = double>
struct [[nodiscard]] NoiseSpectrum {
  SpectralDensity<Scalar> weighed;  ///< its traces are tr(D f(H))
  Estimate<double> square;          ///< tr D²

  /// tr D, per update; ⟨δθᵀ∇𝓛⟩ = tr D/η (Eq. 22).
  Estimate<double> diffusion() const {
    return weighed.trace([](double) { return 1.0; });
  }
  /// tr Σ of updates with this noise: Σ_k D_kk/(ηh_k(1 − ½ηh_k)), of all orders in ηh (Eq. 21). NaN
  /// where a direction is unstable or flat.
  Estimate<double> covariance(double learning_rate) const {
    return weighed.trace([=](double h) {
      const double x = learning_rate * h;
      return x > 0 && x < 2 ? 1 / (x * (1 - x / 2)) : std::numeric_limits<double>::quiet_NaN();
    });
  }
  /// tr(HD)/tr D: the curvature that noise sees. Of D ∝ 1 it is tr H/N.
  double mean_curvature() const {
    return weighed.trace([](double h) { return h; }).value / diffusion().value;
  }
  /// tr(HD)/√(tr H² tr D²), with the density of H alone: 1 where D ∝ H.
  double alignment(const SpectralDensity<Scalar>& hessian) const {
    return weighed.trace([](double h) { return h; }).value /
           std::sqrt(hessian.trace([](double h) { return h * h; }).value * square.value);
  }
};

namespace detail {

/// Vectors with ⟨uuᵀ⟩ = D over random signs s, (M + 1) × any: Σ_i s_i(∇ℓ_i − ∇L) and s_{M+1}∇L, by
/// what the moments of the batches weigh.
template <class M, class R, class T>
DynamicMatrix<double> noise_probes(const StreamedObjective<M, R>& streamed,
                                   const DynamicVector<double>& theta, const T& training,
                                   const DynamicMatrix<double>& signs) {
  const Index samples = streamed.samples();
  const WeightMoments weights = training.minibatch.weight_moments(samples);
  const double eta = training.learning_rate / std::sqrt(2.0);
  const double of_scatter = weights.vanish() ? 0 : eta * std::sqrt(weights.scatter);
  const double of_mean =
      weights.total > 0 ? eta * std::sqrt(weights.total) * static_cast<double>(samples) : 0;
  DynamicVector<double> mean = streamed.gradient(theta);
  mean -= converted<double>(streamed.objective().regularizer_gradient(theta));
  DynamicMatrix<double> probes(streamed.parameters(), signs.cols());
  DynamicVector<double> of_samples(samples);
  for (Index p = 0; p < signs.cols(); ++p) {
    for (Index i = 0; i < samples; ++i) of_samples[i] = signs(i, p);
    const DynamicVector<double> signed_gradient = streamed.signed_gradient(theta, of_samples);
    const double weight =
        of_mean * signs(samples, p) - of_scatter * sum(of_samples.data(), samples);
    for (Index k = 0; k < mean.size(); ++k)
      probes(k, p) = of_scatter * signed_gradient[k] + weight * mean[k];
  }
  return probes;
}

/// tr D² of such vectors, ⟨(u_pᵀu_q)²⟩ of different ones.
template <class Scalar>
Estimate<double> square_of(const DynamicMatrix<Scalar>& probes);

}  // namespace detail

/// Traces of D f(H) for the D of one update and functions f of H = ∂∂𝓛(θ), by Lanczos quadrature
/// from random vectors u with ⟨uuᵀ⟩ = D: the gradients of all samples with random signs. tr D,
/// tr Σ = tr(H⁻¹D)/η to leading order, the alignment of D with H and, with `weighed.density`, where
/// in the spectrum the noise is; each with the standard error that the probes leave.
///
///   const auto noise = ness::noise_spectrum(streamed, minimum.theta, training);
///   const double spread = noise.covariance(training.learning_rate).value;
///
/// A quadrature of few `steps` falls short of 1/h where ηh is smallest: it is right when steps of
/// conjugate gradients of that number solve H x = u to the square root of what is asked.
///
/// Cost: for each probe a gradient of all samples and `steps` Hessian products; memory: five blocks
/// of N × probes. Throws `std::invalid_argument` for bad settings, a bad θ, and a training that
/// does not fit.
template <class M, class R, IsTraining T>
NoiseSpectrum<double> noise_spectrum(const StreamedObjective<M, R>& streamed,
                                     const DynamicVector<double>& theta, const T& training,
                                     const SpectralDensitySettings& settings = {}) {
  constexpr std::string_view name = "noise_spectrum";
  static_assert(!StatesSampleMoments<typename T::Minibatch>,
                "ness: noise_spectrum is known of batches whose samples are alike: use "
                "ness::WithReplacement, or another policy that states `weight_moments`");
  settings.check(name);
  detail::require_size(theta, streamed.parameters(), 1, name, "theta");
  training.check(streamed.samples(), name);
  Philox random(settings.seed);
  const DynamicMatrix<double> probes = detail::noise_probes(
      streamed, theta, training,
      detail::random_signs<double>(random, streamed.samples() + 1, settings.probes));
  return {detail::spectral_density<double>(detail::hessian_at(streamed, theta), probes,
                                           settings.steps, settings.progress),
          detail::square_of(probes)};
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

namespace ness::detail {

// The mean over q ≠ p for each p scatters half as much as the whole does with what p is.
template <class Scalar>
Estimate<double> square_of(const DynamicMatrix<Scalar>& probes) {
  const DynamicMatrix<Scalar> gram = product(transposed(probes), probes);
  BatchMeans<> of_probes(1, 1, 1);
  for (Eigen::Index p = 0; p < gram.cols(); ++p) {
    double sum = 0;
    for (Eigen::Index q = 0; q < gram.cols(); ++q)
      if (q != p) sum += static_cast<double>(gram(q, p) * gram(q, p));
    of_probes.add(DynamicMatrix<double>::Constant(1, 1, sum / static_cast<double>(gram.cols() - 1)),
                  1);
  }
  return {of_probes.mean()(0, 0), 2 * of_probes.standard_error()(0, 0),
          of_probes.degrees_of_freedom()};
}

}  // namespace ness::detail
#endif
