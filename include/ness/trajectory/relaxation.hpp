// The way to the stationary state, as many runs show it: mean and covariance at given times
// (Eqs. C5, C6).
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "ness/detail/check.hpp"
#include "ness/detail/matrices.hpp"
#include "ness/detail/symmetric_matrices.hpp"
#include "ness/dynamics/chain.hpp"
#include "ness/random/normal.hpp"
#include "ness/statistics/estimate.hpp"
#include "ness/statistics/threads.hpp"
#include "ness/trajectory/run.hpp"

namespace ness {

/// Mean and covariance of many independent runs at one time, with errors.
struct MeasuredEnsemble {
  std::int64_t steps;                          ///< Markov steps since the start
  Estimate<DynamicVector<double>> mean;        ///< ⟨θ⟩, N
  Estimate<DynamicMatrix<double>> covariance;  ///< about that mean, N × N
};

/// How many runs, and from which numbers.
struct RelaxationSettings {
  int runs = 1000;         ///< from the start, each with numbers of its own
  int groups = 50;         ///< that runs are shared among: their scatter gives the errors
  int threads = 0;         ///< 0: as many as the machine has
  std::uint64_t seed = 1;  ///< run k draws from stream k of this seed
  /// Called as groups end, from one thread at a time, with groups done and groups in all.
  std::function<void(std::int64_t, std::int64_t)> progress = {};

  /// Throws `std::invalid_argument` unless each group has at least two runs, all as many.
  void check(std::string_view function) const {
    detail::require(groups >= 2, function, "groups must be at least 2", groups);
    detail::require(runs >= 2 * groups, function, "runs must be at least 2 * groups", runs);
    detail::require(runs % groups == 0, function, "runs must be a multiple of groups", runs);
    detail::require(threads >= 0, function, "threads must not be negative", threads);
  }
};

namespace detail {

/// Mean and unbiased covariance of the runs of a group.
class GroupMoments {
 public:
  void add(const DynamicVector<double>& theta);
  const DynamicMatrix<double>& mean() const { return mean_; }
  DynamicMatrix<double> covariance() const {
    DynamicMatrix<double> result = scatter_;
    result /= count_ - 1;
    return result;
  }

 private:
  double count_ = 0;
  DynamicMatrix<double> mean_, scatter_;
};

// One run at a time (B. P. Welford, Technometrics 4, 1962).
inline void GroupMoments::add(const DynamicVector<double>& theta) {
  if (count_ == 0) {
    mean_ = DynamicMatrix<double>::Zero(theta.size(), 1);
    scatter_ = DynamicMatrix<double>::Zero(theta.size(), theta.size());
  }
  count_ += 1;
  for (Eigen::Index j = 0; j < theta.size(); ++j)
    for (Eigen::Index i = 0; i < theta.size(); ++i)
      scatter_(i, j) += (count_ - 1) / count_ * (theta[i] - mean_(i, 0)) * (theta[j] - mean_(j, 0));
  for (Eigen::Index i = 0; i < theta.size(); ++i) mean_(i, 0) += (theta[i] - mean_(i, 0)) / count_;
}

/// One run, whose states at the given times go to `moments`.
template <class Chain>
void follow(Chain chain, int run, const std::vector<std::int64_t>& steps,
            std::vector<GroupMoments>& moments) {
  std::int64_t now = 0;
  for (std::size_t k = 0; k < steps.size(); ++k) {
    for (; now < steps[k]; ++now) chain.step();
    const DynamicVector<double> theta = converted<double>(chain.theta());
    if (!is_finite(theta)) throw Diverged(run, now - 1);
    moments[k].add(theta);
  }
}

}  // namespace detail

/// Runs the chains that `make_chain(run)` gives, from wherever they start, and looks at them after
/// each of `steps` Markov steps, which increase. What they should show is in `Relaxation`.
///
/// The covariance of each group of runs is unbiased, whatever their number, and the scatter between
/// groups gives the errors, without any assumption on the distribution. Results do not depend on
/// the number of threads. Memory: the moments of each group at each time. Throws `Diverged`, and
/// `std::invalid_argument` for steps that do not increase, or settings that do not fit.
template <class MakeChain>
std::vector<MeasuredEnsemble> measure_relaxation(const MakeChain& make_chain,
                                                 const std::vector<std::int64_t>& steps,
                                                 const RelaxationSettings& settings = {}) {
  settings.check("measure_relaxation");
  std::int64_t before = -1;
  for (const std::int64_t each : steps) {
    detail::require(each > before, "measure_relaxation", "steps must increase from 0 or more",
                    each);
    before = each;
  }
  const int per_group = settings.runs / settings.groups;
  std::vector<std::vector<detail::GroupMoments>> groups(
      static_cast<std::size_t>(settings.groups), std::vector<detail::GroupMoments>(steps.size()));
  std::mutex mutex;
  std::int64_t done = 0;
  parallel_for(settings.groups, settings.threads, [&](int group) {
    for (int k = 0; k < per_group; ++k) {
      const int run = group * per_group + k;
      detail::follow(make_chain(run), run, steps, groups[static_cast<std::size_t>(group)]);
    }
    const std::lock_guard lock(mutex);
    if (settings.progress) settings.progress(++done, settings.groups);
  });
  std::vector<MeasuredEnsemble> result;
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const Eigen::Index n = groups[0][k].mean().rows();
    BatchMeans<double> mean(n, 1, 1), covariance(n, n, 1);
    for (const auto& group : groups) {
      mean.add(group[k].mean(), 1);
      covariance.add(group[k].covariance(), 1);
    }
    result.push_back({steps[k], mean.estimate<DynamicVector<double>>(), covariance.estimate()});
  }
  return result;
}

/// Runs `training` from starts drawn from a Gaussian of mean θ, N, and covariance `spread`, N × N;
/// a `spread` of zeros starts all of them at θ.
///
///   const auto measured = ness::measure_relaxation(objective, training, start, spread, {0, 10,
///   100});
template <class M, class R, IsTraining T>
std::vector<MeasuredEnsemble> measure_relaxation(const Objective<M, R>& objective,
                                                 const T& training,
                                                 const DynamicVector<double>& theta,
                                                 const DynamicMatrix<double>& spread,
                                                 const std::vector<std::int64_t>& steps,
                                                 const RelaxationSettings& settings = {}) {
  training.check(objective.samples(), "measure_relaxation");
  detail::require_size(theta, objective.parameters(), 1, "measure_relaxation", "theta");
  detail::require_size(spread, theta.size(), theta.size(), "measure_relaxation", "spread");
  detail::require_semidefinite<double>(spread, "measure_relaxation", "spread");
  const DynamicMatrix<double> root = detail::SymmetricEigen<double>(spread).root();
  return measure_relaxation(
      [&](int run) {
        const auto stream = static_cast<std::uint64_t>(run);
        Philox starts(settings.seed, (std::uint64_t{1} << 40) + stream);
        Normal normal;
        DynamicVector<double> numbers(theta.size()), at = theta;
        normal.fill(starts, numbers);
        for (Index k = 0; k < numbers.size(); ++k)
          detail::add_scaled(at.data(), numbers[k], root.data() + k * at.size(), at.size());
        return Chain(objective, training, at, Philox(settings.seed, stream));
      },
      steps, settings);
}

}  // namespace ness
