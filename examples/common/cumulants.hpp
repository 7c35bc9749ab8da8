// The cumulant generating function of σ, predicted and by cloning: table, JSON and picture.
#pragma once

#include <iosfwd>
#include <ness/compare.hpp>
#include <ness/fluctuation/cloning.hpp>
#include <ness/stationary/stationary_state.hpp>
#include <string>
#include <vector>

#include "figures.hpp"
#include "json.hpp"

/// μ(k) per Markov step.
struct Cumulants {
  std::vector<double> k, curve;               ///< predicted, for k from −1 to 0
  std::vector<double> theory;                 ///< where it was measured
  std::vector<ness::CumulantEstimate> found;  ///< increasing k, in pairs k and −1 − k
  /// What so few clones err by, which is taken off: found of a chain whose μ is known, less that.
  std::vector<double> bias;
  int clones = 0;  ///< of a population
};

/// The k that are measured: −½, and `apart` from it on either side.
std::vector<double> tilts(const std::vector<double>& apart);

/// Of Gaussian noise, exact; beside what was found, less the bias that clones of the Gaussian chain
/// of the same K and D, `control`, have.
Cumulants predict_cumulants(const ness::StationaryState<double>& state,
                            std::vector<ness::CumulantEstimate> found,
                            const std::vector<ness::CumulantEstimate>& control, int clones);

/// μ(k) against theory, which may leave out `relative_tolerance` of it, and the symmetry μ(k) =
/// μ(−1 − k) against nothing.
ness::Comparison compare(const Cumulants& cumulants, double relative_tolerance,
                         double false_alarms);

/// How many clones there were for each k, and what that errs by.
void print_clones(std::ostream& out, const Cumulants& cumulants);

/// `cumulants {k, theory, simulation, standard_error, effective_clones, bias}`
void write(const Json& json, const Cumulants& cumulants);

/// The curve, the points, and each point again at −1 − k.
void draw_cumulants(FigureFolder& folder, const std::string& name, const std::string& title,
                    const Cumulants& cumulants);
