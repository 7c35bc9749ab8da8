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

/// Variance along each eigenvector of H against h, with and without replacement and momentum, in
/// theory as lines and in simulation as points, with the h where epochs cross over (the manner of
/// arXiv 2306.05300).
void draw_ways(FigureFolder& folder, const WaysInTheory& theory, const std::vector<Results>& all,
               const Options& options);

/// The variance–flatness relation of Sec. 4.5, along the eigenvectors of Σ.
void draw_flatness(FigureFolder& folder, const Minimum& minimum, const std::vector<Results>& all,
                   const Options& options);
