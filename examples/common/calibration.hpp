// How good predicted probabilities are.
#pragma once

#include <Eigen/Core>
#include <array>
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
PredictionQuality prediction_quality(const Eigen::MatrixXd& probabilities,
                                     const std::vector<std::uint8_t>& labels);
