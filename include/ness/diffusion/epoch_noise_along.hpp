// The noise of an epoch of many parameters, along a few directions (Sec. 3.2, App. B).
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "ness/detail/matrices.hpp"
#include "ness/diffusion/injected_noise.hpp"
#include "ness/landscape/streamed_objective.hpp"
#include "ness/minibatch/epoch_moments.hpp"
#include "ness/random/philox.hpp"
#include "ness/random/signs.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// D̂ and ∇δ𝓛 along K directions, the columns of Q: see `epoch_noise_along`. Per epoch.
struct [[nodiscard]] EpochNoiseAlong {
  DynamicMatrix<double> diffusion;       ///< QᵀD̂Q, K × K
  DynamicMatrix<double> standard_error;  ///< of its elements, which the random signs leave
  DynamicVector<double> slope;           ///< Qᵀ∇δ𝓛, K (Eq. 16)
};

/// How the sums over pairs of samples are taken.
struct EpochNoiseSettings {
  /// Vectors of random signs, at least 2; from M on each sample by itself, which leaves no error.
  Eigen::Index probes = 16;
  std::uint64_t seed = 1;  ///< of the signs
  /// Called with the vectors of signs so far and those in all.
  std::function<void(Eigen::Index, Eigen::Index)> progress = {};

  /// Throws `std::invalid_argument` for fewer than 2 probes.
  void check(std::string_view function) const {
    detail::require(probes >= 2, function, "probes must be at least 2", probes);
  }
};

namespace detail {

/// What there is along Q of the terms of Appendix B, with a column of K numbers for each sample.
template <class Scalar>
struct EpochProjections {
  DynamicMatrix<Scalar> hessian_of_own;      ///< QᵀH_L∇ℓ_i
  DynamicMatrix<Scalar> regularizer_of_own;  ///< QᵀY∇ℓ_i
  DynamicMatrix<Scalar> own_of_own;          ///< Qᵀ∂∂ℓ_i∇ℓ_i
  DynamicMatrix<Scalar> own_of_mean;         ///< Qᵀ∂∂ℓ_i∇L
  DynamicMatrix<Scalar> own_of_regularizer;  ///< Qᵀ∂∂ℓ_iX
  DynamicVector<Scalar> hessian_of_total;    ///< QᵀH∇𝓛
  DynamicVector<Scalar> hessian_of_mean;     ///< QᵀH_L∇L
  DynamicVector<Scalar> z;                   ///< Qᵀ(Y∇L − H_LX)
  DynamicMatrix<Scalar> pairs, pairs_error;  ///< of `add_pairs`
};

/// Puts ranges of columns where they belong.
template <class Matrix>
auto into(Matrix& all) {
  return [&all](Index first, const Matrix& part) { all.middleCols(first, part.cols()) = part; };
}

/// The sums of `epoch_noise_along`, of n > 1 updates.
template <class Scalar>
EpochNoiseAlong epoch_noise_of(EpochProjections<Scalar> along, const EpochMoments& moments,
                               Eigen::Index updates, double learning_rate);

/// The sums over pairs F and G, i = j as well, times their factors. Over random signs s, with
///   a_i = Qᵀ∂∂ℓ_i Σ_j s_j∇ℓ_j,   b_i = QᵀU∇ℓ_i,   U = Σ_j s_j∂∂ℓ_j,
/// the expectation of Σ_i a_ia_iᵀ is Σ_ij Qᵀ∂∂ℓ_i∇ℓ_j(Qᵀ∂∂ℓ_i∇ℓ_j)ᵀ, which is F, and that of
/// Σ_i a_ib_iᵀ is Σ_ij Qᵀ∂∂ℓ_i∇ℓ_j(Qᵀ∂∂ℓ_j∇ℓ_i)ᵀ, which is G.
template <class M, class R>
DynamicMatrix<double> sum_of_pairs(const StreamedObjective<M, R>& streamed,
                                   const DynamicVector<double>& theta,
                                   const DynamicMatrix<double>& basis,
                                   const DynamicVector<double>& signs,
                                   const EpochFactors& factors) {
  using Matrix = typename StreamedObjective<M, R>::Matrix;
  Matrix a(basis.cols(), streamed.samples()), b = a;
  streamed.for_each_projected_product(theta, streamed.signed_gradient(theta, signs), basis,
                                      into(a));
  streamed.for_each_projection(theta, streamed.signed_hessian_products(theta, signs, basis),
                               into(b));
  b = factors.of_f * a + factors.of_g * b;
  return half_sum_with_transpose(Matrix(a * b.transpose()), 1);
}

/// The same of all signs: their mean and its standard error.
template <class M, class R>
void add_pairs(const StreamedObjective<M, R>& streamed, const DynamicVector<double>& theta,
               const DynamicMatrix<double>& basis, const EpochFactors& factors,
               const EpochNoiseSettings& settings, EpochProjections<double>& along) {
  const Index samples = streamed.samples();
  const auto report = [&](Index done, Index all) {
    if (settings.progress) settings.progress(done, all);
  };
  if (settings.probes >= samples) {
    along.pairs = DynamicMatrix<double>::Zero(basis.cols(), basis.cols());
    along.pairs_error = along.pairs;
    DynamicVector<double> unit = DynamicVector<double>::Zero(samples);
    for (Index i = 0; i < samples; ++i) {
      unit[i] = 1;
      add_scaled(along.pairs, 1, sum_of_pairs(streamed, theta, basis, unit, factors));
      unit[i] = 0;
      report(i + 1, samples);
    }
    return;
  }
  Philox random(settings.seed);
  BatchMeans<> pairs(basis.cols(), basis.cols(), 1);
  for (Index probe = 0; probe < settings.probes; ++probe) {
    const auto signs = random_signs<double>(random, samples, 1);
    pairs.add(sum_of_pairs(streamed, theta, basis, signs.col(0), factors), 1);
    report(probe + 1, settings.probes);
  }
  along.pairs = pairs.mean();
  along.pairs_error = pairs.standard_error();
}

template <class M, class R>
EpochProjections<double> project_epoch(const StreamedObjective<M, R>& streamed,
                                       const DynamicVector<double>& theta,
                                       const DynamicMatrix<double>& basis) {
  using Matrix = typename StreamedObjective<M, R>::Matrix;
  using Vector = typename StreamedObjective<M, R>::Vector;
  const Index count = basis.cols(), samples = streamed.samples();
  const Vector x = streamed.objective().regularizer_gradient(theta).template cast<double>();
  const Vector total = streamed.gradient(theta);
  const Vector mean = total - x;  // ∇L
  EpochProjections<typename DoubleFor<M>::type> along;
  for (Matrix* each : {&along.hessian_of_own, &along.regularizer_of_own, &along.own_of_own,
                       &along.own_of_mean, &along.own_of_regularizer})
    each->resize(count, samples);
  {
    Matrix of_hessian = streamed.hessian_products(theta, basis);  // HQ, and then H_LQ
    const Matrix of_regularizer = streamed.regularizer_products(theta, basis);
    along.hessian_of_total = of_hessian.transpose() * total;
    of_hessian -= of_regularizer;
    along.hessian_of_mean = of_hessian.transpose() * mean;
    along.z = of_regularizer.transpose() * mean - of_hessian.transpose() * x;
    streamed.for_each_projection(theta, of_hessian, into(along.hessian_of_own));
    streamed.for_each_projection(theta, of_regularizer, into(along.regularizer_of_own));
  }
  streamed.for_each_projected_own_product(theta, basis, into(along.own_of_own));
  streamed.for_each_projected_product(theta, mean, basis, into(along.own_of_mean));
  streamed.for_each_projected_product(theta, x, basis, into(along.own_of_regularizer));
  return along;
}

}  // namespace detail

/// D̂ = ½⟨ξ̂ξ̂ᵀ⟩ of an epoch without replacement, along the K columns of Q, `basis`, N × K: QᵀD̂Q
/// to leading order in ηn‖H‖ (B18, with the exact moments), and Qᵀ∇δ𝓛 (Eq. 16), which moves the
/// minimum; per epoch. In samplers + ηnI.
///
/// All terms of D̂ = `diffusion(objective, theta, training)` are there. Those of the B_i, C_i and
/// Z_i take QᵀH_LV_i, QᵀYV_i, and Qᵀ∂∂ℓ_i times the own gradient of each sample, ∇L and X, of which
/// a model that has `projected_hessian_products` and `projected_own_products` makes no N × M. The
/// sums F and G over pairs of samples, about 1/M of the others but along soft directions, are means
/// over random signs: `standard_error` is what these leave.
///
///   const auto noise = ness::epoch_noise_along(streamed, minimum.theta, pairs.vectors, training);
///   const auto state = ness::predict(streamed, minimum, pairs, training, noise);
///
/// Cost: five passes over the samples, each as K forward passes or twice that, and a product of H
/// with K vectors; for each probe two passes and such a product. Memory: for each thread two blocks
/// as large as Q, and 7K numbers a sample. Throws `std::invalid_argument` for a bad θ, basis or η,
/// or an m that does not divide M.
template <class M, class R, DrawsOrders T>
  requires(!ShakingNoise<typename T::Noise>)
EpochNoiseAlong epoch_noise_along(const StreamedObjective<M, R>& streamed,
                                  const DynamicVector<double>& theta,
                                  const DynamicMatrix<double>& basis, const T& training,
                                  const EpochNoiseSettings& settings = {}) {
  using Matrix = typename StreamedObjective<M, R>::Matrix;
  constexpr std::string_view name = "epoch_noise_along";
  static_assert(
      TwiceDifferentiable<M> || (HasProjectedHessianProducts<M> && HasProjectedOwnProducts<M>),
      "ness: the noise of an epoch needs second derivatives of single samples: make "
      "sample_loss generic, or give your Model `sample_hessian_products`");
  settings.check(name);
  detail::require_size(theta, streamed.parameters(), 1, name, "theta");
  detail::require_size(basis, streamed.parameters(), basis.cols(), name, "basis");
  training.check(streamed.samples(), name);
  const Index updates = training.updates_per_markov_step(streamed.samples());
  const Matrix zero = Matrix::Zero(basis.cols(), basis.cols());
  EpochNoiseAlong result{zero, zero, DynamicVector<double>::Zero(basis.cols())};
  if (updates > 1) {
    const EpochMoments moments = training.minibatch.order_moments(streamed.samples());
    auto along = detail::project_epoch(streamed, theta, basis);
    detail::add_pairs(streamed, theta, basis, detail::EpochFactors(moments), settings, along);
    result = detail::epoch_noise_of(std::move(along), moments, updates, training.learning_rate);
  }
  add_injected_diffusion(training, streamed.samples(), result.diffusion);  // QᵀQ = 1
  return result;
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

namespace ness::detail {

// B_i = n²(H_LV_i − U_iV_i), C_i = n²(U_i∇L − U_iV_i), Z_i = n(YV_i − U_iX), as a sum of squares:
// see `EpochDiffusion`. V_i = ∇ℓ_i/M and U_i = ∂∂ℓ_i/M.
template <class Scalar>
EpochNoiseAlong epoch_noise_of(EpochProjections<Scalar> along, const EpochMoments& a,
                               Eigen::Index updates, double learning_rate) {
  using Matrix = DynamicMatrix<Scalar>;
  const auto n = static_cast<Scalar>(updates);
  const auto samples = static_cast<Scalar>(along.own_of_own.cols());
  const EpochFactors factors(a);
  const auto p_in_w = static_cast<Scalar>(factors.p_in_w);

  const DynamicVector<Scalar> own = along.own_of_own.rowwise().sum();
  const DynamicVector<Scalar> s = n * (along.hessian_of_mean - own / (samples * samples));
  Matrix& w = along.regularizer_of_own;
  Matrix& p = along.hessian_of_own;
  Matrix& q = along.own_of_mean;
  const Matrix& uv = along.own_of_own;
  for (Eigen::Index k = 0; k < p.size(); ++k) {
    const Scalar of_all = n / samples * p.data()[k];
    const Scalar of_mean = n / samples * q.data()[k];
    const Scalar of_own = n / (samples * samples) * uv.data()[k];
    p.data()[k] = of_all - of_mean;
    q.data()[k] = of_all + of_mean - 2 * of_own;
    w.data()[k] =
        (w.data()[k] - along.own_of_regularizer.data()[k]) / samples + p_in_w * p.data()[k];
  }
  const Scalar pair = n * n / (samples * samples * samples * samples);
  Matrix d = pair * along.pairs;
  add_outer_products(d, uv, -static_cast<Scalar>(factors.of_f + factors.of_g) * pair);
  add_outer_products(d, w, static_cast<Scalar>(factors.of_w));
  add_outer_products(d, p, static_cast<Scalar>(factors.of_p));
  add_outer_products(d, q, static_cast<Scalar>(factors.of_q));
  add_outer_products(d, s, static_cast<Scalar>(a.a6));
  add_outer_products(d, along.z, static_cast<Scalar>(a.a0_off));
  mirror(d);

  const auto eta = static_cast<Scalar>(learning_rate);
  const Scalar epoch = eta * n;
  const Scalar scale = epoch * epoch * epoch * epoch / (2 * n * n);
  const DynamicVector<Scalar> batches =
      along.hessian_of_mean / (samples - 1) - own / (samples * (samples - 1));
  return {scale * d, scale * pair * along.pairs_error,
          -eta * n * (n - 1) / 2 * (along.hessian_of_total + batches)};
}

}  // namespace ness::detail
#endif
