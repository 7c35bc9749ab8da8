// What every training and every system is near where it settles: a linear chain with constant noise
// (Sec. 3.3, App. C). The pivot between ways of training and the stationary state.
#pragma once

#include <string_view>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/stationary/lyapunov.hpp"
#include "ness/systems/linear.hpp"

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

/// δθ' = (I − K)δθ + ξ, ½⟨ξξᵀ⟩ = D, δθ = θ − mean. All per Markov step.
template <class Scalar = double>
struct LinearChain {
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;
  Vector mean;        ///< θ₀, N
  Matrix relaxation;  ///< K, N × N: the drift is −Kδθ, ηH of SGD
  Matrix diffusion;   ///< D, N × N, symmetric
  Matrix mobility;    ///< μ, N × N: the drift goes down a landscape with the Hessian μ⁻¹K
  MarkovStep step = MarkovStep::update;
  /// Are K and D those of finite steps, or the leading order in ηh?
  LyapunovForm form = LyapunovForm::continuous;
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
          .form = form};
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library
namespace ness::detail {

template <class Scalar>
LinearChain<Scalar> linear_chain(DynamicVector<Scalar> mean, DynamicMatrix<Scalar> hessian,
                                 DynamicMatrix<Scalar> diffusion, double learning_rate,
                                 LyapunovForm form) {
  const Eigen::Index n = mean.size();
  require_size(hessian, n, n, "linear_chain", "hessian");
  require_finite(hessian, "linear_chain", "hessian");
  require_symmetric(hessian, "linear_chain", "hessian");
  require_positive(learning_rate, "linear_chain", "learning_rate");
  const auto eta = static_cast<Scalar>(learning_rate);
  LinearChain<Scalar> chain;
  chain.mean = std::move(mean);
  chain.relaxation = eta / 2 * (hessian + hessian.transpose());
  chain.diffusion = std::move(diffusion);
  chain.mobility = DynamicMatrix<Scalar>::Identity(n, n) * eta;
  chain.form = form;
  return chain;
}

}  // namespace ness::detail
#endif
