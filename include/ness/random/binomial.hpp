// Binomial numbers by halving (L. Devroye, Non-Uniform Random Variate Generation, 1986, X.4,
// doi:10.1007/978-1-4613-8643-8), the same with every standard library.
#pragma once

#include <cstdint>

#include "ness/random/gamma.hpp"
#include "ness/random/uniform.hpp"

namespace ness {

/// A source of independent numbers of successes in n trials of probability p.
///
/// The median of n uniform numbers is a beta number, and tells on which side of p half of them are.
/// Precondition: n ≥ 0, 0 ≤ p ≤ 1. Cost: two gamma numbers for each halving of n down to 16, then
/// as many uniform ones.
class Binomial {
 public:
  /// How many of n, each with chance p.
  template <RandomBits Random>
  std::int64_t operator()(Random& random, std::int64_t n, double p) {
    std::int64_t successes = 0;
    while (n > 16) {
      const std::int64_t below = n / 2;
      const double first = gamma_(random, static_cast<double>(below + 1));
      const double second = gamma_(random, static_cast<double>(n - below));
      const double median = first / (first + second);
      if (median <= p) {
        successes += below + 1;
        n -= below + 1;
        p = (p - median) / (1 - median);
      } else {
        n = below;
        p /= median;
      }
    }
    for (; n > 0; --n) successes += uniform_real(random) < p ? 1 : 0;
    return successes;
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(gamma_);
  }

 private:
  Gamma gamma_;
};

}  // namespace ness
