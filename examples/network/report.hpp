// The results: a table for people and JSON for machines.
#pragma once

#include <iosfwd>
#include <vector>

#include "../common/json.hpp"
#include "options.hpp"
#include "results.hpp"

void print(std::ostream& out, const Options& options, const Summary& summary,
           const std::vector<Results>& all);

/// One way of sampling as it is; several under their names.
Json to_json(const Options& options, const Summary& summary, const std::vector<Results>& all);
