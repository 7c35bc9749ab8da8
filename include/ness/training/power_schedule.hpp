// Learning rates that fall from one Markov step to the next, as M. Welling and Y. W. Teh have them
// (ICML 2011).
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "ness/detail/check.hpp"

namespace ness {

/// η of Markov step t = 0, 1, …: a function of t that says in words what it is.
template <class Schedule>
concept LearningRateSchedule = requires(const Schedule& schedule, std::int64_t markov_step) {
  { schedule(markov_step) } -> std::convertible_to<double>;
  { schedule.description() } -> std::convertible_to<std::string>;
};

/// η_t = η₁ (1 + t/t₁)^{−γ} of Markov step t: a(b + t)^{−γ} with η₁ = ab^{−γ}, t₁ = b. With γ ≤ 1
/// Σ_t η_t has no bound, so that a chain forgets where it began; with γ = 0 η is constant.
///
///   const ness::PowerSchedule schedule{.first = 1e-6, .delay = 1000, .exponent = 1.0 / 3};
struct PowerSchedule {
  double first = 0;     ///< η₁
  double delay = 1;     ///< t₁, in Markov steps
  double exponent = 0;  ///< γ

  /// η of this Markov step, from 0.
  double operator()(std::int64_t markov_step) const {
    return first * std::pow(1 + static_cast<double>(markov_step) / delay, -exponent);
  }

  /// 1/(2p + 1): with it the error of means over the draws of a sampler, whose stationary state is
  /// wrong by η^p, falls fastest, as T^{−p/(2p+1)} (p = 1: Y. W. Teh, A. H. Thiery and S. J.
  /// Vollmer, JMLR 17, 7 (2016); p > 1: C. Chen, N. Ding and L. Carin, NIPS 2015).
  static constexpr double best_exponent(double order) { return 1 / (2 * order + 1); }

  /// Throws `std::invalid_argument` unless η₁ > 0, t₁ > 0 and 0 ≤ γ ≤ 1.
  void check(std::string_view function) const {
    detail::require_positive(first, function, "schedule.first");
    detail::require_positive(delay, function, "schedule.delay");
    detail::require(exponent >= 0 && exponent <= 1, function, "schedule.exponent must be in [0, 1]",
                    exponent);
  }
  std::string description() const {
    return "learning rate " + detail::in_words(first) + " (1 + t/" + detail::in_words(delay) +
           ")^-" + detail::in_words(exponent) + " of Markov step t";
  }
};

}  // namespace ness
