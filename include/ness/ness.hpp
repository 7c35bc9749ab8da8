// ness: the nonequilibrium stationary state of stochastic gradient descent.
//
// A model and a way of training it go in; its stationary state comes out twice, predicted and
// measured, in the same types. Source: S. Adhikari, A. Kabakçıoğlu, A. Strang, D. Yuret,
// M. Hinczewski, "Machine learning in and out of equilibrium", arXiv 2306.03521. Equation numbers
// in the documentation are those of this paper.
#pragma once

// IWYU pragma: begin_exports
#include "ness/network.hpp"
#include "ness/posterior.hpp"
#include "ness/systems.hpp"
#include "ness/training.hpp"
// IWYU pragma: end_exports
