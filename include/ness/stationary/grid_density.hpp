// The stationary density of a system of one or two coordinates, by finite volumes.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
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
class BandedJumpProcess {
 public:
  BandedJumpProcess(Eigen::Index states, Eigen::Index reach)
      : states_(states), reach_(reach), rates_(RowMajor::Zero(states, 2 * reach + 1)) {}

  double& rate(Eigen::Index from, Eigen::Index to) { return rates_(from, to - from + reach_); }

  /// The stationary probabilities; the rates are used up. −1 at the first state that is not
  /// connected with those before it. Cost: states × reach² operations.
  Eigen::ArrayXd solve() {
    Eigen::ArrayXd probability = Eigen::ArrayXd::Zero(states_);
    for (Eigen::Index k = states_ - 1; k > 0; --k) {
      const Eigen::Index first = std::max<Eigen::Index>(0, k - reach_);
      const Eigen::Index count = k - first;
      const auto down = rates_.row(k).segment(first - k + reach_, count);
      const double leaving = down.sum();
      if (!(leaving > 0)) {
        probability[k] = -1;
        return probability;
      }
      for (Eigen::Index i = first; i < k; ++i) {
        double& to_k = rate(i, k);
        to_k /= leaving;
        if (to_k > 0) rates_.row(i).segment(first - i + reach_, count) += to_k * down;
      }
    }
    probability[0] = 1;
    for (Eigen::Index k = 1; k < states_; ++k) {
      for (Eigen::Index i = std::max<Eigen::Index>(0, k - reach_); i < k; ++i)
        probability[k] += probability[i] * rate(i, k);
      constexpr double large = 1e200;
      if (probability[k] > large) probability.head(k + 1) /= probability[k];
    }
    return probability / probability.sum();
  }

 private:
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Index states_, reach_;
  RowMajor rates_;
};

/// x/(e^x − 1)
inline double bernoulli(double x) { return std::abs(x) < 1e-8 ? 1 - x / 2 : x / std::expm1(x); }

/// Jumps between the cells of a grid, of which the Fokker–Planck equation is the limit.
template <class S, class Inside>
class GridJumps {
 public:
  static constexpr int size = parameters_at_compile_time<S>;
  using Vector = vector_t<S>;

  GridJumps(const S& system, Axis x, Axis y, bool two_dimensional, const Inside& inside)
      : force_(system), x_(x), y_(y), two_dimensional_(two_dimensional) {
    number_ = Numbers::Constant(x.bins, y.bins, -1);
    for (Eigen::Index i = 0; i < x.bins; ++i)
      for (Eigen::Index j = 0; j < y.bins; ++j)
        if (inside(center(i, j))) {
          number_(i, j) = static_cast<Eigen::Index>(cells_.size());
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
    BandedJumpProcess process(static_cast<Eigen::Index>(cells_.size()), reach_);
    for (const Jump& jump : jumps_) {
      process.rate(jump.from, jump.to) = jump.forward;
      process.rate(jump.to, jump.from) = jump.backward;
    }
    const Eigen::ArrayXd probability = process.solve();
    for (Eigen::Index c = 0; c < probability.size(); ++c)
      if (probability[c] < 0) {
        const auto [i, j] = cells_[static_cast<std::size_t>(c)];
        invalid("stationary_density", "the cells must be connected, but nothing leads from (",
                center(i, j).transpose(), ") to those before it: is D zero there?");
      }
    return result(probability);
  }

 private:
  using Numbers = Eigen::Array<Eigen::Index, Eigen::Dynamic, Eigen::Dynamic>;
  struct Jump {
    Eigen::Index from, to;
    double forward, backward;  // rates
    int dx, dy;
  };

  Vector center(Eigen::Index i, Eigen::Index j) const { return point(x_.center(i), y_.center(j)); }
  Vector point(double x, double y) const {
    Vector theta = Vector::Zero(two_dimensional_ ? 2 : 1);
    theta[0] = x;
    if (two_dimensional_) theta[1] = y;
    return theta;
  }

  // Between a cell and its neighbour in direction (dx, dy), from D and F half way.
  void add_jumps(std::size_t cell, int dx, int dy) {
    const auto [i, j] = cells_[cell];
    const Eigen::Index i2 = i + dx, j2 = j + dy;
    if (i2 >= x_.bins || j2 >= y_.bins || j2 < 0 || number_(i2, j2) < 0) return;
    const Vector here = center(i, j);
    const Vector there = center(i2, j2);
    const Vector middle = (here + there) / 2;
    Vector force(middle.size());
    const double d = share_of_diffusion(middle, dx, dy);
    if (d == 0) return;
    force_.here(force);  // D is known there
    const double along = force.dot(there - here);
    const auto from = static_cast<Eigen::Index>(cell);
    reach_ = std::max(reach_, std::abs(number_(i2, j2) - from));
    jumps_.push_back({from, number_(i2, j2), d * bernoulli(-along), d * bernoulli(along), dx, dy});
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

  GridDensity result(const Eigen::ArrayXd& probability) const {
    const double area = x_.width() * (two_dimensional_ ? y_.width() : 1);
    GridDensity grid{x_, y_, {}, {}, {}, 0};
    grid.density.setZero(x_.bins, y_.bins);
    grid.current_x = grid.current_y = grid.density;
    Eigen::ArrayXd net = Eigen::ArrayXd::Zero(probability.size());
    double largest = 0;
    for (std::size_t c = 0; c < cells_.size(); ++c)
      grid.density(cells_[c][0], cells_[c][1]) = probability[static_cast<Eigen::Index>(c)] / area;
    for (const Jump& jump : jumps_) {
      const double forward = jump.forward * probability[jump.from];
      const double flow = forward - jump.backward * probability[jump.to];
      net[jump.from] -= flow;
      net[jump.to] += flow;
      largest = std::max(largest, forward);
      for (const Eigen::Index end : {jump.from, jump.to}) {
        const auto [i, j] = cells_[static_cast<std::size_t>(end)];
        grid.current_x(i, j) += flow * jump.dx * x_.width() / (2 * area);
        grid.current_y(i, j) += flow * jump.dy * y_.width() / (2 * area);
      }
    }
    grid.residual = net.abs().maxCoeff() / largest;
    return grid;
  }

  ThermodynamicForce<S> force_;
  Axis x_, y_;
  bool two_dimensional_;
  Numbers number_;
  std::vector<std::array<Eigen::Index, 2>> cells_;
  std::vector<Jump> jumps_;
  Eigen::Index reach_ = 1;
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
