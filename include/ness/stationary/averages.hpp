// How a stationary chain resembles itself later, and how far means of its iterates scatter, in
// closed form (Sec. 3.3; averages and memory are not in the paper).
#pragma once

#include <cstdint>

#include "ness/detail/matrices.hpp"
#include "ness/stationary/stationary_state.hpp"

namespace ness {

/// R(t) = ⟨δθ(t) δθ(0)ᵀ⟩ of a stationary state with a symmetric K, and its sums over t. Times are
/// Markov steps.
///
///   const ness::Autocovariance<double> lagged(state);
///   const Eigen::MatrixXd later = lagged.at(100);                 // R(100)
///   const Eigen::MatrixXd scatter = lagged.of_mean(1000);         // what `WindowMean` measures
///   const Eigen::MatrixXd smooth = lagged.of_exponential_mean(0.99);  // `ExponentialMean`
///
/// With R(0) = Σ and R(1) = Σ − `drift()`, R(t+1) = PR(t) − QR(t−1) for t ≥ 1, P = 1 + β − c₀K, Q =
/// β + c₁K (`remember`). Along an eigenvector of K, (R(t), R(t) − R(t+1)) is taken from t to t + 1
/// by
///   M = 1 + [0, −1; f, −(1 − q) − f],  f = (c₀ + c₁)x,
/// and M^t − 1 is kept in place of M^t: no root of z² − pz + q is taken, which may be double or
/// complex, and slow directions lose no digits. Plain updates are β = 0, where R(t) = A^tΣ. In the
/// continuous form A = e^{−K}, and states are looked at once in a unit of time.
///
/// What oscillates adds up to less than its terms: a relative (1 − β)/x of them, or 2 − x for x →
/// 2, and as many digits are lost. Of epochs, θ at the end of each of plain updates
/// (`additive_epochs`) is a chain of this kind.
template <class Scalar = double>
class Autocovariance {
 public:
  using Matrix = DynamicMatrix<Scalar>;

  /// Throws `std::invalid_argument` for a K that is not symmetric, and where Σ was given and R(1)
  /// is not known: epochs with a memory, or as a mean over phases. Cost: one eigendecomposition.
  explicit Autocovariance(const StationaryState<Scalar>& state);

  /// R(t), N × N; R(−t) is its transpose. O(N log t) and four products of N × N. Throws
  /// `std::invalid_argument` for t < 0.
  Matrix at(std::int64_t steps) const;

  /// ½(R(t)ᵀ − R(t)), N × N: the mean area of the chords over t steps (Eq. 26), which is C for one.
  /// Cost and errors: those of `at`.
  Matrix circulation(std::int64_t steps) const {
    return detail::half_sum_with_transpose(detail::transposed(at(steps)), -1);
  }

  /// Σ_t R(t) over all t from −∞ to ∞, N × N: K⁻¹2DK⁻¹ for any momentum, exactly, of finite steps.
  /// Over Σ, along a direction: the statistical inefficiency.
  Matrix sum() const;

  /// Covariance of (1/T) Σ_{t<T} θ_{k+ct}, N × N, c the stride: `sum()`/T for T → ∞, and of a plain
  /// update Σ_ij/T² · [T + f(r_i) + f(r_j)], f(r) = r(T(1−r) − 1 + r^T)/(1−r)², r = (1 − x)^c. By
  /// doubling of T: O(N log cT) and four products. Throws `std::invalid_argument` for T or c below
  /// 1.
  Matrix of_mean(std::int64_t window, std::int64_t stride = 1) const;

  /// Covariance of the exponential mean e' = ae + (1 − a)θ, N × N:
  /// (1−a)/(1+a) · [Σ + E + Eᵀ], E = Σ_{t≥1} a^t R(t), which along an eigenvector of K is
  ///   a[(1 − aq)Σ − drift]/[(1 − a)(1 − aq) + af].
  /// Throws `std::invalid_argument` unless 0 ≤ a < 1.
  Matrix of_exponential_mean(double decay) const;

 private:
  using Vector = DynamicVector<Scalar>;
  Matrix combined(const Vector& of_sigma, const Vector& of_drift) const;
  Matrix with_transpose(const Matrix& inner, Scalar own, Scalar factor) const;
  Matrix outside(const Matrix& inner) const;

  // In the basis of K's eigenvectors.
  Matrix vectors_, sigma_, drift_, sum_;
  Vector f_, last_, not_last_;
};
template <class Scalar>
Autocovariance(const StationaryState<Scalar>&) -> Autocovariance<Scalar>;

/// Covariance of the mean over all updates of T epochs whose noises add up to 0 in each
/// (`WithoutReplacement` with batches alike, additive noise, plain updates), N × N. From
/// Σ_k(θ_{k+1} − θ_k) = −KΣ_kδθ_k it is
///   K⁻¹[2Σ̂ − R̂(T) − R̂(T)ᵀ]K⁻¹/(nT)²,
/// and falls as T⁻². `at_end` is the state at the end of epochs of n updates (`additive_epochs`),
/// `relaxation` K = ηH of one update. Nothing cancels for a T short of the relaxation time. Throws
/// `std::invalid_argument` for a state that is not per epoch, counts below 1, or a K of another
/// size or not symmetric and positive definite.
template <class Scalar>
DynamicMatrix<Scalar> covariance_of_mean_over_epochs(const StationaryState<Scalar>& at_end,
                                                     const DynamicMatrix<Scalar>& relaxation,
                                                     std::int64_t updates, std::int64_t epochs);

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

#include <cmath>

#include "ness/detail/symmetric_matrices.hpp"
#include "ness/stationary/momentum.hpp"

namespace ness {

namespace detail {

/// 2 × 2, by rows.
template <class Scalar>
struct TwoByTwo {
  Scalar a{}, b{}, c{}, d{};

  static TwoByTwo scaled(Scalar factor, const TwoByTwo& m) {
    return {factor * m.a, factor * m.b, factor * m.c, factor * m.d};
  }
  static TwoByTwo sum(const TwoByTwo& m, const TwoByTwo& n) {
    return {m.a + n.a, m.b + n.b, m.c + n.c, m.d + n.d};
  }
  static TwoByTwo product(const TwoByTwo& m, const TwoByTwo& n) {
    return {m.a * n.a + m.b * n.c, m.a * n.b + m.b * n.d, m.c * n.a + m.d * n.c,
            m.c * n.b + m.d * n.d};
  }
};

/// T powers of M: M^T − 1, A = Σ_{s<T} M^s and B = Σ_{s<T} (T−s) M^s.
template <class Scalar>
struct LaggedSums {
  using Two = TwoByTwo<Scalar>;
  Scalar count{};
  Two change, all, weighted;

  /// First those of `first`, then those of `then`.
  static LaggedSums after(const LaggedSums& then, const LaggedSums& first) {
    const auto carried = [&](const Two& m) { return Two::sum(m, Two::product(first.change, m)); };
    return {first.count + then.count, Two::sum(first.change, carried(then.change)),
            Two::sum(first.all, carried(then.all)),
            Two::sum(Two::sum(first.weighted, Two::scaled(then.count, first.all)),
                     carried(then.weighted))};
  }
  /// Of `count` powers of 1 + `change`.
  static LaggedSums of(const Two& change, std::int64_t count) {
    const Two one{1, 0, 0, 1};
    LaggedSums result, doubled{1, change, one, one};
    for (; count > 0; count /= 2) {
      if (count % 2 == 1) result = after(doubled, result);
      if (count > 1) doubled = after(doubled, doubled);
    }
    return result;
  }
};

template <class Scalar>
TwoByTwo<Scalar> change_of_a_step(Scalar f, Scalar not_last) {
  return {0, -1, f, -not_last - f};
}

}  // namespace detail

template <class Scalar>
Autocovariance<Scalar>::Autocovariance(const StationaryState<Scalar>& state) {
  constexpr std::string_view name = "Autocovariance";
  if (state.chain().known.given())
    detail::invalid(
        name,
        "the covariance with the next step must be known, but it is not of epochs with "
        "a memory, nor of a mean over phases: take plain updates and the end of epochs");
  detail::require_symmetric(state.relaxation(), name, "relaxation");
  const detail::SymmetricEigen<Scalar> eigen(state.relaxation());
  vectors_ = eigen.vectors;
  const Matrix back = detail::transposed(vectors_);
  const auto inside = [&](const Matrix& m) {
    return detail::product(back, detail::product(m, vectors_));
  };
  sigma_ = inside(state.covariance());
  const Eigen::Index n = sigma_.rows();
  const bool continuous = state.form() == LyapunovForm::continuous;
  // The K of epochs has the update in it.
  const LinearUpdate update = state.has_memory() ? state.chain().update : LinearUpdate{};
  f_.resize(n), last_.resize(n), not_last_.resize(n);
  for (Eigen::Index k = 0; k < n; ++k) {
    const Scalar x = eigen.values[k];
    detail::MemoryMode<Scalar> mode(update, continuous ? -std::expm1(-x) : x);
    f_[k] = mode.f, last_[k] = mode.last, not_last_[k] = mode.not_last;
  }
  drift_ = state.has_memory() ? inside(state.drift()) : sigma_;
  sum_ = inside(state.diffusion());
  for (Eigen::Index j = 0; j < n; ++j)
    for (Eigen::Index i = 0; i < n; ++i) {
      if (!state.has_memory()) drift_(i, j) *= f_[i];
      if (continuous)  // Σ_ij(1 + r_i/(1 − r_i) + r_j/(1 − r_j))
        sum_(i, j) = sigma_(i, j) * (1 / f_[i] + 1 / f_[j] - 1);
      else
        sum_(i, j) *= 2 / (eigen.values[i] * eigen.values[j]);
    }
}

template <class Scalar>
DynamicMatrix<Scalar> Autocovariance<Scalar>::outside(const Matrix& inner) const {
  return detail::product(vectors_, detail::product(inner, detail::transposed(vectors_)));
}

template <class Scalar>
DynamicMatrix<Scalar> Autocovariance<Scalar>::combined(const Vector& of_sigma,
                                                       const Vector& of_drift) const {
  Matrix result = sigma_;
  for (Eigen::Index j = 0; j < result.cols(); ++j)
    for (Eigen::Index i = 0; i < result.rows(); ++i)
      result(i, j) = of_sigma[i] * sigma_(i, j) + of_drift[i] * drift_(i, j);
  return result;
}

// factor · (m + mᵀ + own · Σ)
template <class Scalar>
DynamicMatrix<Scalar> Autocovariance<Scalar>::with_transpose(const Matrix& inner, Scalar own,
                                                             Scalar factor) const {
  Matrix result = detail::half_sum_with_transpose(inner, 1);
  result *= 2 * factor;
  detail::add_scaled(result, own * factor, sigma_);
  return outside(result);
}

template <class Scalar>
DynamicMatrix<Scalar> Autocovariance<Scalar>::at(std::int64_t steps) const {
  detail::require(steps >= 0, "Autocovariance::at", "steps must not be negative", steps);
  Vector of_sigma = f_, of_drift = f_;
  for (Eigen::Index k = 0; k < f_.size(); ++k) {
    const auto power =
        detail::LaggedSums<Scalar>::of(detail::change_of_a_step(f_[k], not_last_[k]), steps);
    of_sigma[k] = 1 + power.change.a, of_drift[k] = power.change.b;
  }
  return outside(combined(of_sigma, of_drift));
}

template <class Scalar>
DynamicMatrix<Scalar> Autocovariance<Scalar>::sum() const {
  return outside(sum_);
}

template <class Scalar>
DynamicMatrix<Scalar> Autocovariance<Scalar>::of_mean(std::int64_t window,
                                                      std::int64_t stride) const {
  using Sums = detail::LaggedSums<Scalar>;
  detail::require(window >= 1, "Autocovariance::of_mean", "window must be at least 1", window);
  detail::require(stride >= 1, "Autocovariance::of_mean", "stride must be at least 1", stride);
  Vector of_sigma = f_, of_drift = f_;
  for (Eigen::Index k = 0; k < f_.size(); ++k) {
    const Sums step = Sums::of(detail::change_of_a_step(f_[k], not_last_[k]), stride);
    const Sums sums = Sums::of(step.change, window);
    of_sigma[k] = sums.weighted.a, of_drift[k] = sums.weighted.b;
  }
  const auto count = static_cast<Scalar>(window);
  return with_transpose(combined(of_sigma, of_drift), -count, 1 / (count * count));
}

template <class Scalar>
DynamicMatrix<Scalar> Autocovariance<Scalar>::of_exponential_mean(double decay) const {
  detail::require(decay >= 0 && decay < 1, "Autocovariance::of_exponential_mean",
                  "decay must be in [0, 1)", decay);
  const auto a = static_cast<Scalar>(decay);
  const auto rest = static_cast<Scalar>(1 - decay);
  Vector of_sigma = f_, of_drift = f_;
  for (Eigen::Index k = 0; k < f_.size(); ++k) {
    const Scalar slow = rest + a * not_last_[k];  // 1 − aq
    const Scalar determinant = rest * slow + a * f_[k];
    of_sigma[k] = a * slow / determinant, of_drift[k] = -a / determinant;
  }
  return with_transpose(combined(of_sigma, of_drift), 1, rest / (1 + a));
}

template <class Scalar>
DynamicMatrix<Scalar> covariance_of_mean_over_epochs(const StationaryState<Scalar>& at_end,
                                                     const DynamicMatrix<Scalar>& relaxation,
                                                     std::int64_t updates, std::int64_t epochs) {
  constexpr std::string_view name = "covariance_of_mean_over_epochs";
  const Eigen::Index n = at_end.mean().size();
  if (at_end.step() != MarkovStep::epoch || at_end.has_memory())
    detail::invalid(name,
                    "at_end must be the state at the end of epochs of plain updates, but is "
                    "that of each ",
                    to_string(at_end.step()), ", or has a memory");
  detail::require(updates >= 1, name, "updates must be at least 1", updates);
  detail::require(epochs >= 1, name, "epochs must be at least 1", epochs);
  detail::require_size(relaxation, n, n, name, "relaxation");
  detail::require_symmetric(relaxation, name, "relaxation");
  const detail::SymmetricEigen<Scalar> eigen(relaxation);
  if (!(eigen.values[0] > 0))
    detail::invalid(name, "relaxation must be positive definite, but its smallest eigenvalue is ",
                    eigen.values[0]);
  const DynamicMatrix<Scalar> back = detail::transposed(eigen.vectors);
  DynamicMatrix<Scalar> result =
      detail::product(back, detail::product(at_end.covariance(), eigen.vectors));
  const Scalar steps = static_cast<Scalar>(updates) * static_cast<Scalar>(epochs);
  DynamicVector<Scalar> lost = eigen.values;  // 1 − (1 − x)^{nT}
  for (Scalar& x : lost)
    x = -detail::LaggedSums<Scalar>::of({-x, 0, 0, 0}, updates * epochs).change.a;
  for (Eigen::Index j = 0; j < n; ++j)
    for (Eigen::Index i = 0; i < n; ++i)
      result(i, j) *= (lost[i] + lost[j]) / (eigen.values[i] * steps) / (eigen.values[j] * steps);
  return detail::product(eigen.vectors, detail::product(result, back));
}

}  // namespace ness
#endif
