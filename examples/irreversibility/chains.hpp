// How trajectories of a system are run and looked at: for the files that do.
#pragma once

#include <algorithm>
#include <cmath>
#include <ness/random/philox.hpp>
#include <ness/trajectory/current_map.hpp>
#include <ness/trajectory/cycling.hpp>
#include <ness/trajectory/irreversibility.hpp>
#include <ness/trajectory/run.hpp>
#include <ness/trajectory/vorticity.hpp>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../common/progress.hpp"
#include "../common/run_settings.hpp"
#include "linear_theory.hpp"
#include "options.hpp"

/// A chain seen at every so many-th of its Markov steps.
template <class Chain>
class Lagged {
 public:
  Lagged(Chain chain, std::int64_t lag) : chain_(std::move(chain)), lag_(lag) {}
  void step() {
    for (std::int64_t k = 0; k < lag_; ++k) chain_.step();
  }
  const auto& theta() const { return chain_.theta(); }
  Eigen::Index updates_per_markov_step() const { return lag_ * chain_.updates_per_markov_step(); }
  std::string description() const { return chain_.description(); }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(chain_);
  }

 private:
  Chain chain_;
  std::int64_t lag_;
};

/// The random numbers of chain k, of those that are learnt from or those that are tried.
inline ness::Philox stream(const Options& options, int k, bool tried) {
  return ness::Philox(static_cast<std::uint64_t>(options.seed),
                      2 * static_cast<std::uint64_t>(k) + (tried ? 1 : 0));
}

/// A row for a bound, which should not be above what is exact.
inline ness::ComparisonRow not_above(const std::string& quantity, double exact,
                                     const Estimate<double>& bound, double tolerance) {
  // One-sided: half of the two-sided chance.
  const double above = std::max(0.0, bound.value - exact);
  auto row = ness::compare_row(
      quantity, exact, {exact + above, bound.standard_error, bound.degrees_of_freedom}, tolerance);
  row.simulation = bound.value;
  if (above > 0) row.chance /= 2;
  return row;
}

/// A row for what is to vanish all over a plane.
inline ness::ComparisonRow row_of(const ness::Fit& fit) {
  const auto numbers = static_cast<double>(fit.freedom);
  return {.quantity = "current in the plane, chi^2",
          .theory = numbers,
          .simulation = fit.chi_square,
          .difference = std::abs(fit.chi_square - numbers),
          .standard_error = std::sqrt(2 * numbers),
          .tolerance = 0,
          .chance = fit.chance};
}

/// Of both bounds at each lag, and the frequencies and the current where they are predicted;
/// `tolerance` is what theory leaves out, relative.
inline void add_rows(Results& results, double tolerance) {
  for (const Bounds& bounds : results.bounds) {
    const double exact = std::isnan(bounds.exact) ? results.exact : bounds.exact;
    const std::string lag = " bound, lag " + std::to_string(bounds.lag);
    results.rows.push_back(not_above("uncertainty" + lag, exact, bounds.uncertainty, tolerance));
    results.rows.push_back(not_above("entropy" + lag, exact, bounds.entropy, tolerance));
  }
  if (!results.fit) return;
  if (results.frequencies.value.size() > 0)
    results.rows.push_back(ness::compare_row(
        "cycling frequency", results.predicted_frequencies[0],
        Estimate<double>{results.frequencies.value[0], results.frequencies.standard_error[0],
                         results.frequencies.degrees_of_freedom},
        tolerance));
  results.rows.push_back(row_of(*results.fit));
}

inline Estimate<double> per_time(const Estimate<double>& per_step, double time) {
  return {per_step.value / time, per_step.standard_error / time, per_step.degrees_of_freedom};
}

/// The plane that the user named, or that goes round fastest.
inline Plane plane_of(const Options& options, const ness::Cycling<>& cycling,
                      const std::string& coordinate) {
  if (options.plane.empty())
    return {cycling.plane(), true, "first coordinate of the leading plane",
            "second coordinate of the leading plane"};
  const Eigen::Index n = cycling.axes.rows();
  Plane plane{Eigen::MatrixXd::Zero(n, 2), false, {}, {}};
  for (std::size_t k = 0; k < 2; ++k) {
    const Eigen::Index column = plane_column(options, k, n);
    plane.axes(column, static_cast<Eigen::Index>(k)) = 1;
    (k == 0 ? plane.x_title : plane.y_title) = coordinate + std::to_string(column + 1);
  }
  return plane;
}

/// Runs of chains at a lag: some are learnt from, others are tried. `make_chain(k, tried)`;
/// `relaxation` is the slowest time, in updates.
template <class MakeChain>
class LaggedRuns {
  using Chain = std::invoke_result_t<MakeChain, int, bool>;

 public:
  LaggedRuns(std::string title, const Options& options, std::int64_t updates, double relaxation,
             std::int64_t lag, Eigen::VectorXd mean, MakeChain make_chain)
      : title_(std::move(title)),
        options_(options),
        updates_(updates),
        burn_in_(burn_in_updates(relaxation, updates)),
        lag_(lag),
        mean_(std::move(mean)),
        make_chain_(std::move(make_chain)),
        of_step_(lag * make_chain_(0, false).updates_per_markov_step()) {
    const std::int64_t steps = updates / of_step_;
    const double all = static_cast<double>(steps) * static_cast<double>(options.chains);
    const auto batches = static_cast<int>(
        std::clamp(all * static_cast<double>(of_step_) / (10 * relaxation), 16.0, 512.0));
    batch_ = ness::batch_length(steps, static_cast<int>(options.chains), batches);
  }

  /// Steps of a batch, for standard errors.
  std::int64_t batch() const { return batch_; }

  template <class... Estimators>
  auto learn(const Estimators&... estimators) const {
    return run(false, estimators...);
  }
  template <class... Estimators>
  auto try_out(const Estimators&... estimators) const {
    return run(true, estimators...);
  }

 private:
  template <class... Estimators>
  auto run(bool tried, const Estimators&... estimators) const {
    ProgressBar bar(title_ + ", lag " + std::to_string(lag_) + (tried ? ", tried" : ", learnt"));
    auto settings = run_settings(options_, updates_, burn_in_, bar);
    settings.steps -= settings.steps % of_step_;
    settings.burn_in += (of_step_ - settings.burn_in % of_step_) % of_step_;
    return ness::run_chains(
        settings, [&](int k) { return Lagged<Chain>(make_chain_(k, tried), lag_); }, mean_,
        estimators...);
  }

  std::string title_;
  const Options& options_;
  std::int64_t updates_, burn_in_, lag_;
  Eigen::VectorXd mean_;
  MakeChain make_chain_;
  std::int64_t of_step_, batch_ = 1;
};

/// What chains of a linear system show of it. `make_chain` and `relaxation` are of `LaggedRuns`.
template <class MakeChain>
void look(Results& results, const Options& options, const ness::StationaryState<>& state,
          std::int64_t updates, double relaxation, const MakeChain& make_chain) {
  const Eigen::VectorXd mean = state.mean();
  const double time_step = results.time_step;
  const Eigen::Index n = mean.size();
  results.parameters = n;
  results.plane = plane_of(options, state.cycling(), "θ_");
  results.predicted = predicted_map(state, results.plane, time_step);
  results.predicted_frequencies = state.cycling_frequencies() / time_step;
  const auto plane = [axes = results.plane.axes,
                      mean](const Eigen::VectorXd& theta) -> Eigen::Vector2d {
    return axes.transpose() * (theta - mean);
  };
  for (const std::int64_t lag : options.lags) {
    const LaggedRuns runs(results.key, options, updates, relaxation, lag, mean, make_chain);
    const auto learnt = std::get<0>(runs.learn(ness::CurrentForce<>(n)));
    const ness::CurrentBounds<> empty(learnt.force(), learnt.centre(), runs.batch());
    const auto keep = [&](const ness::CurrentBounds<>& found) {
      const double time = time_step * static_cast<double>(lag);
      results.bounds.push_back({lag, per_time(found.uncertainty_bound(), time),
                                per_time(found.entropy_bound(), time), found.ceiling() / time,
                                entropy_of_pairs(state, lag) / time});
    };
    if (lag != options.lags.front()) {
      keep(std::get<0>(runs.try_out(empty)));
      continue;
    }
    const Map& map = *results.predicted;
    const ness::Axis x{map.x.lower, map.x.upper, 6}, y{map.y.lower, map.y.upper, 6};
    const auto [bounds, rates, seen, vorticity] = runs.try_out(
        empty,
        ness::CyclingRates<>(ness::Cycling<>(learnt.circulation(), learnt.covariance()),
                             learnt.centre(), runs.batch()),
        ness::CurrentMap(plane, map.x, map.y, runs.batch()),
        ness::VorticityTest<>(results.plane.axes, mean, state.midpoint_velocity(results.plane.axes),
                              x, y, runs.batch()));
    keep(bounds);
    results.steps = bounds.steps();
    const double time = time_step * static_cast<double>(lag);
    const auto frequencies = rates.frequencies();
    results.frequencies = {frequencies.value / time, frequencies.standard_error / time,
                           frequencies.degrees_of_freedom};
    results.measured = Map{map.x, map.y, seen.density().value, seen.current_x().value / time,
                           seen.current_y().value / time};
    if (lag == 1) results.fit = vorticity.result();
  }
}
