// Samplers of the posterior e^{−𝓛} (Sec. 4.6): each is a minibatch policy × noise × correction.
//
// Their covariance Σ near a minimum, against Σ_po = H₀⁻¹, with n = M/m batches and h an eigenvalue
// of H₀. For a Gaussian likelihood VVᵀ ≈ H, and the orders below are those of Σ Σ_po⁻¹ − 1; the
// Kullback–Leibler divergence goes with their square. What is not in the paper is marked *.
//
//   sampler                    order                     gradients an epoch
//   Sgld                       ηnh/2, of the batches     M
//   SgldLm *                   ηnh/2, of the batches     M
//   SgldWithoutReplacement *   ηh/2, of Euler's steps    M
//   Sgworld                    ηnh/2, of one long step   M + 4K: to reproduce Fig. 5
//   SgworldUncorrected         ηnh/2, of one long step   M: to reproduce Fig. 5
//   SgworldLm *                (ηnh)³/24                 M + 4K: the most exact
//   SgworldLmUncorrected *     ηnh/2M, or (ηnh)³/24      M: the best for its price
//   SgworldLmThereAndBack *    ηnh/2M, or (ηnh)⁵/45      2M
//   Langevin *                 ηh/2, of Euler's steps    nM in n updates
//   LangevinLm *               0 for Gaussians           nM in n updates: a reference
//   UbuWithReplacement *       h, of the batches         nM in n updates: of any N in closed form
//   KineticLangevin *          0 for Gaussians           nM in n updates: a reference
//   SmsUbu, SmsBaoab *         h² or less, see below     2M: by far the most exact for its price
//   Sghmc *                    h, of the batches         nM in n updates: as published
#pragma once

#include "ness/landscape/objective.hpp"
#include "ness/minibatch/full_batch.hpp"
#include "ness/minibatch/there_and_back.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/training/correction.hpp"
#include "ness/training/langevin.hpp"
#include "ness/update/kinetic.hpp"

namespace ness {

/// Stochastic gradient Langevin dynamics (M. Welling and Y. W. Teh, ICML 2011; Fig. 5, left):
///   ness::Sgld training{.learning_rate = 1e-7, .minibatch = {10}};
using Sgld = Training<WithReplacement, Plain, LangevinNoise>;

/// SGLD with the noise of Leimkuhler and Matthews.
using SgldLm = Training<WithReplacement, Plain, LeimkuhlerMatthewsNoise>;

/// SGLD whose batches are drawn without replacement.
using SgldWithoutReplacement = Training<WithoutReplacement, Plain, LangevinNoise>;

/// SGWORLD as printed (Fig. 5, right): noise and correction once an epoch.
using Sgworld = Training<WithoutReplacement, Plain, EpochLangevinNoise, LandscapeCorrection>;

/// SGWORLD as printed, without its correction.
using SgworldUncorrected = Training<WithoutReplacement, Plain, EpochLangevinNoise>;

/// SGWORLD as the theory of Eq. 47 means it: noise of Leimkuhler and Matthews after each update,
/// and a correction for the sampling alone.
using SgworldLm = Training<WithoutReplacement, Plain, LeimkuhlerMatthewsNoise, SamplingCorrection>;

/// The same without correction.
using SgworldLmUncorrected = Training<WithoutReplacement, Plain, LeimkuhlerMatthewsNoise>;

/// The same there and back: the order η² of an epoch, by which orders of the batches differ, is
/// gone.
using SgworldLmThereAndBack = Training<ThereAndBack, Plain, LeimkuhlerMatthewsNoise>;

/// Full-batch Langevin dynamics, by steps of Euler and Maruyama.
using Langevin = Training<FullBatch, Plain, LangevinNoise>;

/// Full-batch Langevin dynamics, with the noise of Leimkuhler and Matthews.
using LangevinLm = Training<FullBatch, Plain, LeimkuhlerMatthewsNoise>;

/// Kinetic Langevin dynamics by UBU, with batches there and back (SMS-UBU, D. Paulin, P. A.
/// Whalley, N. K. Chada and B. Leimkuhler, arXiv 2410.19780):
///   ness::SmsUbu sampler{.learning_rate = h, .minibatch = {10}, .update = {.friction = 2}};
/// h is the time step, θ'' = −∇𝓛 − γθ' + noise: choose γ about 2√h_min of the Hessian, and an
/// e-fold takes 1/(h√h_min) updates, where those above take 1/(ηh_min).
using SmsUbu = Training<ThereAndBack, Kinetic<Ubu>>;

/// The same by BAOAB, which is exact for Gaussians where batches are all samples.
using SmsBaoab = Training<ThereAndBack, Kinetic<Baoab>>;

/// UBU with independent batches.
using UbuWithReplacement = Training<WithReplacement, Kinetic<Ubu>>;

/// Kinetic Langevin dynamics of all samples by BAOAB, exact for Gaussians.
using KineticLangevin = Training<FullBatch, Kinetic<Baoab>>;

/// Stochastic gradient Hamiltonian Monte Carlo as published (T. Chen, E. B. Fox and C. Guestrin,
/// ICML 2014): independent batches, whose noise it takes for none.
using Sghmc = Training<WithReplacement, Kinetic<EulerKinetic>>;

/// Gradients of single samples in one Markov step; a Hessian product counts as two. A batch of m
/// samples is m gradients, an epoch M, there and back 2M.
template <IsTraining T>
Index gradient_evaluations(const T& training, Index samples) {
  Index gradients = samples;
  if constexpr (DrawsIndependently<T>)
    if constexpr (requires { training.minibatch.batch_size; })
      gradients = training.minibatch.batch_size;
  if constexpr (DrawsEpochs<T>)
    if (training.minibatch.epoch_correlation(samples).mirrored) gradients *= 2;
  if constexpr (CancelsLandscape<typename T::Correction>)
    gradients += 4 * (training.correction.samples > 0 ? training.correction.samples : samples);
  return gradients;
}

/// The same where the model itself takes more than one gradient for each, as `ControlVariates`
/// does.
template <IsTraining T, class M, class R>
Index gradient_evaluations(const T& training, const Objective<M, R>& objective) {
  Index gradients = gradient_evaluations(training, objective.samples());
  if constexpr (requires { M::gradients_per_sample; }) gradients *= M::gradients_per_sample;
  return gradients;
}

/// Gradients of single samples in one Markov step of `VarianceReduced`, with K = `renew_every`, in
/// the mean: M in one of K updates, and in the others two for each of a batch.
template <IsTraining T>
double gradient_evaluations(const T& training, Index samples, Index renew_every) {
  const double renewed = 1 / static_cast<double>(renew_every);
  return renewed * static_cast<double>(training.updates_per_markov_step(samples) * samples) +
         2 * (1 - renewed) * static_cast<double>(gradient_evaluations(training, samples));
}

}  // namespace ness
