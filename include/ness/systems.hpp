// Systems with drift and diffusion, in and out of equilibrium (Sec. 2): physical ones, and training
// seen as one.
#pragma once

// IWYU pragma: begin_exports
#include "ness/diffusion/training_system.hpp"
#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/dynamics/metropolized_euler.hpp"
#include "ness/random/binomial.hpp"
#include "ness/random/gamma.hpp"
#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"
#include "ness/stationary/classify.hpp"
#include "ness/stationary/grid_density.hpp"
#include "ness/stationary/relaxation.hpp"
#include "ness/stationary/schedule.hpp"
#include "ness/stationary/stationary_state.hpp"
#include "ness/statistics/axis.hpp"
#include "ness/systems/fokker_planck.hpp"
#include "ness/systems/folding.hpp"
#include "ness/systems/force.hpp"
#include "ness/systems/linear.hpp"
#include "ness/systems/polymer.hpp"
#include "ness/systems/wright_fisher.hpp"
#include "ness/trajectory/current_map.hpp"
#include "ness/trajectory/density.hpp"
#include "ness/trajectory/entropy_production.hpp"
#include "ness/trajectory/irreversibility.hpp"
#include "ness/trajectory/path_entropy.hpp"
#include "ness/trajectory/relaxation.hpp"
#include "ness/trajectory/replay.hpp"
#include "ness/trajectory/run.hpp"
#include "ness/version.hpp"
// IWYU pragma: end_exports
