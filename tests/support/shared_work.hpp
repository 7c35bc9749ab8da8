// What ranks and threads can share, and all the bits that come out of it.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "ness/landscape/eigenpairs.hpp"
#include "ness/landscape/truncated_newton.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/statistics/ranks.hpp"
#include "ness/trajectory/averages.hpp"
#include "ness/trajectory/directional_variance.hpp"
#include "ness/trajectory/draws.hpp"
#include "ness/trajectory/drift_correlation.hpp"
#include "ness/trajectory/histogram.hpp"
#include "ness/trajectory/measure.hpp"
#include "ness/trajectory/stationarity.hpp"
#include "support/generic_values.hpp"

namespace shared_work {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Index;

inline const auto& objective() {
  static const ness::Objective result(
      ness::LinearModel<>(generic_values(3, 40, 31), generic_values(1, 40, 32)), ness::L2{0.1});
  return result;
}

template <class T>
auto predicted(const T& training) {
  return ness::predict(objective(), ness::minimize(objective(), VectorXd::Zero(3).eval()),
                       training);
}

inline constexpr ness::Sgd<ness::WithReplacement> sgd{.learning_rate = 0.01, .minibatch = {4}};

std::string bytes_of(auto& estimator) {
  ness::CheckpointWriter writer;
  writer(estimator);
  return writer.bytes();
}
inline std::string bytes_of(const MatrixXd& matrix) {
  return {reinterpret_cast<const char*>(matrix.data()),
          sizeof(double) * static_cast<std::size_t>(matrix.size())};
}

inline ness::RunSettings run_of(int chains, int threads, const ness::Ranks* ranks) {
  return {.steps = 3'000, .burn_in = 500, .chains = chains, .threads = threads, .ranks = ranks};
}

/// All that estimators know after a run, every kind of them at once.
inline std::string bytes_of_run(const ness::RunSettings& settings) {
  static const auto state = predicted(sgd);
  const ness::Axis axis{-1, 1, 20};
  auto estimators = ness::run_chains(
      settings,
      [&](int k) {
        return ness::Chain(objective(), sgd, VectorXd(state.mean()),
                           ness::Philox(settings.seed, static_cast<std::uint64_t>(k)));
      },
      state.mean(), ness::StationaryEstimator<>(state, {1, 2, 3}, 100),
      ness::StationaryEstimator<>(state, {1}, 192, 24), ness::Histogram2d(0, axis, 1, axis),
      ness::WindowMean<>(3, 100, 5, 10), ness::ExponentialMean<>(3, 0.9, 100),
      ness::DriftCorrelation<>(3, 100), ness::DirectionalVariance<>(MatrixXd::Identity(3, 2), 100),
      ness::Stationarity<>(MatrixXd::Identity(3, 2), 100), ness::Draws(3, 100));
  return std::apply([](auto&... each) { return (bytes_of(each) + ...); }, estimators);
}

/// A large linear problem with repeated, badly scaled columns.
struct Many {
  ness::Objective<ness::LinearModel<>, ness::L2> objective{
      ness::LinearModel<>(generic_values(6, 5'300, 1) + MatrixXd::Constant(6, 5'300, 3),
                          generic_values(1, 5'300, 2)),
      ness::L2{0.3}};

  std::string bytes_of_sums(int threads, const ness::Ranks* ranks) const {
    const ness::StreamedObjective streamed(objective, threads, ranks);
    const VectorXd theta = generic_values(6, 1, 3);
    const MatrixXd along = generic_values(6, 4, 4);
    VectorXd signs(5'300);
    for (Index i = 0; i < signs.size(); ++i) signs[i] = i * i % 7 > 3 ? 1 : -1;
    std::string all = bytes_of(MatrixXd::Constant(1, 1, streamed.value(theta)));
    all += bytes_of(MatrixXd(streamed.gradient(theta)));
    all += bytes_of(streamed.hessian_products(theta, along));
    all += bytes_of(streamed.signed_gradient(theta, signs));
    all += bytes_of(streamed.signed_hessian_products(theta, signs, along));
    const auto keep = [&](Index first, const MatrixXd& part) {
      all += std::to_string(first) + bytes_of(part);
    };
    streamed.for_each_projection(theta, along, keep);
    streamed.for_each_projected_product(theta, theta, along, keep);
    streamed.for_each_projected_own_product(theta, along, keep);
    const auto minimum = ness::minimize(streamed, VectorXd::Zero(6).eval());
    const auto pairs = ness::leading_eigenpairs(streamed, minimum.theta, {.count = 3});
    return all + bytes_of(MatrixXd(minimum.theta)) + bytes_of(pairs.vectors);
  }
};

}  // namespace shared_work
