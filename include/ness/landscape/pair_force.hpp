// The force against the landscape that training without replacement sees (Secs. 3.2, 4.6, App. B).
#pragma once

#include <algorithm>
#include <optional>

#include "ness/landscape/objective.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/training/training.hpp"

namespace ness::detail {

/// The gradient of ½{a|∇𝓛|² + b [|∇L|²/(M−1) − (M/(M−1)) tr(VVᵀ)]}, a·H∇𝓛 − b·S/M with the
/// covariance S = (1/(M−1)) Σ_i ∂∂ℓ_i (∇ℓ_i − ∇L), and its scratch memory.
///
/// With a = b = 1 it is the gradient of half the mean of (∇ℓ_i + X)·(∇ℓ_j + X) over all pairs
/// i ≠ j, so the same formula for a random subset of samples is an estimate without bias. After the
/// first call none allocates.
template <class M, class R>
class PairForce {
 public:
  using Scalar = scalar_t<M>;
  using Vector = vector_t<M>;

  PairForce(const Objective<M, R>& objective, LandscapeParts parts)
      : parts_(parts),
        samples_(objective.samples()),
        derivatives_(objective.model()),
        regularizer_(objective.regularizer()),
        mean_(objective.parameters()),
        full_(objective.parameters()),
        common_(objective.parameters()),
        block_(objective.parameters(), 1),
        directions_(objective.parameters(), 1),
        products_(objective.parameters(), 1) {}

  /// From all samples. Cost: two passes of sample gradients and a Hessian product for each sample.
  void exact(const Vector& theta, Vector& force) {
    const Index width = std::min(samples_, Derivatives<M>::block_size);
    evaluate(theta, samples_, width, force, [&](const auto& work) {
      // All ranges have one width, which spares allocations: the last begins with samples of the
      // one before, and says how many of its own are new.
      for_each_range(samples_, width, [&](Index first, Index count) {
        work(std::min(first, samples_ - width), count);
      });
    });
  }

  /// From a random subset of at least two samples. Cost: two gradients and a Hessian product for
  /// each sample of it.
  void estimate(const Vector& theta, Batch subset, Vector& force) {
    evaluate(theta, static_cast<Index>(subset.size()), 1, force, [&](const auto& work) {
      for (const Index i : subset) work(i, 1);
    });
  }

 private:
  // `ranges(work)` calls work(first, count) for ranges of `width` samples of which the last `count`
  // are new.
  template <class Ranges>
  void evaluate(const Vector& theta, Index size, Index width, Vector& force, const Ranges& ranges) {
    for (auto* block : {&block_, &directions_, &products_}) block->resize(theta.size(), width);
    mean_.setZero();
    ranges([&](Index first, Index count) {
      derivatives_.sample_gradients(theta, first, block_);
      mean_ += block_.rightCols(count).rowwise().sum();
    });
    const auto k = static_cast<Scalar>(size);
    mean_ /= k;
    full_ = mean_;
    regularizer_.add_gradient(theta, full_);
    // (1/K) Σ_i ∂∂ℓ_i [a(ḡ + X) − c(∇ℓ_i − ḡ)]: a single product for each sample. The covariance
    // s of the subset has the mean S, and the product of its means that of H_L∇L + (1/K − 1/M)S.
    const auto a = static_cast<Scalar>(parts_.discretization);
    const auto b = static_cast<Scalar>(parts_.sampling);
    const Scalar c = k / (k - 1) * (a / k + (b - a) / static_cast<Scalar>(samples_));
    common_ = a * full_ + c * mean_;
    force.setZero(theta.size());
    ranges([&](Index first, Index count) {
      derivatives_.sample_gradients(theta, first, block_);
      directions_ = -c * block_;
      directions_.colwise() += common_;
      derivatives_.sample_hessian_products(theta, first, directions_, products_);
      force += products_.rightCols(count).rowwise().sum();
    });
    force /= k;
    full_ *= a;
    regularizer_.add_hessian_product(theta, full_, force);
  }

  LandscapeParts parts_;
  Index samples_;
  Derivatives<M> derivatives_;
  RegularizerDerivatives<R, Vector> regularizer_;
  Vector mean_, full_, common_;
  block_t<M> block_, directions_, products_;
};

/// A correction in one run: the force is taken at the start of an epoch and moves θ at its end.
template <class Objective, class Correction>
class CorrectionForce {
 public:
  using Scalar = typename Objective::Scalar;
  using Vector = typename Objective::Vector;

  CorrectionForce(const Correction& correction, const Objective& objective, const ChainShape& chain)
      : pairs_(objective, Correction::parts),
        updates_(static_cast<double>(chain.updates_per_markov_step)),
        force_(Vector::Zero(chain.parameters)) {
    set_learning_rate(chain.learning_rate);
    if (correction.samples > 0)
      sampler_.emplace(WithReplacement{correction.samples}, objective.samples());
  }

  /// At the start of a Markov step.
  void set_learning_rate(double learning_rate) {
    factor_ = static_cast<Scalar>(-learning_rate * learning_rate * updates_ * (updates_ - 1) / 2);
  }

  template <class Random>
  void begin_markov_step(const Vector& theta, Random& random) {
    if (factor_ == 0) return;
    if (sampler_)
      pairs_.estimate(theta, sampler_->next(random), force_);
    else
      pairs_.exact(theta, force_);
  }
  void end_markov_step(Vector& theta) { theta += factor_ * force_; }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(force_);
    if (sampler_) archive(*sampler_);
  }

 private:
  PairForce<typename Objective::Model, typename Objective::Regularizer> pairs_;
  double updates_;   // n
  Scalar factor_{};  // of the force, −η²n(n−1)/2
  Vector force_;
  std::optional<WithReplacement::Sampler> sampler_;
};

/// Nothing to be done.
template <class Objective, class Correction>
  requires(!CancelsLandscape<Correction>)
class CorrectionForce<Objective, Correction> {
 public:
  using Vector = typename Objective::Vector;
  CorrectionForce(const Correction&, const Objective&, const ChainShape&) {}
  void set_learning_rate(double) {}
  template <class Random>
  void begin_markov_step(const Vector&, Random&) {}
  void end_markov_step(Vector&) {}
  template <class Archive>
  void serialize(Archive&) {}
};

}  // namespace ness::detail
