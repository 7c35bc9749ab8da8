#include <ness/landscape/effective_landscape.hpp>
#include <ness/stationary/flatness.hpp>
#include <ness/stationary/mean_shift.hpp>
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
        .epochs = {.order = ness::EpochOrder::all,
                   .map = {.threads = static_cast<int>(options.threads)}}};
    const State state = ness::predict(objective, minimum, training, to_all_orders);
    Prediction prediction{state, ness::mean_shift(objective, training, state), {}, {}, {}};
    if constexpr (ness::EpochBatches<Minibatch>) {
      prediction.effective = ness::effective_minimum(objective, minimum, training);
      prediction.leading = ness::predict(objective, minimum, training);
    } else {
      prediction.discrete =
          ness::predict(objective, minimum, training, {.form = ness::LyapunovForm::discrete});
    }
    return prediction;
  });
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
    return {std::sqrt(state.covariance()(shown[0], shown[0])),
            std::sqrt(state.covariance()(shown[1], shown[1]))};
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
