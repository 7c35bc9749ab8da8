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
        amplitude_(
            static_cast<Scalar>(std::sqrt(2 * chain.learning_rate * static_cast<double>(period_)))),
        z_(chain.parameters) {}

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
  Scalar amplitude_;
  Normal normal_;
  Vector z_;
};

/// + √(η/2) (z_t + z_{t+1}) after update t.
template <class Noise, class Vector>
class SharedNormalSteps {
 public:
  SharedNormalSteps(const Noise&, const ChainShape& chain)
      : amplitude_(static_cast<Scalar>(std::sqrt(chain.learning_rate / 2))),
        last_(Vector::Zero(chain.parameters)),
        next_(chain.parameters) {}

  template <class Random>
  void after_update(Vector& theta, Random& random) {
    if (!std::exchange(begun_, true)) normal_.fill(random, last_);
    normal_.fill(random, next_);
    theta += amplitude_ * (last_ + next_);
    last_.swap(next_);
  }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(normal_, begun_, last_);
  }

 private:
  using Scalar = typename Vector::Scalar;
  Scalar amplitude_;
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
