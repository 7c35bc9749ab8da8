// A chain whose batch gradients are taken against a reference that moves with it (not in the
// paper).
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/dynamics/chain.hpp"
#include "ness/model/derivatives.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// A chain with stochastic variance-reduced gradients, SVRG (R. Johnson and T. Zhang, NIPS 2013;
/// of samplers K. A. Dubey et al., arXiv 1612.00875, N. S. Chatterji et al., arXiv 1802.05431):
/// in place of ∇L_B(θ) it takes
///   ∇L_B(θ) − ∇L_B(θ_r) + ∇L(θ_r),
/// without bias for any minibatch policy and any θ_r that the batch does not depend on. The
/// reference θ_r is where the gradient of every Kth update is taken, the first one included, which
/// is that of all samples and has no noise; between, noise grows with the square of the distance
/// that the chain has gone. Where losses are quadratic it is that of (H_B − H)(θ − θ_r) alone.
///
///   ness::VarianceReduced chain(ness::Chain(objective, sampler, start, ness::Philox(1)), 50);
///
/// It is a chain as any, for `run_chains`, its checkpoints, `Scheduled` and `Projected`: the pair
/// (θ, θ_r) is part of the state, so that θ is a Markov chain from one renewal to the next. With a
/// minimum known beforehand `ControlVariates` there costs no renewals.
///
/// Cost: M gradients of single samples where the reference is renewed, two of each sample of a
/// batch else: `gradient_evaluations(training, M, K)`; memory 3N numbers. A step allocates nothing,
/// but what a model's own members do.
template <class Objective, IsTraining T, RandomBits Random>
class VarianceReduced {
 public:
  using Inner = Chain<Objective, T, Random>;  ///< the chain that it moves
  using Scalar = typename Objective::Scalar;
  using Vector = typename Objective::Vector;
  static_assert(!CancelsLandscape<typename T::Correction>,
                "ness: a correction is for the noise that batches have without a reference: use "
                "NoCorrection with ness::VarianceReduced");

  /// `renew_every` is K, in updates. Throws `std::invalid_argument` unless K ≥ 1.
  VarianceReduced(Inner chain, Index renew_every)
      : chain_(std::move(chain)),
        all_(chain_.objective().model()),
        renew_every_(renew_every),
        reference_(chain_.theta()),
        of_all_(Vector::Zero(chain_.parameters())),
        of_batch_(Vector::Zero(chain_.parameters())) {
    detail::require(renew_every >= 1, "VarianceReduced", "renew_every must be at least 1",
                    renew_every);
  }

  /// One update of the parameters.
  void update() {
    chain_.update_by(
        [this](auto& derivatives, const Vector& at, const auto& batch, Vector& gradient) {
          if (since_renewal_ == 0) {
            reference_ = at;
            all_.loss_gradient(at, of_all_);
            gradient = of_all_;
          } else {
            derivatives.batch_gradient(at, batch, gradient);
            derivatives.batch_gradient(reference_, batch, of_batch_);
            gradient += of_all_ - of_batch_;
          }
          if (++since_renewal_ == renew_every_) since_renewal_ = 0;
        });
  }

  /// One Markov step of the chain.
  void step() {
    for (Index k = chain_.updates_per_markov_step(); k > 0; --k) update();
  }

  const Vector& theta() const { return chain_.theta(); }
  /// θ_r, N: where it begins, until the first update.
  const Vector& reference() const { return reference_; }
  /// K, in updates.
  Index renew_every() const { return renew_every_; }
  /// The chain that it moves.
  const Inner& chain() const { return chain_; }
  /// N
  Index parameters() const { return chain_.parameters(); }
  /// As of the chain.
  Index updates_per_markov_step() const { return chain_.updates_per_markov_step(); }
  /// η of the updates to come.
  double learning_rate() const { return chain_.learning_rate(); }
  /// As of the chain.
  void set_learning_rate(double learning_rate) { chain_.set_learning_rate(learning_rate); }

  /// In words, for checkpoints and tables.
  std::string description() const {
    return chain_.description() + ", reference renewed every " + std::to_string(renew_every_) +
           " updates";
  }
  /// As of the chain itself.
  std::uint64_t fingerprint() const { return chain_.fingerprint(); }
  /// For checkpoints: whatever decides the steps to come.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(chain_, reference_, of_all_, since_renewal_);
  }

 private:
  Inner chain_;
  Derivatives<typename Objective::Model> all_;  // apart: its memory is of other sizes
  Index renew_every_;
  Index since_renewal_ = 0;               // updates
  Vector reference_, of_all_, of_batch_;  // of_all_: ∇L(θ_r)
};

}  // namespace ness
