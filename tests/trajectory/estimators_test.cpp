// The estimators against direct loops over a stored trajectory.
#include <ness/trajectory/directional_variance.hpp>
#include <ness/trajectory/drift_correlation.hpp>
#include <ness/trajectory/entropy_production.hpp>
#include <ness/trajectory/moments.hpp>
#include <ness/trajectory/run.hpp>
#include <ness/trajectory/sub_trajectories.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Feeds the columns of `states` to an estimator in blocks of at most `capacity` steps.
template <class S, class Estimator>
void feed(Estimator& estimator, const MatrixXd& states, const VectorXd& reference,
          Eigen::Index capacity) {
  using Vector = Eigen::Matrix<S, Eigen::Dynamic, 1>;
  const auto state = [&](Eigen::Index k) -> Vector { return states.col(k).template cast<S>(); };
  ness::TrajectoryBlock<S> block(state(0), Vector(reference.template cast<S>()), capacity);
  Eigen::Index k = 0;
  while (k + 1 < states.cols()) {
    const Eigen::Index steps = std::min(capacity, states.cols() - 1 - k);
    block.fill(steps, [&] { return state(++k); });
    estimator.add(block);
  }
}

template <class S>
void check_against_loops(Eigen::Index n, double tolerance) {
  constexpr Eigen::Index steps = 100;
  const MatrixXd states = generic_values(n, steps + 1, 3).cast<S>().template cast<double>();
  const VectorXd reference = generic_values(n, 1, 4, 0.2).cast<S>().template cast<double>();
  const MatrixXd force = generic_values(n, n, 5, 0.1).cast<S>().template cast<double>();
  VectorXd mean = VectorXd::Zero(n);
  MatrixXd second = MatrixXd::Zero(n, n);
  MatrixXd area = MatrixXd::Zero(n, n);
  MatrixXd drift = MatrixXd::Zero(n, n);
  VectorXd entropy(steps);
  for (Eigen::Index k = 0; k < steps; ++k) {
    const VectorXd x = states.col(k) - reference;
    const VectorXd d = states.col(k + 1) - states.col(k);
    mean += states.col(k) / steps;
    second += x * x.transpose() / steps;
    area += (x * d.transpose() - d * x.transpose()) / (2 * steps);
    drift -= d * x.transpose() / steps;
    entropy[k] = d.dot(force * x);
  }
  const VectorXd shift = mean - reference;

  ness::Moments<> moments(reference.size(), 1000);
  ness::Area<> areas(n, 1000);
  ness::DriftCorrelation<> drifts(n, 1000);
  const std::vector<int> lengths{1, 2, 3, 7};
  ness::EntropyProduction<> production(force, lengths, 1000, 10);
  // 17 steps a block: sub-trajectories cross from one to the next, and the last block is short.
  feed<S>(moments, states, reference, 17);
  feed<S>(areas, states, reference, 17);
  feed<S>(drifts, states, reference, 17);
  feed<S>(production, states, reference, 17);

  CHECK(relative_error(moments.mean().value, mean) <= tolerance);
  CHECK(relative_error(moments.covariance().value, second - shift * shift.transpose()) <=
        tolerance);
  CHECK((areas.circulation().value - area).norm() <= tolerance * second.norm());
  CHECK((drifts.matrix().value - drift).norm() <= tolerance * second.norm());
  CHECK(std::abs(drifts.trace().value - drift.trace()) <= tolerance * second.norm());
  const auto results = production.results();
  for (std::size_t p = 0; p < lengths.size(); ++p) {
    const int length = lengths[p];
    const Eigen::Index count = steps / length;
    double sum = 0;
    double exponential = 0;
    for (Eigen::Index j = 0; j < count; ++j) {
      const double sigma = entropy.segment(j * length, length).sum();
      sum += sigma / static_cast<double>(count * length);
      exponential += std::exp(-sigma) / static_cast<double>(count);
    }
    CHECK(results[p].count == count);
    CHECK(results[p].histogram.total() == count);
    CHECK(std::abs(results[p].entropy_production.value - sum) <= tolerance * 10);
    CHECK(relative_error(results[p].integral_fluctuation.value, exponential) <= tolerance * 10);
  }
}

}  // namespace

TEST_CASE("estimators equal direct loops, for few parameters and for many") {
  // Up to 16 parameters in pairs of series, above by matrix products.
  for (const Eigen::Index n : {1, 7, 9, 16, 17, 20, 90}) check_against_loops<double>(n, 1e-12);
  for (const Eigen::Index n : {1, 3, 5, 16, 17, 90}) check_against_loops<float>(n, 1e-4);
}

TEST_CASE("merged estimators equal one that saw both trajectories") {
  const MatrixXd first = generic_values(3, 51, 1);
  const MatrixXd second = generic_values(3, 81, 2);
  const VectorXd reference = VectorXd::Zero(3);
  const auto filled = [&](std::initializer_list<const MatrixXd*> trajectories) {
    ness::Moments<> moments(reference.size(), 10);
    for (const auto* states : trajectories) feed<double>(moments, *states, reference, 10);
    return moments;
  };
  ness::Moments<> merged = filled({&first});
  merged.merge(filled({&second}));
  const ness::Moments<> whole = filled({&first, &second});
  CHECK(merged.steps() == 130);
  CHECK(merged.batches() == 13);
  CHECK(relative_error(merged.mean().value, whole.mean().value) <= 1e-14);
  CHECK(relative_error(merged.covariance().value, whole.covariance().value) <= 1e-14);
  CHECK(relative_error(merged.covariance().standard_error, whole.covariance().standard_error) <=
        1e-12);
  CHECK(relative_error(merged.autocorrelation_time(), whole.autocorrelation_time()) <= 1e-12);
}

TEST_CASE("batch means: the error of independent numbers is their deviation over the root of n") {
  ness::Philox random(8);
  ness::Normal normal;
  ness::BatchMeans<> means(1, 1, 50);
  constexpr int count = 100'000;
  for (int k = 0; k < count; ++k) means.add(MatrixXd::Constant(1, 1, 2 * normal(random)), 1);
  CHECK(means.batches() == 2000);
  const double error = 2 / std::sqrt(count);
  CHECK(std::abs(means.mean()(0, 0)) <= 4 * error);
  // 2000 batches give the error itself to 1/√4000.
  CHECK(std::abs(means.standard_error()(0, 0) / error - 1) <= 4 / std::sqrt(4000.0));
}

TEST_CASE("batch means of three batches: the variance of a sample, over n − 1") {
  // Means 1, 2 and 6: the squared deviations 4, 1 and 9 over 2, and over 3 for the error squared.
  ness::BatchMeans<> means(1, 1, 2), first(1, 1, 2), rest(1, 1, 2);
  for (const double term : {0.0, 2.0, 1.0, 3.0, 5.0, 7.0})
    means.add(MatrixXd::Constant(1, 1, term), 1);
  for (const double term : {0.0, 2.0}) first.add(MatrixXd::Constant(1, 1, term), 1);
  for (const double term : {1.0, 3.0, 5.0, 7.0}) rest.add(MatrixXd::Constant(1, 1, term), 1);
  first.merge(rest);
  for (const auto& found : {means, first}) {
    CHECK(found.batches() == 3);
    CHECK(relative_error(found.mean()(0, 0), 3) <= 1e-15);
    CHECK(relative_error(found.batch_variance()(0, 0), 7) <= 1e-15);
    CHECK(relative_error(found.standard_error()(0, 0), std::sqrt(7.0 / 3)) <= 1e-15);
  }
}

TEST_CASE("the autocorrelation time of an AR(1) series is ½(1+φ)/(1−φ)") {
  constexpr double phi = 0.9;
  ness::Philox random(9);
  ness::Normal normal;
  constexpr Eigen::Index steps = 1'000'000;
  MatrixXd series(1, steps + 1);
  series(0, 0) = normal(random) / std::sqrt(1 - phi * phi);
  for (Eigen::Index k = 0; k < steps; ++k) series(0, k + 1) = phi * series(0, k) + normal(random);
  ness::Moments<> moments(1, 5000);
  feed<double>(moments, series, VectorXd::Zero(1), 200);
  const double exact = 0.5 * (1 + phi) / (1 - phi);
  CHECK(moments.batches() == 200);
  CHECK(std::abs(moments.autocorrelation_time()[0] / exact - 1) <= 4 * std::sqrt(2.0 / 199));
  const double variance = 1 / (1 - phi * phi);
  const auto covariance = moments.covariance();
  CHECK(std::abs(covariance.value(0, 0) - variance) <= 4 * covariance.standard_error(0, 0));
}

TEST_CASE("along the axes the autocorrelation times are those of the moments") {
  const MatrixXd series = generic_values(3, 2001, 17);
  ness::Moments<> moments(3, 100);
  ness::DirectionalVariance<> along(MatrixXd::Identity(3, 3), 100);
  feed<double>(moments, series, VectorXd::Zero(3), 50);
  feed<double>(along, series, VectorXd::Zero(3), 50);
  CHECK(relative_error(along.autocorrelation_time(), moments.autocorrelation_time()) <= 1e-12);
}

TEST_CASE("the error of a ratio of counts is that of their logarithms, 1/n each") {
  ness::Histogram histogram({-1, 1, 2});
  for (int k = 0; k < 400; ++k) histogram.add(0.5);
  for (int k = 0; k < 100; ++k) histogram.add(-0.5);
  const auto ratios = ness::fluctuation_ratios(histogram);
  REQUIRE(ratios.size() == 1);
  CHECK(ratios[0].ratio == 0.25);
  CHECK(relative_error(ratios[0].standard_error, 0.25 * std::sqrt(0.0125)) <= 1e-15);
}

TEST_CASE("an error needs two batches") {
  ness::Moments<> moments(1, 1000);
  feed<double>(moments, generic_values(1, 900, 1), VectorXd::Zero(1), 100);
  CHECK(std::isnan(moments.mean().standard_error[0]));
  CHECK(std::isfinite(moments.mean().value[0]));
}

TEST_CASE("histograms count every number once, also outside the axis") {
  ness::Histogram histogram({-1, 1, 4});
  for (double value : {-2.0, -1.0, -0.51, -0.5, 0.0, 0.49, 0.5, 0.99, 1.0, 7.0})
    histogram.add(value);
  histogram.add(std::nan(""));
  CHECK(histogram.below() == 1);
  CHECK(histogram.count(0) == 2);
  CHECK(histogram.count(1) == 1);
  CHECK(histogram.count(2) == 2);
  CHECK(histogram.count(3) == 2);
  CHECK(histogram.above() == 3);
  CHECK(histogram.total() == 11);
  CHECK(relative_error(histogram.density(0), 2 / (11 * 0.5)) <= 1e-15);
  CHECK(histogram.axis().center(0) == -0.75);
  CHECK_THROWS_WITH(histogram.merge(ness::Histogram({-1, 1, 5})), contains("the same"));
  CHECK_THROWS_WITH(ness::Histogram({1, 1, 5}), contains("lower must be below upper"));
  CHECK_THROWS_WITH(ness::Histogram({0, 1, 0}), contains("bins must be at least 1, but is 0"));
}

TEST_CASE("two-dimensional histograms bin the chosen parameters") {
  MatrixXd states = MatrixXd::Zero(3, 5);
  states.row(0) << 0.1, 0.1, 0.6, -3, 0;
  states.row(2) << 0.9, 0.2, 0.6, 0, 0;
  ness::Histogram2d histogram(0, {0, 1, 2}, 2, {0, 1, 2});
  feed<double>(histogram, states, VectorXd::Zero(3), 3);
  CHECK(histogram.count(0, 1) == 1);
  CHECK(histogram.count(0, 0) == 1);
  CHECK(histogram.count(1, 1) == 1);
  CHECK(histogram.total() == 4);
  CHECK(histogram.density(0, 1) == 1.0);
}

TEST_CASE("a Gaussian σ with variance twice its mean obeys the detailed theorem, Eq. 9") {
  ness::Philox random(10);
  ness::Normal normal;
  constexpr double mean = 0.3;
  ness::Histogram histogram({-3, 3, 60});
  for (int k = 0; k < 2'000'000; ++k) histogram.add(mean + std::sqrt(2 * mean) * normal(random));
  const auto ratios = ness::fluctuation_ratios(histogram);
  REQUIRE(ratios.size() > 15);
  double chi_square = 0;
  for (const auto& ratio : ratios)
    chi_square += std::pow((ratio.ratio - std::exp(-ratio.entropy)) / ratio.standard_error, 2);
  const double k = static_cast<double>(ratios.size());
  CHECK(std::abs(chi_square - k) <= 4 * std::sqrt(2 * k));
  CHECK_THROWS_WITH(ness::fluctuation_ratios(ness::Histogram({-1, 2, 6})), contains("symmetric"));
}

TEST_CASE("directional variances bear blocks shorter than the stride") {
  const Eigen::MatrixXd states = generic_values(3, 201, 5);
  ness::TrajectoryBlock<double> block(Eigen::VectorXd::Zero(3), Eigen::VectorXd::Zero(3), 192);
  ness::DirectionalVariance<> along(Eigen::MatrixXd::Identity(3, 3), 10, 64);
  Eigen::MatrixXd seen(3, 6);
  for (int k = 0; k < 2; ++k) {
    block.assign(states.leftCols(193).transpose());
    along.add(block);
    seen.middleCols(3 * k, 3) = states(Eigen::all, Eigen::seqN(0, 3, 64));
    block.assign(states.rightCols(9).transpose());  // eight steps: no state is looked at
    along.add(block);
  }
  const Eigen::VectorXd mean = seen.rowwise().mean();
  CHECK(relative_error(along.mean().value, mean) <= 1e-14);
  CHECK(relative_error(along.variance().value,
                       (seen.colwise() - mean).rowwise().squaredNorm() / 6) <= 1e-13);
  CHECK(along.autocorrelation_time().allFinite());
}

TEST_CASE("No stride and no chain are refused before anything is divided by them") {
  const Eigen::MatrixXd directions = Eigen::MatrixXd::Identity(3, 3);
  for (const Eigen::Index stride : {0, -1})
    CHECK_THROWS_WITH(ness::DirectionalVariance(directions, 10, stride),
                      contains("DirectionalVariance: stride must be at least 1"));
  CHECK_THROWS_WITH(ness::batch_length(100, 0, 64), contains("chains must be at least 1"));
  CHECK_THROWS_WITH(ness::batch_length(100, 2, 1), contains("batches must be at least 2"));
}
