// The geometry of a system: the curvature of the manifold on which it diffuses (Sec. 2.1).
#pragma once

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/detail/static_cholesky.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/model/dual.hpp"
#include "ness/systems/fokker_planck.hpp"

namespace ness {

/// Curvature at a point of the manifold with the metric g = D⁻¹, in which ds² = dθᵀD⁻¹dθ is a time:
/// all curvatures are per unit of time, and do not depend on the coordinates.
struct Curvature {
  DynamicMatrix<double> metric;  ///< g, N × N
  DynamicMatrix<double> ricci;   ///< R_bd = Σ_ac D_ac R_abcd, N × N
  double scalar;                 ///< Σ_bd D_bd R_bd: N(N − 1)/r² of a sphere of radius r
  /// What `scalar` may be off by: rounding of its sum, or what differences of two widths tell.
  double error;
  std::vector<double> riemann;  ///< R_abcd, N⁴, the last index fastest

  /// R_abcd, with R_abab = g_aa g_bb − g_ab² on the unit sphere.
  double component(Index a, Index b, Index c, Index d) const {
    const Index n = metric.rows();
    return riemann[static_cast<std::size_t>(((a * n + b) * n + c) * n + d)];
  }

  /// The curvature of the surface along u and v, N each: R(u,v,u,v)/(|u|²|v|² − (u·v)²), 1/r² on a
  /// sphere of radius r. NaN where they are parallel.
  double sectional(const DynamicVector<double>& u, const DynamicVector<double>& v) const {
    const Index n = metric.rows();
    detail::require_size(u, n, 1, "Curvature::sectional", "u");
    detail::require_size(v, n, 1, "Curvature::sectional", "v");
    double sum = 0;
    for (Index a = 0; a < n; ++a)
      for (Index b = 0; b < n; ++b)
        for (Index c = 0; c < n; ++c)
          for (Index d = 0; d < n; ++d) sum += component(a, b, c, d) * u[a] * v[b] * u[c] * v[d];
    const auto product = [&](const auto& x, const auto& y) {
      double all = 0;
      for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < n; ++j) all += metric(i, j) * x[i] * y[j];
      return all;
    };
    const double uv = product(u, v);
    return sum / (product(u, u) * product(v, v) - uv * uv);
  }
};

namespace detail {

/// D and its derivatives at a point.
template <class Scalar>
struct DiffusionDerivatives {
  using Matrix = DynamicMatrix<Scalar>;

  explicit DiffusionDerivatives(Index n)
      : value(n, n),
        first(static_cast<std::size_t>(n), Matrix::Zero(n, n)),
        second(static_cast<std::size_t>(n * n), Matrix::Zero(n, n)) {}

  Matrix value;
  std::vector<Matrix> first;   // ∂_k D
  std::vector<Matrix> second;  // ∂_k ∂_l D, at k n + l

  const Matrix& at(Index k) const { return first[static_cast<std::size_t>(k)]; }
  Matrix& at(Index k) { return first[static_cast<std::size_t>(k)]; }
  const Matrix& at(Index k, Index l) const {
    return second[static_cast<std::size_t>(k * value.rows() + l)];
  }
  Matrix& at(Index k, Index l) { return second[static_cast<std::size_t>(k * value.rows() + l)]; }
};

/// By dual numbers, exact.
template <class S>
DiffusionDerivatives<double> differentiate_diffusion(const S& system, const vector_t<S>& theta) {
  using Number = Dual<Dual<double, 1>, 1>;
  const Index n = theta.size();
  DiffusionDerivatives<double> result(n);
  Eigen::Matrix<Number, parameters_at_compile_time<S>, 1> point(n);
  for (Index k = 0; k < n; ++k)
    for (Index l = k; l < n; ++l) {
      for (Index i = 0; i < n; ++i) point[i] = Number(static_cast<double>(theta[i]));
      point[k].value.derivative[0] = 1;
      point[l].derivative[0].value = 1;
      const auto values = system.diffusion(std::as_const(point));
      for (Index j = 0; j < n; ++j)
        for (Index i = 0; i < n; ++i) {
          result.value(i, j) = values(i, j).value.value;
          result.at(k)(i, j) = values(i, j).value.derivative[0];
          result.at(k, l)(i, j) = values(i, j).derivative[0].derivative[0];
        }
      result.at(l, k) = result.at(k, l);
    }
  return result;
}

/// By central differences of ±step.
template <class S>
DiffusionDerivatives<double> difference_diffusion(const S& system, const vector_t<S>& theta,
                                                  const vector_t<S>& steps) {
  using Vector = vector_t<S>;
  using Matrix = DynamicMatrix<typename DoubleFor<S>::type>;
  const Index n = theta.size();
  MatrixField<CallDiffusion, S> field(system, "curvature", "diffusion");
  const auto at = [&](const Vector& point) -> Matrix {
    field.evaluate(system, point);
    return field.value().template cast<typename Matrix::Scalar>();
  };
  DiffusionDerivatives<double> result(n);
  result.value = at(theta);
  const auto moved = [&](Index k, int sign, Index l, int other) -> Matrix {
    Vector point = theta;
    point[k] += static_cast<scalar_t<S>>(sign) * steps[k];
    point[l] += static_cast<scalar_t<S>>(other) * steps[l];
    return at(point);
  };
  for (Index k = 0; k < n; ++k) {
    const auto width = static_cast<double>(steps[k]);
    const Matrix above = moved(k, 1, k, 0), below = moved(k, -1, k, 0);
    result.at(k) = (above - below) / (2 * width);
    result.at(k, k) = (above - 2 * result.value + below) / (width * width);
    for (Index l = 0; l < k; ++l) {
      result.at(k, l) =
          (moved(k, 1, l, 1) - moved(k, 1, l, -1) - moved(k, -1, l, 1) + moved(k, -1, l, -1)) /
          (4 * width * static_cast<double>(steps[l]));
      result.at(l, k) = result.at(k, l);
    }
  }
  return result;
}

/// fine + (fine − coarse)/3 of central differences of one and two steps: of fourth order.
template <class Scalar>
DiffusionDerivatives<Scalar> extrapolated(DiffusionDerivatives<Scalar> fine,
                                          const DiffusionDerivatives<Scalar>& coarse) {
  for (std::size_t k = 0; k < fine.first.size(); ++k)
    fine.first[k] += (fine.first[k] - coarse.first[k]) / 3;
  for (std::size_t k = 0; k < fine.second.size(); ++k)
    fine.second[k] += (fine.second[k] - coarse.second[k]) / 3;
  return fine;
}

/// The metric D⁻¹, its derivatives and Christoffel's symbols of the first kind.
template <class Scalar>
class MetricDerivatives {
 public:
  using Matrix = DynamicMatrix<Scalar>;

  /// Throws `std::invalid_argument` where D is not positive definite.
  explicit MetricDerivatives(const DiffusionDerivatives<Scalar>& d) : metric_(d) {
    const Index n = d.value.rows();
    Matrix lower = d.value;
    if (!lower.allFinite() || !cholesky(lower))
      invalid("curvature", "diffusion must be positive definite, but is\n", d.value);
    Matrix& g = metric_.value;
    g.setIdentity();
    DynamicVector<Scalar> column(n);
    for (Index k = 0; k < n; ++k) {
      column = g.col(k);
      solve_factored(lower, column);
      g.col(k) = column;
    }
    for (Index k = 0; k < n; ++k) metric_.at(k) = -(g * d.at(k) * g);
    for (Index k = 0; k < n; ++k)
      for (Index l = 0; l < n; ++l)
        metric_.at(k, l) = g * (d.at(k) * g * d.at(l) + d.at(l) * g * d.at(k) - d.at(k, l)) * g;
  }

  const Matrix& metric() const { return metric_.value; }
  /// ∂_k ∂_l g_ij
  Scalar second(Index k, Index l, Index i, Index j) const { return metric_.at(k, l)(i, j); }
  /// Γ_{e,bc} = ½(∂_b g_ec + ∂_c g_eb − ∂_e g_bc)
  Scalar symbol(Index e, Index b, Index c) const {
    return (metric_.at(b)(e, c) + metric_.at(c)(e, b) - metric_.at(e)(b, c)) / 2;
  }

 private:
  DiffusionDerivatives<Scalar> metric_;
};

/// R_abcd = ½(∂_b∂_c g_ad + ∂_a∂_d g_bc − ∂_a∂_c g_bd − ∂_b∂_d g_ac)
///          + Σ_ef D_ef (Γ_{e,bc}Γ_{f,ad} − Γ_{e,bd}Γ_{f,ac}), and what follows from it.
template <class Scalar>
Curvature curvature_of(const DiffusionDerivatives<Scalar>& diffusion) {
  using Matrix = DynamicMatrix<Scalar>;
  const Index n = diffusion.value.rows();
  const MetricDerivatives<Scalar> g(diffusion);
  const Matrix& d = diffusion.value;
  Curvature result{g.metric(), Matrix::Zero(n, n), 0, 0, {}};
  result.riemann.reserve(static_cast<std::size_t>(n * n * n * n));
  double size = 0;
  for (Index a = 0; a < n; ++a)
    for (Index b = 0; b < n; ++b)
      for (Index c = 0; c < n; ++c)
        for (Index e = 0; e < n; ++e) {
          const std::array<Scalar, 4> seconds{g.second(b, c, a, e), g.second(a, e, b, c),
                                              -g.second(a, c, b, e), -g.second(b, e, a, c)};
          double sum = 0, parts = 0;
          for (const Scalar part : seconds) {
            sum += part / 2;
            parts += std::abs(part) / 2;
          }
          for (Index i = 0; i < n; ++i)
            for (Index j = 0; j < n; ++j) {
              const Scalar plus = d(i, j) * g.symbol(i, b, c) * g.symbol(j, a, e);
              const Scalar minus = d(i, j) * g.symbol(i, b, e) * g.symbol(j, a, c);
              sum += plus - minus;
              parts += std::abs(plus) + std::abs(minus);
            }
          result.riemann.push_back(sum);
          result.ricci(b, e) += d(a, c) * sum;
          size += std::abs(d(a, c) * d(b, e)) * parts;
        }
  result.scalar = result.ricci.cwiseProduct(d).sum();
  result.error = 4 * std::numeric_limits<Scalar>::epsilon() * static_cast<double>(n) * size;
  return result;
}

/// What rounding of D by ε √(D_ii D_jj) in differences of ±steps does to the scalar curvature,
/// whose terms in ∂_k∂_l D are those of ∂_k∂_l D_kl and D_kl Σ_ij g_ij ∂_k∂_l D_ij.
template <class Scalar, class Vector>
double rounding_of_differences(const DynamicMatrix<Scalar>& d, const DynamicMatrix<Scalar>& g,
                               const Vector& steps) {
  const DynamicVector<Scalar> units = d.diagonal().cwiseSqrt();
  const double shares = units.dot(g.cwiseAbs() * units);
  const double sum = units.cwiseQuotient(steps.template cast<double>()).sum();
  constexpr double epsilon = std::numeric_limits<typename Vector::Scalar>::epsilon();
  return 4 * epsilon * sum * sum * (1 + shares);
}

}  // namespace detail

/// The curvature at θ of the manifold whose metric is D⁻¹ (Sec. 2.1): flat where D is constant, a
/// sphere of radius √(8N_e) for `WrightFisher`. From first and second derivatives of D: by
/// automatic differentiation where `diffusion` is generic, else by central differences over some
/// 0.3 % of `lengths`, N, over which D changes (|θ_k| where none are given, and 1 for θ_k = 0).
///
///   const auto here = ness::curvature(evolution, theta);
///   here.sectional(u, v);                              // 1/(8 N_e), whatever u and v
///
/// Cost: N(N+1)/2 evaluations of D with dual numbers, or some 4N² without, and N⁶ operations;
/// memory N⁴: for a few coordinates. Throws `std::invalid_argument` where D is not positive
/// definite.
template <class S>
Curvature curvature(const S& system, const vector_t<S>& theta, const vector_t<S>& lengths) {
  using Vector = vector_t<S>;
  detail::require_size(theta, system.parameters(), 1, "curvature", "theta");
  detail::require_finite(theta, "curvature", "theta");
  if constexpr (HasConstantDiffusion<S>) {
    detail::DiffusionDerivatives<double> flat(theta.size());
    flat.value = system.diffusion().template cast<double>();
    return detail::curvature_of(flat);
  } else if constexpr (HasGenericDiffusion<S>) {
    return detail::curvature_of(detail::differentiate_diffusion(system, theta));
  } else {
    detail::require_size(lengths, system.parameters(), 1, "curvature", "lengths");
    // Where rounding, ε/h², and what is left of extrapolation, h⁴, are alike.
    constexpr scalar_t<S> epsilon = std::numeric_limits<scalar_t<S>>::epsilon();
    const Vector steps = std::pow(epsilon, scalar_t<S>(1) / 6) * lengths;
    const auto fine = detail::difference_diffusion(system, theta, steps);
    const auto coarse = detail::difference_diffusion(system, theta, Vector(2 * steps));
    Curvature result = detail::curvature_of(detail::extrapolated(fine, coarse));
    result.error += std::abs(result.scalar - detail::curvature_of(fine).scalar) +
                    detail::rounding_of_differences(fine.value, result.metric, steps);
    return result;
  }
}

template <class S>
Curvature curvature(const S& system, const vector_t<S>& theta) {
  vector_t<S> lengths = theta.cwiseAbs();
  for (auto& length : lengths)
    if (!(length > 0)) length = 1;
  return curvature(system, theta, lengths);
}

}  // namespace ness
