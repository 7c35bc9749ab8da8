// The state along eigenvectors of H from Hessian products alone, against that of all parameters.
#include "ness/stationary/predict_along.hpp"

#include "ness/diffusion/epochs.hpp"
#include "ness/minibatch/there_and_back.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/network.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::EpochOrder;

const ness::StreamedObjective streamed(network(), 1);

const auto& pairs() {
  static const auto pairs =
      ness::leading_eigenpairs(streamed, network_minimum().theta, {.count = 4, .tolerance = 1e-10});
  return pairs;
}

/// With the noise of epochs as each sample by itself makes it.
template <class T>
auto state_along(const T& training, const ness::PredictSettings& settings) {
  if constexpr (ness::DrawsOrders<T>) {
    const auto noise = ness::epoch_noise_along(streamed, network_minimum().theta, pairs().vectors,
                                               training, {.probes = 1000});
    return ness::predict(streamed, network_minimum(), pairs(), training, noise, settings);
  } else {
    return ness::predict(streamed, network_minimum(), pairs(), training, settings);
  }
}

/// The differences of Σ and of the mean, of their sizes.
struct Difference {
  double covariance, mean;
};

template <class T>
Difference difference(const T& training, const ness::PredictSettings& settings) {
  const auto whole = ness::predict(network(), network_minimum(), training, settings);
  const auto state = state_along(training, settings);
  const MatrixXd& q = pairs().vectors;
  const VectorXd shift = q.transpose() * (whole.mean() - network_minimum().theta);
  const double size = std::max(shift.norm(), 1e-6 * std::sqrt(whole.covariance().trace()));
  return {relative_error(state.covariance(), MatrixXd(q.transpose() * whole.covariance() * q)),
          (state.mean() - shift).norm() / size};
}

using WithoutReplacement = ness::Sgd<ness::WithoutReplacement>;

}  // namespace

TEST_CASE("Along eigenvectors of H the state is that of all parameters") {
  const ness::Sgd<ness::WithReplacement, ness::HeavyBall> wr{
      .learning_rate = 1e-6, .minibatch = {10}, .update = {0.9}};
  CHECK(difference(wr, {.form = ness::LyapunovForm::discrete}).covariance <= 1e-8);
  const ness::Sgd<ness::ThereAndBack> both{.learning_rate = 1e-6, .minibatch = {10}};
  CHECK(difference(both, {.epochs = {.order = EpochOrder::additive}}).covariance <= 1e-8);
}

TEST_CASE("Epochs without replacement have the shifted minimum and the curvature of batches") {
  // The whole takes D and D̂ at θ̂₀: the difference falls as η.
  for (const auto order : {EpochOrder::leading, EpochOrder::combined, EpochOrder::additive}) {
    INFO(to_string(order));
    const auto of = [&](double eta) {
      return difference(WithoutReplacement{.learning_rate = eta, .minibatch = {10}},
                        {.epochs = {.order = order}});
    };
    const Difference large = of(4e-8), small = of(2e-8);
    CHECK(small.mean <= 2e-3);
    CHECK(small.covariance <= 1e-4);
    CHECK(std::abs(large.mean / small.mean - 2) <= 0.2);
    CHECK(std::abs(large.covariance / small.covariance - 2) <= 0.2);
  }
}

TEST_CASE("Momentum moves the minimum of epochs as it does that of all parameters") {
  const auto of = [](double eta) {
    return difference(
        ness::Sgd<ness::WithoutReplacement, ness::HeavyBall>{
            .learning_rate = eta, .minibatch = {10}, .update = {0.5}},
        {.epochs = {.order = EpochOrder::additive}});
  };
  CHECK(of(2e-8).mean <= 5e-3);
  CHECK(of(2e-8).covariance <= 1e-4);
}

TEST_CASE("Noise that is given is that which is taken without") {
  const WithoutReplacement training{.learning_rate = 1e-6, .minibatch = {10}};
  const auto noise =
      ness::epoch_noise_along(streamed, network_minimum().theta, pairs().vectors, training);
  const auto given = ness::predict(streamed, network_minimum(), pairs(), training, noise);
  const auto taken = ness::predict(streamed, network_minimum(), pairs(), training);
  CHECK(given.covariance() == taken.covariance());
  CHECK(given.mean() == taken.mean());
}

TEST_CASE("What is not known along eigenvectors is refused") {
  const WithoutReplacement training{.learning_rate = 1e-6, .minibatch = {10}};
  const auto message = [&](const ness::PredictSettings& settings) {
    return ness::predict(streamed, network_minimum(), pairs(), training, settings);
  };
  CHECK_THROWS_WITH(message({.epochs = {.order = EpochOrder::all}}), contains("but is all"));
  CHECK_THROWS_WITH(message({.mean_shift = true}), contains("mean_shift must be false"));
  const WithoutReplacement unstable{.learning_rate = 1, .minibatch = {10}};
  CHECK_THROWS_WITH(ness::predict(streamed, network_minimum(), pairs(), unstable),
                    contains("learning_rate must be below"));
}
