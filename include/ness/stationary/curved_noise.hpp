// Noise that grows with the distance from the minimum (App. D), in chains with and without a
// memory.
#pragma once

#include <functional>
#include <utility>

#include "ness/stationary/generalized_lyapunov.hpp"
#include "ness/stationary/momentum.hpp"

namespace ness {

namespace detail {

/// The plain equation of a chain in the eigenbasis of K, for any noise: what the generalised one is
/// solved with.
template <class Scalar>
class ChainEquation {
 public:
  using Matrix = DynamicMatrix<Scalar>;
  explicit ChainEquation(const LinearChain<Scalar>& chain);
  Eigen::Index size() const { return kernel_.rows(); }
  /// Σ of the noise D, symmetric of any sign.
  Matrix solve(const Matrix& diffusion) const;

 private:
  SymmetricEigen<Scalar> eigen_;
  Matrix transposed_, kernel_;  // of the eigenvectors; ⟨θ_iθ_j⟩ over D_ij
};

template <class Scalar>
LinearChain<Scalar> with_curvature(LinearChain<Scalar> chain,
                                   const CurvatureFunction<Scalar>& curvature,
                                   const GeneralizedLyapunovSettings& settings);

}  // namespace detail

/// The same chain with the noise of where it is: D + Π(Σ) in place of D, where Σ is the covariance
/// that this noise makes (Eq. 44, with a memory as well; `curvature(S)` is Π(S) = ½𝓗_DS).
///
///   const auto chain = ness::linearize(objective, minimum, training,
///                                      {.form = ness::LyapunovForm::discrete});
///   const ness::StationaryState plain(chain);
///   const ness::StationaryState state(ness::with_curvature(
///       chain, ness::DiffusionCurvature(objective, minimum.theta, training, plain.covariance())));
///
/// The gradient of a batch depends on θ alone, whatever else the update remembers, so that its
/// second moment is 2(D + Π(Σ))/η² with Σ that of θ, and Σ, ⟨θvᵀ⟩, ⟨vvᵀ⟩ and C are those of
/// constant noise of this size: exact for losses quadratic in θ, independent batches and the
/// discrete form, at any η and momentum. ⟨σ⟩ is that of Gaussian noise of this size.
///
/// Cost: one eigendecomposition, and as `solve_generalized_lyapunov`. Throws
/// `std::invalid_argument` for a chain of epochs with a memory or whose K is not symmetric, and
/// where the noise grows faster with the distance than the drift brings back.
template <class Scalar, class Curvature>
LinearChain<Scalar> with_curvature(LinearChain<Scalar> chain, const Curvature& curvature,
                                   const GeneralizedLyapunovSettings& settings = {}) {
  return detail::with_curvature<Scalar>(std::move(chain), std::cref(curvature), settings);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

namespace ness::detail {

template <class Scalar>
ChainEquation<Scalar>::ChainEquation(const LinearChain<Scalar>& chain)
    : eigen_(chain.relaxation),
      transposed_(transposed(eigen_.vectors)),
      kernel_(chain.relaxation.rows(), chain.relaxation.rows()) {
  require_stable_memory(chain.update, eigen_.values);
  const auto modes = modes_of(chain.update, eigen_.values);
  const bool continuous = chain.form == LyapunovForm::continuous;
  for (Eigen::Index j = 0; j < size(); ++j)
    for (Eigen::Index i = 0; i < size(); ++i)
      kernel_(i, j) =
          2 * (continuous ? 1 / (eigen_.values[i] + eigen_.values[j])
                          : MemoryPair<Scalar>(chain.update, modes[static_cast<std::size_t>(i)],
                                               modes[static_cast<std::size_t>(j)])
                                .covariance);
}

template <class Scalar>
DynamicMatrix<Scalar> ChainEquation<Scalar>::solve(const Matrix& diffusion) const {
  Matrix sigma = symmetric_product(transposed_, product(diffusion, eigen_.vectors));
  for (Eigen::Index k = 0; k < sigma.size(); ++k) sigma.data()[k] *= kernel_.data()[k];
  return symmetric_product(product(eigen_.vectors, sigma), transposed_);
}

template <class Scalar>
LinearChain<Scalar> with_curvature(LinearChain<Scalar> chain,
                                   const CurvatureFunction<Scalar>& curvature,
                                   const GeneralizedLyapunovSettings& settings) {
  constexpr std::string_view name = "with_curvature";
  settings.check(name);
  if (chain.known.given())
    invalid(name,
            "the chain must be one of updates, but it is one of epochs with a memory or of "
            "their phases: sample_epochs has what batches that differ in curvature add");
  require_symmetric(chain.relaxation, name, "relaxation");
  const ChainEquation<Scalar> equation(chain);
  DynamicMatrix<Scalar> sigma;
  auto status = solve_generalized(equation, chain.diffusion, curvature, settings, sigma);
  if (status == LyapunovStatus::solved && is_positive_definite(chain.diffusion) &&
      !is_positive_definite(sigma))
    status = LyapunovStatus::no_stationary_state;
  if (status != LyapunovStatus::solved)
    invalid(name,
            "the noise must grow less with the distance from the minimum than the drift "
            "brings back, but the status is '",
            to_string(status), "': lower learning_rate, or raise batch_size");
  add_scaled(chain.diffusion, 1, curvature(sigma));
  return chain;
}

}  // namespace ness::detail
#endif
