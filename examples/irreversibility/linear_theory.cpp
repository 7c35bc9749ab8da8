#include "linear_theory.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <ness/stationary/entropy_spectrum.hpp>
#include <numbers>

namespace {

/// ⟨δθ(t + lag)δθ(t)ᵀ⟩, of a heavy ball by the chain of two successive states.
Eigen::MatrixXd lagged_covariance(const ness::StationaryState<>& state, std::int64_t lag) {
  const Eigen::Index n = state.mean().size();
  const ness::LinearUpdate& update = state.update();
  const Eigen::MatrixXd one = Eigen::MatrixXd::Identity(n, n);
  Eigen::MatrixXd step = Eigen::MatrixXd::Zero(2 * n, 2 * n), now(2 * n, n);
  step << (1 + update.momentum) * one - update.of_gradient() * state.relaxation(),
      -update.momentum * one, one, Eigen::MatrixXd::Zero(n, n);
  now << state.covariance(), (state.covariance() - state.drift()).transpose();
  for (std::int64_t k = 0; k < lag; ++k) now = (step * now).eval();
  return now.topRows(n);
}

}  // namespace

double entropy_of_pairs(const ness::StationaryState<>& state, std::int64_t lag) {
  const Eigen::MatrixXd lagged = lagged_covariance(state, lag);
  const Eigen::MatrixXd increments = 2 * state.covariance() - lagged - lagged.transpose();
  const Eigen::MatrixXd cross = (lagged - lagged.transpose()) / 2;
  const Eigen::MatrixXd midpoints = state.covariance() - increments / 4;
  const Eigen::LLT<Eigen::MatrixXd> left(increments), right(midpoints);
  // ρ are the singular values of L_V⁻¹ A L_W⁻ᵀ.
  const Eigen::MatrixXd half = left.matrixL().solve(cross);
  const Eigen::MatrixXd white = right.matrixL().solve(half.transpose());
  const Eigen::VectorXd squares =
      (white.transpose() * white).selfadjointView<Eigen::Lower>().eigenvalues();
  double sum = 0;
  for (const double square : squares) sum += 2 * square / (1 - square);
  return sum;
}

ness::Axis axis_of(double variance, Eigen::Index bins) {
  const double reach = 2.5 * std::sqrt(variance);
  return {-reach, reach, bins};
}

Map predicted_map(const ness::StationaryState<>& state, const Plane& plane, double time_step) {
  const Eigen::Matrix2d covariance =
      plane.axes.transpose() * (state.covariance() - state.velocity_covariance() / 4) * plane.axes;
  const Eigen::Matrix2d inverse = covariance.inverse();
  const Eigen::Matrix2d velocity = state.midpoint_velocity(plane.axes) / time_step;
  const double norm = 2 * std::numbers::pi * std::sqrt(covariance.determinant());
  constexpr Eigen::Index bins = 24;
  Map map{axis_of(covariance(0, 0), bins), axis_of(covariance(1, 1), bins), {}, {}, {}};
  map.density.resize(bins, bins);
  map.current_x = map.current_y = map.density;
  for (Eigen::Index i = 0; i < bins; ++i)
    for (Eigen::Index j = 0; j < bins; ++j) {
      const Eigen::Vector2d at(map.x.center(i), map.y.center(j));
      map.density(i, j) = std::exp(-at.dot(inverse * at) / 2) / norm;
      const Eigen::Vector2d current = map.density(i, j) * (velocity * at);
      map.current_x(i, j) = current[0];
      map.current_y(i, j) = current[1];
    }
  return map;
}

Spectrum spectrum_of(const ness::StationaryState<>& state) {
  const ness::EntropySpectrum<> spectrum(state);
  constexpr Eigen::Index points = 300;
  Spectrum found{Eigen::ArrayXd(points), Eigen::ArrayXd(points), {}};
  const double low = std::log(state.decay_rates()[0] / 30), high = std::log(std::numbers::pi);
  for (Eigen::Index k = 0; k < points; ++k) {
    found.frequency[k] = std::exp(low + (high - low) * static_cast<double>(k) / (points - 1));
    found.density[k] = spectrum.density(found.frequency[k]);
  }
  if (spectrum.directions().size() > 0) found.pairs = spectrum.pairs() / spectrum.rate();
  return found;
}
