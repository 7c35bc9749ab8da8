// Epochs of any batches and momentum to all orders: against every order of the samples.
#include <Eigen/LU>
#include <ness/minibatch/drop_last.hpp>
#include <ness/minibatch/one_order.hpp>
#include <ness/minibatch/there_and_back.hpp>
#include <ness/minibatch/without_replacement.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/stationary/sampled_epochs.hpp>
#include <ness/stationary/stationary_state.hpp>
#include <ness/update/momentum.hpp>
#include <numeric>
#include <vector>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/network.hpp"
#include "support/quadratic.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using ness::EpochPhase;
using ness::Index;
using ness::LinearUpdate;

/// Six samples of a linear model in two dimensions: batches differ in gradient and in curvature.
ness::Objective<ness::LinearModel<>> six() {
  MatrixXd x(2, 6), y(1, 6);
  x << 1, -0.3, 0.7, 0.2, -1.1, 0.6, 0.2, 0.9, -0.4, 0.5, 0.3, -0.8;
  y << 0.3, -0.5, 0.9, 0.1, -0.2, 0.4;
  return ness::Objective(ness::LinearModel<>(x, y));
}

/// The batches of an epoch, as a policy makes them of an order of all samples.
using Cut = std::vector<std::vector<int>> (*)(const std::vector<int>&);
std::vector<std::vector<int>> in_twos(const std::vector<int>& o) {
  return {{o[0], o[1]}, {o[2], o[3]}, {o[4], o[5]}};
}
std::vector<std::vector<int>> in_fours(const std::vector<int>& o) {
  return {{o[0], o[1], o[2], o[3]}, {o[4], o[5]}};
}
std::vector<std::vector<int>> in_fours_dropped(const std::vector<int>& o) {
  return {{o[0], o[1], o[2], o[3]}};
}
std::vector<std::vector<int>> back_again(const std::vector<int>& o) {
  const auto there = in_twos(o);
  return {there[0], there[1], there[2], there[2], there[1], there[0]};
}

/// The stationary mean and covariance of (θ, ηb), by every order: the linear equation for all
/// second moments is solved as it stands.
struct Enumerated {
  VectorXd mean, phase_mean;
  MatrixXd covariance, phase_covariance, circulation, phase_circulation;

  template <class Objective>
  Enumerated(const Objective& objective, const VectorXd& at, double eta, const LinearUpdate& update,
             Cut cut) {
    const Index n = at.size(), size = 2 * n;
    ness::Derivatives derivatives(objective.model());
    MatrixXd hessians(n * n, objective.samples()), gradients(n, objective.samples());
    derivatives.sample_hessians(at, 0, hessians);
    derivatives.sample_gradients(at, 0, gradients);
    std::vector<int> order(static_cast<std::size_t>(objective.samples()));
    std::iota(order.begin(), order.end(), 0);
    // s' = As + c after each update, of all orders
    std::vector<std::vector<std::pair<MatrixXd, VectorXd>>> all;
    do {
      MatrixXd a = MatrixXd::Identity(size, size);
      VectorXd c = VectorXd::Zero(size);
      all.emplace_back();
      for (const auto& batch : cut(order)) {
        MatrixXd q = MatrixXd::Zero(n, n);
        VectorXd g = VectorXd::Zero(n);
        for (const int i : batch) {
          q += hessians.col(i).reshaped(n, n) / static_cast<double>(batch.size());
          g += gradients.col(i) / static_cast<double>(batch.size());
        }
        MatrixXd step = MatrixXd::Zero(size, size);
        step.topLeftCorner(n, n) = MatrixXd::Identity(n, n) - update.of_gradient() * eta * q;
        step.topRightCorner(n, n) = -update.buffered * update.momentum * MatrixXd::Identity(n, n);
        step.bottomLeftCorner(n, n) = update.gain * eta * q;
        step.bottomRightCorner(n, n) = update.momentum * MatrixXd::Identity(n, n);
        a = step * a;
        c = step * c;
        c.head(n) -= update.of_gradient() * eta * g;
        c.tail(n) += update.gain * eta * g;
        all.back().emplace_back(a, c);
      }
    } while (std::next_permutation(order.begin(), order.end()));

    const auto count = static_cast<double>(all.size());
    MatrixXd mean_map = MatrixXd::Zero(size, size);
    MatrixXd pairs = MatrixXd::Zero(size * size, size * size);
    VectorXd mean_c = VectorXd::Zero(size);
    for (const auto& epoch : all) {
      mean_map += epoch.back().first / count;
      mean_c += epoch.back().second / count;
      for (Index i = 0; i < size; ++i)
        for (Index j = 0; j < size; ++j)
          pairs.block(i * size, j * size, size, size) +=
              epoch.back().first(i, j) * epoch.back().first / count;
    }
    const MatrixXd one = MatrixXd::Identity(size, size);
    const VectorXd m = (one - mean_map).lu().solve(mean_c);
    const auto deviation = [&](const auto& affine) -> VectorXd {
      return affine.first * m + affine.second - m;
    };
    MatrixXd noise = MatrixXd::Zero(size, size);
    for (const auto& epoch : all)
      noise += deviation(epoch.back()) * deviation(epoch.back()).transpose() / count;
    const VectorXd solved =
        (MatrixXd::Identity(size * size, size * size) - pairs).lu().solve(noise.reshaped());
    const MatrixXd sigma = solved.reshaped(size, size);
    covariance = sigma.topLeftCorner(n, n);
    mean = at + m.head(n);
    const MatrixXd drift = ((mean_map - one) * sigma).topLeftCorner(n, n);
    circulation = (drift.transpose() - drift) / 2;

    const auto updates = static_cast<double>(all.front().size());
    VectorXd moved = VectorXd::Zero(n);
    MatrixXd spread = MatrixXd::Zero(n, n), area = spread;
    for (const auto& epoch : all) {
      MatrixXd last = one;
      VectorXd before = VectorXd::Zero(size);
      for (const auto& now : epoch) {
        const VectorXd e = deviation(now);
        moved += e.head(n) / (count * updates);
        spread +=
            (now.first * sigma * now.first.transpose() + e * e.transpose()).topLeftCorner(n, n) /
            (count * updates);
        area += ((now.first - last) * sigma * last.transpose() + (e - before) * before.transpose())
                    .topLeftCorner(n, n) /
                count;
        last = now.first;
        before = e;
      }
    }
    phase_mean = mean + moved;
    phase_covariance = spread - moved * moved.transpose();
    phase_circulation = (area.transpose() - area) / 2;
  }
};

/// Largest deviation over its standard error, where it is above what rounding leaves.
double worst(const MatrixXd& found, const MatrixXd& error, const MatrixXd& exact) {
  double most = 0;
  for (Index k = 0; k < exact.size(); ++k) {
    const double off = std::abs(found.reshaped()[k] - exact.reshaped()[k]);
    if (off > 1e-12 * exact.norm()) most = std::max(most, off / error.reshaped()[k]);
  }
  return most;
}

const LinearUpdate updates[] = {LinearUpdate{}, ness::HeavyBall{.momentum = 0.6}.linear(),
                                ness::Nesterov{.momentum = 0.6}.linear(),
                                ness::QuasiHyperbolic{.momentum = 0.6, .weight = 0.7}.linear()};

template <class Minibatch>
void check_against_all_orders(const Minibatch& minibatch, Cut cut) {
  const auto objective = six();
  const VectorXd at = ness::minimize(objective, VectorXd::Zero(2)).theta;
  const double eta = 0.3;
  for (const LinearUpdate& update : updates) {
    INFO(update.description());
    const Enumerated exact(objective, at, eta, update, cut);
    const ness::Sgd<Minibatch, LinearUpdate> training{eta, minibatch, update};
    for (const EpochPhase phase : {EpochPhase::end, EpochPhase::mean}) {
      const auto found =
          ness::sample_epochs(objective, at, training, phase, {.permutations = 64 * 400});
      const bool end = phase == EpochPhase::end;
      const MatrixXd& sigma = end ? exact.covariance : exact.phase_covariance;
      const MatrixXd& area = end ? exact.circulation : exact.phase_circulation;
      CHECK(worst(found.covariance.value, found.covariance.standard_error, sigma) <= 4);
      CHECK(found.covariance.standard_error.norm() <= 0.01 * sigma.norm());
      CHECK(worst(found.mean.value, found.mean.standard_error,
                  end ? exact.mean : exact.phase_mean) <= 4);
      const ness::StationaryState state(found.chain);
      CHECK(relative_error(state.covariance(), found.covariance.value) <= 1e-12);
      CHECK(worst(state.circulation(), found.circulation.standard_error, area) <= 4);
    }
  }
}

}  // namespace

TEST_CASE("sampled epochs without replacement are the average over all orders") {
  check_against_all_orders(ness::WithoutReplacement{2}, in_twos);
}

TEST_CASE("sampled epochs there and back are the average over all orders") {
  check_against_all_orders(ness::ThereAndBack{2}, back_again);
}

TEST_CASE("sampled epochs with a last batch of another size are the average over all orders") {
  check_against_all_orders(ness::SmallerLast{4}, in_fours);
  check_against_all_orders(ness::DropLast{4}, in_fours_dropped);
}

TEST_CASE("one order has a fixed point, exact, shifted as the leading order says") {
  const auto objective = six();
  const VectorXd at = ness::minimize(objective, VectorXd::Zero(2)).theta;
  const auto one = [](const std::vector<int>& o) {
    std::vector<int> same(o.size());
    std::iota(same.begin(), same.end(), 0);
    return in_twos(same);
  };
  for (const LinearUpdate& update : updates) {
    const Enumerated exact(objective, at, 0.3, update, one);
    const ness::Sgd<ness::OneOrder, LinearUpdate> training{0.3, {2}, update};
    const auto found = ness::sample_epochs(objective, at, training);
    CHECK(relative_error(found.mean.value, exact.mean) <= 1e-13);
    CHECK(found.covariance.value.norm() == 0);
  }
  // (η/n) H⁻¹ Σ_{k<k'} H_k' g_k
  ness::Derivatives derivatives(objective.model());
  MatrixXd hessians(4, 6), gradients(2, 6);
  derivatives.sample_hessians(at, 0, hessians);
  derivatives.sample_gradients(at, 0, gradients);
  VectorXd pairs = VectorXd::Zero(2);
  for (Index k = 0; k < 3; ++k)
    for (Index l = k + 1; l < 3; ++l)
      pairs += (hessians.col(2 * l) + hessians.col(2 * l + 1)).reshaped(2, 2) *
               (gradients.col(2 * k) + gradients.col(2 * k + 1)) / 4;
  const double eta = 1e-5;
  const VectorXd shift = eta / 3 * objective.hessian(at).lu().solve(pairs);
  const auto found = ness::sample_epochs(objective, at, ness::Sgd<ness::OneOrder>{eta, {2}});
  CHECK(relative_error(found.mean.value - at, shift) <= 1e-4);
}

TEST_CASE("predict takes the sampled epochs where there is no order map, and that where there is") {
  const auto& at = network_minimum();
  const auto of = [&](const auto& training, EpochPhase phase) {
    return ness::predict(
        network(), at, training,
        {.epochs = {
             .order = ness::EpochOrder::all, .phase = phase, .map = {.permutations = 4000}}});
  };
  const ness::Sgd<ness::WithoutReplacement> plain{1e-7, {10}};
  const auto map = of(plain, EpochPhase::end);
  const auto sampled = ness::sample_epochs(network(), map.mean(), plain, EpochPhase::end,
                                           {.permutations = 4000, .seed = 2});
  CHECK(relative_error(sampled.covariance.value, map.covariance()) <= 0.02);
  const ness::StationaryState state(sampled.chain);
  CHECK(worst(state.circulation(), sampled.circulation.standard_error, map.circulation()) <= 4);
  CHECK(std::isnan(state.entropy_production()));
  // The phases have more than the end, in every direction.
  const auto phases =
      of(ness::Sgd<ness::WithoutReplacement, ness::HeavyBall>{1e-7, {10}, {0}}, EpochPhase::mean);
  CHECK(phases.covariance().trace() > 10 * map.covariance().trace());
  CHECK(std::isnan(phases.entropy_production()));
  CHECK_THROWS_WITH(of(plain, EpochPhase::mean), contains("sample_epochs"));

  // A memory without momentum is none; the same seed draws the same epochs.
  const auto none =
      of(ness::Sgd<ness::WithoutReplacement, ness::HeavyBall>{1e-7, {10}, {0}}, EpochPhase::end);
  CHECK(relative_error(none.covariance(), map.covariance()) <= 0.02);
  // m divides M: nothing is dropped.
  const auto dropped = of(ness::Sgd<ness::DropLast>{1e-7, {10}}, EpochPhase::end);
  CHECK(relative_error(dropped.covariance(), map.covariance()) <= 0.02);
  // Far faster, with the same gain.
  const auto ball =
      of(ness::Sgd<ness::WithoutReplacement, ness::HeavyBall>{1e-8, {10}, {0.9}}, EpochPhase::end);
  CHECK(ball.has_memory());
  CHECK(std::isnan(ball.entropy_production()));
}

TEST_CASE("sampled epochs are the same for any number of threads, and refuse bad settings") {
  const auto objective = six();
  const VectorXd at = VectorXd::Zero(2);
  const ness::Sgd<ness::ThereAndBack, ness::HeavyBall> training{0.1, {2}, {0.5}};
  const auto of = [&](int threads) {
    return ness::sample_epochs(objective, at, training, EpochPhase::mean,
                               {.permutations = 500, .threads = threads});
  };
  CHECK(of(1).covariance.value == of(3).covariance.value);
  CHECK_THROWS_WITH(
      ness::sample_epochs(objective, at, training, EpochPhase::end, {.permutations = 1}),
      contains("permutations must be at least 2"));
  const ness::Sgd<ness::ThereAndBack, ness::HeavyBall> wild{30, {2}, {0.5}};
  CHECK_THROWS_WITH(ness::sample_epochs(objective, at, wild), contains("must contract"));
}
