// The noise of samplers: that of their batches and what is injected (Sec. 4.6).
#pragma once

#include "ness/diffusion/with_replacement.hpp"
#include "ness/diffusion/without_replacement.hpp"
#include "ness/training/langevin.hpp"

namespace ness {

/// The variance of injected noise over 2, in each direction, per Markov step: ηn, and 0 without.
template <Minibatch B, class Noise, class Correction>
double injected_diffusion(const Training<B, Noise, Correction>& training, Index samples) {
  if constexpr (!InjectedNoise<Noise>) return 0;
  return training.learning_rate *
         static_cast<double>(training.minibatch.updates_per_markov_step(samples));
}

/// What noise that neighbouring updates share has less than ηI in discrete time, ½η²H, so that
/// HΣ + ΣH − ηHΣH = 2I − ηH has the solution H⁻¹ (B. Leimkuhler and C. Matthews, 2013); 0 for other
/// noise. N × N per update.
template <Minibatch B, InjectedNoise Noise, class Correction, class Matrix>
Matrix missing_diffusion(const Training<B, Noise, Correction>& training, const Matrix& hessian) {
  using Scalar = typename Matrix::Scalar;
  const auto eta = static_cast<Scalar>(training.learning_rate);
  return Scalar(Noise::injection.shared ? 0.5 : 0) * eta * eta * hessian;
}

/// D' = ηI + D with replacement (Eq. 37), D'' = ηnI + D̂ without (Eq. 38), ηI for all samples in
/// every step; N × N, per Markov step. Cost and errors: those of the same minibatches without
/// noise.
template <class M, class R, Minibatch B, InjectedNoise Noise, class Correction>
matrix_t<M> diffusion(const Objective<M, R>& objective, const vector_t<M>& theta,
                      const Training<B, Noise, Correction>& training) {
  training.check(objective.samples(), "diffusion");
  matrix_t<M> d = diffusion(objective, theta, without_noise(training));
  d.diagonal().array() +=
      static_cast<scalar_t<M>>(injected_diffusion(training, objective.samples()));
  return d;
}

}  // namespace ness
