// What the study is of: for the two files that compute with it.
#pragma once

#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/training/earthquake.hpp>
#include <ness/training/training.hpp>
#include <string>

#include "../common/regression_network.hpp"
#include "study.hpp"

struct Study::Problem {
  Options options;
  Objective objective;
  Minimum minimum;

  bool batches_divide_samples() const { return objective.samples() % options.batch == 0; }
};

/// Calls `look` with the training of that name.
template <class Look>
auto with_training(const Options& options, const std::string& sampling, const Look& look) {
  if (sampling == "wr")
    return look(ness::Sgd<ness::WithReplacement>{.learning_rate = options.eta,
                                                 .minibatch = {options.batch}});
  if (sampling == "wor")
    return look(ness::Sgd<ness::WithoutReplacement>{.learning_rate = options.eta,
                                                    .minibatch = {options.batch}});
  return look(ness::EarthquakeModel{.learning_rate = options.eta, .noise = {options.zeta}});
}
