// A particle on a ring, far from linear.
#include <Eigen/Dense>
#include <cmath>
#include <ness/dynamics/euler_maruyama.hpp>
#include <ness/statistics/estimate.hpp>
#include <numbers>

#include "../common/user_error.hpp"
#include "chains.hpp"
#include "study.hpp"

namespace {

constexpr double turn = 2 * std::numbers::pi;

/// The hill cos φ and a torque, at temperature 1; the angle counts turns.
struct DrivenRing {
  double torque;

  static constexpr Eigen::Index parameters() { return 1; }
  auto potential(const auto& theta) const {
    using std::cos;
    return cos(theta[0]) - torque * theta[0];
  }
  Eigen::Matrix<double, 1, 1> diffusion() const { return Eigen::Matrix<double, 1, 1>(1.0); }
  double beta() const { return 1; }
};

/// By quadrature on equal points, which converges exponentially for what is periodic.
class ExactRing {
 public:
  explicit ExactRing(double torque) : torque_(torque), density_(Eigen::ArrayXd(points)) {
    // P(φ) ∝ ∫₀^{2π} e^{V(φ+y) − V(φ)} dy, by Gauss's rule on pieces: the integrand is not
    // periodic.
    for (int k = 0; k < points; ++k) density_[k] = inner(angle(k));
    density_ /= density_.sum() * turn / points;
    // J = (1 − e^{−2πf})/(∫ of all e^{V(φ+y) − V(φ)}), with V(φ + 2π) = V(φ) − 2πf.
    double all = 0;
    for (int k = 0; k < points; ++k) all += inner(angle(k)) * turn / points;
    current_ = -std::expm1(-turn * torque) / all;
  }

  /// Turns per unit of time.
  double current() const { return current_; }
  /// ⟨σ⟩ per unit of time: a turn dissipates 2πf.
  double entropy() const { return current_ * turn * torque_; }
  double density(double phi) const { return inner(phi) * density_[0] / inner(0); }
  /// v^s = J/P
  double velocity(double phi) const { return current_ / density(phi); }

  /// ⟨σ⟩ of Euler–Maruyama's steps, per unit of time: of the angle on the ring, from the stationary
  /// vector of its kernel.
  double entropy_of_steps(double time_step) const {
    Eigen::MatrixXd kernel(points, points);  // from, to
    for (int i = 0; i < points; ++i)
      for (int j = 0; j < points; ++j) {
        const double there = angle(i) + time_step * (std::sin(angle(i)) + torque_);
        const double away = std::remainder(angle(j) - there, turn);
        double sum = 0;
        for (const int turns : {-1, 0, 1})
          sum += std::exp(-(away + turns * turn) * (away + turns * turn) / (4 * time_step));
        kernel(i, j) = sum;
      }
    for (int i = 0; i < points; ++i) kernel.row(i) /= kernel.row(i).sum();
    Eigen::MatrixXd power = kernel;
    for (int k = 0; k < 20; ++k) power = (power * power).eval();
    double sum = 0;
    for (int i = 0; i < points; ++i)
      for (int j = 0; j < points; ++j)
        if (kernel(i, j) > 1e-200 && kernel(j, i) > 1e-200)
          sum += power(0, i) * kernel(i, j) * std::log(kernel(i, j) / kernel(j, i));
    return sum / time_step;
  }

 private:
  static constexpr int points = 360;
  static double angle(int k) { return turn * k / points; }

  double inner(double phi) const {
    constexpr int pieces = 120;
    const double width = turn / pieces, offset = std::sqrt(0.6) / 2;
    double sum = 0;
    for (int k = 0; k < pieces; ++k)
      for (const auto& [place, weight] :
           {std::pair{0.5 - offset, 5. / 18}, {0.5, 8. / 18}, {0.5 + offset, 5. / 18}}) {
        const double y = (k + place) * width;
        sum += width * weight * std::exp(std::cos(phi + y) - std::cos(phi) - torque_ * y);
      }
    return sum;
  }

  double torque_, current_ = 0;
  Eigen::ArrayXd density_;
};

/// Angles after each step of one chain, in a column.
Eigen::MatrixXd angles_of(const Options& options, const DrivenRing& ring, double time_step,
                          std::int64_t steps) {
  ness::EulerMaruyama chain(ring, time_step, Eigen::Matrix<double, 1, 1>(0.0),
                            stream(options, 0, false));
  const auto burn_in = static_cast<std::int64_t>(20 / time_step);
  Eigen::MatrixXd angles(steps + 1, 1);
  ProgressBar bar("ring");
  for (std::int64_t k = -burn_in; k <= steps; ++k) {
    chain.step();
    if (k >= 0) angles(k, 0) = chain.theta()[0];
    if (k % 10'000 == 0) bar(k + burn_in, steps + burn_in);
  }
  return angles;
}

/// Δφ and Δφ times harmonics of its middle.
Eigen::VectorXd harmonic_currents(const Eigen::VectorXd& from, const Eigen::VectorXd& to) {
  constexpr int harmonics = 3;
  const double length = to[0] - from[0], middle = (to[0] + from[0]) / 2;
  Eigen::VectorXd currents(2 * harmonics + 1);
  currents[0] = length;
  for (int k = 1; k <= harmonics; ++k) {
    currents[2 * k - 1] = length * std::cos(k * middle);
    currents[2 * k] = length * std::sin(k * middle);
  }
  return currents;
}

/// P and v^s in bins of the angle.
Ring look_round(const Eigen::MatrixXd& angles, const ExactRing& exact, double time_step,
                std::int64_t batch_length) {
  const ness::Axis axis{0, turn, 36};
  ness::BatchMeans<> sums(axis.bins, 2, batch_length);
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(axis.bins, 2);
  for (Eigen::Index k = 0; k + 1 < angles.rows(); ++k) {
    const double middle = (angles(k, 0) + angles(k + 1, 0)) / 2;
    const Eigen::Index bin =
        std::min(axis.bins - 1,
                 std::max<Eigen::Index>(0, axis.bin(middle - turn * std::floor(middle / turn))));
    sum(bin, 0) += 1;
    sum(bin, 1) += angles(k + 1, 0) - angles(k, 0);
    if ((k + 1) % 100 != 0) continue;
    sums.add(sum, 100);
    sum.setZero();
  }
  Ring ring;
  ring.angle.resize(axis.bins);
  ring.density = ring.velocity = ring.angle;
  for (Eigen::Index bin = 0; bin < axis.bins; ++bin) {
    ring.angle[bin] = axis.center(bin);
    ring.density[bin] = exact.density(axis.center(bin));
    ring.velocity[bin] = exact.velocity(axis.center(bin));
  }
  const Eigen::MatrixXd mean = sums.mean(), error = sums.standard_error();
  ring.found_density = {mean.col(0).array() / axis.width(), error.col(0).array() / axis.width()};
  ring.found_velocity = {mean.col(1).array() / mean.col(0).array() / time_step,
                         error.col(1).array() / mean.col(0).array() / time_step};
  return ring;
}

}  // namespace

Results study_ring(const Options& options) {
  const double time_step = options.time_step > 0 ? options.time_step : 0.01;
  require_option(time_step <= 0.2, "--time-step", "be at most 0.2, for angles to be told apart",
                 time_step, "lower it");
  const std::int64_t steps = options.steps > 0 ? options.steps : 4'000'000;
  require_option(steps <= 20'000'000, "--steps", "be at most 2e7 on the ring, which are kept",
                 steps, "lower it");
  const ExactRing exact(options.torque);
  const DrivenRing ring{options.torque};
  const Eigen::MatrixXd angles = angles_of(options, ring, time_step, steps);
  Results results{.key = "ring",
                  .title = "particle on a ring, hill and torque",
                  .unit = "unit of time",
                  .steps = steps,
                  .parameters = 1,
                  .time_step = time_step};
  results.continuous = exact.entropy();
  results.exact = exact.entropy_of_steps(time_step);
  for (const std::int64_t lag : options.lags) {
    const Eigen::MatrixXd seen = angles(Eigen::seq(0, steps - steps % lag, lag), 0);
    const auto found = ness::irreversibility(seen, harmonic_currents);
    const double time = time_step * static_cast<double>(lag);
    results.bounds.push_back({lag, per_time(found.uncertainty_bound, time),
                              per_time(found.entropy_bound, time), found.ceiling / time,
                              lag == 1 ? results.exact : unknown});
  }
  add_rows(results, 0);
  const std::int64_t batch = steps / 64;
  results.ring = look_round(angles, exact, time_step, batch);
  ness::BatchMeans<> turns(1, 1, batch);
  Eigen::MatrixXd one(1, 1);
  for (Eigen::Index k = 0; k < steps; ++k) {
    one(0, 0) = (angles(k + 1, 0) - angles(k, 0)) / turn / time_step;
    turns.add(one, 1);
  }
  // The bias of finite steps.
  results.rows.push_back(
      ness::compare_row("turns per unit of time", exact.current(),
                        Estimate<double>{turns.mean()(0, 0), turns.standard_error()(0, 0),
                                         turns.degrees_of_freedom()},
                        time_step));
  return results;
}
