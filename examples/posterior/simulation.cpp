#include <algorithm>
#include <cmath>
#include <ness/dynamics/chain.hpp>
#include <ness/posterior/posterior_estimator.hpp>
#include <ness/random/philox.hpp>
#include <ness/trajectory/run.hpp>

#include "../common/progress.hpp"
#include "../common/run_settings.hpp"
#include "problem.hpp"

namespace {

/// Updates that cost as many gradients of samples as `--steps` updates of SGLD.
template <class Sampler>
std::int64_t updates_of_equal_cost(const Options& options, const Sampler& sampler,
                                   Eigen::Index samples) {
  const auto cost = static_cast<double>(ness::gradient_evaluations(sampler, samples));
  const double steps = static_cast<double>(options.steps) * static_cast<double>(options.batch);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(steps / cost)) *
         sampler.updates_per_markov_step(samples);
}

template <class Sampler>
Run simulate(const Options& options, const Objective& objective, const ness::Minimum<>& minimum,
             double eta, const Sampler& open, const std::string& title) {
  const Sampler sampler = at(open, eta, options, minimum);
  ProgressBar bar(title);
  const std::int64_t updates = updates_of_equal_cost(options, sampler, objective.samples());
  const double relaxation = 1 / (eta * minimum.hessian_eigenvalues[0]);
  const ness::RunSettings settings =
      run_settings(options, updates, burn_in_updates(relaxation, updates), bar);
  const ness::Index per_step = sampler.updates_per_markov_step(objective.samples());
  // Batches of several relaxation times, where there are enough of them.
  const double all_updates = static_cast<double>(updates) * settings.chains;
  const double batches = std::clamp(all_updates / (6 * relaxation), 8.0, 32.0);
  const std::int64_t length =
      ness::batch_length(updates / per_step, settings.chains, static_cast<int>(batches));
  const ness::PosteriorEstimator<> estimator(ness::gaussian_posterior(minimum), length);
  const auto make_chain = [&](int k) {
    return ness::Chain(objective, sampler, minimum.theta,
                       ness::Philox(settings.seed, static_cast<std::uint64_t>(k)));
  };
  Run run;
  run.too_short = static_cast<double>(length * per_step) < 3 * relaxation;
  try {
    const auto [drawn] = ness::run_chains(settings, make_chain, minimum.theta, estimator);
    run.error = drawn.result();
    run.autocorrelation_time = drawn.autocorrelation_time().maxCoeff();
    run.effective_samples = static_cast<double>(drawn.steps()) / (2 * run.autocorrelation_time);
  } catch (const ness::Diverged&) {
    run.diverged = true;
  }
  return run;
}

}  // namespace

void Study::add_runs(Results& results) const {
  auto sampler = results.samplers.begin();
  for_each_sampler([&](const std::string&, const std::string& title, const auto& open) {
    for (Point& point : sampler->points) {
      point.run = simulate(problem_->options, problem_->objective, problem_->minimum, point.eta,
                           open, title);
      point.gradients_per_sample =
          2 * point.run->autocorrelation_time * static_cast<double>(sampler->gradients_per_step);
    }
    ++sampler;
  });
}
