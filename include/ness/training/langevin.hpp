// Injected noise, which makes a sampler of the posterior e^{−𝓛} of a training (Sec. 4.6).
#pragma once

#include <cmath>
#include <utility>

#include "ness/random/normal.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// A noise policy that adds normal numbers to θ, of variance 2η for each update: Langevin dynamics
/// at temperature 1, whose stationary state becomes e^{−𝓛} as η → 0.
template <class Noise>
concept InjectedNoise = requires {
  requires Noise::is_injected;
};

/// + √(2η) z after each update, z ~ N(0, I) (Fig. 5, left): the step of Euler and Maruyama. What it
/// leaves in Σ of its own is a relative ηh/2.
struct LangevinNoise {
  static constexpr bool is_injected = true;
  void check(std::string_view) const {}
  double evaluation_variance() const { return 0; }

  template <class Vector>
  class Source {
   public:
    Source(const LangevinNoise&, const ChainShape& chain)
        : amplitude_(static_cast<Scalar>(std::sqrt(2 * chain.learning_rate))),
          z_(chain.parameters) {}
    template <class Random>
    const Vector& evaluation_point(const Vector& theta, Random&) {
      return theta;
    }
    template <class Random>
    void after_update(Vector& theta, Random& random) {
      normal_.fill(random, z_);
      theta += amplitude_ * z_;
    }
    template <class Archive>
    void serialize(Archive& archive) {
      archive(normal_);
    }

   private:
    using Scalar = typename Vector::Scalar;
    Scalar amplitude_;
    Normal normal_;
    Vector z_;
  };
};

/// + √(2ηn) z after the n updates of a Markov step (Fig. 5, right): one step of Euler and Maruyama
/// of size ηn. What it leaves in Σ of its own is a relative ηnh/2, n times that of `LangevinNoise`.
struct EpochLangevinNoise {
  static constexpr bool is_injected = true;
  void check(std::string_view) const {}
  double evaluation_variance() const { return 0; }

  template <class Vector>
  class Source {
   public:
    Source(const EpochLangevinNoise&, const ChainShape& chain)
        : updates_(chain.updates_per_markov_step),
          amplitude_(static_cast<Scalar>(
              std::sqrt(2 * chain.learning_rate * static_cast<double>(updates_)))),
          z_(chain.parameters) {}
    template <class Random>
    const Vector& evaluation_point(const Vector& theta, Random&) {
      return theta;
    }
    template <class Random>
    void after_update(Vector& theta, Random& random) {
      if (++update_ < updates_) return;
      update_ = 0;
      normal_.fill(random, z_);
      theta += amplitude_ * z_;
    }
    template <class Archive>
    void serialize(Archive& archive) {
      archive(normal_, update_);
    }

   private:
    using Scalar = typename Vector::Scalar;
    Index updates_;
    Index update_ = 0;
    Scalar amplitude_;
    Normal normal_;
    Vector z_;
  };
};

/// + √(η/2) (z_t + z_{t+1}) after update t, in place of √(2η) z_t: neighbours share half of their
/// noise, which makes Σ exact at any stable η where 𝓛 is quadratic (B. Leimkuhler and C. Matthews,
/// Appl. Math. Res. Express 2013, 34, doi:10.1093/amrx/abs010).
struct LeimkuhlerMatthewsNoise {
  static constexpr bool is_injected = true;
  void check(std::string_view) const {}
  double evaluation_variance() const { return 0; }

  template <class Vector>
  class Source {
   public:
    Source(const LeimkuhlerMatthewsNoise&, const ChainShape& chain)
        : amplitude_(static_cast<Scalar>(std::sqrt(chain.learning_rate / 2))),
          last_(Vector::Zero(chain.parameters)),
          next_(chain.parameters) {}
    template <class Random>
    const Vector& evaluation_point(const Vector& theta, Random&) {
      return theta;
    }
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
};

}  // namespace ness
