// How the samples of each step are drawn (Secs. 3.1, 3.2: B_t of Eq. 12).
//
// A minibatch policy is a plain struct of settings. It states the moments of what it draws, from
// which D follows, and its `Sampler`, the state of one run, draws the batches.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/minibatch/epoch_correlation.hpp"
#include "ness/minibatch/epoch_moments.hpp"
#include "ness/minibatch/weight_moments.hpp"
#include "ness/model/batch.hpp"
#include "ness/random/philox.hpp"
#include "ness/random/uniform.hpp"

namespace ness {

/// A policy that prefers no sample, and states the moments of the weights of one batch.
template <class P>
concept StatesWeightMoments = requires(const P& policy, Index samples) {
  { policy.weight_moments(samples) } -> std::convertible_to<WeightMoments>;
};

/// A policy that prefers some samples, and states how much each adds to the noise of one batch.
template <class P>
concept StatesSampleMoments = requires(const P& policy, Index samples) {
  { policy.sample_moments(samples) } -> std::convertible_to<SampleMoments>;
};

namespace detail {
template <class Drawn>
concept SomeBatch = std::convertible_to<Drawn, Batch> || std::same_as<Drawn, BatchInParts>;
}  // namespace detail

/// What any minibatch policy has: it accepts a number of samples or throws, describes itself in
/// words, states the moments of one batch, and has a `Sampler` that draws the next one.
template <class P>
concept Minibatch = (StatesWeightMoments<P> || StatesSampleMoments<P>)&&requires(
    const P& policy, Index samples, typename P::Sampler& sampler, Philox& random) {
  policy.check(samples, std::string_view{});
  { policy.description() } -> std::convertible_to<std::string>;
  typename P::Sampler;
  { sampler.next(random) } -> detail::SomeBatch;
};

/// Each batch is drawn independently of all others, and it says so: one Markov step is one update,
/// and D follows from the moments that it states.
template <class P>
concept IndependentBatches = Minibatch<P> && requires { requires P::independent; };

/// The batches of an epoch depend on each other, and epochs do not: one Markov step is one epoch of
/// `batches_per_epoch(samples)` updates, and how their noise depends is `epoch_correlation`.
template <class P>
concept EpochBatches = Minibatch<P> && requires(const P& policy, Index samples) {
  { policy.batches_per_epoch(samples) } -> std::convertible_to<Index>;
  { policy.epoch_correlation(samples) } -> std::convertible_to<EpochCorrelation>;
};

/// Epochs that are a random order of all samples, and state its moments: what Appendix B needs.
template <class P>
concept StatesOrderMoments = EpochBatches<P> && requires(const P& policy, Index samples) {
  { policy.order_moments(samples) } -> std::convertible_to<EpochMoments>;
};

/// A policy that states ⟨exp(Σ_i w_i a_i)⟩ − 1 over the weights w of one batch, for numbers a_i of
/// the samples: all moments of the weights at once. Where one does not, batches are sampled.
template <class P>
concept StatesMeanExponential =
    Minibatch<P> && requires(const P& policy, const DynamicVector<double>& values) {
      { policy.mean_exponential(values) } -> std::convertible_to<double>;
    };

/// A policy that states the third and fourth moments of the weights of one batch.
template <class P>
concept StatesHigherMoments = Minibatch<P> && requires(const P& policy, Index samples) {
  { policy.higher_weight_moments(samples) } -> std::convertible_to<HigherWeightMoments>;
};

namespace detail {

inline void check_batch_size(Index batch_size, Index samples, std::string_view function) {
  if (batch_size < 1 || batch_size > samples)
    invalid(function, "batch_size must be in 1 ... M = ", samples, ", but is ", batch_size);
}

/// The nearest divisors of M at or below m and at or above m, 1 ≤ m ≤ M.
inline std::pair<Index, Index> nearest_divisors(Index samples, Index batch_size) {
  Index below = batch_size;
  while (samples % below != 0) --below;
  Index above = batch_size;
  while (samples % above != 0) ++above;
  return {below, above};
}

/// Refuses an m that does not divide M, and names the nearest that do.
inline void check_divisor(Index batch_size, Index samples, std::string_view function) {
  check_batch_size(batch_size, samples, function);
  if (samples % batch_size == 0) return;
  const auto [below, above] = nearest_divisors(samples, batch_size);
  invalid(function, "batch_size must divide M = ", samples, " without replacement, but is ",
          batch_size, ": the nearest that do are ", below, " and ", above,
          "; DropLast and SmallerLast take any");
}

/// 0 ... M − 1 in an order that is shuffled as far as it is read (R. Durstenfeld, CACM 7, 1964).
class Permutation {
 public:
  explicit Permutation(Index size) : values_(static_cast<std::size_t>(size)) {
    std::iota(values_.begin(), values_.end(), 0U);
  }

  /// Places first ... first + count − 1 filled uniformly from what stands there and behind.
  /// Whatever the order was before, the result is uniform over the ordered choices.
  template <class Random>
  Batch draw(Random& random, std::size_t first, std::size_t count) {
    std::uint32_t* const values = values_.data();
    auto rest = static_cast<std::uint32_t>(values_.size() - first);
    for (std::size_t j = first; j < first + count; ++j, --rest)
      std::swap(values[j], values[j + uniform_index(random, rest)]);
    return Batch(values + first, count);
  }

  /// What stands there.
  Batch at(std::size_t first, std::size_t count) const {
    return Batch(values_.data() + first, count);
  }
  std::size_t size() const { return values_.size(); }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(values_);
  }

 private:
  std::vector<std::uint32_t> values_;
};

/// A random order of all samples, cut into batches of m, the n of an epoch; the last may be
/// smaller.
template <class Policy>
class OrderedBatches {
 public:
  OrderedBatches(const Policy& policy, Index samples)
      : order_(samples), batch_size_(static_cast<std::size_t>(policy.batch_size)) {
    policy.check(samples);
    end_ = std::min(order_.size(),
                    static_cast<std::size_t>(policy.batches_per_epoch(samples)) * batch_size_);
  }
  template <class Random>
  Batch next(Random& random) {
    if (next_ == end_) next_ = 0;
    const Batch batch = order_.draw(random, next_, std::min(batch_size_, end_ - next_));
    next_ += batch.size();
    return batch;
  }
  template <class Archive>
  void serialize(Archive& archive) {
    archive(order_, next_);
  }

 private:
  Permutation order_;
  std::size_t batch_size_, end_;
  std::size_t next_ = 0;
};

}  // namespace detail
}  // namespace ness
