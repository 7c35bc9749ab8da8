// A way of training as a system with drift and diffusion (Secs. 3.1, 3.2): the continuous process
// of which SGD is a sample.
#pragma once

#include "ness/diffusion/epochs.hpp"
#include "ness/diffusion/independent_batches.hpp"
#include "ness/landscape/effective_landscape.hpp"

namespace ness {

/// SGD and samplers with their θ-dependent noise, per Markov step: μ = ηI, D(θ) of the minibatch
/// and noise policies (Eqs. 13, 17, 37, 38), 𝓛 with replacement and 𝓛̂ of an epoch without. What is
/// left out are the noise's higher moments and the finite step. It refers to the objective.
///
/// Cost: D and ∇𝓛 at a point each take a pass over the samples, ∇·D 2N passes: for small N.
template <class Objective, IsTraining T>
class TrainingSystem {
 public:
  using Scalar = typename Objective::Scalar;
  using Vector = typename Objective::Vector;
  using Matrix = typename Objective::Matrix;
  static constexpr int size = Vector::RowsAtCompileTime;  ///< N, or Eigen::Dynamic
  static_assert(!ShakingNoise<typename T::Noise>,
                "ness: the earthquake model's system is that of its linear stationary state, "
                "predict(objective, minimum, training).linear_system()");
  static_assert(!DrawsEpochs<T> || DrawsOrders<T>,
                "ness: the system of epochs is known of ness::WithoutReplacement alone");
  static_assert(RemembersNothing<typename T::Update>,
                "ness: with an update that remembers, theta alone is no system: use ness::Plain, "
                "or `predict` for its linear stationary state");

  /// Throws `std::invalid_argument` for settings that do not fit the objective.
  TrainingSystem(const Objective& objective, const T& training)
      : objective_(&objective), training_(training) {
    training.check(objective.samples(), "TrainingSystem");
  }
  TrainingSystem(Objective&&, const T&) = delete;  // it would dangle

  Index parameters() const
    requires(size == Eigen::Dynamic)
  {
    return objective_->parameters();
  }
  static constexpr Index parameters()
    requires(size != Eigen::Dynamic)
  {
    return size;
  }

  Scalar potential(const Vector& theta) const {
    if constexpr (DrawsEpochs<T>)
      return EffectiveLandscape(*objective_, training_).value(theta);
    else
      return objective_->value(theta);
  }
  void gradient(const Vector& theta, Vector& gradient) const {
    if constexpr (DrawsEpochs<T>)
      gradient = EffectiveLandscape(*objective_, training_).gradient(theta);
    else
      gradient = objective_->gradient(theta);
  }
  Matrix mobility() const {
    return static_cast<Scalar>(training_.learning_rate) *
           Matrix::Identity(parameters(), parameters());
  }
  void diffusion(const Vector& theta, Matrix& d) const {
    d = ness::diffusion(*objective_, theta, training_);
  }

 private:
  const Objective* objective_;
  T training_;
};

}  // namespace ness
