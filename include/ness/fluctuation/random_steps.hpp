// Markov steps of a training as random maps that may be taken from several points.
#pragma once

#include <cstdint>
#include <utility>

#include "ness/detail/matrices.hpp"
#include "ness/dynamics/chain.hpp"
#include "ness/random/philox.hpp"

namespace ness::detail {

/// Real Markov steps as random maps: step k of start i is the same map wherever it is taken.
template <class O, IsTraining T>
class RandomSteps {
 public:
  using Vector = DynamicVector<double>;

  /// Steps near `mean`, N.
  RandomSteps(const O& objective, const T& training, Vector mean, std::uint64_t seed)
      : objective_(objective), training_(training), mean_(std::move(mean)), seed_(seed) {}

  /// Δθ of the step from mean + δθ.
  Vector increment(const Vector& deviation, std::uint64_t stream) const {
    const Vector from = moved(mean_, 1.0, deviation);
    Chain chain(objective_, training_, from, Philox(seed_, stream));
    const typename O::Vector before = chain.theta();
    chain.step();
    return converted<double>(typename O::Vector(chain.theta() - before));
  }

 private:
  const O& objective_;
  const T& training_;
  Vector mean_;
  std::uint64_t seed_;
};

/// Streams that no chain uses; `kind` tells those of starts from those of steps.
inline std::uint64_t fluctuation_stream(std::uint64_t kind, std::uint64_t number) {
  return (kind << 40) + number;
}

}  // namespace ness::detail
