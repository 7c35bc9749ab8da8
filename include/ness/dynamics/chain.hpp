// The Markov chain of a training: one update at a time, or one Markov step.
#pragma once

#include <random>
#include <utility>

#include "ness/landscape/objective.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/random/philox.hpp"
#include "ness/training/correction.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// θ' = θ − η [∇L_B(θ̃) + ∇R(θ̃)] + noise + correction (Eqs. 11, 12, Fig. 5), with the batches B of
/// the training's minibatch policy, θ̃ = θ or where its noise policy puts it, what that policy
/// injects, and its correction once for each Markov step.
///
/// The chain refers to the objective and owns its state: θ, the sampler, the random stream and the
/// scratch memory. A step allocates nothing, but what a model's own members do, and Eigen's
/// products of matrices too large for its stack buffer (128 KB). Copy a chain to branch it.
template <class Objective, class T, std::uniform_random_bit_generator Random = Philox>
class Chain {
 public:
  using Scalar = typename Objective::Scalar;
  using Vector = typename Objective::Vector;
  static_assert(NoisePolicy<decltype(T::noise), Vector>,
                "ness: the noise of a training needs check and a Source that is made of it and a "
                "ness::ChainShape: see ness::NoNoise");
  static_assert(std::is_same_v<decltype(T::correction), NoCorrection> ||
                    std::is_same_v<decltype(T::minibatch), WithoutReplacement>,
                "ness: a correction is for the landscape that WithoutReplacement sees: with other "
                "minibatches use NoCorrection");

  /// Starts at `theta`. Throws `std::invalid_argument` for settings that do not fit the objective,
  /// or a θ of another size or that is not finite.
  Chain(const Objective& objective, const T& training, Vector theta, Random random = Random{})
      : minus_learning_rate_(static_cast<Scalar>(-training.learning_rate)),
        updates_per_markov_step_(checked(objective, training)),
        theta_(std::move(theta)),
        gradient_(objective.parameters()),
        sampler_(training.minibatch, objective.samples()),
        random_(std::move(random)),
        noise_(training.noise, shape(objective, training)),
        correction_(training.correction, objective, shape(objective, training)),
        derivatives_(objective.model()),
        regularizer_(objective.regularizer()) {
    objective.check(theta_, "Chain");
  }
  Chain(Objective&&, const T&, Vector, Random = Random{}) = delete;  // it would dangle

  /// One update of the parameters.
  void update() {
    if (updates_ == 0) correction_.begin_markov_step(theta_, random_);
    const Vector& at = evaluation_point();
    derivatives_.batch_gradient(at, sampler_.next(random_), gradient_);
    regularizer_.add_gradient(at, gradient_);
    theta_ += minus_learning_rate_ * gradient_;
    if constexpr (InjectedNoise<decltype(T::noise)>) noise_.after_update(theta_, random_);
    if (++updates_ < updates_per_markov_step_) return;
    updates_ = 0;
    correction_.end_markov_step(theta_);
  }

  /// One Markov step: an update with replacement, an epoch without.
  void step() {
    for (Index k = 0; k < updates_per_markov_step_; ++k) update();
  }

  const Vector& theta() const { return theta_; }
  Index parameters() const { return theta_.size(); }
  Index updates_per_markov_step() const { return updates_per_markov_step_; }

  /// For checkpoints: θ and whatever decides the steps to come.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(theta_, sampler_, random_, noise_, correction_, updates_);
  }

 private:
  static Index checked(const Objective& objective, const T& training) {
    training.check(objective.samples(), "Chain");
    return training.minibatch.updates_per_markov_step(objective.samples());
  }

  const Vector& evaluation_point() {
    if constexpr (ShakingNoise<decltype(T::noise)>)
      return noise_.evaluation_point(theta_, random_);
    else
      return theta_;
  }

  static ChainShape shape(const Objective& objective, const T& training) {
    return {objective.parameters(), training.learning_rate,
            training.minibatch.updates_per_markov_step(objective.samples())};
  }

  Scalar minus_learning_rate_;
  Index updates_per_markov_step_;
  Index updates_ = 0;  // of this Markov step
  Vector theta_;
  Vector gradient_;
  typename decltype(T::minibatch)::Sampler sampler_;
  Random random_;
  typename decltype(T::noise)::template Source<Vector> noise_;
  detail::CorrectionForce<decltype(T::correction), Objective> correction_;
  Derivatives<typename Objective::Model> derivatives_;
  RegularizerDerivatives<typename Objective::Regularizer, Vector> regularizer_;
};

}  // namespace ness
