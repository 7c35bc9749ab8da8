// Four systems: what is known of the stationary state of each, and what its trajectories show.
#pragma once

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <chrono>
#include <cmath>
#include <ness/ness.hpp>
#include <numbers>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "../common/progress.hpp"
#include "../common/regression_network.hpp"
#include "options.hpp"
#include "resampling.hpp"

using ness::Estimate;

/// The density of one function of the state.
struct Curve {
  std::string name;      ///< for files
  std::string title;     ///< what was run
  std::string variable;  ///< what it is the density of
  ness::Axis axis;
  Eigen::ArrayXd theory;  ///< the mean over each bin
  Estimate<Eigen::ArrayXd> measured;
  Eigen::ArrayXd counts;  ///< states in each bin

  static constexpr double enough = 100;
  Eigen::Index bins() const { return (counts > enough).count(); }
  /// The largest deviation where there are counts enough, in standard errors.
  double worst() const {
    const Eigen::ArrayXd z = (measured.value - theory).abs() / measured.standard_error;
    return (counts > enough).select(z, 0).maxCoeff();
  }
};

/// Density and current in a plane, per unit of time.
struct Map {
  ness::Axis x, y;
  Eigen::ArrayXXd density, current_x, current_y;
};

struct System {
  std::string key, title;
  std::string laws;  ///< μ and D, in a few words
  std::string x_title, y_title;
  double time_step = 1;
  double relaxation_time = 0;  ///< in time steps
  double entropy_theory = 0;   ///< per relaxation time
  ness::Classification classification = {};
  Estimate<double> entropy = {};
  std::vector<ness::ComparisonRow> rows = {};
  std::vector<Curve> curves = {};
  Map theory = {}, measured = {};
  std::optional<ness::SubTrajectories> short_paths = {};  ///< with the entropy of the medium
  double seconds_per_step = 0;

  void add(ness::ComparisonRow row) { rows.push_back(std::move(row)); }
};

/// SGLD as η → 0: what is left of the Einstein relation.
struct Approach {
  std::vector<double> eta, residual, beta;
};

struct Results {
  std::vector<System> systems;
  Approach approach;  ///< with SGD
  std::vector<std::pair<std::string, ness::Classification>> trainings;
};

namespace detail {

inline ness::RunSettings run_settings(const Options& options, std::int64_t burn_in,
                                      ProgressBar& bar) {
  return {.steps = options.steps,
          .burn_in = burn_in,
          .chains = static_cast<int>(options.chains),
          .threads = static_cast<int>(options.threads),
          .seed = static_cast<std::uint64_t>(options.seed),
          .progress = [&bar](std::int64_t done, std::int64_t all) { bar(done, all); }};
}

inline std::int64_t batch_length(const Options& options) {
  return ness::batch_length(options.steps, static_cast<int>(options.chains), 128);
}

/// How many steps apart states are nearly independent, so that a bin counts samples.
inline Eigen::Index independent(double relaxation_time) {
  return std::max<Eigen::Index>(1, static_cast<Eigen::Index>(relaxation_time));
}

/// Runs chains, and sets what all systems have of them: entropy, map, speed.
template <class MakeChain, class Vector, class Force, class Plane, class... Densities>
auto run(System& system, const Options& options, double entropy_range, std::int64_t burn_in,
         const MakeChain& make_chain, const Vector& reference, const Force& force,
         const Plane& plane, const Densities&... densities) {
  constexpr int n = Vector::RowsAtCompileTime;
  const std::int64_t batch = batch_length(options);
  const int length = std::max(1, static_cast<int>(system.relaxation_time / 50));
  const ness::PathEntropy<n, Force> entropy(force, {1, length}, batch, entropy_range);
  const ness::CurrentMap<n, Plane> map(plane, system.theory.x, system.theory.y, batch);
  ProgressBar bar(system.key);
  const auto start = std::chrono::steady_clock::now();
  auto filled = ness::run_chains(run_settings(options, burn_in, bar), make_chain, reference,
                                 entropy, map, densities...);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  system.seconds_per_step =
      took.count() / static_cast<double>(options.chains * (options.steps + burn_in));
  const auto paths = std::get<0>(filled).results();
  const auto rate = paths[0].entropy_production;
  system.entropy = {rate.value * system.relaxation_time,
                    rate.standard_error * system.relaxation_time};
  system.short_paths = paths[1];
  const auto& seen = std::get<1>(filled);
  system.measured = {system.theory.x, system.theory.y, seen.density().value,
                     seen.current_x().value / system.time_step,
                     seen.current_y().value / system.time_step};
  return filled;
}

template <class Density>
Curve curve(std::string name, std::string title, std::string variable, const Density& density,
            Eigen::ArrayXd theory) {
  return {std::move(name),   std::move(title),  std::move(variable), density.axis(),
          std::move(theory), density.density(), density.counts()};
}

/// The mean over each bin of a Gaussian density about 0.
inline Eigen::ArrayXd gaussian_bins(const ness::Axis& axis, double variance) {
  const auto below = [&](double x) { return std::erfc(-x / std::sqrt(2 * variance)) / 2; };
  Eigen::ArrayXd means(axis.bins);
  for (Eigen::Index bin = 0; bin < axis.bins; ++bin)
    means[bin] =
        (below(axis.center(bin) + axis.width() / 2) - below(axis.center(bin) - axis.width() / 2)) /
        axis.width();
  return means;
}

/// A Gaussian state in a plane: of its covariance and circulation per unit of time the 2 × 2
/// blocks.
inline Map gaussian_map(ness::Axis x, ness::Axis y, const Eigen::Matrix2d& covariance,
                        const Eigen::Matrix2d& circulation) {
  const Eigen::Matrix2d inverse = covariance.inverse();
  const double norm = 2 * std::numbers::pi * std::sqrt(covariance.determinant());
  Map map{x, y, {}, {}, {}};
  map.density.resize(x.bins, y.bins);
  map.current_x = map.current_y = map.density;
  for (Eigen::Index i = 0; i < x.bins; ++i)
    for (Eigen::Index j = 0; j < y.bins; ++j) {
      const Eigen::Vector2d at(x.center(i), y.center(j));
      map.density(i, j) = std::exp(-at.dot(inverse * at) / 2) / norm;
      const Eigen::Vector2d current = -map.density(i, j) * (circulation * (inverse * at));
      map.current_x(i, j) = current[0];
      map.current_y(i, j) = current[1];
    }
  return map;
}

}  // namespace detail

/// Beads and springs in a fluid, and the same without hydrodynamics.
inline System study_polymer(const Options& options) {
  const auto bonds = static_cast<double>(options.beads - 1);
  const ness::Polymer<> polymer(
      {.beads = options.beads, .hydrodynamics = {.bead_radius = options.bead_radius}});
  const ness::Polymer<ness::FreeDraining> free({.beads = options.beads});
  constexpr double time_step = 0.005;  // the fastest mode relaxes in 1/4kμ₀ = 1/12
  System system{.key = "polymer",
                .title = "Polymer in solution",
                .laws = "μ(θ) of the flow,  D = Tμ",
                .x_title = "{/:Italic R_x}",
                .y_title = "{/:Italic R_y}"};
  ness::Philox random(1);
  Eigen::MatrixXd points(polymer.parameters(), 5);
  for (Eigen::Index k = 0; k < points.cols(); ++k) points.col(k) = polymer.draw(random);
  system.classification = ness::classify(polymer, points);
  system.time_step = time_step;
  system.relaxation_time = polymer.relaxation_time() / time_step;
  const double reach = 3 * std::sqrt(bonds / 3);
  const ness::Axis plane_axis{-reach, reach, 24};
  system.theory = detail::gaussian_map(
      plane_axis, plane_axis, bonds / 3 * Eigen::Matrix2d::Identity(), Eigen::Matrix2d::Zero());

  const auto extension = [&](const Eigen::VectorXd& t) { return polymer.end_to_end(t).norm(); };
  const auto plane = [&](const Eigen::VectorXd& t) -> Eigen::Vector2d {
    return polymer.end_to_end(t).head<2>();
  };
  const ness::Axis axis{0, 3 * std::sqrt(bonds), 30};
  // ∫4πR² (3/2πB)^{3/2} e^{−3R²/2B} = erf(q) − 2q e^{−q²}/√π, q² = 3R²/2B
  const auto below = [&](double r) {
    const double q = r * std::sqrt(1.5 / bonds);
    return std::erf(q) - 2 * q * std::exp(-q * q) / std::sqrt(std::numbers::pi);
  };
  Eigen::ArrayXd density(axis.bins);
  for (Eigen::Index bin = 0; bin < axis.bins; ++bin)
    density[bin] =
        (below(axis.center(bin) + axis.width() / 2) - below(axis.center(bin) - axis.width() / 2)) /
        axis.width();
  const Eigen::Index stride = detail::independent(system.relaxation_time);
  const auto measure = [&](const auto& chain, const std::string& name, const std::string& title) {
    using Chain = std::decay_t<decltype(chain)>;
    System part = system;
    auto filled = detail::run(
        part, options, 15, 0,
        [&](int k) {
          ness::Philox stream(static_cast<std::uint64_t>(options.seed),
                              static_cast<std::uint64_t>(k));
          const Eigen::VectorXd start = polymer.draw(stream);
          return ness::EulerMaruyama(chain, time_step, start, stream);
        },
        Eigen::VectorXd(Eigen::VectorXd::Zero(polymer.parameters())),
        ness::ThermodynamicForce<Chain>(chain), plane,
        ness::Density<Eigen::Dynamic, std::decay_t<decltype(extension)>>(
            extension, axis, detail::batch_length(options), stride));
    const auto& lengths = std::get<2>(filled);
    part.curves.push_back(detail::curve(name, title, "end-to-end distance", lengths, density));
    part.add(ness::compare_row("<R^2>, " + title, bonds, lengths.mean_square(), time_step));
    return part;
  };
  const System without = measure(free, "polymer_free", "free draining");
  system = measure(polymer, "polymer_flow", "with hydrodynamics");
  system.rows.push_back(without.rows.front());
  system.curves.push_back(without.curves.front());
  return system;
}

/// Three alleles, as a diffusion and as a population that is drawn anew.
inline System study_evolution(const Options& options) {
  const Eigen::Vector3d u(options.mutation[0], options.mutation[1], options.mutation[2]);
  const Eigen::Vector3d s(options.selection[0], options.selection[1], options.selection[2]);
  const auto population = static_cast<double>(options.population);
  const ness::WrightFisher<3> evolution(population, u, s);
  const double time_step = std::min(population / 500, 0.02 / u.sum());  // a 50th of a relaxation
  System system{.key = "wright-fisher",
                .title = "Evolution",
                .laws = "μ = 2{/:Italic N_eD},  D(θ) of drawing copies",
                .x_title = "{/:Italic x}_1",
                .y_title = "{/:Italic x}_2"};
  Eigen::Matrix2Xd points(2, 5);
  points << 0.1, 0.3, 0.6, 0.05, 0.2, 0.4, 0.3, 0.2, 0.9, 0.2;
  system.classification = ness::classify(evolution, points);
  system.time_step = time_step;
  system.relaxation_time = 1 / (u.sum() * time_step);

  // Π x_j^{2N_e u_j − 1} exp(2N_e Σ s_j x_j) in cells of the triangle.
  const ness::Axis fine{0, 1, 960};
  const ness::EquilibriumPotential phi(evolution);
  const auto inside = [](const Eigen::Vector2d& t) { return t.sum() < 1 - 1e-9; };
  Eigen::ArrayXXd exact = Eigen::ArrayXXd::Zero(fine.bins, fine.bins);
  const double phi0 = phi(Eigen::Vector2d(1.0 / 3, 1.0 / 3));
  for (Eigen::Index i = 0; i < fine.bins; ++i)
    for (Eigen::Index j = 0; j < fine.bins; ++j) {
      Eigen::Vector2d at(fine.center(i), fine.center(j));
      double weight = 1;
      if (i + j == fine.bins - 1) {  // half of this cell is inside: take its middle
        at.array() -= fine.width() / 6;
        weight = 0.5;
      }
      if (inside(at)) exact(i, j) = weight * std::exp(phi0 - phi(at));
    }
  exact /= exact.sum() * fine.width() * fine.width();
  const ness::Axis axis{0, 1, 24};
  const Eigen::Index part = fine.bins / axis.bins;
  const auto blocks = [&](const Eigen::ArrayXXd& cells) {
    Eigen::ArrayXXd means(axis.bins, axis.bins);
    for (Eigen::Index i = 0; i < axis.bins; ++i)
      for (Eigen::Index j = 0; j < axis.bins; ++j)
        means(i, j) = cells.block(part * i, part * j, part, part).mean();
    return means;
  };
  const Eigen::ArrayXXd plane_density = blocks(exact);
  system.theory = {axis, axis, plane_density, 0 * plane_density, 0 * plane_density};
  const auto mean = [&](const auto& f) {
    double sum = 0;
    for (Eigen::Index i = 0; i < fine.bins; ++i)
      for (Eigen::Index j = 0; j < fine.bins; ++j)
        if (exact(i, j) > 0) sum += exact(i, j) * f(fine.center(i), fine.center(j));
    return sum * fine.width() * fine.width();
  };

  const auto first = [](const Eigen::Vector2d& t) { return t[0]; };
  const auto second = [](const Eigen::Vector2d& t) { return t[1]; };
  const auto density_of = [&](const auto& f, Eigen::Index stride) {
    return ness::Density<2, std::decay_t<decltype(f)>>(f, axis, detail::batch_length(options),
                                                       stride);
  };
  const Eigen::Index stride = detail::independent(system.relaxation_time);
  const auto plane = [](const Eigen::Vector2d& t) { return t; };
  const Eigen::Vector2d origin = Eigen::Vector2d::Zero();
  const auto burn_in = burn_in_updates(system.relaxation_time, options.steps);
  auto filled = detail::run(
      system, options, 2.5, burn_in,
      [&](int k) {
        return ness::WrightFisherChain<3>(
            evolution, time_step, Eigen::Vector2d(1.0 / 3, 1.0 / 3),
            ness::Philox(static_cast<std::uint64_t>(options.seed), static_cast<std::uint64_t>(k)));
      },
      origin, ness::ThermodynamicForce<ness::WrightFisher<3>>(evolution), plane,
      density_of(first, stride), density_of(second, stride));
  const Eigen::ArrayXd of_first = plane_density.rowwise().sum() * axis.width();
  const Eigen::ArrayXd of_second = plane_density.colwise().sum().transpose() * axis.width();
  const auto add = [&](const auto& density, const std::string& name, const std::string& title,
                       const std::string& variable, const Eigen::ArrayXd& theory, double average) {
    system.curves.push_back(detail::curve(name, title, "frequency " + variable, density, theory));
    // The bias of a finite step, or of a finite population.
    system.add(
        ness::compare_row("<" + variable + ">, " + title, average, density.mean(), 2 / population));
  };
  const double mean1 = mean([](double x, double) { return x; });
  const double mean2 = mean([](double, double y) { return y; });
  add(std::get<2>(filled), "evolution_first", "diffusion", "x1", of_first, mean1);
  add(std::get<3>(filled), "evolution_second", "diffusion", "x2", of_second, mean2);

  ProgressBar bar("resampling");
  auto [drawn] = ness::run_chains(
      detail::run_settings(options, burn_in_updates(1 / u.sum(), options.steps), bar),
      [&](int k) {
        return Resampling(static_cast<int>(options.population), u, s,
                          static_cast<std::uint64_t>(options.seed * 1000 + k));
      },
      origin, density_of(first, detail::independent(1 / u.sum())));
  add(drawn, "evolution_resampled", "drawing copies", "x1", of_first, mean1);
  return system;
}

/// Two coordinates at two temperatures.
inline System study_gyrator(const Options& options) {
  constexpr double stiffness = 2, coupling = 1, time_step = 0.005;
  const auto gyrator = ness::brownian_gyrator(stiffness, coupling, options.hot, options.cold);
  System system{.key = "gyrator",
                .title = "Brownian gyrator",
                .laws = "μ = I,  D = diag(T_1, T_2)",
                .x_title = "{/:Italic θ}_1",
                .y_title = "{/:Italic θ}_2"};
  system.classification = ness::classify(gyrator, Eigen::Matrix2Xd(Eigen::Matrix2d::Identity()));
  system.time_step = time_step;
  system.relaxation_time = 1 / ((stiffness - coupling) * time_step);
  const ness::StationaryState state(gyrator);
  const ness::StationaryState steps(gyrator, time_step, {.form = ness::LyapunovForm::discrete});
  system.entropy_theory = state.entropy_production * time_step * system.relaxation_time;
  const auto axis_of = [&](int k, Eigen::Index bins) {
    const double reach = 3 * std::sqrt(state.covariance(k, k));
    return ness::Axis{-reach, reach, bins};
  };
  system.theory =
      detail::gaussian_map(axis_of(0, 24), axis_of(1, 24), state.covariance, state.circulation);

  // The same from the Fokker–Planck equation on a grid, of twice the size for its walls.
  const ness::Axis wide_x{2 * axis_of(0, 1).lower, 2 * axis_of(0, 1).upper, 96};
  const ness::Axis wide_y{2 * axis_of(1, 1).lower, 2 * axis_of(1, 1).upper, 96};
  const auto grid = ness::stationary_density(gyrator, {wide_x, wide_y});
  Eigen::Matrix2d second = Eigen::Matrix2d::Zero();
  double turning = 0;
  for (Eigen::Index i = 0; i < wide_x.bins; ++i)
    for (Eigen::Index j = 0; j < wide_y.bins; ++j) {
      const Eigen::Vector2d at(wide_x.center(i), wide_y.center(j));
      second += grid.density(i, j) * at * at.transpose();
      turning += (at[0] * grid.current_y(i, j) - at[1] * grid.current_x(i, j)) / 2;
    }
  const double area = wide_x.width() * wide_y.width();
  const auto of_grid = [&](const std::string& name, double theory, double found) {
    system.add(ness::compare_row(name + ", on the grid", theory, Estimate<double>{found, 0}, 0.01));
  };
  of_grid("Sigma_11", state.covariance(0, 0), area * second(0, 0));
  of_grid("Sigma_12", state.covariance(0, 1), area * second(0, 1));
  of_grid("C_12", state.circulation(0, 1), area * turning);

  const std::int64_t batch = detail::batch_length(options);
  const auto first = [](const Eigen::Vector2d& t) { return t[0]; };
  auto filled = detail::run(
      system, options, 4, burn_in_updates(system.relaxation_time, options.steps),
      [&](int k) {
        return ness::EulerMaruyama(
            gyrator, time_step, Eigen::Vector2d(0, 0),
            ness::Philox(static_cast<std::uint64_t>(options.seed), static_cast<std::uint64_t>(k)));
      },
      Eigen::Vector2d(0, 0), ness::ThermodynamicForce<decltype(gyrator)>(gyrator),
      [](const Eigen::Vector2d& t) { return t; },
      ness::Density<2, decltype(first)>(first, axis_of(0, 30), batch,
                                        detail::independent(system.relaxation_time)),
      ness::StationaryEstimator<2>(steps, {1, 10, 100}, batch));
  const auto& density = std::get<2>(filled);
  system.curves.push_back(
      detail::curve("gyrator_first", "simulation", "θ1", density,
                    detail::gaussian_bins(density.axis(), steps.covariance(0, 0))));
  for (auto& row : ness::compare(steps, std::get<3>(filled).result()).rows)
    system.add(std::move(row));
  return system;
}

/// The regression network under SGD with replacement, where theory takes it for linear; and what
/// other ways of training are.
inline System study_sgd(const Options& options, Results& results) {
  const Objective objective(make_network(options), ness::L2{options.lambda});
  check_batch(options, objective.samples(), true);
  const Minimum minimum = find_minimum(objective);
  const double steepest = minimum.hessian_eigenvalues.maxCoeff();
  require_option(options.eta * steepest < 2, "--eta", "be below 2 / h_max for a stationary state",
                 options.eta, "lower it");
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = options.eta,
                                                  .minibatch = {options.batch}};
  const ness::StationaryState<Matrix> state = ness::predict(objective, minimum, training);
  const ness::LinearSystem<Matrix> linear = state.linear_system();
  System system{.key = "sgd",
                .title = "SGD",
                .laws = "μ = ηI,  D(θ) of minibatches",
                .x_title = "{/:Italic δθ}",
                .y_title = "{/:Italic δθ}"};
  // Points as far from the minimum as training wanders.
  Eigen::Matrix<double, 7, Eigen::Dynamic> points =
      state.covariance.llt().matrixL() * Matrix::Identity();
  points.colwise() += minimum.theta;
  const auto add = [&](const std::string& name, const ness::Classification& found) {
    results.trainings.emplace_back(name, found);
    return found;
  };
  system.classification = add("SGD with replacement",
                              ness::classify(ness::TrainingSystem(objective, training), points));
  add("SGD without replacement",
      ness::classify(
          ness::TrainingSystem(objective,
                               ness::Sgd<ness::WithoutReplacement>{.learning_rate = options.eta,
                                                                   .minibatch = {options.batch}}),
          points));
  const ness::EarthquakeModel earthquake{.learning_rate = options.eta, .noise = {1e-4}};
  add("earthquake",
      ness::classify(ness::predict(objective, minimum, earthquake).linear_system(), points));
  for (double eta = options.eta; eta > options.eta / 2e4; eta /= 10) {
    const ness::Sgld sgld{.learning_rate = eta, .minibatch = {options.batch}};
    const auto found = ness::classify(ness::TrainingSystem(objective, sgld), points);
    results.approach.eta.push_back(eta);
    results.approach.residual.push_back(found.einstein.residual);
    results.approach.beta.push_back(found.einstein.beta);
  }

  system.relaxation_time = 1 / (options.eta * minimum.hessian_eigenvalues.minCoeff());
  system.entropy_theory = state.entropy_production * system.relaxation_time;
  // The pair of parameters that circulates most for its spread.
  Eigen::Index a = 0, b = 1;
  double most = 0;
  for (Eigen::Index j = 0; j < 7; ++j)
    for (Eigen::Index i = 0; i < j; ++i) {
      const double turns = std::abs(state.circulation(i, j)) /
                           std::sqrt(state.covariance(i, i) * state.covariance(j, j));
      if (turns > most) std::tie(most, a, b) = std::tuple(turns, i, j);
    }
  // In a power of ten in which numbers are neither large nor small.
  const double power = std::floor(std::log10(std::sqrt(state.covariance(a, a))));
  const double unit = std::pow(10, power);
  std::ostringstream in_units;
  in_units << " / 10^{" << power << "}";
  system.x_title += "_" + std::to_string(a + 1) + in_units.str();
  system.y_title += "_" + std::to_string(b + 1) + in_units.str();
  const auto axis_of = [&](Eigen::Index k, Eigen::Index bins) {
    const double reach = 3 * std::sqrt(state.covariance(k, k)) / unit;
    return ness::Axis{-reach, reach, bins};
  };
  const std::vector<Eigen::Index> pair{a, b};
  system.theory = detail::gaussian_map(axis_of(a, 24), axis_of(b, 24),
                                       state.covariance(pair, pair) / (unit * unit),
                                       state.circulation(pair, pair) / (unit * unit));
  // ∫⟨δθ_a(t) δθ_a(0)⟩dt / Σ_aa of the linear system.
  const Matrix times = minimum.hessian.llt().solve(state.covariance) / options.eta;
  const double own_time = times(a, a) / state.covariance(a, a);
  const Theta shift = ness::mean_shift(objective, training, state);
  const Theta center = minimum.theta;
  const auto plane = [a, b, center, unit](const Theta& t) {
    return Eigen::Vector2d((t[a] - center[a]) / unit, (t[b] - center[b]) / unit);
  };
  const auto first = [a, mean = center[a] + shift[a], unit](const Theta& t) {
    return (t[a] - mean) / unit;
  };
  auto filled = detail::run(
      system, options, 15, burn_in_updates(system.relaxation_time, options.steps),
      [&](int k) {
        return ness::Chain(
            objective, training, minimum.theta,
            ness::Philox(static_cast<std::uint64_t>(options.seed), static_cast<std::uint64_t>(k)));
      },
      minimum.theta, ness::ThermodynamicForce<decltype(linear)>(linear), plane,
      ness::Density<7, decltype(first)>(first, axis_of(a, 30), detail::batch_length(options),
                                        detail::independent(own_time)),
      ness::StationaryEstimator<7>(state, {1, 2, 3}, detail::batch_length(options)));
  const auto& density = std::get<2>(filled);
  system.curves.push_back(detail::curve(
      "sgd_first", "simulation", "δθ" + std::to_string(a + 1) + in_units.str(), density,
      detail::gaussian_bins(density.axis(), state.covariance(a, a) / (unit * unit))));
  for (auto& row : ness::compare(state, std::get<3>(filled).result(), shift).rows)
    system.add(std::move(row));
  return system;
}

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
