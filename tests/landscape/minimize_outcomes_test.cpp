// What minimize says of the data that people have: noise, offsets, exact fits, collinear columns,
// separable classes, kinks.
#include <Eigen/Core>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "ness/landscape/minimize.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::Vector2d;
using Eigen::VectorXd;
using ness::MinimumStatus;

/// ℓ_i = (x_i·θ − y_i)², x with a sample in each row.
template <class S>
struct LeastSquares {
  using Scalar = S;
  Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic> x;
  Eigen::Matrix<S, Eigen::Dynamic, 1> y;
  Eigen::Index parameters() const { return x.cols(); }
  Eigen::Index samples() const { return x.rows(); }
  auto sample_loss(const auto& theta, Eigen::Index i) const {
    auto residual = theta[0] * x(i, 0) - y[i];
    for (Eigen::Index k = 1; k < x.cols(); ++k) residual += theta[k] * x(i, k);
    return residual * residual;
  }
};

struct Problem {
  MatrixXd x;
  VectorXd theta, noise;
  explicit Problem(int k)
      : x(generic_values(50 + k, 1 + k % 6, 100 + static_cast<std::uint64_t>(k))),
        theta(generic_values(1 + k % 6, 1, 200 + static_cast<std::uint64_t>(k))),
        noise(generic_values(50 + k, 1, 300 + static_cast<std::uint64_t>(k))) {}
};

constexpr int problems = 40;

ness::Minimum<> fit(const MatrixXd& x, const VectorXd& y) {
  const ness::Objective objective(LeastSquares<double>{x, y});
  return ness::minimize(objective, VectorXd(VectorXd::Ones(x.cols())));
}

/// |X(θ − θ_exact)| / |Xθ_exact|, by a QR decomposition, which does not square the condition.
double error_of_fit(const MatrixXd& x, const VectorXd& y, const VectorXd& theta) {
  const VectorXd exact = x.colPivHouseholderQr().solve(y);
  return relative_error(x * theta, x * exact);
}

struct Decay {
  VectorXd x, y;
  static constexpr Eigen::Index parameters() { return 2; }
  Eigen::Index samples() const { return x.size(); }
  auto sample_loss(const auto& theta, Eigen::Index i) const {
    using std::exp;
    const auto residual = y[i] - theta[0] * exp(-theta[1] * x[i]);
    return residual * residual;
  }
};

struct Exponentials {
  VectorXd x, y;
  static constexpr Eigen::Index parameters() { return 6; }
  Eigen::Index samples() const { return x.size(); }
  auto sample_loss(const auto& t, Eigen::Index i) const {
    using std::exp;
    const auto residual =
        y[i] - t[0] * exp(-t[1] * x[i]) - t[2] * exp(-t[3] * x[i]) - t[4] * exp(-t[5] * x[i]);
    return residual * residual;
  }
};

struct Logistic {
  MatrixXd x;
  VectorXd side;
  Eigen::Index parameters() const { return x.cols(); }
  Eigen::Index samples() const { return x.rows(); }
  auto sample_loss(const auto& theta, Eigen::Index i) const {
    using std::exp;
    using std::log;
    auto z = theta[0] * x(i, 0);
    for (Eigen::Index k = 1; k < x.cols(); ++k) z += theta[k] * x(i, k);
    return log(1 + exp(-side[i] * z));
  }
};

/// Two parameters, any function of them for a loss.
template <class F>
struct Surface {
  F f;
  static constexpr Eigen::Index parameters() { return 2; }
  Eigen::Index samples() const { return 1; }
  auto sample_loss(const auto& theta, Eigen::Index) const { return f(theta[0], theta[1]); }
};
template <class F>
ness::Minimum<> end_of(const F& f, const Vector2d& start,
                       const ness::MinimizeSettings& settings = {}) {
  return ness::minimize(ness::Objective(Surface<F>{f}), start, settings);
}

}  // namespace

TEST_CASE("least squares converge whatever the noise: 1e-1 … 1e-8 of the signal, and none") {
  for (const double level : {1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 0.0})
    for (int k = 0; k < problems; ++k) {
      CAPTURE(level, k);
      const Problem problem(k);
      const VectorXd y = problem.x * problem.theta + level * problem.noise;
      const auto minimum = fit(problem.x, y);
      CHECK(minimum.status == MinimumStatus::converged);
      CHECK(minimum.iterations <= 6);
      CHECK(error_of_fit(problem.x, y, minimum.theta) <= 1e-14);
    }
}

TEST_CASE("least squares converge whatever the offset of the targets: 1 … 1e6") {
  for (const double offset : {1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6})
    for (int k = 0; k < problems; ++k) {
      CAPTURE(offset, k);
      Problem problem(k);
      if (k % 2 == 1) problem.x.col(0).setOnes();  // a model that can follow it, or not
      const VectorXd y = (problem.x * problem.theta + 0.1 * problem.noise).array() + offset;
      const auto minimum = fit(problem.x, y);
      CHECK(minimum.status == MinimumStatus::converged);
      CHECK(error_of_fit(problem.x, y, minimum.theta) <= 1e-13);
    }
}

TEST_CASE("targets around 1000 are fitted at once") {
  MatrixXd x(100, 2);
  VectorXd y(100);
  for (Eigen::Index i = 0; i < 100; ++i) {
    x(i, 0) = 1;
    x(i, 1) = static_cast<double>(i) / 50 - 1;
    y[i] = 1000 + 2 * x(i, 1) + std::sin(9 * static_cast<double>(i));
  }
  const auto minimum = fit(x, y);
  CHECK(minimum.status == MinimumStatus::converged);
  CHECK(minimum.iterations <= 5);
  // θ cannot be told better than the targets' own last places.
  CHECK(minimum.gradient_rounding > 1e-14);
  CHECK(minimum.gradient_rounding < 1e-11);
}

TEST_CASE("float data converge to float rounding, exact or noisy, with an offset or without") {
  for (int k = 0; k < problems; ++k) {
    CAPTURE(k);
    const Problem problem(k);
    const VectorXd y =
        (problem.x * problem.theta + (k % 3 == 0 ? 0 : 0.01) * problem.noise).array() +
        (k % 2 == 0 ? 0 : 100);
    const ness::Objective objective(LeastSquares<float>{problem.x.cast<float>(), y.cast<float>()});
    const auto minimum =
        ness::minimize(objective, Eigen::VectorXf(Eigen::VectorXf::Ones(problem.x.cols())));
    CHECK(minimum.status == MinimumStatus::converged);
    CHECK(error_of_fit(problem.x, y, minimum.theta.cast<double>()) <= 1e-4);
  }
}

TEST_CASE("collinear features converge up to a condition of 1e12, in any units") {
  for (const double condition : {1e2, 1e4, 1e6, 1e8, 1e10, 1e12})
    for (int k = 0; k < problems; ++k) {
      CAPTURE(condition, k);
      MatrixXd x = generic_values(60, 3, 100 + static_cast<std::uint64_t>(k));
      x.col(2) = x.col(0) + x.col(1) + x.col(2) / std::sqrt(condition);
      if (k % 2 == 1) {
        x.col(1) *= 1e6;
        x.col(2) *= 1e-3;
      }
      const VectorXd y = x * Problem(2).theta + Problem(10).noise;
      const auto minimum = fit(x, y);
      CHECK(minimum.status == MinimumStatus::converged);
      CHECK(error_of_fit(x, y, minimum.theta) <= 1e-15 * std::sqrt(condition) + 1e-13);
    }
}

TEST_CASE("columns that the data do not tell apart are named, in any units") {
  for (const double condition : {1e16, std::numeric_limits<double>::infinity()})
    for (const double unit : {1.0, 1e6, 1e-100}) {
      CAPTURE(condition, unit);
      MatrixXd x = generic_values(60, 4, 7);
      x.col(2) = x.col(0) + x.col(1) + x.col(2) / std::sqrt(condition);
      x.col(3) *= unit;  // a column that is of no concern
      const auto minimum = fit(x, VectorXd(x * VectorXd::Ones(4) + generic_values(60, 1, 8)));
      CHECK(minimum.status == MinimumStatus::flat);
      const VectorXd d = minimum.direction / minimum.direction[0];
      CHECK(relative_error(d, Eigen::Vector4d(1, 1, -1, 0)) <= 1e-6);
      CHECK_THAT(minimum.explanation(), contains("too flat along") && contains("theta[2]"));
    }
}

TEST_CASE("the README's decay with noise-free data is found exactly") {
  const VectorXd x = VectorXd::LinSpaced(100, 0, 3);
  for (int k = 0; k < 20; ++k) {
    CAPTURE(k);
    const Vector2d theta(0.5 + 0.1 * k, 0.4 + 0.07 * k);
    const VectorXd y = theta[0] * (-theta[1] * x.array()).exp();
    const auto minimum = ness::minimize(ness::Objective(Decay{x, y}), Vector2d(1, 1));
    CHECK(minimum.status == MinimumStatus::converged);
    CHECK(relative_error(minimum.theta, theta) <= 1e-14);
  }
}

TEST_CASE("sums of three exponentials are told apart to their certified values") {
  // The problem of Lanczos (1956), with its two customary starts; the second passes where two of
  // the exponentials are one, and where it leaves that depends on the last digits: on any of them
  // it must.
  using Vector6 = Eigen::Vector<double, 6>;
  const VectorXd x = VectorXd::LinSpaced(24, 0, 1.15);
  const VectorXd y = 0.0951 * (-x.array()).exp() + 0.8607 * (-3 * x.array()).exp() +
                     1.5576 * (-5 * x.array()).exp();
  const ness::Objective objective(Exponentials{x, y});
  for (const Vector6& start :
       {Vector6{1.2, 0.3, 5.6, 5.5, 6.5, 7.6}, Vector6{0.5, 0.7, 3.6, 4.2, 4, 6.3}}) {
    std::mt19937 random(1);
    std::uniform_real_distribution<double> in_the_last_digits(1 - 1e-13, 1 + 1e-13);
    for (int k = 0; k < 100; ++k) {
      CAPTURE(k);
      Vector6 beside = start;
      for (double& each : beside) each *= in_the_last_digits(random);
      const auto minimum = ness::minimize(objective, beside);
      CHECK(minimum.status == MinimumStatus::converged);
      Eigen::Vector3d rates(minimum.theta[1], minimum.theta[3], minimum.theta[5]);
      std::sort(rates.data(), rates.data() + 3);
      CHECK(relative_error(rates, Eigen::Vector3d(1, 3, 5)) <= 1e-7);
    }
  }
}

TEST_CASE("separable classes have no minimum, and a regularizer gives them one") {
  for (int k = 0; k < problems; ++k) {
    CAPTURE(k);
    const Problem problem(k);
    VectorXd side = (problem.x * problem.theta).array().sign();
    const VectorXd start = VectorXd::Zero(problem.x.cols());
    const auto lost = ness::minimize(ness::Objective(Logistic{problem.x, side}), start);
    CHECK(lost.status == MinimumStatus::no_minimum);
    // Along what it names every sample's loss falls.
    CHECK((side.array() * (problem.x * lost.direction).array()).minCoeff() > 0);
    CHECK_THAT(lost.explanation(), contains("falls for ever") && contains("add a regularizer"));
    for (const double lambda : {1e-3, 1e-9, 1e-12}) {
      CAPTURE(lambda);
      const ness::Objective held(Logistic{problem.x, side}, ness::L2{lambda});
      CHECK(ness::minimize(held, start).status == MinimumStatus::converged);
    }
    for (const Eigen::Index i : {0, 3, 5, 7, 8, 9, 11}) side[i] = -side[i];  // not separable
    CHECK(ness::minimize(ness::Objective(Logistic{problem.x, side}), start).status ==
          MinimumStatus::converged);
  }
}

TEST_CASE("what falls for ever otherwise has no minimum either") {
  const auto slope = [](const auto& x, const auto& y) {
    using std::exp;
    return exp(-x) - x + y * y;
  };
  CHECK(end_of(slope, {0, 1}).status == MinimumStatus::no_minimum);
  const auto saddle = [](const auto& x, const auto& y) { return x * x - y * y; };
  for (const Vector2d& start : {Vector2d(0, 0), {0.3, 1e-9}, {1, 1}}) {
    const auto end = end_of(saddle, start);
    CHECK(end.status == MinimumStatus::no_minimum);
    CHECK(std::abs(end.direction[1]) == 1);
  }
  const auto hill = [](const auto& x, const auto& y) { return -x * x - y * y; };
  CHECK(end_of(hill, {0, 0}).status == MinimumStatus::no_minimum);
}

TEST_CASE("a saddle that cannot be left is named with its direction") {
  const auto wells = [](const auto& x, const auto& y) {
    const auto well = y * y - 1;
    return x * x + well * well;
  };
  const auto saddle = end_of(wells, {0, 0}, {.max_iterations = 0});
  CHECK(saddle.status == MinimumStatus::saddle);
  CHECK(saddle.direction.cwiseAbs() == Vector2d(0, 1));
  CHECK(saddle.hessian_eigenvalues == Vector2d(-4, 2));
  CHECK_THAT(saddle.explanation(), contains("saddle") && contains("theta[1]"));
}

TEST_CASE("valleys and quartic minima are too flat") {
  const auto valley = [](const auto& x, const auto&) { return x * x; };
  const auto bottom = end_of(valley, {3, 1});
  CHECK(bottom.status == MinimumStatus::flat);
  CHECK(bottom.direction.cwiseAbs() == Vector2d(0, 1));
  for (const double offset : {0.0, 1.0}) {
    const auto quartic = [offset](const auto& x, const auto& y) {
      return x * x * x * x + y * y + offset;
    };
    const auto end = end_of(quartic, {1, 1});
    CHECK(end.status == MinimumStatus::flat);
    CHECK(std::abs(end.direction[0]) > 0.999);
  }
}

TEST_CASE("kinks are told from minima and from rounding") {
  const auto lasso = [](const auto& x, const auto& y) {
    using std::abs;
    return abs(x) + (x - 0.3) * (x - 0.3) + y * y;
  };
  const auto end = end_of(lasso, {1, 1});
  CHECK(end.status == MinimumStatus::kink);
  CHECK(std::abs(end.direction[0]) > 0.999);
  CHECK(std::abs(end.theta[0]) < 1e-6);
  CHECK_THAT(end.explanation(), contains("jumps at a kink") && contains("smooth"));
  // A minimum beside a kink is a minimum.
  const auto beside = [](const auto& x, const auto& y) {
    using std::abs;
    return abs(x) + (x - 0.6) * (x - 0.6) + y * y;
  };
  const auto minimum = end_of(beside, {1, 1});
  CHECK(minimum.status == MinimumStatus::converged);
  CHECK(std::abs(minimum.theta[0] - 0.1) <= 1e-15);
}

TEST_CASE("cancellation inside the model is rounding too") {
  const auto cancels = [](const auto& x, const auto& y) {
    const auto a = 1000 + x - 1000.7123;
    const auto b = 1e6 + y - 1e6 - 0.1;
    return a * a + b * b + 1;
  };
  const auto minimum = end_of(cancels, {0, 1});
  CHECK(minimum.status == MinimumStatus::converged);
  CHECK(std::abs(minimum.theta[1] - 0.1) <= 1e-9);
  CHECK(minimum.gradient_rounding > 1e-12);
}

TEST_CASE("units change nothing: 1e±150 for one parameter each") {
  const auto of = [](double unit) {
    return [unit](const auto& x, const auto& y) {
      const auto a = unit * x - 0.7123;
      const auto b = y / unit - 0.1 + unit * x;
      return a * a + b * b;
    };
  };
  for (const double unit : {1e-150, 1.0, 1e150}) {
    CAPTURE(unit);
    const auto minimum = end_of(of(unit), {0, 1});
    CHECK(minimum.status == MinimumStatus::converged);
    CHECK(relative_error(unit * minimum.theta[0], 0.7123) <= 1e-15);
    CHECK(relative_error(minimum.theta[1] / unit, -0.6123) <= 1e-15);
  }
}

TEST_CASE("a start far up an exponential comes down it") {
  const auto counts = [](const auto& x, const auto& y) {
    using std::exp;
    return exp(x) - 3 * x + exp(x + y) - 2 * (x + y);
  };
  const auto minimum = end_of(counts, {60, 1});
  CHECK(minimum.status == MinimumStatus::converged);
  CHECK(relative_error(minimum.theta, Vector2d(std::log(3.0), std::log(2.0 / 3))) <= 1e-14);
}

TEST_CASE("derivatives that are not those of the values are told") {
  struct Wrong {
    static constexpr Eigen::Index parameters() { return 2; }
    Eigen::Index samples() const { return 1; }
    double sample_loss(const Vector2d& theta, Eigen::Index) const {
      return (theta - Vector2d(1, 2)).squaredNorm();
    }
    void batch_gradient(const Vector2d& theta, ness::Batch, Vector2d& gradient) const {
      gradient = -2 * (theta - Vector2d(1, 2));  // a wrong sign
    }
    void hessian(const Vector2d&, Eigen::Matrix2d& h) const { h = 2 * Eigen::Matrix2d::Identity(); }
  };
  const auto end = ness::minimize(ness::Objective(Wrong{}), Vector2d(0, 0));
  CHECK(end.status == MinimumStatus::inconsistent);
  CHECK_THAT(end.explanation(), contains("ness::check_model"));
}

TEST_CASE("a Hessian that is not finite is named, and where") {
  const auto root = [](const auto& x, const auto& y) {
    using std::sqrt;
    return sqrt(x) + y * y;
  };
  CHECK_THROWS_WITH(end_of(root, {0, 1}), contains("minimize: the gradient at the start"));
}
