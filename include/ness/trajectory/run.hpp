// Many independent chains over threads, observed by estimators.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/sampling/parallel.hpp"
#include "ness/trajectory/block.hpp"

namespace ness {

/// Markov steps in a block: a multiple of the short sub-trajectories 2, 3, 4, 6 and 8.
inline constexpr Eigen::Index block_steps = 192;

/// A chain left the finite numbers: the learning rate is too large for where it was.
class Diverged : public std::runtime_error {
 public:
  Diverged(int chain_, std::int64_t step_)
      : std::runtime_error("ness: chain " + std::to_string(chain_) + " diverged at Markov step " +
                           std::to_string(step_) +
                           " (counted from its start): its state is no longer finite; lower the "
                           "learning rate"),
        chain(chain_),
        step(step_) {}
  int chain;
  std::int64_t step;  ///< the first whose outcome is not finite, counted from 0 at the start
};

struct RunSettings {
  std::int64_t steps = 0;    ///< parameter updates of each chain that are observed
  std::int64_t burn_in = 0;  ///< parameter updates of each chain before that
  int chains = 1;
  int threads = 0;         ///< 0: as many as the machine has
  std::uint64_t seed = 1;  ///< chain k draws from stream k of this seed
  /// Called now and then, from one thread at a time, with updates done and updates in all.
  std::function<void(std::int64_t, std::int64_t)> progress = {};

  /// Throws `std::invalid_argument` for a count below its least value.
  void check(std::string_view function) const {
    detail::require(steps >= 1, function, "steps must be at least 1", steps);
    detail::require(burn_in >= 0, function, "burn_in must not be negative", burn_in);
    detail::require(chains >= 1, function, "chains must be at least 1", chains);
    detail::require(threads >= 0, function, "threads must not be negative", threads);
  }
};

/// Runs `settings.chains` chains, `make_chain(k)` each, and returns the estimators merged.
///
/// `reference` is the point that deviations are taken from. Every chain fills copies of
/// `estimators`, each of which has `add(block)` and `merge(other)`; they are merged in the order of
/// the chains, so the result is the same to the last bit for any number of threads. Throws
/// `Diverged`, and `std::invalid_argument` for bad settings. Memory: one set of estimators for each
/// chain.
template <class MakeChain, class Vector, class... Estimators>
std::tuple<Estimators...> run_chains(const RunSettings& settings, const MakeChain& make_chain,
                                     const Vector& reference, const Estimators&... estimators) {
  settings.check("run_chains");
  using Block = TrajectoryBlock<typename Vector::Scalar, Vector::RowsAtCompileTime>;
  std::mutex mutex;
  std::int64_t done = 0;
  const std::int64_t all = settings.chains * (settings.steps + settings.burn_in);
  const auto report = [&](std::int64_t updates) {
    if (!settings.progress) return;
    const std::lock_guard lock(mutex);
    done += updates;
    settings.progress(done, all);
  };

  std::vector<std::optional<std::tuple<Estimators...>>> results(
      static_cast<std::size_t>(settings.chains));
  parallel_for(settings.chains, settings.threads, [&](int k) {
    auto chain = make_chain(k);
    const auto per_step = static_cast<std::int64_t>(chain.updates_per_markov_step());
    if (settings.steps < per_step)
      detail::invalid("run_chains", "steps must be at least one Markov step, ", per_step,
                      " updates, but is ", settings.steps);
    auto& result = results[static_cast<std::size_t>(k)];
    result.emplace(estimators...);
    Block block(chain.theta(), reference, block_steps);
    std::int64_t step = 0;
    std::int64_t unreported = 0;
    const auto advance = [&](std::int64_t markov_steps, const auto& observe) {
      for (std::int64_t end = step + markov_steps; step < end;) {
        const auto count = std::min<std::int64_t>(block_steps, end - step);
        block.fill(count, [&]() -> const Vector& {
          chain.step();
          return chain.theta();
        });
        if (const auto at = block.first_diverged(); at >= 0) throw Diverged(k, step + at);
        observe();
        step += count;
        unreported += count * per_step;
        if (unreported >= 1 << 17) report(std::exchange(unreported, 0));
      }
    };
    advance(settings.burn_in / per_step, [] {});
    advance(settings.steps / per_step,
            [&] { std::apply([&](auto&... estimator) { (estimator.add(block), ...); }, *result); });
    report(unreported);
  });

  auto merged = std::move(*results.front());
  for (std::size_t k = 1; k < results.size(); ++k) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (std::get<I>(merged).merge(std::get<I>(*results[k])), ...);
    }
    (std::index_sequence_for<Estimators...>{});
    results[k].reset();
  }
  return merged;
}

}  // namespace ness
