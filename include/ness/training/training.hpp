// A way of training: learning rate × minibatch × update × noise × correction. The prediction and
// the chain are made from the same settings.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/minibatch/minibatch.hpp"
#include "ness/update/update.hpp"

namespace ness {

/// What a noise policy must know of the chain that it moves.
struct ChainShape {
  Index parameters;               ///< N
  double learning_rate;           ///< η
  Index updates_per_markov_step;  ///< 1, or n without replacement
};

/// Nothing is injected: the only noise is that of the minibatches.
struct NoNoise {
  static constexpr bool silent = true;
  void check(std::string_view) const {}
  std::string description() const { return "no noise"; }

  /// The state of one run.
  template <class Vector>
  struct Source {
    Source(const NoNoise&, const ChainShape&) {}
    template <class Archive>
    void serialize(Archive&) {}
  };
};

/// A noise policy that does nothing, and says so: `static constexpr bool silent = true`.
template <class Noise>
concept SilentNoise = requires { requires Noise::silent; };

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

namespace detail {

/// The state of a noise that injects.
template <class Source, class Vector>
concept AddsNoise =
    requires(Source& source, Vector& theta, Philox& random) { source.after_update(theta, random); };

/// The state of a noise that shakes.
template <class Source, class Vector>
concept MovesGradient = requires(Source& source, const Vector& theta, Philox& random) {
  { source.evaluation_point(theta, random) } -> std::convertible_to<const Vector&>;
};

/// The state of an update or of a noise of a run in which the learning rate is changed.
template <class State>
concept TakesLearningRate =
    requires(State& state, double learning_rate) { state.set_learning_rate(learning_rate); };

}  // namespace detail

/// What may stand for the noise of a training: settings that say what it does, by `silent`,
/// `injection` or `evaluation_variance()`, and a `Source` that holds the state of one run and does
/// as they say.
template <class Noise, class Vector>
concept NoisePolicy = (SilentNoise<Noise> || ShakingNoise<Noise> ||
                       InjectedNoise<Noise>)&&requires(const Noise& noise) {
  noise.check(std::string_view{});
  { noise.description() } -> std::convertible_to<std::string>;
  requires std::constructible_from<typename Noise::template Source<Vector>, const Noise&,
                                   const ChainShape&>;
  requires !InjectedNoise<Noise> ||
               detail::AddsNoise<typename Noise::template Source<Vector>, Vector>;
  requires !ShakingNoise<Noise> ||
               detail::MovesGradient<typename Noise::template Source<Vector>, Vector>;
};

/// How much of each part of δ𝓛 is meant: a|∇𝓛|² + b [|∇L|²/(M−1) − (M/(M−1)) tr(VVᵀ)].
struct LandscapeParts {
  double discretization = 1;  ///< a: of the finite steps, there without any sampling
  double sampling = 1;        ///< b: of the batches
};

/// The drift is that of the minibatch gradient alone.
struct NoCorrection {
  void check(Index, std::string_view) const {}
  std::string description() const { return "no correction"; }
};

/// A correction says which parts of δ𝓛 it cancels, and from how many samples it takes the force
/// (0: from all).
template <class Correction>
concept CancelsLandscape = requires(const Correction& correction) {
  { Correction::parts } -> std::convertible_to<LandscapeParts>;
  { correction.samples } -> std::convertible_to<Index>;
};

/// The settings of a chain: gradients g = ∇L_B(θ) + ∇R(θ) of minibatches B, which an update policy
/// makes steps of, θ' = θ − ηg + noise + correction where it is `Plain`.
template <class B, class Update_ = Plain, class Noise_ = NoNoise, class Correction_ = NoCorrection>
struct Training {
  static_assert(Minibatch<B>,
                "ness: the minibatch policy of a training needs check, description, weight_moments "
                "and a Sampler: see ness::WithReplacement");
  static_assert(!Minibatch<B> || IndependentBatches<B> != EpochBatches<B>,
                "ness: a minibatch policy must say that its batches are `independent`, or have "
                "batches_per_epoch and epoch_correlation: see ness::WithReplacement and "
                "ness::WithoutReplacement");
  using Minibatch = B;
  using Update = Update_;
  using Noise = Noise_;
  using Correction = Correction_;

  double learning_rate = 0;  ///< η
  B minibatch{};             ///< which samples an update sees
  /// How a gradient moves θ.
  [[no_unique_address]] Update update{};
  /// What is added to that.
  [[no_unique_address]] Noise noise{};
  /// What of the effective landscape is taken off.
  [[no_unique_address]] Correction correction{};

  /// Throws `std::invalid_argument` unless η > 0 and the policies accept M samples.
  void check(Index samples, std::string_view function) const {
    detail::require_positive(learning_rate, function, "learning_rate");
    minibatch.check(samples, function);
    update.check(function);
    noise.check(function);
    correction.check(samples, function);
  }

  /// n = M/m of epochs, 1 where batches are independent.
  Index updates_per_markov_step(Index samples) const {
    if constexpr (EpochBatches<B>)
      return minibatch.batches_per_epoch(samples);
    else
      return 1;
  }

  /// In words: for messages and tables, and what tells one run from another in a checkpoint.
  std::string description() const {
    return "learning rate " + detail::in_words(learning_rate) + ", " + minibatch.description() +
           ", " + update.description() + ", " + noise.description() + ", " +
           correction.description();
  }
};

/// A composition of policies with a learning rate, whatever they are.
template <class T>
concept IsTraining = requires(const T& training, Index samples) {
  typename T::Minibatch;
  typename T::Update;
  typename T::Noise;
  typename T::Correction;
  { training.learning_rate } -> std::convertible_to<double>;
  { training.minibatch } -> std::convertible_to<const typename T::Minibatch&>;
  { training.update } -> std::convertible_to<const typename T::Update&>;
  { training.noise } -> std::convertible_to<const typename T::Noise&>;
  { training.correction } -> std::convertible_to<const typename T::Correction&>;
  training.check(samples, std::string_view{});
  { training.updates_per_markov_step(samples) } -> std::convertible_to<Index>;
  { training.description() } -> std::convertible_to<std::string>;
};

/// One Markov step is one update.
template <class T>
concept DrawsIndependently = IsTraining<T> && IndependentBatches<typename T::Minibatch>;
/// One Markov step is one epoch.
template <class T>
concept DrawsEpochs = IsTraining<T> && EpochBatches<typename T::Minibatch>;
/// Its epochs are a random order of all samples, whose moments Appendix B needs.
template <class T>
concept DrawsOrders = IsTraining<T> && StatesOrderMoments<typename T::Minibatch>;
/// What was drawn before is of no consequence: θ alone is a Markov chain.
template <class T>
concept Forgets = IsTraining<T> && RemembersNothing<typename T::Update>;
/// A sampler of the posterior: noise is injected.
template <class T>
concept IsSampler = IsTraining<T> && InjectedNoise<typename T::Noise>;

/// Stochastic gradient descent (Sec. 3), and with momentum:
///   ness::Sgd<ness::WithReplacement> training{.learning_rate = 1e-3, .minibatch = {10}};
///   ness::Sgd<ness::WithoutReplacement, ness::HeavyBall> training{
///       .learning_rate = 1e-3, .minibatch = {10}, .update = {.momentum = 0.9}};
template <class B, class Update = Plain>
using Sgd = Training<B, Update>;

/// The same batches, learning rate and updates without what is injected and corrected.
template <IsTraining T>
Sgd<typename T::Minibatch, typename T::Update> without_noise(const T& training) {
  return {.learning_rate = training.learning_rate,
          .minibatch = training.minibatch,
          .update = training.update};
}

}  // namespace ness
