// The mean of kinetic samplers near a minimum, direction by direction (not in the paper).
#pragma once

#include <Eigen/Core>
#include <span>
#include <utility>

#include "ness/detail/symmetric_matrices.hpp"
#include "ness/update/kinetic.hpp"

namespace ness::detail {

/// What some moves do to z = (θ, v) in one direction: z' = map z − kick g + noise.
template <class Scalar = double>
struct KineticMap {
  using Matrix = Eigen::Matrix<Scalar, 2, 2>;
  Matrix map = Matrix::Identity();
  Eigen::Matrix<Scalar, 2, 1> kick = Eigen::Matrix<Scalar, 2, 1>::Zero();
  Matrix noise = Matrix::Zero();  ///< its covariance

  KineticMap(std::span<const KineticMove> moves, double step, double friction);
};

/// S = aSbᵀ + noise.
template <class Scalar>
Eigen::Matrix<Scalar, 2, 2> second_moments(const Eigen::Matrix<Scalar, 2, 2>& a,
                                           const Eigen::Matrix<Scalar, 2, 2>& b,
                                           const Eigen::Matrix<Scalar, 2, 2>& noise);

/// The directions of a Hessian with these eigenvalues, and what happens before a gradient and
/// after it.
template <class Scalar = double>
class KineticModes {
 public:
  using Matrix = Eigen::Matrix<Scalar, 2, 2>;
  using Vector = Eigen::Matrix<Scalar, 2, 1>;
  KineticModes(KineticMap<Scalar> before, KineticMap<Scalar> after,
               DynamicVector<Scalar> curvatures)
      : before_(std::move(before)), after_(std::move(after)), curvatures_(std::move(curvatures)) {}

  Eigen::Index size() const { return curvatures_.size(); }
  /// An update in direction i, without noise.
  Matrix update(Eigen::Index i) const { return after(i) * before_.map; }
  /// Do all updates contract?
  bool is_stable() const;

  /// ⟨zzᵀ⟩ of directions i and j at the end of an update, of a noise of this covariance in each.
  Matrix moments(Eigen::Index i, Eigen::Index j, const Matrix& noise) const {
    return second_moments(update(i), update(j), noise);
  }
  /// The same of gradients with unit covariance in these directions.
  Matrix of_gradients(Eigen::Index i, Eigen::Index j) const {
    return moments(i, j, after_.kick * after_.kick.transpose());
  }
  /// What a gradient does to z, of either direction, and where it is taken: θ there is this · z.
  const Vector& kick() const { return after_.kick; }
  Eigen::Matrix<Scalar, 1, 2> where() const { return before_.map.row(0); }

  /// ⟨zzᵀ⟩ at the end of updates without noise of batches in direction i, less the posterior's.
  Matrix excess(Eigen::Index i) const { return moments(i, i, excess_of_update(i)); }
  /// The same at all: the posterior's as well.
  Matrix stationary(Eigen::Index i) const { return posterior(i) + excess(i); }
  /// ⟨zθ⟩ of the end of such an update and the place of its gradient.
  Vector with_place(Eigen::Index i) const {
    return after(i) *
           (before_.map * stationary(i) * before_.map.transpose() + before_.noise).col(0);
  }
  /// ⟨zzᵀ⟩ after an update that begins with the posterior's z in direction i, less that.
  Matrix excess_of_update(Eigen::Index i) const;

  /// ⟨θθ⟩ where gradients are taken, of ⟨zzᵀ⟩ at the end of an update.
  Scalar at_gradient(const Matrix& moments) const {
    return (before_.map * moments * before_.map.transpose())(0, 0);
  }
  /// The same of the posterior's z in direction i.
  Scalar posterior_at_gradient(Eigen::Index i) const {
    return at_gradient(posterior(i)) + before_.noise(0, 0);
  }

 private:
  Matrix posterior(Eigen::Index i) const {
    Matrix result = Matrix::Identity();
    result(0, 0) = 1 / curvatures_[i];
    return result;
  }
  Matrix after(Eigen::Index i) const {
    Matrix map = after_.map;
    map.col(0) -= curvatures_[i] * after_.kick;
    return map;
  }

  KineticMap<Scalar> before_, after_;
  DynamicVector<Scalar> curvatures_;
};

/// Of a kinetic sampler.
template <class T>
KineticModes<double> kinetic_modes(const T& sampler, const DynamicVector<double>& curvatures) {
  using Scheme = typename T::Update::Scheme;
  const double step = sampler.learning_rate, friction = sampler.update.friction;
  return {KineticMap<double>(Scheme::before, step, friction),
          KineticMap<double>(Scheme::after, step, friction), curvatures};
}

}  // namespace ness::detail

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>

#include "ness/detail/general_matrices.hpp"

namespace ness::detail {

template <class Scalar>
KineticMap<Scalar>::KineticMap(std::span<const KineticMove> moves, double step, double friction) {
  for (const KineticMove& move : moves) {
    const KineticCoefficients c(move, step, friction);
    Matrix by = Matrix::Identity(), root = Matrix::Zero();
    by(0, 1) = static_cast<Scalar>(c.drift);
    by(1, 1) = static_cast<Scalar>(c.keep);
    root(0, 0) = static_cast<Scalar>(c.of_first);
    root(1, 0) = static_cast<Scalar>(c.first);
    root(1, 1) = static_cast<Scalar>(c.second);
    map = (by * map).eval();
    kick = (by * kick).eval();
    kick[1] += static_cast<Scalar>(c.kick);
    noise = (by * noise * by.transpose() + root * root.transpose()).eval();
  }
}

// Both eigenvalues lie within the unit circle (E. I. Jury's test).
template <class Scalar>
bool KineticModes<Scalar>::is_stable() const {
  for (Eigen::Index i = 0; i < size(); ++i) {
    const Matrix a = update(i);
    const Scalar area = a(0, 0) * a(1, 1) - a(0, 1) * a(1, 0);
    if (!(std::abs(a.trace()) < 1 + area && area < 1)) return false;
  }
  return true;
}

template <class Scalar>
Eigen::Matrix<Scalar, 2, 2> second_moments(const Eigen::Matrix<Scalar, 2, 2>& a,
                                           const Eigen::Matrix<Scalar, 2, 2>& b,
                                           const Eigen::Matrix<Scalar, 2, 2>& noise) {
  DynamicMatrix<Scalar> system = DynamicMatrix<Scalar>::Identity(4, 4), right(4, 1);
  for (int k = 0; k < 4; ++k) {  // a S bᵀ, of the elements of S column by column
    right(k, 0) = noise(k % 2, k / 2);
    for (int l = 0; l < 4; ++l) system(k, l) -= a(k % 2, l % 2) * b(k / 2, l / 2);
  }
  const DynamicMatrix<Scalar> solution = solve_general(system, right);
  Eigen::Matrix<Scalar, 2, 2> result;
  for (int k = 0; k < 4; ++k) result(k % 2, k / 2) = solution(k, 0);
  return result;
}

template <class Scalar>
Eigen::Matrix<Scalar, 2, 2> KineticModes<Scalar>::excess_of_update(Eigen::Index i) const {
  const Matrix start = posterior(i), rest = after(i), all = rest * before_.map;
  return all * start * all.transpose() - start + rest * before_.noise * rest.transpose() +
         after_.noise;
}

}  // namespace ness::detail
#endif
