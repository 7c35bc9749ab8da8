// Noise that grows with the distance, with a memory: against every batch, and its limits.
#include <Eigen/LU>
#include <vector>

#include "ness/diffusion/curvature.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/stationary/curved_noise.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/update/momentum.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Index;
using ness::LinearUpdate;

using Training = ness::Sgd<ness::WithReplacement, LinearUpdate>;

const auto& objective() {
  static const ness::Objective result(
      ness::LinearModel<>(generic_values(2, 6, 31), generic_values(1, 6, 32)), ness::L2{0.1});
  return result;
}
const auto& minimum() {
  static const auto result = ness::minimize(objective(), VectorXd::Zero(2).eval());
  return result;
}

/// ⟨(θ, ηb)(θ, ηb)ᵀ⟩ of m = 2 of six samples, by all 15 batches: the linear equation of the second
/// moment as it stands.
MatrixXd enumerated(double eta, const LinearUpdate& update) {
  const Index n = 2, size = 4;
  MatrixXd pairs = MatrixXd::Zero(size * size, size * size), noise = MatrixXd::Zero(size, size);
  MatrixXd hessians(4, 6), gradients(2, 6);
  ness::Derivatives derivatives(objective().model());
  derivatives.sample_hessians(minimum().theta, 0, hessians);
  derivatives.sample_gradients(minimum().theta, 0, gradients);
  const MatrixXd y = objective().regularizer_hessian(minimum().theta);
  const VectorXd x = objective().regularizer_gradient(minimum().theta);
  std::vector<std::pair<MatrixXd, VectorXd>> maps;
  for (Index i = 0; i < 6; ++i)
    for (Index j = i + 1; j < 6; ++j) {
      const MatrixXd q = (hessians.col(i) + hessians.col(j)).reshaped(n, n) / 2 + y;
      const VectorXd g = (gradients.col(i) + gradients.col(j)) / 2 + x;
      MatrixXd a(size, size);
      const MatrixXd one = MatrixXd::Identity(n, n);
      a << one - update.of_gradient() * eta * q, -update.buffered * update.momentum * one,
          update.gain * eta * q, update.momentum * one;
      VectorXd c(size);
      c << -update.of_gradient() * eta * g, update.gain * eta * g;
      maps.emplace_back(a, c);
    }
  for (const auto& [a, c] : maps) {
    noise += c * c.transpose() / 15;
    for (Index i = 0; i < size; ++i)
      for (Index j = 0; j < size; ++j)
        pairs.block(i * size, j * size, size, size) += a(i, j) * a / 15;
  }
  const VectorXd solved =
      (MatrixXd::Identity(size * size, size * size) - pairs).lu().solve(noise.reshaped());
  return solved.reshaped(size, size);
}

ness::LinearChain<double> curved(double eta, const LinearUpdate& update,
                                 const ness::GeneralizedLyapunovSettings& settings = {}) {
  const Training training{eta, {2}, update};
  const auto chain =
      ness::linearize(objective(), minimum(), training, {.form = ness::LyapunovForm::discrete});
  const ness::StationaryState state(chain);
  return ness::with_curvature(
      chain, ness::DiffusionCurvature(objective(), minimum().theta, training, state.covariance()),
      settings);
}

}  // namespace

TEST_CASE("Noise that grows with the distance: the second moment of every batch, with momentum") {
  for (const LinearUpdate& update :
       {LinearUpdate{}, ness::HeavyBall{.momentum = 0.7}.linear(), ness::Nesterov{0.7}.linear(),
        ness::QuasiHyperbolic{.momentum = 0.9, .weight = 0.6}.linear()}) {
    INFO(update.description());
    const double eta = 0.2;
    const MatrixXd exact = enumerated(eta, update);
    for (const Index direct : {12, 0}) {
      const ness::StationaryState state(curved(eta, update, {.direct_up_to = direct}));
      CHECK(relative_error(state.covariance(), MatrixXd(exact.topLeftCorner(2, 2))) <= 1e-12);
    }
    // It matters.
    const Training training{eta, {2}, update};
    const auto constant =
        ness::predict(objective(), minimum(), training, {.form = ness::LyapunovForm::discrete});
    CHECK(relative_error(constant.covariance(), MatrixXd(exact.topLeftCorner(2, 2))) > 0.01);
  }
}

TEST_CASE("Noise that grows faster than the drift brings back has no stationary state") {
  const LinearUpdate ball = ness::HeavyBall{.momentum = 0.9}.linear();
  const double most = 3.8 / minimum().hessian_eigenvalues.maxCoeff();
  CHECK_THROWS_WITH(curved(0.99 * most, ball),
                    contains("ness::with_curvature") && contains("lower learning_rate"));
}
