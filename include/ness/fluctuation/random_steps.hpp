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

  /// Steps near `mean`, with the σ of `force` = F, N × N.
  RandomSteps(const O& objective, const T& training, Vector mean, DynamicMatrix<double> force,
              std::uint64_t seed)
      : objective_(objective),
        training_(training),
        mean_(std::move(mean)),
        force_(std::move(force)),
        seed_(seed) {}

  const Vector& mean() const { return mean_; }
  const DynamicMatrix<double>& force() const { return force_; }

  /// Δθ of the step from mean + δθ.
  Vector increment(const Vector& deviation, std::uint64_t stream) const {
    const Vector from = mean_ + deviation;
    Chain chain(objective_, training_, from, Philox(seed_, stream));
    const typename O::Vector before = chain.theta();
    chain.step();
    return (chain.theta() - before).template cast<double>();
  }
  /// One step of a trajectory: returns its σ.
  double step(Vector& deviation, std::uint64_t stream) const {
    const Vector change = increment(deviation, stream);
    const Vector force = force_ * deviation;
    deviation += change;
    return force.dot(change);
  }
  /// σ of `length` steps.
  double entropy(Vector deviation, int length, std::uint64_t stream) const {
    double sum = 0;
    for (int k = 0; k < length; ++k) sum += step(deviation, stream + static_cast<std::uint64_t>(k));
    return sum;
  }

 private:
  const O& objective_;
  const T& training_;
  Vector mean_;
  DynamicMatrix<double> force_;
  std::uint64_t seed_;
};

/// Streams that no chain uses; `kind` tells those of starts from those of steps.
inline std::uint64_t fluctuation_stream(std::uint64_t kind, std::uint64_t number) {
  return (kind << 40) + number;
}

}  // namespace ness::detail
