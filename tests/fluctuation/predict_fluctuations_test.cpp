// ⟨e^{−σ}⟩ and 𝒫(−σ)/𝒫(σ) of real minibatches, against everything that may be drawn.
#include <ness/dynamics/chain.hpp>
#include <ness/fluctuation/predict_fluctuations.hpp>
#include <ness/minibatch/full_batch.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/regression_network.hpp>
#include <ness/stationary/predict.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/every_draw.hpp"
#include "support/matrices.hpp"
#include "support/normal_quadrature.hpp"
#include "support/quadratic.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using State = ness::StationaryState<>;

constexpr std::uint32_t samples = 4;
constexpr std::uint32_t m = 2;
const ness::Sgd<ness::WithReplacement> with{.learning_rate = 0.05, .minibatch = {m}};
const ness::Sgd<ness::WithoutReplacement> without{.learning_rate = 0.05, .minibatch = {m}};

/// Two parameters, four samples.
const auto& small() {
  static const ness::Objective objective(QuadraticLosses(2, samples, 7), ness::L2{3.0});
  return objective;
}

template <class T>
State state_of(const T& training) {
  return ness::predict(small(), ness::minimize(small(), VectorXd::Zero(2).eval()), training);
}

/// ⟨e^{−σ}⟩ − 1 of `length` Markov steps from θ, over all draws of `bounds`.
template <class O, class T>
double enumerated(const O& objective, const T& training, const State& state, const VectorXd& theta,
                  int length, const std::vector<std::uint32_t>& bounds) {
  double sum = 0;
  double draws = 0;
  for_every_draw(bounds, [&](auto& random) {
    ness::Chain chain(objective, training, theta, random);
    double entropy = 0;
    for (int k = 0; k < length; ++k) {
      const VectorXd before = chain.theta();
      chain.step();
      entropy += (state.force_matrix() * (before - state.mean())).dot(chain.theta() - before);
    }
    sum += std::expm1(-entropy);
    ++draws;
  });
  return sum / draws;
}

std::vector<std::uint32_t> repeated(const std::vector<std::uint32_t>& bounds, int times) {
  std::vector<std::uint32_t> all;
  for (int k = 0; k < times; ++k) all.insert(all.end(), bounds.begin(), bounds.end());
  return all;
}

/// ⟨e^{−σ}⟩ − 1 over the Gaussian of the state and all draws.
template <class T>
double exact(const T& training, const State& state, int length,
             const std::vector<std::uint32_t>& bounds) {
  const MatrixXd root = state.covariance().llt().matrixL();
  return NormalQuadrature(24).mean(2, [&](const VectorXd& z) {
    return enumerated(small(), training, state, state.mean() + root * z, length, bounds);
  });
}

double deviation(const ness::Estimate<double>& found, double expected) {
  return std::abs(found.value - 1 - expected) / found.standard_error;
}

}  // namespace

TEST_CASE("⟨e^−σ⟩ of a step is exact over all batches, for every m") {
  for (std::uint32_t size = 1; size <= 5; ++size) {
    const ness::Objective objective(QuadraticLosses(3, 5, 17), ness::L2{3.0});
    const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.05, .minibatch = {size}};
    const State state(ness::linear_chain(VectorXd::Ones(3), positive_definite(3, 9, 0.5, 4),
                                         positive_definite(3, 5, 0.1, 0.3), 0.05));
    for (double distance : {1e-4, 0.1, 2.0}) {
      const VectorXd theta = state.mean() + generic_values<VectorXd>(3, 1, 5, distance);
      const double found = ness::step_fluctuation(objective, theta, training, state);
      const double expected = enumerated(objective, training, state, theta, 1, falling(5, size));
      INFO("m = " << size << ", distance " << distance << ": " << expected);
      CHECK(std::abs(found - expected) <= 1e-14 + 1e-12 * std::abs(expected));
    }
  }
}

TEST_CASE("two steps are the first's batches and the exact mean of the second: all pairs") {
  const State state = state_of(with);
  const VectorXd theta = state.mean() + VectorXd::Constant(2, 0.3);
  double sum = 0;
  double draws = 0;
  for_every_draw(falling(samples, m), [&](auto& random) {
    ness::Chain chain(small(), with, theta, random);
    chain.step();
    const double entropy =
        (state.force_matrix() * (theta - state.mean())).dot(chain.theta() - theta);
    sum += std::exp(-entropy) * ness::step_fluctuation(small(), chain.theta(), with, state);
    ++draws;
  });
  const double found = ness::step_fluctuation(small(), theta, with, state) + sum / draws;
  const double expected =
      enumerated(small(), with, state, theta, 2, repeated(falling(samples, m), 2));
  CHECK(std::abs(found - expected) <= 1e-13);
  CHECK(std::abs(expected) > 1e-4);
}

TEST_CASE("with replacement, ⟨e^−σ⟩ is that over the Gaussian and all batches") {
  const State state = state_of(with);
  const auto found = ness::predict_fluctuations(
      small(), with, state, {.lengths = {1, 2}, .starts = 64, .exact_starts = 10'000});
  const auto alone = ness::predict_fluctuations(
      small(), with, state, {.lengths = {1, 2}, .starts = 0, .exact_starts = 10'000});
  CHECK(alone[1].integral_fluctuation.value == found[1].integral_fluctuation.value);
  CHECK(alone[1].fluctuation_ratios.empty());
  for (int length : {1, 2}) {
    const double expected = exact(with, state, length, repeated(falling(samples, m), length));
    const auto& estimate = found[static_cast<std::size_t>(length - 1)].integral_fluctuation;
    INFO("expected " << expected << ", found " << estimate.value - 1 << " +- "
                     << estimate.standard_error);
    CHECK(deviation(estimate, expected) <= 3.5);
    CHECK(estimate.standard_error <= 0.15 * std::abs(expected));
  }
}

TEST_CASE("without replacement, ⟨e^−σ⟩ is that over the Gaussian and all orders") {
  const State state = state_of(without);
  const auto found =
      ness::predict_fluctuations(small(), without, state, {.lengths = {1, 2}, .starts = 200'000});
  for (int length : {1, 2}) {
    const double expected =
        exact(without, state, length, repeated(falling(samples, samples), length));
    const auto& estimate = found[static_cast<std::size_t>(length - 1)].integral_fluctuation;
    INFO("expected " << expected << ", found " << estimate.value - 1 << " +- "
                     << estimate.standard_error);
    CHECK(deviation(estimate, expected) <= 3.5);
    CHECK(estimate.standard_error <= 0.15 * std::abs(expected));
  }
}

TEST_CASE("𝒫(−σ)/𝒫(σ) is that of trajectories, drawn without integrating anything") {
  const auto compare = [](const auto& training) {
    const State state = state_of(training);
    const auto found =
        ness::predict_fluctuations(small(), training, state, {.lengths = {1, 2}, .starts = 50'000});
    const MatrixXd root = state.covariance().llt().matrixL();
    ness::Philox random(8);
    ness::Normal normal;
    VectorXd z(2);
    for (const auto& part : found) {
      ness::Histogram histogram(ness::entropy_axis(state.entropy_production(), {1, 2}));
      for (std::uint64_t k = 0; k < 200'000; ++k) {
        normal.fill(random, z);
        const VectorXd start = state.mean() + root * z;
        ness::Chain chain(small(), training, start, ness::Philox(21, k));
        double entropy = 0;
        for (int step = 0; step < part.length; ++step) {
          const VectorXd before = chain.theta();
          chain.step();
          entropy += (state.force_matrix() * (before - state.mean())).dot(chain.theta() - before);
        }
        histogram.add(entropy);
      }
      const auto [expected, measured] = ness::matching_ratios(part, histogram, 1000);
      CHECK(expected.size() >= 6);
      double square = 0;
      for (std::size_t k = 0; k < expected.size(); ++k) {
        const double z_score = (expected[k].value - measured[k].value) /
                               std::hypot(expected[k].standard_error, measured[k].standard_error);
        CHECK(std::abs(z_score) <= 4);
        CHECK(expected[k].standard_error <= 1.5 * measured[k].standard_error);
        square += z_score * z_score;
      }
      const auto count = static_cast<double>(expected.size());
      CHECK(square <= count + 4 * std::sqrt(2 * count));
    }
  };
  compare(with);
  compare(without);
}

TEST_CASE(
    "the regression network: the values of an independent computation, about θ₀ and the mean") {
  // 1 + 9.5e-7 of the Gaussian about θ₀, and 1 + 4.1e-6 of that about the mean with σ about θ₀.
  ness::Philox random(2306'03521);
  const ness::Objective objective(ness::regression_network(random), ness::L2{10});
  const ness::vector_t<ness::RegressionNetwork> start{1.2, 1.2, 0.5, -0.7, 0.9, -0.9, 0.0};
  const auto minimum = ness::minimize(objective, start);
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 1e-7, .minibatch = {10}};
  const State shifted = ness::predict(objective, minimum, training, {.mean_shift = true});
  const State about_minimum = shifted.about(minimum.theta);
  const MatrixXd root = ness::detail::SymmetricEigen<double>(shifted.covariance()).root();
  const auto mean = [&](const VectorXd& centre) {
    ness::Philox bits(4);
    ness::Normal normal;
    VectorXd z(7);
    ness::BatchMeans<> means(1, 1, 40);
    for (int k = 0; k < 4000; ++k) {
      normal.fill(bits, z);
      double sum = 0;
      for (const double sign : {0.5, -0.5}) {
        const VectorXd theta = centre + 2 * sign * root * z;
        sum += ness::step_fluctuation(objective, theta, training, about_minimum) / 2;
      }
      means.add(MatrixXd::Constant(1, 1, sum), 1);
    }
    return ness::Estimate<double>{means.mean()(0, 0), means.standard_error()(0, 0)};
  };
  const auto own = mean(minimum.theta);
  const auto other = mean(shifted.mean());
  CHECK(std::abs(own.value - 9.5e-7) <= 4 * own.standard_error);
  CHECK(std::abs(other.value - 4.1e-6) <= 4 * other.standard_error);
  CHECK(other.standard_error <= 0.05 * other.value);
}

TEST_CASE("without noise nothing fluctuates, and with Gaussian noise ⟨e^−σ⟩ is 1") {
  const State state = state_of(with);
  const ness::Sgd<ness::FullBatch> silent{.learning_rate = 0.05};
  const State still = state_of(silent);
  const auto found =
      ness::predict_fluctuations(small(), silent, still, {.lengths = {1}, .starts = 64});
  CHECK(found[0].integral_fluctuation.value == 1);
  for (int length : {1, 2, 5}) CHECK(std::abs(state.integral_fluctuation(length) - 1) <= 1e-13);
}

TEST_CASE("Gaussian noise in finite steps: ⟨e^−σ⟩ by quadrature over the start and the noise") {
  auto chain = state_of(with).chain();
  chain.form = ness::LyapunovForm::discrete;
  const State state(chain);
  const MatrixXd root = state.covariance().llt().matrixL();
  const MatrixXd noise = (2 * state.diffusion()).llt().matrixL();
  const auto entropy = [&](VectorXd deviation, const VectorXd& z, int length) {
    double sum = 0;
    for (int k = 0; k < length; ++k) {
      const VectorXd step = noise * z.segment(2 + 2 * k, 2) - state.relaxation() * deviation;
      sum += (state.force_matrix() * deviation).dot(step);
      deviation += step;
    }
    return sum;
  };
  for (int length : {1, 2}) {
    const double expected =
        NormalQuadrature(length == 1 ? 14 : 10).mean(2 + 2 * length, [&](const VectorXd& z) {
          return std::exp(-entropy(root * z.head(2), z, length));
        });
    CHECK(std::abs(state.integral_fluctuation(length) - expected) <= 1e-9);
    CHECK(std::abs(expected - 1) > 1e-5);
  }
  CHECK_THROWS_WITH(state.integral_fluctuation(0), contains("length must be at least 1"));
}

TEST_CASE("the result does not depend on the number of threads; bad settings are refused") {
  const State state = state_of(without);
  const auto run = [&](ness::FluctuationSettings settings) {
    return ness::predict_fluctuations(small(), without, state, settings);
  };
  const auto one = run({.lengths = {2}, .starts = 640, .threads = 1});
  const auto three = run({.lengths = {2}, .starts = 640, .threads = 3});
  CHECK(one[0].integral_fluctuation.value == three[0].integral_fluctuation.value);
  CHECK_THROWS_WITH(run({.lengths = {0}}), contains("every length must be at least 1"));
  CHECK_THROWS_WITH(run({.starts = 0}), contains("starts must be at least 64, but is 0"));
  CHECK_THROWS_WITH(run({.starts = 63}), contains("starts must be at least 64, but is 63"));
  CHECK_THROWS_WITH(run({.exact_starts = 1}), contains("exact_starts"));
  CHECK_THROWS_WITH(run({.threads = -1}), contains("threads"));
}
