// What the study is of: for the files that compute with it.
#pragma once

#include <ness/landscape/objective.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/model/regularizer.hpp>
#include <ness/training/training.hpp>
#include <string>

#include "study.hpp"

// The linear classifier of Sec. 4.2. All computations are in double, on data stored in single
// precision: a step waits for memory.
using Classifier = ness::LinearModel<double, Eigen::Dynamic, float>;
using Objective = ness::Objective<Classifier, ness::L2>;

struct Study::Problem {
  Options options;
  Objective objective;
  Summary summary;
};

/// Calls `look` with the training of that name.
template <class Look>
auto with_training(const Options& options, const std::string& sampling, const Look& look) {
  if (sampling == "wr")
    return look(ness::Sgd<ness::WithReplacement>{.learning_rate = options.eta,
                                                 .minibatch = {options.batch}});
  return look(ness::Sgd<ness::WithoutReplacement>{.learning_rate = options.eta,
                                                  .minibatch = {options.batch}});
}
