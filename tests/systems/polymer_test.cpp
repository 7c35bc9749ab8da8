#include "ness/systems/polymer.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <numbers>

#include "ness/dynamics/euler_maruyama.hpp"
#include "ness/systems/force.hpp"
#include "ness/trajectory/density.hpp"
#include "ness/trajectory/path_entropy.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Zimm = ness::Polymer<>;
using Rouse = ness::Polymer<ness::FreeDraining>;

// Its ∇·D is by differences.
struct Differenced {
  Zimm polymer;
  Eigen::Index parameters() const { return polymer.parameters(); }
  double beta() const { return polymer.beta(); }
  void gradient(const VectorXd& t, VectorXd& out) const { polymer.gradient(t, out); }
  void diffusion(const VectorXd& t, MatrixXd& out) const { polymer.diffusion(t, out); }
};

template <class Polymer>
ness::Estimate<double> square_extension(const Polymer& polymer, double time_step,
                                        std::int64_t steps) {
  constexpr int chains = 8;
  const auto square = [&](const VectorXd& t) { return polymer.end_to_end(t).squaredNorm(); };
  const ness::Density estimator(square, {0, 1, 1}, ness::batch_length(steps, chains, 128), 4);
  auto [result] = ness::run_chains(
      {.steps = steps,
       .burn_in = static_cast<std::int64_t>(5 * polymer.relaxation_time() / time_step),
       .chains = chains},
      [&](int k) {
        ness::Philox random(23, static_cast<std::uint64_t>(k));
        const VectorXd start = polymer.draw(random);
        return ness::EulerMaruyama(polymer, time_step, start, random);
      },
      VectorXd(VectorXd::Zero(polymer.parameters())), estimator);
  return result.mean();
}

// ⟨R²⟩ of the free-draining chain in steps of Δt: Rouse's modes, each with 1/(1 − Δtλ/2).
double rouse_extension(const Rouse& polymer, double time_step) {
  const auto beads = static_cast<double>(polymer.beads());
  double sum = 0;
  for (double p = 1; p < beads; p += 2) {
    const double angle = p * std::numbers::pi / (2 * beads);
    const double stiffness = 4 * polymer.stiffness() * std::pow(std::sin(angle), 2);
    const double rate = stiffness * polymer.settings().bead_mobility;
    sum += 3 * (8 / beads) * std::pow(std::cos(angle), 2) * polymer.settings().temperature /
           stiffness / (1 - time_step * rate / 2);
  }
  return sum;
}

}  // namespace

TEST_CASE("The mobility of two beads is Rotne, Prager and Yamakawa's") {
  for (const double r : {3.0, 1.0, 0.7, 0.2}) {
    const double a = 0.5;
    const Zimm polymer({.beads = 2, .temperature = 2, .bead_mobility = 3, .hydrodynamics = {a}});
    VectorXd theta(6);
    theta << 1, 2, 3, 1 + r, 2, 3;
    MatrixXd d(6, 6);
    polymer.diffusion(theta, d);
    const double along = r >= 2 * a ? 1.5 * a / r * (1 - 2 * a * a / (3 * r * r))
                                    : 1 - 9 * r / (32 * a) + 3 * r / (32 * a);
    const double across =
        r >= 2 * a ? 0.75 * a / r * (1 + 2 * a * a / (3 * r * r)) : 1 - 9 * r / (32 * a);
    CHECK(relative_error(d(0, 3), 6 * along) <= 1e-14);
    CHECK(relative_error(d(1, 4), 6 * across) <= 1e-14);
    CHECK(relative_error(d(2, 5), 6 * across) <= 1e-14);
    CHECK(d(0, 0) == 6);
    CHECK(d(0, 4) == 0);
    CHECK((d - d.transpose()).norm() == 0);
  }
}

TEST_CASE("D is positive definite and has no divergence, whether or not beads overlap") {
  for (const double radius : {0.05, 0.3, 1.0}) {
    const Zimm polymer({.beads = 8, .hydrodynamics = {radius}});
    const Differenced differenced{polymer};
    ness::SystemTerms terms(differenced);
    ness::Philox random(5);
    for (int k = 0; k < 5; ++k) {
      const VectorXd theta = polymer.draw(random);
      terms.at(theta);
      const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(terms.diffusion());
      CHECK(eigen.eigenvalues()[0] > 0);
      CHECK(terms.diffusion_divergence().norm() <= 1e-8 * terms.diffusion().norm());
    }
  }
}

TEST_CASE("The potential is that of springs of mean square length b²") {
  const Rouse polymer({.beads = 4, .bond_length = 2, .temperature = 3});
  const VectorXd theta = generic_values<VectorXd>(12, 1, 4);
  VectorXd gradient(12);
  polymer.gradient(theta, gradient);
  for (Eigen::Index k = 0; k < 12; ++k) {
    VectorXd up = theta, down = theta;
    up[k] += 1e-5;
    down[k] -= 1e-5;
    CHECK(std::abs((polymer.potential(up) - polymer.potential(down)) / 2e-5 - gradient[k]) <= 1e-8);
  }
  ness::Philox random(6);
  double bonds = 0, extension = 0;
  constexpr int count = 20'000;
  for (int k = 0; k < count; ++k) {
    const VectorXd drawn = polymer.draw(random);
    bonds += (drawn.segment<3>(6) - drawn.segment<3>(3)).squaredNorm();
    extension += polymer.end_to_end(drawn).squaredNorm();
  }
  CHECK(std::abs(bonds / count - 4) <= 4 * 4 * std::sqrt(2.0 / 3 / count));
  CHECK(std::abs(extension / count - 12) <= 4 * 12 * std::sqrt(2.0 / 3 / count));
}

TEST_CASE("Rouse's slowest mode decays within the relaxation time") {
  for (const Eigen::Index beads : {2, 7}) {
    const Rouse polymer({.beads = beads, .bond_length = 0.7, .temperature = 2, .bead_mobility = 3});
    VectorXd mode(3 * beads);
    for (Eigen::Index i = 0; i < beads; ++i) {
      const double place = (static_cast<double>(i) + 0.5) / static_cast<double>(beads);
      mode.segment<3>(3 * i).setConstant(std::cos(std::numbers::pi * place));
    }
    VectorXd drift(3 * beads);
    polymer.drift(mode, drift);
    CHECK(relative_error(VectorXd(-polymer.relaxation_time() * drift), mode) <= 1e-14);
  }
}

TEST_CASE("The extension of Rouse's chain is that of its modes in steps, and so of weak order 1") {
  // Away from 1, so that no factor can hide: ⟨R²⟩ = 4 b² as Δt → 0.
  const Rouse polymer({.beads = 5, .bond_length = 1.5, .temperature = 2, .bead_mobility = 0.7});
  CHECK(relative_error(rouse_extension(polymer, 0), 9.0) <= 1e-14);
  for (const double time_step : {0.12, 0.06}) {
    const auto found = square_extension(polymer, time_step, 200'000);
    const double expected = rouse_extension(polymer, time_step);
    INFO(time_step << ": " << found.value << " +- " << found.standard_error << ", expected "
                   << expected);
    CHECK(std::abs(found.value - expected) <= 4 * found.standard_error);
    CHECK(found.standard_error < 0.1);
  }
}

TEST_CASE("Hydrodynamics leave the extension as it is") {
  const Zimm polymer({.beads = 5, .hydrodynamics = {0.25}});
  const auto coarse = square_extension(polymer, 0.04, 100'000);
  const auto fine = square_extension(polymer, 0.02, 200'000);
  const double extrapolated = 2 * fine.value - coarse.value;
  const double error = std::hypot(2 * fine.standard_error, coarse.standard_error);
  INFO(coarse.value << " " << fine.value << " -> " << extrapolated << " +- " << error);
  CHECK(std::abs(extrapolated - 4) <= 4 * error);
  CHECK(error < 0.1);
  CHECK(coarse.value - fine.value > 0);
}

TEST_CASE("A polymer makes no entropy, measured without its density") {
  const Zimm polymer({.beads = 4, .hydrodynamics = {0.25}});
  constexpr std::int64_t steps = 50'000;
  constexpr double dt = 0.01;
  const ness::ThermodynamicForce force(polymer);
  const ness::PathEntropy estimator(force, {1}, ness::batch_length(steps, 8, 64), 1);
  auto [entropy] = ness::run_chains(
      {.steps = steps, .chains = 8},
      [&](int k) {
        ness::Philox random(29, static_cast<std::uint64_t>(k));
        const VectorXd start = polymer.draw(random);
        return ness::EulerMaruyama(polymer, dt, start, random);
      },
      VectorXd(VectorXd::Zero(12)), estimator);
  const auto rate = entropy.results()[0].entropy_production;
  INFO(rate.value / dt << " +- " << rate.standard_error / dt);
  CHECK(std::abs(rate.value) <= 4 * rate.standard_error);
  CHECK(rate.standard_error / dt < 0.01);
}

TEST_CASE("bad polymers are refused") {
  CHECK_THROWS_WITH(Rouse({.beads = 1}), contains("beads must be at least 2, but is 1"));
  CHECK_THROWS_WITH(Rouse({.temperature = -1}), contains("temperature must be positive"));
  CHECK_THROWS_WITH(Zimm({.hydrodynamics = {0}}), contains("bead_radius must be positive"));
}

TEST_CASE("A polymer of float is the one of double, to single precision") {
  const Zimm polymer({.beads = 4});
  const ness::Polymer<ness::RotnePragerYamakawa, float> single({.beads = 4});
  const VectorXd theta = generic_values(12, 1, 6);
  const Eigen::VectorXf rounded = theta.cast<float>();
  ness::SystemTerms terms(polymer);
  ness::SystemTerms single_terms(single);
  terms.at(theta);
  single_terms.at(rounded);
  CHECK(relative_error(single_terms.drift(), terms.drift()) <= 1e-5);
  CHECK(relative_error(single_terms.diffusion(), terms.diffusion()) <= 1e-5);
  CHECK(relative_error(single.potential(rounded), polymer.potential(theta)) <= 1e-5);
}
