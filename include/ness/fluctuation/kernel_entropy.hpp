// An entropy production of which ⟨e^{−σ}⟩ is 1 at every step, with a memory too (not in the paper).
#pragma once

#include <cstdint>
#include <vector>

#include "ness/detail/matrices.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/sub_trajectories.hpp"

namespace ness {

/// θ_{k+1} − θ_k given the path before, of a Gaussian process: normal with mean `of_state` · δθ_k +
/// `of_last` · (θ_k − θ_{k−1}). All N × N.
template <class Scalar = double>
struct StepKernel {
  DynamicMatrix<Scalar> of_state;    ///< what multiplies δθ_k
  DynamicMatrix<Scalar> of_last;     ///< what multiplies θ_k − θ_{k−1}
  DynamicMatrix<Scalar> covariance;  ///< of what is left, R
};

/// The kernel of the chain of θ, in the discrete form, and that of the same stationary process run
/// backwards, exact at any η: of θ_{k+1} − θ_k = β(θ_k − θ_{k−1}) − c₀(Kδθ_k − ξ_k) forwards, and
/// from ⟨θθᵀ⟩ at three successive times backwards, which is a Gaussian process of the same memory.
template <class Scalar>
struct StepKernels {
  /// Throws `std::invalid_argument` for a state in the continuous form or of epochs that were given
  /// (`KnownState`), a singular D, and an update that uses the last gradient again (Nesterov's),
  /// whose path of θ has no finite memory. Cost: Cholesky's factorisation of a 2N × 2N matrix.
  explicit StepKernels(const StationaryState<Scalar>& state);
  StepKernel<Scalar> forward;   ///< of the chain
  StepKernel<Scalar> backward;  ///< of its reverse, p̃
};

/// σ_k = log p(θ_{k+1} | θ_k, θ_{k−1}) / p̃(θ_{k+1} | θ_k, θ_{k−1}) of steps, p the kernel of the
/// chain and p̃ that of its reverse (`StepKernels`):
///   σ_k = ½ r̃ᵀR̃⁻¹r̃ − ½ rᵀR⁻¹r + ½ log det R̃/det R,  r = Δθ − its mean, R its covariance.
///
/// Whatever the path before, ⟨e^{−σ_k}⟩ = ∫p̃ = 1 exactly for Gaussian noise of this D, for every
/// step and so for stretches of any length, at any stable η and with momentum; ⟨σ_k⟩ is
/// `entropy_production()` of the state. Of plain updates σ differs from Eq. 27 by the finite steps:
/// what Eq. 27 leaves at its ends is in it. Cost: six products of N × N with each state.
template <class Scalar = double>
class StepEntropy {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  /// Throws as `StepKernels`.
  explicit StepEntropy(const StationaryState<Scalar>& state)
      : StepEntropy(StepKernels<Scalar>(state)) {}

  /// σ of as many steps as there are rows, δθ_{k−1}, δθ_k and δθ_{k+1} in rows, from
  /// `StationaryState::mean`.
  Vector operator()(const Matrix& last, const Matrix& here, const Matrix& next) const;

  /// N
  Eigen::Index parameters() const { return forward_.of_step.rows(); }

 private:
  /// Rows of steps to rows whose squared norm is rᵀR⁻¹r.
  struct Whitened {
    Matrix of_step, of_state, of_last;
    Scalar log_determinant = 0;  // of R
    bool remembers;              // is there an `of_last`?
    explicit Whitened(const StepKernel<Scalar>& kernel);
    Matrix operator()(const Matrix& steps, const Matrix& states, const Matrix& last) const;
  };
  explicit StepEntropy(const StepKernels<Scalar>& kernels)
      : forward_(kernels.forward), backward_(kernels.backward) {}

  Whitened forward_, backward_;
};

/// σ of `StepEntropy` along trajectories, as an estimator for `run_chains`:
///
///   ness::KernelEntropy entropy(predicted, {1, 10}, 10'000);
///
/// Blocks are of updates, one after the other.
template <class Scalar = double>
class KernelEntropy {
 public:
  using Matrix = DynamicMatrix<Scalar>;

  /// `bins` for the histograms of σ. Throws as `StepKernels`, and `std::invalid_argument` for a
  /// length below 1.
  KernelEntropy(const StationaryState<Scalar>& state, const std::vector<int>& lengths,
                std::int64_t batch_length, Eigen::Index bins = 200);

  template <class S>
  void add(const TrajectoryBlock<S>& block);

  /// Sub-trajectories left incomplete at the end of `other` are dropped.
  void merge(const KernelEntropy& other) { sums_.merge(other.sums_); }

  /// For checkpoints.
  template <class Archive>
  void serialize(Archive& archive);

  /// Of the first update of all σ is not known: its step before is not.
  std::vector<SubTrajectories> results() const { return sums_.results(); }

 private:
  StepEntropy<Scalar> entropy_;
  detail::EntropySums<Scalar> sums_;
  detail::JoinedBlocks<Scalar> joined_;
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>
#include <string_view>

#include "ness/detail/check.hpp"
#include "ness/detail/symmetric_matrices.hpp"

namespace ness {

namespace detail {

/// L with LLᵀ = A of a covariance that is positive definite but for rounding.
template <class Scalar>
DynamicMatrix<Scalar> root_of_covariance(DynamicMatrix<Scalar> covariance) {
  if (!cholesky(covariance))
    invalid("StepKernels",
            "the covariance of a step given those before must be positive definite: diffusion "
            "nearly lacks a direction");
  return covariance;
}

}  // namespace detail

template <class Scalar>
StepKernels<Scalar>::StepKernels(const StationaryState<Scalar>& state) {
  using Matrix = DynamicMatrix<Scalar>;
  constexpr std::string_view name = "StepKernels";
  const Matrix &k = state.relaxation(), &sigma = state.covariance();
  const Eigen::Index n = k.rows();
  if (state.form() != LyapunovForm::discrete)
    detail::invalid(name,
                    "the state must be that of finite steps: use LyapunovForm::discrete, or "
                    "StationarySettings with that form");
  if (!state.has_path_entropy())
    detail::invalid(name,
                    "the path of theta must have a finite memory: not with an update that uses the "
                    "last gradient again, as Nesterov's, nor of epochs whose covariance was given");
  if (state.rank() != n)
    detail::invalid(name, "diffusion must have full rank ", n, ", but has ", state.rank());
  const auto beta = static_cast<Scalar>(state.update().momentum);
  const auto c0 = static_cast<Scalar>(state.update().of_gradient());
  forward = {-c0 * k, beta * Matrix::Identity(n, n), 2 * c0 * c0 * state.diffusion()};

  // u = θ_{k−1} − θ_k from (θ_k, w), w = θ_{k+1} − θ_k, which is −βu − c₀Kθ_k + noise.
  const Matrix drift = state.drift();  // −⟨wθ_kᵀ⟩, and −⟨uθ_kᵀ⟩ transposed
  const Matrix drift_t = detail::transposed(drift);
  const Matrix step = drift + drift_t;  // ⟨wwᵀ⟩ and ⟨uuᵀ⟩
  Matrix known(2 * n, 2 * n), with_u(2 * n, n);
  known << sigma, -drift_t, -drift, step;
  with_u.topRows(n) = -drift;
  with_u.bottomRows(n) = -beta * step + c0 * detail::product(k, drift);
  Matrix factors = with_u;
  const Matrix root = detail::root_of_covariance<Scalar>(known);
  detail::solve_lower(root, factors);
  const Matrix covariance = step - detail::symmetric_product(detail::transposed(factors), factors);
  Matrix inverse = Matrix::Identity(2 * n, 2 * n);
  detail::solve_lower(root, inverse);
  const Matrix predicted = detail::product(detail::transposed(factors), inverse);  // N × 2N
  // Run backwards, θ_k − θ_{k−1} is what w was, with the opposite sign.
  backward = {predicted.leftCols(n), -predicted.rightCols(n), covariance};
  if (beta == 0) backward.of_last.setZero();  // but for rounding
}

template <class Scalar>
StepEntropy<Scalar>::Whitened::Whitened(const StepKernel<Scalar>& kernel)
    : remembers(!kernel.of_last.isZero(0)) {
  const Matrix root = detail::root_of_covariance<Scalar>(kernel.covariance);
  for (Eigen::Index i = 0; i < root.rows(); ++i) log_determinant += 2 * std::log(root(i, i));
  Matrix inverse = Matrix::Identity(root.rows(), root.cols());
  detail::solve_lower(root, inverse);
  of_step = detail::transposed(inverse);
  of_state = detail::product(detail::transposed(kernel.of_state), of_step);
  of_last = detail::product(detail::transposed(kernel.of_last), of_step);
}

template <class Scalar>
DynamicMatrix<Scalar> StepEntropy<Scalar>::Whitened::operator()(const Matrix& steps,
                                                                const Matrix& states,
                                                                const Matrix& last) const {
  Matrix result = detail::product_of_rows(steps, of_step);
  result -= detail::product_of_rows(states, of_state);
  if (remembers) result -= detail::product_of_rows(last, of_last);
  return result;
}

template <class Scalar>
DynamicVector<Scalar> StepEntropy<Scalar>::operator()(const Matrix& last, const Matrix& here,
                                                      const Matrix& next) const {
  const Matrix steps = next - here;
  const Matrix steps_before =
      forward_.remembers || backward_.remembers ? Matrix(here - last) : Matrix();
  const Matrix r = forward_(steps, here, steps_before);
  const Matrix r_back = backward_(steps, here, steps_before);
  Vector entropy =
      Vector::Constant(here.rows(), (backward_.log_determinant - forward_.log_determinant) / 2);
  for (Eigen::Index i = 0; i < here.cols(); ++i)
    entropy += (r_back.col(i).cwiseAbs2() - r.col(i).cwiseAbs2()) / 2;
  return entropy;
}

template <class Scalar>
KernelEntropy<Scalar>::KernelEntropy(const StationaryState<Scalar>& state,
                                     const std::vector<int>& lengths, std::int64_t batch_length,
                                     Eigen::Index bins)
    : entropy_(state),
      sums_(lengths, batch_length,
            entropy_axis(static_cast<double>(state.entropy_production()), lengths).upper, bins,
            "KernelEntropy"),
      joined_(state.mean().size()) {}

// σ of every step but the first.
template <class Scalar>
template <class S>
void KernelEntropy<Scalar>::add(const TrajectoryBlock<S>& block) {
  if (sums_.empty() || block.steps() == 0) return;
  const Matrix states = joined_.join(block);
  const Eigen::Index count = states.rows() - 2;
  if (count > 0)
    sums_.add(
        entropy_(states.topRows(count), states.middleRows(1, count), states.bottomRows(count)));
}

template <class Scalar>
template <class Archive>
void KernelEntropy<Scalar>::serialize(Archive& archive) {
  archive(sums_, joined_);
}

}  // namespace ness
#endif
