// The regression network.
#include <ness/diffusion/independent_batches.hpp>
#include <ness/dynamics/chain.hpp>
#include <ness/dynamics/euler_maruyama.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/stationary/entropy_spectrum.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/update/momentum.hpp>

#include "../common/regression_network.hpp"
#include "../common/user_error.hpp"
#include "chains.hpp"
#include "study.hpp"

namespace {

/// What is left of Eq. 29 as learning rates become large, for the D of independent batches.
FiniteSteps finite_steps(const Objective& objective, const ness::Minimum<>& minimum,
                         const Options& options) {
  FiniteSteps found;
  const double largest = minimum.hessian_eigenvalues.maxCoeff();
  for (const double rate : {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 1.5}) {
    const ness::Sgd<ness::WithReplacement> training{.learning_rate = rate / largest,
                                                    .minibatch = {options.batch}};
    const auto leading = ness::predict(objective, minimum, training);
    const auto steps =
        ness::predict(objective, minimum, training, {.form = ness::LyapunovForm::discrete});
    found.eta.push_back(training.learning_rate);
    found.ratio.push_back(ness::EntropySpectrum(steps).rate() / leading.entropy_production());
  }
  return found;
}

/// Normal noise in place of minibatches, of D where θ is or of that at the minimum: a time step of
/// 1 is an update.
template <class Training>
class NormalNoise {
 public:
  NormalNoise(const Objective& objective, const Training& training, const Eigen::VectorXd& minimum,
              bool everywhere)
      : objective_(objective),
        training_(training),
        at_minimum_(ness::update_diffusion(objective, minimum, training)),
        everywhere_(everywhere) {}

  Eigen::Index parameters() const { return objective_.parameters(); }
  void drift(const Eigen::VectorXd& theta, Eigen::VectorXd& out) const {
    out = -training_.learning_rate * objective_.gradient(theta);
  }
  void diffusion(const Eigen::VectorXd& theta, Eigen::MatrixXd& out) const {
    if (everywhere_)
      out = ness::update_diffusion(objective_, theta, training_);
    else
      out = at_minimum_;
  }

 private:
  const Objective& objective_;
  Training training_;
  Eigen::MatrixXd at_minimum_;
  bool everywhere_;
};

/// From the chain that theory is of to the training, a thing at a time: which of them it is that
/// theory leaves out.
template <class Training>
std::vector<Between> chains_between(const Options& options, const Objective& objective,
                                    const ness::Minimum<>& minimum, const Training& training,
                                    const ness::StationaryState<>& state, std::int64_t updates,
                                    double relaxation) {
  std::vector<Between> found;
  const std::int64_t lag = options.lags.front();
  const auto add = [&](const std::string& chain, const auto& system) {
    const LaggedRuns runs(chain, options, updates, relaxation, lag, state.mean(),
                          [&](int k, bool tried) {
                            return ness::EulerMaruyama(system, 1, Eigen::VectorXd(state.mean()),
                                                       stream(options, k, tried));
                          });
    const auto learnt = std::get<0>(runs.learn(ness::CurrentForce<>(objective.parameters())));
    const auto bounds = std::get<0>(
        runs.try_out(ness::CurrentBounds<>(learnt.force(), learnt.centre(), runs.batch())));
    const auto per_update = [lag](const Estimate<double>& bound) {
      return per_time(bound, static_cast<double>(lag));
    };
    found.push_back(
        {chain, per_update(bounds.uncertainty_bound()), per_update(bounds.entropy_bound())});
  };
  add("parabola, normal noise of D at the minimum", state.linear_system());
  for (const bool everywhere : {false, true})
    add(everywhere ? "loss, normal noise of D where theta is"
                   : "loss, normal noise of D at the minimum",
        NormalNoise(objective, training, minimum.theta, everywhere));
  return found;
}

template <class Training>
Results study(Results results, const Options& options, const Objective& objective,
              const ness::Minimum<>& minimum, const Training& training,
              const ness::PredictSettings& settings) {
  const auto state = ness::predict(objective, minimum, training, settings);
  const Eigen::VectorXd mean = state.mean();
  const Eigen::Index of_step = training.updates_per_markov_step(objective.samples());
  const double rate = ness::EntropySpectrum(state).rate();
  results.exact = state.has_memory() ? entropy_of_pairs(state, 1) : rate;
  if (state.has_memory()) results.of_path = rate;
  results.continuous = ness::predict(objective, minimum, training).entropy_production();
  results.spectrum = spectrum_of(state);
  const double relaxation = static_cast<double>(of_step) / state.decay_rates()[0];
  const std::int64_t updates =
      options.steps > 0 ? options.steps : std::max<std::int64_t>(1'000'000, of_step * 100'000);
  look(results, options, state, updates, relaxation, [&](int k, bool tried) {
    return ness::Chain(objective, training, mean, stream(options, k, tried));
  });
  if (options.system == "sgd")
    results.between =
        chains_between(options, objective, minimum, training, state, updates, relaxation);
  // All orders of an epoch are kept, but not what is beyond the quadratic landscape.
  add_rows(results, training.learning_rate * minimum.hessian_eigenvalues.maxCoeff());
  return results;
}

}  // namespace

Results study_training(const Options& options) {
  const Objective objective(make_network(options), ness::L2{options.lambda});
  const bool epochs = options.system == "wor";
  check_batch(options, objective.samples(), epochs);
  const ness::Minimum<> minimum = find_minimum(objective);
  require_option(options.eta * minimum.hessian_eigenvalues.maxCoeff() < 2, "--eta",
                 "be below 2 / h_max for a stationary state", options.eta, "lower it");
  require_option(options.time_step == 0, "--time-step", "be left out of trainings",
                 options.time_step, "their unit is an update, or an epoch");
  Results results{.key = options.system,
                  .title = "SGD on the regression network",
                  .unit = epochs ? "epoch" : "update",
                  .steps = 0};
  const ness::PredictSettings exact{.form = ness::LyapunovForm::discrete, .mean_shift = true};
  if (options.system == "sgd") {
    const ness::Sgd<ness::WithReplacement> training{.learning_rate = options.eta,
                                                    .minibatch = {options.batch}};
    results.finite_steps = finite_steps(objective, minimum, options);
    return study(std::move(results), options, objective, minimum, training, exact);
  }
  if (epochs) {
    results.title += ", without replacement";
    const ness::Sgd<ness::WithoutReplacement> training{.learning_rate = options.eta,
                                                       .minibatch = {options.batch}};
    return study(std::move(results), options, objective, minimum, training,
                 {.mean_shift = true, .epochs = {.order = ness::EpochOrder::all}});
  }
  results.title += ", heavy ball";
  const ness::Sgd<ness::WithReplacement, ness::HeavyBall> training{
      .learning_rate = options.eta,
      .minibatch = {options.batch},
      .update = {.momentum = options.momentum}};
  return study(std::move(results), options, objective, minimum, training, exact);
}
