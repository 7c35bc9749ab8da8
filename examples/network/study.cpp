#include "study.hpp"

#include <chrono>
#include <cmath>
#include <iostream>
#include <limits>
#include <ness/diffusion/epoch_noise_along.hpp>
#include <ness/diffusion/noise_spectrum.hpp>
#include <ness/dynamics/chain.hpp>
#include <ness/dynamics/projected.hpp>
#include <ness/landscape/truncated_newton.hpp>
#include <ness/minibatch/one_of.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/mlp.hpp>
#include <ness/random/normal.hpp>
#include <ness/stationary/averages.hpp>
#include <ness/stationary/predict_along.hpp>
#include <ness/trajectory/moments.hpp>
#include <ness/trajectory/run.hpp>
#include <ness/update/momentum.hpp>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include "../common/digits.hpp"
#include "../common/files.hpp"
#include "../common/numbers.hpp"
#include "../common/progress.hpp"
#include "../common/run_settings.hpp"
#include "../common/user_error.hpp"

namespace {

using Network = ness::Mlp<ness::DynamicLayers, ness::Tanh, ness::SoftmaxCrossEntropy>;
using Objective = ness::Objective<Network, ness::L2>;
using Streamed = ness::StreamedObjective<Network, ness::L2>;
template <class Minibatch>
using Training = ness::Sgd<Minibatch, ness::LinearUpdate>;
using EitherBatches = ness::OneOf<ness::WithReplacement, ness::WithoutReplacement>;

class Clock {
 public:
  double seconds() const {
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - start_;
    return since.count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

template <class Minibatch>
Training<Minibatch> training_of(const Options& options, Minibatch minibatch, double momentum) {
  return {.learning_rate = options.eta,
          .minibatch = minibatch,
          .update = ness::HeavyBall{.momentum = momentum}.linear()};
}

Digits get_digits(const Options& options) {
  const bool all_pixels = options.widths.front() != digit_features;
  if (options.synthetic) {
    Digits digits = synthetic_digits(options.samples > 0 ? options.samples : 60'000);
    if (all_pixels) digits.features = spread_over_pixels(digits.features);
    return digits;
  }
  if (all_pixels) return read_pixel_digits(options.images, options.labels, options.samples);
  return read_digits(options.images, options.labels, options.samples);
}

Objective make_objective(const Options& options) {
  const Digits digits = get_digits(options);
  check_batch(options, digits.features.cols());
  std::vector<int> widths(options.widths.begin(), options.widths.end());
  return Objective(Network(digits.features, one_hot(digits.labels), widths),
                   ness::L2{options.lambda});
}

/// Random, or what a search before has left.
Eigen::VectorXd start_of(const Options& options, Eigen::Index parameters) {
  Eigen::VectorXd theta(parameters);
  if (options.start.empty()) {
    ness::Philox random(static_cast<std::uint64_t>(options.seed), std::uint64_t{1} << 32);
    ness::Normal().fill(random, theta);
    return 0.05 * theta;
  }
  const std::vector<double> numbers = read_numbers(options.start);
  require_option(static_cast<Eigen::Index>(numbers.size()) == parameters, "--start",
                 "hold N = " + std::to_string(parameters) + " numbers",
                 static_cast<std::int64_t>(numbers.size()), "it is of other --widths");
  return Eigen::Map<const Eigen::VectorXd>(numbers.data(), parameters);
}

void save_parameters(const std::string& path, const Eigen::VectorXd& theta) {
  std::ostringstream text;
  text.precision(17);
  for (const double each : theta) text << each << '\n';
  write_atomically(path, text.str());
}

void find_minimum(const Options& options, const Streamed& streamed, Summary& summary) {
  const Clock clock;
  if (!options.save.empty()) require_writable(options.save);
  ProgressBar bar("looking for the minimum");
  double saved = 0;
  const auto progress = [&](const ness::MinimizeProgress& now) {
    // Digits of the gradient: what is left is not known beforehand.
    const double digits = std::max(0.0, -std::log10(now.relative_gradient));
    bar(static_cast<std::int64_t>(1000 * std::min(digits / 8, 1.0)), 1000);
    summary.products = now.products;
    if (!options.save.empty() && clock.seconds() >= saved + options.checkpoint_seconds) {
      save_parameters(options.save, now.theta);
      saved = clock.seconds();
    }
  };
  summary.minimum =
      ness::minimize(streamed, start_of(options, streamed.parameters()), {.progress = progress});
  if (!options.save.empty()) save_parameters(options.save, summary.minimum.theta);
  if (summary.minimum.status != ness::MinimumStatus::converged)
    throw UserError(summary.minimum.explanation() + " (--lambda, --start)");
  summary.relative_gradient = summary.minimum.gradient_norm / summary.minimum.gradient_rounding *
                              std::numeric_limits<double>::epsilon();
  summary.minimum_seconds = clock.seconds();
}

void find_eigenvectors(const Options& options, const Streamed& streamed, Summary& summary) {
  const Clock clock;
  ProgressBar bar("looking for eigenvectors");
  summary.pairs = ness::leading_eigenpairs(
      streamed, summary.minimum.theta,
      {.count = options.directions, .progress = [&](Eigen::Index, double residual) {
         const double digits = std::max(0.0, -std::log10(residual));
         bar(static_cast<std::int64_t>(1000 * std::min(digits / 6, 1.0)), 1000);
       }});
  if (!summary.pairs.converged)
    throw UserError("the eigenvectors have not converged: ask for fewer (--directions)");
  summary.spectrum_seconds = clock.seconds();
}

double accuracy(const Network& network, const Eigen::VectorXd& theta) {
  Eigen::Index right = 0;
  for (Eigen::Index i = 0; i < network.samples(); ++i) {
    Eigen::Index guess = 0, label = 0;
    network.output(theta, network.inputs().col(i)).maxCoeff(&guess);
    network.targets().col(i).maxCoeff(&label);
    right += guess == label;
  }
  return static_cast<double>(right) / static_cast<double>(network.samples());
}

}  // namespace

struct Study::Problem {
  Options options;
  Objective objective;
  Summary summary = {};
  std::optional<ness::EpochNoiseAlong> epochs = {};  // where batches divide the samples

  Streamed streamed() const {
    return Streamed(objective, static_cast<int>(options.threads), ranks());
  }
};

namespace {

/// What minibatches make of the noise: over the spectrum, and of epochs along the eigenvectors.
void find_noise(const Options& options, const Streamed& streamed, Summary& summary,
                std::optional<ness::EpochNoiseAlong>& epochs) {
  const Clock clock;
  {
    ProgressBar bar("traces of the noise");
    summary.noise = ness::noise_spectrum(
        streamed, summary.minimum.theta,
        training_of(options, ness::WithReplacement{options.batch}, 0),
        {.probes = 4, .steps = 60, .progress = [&](Eigen::Index done, Eigen::Index all) {
           bar(done, all);
         }});
  }
  summary.noise_seconds = clock.seconds();
  if (summary.samples % options.batch != 0) return;
  ProgressBar bar("noise of epochs");
  epochs = ness::epoch_noise_along(
      streamed, summary.minimum.theta, summary.pairs.vectors,
      training_of(options, ness::WithoutReplacement{options.batch}, 0),
      {.progress = [&](Eigen::Index done, Eigen::Index all) { bar(done, all); }});
  summary.epochs_seconds = clock.seconds() - summary.noise_seconds;
}

}  // namespace

namespace {

/// What the largest part of it takes beside the data: Lanczos vectors and their images, or blocks
/// as large as Q for the noise of epochs, or the search for the minimum.
void tell_memory(const Options& options, Eigen::Index parameters, Eigen::Index samples) {
  const auto directions = static_cast<double>(options.directions);
  const auto threads = static_cast<double>(
      options.threads > 0 ? options.threads : std::thread::hardware_concurrency());
  const double levels = std::log2(1 + static_cast<double>(samples) / 512);  // of a sum in a tree
  const double vectors =
      std::max({30.0, 5 * directions + 112, (8 + 2 * threads + levels) * directions + 10});
  const auto data = static_cast<double>(samples * (options.widths.front() + digit_classes));
  const double bytes = 8 * (data + vectors * static_cast<double>(parameters)) + 10e6;
  std::cout << "N = " << parameters << ": some " << std::llround(bytes / 1e6)
            << " MB of memory at most\n"
            << std::flush;
}

}  // namespace

Study::Study(const Options& options) {
  auto problem = std::make_unique<Problem>(Problem{options, make_objective(options)});
  const Objective& objective = problem->objective;
  Summary& summary = problem->summary;
  summary.parameters = objective.parameters();
  summary.samples = objective.samples();
  require_option(options.directions <= summary.parameters, "--directions",
                 "be at most N = " + std::to_string(summary.parameters), options.directions,
                 "ask for fewer");
  tell_memory(options, summary.parameters, summary.samples);
  const Streamed streamed = problem->streamed();
  find_minimum(options, streamed, summary);
  summary.accuracy = accuracy(objective.model(), summary.minimum.theta);
  find_eigenvectors(options, streamed, summary);
  TrainingOptions slow = options;  // momentum makes larger rates stable
  slow.eta /= 1 + options.momentum;
  check_stability(slow, summary.pairs.values[0]);
  find_noise(options, streamed, summary, problem->epochs);
  problem_ = std::move(problem);
}

Study::~Study() = default;

const Summary& Study::summary() const { return problem_->summary; }
double Study::momentum() const { return problem_->options.momentum; }
bool Study::batches_divide_samples() const { return problem_->epochs.has_value(); }

Prediction Study::predict(const std::string& sampling, double momentum) const {
  const Options& options = problem_->options;
  const Summary& summary = problem_->summary;
  const Streamed streamed = problem_->streamed();
  const Clock clock;
  if (sampling == "wr") {
    const auto training = training_of(options, ness::WithReplacement{options.batch}, momentum);
    return {ness::predict(streamed, summary.minimum, summary.pairs, training,
                          {.form = ness::LyapunovForm::discrete}),
            clock.seconds(),
            {}};
  }
  // What batches that differ in curvature add is known of plain updates.
  const auto order = momentum > 0 ? ness::EpochOrder::additive : ness::EpochOrder::combined;
  const auto training = training_of(options, ness::WithoutReplacement{options.batch}, momentum);
  const auto state_of = [&](ness::EpochOrder by) {
    return ness::predict(streamed, summary.minimum, summary.pairs, training, *problem_->epochs,
                         {.epochs = {.order = by}});
  };
  State state = state_of(order);
  Eigen::VectorXd share;
  if (order == ness::EpochOrder::combined) {
    const State additive = state_of(ness::EpochOrder::additive);
    share = 1 - additive.covariance().diagonal().array() / state.covariance().diagonal().array();
  }
  return {std::move(state), clock.seconds() + summary.epochs_seconds, share};
}

Simulation Study::simulate(const std::string& sampling, const Prediction& predicted) const {
  const Options& options = problem_->options;
  const Objective& objective = problem_->objective;
  const Summary& summary = problem_->summary;
  const auto minibatch = sampling == "wr" ? EitherBatches(ness::WithReplacement{options.batch})
                                          : EitherBatches(ness::WithoutReplacement{options.batch});
  const auto training = training_of(options, minibatch, options.momentum);
  const Eigen::Index per_step = training.updates_per_markov_step(objective.samples());
  const Eigen::Index every = per_step == 1 ? options.stride : 1;
  const std::int64_t per_look = per_step * every;
  const double slowest = static_cast<double>(per_step) / predicted.state.decay_rates()[0];
  const std::int64_t burn_in = burn_in_updates(slowest, options.steps);
  const Eigen::Index count = summary.pairs.values.size();
  ProgressBar bar("simulating " + sampling);
  ness::RunSettings run = run_settings(options, options.steps, burn_in, bar);
  if (!options.checkpoint.empty())
    run.checkpoint = {
        .file = options.checkpoint + (options.sampling.size() > 1 ? "." + sampling : ""),
        .seconds = options.checkpoint_seconds,
        .identity = "network, looks of " + std::to_string(per_look) + " updates"};
  const std::int64_t batch = ness::batch_length(options.steps / per_look, run.chains, 64);
  const Clock clock;
  const auto [moments, area] = ness::run_chains(
      run,
      [&](int k) {
        return ness::Projected(ness::Chain(objective, training, summary.minimum.theta,
                                           ness::Philox(run.seed, static_cast<std::uint64_t>(k))),
                               summary.pairs.vectors, summary.minimum.theta, every);
      },
      Eigen::VectorXd(Eigen::VectorXd::Zero(count)), ness::Moments<>(count, batch),
      ness::Area<>(count, batch));
  const double updates = static_cast<double>((options.steps + burn_in) * options.chains);
  Eigen::MatrixXd circulation = predicted.state.circulation();
  if (every > 1) circulation = ness::Autocovariance(predicted.state).circulation(every);
  return {moments.covariance(),
          area.circulation(),
          circulation,
          moments.autocorrelation_time(),
          moments.steps(),
          per_look,
          moments.batch_length(),
          burn_in,
          clock.seconds() / updates};
}

ness::SpectralDensity<double> Study::spectrum() const {
  const Streamed streamed = problem_->streamed();
  ProgressBar bar("density of the spectrum");
  return ness::spectral_density(
      streamed, problem_->summary.minimum.theta,
      {.probes = 4, .steps = 60, .progress = [&](Eigen::Index done, Eigen::Index all) {
         bar(done, all);
       }});
}

LossAlong Study::loss_along(const Prediction& predicted, Eigen::Index directions) const {
  const Summary& summary = problem_->summary;
  const Streamed streamed = problem_->streamed();
  directions = std::min(directions, summary.pairs.values.size());
  constexpr Eigen::Index points = 21;
  LossAlong result{Eigen::VectorXd::LinSpaced(points, -5, 5), Eigen::MatrixXd(points, directions),
                   Eigen::MatrixXd(points, directions)};
  for (Eigen::Index k = 0; k < directions; ++k)
    for (Eigen::Index p = 0; p < points; ++p) {
      const double length = result.steps[p] * std::sqrt(predicted.state.covariance()(k, k));
      result.loss(p, k) =
          streamed.value(summary.minimum.theta + length * summary.pairs.vectors.col(k)) -
          summary.minimum.value;
      result.form(p, k) = summary.pairs.values[k] * length * length / 2;
    }
  return result;
}
