// At which frequencies, and between which directions, a linear chain is irreversible (not in the
// paper).
#pragma once

#include <limits>

#include "ness/detail/matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"
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
/// And how much ⟨σ⟩ and C of a long path scatter, and how rare a path is that has another. Of S =
/// S_r
/// + iS_i the Hermitian S_r^{−½}iS_iS_r^{−½} has pairs of eigenvalues ±ν, by which
///   tr[S(−ω)⁻¹S(ω) − 1] = Σ_pairs 4ν²/(1 − ν²).
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

  /// The scaled cumulant generating function of σ along a long path,
  ///   μ(k) = lim 1/t log⟨e^{kσ}⟩ = −(1/4π)∫ Σ_pairs log[(1 − (1 + 2k)²ν²)/(1 − ν²)] dω,
  /// of which the fluctuation theorems are the symmetry μ(k) = μ(−1 − k) (J. L. Lebowitz and H.
  /// Spohn, J. Stat. Phys. 95, 1999, doi:10.1023/A:1004589714161): μ(−1) = 0 is ⟨e^{−σ}⟩ = 1. +∞
  /// beyond `convergence()`. For each of the k; at most some 10⁻¹⁰ of |μ| of error, but near the
  /// end of convergence, where the integrand has a peak. Cost: some hundred eigendecompositions,
  /// however many k.
  DynamicVector<Scalar> cumulant_function(const DynamicVector<Scalar>& k) const;
  /// Of one k.
  Scalar cumulant_function(Scalar k) const {
    return cumulant_function(DynamicVector<Scalar>::Constant(1, k))[0];
  }

  /// How far from −½ on either side μ is finite, ½ over the largest ν at any frequency: more than
  /// ½, and little more far from equilibrium. Infinite where K and D commute so that nothing turns.
  Scalar convergence() const;

  /// μ''(0) = (1/4π)∫ Σ_pairs 8ν²(1 + ν²)/(1 − ν²)² dω: t times this is the variance of σ of a
  /// path of t steps; t → ∞. `variance_rate() / rate()` is the Fano factor of σ: 2 near
  /// equilibrium, where σ is normal, and never less, for (1 + ν²)/(1 − ν²) ≥ 1. Cost: as
  /// `cumulant_function`.
  Scalar variance_rate() const;

  /// The same of C as a path of t steps shows it, N × N, symmetric, 0 on its diagonal:
  ///   t ⟨(C_ij − ⟨C_ij⟩)²⟩ → (1/2π)∫ s² (S_ii S_jj − Re S_ij²) dω,
  /// s = sin ω (ω in the continuous form), of C_ij = ½(θ_iθ'_j − θ_jθ'_i) of a step from θ to θ':
  /// what the standard error of a measured circulation is going to be. In short steps 2C_ij² over
  /// this is what the uncertainty relation tells of ⟨σ⟩ from C_ij alone. Cost: some hundred times
  /// eight products.
  Matrix circulation_variance_rate() const;

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
    Scalar zz() const { return z_r * z_r + z_i * z_i; }
    Scalar cc() const { return c_r * c_r + c_i * c_i; }
    /// Re(z̄c)
    Scalar zc() const { return z_r * c_r + z_i * c_i; }
    /// Im(z̄c)
    Scalar w() const { return z_r * c_i - z_i * c_r; }
  };
  template <class Value>
  struct Integral {
    Value value;
    Scalar step;
  };
  void diagonalize(const detail::SymmetricEigen<Scalar>& eigen);
  Response response(Scalar frequency) const;
  Matrix squares(const Response& at) const;
  DynamicVector<Scalar> inverse_squares(const Response& at) const;
  Scalar spread(const Response& at) const;
  Matrix real_part(const Response& at) const;
  DynamicVector<Scalar> squared_turns(Scalar frequency) const;
  Matrix circulation_density(Scalar frequency) const;
  template <class Add>
  void over_frequencies(Scalar offset, Scalar step, const Add& add) const;
  template <class Density>
  auto integral(const Density& density, Scalar tolerance = 100) const;

  static constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();

  LinearUpdate update_;
  bool discrete_;
  Scalar slowest_, fastest_;
  // In the basis of eigenvectors of a symmetric K; inverse and square only of another.
  Matrix relaxation_, square_, inverse_;        // K, K², D⁻¹
  Matrix noise_, flow_, turning_, fast_noise_;  // D, ½(DKᵀ + KD), DKᵀ − KD, KDKᵀ
  // Of a symmetric K:
  Matrix vectors_;
  DynamicVector<Scalar> rates_;
  Matrix weights_;  // −D_ij(D⁻¹)_ij(x_i − x_j)²
};

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <type_traits>

#include "ness/detail/check.hpp"
#include "ness/detail/general_matrices.hpp"

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
  const detail::SymmetricEigen<Scalar> eigen(detail::half_sum_with_transpose(relaxation_, 1));
  slowest_ = std::abs(eigen.values[0]);
  for (const Scalar x : eigen.values) slowest_ = std::min(slowest_, std::abs(x));
  fastest_ = relaxation_.norm();
  if (slowest_ == 0) slowest_ = state.decay_rates()[0];
  noise_ = state.diffusion();
  if ((relaxation_ - detail::transposed(relaxation_)).isZero(0))
    diagonalize(eigen);
  else
    square_ = detail::product(relaxation_, relaxation_);
  flow_ = detail::product(noise_, detail::transposed(relaxation_));
  turning_ = flow_ - detail::transposed(flow_);
  fast_noise_ = detail::half_sum_with_transpose(detail::product(relaxation_, flow_), 1);
  flow_ = detail::half_sum_with_transpose(flow_, 1);
}

// All matrices in the basis of the eigenvectors of K.
template <class Scalar>
void EntropySpectrum<Scalar>::diagonalize(const detail::SymmetricEigen<Scalar>& eigen) {
  vectors_ = eigen.vectors;
  rates_ = eigen.values;
  const auto in_basis = [&](const Matrix& a) {
    return detail::half_sum_with_transpose(
        detail::product(detail::transposed(vectors_), detail::product(a, vectors_)), 1);
  };
  relaxation_ = rates_.asDiagonal();
  noise_ = in_basis(noise_);
  weights_ = -noise_.cwiseProduct(in_basis(inverse_));
  for (Eigen::Index j = 0; j < rates_.size(); ++j)
    for (Eigen::Index i = 0; i < rates_.size(); ++i) {
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

// Q, of a K that is not symmetric.
template <class Scalar>
DynamicMatrix<Scalar> EntropySpectrum<Scalar>::squares(const Response& at) const {
  Matrix q = at.cc() * square_ + 2 * at.zc() * relaxation_;
  for (Eigen::Index i = 0; i < q.rows(); ++i) q(i, i) += at.zz();
  return q;
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
  const Matrix q = squares(at);
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
  const Scalar low = std::log(slowest_ / 2) - 11;  // what is left goes as ω³
  const Scalar high = discrete_ ? Scalar(11) : std::log(fastest_) + 32;
  for (Scalar s = low + offset; s < high; s += step) {
    const Scalar e = std::exp(s);
    if (discrete_)
      add(2 * std::atan(e), step * 2 * e / (1 + e * e));
    else
      add(e, step * e);
  }
}

// Of numbers, or of arrays of them. The step is halved until no element changes by more than
// `tolerance` roundings, or is infinite.
template <class Scalar>
template <class Density>
auto EntropySpectrum<Scalar>::integral(const Density& density, Scalar tolerance) const {
  using Value = decltype(density(Scalar(1)));
  const Scalar relative = tolerance * std::numeric_limits<Scalar>::epsilon();
  const auto settled = [relative](const Value& value, const Value& last) {
    if constexpr (std::is_same_v<Value, Scalar>)
      return !(std::abs(value - last) > relative * std::abs(value));
    else
      return !((value - last).array().abs() > relative * value.array().abs()).any();
  };
  Integral<Value> result{Scalar(0) * density(slowest_), Scalar(0.5)};
  const auto add_all = [&](Scalar offset, Value& all) {
    over_frequencies(offset, result.step,
                     [&](Scalar at, Scalar each) { all += each * density(at); });
  };
  add_all(0, result.value);
  for (int halvings = 0; halvings < 12; ++halvings) {
    const Value last = result.value;
    Value between = Scalar(0) * last;
    add_all(result.step / 2, between);
    result.value = (last + between) / Scalar(2);
    result.step /= 2;
    if (settled(result.value, last)) break;
  }
  return result;
}

template <class Scalar>
Scalar EntropySpectrum<Scalar>::rate() const {
  return integral([this](Scalar at) { return density(at); }).value;
}

template <class Scalar>
DynamicMatrix<Scalar> EntropySpectrum<Scalar>::pairs() const {
  if (rates_.size() == 0)
    throw std::logic_error("ness: EntropySpectrum::pairs: relaxation is not symmetric");
  Matrix sums = Matrix::Zero(rates_.size(), rates_.size());
  const Scalar step = integral([this](Scalar at) { return density(at); }).step;
  over_frequencies(0, step, [&](Scalar at, Scalar each) {
    const Response here = response(at);
    const DynamicVector<Scalar> inverse = inverse_squares(here);
    const Scalar factor = each / std::numbers::pi_v<Scalar> * here.w() * here.w();
    for (Eigen::Index j = 0; j < inverse.size(); ++j)
      for (Eigen::Index i = 0; i < inverse.size(); ++i)
        sums(i, j) += factor * inverse[i] * inverse[j];
  });
  return sums.cwiseProduct(weights_);
}

// Of (z̄ + c̄K)D(z + cK)ᵀ, whose imaginary part is w(DKᵀ − KD); S is 2|c|² Q⁻¹ times it Q⁻ᵀ.
template <class Scalar>
DynamicMatrix<Scalar> EntropySpectrum<Scalar>::real_part(const Response& at) const {
  return at.zz() * noise_ + 2 * at.zc() * flow_ + at.cc() * fast_noise_;
}

// ν² of all N eigenvalues: each twice, and 0 where N is odd. With LLᵀ the real part, those of AAᵀ,
// A = wL⁻¹(DKᵀ − KD)L⁻ᵀ.
template <class Scalar>
DynamicVector<Scalar> EntropySpectrum<Scalar>::squared_turns(Scalar frequency) const {
  const Response at = response(frequency);
  Matrix root = real_part(at);
  if (!detail::cholesky(root))
    throw std::runtime_error(
        "ness: EntropySpectrum: diffusion or relaxation has directions too far apart for rounding");
  Matrix half = at.w() * turning_;
  detail::solve_lower(root, half);
  Matrix turns = detail::transposed(half);
  detail::solve_lower(root, turns);
  DynamicVector<Scalar> squares =
      detail::SymmetricEigen<Scalar>(detail::symmetric_product(turns, detail::transposed(turns)))
          .values;
  for (Scalar& square : squares) square = std::max(square, Scalar(0));
  return squares;
}

template <class Scalar>
DynamicVector<Scalar> EntropySpectrum<Scalar>::cumulant_function(
    const DynamicVector<Scalar>& k) const {
  const auto density = [&](Scalar frequency) {
    const DynamicVector<Scalar> squares = squared_turns(frequency);
    DynamicVector<Scalar> logarithms = DynamicVector<Scalar>::Zero(k.size());
    for (Eigen::Index j = 0; j < k.size(); ++j) {
      const Scalar more = 4 * k[j] * (1 + k[j]);  // (1 + 2k)² − 1
      for (const Scalar square : squares)
        logarithms[j] -= std::log1p(std::max(-more * square / (1 - square), Scalar(-1)));
    }
    // Both signs of ω, and each pair is there twice.
    return DynamicVector<Scalar>(logarithms / (4 * std::numbers::pi_v<Scalar>));
  };
  DynamicVector<Scalar> result = integral(density, 1e4).value;
  const auto from_centre = [](Scalar each) { return std::abs(each + Scalar(0.5)); };
  Scalar farthest(0);
  for (const Scalar each : k) farthest = std::max(farthest, from_centre(each));
  if (farthest <= Scalar(0.5)) return result;
  const Scalar reach = convergence();
  for (Eigen::Index j = 0; j < k.size(); ++j)
    if (from_centre(k[j]) >= reach) result[j] = infinity;
  return result;
}

template <class Scalar>
Scalar EntropySpectrum<Scalar>::variance_rate() const {
  const auto density = [&](Scalar frequency) {
    Scalar sum(0);
    for (const Scalar square : squared_turns(frequency))
      sum += square * (1 + square) / ((1 - square) * (1 - square));
    return 2 / std::numbers::pi_v<Scalar> * sum;
  };
  return integral(density, 1e4).value;
}

// The largest ν by golden sections about the best of the frequencies that `rate` takes.
template <class Scalar>
Scalar EntropySpectrum<Scalar>::convergence() const {
  const auto largest = [&](Scalar s) {
    const Scalar e = std::exp(s);
    const DynamicVector<Scalar> squares = squared_turns(discrete_ ? 2 * std::atan(e) : e);
    return squares[squares.size() - 1];
  };
  const Scalar step = integral([this](Scalar at) { return density(at); }).step;  // resolves peaks
  const Scalar high = discrete_ ? Scalar(4) : std::log(fastest_) + 4;
  Scalar best = 0, where = 0;
  for (Scalar s = std::log(slowest_ / 2) - 4; s < high; s += step)
    if (const Scalar here = largest(s); here > best) {
      best = here;
      where = s;
    }
  const Scalar golden = (std::sqrt(Scalar(5)) - 1) / 2;
  Scalar low = where - step, top = where + step;
  while (best > 0 && top - low > Scalar(1e-5)) {
    const Scalar left = top - golden * (top - low), right = low + golden * (top - low);
    if (largest(left) > largest(right))
      top = right;
    else
      low = left;
  }
  best = std::max(best, largest((low + top) / 2));
  return best > 0 ? 1 / (2 * std::sqrt(best)) : infinity;
}

template <class Scalar>
DynamicMatrix<Scalar> EntropySpectrum<Scalar>::circulation_density(Scalar frequency) const {
  const Response at = response(frequency);
  const auto spectrum = [&](const Matrix& middle) -> Matrix {  // 2|c|² Q⁻¹ … Q⁻ᵀ
    const Scalar scale = 2 * at.cc();
    if (rates_.size() == 0) {
      const Matrix q = squares(at);
      const Matrix half = detail::transposed(detail::solve_general(q, middle));
      return scale * detail::transposed(detail::solve_general(q, half));
    }
    const DynamicVector<Scalar> inverse = inverse_squares(at);
    const Matrix in_basis = scale * inverse.asDiagonal() * middle * inverse.asDiagonal();
    return detail::product(vectors_, detail::product(in_basis, detail::transposed(vectors_)));
  };
  const Matrix real = spectrum(real_part(at));
  const Matrix imaginary = spectrum(at.w() * turning_);
  const Scalar s = discrete_ ? std::sin(frequency) : frequency;
  Matrix result = imaginary.cwiseAbs2() - real.cwiseAbs2();
  for (Eigen::Index j = 0; j < result.cols(); ++j)
    for (Eigen::Index i = 0; i < result.rows(); ++i)
      result(i, j) =
          i == j ? Scalar(0)
                 : s * s / std::numbers::pi_v<Scalar> * (result(i, j) + real(i, i) * real(j, j));
  return result;
}

template <class Scalar>
DynamicMatrix<Scalar> EntropySpectrum<Scalar>::circulation_variance_rate() const {
  return integral([this](Scalar at) { return circulation_density(at); }, 1e4).value;
}

}  // namespace ness
#endif
