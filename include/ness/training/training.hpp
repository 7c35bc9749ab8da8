// A way of training: learning rate × minibatch × noise × correction. The prediction and the chain
// are made from the same settings.
#pragma once

#include <concepts>

#include "ness/detail/check.hpp"
#include "ness/minibatch/minibatch.hpp"

namespace ness {

/// What a noise policy must know of the chain that it moves.
struct ChainShape {
  Index parameters;               ///< N
  double learning_rate;           ///< η
  Index updates_per_markov_step;  ///< 1, or n without replacement
};

/// Nothing is injected: the only noise is that of the minibatches.
struct NoNoise {
  void check(std::string_view) const {}
  /// The variance, in each direction, of where the gradient is taken about θ.
  double evaluation_variance() const { return 0; }

  /// The state of one run.
  template <class Vector>
  struct Source {
    Source(const NoNoise&, const ChainShape&) {}
    /// Where the gradient of an update is taken.
    template <class Random>
    const Vector& evaluation_point(const Vector& theta, Random&) {
      return theta;
    }
    /// Moves θ when an update is made.
    template <class Random>
    void after_update(Vector&, Random&) {}
    template <class Archive>
    void serialize(Archive&) {}
  };
};

/// What may stand for the noise of a training.
template <class Noise, class Vector>
concept NoisePolicy = std::constructible_from < typename Noise::template Source<Vector>,
const Noise&, const ChainShape& > &&requires(const Noise& noise,
                                             typename Noise::template Source<Vector>& source,
                                             const Vector& theta, Vector& moved, Philox& random) {
  noise.check(std::string_view{});
  { noise.evaluation_variance() } -> std::convertible_to<double>;
  { source.evaluation_point(theta, random) } -> std::convertible_to<const Vector&>;
  source.after_update(moved, random);
};

/// The drift is that of the minibatch gradient alone.
struct NoCorrection {
  void check(Index, std::string_view) const {}
};

/// The settings of a chain θ' = θ − η [∇L_B(θ) + ∇R(θ)] + noise + correction.
template <Minibatch B, class Noise = NoNoise, class Correction = NoCorrection>
struct Training {
  double learning_rate = 0;  ///< η
  B minibatch{};
  [[no_unique_address]] Noise noise{};
  [[no_unique_address]] Correction correction{};

  /// Throws `std::invalid_argument` unless η > 0 and the policies accept M samples.
  void check(Index samples, std::string_view function) const {
    detail::require_positive(learning_rate, function, "learning_rate");
    minibatch.check(samples, function);
    noise.check(function);
    correction.check(samples, function);
  }
};

/// Stochastic gradient descent (Sec. 3):
///   ness::Sgd<ness::WithReplacement> training{.learning_rate = 1e-3, .minibatch = {10}};
template <Minibatch B>
using Sgd = Training<B, NoNoise, NoCorrection>;

/// The same batches and learning rate without what is injected and corrected.
template <Minibatch B, class Noise, class Correction>
Sgd<B> without_noise(const Training<B, Noise, Correction>& training) {
  return {.learning_rate = training.learning_rate, .minibatch = training.minibatch};
}

}  // namespace ness
