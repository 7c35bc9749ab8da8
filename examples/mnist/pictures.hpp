// The figures, of what was simulated.
#pragma once

#include "../common/figures.hpp"
#include "results.hpp"

/// Fig. 3B: every element of Σ and C, theory against simulation.
void draw_elements(FigureFolder& folder, const Results& results);

/// The ratio of simulated and predicted variance along each eigenvector of H, against its h.
void draw_directions(FigureFolder& folder, const Results& results);
