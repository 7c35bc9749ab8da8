// Entropy production of sub-trajectories, and its fluctuation theorems (Eqs. 8, 9).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/trajectory/histogram.hpp"

namespace ness {

/// 𝒫(−σ)/𝒫(σ) at one σ > 0, which the detailed fluctuation theorem says is e^{−σ} (Eq. 9).
struct FluctuationRatio {
  double entropy;         ///< σ, the centre of its bin
  double ratio;           ///< 𝒫(−σ)/𝒫(σ)
  double standard_error;  ///< of independent counts
};

/// Reads the ratio from a histogram that is symmetric about 0 with an even number of bins, where
/// both bins hold at least `least` counts. Throws `std::invalid_argument` for another histogram.
inline std::vector<FluctuationRatio> fluctuation_ratios(const Histogram& histogram,
                                                        std::int64_t least = 100) {
  const Axis& axis = histogram.axis();
  detail::require(axis.lower == -axis.upper && axis.bins % 2 == 0, "fluctuation_ratios",
                  "the bins must be an even number, symmetric about 0", axis.bins);
  std::vector<FluctuationRatio> ratios;
  for (Eigen::Index bin = axis.bins / 2; bin < axis.bins; ++bin) {
    const std::int64_t plus = histogram.count(bin);
    const std::int64_t minus = histogram.count(axis.bins - 1 - bin);
    if (plus < least || minus < least) continue;
    const double ratio = static_cast<double>(minus) / static_cast<double>(plus);
    const double variance = 1 / static_cast<double>(minus) + 1 / static_cast<double>(plus);
    ratios.push_back({axis.center(bin), ratio, ratio * std::sqrt(variance)});
  }
  return ratios;
}

/// What is predicted of sub-trajectories of one length: the twin of `SubTrajectories`.
struct SubTrajectoryPrediction {
  int length;                                             ///< ℓ, in Markov steps
  Estimate<double> integral_fluctuation;                  ///< ⟨e^{−σ}⟩
  std::vector<FluctuationRatio> fluctuation_ratios = {};  ///< 𝒫(−σ)/𝒫(σ); may be left out
};

/// What was measured of sub-trajectories of one length.
struct SubTrajectories {
  int length;                             ///< ℓ, in Markov steps
  std::int64_t count;                     ///< how many
  Estimate<double> entropy_production;    ///< ⟨σ⟩/ℓ, per step (Eq. 29)
  Estimate<double> integral_fluctuation;  ///< ⟨e^{−σ}⟩, which is 1 (Eq. 8)
  Histogram histogram;                    ///< of σ
};

/// Predicted and measured 𝒫(−σ)/𝒫(σ) of the bins that both have, where each of the two counts is
/// at least `least`: enough to be taken for normal numbers far out in their tails.
inline std::pair<std::vector<Estimate<double>>, std::vector<Estimate<double>>> matching_ratios(
    const SubTrajectoryPrediction& predicted, const Histogram& histogram,
    std::int64_t least = 5000) {
  std::pair<std::vector<Estimate<double>>, std::vector<Estimate<double>>> result;
  for (const FluctuationRatio& found : fluctuation_ratios(histogram, least))
    for (const FluctuationRatio& theory : predicted.fluctuation_ratios) {
      if (std::abs(theory.entropy - found.entropy) > histogram.axis().width() / 2) continue;
      result.first.push_back({theory.ratio, theory.standard_error});
      result.second.push_back({found.ratio, found.standard_error});
    }
  return result;
}

/// The bins for σ of the longest of `lengths`, from ⟨σ⟩ per step: σ of Gaussian noise has variance
/// 2⟨σ⟩, and the tails of real noise are longer, so they reach to ten standard deviations.
inline Axis entropy_axis(double entropy_production, const std::vector<int>& lengths,
                         Eigen::Index bins = 200) {
  double mean = 0;
  for (const int length : lengths) mean = std::max(mean, length * entropy_production);
  const double reach = mean > 0 ? 10 * std::sqrt(2 * mean) + mean : 1;
  return {-reach, reach, bins};
}

namespace detail {

/// σ of consecutive sub-trajectories of one length, from that of each step.
template <class Scalar>
class SubTrajectorySums {
 public:
  SubTrajectorySums(int length, std::int64_t batch_length, Axis axis)
      : length_(length), means_(2, 1, batch_length), histogram_(axis) {}

  void add(const DynamicVector<Scalar>& steps);
  void merge(const SubTrajectorySums& other) {
    means_.merge(other.means_);
    histogram_.merge(other.histogram_);
  }
  void interrupt() { open_steps_ = 0; }

  template <class Archive>
  void serialize(Archive& archive);

  SubTrajectories result() const;

 private:
  void close_one(Scalar step, Eigen::Index& count);

  int length_;
  BatchMeans<Scalar> means_;  // of σ and e^{−σ}
  Histogram histogram_;
  DynamicVector<Scalar> sums_;
  Scalar open_ = 0;
  int open_steps_ = 0;
};

/// The same for several lengths at once.
template <class Scalar>
class EntropySums {
 public:
  /// `bins` over ±`range` for the histograms of σ. Throws `std::invalid_argument` for a length
  /// below 1.
  EntropySums(const std::vector<int>& lengths, std::int64_t batch_length, double range,
              Eigen::Index bins, std::string_view function);

  void add(const DynamicVector<Scalar>& steps);
  void merge(const EntropySums& other);
  void interrupt();
  bool empty() const { return parts_.empty(); }  // without lengths
  template <class Archive>
  void serialize(Archive& archive);
  std::vector<SubTrajectories> results() const;

 private:
  std::vector<SubTrajectorySums<Scalar>> parts_;
};

}  // namespace detail
}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

namespace ness::detail {

template <class Scalar>
void SubTrajectorySums<Scalar>::add(const DynamicVector<Scalar>& steps) {
  sums_.resize(steps.size() / length_ + 1);
  Eigen::Index count = 0;
  Eigen::Index k = 0;
  while (open_steps_ > 0 && k < steps.size()) close_one(steps[k++], count);
  const Eigen::Index whole = (steps.size() - k) / length_;
  for (Eigen::Index j = 0; j < whole; ++j, k += length_) {
    Scalar sum = steps[k];
    for (int i = 1; i < length_; ++i) sum += steps[k + i];
    sums_[count + j] = sum;
  }
  count += whole;
  while (k < steps.size()) close_one(steps[k++], count);
  if (count == 0) return;
  for (Eigen::Index j = 0; j < count; ++j) histogram_.add(sums_[j]);
  DynamicMatrix<Scalar> both(2, 1);
  both(0, 0) = detail::sum(sums_.data(), count);
  both(1, 0) = (-sums_.head(count)).array().exp().sum();
  means_.add(both, count);
}

template <class Scalar>
SubTrajectories SubTrajectorySums<Scalar>::result() const {
  const auto [value, error, degrees] = means_.estimate();
  return {length_,
          means_.count(),
          {value(0, 0) / length_, error(0, 0) / length_, degrees},
          {value(1, 0), error(1, 0), degrees},
          histogram_};
}

// A sub-trajectory that crosses from one block to the next.
template <class Scalar>
void SubTrajectorySums<Scalar>::close_one(Scalar step, Eigen::Index& count) {
  open_ = open_steps_ == 0 ? step : open_ + step;
  if (++open_steps_ < length_) return;
  sums_[count++] = open_;
  open_steps_ = 0;
}

template <class Scalar>
EntropySums<Scalar>::EntropySums(const std::vector<int>& lengths, std::int64_t batch_length,
                                 double range, Eigen::Index bins, std::string_view function) {
  for (int length : lengths) {
    require(length >= 1, function, "every length must be at least 1", length);
    parts_.emplace_back(length, std::max<std::int64_t>(1, batch_length / length),
                        Axis{-range, range, bins});
  }
}

template <class Scalar>
void EntropySums<Scalar>::add(const DynamicVector<Scalar>& steps) {
  for (auto& part : parts_) part.add(steps);
}

template <class Scalar>
void EntropySums<Scalar>::merge(const EntropySums& other) {
  for (std::size_t p = 0; p < parts_.size(); ++p) parts_[p].merge(other.parts_[p]);
}

template <class Scalar>
void EntropySums<Scalar>::interrupt() {
  for (auto& part : parts_) part.interrupt();
}

template <class Scalar>
std::vector<SubTrajectories> EntropySums<Scalar>::results() const {
  std::vector<SubTrajectories> results;
  for (const auto& part : parts_) results.push_back(part.result());
  return results;
}

template <class Scalar>
template <class Archive>
void SubTrajectorySums<Scalar>::serialize(Archive& archive) {
  archive(means_, histogram_, open_, open_steps_);
}

template <class Scalar>
template <class Archive>
void EntropySums<Scalar>::serialize(Archive& archive) {
  archive(parts_);
}

}  // namespace ness::detail
#endif
