// Entropy productions too rare to be seen: the cumulant generating function by cloning (not in the
// paper).
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/random/philox.hpp"
#include "ness/random/uniform.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/statistics/threads.hpp"
#include "ness/trajectory/run.hpp"

namespace ness {

/// A chain whose state can be exchanged, as `Chain` and `EulerMaruyama`: what the steps to come
/// depend on besides random numbers.
template <class C>
concept HasState = requires(C& chain, std::decay_t<decltype(chain.state())>& state) {
  chain.step();
  chain.swap_state(state);
};

/// For `measure_cumulant_function`.
struct CloningSettings {
  std::int64_t steps = 0;    ///< Markov steps of each clone that are counted
  std::int64_t burn_in = 0;  ///< before that, for the tilted ensemble to settle
  int clones = 1000;         ///< n, of a population
  int populations = 4;       ///< independent of each other, for each k
  int batches = 16;          ///< of the steps of a population, for the errors
  int threads = 0;           ///< 0: as many as the machine has; the result does not depend on it
  std::uint64_t seed = 1;    ///< of who is cloned
  /// Called now and then, from one thread at a time, with steps of clones done and in all.
  std::function<void(std::int64_t, std::int64_t)> progress = {};

  /// Throws `std::invalid_argument` for a count below its least value.
  void check(std::string_view function) const {
    detail::require(steps >= batches, function, "steps must be at least the number of batches",
                    steps);
    detail::require(burn_in >= 0, function, "burn_in must not be negative", burn_in);
    detail::require(clones >= 2, function, "clones must be at least 2", clones);
    detail::require(populations >= 1, function, "populations must be at least 1", populations);
    detail::require(batches >= 2, function, "batches must be at least 2", batches);
    detail::require(threads >= 0, function, "threads must not be negative", threads);
  }
};

/// μ(k) as measured.
struct CumulantEstimate {
  double k = 0;           ///< of e^{kσ}
  Estimate<double> rate;  ///< μ(k), per Markov step
  /// n over the mean square weight of a clone before those of little weight are replaced, on
  /// average over steps: of fewer than some ten nothing should be believed.
  double effective_clones = 0;
};

namespace detail {

/// The weights of a population.
template <class Scalar>
class CloneWeights {
 public:
  explicit CloneWeights(Eigen::Index clones)
      : logarithms_(DynamicVector<Scalar>::Zero(clones)), parents_(size(clones)) {}

  /// Multiplies weights by e^{exponents}, and returns the logarithm of how much the mean grows; not
  /// finite where none is left.
  Scalar grow(const DynamicVector<Scalar>& exponents);
  /// n/⟨w²⟩ of weights with the mean 1.
  Scalar effective() const { return effective_; }
  /// Whom each clone is to be a copy of where ever fewer count, else empty. Clones that stay are
  /// copies of themselves, and the others are of those. `uniform` in [0, 1): one number for all, by
  /// which a clone of weight w is there ⌊w⌋ or ⌈w⌉ times, w times on average.
  const std::vector<Eigen::Index>& resample(Scalar uniform);

 private:
  static std::size_t size(Eigen::Index clones) { return static_cast<std::size_t>(clones); }

  DynamicVector<Scalar> logarithms_;  // of weights with the mean 1
  Scalar effective_ = 0;
  std::vector<Eigen::Index> parents_;
};

/// μ and its error from the growth of log Z in each step: see `measure_cumulant_function`.
template <class Scalar>
Estimate<double> cumulant_rate(const BatchMeans<Scalar>& growth);

/// n clones and their weights.
template <class Chain, class Functional>
class Population {
 public:
  using Scalar = typename DoubleFor<Chain>::type;
  using Matrix = DynamicMatrix<Scalar>;
  using Vector = DynamicVector<Scalar>;

  template <class MakeChain>
  Population(const MakeChain& make_chain, int first, int clones, const Vector& reference,
             Philox random)
      : chain_(make_chain(first)),
        reference_(reference),
        random_(std::move(random)),
        weights_(clones),
        last_(clones, reference.size()) {
    require_size(chain_.theta(), reference.size(), 1, "measure_cumulant_function", "theta");
    for (int i = 0; i < clones; ++i) {
      states_.push_back(i == 0 ? chain_.state() : make_chain(first + i).state());
      chain_.swap_state(states_.back());
      last_.row(i) = deviation();
      chain_.swap_state(states_.back());
    }
    here_ = next_ = last_;
    move(here_);
  }

  /// One step of each. Returns the logarithm of how much their mean weight grows.
  double step(const Functional& functional, double k) {
    move(next_);
    const double growth = weights_.grow(k * functional(last_, here_, next_));
    last_.swap(here_);
    here_.swap(next_);
    return growth;
  }
  double effective() const { return weights_.effective(); }

  void resample() {
    const auto& parents = weights_.resample(uniform_real(random_));
    for (std::size_t i = 0; i < parents.size(); ++i) {
      const Eigen::Index parent = parents[i], child = static_cast<Eigen::Index>(i);
      if (parent == child) continue;
      states_[i] = states_[static_cast<std::size_t>(parent)];
      last_.row(child) = last_.row(parent);
      here_.row(child) = here_.row(parent);
    }
  }

  bool is_finite() const { return here_.allFinite(); }

 private:
  auto deviation() const {
    return (chain_.theta().template cast<Scalar>() - reference_).transpose();
  }
  void move(Matrix& rows) {
    for (std::size_t i = 0; i < states_.size(); ++i) {
      chain_.swap_state(states_[i]);
      chain_.step();
      rows.row(static_cast<Eigen::Index>(i)) = deviation();
      chain_.swap_state(states_[i]);
    }
  }

  using State = std::decay_t<decltype(std::declval<Chain&>().state())>;
  Chain chain_;
  std::vector<State> states_;
  Vector reference_;
  Philox random_;
  CloneWeights<Scalar> weights_;
  Matrix last_, here_, next_;  // a clone in a row
};

/// How the mean weight of one population grew.
template <class Scalar>
struct PopulationGrowth {
  BatchMeans<Scalar> growth;
  double effective = 0;  // of all steps
};

/// Runs one, which begins with chain `first`; `report(steps)` now and then.
template <class MakeChain, class Reference, class Functional, class Report>
auto grow_population(const CloningSettings& settings, const MakeChain& make_chain, int first,
                     const Reference& reference, const Functional& functional, double k,
                     Philox random, const Report& report) {
  using Chain = std::decay_t<std::invoke_result_t<const MakeChain&, int>>;
  Population<Chain, Functional> population(make_chain, first, settings.clones, reference,
                                           std::move(random));
  using Scalar = typename DoubleFor<Chain>::type;
  PopulationGrowth<Scalar> result{BatchMeans<Scalar>(1, 1, settings.steps / settings.batches)};
  for (std::int64_t step = -settings.burn_in; step < settings.steps; ++step) {
    const double growth = population.step(functional, k);
    if (!population.is_finite()) throw Diverged(first, step + settings.burn_in);
    if (!std::isfinite(growth))
      throw std::runtime_error(
          "ness: measure_cumulant_function: the mean weight of the clones is " + in_words(growth) +
          " times what it was a step before, at k = " + in_words(k) + ": take |k| smaller");
    if (step >= 0) {
      result.growth.add(DynamicMatrix<Scalar>::Constant(1, 1, growth), 1);
      result.effective += population.effective();
    }
    population.resample();
    report(1);
  }
  return result;
}

}  // namespace detail

/// The scaled cumulant generating function of σ, or of any other sum over steps,
///   μ(k) = lim 1/t log⟨e^{kσ}⟩,  σ = Σ functional(θ_{t−1}, θ_t, θ_{t+1}),
/// for each of the k, by cloning (C. Giardinà, J. Kurchan, L. Peliti, PRL 96, 120603, 2006,
/// doi:10.1103/PhysRevLett.96.120603): n clones take their steps and weigh e^{kσ}; where few have
/// the weight of all, those of little weight become copies of the others. What their mean weight
/// grows by is Z, ⟨Z⟩ = ⟨e^{kσ}⟩ for any n. Events that a trajectory would never show are found one
/// step at a time.
///
///   const ness::StepEntropy entropy(predicted);
///   const auto found = ness::measure_cumulant_function(
///       {.steps = 2000, .burn_in = 200}, make_chain, predicted.mean(), entropy, {-0.75, -0.25});
///   found[0].rate.value;   // ness::EntropySpectrum(predicted).cumulant_function(-0.75)
///
/// The mean of log Z is below log⟨Z⟩, by half of its variance where it is normal: that, measured
/// from the batches, is added, and what is left is of order 1/n² per step and of batches shorter
/// than the memory of the population, which is that of the chain or of the family tree. μ(k) = μ(−1
/// − k) of `StepEntropy` is the fluctuation theorem.
///
/// `functional(last, here, next)` takes deviations from `reference`, a clone in a row, and returns
/// as many numbers: `StepEntropy`, or one's own. `make_chain(i)` as for `run_chains`, one for each
/// clone of each population of each k, which differ in their random numbers and should differ in
/// where they start. Only one chain of each population stays; a clone is its state. Cost: that of
/// the steps, and of the functional of matrices n × N. Throws `Diverged` (a population for a
/// chain), `std::invalid_argument` for bad settings, and `std::runtime_error` where all weights are
/// 0 or one is infinite.
template <class MakeChain, class Reference, class Functional>
std::vector<CumulantEstimate> measure_cumulant_function(
    const CloningSettings& settings, const MakeChain& make_chain,
    const Eigen::MatrixBase<Reference>& reference, const Functional& functional,
    const std::vector<double>& k) {
  using Chain = std::decay_t<std::invoke_result_t<const MakeChain&, int>>;
  using Scalar = typename detail::DoubleFor<Chain>::type;
  static_assert(HasState<Chain>,
                "ness: clones exchange the state of a chain, which needs `state()` and "
                "`swap_state(state)`: see ness::Chain and ness::EulerMaruyama");
  settings.check("measure_cumulant_function");
  for (const double each : k)
    detail::require(std::isfinite(each), "measure_cumulant_function", "k must be finite", each);
  const DynamicVector<Scalar> centre = reference.template cast<Scalar>();
  const int per_k = settings.populations, all = per_k * static_cast<int>(k.size());
  std::vector<std::optional<detail::PopulationGrowth<Scalar>>> grown(static_cast<std::size_t>(all));
  std::mutex mutex;
  std::int64_t done = 0;
  const auto report = [&](std::int64_t steps) {
    if (!settings.progress) return;
    const std::lock_guard lock(mutex);
    done += steps;
    settings.progress(done * settings.clones,
                      (settings.burn_in + settings.steps) * settings.clones * all);
  };
  parallel_for(all, settings.threads, [&](int p) {
    grown[static_cast<std::size_t>(p)] =
        detail::grow_population(settings, make_chain, p * settings.clones, centre, functional,
                                k[static_cast<std::size_t>(p / per_k)],
                                Philox(settings.seed, ~static_cast<std::uint64_t>(p)), report);
  });
  std::vector<CumulantEstimate> result;
  for (int p = 0; p < all; ++p) {
    auto& first = *grown[static_cast<std::size_t>(p - p % per_k)];
    if (p % per_k == 0) continue;
    const auto& other = *grown[static_cast<std::size_t>(p)];
    first.growth.merge(other.growth);
    first.effective += other.effective;
  }
  for (int p = 0; p < all; p += per_k) {
    const auto& part = *grown[static_cast<std::size_t>(p)];
    result.push_back({k[result.size()], detail::cumulant_rate(part.growth),
                      part.effective / static_cast<double>(per_k * settings.steps)});
  }
  return result;
}

}  // namespace ness

#ifndef NESS_COMPILED  // else they are in the library

namespace ness::detail {

template <class Scalar>
Scalar CloneWeights<Scalar>::grow(const DynamicVector<Scalar>& exponents) {
  logarithms_ += exponents;
  const Scalar largest = logarithms_.maxCoeff();
  if (!std::isfinite(largest)) return largest;
  const auto count = static_cast<Scalar>(logarithms_.size());
  Scalar sum(0), squares(0);
  for (const Scalar logarithm : logarithms_) {
    const Scalar weight = std::exp(logarithm - largest);
    sum += weight;
    squares += weight * weight;
  }
  effective_ = sum * sum / squares;
  const Scalar growth = largest + std::log(sum / count);
  logarithms_.array() -= growth;
  return growth;
}

template <class Scalar>
const std::vector<Eigen::Index>& CloneWeights<Scalar>::resample(Scalar uniform) {
  parents_.clear();
  const Eigen::Index count = logarithms_.size();
  if (effective_ >= static_cast<Scalar>(count) / 2) return parents_;
  constexpr Eigen::Index nobody = -1;
  parents_.assign(static_cast<std::size_t>(count), nobody);
  std::vector<Eigen::Index> more;  // parents of those whose place is taken
  Scalar reached(0);
  Eigen::Index placed = 0;
  for (Eigen::Index i = 0; i < count; ++i) {
    reached += std::exp(logarithms_[i]);
    const bool last = i + 1 == count;  // rounding of the sum
    for (bool first = true;
         placed < count && (last || static_cast<Scalar>(placed) + uniform < reached);
         ++placed, first = false) {
      if (first)
        parents_[static_cast<std::size_t>(i)] = i;
      else
        more.push_back(i);
    }
  }
  for (Eigen::Index& parent : parents_)
    if (parent == nobody) {
      parent = more.back();
      more.pop_back();
    }
  logarithms_.setZero();
  return parents_;
}

template <class Scalar>
Estimate<double> cumulant_rate(const BatchMeans<Scalar>& growth) {
  const auto mean = static_cast<double>(growth.mean()(0, 0));
  const auto error = static_cast<double>(growth.standard_error()(0, 0));
  const double degrees = growth.degrees_of_freedom();
  const double half_variance = static_cast<double>(growth.count()) * error * error / 2;  // a step
  const double its_error = half_variance * std::sqrt(2 / degrees);
  return {mean + half_variance, std::hypot(error, its_error), degrees};
}

}  // namespace ness::detail
#endif
