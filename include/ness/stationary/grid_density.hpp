// The stationary density of a system of one or two coordinates, by finite volumes.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include "ness/statistics/axis.hpp"
#include "ness/systems/force.hpp"

namespace ness {

/// P^s and 𝓙^s on a grid of cells: first coordinate along rows, second along columns (one column in
/// one dimension).
struct GridDensity {
  Axis x, y;
  Eigen::ArrayXXd density;    ///< of each cell, 0 outside the domain; its integral is 1
  Eigen::ArrayXXd current_x;  ///< 𝓙^s at the centres, per unit of time
  Eigen::ArrayXXd current_y;
  /// The largest net flow into a cell over the largest flow through one: rounding.
  double residual = 0;
};

namespace detail {

/// The stationary vector of a Markov jump process whose states lie within `reach` of each other, by
/// elimination without subtractions (W. K. Grassmann, M. I. Taksar and D. P. Heyman, Oper. Res. 33,
/// 1985, doi:10.1287/opre.33.5.1107): every probability is positive, and right to a small relative
/// error however small it is.
template <class Scalar = double>
class BandedJumpProcess {
  using RowMajor = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

 public:
  using Array = Eigen::Array<Scalar, Eigen::Dynamic, 1>;

  BandedJumpProcess(Index states, Index reach)
      : states_(states), reach_(reach), rates_(RowMajor::Zero(states, 2 * reach + 1)) {}

  Scalar& rate(Index from, Index to) { return rates_(from, to - from + reach_); }

  /// The stationary probabilities; the rates are used up. −1 at the first state that is not
  /// connected with those before it. Cost: states × reach² operations.
  Array solve() {
    Array probability = Array::Zero(states_);
    for (Index k = states_ - 1; k > 0; --k)
      if (!eliminate(k)) {
        probability[k] = -1;
        return probability;
      }
    probability[0] = 1;
    for (Index k = 1; k < states_; ++k) {
      for (Index i = first_below(k); i < k; ++i) probability[k] += probability[i] * rate(i, k);
      constexpr Scalar large(1e200);
      if (probability[k] > large) probability.head(k + 1) /= probability[k];
    }
    return probability / probability.sum();
  }

 private:
  Index first_below(Index k) const { return std::max<Index>(0, k - reach_); }

  // Passes through k become jumps between the states below it. False where none leads out of k.
  bool eliminate(Index k) {
    const Index first = first_below(k);
    const Index count = k - first;
    const auto down = rates_.row(k).segment(first - k + reach_, count);
    const Scalar leaving = down.sum();
    if (!(leaving > 0)) return false;
    for (Index i = first; i < k; ++i) {
      Scalar& to_k = rate(i, k);
      to_k /= leaving;
      if (to_k > 0) rates_.row(i).segment(first - i + reach_, count) += to_k * down;
    }
    return true;
  }

  Index states_, reach_;
  RowMajor rates_;
};

/// x/(e^x − 1)
inline double bernoulli(double x) { return std::abs(x) < 1e-8 ? 1 - x / 2 : x / std::expm1(x); }

/// Jumps between the cells of a grid, of which the Fokker–Planck equation is the limit. All in
/// double precision: `Scalar` is a parameter so that nothing is instantiated before it is used.
template <class S, class Inside, class Scalar = double>
class GridJumps {
 public:
  static constexpr int size = parameters_at_compile_time<S>;
  using Vector = vector_t<S>;

  GridJumps(const S& system, Axis x, Axis y, bool two_dimensional, const Inside& inside)
      : force_(system), x_(x), y_(y), two_dimensional_(two_dimensional) {
    number_.assign(static_cast<std::size_t>(x.bins * y.bins), -1);
    for (Index i = 0; i < x.bins; ++i)
      for (Index j = 0; j < y.bins; ++j)
        if (inside(center(i, j))) {
          number(i, j) = static_cast<Index>(cells_.size());
          cells_.push_back({i, j});
        }
    require(cells_.size() >= 2, "stationary_density", "the domain must have at least 2 cells",
            cells_.size());
    // 𝓙 = D(FP − ∇P) along each direction e of a jump, with D = Σ_e d_e e eᵀ, d_e ≥ 0.
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      add_jumps(c, 1, 0);
      if (!two_dimensional_) continue;
      add_jumps(c, 0, 1);
      add_jumps(c, 1, 1);
      add_jumps(c, 1, -1);
    }
  }

  GridDensity solve() {
    BandedJumpProcess<Scalar> process(static_cast<Index>(cells_.size()), reach_);
    for (const Jump& jump : jumps_) {
      process.rate(jump.from, jump.to) = jump.forward;
      process.rate(jump.to, jump.from) = jump.backward;
    }
    const Array probability = process.solve();
    for (Index c = 0; c < probability.size(); ++c)
      if (probability[c] < 0) {
        const auto [i, j] = cells_[static_cast<std::size_t>(c)];
        invalid("stationary_density", "the cells must be connected, but nothing leads from (",
                center(i, j).transpose(), ") to those before it: is D zero there?");
      }
    return result(probability);
  }

 private:
  using Array = Eigen::Array<Scalar, Eigen::Dynamic, 1>;
  using OnGrid = Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic>;
  struct Jump {
    Index from, to;
    double forward, backward;  // rates
    int dx, dy;
  };

  /// Of a cell among those of the domain, or −1.
  Index& number(Index i, Index j) { return number_[static_cast<std::size_t>(i * y_.bins + j)]; }
  Vector center(Index i, Index j) const { return point(x_.center(i), y_.center(j)); }
  Vector point(double x, double y) const {
    Vector theta = Vector::Zero(two_dimensional_ ? 2 : 1);
    theta[0] = x;
    if (two_dimensional_) theta[1] = y;
    return theta;
  }

  // Between a cell and its neighbour in direction (dx, dy), from D and F half way.
  void add_jumps(std::size_t cell, int dx, int dy) {
    const auto [i, j] = cells_[cell];
    const Index i2 = i + dx, j2 = j + dy;
    if (i2 >= x_.bins || j2 >= y_.bins || j2 < 0 || number(i2, j2) < 0) return;
    const Vector here = center(i, j);
    const Vector there = center(i2, j2);
    const Vector middle = (here + there) / 2;
    Vector force(middle.size());
    const double d = share_of_diffusion(middle, dx, dy);
    if (d == 0) return;
    force_.here(force);  // D is known there
    const double along = force.dot(there - here);
    const auto from = static_cast<Index>(cell);
    reach_ = std::max(reach_, std::abs(number(i2, j2) - from));
    jumps_.push_back({from, number(i2, j2), d * bernoulli(-along), d * bernoulli(along), dx, dy});
  }

  // d_e of D = Σ_e d_e e eᵀ in units of cells.
  double share_of_diffusion(const Vector& theta, int dx, int dy) {
    const auto& d = force_.terms().at(theta).diffusion();
    const double xx = d(0, 0) / (x_.width() * x_.width());
    if (!two_dimensional_) return xx;
    const double yy = d(1, 1) / (y_.width() * y_.width());
    const double xy = d(0, 1) / (x_.width() * y_.width());
    const double smaller = std::min(xx, yy);
    if (std::abs(xy) > smaller * (1 + 1e-9))
      invalid("stationary_density",
              "the cells must be such that |D_xy| hx hy <= min(D_xx hy^2, "
              "D_yy hx^2), but at theta = (",
              theta.transpose(), ") D is\n", d, "\nwith hx = ", x_.width(),
              " and hy = ", y_.width(), ": change their ratio, or turn the coordinates");
    if (dx == 1 && dy == 0) return std::max(0.0, xx - std::abs(xy));
    if (dx == 0) return std::max(0.0, yy - std::abs(xy));
    return std::max(0.0, dy * xy);
  }

  GridDensity result(const Array& probability) const {
    const double area = x_.width() * (two_dimensional_ ? y_.width() : 1);
    const OnGrid zero = OnGrid::Zero(x_.bins, y_.bins);
    OnGrid density = zero, current_x = zero, current_y = zero;
    Array net = Array::Zero(probability.size());
    Scalar largest(0);
    for (std::size_t c = 0; c < cells_.size(); ++c)
      density(cells_[c][0], cells_[c][1]) = probability[static_cast<Index>(c)] / area;
    for (const Jump& jump : jumps_) {
      const Scalar forward = jump.forward * probability[jump.from];
      const Scalar flow = forward - jump.backward * probability[jump.to];
      net[jump.from] -= flow;
      net[jump.to] += flow;
      largest = std::max(largest, forward);
      for (const Index end : {jump.from, jump.to}) {
        const auto [i, j] = cells_[static_cast<std::size_t>(end)];
        current_x(i, j) += flow * jump.dx * x_.width() / (2 * area);
        current_y(i, j) += flow * jump.dy * y_.width() / (2 * area);
      }
    }
    return {x_, y_, density, current_x, current_y, net.abs().maxCoeff() / largest};
  }

  ThermodynamicForce<S> force_;
  Axis x_, y_;
  bool two_dimensional_;
  std::vector<Index> number_;
  std::vector<std::array<Index, 2>> cells_;
  std::vector<Jump> jumps_;
  Index reach_ = 1;
};

}  // namespace detail

/// Solves ∇·𝓙 = 0 (Eqs. 1, 2) in a box of one or two dimensions that nothing leaves, or in the part
/// of it whose cell centres are `inside(theta)`.
///
/// 𝓙 = D(FP − ∇P), F = D⁻¹(−μ∇𝓛 − ∇·D), is taken along the jumps between neighbouring cells by
/// exponential fitting (D. L. Scharfetter and H. K. Gummel, IEEE Trans. Electron Devices 16, 1969):
/// of second order in the width of the cells, and in equilibrium every jump balances by itself. The
/// density is positive on any grid. D is split along the axes and one diagonal, which takes |D_xy|
/// hx hy ≤ min(D_xx hy², D_yy hx²).
///
///   const auto grid = ness::stationary_density(gyrator, {{-4, 4, 100}, {-4, 4, 100}});
///
/// Cost: cells × (the smaller number of bins)² operations, memory cells × that number twice; give
/// the axis of fewer bins as the second. Throws `std::invalid_argument` for bad axes or another
/// number of them than coordinates, cells that cannot be reached, a D that is not positive definite
/// half way between two cells, or an axis ratio that does not fit D.
template <class S, class Inside>
GridDensity stationary_density(const S& system, const std::vector<Axis>& axes,
                               const Inside& inside) {
  const Index n = system.parameters();
  detail::require(n <= 2, "stationary_density", "the system must have 1 or 2 coordinates", n);
  detail::require(static_cast<Index>(axes.size()) == n, "stationary_density",
                  "there must be an axis for each coordinate; their number", axes.size());
  for (const Axis& axis : axes) axis.check("stationary_density");
  const Axis none{0, 1, 1};
  return detail::GridJumps<S, Inside>(system, axes[0], n == 2 ? axes[1] : none, n == 2, inside)
      .solve();
}

template <class S>
GridDensity stationary_density(const S& system, const std::vector<Axis>& axes) {
  return stationary_density(system, axes, [](const auto&) { return true; });
}

}  // namespace ness
