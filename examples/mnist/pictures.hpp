// The figures, of what was simulated.
#pragma once

#include <vector>

#include "../common/figures.hpp"
#include "options.hpp"
#include "results.hpp"

/// Fig. 3B: every element of Σ and C, theory against simulation.
void draw_elements(FigureFolder& folder, const Results& results, const Options& options);

/// The ratio of simulated and predicted variance along the eigenvectors of H against h, of each of
/// them and averaged over those of like curvature.
void draw_directions(FigureFolder& folder, const Results& results, const Options& options);

/// The variance–flatness relation of Sec. 4.5, along the eigenvectors of Σ.
void draw_flatness(FigureFolder& folder, const Minimum& minimum, const std::vector<Results>& all,
                   const Options& options);
