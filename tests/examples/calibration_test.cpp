#include "examples/common/calibration.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/close.hpp"

namespace {

// One column a sample: the probability of class 0, and the rest of class 1.
Eigen::MatrixXd two_classes(const std::vector<double>& of_first) {
  Eigen::MatrixXd p(2, static_cast<Eigen::Index>(of_first.size()));
  for (std::size_t i = 0; i < of_first.size(); ++i)
    p.col(static_cast<Eigen::Index>(i)) << of_first[i], 1 - of_first[i];
  return p;
}

}  // namespace

TEST_CASE("Accuracy, likelihood and calibration of predictions worked out by hand") {
  // Confidences 0.9, 0.9, 0.7, 0.8, right, wrong, right, right: the bins of a fifteenth from 13/15,
  // 10/15 and 12/15 on hold 0.9 twice, 0.7 and 0.8.
  const auto quality = prediction_quality(two_classes({0.9, 0.9, 0.3, 0.2}), {0, 1, 1, 1});
  CHECK(quality.accuracy == 0.75);
  const double likelihood = -(std::log(0.9) + std::log(0.1) + std::log(0.7) + std::log(0.8)) / 4;
  CHECK(relative_error(quality.negative_log_likelihood, likelihood) <= 1e-14);
  CHECK(relative_error(quality.calibration_error, (2 * 0.4 + 0.3 + 0.2) / 4) <= 1e-12);
  CHECK(quality.reliability[13].count == 2);
  CHECK(quality.reliability[13].accuracy == 0.5);
  CHECK(relative_error(quality.reliability[13].confidence, 0.9) <= 1e-15);
  CHECK(quality.reliability[0].count == 0);
}

TEST_CASE("Certainty that is right is perfect, and what is well calibrated has no error") {
  const auto certain = prediction_quality(two_classes({1, 1, 0}), {0, 0, 1});
  CHECK(certain.accuracy == 1);
  CHECK(certain.negative_log_likelihood == 0);
  CHECK(certain.calibration_error == 0);
  CHECK(certain.reliability[14].count == 3);  // a confidence of 1 is in the last bin
  // 0.75 and right three times of four.
  const auto honest = prediction_quality(two_classes({0.75, 0.75, 0.75, 0.75}), {0, 0, 0, 1});
  CHECK(honest.calibration_error <= 1e-15);
}
