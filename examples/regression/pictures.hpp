// The figures of the paper.
#pragma once

#include <string>
#include <vector>

#include "../common/figures.hpp"
#include "options.hpp"
#include "results.hpp"

/// How far runs are in each direction as they come to the stationary state, with the level that the
/// farthest passes there once in 1000 times.
void draw_approach(FigureFolder& folder, const Approach& approach, const Options& options);

/// Fig. 1A: data and fit.
void draw_fit(FigureFolder& folder, const Fit& fit);

/// How training was done, for titles.
std::string title_of(const std::string& sampling, const Options& options);

/// Fig. 1C: the relative error of the loss during training, its spread over runs, and the
/// stationary value of theory.
void draw_training(FigureFolder& folder, const TrainingCurve& curve, const Options& options);

/// Fig. 2: the density of two of the parameters, its contours, those of the loss, and the current
/// in theory and in simulation; 2A with replacement, 2B without, 2C the earthquake model. `unit` is
/// Θ = Σ_αα^½ with replacement, the same for all of them.
void draw_density(FigureFolder& folder, const Minimum& minimum, const Results& results,
                  const Eigen::Vector2d& unit, const Options& options);

/// Fig. 3A: elements of Σ and C, theory against simulation.
void draw_elements(FigureFolder& folder, const Results& results, const Options& options);

/// The variance–flatness relation of Sec. 4.5: theory for all ways of sampling, simulation for
/// those that were simulated.
void draw_flatness(FigureFolder& folder, const std::vector<Relation>& relations,
                   const std::vector<Results>& all, const Minimum& minimum, const Options& options);
