// The stationary state of a linear chain with constant noise (Secs. 2, 3.3, App. C).
#pragma once

#include <utility>

#include "ness/detail/matrices.hpp"
#include "ness/stationary/einstein_relation.hpp"
#include "ness/stationary/linear_chain.hpp"
#include "ness/stationary/lyapunov.hpp"
#include "ness/statistics/cycling.hpp"

namespace ness {

/// The inverse of a symmetric positive semidefinite matrix A on its range. A is scaled to a unit
/// diagonal first, A = SCS, so that rank and inverses do not depend on the units of the
/// coordinates.
template <class Scalar = double>
struct RangeInverse {
  using Matrix = DynamicMatrix<Scalar>;
  Eigen::Index rank = 0;     ///< of what is inverted
  Matrix inverse;            ///< G = S⁻¹C⁺S⁻¹, N × N: AGA = A, GAG = G
  Matrix root;               ///< root · rootᵀ = G; N × N, zero columns off the range
  Matrix outside;            ///< 1 − AG, N × N: what of a vector is out of the range
  Scalar log_determinant{};  ///< Σ log of the eigenvalues of A on the range

  RangeInverse() = default;
  /// Eigenvalues of C below `tolerance` · (the largest) count as zero. Cost: one
  /// eigendecomposition.
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

  /// Eigenvalues of D and Σ, scaled to a unit diagonal, below `rank_tolerance` times the largest
  /// count as zero; 0 stands for N · ε. Throws `std::invalid_argument` for bad sizes or numbers, a
  /// D that is not symmetric and positive semidefinite, where nothing holds the chain: an
  /// eigenvalue of K without a positive real part, or a step beyond stability; and where rounding
  /// leaves nothing of Σ. Cost: three eigendecompositions and a dozen products; a Schur
  /// decomposition in place of the first where K is not symmetric.
  explicit StationaryState(LinearChain<Scalar> chain, double rank_tolerance = 0);
  /// Per unit of time.
  template <class SystemMatrix>
  explicit StationaryState(const LinearSystem<SystemMatrix>& system)
      : StationaryState(linear_chain(system)) {}

  /// ⟨θ⟩, N: the point that the linear chain relaxes to, θ₀, or what `about` says.
  const Vector& mean() const { return mean_; }
  /// The same state about another mean, N: where the mean is known to the next order (`mean_shift`)
  /// v^s = −CΣ⁻¹(θ − ⟨θ⟩) and the density are about it. `chain().mean` remains θ₀.
  StationaryState about(const Vector& mean) const {
    detail::require_size(mean, mean_.size(), 1, "StationaryState::about", "mean");
    detail::require_finite(mean, "StationaryState::about", "mean");
    StationaryState moved = *this;
    moved.mean_ = mean;
    return moved;
  }
  /// How far the mean may be off, in standard deviations: |Σ^{−½}H₀⁻¹∇𝓛(θ₀)| on the range of Σ,
  /// which rounding or an unfinished search left of the minimum. 0 where nothing is known of it.
  Scalar mean_offset() const;
  const Matrix& relaxation() const { return chain_.relaxation; }  ///< K, N × N
  const Matrix& diffusion() const { return chain_.diffusion; }    ///< D, N × N
  const Matrix& mobility() const { return chain_.mobility; }      ///< μ, N × N
  /// An update, an epoch or a time.
  MarkovStep step() const { return chain_.step; }
  /// Of finite steps, or of the leading order in ηh.
  LyapunovForm form() const { return chain_.form; }
  /// The linear chain that it is the state of.
  const LinearChain<Scalar>& chain() const { return chain_; }

  const Matrix& covariance() const { return solution_.covariance; }  ///< Σ (Eq. 23), N × N
  /// C = ½(KΣ − ΣKᵀ), ½η(HΣ − ΣH) of SGD (Eq. 25), N × N, antisymmetric.
  const Matrix& circulation() const { return circulation_; }
  /// How fast, and in which planes, it goes round. Cost: an eigendecomposition of 2N × 2N.
  Cycling<Scalar> cycling() const { return Cycling<Scalar>(circulation(), covariance()); }
  /// ω ≥ 0, decreasing, of the eigenvalues ±iω of CΣ⁻¹, in radians per Markov step (`Cycling`).
  Vector cycling_frequencies() const { return cycling().frequencies; }
  /// Does a step depend on more than θ? Σ, C and ⟨σ⟩ are those of θ alone then (`remember`).
  bool has_memory() const { return solution_.has_memory() || known(); }
  /// −⟨Δθ δθᵀ⟩ of the step that follows, N × N: KΣ, but of a chain with a memory.
  Matrix drift() const {
    if (known()) require_markov("StationaryState::drift");
    return has_memory() ? solution_.drift : detail::product(relaxation(), covariance());
  }
  /// ⟨vvᵀ⟩ of v = θ_k − θ_{k−1}, N × N: the sum of `drift` and its transpose. ⟨θvᵀ⟩ is `drift`
  /// transposed.
  Matrix velocity_covariance() const {
    Matrix result = drift();
    result += detail::transposed(result);
    return result;
  }
  /// η(c₀ + c₁)/(1 − β) over η: by how much faster than a plain update θ goes down a slope, 1/(1 −
  /// β) of momentum. The learning rate times this is the effective one.
  double speed() const { return chain_.update.speed(); }
  /// What is remembered of the steps before.
  const LinearUpdate& update() const { return chain_.update; }
  /// D⁻¹ on the range of D, N × N. Cost: an eigendecomposition.
  Matrix inverse_diffusion() const { return RangeInverse<Scalar>(diffusion(), tolerance_).inverse; }
  /// Is ⟨σ⟩ with a memory the mean of what `MomentumEntropy` sums along a path of θ? Not with
  /// Nesterov's, nor of epochs.
  bool has_path_entropy() const {
    return !known() && chain_.update.of_last_gradient() == 0 && chain_.update.of_gradient() != 0;
  }
  /// ⟨σ⟩ (Eq. 29); in the discrete form the mean of Eq. 27, with a memory that of the path of θ
  /// (`remember`). NaN, as `force_matrix`, of epochs where θ alone is not a Markov chain and Σ was
  /// given (`KnownState`).
  Scalar entropy_production() const { return entropy_production_; }
  /// ⟨e^{−σ}⟩ of Eq. 27 over `length` ≥ 1 steps for Gaussian noise of this D: 1 in the continuous
  /// form, exactly, and in the discrete one off by a relative order ηh of ⟨σ⟩. Real minibatches are
  /// in `predict_fluctuations`. Infinite where the mean does not exist. Cost: a dozen products and
  /// an eigendecomposition for each step.
  Scalar integral_fluctuation(int length) const;
  /// Real parts of the eigenvalues of K, increasing: ηh of SGD.
  const Vector& decay_rates() const { return solution_.decay_rates; }
  Scalar residual() const { return solution_.residual; }  ///< of the Lyapunov equation
  /// The fastest decay rate over the slowest.
  Scalar condition() const { return decay_rates()[mean().size() - 1] / decay_rates()[0]; }
  Eigen::Index rank() const { return rank_; }  ///< of D
  /// The part of the velocity that points out of the range of D, relative, each coordinate in units
  /// of its standard deviation: where it is not 0, the
  /// entropy production is infinite, and `entropy_production` is that of the rest.
  Scalar velocity_outside_range() const { return velocity_outside_range_; }

  /// Φ(θ) = ½ δθᵀΣ⁻¹δθ + ½ log det 2πΣ (Eq. 20), normalised: e^{−Φ} integrates to 1 over the range
  /// of Σ.
  Scalar potential(const Vector& theta) const;

  /// P^s(θ) = e^{−Φ(θ)}
  Scalar density(const Vector& theta) const;

  /// v^s(θ) = −C Σ⁻¹ δθ (Eq. 24), N.
  Vector velocity(const Vector& theta) const;

  /// M with ⟨Δx | x̄⟩ = M(x̄ − ⟨x⟩) of x = axesᵀθ, axes N × k, with Δx and x̄ the length and the
  /// middle of a step: −axesᵀC axes (axesᵀ(Σ − ¼⟨vvᵀ⟩)axes)⁻¹, exact of normal steps of any length,
  /// with a memory too, and for short ones −CΣ⁻¹. What `VorticityTest` puts to the test. Throws
  /// `std::invalid_argument` for axes of another size or that are not independent, and for time
  /// that is not in steps.
  Matrix midpoint_velocity(const Matrix& axes) const;

  /// 𝓙^s(θ) = v^s P^s, N.
  Vector current(const Vector& theta) const;

  /// F with D⁻¹ v^s(θ) = F δθ, F = −D⁻¹CΣ⁻¹: what the entropy production of a trajectory is made
  /// of, σ = Σ_k Δθ_kᵀ F δθ_k (Eq. 27).
  const Matrix& force_matrix() const { return force_matrix_; }

  /// C = KΣ − D (Eq. 24), equal to `circulation` in the continuous form.
  /// Refused of a chain with a memory.
  Matrix circulation_from_diffusion() const;

  /// tr KΣ, which is tr D: η times Eq. 22, tr⟨∇𝓛 δθᵀ⟩ = η⁻¹ tr D.
  Scalar drift_correlation() const;

  /// μ = βD? Each coordinate is taken in units of √μ_ii.
  EinsteinRelation einstein_relation() const;

  /// The Hessian of the landscape that the drift −Kδθ goes down with mobility μ, μ⁻¹K, N × N: H of
  /// SGD, H₀⁻¹ of the earthquake model (Eq. 34). In equilibrium it is (βΣ)⁻¹.
  Matrix landscape_hessian() const;

  /// The linear system with this stationary state, per step: centre θ₀, `landscape_hessian`, μ, D.
  LinearSystem<Matrix> linear_system() const {
    require_markov("StationaryState::linear_system");
    return {mean(), landscape_hessian(), mobility(), diffusion()};
  }

  /// ‖C‖ / ‖D‖, each coordinate in units of its standard deviation: 0 in equilibrium.
  Scalar nonequilibrium_ratio() const;
  /// Is C nothing but rounding? See `nonequilibrium_ratio`.
  bool is_equilibrium(double tolerance = 1e-10) const {
    return nonequilibrium_ratio() <= static_cast<Scalar>(tolerance);
  }

 private:
  bool known() const { return chain_.known.given(); }
  void check() const;
  void require_markov(std::string_view function) const;
  Scalar squared_deviations(const Vector& away) const;
  void follow(double rank_tolerance);

  LinearChain<Scalar> chain_;
  Vector mean_;
  ChainCovariance<Scalar> solution_;
  Matrix circulation_;
  Scalar entropy_production_{}, velocity_outside_range_{};
  Eigen::Index rank_ = 0;
  Scalar tolerance_{};  // below which an eigenvalue is 0, relative
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

namespace detail {

/// Moves the largest element below and right of (k, k) there.
template <class Scalar>
void pivot(DynamicMatrix<Scalar>& b, Eigen::Index k) {
  Eigen::Index row = k, col = k;
  for (Eigen::Index j = k; j < b.cols(); ++j)
    for (Eigen::Index i = k; i < b.rows(); ++i)
      if (std::abs(b(i, j)) > std::abs(b(row, col))) row = i, col = j;
  for (Eigen::Index j = 0; j < b.cols(); ++j) std::swap(b(k, j), b(row, j));
  for (Eigen::Index i = 0; i < b.rows(); ++i) std::swap(b(i, k), b(i, col));
}

/// log det BᵀB of a B of full column rank, whatever the sizes of its rows: B = LU by elimination
/// with complete pivoting, where L has elements below 1.
template <class Scalar>
Scalar log_gram_determinant(DynamicMatrix<Scalar> b) {
  Scalar sum(0);
  for (Eigen::Index k = 0; k < b.cols(); ++k) {
    pivot(b, k);
    sum += 2 * std::log(std::abs(b(k, k)));
    for (Eigen::Index i = k + 1; i < b.rows(); ++i) {
      b(i, k) /= b(k, k);
      for (Eigen::Index j = k + 1; j < b.cols(); ++j) b(i, j) -= b(i, k) * b(k, j);
    }
    for (Eigen::Index i = 0; i <= k; ++i) b(i, k) = Scalar(i == k ? 1 : 0);  // L takes its place
  }
  DynamicMatrix<Scalar> gram = symmetric_product(transposed(b), b);
  cholesky(gram);
  for (Eigen::Index k = 0; k < gram.rows(); ++k) sum += 2 * std::log(gram(k, k));
  return sum;
}

/// log det UᵀS²U of the last `rank` columns U.
template <class Scalar>
Scalar log_determinant_on_range(const DynamicVector<Scalar>& units,
                                const DynamicMatrix<Scalar>& vectors, Eigen::Index rank) {
  if (rank == 0) return Scalar(0);
  Eigen::Index noisy = 0;
  Scalar sum(0);
  for (const Scalar unit : units)
    if (unit > 0) ++noisy, sum += 2 * std::log(unit);
  if (rank == noisy) return sum;
  DynamicMatrix<Scalar> range(vectors.rows(), rank);
  for (Eigen::Index k = 0; k < rank; ++k)
    for (Eigen::Index i = 0; i < range.rows(); ++i)
      range(i, k) = units[i] * vectors(i, vectors.cols() - rank + k);
  return log_gram_determinant(range);
}

/// I − A
template <class Scalar>
DynamicMatrix<Scalar> identity_minus(const DynamicMatrix<Scalar>& a) {
  DynamicMatrix<Scalar> result = a;
  result *= Scalar(-1);
  for (Eigen::Index k = 0; k < a.rows(); ++k) result(k, k) += Scalar(1);
  return result;
}

/// The mean of exp(½zᵀPz + wᵀz) over normal numbers z, for symmetric P.
template <class Scalar>
class GaussianAverage {
 public:
  using Matrix = DynamicMatrix<Scalar>;

  /// The mean is infinite where I − P is not positive definite.
  explicit GaussianAverage(const Matrix& p) : lower_(identity_minus(p)) {
    finite_ = cholesky(lower_);
  }
  /// Of w = 0: −½ log det(I − P).
  Scalar log_mean() const {
    if (!finite_) return std::numeric_limits<Scalar>::infinity();
    Scalar sum(0);
    for (Eigen::Index k = 0; k < lower_.rows(); ++k) sum -= std::log(lower_(k, k));
    return sum;
  }
  /// Of w = Lδ the logarithm of the mean is larger by ½δᵀSδ, S = Lᵀ(I − P)⁻¹L.
  Matrix completed_square(Matrix l) const {
    if (finite_) solve_lower(lower_, l);
    return symmetric_product(transposed(l), l);
  }

 private:
  Matrix lower_;
  bool finite_;
};

}  // namespace detail

template <class Scalar>
RangeInverse<Scalar>::RangeInverse(const Matrix& matrix, Scalar tolerance) {
  detail::require_not_empty(matrix, "RangeInverse", "matrix");
  const detail::UnitDiagonal<Scalar> scaled(matrix);
  const DynamicVector<Scalar>& units = scaled.units;
  const detail::SymmetricEigen<Scalar> eigen(scaled.matrix);
  const Eigen::Index n = matrix.rows();
  const Scalar largest = eigen.values[n - 1];
  while (rank < n && largest > 0 && eigen.values[n - 1 - rank] > tolerance * largest) ++rank;
  root.setZero(n, n);
  Matrix null = root;
  for (Eigen::Index k = 0; k < n; ++k)
    for (Eigen::Index i = 0; i < n; ++i) {
      if (k < n - rank)
        null(i, k) = eigen.vectors(i, k);
      else if (units[i] > 0)
        root(i, k) = eigen.vectors(i, k) / std::sqrt(eigen.values[k]) / units[i];
    }
  inverse = detail::symmetric_product(root, detail::transposed(root));
  outside = detail::symmetric_product(null, detail::transposed(null));
  for (Eigen::Index j = 0; j < n; ++j)
    for (Eigen::Index i = 0; i < n; ++i) {
      if (units[i] > 0 && units[j] > 0)
        outside(i, j) *= units[i] / units[j];
      else
        outside(i, j) = Scalar(i == j ? 1 : 0);
    }
  log_determinant = detail::log_determinant_on_range(units, eigen.vectors, rank);
  for (Eigen::Index k = n - rank; k < n; ++k) log_determinant += std::log(eigen.values[k]);
}

template <class Scalar>
StationaryState<Scalar>::StationaryState(LinearChain<Scalar> chain, double rank_tolerance)
    : chain_(std::move(chain)), mean_(chain_.mean) {
  check();
  solution_ = chain_.solve(chain_);
  follow(rank_tolerance);
}

template <class Scalar>
void StationaryState<Scalar>::require_markov(std::string_view function) const {
  if (has_memory())
    detail::invalid(function,
                    "theta alone must be a Markov chain, but it is not with an update that "
                    "remembers, nor as a mean over the phases of an epoch");
}

template <class Scalar>
void StationaryState<Scalar>::check() const {
  constexpr std::string_view name = "StationaryState";
  const auto n = mean().size();
  detail::require_not_empty(mean(), name, "mean");
  detail::require_finite(mean(), name, "mean");
  detail::require_size(relaxation(), n, n, name, "relaxation");
  detail::require_finite(relaxation(), name, "relaxation");
  detail::require_size(diffusion(), n, n, name, "diffusion");
  detail::require_finite(diffusion(), name, "diffusion");
  detail::require_semidefinite(diffusion(), name, "diffusion");
  detail::require_size(mobility(), n, n, name, "mobility");
}

// What follows from Σ.
template <class Scalar>
void StationaryState<Scalar>::follow(double rank_tolerance) {
  using detail::product;
  const Matrix drift =
      solution_.has_memory() ? solution_.drift : product(relaxation(), covariance());
  circulation_ = known() ? chain_.known.circulation : detail::half_sum_with_transpose(drift, -1);
  const auto n = static_cast<Scalar>(mean().size());
  tolerance_ = rank_tolerance > 0 ? static_cast<Scalar>(rank_tolerance)
                                  : n * std::numeric_limits<Scalar>::epsilon();
  const RangeInverse<Scalar> d(diffusion(), tolerance_);
  sigma_ = RangeInverse<Scalar>(covariance(), tolerance_);
  rank_ = d.rank;
  velocity_matrix_ = product(circulation_, sigma_.inverse);
  velocity_matrix_ *= Scalar(-1);
  force_matrix_ = product(d.inverse, velocity_matrix_);
  // −tr(C D⁻¹ C Σ⁻¹) as a sum of squares: no cancellation near equilibrium.
  const Matrix scaled = product(circulation_, sigma_.root);
  const Matrix white = product(detail::transposed(d.root), scaled);
  entropy_production_ = detail::sum_of_products(white, white);
  const auto size = [&](const Matrix& velocities) {
    Scalar square(0);
    for (Eigen::Index j = 0; j < velocities.cols(); ++j)
      for (Eigen::Index i = 0; i < velocities.rows(); ++i)
        if (const Scalar unit = covariance()(i, i); unit > 0)
          square += std::pow(velocities(i, j) / std::sqrt(unit), Scalar(2));
    return std::sqrt(square);
  };
  const Scalar all = size(scaled);
  velocity_outside_range_ = all > 0 ? size(product(d.outside, scaled)) / all : Scalar(0);
  if (known()) {  // θ alone is no Markov chain, for which these hold
    entropy_production_ = std::numeric_limits<Scalar>::quiet_NaN();
    force_matrix_.setConstant(entropy_production_);
  } else if (solution_.has_memory()) {
    entropy_production_ = detail::sum_of_products(d.inverse, solution_.flow);
  } else if (form() == LyapunovForm::discrete) {
    // KΣ = C + D + ½KΣKᵀ, and the mean of Eq. 27 is −tr(C D⁻¹ K).
    const Matrix quadratic = product(drift, detail::transposed(relaxation()));
    entropy_production_ -= detail::sum_of_products(force_matrix_, quadratic) / 2;
  }
}

// e^{−σ} of the steps to come has the mean exp(weight + ½δθᵀPδθ) given δθ. One step more: the mean
// of exp(−δθᵀFᵀ(ξ − Kδθ) + ½δθ'ᵀPδθ') over ξ ~ N(0, 2D) with δθ' = (I − K)δθ + ξ.
template <class Scalar>
Scalar StationaryState<Scalar>::integral_fluctuation(int length) const {
  using detail::product;
  using detail::transposed;
  require_markov("StationaryState::integral_fluctuation");
  detail::require(length >= 1, "StationaryState::integral_fluctuation", "length must be at least 1",
                  length);
  const Eigen::Index n = mean().size();
  const Matrix forward = detail::identity_minus(relaxation());
  Matrix root = detail::SymmetricEigen<Scalar>(diffusion()).root();
  root *= std::sqrt(Scalar(2));
  const Matrix loss = product(transposed(force_matrix_), relaxation());
  Matrix p = Matrix::Zero(n, n);
  Scalar weight(0);
  for (int k = 0; k < length; ++k) {
    const Matrix to_noise = product(p, root);
    detail::GaussianAverage<Scalar> noise(product(transposed(root), to_noise));
    Matrix linear = product(transposed(to_noise), forward);  // Rᵀ(P(I − K) − F)
    detail::add_scaled(linear, -1, product(transposed(root), force_matrix_));
    p = product(transposed(forward), product(p, forward));
    detail::add_scaled(p, 2, detail::half_sum_with_transpose(loss, 1));
    detail::add_scaled(p, 1, noise.completed_square(std::move(linear)));
    weight += noise.log_mean();
  }
  const Matrix spread = detail::SymmetricEigen<Scalar>(covariance()).root();
  const detail::GaussianAverage<Scalar> state(product(transposed(spread), product(p, spread)));
  return std::exp(weight + state.log_mean());
}

// δθᵀΣ⁻¹δθ
template <class Scalar>
Scalar StationaryState<Scalar>::squared_deviations(const Vector& away) const {
  Scalar square(0);
  for (Eigen::Index k = 0; k < away.size(); ++k) {
    const Scalar along =
        detail::dot(sigma_.root.data() + k * away.size(), away.data(), away.size());
    square += along * along;
  }
  return square;
}

template <class Scalar>
Scalar StationaryState<Scalar>::mean_offset() const {
  return chain_.offset.size() > 0 ? std::sqrt(squared_deviations(chain_.offset)) : Scalar(0);
}

template <class Scalar>
Scalar StationaryState<Scalar>::potential(const Vector& theta) const {
  const Scalar log_two_pi = std::log(2 * std::numbers::pi_v<Scalar>);
  return (squared_deviations(theta - mean()) + sigma_.log_determinant +
          static_cast<Scalar>(sigma_.rank) * log_two_pi) /
         2;
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
DynamicMatrix<Scalar> StationaryState<Scalar>::midpoint_velocity(const Matrix& axes) const {
  using detail::product;
  constexpr std::string_view name = "StationaryState::midpoint_velocity";
  detail::require_size(axes, mean().size(), axes.cols(), name, "axes");
  if (step() == MarkovStep::time && form() == LyapunovForm::continuous)
    detail::invalid(name, "the state must be that of finite steps: use LyapunovForm::discrete");
  Matrix middle = covariance();
  detail::add_scaled(middle, Scalar(-0.25), velocity_covariance());
  const Matrix across = detail::transposed(axes);
  middle = product(across, product(middle, axes));
  const Matrix white = detail::whitening(middle);
  if (white.cols() < axes.cols())
    detail::invalid(name, "axes must be independent, and the midpoints of steps spread along each");
  // M = −CW⁻¹
  const Matrix inverse = product(white, detail::transposed(white));
  return -product(product(across, product(circulation_, axes)), inverse);
}

template <class Scalar>
DynamicVector<Scalar> StationaryState<Scalar>::current(const Vector& theta) const {
  return density(theta) * velocity(theta);
}

template <class Scalar>
DynamicMatrix<Scalar> StationaryState<Scalar>::circulation_from_diffusion() const {
  require_markov("StationaryState::circulation_from_diffusion");
  return detail::product(relaxation(), covariance()) - diffusion();
}

template <class Scalar>
Scalar StationaryState<Scalar>::drift_correlation() const {
  if (known()) require_markov("StationaryState::drift_correlation");
  return has_memory() ? solution_.drift.trace()
                      : detail::sum_of_products(relaxation(), covariance());
}

template <class Scalar>
EinsteinRelation StationaryState<Scalar>::einstein_relation() const {
  Vector units(mean().size());
  for (Eigen::Index k = 0; k < units.size(); ++k) {
    const Scalar square = std::abs(mobility()(k, k));
    units[k] = std::sqrt(square > 0 ? square : diffusion()(k, k));
  }
  Matrix rest = detail::in_units(mobility(), units);
  const Matrix d = detail::in_units(diffusion(), units);
  const auto square = static_cast<double>(detail::sum_of_products(d, d));
  if (!(square > 0)) return {std::numeric_limits<double>::infinity(), 1};
  const double beta = static_cast<double>(detail::sum_of_products(rest, d)) / square;
  const auto whole = static_cast<double>(detail::norm(rest));
  detail::add_scaled(rest, static_cast<Scalar>(-beta), d);
  return {beta, static_cast<double>(detail::norm(rest)) / whole};
}

template <class Scalar>
DynamicMatrix<Scalar> StationaryState<Scalar>::landscape_hessian() const {
  return detail::solve_general(mobility(), relaxation());
}

template <class Scalar>
Scalar StationaryState<Scalar>::nonequilibrium_ratio() const {
  const Vector units = detail::UnitDiagonal<Scalar>(covariance()).units;
  const Scalar scale = detail::norm(detail::in_units(diffusion(), units));
  return scale > 0 ? detail::norm(detail::in_units(circulation_, units)) / scale : Scalar(0);
}

}  // namespace ness
#endif
