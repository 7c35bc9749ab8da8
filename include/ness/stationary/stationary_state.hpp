// The stationary state of a linear system or chain with constant noise (Secs. 2, 3.3, App. C).
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/general_matrices.hpp"
#include "ness/detail/symmetric_eigen.hpp"
#include "ness/stationary/lyapunov.hpp"
#include "ness/systems/linear.hpp"

namespace ness {

/// How near μ = βD holds (Sec. 2.1, condition i).
struct EinsteinRelation {
  double beta;      ///< the β that fits best: tr(μD) / tr(D²)
  double residual;  ///< ‖μ − βD‖ / ‖μ‖
  bool holds(double tolerance = 1e-8) const { return residual <= tolerance; }
};

/// The best β in μ = βD and what is left of μ. Both matrices are symmetric, N × N, per step.
template <class Mobility, class Diffusion>
EinsteinRelation einstein_relation(const Eigen::MatrixBase<Mobility>& mobility,
                                   const Eigen::MatrixBase<Diffusion>& diffusion) {
  const double square = static_cast<double>(diffusion.squaredNorm());
  if (!(square > 0)) return {std::numeric_limits<double>::infinity(), 1};
  const double beta = static_cast<double>(mobility.cwiseProduct(diffusion).sum()) / square;
  using Scalar = typename Diffusion::Scalar;
  const auto rest = mobility - static_cast<Scalar>(beta) * diffusion;
  return {beta, static_cast<double>(rest.norm()) / static_cast<double>(mobility.norm())};
}

/// The inverse of a symmetric positive semidefinite matrix on its range.
template <class Matrix>
struct RangeInverse {
  using Scalar = typename Matrix::Scalar;
  Eigen::Index rank = 0;
  Matrix inverse;  ///< A⁺, N × N
  Matrix root;  ///< (A⁺)^½ in the eigenbasis: root · rootᵀ = A⁺; N × N, zero columns off the range
  Matrix outside;            ///< the projector onto the null space, N × N
  Scalar log_determinant{};  ///< Σ log of the eigenvalues on the range

  RangeInverse() = default;
  /// Eigenvalues below `tolerance` · (the largest) count as zero. Cost: one eigendecomposition.
  RangeInverse(const Matrix& matrix, Scalar tolerance) {
    const detail::SymmetricEigen<Matrix> eigen(matrix);
    const Eigen::Index n = matrix.rows();
    const Scalar largest = eigen.values[n - 1];
    while (rank < n && largest > 0 && eigen.values[n - 1 - rank] > tolerance * largest) ++rank;
    root.setZero(n, n);
    const auto range = eigen.values.tail(rank);
    root.rightCols(rank) =
        eigen.vectors.rightCols(rank) * range.cwiseSqrt().cwiseInverse().asDiagonal();
    inverse.noalias() = root * root.transpose();
    const auto null = eigen.vectors.leftCols(n - rank);
    outside.noalias() = null * null.transpose();
    log_determinant = range.array().log().sum();
  }
};

struct StationarySettings {
  LyapunovForm form = LyapunovForm::continuous;
  /// Eigenvalues of D and Σ below this times the largest count as zero; 0 stands for N · ε.
  double rank_tolerance = 0;
};

/// Everything that is known of the stationary state of δθ' = (I − ηH) δθ + ξ, ½⟨ξξᵀ⟩ = D.
///
/// Made from θ₀, H, D and η (per Markov step), or from a linear system, which need not go down a
/// gradient; its fields bear the names of what a simulation measures. D may be singular: inverses
/// are taken on its range, whose dimension is `rank`.
template <class Matrix>
class StationaryState {
 public:
  using Scalar = typename Matrix::Scalar;
  using Vector = Eigen::Matrix<Scalar, Matrix::RowsAtCompileTime, 1>;

  Vector mean;                ///< θ₀, N
  Matrix hessian;             ///< H of SGD, K of a linear system, N × N
  Matrix diffusion;           ///< D, N × N, per step
  Matrix covariance;          ///< Σ (Eq. 23), N × N
  Matrix circulation;         ///< C = ½η(HΣ − ΣH) (Eq. 25), N × N, antisymmetric, per step
  Scalar entropy_production;  ///< ⟨σ⟩ per step (Eq. 29); in the discrete form the mean of Eq. 27
  Vector hessian_eigenvalues;  ///< increasing; of a linear system real parts of those of μK
  double learning_rate;        ///< η, or the time step Δt of a linear system
  Matrix mobility;             ///< μ, N × N per step: ηI of SGD, unless set otherwise
  LyapunovForm form;
  Scalar residual;    ///< of the Lyapunov equation
  Scalar condition;   ///< h_max / h_min
  Eigen::Index rank;  ///< of D
  /// The part of the velocity that points out of the range of D, relative: where it is not 0, the
  /// entropy production is infinite, and `entropy_production` is that of the rest.
  Scalar velocity_outside_range;

  /// Throws `std::invalid_argument` for bad sizes or numbers, an H or D that is not symmetric, an H
  /// that is not positive definite, or η h_max ≥ 2. Cost: three eigendecompositions and a dozen
  /// products.
  StationaryState(Vector mean_, Matrix hessian_, Matrix diffusion_, double learning_rate_,
                  const StationarySettings& settings = {})
      : mean(std::move(mean_)),
        hessian(std::move(hessian_)),
        diffusion(std::move(diffusion_)),
        learning_rate(learning_rate_),
        mobility(static_cast<Scalar>(learning_rate_) * Matrix::Identity(mean.size(), mean.size())),
        form(settings.form) {
    const auto n = mean.size();
    detail::require_size(hessian, n, n, "StationaryState", "hessian");
    detail::require_finite(mean, "StationaryState", "mean");
    solve();
    follow(settings);
  }

  /// Of δθ' = (I − Δt μK) δθ + ξ, all quantities per time step Δt; of a system in continuous time
  /// per unit of time (Δt = 1). `LyapunovForm::discrete` is exact for `EulerMaruyama` with this Δt.
  ///
  /// Throws `std::invalid_argument` for a Δt that is not positive, or where nothing holds the
  /// system: an eigenvalue of μK without a positive real part, or a Δt beyond stability. Cost: a
  /// Schur decomposition, two eigendecompositions and a dozen products.
  explicit StationaryState(const LinearSystem<Matrix>& system, double time_step = 1,
                           const StationarySettings& settings = {})
      : mean(system.center()),
        hessian(system.hessian()),
        diffusion(static_cast<Scalar>(time_step) * system.diffusion()),
        learning_rate(time_step),
        mobility(static_cast<Scalar>(time_step) * system.mobility()),
        form(settings.form),
        relaxation_(static_cast<Scalar>(time_step) * system.relaxation()) {
    detail::require_positive(time_step, "StationaryState", "time_step");
    solve_linear_system();
    follow(settings);
  }

  /// Φ(θ) = ½ δθᵀΣ⁻¹δθ + ½ log det 2πΣ (Eq. 20), normalised: e^{−Φ} integrates to 1 over the range
  /// of Σ.
  Scalar potential(const Vector& theta) const {
    const Vector scaled = sigma_.root.transpose() * (theta - mean);
    const Scalar log_two_pi = std::log(2 * std::numbers::pi_v<Scalar>);
    return (scaled.squaredNorm() + sigma_.log_determinant +
            static_cast<Scalar>(sigma_.rank) * log_two_pi) /
           2;
  }

  /// P^s(θ) = e^{−Φ(θ)}
  Scalar density(const Vector& theta) const { return std::exp(-potential(theta)); }

  /// v^s(θ) = −C Σ⁻¹ δθ (Eq. 24), N, per step.
  Vector velocity(const Vector& theta) const { return velocity_matrix_ * (theta - mean); }

  /// 𝓙^s(θ) = v^s P^s, N, per step.
  Vector current(const Vector& theta) const { return density(theta) * velocity(theta); }

  /// F with D⁻¹ v^s(θ) = F δθ, F = −D⁻¹CΣ⁻¹: what the entropy production of a trajectory is made
  /// of, σ = Σ_k Δθ_kᵀ F δθ_k (Eq. 27).
  const Matrix& force_matrix() const { return force_matrix_; }

  /// C = ηHΣ − D (Eq. 24), equal to `circulation` in the continuous form.
  Matrix circulation_from_diffusion() const { return relaxation_ * covariance - diffusion; }

  /// tr⟨∇𝓛 δθᵀ⟩ = tr(HΣ), which Eq. 22 says is η⁻¹ tr D.
  Scalar gradient_correlation() const { return hessian.cwiseProduct(covariance).sum(); }

  /// μ = βD?
  EinsteinRelation einstein_relation() const {
    return ness::einstein_relation(mobility, diffusion);
  }

  /// The Hessian of the landscape that the drift −ηHδθ goes down with mobility μ, ημ⁻¹H, N × N: H
  /// of SGD, H₀⁻¹ of the earthquake model (Eq. 34). In equilibrium it is (βΣ)⁻¹.
  Matrix landscape_hessian() const { return detail::divide_general<Scalar>(mobility, relaxation_); }

  /// The linear system with this stationary state, per step: centre θ₀, `landscape_hessian`, μ, D.
  LinearSystem<Matrix> linear_system() const {
    return {mean, landscape_hessian(), mobility, diffusion};
  }

  /// ‖C‖ / ‖D‖: 0 in equilibrium.
  Scalar nonequilibrium_ratio() const {
    const Scalar scale = diffusion.norm();
    return scale > 0 ? circulation.norm() / scale : Scalar(0);
  }
  bool is_equilibrium(double tolerance = 1e-10) const {
    return nonequilibrium_ratio() <= static_cast<Scalar>(tolerance);
  }

 private:
  void solve() {
    auto solution = solve_lyapunov(hessian, diffusion, learning_rate, form);
    hessian_eigenvalues = solution.hessian_eigenvalues;
    const Scalar smallest = hessian_eigenvalues[0];
    const Scalar largest = hessian_eigenvalues[hessian_eigenvalues.size() - 1];
    if (solution.status == LyapunovStatus::indefinite_hessian)
      detail::invalid("StationaryState",
                      "the Hessian must be positive definite, but its smallest eigenvalue is ",
                      smallest, ": start from a minimum, or add a regularizer");
    if (solution.status == LyapunovStatus::unstable_learning_rate)
      detail::invalid("StationaryState", "learning_rate must be below 2 / h_max = ", 2 / largest,
                      " for a stationary state, but is ", learning_rate);
    covariance = std::move(solution.covariance);
    residual = solution.residual;
    condition = solution.condition;
    relaxation_ = static_cast<Scalar>(learning_rate) * hessian;
  }

  void solve_linear_system() {
    const Scalar coupling = form == LyapunovForm::discrete ? Scalar(1) : Scalar(0);
    const detail::GeneralLyapunov<Scalar> solution(relaxation_, 2 * diffusion, coupling);
    hessian_eigenvalues = solution.decay_rates / static_cast<Scalar>(learning_rate);
    const Scalar slowest = hessian_eigenvalues[0];
    detail::require(slowest > 0, "StationaryState",
                    "every eigenvalue of mobility * hessian must have a positive real part for a "
                    "stationary state; the smallest",
                    slowest);
    detail::require(solution.spectral_radius < 1, "StationaryState",
                    "time_step must be smaller for a stationary state: the spectral radius of a "
                    "step must be below 1",
                    solution.spectral_radius);
    covariance = solution.solution;
    condition = hessian_eigenvalues[hessian_eigenvalues.size() - 1] / slowest;
    residual = solution.residual;
  }

  // What follows from Σ.
  void follow(const StationarySettings& settings) {
    const auto n = mean.size();
    const Matrix product = relaxation_ * covariance;
    circulation = (product - product.transpose()) / 2;
    const Scalar tolerance = settings.rank_tolerance > 0
                                 ? static_cast<Scalar>(settings.rank_tolerance)
                                 : static_cast<Scalar>(n) * std::numeric_limits<Scalar>::epsilon();
    const RangeInverse<Matrix> d(diffusion, tolerance);
    sigma_ = RangeInverse<Matrix>(covariance, tolerance);
    rank = d.rank;
    velocity_matrix_.noalias() = -circulation * sigma_.inverse;
    force_matrix_.noalias() = d.inverse * velocity_matrix_;
    // −tr(C D⁻¹ C Σ⁻¹) as a sum of squares: no cancellation near equilibrium.
    const Matrix scaled = circulation * sigma_.root;
    entropy_production = (d.root.transpose() * scaled).squaredNorm();
    const Scalar all = scaled.norm();
    velocity_outside_range = all > 0 ? (d.outside * scaled).norm() / all : Scalar(0);
    if (form == LyapunovForm::discrete) {
      // ηHΣ = C + D + ½η²HΣH, and the mean of Eq. 27 is −η tr(C D⁻¹ H).
      const Matrix quadratic = product * relaxation_.transpose();
      entropy_production -= force_matrix_.cwiseProduct(quadratic).sum() / 2;
    }
  }

  RangeInverse<Matrix> sigma_;
  Matrix relaxation_;  // ηH: the drift per step is −ηHδθ
  Matrix velocity_matrix_, force_matrix_;
};

}  // namespace ness
