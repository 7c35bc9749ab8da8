#include "decreasing.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <ness/dynamics/chain.hpp>
#include <ness/dynamics/scheduled.hpp>
#include <ness/posterior/decreasing_error.hpp>
#include <ness/random/normal.hpp>
#include <ness/random/philox.hpp>
#include <ness/statistics/threads.hpp>
#include <stdexcept>

#include "../common/progress.hpp"
#include "problem.hpp"

namespace {

constexpr double usual_exponent = 0.55;
constexpr double delay = 100;  // passes over the data
constexpr int runs = 100;      // of each series

/// 10, 32, 100, … passes over the data, in Markov steps that cost so many each.
std::vector<std::int64_t> look_at(double passes_per_step) {
  std::vector<std::int64_t> steps;
  for (int k = 2; k <= 10; ++k)
    steps.push_back(
        std::max(static_cast<std::int64_t>(std::llround(std::pow(10, k / 2.0) / passes_per_step)),
                 steps.empty() ? std::int64_t{1} : steps.back() + 1));
  return steps;
}

/// diag(√h) Oᵀ, which makes the posterior round.
Eigen::Matrix3d rounding(const ness::Minimum<>& minimum) {
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> eigen(Eigen::Matrix3d{minimum.hessian});
  return eigen.eigenvalues().cwiseSqrt().asDiagonal() * eigen.eigenvectors().transpose();
}

/// How far means over runs are from the variances of the posterior, as far as `--steps` allow.
template <class Sampler>
void add_runs(DecreasingSeries& series, const Options& options, const Objective& objective,
              const ness::Minimum<>& minimum, const Sampler& sampler,
              const ness::PowerSchedule& schedule, const std::vector<std::int64_t>& steps) {
  const double passes = static_cast<double>(options.steps) * static_cast<double>(options.batch) /
                        static_cast<double>(objective.samples()) / 20;
  const auto looks = static_cast<Eigen::Index>(
      std::count_if(series.points.begin(), series.points.end(),
                    [&](const DecreasingPoint& point) { return point.passes <= 1.01 * passes; }));
  const Eigen::Matrix3d round = rounding(minimum),
                        back = round.transpose() *
                               minimum.hessian_eigenvalues.cwiseInverse().asDiagonal();
  Eigen::MatrixXd squares(looks, runs);  // mean over directions of the square of the error
  ness::parallel_for(runs, static_cast<int>(options.threads), [&](int k) {
    const auto stream = static_cast<std::uint64_t>(k);
    const auto seed = static_cast<std::uint64_t>(options.seed);
    ness::Philox random(seed, stream + (std::uint64_t{1} << 33));
    ness::Normal normal;
    Eigen::Vector3d start;
    normal.fill(random, start);
    start = back * start + minimum.theta;
    ness::Scheduled chain(ness::Chain(objective, sampler, start, ness::Philox(seed, stream)),
                          schedule);
    Eigen::Vector3d sum = Eigen::Vector3d::Zero();
    double weights = 0;
    for (Eigen::Index look = 0; look < looks; ++look) {
      while (chain.markov_steps() < steps[static_cast<std::size_t>(look)]) {
        chain.step();
        sum += chain.learning_rate() * (round * (chain.theta() - minimum.theta)).cwiseAbs2();
        weights += chain.learning_rate();
      }
      squares(look, k) = (sum / weights - Eigen::Vector3d::Ones()).squaredNorm() / 3;
    }
  });
  for (Eigen::Index look = 0; look < looks; ++look) {
    DecreasingPoint& point = series.points[static_cast<std::size_t>(look)];
    const double mean = squares.row(look).mean();
    const double variance = (squares.row(look).array() - mean).square().sum() / (runs - 1);
    point.measured = std::sqrt(mean);
    point.standard_error = std::sqrt(variance / runs) / (2 * point.measured);
  }
}

/// Both exponents of a sampler.
template <class Sampler>
void follow(std::vector<DecreasingSeries>& all, const Options& options, const Objective& objective,
            const ness::Minimum<>& minimum, Sampler sampler, const std::string& key,
            const std::string& title, double order, double first) {
  sampler.learning_rate = first;
  sampler.minibatch.batch_size = options.batch;
  const double passes_per_step =
      static_cast<double>(ness::gradient_evaluations(sampler, objective)) /
      static_cast<double>(objective.samples());
  const std::vector<std::int64_t> steps = look_at(passes_per_step);
  const auto with = [&](double exponent) {
    return ness::PowerSchedule{
        .first = first, .delay = delay / passes_per_step, .exponent = exponent};
  };
  const ness::ErrorCurve curve =
      ness::error_curve(objective, minimum, sampler,
                        {.least = with(usual_exponent)(steps.back()),
                         .greatest = first,
                         .moments = {.epoch_map = {.permutations = options.permutations,
                                                   .threads = static_cast<int>(options.threads)}}});
  for (const bool best : {true, false}) {
    const double exponent = best ? ness::PowerSchedule::best_exponent(order) : usual_exponent;
    const ness::PowerSchedule schedule = with(exponent);
    DecreasingSeries series{key,      title, best ? "best" : "usual", order, first, schedule.delay,
                            exponent, {}};
    for (const auto& error : ness::decreasing_error(curve, schedule, steps))
      series.points.push_back({.passes = passes_per_step * static_cast<double>(error.markov_steps),
                               .learning_rate = error.learning_rate,
                               .divergence = error.divergence,
                               .error = error.root_mean_square(),
                               .bias = error.bias.norm() / std::sqrt(3.0)});
    if (options.steps > 0) {
      ProgressBar bar(title + ", a learning rate that falls");
      add_runs(series, options, objective, minimum, sampler, schedule, steps);
    }
    all.push_back(series);
  }
}

}  // namespace

std::vector<DecreasingSeries> Study::decreasing() const {
  const auto& [options, objective, minimum] = *problem_;
  const double stiffest = minimum.hessian_eigenvalues.maxCoeff();
  const double slowest = minimum.hessian_eigenvalues[0];
  const double batches =
      static_cast<double>(objective.samples()) / static_cast<double>(options.batch);
  const ness::Index subset = std::min<ness::Index>(20, objective.samples());
  std::vector<DecreasingSeries> all;
  // Each begins where its stationary state is wrong by a quarter or so.
  follow(all, options, objective, minimum, ness::Sgld{}, "sgld", "SGLD", 1,
         0.5 / (batches * stiffest));
  follow(all, options, objective, minimum, ness::SgworldLm{.correction = {.samples = subset}},
         "sgworld_lm", "SGWORLD-LM", 3, std::min(0.5, 2 / batches) / stiffest);
  follow(all, options, objective, minimum,
         ness::SmsUbu{.update = {.friction = 2 * std::sqrt(slowest)}}, "ubu_there_and_back",
         "UBU, there and back", 2, std::min(0.5, 1 / batches) / std::sqrt(stiffest));
  return all;
}
