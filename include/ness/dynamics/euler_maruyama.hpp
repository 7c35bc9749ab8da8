// Trajectories of a system with drift and diffusion, by the method of Euler and Maruyama.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/fingerprint.hpp"
#include "ness/detail/static_cholesky.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/dynamics/walls.hpp"
#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"
#include "ness/systems/fokker_planck.hpp"

namespace ness {

namespace detail {

/// B with BBᵀ = A of a singular A, whose coordinates may have any units.
template <class Scalar>
DynamicMatrix<Scalar> semidefinite_root(const DynamicMatrix<Scalar>& matrix,
                                        std::string_view function) {
  require_semidefinite(matrix, function, "diffusion");
  const UnitDiagonal<Scalar> scaled(matrix);
  DynamicMatrix<Scalar> root = SymmetricEigen<Scalar>(scaled.matrix).root();
  for (Eigen::Index k = 0; k < root.cols(); ++k)
    for (Eigen::Index i = 0; i < root.rows(); ++i) root(i, k) *= scaled.units[i];
  return root;
}

/// B with BBᵀ = A of a symmetric positive semidefinite A: Cholesky's factor, or, where A is
/// singular, its eigenvectors times the roots of its eigenvalues.
template <class Matrix>
class NoiseRoot {
 public:
  using Scalar = typename Matrix::Scalar;

  /// Throws `std::invalid_argument` for an A that is not positive semidefinite.
  void factor(const Matrix& matrix, std::string_view function) {
    root_ = matrix;
    if (!cholesky(root_)) root_ = semidefinite_root<Scalar>(matrix, function);
  }

  /// out ← B · normals
  template <class Vector>
  void apply(const Vector& normals, Vector& out) const {
    out.noalias() = root_ * normals;
  }

 private:
  Matrix root_;
};

/// Of the drift and D at θ and at θ + 1 in each coordinate.
template <class S>
Fingerprint fingerprint_of_system(const S& system, const vector_t<S>& theta) {
  Fingerprint result;
  SystemTerms<S> terms(system);
  for (const vector_t<S>& point : {theta, vector_t<S>(theta.array() + scalar_t<S>(1))}) {
    terms.at(point);
    result.add(terms.drift());
    result.add(terms.diffusion());
  }
  return result;
}

}  // namespace detail

/// θ' = θ − μ∇𝓛 Δt + √Δt Z z with ½ZZᵀ = D, all at the start of the step, z ~ N(0, I): the Itô
/// equation dθ = −μ∇𝓛 dt + Z dW (Eq. 5) in steps of Δt. One Markov step is one time step.
///
/// Averages have an error of order Δt (weak order 1). Z is the system's own, else Cholesky's factor
/// of 2D, of constant D once, else in each step; where D is singular an eigendecomposition takes
/// its place. The chain refers to the system and owns its state. Cost: N³/3 operations for the
/// factor where D depends on θ; without allocation, but what the system does, an
/// eigendecomposition, D of float and dynamic size (which is factored in double), and Eigen's
/// products of matrices too large for its stack buffer (128 KB).
///
/// With walls (`ReflectingWalls`) a step that leaves the domain is reflected. Averages still have
/// an error of order Δt where D does not vanish at a wall. Where it does, as s at a distance s from
/// it, and the density goes as s^{a−1}, the noise of a step from within s ~ Δt does not know that D
/// ends, and is reflected though no noise should pass: that much too far inwards, so that errors
/// are of order Δt^a for a < 1. For a small a no time step is small enough: take
/// `MetropolizedEuler`, which needs no walls where Φ or the inverse of D are infinite, or a
/// system's own chain.
///
///   using Walls = ness::ReflectingWalls<Eigen::Vector2d>;
///   ness::EulerMaruyama chain(system, 0.01, start, ness::Philox(1), Walls::box(lower, upper));
template <class S, RandomBits Random = Philox, class Walls = NoWalls>
class EulerMaruyama {
  static constexpr bool has_walls = !std::is_same_v<Walls, NoWalls>;

 public:
  using Scalar = scalar_t<S>;
  using Vector = vector_t<S>;

  /// Starts at `theta`. Throws `std::invalid_argument` for a time step that is not positive, a θ of
  /// another size, that is not finite or behind a wall, or a D with a negative eigenvalue.
  EulerMaruyama(const S& system, double time_step, Vector theta, Random random = Random{},
                Walls walls = Walls{})
      : terms_(system),
        time_step_(static_cast<Scalar>(time_step)),
        theta_(std::move(theta)),
        start_(theta_),
        normals_(theta_),
        noise_(theta_),
        walls_(std::move(walls)),
        random_(std::move(random)) {
    detail::require_positive(time_step, "EulerMaruyama", "time_step");
    detail::require_size(theta_, system.parameters(), 1, "EulerMaruyama", "theta");
    detail::require_finite(theta_, "EulerMaruyama", "theta");
    if constexpr (has_walls) {
      detail::require_size(walls_.normals(), theta_.size(), walls_.walls(), "EulerMaruyama",
                           "normals of the walls");
      if (!walls_.contain(theta_))
        detail::invalid("EulerMaruyama", "theta must be within the walls, but is (",
                        theta_.transpose(), ")");
    }
    detail::require_finite(terms_.at(theta_).diffusion(), "EulerMaruyama", "diffusion");
    if constexpr (!HasNoise<S>) root_.factor(terms_.diffusion(), "EulerMaruyama");
  }
  EulerMaruyama(S&&, double, Vector, Random = Random{},
                Walls = Walls{}) = delete;  // it would dangle

  void step() {
    terms_.at(theta_);
    normal_.fill(random_, normals_);
    if constexpr (HasNoise<S>) {
      terms_.system().noise(theta_, normals_, noise_);
    } else {
      if constexpr (!HasConstantDiffusion<S>) root_.factor(terms_.diffusion(), "EulerMaruyama");
      root_.apply(normals_, noise_);
    }
    theta_ += time_step_ * terms_.drift() + std::sqrt(2 * time_step_) * noise_;
    if constexpr (has_walls)
      walls_.reflect(
          terms_.theta(), [&]() -> const auto& { return terms_.diffusion(); }, noise_, theta_);
  }

  const Vector& theta() const { return theta_; }
  Index parameters() const { return theta_.size(); }
  Index updates_per_markov_step() const { return 1; }
  double time_step() const { return static_cast<double>(time_step_); }

  /// For checkpoints and tables, as that of a training.
  std::string description() const {
    return std::string("Euler-Maruyama") + (has_walls ? " between reflecting walls" : "") +
           ", time step " + detail::in_words(time_step());
  }

  /// Of the drift and D at the start and at the start + 1 in each coordinate: what tells this
  /// system from another in a checkpoint. Of walls, too.
  std::uint64_t fingerprint() const {
    detail::Fingerprint result = detail::fingerprint_of_system(terms_.system(), start_);
    if constexpr (has_walls) {
      result.add(walls_.normals());
      result.add(walls_.offsets());
    }
    return result.value();
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(theta_, random_, normal_);
  }

 private:
  SystemTerms<S> terms_;
  Scalar time_step_;
  Vector theta_, start_, normals_, noise_;
  detail::NoiseRoot<matrix_t<S>> root_;
  [[no_unique_address]] Walls walls_;
  Random random_;
  Normal normal_;
};

}  // namespace ness
