// The stationary state of a linear chain with constant noise (Secs. 2, 3.3, App. C).
#pragma once

#include <utility>

#include "ness/detail/matrices.hpp"
#include "ness/stationary/linear_chain.hpp"
#include "ness/stationary/lyapunov.hpp"

namespace ness {

/// How near μ = βD holds (Sec. 2.1, condition i).
struct EinsteinRelation {
  double beta;      ///< the β that fits best: tr(μD) / tr(D²)
  double residual;  ///< ‖μ − βD‖ / ‖μ‖
  bool holds(double tolerance = 1e-8) const { return residual <= tolerance; }
};

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

  const Matrix& covariance() const { return covariance_; }  ///< Σ (Eq. 23), N × N
  /// C = ½(KΣ − ΣKᵀ), ½η(HΣ − ΣH) of SGD (Eq. 25), N × N, antisymmetric.
  const Matrix& circulation() const { return circulation_; }
  /// ⟨σ⟩ (Eq. 29); in the discrete form the mean of Eq. 27.
  Scalar entropy_production() const { return entropy_production_; }
  /// Real parts of the eigenvalues of K, increasing: ηh of SGD.
  const Vector& decay_rates() const { return decay_rates_; }
  Scalar residual() const { return residual_; }    ///< of the Lyapunov equation
  Scalar condition() const { return condition_; }  ///< the fastest decay rate over the slowest
  Eigen::Index rank() const { return rank_; }      ///< of D
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
  void solve_symmetric();
  void solve_general();
  void follow(double rank_tolerance);

  LinearChain<Scalar> chain_;
  Matrix covariance_, circulation_;
  Vector decay_rates_;
  Scalar entropy_production_{}, residual_{}, condition_{}, velocity_outside_range_{};
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
  Matrix null = Matrix::Zero(n, n);
  for (Eigen::Index k = 0; k < n; ++k) {
    if (k < n - rank) {
      null.col(k) = eigen.vectors.col(k);
    } else {
      root.col(k) = eigen.vectors.col(k) / std::sqrt(eigen.values[k]);
      log_determinant += std::log(eigen.values[k]);
    }
  }
  const Matrix root_transposed = root.transpose();
  const Matrix null_transposed = null.transpose();
  detail::symmetric_product(root, root_transposed, inverse);
  detail::symmetric_product(null, null_transposed, outside);
}

template <class Scalar>
StationaryState<Scalar>::StationaryState(LinearChain<Scalar> chain, double rank_tolerance)
    : chain_(std::move(chain)) {
  check();
  if (relaxation() == relaxation().transpose())
    solve_symmetric();
  else
    solve_general();
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

template <class Scalar>
void StationaryState<Scalar>::solve_symmetric() {
  detail::LyapunovEquation<Scalar> equation(relaxation(), 1, form(), "StationaryState");
  decay_rates_ = equation.eigenvalues();
  const Scalar slowest = decay_rates_[0];
  const Scalar fastest = decay_rates_[decay_rates_.size() - 1];
  if (!(slowest > 0))
    detail::invalid("StationaryState",
                    "every direction must relax (the Hessian be positive definite), but the "
                    "smallest rate, a ",
                    to_string(step()), ", is ", slowest,
                    ": start from a minimum, or add a regularizer");
  // In continuous time no step is too long.
  const bool of_steps = step() != MarkovStep::time || form() == LyapunovForm::discrete;
  if (of_steps && !(fastest < 2))
    detail::invalid("StationaryState", "no direction may relax by 2 or more in one ",
                    to_string(step()), " for a stationary state, but the fastest does by ", fastest,
                    ": lower the learning rate, or the time step");
  covariance_ = equation.solve(diffusion());
  residual_ = equation.residual(covariance_, diffusion());
  condition_ = fastest / slowest;
}

template <class Scalar>
void StationaryState<Scalar>::solve_general() {
  const Scalar coupling = form() == LyapunovForm::discrete ? Scalar(1) : Scalar(0);
  const Matrix noise = 2 * diffusion();
  const detail::GeneralLyapunov<Scalar> solution(relaxation(), noise, coupling);
  decay_rates_ = solution.decay_rates;
  const Scalar slowest = decay_rates_[0];
  detail::require(slowest > 0, "StationaryState",
                  "every eigenvalue of mobility * hessian must have a positive real part for a "
                  "stationary state; the smallest",
                  slowest);
  detail::require(solution.spectral_radius < 1, "StationaryState",
                  "time_step must be smaller for a stationary state: the spectral radius of a "
                  "step must be below 1",
                  solution.spectral_radius);
  covariance_ = solution.solution;
  condition_ = decay_rates_[decay_rates_.size() - 1] / slowest;
  residual_ = solution.residual;
}

// What follows from Σ.
template <class Scalar>
void StationaryState<Scalar>::follow(double rank_tolerance) {
  const Matrix product = relaxation() * covariance_;
  circulation_ = (product - product.transpose()) / 2;
  const auto n = static_cast<Scalar>(mean().size());
  const Scalar tolerance = rank_tolerance > 0 ? static_cast<Scalar>(rank_tolerance)
                                              : n * std::numeric_limits<Scalar>::epsilon();
  const RangeInverse<Scalar> d(diffusion(), tolerance);
  sigma_ = RangeInverse<Scalar>(covariance_, tolerance);
  rank_ = d.rank;
  velocity_matrix_ = circulation_ * sigma_.inverse;
  velocity_matrix_ *= Scalar(-1);
  force_matrix_ = d.inverse * velocity_matrix_;
  // −tr(C D⁻¹ C Σ⁻¹) as a sum of squares: no cancellation near equilibrium.
  const Matrix scaled = circulation_ * sigma_.root;
  const Matrix root_transposed = d.root.transpose();
  entropy_production_ = Matrix(root_transposed * scaled).squaredNorm();
  const Scalar all = scaled.norm();
  velocity_outside_range_ = all > 0 ? Matrix(d.outside * scaled).norm() / all : Scalar(0);
  if (form() == LyapunovForm::discrete) {
    // KΣ = C + D + ½KΣKᵀ, and the mean of Eq. 27 is −tr(C D⁻¹ K).
    const Matrix relaxation_transposed = relaxation().transpose();
    const Matrix quadratic = product * relaxation_transposed;
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
  return Matrix(relaxation() * covariance_) - diffusion();
}

template <class Scalar>
Scalar StationaryState<Scalar>::drift_correlation() const {
  return relaxation().cwiseProduct(covariance_).sum();
}

template <class Scalar>
EinsteinRelation StationaryState<Scalar>::einstein_relation() const {
  const auto square = static_cast<double>(diffusion().squaredNorm());
  if (!(square > 0)) return {std::numeric_limits<double>::infinity(), 1};
  const double beta = static_cast<double>(mobility().cwiseProduct(diffusion()).sum()) / square;
  const Matrix rest = mobility() - static_cast<Scalar>(beta) * diffusion();
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
