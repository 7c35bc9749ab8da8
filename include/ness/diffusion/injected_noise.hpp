// The noise that samplers inject (Sec. 4.6).
#pragma once

#include "ness/detail/matrices.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// D += ηn I: half the variance of the noise that is injected in a Markov step of n updates, in
/// each direction (Eqs. 37, 38). Nothing where there is none.
template <IsTraining T, class Scalar>
void add_injected_diffusion(const T& training, Index samples, DynamicMatrix<Scalar>& diffusion) {
  if constexpr (IsSampler<T>) {
    const auto updates = static_cast<double>(training.updates_per_markov_step(samples));
    diffusion.diagonal().array() += static_cast<Scalar>(training.learning_rate * updates);
  }
}

/// D −= ½η²H: what noise that neighbouring updates share has less than ηI in discrete time, so that
/// HΣ + ΣH − ηHΣH = 2I − ηH has the solution H⁻¹ (B. Leimkuhler and C. Matthews, 2013,
/// doi:10.1093/amrx/abs010). Nothing for other noise. N × N per update.
template <IsTraining T, class Scalar>
void subtract_shared_diffusion(const T& training, const DynamicMatrix<Scalar>& hessian,
                               DynamicMatrix<Scalar>& diffusion) {
  if constexpr (IsSampler<T>)
    if (T::Noise::injection.shared)
      diffusion -=
          static_cast<Scalar>(training.learning_rate * training.learning_rate / 2) * hessian;
}

}  // namespace ness
