// The linear regression of Sec. 4.6, whose posterior is known, and the samplers that are tried on
// it.
#pragma once

#include <cmath>
#include <ness/ness.hpp>
#include <string>
#include <utility>

#include "options.hpp"

// f(x; θ) = θᵀψ(x), N = 3 (39).
using Model = ness::LinearModel<double, 3>;
using Objective = ness::Objective<Model, ness::L2>;
using Theta = ness::vector_t<Model>;
using Matrix = ness::matrix_t<Model>;
using Minimum = ness::Minimum<Theta, Matrix>;
using PosteriorError = ness::PosteriorError<Matrix>;

/// ψ(x) = (tanh(½ − x), tanh(½ + x), 1) (39)
inline Theta features(double x) { return {std::tanh(0.5 - x), std::tanh(0.5 + x), 1}; }

/// ℓ_i = (M/2ε²)(y_i − θᵀψ(x_i))², so that e^{−L} is the likelihood of noise of size ε (40).
inline Model make_model(const Options& options) {
  const RegressionData data = regression_data(options);
  Eigen::MatrixXd psi(3, data.x.size());
  for (Eigen::Index i = 0; i < data.x.size(); ++i) psi.col(i) = features(data.x[i]);
  return Model(psi, data.y.transpose(), ness::regression_loss(data.x.size()));
}

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
