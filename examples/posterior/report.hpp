// The results: a table for people and JSON for machines.
#pragma once

#include <iosfwd>

#include "../common/json.hpp"
#include "options.hpp"
#include "results.hpp"

void print(std::ostream& out, const Options& options, const Results& results);

Json to_json(const Options& options, const Results& results);
