// The linear classifier of Sec. 4.2, its data, and the minimum that training settles around.
#pragma once

#include <algorithm>
#include <ness/ness.hpp>
#include <utility>

#include "../common/digits.hpp"
#include "options.hpp"

// All computations are in double, on data stored in single precision: a step waits for memory.
using Classifier = ness::LinearModel<double, Eigen::Dynamic, float>;
using Objective = ness::Objective<Classifier, ness::L2>;
using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;
using Minimum = ness::Minimum<Vector, Matrix>;

/// The user's data, or made-up ones; the first `--samples` of them. Throws `UserError`.
inline Digits get_digits(const Options& options) {
  if (options.synthetic) return synthetic_digits(options.samples > 0 ? options.samples : 60'000);
  Digits digits = read_digits(options.images, options.labels);
  const Eigen::Index all = digits.features.cols();
  require_option(options.samples <= all, "--samples",
                 "be at most the number of images, " + std::to_string(all), options.samples,
                 "use 0 for all");
  if (options.samples > 0) {
    digits.features.conservativeResize(Eigen::NoChange, options.samples);
    digits.labels.resize(static_cast<std::size_t>(options.samples));
  }
  return digits;
}

/// The part of the samples whose largest output is that of their label.
inline double accuracy(const Objective& objective, const Vector& theta) {
  const Classifier& model = objective.model();
  const Eigen::Map<const Matrix> weights(theta.data(), digit_features, digit_classes);
  Eigen::Index right = 0;
  for (Eigen::Index i = 0; i < model.samples(); ++i) {
    Eigen::Index guess = 0;
    Eigen::Index label = 0;
    (weights.transpose() * model.features().col(i)).maxCoeff(&guess);
    model.targets().col(i).maxCoeff(&label);
    right += guess == label;
  }
  return static_cast<double>(right) / static_cast<double>(model.samples());
}
