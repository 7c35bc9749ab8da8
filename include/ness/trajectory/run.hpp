// Many independent chains over threads, observed by estimators.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/detail/fingerprint.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/statistics/ranks.hpp"
#include "ness/statistics/threads.hpp"
#include "ness/trajectory/block.hpp"
#include "ness/trajectory/checkpoint.hpp"
#include "ness/trajectory/shared_run.hpp"

namespace ness {

/// Markov steps in a block: a multiple of the short sub-trajectories 2, 3, 4, 6 and 8.
inline constexpr Eigen::Index block_steps = 192;

/// A chain left the finite numbers: its steps are too large for where it was.
class Diverged : public std::runtime_error {
 public:
  /// `step_` is counted in `unit`.
  Diverged(int chain_, std::int64_t step_, const std::string& unit = "Markov step")
      : std::runtime_error("ness: chain " + std::to_string(chain_) + " diverged at " + unit + " " +
                           std::to_string(step_) +
                           " (counted from its start): its state is no longer finite; lower the "
                           "learning rate, or the time step"),
        chain(chain_),
        step(step_) {}
  int chain;          ///< which one
  std::int64_t step;  ///< the first whose outcome is not finite, counted from 0 at the start
};

/// How long, how many chains, and where.
struct RunSettings {
  std::int64_t steps = 0;    ///< parameter updates of each chain that are observed
  std::int64_t burn_in = 0;  ///< parameter updates of each chain before that
  int chains = 1;            ///< independent of each other
  int threads = 0;           ///< 0: as many as the machine has
  std::uint64_t seed = 1;    ///< chain k draws from stream k of this seed
  /// Called now and then, from one thread at a time of the first rank, with updates done and
  /// updates in all.
  std::function<void(std::int64_t, std::int64_t)> progress = {};
  /// Where the run is kept, to be continued by the same call after it was stopped.
  CheckpointSettings checkpoint = {};
  /// Is every update looked at, and not only the ends of Markov steps? What is measured is then a
  /// mean over the phases of an epoch, Σ of which is 4/(ηnh) times that at its end (ηnh ≪ 1), and
  /// whatever is per Markov step, or counted in them, is so of updates. An epoch's updates are not
  /// a Markov chain by themselves: σ and ⟨e^{−σ}⟩ are not those of `predict`.
  bool every_update = false;
  /// Processes to share the chains with; estimators then have `serialize(archive)`.
  const Ranks* ranks = nullptr;

  /// Throws `std::invalid_argument` for a count below its least value.
  void check(std::string_view function) const {
    detail::require(steps >= 1, function, "steps must be at least 1", steps);
    detail::require(burn_in >= 0, function, "burn_in must not be negative", burn_in);
    detail::require(chains >= 1, function, "chains must be at least 1", chains);
    detail::require(threads >= 0, function, "threads must not be negative", threads);
  }
};

/// The batch length that divides the steps of all chains into about `batches` equal parts, a whole
/// number of blocks where there are enough steps. Throws `std::invalid_argument` for fewer than 2
/// batches or no chain.
inline std::int64_t batch_length(std::int64_t markov_steps_per_chain, int chains, int batches) {
  detail::require(batches >= 2, "batch_length", "batches must be at least 2", batches);
  detail::require(chains >= 1, "batch_length", "chains must be at least 1", chains);
  const std::int64_t per_chain = std::max(1, (batches + chains - 1) / chains);
  const std::int64_t length = markov_steps_per_chain / per_chain;
  return std::max<std::int64_t>(1, length < block_steps ? length : length - length % block_steps);
}

namespace detail {

/// One chain with what observes it, at `step` of its Markov steps.
template <class Chain, class Block, class... Estimators>
struct ObservedChain {
  Chain chain;
  Block block;
  std::tuple<Estimators...> estimators;
  std::int64_t step = 0;

  /// Tells those that ask which chain they see.
  void begin(int chain_number) {
    const auto tell = [&](auto& estimator) {
      if constexpr (requires { estimator.begin_chain(chain_number); })
        estimator.begin_chain(chain_number);
    };
    std::apply([&](auto&... estimator) { (tell(estimator), ...); }, estimators);
  }

  /// One Markov step, or one update.
  void move(bool every_update) {
    if constexpr (requires { chain.update(); }) {
      if (every_update) return chain.update();
    }
    chain.step();
  }

  /// The next `count` states.
  void fill(std::int64_t count, bool every_update) {
    block.fill(count, [&]() -> const auto& {
      move(every_update);
      return chain.theta();
    });
  }

  /// Shows the block to the estimators.
  void observe() {
    std::apply([&](auto&... estimator) { (estimator.add(block), ...); }, estimators);
  }

  /// The chain has ended.
  void finish() {
    std::apply([](auto&... estimator) { (finish(estimator), ...); }, estimators);
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(step, chain, estimators);
  }

 private:
  template <class Estimator>
  static void finish(Estimator& estimator) {
    if constexpr (requires { estimator.finish(); }) estimator.finish();
  }
};

/// How many chains advance in lock step at most: what they say, or 1.
template <class Chain>
constexpr int together() {
  if constexpr (requires { Chain::together; })
    return static_cast<int>(Chain::together);
  else
    return 1;
}

/// Chains first, first + 1, … that are equally far, and go on together.
template <class Observed>
class LockStep {
 public:
  LockStep(std::vector<Observed*> runs, int first) : runs_(std::move(runs)), first_(first) {}

  /// Goes on in whole blocks until `target` is reached, observing from `burn_in` on, and calls
  /// `report(steps)` after each block. Where blocks begin does not depend on the targets. Where a
  /// chain diverges those before it go on: the first of them that does is the one of which one
  /// hears, as without lock step.
  template <class Report>
  void advance(std::int64_t target, std::int64_t burn_in, std::int64_t last, bool every_update,
               const Report& report) {
    std::exception_ptr diverged;
    while (!runs_.empty() && runs_.front()->step < target) {
      const std::int64_t step = runs_.front()->step;
      const std::int64_t end = step < burn_in ? burn_in : last;
      const auto count = std::min<std::int64_t>(block_steps, end - step);
      fill(count, every_update);
      for (std::size_t k = 0; k < runs_.size(); ++k) {
        Observed& run = *runs_[k];
        if (const auto at = run.block.first_diverged(); at >= 0) {
          diverged = std::make_exception_ptr(Diverged(first_ + static_cast<int>(k), step + at,
                                                      every_update ? "update" : "Markov step"));
          runs_.resize(k);
          break;
        }
        if (step >= burn_in) run.observe();
        run.step += count;
        if (run.step == last) run.finish();
        report(count);
      }
    }
    if (diverged) std::rethrow_exception(diverged);
  }

 private:
  using Chain = decltype(Observed::chain);

  void fill(std::int64_t count, bool every_update) {
    if constexpr (together<Chain>() > 1) {  // empty lanes cost as much as full ones
      if (2 * runs_.size() >= together<Chain>()) return fill_side_by_side(count, every_update);
    }
    for (Observed* run : runs_) run->fill(count, every_update);
  }

  void fill_side_by_side(std::int64_t count, bool every_update) {
    std::array<Chain*, std::size_t{together<Chain>()}> chains;
    for (std::size_t k = 0; k < runs_.size(); ++k) {
      chains[k] = &runs_[k]->chain;
      runs_[k]->block.begin(count);
    }
    const std::span<Chain* const> all(chains.data(), runs_.size());
    for (std::int64_t step = 1; step <= count; ++step) {
      if (every_update)
        Chain::update(all);
      else
        Chain::step(all);
      for (Observed* run : runs_) run->block.put(step, run->chain.theta());
    }
  }

  std::vector<Observed*> runs_;
  int first_;
};

/// How long ranks go on without asking whether one of them has failed.
inline constexpr double seconds_between_ranks = 10;

/// How far to go before the next stop, from how long the last stretch took.
inline std::int64_t next_stretch(std::int64_t steps, double took, double wanted) {
  const double factor = std::clamp(wanted / std::max(took, 1e-9), 0.25, 4.0);
  return std::max<std::int64_t>(block_steps,
                                static_cast<std::int64_t>(static_cast<double>(steps) * factor));
}

/// What a chain says of itself: in words, and of the data by a number. Nothing, if it does not.
template <class Chain>
std::string identity_of(const Chain& chain) {
  if constexpr (requires { chain.description(), chain.fingerprint(); })
    return chain.description() + ", data " + std::to_string(chain.fingerprint());
  else
    return {};
}

/// The chains of a run that are this rank's, each begun when it is first asked for.
template <class MakeChain, class Reference, class... Estimators>
class ChainRun {
 public:
  using Chain = std::decay_t<std::invoke_result_t<const MakeChain&, int>>;
  using Block = TrajectoryBlock<typename Reference::Scalar>;
  using Observed = ObservedChain<Chain, Block, Estimators...>;

  ChainRun(const RunSettings& settings, const MakeChain& make_chain, const Reference& reference,
           const Estimators&... estimators)
      : settings_(settings),
        make_chain_(make_chain),
        reference_(reference),
        estimators_(estimators...),
        runs_(static_cast<std::size_t>(settings.chains)),
        shared_(settings.ranks, settings.chains, bytes()) {
    on_every_rank(settings.ranks, [&] { prepare(); });
  }

  std::tuple<Estimators...> run() {
    const bool keeps = !settings_.checkpoint.file.empty();
    const double seconds = keeps ? settings_.checkpoint.seconds : seconds_between_ranks;
    if (keeps && !shared_.restore(settings_.checkpoint, identity_))
      shared_.save(settings_.checkpoint, identity_);  // so that what cannot be is known at once
    reached_ = step_of_first();
    done_ = shared_.share().count() * reached_;
    report(0);
    for (std::int64_t stretch = keeps || settings_.ranks ? block_steps : last_; reached_ < last_;) {
      const auto start = Clock::now();
      on_every_rank(settings_.ranks, [&] { advance(std::min(last_, reached_ + stretch)); });
      reached_ = step_of_first();
      if (keeps) shared_.save(settings_.checkpoint, identity_);
      const std::chrono::duration<double> took = Clock::now() - start;
      stretch = from_first_rank(settings_.ranks, next_stretch(stretch, took.count(), seconds));
    }
    const std::string all = shared_.merge();
    if (rank_of(settings_.ranks) == 0) return std::move(observed(0).estimators);
    unpack(all, estimators_);
    return std::move(estimators_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void prepare() {
    per_step_ = updates_per_step();
    if (settings_.steps < per_step_)
      invalid("run_chains", "steps must be at least one Markov step, ", per_step_,
              " updates, but is ", settings_.steps);
    burn_in_ = settings_.burn_in / per_step_;
    last_ = burn_in_ + settings_.steps / per_step_;
    if (!settings_.checkpoint.file.empty()) identity_ = identity();
    if (!shared_.share().has(0)) runs_.front().reset();
  }

  Observed& observed(int k) { return *runs_[static_cast<std::size_t>(k)]; }

  Observed& begin(int k) {
    auto& run = runs_[static_cast<std::size_t>(k)];
    if (!run) {
      auto chain = make_chain_(k);
      Block block(chain.theta(), reference_, block_steps);
      run.emplace(Observed{std::move(chain), std::move(block), estimators_});
      run->begin(k);
    }
    return *run;
  }

  // Updates between two states that are looked at.
  std::int64_t updates_per_step() {
    auto& chain = begin(0).chain;
    const auto per_markov_step = static_cast<std::int64_t>(chain.updates_per_markov_step());
    if (!settings_.every_update || per_markov_step == 1) return per_markov_step;
    if constexpr (!requires { chain.update(); })
      invalid("run_chains", "every_update needs a chain with update(), whose Markov step is ",
              per_markov_step, " updates");
    return 1;
  }

  // All chains to `target`, or the end of the block there: as many side by side as leaves work for
  // every thread.
  void advance(std::int64_t target) {
    const Share& share = shared_.share();
    if (share.count() == 0) return;  // more ranks than chains
    const int each = threads_for(share.count(), settings_.threads);
    const int most = std::min(together<Chain>(), (share.count() + each - 1) / each);
    parallel_for((share.count() + most - 1) / most, settings_.threads, [&](int piece) {
      const int first = share.first + piece * most;
      std::vector<Observed*> runs;
      for (int k = first; k < std::min(share.last, first + most); ++k) runs.push_back(&begin(k));
      std::int64_t unreported = 0;
      LockStep(std::move(runs), first)
          .advance(target, burn_in_, last_, settings_.every_update, [&](std::int64_t steps) {
            unreported += steps;
            if (unreported * per_step_ >= 1 << 17) report(std::exchange(unreported, 0));
          });
      report(unreported);
    });
  }

  // All chains are as far as the first, which the first rank has.
  std::int64_t step_of_first() const {
    return from_first_rank(settings_.ranks, runs_.front() ? runs_.front()->step : 0);
  }

  // Of all ranks, as if each were as far as the first.
  void report(std::int64_t markov_steps) {
    if (!settings_.progress || rank_of(settings_.ranks) != 0) return;
    const std::lock_guard lock(mutex_);
    done_ += markov_steps;
    const auto of_all = static_cast<double>(done_) * settings_.chains / shared_.share().count();
    settings_.progress(static_cast<std::int64_t>(of_all) * per_step_,
                       settings_.chains * last_ * per_step_);
  }

  // Of the run as it begins: what is continued must have the same.
  std::string identity() {
    const auto number = [](auto value) { return std::to_string(value); };
    Fingerprint reference;
    reference.add(reference_);
    std::string words = "steps " + number(settings_.steps) + ", burn-in " +
                        number(settings_.burn_in) + ", chains " + number(settings_.chains) +
                        ", seed " + number(settings_.seed) + ", parameters " +
                        number(reference_.size()) + ", reference " + number(reference.value());
    if (settings_.every_update) words += ", every update";
    for (const std::string& part : {identity_of(begin(0).chain), settings_.checkpoint.identity})
      if (!part.empty()) words += "; " + part;
    return words;
  }

  ChainBytes bytes() {
    return {.chain = [this](int k) { return pack(begin(k)); },
            .resume =
                [this](int k, const std::string& bytes) {
                  Observed& run = begin(k);
                  unpack(bytes, run);
                  run.block = Block(run.chain.theta(), reference_, block_steps);
                },
            .estimators = [this](int k) { return pack(observed(k).estimators); },
            .merge =
                [this](int left, int right) {
                  merge(observed(left).estimators, observed(right).estimators);
                  runs_[static_cast<std::size_t>(right)].reset();
                },
            .merge_bytes =
                [this](int left, const std::string& bytes) {
                  auto right = estimators_;
                  unpack(bytes, right);
                  merge(observed(left).estimators, right);
                }};
  }

  template <class Part>
  static std::string pack(Part& part) {
    CheckpointWriter writer;
    writer(part);
    return writer.bytes();
  }
  template <class Part>
  static void unpack(const std::string& bytes, Part& part) {
    CheckpointReader reader(bytes);
    reader(part);
    if (!reader.at_end()) throw std::out_of_range("it goes on where this run ends");
  }

  static void merge(std::tuple<Estimators...>& left, const std::tuple<Estimators...>& right) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (std::get<I>(left).merge(std::get<I>(right)), ...);
    }(std::index_sequence_for<Estimators...>{});
  }

  const RunSettings& settings_;
  const MakeChain& make_chain_;
  const Reference& reference_;
  std::tuple<Estimators...> estimators_;
  std::vector<std::optional<Observed>> runs_;
  SharedRun<CheckpointSettings> shared_;
  std::int64_t per_step_ = 1;
  std::int64_t burn_in_ = 0, last_ = 0, reached_ = 0;  // in Markov steps
  std::string identity_;
  std::mutex mutex_;
  std::int64_t done_ = 0;
};

}  // namespace detail

/// Runs `settings.chains` chains, `make_chain(k)` each, and returns the estimators merged.
///
/// `reference` is the point that deviations are taken from. Every chain fills copies of
/// `estimators`, each of which has `add(block)` and `merge(other)`, and may have `finish()`, called
/// at the end of a chain, and `begin_chain(k)`, called before it; they are merged in the order of
/// the chains, in a tree, so the result is the same to the last bit for any number of threads and
/// ranks, and whether or not the run was stopped and continued.
///
/// Chains that can, those of a model that `HasBatchGradients`, advance side by side where there are
/// enough of them for every thread: with the bits of each alone.
///
/// With `settings.ranks` it is called by all of them together: each runs a share of the chains, and
/// all of them get the whole result. What one rank throws ends the run on all, within some ten
/// seconds.
///
/// With `settings.checkpoint` the chains and estimators, which must have `serialize(archive)` then,
/// are written to a file now and then, by the first rank; where the file is there, the run goes on
/// from it, on any number of threads and ranks. It must be
/// that of the same run: settings, reference, and the chain's `description()` and `fingerprint()`
/// of the data, where it has them, as `Chain` and `EulerMaruyama` do; else it is refused.
///
/// Throws `Diverged`, `CheckpointError`, and `std::invalid_argument` for bad settings. Memory: one
/// set of estimators for each chain.
template <class MakeChain, class Reference, class... Estimators>
std::tuple<Estimators...> run_chains(const RunSettings& settings, const MakeChain& make_chain,
                                     const Eigen::MatrixBase<Reference>& reference,
                                     const Estimators&... estimators) {
  settings.check("run_chains");
  const DynamicVector<typename Reference::Scalar> centre = reference;
  return detail::ChainRun<MakeChain, DynamicVector<typename Reference::Scalar>, Estimators...>(
             settings, make_chain, centre, estimators...)
      .run();
}

}  // namespace ness
