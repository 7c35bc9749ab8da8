// Which of the three kinds of stationary state a system has (Sec. 2.1).
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/stationary/einstein_relation.hpp"
#include "ness/systems/fokker_planck.hpp"
#include "ness/systems/force.hpp"

namespace ness {

/// The kinds of stationary state (Sec. 2.1).
enum class StationaryKind {
  boltzmann,              ///< μ = βD and ∇·D = 0: P^s ∝ e^{−β𝓛}
  generalized_boltzmann,  ///< μ = βD and ∇·(GD) = 0: P^s ∝ G e^{−β𝓛} (Eq. 4)
  nonequilibrium,         ///< a NESS: currents flow, D⁻¹(−μ∇𝓛 − ∇·D) is no gradient
  other_equilibrium,  ///< no current, v^s = 0, yet μ is not βD: not an equilibrium of this 𝓛
  undetermined        ///< D is singular, or differences are too coarse to tell
};

constexpr std::string_view to_string(StationaryKind kind) {
  switch (kind) {
    case StationaryKind::boltzmann:
      return "Boltzmann equilibrium";
    case StationaryKind::generalized_boltzmann:
      return "generalized Boltzmann equilibrium";
    case StationaryKind::nonequilibrium:
      return "nonequilibrium stationary state";
    case StationaryKind::other_equilibrium:
      return "equilibrium of another potential";
    case StationaryKind::undetermined:
      return "undetermined";
  }
  return "";
}

/// What was measured at the points, and what it says.
struct Classification {
  StationaryKind kind;        ///< of the stationary state
  EinsteinRelation einstein;  ///< one β for all points, and what is left of μ
  /// |∇·D| and |∇·D + D∇log G| over |−μ∇𝓛|, each the root of the mean square over the points: what
  /// is left of condition ii with G = 1, and with the system's G (NaN without).
  double divergence;
  double weighted_divergence;  ///< the second of them
  /// ‖J − Jᵀ‖ / ‖J + Jᵀ‖ of the Jacobian J of F = D⁻¹(−μ∇𝓛 − ∇·D), the largest at a point, with
  /// coordinates in units of √D_ii: 0 where F is a gradient, of log P^s. NaN where it was not
  /// needed or D is singular.
  double curl;
  double curl_error;  ///< of `curl`, as differences of two widths tell
};

namespace detail {

/// Units of the coordinates, in which all of them count alike: √μ_kk, on average over the points.
template <class S, class Points>
vector_t<S> units_of_mobility(SystemTerms<S>& terms, const Points& points) {
  vector_t<S> units = vector_t<S>::Zero(points.rows());
  for (Index p = 0; p < points.cols(); ++p) {
    const auto& mobility = terms.at(points.col(p)).mobility();
    for (Index k = 0; k < units.size(); ++k) units[k] += std::abs(mobility(k, k));
  }
  for (auto& unit : units) unit = unit > 0 ? std::sqrt(unit) : scalar_t<S>(1);
  return units;
}

/// The best β in μ = βD over all points. In two passes: Σ‖μ‖² − (Σ tr μᵀD)²/Σ‖D‖² would be all
/// cancellation where it matters.
template <class S, class Points>
EinsteinRelation einstein_relation(SystemTerms<S>& terms, const Points& points,
                                   const vector_t<S>& units) {
  using Matrix = matrix_t<S>;
  const vector_t<S> per = units.cwiseInverse();
  const auto scaled = [&](const Matrix& matrix) -> Matrix {
    return per.asDiagonal() * matrix * per.asDiagonal();
  };
  double products = 0, squares = 0, mobilities = 0, left = 0;
  for (Index p = 0; p < points.cols(); ++p) {
    const Matrix d = scaled(terms.at(points.col(p)).diffusion());
    const Matrix mobility = scaled(terms.mobility());
    products += static_cast<double>(mobility.cwiseProduct(d).sum());
    squares += static_cast<double>(d.squaredNorm());
    mobilities += static_cast<double>(mobility.squaredNorm());
  }
  if (!(squares > 0)) return {std::numeric_limits<double>::infinity(), 1};
  const double beta = products / squares;
  for (Index p = 0; p < points.cols(); ++p) {
    const Matrix d = scaled(terms.at(points.col(p)).diffusion());
    const Matrix rest = scaled(terms.mobility()) - static_cast<scalar_t<S>>(beta) * d;
    left += static_cast<double>(rest.squaredNorm());
  }
  return {beta, std::sqrt(left / mobilities)};
}

/// Sums over the points of |−μ∇𝓛|², |∇·D|² and |∇·D + D∇log G|².
struct DivergenceSums {
  double drift = 0, plain = 0, weighted = 0;

  template <class S>
  void add(SystemTerms<S>& terms, const vector_t<S>& units) {
    using Vector = vector_t<S>;
    const auto square = [&](const Vector& vector) {
      return static_cast<double>(vector.cwiseQuotient(units).squaredNorm());
    };
    Vector rest = terms.diffusion_divergence();
    drift += square(terms.drift());
    plain += square(rest);
    if constexpr (HasLogWeight<S>) {
      Vector gradient(rest.size());
      Autodiff<Vector>().gradient([&](const auto& t) { return terms.system().log_weight(t); },
                                  terms.theta(), gradient);
      rest += terms.diffusion() * gradient;
      weighted += square(rest);
    } else {
      weighted = std::numeric_limits<double>::quiet_NaN();
    }
  }

  double relative(double square) const { return square == 0 ? 0 : std::sqrt(square / drift); }
};

/// The curl of F = D⁻¹(−μ∇𝓛 − ∇·D) by central differences, relative and in units of √D_ii.
template <class S>
class ForceCurl {
 public:
  using Scalar = scalar_t<S>;
  using Vector = vector_t<S>;
  using Matrix = DynamicMatrix<typename DoubleFor<S>::type>;

  /// `lengths`, N: over which coordinates change.
  ForceCurl(const S& system, const Vector& lengths)
      : force_(system), lengths_(lengths), out_(lengths) {}

  double curl = 0;
  double error = 0;  ///< of `curl`

  /// The largest curl so far. False where D is not positive definite.
  bool add(const Vector& theta) {
    if (!is_regular(theta)) return false;
    if (theta.size() == 1) return true;
    const DynamicVector<typename Matrix::Scalar> units =
        force_.terms().diffusion().diagonal().template cast<double>().cwiseSqrt();
    Matrix fine, coarse, rounding;
    if (!jacobian(theta, 2, coarse, rounding) || !jacobian(theta, 1, fine, rounding)) return false;
    for (Matrix* const matrix : {&fine, &coarse, &rounding})
      *matrix = units.asDiagonal() * *matrix * units.asDiagonal();
    const double size = (fine + fine.transpose()).norm();
    curl = std::max(curl, ratio((fine - fine.transpose()).norm(), size));
    error = std::max(error, ratio((fine - coarse).norm() + rounding.norm(), size));
    return true;
  }

 private:
  static double ratio(double part, double whole) { return part == 0 ? 0 : part / (part + whole); }

  bool is_regular(const Vector& theta) {
    DynamicMatrix<Scalar> lower = force_.terms().at(theta).diffusion();
    return lower.allFinite() && cholesky(lower);
  }

  // Steps of `width` times what balances rounding and curvature; `rounding` is that of F.
  bool jacobian(const Vector& theta, int width, Matrix& j, Matrix& rounding) {
    constexpr double epsilon = std::numeric_limits<Scalar>::epsilon();
    const Index n = theta.size();
    const Scalar share =
        static_cast<Scalar>(width) * std::cbrt(std::numeric_limits<Scalar>::epsilon());
    j.resize(n, n);
    rounding.resize(n, n);
    for (Index k = 0; k < n; ++k) {
      Vector above = theta, below = theta;
      above[k] += share * lengths_[k];
      below[k] -= share * lengths_[k];
      if (!is_regular(above)) return false;
      force_(above, out_);
      j.col(k) = out_.template cast<double>();
      if (!is_regular(below)) return false;
      force_(below, out_);
      const DynamicVector<typename Matrix::Scalar> at_below = out_.template cast<double>();
      rounding.col(k) = epsilon * (j.col(k).cwiseAbs() + at_below.cwiseAbs());
      j.col(k) -= at_below;
      rounding.col(k) /= static_cast<double>(above[k] - below[k]);
      j.col(k) /= static_cast<double>(above[k] - below[k]);
    }
    return true;
  }

  ThermodynamicForce<S> force_;
  Vector lengths_, out_;
};

/// How far coordinates go over the points, or are from 0; 1 for what is always 0.
template <class Vector, class Points>
Vector lengths_of(const Points& points) {
  Vector lengths = points.cwiseAbs().rowwise().maxCoeff();
  for (auto& length : lengths)
    if (!(length > 0)) length = 1;
  return lengths;
}

/// What the force says where the two conditions leave it open.
template <class S, class Points>
void classify_by_force(const S& system, const Points& points, double tolerance,
                       Classification& result) {
  ForceCurl<S> force(system, lengths_of<vector_t<S>>(points));
  const auto is_beyond_error = [&] { return force.curl > 10 * force.error; };
  result.kind = StationaryKind::undetermined;
  bool regular = true;
  for (Index p = 0; p < points.cols() && regular; ++p) {
    regular = force.add(points.col(p));
    if (is_beyond_error()) break;
  }
  if (!regular) return;
  result.curl = force.curl;
  result.curl_error = force.error;
  if (is_beyond_error())
    result.kind = StationaryKind::nonequilibrium;
  else if (force.error <= tolerance)
    result.kind = result.einstein.holds(tolerance) ? StationaryKind::generalized_boltzmann
                                                   : StationaryKind::other_equilibrium;
}

}  // namespace detail

/// Is the Einstein relation μ = βD satisfied (condition i), and ∇·(GD) = 0 (condition ii), for G =
/// 1 or for the system's `log_weight`? At the given points, N × P, each residual a number; they
/// hold where it is at most `tolerance`.
///
/// Where they are not met so, F = D⁻¹(−μ∇𝓛 − ∇·D) decides: it is a gradient, of log P^s, where no
/// current flows (Eq. 3), as it always is in one dimension, and G need not be known. Its Jacobian
/// is taken by central differences: a curl of 10 times their error is one. `undetermined` is what
/// they cannot tell, where their error is beyond `tolerance`, or D is singular.
///
/// Equilibrium is a matter of how the drift is written as −μ∇𝓛: what this says is true of the 𝓛 and
/// μ that the system gives. No residual depends on the units of the coordinates. Cost: D, μ and ∇·D
/// at each point, and 4N times that for the Jacobian. Throws `std::invalid_argument` for points of
/// another size, none, or that are not finite.
template <class S>
Classification classify(
    const S& system,
    const Eigen::Matrix<scalar_t<S>, parameters_at_compile_time<S>, Eigen::Dynamic>& points,
    double tolerance = 1e-6) {
  static_assert(HasLandscape<S>,
                "ness: to tell what stationary state a system has, its potential and its mobility "
                "must be known (`potential` or `gradient`, `mobility` or `beta`), not its drift "
                "alone");
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  detail::require(points.cols() >= 1, "classify", "points must have at least 1 column",
                  points.cols());
  detail::require_size(points, system.parameters(), points.cols(), "classify", "points");
  detail::require_finite(points, "classify", "points");
  SystemTerms<S> terms(system);
  const vector_t<S> units = detail::units_of_mobility(terms, points);
  detail::DivergenceSums sums;
  for (Index p = 0; p < points.cols(); ++p) sums.add(terms.at(points.col(p)), units);
  Classification result{.kind = StationaryKind::undetermined,
                        .einstein = detail::einstein_relation(terms, points, units),
                        .divergence = sums.relative(sums.plain),
                        .weighted_divergence = sums.relative(sums.weighted),
                        .curl = unknown,
                        .curl_error = unknown};
  const bool einstein = result.einstein.holds(tolerance);
  if (einstein && result.divergence <= tolerance)
    result.kind = StationaryKind::boltzmann;
  else if (einstein && result.weighted_divergence <= tolerance)
    result.kind = StationaryKind::generalized_boltzmann;
  else
    detail::classify_by_force(system, points, tolerance, result);
  return result;
}

}  // namespace ness
