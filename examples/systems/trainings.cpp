#include "trainings.hpp"

#include <Eigen/Cholesky>
#include <cmath>
#include <ness/diffusion/training_system.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/posterior/samplers.hpp>
#include <ness/stationary/classify.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/training/earthquake.hpp>
#include <ness/training/training.hpp>

Trainings classify_trainings(const Options& options, const Objective& objective,
                             const ness::Minimum<double>& minimum,
                             const Eigen::MatrixXd& covariance) {
  Eigen::MatrixXd points = covariance.llt().matrixL();
  points.colwise() += minimum.theta;
  const auto classify = [&](const auto& training) {
    return ness::classify(ness::TrainingSystem(objective, training), points);
  };
  const double eta = options.eta;
  const ness::Sgd<ness::WithReplacement> wr{.learning_rate = eta, .minibatch = {options.batch}};
  const ness::Sgd<ness::WithoutReplacement> wor{.learning_rate = eta, .minibatch = {options.batch}};
  const ness::EarthquakeModel earthquake{.learning_rate = eta, .noise = {1e-4}};
  const auto shaken = ness::predict(objective, minimum, earthquake).linear_system();
  Trainings trainings{{{"SGD with replacement", classify(wr)},
                       {"SGD without replacement", classify(wor)},
                       {"earthquake", ness::classify(shaken, points)}},
                      {}};
  for (int power = 0; power < 5; ++power) {
    const double rate = eta / std::pow(10, power);
    const auto found = classify(ness::Sgld{.learning_rate = rate, .minibatch = {options.batch}});
    trainings.approach.eta.push_back(rate);
    trainings.approach.residual.push_back(found.einstein.residual);
    trainings.approach.beta.push_back(found.einstein.beta);
  }
  return trainings;
}
