// A polymer that folds and unfolds.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ness/dynamics/metropolized_euler.hpp>
#include <ness/systems/polymer.hpp>

#include "chains.hpp"
#include "study.hpp"

namespace {

constexpr Eigen::Index beads = 8;
constexpr double bond_length = 1;

template <class Hydrodynamics>
using Protein = ness::Polymer<Hydrodynamics, double, ness::Folding>;

Eigen::VectorXd native() { return ness::helix(beads, bond_length); }

Eigen::VectorXd straight() {
  Eigen::VectorXd theta = Eigen::VectorXd::Zero(3 * beads);
  for (Eigen::Index i = 0; i < beads; ++i) theta[3 * i] = bond_length * static_cast<double>(i);
  return theta;
}

template <class Hydrodynamics>
Protein<Hydrodynamics> protein(double temperature) {
  return Protein<Hydrodynamics>(
      {.beads = beads,
       .temperature = temperature,
       .interactions = {.core_energy = 0.5,
                        .bond_stiffness = 20,
                        .contact_energy = 2,
                        .contacts = ness::native_contacts(native(), 1.7)}});
}

template <class Hydrodynamics>
auto make_chain(const Protein<Hydrodynamics>& polymer, const Options& options, int k) {
  // About half of the steps are taken.
  constexpr double time_step = Protein<Hydrodynamics>::drains_freely ? 1e-3 : 1.5e-3;
  return ness::MetropolizedEuler(polymer, time_step, k % 2 == 0 ? native() : straight(),
                                 stream(options, k), ness::Acceptance::metropolis);
}

/// ⟨Q⟩ at one temperature, of chains of which half started folded and half unfolded.
template <class Hydrodynamics>
Estimate<double> native_fraction(double temperature, const Options& options, ProgressBar& bar) {
  const auto polymer = protein<Hydrodynamics>(temperature);
  const auto fraction = [&](const Eigen::VectorXd& t) { return polymer.native_fraction(t); };
  const std::int64_t steps = options.steps / 40;
  const ness::Density estimator(
      fraction, {0, 1, 10}, ness::batch_length(steps, static_cast<int>(options.chains), 24), 10);
  const auto [found] = ness::run_chains(
      run_settings(options, steps, steps / 5, bar),
      [&](int k) { return make_chain(polymer, options, k); },
      Eigen::VectorXd(Eigen::VectorXd::Zero(polymer.parameters())), estimator);
  return found.mean();
}

/// A state of the stationary one, 3 × B, about its centre.
Eigen::Matrix3Xd sample(double temperature, const Options& options) {
  const auto polymer = protein<ness::FreeDraining>(temperature);
  auto chain = make_chain(polymer, options, 1 << 20);
  for (int k = 0; k < 100'000; ++k) chain.step();
  Eigen::Matrix3Xd places = chain.theta().reshaped(3, beads);
  places.colwise() -= places.rowwise().mean().eval();
  return places;
}

}  // namespace

FoldingStudy study_folding(const Options& options) {
  FoldingStudy study;
  ProgressBar bar("folding");
  for (const double temperature : {0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0}) {
    study.temperature.push_back(temperature);
    const auto free = native_fraction<ness::FreeDraining>(temperature, options, bar);
    const auto dragged = native_fraction<ness::RotnePragerYamakawa>(temperature, options, bar);
    study.free_draining.push_back(free);
    study.hydrodynamics.push_back(dragged);
    study.rows.push_back(compare_number(
        "Q at T = " + std::to_string(temperature).substr(0, 4) + ", flow less none", 0,
        {dragged.value - free.value, std::hypot(dragged.standard_error, free.standard_error),
         std::min(dragged.degrees_of_freedom, free.degrees_of_freedom)},
        0));
  }
  study.cold = sample(study.cold_temperature, options);
  study.hot = sample(study.hot_temperature, options);
  return study;
}
