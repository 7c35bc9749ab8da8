// The results of the classifier: a table for people, JSON for machines, and pictures.
#pragma once

#include <iosfwd>

#include "../common/figures.hpp"
#include "../common/json.hpp"
#include "classifier.hpp"

namespace classifier {

void print(std::ostream& out, const ClassifierOptions& options, const Results& results);

Json to_json(const Results& results);

/// How often predictions of a confidence are right; the variances of each sampler along each
/// direction over those of the reference, sorted.
void draw(FigureFolder& folder, const Results& results);

}  // namespace classifier
