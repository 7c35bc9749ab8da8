// The linear regression of Sec. 4.6, whose posterior is known, and the samplers that are tried on
// it: for the files that compute with them.
#pragma once

#include <ness/landscape/objective.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/model/regularizer.hpp>
#include <ness/posterior/samplers.hpp>
#include <string>

#include "study.hpp"

// f(x; θ) = θᵀψ(x), N = 3 (39).
using Model = ness::LinearModel<double, 3>;
using Objective = ness::Objective<Model, ness::L2>;

struct Study::Problem {
  Options options;
  Objective objective;
  ness::Minimum<> minimum;
};

/// Calls `look(key, title, sampler)` for each sampler, its settings but η and m left open.
template <class Look>
void for_each_sampler(const Look& look) {
  look("sgld", "SGLD", ness::Sgld{});
  look("sgworld_uncorrected", "SGWORLD, uncorrected", ness::SgworldUncorrected{});
  look("sgworld", "SGWORLD", ness::Sgworld{});
  look("sgld_without_replacement", "SGLD, without replacement", ness::SgldWithoutReplacement{});
  look("sgworld_lm_uncorrected", "SGWORLD-LM, uncorrected", ness::SgworldLmUncorrected{});
  look("sgworld_lm", "SGWORLD-LM", ness::SgworldLm{});
  look("full_batch", "full-batch Langevin", ness::Langevin{});
  look("full_batch_lm", "full-batch Langevin-LM", ness::LangevinLm{});
}

/// With the learning rate and the batch size.
template <class Sampler>
Sampler at(Sampler sampler, double eta, const Options& options) {
  sampler.learning_rate = eta;
  if constexpr (requires { sampler.minibatch.batch_size; })
    sampler.minibatch.batch_size = options.batch;
  return sampler;
}
