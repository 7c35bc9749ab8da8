// The 490 weights of the paper's classifier of MNIST, where both roads go: by matrices of N × N,
// and by Hessian products alone.
#include <filesystem>
#include <ness/diffusion/epochs.hpp>
#include <ness/landscape/truncated_newton.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/model/softmax_regression.hpp>
#include <ness/stationary/predict_along.hpp>

#include "examples/common/digits.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr Eigen::Index samples = 1000;

/// Real ones where they are.
Digits some_digits() {
  const std::filesystem::path folder = NESS_MNIST;
  const auto images = folder / "train-images-idx3-ubyte.gz";
  if (std::filesystem::exists(images))
    return read_digits(images.string(), (folder / "train-labels-idx1-ubyte.gz").string(), samples);
  WARN("MNIST is not at " << folder << ": made-up digits stand in");
  return synthetic_digits(samples);
}

template <class M>
void check_roads(const ness::Objective<M, ness::L2>& objective) {
  const VectorXd start = VectorXd::Zero(objective.parameters());
  const auto dense = ness::minimize(objective, start);
  const ness::StreamedObjective streamed(objective);
  const auto minimum = ness::minimize(streamed, start, {.relative_gradient = 1e-13});
  INFO(dense.explanation() << "; " << minimum.explanation());
  REQUIRE(dense.status == ness::MinimumStatus::converged);
  REQUIRE(minimum.status == ness::MinimumStatus::converged);
  const VectorXd away = minimum.theta - dense.theta;
  CHECK(std::sqrt(away.dot(dense.hessian * away) / dense.value) <= 1e-8);

  const auto pairs =
      ness::leading_eigenpairs(streamed, minimum.theta, {.count = 12, .tolerance = 1e-11});
  REQUIRE(pairs.converged);
  const VectorXd leading = dense.hessian_eigenvalues.reverse().head(12);
  CHECK(relative_error(pairs.values, leading) <= 1e-10);
  const MatrixXd& q = pairs.vectors;
  const auto check = [&](const auto& training, const ness::PredictSettings& settings) {
    INFO(training.description());
    const auto whole = ness::predict(objective, dense, training, settings);
    const auto state = ness::predict(streamed, minimum, pairs, training, settings);
    CHECK(relative_error(state.covariance(), MatrixXd(q.transpose() * whole.covariance() * q)) <=
          1e-8);
    CHECK(relative_error(state.diffusion(), MatrixXd(q.transpose() * whole.diffusion() * q)) <=
          1e-8);
    CHECK((state.circulation() - q.transpose() * whole.circulation() * q).norm() <=
          1e-8 * (q.transpose() * whole.circulation() * q).norm());
  };
  check(ness::Sgd<ness::WithReplacement>{.learning_rate = 1e-3, .minibatch = {100}},
        {.form = ness::LyapunovForm::discrete});
}

}  // namespace

TEST_CASE("The 490 weights of MNIST have the same state by matrices and by products") {
  const Digits digits = some_digits();
  const MatrixXd labels = one_hot(digits.labels);
  check_roads(ness::Objective(ness::LinearModel<>(digits.features, labels), ness::L2{1e-3}));
  check_roads(ness::Objective(ness::SoftmaxRegression<>(digits.features, labels), ness::L2{1e-2}));
}
