// Does a trajectory go round as predicted?
#pragma once

#include <cstdint>
#include <vector>

#include "ness/detail/matrices.hpp"
#include "ness/statistics/axis.hpp"
#include "ness/statistics/batch_covariance.hpp"
#include "ness/trajectory/block.hpp"

namespace ness {

/// How far a trajectory is from what was predicted of it, in one number.
struct Fit {
  double chi_square;     ///< of its numbers with their correlations
  Eigen::Index freedom;  ///< how many they are
  std::int64_t batches;  ///< that their covariance is from
  /// The chance of a χ² as large, were the prediction right: Fisher's F. NaN where the batches are
  /// not more than the numbers by 2 at least.
  double chance;
};

/// Is the current in a plane the predicted one? With x = axesᵀδθ at the middle of a step, Δx its
/// length, and ⟨Δx | x⟩ = Mx as predicted (`StationaryState::midpoint_velocity`), the mean of
///   ω_n = (Δx − Mx) × ∇ψ_n(x)
/// vanishes, for any ψ: it is the vorticity of what 𝓙 is too much, about each node of a grid, of
/// the function that is 1 there and 0 at all other nodes (bilinear in each cell). A step counts
/// where it is, so that neither cells nor steps must be small.
///
/// Of the current the part without sources is all that tells: the other, the sum of Δx·∇f over a
/// trajectory, is the difference of f between its ends, and in cells one by one the errors would
/// leave only half as many numbers as there are. The means are taken with their covariances from
/// batches (`BatchCovariance`), which should be longer than the correlation, and some times as many
/// as nodes.
template <class Scalar = double>
class VorticityTest {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// `plane` N × 2, `centre` N, `velocity` M, 2 × 2, per Markov step; a grid of cells about the
  /// centre; `batch_length` in Markov steps. Throws `std::invalid_argument` for other sizes,
  /// numbers that are not finite, a bad axis or one of a single bin.
  VorticityTest(const Matrix& plane, const Vector& centre, const Matrix& velocity, const Axis& x,
                const Axis& y, std::int64_t batch_length);

  template <class S>
  void add(const TrajectoryBlock<S>& block);

  void merge(const VorticityTest& other) {
    sums_.merge(other.sums_);
    detail::add_scaled(visits_, 1, other.visits_);
  }

  /// Nodes with fewer visits than `enough` in each batch on average are left out.
  Fit result(double enough = 10) const;

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(sums_, visits_);
  }

 private:
  Matrix plane_, velocity_;
  Vector centre_;
  Axis x_, y_;
  BatchCovariance<Scalar> sums_;  // ω of each node
  Matrix visits_;                 // sum of ψ of each node
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>
#include <limits>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/statistics/student.hpp"

namespace ness {

template <class Scalar>
VorticityTest<Scalar>::VorticityTest(const Matrix& plane, const Vector& centre,
                                     const Matrix& velocity, const Axis& x, const Axis& y,
                                     std::int64_t batch_length)
    : plane_(plane),
      velocity_(velocity),
      centre_(centre),
      x_(x),
      y_(y),
      sums_((x.bins - 1) * (y.bins - 1), batch_length),
      visits_(Matrix::Zero((x.bins - 1) * (y.bins - 1), 1)) {
  constexpr std::string_view name = "VorticityTest";
  x.check(name);
  y.check(name);
  detail::require(x.bins >= 2 && y.bins >= 2, name, "each axis must have 2 bins at least",
                  x.bins < y.bins ? x.bins : y.bins);
  detail::require_size(plane, centre.size(), 2, name, "plane");
  detail::require_finite(plane, name, "plane");
  detail::require_finite(centre, name, "centre");
  detail::require_size(velocity, 2, 2, name, "velocity");
  detail::require_finite(velocity, name, "velocity");
  detail::require(batch_length >= 1, name, "batch_length must be at least 1", batch_length);
}

template <class Scalar>
template <class S>
void VorticityTest<Scalar>::add(const TrajectoryBlock<S>& block) {
  detail::require_size(block.reference(), centre_.size(), 1, "VorticityTest", "a state");
  Matrix states = block.all_deviations().template cast<Scalar>();
  for (Eigen::Index i = 0; i < centre_.size(); ++i)
    states.col(i).array() += static_cast<Scalar>(block.reference()[i]) - centre_[i];
  const Matrix places = detail::product(states, plane_);
  Matrix sums = Matrix::Zero(visits_.rows(), 1);
  const Eigen::Index columns = x_.bins - 1, rows = y_.bins - 1;
  const auto wide = static_cast<Scalar>(x_.width()), high = static_cast<Scalar>(y_.width());
  for (Eigen::Index k = 0; k < block.steps(); ++k) {
    const Scalar x = (places(k + 1, 0) + places(k, 0)) / 2;
    const Scalar y = (places(k + 1, 1) + places(k, 1)) / 2;
    const Eigen::Index i = x_.bin(static_cast<double>(x)), j = y_.bin(static_cast<double>(y));
    if (i < 0 || j < 0) continue;
    const Scalar u = places(k + 1, 0) - places(k, 0) - velocity_(0, 0) * x - velocity_(0, 1) * y;
    const Scalar v = places(k + 1, 1) - places(k, 1) - velocity_(1, 0) * x - velocity_(1, 1) * y;
    const Scalar fx = (x - static_cast<Scalar>(x_.lower_edge(i))) / wide;
    const Scalar fy = (y - static_cast<Scalar>(y_.lower_edge(j))) / high;
    for (Eigen::Index b = 0; b < 2; ++b)
      for (Eigen::Index a = 0; a < 2; ++a) {
        const Eigen::Index column = i + a - 1, row = j + b - 1;
        if (column < 0 || row < 0 || column >= columns || row >= rows) continue;
        const Scalar px = a == 1 ? fx : 1 - fx, py = b == 1 ? fy : 1 - fy;
        const Scalar dx = (a == 1 ? py : -py) / wide, dy = (b == 1 ? px : -px) / high;
        const Eigen::Index node = column + columns * row;
        sums(node, 0) += u * dy - v * dx;
        visits_(node, 0) += px * py;
      }
  }
  sums_.add(sums, block.steps());
}

// Hotelling's T² in units of √variance, which the scale of nothing matters to.
template <class Scalar>
Fit VorticityTest<Scalar>::result(double enough) const {
  std::vector<Eigen::Index> nodes;
  const auto batches = static_cast<double>(sums_.batches());
  for (Eigen::Index k = 0; k < visits_.rows(); ++k)
    if (static_cast<double>(visits_(k, 0)) >= enough * batches && sums_.covariance(k, k) > 0)
      nodes.push_back(k);
  const auto p = static_cast<Eigen::Index>(nodes.size());
  Fit fit{0, p, sums_.batches(), std::numeric_limits<double>::quiet_NaN()};
  if (p == 0 || sums_.batches() < p + 2) return fit;
  Matrix covariance(p, p);
  Vector mean(p);
  for (Eigen::Index j = 0; j < p; ++j) {
    const Eigen::Index b = nodes[static_cast<std::size_t>(j)];
    const Scalar unit = std::sqrt(sums_.covariance(b, b));
    mean[j] = sums_.mean(b) / unit;
    for (Eigen::Index i = 0; i < p; ++i) {
      const Eigen::Index a = nodes[static_cast<std::size_t>(i)];
      covariance(i, j) = sums_.covariance(a, b) / unit / std::sqrt(sums_.covariance(a, a));
    }
  }
  Vector solved = mean;
  if (!detail::solve_positive_definite(covariance, solved)) return fit;
  Scalar square(0);
  for (Eigen::Index i = 0; i < p; ++i) square += mean[i] * solved[i];
  const auto numbers = static_cast<double>(p);
  fit.chi_square = static_cast<double>(square) * (batches - numbers) / (batches - 1);
  fit.chance = fisher_tail(fit.chi_square / numbers, numbers, batches - numbers);
  return fit;
}

}  // namespace ness
#endif
