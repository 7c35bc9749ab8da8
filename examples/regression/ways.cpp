#include "ways.hpp"

#include <ness/detail/symmetric_matrices.hpp>
#include <ness/minibatch/drop_last.hpp>
#include <ness/minibatch/independent_draws.hpp>
#include <ness/minibatch/one_of.hpp>
#include <ness/minibatch/poisson.hpp>
#include <ness/minibatch/there_and_back.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/trajectory/directional_variance.hpp>
#include <ness/trajectory/measure.hpp>
#include <ness/update/momentum.hpp>

#include "../common/progress.hpp"
#include "../common/run_settings.hpp"
#include "problem.hpp"

namespace {

// Chosen when the program runs, so that there are two kinds of chains to compile and not fifteen.
using Draws = ness::OneOf<ness::WithReplacement, ness::IndependentDraws, ness::Poisson>;
using Epochs = ness::OneOf<ness::WithoutReplacement, ness::DropLast, ness::ThereAndBack>;

ness::LinearUpdate update(const Options& options) {
  if (options.nesterov) return ness::Nesterov{options.momentum}.linear();
  return ness::HeavyBall{.momentum = options.momentum}.linear();
}

template <class Minibatch>
auto training_by(const Options& options, const Minibatch& minibatch) {
  return ness::Sgd<Minibatch, ness::LinearUpdate>{
      .learning_rate = options.eta, .minibatch = minibatch, .update = update(options)};
}

/// Calls `look` with the training of that name.
template <class Look>
auto with_way(const Options& options, const std::string& sampling, const Look& look) {
  const Eigen::Index m = options.batch;
  if (sampling == "wr") return look(training_by(options, Draws(ness::WithReplacement{m})));
  if (sampling == "iid") return look(training_by(options, Draws(ness::IndependentDraws{m})));
  if (sampling == "poisson") return look(training_by(options, Draws(ness::Poisson{m})));
  if (sampling == "drop-last") return look(training_by(options, Epochs(ness::DropLast{m})));
  if (sampling == "there-and-back")
    return look(training_by(options, Epochs(ness::ThereAndBack{m})));
  return look(training_by(options, Epochs(ness::WithoutReplacement{m})));
}

ness::RunSettings every_update(ness::RunSettings run, bool phases) {
  run.every_update = phases;
  return run;
}

ness::PredictSettings to_all_orders(bool phases) {
  return {.form = ness::LyapunovForm::discrete,
          .epochs = {.order = ness::EpochOrder::additive,
                     .phase = phases ? ness::EpochPhase::mean : ness::EpochPhase::end}};
}

}  // namespace

Way Study::other_way(const std::string& sampling) const {
  const Options& options = problem_->options;
  const Objective& objective = problem_->objective;
  const bool phases = options.phase == "mean";
  ProgressBar bar("simulating " + sampling);
  return with_way(options, sampling, [&](const auto& training) -> Way {
    const State state =
        ness::predict(objective, problem_->minimum, training, to_all_orders(phases));
    const ness::Index per_step = training.updates_per_markov_step(objective.samples());
    const double relaxation = static_cast<double>(per_step) / state.decay_rates()[0];
    const std::int64_t burn_in = burn_in_updates(relaxation, options.steps);
    const ness::MeasureSettings settings{
        .run = every_update(run_settings(options, options.steps, burn_in, bar), phases),
        .lengths = {}};
    const ness::detail::SymmetricEigen<double> eigen(problem_->minimum.hessian);
    const std::int64_t batch =
        ness::batch_length(options.steps / (phases ? 1 : per_step),
                           static_cast<int>(options.chains), settings.batches);
    const auto [measured, along] = ness::measure_with(
        objective, training, state, settings, ness::DirectionalVariance<>(eigen.vectors, batch));
    const Eigen::MatrixXd projected =
        eigen.vectors.transpose() * state.covariance() * eigen.vectors;
    return {sampling,
            training.description(),
            ness::DrawsEpochs<std::remove_cvref_t<decltype(training)>>,
            state,
            measured,
            {eigen.values, projected.diagonal(), along.variance()},
            burn_in};
  });
}
