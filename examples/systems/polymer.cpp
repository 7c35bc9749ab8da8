// Beads and springs.
#include <cmath>
#include <ness/dynamics/euler_maruyama.hpp>
#include <ness/stationary/classify.hpp>
#include <ness/systems/force.hpp>
#include <ness/systems/polymer.hpp>
#include <numbers>

#include "chains.hpp"
#include "study.hpp"

namespace {

/// The density of the end-to-end distance R of B springs,
/// ∫4πR² (3/2πB)^{3/2} e^{−3R²/2B} dR = erf(q) − 2q e^{−q²}/√π with q² = 3R²/2B.
Eigen::ArrayXd extension_density(const ness::Axis& axis, double bonds) {
  return bin_means(axis, [&](double r) {
    const double q = r * std::sqrt(1.5 / bonds);
    return std::erf(q) - 2 * q * std::exp(-q * q) / std::sqrt(std::numbers::pi);
  });
}

/// Runs a chain of beads and adds what it shows of its extension.
template <class Polymer>
void run_polymer(System& system, const Options& options, const Polymer& polymer,
                 const std::string& name, const std::string& title) {
  using Vector = Eigen::VectorXd;
  const auto bonds = static_cast<double>(polymer.beads() - 1);
  const auto extension = [&](const Vector& t) { return polymer.end_to_end(t).norm(); };
  const auto plane = [&](const Vector& t) -> Eigen::Vector2d {
    return polymer.end_to_end(t).template head<2>();
  };
  const ness::Axis axis{0, 3 * std::sqrt(bonds), 30};
  const auto make_chain = [&](int k) {
    ness::Philox random = stream(options, k);
    const Vector start = polymer.draw(random);  // of the stationary state: no burn-in
    return ness::EulerMaruyama(polymer, system.time_step, start, random);
  };
  const auto [lengths] =
      run(system, options, 0, make_chain, Vector(Vector::Zero(polymer.parameters())),
          ness::ThermodynamicForce<Polymer>(polymer), plane,
          density_of(extension, axis, options, system.relaxation_time));
  system.curves.push_back(
      make_curve(name, title, "end-to-end distance", lengths, extension_density(axis, bonds)));
  system.rows.push_back(
      compare_number("<R^2>, " + title, bonds, lengths.mean_square(), system.time_step));
}

}  // namespace

System study_polymer(const Options& options) {
  const ness::Polymer<> polymer(
      {.beads = options.beads, .hydrodynamics = {.bead_radius = options.bead_radius}});
  constexpr double time_step = 0.005;  // the fastest mode relaxes in 1/4kμ₀ = 1/12
  System system{.key = "polymer",
                .title = "Polymer in solution",
                .laws = "μ(θ) of the flow,  D = Tμ",
                .x_title = "{/:Italic R_x}",
                .y_title = "{/:Italic R_y}",
                .entropy_range = 15,
                .time_step = time_step,
                .relaxation_time = polymer.relaxation_time() / time_step};
  ness::Philox random(1);
  Eigen::MatrixXd points(polymer.parameters(), 5);
  for (Eigen::Index k = 0; k < points.cols(); ++k) points.col(k) = polymer.draw(random);
  system.classification = ness::classify(polymer, points);
  const auto bonds = static_cast<double>(options.beads - 1);
  system.theory = gaussian_map(bonds / 3 * Eigen::Matrix2d::Identity(), Eigen::Matrix2d::Zero());

  System without = system;
  run_polymer(without, options, ness::Polymer<ness::FreeDraining>({.beads = options.beads}),
              "polymer_free", "free draining");
  run_polymer(system, options, polymer, "polymer_flow", "with hydrodynamics");
  system.rows.push_back(without.rows.front());
  system.curves.push_back(without.curves.front());
  return system;
}
