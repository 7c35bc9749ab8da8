// Four systems: what is known of the stationary state of each, and what its trajectories show.
#pragma once

#include "evolution.hpp"
#include "gyrator.hpp"
#include "polymer.hpp"
#include "sgd.hpp"

inline Results study(const Options& options) {
  Results results;
  for (const std::string& name : options.system) {
    if (name == "polymer") results.systems.push_back(study_polymer(options));
    if (name == "wright-fisher") results.systems.push_back(study_evolution(options));
    if (name == "gyrator") results.systems.push_back(study_gyrator(options));
    if (name == "sgd") results.systems.push_back(study_sgd(options, results));
  }
  return results;
}
