// The posterior of a Bayesian neural network in function space, where it is known exactly: given
// the hidden weights (θ_1 … θ_4) of the network of Eq. 30, its output weights (θ_5, θ_6, θ_7) are
// Gaussian, so that moments of f are integrals of four dimensions.

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <array>
#include <cmath>
#include <cstdint>

#include "ness/dynamics/chain.hpp"
#include "ness/posterior/convergence.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/trajectory/draws.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/network.hpp"

namespace {

using Eigen::Index;
using Eigen::VectorXd;

constexpr std::array<double, 5> places{-4, -1.5, 0, 1, 3};
constexpr Index count = places.size();

/// Means and variances of f(x) at the places.
struct Moments {
  VectorXd mean = VectorXd::Zero(count), variance = VectorXd::Zero(count);
};

Eigen::MatrixX3d hidden(const Eigen::Vector4d& weights, const auto& x) {
  Eigen::MatrixX3d units(x.size(), 3);
  units.col(0) = (weights[0] * x + weights[2]).tanh();
  units.col(1) = (weights[1] * x + weights[3]).tanh();
  units.col(2).setOnes();
  return units;
}

/// By the trapezoidal rule in coordinates where the Gaussian about the minimum is round, `step` of
/// its standard deviations apart and `reach` of them to each side. The other modes are images of
/// this one, and have the same f.
Moments integrated(double step, double reach) {
  const auto& minimum = network_minimum();
  const auto& model = network().model();
  const Eigen::ArrayXd x = model.inputs().row(0).transpose().array();
  const VectorXd y = model.targets().row(0).transpose();
  const Eigen::ArrayXd at = Eigen::Map<const Eigen::ArrayXd>(places.data(), count);
  constexpr double precision = 1 / (ness::regression_noise * ness::regression_noise);
  const double lambda = network().regularizer().lambda;
  const Eigen::Matrix4d covariance = minimum.hessian.inverse().eval().topLeftCorner<4, 4>();
  const Eigen::Matrix4d root = covariance.llt().matrixL();

  double total = 0;
  VectorXd sum = VectorXd::Zero(count), squares = sum;
  const int most = static_cast<int>(reach / step);
  const auto each = [&](const auto& self, Eigen::Vector4d& z, int axis) -> void {
    for (int k = -most; k <= most; ++k) {
      z[axis] = k * step;
      if (axis < 3) {
        self(self, z, axis + 1);
        continue;
      }
      if (z.squaredNorm() > reach * reach) continue;
      const Eigen::Vector4d weights = minimum.theta.head<4>() + root * z;
      const Eigen::MatrixX3d units = hidden(weights, x);
      const Eigen::Matrix3d of_output =
          precision * (units.transpose() * units) + 2 * lambda * Eigen::Matrix3d::Identity();
      const Eigen::LLT<Eigen::Matrix3d> factor(of_output);
      const Eigen::Vector3d slope = precision * (units.transpose() * y);
      const Eigen::Vector3d mean = factor.solve(slope);
      const double logarithm = slope.dot(mean) / 2 -
                               factor.matrixLLT().diagonal().array().log().sum() -
                               lambda * weights.squaredNorm() - precision * y.squaredNorm() / 2;
      const double weight = std::exp(logarithm + minimum.value);
      const Eigen::MatrixX3d f = hidden(weights, at);
      const VectorXd means = f * mean;
      const VectorXd variances =
          factor.matrixL().solve(f.transpose()).colwise().squaredNorm().transpose();
      total += weight;
      sum += weight * means;
      squares += weight * (variances + means.cwiseAbs2());
    }
  };
  Eigen::Vector4d z;
  each(each, z, 0);
  Moments result;
  result.mean = sum / total;
  result.variance = squares / total - result.mean.cwiseAbs2();
  return result;
}

const Moments& exact() {
  static const Moments moments = integrated(0.8, 6.4);
  return moments;
}

/// f(x) at the places, of chains that begin at draws of the prior.
template <class Sampler>
ness::NpyArray functions_of(const Sampler& sampler, std::int64_t updates, std::int64_t stride) {
  const auto& objective = network();
  const auto per_step = static_cast<std::int64_t>(sampler.updates_per_markov_step(200));
  const auto [draws] = ness::run_chains(
      {.steps = updates, .burn_in = updates / 5, .chains = 8, .seed = 5},
      [&](int k) {
        ness::Philox random(9, static_cast<std::uint64_t>(k));
        ness::Normal normal;
        ness::vector_t<ness::RegressionNetwork> start;
        normal.fill(random, start);
        start /= std::sqrt(2 * objective.regularizer().lambda);
        return ness::Chain(objective, sampler, start,
                           ness::Philox(5, static_cast<std::uint64_t>(k)));
      },
      network_minimum().theta, ness::Draws(objective.parameters(), stride / per_step));
  const ness::NpyArray theta = draws.array();
  ness::NpyArray result{{theta.shape[0], theta.shape[1], count}, {}};
  for (std::size_t at = 0; at < theta.values.size(); at += 7) {
    const Eigen::Map<const VectorXd> of_draw(theta.values.data() + at, 7);
    for (const double x : places)
      result.values.push_back(objective.model().output(of_draw, Eigen::Matrix<double, 1, 1>(x))[0]);
  }
  return result;
}

/// Means and variances within 4.5 standard errors, autocorrelation counted.
void check_functions(const ness::NpyArray& f) {
  ness::NpyArray squares = f;
  for (std::size_t at = 0; at < f.values.size(); ++at) {
    const double deviation = f.values[at] - exact().mean[static_cast<Index>(at) % count];
    squares.values[at] = deviation * deviation;
  }
  for (const ness::NpyArray* of : {&f, static_cast<const ness::NpyArray*>(&squares)}) {
    const auto convergence = ness::convergence(*of);
    const Eigen::Map<const Eigen::MatrixXd> values(of->values.data(), count,
                                                   f.shape[0] * f.shape[1]);
    const VectorXd& expected = of == &f ? exact().mean : exact().variance;
    for (Index k = 0; k < count; ++k) {
      const double mean = values.row(k).mean();
      const double scatter = std::sqrt((values.row(k).array() - mean).square().mean());
      const double error = scatter / std::sqrt(convergence.bulk_draws[k]);
      INFO("x " << places[static_cast<std::size_t>(k)] << (of == &f ? " mean " : " variance ")
                << mean << " +- " << error << ", exact " << expected[k] << ", effective draws "
                << convergence.bulk_draws[k]);
      CHECK(convergence.r_hat[k] <= 1.01);
      CHECK(convergence.bulk_draws[k] >= 1000);
      CHECK(std::abs(mean - expected[k]) <= 4.5 * error);
    }
  }
}

}  // namespace

TEST_CASE("integrals of the network's posterior have converged") {
  const Moments finer = integrated(0.65, 6.5);
  INFO(exact().mean.transpose() << "\n" << finer.mean.transpose());
  INFO(exact().variance.transpose() << "\n" << finer.variance.transpose());
  CHECK((exact().mean - finer.mean).cwiseAbs2().cwiseQuotient(finer.variance).maxCoeff() <= 1e-6);
  CHECK((exact().variance - finer.variance).cwiseQuotient(finer.variance).cwiseAbs().maxCoeff() <=
        1e-3);
}

TEST_CASE("full-batch kinetic Langevin dynamics draws functions of a network") {
  check_functions(functions_of(
      ness::KineticLangevin{.learning_rate = 0.004, .minibatch = {}, .update = {.friction = 12}},
      20'000, 10));
}

TEST_CASE("kinetic Langevin dynamics with batches there and back draws functions of a network") {
  check_functions(functions_of(
      ness::SmsBaoab{.learning_rate = 0.0015, .minibatch = {100}, .update = {.friction = 12}},
      60'000, 40));
}
