// The linear regression of Sec. 4.6, whose posterior is known, and the samplers that are tried on
// it: for the files that compute with them.
#pragma once

#include <cmath>
#include <ness/landscape/objective.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/model/regularizer.hpp>
#include <ness/posterior/samplers.hpp>
#include <ness/update/kinetic.hpp>
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
  look("sgworld_lm_there_and_back", "SGWORLD-LM, there and back", ness::SgworldLmThereAndBack{});
  look("ubu", "UBU, with replacement", ness::UbuWithReplacement{});
  look("ubu_there_and_back", "UBU, there and back", ness::SmsUbu{});
  look("baoab_there_and_back", "BAOAB, there and back", ness::SmsBaoab{});
  look("full_batch", "full-batch Langevin", ness::Langevin{});
  look("full_batch_lm", "full-batch Langevin-LM", ness::LangevinLm{});
}

/// With the learning rate and the batch size. A kinetic sampler, whose friction is 2√h_min, takes
/// the step h = η√h_min: as many updates for an e-fold of the slowest direction as the others.
template <class Sampler>
Sampler at(Sampler sampler, double eta, const Options& options, const ness::Minimum<>& minimum) {
  sampler.learning_rate = eta;
  if constexpr (requires { sampler.minibatch.batch_size; })
    sampler.minibatch.batch_size = options.batch;
  if constexpr (ness::KineticUpdate<typename Sampler::Update>) {
    const double slowest = std::sqrt(minimum.hessian_eigenvalues[0]);
    sampler.learning_rate = eta * slowest;
    sampler.update.friction = 2 * slowest;
  }
  return sampler;
}
