#include <ness/detail/matrices.hpp>
#include <ness/detail/symmetric_matrices.hpp>
#include <ness/dynamics/chain.hpp>
#include <ness/random/philox.hpp>
#include <ness/random/uniform.hpp>
#include <ness/statistics/student.hpp>
#include <ness/statistics/threads.hpp>
#include <ness/trajectory/current_map.hpp>
#include <ness/trajectory/directional_variance.hpp>
#include <ness/trajectory/drift_correlation.hpp>
#include <ness/trajectory/measure.hpp>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "../common/progress.hpp"
#include "../common/quadratic_forms.hpp"
#include "../common/run_settings.hpp"
#include "../common/user_error.hpp"
#include "problem.hpp"

namespace {

/// `bins` over so many standard deviations to either side of `center`; without noise any width will
/// do.
ness::Axis axis_about(double center, double variance, double deviations, Eigen::Index bins) {
  const double reach = variance > 0 ? deviations * std::sqrt(variance) : 1;
  return {center - reach, center + reach, bins};
}

ness::Histogram2d density_histogram(const State& state, const Options& options) {
  const auto axis = [&](Eigen::Index k) {
    return axis_about(0, state.covariance()(k, k), 4.5, 160);
  };
  const auto [a, b] = options.shown();
  return ness::Histogram2d(a, axis(a), b, axis(b));
}

/// Coarser than the density: a current is a small difference of many displacements.
auto current_map(const State& state, const Options& options, std::int64_t batch_length) {
  const auto axis = [&](Eigen::Index k) {
    return axis_about(state.mean()[k], state.covariance()(k, k), 3.85, 9);
  };
  const auto shown = options.shown();
  const auto plane = [shown](const auto& theta) {
    return Eigen::Vector2d(theta[shown[0]], theta[shown[1]]);
  };
  return ness::CurrentMap(plane, axis(shown[0]), axis(shown[1]), batch_length);
}

/// About `count` equal steps from 0 to `last`, at ends of epochs, where the theory without
/// replacement looks at θ.
std::vector<std::int64_t> spaced(std::int64_t last, int count, std::int64_t epoch) {
  std::vector<std::int64_t> result;
  for (int k = 0; k <= count; ++k) {
    const std::int64_t update = last * k / count / epoch * epoch;
    if (result.empty() || update > result.back()) result.push_back(update);
  }
  return result;
}

/// Uniform in [0, 1) and scaled to the norm 0.5, which is on the plateau that the paper shows.
ness::vector_t<Network> random_start(ness::Philox& random) {
  ness::vector_t<Network> start;
  for (double& weight : start) weight = ness::uniform_real(random);
  return start * (0.5 / start.norm());
}

/// One run: 𝓛/lowest − 1 after each of `updates`. Throws `UserError` if it diverges.
template <class Chain>
std::vector<double> relative_errors(const Objective& objective, Chain chain, double lowest,
                                    const std::vector<std::int64_t>& updates) {
  std::vector<double> result;
  std::int64_t update = 0;
  for (const std::int64_t next : updates) {
    const std::int64_t from = update;
    for (; update < next; ++update) chain.update();
    if (!chain.theta().allFinite())
      throw UserError("training from a random start diverged between updates " +
                      std::to_string(from) + " and " + std::to_string(next) + ": lower --eta");
    result.push_back(objective.value(chain.theta()) / lowest - 1);
  }
  return result;
}

/// Between the two nearest of sorted numbers.
double quantile(const std::vector<double>& sorted, double part) {
  const double place = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

/// What each of the runs, in rows, has at the same time.
RelativeError over_runs(const std::vector<std::vector<double>>& of_run) {
  RelativeError result;
  for (std::size_t k = 0; k < of_run.front().size(); ++k) {
    std::vector<double> now;
    for (const auto& run : of_run) now.push_back(run[k]);
    std::sort(now.begin(), now.end());
    result.mean.push_back(std::accumulate(now.begin(), now.end(), 0.0) /
                          static_cast<double>(now.size()));
    result.lower_quartile.push_back(quantile(now, 0.25));
    result.median.push_back(quantile(now, 0.5));
    result.upper_quartile.push_back(quantile(now, 0.75));
  }
  return result;
}

/// `bar_step` is called as each of the runs ends.
template <class Training, class BarStep>
RelativeError train(const Objective& objective, const Options& options, const Training& training,
                    double lowest, const std::vector<std::int64_t>& updates,
                    const BarStep& bar_step) {
  const auto runs = static_cast<std::size_t>(options.training_runs);
  std::vector<std::vector<double>> of_run(runs);
  ness::parallel_for(static_cast<int>(runs), static_cast<int>(options.threads), [&](int run) {
    // Streams beyond those of the chains, so that no two runs share random numbers.
    ness::Philox random(static_cast<std::uint64_t>(options.seed),
                        (std::uint64_t{1} << 32) + static_cast<std::uint64_t>(run));
    const ness::vector_t<Network> start = random_start(random);
    of_run[static_cast<std::size_t>(run)] = relative_errors(
        objective, ness::Chain(objective, training, start, random), lowest, updates);
    bar_step();
  });
  return over_runs(of_run);
}

/// ⟨𝓛⟩/𝓛(θ₀) − 1 in the stationary state: ½ tr HΣ, and what the mean's distance from θ₀ adds.
double stationary_error(const Minimum& minimum, const Prediction& predicted) {
  const Eigen::VectorXd shift = predicted.state.mean() - minimum.theta;
  const double spread = minimum.hessian.cwiseProduct(predicted.state.covariance()).sum();
  return (spread + shift.dot(minimum.hessian * shift)) / (2 * minimum.value);
}

}  // namespace

Simulation Study::simulate(const std::string& sampling, const Prediction& predicted,
                           std::int64_t steps) const {
  const Options& options = problem_->options;
  const Objective& objective = problem_->objective;
  ProgressBar bar("simulating " + sampling);
  return with_training(options, sampling, [&](const auto& training) -> Simulation {
    const ness::Index per_step = training.updates_per_markov_step(objective.samples());
    const double relaxation = static_cast<double>(per_step) / predicted.state.decay_rates()[0];
    const std::int64_t burn_in = burn_in_updates(relaxation, steps);
    const ness::MeasureSettings settings{.run = run_settings(options, steps, burn_in, bar)};
    const std::int64_t batch =
        ness::batch_length(steps / per_step, settings.run.chains, settings.batches);
    const auto [measured, density, currents, drift] = ness::measure_with(
        objective, training, predicted.state, settings, density_histogram(predicted.state, options),
        current_map(predicted.state, options, batch),
        ness::DriftCorrelation<>(objective.parameters(), batch));
    return {
        measured,
        density,
        {currents.first_axis(), currents.second_axis(), currents.current_x(), currents.current_y()},
        drift.trace(),
        burn_in};
  });
}

Way Study::other_way(const std::string& sampling) const {
  const Options& options = problem_->options;
  const Objective& objective = problem_->objective;
  const OtherTraining training = other_training(options, sampling);
  const OtherPrediction theory = predict_other(sampling);
  const State& state = theory.state;
  ProgressBar bar("simulating " + sampling);
  const ness::Index per_step = training.updates_per_markov_step(objective.samples());
  const double relaxation = static_cast<double>(per_step) / state.decay_rates()[0];
  const std::int64_t burn_in = burn_in_updates(relaxation, options.steps);
  ness::MeasureSettings settings{.run = run_settings(options, options.steps, burn_in, bar)};
  settings.run.every_update = options.phase == "mean";
  const std::int64_t batch =
      ness::batch_length(options.steps / (settings.run.every_update ? 1 : per_step),
                         settings.run.chains, settings.batches);
  const ness::detail::SymmetricEigen<double> eigen(problem_->minimum.hessian);
  const auto [measured, along] = ness::measure_with(
      objective, training, state, settings, ness::DirectionalVariance<>(eigen.vectors, batch));
  const Eigen::VectorXd variances = quadratic_forms(eigen.vectors, state.covariance());
  return {sampling,     training.description(),
          per_step > 1, theory,
          measured,     {eigen.values, variances, along.variance()},
          burn_in};
}

TrainingCurve Study::training_curve() const {
  const Options& options = problem_->options;
  const Objective& objective = problem_->objective;
  const Minimum& minimum = problem_->minimum;
  const bool both = problem_->batches_divide_samples();
  ProgressBar bar("training from random starts");
  std::mutex mutex;
  std::int64_t done = 0;
  const auto bar_step = [&] {
    const std::lock_guard lock(mutex);
    done += options.training_steps;
    bar(done, (both ? 2 : 1) * options.training_runs * options.training_steps);
  };
  const std::int64_t epoch = both ? objective.samples() / options.batch : 1;
  const auto updates = spaced(options.training_steps, 100, epoch);
  const auto curve = [&](const std::string& sampling) {
    RelativeError error = with_training(options, sampling, [&](const auto& training) {
      return train(objective, options, training, minimum.value, updates, bar_step);
    });
    error.stationary = stationary_error(minimum, predict(sampling));
    return error;
  };
  return {updates, curve("wr"), both ? std::optional(curve("wor")) : std::nullopt};
}

std::optional<Approach> Study::approach() const {
  const Options& options = problem_->options;
  const Minimum& minimum = problem_->minimum;
  const ness::detail::SymmetricEigen<double> eigen(minimum.hessian);
  const double relaxation = 1 / (options.eta * eigen.values[0]);
  constexpr int looks = 120;
  Approach result{.times = {}, .curvature = eigen.values, .farthest = {}, .runs = 4, .start = 10};
  const auto between = static_cast<std::int64_t>(std::ceil(6 * relaxation / looks));
  if (between > 100'000) return std::nullopt;
  const Eigen::MatrixXd sigma = predict_other("wr").state.covariance();
  const Eigen::VectorXd unit = quadratic_forms(eigen.vectors, sigma).cwiseSqrt();
  if (!(unit.minCoeff() > 0)) return std::nullopt;
  const Eigen::VectorXd start = minimum.theta + eigen.vectors * (result.start * unit);
  for (int k = 0; k <= looks; ++k)
    result.times.push_back(static_cast<double>(k * between) / relaxation);
  result.farthest.setZero(unit.size(), looks + 1);
  with_training(options, "wr", [&](const auto& training) {
    for (int run = 0; run < result.runs; ++run) {
      ness::Philox random(static_cast<std::uint64_t>(options.seed),
                          (std::uint64_t{1} << 33) + static_cast<std::uint64_t>(run));
      ness::Chain chain(problem_->objective, training, start, random);
      for (Eigen::Index k = 0; k <= looks; ++k) {
        for (std::int64_t step = 0; k > 0 && step < between; ++step) chain.step();
        const Eigen::VectorXd away =
            (eigen.vectors.transpose() * (chain.theta() - minimum.theta)).cwiseQuotient(unit);
        result.farthest.col(k) = result.farthest.col(k).cwiseMax(away.cwiseAbs());
      }
    }
  });
  const double chance = 1e-3 / (result.runs * static_cast<double>(unit.size()));
  while (ness::student_tail(result.level, 1e9) > chance) result.level += 1e-3;
  return result;
}
