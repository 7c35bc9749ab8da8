// How many steps of a sampler make an independent draw (not in the paper).
#pragma once

#include <Eigen/Core>
#include <algorithm>

#include "ness/detail/symmetric_matrices.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/posterior/kinetic_error.hpp"
#include "ness/training/training.hpp"
#include "ness/update/kinetic.hpp"

namespace ness {

namespace detail {

/// ½ + Σ_k ρ_k of θ or θ², whichever is slower, for z' = Az + noise of z = (θ, v) about a posterior
/// without correlation of the two: ρ_k = (A^k)_θθ, or its square.
template <class Scalar>
Scalar slowest_time(const Eigen::Matrix<Scalar, 2, 2>& a);

/// Aᵏ. `Matrix` is a template argument only so that this is compiled where it is used.
template <class Matrix>
Matrix power(Matrix matrix, Index exponent) {
  Matrix result = Matrix::Identity();
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) result = (result * matrix).eval();
    matrix = (matrix * matrix).eval();
  }
  return result;
}

/// z' = Az of an update, in a direction of this curvature.
template <class T>
Eigen::Matrix2d mean_update(const T& sampler, double curvature) {
  Eigen::Matrix2d update = Eigen::Matrix2d::Zero();
  if constexpr (KineticUpdate<typename T::Update>) {
    update = kinetic_modes(sampler, DynamicVector<double>::Constant(1, curvature)).update(0);
  } else {
    update(0, 0) = 1 - sampler.learning_rate * curvature;
  }
  return update;
}

}  // namespace detail

/// ½ + Σ_k ρ_k in Markov steps of the slowest of all θ and θ² along eigenvectors of the Hessian:
/// twice as many steps are worth one independent draw, and cost 2τ `gradient_evaluations`.
///
/// By the mean of the updates, about a Gaussian posterior; what batches differ in changes it
/// little. Cost: an eigendecomposition.
template <class M, class R, IsTraining T>
double autocorrelation_time(const Objective<M, R>& objective, const Minimum<scalar_t<M>>& minimum,
                            const T& sampler) {
  static_assert(KineticUpdate<typename T::Update> || RemembersNothing<typename T::Update>,
                "ness: the autocorrelation time is that of a sampler: see "
                "ness/posterior/samplers.hpp");
  sampler.check(objective.samples(), "autocorrelation_time");
  const detail::SymmetricEigen<scalar_t<M>> eigen(minimum.hessian);
  double slowest = 0;
  const Index updates = sampler.updates_per_markov_step(objective.samples());
  for (const auto curvature : eigen.values) {
    const auto update = detail::mean_update(sampler, static_cast<double>(curvature));
    slowest = std::max(slowest, detail::slowest_time(detail::power(update, updates)));
  }
  return slowest;
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include "ness/detail/general_matrices.hpp"

namespace ness::detail {

template <class Scalar>
Scalar slowest_time(const Eigen::Matrix<Scalar, 2, 2>& a) {
  // Σ_k A^k = (I − A)⁻¹, and X = AXAᵀ + eeᵀ is the sum of A^k eeᵀ (A^k)ᵀ, e = (1, 0).
  const Scalar sum = (1 - a(1, 1)) / ((1 - a(0, 0)) * (1 - a(1, 1)) - a(0, 1) * a(1, 0));
  DynamicMatrix<Scalar> system = DynamicMatrix<Scalar>::Identity(4, 4), unit(4, 1);
  unit << 1, 0, 0, 0;
  for (int k = 0; k < 4; ++k)
    for (int l = 0; l < 4; ++l) system(k, l) -= a(k % 2, l % 2) * a(k / 2, l / 2);
  const Scalar sum_of_squares = solve_general(system, unit)(0, 0);
  return std::max(sum, sum_of_squares) - Scalar(0.5);
}

}  // namespace ness::detail
#endif
