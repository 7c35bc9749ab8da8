// Objectives of many parameters: minimum, spectrum and stationary state without a matrix of N × N.
#pragma once

// IWYU pragma: begin_exports
#include "ness/diffusion/epoch_noise_along.hpp"
#include "ness/diffusion/noise_spectrum.hpp"
#include "ness/dynamics/projected.hpp"
#include "ness/landscape/eigenpairs.hpp"
#include "ness/landscape/gauss_newton.hpp"
#include "ness/landscape/spectral_density.hpp"
#include "ness/landscape/streamed_objective.hpp"
#include "ness/landscape/subspace.hpp"
#include "ness/landscape/truncated_newton.hpp"
#include "ness/stationary/predict_along.hpp"
#include "ness/training.hpp"
// IWYU pragma: end_exports
