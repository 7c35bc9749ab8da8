// Updates of position and velocity: kinetic Langevin dynamics by splitting (not in the paper).
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/random/normal.hpp"

namespace ness {

/// The parts of dθ = v dt, dv = −g dt − γv dt + √(2γ) dW, whose stationary density is
/// e^{−𝓛(θ) − v²/2}; each is solved exactly by itself, but for the last.
enum class KineticPart {
  drift,          ///< A: θ' = θ + tv
  kick,           ///< B: v' = v − tg
  friction,       ///< O: v' = e^{−γt} v + noise
  flight,         ///< U: drift and friction together
  euler_friction  ///< v' = (1 − γt)v + noise, to first order in t
};

/// A part for a share of the step h: t = share · h.
struct KineticMove {
  KineticPart part;  ///< which
  double share;      ///< of h
};

/// What a part does, as all of them do:
///   θ' = θ + drift · v + of_first ξ₁,   v' = keep · v − kick · g + first ξ₁ + second ξ₂,
/// ξ standard normal numbers. The chain and its theory are made of these.
struct KineticCoefficients {
  double drift = 0;     ///< of v in θ
  double of_first = 0;  ///< of ξ₁ in θ
  double keep = 1;      ///< of v
  double kick = 0;      ///< of −g
  double first = 0;     ///< of ξ₁ in v
  double second = 0;    ///< of ξ₂ in v

  KineticCoefficients() = default;
  /// Of a move in steps of h, with friction γ.
  KineticCoefficients(const KineticMove& move, double step, double friction);
  /// Of a part that takes the time t.
  KineticCoefficients(KineticPart part, double t, double friction);
};

namespace detail {

/// 2x − 4(1 − e^{−x}) + 1 − e^{−2x} = ⅔x³ − ½x⁴ + …, the variance of θ in a flight times γ²; the
/// terms of the difference cancel for small x, those of the series do not.
inline double flight_variance(double x) {
  if (x > 0.7) return 2 * x + 4 * std::expm1(-x) - std::expm1(-2 * x);
  double sum = 0, power = -x * x * x / 6, of_two = 8;  // (−x)ᵏ/k! and 2ᵏ
  for (int k = 3; k < 24; ++k) {
    sum += power * (4 - of_two);
    power *= -x / (k + 1);
    of_two *= 2;
  }
  return sum;
}

}  // namespace detail

inline KineticCoefficients::KineticCoefficients(const KineticMove& move, double step,
                                                double friction)
    : KineticCoefficients(move.part, move.share * step, friction) {}

inline KineticCoefficients::KineticCoefficients(KineticPart part, double t, double friction) {
  const double x = friction * t;
  switch (part) {
    case KineticPart::drift:
      drift = t;
      break;
    case KineticPart::kick:
      kick = t;
      break;
    case KineticPart::friction:
      keep = std::exp(-x);
      first = std::sqrt(-std::expm1(-2 * x));
      break;
    case KineticPart::euler_friction:
      keep = 1 - x;
      first = std::sqrt(2 * x);
      break;
    case KineticPart::flight: {
      const double lost = -std::expm1(-x);  // 1 − e^{−x}
      const double root = std::sqrt(detail::flight_variance(x));
      keep = std::exp(-x);
      drift = lost / friction;
      of_first = root / friction;
      first = lost * lost / root;  // ⟨θv⟩ = (1 − e^{−x})²/γ
      second = std::sqrt(std::max(0.0, -std::expm1(-2 * x) - first * first));
      break;
    }
  }
}

/// U B U: two half flights about a kick. With one batch for each kick it is UBU as of A. Alamo and
/// J. M. Sanz-Serna; with batches there and back SMS-UBU (P. A. Whalley et al., arXiv 2410.19780).
struct Ubu {
  static constexpr std::string_view name = "UBU";
  static constexpr std::array before{KineticMove{KineticPart::flight, 0.5}};
  static constexpr std::array after{KineticMove{KineticPart::kick, 1},
                                    KineticMove{KineticPart::flight, 0.5}};
};

/// B A O A B (B. Leimkuhler and C. Matthews, 2013): the half kicks at either end of a step are at
/// one place, and so of one batch. v is seen between them.
struct Baoab {
  static constexpr std::string_view name = "BAOAB";
  static constexpr std::array<KineticMove, 0> before{};
  static constexpr std::array after{
      KineticMove{KineticPart::kick, 1}, KineticMove{KineticPart::drift, 0.5},
      KineticMove{KineticPart::friction, 1}, KineticMove{KineticPart::drift, 0.5}};
  /// Of the parts after the gradient, what is still of the step before.
  static constexpr std::array of_last_step{0.5, 0.0, 0.0, 0.0};
};

/// A B O B A: both half kicks are at the middle of the step.
struct Aboba {
  static constexpr std::string_view name = "ABOBA";
  static constexpr std::array before{KineticMove{KineticPart::drift, 0.5}};
  static constexpr std::array after{
      KineticMove{KineticPart::kick, 0.5}, KineticMove{KineticPart::friction, 1},
      KineticMove{KineticPart::kick, 0.5}, KineticMove{KineticPart::drift, 0.5}};
};

/// O B A B O: the half kicks and half frictions that meet at the end of a step are at one place,
/// and so of one batch. v is seen before them.
struct Obabo {
  static constexpr std::string_view name = "OBABO";
  static constexpr std::array<KineticMove, 0> before{};
  static constexpr std::array after{
      KineticMove{KineticPart::kick, 0.5}, KineticMove{KineticPart::friction, 1},
      KineticMove{KineticPart::kick, 0.5}, KineticMove{KineticPart::drift, 1}};
  /// Of the parts after the gradient, what is still of the step before.
  static constexpr std::array of_last_step{0.5, 0.5, 0.0, 0.0};
};

/// SGHMC as published (T. Chen, E. B. Fox and C. Guestrin, ICML 2014, Eq. 15, with B̂ = 0): a drift,
/// and then kick, friction and noise to first order in h.
struct EulerKinetic {
  static constexpr std::string_view name = "SGHMC";
  static constexpr std::array before{KineticMove{KineticPart::drift, 1}};
  static constexpr std::array after{KineticMove{KineticPart::euler_friction, 1},
                                    KineticMove{KineticPart::kick, 1}};
};

/// Kinetic Langevin dynamics in steps of h, the learning rate of the training: what `Scheme` does
/// before a gradient and after it. v begins with normal numbers, as it is in the stationary state.
/// Where parts of two steps meet, `Scheme::of_last_step` has the shares of the step before in
/// `Scheme::after`, for an h that changes.
///
///   ness::Training<ness::ThereAndBack, ness::Kinetic<ness::Ubu>> sampler{
///       .learning_rate = 0.01, .minibatch = {10}, .update = {.friction = 2}};
template <class Scheme_>
struct Kinetic {
  using Scheme = Scheme_;  ///< the parts of a step
  double friction = 1;     ///< γ, per unit of time

  /// Throws `std::invalid_argument` for a friction that is not positive.
  void check(std::string_view function) const {
    detail::require_positive(friction, function, "update.friction");
  }
  std::string description() const {
    return std::string(Scheme::name) + " of friction " + detail::in_words(friction);
  }

  /// The velocity of one run.
  template <class Vector>
  class State {
   public:
    State(const Kinetic& update, double step, Eigen::Index parameters)
        : velocity_(parameters),
          first_(parameters),
          second_(parameters),
          friction_(update.friction),
          last_step_(step) {
      set_learning_rate(step);
    }

    /// Of h. The velocity stays as it is, and what of the last step meets the first of these is
    /// still of the last.
    void set_learning_rate(double step) {
      step_ = step;
      if (!begun_) last_step_ = step;
      for (std::size_t k = 0; k < before_.size(); ++k)
        before_[k] = KineticCoefficients(Scheme::before[k], step_, friction_);
      set_after();
    }

    /// Goes to where the gradient is taken.
    template <class Random>
    void before_gradient(Vector& theta, Random& random) {
      if (!begun_) normal_.fill(random, velocity_);
      begun_ = true;
      for (const KineticCoefficients& c : before_) move(c, theta, theta, random);
    }
    /// And from there to the end of the step.
    template <class Random>
    void after_gradient(Vector& theta, const Vector& gradient, Random& random) {
      for (const KineticCoefficients& c : after_) move(c, theta, gradient, random);
      if (last_step_ != step_) {
        last_step_ = step_;
        if constexpr (requires { Scheme::of_last_step; }) set_after();
      }
    }
    /// v, N
    const Vector& velocity() const { return velocity_; }

    template <class Archive>
    void serialize(Archive& archive) {
      archive(velocity_, begun_, normal_, last_step_);
      set_after();
    }

   private:
    using Scalar = typename Vector::Scalar;

    void set_after() {
      for (std::size_t k = 0; k < after_.size(); ++k) {
        double time = Scheme::after[k].share * step_;
        if constexpr (requires { Scheme::of_last_step; })
          time += Scheme::of_last_step[k] * (last_step_ - step_);
        after_[k] = KineticCoefficients(Scheme::after[k].part, time, friction_);
      }
    }

    template <class Random>
    void move(const KineticCoefficients& c, Vector& theta, const Vector& gradient, Random& random) {
      const auto scalar = [](double value) { return static_cast<Scalar>(value); };
      if (c.kick != 0) {
        velocity_ -= scalar(c.kick) * gradient;
      } else if (c.first == 0) {
        theta += scalar(c.drift) * velocity_;
      } else if (c.drift == 0) {
        normal_.fill(random, first_);
        velocity_ = scalar(c.keep) * velocity_ + scalar(c.first) * first_;
      } else {
        normal_.fill(random, first_);
        normal_.fill(random, second_);
        theta += scalar(c.drift) * velocity_ + scalar(c.of_first) * first_;
        velocity_ =
            scalar(c.keep) * velocity_ + scalar(c.first) * first_ + scalar(c.second) * second_;
      }
    }

    std::array<KineticCoefficients, Scheme::before.size()> before_;
    std::array<KineticCoefficients, Scheme::after.size()> after_;
    Vector velocity_, first_, second_;
    double friction_, step_ = 0, last_step_;  // γ, h of this update and of the one before
    bool begun_ = false;
    Normal normal_;
  };
};

/// An update that moves a velocity besides, before a gradient and after it, and injects noise.
template <class Update>
concept KineticUpdate = requires {
  typename Update::Scheme;
  Update::Scheme::before;
  Update::Scheme::after;
};

}  // namespace ness
