#include "calibration.hpp"

#include <algorithm>
#include <cmath>

PredictionQuality prediction_quality(const Eigen::MatrixXd& probabilities,
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
