// How good predicted probabilities are.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

/// What probabilities of classes are worth on labelled samples.
struct PredictionQuality {
  static constexpr int bins = 15;
  struct Bin {
    double count = 0, confidence = 0, accuracy = 0;  ///< means over the bin
  };
  double accuracy = 0;                 ///< how often the most probable class is right
  double negative_log_likelihood = 0;  ///< mean of −log p(label), natural
  /// Expected calibration error: Σ_b (n_b/n) |accuracy_b − confidence_b| over 15 bins of equal
  /// width of the confidence, the probability of the most probable class (C. Guo, G. Pleiss, Y.
  /// Sun, K. Q. Weinberger, ICML 2017).
  double calibration_error = 0;
  std::array<Bin, bins> reliability{};
};

/// `probabilities` is classes × samples. Labels are numbers of rows.
inline PredictionQuality prediction_quality(const Eigen::MatrixXd& probabilities,
                                            const std::vector<std::uint8_t>& labels) {
  PredictionQuality quality;
  const auto n = static_cast<double>(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto p = probabilities.col(static_cast<Eigen::Index>(i));
    Eigen::Index guess = 0;
    const double confidence = p.maxCoeff(&guess);
    const bool right = guess == labels[i];
    quality.accuracy += (right ? 1 : 0) / n;
    quality.negative_log_likelihood -= std::log(p[labels[i]]) / n;
    const int at = std::min(static_cast<int>(confidence * PredictionQuality::bins),
                            PredictionQuality::bins - 1);
    auto& bin = quality.reliability[static_cast<std::size_t>(at)];
    bin.count += 1;
    bin.confidence += confidence;
    bin.accuracy += right ? 1 : 0;
  }
  for (auto& bin : quality.reliability) {
    if (bin.count == 0) continue;
    bin.confidence /= bin.count;
    bin.accuracy /= bin.count;
    quality.calibration_error += bin.count / n * std::abs(bin.accuracy - bin.confidence);
  }
  return quality;
}
