// Systems with drift and diffusion (Sec. 2.1), in or out of equilibrium: what the user brings.
//
//   ∂_t P = −∇·𝓙,  𝓙 = −P μ∇𝓛 − ∇·(D P),  (∇·A)_α = Σ_γ ∂_γ A_αγ      (Eqs. 1, 2)
//
// The least is a potential, a diffusion matrix, and how θ moves in the potential:
//
//   struct DoubleWell {                                   // a particle in a viscous fluid
//     static constexpr Eigen::Index parameters() { return 1; }
//     auto potential(const auto& theta) const { return pow(theta[0] * theta[0] - 1, 2); }  // 𝓛
//     Eigen::Matrix<double, 1, 1> diffusion() const { return Eigen::Matrix<double, 1, 1>(0.2); }
//     double beta() const { return 5; }                   // μ = βD: the Einstein relation
//   };
//   static_assert(ness::FokkerPlanck<DoubleWell>);
//
// D and μ, N × N and per unit of time, are given in one of three spellings:
//
//   Matrix diffusion() const                              // the same everywhere
//   auto diffusion(const auto& theta) const               // by value, generic over its scalar
//   void diffusion(const Vector& theta, Matrix& out) const     // in place: no allocation
//
// Each further member is picked up where a system has it, and is never required:
//
//   mobility (as diffusion)                       μ, symmetric or not, where it is not βD
//   void gradient(const Vector&, Vector& out)     ∇𝓛, else by automatic differentiation
//   void drift(const Vector&, Vector& out)        in place of −μ∇𝓛
//   void diffusion_divergence(const Vector&, Vector& out)   ∇·D, else by automatic differentiation,
//                                                 or by central differences
//   void noise(const Vector&, const Vector& normals, Vector& out)   B · normals with BBᵀ = D,
//                                                 else by Cholesky's factor
//   auto log_weight(const auto& theta)            log G of ∇·(GD) = 0 (Eq. 4), where it is known
#pragma once

#include <Eigen/Core>
#include <concepts>
#include <string_view>
#include <type_traits>

#include "ness/detail/check.hpp"
#include "ness/model/autodiff.hpp"
#include "ness/model/concepts.hpp"
#include "ness/model/differences.hpp"

namespace ness {

namespace detail {

struct CallDiffusion {
  template <class S, class... A>
  auto operator()(const S& system, A&&... arguments) const
      -> decltype(system.diffusion(arguments...)) {
    return system.diffusion(arguments...);
  }
};
struct CallMobility {
  template <class S, class... A>
  auto operator()(const S& system, A&&... arguments) const
      -> decltype(system.mobility(arguments...)) {
    return system.mobility(arguments...);
  }
};

template <class Call, class S>
concept ConstantMatrix = requires(const Call& call, const S& system) {
  { call(system) } -> std::convertible_to<matrix_t<S>>;
};
template <class Call, class S>
concept MatrixByValue = requires(const Call& call, const S& system, const vector_t<S>& theta) {
  { call(system, theta) } -> std::convertible_to<matrix_t<S>>;
};
template <class Call, class S>
concept MatrixInPlace = requires(const Call& call, const S& system, const vector_t<S>& theta,
                                 matrix_t<S>& out) { call(system, theta, out); };
template <class Call, class S>
concept MatrixInAnySpelling =
    ConstantMatrix<Call, S> || MatrixByValue<Call, S> || MatrixInPlace<Call, S>;

}  // namespace detail

/// D(θ) in any of its spellings.
template <class S>
concept HasDiffusion = detail::MatrixInAnySpelling<detail::CallDiffusion, S>;

/// D does not depend on θ.
template <class S>
concept HasConstantDiffusion = detail::ConstantMatrix<detail::CallDiffusion, S>;

/// A `diffusion` by value that takes dual numbers: a template, which has no address.
template <class S>
concept HasGenericDiffusion =
    detail::MatrixByValue<detail::CallDiffusion, S> && !requires { &S::diffusion; };

/// μ(θ) in any of its spellings.
template <class S>
concept HasMobility = detail::MatrixInAnySpelling<detail::CallMobility, S>;

/// μ = βD by construction: `double beta() const`.
template <class S>
concept HasBeta = requires(const S& system) {
  { system.beta() } -> std::convertible_to<double>;
};

/// 𝓛(θ): `Scalar potential(const Vector& theta) const`.
template <class S>
concept HasPotential = requires(const S& system, const vector_t<S>& theta) {
  { system.potential(theta) } -> std::convertible_to<scalar_t<S>>;
};

/// ∇𝓛(θ): `void gradient(const Vector& theta, Vector& gradient) const`.
template <class S>
concept HasGradient = requires(const S& system, const vector_t<S>& theta, vector_t<S>& out) {
  system.gradient(theta, out);
};

/// A potential that takes dual numbers.
template <class S>
concept HasGenericPotential = HasPotential<S> && !requires { &S::potential; };

/// ∇𝓛 can be had: by the system's own, or by automatic differentiation.
template <class S>
concept HasPotentialGradient = HasGradient<S> || HasGenericPotential<S>;

/// The drift itself: `void drift(const Vector& theta, Vector& drift) const`.
template <class S>
concept HasDrift = requires(const S& system, const vector_t<S>& theta, vector_t<S>& out) {
  system.drift(theta, out);
};

/// ∇·D: `void diffusion_divergence(const Vector& theta, Vector& divergence) const`.
template <class S>
concept HasDiffusionDivergence =
    requires(const S& system, const vector_t<S>& theta, vector_t<S>& out) {
      system.diffusion_divergence(theta, out);
    };

/// B · normals with BBᵀ = D: `void noise(const Vector& theta, const Vector& normals, Vector& noise)
/// const`.
template <class S>
concept HasNoise = requires(const S& system, const vector_t<S>& theta, vector_t<S>& out) {
  system.noise(theta, theta, out);
};

/// log G(θ) of the divergence condition ∇·(GD) = 0: `auto log_weight(const auto& theta) const`.
template <class S>
concept HasLogWeight = requires(const S& system, const vector_t<S>& theta) {
  { system.log_weight(theta) } -> std::convertible_to<scalar_t<S>>;
};

/// 𝓛 and μ are known, not the drift alone.
template <class S>
concept HasLandscape = HasPotentialGradient<S> && (HasMobility<S> || HasBeta<S>);

/// A system with drift and diffusion: see the top of this file.
template <class S>
concept FokkerPlanck = HasParameters<S> && HasDiffusion<S> && (HasDrift<S> || HasLandscape<S>);

namespace detail {

/// A(θ) of a system in any of the three spellings; what is constant is asked for once.
template <class Call, class S>
class MatrixField {
 public:
  static constexpr bool is_constant = ConstantMatrix<Call, S>;
  using Vector = vector_t<S>;
  using Matrix = matrix_t<S>;

  MatrixField(const S& system, std::string_view function, std::string_view name)
      : value_(system.parameters(), system.parameters()) {
    if constexpr (is_constant) value_ = Call{}(system);
    require_size(value_, system.parameters(), system.parameters(), function, name);
  }

  void evaluate(const S& system, const Vector& theta) {
    if constexpr (is_constant)
      return;
    else if constexpr (MatrixInPlace<Call, S>)
      Call{}(system, theta, value_);
    else
      value_ = Call{}(system, theta);
  }
  const Matrix& value() const { return value_; }

 private:
  Matrix value_;
};

/// μ = βD of a system that gives β.
template <class S>
class ScaledDiffusion {
 public:
  ScaledDiffusion(const S&, std::string_view, std::string_view) {}
  void scale(const S& system, const matrix_t<S>& diffusion) {
    value_ = static_cast<scalar_t<S>>(system.beta()) * diffusion;
  }
  const matrix_t<S>& value() const { return value_; }

 private:
  matrix_t<S> value_;
};

}  // namespace detail

/// What follows from a system at a point, each computed when it is first asked for there. It refers
/// to the system and holds the scratch memory: one for each thread. What it returns holds until the
/// next `at`.
///
///   ness::SystemTerms terms(system);
///   const auto& b = terms.at(theta).drift();
template <class S>
class SystemTerms {
  static_assert(HasParameters<S>,
                "ness: your system needs `Eigen::Index parameters() const`: the number N of "
                "parameters (static and constexpr gives static sizes)");
  static_assert(HasDiffusion<S>,
                "ness: your system needs its diffusion matrix, N x N: `Matrix diffusion() const` "
                "where it is constant, else `auto diffusion(const auto& theta) const` or `void "
                "diffusion(const Vector& theta, Matrix& out) const`");
  static_assert(HasDrift<S> || HasPotentialGradient<S>,
                "ness: your system's force cannot be had: give it `auto potential(const auto& "
                "theta) const`, or `void gradient(const Vector& theta, Vector& out) const`, or "
                "`void drift(const Vector& theta, Vector& out) const`");
  static_assert(HasDrift<S> || HasMobility<S> || HasBeta<S>,
                "ness: your system needs its mobility: `double beta() const` where it is beta "
                "times the diffusion matrix, else `mobility` in a spelling of `diffusion`");

 public:
  using System = S;
  using Scalar = scalar_t<S>;
  using Vector = vector_t<S>;
  using Matrix = matrix_t<S>;

  /// Refers to the system, so keep it.
  explicit SystemTerms(const S& system)
      : system_(&system),
        diffusion_(system, "SystemTerms", "diffusion"),
        mobility_(system, "SystemTerms", "mobility"),
        theta_(Vector::Zero(system.parameters())),
        gradient_(theta_),
        drift_(theta_),
        divergence_(theta_) {
    detail::require(system.parameters() >= 1, "SystemTerms",
                    "the system must have at least 1 parameter", system.parameters());
    if constexpr (HasConstantDiffusion<S>) {
      detail::require_finite(diffusion_.value(), "SystemTerms", "diffusion");
      detail::require_symmetric(diffusion_.value(), "SystemTerms", "diffusion");
    }
  }
  explicit SystemTerms(S&&) = delete;  // it would dangle

  /// Goes to θ, N. What was computed elsewhere is forgotten.
  SystemTerms& at(const Vector& theta) {
    theta_ = theta;
    known_ = 0;
    return *this;
  }

  /// The system whose terms these are.
  const S& system() const { return *system_; }
  const Vector& theta() const { return theta_; }

  /// D(θ), N × N, per unit of time.
  const Matrix& diffusion() {
    if (is_new(Term::diffusion)) diffusion_.evaluate(*system_, theta_);
    return diffusion_.value();
  }

  /// ∇𝓛(θ), N.
  const Vector& gradient()
    requires HasPotentialGradient<S>
  {
    if (is_new(Term::gradient)) compute_gradient();
    return gradient_;
  }

  /// μ(θ), N × N, per unit of time.
  const Matrix& mobility()
    requires(HasMobility<S> || HasBeta<S>)
  {
    if (is_new(Term::mobility)) {
      if constexpr (HasMobility<S>)
        mobility_.evaluate(*system_, theta_);
      else
        mobility_.scale(*system_, diffusion());
    }
    return mobility_.value();
  }

  /// The drift −μ∇𝓛, or the system's own, N, per unit of time (Eq. 5).
  const Vector& drift() {
    if (is_new(Term::drift)) compute_drift();
    return drift_;
  }

  /// ∇·D, N: 0 where D is constant; the system's own; by automatic differentiation where
  /// `diffusion` is generic; else by central differences, 2N evaluations of D, to a relative 1e-9.
  const Vector& diffusion_divergence() {
    if (is_new(Term::divergence)) compute_divergence();
    return divergence_;
  }

 private:
  enum class Term : unsigned {
    diffusion = 1,
    gradient = 2,
    mobility = 4,
    drift = 8,
    divergence = 16
  };

  // Is it not known here yet? It will be.
  bool is_new(Term term) {
    const auto bit = static_cast<unsigned>(term);
    const bool result = (known_ & bit) == 0;
    known_ |= bit;
    return result;
  }

  void compute_gradient() {
    if constexpr (HasGradient<S>)
      system_->gradient(theta_, gradient_);
    else
      autodiff_.gradient([&](const auto& t) { return system_->potential(t); }, theta_, gradient_);
  }

  void compute_drift() {
    if constexpr (HasDrift<S>) {
      system_->drift(theta_, drift_);
    } else if constexpr (HasMobility<S>) {
      drift_.noalias() = mobility() * gradient();
      drift_ *= Scalar(-1);
    } else {
      drift_.noalias() = diffusion() * gradient();
      drift_ *= -static_cast<Scalar>(system_->beta());
    }
  }

  void compute_divergence() {
    if constexpr (HasConstantDiffusion<S>)
      divergence_.setZero();
    else if constexpr (HasDiffusionDivergence<S>)
      system_->diffusion_divergence(theta_, divergence_);
    else if constexpr (HasGenericDiffusion<S>)
      autodiff_.divergence([&](const auto& t) { return system_->diffusion(t); }, theta_,
                           divergence_);
    else
      divergence_by_differences();
  }

  void divergence_by_differences() {
    detail::MatrixField<detail::CallDiffusion, S> elsewhere(*system_, "SystemTerms", "diffusion");
    divergence_.setZero();
    Vector point = theta_;
    for (Index k = 0; k < point.size(); ++k)
      divergence_ += detail::central_difference(point, k, [&](const Vector& at) -> Vector {
        elsewhere.evaluate(*system_, at);
        return elsewhere.value().col(k);
      });
  }

  const S* system_;
  detail::MatrixField<detail::CallDiffusion, S> diffusion_;
  std::conditional_t<HasMobility<S>, detail::MatrixField<detail::CallMobility, S>,
                     detail::ScaledDiffusion<S>>
      mobility_;
  Vector theta_, gradient_, drift_, divergence_;
  Autodiff<Vector> autodiff_;
  unsigned known_ = 0;  // a bit for each term
};

/// v = D∇Φ − μ∇𝓛 − ∇·D (Eq. 3), N, per unit of time: the velocity of the current where the density
/// is e^{−Φ}; of Φ its gradient is given, N. It vanishes in equilibrium.
template <class S>
vector_t<S> velocity(const S& system, const vector_t<S>& theta,
                     const vector_t<S>& potential_gradient) {
  SystemTerms<S> terms(system);
  terms.at(theta);
  return terms.diffusion() * potential_gradient + terms.drift() - terms.diffusion_divergence();
}

/// 𝓙 = −Pμ∇𝓛 − ∇·(DP) (Eq. 2), N, per unit of time, from the density P at θ and its gradient.
template <class S>
vector_t<S> current(const S& system, const vector_t<S>& theta, scalar_t<S> density,
                    const vector_t<S>& density_gradient) {
  SystemTerms<S> terms(system);
  terms.at(theta);
  return density * (terms.drift() - terms.diffusion_divergence()) -
         terms.diffusion() * density_gradient;
}

}  // namespace ness
