// The current in a plane, the bounds, and the spectrum.
#pragma once

#include "../common/figures.hpp"
#include "results.hpp"

void draw(FigureFolder& folder, const Results& results);
