// The Markov chain of a training: one update at a time, or one Markov step.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/fingerprint.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/landscape/pair_force.hpp"
#include "ness/random/philox.hpp"
#include "ness/training/training.hpp"
#include "ness/update/kinetic.hpp"

namespace ness {

/// θ' = θ − η [∇L_B(θ̃) + ∇R(θ̃)] + noise + correction (Eqs. 11, 12, Fig. 5), or what the update
/// policy makes of these gradients, with the batches B of the training's minibatch policy, θ̃ = θ or
/// where its noise policy puts it, what that policy injects, and its correction once for each
/// Markov step.
///
/// The chain refers to the objective and owns its state: θ, the sampler, what the update remembers,
/// the random stream and the scratch memory. A step allocates nothing, but what a model's own
/// members do, and Eigen's products of matrices too large for its stack buffer (128 KB). Copy a
/// chain to branch it.
template <class Objective, IsTraining T, RandomBits Random = Philox>
class Chain {
 public:
  using Scalar = typename Objective::Scalar;
  using Vector = typename Objective::Vector;
  using Sampler = typename T::Minibatch::Sampler;  ///< of the minibatch policy
  /// What it draws: a `Batch`, or one in parts.
  using Drawn = decltype(std::declval<Sampler&>().next(std::declval<Random&>()));
  static_assert(NoisePolicy<typename T::Noise, Vector>,
                "ness: the noise of a training needs check, description, a Source that is made of "
                "it and a ness::ChainShape, and one of `silent`, `injection` (with the Source's "
                "after_update) and `evaluation_variance()` (with its evaluation_point) that says "
                "what it does: see ness::NoNoise, ness::LangevinNoise and ness::Earthquake");
  static_assert(!CancelsLandscape<typename T::Correction> || DrawsEpochs<T>,
                "ness: a correction is for the landscape that WithoutReplacement sees: with other "
                "minibatches use NoCorrection");

  static_assert(KineticUpdate<typename T::Update> || UpdatePolicy<typename T::Update, Vector>,
                "ness: the update of a training needs check, description and a State that is made "
                "of it, a learning rate and the number of parameters, with move(theta, gradient): "
                "see ness::Plain and ness::HeavyBall");
  static_assert(RemembersNothing<typename T::Update> ||
                    !(IsSampler<T> || CancelsLandscape<typename T::Correction>),
                "ness: injected noise and corrections are those of an update that remembers "
                "nothing: use ness::Plain, or NoNoise and NoCorrection");

  /// Starts at `theta`. Throws `std::invalid_argument` for settings that do not fit the objective,
  /// or a θ of another size or that is not finite.
  template <class Theta>
  Chain(const Objective& objective, const T& training, const Eigen::MatrixBase<Theta>& theta,
        Random random = Random{})
      : objective_(&objective),
        training_(checked(objective, training)),
        updates_per_markov_step_(training.updates_per_markov_step(objective.samples())),
        theta_(objective.point(theta, "Chain")),
        gradient_(objective.parameters()),
        sampler_(training.minibatch, objective.samples()),
        update_(training.update, training.learning_rate, objective.parameters()),
        random_(std::move(random)),
        noise_(training.noise, shape()),
        correction_(training.correction, objective, shape()),
        derivatives_(objective.model()),
        regularizer_(objective.regularizer()) {}
  template <class Theta>
  Chain(Objective&&, const T&, const Eigen::MatrixBase<Theta>&,
        Random = Random{}) = delete;  // it would dangle

  /// One update of the parameters.
  void update() {
    update_by([](auto& derivatives, const Vector& at, const auto& batch, Vector& gradient) {
      derivatives.batch_gradient(at, batch, gradient);
    });
  }

  /// The same by another estimate of ∇L(θ̃): `estimate(derivatives, θ̃, batch, gradient)` overwrites
  /// the gradient, N, with the `Derivatives` of the model and the batch of this update.
  template <class Estimate>
  void update_by(const Estimate& estimate) {
    const Vector& at = begin_update();
    estimate(derivatives_, at, sampler_.next(random_), gradient_);
    end_update(at);
  }

  /// One Markov step: an update with replacement, an epoch without.
  void step() {
    for (Index k = 0; k < updates_per_markov_step_; ++k) update();
  }

  /// How many chains take less time side by side than one after the other, at most.
  static constexpr std::size_t together =
      std::convertible_to<Drawn, Batch> ? chains_together<typename Objective::Model> : 1;

  /// One update of each of `together` chains at most, which does, to the last bit, what it does
  /// alone: side by side where they have one objective, else one after the other.
  static void update(std::span<Chain* const> chains)
    requires(together > 1)
  {
    if (!are_alike(chains)) {
      for (Chain* const chain : chains) chain->update();
      return;
    }
    std::array<const Vector*, together> at;
    std::array<Batch, together> batches;
    std::array<Vector*, together> gradients;
    const std::size_t count = chains.size();
    for (std::size_t c = 0; c < count; ++c) {
      Chain& chain = *chains[c];
      at[c] = &chain.begin_update();
      batches[c] = chain.sampler_.next(chain.random_);
      gradients[c] = &chain.gradient_;
    }
    chains[0]->derivatives_.batch_gradients(std::span(at.data(), count),
                                            std::span(batches.data(), count),
                                            std::span(gradients.data(), count));
    for (std::size_t c = 0; c < count; ++c) chains[c]->end_update(*at[c]);
  }

  /// One Markov step of each.
  static void step(std::span<Chain* const> chains)
    requires(together > 1)
  {
    if (!are_alike(chains)) {
      for (Chain* const chain : chains) chain->step();
      return;
    }
    for (Index k = 0; k < chains[0]->updates_per_markov_step_; ++k) update(chains);
  }
  /// η of the updates to come: at the start of a Markov step, where it may be lowered or raised.
  /// What is remembered stays: velocities and buffers of gradients as they are, and the shared
  /// normal numbers of Leimkuhler and Matthews with the weights that keep Σ exact where η falls.
  /// Throws `std::logic_error` within a Markov step, `std::invalid_argument` unless η > 0.
  void set_learning_rate(double learning_rate) {
    static_assert(detail::TakesLearningRate<UpdateState>,
                  "ness: the learning rate of a running chain is changed by "
                  "set_learning_rate(double) of the State of its update: see ness::Plain");
    static_assert(SilentNoise<typename T::Noise> || detail::TakesLearningRate<NoiseSource>,
                  "ness: the learning rate of a running chain is changed by "
                  "set_learning_rate(double) of the Source of its noise: see ness::Earthquake");
    if (learning_rate == learning_rate_) return;
    detail::require_positive(learning_rate, "Chain::set_learning_rate", "learning_rate");
    if (updates_ != 0)
      throw std::logic_error(
          "ness: Chain::set_learning_rate: a Markov step has begun: call it before the first "
          "update of one");
    change_learning_rate(learning_rate);
  }
  /// η of the updates to come.
  double learning_rate() const { return learning_rate_; }

  const Vector& theta() const { return theta_; }
  /// What it refers to.
  const Objective& objective() const { return *objective_; }
  Index parameters() const { return theta_.size(); }
  Index updates_per_markov_step() const { return updates_per_markov_step_; }

  /// What the steps to come depend on at the start of a Markov step, besides random numbers.
  struct State {
    Vector theta;                                       ///< N
    typename T::Update::template State<Vector> update;  ///< what it remembers
    typename T::Noise::template Source<Vector> noise;   ///< what it remembers
  };
  /// A copy of it.
  State state() const { return {theta_, update_, noise_}; }
  /// Goes on from another, of a chain with the same settings; `other` has this one's then. Throws
  /// `std::logic_error` within a Markov step.
  void swap_state(State& other) {
    if (updates_ != 0)
      throw std::logic_error(
          "ness: Chain::swap_state: a Markov step has begun: call it before the first update of "
          "one");
    std::swap(theta_, other.theta);
    std::swap(update_, other.update);
    std::swap(noise_, other.noise);
  }

  /// The training in words, as it was given: for checkpoints and tables.
  std::string description() const { return training_.description(); }

  /// Of the losses of all samples and of ∇𝓛 at θ and at θ + 1 in each coordinate: what tells these
  /// data, model and regularizer from others in a checkpoint. Cost: four passes over the samples.
  std::uint64_t fingerprint() const {
    detail::Fingerprint result;
    for (const Scalar step : {Scalar(0), Scalar(1)}) {
      Vector at = theta_;
      for (Scalar& each : at) each += step;
      for (Index i = 0; i < objective_->samples(); ++i)
        result.add(static_cast<double>(objective_->model().sample_loss(at, i)));
      result.add(objective_->gradient(at));
    }
    return result.value();
  }

  /// For checkpoints: θ and whatever decides the steps to come.
  template <class Archive>
  void serialize(Archive& archive) {
    if constexpr (changes_learning_rate) {
      double learning_rate = learning_rate_;
      archive(learning_rate);
      if (learning_rate != learning_rate_) change_learning_rate(learning_rate);
    }
    archive(theta_, sampler_, update_, random_, noise_, correction_, updates_);
  }

 private:
  using UpdateState = typename T::Update::template State<Vector>;
  using NoiseSource = typename T::Noise::template Source<Vector>;
  static constexpr bool changes_learning_rate =
      detail::TakesLearningRate<UpdateState> &&
      (SilentNoise<typename T::Noise> || detail::TakesLearningRate<NoiseSource>);

  void change_learning_rate(double learning_rate) {
    learning_rate_ = learning_rate;
    update_.set_learning_rate(learning_rate);
    if constexpr (!SilentNoise<typename T::Noise>) noise_.set_learning_rate(learning_rate);
    correction_.set_learning_rate(learning_rate);
  }

  static const T& checked(const Objective& objective, const T& training) {
    training.check(objective.samples(), "Chain");
    return training;
  }

  // Have they one objective, and Markov steps of as many updates?
  static bool are_alike(std::span<Chain* const> chains) {
    for (const Chain* const chain : chains)
      if (chain->objective_ != chains[0]->objective_ ||
          chain->updates_per_markov_step_ != chains[0]->updates_per_markov_step_)
        return false;
    return true;
  }

  // Where the gradient is taken.
  const Vector& begin_update() {
    if (updates_ == 0) correction_.begin_markov_step(theta_, random_);
    if constexpr (KineticUpdate<typename T::Update>) update_.before_gradient(theta_, random_);
    return evaluation_point();
  }

  void end_update(const Vector& at) {
    regularizer_.add_gradient(at, gradient_);
    if constexpr (KineticUpdate<typename T::Update>)
      update_.after_gradient(theta_, gradient_, random_);
    else
      update_.move(theta_, gradient_);
    if constexpr (IsSampler<T>) noise_.after_update(theta_, random_);
    if (++updates_ < updates_per_markov_step_) return;
    updates_ = 0;
    correction_.end_markov_step(theta_);
  }

  const Vector& evaluation_point() {
    if constexpr (ShakingNoise<typename T::Noise>)
      return noise_.evaluation_point(theta_, random_);
    else
      return theta_;
  }

  ChainShape shape() const {
    return {objective_->parameters(), training_.learning_rate, updates_per_markov_step_};
  }

  const Objective* objective_;
  T training_;
  double learning_rate_ = training_.learning_rate;
  Index updates_per_markov_step_;
  Index updates_ = 0;  // of this Markov step
  Vector theta_;
  Vector gradient_;
  Sampler sampler_;
  UpdateState update_;
  Random random_;
  NoiseSource noise_;
  detail::CorrectionForce<Objective, typename T::Correction> correction_;
  Derivatives<typename Objective::Model> derivatives_;
  RegularizerDerivatives<typename Objective::Regularizer, Vector> regularizer_;
};

}  // namespace ness
