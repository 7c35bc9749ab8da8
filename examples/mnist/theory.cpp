#include <chrono>
#include <cmath>
#include <limits>
#include <ness/diffusion/epochs.hpp>
#include <ness/diffusion/independent_batches.hpp>
#include <ness/fluctuation/predict_fluctuations.hpp>
#include <ness/landscape/effective_landscape.hpp>
#include <ness/landscape/minimize.hpp>
#include <ness/stationary/additive_epochs.hpp>
#include <ness/stationary/linear_chain.hpp>
#include <ness/stationary/momentum.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/update/momentum.hpp>
#include <utility>

#include "../common/digits.hpp"
#include "../common/quadratic_forms.hpp"
#include "../common/user_error.hpp"
#include "problem.hpp"

namespace {

/// The user's data, or made-up ones; the first `--samples` of them. Throws `UserError`.
Digits get_digits(const Options& options) {
  if (options.synthetic) return synthetic_digits(options.samples > 0 ? options.samples : 60'000);
  return read_digits(options.images, options.labels, options.samples);
}

Objective make_objective(const Options& options) {
  const Digits digits = get_digits(options);
  check_batch(options, digits.features.cols());
  return Objective(Classifier(digits.features, one_hot(digits.labels)), ness::L2{options.lambda});
}

Minimum find_minimum(const Objective& objective) {
  Minimum minimum =
      ness::minimize(objective, Eigen::VectorXd(Eigen::VectorXd::Zero(objective.parameters())));
  if (minimum.status != ness::MinimumStatus::converged)
    throw UserError(minimum.explanation() + " (--lambda)");
  return minimum;
}

double accuracy(const Classifier& model, const Eigen::VectorXd& theta) {
  const Eigen::Map<const Eigen::MatrixXd> weights(theta.data(), digit_features, digit_classes);
  Eigen::Index right = 0;
  for (Eigen::Index i = 0; i < model.samples(); ++i) {
    Eigen::Index guess = 0;
    Eigen::Index label = 0;
    (weights.transpose() * model.features().col(i)).maxCoeff(&guess);
    model.targets().col(i).maxCoeff(&label);
    right += guess == label;
  }
  return static_cast<double>(right) / static_cast<double>(model.samples());
}

template <class Value>
struct Timed {
  Value value;
  double seconds;
};

/// The result of `work` and the seconds it took.
template <class Work>
auto timed(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  auto result = work();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return Timed<decltype(result)>{std::move(result), took.count()};
}

/// The rank of D is a matter of tolerance; what must not be is the entropy production.
std::vector<RankCheck> check_ranks(const ness::LinearChain<double>& chain) {
  std::vector<RankCheck> checks;
  const double middle =
      static_cast<double>(chain.mean.size()) * std::numeric_limits<double>::epsilon();
  for (const double tolerance : {middle / 10, middle * 10}) {
    const State state(chain, tolerance);
    checks.push_back({tolerance, state.rank(), state.entropy_production()});
  }
  return checks;
}

/// Of the mean, relaxation and diffusion of `chain`, which took `diffusion_seconds`.
Prediction predict_chain(const ness::LinearChain<double>& chain, double diffusion_seconds) {
  auto state = timed([&] { return State(chain); });
  return {.state = std::move(state.value),
          .diffusion_seconds = diffusion_seconds,
          .covariance_seconds = state.seconds,
          .ranks = check_ranks(chain)};
}

template <class Training>
Prediction predict_updates(const Options& options, const Objective& objective,
                           const Minimum& minimum, const Training& training) {
  const auto d = timed([&] { return ness::diffusion(objective, minimum.theta, training); });
  Prediction prediction = predict_chain(
      ness::linear_chain(minimum.theta, minimum.hessian, d.value, training.learning_rate),
      d.seconds);
  if (options.steps > 0)  // a run to compare with
    prediction.fluctuations = ness::predict_fluctuations(
        objective, training, prediction.state,
        {.starts = 0, .exact_starts = 128, .threads = static_cast<int>(options.threads)});
  return prediction;
}

template <class Training>
Prediction predict_epochs(const Objective& objective, const Minimum& minimum,
                          const Training& training) {
  auto effective = timed([&] { return ness::effective_minimum(objective, minimum, training); });
  if (effective.value.status != ness::MinimumStatus::converged)
    throw UserError(
        "the effective landscape has no minimum near that of the objective: lower --eta, or raise "
        "--batch");
  using Level = ness::EpochNoise;
  const auto noise = [&](Level level) {
    return timed(
        [&] { return ness::diffusion(objective, effective.value.theta, training, level); });
  };
  const auto exact = noise(Level::exact);
  std::vector<NoiseLevel> levels{{"exact moments", exact.value.trace(), 0, exact.seconds}};
  for (const auto& [name, level] :
       {std::pair("as printed, B18", Level::printed), std::pair("leading, B21", Level::leading),
        std::pair("H VV' H, Eq. 18", Level::curvature),
        std::pair("H D H, Eq. 18", Level::step_noise)}) {
    const auto d = noise(level);
    levels.push_back(
        {name, d.value.trace(), (d.value - exact.value).norm() / exact.value.norm(), d.seconds});
  }
  const auto n = static_cast<double>(training.updates_per_markov_step(objective.samples()));
  const ness::PredictSettings combined{.epochs = {.order = ness::EpochOrder::combined}};
  Prediction prediction =
      predict_chain(ness::linearize(objective, minimum, training, combined), exact.seconds);
  prediction.leading_entropy_production =
      State(ness::linear_chain(effective.value.theta, n * minimum.hessian, exact.value,
                               training.learning_rate))
          .entropy_production();
  prediction.levels = std::move(levels);
  prediction.effective = std::move(effective.value);
  prediction.effective_seconds = effective.seconds;
  return prediction;
}

}  // namespace

Study::Study(const Options& options) {
  const Objective objective = make_objective(options);
  const Minimum minimum = find_minimum(objective);
  check_stability(options, minimum.hessian_eigenvalues.maxCoeff());
  problem_ =
      std::make_unique<const Problem>(Problem{options,
                                              objective,
                                              {objective.parameters(), objective.samples(), minimum,
                                               accuracy(objective.model(), minimum.theta)}});
}

Study::~Study() = default;

const Summary& Study::summary() const { return problem_->summary; }

Prediction Study::predict(const std::string& sampling) const {
  return with_training(problem_->options, sampling, [&](const auto& training) {
    const Minimum& minimum = problem_->summary.minimum;
    if constexpr (ness::EpochBatches<std::remove_cvref_t<decltype(training.minibatch)>>)
      return predict_epochs(problem_->objective, minimum, training);
    else
      return predict_updates(problem_->options, problem_->objective, minimum, training);
  });
}

WaysInTheory Study::ways() const {
  const Options& options = problem_->options;
  const Minimum& minimum = problem_->summary.minimum;
  const auto samples = problem_->objective.samples();
  const Eigen::MatrixXd d = ness::update_diffusion(
      problem_->objective, minimum.theta,
      ness::Sgd<ness::WithReplacement>{.learning_rate = options.eta, .minibatch = {options.batch}});
  const ness::detail::SymmetricEigen<double> eigen(minimum.hessian);
  const ness::Index batches = samples / options.batch;
  WaysInTheory result{eigen.values, options.eta * static_cast<double>(batches), {}};
  const auto add = [&](WayInTheory way, const ness::LinearChain<double>& chain) {
    way.name += way.momentum > 0 ? "_momentum" : "";
    way.variance = quadratic_forms(eigen.vectors, State(chain).covariance());
    result.ways.push_back(std::move(way));
  };
  for (const double momentum : {0.0, 0.9}) {
    const double eta = options.eta * (1 - momentum);
    const Eigen::MatrixXd slow = (1 - momentum) * (1 - momentum) * d;
    const ness::LinearUpdate update = ness::HeavyBall{momentum}.linear();
    auto chain =
        ness::linear_chain(minimum.theta, minimum.hessian, slow, eta, ness::LyapunovForm::discrete);
    ness::remember(update, chain);
    add({"wr", "with replacement", "#1f4e9c", momentum, {}}, chain);
    if (samples % options.batch != 0 || batches < 2) continue;
    const auto correlation = ness::WithoutReplacement{options.batch}.epoch_correlation(samples);
    const auto epochs = [&](ness::EpochPhase phase) {
      return ness::additive_epochs(minimum.theta, minimum.hessian, slow, eta, update, correlation,
                                   phase);
    };
    add({"wor", "without replacement, end of an epoch", "#2a9d5c", momentum, {}},
        epochs(ness::EpochPhase::end));
    add({"wor_phases", "without replacement, all phases", "#e08a00", momentum, {}},
        epochs(ness::EpochPhase::mean));
  }
  return result;
}
