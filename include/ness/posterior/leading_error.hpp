// How well samplers of epochs draw from the posterior e^{−𝓛} of many parameters (not in the paper).
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/posterior/gaussian_posterior.hpp"
#include "ness/posterior/kinetic_modes.hpp"
#include "ness/posterior/posterior_error.hpp"
#include "ness/posterior/unequal_batches.hpp"
#include "ness/training/training.hpp"

namespace ness {

namespace detail {

/// Those of Langevin dynamics: where a number is shared by two updates, of θ less its half of the
/// second, which differs from θ by independent noise alone, and v is that number.
template <class T>
  requires(!KineticUpdate<typename T::Update>)
KineticModes<double> modes_of(const T& sampler, const DynamicVector<double>& curvatures) {
  constexpr bool shared = T::Noise::injection.shared;
  const double eta = sampler.learning_rate, half = std::sqrt(eta / 2);
  KineticMap<double> before({}, eta, 1), after(before);
  after.kick[0] = eta;
  if constexpr (shared) {
    before.map(1, 1) = 0;
    before.noise << half * half, half, half, 1;
    after.map << 1, half, 0, 0;
  } else {
    after.map(1, 1) = 0;
    after.noise(0, 0) = 2 * eta;
  }
  return {before, after, curvatures};
}
template <class T>
  requires KineticUpdate<typename T::Update>
KineticModes<double> modes_of(const T& sampler, const DynamicVector<double>& curvatures) {
  return kinetic_modes(sampler, curvatures);
}

/// Σ − Σ_po and ⟨θ⟩ − θ₀ at the ends of epochs; `own` is what Σ is more without noise of batches,
/// along each eigenvector.
template <class Scalar>
PosteriorError<Scalar> error_of_source(const GaussianPosterior<Scalar>& posterior,
                                       const KineticModes<Scalar>& modes,
                                       const SampleScatter<Scalar>& scatter,
                                       const EpochCorrelation& correlation,
                                       const DynamicVector<Scalar>& own);

/// `leading_posterior_error` of any samplers of one posterior.
template <class M, class R>
class LeadingErrors {
 public:
  LeadingErrors(const Objective<M, R>& objective, const Minimum<double>& minimum)
      : samples_(objective.samples()),
        posterior_(posterior_about(minimum, "leading_posterior_error")),
        scatter_(sample_scatter(objective, minimum)) {}

  template <DrawsEpochs T>
  PosteriorError<double> operator()(const T& sampler) const {
    constexpr bool is_kinetic = KineticUpdate<typename T::Update>;
    static_assert(is_kinetic || (IsSampler<T> && RemembersNothing<typename T::Update> &&
                                 !CancelsLandscape<typename T::Correction>),
                  "ness: the leading error is that of kinetic samplers, and of Langevin dynamics "
                  "without correction");
    sampler.check(samples_, "leading_posterior_error");
    const EpochCorrelation correlation = sampler.minibatch.epoch_correlation(samples_);
    if (correlation.last_variance != correlation.variance)
      invalid("leading_posterior_error",
              "all batches must be of one size, but the variance of the last one's gradient is ",
              correlation.last_variance, " in place of ", correlation.variance);
    const auto modes = modes_of(sampler, scatter_.values);
    DynamicVector<double> own = DynamicVector<double>::Zero(modes.size());
    if (modes.is_stable() && (is_kinetic || !shares_noise<T>()))
      for (Index i = 0; i < own.size(); ++i) own[i] = modes.excess(i)(0, 0);
    return error_of_source(posterior_, modes, scatter_, correlation, own);
  }

 private:
  template <class T>
  static constexpr bool shares_noise() {
    if constexpr (IsSampler<T>) {
      static_assert(!T::Noise::injection.once_a_markov_step,
                    "ness: the leading error is that of noise after each update");
      return T::Noise::injection.shared;
    }
    return false;
  }

  Index samples_;
  GaussianPosterior<double> posterior_;
  SampleScatter<double> scatter_;
};

}  // namespace detail

/// What a sampler of epochs does near a minimum, for losses quadratic in θ (else taken for
/// quadratic about θ₀): `exact_posterior_error` to second order in what the gradients and the
/// Hessians of batches differ in, all orders in the step and in the length of an epoch kept, with
/// nothing drawn at random and no standard error. Of kinetic samplers and of Langevin dynamics
/// without correction, by epochs of batches of one size, in random order or there and back. The
/// next order is smaller by what one update is moved by the difference of batches, h²|q| of a
/// kinetic sampler, η|q| of another, relative to the excess.
///
/// Cost: M N³ once, and for epochs of L updates L N³ by matrix products; memory N³/2 numbers: for
/// some hundred parameters. Throws `std::invalid_argument` for settings that do not fit.
template <class M, class R, DrawsEpochs T>
PosteriorError<double> leading_posterior_error(const Objective<M, R>& objective,
                                               const Minimum<double>& minimum, const T& training) {
  return detail::LeadingErrors<M, R>(objective, minimum)(training);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library
namespace ness::detail {

template <class Scalar>
PosteriorError<Scalar> error_of_source(const GaussianPosterior<Scalar>& posterior,
                                       const KineticModes<Scalar>& modes,
                                       const SampleScatter<Scalar>& scatter,
                                       const EpochCorrelation& correlation,
                                       const DynamicVector<Scalar>& own) {
  using Matrix = DynamicMatrix<Scalar>;
  using Vector = DynamicVector<Scalar>;
  using Small = Eigen::Matrix<Scalar, 2, 2>;
  const Index size = modes.size();
  if (!modes.is_stable())
    return posterior_error<Scalar>(posterior, LyapunovStatus::unstable_learning_rate,
                                   Vector::Zero(size), Matrix::Zero(size, size));
  const EpochSource<Scalar> source = epoch_source(modes, scatter, correlation);
  std::vector<Small> epochs;
  for (Index i = 0; i < size; ++i) {
    const Small update = modes.update(i);
    epochs.push_back(Small::Identity());
    for (Index t = 0; t < correlation.updates(); ++t)
      epochs.back() = (update * epochs.back()).eval();
  }
  const Matrix both = source.of_curvature + source.of_gradients;
  Matrix excess(size, size);
  Vector shift(size);
  for (Index j = 0; j < size; ++j) {
    const Small& of_j = epochs[static_cast<std::size_t>(j)];
    // (I − A) z = source, of the two elements of z.
    const Small rest = Small::Identity() - of_j;
    shift[j] = (rest(1, 1) * source.shift[j] - rest(0, 1) * source.shift[size + j]) /
               (rest(0, 0) * rest(1, 1) - rest(0, 1) * rest(1, 0));
    for (Index i = 0; i <= j; ++i) {
      Small of_pair;
      of_pair << both(i, j), both(i, size + j), both(size + i, j), both(size + i, size + j);
      excess(i, j) =
          second_moments<Scalar>(epochs[static_cast<std::size_t>(i)], of_j, of_pair)(0, 0);
      excess(j, i) = excess(i, j);
    }
  }
  excess.diagonal() += own;
  const Matrix back = transposed(scatter.vectors);
  return posterior_error<Scalar>(posterior, LyapunovStatus::solved, scatter.vectors * shift,
                                 product(scatter.vectors, product(excess, back)));
}

}  // namespace ness::detail
#endif
