#include <ness/detail/symmetric_matrices.hpp>
#include <ness/fluctuation/predict_fluctuations.hpp>
#include <ness/fluctuation/sample_noise_cumulants.hpp>
#include <ness/landscape/effective_landscape.hpp>
#include <ness/stationary/flatness.hpp>
#include <ness/stationary/predict.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

#include "problem.hpp"

namespace {

Objective make_objective(const Options& options) {
  Objective objective(make_network(options), ness::L2{options.lambda});
  check_batch(options, objective.samples());
  return objective;
}

/// By increasing flatness.
Relation relation(const Objective& objective, const State& state, const std::string& sampling) {
  const auto found = ness::variance_flatness(objective, state);
  std::vector<Eigen::Index> order(static_cast<std::size_t>(found.flatness.size()));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](Eigen::Index a, Eigen::Index b) { return found.flatness[a] < found.flatness[b]; });
  return {sampling, found.variance(order), found.flatness(order),
          found.directions(Eigen::all, order)};
}

/// Exact where the policy states its moments and a step is an update, else drawn.
template <class Training>
NoiseShape noise_shape(const Objective& objective, const Training& training, const State& state,
                       const Options& options) {
  const Eigen::MatrixXd directions =
      ness::detail::SymmetricEigen<double>(state.diffusion()).vectors;
  if constexpr (ness::DrawsIndependently<Training> &&
                ness::StatesHigherMoments<typename Training::Minibatch>) {
    return {ness::noise_cumulants(objective, state.mean(), training, directions), {}};
  } else {
    const auto drawn = ness::sample_noise_cumulants(objective, state.mean(), training, directions,
                                                    {.threads = static_cast<int>(options.threads)});
    return {drawn.value, drawn.standard_error};
  }
}

/// With errors well below those of the simulation, whatever its length.
ness::FluctuationSettings fluctuation_settings(const Options& options) {
  const std::int64_t starts =
      std::clamp<std::int64_t>(options.chains * options.steps / 1600, 6400, 200'000);
  return {.starts = starts,
          .exact_starts = std::max<std::int64_t>(64, starts / 50),
          .threads = static_cast<int>(options.threads)};
}

}  // namespace

Study::Study(const Options& options) {
  const Objective objective = make_objective(options);
  const Minimum minimum = find_minimum(objective);
  check_stability(options, minimum.hessian_eigenvalues.maxCoeff());
  problem_ = std::make_unique<const Problem>(Problem{options, objective, minimum});
}

Study::~Study() = default;

const Minimum& Study::minimum() const { return problem_->minimum; }

Eigen::Index Study::samples() const { return problem_->objective.samples(); }

Prediction Study::predict(const std::string& sampling) const {
  const Options& options = problem_->options;
  const Objective& objective = problem_->objective;
  const Minimum& minimum = problem_->minimum;
  return with_training(options, sampling, [&](const auto& training) {
    using Minibatch = std::remove_cvref_t<decltype(training.minibatch)>;
    const ness::PredictSettings to_all_orders{
        .mean_shift = true,
        .epochs = {.order = ness::EpochOrder::all,
                   .map = {.threads = static_cast<int>(options.threads)}}};
    const State state = ness::predict(objective, minimum, training, to_all_orders);
    Prediction prediction{state, noise_shape(objective, training, state, options), {}, {}, {}, {}};
    if (!state.is_equilibrium())
      prediction.fluctuations =
          ness::predict_fluctuations(objective, training, state, fluctuation_settings(options));
    if constexpr (ness::StatesOrderMoments<Minibatch>) {
      prediction.effective = ness::effective_minimum(objective, minimum, training);
      prediction.leading = ness::predict(objective, minimum, training);
    } else {
      prediction.discrete =
          ness::predict(objective, minimum, training, {.form = ness::LyapunovForm::discrete});
    }
    return prediction;
  });
}

OtherPrediction Study::predict_other(const std::string& sampling) const {
  const Options& options = problem_->options;
  const OtherTraining training = other_training(options, sampling);
  const auto phase = options.phase == "mean" ? ness::EpochPhase::mean : ness::EpochPhase::end;
  if (training.updates_per_markov_step(problem_->objective.samples()) > 1) {
    const auto sampled = ness::sample_epochs(problem_->objective, problem_->minimum.theta, training,
                                             phase, {.permutations = 50'000});
    return {State(sampled.chain), sampled.covariance.standard_error,
            sampled.circulation.standard_error};
  }
  const Minimum& minimum = problem_->minimum;
  auto chain = ness::linear_chain(
      minimum.theta, minimum.hessian,
      ness::update_diffusion(problem_->objective, minimum.theta, training), options.eta);
  ness::remember(training.update, chain);
  const Eigen::MatrixXd exact = Eigen::MatrixXd::Zero(7, 7);
  return {State(chain), exact, exact};
}

Fit Study::fit() const {
  const Network& network = problem_->objective.model();
  constexpr Eigen::Index points = 300;
  Fit fit{network.inputs().transpose(), network.targets().transpose(), {}, {}};
  fit.grid.setLinSpaced(points + 1, fit.x.minCoeff(), fit.x.maxCoeff());
  fit.output.resize(points + 1);
  for (Eigen::Index k = 0; k <= points; ++k)
    fit.output[k] = network.output(Eigen::Vector<double, 7>(problem_->minimum.theta),
                                   Eigen::Matrix<double, 1, 1>(fit.grid[k]))[0];
  return fit;
}

Eigen::Vector2d Study::deviations() const {
  return with_training(problem_->options, "wr", [&](const auto& training) -> Eigen::Vector2d {
    const State state = ness::predict(problem_->objective, problem_->minimum, training);
    const auto [a, b] = problem_->options.shown();
    return {std::sqrt(state.covariance()(a, a)), std::sqrt(state.covariance()(b, b))};
  });
}

std::vector<Relation> Study::relations() const {
  const Options& options = problem_->options;
  const Objective& objective = problem_->objective;
  const Minimum& minimum = problem_->minimum;
  std::vector<Relation> relations;
  for (const std::string sampling : {"wr", "wor", "earthquake"}) {
    if (sampling == "wor" && !problem_->batches_divide_samples()) continue;
    const State state = with_training(options, sampling, [&](const auto& training) {
      return ness::predict(objective, minimum, training);
    });
    if (state.covariance().norm() > 0) relations.push_back(relation(objective, state, sampling));
  }
  return relations;
}
