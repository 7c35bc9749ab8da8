// Fig. 4: the distribution of e^{−σ}, the detailed fluctuation theorem, and ⟨σ⟩ against ℓ.
#pragma once

#include <ness/trajectory/sub_trajectories.hpp>
#include <string>
#include <vector>

#include "figures.hpp"

/// `rate` is the predicted ⟨σ⟩ per step; `predicted` has the ratios of real minibatches, or
/// nothing; `title` says how training was done.
void draw_entropy(FigureFolder& folder, const std::vector<ness::SubTrajectories>& trajectories,
                  const std::vector<ness::SubTrajectoryPrediction>& predicted, double rate,
                  const std::string& sampling, const std::string& title);
