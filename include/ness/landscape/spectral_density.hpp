// The density of the spectrum of H, and traces of functions of it, by products with vectors alone.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <string_view>

#include "ness/landscape/eigenpairs.hpp"
#include "ness/random/philox.hpp"
#include "ness/random/signs.hpp"
#include "ness/statistics/estimate.hpp"

namespace ness {

/// A quadrature of the spectrum: f(H) has the trace N⟨Σ_k w_k f(λ_k)⟩, the mean over probes. Where
/// the probes are those of a matrix D, ⟨uuᵀ⟩ = D, this is tr(D f(H)).
template <class Scalar = double>
struct [[nodiscard]] SpectralDensity {
  Eigen::Index parameters = 0;    ///< N
  DynamicMatrix<Scalar> nodes;    ///< λ, in columns: those of one probe, increasing
  DynamicMatrix<Scalar> weights;  ///< w ≥ 0, which sum to |u|²/N for each probe: 1 of signs
  Eigen::Index products = 0;      ///< of H with a vector

  /// tr f(H), or tr(D f(H)), with the standard error that the probes leave; `function` of a number.
  template <class Function>
  Estimate<double> trace(const Function& function) const {
    BatchMeans<> of_probes(1, 1, 1);
    for (Eigen::Index p = 0; p < nodes.cols(); ++p) {
      double one = 0;
      for (Eigen::Index k = 0; k < nodes.rows(); ++k)
        if (weights(k, p) > 0) one += static_cast<double>(weights(k, p)) * function(nodes(k, p));
      const double trace = static_cast<double>(parameters) * one;
      of_probes.add(DynamicMatrix<double>::Constant(1, 1, trace), 1);
    }
    return {of_probes.mean()(0, 0), of_probes.standard_error()(0, 0),
            of_probes.degrees_of_freedom()};
  }
  /// tr H
  Estimate<double> trace() const {
    return trace([](auto h) { return static_cast<double>(h); });
  }
  /// The part of the eigenvalues below x.
  double below(double x) const {
    return trace([x](auto h) { return static_cast<double>(h) < x ? 1.0 : 0.0; }).value /
           static_cast<double>(parameters);
  }
  /// Eigenvalues per unit of h at x, as a part of all, each spread to a normal density of standard
  /// deviation `width`.
  double density(double x, double width) const {
    const auto normal = [=](auto h) {
      const double z = (x - static_cast<double>(h)) / width;
      return std::exp(-z * z / 2) / (width * std::sqrt(2 * std::numbers::pi));
    };
    return trace(normal).value / static_cast<double>(parameters);
  }
};

/// How many probes, and how many nodes of each.
struct SpectralDensitySettings {
  Eigen::Index probes = 8;  ///< whose products are asked for at once
  Eigen::Index steps = 80;  ///< nodes of each
  std::uint64_t seed = 1;
  /// Called with the products so far and those in all.
  std::function<void(Eigen::Index, Eigen::Index)> progress = {};

  /// Throws `std::invalid_argument` for fewer than 2 probes or 1 step.
  void check(std::string_view function) const {
    detail::require(probes >= 2, function, "probes must be at least 2", probes);
    detail::require(steps >= 1, function, "steps must be at least 1", steps);
  }
};

namespace detail {

/// The quadratures from the columns of `probes`, N × any.
template <class Scalar>
SpectralDensity<Scalar> spectral_density(
    const HessianProducts<Scalar>& products, const DynamicMatrix<Scalar>& probes,
    Eigen::Index steps, const std::function<void(Eigen::Index, Eigen::Index)>& progress);

}  // namespace detail

/// The density of the eigenvalues of H = ∂∂𝓛(θ), by stochastic Lanczos quadrature: from a random
/// vector of signs, `steps` of Lanczos' recursion make a tridiagonal matrix whose eigenvalues and
/// squared first components are nodes and weights, exact for polynomials of degree 2 · steps − 1
/// (G. Golub and G. Meurant, Matrices, Moments and Quadrature, 2010; for networks B. Ghorbani et
/// al., arXiv 1901.10159). Vectors are not made orthogonal again, which repeats nodes and leaves
/// sums over them right (L. Knizhnerman, Comput. Math. Math. Phys. 36, 575 (1996)).
///
/// Cost: probes · steps products; memory: four blocks of N × probes. Throws `std::invalid_argument`
/// for bad settings, a bad θ, or products that are not finite.
template <class M, class R>
SpectralDensity<double> spectral_density(const StreamedObjective<M, R>& streamed,
                                         const DynamicVector<double>& theta,
                                         const SpectralDensitySettings& settings = {}) {
  settings.check("spectral_density");
  Philox random(settings.seed);
  return detail::spectral_density<double>(
      detail::hessian_at(streamed, theta),
      detail::random_signs<double>(random, streamed.parameters(), settings.probes), settings.steps,
      settings.progress);
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include "ness/detail/symmetric_matrices.hpp"

namespace ness::detail {

/// Lanczos' recursion from several vectors side by side.
template <class Scalar>
class LanczosRecursion {
 public:
  using Vector = DynamicVector<Scalar>;
  using Matrix = DynamicMatrix<Scalar>;

  LanczosRecursion(Matrix starts, Eigen::Index steps)
      : now_(std::move(starts)),
        before_(Matrix::Zero(now_.rows(), now_.cols())),
        diagonal_(Matrix::Zero(steps, now_.cols())),
        beside_(diagonal_) {}

  const Matrix& vectors() const { return now_; }

  /// One step, from H times `vectors`.
  void advance(Eigen::Index step, Matrix images) {
    for (Eigen::Index p = 0; p < now_.cols(); ++p) {
      const Scalar last = step > 0 ? beside_(step - 1, p) : Scalar(0);
      images.col(p) -= last * before_.col(p);
      diagonal_(step, p) = now_.col(p).dot(images.col(p));
      images.col(p) -= diagonal_(step, p) * now_.col(p);
      const Scalar left = images.col(p).norm();
      const Scalar scale = std::abs(diagonal_(step, p)) + last;
      const bool ended = !(left > 16 * std::numeric_limits<Scalar>::epsilon() * scale);
      beside_(step, p) = ended ? Scalar(0) : left;
      if (ended)
        images.col(p).setZero();
      else
        images.col(p) /= left;
    }
    before_.swap(now_);
    now_.swap(images);
  }

  /// Nodes and weights of probe p.
  void quadrature(Eigen::Index p, SpectralDensity<Scalar>& result) const {
    const Eigen::Index steps = diagonal_.rows();
    Matrix tridiagonal = Matrix::Zero(steps, steps);
    for (Eigen::Index k = 0; k < steps; ++k) {
      tridiagonal(k, k) = diagonal_(k, p);
      if (k + 1 < steps) tridiagonal(k + 1, k) = tridiagonal(k, k + 1) = beside_(k, p);
    }
    const SymmetricEigen<Scalar> eigen(tridiagonal);
    result.nodes.col(p) = eigen.values;
    for (Eigen::Index k = 0; k < steps; ++k)
      result.weights(k, p) = eigen.vectors(0, k) * eigen.vectors(0, k);
  }

 private:
  Matrix now_, before_;
  Matrix diagonal_, beside_;  // of the tridiagonal matrices, in columns
};

template <class Scalar>
SpectralDensity<Scalar> spectral_density(
    const HessianProducts<Scalar>& products, const DynamicMatrix<Scalar>& probes, Eigen::Index most,
    const std::function<void(Eigen::Index, Eigen::Index)>& progress) {
  constexpr std::string_view name = "spectral_density";
  const Eigen::Index steps = std::min(most, probes.rows()), count = probes.cols();
  const DynamicVector<Scalar> lengths = probes.colwise().norm().transpose();
  DynamicMatrix<Scalar> starts = probes;
  for (Eigen::Index p = 0; p < count; ++p)
    if (lengths[p] > 0) starts.col(p) /= lengths[p];
  LanczosRecursion<Scalar> recursion(std::move(starts), steps);
  SpectralDensity<Scalar> result;
  result.parameters = probes.rows();
  for (Eigen::Index step = 0; step < steps; ++step) {
    DynamicMatrix<Scalar> images = products(recursion.vectors());
    require_finite(images, name, "the product of the Hessian with a vector");
    recursion.advance(step, std::move(images));
    result.products += count;
    if (progress) progress(result.products, steps * count);
  }
  result.nodes.resize(steps, count);
  result.weights.resize(steps, count);
  for (Eigen::Index p = 0; p < count; ++p) {
    recursion.quadrature(p, result);
    result.weights.col(p) *= lengths[p] * lengths[p] / static_cast<Scalar>(probes.rows());
  }
  return result;
}

}  // namespace ness::detail
#endif
