#include <cmath>
#include <ness/posterior/autocorrelation_time.hpp>
#include <ness/posterior/kinetic_error.hpp>
#include <ness/posterior/posterior_error.hpp>

#include "problem.hpp"

void Study::add_exact_moments(Results& results) const {
  const Options& options = problem_->options;
  const ness::PosteriorSettings settings{
      .epoch_map = {.permutations = options.permutations,
                    .threads = static_cast<int>(options.threads)}};
  auto sampler = results.samplers.begin();
  for_each_sampler([&](const std::string&, const std::string&, const auto& open) {
    for (Point& point : sampler->points) {
      const auto with = at(open, point.eta, options, problem_->minimum);
      point.exact =
          ness::exact_posterior_error(problem_->objective, problem_->minimum, with, settings);
      const double steps =
          2 * ness::autocorrelation_time(problem_->objective, problem_->minimum, with);
      const bool is_stationary = point.exact.status == ness::SamplingStatus::stationary;
      point.cost = is_stationary ? steps * static_cast<double>(sampler->gradients_per_step) : NAN;
    }
    ++sampler;
  });
}
