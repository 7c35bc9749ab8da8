// What the table, the JSON file and the figures are made from.
#pragma once

#include <Eigen/Core>
#include <ness/compare.hpp>
#include <ness/stationary/classify.hpp>
#include <ness/stationary/relaxation.hpp>
#include <ness/statistics/axis.hpp>
#include <ness/statistics/estimate.hpp>
#include <ness/trajectory/relaxation.hpp>
#include <ness/trajectory/sub_trajectories.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

  /// The bin that is farthest off, of those where theory expects counts enough to take them for
  /// normal numbers. A bin's error is at least that of independent states: where counts are few,
  /// their own scatter says less.
  ness::ComparisonRow row() const;
  static constexpr double enough = 300;
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
  double entropy_range = 1;  ///< of the histogram of σ
  double time_step = 1;
  double relaxation_time = 0;  ///< in time steps
  double entropy_theory = 0;   ///< per relaxation time
  double entropy_bias = 0;     ///< of finite steps, relative
  ness::Classification classification = {};
  Estimate<double> entropy = {};
  std::vector<ness::ComparisonRow> rows = {};
  std::vector<Curve> curves = {};
  Map theory = {}, measured = {};
  std::optional<ness::SubTrajectories> short_paths = {};  ///< with the entropy of the medium
  double seconds_per_step = 0;
};

/// SGLD as η → 0: what is left of the Einstein relation.
struct Approach {
  std::vector<double> eta, residual, beta;
};

/// What ways of training are, around the minimum.
struct Trainings {
  std::vector<std::pair<std::string, ness::Classification>> kinds;
  Approach approach;
};

/// An ensemble on its way from one point to the stationary state, at several times.
struct Settling {
  double time_step;
  std::vector<ness::Ensemble<>> theory;
  std::vector<ness::MeasuredEnsemble> measured;
};

/// Of all times, mean and covariance where they are farthest off.
std::vector<ness::ComparisonRow> rows_of(const Settling& settling);

/// How much of its native structure a polymer has, ⟨Q⟩, at several temperatures.
struct FoldingStudy {
  std::vector<double> temperature;
  std::vector<Estimate<double>> free_draining, hydrodynamics;
  std::vector<ness::ComparisonRow> rows;  ///< their differences, which are 0 in equilibrium
  double cold_temperature = 0.2;
  double hot_temperature = 2;
  Eigen::Matrix3Xd cold, hot;  ///< beads of a state there
};

struct Results {
  std::vector<System> systems;
  std::optional<Settling> settling;    ///< with the gyrator
  std::optional<Trainings> trainings;  ///< with SGD
  std::optional<FoldingStudy> folding;
};

/// A number and its estimate, for the table.
ness::ComparisonRow compare_number(const std::string& quantity, double theory,
                                   const Estimate<double>& found, double relative_tolerance);

/// Three standard deviations to either side.
ness::Axis axis_of(double variance, Eigen::Index bins);

/// The mean density of each bin, of a Gaussian variable.
Eigen::ArrayXd gaussian_bins(const ness::Axis& axis, double variance);

inline constexpr Eigen::Index map_bins = 24;

/// A Gaussian state in a plane: of its covariance and circulation per unit of time the 2 × 2
/// blocks.
Map gaussian_map(const Eigen::Matrix2d& covariance, const Eigen::Matrix2d& circulation);

/// The mean density of each bin, from the probability below a value.
template <class Below>
Eigen::ArrayXd bin_means(const ness::Axis& axis, const Below& below) {
  Eigen::ArrayXd means(axis.bins);
  for (Eigen::Index bin = 0; bin < axis.bins; ++bin)
    means[bin] = (below(axis.lower_edge(bin + 1)) - below(axis.lower_edge(bin))) / axis.width();
  return means;
}
