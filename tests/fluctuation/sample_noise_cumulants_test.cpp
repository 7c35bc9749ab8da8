#include <ness/fluctuation/sample_noise_cumulants.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>

#include "support/catch.hpp"
#include "support/every_partition.hpp"
#include "support/given_gradients.hpp"
#include "support/quadratic.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

double worst(const VectorXd& found, const VectorXd& exact, const VectorXd& error) {
  return (found - exact).cwiseAbs().cwiseQuotient(error).maxCoeff();
}

}  // namespace

TEST_CASE("drawn steps with replacement have the cumulants that are exact") {
  const ness::Objective objective(GivenGradients{generic_values(3, 20, 4)}, ness::L2{3.0});
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.3, .minibatch = {2}};
  const MatrixXd directions = generic_values(3, 2, 6);
  const VectorXd theta = VectorXd::Ones(3);
  const auto exact = ness::noise_cumulants(objective, theta, training, directions);
  const auto found = ness::sample_noise_cumulants(objective, theta, training, directions);
  const auto& error = found.standard_error;
  CHECK(worst(found.value.skewness, exact.skewness, error.skewness) <= 4);
  CHECK(worst(found.value.excess_kurtosis, exact.excess_kurtosis, error.excess_kurtosis) <= 4);
  CHECK(error.skewness.maxCoeff() <= 0.02);
  CHECK(error.excess_kurtosis.maxCoeff() <= 0.05);
}

TEST_CASE("drawn epochs have the cumulants of all partitions of the samples") {
  constexpr Eigen::Index samples = 6, m = 2;
  const ness::Objective objective(QuadraticLosses(2, samples, 7), ness::L2{3.0});
  const ness::Sgd<ness::WithoutReplacement> training{.learning_rate = 0.05, .minibatch = {m}};
  const VectorXd theta = VectorXd::Constant(2, 0.1);
  const MatrixXd directions = MatrixXd::Identity(2, 2);
  MatrixXd gradients(2, samples);
  MatrixXd sums = MatrixXd::Zero(5, 2);
  for_every_partition(samples, m, [&](const std::vector<int>& batch_of) {
    VectorXd at = theta;
    for (int t = 0; t < samples / m; ++t) {
      ness::Derivatives<QuadraticLosses>(objective.model()).sample_gradients(at, 0, gradients);
      VectorXd gradient = objective.regularizer_gradient(at);
      for (Eigen::Index i = 0; i < samples; ++i)
        if (batch_of[static_cast<std::size_t>(i)] == t) gradient += gradients.col(i) / m;
      at -= 0.05 * gradient;
    }
    for (int power = 0; power < 5; ++power)
      sums.row(power) += (at - theta).array().pow(power).matrix().transpose();
  });
  const VectorXd mean = sums.row(1) / sums(0, 0);
  const auto found = ness::sample_noise_cumulants(objective, theta, training, directions);
  for (Eigen::Index k = 0; k < 2; ++k) {
    const VectorXd raw = sums.col(k) / sums(0, k);
    const double a = mean[k];
    const double second = raw[2] - a * a;
    const double third = raw[3] - 3 * a * raw[2] + 2 * a * a * a;
    const double fourth = raw[4] - 4 * a * raw[3] + 6 * a * a * raw[2] - 3 * a * a * a * a;
    CHECK(std::abs(found.value.skewness[k] - third / std::pow(second, 1.5)) <=
          4 * found.standard_error.skewness[k]);
    CHECK(std::abs(found.value.excess_kurtosis[k] - (fourth / (second * second) - 3)) <=
          4 * found.standard_error.excess_kurtosis[k]);
  }
}
