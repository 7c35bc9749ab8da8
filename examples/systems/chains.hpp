// How the chains of a system are run: for the files that do.
#pragma once

#include <algorithm>
#include <chrono>
#include <ness/random/philox.hpp>
#include <ness/trajectory/current_map.hpp>
#include <ness/trajectory/density.hpp>
#include <ness/trajectory/path_entropy.hpp>
#include <ness/trajectory/run.hpp>
#include <string>
#include <tuple>
#include <utility>

#include "../common/progress.hpp"
#include "../common/run_settings.hpp"
#include "options.hpp"
#include "results.hpp"

/// The random numbers of chain k.
inline ness::Philox stream(const Options& options, int k) {
  return ness::Philox(static_cast<std::uint64_t>(options.seed), static_cast<std::uint64_t>(k));
}

/// Batches of several relaxation times, in which the means of batches are independent, where there
/// are enough of them; no more than 128.
inline std::int64_t batch_length(const Options& options, double relaxation_time) {
  const double steps = static_cast<double>(options.chains) * static_cast<double>(options.steps);
  const double batches = std::clamp(steps / (6 * relaxation_time), 8.0, 128.0);
  return ness::batch_length(options.steps, static_cast<int>(options.chains),
                            static_cast<int>(batches));
}

/// States a relaxation apart are nearly independent, so that a bin counts samples.
template <class Function>
ness::Density<Function> density_of(const Function& f, const ness::Axis& axis,
                                   const Options& options, double relaxation_time) {
  return {f, axis, batch_length(options, relaxation_time),
          std::max<Eigen::Index>(1, static_cast<Eigen::Index>(relaxation_time))};
}

template <class Density>
Curve make_curve(std::string name, std::string title, std::string variable, const Density& density,
                 Eigen::ArrayXd theory) {
  const auto found = density.density();
  return {std::move(name),     std::move(title),
          std::move(variable), density.axis(),
          std::move(theory),   {found.value, found.standard_error, found.degrees_of_freedom},
          density.counts()};
}

/// Runs chains, and sets what all systems have of them: entropy, map, speed. Returns what the
/// `others` have gathered.
template <class MakeChain, class Vector, class Force, class Plane, class... Others>
std::tuple<Others...> run(System& system, const Options& options, std::int64_t burn_in,
                          const MakeChain& make_chain, const Vector& reference, const Force& force,
                          const Plane& plane, const Others&... others) {
  const std::int64_t batch = batch_length(options, system.relaxation_time);
  const int length = std::max(1, static_cast<int>(system.relaxation_time / 50));
  const ness::PathEntropy<Force> entropy(force, {1, length}, batch, system.entropy_range);
  const ness::CurrentMap<Plane> map(plane, system.theory.x, system.theory.y, batch);
  ProgressBar bar(system.key);
  const auto start = std::chrono::steady_clock::now();
  auto filled = ness::run_chains(run_settings(options, options.steps, burn_in, bar), make_chain,
                                 reference, entropy, map, others...);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  system.seconds_per_step =
      took.count() / static_cast<double>(options.chains * (options.steps + burn_in));
  const auto paths = std::get<0>(filled).results();
  const auto rate = paths[0].entropy_production;
  system.entropy = {rate.value * system.relaxation_time,
                    rate.standard_error * system.relaxation_time, rate.degrees_of_freedom};
  system.short_paths = paths[1];
  const auto& seen = std::get<1>(filled);
  system.measured = {system.theory.x, system.theory.y, seen.density().value,
                     seen.current_x().value / system.time_step,
                     seen.current_y().value / system.time_step};
  return std::apply(
      [](auto&, auto&, auto&... rest) { return std::tuple<Others...>(std::move(rest)...); },
      filled);
}
