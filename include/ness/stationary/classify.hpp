// Which of the three kinds of stationary state a system has (Sec. 2.1).
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <string_view>

#include "ness/stationary/stationary_state.hpp"
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
  using Vector = vector_t<S>;
  detail::require(points.cols() >= 1, "classify", "points must have at least 1 column",
                  points.cols());
  detail::require_size(points, system.parameters(), points.cols(), "classify", "points");
  detail::require_finite(points, "classify", "points");
  SystemTerms<S> terms(system);
  double products = 0, squares = 0, mobilities = 0, drifts = 0, divergences = 0, weighted = 0;
  Autodiff<Vector> autodiff;
  for (Index p = 0; p < points.cols(); ++p) {
    terms.at(points.col(p));
    const auto& d = terms.diffusion();
    const matrix_t<S> mobility = terms.mobility();
    products += static_cast<double>(mobility.cwiseProduct(d).sum());
    squares += static_cast<double>(d.squaredNorm());
    mobilities += static_cast<double>(mobility.squaredNorm());
    drifts += static_cast<double>(terms.drift().squaredNorm());
    Vector rest = terms.diffusion_divergence();
    divergences += static_cast<double>(rest.squaredNorm());
    if constexpr (HasLogWeight<S>) {
      Vector gradient(system.parameters());
      autodiff.gradient([&](const auto& t) { return system.log_weight(t); }, terms.theta(),
                        gradient);
      rest += d * gradient;
      weighted += static_cast<double>(rest.squaredNorm());
    }
  }
  const auto relative = [&](double square) {
    return square == 0 ? 0 : drifts > 0 ? std::sqrt(square / drifts) : INFINITY;
  };
  Classification result{};
  result.divergence = relative(divergences);
  result.weighted_divergence =
      HasLogWeight<S> ? relative(weighted) : std::numeric_limits<double>::quiet_NaN();
  result.einstein = {squares > 0 ? products / squares : INFINITY, 1};
  if (squares > 0) {
    // A second pass, for Σ‖μ‖² − (Σ tr μᵀD)²/Σ‖D‖² would be all cancellation where it matters.
    double left = 0;
    for (Index p = 0; p < points.cols(); ++p) {
      terms.at(points.col(p));
      const auto beta = static_cast<scalar_t<S>>(result.einstein.beta);
      left += static_cast<double>((terms.mobility() - beta * terms.diffusion()).squaredNorm());
    }
    result.einstein.residual = std::sqrt(left / mobilities);
  }
  if (!result.einstein.holds(tolerance))
    result.kind = StationaryKind::nonequilibrium;
  else if (result.divergence <= tolerance)
    result.kind = StationaryKind::boltzmann;
  else if (result.weighted_divergence <= tolerance)
    result.kind = StationaryKind::generalized_boltzmann;
  else
    result.kind = StationaryKind::nonequilibrium;
  return result;
}

}  // namespace ness
