#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <cmath>
#include <ness/minibatch/with_replacement.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/stationary/mean_shift.hpp>
#include <ness/stationary/predict.hpp>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/decay.hpp"
#include "support/every_partition.hpp"
#include "support/matrices.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using State = ness::StationaryState<>;
using ness::LyapunovForm;

constexpr double eta = 0.1;

/// The state of SGD with this H and D.
State sgd_state(const VectorXd& mean, const MatrixXd& hessian, const MatrixXd& diffusion,
                double learning_rate = eta, LyapunovForm form = LyapunovForm::continuous) {
  return State(ness::linear_chain(mean, hessian, diffusion, learning_rate, form));
}

MatrixXd generic_hessian(Eigen::Index n) { return positive_definite(n, 1, 0.5, 6); }

State generic_state(Eigen::Index n, LyapunovForm form = LyapunovForm::continuous) {
  return sgd_state(generic_values<VectorXd>(n, 1, 9), generic_hessian(n),
                   positive_definite(n, 2, 0.01, 0.4), eta, form);
}

/// Three parameters of which the last has no noise and is not coupled to the others.
State state_with_a_silent_parameter() {
  MatrixXd h = MatrixXd::Zero(3, 3);
  MatrixXd d = MatrixXd::Zero(3, 3);
  h.topLeftCorner(2, 2) = generic_hessian(2);
  d.topLeftCorner(2, 2) = positive_definite(2, 2, 0.01, 0.4);
  h(2, 2) = 2;
  return sgd_state(VectorXd::Zero(3), h, d);
}

}  // namespace

TEST_CASE("the two forms of the circulation agree, Eqs. 24 and 25") {
  const State state = generic_state(6);
  CHECK(relative_error(state.circulation_from_diffusion(), state.circulation()) <= 1e-12);
  CHECK(state.circulation() == -state.circulation().transpose());
  CHECK(state.nonequilibrium_ratio() > 0.1);
  CHECK_FALSE(state.is_equilibrium());
}

TEST_CASE("the drift correlates with the deviation as Eq. 22 says") {
  const State state = generic_state(6);
  const double with_gradient = (generic_hessian(6) * state.covariance()).trace();
  CHECK(relative_error(state.drift_correlation(), eta * with_gradient) <= 1e-13);
  CHECK(relative_error(state.drift_correlation(), state.diffusion().trace()) <= 1e-13);
}

TEST_CASE("the entropy production is that of Eq. 29") {
  const State state = generic_state(6);
  const MatrixXd& c = state.circulation();
  const double direct =
      -(c * state.diffusion().inverse() * c * state.covariance().inverse()).trace();
  CHECK(relative_error(state.entropy_production(), direct) <= 1e-11);
  CHECK(state.entropy_production() > 0);
}

TEST_CASE("in the discrete form the entropy production is the mean of Eq. 27, −η tr(C D⁻¹ H)") {
  for (auto form : {LyapunovForm::continuous, LyapunovForm::discrete}) {
    const State state = generic_state(5, form);
    const double mean =
        -eta * (state.circulation() * state.diffusion().inverse() * generic_hessian(5)).trace();
    CHECK(relative_error(state.entropy_production(), mean) <= 1e-11);
  }
}

TEST_CASE("the force is that of Eq. 27: F = D⁻¹ v^s, v^s = −C Σ⁻¹ δθ") {
  const State state = generic_state(4);
  const VectorXd theta = generic_values<VectorXd>(4, 1, 3);
  const VectorXd v = -state.circulation() * state.covariance().inverse() * (theta - state.mean());
  CHECK(relative_error(state.velocity(theta), v) <= 1e-12);
  CHECK(relative_error(state.diffusion() * state.force_matrix() * (theta - state.mean()), v) <=
        1e-12);
}

TEST_CASE("the velocity is D∇Φ − ηHδθ, Eq. 3, and the current has no divergence") {
  const State state = generic_state(3);
  const VectorXd theta = state.mean() + 0.3 * generic_values<VectorXd>(3, 1, 4);
  constexpr double step = 1e-5;
  VectorXd slope(3);
  double divergence = 0;
  double size = 0;
  for (int k = 0; k < 3; ++k) {
    const VectorXd up = theta + step * VectorXd::Unit(3, k);
    const VectorXd down = theta - step * VectorXd::Unit(3, k);
    slope[k] = (state.potential(up) - state.potential(down)) / (2 * step);
    const double part = (state.current(up)[k] - state.current(down)[k]) / (2 * step);
    divergence += part;
    size += std::abs(part);
  }
  const VectorXd v = state.diffusion() * slope - eta * generic_hessian(3) * (theta - state.mean());
  CHECK(relative_error(v, state.velocity(theta)) <= 1e-8);
  CHECK(std::abs(divergence) <= 1e-7 * size);
  CHECK(relative_error(state.current(theta), state.density(theta) * state.velocity(theta)) <=
        1e-14);
}

TEST_CASE("the density integrates to one") {
  const State state = generic_state(2);
  const double reach = 9 * std::sqrt(state.covariance().trace());
  constexpr int points = 400;
  double sum = 0;
  for (int i = 0; i < points; ++i)
    for (int j = 0; j < points; ++j)
      sum += state.density(state.mean() +
                           reach * Eigen::Vector2d(2.0 * i / points - 1, 2.0 * j / points - 1));
  CHECK(std::abs(sum * std::pow(2 * reach / points, 2) - 1) <= 1e-10);
}

TEST_CASE("isotropic noise is an equilibrium with the β of the Einstein relation") {
  const MatrixXd h = generic_hessian(4);
  const State state = sgd_state(VectorXd::Zero(4), h, 0.02 * MatrixXd::Identity(4, 4));
  CHECK(state.is_equilibrium());
  CHECK(state.einstein_relation().holds());
  CHECK(relative_error(state.einstein_relation().beta, 5.0) <= 1e-14);  // μ = η = β D
  CHECK(relative_error(state.covariance(), h.inverse() / 5) <= 1e-13);  // Boltzmann: (βH)⁻¹
  CHECK(state.entropy_production() <= 1e-20);
}

TEST_CASE("noise that commutes with H has no circulation though the Einstein relation fails") {
  const MatrixXd h = generic_hessian(4);
  const State state = sgd_state(VectorXd::Zero(4), h, 0.01 * h * h);
  CHECK(state.is_equilibrium());
  CHECK_FALSE(state.einstein_relation().holds());
}

TEST_CASE("a rotation of the parameters rotates the state") {
  const State state = generic_state(5);
  const MatrixXd q = orthogonal(5, 8);
  const State turned = sgd_state(q * state.mean(), q * generic_hessian(5) * q.transpose(),
                                 q * state.diffusion() * q.transpose());
  CHECK(relative_error(turned.covariance(), q * state.covariance() * q.transpose()) <= 1e-12);
  CHECK(relative_error(turned.circulation(), q * state.circulation() * q.transpose()) <= 1e-12);
  CHECK(relative_error(turned.entropy_production(), state.entropy_production()) <= 1e-12);
}

TEST_CASE("a parameter without noise does not change the state of the others") {
  const State whole = state_with_a_silent_parameter();
  const State part =
      sgd_state(VectorXd::Zero(2), generic_hessian(2), whole.diffusion().topLeftCorner(2, 2));
  CHECK(whole.rank() == 2);
  CHECK(part.rank() == 2);
  CHECK(whole.velocity_outside_range() <= 1e-14);
  CHECK(relative_error(whole.entropy_production(), part.entropy_production()) <= 1e-12);
  const Eigen::Vector3d theta(0.2, -0.1, 0);
  CHECK(relative_error(whole.density(theta), part.density(theta.head(2))) <= 1e-12);
}

TEST_CASE("the entropy production does not move with the rank tolerance where D ends in a gap") {
  // Eight features, of which two nearly repeat others: eigenvalues of D and Σ far below rounding.
  Eigen::MatrixXd x = generic_values(8, 400, 71);
  x.bottomRows(2) = x.topRows(2) + 1e-11 * x.bottomRows(2);
  const ness::Objective objective(ness::LinearModel<>(x, generic_values(2, 400, 72)),
                                  ness::L2{0.01});
  const auto minimum = ness::minimize(objective, VectorXd::Zero(16));
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.01, .minibatch = {10}};
  const auto middle = ness::predict(objective, minimum, training, {.rank_tolerance = 1e-13});
  CHECK(middle.rank() == 12);
  CHECK(middle.entropy_production() > 0);
  CHECK(middle.velocity_outside_range() < 1e-6);
  for (const double tolerance : {1e-14, 1e-12}) {
    const auto other = ness::predict(objective, minimum, training, {.rank_tolerance = tolerance});
    CHECK(other.rank() == 12);
    // Σ has no such gap: slow directions spread the rounding of D over it, to 4e-14 of its largest
    // eigenvalue, and what counts as its range moves with the tolerance.
    CHECK(relative_error(other.entropy_production(), middle.entropy_production()) <= 1e-8);
  }
}

TEST_CASE("a feature in other units counts as any other for the rank") {
  Eigen::MatrixXd x = generic_values(4, 400, 71);
  x.bottomRows(1) *= 1e-11;
  const ness::Objective objective(ness::LinearModel<>(x, generic_values(2, 400, 72)),
                                  ness::L2{0.01});
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.01, .minibatch = {10}};
  const auto state =
      ness::predict(objective, ness::minimize(objective, VectorXd::Zero(8)), training);
  CHECK(state.rank() == 8);
}

TEST_CASE(
    "on the range of a singular Σ the density is that of one coordinate along it, in any units") {
  for (const double unit : {1.0, 1e-3, 40.0}) {
    const Eigen::Vector2d v(1, unit);  // both coordinates are noisy, and go together
    const MatrixXd d = v * v.transpose();
    const State state = sgd_state(VectorXd::Zero(2), MatrixXd::Identity(2, 2), d);
    CHECK(state.rank() == 1);
    const double variance = state.covariance().trace();
    const VectorXd at = 0.7 * std::sqrt(variance) * v.normalized();
    const double expected = std::exp(-0.7 * 0.7 / 2) / std::sqrt(2 * std::numbers::pi * variance);
    CHECK(relative_error(state.density(at), expected) <= 1e-12);
  }
}

TEST_CASE("a range of D that the drift leaves is reported") {
  MatrixXd h(2, 2);
  h << 2, 1, 1, 2;
  const MatrixXd d = Eigen::Vector2d(1, 0).asDiagonal();
  const State state = sgd_state(VectorXd::Zero(2), h, d);
  CHECK(state.rank() == 1);
  CHECK(state.velocity_outside_range() > 0.1);
}

TEST_CASE("what has no stationary state is refused with the offending number") {
  const VectorXd mean = VectorXd::Zero(2);
  const MatrixXd d = MatrixXd::Identity(2, 2);
  const MatrixXd saddle = Eigen::Vector2d(1, -0.25).asDiagonal();
  const MatrixXd steep = Eigen::Vector2d(1, 4).asDiagonal();
  CHECK_THROWS_WITH(sgd_state(mean, saddle, d),
                    contains("the smallest rate, each update, is -0.025"));
  CHECK_THROWS_WITH(sgd_state(mean, steep, d, 0.75), contains("relax by 2 or more in one update") &&
                                                         contains("the fastest does by 3") &&
                                                         contains("lower the learning rate"));
  CHECK_THROWS_WITH(sgd_state(mean, steep, d, std::nan("")), contains("learning_rate"));
  CHECK_THROWS_WITH(sgd_state(mean, MatrixXd::Identity(3, 3), d),
                    contains("hessian must be 2 x 2, but is 3 x 3"));
  CHECK_THROWS_WITH(sgd_state(mean, steep, MatrixXd::Identity(3, 3)),
                    contains("diffusion must be 2 x 2, but is 3 x 3"));
  CHECK_THROWS_WITH(sgd_state(mean, d, -d), contains("diffusion must be positive semidefinite") &&
                                                contains("element (0, 0) is -1"));
  CHECK_THROWS_WITH(sgd_state(VectorXd(0), MatrixXd(0, 0), MatrixXd(0, 0)),
                    contains("mean must not be empty, but is 0 x 1"));
  CHECK_THROWS_WITH(ness::RangeInverse<double>(MatrixXd(0, 0), 0.1),
                    contains("RangeInverse: matrix must not be empty"));
  CHECK_THROWS_WITH(State(ness::LinearChain<double>{}),
                    contains("StationaryState: mean must not be empty"));
  auto chain = ness::linear_chain(mean, steep, d, eta);
  chain.step = ness::MarkovStep::epoch;
  chain.relaxation *= 10;
  CHECK_THROWS_WITH(State(chain), contains("in one epoch") && contains("does by 4"));
  chain.relaxation(0, 1) = 0.3;
  CHECK_THROWS_WITH(State(chain), contains("relaxation must be symmetric"));
}

namespace {

auto linear_objective(Eigen::Index samples = 60) {
  return ness::Objective(
      ness::LinearModel<>(generic_values(3, samples, 21), generic_values(2, samples, 22)),
      ness::L2{0.05});
}

auto predicted(double learning_rate, Eigen::Index m) {
  const auto objective = linear_objective();
  const auto minimum = ness::minimize(objective, VectorXd::Zero(6));
  return ness::predict(
      objective, minimum,
      ness::Sgd<ness::WithReplacement>{.learning_rate = learning_rate, .minibatch = {m}});
}

}  // namespace

TEST_CASE("scaling η and m together leaves the stationary state, but for n − 1 in place of n") {
  // D / η ∝ η (n − 1): with n = 60, 30 the factors (n − 1)/n are undone to see the exact
  // invariance.
  const auto small = predicted(1e-3, 1);
  const auto large = predicted(2e-3, 2);
  CHECK(relative_error(small.covariance() / 59.0 * 60, large.covariance() / 29.0 * 30) <= 1e-12);
  CHECK(relative_error(small.circulation() / 59.0 * 60 * 2, large.circulation() / 29.0 * 30) <=
        1e-12);
}

TEST_CASE("a prediction is the state of the minimum's H and the policy's D") {
  const auto objective = linear_objective();
  const auto minimum = ness::minimize(objective, VectorXd::Zero(6));
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.01, .minibatch = {4}};
  const auto state = ness::predict(objective, minimum, training);
  CHECK(state.mean() == minimum.theta);
  CHECK(relative_error(state.diffusion(), ness::diffusion(objective, minimum.theta, training)) <=
        1e-15);
  const MatrixXd& h = minimum.hessian;
  CHECK(relative_error(h * state.covariance() + state.covariance() * h, 200 * state.diffusion()) <=
        1e-13);
  CHECK(relative_error(state.decay_rates(), 0.01 * minimum.hessian_eigenvalues) <= 1e-13);
  CHECK(ness::mean_shift(objective, training, state).norm() <= 1e-12);
}

TEST_CASE("predictions from what is no minimum are refused") {
  const auto objective = linear_objective();
  auto minimum = ness::minimize(objective, VectorXd::Zero(6));
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.01, .minibatch = {4}};
  minimum.status = ness::MinimumStatus::flat;
  minimum.direction = VectorXd::Unit(6, 2);
  CHECK_THROWS_WITH(ness::predict(objective, minimum, training),
                    contains("predict: there must be a minimum, but minimize ended with 'flat': "
                             "the objective is too flat along 1 theta[2]"));
  CHECK_THROWS_WITH(predicted(10, 4), contains("learning_rate must be below"));
}

TEST_CASE("a search that was stopped early will do if little is left of it, and says how little") {
  const ness::Objective objective(GenericDecay<>{}, ness::L2{0.1});
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.01, .minibatch = {4}};
  const Eigen::Vector3d start(1, 1, 0);
  const auto minimum = ness::minimize(objective, start);
  REQUIRE(minimum.status == ness::MinimumStatus::converged);
  CHECK(ness::predict(objective, minimum, training).mean_offset() <= 1e-12);
  int refused = 0, good_enough = 0;
  for (int limit = 0; limit < minimum.iterations - 1; ++limit) {
    CAPTURE(limit);
    const auto stopped = ness::minimize(objective, start, {.max_iterations = limit});
    const VectorXd away = stopped.theta - minimum.theta;
    const auto state = ness::predict(objective, minimum, training);
    const double deviations = std::sqrt(away.dot(state.covariance().ldlt().solve(away)));
    if (deviations > 0.02) {
      CHECK_THROWS_WITH(ness::predict(objective, stopped, training), contains("predict: "));
      ++refused;
    } else if (deviations < 0.005) {
      const auto offset = ness::predict(objective, stopped, training).mean_offset();
      CHECK(std::abs(offset - deviations) <= 0.01 * deviations + 1e-12);
      ++good_enough;
    }
  }
  CHECK(refused >= 1);
  CHECK(good_enough >= 1);
}

namespace {

/// ℓ = θ²/2 + κθ³/6 + g_i θ, Σg_i = 0: a third derivative κ and noise that does not depend on θ.
struct Cubic {
  double kappa;
  std::vector<double> slopes{1, -1, 1, -1};
  static constexpr Eigen::Index parameters() { return 1; }
  Eigen::Index samples() const { return static_cast<Eigen::Index>(slopes.size()); }
  auto sample_loss(const auto& theta, Eigen::Index i) const {
    const auto& t = theta[0];
    return t * t / 2 + kappa / 6 * t * t * t + slopes[static_cast<std::size_t>(i)] * t;
  }
};

/// ⟨ξ_t²⟩ over all orders before each of the n updates t of an epoch, of ξ_{t+1} = aξ_t + g of
/// batch t.
std::vector<double> wandering_within_epochs(const std::vector<double>& slopes, Eigen::Index m,
                                            double a = 1) {
  const auto n = slopes.size() / static_cast<std::size_t>(m);
  std::vector<double> squares(n, 0);
  int partitions = 0;
  const auto look = [&](const std::vector<int>& batch_of) {
    ++partitions;
    double position = 0;
    for (std::size_t t = 0; t < n; ++t) {
      squares[t] += position * position;
      position *= a;
      for (std::size_t i = 0; i < slopes.size(); ++i)
        if (batch_of[i] == static_cast<int>(t)) position += slopes[i] / static_cast<double>(m);
    }
  };
  for_every_partition(static_cast<Eigen::Index>(slopes.size()), m, look);
  for (double& square : squares) square /= partitions;
  return squares;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("the mean moves by −κΣ/2h where the landscape has a third derivative κ") {
  const ness::Objective objective(Cubic{0.3});
  const auto minimum = ness::minimize(objective, Eigen::Matrix<double, 1, 1>(0.1));
  const ness::Sgd<ness::WithReplacement> training{.learning_rate = 0.01, .minibatch = {1}};
  const auto state = ness::predict(objective, minimum, training);
  const double expected = -0.3 * state.covariance()(0, 0) / (2 * minimum.hessian(0, 0));
  CHECK(relative_error(ness::mean_shift(objective, training, state)[0], expected) <= 1e-9);
}

TEST_CASE("without replacement the mean moves by what the parameters wander within an epoch, too") {
  const std::vector<double> few{1, -2, 0.5, 0.5}, more{1, -2, 0.5, 0.5, 3, -3};
  for (const auto& [slopes, m] : {std::pair{few, 1}, {few, 2}, {more, 1}, {more, 2}, {more, 3}}) {
    CAPTURE(slopes.size(), m);
    const ness::Objective objective(Cubic{0.3, slopes});
    const auto minimum = ness::minimize(objective, Eigen::Matrix<double, 1, 1>(0.1));
    const ness::Sgd<ness::WithoutReplacement> training{.learning_rate = 1e-3, .minibatch = {m}};
    const auto state = ness::predict(objective, minimum, training);
    const double moment =
        state.covariance()(0, 0) + 1e-3 * 1e-3 * mean_of(wandering_within_epochs(slopes, m));
    const auto updates = static_cast<double>(slopes.size()) / m;
    const double per_epoch = 1e-3 * updates * 0.3 * moment / 2;
    CHECK(relative_error(ness::mean_shift(objective, training, state)[0],
                         -per_epoch / state.relaxation()(0, 0)) <= 1e-8);
  }
}

// In one dimension with one curvature h for all batches the deviation before update t of an epoch
// is aᵗδ₀ + ηξ_t, a = 1 − ηh, so the mean at the end of an epoch is moved by −η Σ_t a^{n−1−t}
// κ⟨δ_t²⟩/2 over 1 − aⁿ, for a weak κ.
TEST_CASE(
    "the mean beyond the leading order is moved by −κS/2h, S that of all updates of an epoch") {
  const std::vector<double> slopes{1, -2, 0.5, 0.5, 3, -3};
  for (const Eigen::Index m : {1, 2, 3}) {
    double last = 0;
    for (const double rate : {0.02, 0.01}) {
      CAPTURE(m, rate);
      const ness::Objective objective(Cubic{1e-3, slopes});
      const auto minimum = ness::minimize(objective, Eigen::Matrix<double, 1, 1>(0.1));
      const ness::Sgd<ness::WithoutReplacement> training{.learning_rate = rate, .minibatch = {m}};
      const auto state = ness::predict(objective, minimum, training,
                                       {.epochs = {.order = ness::EpochOrder::additive}});
      const double h = objective.hessian(state.mean())(0, 0), a = 1 - rate * h;
      const std::vector<double> squares = wandering_within_epochs(slopes, m, a);
      const auto n = static_cast<double>(squares.size());
      double moment = 0, force = 0;
      for (std::size_t t = 0; t < squares.size(); ++t) {
        const auto step = static_cast<double>(t);
        const double square =
            std::pow(a, 2 * step) * state.covariance()(0, 0) + rate * rate * squares[t];
        moment += square / n;
        force -= rate * std::pow(a, n - 1 - step) * 1e-3 * square / 2;
      }
      const double shift = ness::mean_shift(objective, training, state)[0];
      CHECK(relative_error(shift, -1e-3 * moment / (2 * h)) <= 1e-8);
      // Weights that change within an epoch make a relative O(ηnh) of it at its end.
      const double end = force / (1 - std::pow(a, n));
      const double apart = std::abs(shift / end - 1);
      CHECK(apart <= 0.6 * rate * n * h);
      if (last > 0) CHECK(std::abs(last / apart - 2) <= 0.3);
      last = apart;
    }
  }
}
