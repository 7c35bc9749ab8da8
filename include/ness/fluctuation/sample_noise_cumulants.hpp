// How far the noise of a Markov step is from Gaussian, of any training: by drawing it.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "ness/diffusion/noise_cumulants.hpp"
#include "ness/fluctuation/random_steps.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/statistics/threads.hpp"

namespace ness {

/// How many steps are drawn, and from which numbers.
struct NoiseSampleSettings {
  std::int64_t steps = 64'000;  ///< how many steps are drawn
  int threads = 0;              ///< 0: as many as the machine has
  std::uint64_t seed = 1;
  static constexpr int groups = 64;  ///< for the standard errors
};

namespace detail {

/// Sums of the powers 0 ... 4 of each of K numbers, 5 × K, to their cumulants.
template <class Scalar>
NoiseCumulants cumulants_of(const DynamicMatrix<Scalar>& sums) {
  NoiseCumulants result{DynamicVector<double>(sums.cols()), DynamicVector<double>(sums.cols())};
  for (Index k = 0; k < sums.cols(); ++k) {
    const double count = sums(0, k);
    const double mean = sums(1, k) / count;
    const double second = sums(2, k) / count - mean * mean;
    const double third = sums(3, k) / count - mean * (3 * second + mean * mean);
    const double fourth =
        sums(4, k) / count - mean * (4 * third + mean * (6 * second + mean * mean));
    result.skewness[k] = third / (second * std::sqrt(second));
    result.excess_kurtosis[k] = fourth / (second * second) - 3;
  }
  return result;
}

/// Of all groups together, with errors from how they scatter.
template <class Scalar>
Estimate<NoiseCumulants> cumulants_of(const std::vector<DynamicMatrix<Scalar>>& groups) {
  DynamicMatrix<Scalar> all = DynamicMatrix<Scalar>::Zero(5, groups.front().cols());
  BatchMeans<Scalar> skewness(all.cols(), 1, 1);
  BatchMeans<Scalar> kurtosis(all.cols(), 1, 1);
  for (const auto& group : groups) {
    add_scaled(all, 1, group);
    const NoiseCumulants part = cumulants_of(group);
    skewness.add(part.skewness, 1);
    kurtosis.add(part.excess_kurtosis, 1);
  }
  return {cumulants_of(all),
          {skewness.standard_error(), kurtosis.standard_error()},
          skewness.degrees_of_freedom()};
}

}  // namespace detail

/// Skewness and excess kurtosis of the displacement of one Markov step from θ along the columns of
/// `directions`, N × K, with standard errors: of a whole epoch without replacement, of an update
/// (for which `noise_cumulants` is exact), of any noise that a training has. Cost: the steps, and
/// their product with the directions. Throws `std::invalid_argument` for a bad θ, directions of
/// another size, or settings that do not fit.
template <class M, class R, class Theta, IsTraining T>
Estimate<NoiseCumulants> sample_noise_cumulants(const Objective<M, R>& objective,
                                                const Eigen::MatrixBase<Theta>& theta,
                                                const T& training,
                                                const DynamicMatrix<double>& directions,
                                                const NoiseSampleSettings& settings = {}) {
  static_assert(
      Forgets<T>,
      "ness: the noise of a step is that of updates that remember nothing: use ness::Plain");
  constexpr std::string_view name = "sample_noise_cumulants";
  using Vector = DynamicVector<double>;
  const Vector at = objective.point(theta, name).template cast<double>();
  training.check(objective.samples(), name);
  detail::require_size(directions, at.size(), directions.cols(), name, "directions");
  detail::require(settings.steps >= 20 * settings.groups, name, "steps must be at least 1280",
                  settings.steps);
  const detail::RandomSteps<Objective<M, R>, T> steps(objective, training, at, settings.seed);
  const DynamicMatrix<double> transposed = detail::transposed(directions);
  const std::int64_t per_group = settings.steps / settings.groups;
  std::vector<DynamicMatrix<double>> sums(settings.groups,
                                          DynamicMatrix<double>::Zero(5, directions.cols()));
  parallel_for(settings.groups, settings.threads, [&](int group) {
    DynamicMatrix<double>& sum = sums[static_cast<std::size_t>(group)];
    const Vector origin = Vector::Zero(at.size());
    for (std::int64_t k = 0; k < per_group; ++k) {
      const auto number = static_cast<std::uint64_t>(group * per_group + k);
      const Vector along =
          transposed * steps.increment(origin, detail::fluctuation_stream(5, number));
      for (Index j = 0; j < along.size(); ++j) {
        double power = 1;
        for (Index row = 0; row < 5; ++row, power *= along[j]) sum(row, j) += power;
      }
    }
  });
  return detail::cumulants_of(sums);
}

}  // namespace ness
