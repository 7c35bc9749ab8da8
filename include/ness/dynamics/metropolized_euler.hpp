// Trajectories of a system in equilibrium whose stationary density is right at any time step.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/static_cholesky.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"
#include "ness/random/uniform.hpp"
#include "ness/systems/force.hpp"

namespace ness {

/// With which probability a proposed step is taken, given the ratio r of the flows there and back,
/// r = e^{Φ−Φ'} q(θ'→θ) / q(θ→θ'). Both make the chain reversible with e^{−Φ}.
enum class Acceptance {
  /// min(1, r): as often as can be. Its kink at r = 1 costs half an order of accuracy where D
  /// depends on θ, for r − 1 is of order √Δt there.
  metropolis,
  /// r/(1 + r): half of the steps are taken, of twice the time (A. A. Barker, Aust. J. Phys. 18,
  /// 119, 1965, doi:10.1071/PH650119). Smooth in r, and so of full order.
  barker,
};

/// Steps of Euler and Maruyama that are proposed, and taken or not, so that e^{−Φ}, Φ = β𝓛 − log G
/// (`EquilibriumPotential`), is the stationary density at any time step; where a step is not taken,
/// the state stays as it is for that time. So the chain cannot leave the set where Φ is finite and
/// D positive definite, nor diverge, however steep Φ is (J. D. Doll, P. J. Rossky and H. L.
/// Friedman, J. Chem. Phys. 69, 4628, 1978, doi:10.1063/1.436415; G. O. Roberts and R. L. Tweedie,
/// Bernoulli 2, 341, 1996, doi:10.2307/3318418).
///
/// Averages in time have an error of order Δt (weak order 1) where D is constant (N. Bou-Rabee and
/// E. Vanden-Eijnden, Comm. Pure Appl. Math. 63, 655, 2010, doi:10.1002/cpa.20306), and where D
/// depends on θ with `Acceptance::barker`, as is the default there (M. Fathi and G. Stoltz, arXiv
/// 1505.04905); with `metropolis` it is √Δt then. What does not depend on time has no error at all,
/// but that of the run.
///
/// Where the drift would go further than the noise does, |Δt L⁻¹b| > √(2ΔtN), LLᵀ = D, it is cut to
/// that length, so that a chain on a steep slope is not trapped by proposals that all overshoot
/// (the truncated algorithm of Roberts and Tweedie); as Δt → 0 that is nowhere. Where `acceptance`
/// is small the standard errors of a run can still be too good: take a step of which about half are
/// taken or more. For the stationary state alone `Acceptance::metropolis` is the cheaper rule.
///
/// The system must be in equilibrium: μ = βD, and ∇·(GD) = 0 with its `log_weight` (G = 1 without).
/// `classify` tells; of another system this is not the dynamics.
///
///   ness::MetropolizedEuler chain(polymer, 1e-3, ness::helix(8, 0.97));
///
/// The chain refers to the system and owns its state. Cost: 𝓛, the drift and D once for each step,
/// and 4N² operations, with N³/3 more for Cholesky's factor where D depends on θ; without
/// allocation, with the exceptions of `EulerMaruyama`.
template <class S, RandomBits Random = Philox>
class MetropolizedEuler {
  static_assert(HasBeta<S> && HasPotential<S>,
                "ness: to take or refuse steps, the stationary density must be known: your system "
                "needs `double beta() const` and `auto potential(const auto& theta) const`");

 public:
  using Scalar = scalar_t<S>;
  using Vector = vector_t<S>;
  using Matrix = matrix_t<S>;

  /// `Acceptance::metropolis` where D is constant, else `barker`.
  static constexpr Acceptance default_acceptance =
      HasConstantDiffusion<S> ? Acceptance::metropolis : Acceptance::barker;

  /// Starts at `theta`. Throws `std::invalid_argument` for a time step that is not positive, a θ of
  /// another size, or where Φ or the drift is not finite or D not positive definite.
  MetropolizedEuler(const S& system, double time_step, Vector theta, Random random = Random{},
                    Acceptance rule = default_acceptance)
      : terms_(system),
        phi_(system),
        time_step_(time_step),
        rule_(rule),
        start_(std::move(theta)),
        normals_(start_),
        random_(std::move(random)) {
    constexpr std::string_view name = "MetropolizedEuler";
    detail::require_positive(time_step, name, "time_step");
    detail::require_size(start_, system.parameters(), 1, name, "theta");
    detail::require_finite(start_, name, "theta");
    if constexpr (HasConstantDiffusion<S>) {
      lower_ = terms_.diffusion();
      if (!factor(lower_)) detail::invalid(name, "diffusion must be positive definite");
      here_.log_volume = there_.log_volume = log_volume(lower_);
    }
    here_.theta = there_.theta = there_.mean = start_;
    if (!arrive(here_))
      detail::invalid(name,
                      "theta must be where the stationary density is positive, D positive definite "
                      "and the drift finite, but is (",
                      start_.transpose(), ")");
  }
  MetropolizedEuler(S&&, double, Vector, Random = Random{},
                    Acceptance = default_acceptance) = delete;  // it would dangle

  void step() {
    normal_.fill(random_, normals_);
    const double draw = uniform_real(random_);
    there_.theta.noalias() = lower_at(here_) * normals_;
    there_.theta = here_.mean + width() * there_.theta;
    ++proposed_;
    if (!arrive(there_)) return;
    if (draw >= std::exp(log_acceptance())) return;
    std::swap(here_, there_);
    ++accepted_;
  }

  /// log of the density p(θ→θ') of one step, θ' ≠ θ; −∞ where no step goes. It is reversible:
  /// p(θ→θ') e^{−Φ(θ)} is the same in both senses. The rest of the probability stays at θ.
  double log_transition(const Vector& from, const Vector& to) const {
    MetropolizedEuler copy = *this;
    copy.here_.theta = from;
    copy.there_.theta = to;
    if (!copy.arrive(copy.here_) || !copy.arrive(copy.there_))
      return -std::numeric_limits<double>::infinity();
    const double scale = std::sqrt(2 * std::numbers::pi) * static_cast<double>(width());
    return copy.log_proposal(copy.here_, copy.there_) + copy.log_acceptance() -
           static_cast<double>(from.size()) * std::log(scale);
  }

  const Vector& theta() const { return here_.theta; }
  Index parameters() const { return start_.size(); }
  Index updates_per_markov_step() const { return 1; }
  double time_step() const { return time_step_; }
  /// The share of steps that were taken, of all so far; NaN before the first. For `barker` at most
  /// about ½.
  double acceptance() const {
    return static_cast<double>(accepted_) / static_cast<double>(proposed_);
  }

  /// For checkpoints and tables, as that of a training.
  std::string description() const {
    return std::string("metropolized Euler-Maruyama") +
           (rule_ == Acceptance::barker ? " by Barker's rule" : "") + ", time step " +
           detail::in_words(time_step_);
  }

  /// Of the drift and D at the start and at the start + 1 in each coordinate.
  std::uint64_t fingerprint() const {
    return detail::fingerprint_of_system(terms_.system(), start_).value();
  }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(here_.theta, random_, normal_, accepted_, proposed_);
    arrive(here_);
  }

 private:
  struct Nothing {};
  // What the chain knows of a state.
  struct Place {
    Vector theta;
    Vector mean;                                                         // of the proposals from it
    Scalar potential = 0;                                                // Φ
    double log_volume = 0;                                               // log det L, LLᵀ = D
    std::conditional_t<HasConstantDiffusion<S>, Nothing, Matrix> lower;  // L
  };

  // Of what is proposed: Barker's rule takes half of it.
  Scalar proposed_time() const {
    return static_cast<Scalar>(rule_ == Acceptance::barker ? 2 * time_step_ : time_step_);
  }
  Scalar width() const { return std::sqrt(2 * proposed_time()); }

  const Matrix& lower_at(const Place& place) const {
    if constexpr (HasConstantDiffusion<S>)
      return lower_;
    else
      return place.lower;
  }

  static bool factor(Matrix& lower) { return lower.allFinite() && detail::cholesky(lower); }

  static double log_volume(const Matrix& lower) {
    double sum = 0;
    for (Index k = 0; k < lower.rows(); ++k) sum += std::log(static_cast<double>(lower(k, k)));
    return sum;
  }

  // Works out what belongs to a state. False where no state can be.
  bool arrive(Place& place) {
    place.potential = phi_(place.theta);
    if (!std::isfinite(place.potential)) return false;
    terms_.at(place.theta);
    if constexpr (!HasConstantDiffusion<S>) {
      place.lower = terms_.diffusion();
      if (!factor(place.lower)) return false;
      place.log_volume = log_volume(place.lower);
    }
    place.mean = proposed_time() * terms_.drift();
    normals_ = place.mean / width();
    detail::divide_by_lower(lower_at(place), normals_);
    const auto limit = std::sqrt(static_cast<Scalar>(normals_.size()));
    if (const Scalar size = normals_.norm(); size > limit) place.mean *= limit / size;
    place.mean += place.theta;
    return place.mean.allFinite();
  }

  // log q(from → to), up to a constant.
  double log_proposal(const Place& from, const Place& to) {
    normals_ = (to.theta - from.mean) / width();
    detail::divide_by_lower(lower_at(from), normals_);
    return -0.5 * static_cast<double>(normals_.squaredNorm()) - from.log_volume;
  }

  // log of the probability to go from `here_` to `there_` once that is proposed.
  double log_acceptance() {
    const double log_ratio = static_cast<double>(here_.potential - there_.potential) +
                             log_proposal(there_, here_) - log_proposal(here_, there_);
    if (rule_ == Acceptance::metropolis) return std::min(0.0, log_ratio);
    return log_ratio > 0 ? -std::log1p(std::exp(-log_ratio))
                         : log_ratio - std::log1p(std::exp(log_ratio));
  }

  SystemTerms<S> terms_;
  EquilibriumPotential<S> phi_;
  double time_step_;
  Acceptance rule_;
  Matrix lower_;  // of constant D
  Place here_, there_;
  Vector start_, normals_;
  Random random_;
  Normal normal_;
  std::int64_t accepted_ = 0, proposed_ = 0;
};

}  // namespace ness
