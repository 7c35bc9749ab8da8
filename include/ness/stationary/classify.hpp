// Which of the three kinds of stationary state a system has (Sec. 2.1).
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/stationary/einstein_relation.hpp"
#include "ness/systems/fokker_planck.hpp"

namespace ness {

/// The kinds of stationary state (Sec. 2.1).
enum class StationaryKind {
  boltzmann,              ///< μ = βD and ∇·D = 0: P^s ∝ e^{−β𝓛}
  generalized_boltzmann,  ///< μ = βD and ∇·(GD) = 0: P^s ∝ G e^{−β𝓛} (Eq. 4)
  nonequilibrium          ///< a NESS: one of the two fails
};

constexpr std::string_view to_string(StationaryKind kind) {
  switch (kind) {
    case StationaryKind::boltzmann:
      return "Boltzmann equilibrium";
    case StationaryKind::generalized_boltzmann:
      return "generalized Boltzmann equilibrium";
    case StationaryKind::nonequilibrium:
      return "nonequilibrium stationary state";
  }
  return "";
}

/// What was measured at the points, and what it says.
struct Classification {
  StationaryKind kind;
  EinsteinRelation einstein;  ///< one β for all points, and what is left of μ
  /// |∇·D| and |∇·D + D∇log G| over |−μ∇𝓛|, each the root of the mean square over the points: what
  /// is left of condition ii with G = 1, and with the system's G (NaN without).
  double divergence;
  double weighted_divergence;
};

namespace detail {

/// The best β in μ = βD over all points. In two passes: Σ‖μ‖² − (Σ tr μᵀD)²/Σ‖D‖² would be all
/// cancellation where it matters.
template <class S, class Points>
EinsteinRelation einstein_relation(SystemTerms<S>& terms, const Points& points) {
  double products = 0, squares = 0, mobilities = 0, left = 0;
  for (Index p = 0; p < points.cols(); ++p) {
    const auto& d = terms.at(points.col(p)).diffusion();
    const auto& mobility = terms.mobility();
    products += static_cast<double>(mobility.cwiseProduct(d).sum());
    squares += static_cast<double>(d.squaredNorm());
    mobilities += static_cast<double>(mobility.squaredNorm());
  }
  if (!(squares > 0)) return {std::numeric_limits<double>::infinity(), 1};
  const double beta = products / squares;
  for (Index p = 0; p < points.cols(); ++p) {
    const auto& d = terms.at(points.col(p)).diffusion();
    left +=
        static_cast<double>((terms.mobility() - static_cast<scalar_t<S>>(beta) * d).squaredNorm());
  }
  return {beta, std::sqrt(left / mobilities)};
}

/// Sums over the points of |−μ∇𝓛|², |∇·D|² and |∇·D + D∇log G|².
struct DivergenceSums {
  double drift = 0, plain = 0, weighted = 0;

  template <class S>
  void add(SystemTerms<S>& terms) {
    using Vector = vector_t<S>;
    Vector rest = terms.diffusion_divergence();
    drift += static_cast<double>(terms.drift().squaredNorm());
    plain += static_cast<double>(rest.squaredNorm());
    if constexpr (HasLogWeight<S>) {
      Vector gradient(rest.size());
      Autodiff<Vector>().gradient([&](const auto& t) { return terms.system().log_weight(t); },
                                  terms.theta(), gradient);
      rest += terms.diffusion() * gradient;
      weighted += static_cast<double>(rest.squaredNorm());
    } else {
      weighted = std::numeric_limits<double>::quiet_NaN();
    }
  }

  double relative(double square) const { return square == 0 ? 0 : std::sqrt(square / drift); }
};

}  // namespace detail

/// Is the Einstein relation μ = βD satisfied (condition i), and ∇·(GD) = 0 (condition ii), for G =
/// 1 or for the system's `log_weight`? At the given points, N × P, each residual a number; they
/// hold where it is at most `tolerance`.
///
/// Equilibrium is a matter of how the drift is written as −μ∇𝓛: what this says is true of the 𝓛 and
/// μ that the system gives. Cost: D, μ and ∇·D at each point. Throws `std::invalid_argument` for
/// points of another size, none, or that are not finite.
template <class S>
Classification classify(
    const S& system,
    const Eigen::Matrix<scalar_t<S>, parameters_at_compile_time<S>, Eigen::Dynamic>& points,
    double tolerance = 1e-6) {
  static_assert(HasLandscape<S>,
                "ness: to tell what stationary state a system has, its potential and its mobility "
                "must be known (`potential` or `gradient`, `mobility` or `beta`), not its drift "
                "alone");
  detail::require(points.cols() >= 1, "classify", "points must have at least 1 column",
                  points.cols());
  detail::require_size(points, system.parameters(), points.cols(), "classify", "points");
  detail::require_finite(points, "classify", "points");
  SystemTerms<S> terms(system);
  detail::DivergenceSums sums;
  for (Index p = 0; p < points.cols(); ++p) sums.add(terms.at(points.col(p)));
  Classification result{.kind = StationaryKind::nonequilibrium,
                        .einstein = detail::einstein_relation(terms, points),
                        .divergence = sums.relative(sums.plain),
                        .weighted_divergence = sums.relative(sums.weighted)};
  if (!result.einstein.holds(tolerance)) return result;
  if (result.divergence <= tolerance)
    result.kind = StationaryKind::boltzmann;
  else if (result.weighted_divergence <= tolerance)
    result.kind = StationaryKind::generalized_boltzmann;
  return result;
}

}  // namespace ness
