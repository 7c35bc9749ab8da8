// Batches that prefer some samples: importance sampling and strata, against everything that they
// may draw, and against simulation.
#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "ness/diffusion/curvature.hpp"
#include "ness/diffusion/importance.hpp"
#include "ness/dynamics/chain.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/minibatch/importance_sampling.hpp"
#include "ness/minibatch/independent_draws.hpp"
#include "ness/minibatch/stratified.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/stationary/curved_noise.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/trajectory/measure.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/every_draw.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::ImportanceSampling;
using ness::Index;
using ness::Stratified;

const auto& objective() {
  static const ness::Objective result(
      ness::LinearModel<>(generic_values(3, 5, 41), generic_values(1, 5, 42)), ness::L2{0.1});
  return result;
}
const VectorXd theta = generic_values(3, 1, 43);

MatrixXd sample_gradients() {
  MatrixXd gradients(3, 5);
  ness::Derivatives(objective().model()).sample_gradients(theta, 0, gradients);
  return gradients;
}

VectorXd gradient_of(const ness::BatchInParts& batch) {
  VectorXd gradient(3);
  ness::Derivatives(objective().model()).batch_gradient(theta, batch, gradient);
  return gradient;
}

/// Mean and covariance of what is drawn with these chances.
struct Moments {
  VectorXd mean = VectorXd::Zero(3);
  MatrixXd second = MatrixXd::Zero(3, 3);
  void add(double chance, const VectorXd& gradient) {
    mean += chance * gradient;
    second += chance * gradient * gradient.transpose();
  }
  MatrixXd covariance() const { return second - mean * mean.transpose(); }
};

template <class Policy>
MatrixXd stated(const Policy& policy) {  // D = ½η² Cov
  return 2 * ness::update_diffusion(objective(), theta, ness::Sgd<Policy>{1, policy});
}

}  // namespace

TEST_CASE("An alias table has the probabilities that it is asked for") {
  for (const auto& rates : {std::vector<double>{1}, {1, 1, 1}, {3, 1, 2, 10}, {1e-9, 1, 1e9, 5}}) {
    double sum = 0;
    for (const double rate : rates) sum += rate;
    const auto found = ness::AliasTable(rates).probabilities();
    for (std::size_t k = 0; k < rates.size(); ++k)
      CHECK(std::abs(found[k] - rates[k] / sum) <= 1e-15);
  }
}

TEST_CASE("An alias table draws with its probabilities") {
  const std::vector<double> rates{3, 1, 2, 10};
  const ness::AliasTable table(rates);
  ness::Philox random(7);
  std::vector<double> counts(4, 0);
  constexpr int draws = 160'000;
  for (int k = 0; k < draws; ++k) ++counts[table.draw(random)];
  for (std::size_t k = 0; k < 4; ++k) {
    const double p = rates[k] / 16;
    CHECK(std::abs(counts[k] - draws * p) <= 3.5 * std::sqrt(draws * p * (1 - p)));
  }
}

TEST_CASE("Importance sampling: mean and covariance of all draws") {
  const ImportanceSampling policy{2, {1, 2, 0.5, 4, 1.5}};
  const MatrixXd g = sample_gradients();
  Moments exact;
  for (Index i = 0; i < 5; ++i)
    for (Index j = 0; j < 5; ++j) {
      const double p = policy.rates[static_cast<std::size_t>(i)] / 9;
      const double q = policy.rates[static_cast<std::size_t>(j)] / 9;
      exact.add(p * q, (g.col(i) / (5 * p) + g.col(j) / (5 * q)) / 2);
    }
  CHECK((exact.mean - g.rowwise().mean()).norm() <= 1e-14 * g.norm());
  CHECK(relative_error(stated(policy), exact.covariance()) <= 1e-12);

  // What is drawn weighs so.
  ImportanceSampling::Sampler sampler(policy, 5);
  ness::Philox random(3);
  for (int draw = 0; draw < 100; ++draw) {
    const auto batch = sampler.next(random);
    CHECK(batch.size() == 2);
    VectorXd expected = VectorXd::Zero(3);
    for (const ness::Batch& part : batch) {
      CHECK(part.size() == 1);
      expected += g.col(part[0]) * 9 / policy.rates[part[0]] / 10;
    }
    CHECK((gradient_of(batch) - expected).norm() <= 1e-14 * g.norm());
  }
}

TEST_CASE(
    "Importance sampling with one rate is independent draws; the best rates make least noise") {
  CHECK(relative_error(stated(ImportanceSampling{3, std::vector<double>(5, 7)}),
                       stated(ness::IndependentDraws{3})) <= 1e-13);
  const auto best = ness::importance_of_gradients(objective(), theta, 1e-9);
  const double least = stated(ImportanceSampling{3, best}).trace();
  CHECK(least < stated(ness::IndependentDraws{3}).trace());
  // (1/m)[(Σ‖g‖/M)² − ‖∇L‖²]
  const MatrixXd g = sample_gradients();
  const double norms = g.colwise().norm().mean();
  CHECK(least == Approx((norms * norms - g.rowwise().mean().squaredNorm()) / 3).epsilon(1e-6));
  for (std::size_t k = 0; k < 5; ++k) {
    auto other = best;
    other[k] *= 1.1;
    CHECK(stated(ImportanceSampling{3, other}).trace() > least);
  }
}

TEST_CASE("Strata: mean and covariance of all draws") {
  const Stratified policy{{0, 1, 0, 1, 0}, {2, 1}};
  Moments exact;
  std::map<std::vector<std::uint32_t>, int> seen;
  for_every_draw({3, 2, 2}, [&](auto& random) {
    Stratified::Sampler sampler(policy, 5);
    const auto batch = sampler.next(random);
    exact.add(1. / 12, gradient_of(batch));
    std::vector<std::uint32_t> drawn(batch[0].begin(), batch[0].end());
    std::sort(drawn.begin(), drawn.end());
    drawn.push_back(batch[1][0]);
    ++seen[drawn];
  });
  CHECK(seen.size() == 6);
  for (const auto& [drawn, count] : seen) CHECK(count == 2);
  const MatrixXd g = sample_gradients();
  CHECK((exact.mean - g.rowwise().mean()).norm() <= 1e-14 * g.norm());
  CHECK(relative_error(stated(policy), exact.covariance()) <= 1e-12);
}

TEST_CASE("One stratum is with replacement, and a stratum for each sample is without noise") {
  CHECK(relative_error(stated(Stratified{std::vector<std::uint32_t>(5, 0), {2}}),
                       stated(ness::WithReplacement{2})) <= 1e-13);
  CHECK(stated(Stratified{{0, 1, 2, 3, 4}, {1, 1, 1, 1, 1}}).norm() == 0);
  const auto even = Stratified::proportional({0, 0, 0, 0, 0, 0, 1, 1, 1, 2}, 5);
  CHECK(even.batch_sizes == std::vector<Index>{3, 2, 1});
}

TEST_CASE("Chains of preferred samples settle as predicted") {
  const ness::Objective linear(
      ness::LinearModel<>(generic_values(3, 60, 51), generic_values(1, 60, 52)), ness::L2{0.2});
  const auto minimum = ness::minimize(linear, VectorXd::Zero(3).eval());
  // 12 elements with 63 degrees of freedom: beyond 3.6 once in 140.
  const auto check = [&](const auto& minibatch) {
    using Policy = std::remove_cvref_t<decltype(minibatch)>;
    const ness::Sgd<Policy> training{2e-2, minibatch};
    const auto chain =
        ness::linearize(linear, minimum, training, {.form = ness::LyapunovForm::discrete});
    const ness::StationaryState plain(chain);
    const ness::StationaryState state(ness::with_curvature(
        chain, ness::DiffusionCurvature(linear, minimum.theta, training, plain.covariance())));
    const auto measured = ness::measure(
        linear, training, state,
        {.run = {.steps = 200'000, .burn_in = 10'000, .chains = 8, .seed = 5}, .lengths = {}});
    for (Index k = 0; k < 9; ++k)
      CHECK(std::abs(measured.covariance.value.data()[k] - state.covariance().data()[k]) <=
            3.6 * measured.covariance.standard_error.data()[k]);
  };
  check(ImportanceSampling{5, ness::importance_of_gradients(linear, minimum.theta)});
  std::vector<std::uint32_t> strata;
  for (Index i = 0; i < 60; ++i)
    strata.push_back(
        static_cast<std::uint32_t>(linear.model().sample_loss(minimum.theta, i) > 0.5));
  check(Stratified::proportional(strata, 8));
}

TEST_CASE("Batches that prefer samples refuse what does not fit, and say so") {
  const auto message = [](const auto& policy, Index samples) {
    try {
      policy.check(samples, "here");
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(message(ImportanceSampling{0, {1, 1}}, 2), contains("batch_size must be at least 1"));
  CHECK_THAT(message(ImportanceSampling{1, {1, 1}}, 3), contains("M = 3") && contains("are 2"));
  for (const double bad : {0., -1., std::nan(""), HUGE_VAL})
    CHECK_THAT(message(ImportanceSampling{1, {1, bad}}, 2),
               contains("positive and finite") && contains("sample 1"));
  CHECK_THAT(message(Stratified{{0, 0}, {1}}, 3), contains("M = 3"));
  CHECK_THAT(message(Stratified{{0, 1}, {1}}, 2), contains("one for each of 2 strata"));
  CHECK_THAT(message(Stratified{{0, 0, 2}, {1, 1, 1}}, 3),
             contains("stratum 1") && contains("empty"));
  CHECK_THAT(message(Stratified{{0, 0}, {3}}, 2), contains("1 ... 2") && contains("is 3"));
  CHECK_THAT(message(Stratified{{0, 4'000'000'000}, {1, 1}}, 2), contains("but is 4000000000"));
  CHECK(message(Stratified{{0, 0}, {2}}, 2).empty());
}
