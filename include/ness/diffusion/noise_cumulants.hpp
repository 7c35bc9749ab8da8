// How far the noise of a minibatch is from Gaussian, which Secs. 2 and 3 take it for.
#pragma once

#include <cmath>
#include <limits>

#include "ness/detail/matrices.hpp"
#include "ness/landscape/objective.hpp"
#include "ness/training/training.hpp"

namespace ness {

/// Skewness ⟨x³⟩/⟨x²⟩^{3/2} and excess kurtosis ⟨x⁴⟩/⟨x²⟩² − 3 of the noise along each of some
/// directions; both are 0 for a Gaussian. NaN along directions without noise.
struct NoiseCumulants {
  DynamicVector<double> skewness;         ///< of each direction
  DynamicVector<double> excess_kurtosis;  ///< the same
};

/// The cumulants of the noise of one update, ξ = −η(∇L_B − ∇L) at θ, along the columns of
/// `directions`, N × K (the eigenvectors of D, say): exact, from the third and fourth moments of
/// the weights that the minibatch policy states, which of m distinct among M samples are those of
/// sampling from a finite population. They fall as m^{−1/2} and 1/m. Within an epoch they are those
/// of each update; of a whole epoch see `sample_noise_cumulants`.
///
/// Cost: the gradients of all samples twice, and their product with the directions. Throws
/// `std::invalid_argument` for a bad θ, directions of another size, or settings that do not fit.
template <class M, class R, class Theta, IsTraining T>
  requires StatesHigherMoments<typename T::Minibatch>
NoiseCumulants noise_cumulants(const Objective<M, R>& objective,
                               const Eigen::MatrixBase<Theta>& theta, const T& training,
                               const DynamicMatrix<double>& directions) {
  using Vector = DynamicVector<double>;
  const vector_t<M> at = objective.point(theta, "noise_cumulants");
  training.check(objective.samples(), "noise_cumulants");
  detail::require_size(directions, at.size(), directions.cols(), "noise_cumulants", "directions");
  const auto samples = static_cast<double>(objective.samples());
  const DynamicMatrix<double> transposed = detail::transposed(directions);
  Derivatives<M> derivatives(objective.model());
  Vector mean = Vector::Zero(directions.cols());
  derivatives.for_each_gradient_block(at, [&](Index, const auto& block) {
    mean += transposed * block.template cast<double>().rowwise().sum() / samples;
  });
  Vector second = Vector::Zero(mean.size());
  Vector third = second;
  Vector fourth = second;
  derivatives.for_each_gradient_block(at, [&](Index, const auto& block) {
    for (Index j = 0; j < block.cols(); ++j) {
      const Vector along = transposed * block.col(j).template cast<double>() - mean;
      for (Index k = 0; k < along.size(); ++k) {
        const double square = along[k] * along[k];
        second[k] += square;
        third[k] += square * along[k];
        fourth[k] += square * square;
      }
    }
  });
  const double scatter = training.minibatch.weight_moments(objective.samples()).scatter;
  const HigherWeightMoments higher = training.minibatch.higher_weight_moments(objective.samples());
  NoiseCumulants result{Vector(mean.size()), Vector(mean.size())};
  for (Index k = 0; k < mean.size(); ++k) {
    const double variance = scatter * second[k];
    const double rest = higher.fourth * fourth[k] + higher.pairs * second[k] * second[k];
    // θ moves against the gradient, which turns the sign of what is odd.
    result.skewness[k] = -higher.third * third[k] / (variance * std::sqrt(variance));
    result.excess_kurtosis[k] = rest / (variance * variance) - 3;
  }
  return result;
}

}  // namespace ness
