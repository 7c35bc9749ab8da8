// ness: the nonequilibrium stationary state of stochastic gradient descent.
//
// A model and a way of training it go in; its stationary state comes out twice, predicted and
// measured, in the same types. Source: S. Adhikari, A. Kabakçıoğlu, A. Strang, D. Yuret,
// M. Hinczewski, "Machine learning in and out of equilibrium", arXiv 2306.03521. Equation numbers
// in the documentation are those of this paper.
#pragma once

// IWYU pragma: begin_exports
#include "ness/compare.hpp"
#include "ness/diffusion/curvature.hpp"
#include "ness/diffusion/earthquake.hpp"
#include "ness/diffusion/langevin.hpp"
#include "ness/diffusion/with_replacement.hpp"
#include "ness/diffusion/without_replacement.hpp"
#include "ness/dynamics/chain.hpp"
#include "ness/dynamics/gaussian_chain.hpp"
#include "ness/landscape/effective_landscape.hpp"
#include "ness/landscape/minimize.hpp"
#include "ness/minibatch/full_batch.hpp"
#include "ness/minibatch/with_replacement.hpp"
#include "ness/minibatch/without_replacement.hpp"
#include "ness/model/linear_model.hpp"
#include "ness/model/mlp.hpp"
#include "ness/model/objective.hpp"
#include "ness/model/preconditioned.hpp"
#include "ness/model/regression_network.hpp"
#include "ness/model/softmax_regression.hpp"
#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"
#include "ness/sampling/divergence.hpp"
#include "ness/sampling/estimate.hpp"
#include "ness/sampling/parallel.hpp"
#include "ness/sampling/posterior.hpp"
#include "ness/stationary/epoch_map.hpp"
#include "ness/stationary/flatness.hpp"
#include "ness/stationary/generalized_lyapunov.hpp"
#include "ness/stationary/mean_shift.hpp"
#include "ness/stationary/posterior.hpp"
#include "ness/stationary/predict.hpp"
#include "ness/testing/check_model.hpp"
#include "ness/training/correction.hpp"
#include "ness/training/earthquake.hpp"
#include "ness/training/langevin.hpp"
#include "ness/training/samplers.hpp"
#include "ness/training/training.hpp"
#include "ness/trajectory/directional_variance.hpp"
#include "ness/trajectory/measure.hpp"
#include "ness/trajectory/posterior.hpp"
// IWYU pragma: end_exports
