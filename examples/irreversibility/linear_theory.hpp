// What is exact of a linear chain.
#pragma once

#include <ness/stationary/stationary_state.hpp>

#include "results.hpp"

/// ⟨σ⟩ = Σ_i 2ρ_i²/(1 − ρ_i²) per pair of states a lag apart (`ness::CurrentForce`): how far their
/// law is from that of the pair exchanged. Of an update with c₁ = 0.
double entropy_of_pairs(const ness::StationaryState<>& state, std::int64_t lag);

/// The density of midpoints of steps in a plane and their current, per unit of time.
Map predicted_map(const ness::StationaryState<>& state, const Plane& plane, double time_step);

Spectrum spectrum_of(const ness::StationaryState<>& state);

/// 2.5 standard deviations to either side.
ness::Axis axis_of(double variance, Eigen::Index bins);
