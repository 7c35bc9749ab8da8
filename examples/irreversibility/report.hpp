// Tables for readers, and JSON for machines.
#pragma once

#include <iosfwd>

#include "../common/json.hpp"
#include "results.hpp"

void print(std::ostream& out, const Results& results);

Json to_json(const Results& results);
