// At which frequencies, and between which directions, a linear chain is irreversible (not in the
// paper).
#pragma once

#include "ness/detail/matrices.hpp"
#include "ness/stationary/stationary_state.hpp"

namespace ness {

/// The entropy production of a linear chain by frequency, exact in discrete time and with a memory:
/// the rate of divergence of paths of θ from their reverse (theory of Gaussian processes),
///   ⟨σ⟩ = (1/4π)∫ tr[S(−ω)⁻¹S(ω) − 1] dω,  S = T⁻¹2D T⁻ᴴ,  T = z + cK,
/// z = e^{iω} − 1 − β(1 − e^{−iω}), c = c₀ + c₁e^{−iω} over −π … π (`LinearUpdate`; iω and 1 over
/// all ω in the continuous form). Nothing cancels in
///   tr[S(−ω)⁻¹S(ω) − 1] = 4w² tr(D⁻¹KX),  X = Q⁻¹(DKᵀ − KD)Q⁻ᵀ,  Q = TT̄,  w = Im(z̄c),
/// which of a symmetric K is, in the basis of its eigenvectors with the eigenvalues x,
///   −2w² Σ_ij D_ij(D⁻¹)_ij (x_i − x_j)²/(q_i q_j),  q_i = |z + cx_i|²:
/// a sum over pairs of directions that relax at different rates.
///
///   const ness::EntropySpectrum spectrum(predicted);
///   std::cout << spectrum.rate() << ' ' << spectrum.density(0.01) << '\n';
///
/// Per Markov step, and frequencies in radians a Markov step.
template <class Scalar = double>
class EntropySpectrum {
 public:
  using Matrix = DynamicMatrix<Scalar>;

  /// Throws `std::invalid_argument` for a singular D, whose ⟨σ⟩ may be infinite, and where Σ was
  /// given and does not follow from K and D. Cost: some products; of a symmetric K an
  /// eigendecomposition.
  explicit EntropySpectrum(const StationaryState<Scalar>& state);

  /// What a band dω about ω > 0, and that about −ω, adds to ⟨σ⟩ for each dω. Cost: N² where K is
  /// symmetric, else some N³.
  Scalar density(Scalar frequency) const;

  /// ⟨σ⟩, the integral of `density` over 0 … π (0 … ∞), to a relative 10⁻¹¹ or so, by the
  /// trapezoidal rule in log tan(ω/2) (log ω), which converges exponentially. Cost: some hundred to
  /// some thousand times `density`: the more, the weaker an oscillation is damped.
  Scalar rate() const;

  /// What pairs of eigenvectors of a symmetric K add to ⟨σ⟩, N × N and symmetric: element (i, j)
  /// and (j, i) half of it each, in the order of `decay_rates()` of a plain update; its sum is
  /// `rate()`, and that of row i what direction i takes part in. Throws `std::logic_error` where K
  /// is not symmetric.
  Matrix pairs() const;

  /// Eigenvectors of a symmetric K in columns, increasing; else empty.
  const Matrix& directions() const { return vectors_; }

 private:
  /// z and c at one frequency.
  struct Response {
    Scalar z_r, z_i, c_r, c_i;
    /// |z + cx|²
    Scalar of_rate(Scalar x) const {
      const Scalar real = z_r + c_r * x, imaginary = z_i + c_i * x;
      return real * real + imaginary * imaginary;
    }
    /// Im(z̄c)
    Scalar w() const { return z_r * c_i - z_i * c_r; }
  };
  struct Integral {
    Scalar value, step;
  };
  Response response(Scalar frequency) const;
  DynamicVector<Scalar> inverse_squares(const Response& at) const;
  Scalar spread(const Response& at) const;
  template <class Add>
  void over_frequencies(Scalar offset, Scalar step, const Add& add) const;
  Integral integral() const;

  LinearUpdate update_;
  bool discrete_;
  Scalar slowest_, fastest_;
  Matrix relaxation_, square_, inverse_, turning_;  // K, K², D⁻¹, DKᵀ − KD
  // Of a symmetric K:
  Matrix vectors_;
  DynamicVector<Scalar> rates_;
  Matrix weights_;  // −D_ij(D⁻¹)_ij(x_i − x_j)²
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "ness/detail/check.hpp"
#include "ness/detail/general_matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"

namespace ness {

template <class Scalar>
EntropySpectrum<Scalar>::EntropySpectrum(const StationaryState<Scalar>& state)
    : update_(state.update()),
      discrete_(state.form() == LyapunovForm::discrete),
      relaxation_(state.relaxation()),
      inverse_(state.inverse_diffusion()) {
  constexpr std::string_view name = "EntropySpectrum";
  const Eigen::Index n = relaxation_.rows();
  if (state.chain().known.given())
    detail::invalid(name,
                    "the covariance must follow from relaxation and diffusion, but was given");
  if (state.rank() != n)
    detail::invalid(name, "diffusion must have full rank ", n, ", but has ", state.rank());
  const Matrix& d = state.diffusion();
  square_ = detail::product(relaxation_, relaxation_);
  turning_ = detail::product(d, detail::transposed(relaxation_));
  turning_ -= detail::transposed(turning_);
  const detail::SymmetricEigen<Scalar> eigen(detail::half_sum_with_transpose(relaxation_, 1));
  slowest_ = std::abs(eigen.values[0]);
  for (const Scalar x : eigen.values) slowest_ = std::min(slowest_, std::abs(x));
  fastest_ = relaxation_.norm();
  if (slowest_ == 0) slowest_ = state.decay_rates()[0];
  if (!(relaxation_ - detail::transposed(relaxation_)).isZero(0)) return;
  vectors_ = eigen.vectors;
  rates_ = eigen.values;
  const auto in_basis = [&](const Matrix& a) {
    return detail::product(detail::transposed(vectors_), detail::product(a, vectors_));
  };
  weights_ =
      -detail::half_sum_with_transpose(Matrix(in_basis(d).cwiseProduct(in_basis(inverse_))), 1);
  for (Eigen::Index j = 0; j < n; ++j)
    for (Eigen::Index i = 0; i < n; ++i) {
      const Scalar apart = rates_[i] - rates_[j];
      weights_(i, j) *= apart * apart;
    }
}

template <class Scalar>
auto EntropySpectrum<Scalar>::response(Scalar frequency) const -> Response {
  if (!discrete_) return {0, frequency, 1, 0};
  // z = −(1 + β)(1 − cos ω) + i(1 − β) sin ω, with 1 − cos ω = 2 sin²(ω/2).
  const auto beta = static_cast<Scalar>(update_.momentum);
  const auto c0 = static_cast<Scalar>(update_.of_gradient());
  const auto c1 = static_cast<Scalar>(update_.of_last_gradient());
  const Scalar half = std::sin(frequency / 2), sine = std::sin(frequency);
  const Scalar versine = 2 * half * half;
  const Scalar z_r = -(1 + beta) * versine, z_i = (1 - beta) * sine;
  const Scalar c_r = c0 + c1 * (1 - versine), c_i = -c1 * sine;
  return {z_r, z_i, c_r, c_i};
}

template <class Scalar>
DynamicVector<Scalar> EntropySpectrum<Scalar>::inverse_squares(const Response& at) const {
  DynamicVector<Scalar> result = rates_;
  for (Scalar& x : result) x = 1 / at.of_rate(x);
  return result;
}

// tr(D⁻¹KX)
template <class Scalar>
Scalar EntropySpectrum<Scalar>::spread(const Response& at) const {
  if (rates_.size() > 0) {
    const DynamicVector<Scalar> inverse = inverse_squares(at);
    Scalar sum(0);
    for (Eigen::Index j = 0; j < inverse.size(); ++j)
      for (Eigen::Index i = 0; i < j; ++i) sum += weights_(i, j) * inverse[i] * inverse[j];
    return sum;
  }
  Matrix q = (at.c_r * at.c_r + at.c_i * at.c_i) * square_ +
             2 * (at.z_r * at.c_r + at.z_i * at.c_i) * relaxation_;
  for (Eigen::Index i = 0; i < q.rows(); ++i) q(i, i) += at.z_r * at.z_r + at.z_i * at.z_i;
  const Matrix half = detail::solve_general(q, turning_);               // Q⁻¹(DKᵀ − KD)
  const Matrix x = detail::solve_general(q, detail::transposed(half));  // −X
  return -detail::product(inverse_, relaxation_).cwiseProduct(detail::transposed(x)).sum();
}

template <class Scalar>
Scalar EntropySpectrum<Scalar>::density(Scalar frequency) const {
  const Response at = response(frequency);
  return 2 / std::numbers::pi_v<Scalar> * at.w() * at.w() * spread(at);
}

// Calls add(ω, dω) for the points of a trapezoidal rule in s = log tan(ω/2), or log ω.
template <class Scalar>
template <class Add>
void EntropySpectrum<Scalar>::over_frequencies(Scalar offset, Scalar step, const Add& add) const {
  const Scalar low = std::log(slowest_ / 2) - 14;  // what is left goes as ω³
  const Scalar high = discrete_ ? Scalar(14) : std::log(fastest_) + 36;
  for (Scalar s = low + offset; s < high; s += step) {
    const Scalar e = std::exp(s);
    if (discrete_)
      add(2 * std::atan(e), step * 2 * e / (1 + e * e));
    else
      add(e, step * e);
  }
}

// The step is halved until nothing changes.
template <class Scalar>
auto EntropySpectrum<Scalar>::integral() const -> Integral {
  Integral result{0, Scalar(0.5)};
  const auto sum = [&](Scalar offset) {
    Scalar all(0);
    over_frequencies(offset, result.step,
                     [&](Scalar at, Scalar each) { all += each * density(at); });
    return all;
  };
  result.value = sum(0);
  for (int halvings = 0; halvings < 12; ++halvings) {
    const Scalar last = result.value;
    result.value = (last + sum(result.step / 2)) / 2;
    result.step /= 2;
    if (std::abs(result.value - last) <=
        100 * std::numeric_limits<Scalar>::epsilon() * result.value)
      break;
  }
  return result;
}

template <class Scalar>
Scalar EntropySpectrum<Scalar>::rate() const {
  return integral().value;
}

template <class Scalar>
DynamicMatrix<Scalar> EntropySpectrum<Scalar>::pairs() const {
  if (rates_.size() == 0)
    throw std::logic_error("ness: EntropySpectrum::pairs: relaxation is not symmetric");
  Matrix sums = Matrix::Zero(rates_.size(), rates_.size());
  over_frequencies(0, integral().step, [&](Scalar at, Scalar each) {
    const Response here = response(at);
    const DynamicVector<Scalar> inverse = inverse_squares(here);
    const Scalar factor = each / std::numbers::pi_v<Scalar> * here.w() * here.w();
    for (Eigen::Index j = 0; j < inverse.size(); ++j)
      for (Eigen::Index i = 0; i < inverse.size(); ++i)
        sums(i, j) += factor * inverse[i] * inverse[j];
  });
  return sums.cwiseProduct(weights_);
}

}  // namespace ness
#endif
