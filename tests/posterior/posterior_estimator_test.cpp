#include "ness/posterior/posterior_estimator.hpp"

#include <Eigen/Cholesky>
#include <cmath>
#include <numbers>

#include "ness/dynamics/chain.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/posterior/posterior_error.hpp"
#include "ness/trajectory/measure.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Model = ness::LinearModel<double, 3>;
using Vector = Eigen::Vector3d;
using Matrix = Eigen::Matrix3d;

// A likelihood of noise ½ on generic features: curvatures that differ by a factor of two or so.
const auto& objective() {
  static const ness::Objective result(
      Model(generic_values(3, 40, 51), generic_values(1, 40, 52), ness::SquaredLoss{80}),
      ness::L2{0.5});
  return result;
}
const auto& minimum() {
  static const auto result = ness::minimize(objective(), Vector(Vector::Zero()));
  return result;
}

template <class Sampler>
auto simulate(const Sampler& sampler, std::int64_t steps) {
  const ness::RunSettings settings{.steps = steps, .burn_in = 20'000, .chains = 4, .seed = 11};
  const auto per_step = sampler.updates_per_markov_step(objective().samples());
  const ness::PosteriorEstimator<> estimator(ness::gaussian_posterior(minimum()),
                                             ness::batch_length(steps / per_step, 4, 64));
  const auto make_chain = [&](int k) {
    return ness::Chain(objective(), sampler, minimum().theta,
                       ness::Philox(settings.seed, static_cast<std::uint64_t>(k)));
  };
  return std::get<0>(ness::run_chains(settings, make_chain, minimum().theta, estimator));
}

// Nine numbers of each run against the exact moments, each in its own standard errors.
template <class Sampler>
void check_run(Sampler sampler, double eta) {
  sampler.learning_rate = eta;
  if constexpr (requires { sampler.minibatch.batch_size; }) sampler.minibatch.batch_size = 4;
  const auto exact = ness::exact_posterior_error(objective(), minimum(), sampler);
  REQUIRE(exact.status == ness::SamplingStatus::stationary);
  const auto drawn = simulate(sampler, 400'000);
  const auto run = drawn.result();
  CHECK(drawn.autocorrelation_time().maxCoeff() < 300);
  const auto deviation = [](const auto& found, const auto& expected) {
    const auto error =
        (found.standard_error.array().square() + expected.standard_error.array().square()).sqrt();
    return ((found.value - expected.value).array().abs() / error).maxCoeff();
  };
  CHECK(deviation(run.mean_shift, exact.mean_shift) <= 4);
  CHECK(deviation(run.covariance_excess, exact.covariance_excess) <= 4);
  CHECK(std::abs(run.divergence.value - run.chance - exact.divergence.value) <=
        4 * std::hypot(run.divergence.standard_error, exact.divergence.standard_error));
}

template <class Sampler>
void check_runs(const Sampler& sampler = {}) {
  const double h = minimum().hessian_eigenvalues.maxCoeff();
  check_run(sampler, 0.02 / h);
  check_run(sampler, 0.08 / h);
}

}  // namespace

TEST_CASE("SGLD draws what its exact moments say") { check_runs<ness::Sgld>(); }
TEST_CASE("So does SGLD with Leimkuhler–Matthews noise") { check_runs<ness::SgldLm>(); }
TEST_CASE("So does SGLD without replacement") { check_runs<ness::SgldWithoutReplacement>(); }
TEST_CASE("So does SGWORLD as printed") { check_runs<ness::Sgworld>(); }
TEST_CASE("So does SGWORLD as printed, uncorrected") { check_runs<ness::SgworldUncorrected>(); }
TEST_CASE("So does SGWORLD-LM") { check_runs<ness::SgworldLm>(); }
TEST_CASE("So does SGWORLD-LM corrected from few samples") {
  check_runs(ness::SgworldLm{.correction = {.samples = 4}});
}
TEST_CASE("So does SGWORLD-LM, uncorrected") { check_runs<ness::SgworldLmUncorrected>(); }
TEST_CASE("So does full-batch Langevin") { check_runs<ness::Langevin>(); }
TEST_CASE("So does full-batch Langevin with Leimkuhler–Matthews noise") {
  check_runs<ness::LangevinLm>();
}

TEST_CASE("The estimator gives moments in the coordinates of θ, and the divergence") {
  // Draws by hand: a block of states, against the sums of the definition.
  const auto posterior = ness::gaussian_posterior(minimum());
  constexpr Eigen::Index count = 500;
  const Eigen::MatrixXd states = 0.05 * generic_values(3, count + 1, 61);
  ness::TrajectoryBlock<double> block(Vector::Zero(), Vector::Zero(), count);
  block.assign(states.transpose());
  ness::PosteriorEstimator<> estimator(posterior, 100);
  estimator.add(block);
  const auto result = estimator.result();
  const Eigen::MatrixXd used = states.leftCols(count);
  const Vector mean = used.rowwise().mean();
  const Matrix covariance = used * used.transpose() / count - mean * mean.transpose();
  CHECK(relative_error(result.mean_shift.value, mean) <= 1e-12);
  CHECK(relative_error(result.covariance_excess.value, covariance - posterior.covariance) <= 1e-11);
  CHECK(relative_error(result.divergence.value,
                       ness::kl_divergence(mean, covariance, Vector(Vector::Zero()),
                                           posterior.covariance)) <= 1e-11);
}

TEST_CASE("Chance is what independent perfect draws make of the divergence, on average") {
  const auto posterior = ness::gaussian_posterior(minimum());
  const Matrix root = posterior.covariance.llt().matrixL();
  double divergence = 0;
  double chance = 0;
  double square = 0;
  double variance = 0;
  constexpr int runs = 200;
  for (int run = 0; run < runs; ++run) {
    ness::TrajectoryBlock<double> block(Vector::Zero(), Vector::Zero(), 64);
    ness::PosteriorEstimator<> estimator(posterior, 64);
    for (int k = 0; k < 32; ++k) {
      const std::uint64_t seed =
          1000 + 100 * static_cast<std::uint64_t>(run) + static_cast<std::uint64_t>(k);
      block.assign((root * generic_values(3, 65, seed)).transpose());
      estimator.add(block);
    }
    const auto result = estimator.result();
    divergence += result.divergence.value / runs;
    square += result.divergence.value * result.divergence.value / runs;
    chance += result.chance / runs;
    variance += std::pow(result.divergence.standard_error, 2) / runs;
  }
  const double error = std::sqrt((square - divergence * divergence) / runs);
  CHECK(std::abs(divergence - chance) <= 3 * error);
  CHECK(error <= 0.1 * chance);
  // Where all is chance, the found values stand for the true ones, and x² adds 4c²σ⁴ to the 2c²σ⁴
  // of σ: three times too much, on the safe side.
  const double ratio = variance / (runs * error * error);
  CHECK(ratio > 2);
  CHECK(ratio < 4.5);
}

TEST_CASE("The error of a divergence is that of its second-order form") {
  // In one dimension with Σ = 1: (m²/2 + e²/4)/ln 2, for normal m and e of the errors s and t:
  // variance m²s² + s⁴/2 + e²t²/4 + t⁴/8, and ½s² + ¼t² by chance.
  ness::GaussianPosterior<double> posterior;
  posterior.mean = Eigen::VectorXd::Zero(1);
  posterior.precision = posterior.covariance = Eigen::MatrixXd::Identity(1, 1);
  for (const double scale : {0.2, 1.0, 1.5}) {
    const Eigen::MatrixXd states = scale * (generic_values(501, 1, 61).array() + 0.1).matrix();
    ness::PosteriorEstimator<> estimator(posterior, 10);
    for (Eigen::Index first = 0; first < 500; first += 10) {
      ness::TrajectoryBlock<double> part(Eigen::VectorXd::Zero(1), Eigen::VectorXd::Zero(1), 10);
      part.assign(Eigen::MatrixXd(states.middleRows(first, 11)));
      estimator.add(part);
    }
    const auto result = estimator.result();
    const double m = result.mean_shift.value[0], s = result.mean_shift.standard_error[0];
    const double e = result.covariance_excess.value(0, 0);
    const double t = result.covariance_excess.standard_error(0, 0);
    const double variance =
        m * m * s * s + std::pow(s, 4) / 2 + e * e * t * t / 4 + std::pow(t, 4) / 8;
    CHECK(relative_error(result.divergence.standard_error,
                         std::sqrt(variance) / std::numbers::ln2) <= 1e-12);
    CHECK(relative_error(result.chance, (s * s / 2 + t * t / 4) / std::numbers::ln2) <= 1e-12);
  }
}
