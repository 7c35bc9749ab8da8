// Gradients and Hessian products of any function that is generic over its scalar.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <utility>

#include "ness/model/dual.hpp"

namespace ness {

/// Derivatives of f(θ) by dual numbers, several directions at a time; it holds the scratch memory.
///
/// The gradient costs ⌈N/8⌉ evaluations of f with numbers of nine components (N ≤ 8 at static size:
/// one), a Hessian product twice that: right for tens of parameters. For hundreds, give the model
/// its own gradients.
template <class Vector>
class Autodiff {
  using Scalar = typename Vector::Scalar;
  static constexpr int size = Vector::RowsAtCompileTime;
  static constexpr int width = size == Eigen::Dynamic ? 8 : std::min(size, 8);
  using First = Dual<Scalar, width>;
  using Second = Dual<Dual<Scalar, 1>, width>;

 public:
  /// Overwrites `gradient` with ∇f.
  template <class Function, class Out>
  void gradient(const Function& f, const Vector& theta, Out&& gradient) {
    first_.resize(theta.size());
    for (Eigen::Index i = 0; i < theta.size(); ++i) first_[i] = First(theta[i]);
    by_chunks(first_, [&](Eigen::Index begin, Eigen::Index count) {
      const First value = f(std::as_const(first_));
      for (Eigen::Index k = 0; k < count; ++k) gradient[begin + k] = value.derivative[k];
    });
  }

  /// Overwrites `divergence` with ∇·A of a matrix-valued A(θ), (∇·A)_α = Σ_γ ∂_γ A_αγ (Eq. 2).
  template <class Function, class Out>
  void divergence(const Function& a, const Vector& theta, Out&& divergence) {
    first_.resize(theta.size());
    for (Eigen::Index i = 0; i < theta.size(); ++i) first_[i] = First(theta[i]);
    divergence.setZero();
    by_chunks(first_, [&](Eigen::Index begin, Eigen::Index count) {
      const auto values = a(std::as_const(first_));
      for (Eigen::Index k = 0; k < count; ++k)
        for (Eigen::Index i = 0; i < theta.size(); ++i)
          divergence[i] += values(i, begin + k).derivative[k];
    });
  }

  /// Overwrites `product` with (∂∂f) · direction.
  template <class Function, class Direction, class Out>
  void hessian_product(const Function& f, const Vector& theta, const Direction& direction,
                       Out&& product) {
    second_.resize(theta.size());
    for (Eigen::Index i = 0; i < theta.size(); ++i) {
      second_[i] = Second(theta[i]);
      second_[i].value.derivative[0] = direction[i];
    }
    by_chunks(second_, [&](Eigen::Index begin, Eigen::Index count) {
      const Second value = f(std::as_const(second_));
      for (Eigen::Index k = 0; k < count; ++k)
        product[begin + k] = value.derivative[k].derivative[0];
    });
  }

 private:
  // Calls `evaluate(begin, count)` with unit derivatives seeded on count ≤ width variables at a
  // time.
  template <class Variables, class Evaluate>
  static void by_chunks(Variables& variables, const Evaluate& evaluate) {
    for (Eigen::Index begin = 0; begin < variables.size(); begin += width) {
      const Eigen::Index count = std::min<Eigen::Index>(width, variables.size() - begin);
      for (Eigen::Index k = 0; k < count; ++k) variables[begin + k].derivative[k] = Scalar(1);
      evaluate(begin, count);
      for (Eigen::Index k = 0; k < count; ++k) variables[begin + k].derivative[k] = Scalar(0);
    }
  }

  Eigen::Matrix<First, size, 1> first_;
  Eigen::Matrix<Second, size, 1> second_;
};

}  // namespace ness
