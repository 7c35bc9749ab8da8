// Walls that reflect trajectories: what no current passes.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"

namespace ness {

/// θ may go anywhere.
struct NoWalls {};

/// A convex domain n_f · θ ≤ c_f, f = 1 … F, whose walls no current passes, n · 𝓙 = 0. A step that
/// ends at a depth d = n·θ − c behind a wall is put on its other side along Dn, D at the start of
/// the step,
///   θ ← θ − 2d Dn / (n·Dn),
/// for −n·D∇P, the part of the current that noise makes, vanishes for a reflection in that
/// direction, and not along n (M. Bossy, E. Gobet and D. Talay, J. Appl. Probab. 41, 877, 2004,
/// doi:10.1239/jap/1091543431). Where n·Dn = 0 it is put onto the wall, along n. A step that finds
/// no way back in 100 reflections is not taken.
template <class Vector>
class ReflectingWalls {
 public:
  using Scalar = typename Vector::Scalar;
  using Normals = Eigen::Matrix<Scalar, Vector::RowsAtCompileTime, Eigen::Dynamic>;  ///< N × F
  using Offsets = DynamicVector<Scalar>;                                             ///< F

  /// n_f as columns, of any length but 0, and c_f. Throws `std::invalid_argument` for sizes that
  /// disagree, a normal that is 0, or numbers that are not finite.
  ReflectingWalls(Normals normals, Offsets offsets)
      : normals_(std::move(normals)), offsets_(std::move(offsets)) {
    constexpr std::string_view name = "ReflectingWalls";
    detail::require_size(offsets_, normals_.cols(), 1, name, "offsets");
    detail::require_finite(normals_, name, "normals");
    detail::require_finite(offsets_, name, "offsets");
    for (Eigen::Index f = 0; f < walls(); ++f) {
      const Scalar length = normals_.col(f).norm();
      detail::require(length > 0, name, "normals must not be 0; the length", length);
      normals_.col(f) /= length;
      offsets_[f] /= length;
    }
  }

  /// lower ≤ θ ≤ upper in each coordinate; a bound that is infinite is none. Throws
  /// `std::invalid_argument` unless lower < upper.
  static ReflectingWalls box(const Vector& lower, const Vector& upper) {
    constexpr std::string_view name = "ReflectingWalls::box";
    detail::require_size(upper, lower.size(), 1, name, "upper");
    Normals normals = Normals::Zero(lower.size(), 2 * lower.size());
    Offsets offsets(2 * lower.size());
    Eigen::Index f = 0;
    const auto add = [&](Eigen::Index k, Scalar sign, Scalar bound) {
      if (std::isinf(bound)) return;
      normals(k, f) = sign;
      offsets[f++] = sign * bound;
    };
    for (Eigen::Index k = 0; k < lower.size(); ++k) {
      detail::require(lower[k] < upper[k], name, "lower must be below upper; their difference",
                      upper[k] - lower[k]);
      add(k, Scalar(-1), lower[k]);
      add(k, Scalar(1), upper[k]);
    }
    return {normals.leftCols(f), offsets.head(f)};
  }

  /// θ_k ≥ 0 and Σθ_k ≤ 1, N numbers: frequencies of N + 1 alleles, say.
  static ReflectingWalls simplex(Eigen::Index parameters) {
    Normals normals(parameters, parameters + 1);
    normals << -DynamicMatrix<Scalar>::Identity(parameters, parameters), Vector::Ones(parameters);
    Offsets offsets = Offsets::Zero(parameters + 1);
    offsets[parameters] = 1;
    return {normals, offsets};
  }

  /// F
  Eigen::Index walls() const { return normals_.cols(); }
  /// n_f, of length 1
  const Normals& normals() const { return normals_; }
  /// c_f
  const Offsets& offsets() const { return offsets_; }

  /// Is θ inside, or on a wall?
  bool contain(const Vector& theta) const { return wall_before(theta) < 0; }

  /// Puts θ back, which a step from `start` with D (as a function, called where it is needed) led
  /// to. `scratch`, N, is overwritten. Cost: NF, and N² for each reflection.
  template <class Diffusion>
  void reflect(const Vector& start, const Diffusion& diffusion, Vector& scratch,
               Vector& theta) const {
    for (int reflections = 0; reflections < 100; ++reflections) {
      const Eigen::Index f = wall_before(theta);
      if (f < 0) return;
      const Scalar depth = normals_.col(f).dot(theta) - offsets_[f];
      scratch.noalias() = diffusion() * normals_.col(f);
      const Scalar across = normals_.col(f).dot(scratch);
      if (across > 0)
        theta -= 2 * depth / across * scratch;
      else
        theta -= depth * normals_.col(f);
    }
    if (!contain(theta)) theta = start;
  }

 private:
  // The wall that θ is furthest behind, or −1. Behind by no more than rounding is on it.
  Eigen::Index wall_before(const Vector& theta) const {
    Eigen::Index result = -1;
    Scalar deepest(0);
    for (Eigen::Index f = 0; f < walls(); ++f) {
      const Scalar depth = normals_.col(f).dot(theta) - offsets_[f];
      if (depth > deepest) {
        deepest = depth;
        result = f;
      }
    }
    return result;
  }

  Normals normals_;
  Offsets offsets_;
};

}  // namespace ness
