// The stationary density of a system of one or two coordinates, by finite volumes.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <type_traits>
#include <vector>

#include "ness/detail/wide_number.hpp"
#include "ness/statistics/axis.hpp"
#include "ness/systems/force.hpp"

namespace ness {

/// P^s and 𝓙^s on a grid of cells: first coordinate along rows, second along columns (one column in
/// one dimension).
struct GridDensity {
  Axis x;                     ///< cells of the first coordinate
  Axis y;                     ///< and of the second
  Eigen::ArrayXXd density;    ///< of each cell, 0 outside the domain; its integral is 1
  Eigen::ArrayXXd current_x;  ///< 𝓙^s at the centres, per unit of time
  Eigen::ArrayXXd current_y;  ///< the second component
  /// The largest net flow into a cell over the largest flow through one: rounding.
  double residual = 0;
  Eigen::ArrayXd mean_x;  ///< ⟨x⟩ in each row of cells: the centre in two dimensions

  /// ⟨f⟩ of an f(x) in one dimension, an f(x, y) in two, to second order in the width of the cells.
  template <class F>
  double mean(const F& f) const {
    const double area = x.width() * (std::invocable<F, double> ? 1 : y.width());
    double sum = 0;
    for (Index i = 0; i < density.rows(); ++i)
      for (Index j = 0; j < density.cols(); ++j) {
        if (density(i, j) == 0) continue;
        if constexpr (std::invocable<F, double>)
          sum += density(i, j) * f(mean_x[i]);
        else
          sum += density(i, j) * f(mean_x[i], y.center(j));
      }
    return sum * area;
  }
};

namespace detail {

/// The stationary vector of a Markov jump process whose states lie within `reach` of each other, by
/// elimination without subtractions (W. K. Grassmann, M. I. Taksar and D. P. Heyman, Oper. Res. 33,
/// 1985, doi:10.1287/opre.33.5.1107): every probability is positive, and right to a small relative
/// error however small it is. Of `double`, unless a number leaves its range: see `left_range`.
template <class Scalar = double>
class BandedJumpProcess {
  static constexpr bool is_plain = std::is_floating_point_v<Scalar>;
  using Row = Eigen::Map<Eigen::Array<double, 1, Eigen::Dynamic>>;

 public:
  BandedJumpProcess(Index states, Index reach)
      : states_(states),
        reach_(reach),
        rates_(static_cast<std::size_t>(states * (2 * reach + 1))) {}

  Scalar& rate(Index from, Index to) { return *at(from, to); }

  /// The logarithms of the stationary probabilities over the largest of them; the rates are used
  /// up. None where a state is not connected with those before it, see `unconnected`, or a number
  /// left the range of Scalar. Cost: states × reach² operations.
  std::optional<Eigen::ArrayXd> solve() {
    for (Index k = states_ - 1; k > 0; --k)
      if (!eliminate(k)) return {};
    std::vector<Scalar> probability(1, Scalar(1));
    for (Index k = 1; k < states_; ++k) {
      Scalar sum(0);
      for (Index i = first_below(k); i < k; ++i)
        sum += probability[static_cast<std::size_t>(i)] * rate(i, k);
      if constexpr (is_plain)
        if (!in_range(sum)) return {};
      probability.push_back(sum);
    }
    // The quotients first: a logarithm of many digits before the point has few behind it.
    std::size_t most = 0;
    for (std::size_t k = 0; k < probability.size(); ++k)
      if (log_of(probability[k]) > log_of(probability[most])) most = k;
    Eigen::ArrayXd logarithm(states_);
    for (Index k = 0; k < states_; ++k)
      logarithm[k] = log_of(probability[static_cast<std::size_t>(k)] / probability[most]);
    return logarithm;
  }

  /// Did a number that is not 0 become 0, or nearly so?
  bool left_range() const { return unconnected_ < 0; }
  /// The state that nothing leads out of.
  Index unconnected() const { return unconnected_; }

 private:
  Scalar* at(Index from, Index to) {
    return rates_.data() + from * (2 * reach_ + 1) + to - from + reach_;
  }
  Index first_below(Index k) const { return std::max<Index>(0, k - reach_); }
  static bool in_range(double x) { return x > 1e-290 && x < 1e290; }

  // Passes through k become jumps between the states below it. False where none leads out of k, or
  // a number leaves the range of double.
  bool eliminate(Index k) {
    const Index first = first_below(k);
    const Index count = k - first;
    Scalar* const down = at(k, first);
    Scalar leaving(0);
    for (Index l = 0; l < count; ++l) leaving += down[l];
    if (!(is_positive(leaving))) {
      unconnected_ = k;
      return false;
    }
    double smallest = 1;
    for (Index i = first; i < k; ++i) {
      Scalar& to_k = rate(i, k);
      if (!is_positive(to_k)) continue;
      to_k /= leaving;
      if constexpr (is_plain) smallest = std::min(smallest, to_k);
    }
    if constexpr (is_plain) {
      double least = leaving;
      for (Index l = 0; l < count; ++l)
        if (down[l] > 0) least = std::min(least, down[l]);
      if (!in_range(smallest * least)) return false;
    }
    for (Index i = first; i < k; ++i)
      if (const Scalar to_k = rate(i, k); is_positive(to_k)) add(to_k, down, at(i, first), count);
    return true;
  }

  // out += factor · row
  static void add(const Scalar& factor, Scalar* row, Scalar* out, Index count) {
    if constexpr (is_plain)
      Row(out, count) += factor * Row(row, count);
    else
      for (Index l = 0; l < count; ++l)
        if (row[l].is_positive()) out[l] += factor * row[l];
  }

  static double log_of(const Scalar& x) {
    if constexpr (is_plain)
      return std::log(x);
    else
      return x.log();
  }

  static bool is_positive(const Scalar& x) {
    if constexpr (is_plain)
      return x > 0;
    else
      return x.is_positive();
  }

  Index states_, reach_;
  std::vector<Scalar> rates_;
  Index unconnected_ = -1;
};

/// x/(e^x − 1)
inline double bernoulli(double x) { return std::abs(x) < 1e-8 ? 1 - x / 2 : x / std::expm1(x); }

/// The same, however large x is.
template <class Scalar>
Scalar bernoulli_of(double x) {
  if constexpr (std::is_floating_point_v<Scalar>)
    return bernoulli(x);
  else
    return x < 600 ? Scalar(bernoulli(x)) : Scalar(x) * Scalar::exp(-x);
}

/// Nodes and weights of Gauss and Legendre's rule with 8 points, on [0, 1].
inline constexpr std::array<std::array<double, 2>, 8> gauss_rule{{
    {(1 - 0.9602898564975363) / 2, 0.1012285362903763 / 2},
    {(1 - 0.7966664774136267) / 2, 0.2223810344533745 / 2},
    {(1 - 0.5255324099163290) / 2, 0.3137066458778873 / 2},
    {(1 - 0.1834346424956498) / 2, 0.3626837833783620 / 2},
    {(1 + 0.1834346424956498) / 2, 0.3626837833783620 / 2},
    {(1 + 0.5255324099163290) / 2, 0.3137066458778873 / 2},
    {(1 + 0.7966664774136267) / 2, 0.2223810344533745 / 2},
    {(1 + 0.9602898564975363) / 2, 0.1012285362903763 / 2},
}};

/// ∫f over an interval by it.
template <class F>
double gauss_integral(const F& f, double from, double to) {
  double sum = 0;
  for (const auto& [node, weight] : gauss_rule) sum += weight * f(from + node * (to - from));
  return sum * (to - from);
}

/// What of the probability lies in a part of a cell, as terms: logarithms relative to the density
/// at the centre, and where they lie.
struct LogTerms {
  std::vector<std::array<double, 2>> terms;

  void add(double logarithm, double position) { terms.push_back({logarithm, position}); }

  /// The logarithm of the sum, and the mean position.
  std::array<double, 2> sum() const {
    double largest = terms.front()[0];
    for (const auto& [logarithm, position] : terms) largest = std::max(largest, logarithm);
    double total = 0, moment = 0;
    for (const auto& [logarithm, position] : terms) {
      total += std::exp(logarithm - largest);
      moment += std::exp(logarithm - largest) * position;
    }
    return {largest + std::log(total), moment / total};
  }
};

/// ∫P/P(c) from the centre c of a cell to one of its edges, from the slope F of log P. In parts
/// over which log P changes by some 4, as far as 64 of them go; beyond, log P is taken as linear in
/// each.
template <class Slope>
void integrate_to_edge(const Slope& slope, double center, double edge, LogTerms& terms) {
  const double change =
      std::abs(gauss_integral([&](double x) { return std::abs(slope(x)); }, center, edge));
  const int parts = static_cast<int>(std::clamp(std::ceil(change / 4), 1.0, 64.0));
  const double length = (edge - center) / parts;
  double before = 0;
  for (int p = 0; p < parts; ++p) {
    const double from = center + p * length;
    const double along = gauss_integral(slope, from, from + length);
    if (std::abs(along) > 30) {
      const double heavier = along > 0 ? from + length : from;
      terms.add(before + std::max(0.0, along) + std::log(std::abs(length / along)),
                heavier - length / along);
    } else {
      for (const auto& [node, weight] : gauss_rule) {
        const double x = from + node * length;
        terms.add(before + gauss_integral(slope, from, x) + std::log(weight * std::abs(length)), x);
      }
    }
    before += along;
  }
}

/// κ where P goes as s^κ with the distance s from a wall, else 0, from ds log P near it: s·slope is
/// constant there, and proportional to s where P is regular. `unit` is a distance as cells have it.
template <class Slope>
double exponent_at_wall(const Slope& slope_outward, double unit) {
  const double s = 1e-3 * unit;
  const double near = s * slope_outward(s);
  const double farther = 2 * s * slope_outward(2 * s);
  const double exponent = 2 * near - farther;
  return std::abs(farther) < 1.5 * std::abs(near) && std::abs(exponent) > 1e-4 ? exponent : 0;
}

/// ∫P/P(c) from the centre to a wall at which P goes as s^κ, κ > −1: what is left of P is taken
/// where the mean of s lies, to second order.
template <class Slope>
void integrate_to_singular_wall(const Slope& slope, double center, double wall, double exponent,
                                LogTerms& terms) {
  const double mean = (center - wall) * (exponent + 1) / (exponent + 2);
  const double rest = gauss_integral([&](double x) { return slope(x) - exponent / (x - wall); },
                                     center, wall + mean);
  terms.add(rest + std::log(std::abs(center - wall) / (exponent + 1)), wall + mean);
}

/// Jumps between the cells of a grid, of which the Fokker–Planck equation is the limit. All in
/// double precision.
template <class S, class Inside>
class GridJumps {
 public:
  static constexpr int size = parameters_at_compile_time<S>;
  using Vector = vector_t<S>;
  using Number = typename DoubleFor<S>::type;
  using Numbers = Eigen::Array<Number, Eigen::Dynamic, 1>;
  using Table = Eigen::Array<Number, Eigen::Dynamic, Eigen::Dynamic>;

  GridJumps(const S& system, Axis x, Axis y, bool two_dimensional, const Inside& inside)
      : force_(system), inside_(inside), x_(x), y_(y), two_dimensional_(two_dimensional) {
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
    find_masses();
    std::optional<Eigen::ArrayXd> logarithm = solve_in<double>();
    if (!logarithm) logarithm = solve_in<WideNumber>();
    return result(*logarithm);
  }

 private:
  struct Jump {
    Index from, to;
    double diffusion, along;  // d_e, and the change of log P without a current
    int dx, dy;
  };

  // The logarithms of the probabilities, up to a constant; none where `double` does not reach.
  template <class Scalar>
  std::optional<Eigen::ArrayXd> solve_in() {
    BandedJumpProcess<Scalar> process(static_cast<Index>(cells_.size()), reach_);
    for (const Jump& jump : jumps_) {
      process.rate(jump.from, jump.to) = Scalar(jump.diffusion) * bernoulli_of<Scalar>(-jump.along);
      process.rate(jump.to, jump.from) = Scalar(jump.diffusion) * bernoulli_of<Scalar>(jump.along);
      if constexpr (std::is_same_v<Scalar, double>)
        if (std::abs(jump.along) > 600) return {};
    }
    std::optional<Eigen::ArrayXd> found = process.solve();
    if (found || process.left_range()) return found;
    const auto [i, j] = cells_[static_cast<std::size_t>(process.unconnected())];
    invalid("stationary_density", "the cells must be connected, but nothing leads from (",
            center(i, j).transpose(), ") to those before it: is D zero there?");
  }

  // The probability of a cell over that of its centre's density, and where it lies on average.
  void find_masses() {
    log_share_.setZero(static_cast<Index>(cells_.size()));
    mean_x_.resize(x_.bins);
    for (Index i = 0; i < x_.bins; ++i) mean_x_[i] = x_.center(i);
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      if (two_dimensional_)
        require_no_divergence(c);
      else
        find_mass(c);
    }
  }

  // d log P/dx without a current.
  double force_at(double x) {
    Vector force(1);
    force_(point(x, 0), force);
    return force[0];
  }

  // The same, and NaN where D is not positive.
  double slope(double x) {
    const bool is_inside = force_.terms().at(point(x, 0)).diffusion()(0, 0) > 0;
    return is_inside ? force_at(x) : std::numeric_limits<double>::quiet_NaN();
  }

  void find_mass(std::size_t c) {
    const Index i = cells_[c][0];
    const double at = x_.center(i), half = x_.width() / 2;
    const auto along = [&](double x) { return slope(x); };
    LogTerms terms;
    for (const int side : {-1, 1}) {
      const double edge = at + side * half;
      const bool is_wall = i + side < 0 || i + side >= x_.bins || number(i + side, 0) < 0;
      const double exponent =
          is_wall ? exponent_at_wall([&](double s) { return -side * slope(edge - side * s); }, half)
                  : 0;
      if (!(exponent > -1 || std::isnan(exponent)))
        invalid("stationary_density", "the density cannot be normalised: near ", edge,
                " it goes as the power ", exponent, " of the distance");
      if (exponent != 0 && !std::isnan(exponent))
        integrate_to_singular_wall(along, at, edge, exponent, terms);
      else
        integrate_to_edge(along, at, edge, terms);
    }
    const auto [logarithm, mean] = terms.sum();
    if (!std::isfinite(logarithm) || !std::isfinite(mean))
      return;  // D is not positive in all of it
    log_share_[static_cast<Index>(c)] = logarithm - std::log(x_.width());
    mean_x_[i] = mean;
  }

  // In two dimensions a density that diverges at a wall cannot be summed over cells.
  void require_no_divergence(std::size_t c) {
    const auto [i, j] = cells_[c];
    const Vector middle = center(i, j);
    for (const auto& [dx, dy] : {std::array{1, 0}, {-1, 0}, {0, 1}, {0, -1}}) {
      if (is_inside(i + dx, j + dy)) continue;
      const Vector outward = point(dx * x_.width(), dy * y_.width());
      const double wall = distance_to_wall(middle, outward);
      const auto slope_inward = [&](double s) {
        const Vector at = middle + (wall - s) * outward;
        const auto& d = force_.terms().at(at).diffusion();
        if (!(d(0, 0) > 0) || !(d(0, 0) * d(1, 1) > d(0, 1) * d(1, 0))) return 0.0;
        Vector force(2);
        force_.here(force);
        return -static_cast<double>(force.dot(outward));
      };
      if (const double exponent = exponent_at_wall(slope_inward, wall); exponent < 0)
        invalid("stationary_density",
                "in two dimensions the density must not diverge at a wall, but near (",
                (middle + wall * outward).transpose(), ") it goes as the power ", exponent,
                " of the distance");
    }
  }

  bool is_inside(Index i, Index j) {
    return i >= 0 && j >= 0 && i < x_.bins && j < y_.bins && number(i, j) >= 0;
  }

  // How far `inside` goes from a centre, half a cell at most, in units of `outward`.
  double distance_to_wall(const Vector& from, const Vector& outward) const {
    double in = 0, out = 0.5;
    if (inside_(Vector(from + (out - 1e-9) * outward))) return out;
    for (int k = 0; k < 40; ++k) {
      const double middle = (in + out) / 2;
      (inside_(Vector(from + middle * outward)) ? in : out) = middle;
    }
    return in;
  }

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
    double along = force.dot(there - here);
    if (!two_dimensional_)  // where F has a pole, at a wall, its middle is not enough
      along = gauss_integral([&](double x) { return force_at(x); }, here[0], there[0]);
    if (!std::isfinite(along))
      invalid("stationary_density", "the force must be finite, but about theta = (",
              middle.transpose(), ") its work from one cell to the next is ", along);
    const auto from = static_cast<Index>(cell);
    reach_ = std::max(reach_, std::abs(number(i2, j2) - from));
    jumps_.push_back({from, number(i2, j2), d, along, dx, dy});
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

  GridDensity result(const Numbers& logarithm) const {
    const double area = x_.width() * (two_dimensional_ ? y_.width() : 1);
    const Numbers log_mass = logarithm + log_share_;
    const double largest_mass = log_mass.maxCoeff();
    const double log_total = largest_mass + std::log((log_mass - largest_mass).exp().sum());
    const Table zero = Table::Zero(x_.bins, y_.bins);
    Table density = zero, current_x = zero, current_y = zero;
    Numbers net = Numbers::Zero(logarithm.size());
    double largest = 0;
    for (std::size_t c = 0; c < cells_.size(); ++c)
      density(cells_[c][0], cells_[c][1]) =
          std::exp(log_mass[static_cast<Index>(c)] - log_total) / area;
    for (const Jump& jump : jumps_) {
      const double forward =
          jump.diffusion * bernoulli(-jump.along) * std::exp(logarithm[jump.from] - log_total);
      const double flow = forward - jump.diffusion * bernoulli(jump.along) *
                                        std::exp(logarithm[jump.to] - log_total);
      net[jump.from] -= flow;
      net[jump.to] += flow;
      largest = std::max(largest, forward);
      for (const Index end : {jump.from, jump.to}) {
        const auto [i, j] = cells_[static_cast<std::size_t>(end)];
        current_x(i, j) += flow * jump.dx * x_.width() / (2 * area);
        current_y(i, j) += flow * jump.dy * y_.width() / (2 * area);
      }
    }
    return {x_, y_, density, current_x, current_y, net.abs().maxCoeff() / largest, mean_x_};
  }

  ThermodynamicForce<S> force_;
  const Inside& inside_;
  Axis x_, y_;
  bool two_dimensional_;
  std::vector<Index> number_;
  std::vector<std::array<Index, 2>> cells_;
  std::vector<Jump> jumps_;
  Index reach_ = 1;
  Numbers log_share_, mean_x_;
};

}  // namespace detail

/// Solves ∇·𝓙 = 0 (Eqs. 1, 2) in a box of one or two dimensions that nothing leaves, or in the part
/// of it whose cell centres are `inside(theta)`.
///
/// 𝓙 = D(FP − ∇P), F = D⁻¹(−μ∇𝓛 − ∇·D), is taken along the jumps between neighbouring cells by
/// exponential fitting (D. L. Scharfetter and H. K. Gummel, IEEE Trans. Electron Devices 16, 1969):
/// of second order in the width of the cells, and in equilibrium every jump balances by itself.
/// Probabilities are found without underflow, so that barriers may be of any height; what is below
/// the range of double becomes 0 in the result. D is split along the axes and one diagonal, which
/// takes |D_xy| hx hy ≤ min(D_xx hy², D_yy hx²).
///
/// In one dimension a cell's density is the mean over the cell, by quadrature, and may go as any
/// power s^κ, κ > −1, of the distance from a wall where D vanishes: cells are right to second order
/// there too, and so is `GridDensity::mean`. In two dimensions it is the density at the centre,
/// which must not diverge.
///
///   const auto grid = ness::stationary_density(gyrator, {{-4, 4, 100}, {-4, 4, 100}});
///
/// Cost: cells × (the smaller number of bins)² operations, memory cells × that number twice; give
/// the axis of fewer bins as the second. Throws `std::invalid_argument` for bad axes or another
/// number of them than coordinates, cells that cannot be reached, a D that is not positive definite
/// half way between two cells, a density that diverges as said, or an axis ratio that does not fit
/// D.
template <class S, class Inside>
GridDensity stationary_density(const S& system, const std::vector<Axis>& axes,
                               const Inside& inside) {
  const Index n = system.parameters();
  detail::require(n == 1 || n == 2, "stationary_density", "the system must have 1 or 2 coordinates",
                  n);
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
