#include "results.hpp"

#include <Eigen/LU>
#include <cmath>
#include <numbers>

double Curve::worst() const {
  const Eigen::ArrayXd z = (measured.value - theory).abs() / measured.standard_error;
  return (counts > enough).select(z, 0).maxCoeff();
}

ness::ComparisonRow compare_number(const std::string& quantity, double theory,
                                   const Estimate<double>& found, double relative_tolerance) {
  return {.quantity = quantity,
          .theory = theory,
          .simulation = found.value,
          .difference = std::abs(found.value - theory),
          .standard_error = found.standard_error,
          .tolerance = relative_tolerance * std::abs(theory)};
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
