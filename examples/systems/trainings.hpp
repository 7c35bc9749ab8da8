// What ways of training are, as systems.
#pragma once

#include "../common/regression_network.hpp"
#include "options.hpp"
#include "results.hpp"

/// Classifies ways of training around the minimum, at points as far from it as SGD wanders.
Trainings classify_trainings(const Options& options, const Objective& objective,
                             const ness::Minimum<double>& minimum,
                             const Eigen::MatrixXd& covariance);
