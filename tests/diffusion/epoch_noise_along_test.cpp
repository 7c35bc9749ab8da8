// D̂ along a few directions against all of Appendix B, where that can be formed.
#include "ness/diffusion/epoch_noise_along.hpp"

#include <Eigen/Dense>
#include <cmath>

#include "ness/diffusion/epochs.hpp"
#include "ness/landscape/effective_landscape.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/mlp.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/network.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Index;

/// R whose second derivatives are not diagonal.
struct Chained {
  auto value(const auto& theta) const {
    auto sum = theta[0] * theta[0];
    for (Index k = 1; k < theta.size(); ++k)
      sum += (theta[k] - theta[k - 1]) * (theta[k] - theta[k - 1]);
    return sum;
  }
};

const auto& perceptron() {
  static const ness::Objective objective = [] {
    MatrixXd labels = MatrixXd::Zero(3, 12);
    for (Index i = 0; i < 12; ++i) labels((i * i + i / 3) % 3, i) = 1;
    using Network = ness::Mlp<ness::DynamicLayers, ness::Tanh, ness::SoftmaxCrossEntropy>;
    return ness::Objective(Network(generic_values(4, 12, 1), labels, {4, 3, 3}), Chained{});
  }();
  return objective;
}

using Training = ness::Sgd<ness::WithoutReplacement>;

template <class M, class R>
void check_against_whole(const ness::Objective<M, R>& objective, const VectorXd& theta,
                         const MatrixXd& q, const Training& training) {
  INFO(training.description() << ", N = " << theta.size());
  const ness::StreamedObjective streamed(objective, 2);
  const MatrixXd whole = q.transpose() * ness::diffusion(objective, theta, training) * q;
  const auto exact = ness::epoch_noise_along(streamed, theta, q, training, {.probes = 1000});
  CHECK(relative_error(exact.diffusion, whole) <= 1e-12);
  CHECK(exact.standard_error.isZero(0));

  const ness::EffectiveLandscape landscape(objective, training);
  const VectorXd slope = landscape.gradient(theta);
  const VectorXd of_objective = objective.gradient(theta);
  const auto n = static_cast<double>(training.updates_per_markov_step(objective.samples()));
  CHECK(relative_error(exact.slope, VectorXd(q.transpose() * (slope - n * of_objective))) <= 1e-9);
}

MatrixXd some_orthonormal(Index rows, Index cols) {
  const MatrixXd any = generic_values(rows, cols, 3);
  return Eigen::HouseholderQR<MatrixXd>(any).householderQ() * MatrixXd::Identity(rows, cols);
}

}  // namespace

TEST_CASE("The noise of an epoch along directions is that of Appendix B") {
  const Index n = perceptron().parameters();
  const VectorXd theta = generic_values(n, 1, 4);
  for (const Index m : {1, 3, 6})
    check_against_whole(perceptron(), theta, some_orthonormal(n, 5),
                        {.learning_rate = 0.1, .minibatch = {m}});
  check_against_whole(perceptron(), theta, some_orthonormal(n, n),
                      {.learning_rate = 0.1, .minibatch = {2}});
  // A model of no members for many parameters.
  check_against_whole(network(), network_minimum().theta, some_orthonormal(7, 3),
                      {.learning_rate = 1e-6, .minibatch = {10}});
}

TEST_CASE("Random signs leave the error that is told") {
  const ness::StreamedObjective streamed(network(), 1);
  const VectorXd& theta = network_minimum().theta;
  const MatrixXd q = some_orthonormal(7, 3);
  const Training training{.learning_rate = 1e-6, .minibatch = {10}};
  const auto exact = ness::epoch_noise_along(streamed, theta, q, training, {.probes = 1000});
  double sum = 0;
  constexpr int times = 40;
  for (std::uint64_t seed = 1; seed <= times; ++seed) {
    const auto noise =
        ness::epoch_noise_along(streamed, theta, q, training, {.probes = 24, .seed = seed});
    CHECK(noise.standard_error.maxCoeff() > 0);
    sum += ((noise.diffusion - exact.diffusion).array() / noise.standard_error.array())
               .square()
               .mean();
  }
  // Student's t with 23 degrees of freedom squared: 1.10 on average.
  CHECK(std::abs(sum / times - 1.1) <= 0.35);
}

TEST_CASE("One batch of all samples has no noise, and noise is the same for any threads") {
  const VectorXd theta = generic_values(perceptron().parameters(), 1, 4);
  const MatrixXd q = some_orthonormal(theta.size(), 4);
  const ness::StreamedObjective one(perceptron(), 1), two(perceptron(), 2);
  const Training whole{.learning_rate = 0.1, .minibatch = {12}};
  const auto none = ness::epoch_noise_along(one, theta, q, whole);
  CHECK(none.diffusion.isZero(0));
  CHECK(none.slope.isZero(0));
  const Training training{.learning_rate = 0.1, .minibatch = {3}};
  const auto here = ness::epoch_noise_along(one, theta, q, training);
  const auto there = ness::epoch_noise_along(two, theta, q, training);
  CHECK(here.diffusion == there.diffusion);
  CHECK(here.standard_error == there.standard_error);
}

TEST_CASE("What cannot be done along directions is refused") {
  const VectorXd theta = generic_values(perceptron().parameters(), 1, 4);
  const MatrixXd q = some_orthonormal(theta.size(), 4);
  const ness::StreamedObjective streamed(perceptron(), 1);
  const Training training{.learning_rate = 0.1, .minibatch = {3}};
  CHECK_THROWS_WITH(ness::epoch_noise_along(streamed, theta, q, training, {.probes = 1}),
                    "ness::epoch_noise_along: probes must be at least 2, but is 1");
  CHECK_THROWS_AS(ness::epoch_noise_along(streamed, theta, q.topRows(3), training),
                  std::invalid_argument);
  const Training uneven{.learning_rate = 0.1, .minibatch = {5}};
  CHECK_THROWS_AS(ness::epoch_noise_along(streamed, theta, q, uneven), std::invalid_argument);
}
