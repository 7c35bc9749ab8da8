#include <ness/posterior/posterior_error.hpp>

#include "problem.hpp"

void Study::add_exact_moments(Results& results) const {
  const Options& options = problem_->options;
  const ness::PosteriorSettings settings{
      .epoch_map = {.permutations = options.permutations,
                    .threads = static_cast<int>(options.threads)}};
  auto sampler = results.samplers.begin();
  for_each_sampler([&](const std::string&, const std::string&, const auto& open) {
    for (Point& point : sampler->points)
      point.exact = ness::exact_posterior_error(problem_->objective, problem_->minimum,
                                                at(open, point.eta, options), settings);
    ++sampler;
  });
}
