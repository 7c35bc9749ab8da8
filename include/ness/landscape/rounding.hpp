// How much of a computed gradient or value is rounding, measured by how it scatters (J. J. Moré and
// S. M. Wild, SIAM J. Sci. Comput. 33, 2011, doi:10.1137/100786125).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "ness/detail/static_cholesky.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/model/batch.hpp"
#include "ness/random/philox.hpp"

namespace ness::detail {

template <class Scalar>
using ValueFunction = std::function<Scalar(const DynamicVector<Scalar>&)>;
template <class Scalar>
using GradientFunction = std::function<DynamicVector<Scalar>(const DynamicVector<Scalar>&)>;

/// A positive definite matrix A as a metric: of gradients |g| = √(gᵀA⁻¹g), the length of the Newton
/// step in units of the landscape itself. In double precision, whatever the matrix is in.
template <class Scalar>
class Metric {
  using Double = typename DoubleFor<Scalar>::type;

 public:
  /// False where A is not positive definite.
  bool factor(const DynamicMatrix<Scalar>& matrix) {
    lower_ = converted<Double>(matrix);
    return is_finite(lower_) && cholesky(lower_);
  }

  double norm(const DynamicVector<Scalar>& gradient) const {
    DynamicVector<Double> solution = converted<Double>(gradient);
    divide_by_lower(lower_, solution);
    return detail::norm(solution);
  }

  /// A⁻¹g
  DynamicVector<Scalar> solve(const DynamicVector<Scalar>& gradient) const {
    DynamicVector<Double> solution = converted<Double>(gradient);
    solve_factored(lower_, solution);
    return converted<Scalar>(solution);
  }

 private:
  DynamicMatrix<Double> lower_;
};

/// How a computed gradient scatters about θ.
template <class Scalar>
struct GradientRounding {
  double norm = 0;      ///< in the metric of the landscape
  double absolute = 0;  ///< |·|
};

/// Measures it by second differences of the gradient along `step`, at a point beside θ, on that
/// side on which they are smaller: a kink at θ is no rounding.
template <class Scalar, class Metric>
GradientRounding<Scalar> gradient_rounding(const GradientFunction<Scalar>& gradient_at,
                                           const DynamicVector<Scalar>& theta,
                                           const DynamicVector<Scalar>& step,
                                           const Metric& metric) {
  using Vector = DynamicVector<Scalar>;
  constexpr Scalar epsilon = std::numeric_limits<Scalar>::epsilon();
  constexpr std::array<double, 6> reaches{0.37, 1, 2.6, 7.1, 17, 31};
  Philox random(1);
  GradientRounding<Scalar> least;
  for (const int side : {64, -64}) {
    const Vector center = moved(theta, static_cast<Scalar>(side), step);
    const Vector gradient = gradient_at(center);
    GradientRounding<Scalar> sum;
    for (const double reach : reaches) {
      Vector move = step;
      for (Index k = 0; k < move.size(); ++k) {  // and by no less than the last place
        const Scalar sign = random() % 2 == 0 ? Scalar(1) : Scalar(-1);
        move[k] = static_cast<Scalar>(reach) * step[k] + 2 * sign * epsilon * std::abs(center[k]);
      }
      Vector bend = gradient_at(moved(center, Scalar(1), move));
      bend = moved(bend, Scalar(1), gradient_at(moved(center, Scalar(-1), move)));
      bend = moved(bend, Scalar(-2), gradient);
      if (!is_finite(bend)) continue;
      sum.norm += std::pow(metric.norm(bend), 2);
      sum.absolute += std::pow(static_cast<double>(detail::norm(bend)), 2);
    }
    // A second difference of independent errors has six times their variance.
    const double count = 6 * static_cast<double>(reaches.size());
    const GradientRounding<Scalar> found{std::sqrt(sum.norm / count),
                                         std::sqrt(sum.absolute / count)};
    if (side > 0 || found.norm < least.norm) least = found;
  }
  return least;
}

/// `step`, which should take the gradient to 0, or so many times it that the gradient changes as
/// it should, to within a half: a shorter one may be lost in the rounding of what the gradient is
/// the sum of, and shows nothing of it. `step` again, where none does.
template <class Scalar>
DynamicVector<Scalar> felt_step(const GradientFunction<Scalar>& gradient_at,
                                const DynamicVector<Scalar>& theta,
                                const DynamicVector<Scalar>& gradient,
                                const DynamicVector<Scalar>& step) {
  using Vector = DynamicVector<Scalar>;
  Scalar times(1);
  for (int k = 0; k < 12; ++k, times *= 8) {
    const Vector there = gradient_at(moved(theta, times, step));
    const Vector beside = moved(there, times - 1, gradient);  // 0, if all is linear
    if (beside.norm() <= times * gradient.norm() / 2) return moved(Vector(0 * step), times, step);
  }
  return step;
}

/// The same of the values, by second differences along so little of `step` that its curvature does
/// not count.
template <class Scalar>
Scalar value_rounding(const ValueFunction<Scalar>& value_at, const DynamicVector<Scalar>& theta,
                      const DynamicVector<Scalar>& step) {
  constexpr int reach = 4;
  std::array<Scalar, 2 * reach + 1> values;
  for (int k = -reach; k <= reach; ++k)
    values[static_cast<std::size_t>(k + reach)] =
        value_at(moved(theta, static_cast<Scalar>(k) / 64, step));
  Scalar sum(0);
  for (std::size_t k = 1; k + 1 < values.size(); ++k) {
    const Scalar bend = values[k - 1] - 2 * values[k] + values[k + 1];
    sum += bend * bend;
  }
  return std::sqrt(sum / (6 * (2 * reach - 1)));
}

}  // namespace ness::detail
