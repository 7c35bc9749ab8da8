// The figures.
#pragma once

#include "../common/figures.hpp"
#include "options.hpp"
#include "results.hpp"

/// Fig. 6 as printed, and Fig. 6 as measured.
void draw_figure6(FigureFolder& folder, const Results& results, const Options& options);

/// What a draw costs.
void draw_cost(FigureFolder& folder, const Results& results);
