// Three alleles.
#include <algorithm>
#include <cmath>
#include <ness/stationary/classify.hpp>
#include <ness/systems/force.hpp>
#include <ness/systems/wright_fisher.hpp>

#include "../common/progress.hpp"
#include "chains.hpp"
#include "resampling.hpp"
#include "study.hpp"

namespace {

using Evolution = ness::WrightFisher<3>;

/// The stationary density Π x_j^{2N_e u_j − 1} exp(2N_e Σ s_j x_j), on cells that divide those of
/// the map.
class ExactEvolution {
 public:
  explicit ExactEvolution(const Evolution& evolution)
      : density_(Eigen::ArrayXXd::Zero(fine_.bins, fine_.bins)) {
    const ness::EquilibriumPotential phi(evolution);
    const double middle = phi(Eigen::Vector2d(1.0 / 3, 1.0 / 3));
    for (Eigen::Index i = 0; i < fine_.bins; ++i)
      for (Eigen::Index j = 0; i + j < fine_.bins; ++j) {
        const Eigen::Vector2d at(fine_.center(i), fine_.center(j));
        // Of a cell on the edge x_1 + x_2 = 1 half is inside, about a third of the way.
        const bool on_edge = i + j == fine_.bins - 1;
        const double back = on_edge ? fine_.width() / 6 : 0;
        const Eigen::Vector2d inside = at.array() - back;
        density_(i, j) = (on_edge ? 0.5 : 1) * std::exp(middle - phi(inside));
      }
    density_ /= density_.sum() * fine_.width() * fine_.width();
  }

  Map map() const {
    const ness::Axis axis{0, 1, map_bins};
    const Eigen::Index part = fine_.bins / map_bins;
    Map map{axis, axis, {}, {}, {}};
    map.density.resize(map_bins, map_bins);
    for (Eigen::Index i = 0; i < map_bins; ++i)
      for (Eigen::Index j = 0; j < map_bins; ++j)
        map.density(i, j) = density_.block(part * i, part * j, part, part).mean();
    map.current_x = map.current_y = Eigen::ArrayXXd::Zero(map_bins, map_bins);
    return map;
  }

  /// ⟨x_1⟩, ⟨x_2⟩
  Eigen::Vector2d mean() const {
    const Eigen::ArrayXd x =
        Eigen::ArrayXd::NullaryExpr(fine_.bins, [&](Eigen::Index i) { return fine_.center(i); });
    const double area = fine_.width() * fine_.width();
    return {area * (density_.rowwise().sum() * x).sum(),
            area * (density_.colwise().sum().transpose() * x).sum()};
  }

 private:
  ness::Axis fine_{0, 1, 40 * map_bins};
  Eigen::ArrayXXd density_;
};

/// Adds a density and a mean that were measured of a frequency.
template <class Density>
void add_frequency(System& system, const Density& density, const std::string& name,
                   const std::string& title, const std::string& variable,
                   const Eigen::ArrayXd& theory, double mean, double population) {
  system.curves.push_back(make_curve(name, title, "frequency " + variable, density, theory));
  // The bias of a finite step, or of a finite population.
  system.rows.push_back(
      compare_number("<" + variable + ">, " + title, mean, density.mean(), 2 / population));
}

}  // namespace

System study_evolution(const Options& options) {
  const Eigen::Vector3d u(options.mutation[0], options.mutation[1], options.mutation[2]);
  const Eigen::Vector3d s(options.selection[0], options.selection[1], options.selection[2]);
  const auto population = static_cast<double>(options.population);
  const Evolution evolution(population, u, s);
  const double time_step = std::min(population / 500, 0.02 / u.sum());  // a 50th of a relaxation
  System system{.key = "wright-fisher",
                .title = "Evolution",
                .laws = "μ = 2{/:Italic N_eD},  D(θ) of drawing copies",
                .x_title = "{/:Italic x}_1",
                .y_title = "{/:Italic x}_2",
                .entropy_range = 2.5,
                .time_step = time_step,
                .relaxation_time = 1 / (u.sum() * time_step)};
  Eigen::Matrix2Xd points(2, 5);
  points << 0.1, 0.3, 0.6, 0.05, 0.2, 0.4, 0.3, 0.2, 0.9, 0.2;
  system.classification = ness::classify(evolution, points);
  const ExactEvolution exact(evolution);
  system.theory = exact.map();

  const ness::Axis& axis = system.theory.x;
  const auto first = [](const Eigen::VectorXd& t) { return t[0]; };
  const auto second = [](const Eigen::VectorXd& t) { return t[1]; };
  const Eigen::Vector2d origin = Eigen::Vector2d::Zero();
  const auto make_chain = [&](int k) {
    return ness::WrightFisherChain<3>(evolution, time_step, Eigen::Vector2d(1.0 / 3, 1.0 / 3),
                                      stream(options, k));
  };
  const auto [of_first, of_second] = run(
      system, options, burn_in_updates(system.relaxation_time, options.steps), make_chain, origin,
      ness::ThermodynamicForce<Evolution>(evolution),
      [](const Eigen::VectorXd& t) -> Eigen::Vector2d { return t; },
      density_of(first, axis, options, system.relaxation_time),
      density_of(second, axis, options, system.relaxation_time));

  ProgressBar bar("resampling");
  const double relaxation = 1 / u.sum();  // of one generation at a time
  const auto [drawn] = ness::run_chains(
      run_settings(options, options.steps, burn_in_updates(relaxation, options.steps), bar),
      [&](int k) {
        return Resampling(static_cast<int>(options.population), u, s,
                          static_cast<std::uint64_t>(options.seed * 1000 + k));
      },
      origin, density_of(first, axis, options, relaxation));

  const Eigen::ArrayXd x1 = system.theory.density.rowwise().sum() * axis.width();
  const Eigen::ArrayXd x2 = system.theory.density.colwise().sum().transpose() * axis.width();
  const Eigen::Vector2d mean = exact.mean();
  add_frequency(system, of_first, "evolution_first", "diffusion", "x1", x1, mean[0], population);
  add_frequency(system, of_second, "evolution_second", "diffusion", "x2", x2, mean[1], population);
  add_frequency(system, drawn, "evolution_resampled", "drawing copies", "x1", x1, mean[0],
                population);
  return system;
}
