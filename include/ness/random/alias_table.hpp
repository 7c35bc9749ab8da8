// Numbers of unequal probability, in constant time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ness/random/uniform.hpp"

namespace ness {

/// Draws 0 … M − 1 with probabilities in the ratios of `rates`, which are positive (A. J. Walker,
/// ACM TOMS 3, 1977, doi:10.1145/355744.355749; M. D. Vose, IEEE TSE 17, 1991). Cost: O(M) to make,
/// an index and a real number for each draw; memory 12 M bytes.
class AliasTable {
 public:
  /// By these rates, which need not sum to 1.
  explicit AliasTable(const std::vector<double>& rates) : keep_(rates), other_(rates.size()) {
    double sum = 0;
    for (const double rate : rates) sum += rate;
    std::vector<std::uint32_t> poor, rich;
    for (std::uint32_t k = 0; k < keep_.size(); ++k) {
      keep_[k] *= static_cast<double>(keep_.size()) / sum;  // 1 is a fair share
      other_[k] = k;
      (keep_[k] < 1 ? poor : rich).push_back(k);
    }
    while (!poor.empty() && !rich.empty()) {
      const std::uint32_t receiver = poor.back(), giver = rich.back();
      poor.pop_back();
      other_[receiver] = giver;
      keep_[giver] -= 1 - keep_[receiver];
      if (keep_[giver] >= 1) continue;
      rich.pop_back();
      poor.push_back(giver);
    }
    for (const std::uint32_t k : poor) keep_[k] = 1;  // but for rounding they are
    for (const std::uint32_t k : rich) keep_[k] = 1;
  }

  /// A number from 0, by its rate.
  template <RandomBits Random>
  std::uint32_t draw(Random& random) const {
    const std::uint32_t k = uniform_index(random, static_cast<std::uint32_t>(keep_.size()));
    return uniform_real(random) < keep_[k] ? k : other_[k];
  }

  /// That with which each number is drawn.
  std::vector<double> probabilities() const {
    std::vector<double> result(keep_.size());
    const double share = 1 / static_cast<double>(keep_.size());
    for (std::size_t k = 0; k < keep_.size(); ++k) {
      result[k] += share * keep_[k];
      result[other_[k]] += share * (1 - keep_[k]);
    }
    return result;
  }

 private:
  std::vector<double> keep_;
  std::vector<std::uint32_t> other_;
};

}  // namespace ness
