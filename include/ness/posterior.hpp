// Sampling a posterior e^{−𝓛} by training with injected noise (Sec. 4.6).
#pragma once

// IWYU pragma: begin_exports
#include "ness/posterior/autocorrelation_time.hpp"
#include "ness/posterior/choose_sampler.hpp"
#include "ness/posterior/convergence.hpp"
#include "ness/posterior/decreasing_error.hpp"
#include "ness/posterior/divergence.hpp"
#include "ness/posterior/gaussian_posterior.hpp"
#include "ness/posterior/kinetic_error.hpp"
#include "ness/posterior/leading_error.hpp"
#include "ness/posterior/likelihood_scale.hpp"
#include "ness/posterior/posterior_error.hpp"
#include "ness/posterior/posterior_estimator.hpp"
#include "ness/posterior/samplers.hpp"
#include "ness/training.hpp"
#include "ness/training/correction.hpp"
#include "ness/training/langevin.hpp"
// IWYU pragma: end_exports
