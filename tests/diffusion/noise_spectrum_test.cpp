// Traces of the noise over the spectrum of H, against the matrices.
#include "ness/diffusion/noise_spectrum.hpp"

#include <cmath>

#include "ness/diffusion/independent_batches.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/minibatch/poisson.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/model/softmax_regression.hpp"
#include "ness/stationary/lyapunov.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Index;

auto softmax(Index samples) {
  MatrixXd labels = MatrixXd::Zero(4, samples);
  for (Index i = 0; i < samples; ++i) labels((i * i + i / 3) % 4, i) = 1;
  return ness::Objective(ness::SoftmaxRegression<>(generic_values(9, samples, 1), labels),
                         ness::L2{0.05});
}

bool within(const ness::Estimate<double>& found, double expected) {
  return std::abs(found.value - expected) <= 4 * found.standard_error &&
         found.standard_error <= 0.1 * expected;
}

}  // namespace

TEST_CASE("Over all signs the probes of the noise have D for their second moment") {
  const auto objective = softmax(6);
  const ness::StreamedObjective streamed(objective, 1);
  const VectorXd theta = generic_values(36, 1, 2);
  MatrixXd signs(7, 128);
  for (int p = 0; p < 128; ++p)
    for (int i = 0; i < 7; ++i) signs(i, p) = (p >> i) % 2 == 0 ? 1 : -1;
  const auto check = [&](const auto& training) {
    const MatrixXd probes = ness::detail::noise_probes(streamed, theta, training, signs);
    CHECK(relative_error(MatrixXd(probes * probes.transpose() / 128),
                         MatrixXd(ness::update_diffusion(objective, theta, training))) <= 1e-12);
  };
  check(ness::Sgd<ness::WithReplacement>{.learning_rate = 0.3, .minibatch = {2}});
  check(ness::Sgd<ness::Poisson>{.learning_rate = 0.3, .minibatch = {2}});
}

TEST_CASE("Traces of the noise over the spectrum are those of the matrices within their errors") {
  const auto objective = softmax(300);
  const ness::StreamedObjective streamed(objective, 2);
  const auto minimum = ness::minimize(objective, VectorXd::Zero(36).eval());
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.4, .minibatch = {10}};
  const auto noise =
      ness::noise_spectrum(streamed, minimum.theta, training, {.probes = 400, .steps = 36});
  const auto spectrum =
      ness::spectral_density(streamed, minimum.theta, {.probes = 400, .steps = 36});
  const MatrixXd d = ness::update_diffusion(objective, minimum.theta, training);
  const MatrixXd& h = minimum.hessian;
  const MatrixXd sigma =
      ness::solve_lyapunov(h, d, training.learning_rate, ness::LyapunovForm::discrete).covariance;
  CHECK(within(noise.diffusion(), d.trace()));
  CHECK(within(noise.covariance(training.learning_rate), sigma.trace()));
  CHECK(within(noise.square, d.squaredNorm()));
  CHECK(within(noise.weighed.trace([](double x) { return x; }), (h * d).trace()));
  const double alignment = (h * d).trace() / (h.norm() * d.norm());
  CHECK(std::abs(noise.alignment(spectrum) - alignment) <= 0.05);
  CHECK(alignment > 0.5);
  CHECK(std::abs(noise.mean_curvature() * d.trace() / (h * d).trace() - 1) <= 0.05);
  // Eq. 22: tr(HΣ) = tr D/η to leading order.
  CHECK(within(noise.diffusion(),
               training.learning_rate * (h * sigma).trace() -
                   std::pow(training.learning_rate, 2) / 2 * (h * sigma * h).trace()));
  // Where the steps are few the nodes of 1/h fall short, and never by sign.
  const auto few =
      ness::noise_spectrum(streamed, minimum.theta, training, {.probes = 400, .steps = 6});
  CHECK(few.covariance(training.learning_rate).value <=
        noise.covariance(training.learning_rate).value * (1 + 1e-12));
  CHECK(std::isnan(noise.covariance(1e3).value));
}

TEST_CASE("tr D squared is the mean of the squared products of different probes") {
  const MatrixXd probes = generic_values(3, 5, 9);
  double sum = 0;
  for (int p = 0; p < 5; ++p)
    for (int q = 0; q < 5; ++q)
      if (p != q) sum += std::pow(probes.col(p).dot(probes.col(q)), 2);
  CHECK(std::abs(ness::detail::square_of(probes).value / (sum / 20) - 1) <= 1e-14);
}

TEST_CASE("tr D squared scatters as its error says") {
  const auto objective = softmax(300);
  const ness::StreamedObjective streamed(objective, 1);
  const VectorXd theta = generic_values(36, 1, 2);
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.4, .minibatch = {10}};
  const double exact = ness::update_diffusion(objective, theta, training).squaredNorm();
  double sum = 0;
  constexpr int times = 200;
  for (std::uint64_t seed = 1; seed <= times; ++seed) {
    const auto square =
        ness::noise_spectrum(streamed, theta, training, {.probes = 40, .steps = 1, .seed = seed})
            .square;
    sum += std::pow((square.value - exact) / square.standard_error, 2);
  }
  // 1, but for the third of a part by which the error itself is off.
  CHECK(sum / times >= 0.6);
  CHECK(sum / times <= 1.7);
}

TEST_CASE("Noise that is none has no traces, and bad settings are refused") {
  const auto objective = softmax(20);
  const ness::StreamedObjective streamed(objective, 1);
  const VectorXd theta = generic_values(36, 1, 2);
  const ness::Sgd<ness::WithReplacement> whole{.learning_rate = 0.3, .minibatch = {20}};
  CHECK(ness::noise_spectrum(streamed, theta, whole).diffusion().value == 0);
  CHECK_THROWS_WITH(ness::noise_spectrum(streamed, theta, whole, {.probes = 1}),
                    "ness::noise_spectrum: probes must be at least 2, but is 1");
  CHECK_THROWS_AS(ness::noise_spectrum(streamed, VectorXd::Zero(3).eval(), whole),
                  std::invalid_argument);
}
