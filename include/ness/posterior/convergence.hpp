// Have several chains drawn from one distribution, and how many draws are they worth? (A. Vehtari,
// A. Gelman, D. Simpson, B. Carpenter and P.-C. Bürkner, Bayesian Anal. 16, 2021, arXiv 1903.08008;
// not in the paper.)
#pragma once

#include <type_traits>

#include "ness/detail/matrices.hpp"
#include "ness/files/npy.hpp"

namespace ness {

/// What draws say of their own convergence, for each of N parameters. Trust them where `r_hat` is
/// below 1.01 and both numbers of draws are some hundred at least.
struct Convergence {
  /// R̂: √(variance of all / mean variance within) of the halves of chains, of ranks made normal,
  /// and of their distances from the median, whichever is larger. N
  DynamicVector<double> r_hat;
  /// How many independent draws they are worth for a mean: of ranks made normal. N
  DynamicVector<double> bulk_draws;
  /// The same for the 5 % and 95 % quantiles, whichever is less. N
  DynamicVector<double> tail_draws;
};

namespace detail {

/// x with Φ(x) = p, 0 < p < 1, to a relative 1e-11 of p: a rational start and Halley's steps.
template <class Scalar>
Scalar normal_quantile(Scalar p);

/// `Array` is NpyArray, a template argument only so that this is compiled where it is used.
template <class Array>
Convergence convergence(const Array& draws);

}  // namespace detail

/// Split, rank-normalised R̂ and effective draws of an array of chains × draws × N, as `Draws` and
/// `read_npy_array` give them; any chains will do, from anywhere. Autocorrelations are summed as C.
/// J. Geyer does (Stat. Sci. 7, 1992): in pairs, while they are positive and do not rise.
///
/// A parameter that never moves has NaN. Cost for each parameter: a sort of all its draws, and as
/// many products of a chain with itself as its correlation is long. Throws `std::invalid_argument`
/// unless there are three extents, 8 draws of each chain, and all are finite.
template <class Array = NpyArray>  // so that it is compiled where it is called
Convergence convergence(const std::type_identity_t<Array>& draws) {
  return detail::convergence(draws);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else it is in the library

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "ness/detail/check.hpp"

namespace ness::detail {

template <class Scalar>
Scalar normal_quantile(Scalar p) {
  if (p > Scalar(0.5)) return -normal_quantile(1 - p);
  const Scalar t = std::sqrt(-2 * std::log(p));
  Scalar x =
      (Scalar(2.30753) + Scalar(0.27061) * t) / (1 + t * (Scalar(0.99229) + t * Scalar(0.04481))) -
      t;
  for (int k = 0; k < 4; ++k) {
    const Scalar density =
        std::exp(-x * x / 2) * std::numbers::inv_sqrtpi_v<Scalar> / std::numbers::sqrt2_v<Scalar>;
    const Scalar step = (std::erfc(-x / std::numbers::sqrt2_v<Scalar>) / 2 - p) / density;
    x -= step / (1 + x * step / 2);
  }
  return x;
}

/// One parameter's draws, chain by chain, all of one length.
template <class Scalar>
class ChainsOfDraws {
 public:
  using Vector = DynamicVector<Scalar>;

  ChainsOfDraws(Vector values, Eigen::Index chains) : values_(std::move(values)), chains_(chains) {}

  const Vector& values() const { return values_; }
  ChainsOfDraws with(Vector values) const { return {std::move(values), chains_}; }

  /// Φ⁻¹ of the ranks, (r − 3/8)/(S + 1/4) of S; equal draws share their mean rank.
  ChainsOfDraws rank_normalized() const {
    const auto order = sorted();
    const auto count = static_cast<std::size_t>(values_.size());
    Vector z(values_.size());
    for (std::size_t first = 0, end = 0; first < count; first = end) {
      while (end < count && values_[order[end]] == values_[order[first]]) ++end;
      const Scalar rank = static_cast<Scalar>(first + end + 1) / 2;  // from 1
      const Scalar p = (rank - Scalar(0.375)) / (static_cast<Scalar>(count) + Scalar(0.25));
      for (std::size_t k = first; k < end; ++k) z[order[k]] = normal_quantile(p);
    }
    return with(std::move(z));
  }

  /// That of a share of the sorted draws.
  Scalar quantile(Scalar share) const {
    const auto order = sorted();
    const Scalar place = share * static_cast<Scalar>(values_.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, order.size() - 1);
    const Scalar part = place - static_cast<Scalar>(below);
    return (1 - part) * values_[order[below]] + part * values_[order[above]];
  }

  ChainsOfDraws distances_from_median() const {
    return with((values_.array() - quantile(Scalar(0.5))).abs());
  }
  /// 1 where a draw is not above this, else 0.
  ChainsOfDraws below(Scalar bound) const {
    return with((values_.array() <= bound).template cast<Scalar>());
  }

  Scalar r_hat() const {
    const Moments of = moments();
    return std::sqrt(of.all / of.within);
  }

  Scalar effective_draws() const {
    const Moments of = moments();
    if (!(of.within > 0)) return std::numeric_limits<Scalar>::quiet_NaN();
    const Vector x = centred();
    const auto rho = [&](Eigen::Index lag) {
      return lag < length() ? 1 - (of.within - autocovariance(x, lag)) / of.all : Scalar(0);
    };
    Scalar sum(0), last = std::numeric_limits<Scalar>::infinity();
    for (Eigen::Index lag = 0; lag < length(); lag += 2) {
      const Scalar even = rho(lag), pair = even + rho(lag + 1);
      if (!(pair > 0)) {
        sum += std::max(even, Scalar(0)) / 2;
        break;
      }
      last = std::min(last, pair);
      sum += last;
    }
    const auto count = static_cast<Scalar>(values_.size());
    return count / std::max(2 * sum - 1, 1 / std::log10(count));
  }

 private:
  struct Moments {
    Scalar within;  // the mean variance of a chain
    Scalar all;     // the variance that this and that of the chains' means make
  };

  Eigen::Index length() const { return values_.size() / chains_; }
  auto chain(Eigen::Index k) const { return values_.segment(k * length(), length()); }

  std::vector<Eigen::Index> sorted() const {
    std::vector<Eigen::Index> order(static_cast<std::size_t>(values_.size()));
    std::iota(order.begin(), order.end(), Eigen::Index{0});
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values_[a] < values_[b]; });
    return order;
  }

  // About each chain's own mean.
  Vector centred() const {
    Vector x = values_;
    for (Eigen::Index k = 0; k < chains_; ++k)
      x.segment(k * length(), length()).array() -= chain(k).mean();
    return x;
  }
  // Of centred chains, as 1/n of n − lag products.
  Scalar autocovariance(const Vector& x, Eigen::Index lag) const {
    const Eigen::Index n = length();
    Scalar sum(0);
    for (Eigen::Index k = 0; k < chains_; ++k)
      sum += x.segment(k * n, n - lag).dot(x.segment(k * n + lag, n - lag));
    return sum / static_cast<Scalar>(x.size());
  }

  Moments moments() const {
    const auto n = static_cast<Scalar>(length());
    Vector means(chains_);
    for (Eigen::Index k = 0; k < chains_; ++k) means[k] = chain(k).mean();
    const Scalar between =
        (means.array() - means.mean()).square().sum() / static_cast<Scalar>(chains_ - 1);
    const Scalar own = autocovariance(centred(), 0);  // (n − 1)/n of the variance
    return {own * n / (n - 1), own + between};
  }

  Vector values_;
  Eigen::Index chains_;
};

/// The halves of chains of a parameter, without the middle draw of an odd number.
template <class Scalar, class Array>
ChainsOfDraws<Scalar> halves_of_chains(const Array& draws, Eigen::Index parameter) {
  const Eigen::Index chains = draws.shape[0], length = draws.shape[1], size = draws.shape[2];
  const Eigen::Index half = length / 2;
  DynamicVector<Scalar> values(2 * chains * half);
  for (Eigen::Index k = 0; k < chains; ++k)
    for (Eigen::Index t = 0; t < 2 * half; ++t) {
      const Eigen::Index from = t < half ? t : t + length % 2;
      values[2 * half * k + t] = static_cast<Scalar>(
          draws.values[static_cast<std::size_t>((k * length + from) * size + parameter)]);
    }
  return {std::move(values), 2 * chains};
}

template <class Array>
Convergence convergence(const Array& draws) {
  require(draws.shape.size() == 3, "convergence",
          "draws must have three extents, chains x draws x parameters; their number",
          draws.shape.size());
  require(draws.shape[0] >= 1, "convergence", "there must be a chain", draws.shape[0]);
  require(draws.shape[1] >= 8, "convergence", "each chain must have 8 draws at least",
          draws.shape[1]);
  const Eigen::Index size = draws.shape[2];
  for (std::size_t k = 0; k < draws.values.size(); ++k)
    if (!std::isfinite(draws.values[k])) [[unlikely]] {
      const auto at = static_cast<std::int64_t>(k);
      invalid("convergence", "draws must be finite, but that of chain ", at / size / draws.shape[1],
              ", draw ", at / size % draws.shape[1], ", parameter ", at % size, " is ",
              draws.values[k]);
    }
  Convergence result{DynamicVector<double>(size), DynamicVector<double>(size),
                     DynamicVector<double>(size)};
  for (Eigen::Index k = 0; k < size; ++k) {
    const auto chains = halves_of_chains<double>(draws, k);
    const auto ranks = chains.rank_normalized();
    result.r_hat[k] =
        std::max(ranks.r_hat(), chains.distances_from_median().rank_normalized().r_hat());
    result.bulk_draws[k] = ranks.effective_draws();
    result.tail_draws[k] = std::min(chains.below(chains.quantile(0.05)).effective_draws(),
                                    chains.below(chains.quantile(0.95)).effective_draws());
  }
  return result;
}

}  // namespace ness::detail
#endif
