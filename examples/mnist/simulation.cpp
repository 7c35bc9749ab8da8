#include "simulation.hpp"

Simulation Study::simulate(const std::string& sampling, const Prediction& predicted) const {
  if (problem_->options.single) return simulate_in_single(sampling, predicted);
  return with_training(problem_->options, sampling, [&](const auto& training) {
    return ::simulate(problem_->options, problem_->objective, training, sampling,
                      problem_->summary.minimum, predicted);
  });
}
