// The results: a table for people and JSON for machines.
#pragma once

#include <iosfwd>
#include <vector>

#include "../common/json.hpp"
#include "options.hpp"
#include "results.hpp"
#include "ways.hpp"

void print(std::ostream& out, const Options& options, Eigen::Index samples, const Minimum& minimum,
           const std::vector<Results>& all);

/// One way of sampling as it is; several under their names.
Json to_json(const Options& options, const Minimum& minimum, const std::vector<Results>& all,
             const std::vector<Way>& others);
