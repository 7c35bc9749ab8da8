// What is told of each system, and how its chains are run.
#pragma once

#include <Eigen/LU>
#include <chrono>
#include <cmath>
#include <ness/ness.hpp>
#include <numbers>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../common/progress.hpp"
#include "options.hpp"

using ness::Estimate;

/// The density of one function of the state.
struct Curve {
  std::string name;      ///< for files
  std::string title;     ///< what was run
  std::string variable;  ///< what it is the density of
  ness::Axis axis;
  Eigen::ArrayXd theory;  ///< the mean over each bin
  Estimate<Eigen::ArrayXd> measured;
  Eigen::ArrayXd counts;  ///< states in each bin

  static constexpr double enough = 100;
  Eigen::Index bins() const { return (counts > enough).count(); }
  /// The largest deviation where there are counts enough, in standard errors.
  double worst() const {
    const Eigen::ArrayXd z = (measured.value - theory).abs() / measured.standard_error;
    return (counts > enough).select(z, 0).maxCoeff();
  }
};

template <class Density>
Curve make_curve(std::string name, std::string title, std::string variable, const Density& density,
                 Eigen::ArrayXd theory) {
  return {std::move(name),   std::move(title),  std::move(variable), density.axis(),
          std::move(theory), density.density(), density.counts()};
}

/// Density and current in a plane, per unit of time.
struct Map {
  ness::Axis x, y;
  Eigen::ArrayXXd density, current_x, current_y;
};

struct System {
  std::string key, title;
  std::string laws;  ///< μ and D, in a few words
  std::string x_title, y_title;
  double entropy_range = 1;  ///< of the histogram of σ
  double time_step = 1;
  double relaxation_time = 0;  ///< in time steps
  double entropy_theory = 0;   ///< per relaxation time
  ness::Classification classification = {};
  Estimate<double> entropy = {};
  std::vector<ness::ComparisonRow> rows = {};
  std::vector<Curve> curves = {};
  Map theory = {}, measured = {};
  std::optional<ness::SubTrajectories> short_paths = {};  ///< with the entropy of the medium
  double seconds_per_step = 0;
};

/// SGLD as η → 0: what is left of the Einstein relation.
struct Approach {
  std::vector<double> eta, residual, beta;
};

struct Results {
  std::vector<System> systems;
  Approach approach;  ///< with SGD
  std::vector<std::pair<std::string, ness::Classification>> trainings;
};

/// The random numbers of chain k.
inline ness::Philox stream(const Options& options, int k) {
  return ness::Philox(static_cast<std::uint64_t>(options.seed), static_cast<std::uint64_t>(k));
}

inline ness::RunSettings run_settings(const Options& options, std::int64_t burn_in,
                                      ProgressBar& bar) {
  return {.steps = options.steps,
          .burn_in = burn_in,
          .chains = static_cast<int>(options.chains),
          .threads = static_cast<int>(options.threads),
          .seed = static_cast<std::uint64_t>(options.seed),
          .progress = [&bar](std::int64_t done, std::int64_t all) { bar(done, all); }};
}

inline std::int64_t batch_length(const Options& options) {
  return ness::batch_length(options.steps, static_cast<int>(options.chains), 128);
}

/// States a relaxation apart are nearly independent, so that a bin counts samples.
template <int N, class Function>
ness::Density<N, Function> density_of(const Function& f, const ness::Axis& axis,
                                      const Options& options, double relaxation_time) {
  return {f, axis, batch_length(options),
          std::max<Eigen::Index>(1, static_cast<Eigen::Index>(relaxation_time))};
}

/// Runs chains, and sets what all systems have of them: entropy, map, speed. Returns what the
/// `others` have gathered.
template <class MakeChain, class Vector, class Force, class Plane, class... Others>
std::tuple<Others...> run(System& system, const Options& options, std::int64_t burn_in,
                          const MakeChain& make_chain, const Vector& reference, const Force& force,
                          const Plane& plane, const Others&... others) {
  constexpr int n = Vector::RowsAtCompileTime;
  const std::int64_t batch = batch_length(options);
  const int length = std::max(1, static_cast<int>(system.relaxation_time / 50));
  const ness::PathEntropy<n, Force> entropy(force, {1, length}, batch, system.entropy_range);
  const ness::CurrentMap<n, Plane> map(plane, system.theory.x, system.theory.y, batch);
  ProgressBar bar(system.key);
  const auto start = std::chrono::steady_clock::now();
  auto filled = ness::run_chains(run_settings(options, burn_in, bar), make_chain, reference,
                                 entropy, map, others...);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  system.seconds_per_step =
      took.count() / static_cast<double>(options.chains * (options.steps + burn_in));
  const auto paths = std::get<0>(filled).results();
  const auto rate = paths[0].entropy_production;
  system.entropy = {rate.value * system.relaxation_time,
                    rate.standard_error * system.relaxation_time};
  system.short_paths = paths[1];
  const auto& seen = std::get<1>(filled);
  system.measured = {system.theory.x, system.theory.y, seen.density().value,
                     seen.current_x().value / system.time_step,
                     seen.current_y().value / system.time_step};
  return std::apply(
      [](auto&, auto&, auto&... rest) { return std::tuple<Others...>(std::move(rest)...); },
      filled);
}

/// The mean density of each bin, from the probability below a value.
template <class Below>
Eigen::ArrayXd bin_means(const ness::Axis& axis, const Below& below) {
  Eigen::ArrayXd means(axis.bins);
  for (Eigen::Index bin = 0; bin < axis.bins; ++bin)
    means[bin] = (below(axis.lower_edge(bin + 1)) - below(axis.lower_edge(bin))) / axis.width();
  return means;
}

inline Eigen::ArrayXd gaussian_bins(const ness::Axis& axis, double variance) {
  return bin_means(axis, [&](double x) { return std::erfc(-x / std::sqrt(2 * variance)) / 2; });
}

/// Three standard deviations to either side.
inline ness::Axis axis_of(double variance, Eigen::Index bins) {
  const double reach = 3 * std::sqrt(variance);
  return {-reach, reach, bins};
}

inline constexpr Eigen::Index map_bins = 24;

/// A Gaussian state in a plane: of its covariance and circulation per unit of time the 2 × 2
/// blocks.
inline Map gaussian_map(const Eigen::Matrix2d& covariance, const Eigen::Matrix2d& circulation) {
  const Eigen::Matrix2d inverse = covariance.inverse();
  const double norm = 2 * std::numbers::pi * std::sqrt(covariance.determinant());
  Map map{axis_of(covariance(0, 0), map_bins), axis_of(covariance(1, 1), map_bins), {}, {}, {}};
  map.density.resize(map.x.bins, map.y.bins);
  map.current_x = map.current_y = map.density;
  for (Eigen::Index i = 0; i < map.x.bins; ++i)
    for (Eigen::Index j = 0; j < map.y.bins; ++j) {
      const Eigen::Vector2d at(map.x.center(i), map.y.center(j));
      map.density(i, j) = std::exp(-at.dot(inverse * at) / 2) / norm;
      const Eigen::Vector2d current = -map.density(i, j) * (circulation * (inverse * at));
      map.current_x(i, j) = current[0];
      map.current_y(i, j) = current[1];
    }
  return map;
}
