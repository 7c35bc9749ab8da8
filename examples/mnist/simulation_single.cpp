#include "simulation.hpp"

Simulation Study::simulate_in_single(const std::string& sampling,
                                     const Prediction& predicted) const {
  const Objective& objective = problem_->objective;
  const ness::Objective single(ness::LinearModel<float>(objective.model().features().cast<float>(),
                                                        objective.model().targets().cast<float>()),
                               objective.regularizer());
  return with_training(problem_->options, sampling, [&](const auto& training) {
    return ::simulate(problem_->options, single, training, sampling, problem_->summary.minimum,
                      predicted);
  });
}
