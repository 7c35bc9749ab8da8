// How the gyrator settles: an ensemble on its way to the stationary state (Eqs. C5, C6).
#include <algorithm>
#include <ness/dynamics/euler_maruyama.hpp>
#include <ness/stationary/relaxation.hpp>
#include <ness/trajectory/relaxation.hpp>

#include "chains.hpp"
#include "study.hpp"

namespace {

/// Evenly spaced over four relaxation times.
std::vector<std::int64_t> times(double relaxation_time) {
  constexpr int count = 24;
  std::vector<std::int64_t> steps;
  for (int k = 1; k <= count; ++k)
    steps.push_back(std::max<std::int64_t>(
        k, static_cast<std::int64_t>(std::llround(4 * relaxation_time * k / count))));
  return steps;
}

}  // namespace

Settling settle_gyrator(const Gyrator& gyrator, double time_step, double relaxation_time,
                        const Options& options) {
  const Eigen::Vector2d start(2, -1);
  const ness::Relaxation<> predicted(
      ness::linear_chain(gyrator, time_step, ness::LyapunovForm::discrete),
      {start, Eigen::Matrix2d::Zero()});
  ProgressBar bar("gyrator, settling");
  Settling settling{.time_step = time_step, .theory = {}, .measured = {}};
  settling.measured = ness::measure_relaxation(
      [&](int run) {
        // Streams beyond those of the chains, so that no two share random numbers.
        return ness::EulerMaruyama(gyrator, time_step, start, stream(options, (1 << 24) + run));
      },
      times(relaxation_time),
      {.runs = 10'000,
       .groups = 100,
       .threads = static_cast<int>(options.threads),
       .progress = [&](std::int64_t done, std::int64_t all) { bar(done, all); }});
  for (const auto& at : settling.measured)
    settling.theory.push_back(predicted.at(static_cast<double>(at.steps)));
  return settling;
}

std::vector<ness::ComparisonRow> rows_of(const Settling& settling) {
  std::vector<Estimate<double>> mean_theory, mean, covariance_theory, covariance;
  for (std::size_t k = 0; k < settling.theory.size(); ++k) {
    const auto& theory = settling.theory[k];
    const auto& found = settling.measured[k];
    for (int i = 0; i < 2; ++i) {
      mean_theory.push_back({theory.mean[i], 0});
      mean.push_back(
          {found.mean.value[i], found.mean.standard_error[i], found.mean.degrees_of_freedom});
      for (int j = 0; j <= i; ++j) {
        covariance_theory.push_back({theory.covariance(i, j), 0});
        covariance.push_back({found.covariance.value(i, j), found.covariance.standard_error(i, j),
                              found.covariance.degrees_of_freedom});
      }
    }
  }
  return {ness::compare_points("settling, mean", mean_theory, mean),
          ness::compare_points("settling, covariance", covariance_theory, covariance)};
}
