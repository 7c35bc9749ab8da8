// What the study is of: for the two files that compute with it.
#pragma once

#include <ness/minibatch/drop_last.hpp>
#include <ness/minibatch/independent_draws.hpp>
#include <ness/minibatch/one_of.hpp>
#include <ness/minibatch/poisson.hpp>
#include <ness/minibatch/there_and_back.hpp>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/training/earthquake.hpp>
#include <ness/training/training.hpp>
#include <ness/update/momentum.hpp>
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

/// Of the other ways: chosen when the program runs, so that one kind of chain is compiled and not a
/// dozen.
using AnyMinibatch = ness::OneOf<ness::WithReplacement, ness::IndependentDraws, ness::Poisson,
                                 ness::WithoutReplacement, ness::DropLast, ness::ThereAndBack>;
using OtherTraining = ness::Sgd<AnyMinibatch, ness::LinearUpdate>;

inline AnyMinibatch any_minibatch(const std::string& sampling, Eigen::Index m) {
  if (sampling == "wr") return ness::WithReplacement{m};
  if (sampling == "iid") return ness::IndependentDraws{m};
  if (sampling == "poisson") return ness::Poisson{m};
  if (sampling == "drop-last") return ness::DropLast{m};
  if (sampling == "there-and-back") return ness::ThereAndBack{m};
  return ness::WithoutReplacement{m};
}

inline OtherTraining other_training(const Options& options, const std::string& sampling) {
  return {.learning_rate = options.eta,
          .minibatch = any_minibatch(sampling, options.batch),
          .update = options.nesterov ? ness::Nesterov{options.momentum}.linear()
                                     : ness::HeavyBall{.momentum = options.momentum}.linear()};
}
