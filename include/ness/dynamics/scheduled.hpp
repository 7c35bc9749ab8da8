// A chain whose learning rate changes from one Markov step to the next.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "ness/training/power_schedule.hpp"

namespace ness {

/// A chain of which Markov step t = 0, 1, … is made with the learning rate schedule(t), whatever
/// it was made with (M. Welling and Y. W. Teh, ICML 2011). Corrections, noise and updates follow;
/// what they remember is kept
/// (`Chain::set_learning_rate`).
///
///   ness::Scheduled chain(ness::Chain(objective, sampler, start),
///                         ness::PowerSchedule{.first = 1e-6, .delay = 1000, .exponent = 1.0 / 3});
///   for (int t = 0; t < 10'000; ++t) {
///     chain.step();
///     sum += chain.learning_rate() * f(chain.theta());
///     weights += chain.learning_rate();
///   }
///
/// What is wanted of the posterior is sum/weights: `decreasing_error` says how good that is. It is
/// a chain as any for `run_chains` and its checkpoints, whose estimators weigh all draws alike.
template <class Chain, LearningRateSchedule Schedule>
class Scheduled {
 public:
  /// Throws `std::invalid_argument` for a schedule whose `check` does.
  Scheduled(Chain chain, Schedule schedule)
      : chain_(std::move(chain)), schedule_(std::move(schedule)) {
    if constexpr (requires { schedule_.check(std::string_view{}); }) schedule_.check("Scheduled");
  }

  /// One update of the parameters.
  void update() {
    if (updates_ == 0) chain_.set_learning_rate(schedule_(markov_steps_));
    chain_.update();
    if (++updates_ < chain_.updates_per_markov_step()) return;
    updates_ = 0;
    ++markov_steps_;
  }

  /// One Markov step.
  void step() {
    for (auto k = chain_.updates_per_markov_step(); k > 0; --k) update();
  }

  /// η of the last update: the weight of where the chain is in means over the posterior.
  double learning_rate() const { return chain_.learning_rate(); }
  /// Markov steps done.
  std::int64_t markov_steps() const { return markov_steps_; }
  const auto& theta() const { return chain_.theta(); }
  /// N
  auto parameters() const { return chain_.parameters(); }
  /// As of the chain.
  auto updates_per_markov_step() const { return chain_.updates_per_markov_step(); }
  /// What it was made of.
  const Chain& chain() const { return chain_; }
  /// The learning rates.
  const Schedule& schedule() const { return schedule_; }

  /// Of the schedule, and of the chain as it was made: for checkpoints and tables.
  std::string description() const { return schedule_.description() + "; " + chain_.description(); }
  /// As of the chain itself.
  std::uint64_t fingerprint() const { return chain_.fingerprint(); }
  /// For checkpoints: whatever decides the steps to come.
  template <class Archive>
  void serialize(Archive& archive) {
    archive(chain_, markov_steps_, updates_);
  }

 private:
  Chain chain_;
  Schedule schedule_;
  std::int64_t markov_steps_ = 0;
  std::int64_t updates_ = 0;  // of this Markov step
};

}  // namespace ness
