// A user's own code that sees the states of a run, of any length.
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>

#include "ness/detail/check.hpp"
#include "ness/trajectory/block.hpp"

namespace ness {

/// An estimator that calls callback(chain, step, theta) for every `stride`-th state of each chain,
/// `step` counted in Markov steps from the end of the burn-in:
///
///   ness::run_chains(settings, make_chain, reference,
///                    ness::Observe([&](int chain, std::int64_t step, const auto& theta) { … },
///                                  1000));
///
/// It is called in the order of the steps of a chain, from the thread that runs it, so from several
/// threads at once for several chains; on ranks, on the one that has the chain. States after the
/// last checkpoint of a run that was killed are seen again. What it throws ends the run. Each chain
/// has a copy of the callback: let it refer to what is filled.
template <class Callback>
class Observe {
 public:
  /// Throws `std::invalid_argument` for a stride below 1.
  explicit Observe(Callback callback, std::int64_t stride = 1)
      : callback_(std::move(callback)), stride_(stride) {
    detail::require(stride >= 1, "Observe", "stride must be at least 1", stride);
  }

  void begin_chain(int chain) { chain_ = chain; }

  template <class S>
  void add(const TrajectoryBlock<S>& block) {
    static_assert(std::invocable<Callback&, int, std::int64_t, const DynamicVector<S>&>,
                  "ness: the callback of Observe must take (int chain, std::int64_t step, const "
                  "auto& theta)");
    const std::int64_t first = (stride_ - step_ % stride_) % stride_;
    DynamicVector<S> theta;
    for (std::int64_t k = first; k < block.steps(); k += stride_) {
      block.state(k, theta);
      callback_(chain_, step_ + k, std::as_const(theta));
    }
    step_ += block.steps();
  }
  void merge(const Observe&) {}

  template <class Archive>
  void serialize(Archive& archive) {
    archive(step_);
  }

 private:
  Callback callback_;
  std::int64_t stride_;
  std::int64_t step_ = 0;
  int chain_ = 0;
};

}  // namespace ness
