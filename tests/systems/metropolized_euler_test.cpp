#include "ness/dynamics/metropolized_euler.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "ness/systems/polymer.hpp"
#include "ness/systems/wright_fisher.hpp"
#include "ness/trajectory/density.hpp"
#include "ness/trajectory/run.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::Acceptance;
using Vector1 = Eigen::Matrix<double, 1, 1>;
using Vector2 = Eigen::Vector2d;
template <class Hydrodynamics>
using Protein = ness::Polymer<Hydrodynamics, double, ness::Folding>;

// Constant D, and ⟨θ³ + 3θ⟩ falls as e^{−3t} exactly: an eigenfunction of the generator.
struct Solvable {
  static constexpr Eigen::Index parameters() { return 1; }
  auto potential(const auto& t) const {
    using std::log;
    const auto u = t[0] * t[0];
    return u / 2 + 2 * log(1 + u);
  }
  Vector1 diffusion() const { return Vector1(1.0); }
  double beta() const { return 1; }
  static double observed(double x) { return x * x * x + 3 * x; }
  static double exact(double start, double time) { return observed(start) * std::exp(-3 * time); }
};

// dθ = −θ dt + √(2(1 + θ²/8)) dW, an equilibrium as all are in one dimension: G = 1/D.
struct Multiplicative {
  static constexpr Eigen::Index parameters() { return 1; }
  auto potential(const auto& t) const {
    using std::log;
    return 4 * log(1 + t[0] * t[0] / 8);
  }
  auto diffusion(const auto& t) const {
    using Scalar = typename std::decay_t<decltype(t)>::Scalar;
    return Eigen::Matrix<Scalar, 1, 1>(Scalar(1) + t[0] * t[0] / 8);
  }
  auto log_weight(const auto& t) const {
    using std::log;
    return -log(1 + t[0] * t[0] / 8);
  }
  double beta() const { return 1; }
  static double observed(double x) { return x * x; }
  static double exact(double start, double time) {
    return 8.0 / 7 + (start * start - 8.0 / 7) * std::exp(-1.75 * time);
  }
};

struct Quartic {
  static constexpr Eigen::Index parameters() { return 1; }
  auto potential(const auto& t) const {
    const auto u = t[0] * t[0];
    return u * u + 0.5 * t[0];
  }
  Vector1 diffusion() const { return Vector1(0.5); }
  double beta() const { return 2; }
};

// ∫f e^{−Φ} / ∫e^{−Φ} by the trapezoidal rule.
template <class Phi, class F>
double quadrature(const Phi& phi, const F& f, double low, double high) {
  constexpr int cells = 20'000;
  double above = 0, below = 0;
  for (int k = 1; k < cells; ++k) {
    const double x = low + (high - low) * k / cells;
    const double weight = std::exp(-phi(x));
    above += f(x) * weight;
    below += weight;
  }
  return above / below;
}

// The transition of one step on a grid, where what does not leave stays.
template <class Chain>
MatrixXd transition_matrix(const Chain& chain, const VectorXd& grid) {
  const double width = grid[1] - grid[0];
  MatrixXd result(grid.size(), grid.size());
  for (Eigen::Index j = 0; j < grid.size(); ++j)
    for (Eigen::Index i = 0; i < grid.size(); ++i)
      result(i, j) = width * std::exp(chain.log_transition(Vector1(grid[i]), Vector1(grid[j])));
  for (Eigen::Index i = 0; i < grid.size(); ++i) result(i, i) += 1 - result.row(i).sum();
  return result;
}

// ⟨f(θ_t)⟩ − its exact value from θ = 1, t = 0.4, without any noise.
template <class System>
double error_of_dynamics(const System& system, double time_step, Acceptance rule, double half) {
  const ness::MetropolizedEuler chain(system, time_step, Vector1(1.0), ness::Philox(), rule);
  const VectorXd grid =
      VectorXd::LinSpaced(static_cast<Eigen::Index>(2 * half * 40) + 1, -half, half);
  const MatrixXd transition = transition_matrix(chain, grid);
  VectorXd mean = grid.unaryExpr([](double x) { return System::observed(x); });
  for (int k = 0; k < std::lround(0.4 / time_step); ++k) mean = (transition * mean).eval();
  const auto start = static_cast<Eigen::Index>((half + 1) * 40);
  REQUIRE(std::abs(grid[start] - 1) <= 1e-12);
  return mean[start] - System::exact(1, 0.4);
}

template <class System>
std::vector<double> ratios(const System& system, Acceptance rule, double half) {
  std::vector<double> result;
  double last = 0;
  for (const double time_step : {0.025, 0.0125, 0.00625}) {
    const double error = error_of_dynamics(system, time_step, rule, half);
    if (last != 0) result.push_back(last / error);
    last = error;
  }
  return result;
}

// The mean of f over the stationary state of a chain that starts at θ.
template <class System, class F>
auto stationary_mean(const System& system, double time_step, const ness::vector_t<System>& start,
                     Acceptance rule, const F& f, std::int64_t steps, int batches = 128) {
  constexpr int chains = 8;
  const ness::Density estimator(f, {0, 1, 1}, ness::batch_length(steps, chains, batches), 4);
  auto [result] = ness::run_chains(
      {.steps = steps, .burn_in = steps / 20, .chains = chains},
      [&](int k) {
        return ness::MetropolizedEuler(system, time_step, start,
                                       ness::Philox(11, static_cast<std::uint64_t>(k)), rule);
      },
      ness::vector_t<System>(ness::vector_t<System>::Zero(system.parameters())), estimator);
  return result.mean();
}

template <class System, class Start>
void check_detailed_balance(const System& system, double time_step, const Start& points) {
  for (const Acceptance rule : {Acceptance::metropolis, Acceptance::barker}) {
    const ness::EquilibriumPotential phi(system);
    using Vector = ness::vector_t<System>;
    const Vector first = points.col(0);
    const ness::MetropolizedEuler chain(system, time_step, first, ness::Philox(), rule);
    for (Eigen::Index i = 0; i < points.cols(); ++i)
      for (Eigen::Index j = 0; j < i; ++j) {
        const Vector a = points.col(i), b = points.col(j);
        const double there = chain.log_transition(a, b), back = chain.log_transition(b, a);
        const double size = std::abs(there) + std::abs(back) + std::abs(phi(a)) + std::abs(phi(b));
        CHECK(std::abs((there - phi(a)) - (back - phi(b))) <=
              64 * std::numeric_limits<double>::epsilon() * size);
      }
  }
}

template <class Hydrodynamics>
Protein<Hydrodynamics> dimer() {
  return Protein<Hydrodynamics>({.beads = 2,
                                 .bond_length = 1.1,
                                 .temperature = 1.3,
                                 .bead_mobility = 0.8,
                                 .interactions = {.core_energy = 0.9, .bond_stiffness = 20}});
}

template <class Hydrodynamics>
Protein<Hydrodynamics> protein(double temperature) {
  return Protein<Hydrodynamics>(
      {.beads = 6,
       .temperature = temperature,
       .interactions = {.core_energy = 0.5,
                        .bond_stiffness = 20,
                        .contact_energy = 2,
                        .contacts = ness::native_contacts(ness::helix(6, 1.0), 1.7)}});
}

template <class Hydrodynamics>
auto mean_native_fraction(double temperature, double time_step, std::int64_t steps) {
  const auto polymer = protein<Hydrodynamics>(temperature);
  return stationary_mean(
      polymer, time_step, ness::helix(6, 1.0), Acceptance::metropolis,
      [&](const VectorXd& t) { return polymer.native_fraction(t); }, steps, 32);
}

}  // namespace

TEST_CASE("A step that is taken is one of Euler and Maruyama, of twice the time by Barker's rule") {
  const Multiplicative system;
  for (const Acceptance rule : {Acceptance::metropolis, Acceptance::barker}) {
    const double time = rule == Acceptance::barker ? 0.02 : 0.01;
    int taken = 0;
    for (std::uint64_t k = 0; k < 20; ++k) {
      ness::Philox same(3, k);
      const double z = ness::Normal()(same);
      ness::MetropolizedEuler chain(system, 0.01, Vector1(0.7), ness::Philox(3, k), rule);
      chain.step();
      if (chain.acceptance() == 0) {
        CHECK(chain.theta()[0] == 0.7);
        continue;
      }
      const double expected = 0.7 - 0.7 * time + std::sqrt(2 * (1 + 0.49 / 8) * time) * z;
      CHECK(relative_error(chain.theta()[0], expected) <= 1e-15);
      ++taken;
    }
    CHECK(taken > 3);
  }
}

TEST_CASE("Steps have the law of the transition density") {
  const Multiplicative system;
  for (const Acceptance rule : {Acceptance::metropolis, Acceptance::barker}) {
    const double time_step = 0.3;
    const ness::MetropolizedEuler start(system, time_step, Vector1(1.2), ness::Philox(), rule);
    const VectorXd grid = VectorXd::LinSpaced(4001, -8.8, 11.2);
    VectorXd density(grid.size());
    for (Eigen::Index k = 0; k < grid.size(); ++k)
      density[k] = std::exp(start.log_transition(Vector1(1.2), Vector1(grid[k]))) * 0.005;
    const double goes = density.sum();
    const double expected = density.dot((grid.array() - 1.2).matrix());
    const double square = density.dot((grid.array() - 1.2).square().matrix());
    constexpr int count = 100'000;
    double taken = 0, moved = 0;
    for (int k = 0; k < count; ++k) {
      ness::MetropolizedEuler chain(system, time_step, Vector1(1.2),
                                    ness::Philox(5, static_cast<std::uint64_t>(k)), rule);
      chain.step();
      taken += chain.acceptance();
      moved += chain.theta()[0] - 1.2;
    }
    CHECK(std::abs(taken / count - goes) <= 4 * std::sqrt(goes * (1 - goes) / count));
    CHECK(std::abs(moved / count - expected) <= 4 * std::sqrt(square / count));
  }
}

TEST_CASE("Detailed balance: p(θ→θ') e^{−Φ(θ)} is the same in both senses, to rounding") {
  check_detailed_balance(Solvable(), 0.7, generic_values<MatrixXd>(1, 6, 3));
  check_detailed_balance(Multiplicative(), 0.7, generic_values<MatrixXd>(1, 6, 4, 2));
  const ness::WrightFisher<3> evolution(100, Eigen::Vector3d(0.01, 0.002, 0.03),
                                        Eigen::Vector3d(0.01, -0.02, 0));
  Eigen::MatrixXd frequencies(2, 4);
  frequencies << 0.2, 0.25, 0.1, 0.6, 0.3, 0.35, 0.05, 0.3;
  check_detailed_balance(evolution, 2, frequencies);
  MatrixXd shapes = ness::helix(6, 1.0).replicate(1, 4);
  shapes += generic_values<MatrixXd>(18, 4, 5, 0.02);
  check_detailed_balance(protein<ness::RotnePragerYamakawa>(0.7), 1e-3, shapes);
  check_detailed_balance(protein<ness::FreeDraining>(0.7), 1e-3, shapes);
}

TEST_CASE("Averages in time have an error of order Δt where D is constant") {
  // What comes next is of order Δt^{3/2}, so that the ratio goes to 2 slowly.
  const auto found = ratios(Solvable(), Acceptance::metropolis, 6);
  INFO(found[0] << " " << found[1]);
  CHECK(found[0] > 1.8);
  CHECK(found[1] > found[0]);
  CHECK(found[1] < 2);
  const auto smooth = ratios(Solvable(), Acceptance::barker, 6);
  INFO(smooth[0] << " " << smooth[1]);
  CHECK(std::abs(smooth[1] - 2) <= 0.06);
}

TEST_CASE("Where D depends on θ, the order is 1 by Barker's rule, and 1/2 by that of Metropolis") {
  const auto smooth = ratios(Multiplicative(), Acceptance::barker, 10);
  INFO(smooth[0] << " " << smooth[1]);
  CHECK(smooth[0] > 1.75);
  CHECK(smooth[1] > smooth[0]);
  CHECK(smooth[1] < 2);
  const auto kink = ratios(Multiplicative(), Acceptance::metropolis, 10);
  INFO(kink[0] << " " << kink[1]);
  for (const double ratio : kink) CHECK(std::abs(ratio - std::sqrt(2.0)) < 0.1);
  static_assert(ness::MetropolizedEuler<Multiplicative>::default_acceptance == Acceptance::barker);
  static_assert(ness::MetropolizedEuler<Solvable>::default_acceptance == Acceptance::metropolis);
}

TEST_CASE("The stationary law is exact where Euler and Maruyama diverge") {
  const Quartic system;
  const double time_step = 0.5;
  const auto square = [](const Vector1& t) { return t[0] * t[0]; };
  CHECK_THROWS_AS(ness::run_chains(
                      {.steps = 10'000, .chains = 1},
                      [&](int) { return ness::EulerMaruyama(system, time_step, Vector1(0.0)); },
                      Vector1(0.0), ness::Density(square, {0, 1, 1}, 100)),
                  ness::Diverged);
  const auto phi = [](double x) { return 2 * (x * x * x * x + 0.5 * x); };
  const double exact = quadrature(
      phi, [](double x) { return x * x; }, -4, 4);
  const double mean = quadrature(
      phi, [](double x) { return x; }, -4, 4);
  for (const Acceptance rule : {Acceptance::metropolis, Acceptance::barker}) {
    const auto found = stationary_mean(system, time_step, Vector1(0.0), rule, square, 100'000);
    INFO(found.value << " +- " << found.standard_error << ", expected " << exact);
    CHECK(std::abs(found.value - exact) <= 4 * found.standard_error);
    CHECK(found.standard_error < 0.02 * exact);
    const auto first = stationary_mean(
        system, time_step, Vector1(0.0), rule, [](const Vector1& t) { return t[0]; }, 100'000);
    CHECK(std::abs(first.value - mean) <= 4 * first.standard_error);
    CHECK(first.standard_error < 0.03 * std::abs(mean));
  }
}

TEST_CASE("The stationary law is exact where D depends on θ, with a step of the relaxation time") {
  const Multiplicative system;
  const auto in_middle = [](double x) { return std::abs(x) < 1 ? 1.0 : 0.0; };
  const auto phi = [](double x) { return 5 * std::log1p(x * x / 8); };
  const double exact = quadrature(phi, in_middle, -60, 60);
  for (const Acceptance rule : {Acceptance::metropolis, Acceptance::barker}) {
    const auto found = stationary_mean(
        system, 0.5, Vector1(0.0), rule, [&](const Vector1& t) { return in_middle(t[0]); },
        200'000);
    INFO(found.value << " +- " << found.standard_error << ", expected " << exact);
    CHECK(std::abs(found.value - exact) <= 4 * found.standard_error);
    CHECK(found.standard_error < 0.01 * exact);
  }
}

TEST_CASE("Frequencies stay in the simplex, with a density that diverges at its edges") {
  const ness::WrightFisher<2> evolution(100, Vector2(0.004, 0.006), Vector2(0, 0));
  const double a = 200 * 0.004, b = 200 * 0.006;  // Beta(0.8, 1.2)
  const double exact = a * (a + 1) / ((a + b) * (a + b + 1));
  const auto found = stationary_mean(
      evolution, 2, Vector1(0.4), Acceptance::barker, [](const Vector1& t) { return t[0] * t[0]; },
      400'000);
  INFO(found.value << " +- " << found.standard_error << ", expected " << exact);
  CHECK(std::abs(found.value - exact) <= 4 * found.standard_error);
  CHECK(found.standard_error < 0.02);
}

TEST_CASE("The bond of two beads has the mean square of its Boltzmann density") {
  const auto polymer = dimer<ness::FreeDraining>();
  const ness::Folding& folding = polymer.settings().interactions;
  const auto bond = folding.bond(1.1);
  const auto core = folding.core(1.1);
  const auto phi = [&](double r) {
    return (bond(r * r).energy + core(r * r).energy) / 1.3 - 2 * std::log(r);
  };
  const double exact = quadrature(
      phi, [](double r) { return r * r; }, 0.3, 1.65);
  const auto square = [&](const VectorXd& t) { return (t.tail<3>() - t.head<3>()).squaredNorm(); };
  VectorXd start = VectorXd::Zero(6);
  start[5] = 1.05;
  const auto check = [&](const auto& system, Acceptance rule) {
    const auto found = stationary_mean(system, 0.004, start, rule, square, 60'000);
    INFO(found.value << " +- " << found.standard_error << ", expected " << exact);
    CHECK(std::abs(found.value - exact) <= 4 * found.standard_error);
    CHECK(found.standard_error < 0.003 * exact);
  };
  check(polymer, Acceptance::metropolis);
  check(dimer<ness::RotnePragerYamakawa>(), Acceptance::metropolis);
  check(dimer<ness::RotnePragerYamakawa>(), Acceptance::barker);
}

TEST_CASE("Steps that are much too long do not trap a chain on a steep slope") {
  const auto polymer = dimer<ness::FreeDraining>();
  VectorXd start = VectorXd::Zero(6);
  start[5] = 1.05;
  ness::EulerMaruyama plain(polymer, 0.01, start);
  for (int k = 0; k < 1000; ++k) plain.step();
  CHECK(!plain.theta().allFinite());  // it jumped out of the bond
  ness::MetropolizedEuler chain(polymer, 0.01, start);
  int longest = 0, stays = 0;
  for (int k = 0; k < 200'000; ++k) {
    const double before = chain.theta()[0];
    chain.step();
    stays = chain.theta()[0] == before ? stays + 1 : 0;
    longest = std::max(longest, stays);
  }
  INFO(longest << " " << chain.acceptance());
  CHECK(longest < 500);  // 11776 where the drift is not cut
  CHECK(chain.acceptance() < 0.2);
}

TEST_CASE(
    "A chain is folded where it is cold and unfolded where it is hot, whatever the mobility") {
  using ness::FreeDraining, ness::RotnePragerYamakawa;
  // About half of the steps are taken: where few are, errors of a run say too little.
  const auto cold = mean_native_fraction<FreeDraining>(0.2, 0.001, 10'000);
  const auto hot = mean_native_fraction<FreeDraining>(3, 0.001, 20'000);
  const auto between = mean_native_fraction<FreeDraining>(0.9, 0.001, 80'000);
  const auto dragged = mean_native_fraction<RotnePragerYamakawa>(0.9, 0.0015, 60'000);
  INFO(cold.value << " " << hot.value << " +- " << hot.standard_error << "; " << between.value
                  << " +- " << between.standard_error << ", " << dragged.value << " +- "
                  << dragged.standard_error);
  CHECK(cold.value > 0.95);
  CHECK(hot.value < 0.3);
  CHECK(between.value < cold.value - 4 * between.standard_error);
  CHECK(between.value > hot.value + 4 * between.standard_error);
  CHECK(std::abs(between.value - dragged.value) <=
        4 * std::hypot(between.standard_error, dragged.standard_error));
  CHECK(std::hypot(between.standard_error, dragged.standard_error) < 0.015);
}

TEST_CASE("Results do not depend on the number of threads") {
  const auto run = [](int threads) {
    const Quartic system;
    const auto square = [](const Vector1& t) { return t[0] * t[0]; };
    auto [result] = ness::run_chains(
        {.steps = 2000, .chains = 4, .threads = threads},
        [&](int k) {
          return ness::MetropolizedEuler(system, 0.3, Vector1(0.0),
                                         ness::Philox(2, static_cast<std::uint64_t>(k)));
        },
        Vector1(0.0), ness::Density(square, {0, 4, 16}, 500));
    return result.mean().value;
  };
  CHECK(run(1) == run(3));
}

TEST_CASE("A metropolized chain says what it is, and how often it moves") {
  const Quartic system;
  ness::MetropolizedEuler chain(system, 0.25, Vector1(0.5));
  CHECK(chain.description() == "metropolized Euler-Maruyama, time step 0.25");
  CHECK(std::isnan(chain.acceptance()));
  int moves = 0;
  for (int k = 0; k < 100; ++k) {
    const double before = chain.theta()[0];
    chain.step();
    if (chain.theta()[0] != before) ++moves;
  }
  CHECK(chain.acceptance() == moves / 100.0);
  CHECK(moves > 20);
  CHECK(moves < 100);
  const ness::MetropolizedEuler other(system, 0.25, Vector1(0.5), ness::Philox(),
                                      Acceptance::barker);
  CHECK(other.description() == "metropolized Euler-Maruyama by Barker's rule, time step 0.25");
  CHECK(chain.fingerprint() == ness::EulerMaruyama(system, 0.1, Vector1(0.5)).fingerprint());
  CHECK(chain.log_transition(Vector1(0.0), Vector1(std::numeric_limits<double>::infinity())) ==
        -std::numeric_limits<double>::infinity());
}

TEST_CASE("bad metropolized chains are refused") {
  const Quartic system;
  CHECK_THROWS_WITH(ness::MetropolizedEuler(system, 0.0, Vector1(0.0)),
                    contains("time_step must be positive"));
  const ness::WrightFisher<2> evolution(100, Vector2(0.01, 0.01), Vector2(0, 0));
  CHECK_THROWS_WITH(ness::MetropolizedEuler(evolution, 1.0, Vector1(1.5)),
                    contains("theta must be where the stationary density is positive"));
  const auto polymer = dimer<ness::FreeDraining>();
  VectorXd torn = VectorXd::Zero(6);
  torn[5] = 1.7;  // beyond R₀ = 1.65
  CHECK_THROWS_WITH(ness::MetropolizedEuler(polymer, 1e-3, torn),
                    contains("theta must be where the stationary density is positive"));
  CHECK_THROWS_WITH(ness::MetropolizedEuler(polymer, 1e-3, VectorXd(VectorXd::Zero(5))),
                    contains("theta must be 6 x 1"));
}
