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

  /// The state of one run.
  template <class Vector>
  struct Source {
    Source(const NoNoise&, const ChainShape&) {}
    template <class Archive>
    void serialize(Archive&) {}
  };
};

/// What may stand for the noise of a training: settings, and a `Source` that holds the state of one
/// run. What else it has says what it does: see `ShakingNoise` and `InjectedNoise`.
template <class Noise, class Vector>
concept NoisePolicy = requires(const Noise& noise) {
  noise.check(std::string_view{});
  requires std::constructible_from<typename Noise::template Source<Vector>, const Noise&,
                                   const ChainShape&>;
};

/// A noise policy that takes gradients elsewhere than at θ: at `source.evaluation_point(theta,
/// random)`, whose variance about θ is `evaluation_variance()` in each direction.
template <class Noise>
concept ShakingNoise = requires(const Noise& noise) {
  { noise.evaluation_variance() } -> std::convertible_to<double>;
};

/// How normal numbers are added to θ.
struct Injection {
  bool once_a_markov_step;  ///< all of it at the end of a Markov step, not after each update
  bool shared;              ///< half of each number with the update before, half with the next
};

/// A noise policy that adds normal numbers to θ by `source.after_update(theta, random)`, of
/// variance 2η for each update: Langevin dynamics at temperature 1, whose stationary state becomes
/// e^{−𝓛} as η → 0 (Sec. 4.6).
template <class Noise>
concept InjectedNoise = requires {
  { Noise::injection } -> std::convertible_to<Injection>;
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
