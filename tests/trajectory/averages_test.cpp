// Averages of iterates against direct loops and the covariances of a linear chain.
#include "ness/trajectory/averages.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <vector>

#include "ness/trajectory/checkpoint.hpp"
#include "ness/trajectory/run.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"
#include "support/matrices.hpp"
#include "support/noisy_descent.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr Eigen::Index few = 3;

template <class S>
void feed(auto& estimator, const MatrixXd& states, const VectorXd& reference, Eigen::Index first,
          Eigen::Index last) {
  using Vector = ness::DynamicVector<S>;
  const auto state = [&](Eigen::Index k) -> Vector { return states.col(k).cast<S>(); };
  ness::TrajectoryBlock<S> block(state(first), Vector(reference.cast<S>()), 17);
  Eigen::Index k = first;
  while (k < last) {
    const Eigen::Index count = std::min<Eigen::Index>(17, last - k);
    block.fill(count, [&] { return state(++k); });
    estimator.add(block);
  }
}

void check_moments(const ness::Moments<>& moments, const std::vector<VectorXd>& averages,
                   double tolerance) {
  const auto count = static_cast<double>(averages.size());
  VectorXd mean = VectorXd::Zero(few);
  MatrixXd second = MatrixXd::Zero(few, few);
  for (const VectorXd& average : averages) {
    mean += average / count;
    second += average * average.transpose() / count;
  }
  REQUIRE(moments.steps() == static_cast<std::int64_t>(averages.size()));
  CHECK(relative_error(moments.mean().value, mean) <= tolerance);
  CHECK(relative_error(moments.covariance().value, second - mean * mean.transpose()) <= tolerance);
}

std::vector<VectorXd> window_means(const MatrixXd& states, Eigen::Index window,
                                   Eigen::Index stride) {
  std::vector<VectorXd> result;
  // The last column is the outcome of the last step, at which no step begins.
  for (Eigen::Index k = 0; k + (window - 1) * stride < states.cols() - 1; k += window * stride) {
    VectorXd sum = VectorXd::Zero(few);
    for (Eigen::Index t = 0; t < window; ++t) sum += states.col(k + t * stride);
    result.push_back(sum / static_cast<double>(window));
  }
  return result;
}

std::vector<VectorXd> exponential_means(const MatrixXd& states, double decay, Eigen::Index from) {
  std::vector<VectorXd> result;
  VectorXd average = states.col(0);
  for (Eigen::Index k = 0; k + 1 < states.cols(); ++k) {
    if (k > 0) average = decay * average + (1 - decay) * states.col(k);
    if (k >= from) result.push_back(average);
  }
  return result;
}

template <class S>
void check_against_loops(double tolerance) {
  const MatrixXd states = generic_values(few, 401, 3);
  const VectorXd reference = generic_values(few, 1, 4, 0.2);
  for (const Eigen::Index window : {1, 5, 40})
    for (const Eigen::Index stride : {1, 3}) {
      ness::WindowMean<> mean(few, window, stride, 100);
      feed<S>(mean, states, reference, 0, 400);
      check_moments(mean.moments(), window_means(states, window, stride), tolerance);
    }
  ness::ExponentialMean<> mean(few, 0.9, 100);
  feed<S>(mean, states, reference, 0, 400);
  check_moments(mean.moments(), exponential_means(states, 0.9, 197), tolerance);  // 0.9¹⁹⁷ < 1e-9
  ness::ExponentialMean<> none(few, 0, 100);
  feed<S>(none, states, reference, 0, 400);
  check_moments(none.moments(), exponential_means(states, 0, 0), tolerance);
}

/// What is asked of Σ in the eigenvectors of K, element by element.
MatrixXd in_eigenvectors(const MatrixXd& relaxation, const MatrixXd& covariance,
                         const auto& factor) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(relaxation);
  const MatrixXd& u = eigen.eigenvectors();
  MatrixXd rotated = u.transpose() * covariance * u;
  for (Eigen::Index i = 0; i < few; ++i)
    for (Eigen::Index j = 0; j < few; ++j)
      rotated(i, j) *= factor(1 - eigen.eigenvalues()[i], 1 - eigen.eigenvalues()[j]);
  return u * rotated * u.transpose();
}

void check_close(const ness::Moments<>& moments, const MatrixXd& expected) {
  const auto found = moments.covariance();
  INFO(found.value << "\n+-\n" << found.standard_error << "\nfor\n" << expected);
  for (Eigen::Index i = 0; i < few; ++i) {
    CHECK(found.standard_error(i, i) <= 0.03 * expected(i, i));
    for (Eigen::Index j = 0; j <= i; ++j)
      CHECK(std::abs(found.value(i, j) - expected(i, j)) <= 4 * found.standard_error(i, j));
  }
}

template <class Estimator>
void check_continued(const Estimator& empty) {
  const MatrixXd states = generic_values(few, 401, 3);
  auto whole = empty;
  feed<double>(whole, states, VectorXd::Zero(few), 0, 200);
  ness::CheckpointWriter writer;
  writer(whole);
  auto read = empty;
  ness::CheckpointReader reader(writer.bytes());
  reader(read);
  CHECK(reader.at_end());
  feed<double>(whole, states, VectorXd::Zero(few), 200, 400);
  feed<double>(read, states, VectorXd::Zero(few), 200, 400);
  CHECK(read.moments().steps() == whole.moments().steps());
  CHECK(read.moments().covariance().value == whole.moments().covariance().value);
  // A chain that is merged has its own averages.
  auto merged = whole;
  merged.merge(whole);
  CHECK(merged.moments().steps() == 2 * whole.moments().steps());
  CHECK(relative_error(merged.moments().covariance().value, whole.moments().covariance().value) <=
        1e-13);
}

}  // namespace

TEST_CASE("Averages of iterates are those of loops by hand") {
  check_against_loops<double>(1e-12);
  check_against_loops<float>(1e-5);
}

TEST_CASE("Averages of iterates scatter as a linear chain says") {
  constexpr double eta = 0.1;
  constexpr std::int64_t steps = 600'000;
  constexpr int window = 30;
  constexpr int sparse = 8;
  constexpr double decay = 0.95;
  const MatrixXd hessian = positive_definite(few, 41, 0.5, 3);
  const MatrixXd diffusion = positive_definite(few, 42, 0.02, 0.2);
  const MatrixXd covariance = pair_covariance(hessian, diffusion, eta, {}).topLeftCorner(few, few);
  const std::int64_t length = ness::batch_length(steps, 4, 64);
  const auto [all, some, exponential] = ness::run_chains(
      {.steps = steps, .burn_in = 1'000, .chains = 4},
      [&](int k) {
        return NoisyDescent<ness::Plain>(hessian, diffusion, eta, {}, VectorXd::Zero(few),
                                         static_cast<std::uint64_t>(k));
      },
      VectorXd::Zero(few), ness::WindowMean<>(few, window, 1, length),
      ness::WindowMean<>(few, sparse, 5, length), ness::ExponentialMean<>(few, decay, length));
  const auto of_window = [&](int t, int stride) {
    const auto f = [t](double r) {
      return r * (t * (1 - r) - 1 + std::pow(r, t)) / ((1 - r) * (1 - r));
    };
    return in_eigenvectors(eta * hessian, covariance, [=](double r, double s) {
      return (t + f(std::pow(r, stride)) + f(std::pow(s, stride))) / (t * t);
    });
  };
  check_close(all.moments(), of_window(window, 1));
  check_close(some.moments(), of_window(sparse, 5));
  check_close(exponential.moments(),
              in_eigenvectors(eta * hessian, covariance, [=](double r, double s) {
                return (1 - decay) / (1 + decay) *
                       (1 + decay * r / (1 - decay * r) + decay * s / (1 - decay * s));
              }));
}

TEST_CASE("Averages of iterates go on from a checkpoint to the bit, and merge") {
  check_continued(ness::WindowMean<>(few, 7, 3, 100));
  check_continued(ness::ExponentialMean<>(few, 0.9, 100));
}

TEST_CASE("Averages of iterates refuse settings that are none by a sentence") {
  CHECK_THROWS_WITH(ness::WindowMean<>(few, 0, 1, 100),
                    "ness::WindowMean: window must be at least 1, but is 0");
  CHECK_THROWS_WITH(ness::WindowMean<>(few, 1, 0, 100),
                    "ness::WindowMean: stride must be at least 1, but is 0");
  CHECK_THROWS_WITH(ness::ExponentialMean<>(few, 1, 100),
                    "ness::ExponentialMean: decay must be in [0, 1), but is 1");
  CHECK_THROWS_WITH(ness::ExponentialMean<>(few, -0.5, 100),
                    "ness::ExponentialMean: decay must be in [0, 1), but is -0.5");
}
