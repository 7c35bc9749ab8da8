// How irreversible systems are, and what their trajectories alone show of it.
#pragma once

#include "options.hpp"
#include "results.hpp"

/// Two linear systems, `gyrator` and `trap`.
Results study_linear(const Options& options);

/// The regression network: `sgd`, `wor`, `momentum`. Throws `UserError`.
Results study_training(const Options& options);

/// A particle on a ring, against quadrature.
Results study_ring(const Options& options);

/// A file of states. Throws `UserError`.
Results study_states(const Options& options);
