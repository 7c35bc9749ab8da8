// Injected noise, which makes a sampler of the posterior e^{−𝓛} of a training (Sec. 4.6).
#pragma once

#include <cmath>
#include <utility>

#include "ness/random/normal.hpp"
#include "ness/training/training.hpp"

namespace ness {

namespace detail {

/// + √(2ηp) z after every p-th update, z ~ N(0, I).
template <class Noise, class Vector>
class NormalSteps {
 public:
  NormalSteps(const Noise&, const ChainShape& chain)
      : period_(Noise::injection.once_a_markov_step ? chain.updates_per_markov_step : 1),
        z_(chain.parameters) {
    set_learning_rate(chain.learning_rate);
  }

  void set_learning_rate(double learning_rate) {
    amplitude_ = static_cast<Scalar>(std::sqrt(2 * learning_rate * static_cast<double>(period_)));
  }

  template <class Random>
  void after_update(Vector& theta, Random& random) {
    if (++updates_ < period_) return;
    updates_ = 0;
    normal_.fill(random, z_);
    theta += amplitude_ * z_;
  }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(normal_, updates_);
  }

 private:
  using Scalar = typename Vector::Scalar;
  Index period_;
  Index updates_ = 0;
  Scalar amplitude_{};
  Normal normal_;
  Vector z_;
};

/// + √(η/2) (z_t + z_{t+1}) after update t, where η stays what it is. What makes Σ exact is that
/// a share a of z_t is in θ_t already, and w of it and a' of z_{t+1} are added, with
///
///   2aw = η,   w² + a'² = η
///
/// (then ⟨θθ⟩ is kept, with (1 − ηh)²/h + w² + a'² + 2(1 − ηh)aw = 1/h, and it is as good as that
/// of constant η where 𝓛 is not quadratic: the terms of order η² of the change of any mean
/// vanish). So where η falls from step to step a' follows from a, w = η/2a, and is above √(η/2).
/// Where it rises, which this cannot follow for long, a step begins anew with w = a' = √(η/2).
template <class Noise, class Vector>
class SharedNormalSteps {
 public:
  SharedNormalSteps(const Noise&, const ChainShape& chain)
      : last_(Vector::Zero(chain.parameters)), next_(chain.parameters) {
    set_learning_rate(chain.learning_rate);
    in_theta_ = half_;
  }

  void set_learning_rate(double learning_rate) {
    learning_rate_ = learning_rate;
    half_ = std::sqrt(learning_rate / 2);
    if (!begun_) in_theta_ = half_;
  }

  template <class Random>
  void after_update(Vector& theta, Random& random) {
    if (!std::exchange(begun_, true)) normal_.fill(random, last_);
    normal_.fill(random, next_);
    if (in_theta_ <= half_) {
      theta += static_cast<Scalar>(half_) * (last_ + next_);
      in_theta_ = half_;
    } else {
      const double more = learning_rate_ / (2 * in_theta_);
      in_theta_ = std::sqrt(learning_rate_ - more * more);
      theta += static_cast<Scalar>(more) * last_ + static_cast<Scalar>(in_theta_) * next_;
    }
    last_.swap(next_);
  }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(normal_, begun_, last_, in_theta_);
  }

 private:
  using Scalar = typename Vector::Scalar;
  double learning_rate_ = 0, half_ = 0;  // η, √(η/2)
  double in_theta_ = 0;                  // a, of last_ in θ
  Normal normal_;
  bool begun_ = false;
  Vector last_, next_;
};

}  // namespace detail

/// + √(2η) z after each update, z ~ N(0, I) (Fig. 5, left): the step of Euler and Maruyama. What it
/// leaves in Σ of its own is a relative ηh/2.
struct LangevinNoise {
  static constexpr Injection injection{.once_a_markov_step = false, .shared = false};
  void check(std::string_view) const {}
  std::string description() const { return "Langevin noise after each update"; }
  template <class Vector>
  using Source = detail::NormalSteps<LangevinNoise, Vector>;
};

/// + √(2ηn) z after the n updates of a Markov step (Fig. 5, right): one step of Euler and Maruyama
/// of size ηn. What it leaves in Σ of its own is a relative ηnh/2, n times that of `LangevinNoise`.
struct EpochLangevinNoise {
  static constexpr Injection injection{.once_a_markov_step = true, .shared = false};
  void check(std::string_view) const {}
  std::string description() const { return "Langevin noise once a Markov step"; }
  template <class Vector>
  using Source = detail::NormalSteps<EpochLangevinNoise, Vector>;
};

/// + √(η/2) (z_t + z_{t+1}) after update t, in place of √(2η) z_t: neighbours share half of their
/// noise, which makes Σ exact at any stable η where 𝓛 is quadratic (B. Leimkuhler and C. Matthews,
/// Appl. Math. Res. Express 2013, 34, doi:10.1093/amrx/abs010).
struct LeimkuhlerMatthewsNoise {
  static constexpr Injection injection{.once_a_markov_step = false, .shared = true};
  void check(std::string_view) const {}
  std::string description() const { return "noise of Leimkuhler and Matthews"; }
  template <class Vector>
  using Source = detail::SharedNormalSteps<LeimkuhlerMatthewsNoise, Vector>;
};

}  // namespace ness
