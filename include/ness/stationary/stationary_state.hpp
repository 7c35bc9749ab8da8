// The stationary state of a linear chain with constant noise (Secs. 2, 3.3, App. C).
#pragma once

#include <utility>

#include "ness/detail/matrices.hpp"
#include "ness/stationary/einstein_relation.hpp"
#include "ness/stationary/linear_chain.hpp"
#include "ness/stationary/lyapunov.hpp"

namespace ness {

/// The inverse of a symmetric positive semidefinite matrix on its range.
template <class Scalar = double>
struct RangeInverse {
  using Matrix = DynamicMatrix<Scalar>;
  Eigen::Index rank = 0;
  Matrix inverse;  ///< A⁺, N × N
  Matrix root;  ///< (A⁺)^½ in the eigenbasis: root · rootᵀ = A⁺; N × N, zero columns off the range
  Matrix outside;            ///< the projector onto the null space, N × N
  Scalar log_determinant{};  ///< Σ log of the eigenvalues on the range

  RangeInverse() = default;
  /// Eigenvalues below `tolerance` · (the largest) count as zero. Cost: one eigendecomposition.
  RangeInverse(const Matrix& matrix, Scalar tolerance);
};

/// Everything that is known of the stationary state of a linear chain; its functions bear the names
/// of what a simulation measures. All per Markov step, which is an update, an epoch or a time: see
/// `step()`.
///
///   const ness::StationaryState state(ness::linear_chain(mean, hessian, diffusion, eta));
///   const ness::StationaryState turning(ness::brownian_gyrator(2, 1, 3, 1));   // per unit of time
///
/// D may be singular: inverses are taken on its range, whose dimension is `rank()`.
template <class Scalar = double>
class StationaryState {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// Eigenvalues of D and Σ below `rank_tolerance` times the largest count as zero; 0 stands for
  /// N · ε. Throws `std::invalid_argument` for bad sizes or numbers, a D that is not symmetric, or
  /// where nothing holds the chain: an eigenvalue of K without a positive real part, or a step
  /// beyond stability. Cost: three eigendecompositions and a dozen products; a Schur decomposition
  /// in place of the first where K is not symmetric.
  explicit StationaryState(LinearChain<Scalar> chain, double rank_tolerance = 0);
  /// Per unit of time.
  template <class SystemMatrix>
  explicit StationaryState(const LinearSystem<SystemMatrix>& system)
      : StationaryState(linear_chain(system)) {}

  const Vector& mean() const { return chain_.mean; }              ///< θ₀, N
  const Matrix& relaxation() const { return chain_.relaxation; }  ///< K, N × N
  const Matrix& diffusion() const { return chain_.diffusion; }    ///< D, N × N
  const Matrix& mobility() const { return chain_.mobility; }      ///< μ, N × N
  MarkovStep step() const { return chain_.step; }
  LyapunovForm form() const { return chain_.form; }
  const LinearChain<Scalar>& chain() const { return chain_; }

  const Matrix& covariance() const { return solution_.covariance; }  ///< Σ (Eq. 23), N × N
  /// C = ½(KΣ − ΣKᵀ), ½η(HΣ − ΣH) of SGD (Eq. 25), N × N, antisymmetric.
  const Matrix& circulation() const { return circulation_; }
  /// ⟨σ⟩ (Eq. 29); in the discrete form the mean of Eq. 27.
  Scalar entropy_production() const { return entropy_production_; }
  /// Real parts of the eigenvalues of K, increasing: ηh of SGD.
  const Vector& decay_rates() const { return solution_.decay_rates; }
  Scalar residual() const { return solution_.residual; }  ///< of the Lyapunov equation
  /// The fastest decay rate over the slowest.
  Scalar condition() const { return decay_rates()[mean().size() - 1] / decay_rates()[0]; }
  Eigen::Index rank() const { return rank_; }  ///< of D
  /// The part of the velocity that points out of the range of D, relative: where it is not 0, the
  /// entropy production is infinite, and `entropy_production` is that of the rest.
  Scalar velocity_outside_range() const { return velocity_outside_range_; }

  /// Φ(θ) = ½ δθᵀΣ⁻¹δθ + ½ log det 2πΣ (Eq. 20), normalised: e^{−Φ} integrates to 1 over the range
  /// of Σ.
  Scalar potential(const Vector& theta) const;

  /// P^s(θ) = e^{−Φ(θ)}
  Scalar density(const Vector& theta) const;

  /// v^s(θ) = −C Σ⁻¹ δθ (Eq. 24), N.
  Vector velocity(const Vector& theta) const;

  /// 𝓙^s(θ) = v^s P^s, N.
  Vector current(const Vector& theta) const;

  /// F with D⁻¹ v^s(θ) = F δθ, F = −D⁻¹CΣ⁻¹: what the entropy production of a trajectory is made
  /// of, σ = Σ_k Δθ_kᵀ F δθ_k (Eq. 27).
  const Matrix& force_matrix() const { return force_matrix_; }

  /// C = KΣ − D (Eq. 24), equal to `circulation` in the continuous form.
  Matrix circulation_from_diffusion() const;

  /// tr KΣ, which is tr D: η times Eq. 22, tr⟨∇𝓛 δθᵀ⟩ = η⁻¹ tr D.
  Scalar drift_correlation() const;

  /// μ = βD?
  EinsteinRelation einstein_relation() const;

  /// The Hessian of the landscape that the drift −Kδθ goes down with mobility μ, μ⁻¹K, N × N: H of
  /// SGD, H₀⁻¹ of the earthquake model (Eq. 34). In equilibrium it is (βΣ)⁻¹.
  Matrix landscape_hessian() const;

  /// The linear system with this stationary state, per step: centre θ₀, `landscape_hessian`, μ, D.
  LinearSystem<Matrix> linear_system() const {
    return {mean(), landscape_hessian(), mobility(), diffusion()};
  }

  /// ‖C‖ / ‖D‖: 0 in equilibrium.
  Scalar nonequilibrium_ratio() const;
  bool is_equilibrium(double tolerance = 1e-10) const {
    return nonequilibrium_ratio() <= static_cast<Scalar>(tolerance);
  }

 private:
  void check() const;
  void follow(double rank_tolerance);

  LinearChain<Scalar> chain_;
  ChainCovariance<Scalar> solution_;
  Matrix circulation_;
  Scalar entropy_production_{}, velocity_outside_range_{};
  Eigen::Index rank_ = 0;
  RangeInverse<Scalar> sigma_;
  Matrix velocity_matrix_, force_matrix_;
};
template <class SystemMatrix>
StationaryState(const LinearSystem<SystemMatrix>&)
    -> StationaryState<typename SystemMatrix::Scalar>;

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>
#include <limits>
#include <numbers>

#include "ness/detail/general_matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"

namespace ness {

template <class Scalar>
RangeInverse<Scalar>::RangeInverse(const Matrix& matrix, Scalar tolerance) {
  const detail::SymmetricEigen<Scalar> eigen(matrix);
  const Eigen::Index n = matrix.rows();
  const Scalar largest = eigen.values[n - 1];
  while (rank < n && largest > 0 && eigen.values[n - 1 - rank] > tolerance * largest) ++rank;
  root.setZero(n, n);
  Matrix null = root;
  for (Eigen::Index k = 0; k < n; ++k) {
    const bool in_range = k >= n - rank;
    const Scalar value = eigen.values[k];
    Matrix& basis = in_range ? root : null;
    for (Eigen::Index i = 0; i < n; ++i)
      basis(i, k) = in_range ? eigen.vectors(i, k) / std::sqrt(value) : eigen.vectors(i, k);
    if (in_range) log_determinant += std::log(value);
  }
  inverse = detail::symmetric_product(root, detail::transposed(root));
  outside = detail::symmetric_product(null, detail::transposed(null));
}

template <class Scalar>
StationaryState<Scalar>::StationaryState(LinearChain<Scalar> chain, double rank_tolerance)
    : chain_(std::move(chain)) {
  check();
  solution_ = chain_.solve(chain_);
  follow(rank_tolerance);
}

template <class Scalar>
void StationaryState<Scalar>::check() const {
  constexpr std::string_view name = "StationaryState";
  const auto n = mean().size();
  detail::require_finite(mean(), name, "mean");
  detail::require_size(relaxation(), n, n, name, "relaxation");
  detail::require_finite(relaxation(), name, "relaxation");
  detail::require_size(diffusion(), n, n, name, "diffusion");
  detail::require_finite(diffusion(), name, "diffusion");
  detail::require_symmetric(diffusion(), name, "diffusion");
  detail::require_size(mobility(), n, n, name, "mobility");
}

// What follows from Σ.
template <class Scalar>
void StationaryState<Scalar>::follow(double rank_tolerance) {
  using detail::product;
  const Matrix drift = product(relaxation(), covariance());
  circulation_ = detail::half_sum_with_transpose(drift, -1);
  const auto n = static_cast<Scalar>(mean().size());
  const Scalar tolerance = rank_tolerance > 0 ? static_cast<Scalar>(rank_tolerance)
                                              : n * std::numeric_limits<Scalar>::epsilon();
  const RangeInverse<Scalar> d(diffusion(), tolerance);
  sigma_ = RangeInverse<Scalar>(covariance(), tolerance);
  rank_ = d.rank;
  velocity_matrix_ = product(circulation_, sigma_.inverse);
  velocity_matrix_ *= Scalar(-1);
  force_matrix_ = product(d.inverse, velocity_matrix_);
  // −tr(C D⁻¹ C Σ⁻¹) as a sum of squares: no cancellation near equilibrium.
  const Matrix scaled = product(circulation_, sigma_.root);
  entropy_production_ = product(detail::transposed(d.root), scaled).squaredNorm();
  const Scalar all = scaled.norm();
  velocity_outside_range_ = all > 0 ? product(d.outside, scaled).norm() / all : Scalar(0);
  if (form() == LyapunovForm::discrete) {
    // KΣ = C + D + ½KΣKᵀ, and the mean of Eq. 27 is −tr(C D⁻¹ K).
    const Matrix quadratic = product(drift, detail::transposed(relaxation()));
    entropy_production_ -= force_matrix_.cwiseProduct(quadratic).sum() / 2;
  }
}

template <class Scalar>
Scalar StationaryState<Scalar>::potential(const Vector& theta) const {
  const Vector away = theta - mean();
  Scalar square(0);
  for (Eigen::Index k = 0; k < away.size(); ++k) {
    const Scalar along = sigma_.root.col(k).dot(away);
    square += along * along;
  }
  const Scalar log_two_pi = std::log(2 * std::numbers::pi_v<Scalar>);
  return (square + sigma_.log_determinant + static_cast<Scalar>(sigma_.rank) * log_two_pi) / 2;
}

template <class Scalar>
Scalar StationaryState<Scalar>::density(const Vector& theta) const {
  return std::exp(-potential(theta));
}

template <class Scalar>
DynamicVector<Scalar> StationaryState<Scalar>::velocity(const Vector& theta) const {
  const Vector away = theta - mean();
  return velocity_matrix_ * away;
}

template <class Scalar>
DynamicVector<Scalar> StationaryState<Scalar>::current(const Vector& theta) const {
  return density(theta) * velocity(theta);
}

template <class Scalar>
DynamicMatrix<Scalar> StationaryState<Scalar>::circulation_from_diffusion() const {
  return detail::product(relaxation(), covariance()) - diffusion();
}

template <class Scalar>
Scalar StationaryState<Scalar>::drift_correlation() const {
  return relaxation().cwiseProduct(covariance()).sum();
}

template <class Scalar>
EinsteinRelation StationaryState<Scalar>::einstein_relation() const {
  const auto square = static_cast<double>(diffusion().squaredNorm());
  if (!(square > 0)) return {std::numeric_limits<double>::infinity(), 1};
  const double beta = static_cast<double>(mobility().cwiseProduct(diffusion()).sum()) / square;
  Matrix rest = mobility();
  detail::add_scaled(rest, static_cast<Scalar>(-beta), diffusion());
  return {beta, static_cast<double>(rest.norm()) / static_cast<double>(mobility().norm())};
}

template <class Scalar>
DynamicMatrix<Scalar> StationaryState<Scalar>::landscape_hessian() const {
  return detail::solve_general(mobility(), relaxation());
}

template <class Scalar>
Scalar StationaryState<Scalar>::nonequilibrium_ratio() const {
  const Scalar scale = diffusion().norm();
  return scale > 0 ? circulation_.norm() / scale : Scalar(0);
}

}  // namespace ness
#endif
