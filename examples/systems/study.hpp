// Systems: what is known of the stationary state of each, and what its trajectories show.
#pragma once

#include <ness/systems/linear.hpp>
#include <utility>

#include "options.hpp"
#include "results.hpp"

/// Beads and springs in a fluid, with hydrodynamics and without.
System study_polymer(const Options& options);

/// A polymer with a native structure, over temperature, with hydrodynamics and without.
FoldingStudy study_folding(const Options& options);

/// Three alleles, as a diffusion and as a population that is drawn anew.
System study_evolution(const Options& options);

using Gyrator = ness::LinearSystem<Eigen::Matrix2d>;

/// Two coordinates at two temperatures: a known answer out of equilibrium; and how it settles.
std::pair<System, Settling> study_gyrator(const Options& options);

/// `relaxation_time` in time steps.
Settling settle_gyrator(const Gyrator& gyrator, double time_step, double relaxation_time,
                        const Options& options);

/// The regression network under SGD with replacement, where theory takes it for linear; and what
/// other ways of training are. Throws `UserError`.
std::pair<System, Trainings> study_sgd(const Options& options);
