// What every training and every system is near where it settles: a linear chain with constant noise
// (Sec. 3.3, App. C). The pivot between ways of training and the stationary state.
#pragma once

#include <string_view>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/stationary/lyapunov.hpp"
#include "ness/systems/linear.hpp"
#include "ness/update/update.hpp"

namespace ness {

/// What one step of a Markov chain is.
enum class MarkovStep {
  update,  ///< one update of the parameters
  epoch,   ///< the updates of one pass over the samples
  time     ///< a time step of a physical system, or a unit of time
};

constexpr std::string_view to_string(MarkovStep step) {
  switch (step) {
    case MarkovStep::update:
      return "update";
    case MarkovStep::epoch:
      return "epoch";
    case MarkovStep::time:
      return "time step";
  }
  return "";
}

template <class Scalar>
struct LinearChain;

/// Σ and C of a chain that is part of a larger one, with states of its own (a memory, the phase of
/// an epoch): they do not follow from K and D, so who made the chain gives them.
template <class Scalar>
struct KnownState {
  DynamicMatrix<Scalar> covariance;   ///< Σ, N × N; empty where it follows from K and D
  DynamicMatrix<Scalar> circulation;  ///< C, N × N: the mean area per Markov step
  DynamicVector<Scalar> decay_rates;  ///< what K has, increasing
  Scalar residual{};                  ///< of the equation of the larger chain

  /// Is Σ known beforehand?
  bool given() const { return covariance.size() > 0; }
};

/// What the Lyapunov equation of a chain says.
template <class Scalar>
struct ChainCovariance {
  DynamicMatrix<Scalar> covariance;   ///< Σ, N × N
  DynamicVector<Scalar> decay_rates;  ///< real parts of the eigenvalues of K, increasing
  Scalar residual{};                  ///< of the equation, by direct substitution
  /// −⟨Δθ δθᵀ⟩, N × N, of the step that follows, where it is not KΣ: of chains with a memory.
  DynamicMatrix<Scalar> drift = {};
  /// W with ⟨σ⟩ = Σ_ij (D⁻¹)_ij W_ij, N × N, of chains with a memory.
  DynamicMatrix<Scalar> flow = {};

  /// Does a step depend on more than θ?
  bool has_memory() const { return drift.size() > 0; }
};

namespace detail {

/// By the eigenvectors of a symmetric K. Throws `std::invalid_argument` where K is not symmetric,
/// or nothing holds the chain.
template <class Scalar>
ChainCovariance<Scalar> covariance_of_gradient_chain(const LinearChain<Scalar>& chain);

/// By Schur's form of any K. Throws `std::invalid_argument` where nothing holds the chain, or
/// where rounding leaves nothing of Σ.
template <class Scalar>
ChainCovariance<Scalar> covariance_of_any_chain(const LinearChain<Scalar>& chain);

}  // namespace detail

/// δθ' = (I − K)δθ + ξ, ½⟨ξξᵀ⟩ = D, δθ = θ − mean. All per Markov step.
template <class Scalar = double>
struct LinearChain {
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;
  Vector mean;        ///< θ₀, N
  Matrix relaxation;  ///< K, N × N: the drift is −Kδθ, ηH of SGD
  Matrix diffusion;   ///< D, N × N, symmetric
  Matrix mobility;    ///< μ, N × N: the drift goes down a landscape with the Hessian μ⁻¹K
  MarkovStep step = MarkovStep::update;  ///< an update, an epoch or a time
  /// Are K and D those of finite steps, or the leading order in ηh?
  LyapunovForm form = LyapunovForm::continuous;
  /// How its Lyapunov equation is solved: what a chain needs is compiled for it, and no more.
  ChainCovariance<Scalar> (*solve)(const LinearChain&) =
      &detail::covariance_of_gradient_chain<Scalar>;
  LinearUpdate update = {};       ///< what is remembered of the steps before: see `remember`
  Vector offset = {};             ///< how far `mean` may be off, N; empty where that is not known
  KnownState<Scalar> known = {};  ///< what need not be solved for
};

namespace detail {
template <class Scalar>
LinearChain<Scalar> linear_chain(DynamicVector<Scalar> mean, DynamicMatrix<Scalar> hessian,
                                 DynamicMatrix<Scalar> diffusion, double learning_rate,
                                 LyapunovForm form);
}  // namespace detail

/// SGD near a minimum: K = ηH and μ = ηI (Eq. 19). H is symmetric N × N, D N × N per update, `mean`
/// has N elements. Throws `std::invalid_argument` for sizes that disagree, numbers that are not
/// finite, an H that is not symmetric, or η ≤ 0.
template <class Mean, class Hessian, class Diffusion>
LinearChain<typename Hessian::Scalar> linear_chain(const Eigen::MatrixBase<Mean>& mean,
                                                   const Eigen::MatrixBase<Hessian>& hessian,
                                                   const Eigen::MatrixBase<Diffusion>& diffusion,
                                                   double learning_rate,
                                                   LyapunovForm form = LyapunovForm::continuous) {
  return detail::linear_chain<typename Hessian::Scalar>(mean, hessian, diffusion, learning_rate,
                                                        form);
}

/// A linear system in steps of Δt, or, in the continuous form, per unit of time (Δt = 1): with
/// `LyapunovForm::discrete` what `EulerMaruyama` makes of it. Throws `std::invalid_argument` for a
/// Δt that is not positive.
template <class Matrix>
LinearChain<typename Matrix::Scalar> linear_chain(const LinearSystem<Matrix>& system,
                                                  double time_step = 1,
                                                  LyapunovForm form = LyapunovForm::continuous) {
  using Scalar = typename Matrix::Scalar;
  detail::require_positive(time_step, "linear_chain", "time_step");
  const auto dt = static_cast<Scalar>(time_step);
  return {.mean = system.center(),
          .relaxation = dt * system.relaxation(),
          .diffusion = dt * system.diffusion(),
          .mobility = dt * system.mobility(),
          .step = MarkovStep::time,
          .form = form,
          .solve = &detail::covariance_of_any_chain<Scalar>};
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include "ness/detail/general_matrices.hpp"

namespace ness::detail {

template <class Scalar>
LinearChain<Scalar> linear_chain(DynamicVector<Scalar> mean, DynamicMatrix<Scalar> hessian,
                                 DynamicMatrix<Scalar> diffusion, double learning_rate,
                                 LyapunovForm form) {
  const Eigen::Index n = mean.size();
  require_not_empty(mean, "linear_chain", "mean");
  require_size(hessian, n, n, "linear_chain", "hessian");
  require_finite(hessian, "linear_chain", "hessian");
  require_symmetric(hessian, "linear_chain", "hessian");
  require_positive(learning_rate, "linear_chain", "learning_rate");
  const auto eta = static_cast<Scalar>(learning_rate);
  LinearChain<Scalar> chain;
  chain.mean = std::move(mean);
  chain.relaxation = half_sum_with_transpose(hessian, 1);
  chain.relaxation *= eta;
  chain.diffusion = std::move(diffusion);
  chain.mobility = DynamicMatrix<Scalar>::Zero(n, n);
  for (Eigen::Index k = 0; k < n; ++k) chain.mobility(k, k) = eta;
  chain.form = form;
  return chain;
}

template <class Scalar>
ChainCovariance<Scalar> covariance_of_gradient_chain(const LinearChain<Scalar>& chain) {
  constexpr std::string_view name = "StationaryState";
  require_symmetric(chain.relaxation, name, "relaxation");
  const LyapunovEquation<Scalar> equation(chain.relaxation, 1, chain.form, name);
  const DynamicVector<Scalar>& rates = equation.eigenvalues();
  const Scalar fastest = rates[rates.size() - 1];
  if (!(rates[0] > 0))
    invalid(name,
            "every direction must relax (the Hessian be positive definite), but the smallest rate, "
            "each ",
            to_string(chain.step), ", is ", rates[0],
            ": start from a minimum, or add a regularizer");
  // In continuous time no step is too long.
  const bool of_steps = chain.step != MarkovStep::time || chain.form == LyapunovForm::discrete;
  if (of_steps && !(fastest < 2))
    invalid(name, "no direction may relax by 2 or more in one ", to_string(chain.step),
            " for a stationary state, but the fastest does by ", fastest,
            ": lower the learning rate, or the time step");
  ChainCovariance<Scalar> result{equation.solve(chain.diffusion), rates};
  result.residual = equation.residual(result.covariance, chain.diffusion);
  return result;
}

template <class Scalar>
ChainCovariance<Scalar> covariance_of_any_chain(const LinearChain<Scalar>& chain) {
  constexpr std::string_view name = "StationaryState";
  const Scalar coupling = chain.form == LyapunovForm::discrete ? Scalar(1) : Scalar(0);
  DynamicMatrix<Scalar> noise = chain.diffusion;
  noise *= Scalar(2);
  GeneralLyapunov<Scalar> solution(chain.relaxation, noise, coupling);
  const Scalar slowest = solution.decay_rates[0];
  require(slowest > 0, name,
          "every eigenvalue of mobility * hessian must have a positive real part for a "
          "stationary state; the smallest",
          slowest);
  require(solution.spectral_radius < 1, name,
          "time_step must be smaller for a stationary state: the spectral radius of a "
          "step must be below 1",
          solution.spectral_radius);
  if (!(solution.error < Scalar(0.1)))  // not one decimal digit
    invalid(name,
            "the covariance of this relaxation cannot be had in this precision: the equation holds "
            "to a relative ",
            solution.residual, ", and the error may be a relative ", solution.error,
            ": eigenvectors of relaxation nearly coincide, or a rate is lost in rounding");
  return {std::move(solution.solution), std::move(solution.decay_rates), solution.residual};
}

}  // namespace ness::detail
#endif
