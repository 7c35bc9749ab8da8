// The columns of Box 1 side by side; densities in theory and simulation; SGLD on its way to
// equilibrium.
#pragma once

#include "../common/figures.hpp"
#include "results.hpp"

void draw(FigureFolder& folder, const Results& results);
