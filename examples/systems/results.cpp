#include "results.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <numbers>

ness::ComparisonRow Curve::row() const {
  // Counts per density: those of all states, inside the axis and outside.
  Eigen::Index most = 0;
  const double states = counts.maxCoeff(&most) / measured.value[most];
  std::vector<Estimate<double>> expected;
  std::vector<Estimate<double>> found;
  for (Eigen::Index bin = 0; bin < theory.size(); ++bin) {
    const double count = theory[bin] * states;
    if (!(count >= enough)) continue;
    const double independent = std::sqrt(count) / states;
    expected.push_back({theory[bin], 0});
    found.push_back({measured.value[bin], std::max(measured.standard_error[bin], independent),
                     measured.degrees_of_freedom});
  }
  const std::string bins = std::to_string(expected.size());
  return ness::compare_points(name + ", " + bins + " bins", expected, found);
}

ness::ComparisonRow compare_number(const std::string& quantity, double theory,
                                   const Estimate<double>& found, double relative_tolerance) {
  return ness::compare_row(quantity, theory, found, relative_tolerance);
}

ness::Axis axis_of(double variance, Eigen::Index bins) {
  const double reach = 3 * std::sqrt(variance);
  return {-reach, reach, bins};
}

Eigen::ArrayXd gaussian_bins(const ness::Axis& axis, double variance) {
  return bin_means(axis, [&](double x) { return std::erfc(-x / std::sqrt(2 * variance)) / 2; });
}

Map gaussian_map(const Eigen::Matrix2d& covariance, const Eigen::Matrix2d& circulation) {
  const Eigen::Matrix2d inverse = covariance.inverse();
  const double norm = 2 * std::numbers::pi * std::sqrt(covariance.determinant());
  Map map{axis_of(covariance(0, 0), map_bins), axis_of(covariance(1, 1), map_bins), {}, {}, {}};
  map.density.resize(map.x.bins, map.y.bins);
  map.current_x = map.current_y = map.density;
  for (Eigen::Index i = 0; i < map.x.bins; ++i)
    for (Eigen::Index j = 0; j < map.y.bins; ++j) {
      const Eigen::Vector2d at(map.x.center(i), map.y.center(j));
      map.density(i, j) = std::exp(-at.dot(inverse * at) / 2) / norm;
      const Eigen::Vector2d current = -map.density(i, j) * (circulation * (inverse * at));
      map.current_x(i, j) = current[0];
      map.current_y(i, j) = current[1];
    }
  return map;
}
