// What the table, the JSON file and the figures are made from.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <ness/compare.hpp>
#include <ness/statistics/axis.hpp>
#include <ness/statistics/estimate.hpp>
#include <ness/trajectory/vorticity.hpp>
#include <optional>
#include <string>
#include <vector>

using ness::Estimate;

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// What pairs of states so many steps apart show. Rates are per unit of time, here and below.
struct Bounds {
  std::int64_t lag = 1;
  Estimate<double> uncertainty, entropy;
  double ceiling = unknown;
  double exact = unknown;  ///< of pairs
};

/// Density and current in a plane.
struct Map {
  ness::Axis x, y;
  Eigen::ArrayXXd density, current_x, current_y;
};

/// The plane that is looked at.
struct Plane {
  Eigen::MatrixXd axes;  ///< N × 2
  bool leading = true;
  std::string x_title, y_title;
};

/// ⟨σ⟩ by frequency, in radians per step, and between directions.
struct Spectrum {
  Eigen::ArrayXd frequency, density;  ///< density per step and radian
  Eigen::MatrixXd pairs;              ///< empty where K is not symmetric; shares of the whole
};

/// ⟨σ⟩ exact in steps over Eq. 29, for learning rates.
struct FiniteSteps {
  std::vector<double> eta, ratio;
};

/// What pairs of states at the first lag show of a chain between the linear one and the training.
struct Between {
  std::string chain;
  Estimate<double> uncertainty, entropy;
};

/// What is on a ring: P and the mean velocity in bins of the angle.
struct Ring {
  Eigen::ArrayXd angle, density, velocity;  ///< by quadrature
  Estimate<Eigen::ArrayXd> found_density, found_velocity;
};

struct Results {
  std::string key, title;
  std::string unit;    ///< of time
  std::int64_t steps;  ///< that are looked at, of all chains
  Eigen::Index parameters = 0;
  double time_step = 1;
  double exact = unknown;       ///< ⟨σ⟩ of the steps as they are
  double continuous = unknown;  ///< of infinitely short ones
  double of_path = unknown;     ///< with a memory: of long paths, where `exact` is of pairs
  std::vector<Bounds> bounds = {};
  Estimate<Eigen::VectorXd> frequencies = {};  ///< in radians
  Eigen::VectorXd predicted_frequencies = {};
  Plane plane = {};
  std::optional<Map> predicted = {}, measured = {};
  std::optional<ness::Fit> fit = {};
  std::vector<ness::ComparisonRow> rows = {};
  std::optional<Spectrum> spectrum = {};
  std::optional<FiniteSteps> finite_steps = {};
  std::vector<Between> between = {};
  std::optional<Ring> ring = {};
};
