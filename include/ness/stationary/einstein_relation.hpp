// The Einstein relation, the first of the two conditions of equilibrium (Sec. 2.1).
#pragma once

namespace ness {

/// How near μ = βD holds (Sec. 2.1, condition i).
struct EinsteinRelation {
  double beta;      ///< the β that fits best: tr(μD) / tr(D²)
  double residual;  ///< ‖μ − βD‖ / ‖μ‖
  /// Is what is left of μ, relative to it, at most `tolerance`?
  bool holds(double tolerance = 1e-8) const { return residual <= tolerance; }
};

}  // namespace ness
