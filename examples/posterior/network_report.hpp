// The results of a network: a table for people, JSON for machines, and pictures.
#pragma once

#include <iosfwd>

#include "../common/figures.hpp"
#include "../common/json.hpp"
#include "network.hpp"

namespace network {

void print(std::ostream& out, const Options& options, const Results& results);

Json to_json(const Results& results);

void draw(FigureFolder& folder, const Results& results);

}  // namespace network
