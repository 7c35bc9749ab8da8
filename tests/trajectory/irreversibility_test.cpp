// Lower bounds on the entropy production, against what it is in linear chains.
#include "ness/trajectory/irreversibility.hpp"

#include <Eigen/Dense>
#include <limits>
#include <ness/dynamics/euler_maruyama.hpp>
#include <ness/files/npy.hpp>
#include <ness/stationary/stationary_state.hpp>
#include <ness/trajectory/draws.hpp>
#include <ness/trajectory/replay.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/linear_states.hpp"
#include "support/matrices.hpp"
#include "support/temporary_file.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using State = ness::StationaryState<>;

/// The gyrator of 1/3 per unit of time, in steps of `time_step`.
State gyrator(double time_step) {
  ness::LinearChain<> chain = State(ness::brownian_gyrator(2, 1, 3, 1)).chain();
  chain.relaxation *= time_step;
  chain.diffusion *= time_step;
  chain.form = ness::LyapunovForm::discrete;
  return State(chain);
}

/// What is known of a normal step: V, W, A of `CurrentForce`, and ⟨σ⟩ as the divergence of the law
/// of (θ, θ') from that of (θ', θ).
struct Pair {
  MatrixXd increments, midpoints, cross;
  double entropy;

  explicit Pair(const State& state) {
    const Eigen::Index n = state.mean().size();
    const MatrixXd sigma = state.covariance();
    const MatrixXd lagged = sigma - state.relaxation() * sigma;
    increments = 2 * sigma - lagged - lagged.transpose();
    midpoints = (2 * sigma + lagged + lagged.transpose()) / 4;
    cross = (lagged - lagged.transpose()) / 2;
    MatrixXd there(2 * n, 2 * n), back(2 * n, 2 * n);
    there << sigma, lagged.transpose(), lagged, sigma;
    back << sigma, lagged, lagged.transpose(), sigma;
    entropy = back.ldlt().solve(there).trace() / 2 - static_cast<double>(n);
  }

  MatrixXd force() const {
    return ness::detail::current_force<double>(increments, midpoints, cross, 0);
  }
  double mean(const MatrixXd& f) const { return (f.transpose() * cross).trace(); }
  double square(const MatrixXd& f) const {  // by Wick's theorem
    const double m = mean(f);
    return m * m + (f.transpose() * increments * f * midpoints).trace() +
           (f * cross.transpose() * f * cross.transpose()).trace();
  }
  double uncertainty_bound(const MatrixXd& f) const {
    const double r = std::abs(mean(f)) / std::sqrt(square(f));
    return 2 * r * std::atanh(r);
  }
  double entropy_bound(const MatrixXd& f) const {  // ⟨e^{−zᵀQz/2}⟩ = det(1 + SQ)^{−1/2}
    const Eigen::Index n = f.rows();
    MatrixXd s(2 * n, 2 * n), q = MatrixXd::Zero(2 * n, 2 * n);
    s << increments, cross, cross.transpose(), midpoints;
    q.topRightCorner(n, n) = f;
    q.bottomLeftCorner(n, n) = f.transpose();
    return mean(f) + std::log((MatrixXd::Identity(2 * n, 2 * n) + s * q).determinant()) / 2;
  }
};

}  // namespace

TEST_CASE("of normal steps the entropy bound is tight at any step, the other for short ones") {
  for (const bool sgd : {false, true}) {
    std::vector<double> lost;
    for (double step : {0.04, 0.02, 0.01}) {
      const State state = sgd ? chain_of(3, step) : gyrator(step);
      const Pair pair(state);
      const MatrixXd f = pair.force();
      CHECK(relative_error(pair.mean(f), pair.entropy) <= 1e-9);
      CHECK(relative_error(pair.entropy_bound(f), pair.entropy) <= 1e-9);
      const double bound = pair.uncertainty_bound(f);
      CHECK(bound < pair.entropy);
      lost.push_back(1 - bound / pair.entropy);
      INFO("step " << step << ": lost " << lost.back() << ", exact " << pair.entropy);
      if (step == 0.01) {
        CHECK(lost.back() < 0.03);
        CHECK(relative_error(bound, state.entropy_production()) < 0.03);
        CHECK(relative_error(f, state.force_matrix()) < 0.05);
        if (!sgd) CHECK(std::abs(bound / 0.01 - 1. / 3) < 0.03 / 3);
      }
    }
    // Of first order in the step.
    CHECK(std::abs(lost[0] / lost[1] - 2) < 0.25);
    CHECK(std::abs(lost[1] / lost[2] - 2) < 0.15);
  }
}

TEST_CASE("a force with errors has a lower bound, of any size and sign") {
  const Pair pair(chain_of(3, 0.3));
  for (std::uint64_t seed : {1, 2, 3, 4, 5}) {
    const MatrixXd off = generic_values<MatrixXd>(3, 3, seed);
    for (double size : {-1., 0.01, 0.03, 1.}) {
      const MatrixXd f = pair.force() + size * pair.force().norm() * off;
      CHECK(pair.uncertainty_bound(f) < pair.entropy);
      if (size < 1 && size > 0) CHECK(pair.entropy_bound(f) < pair.entropy);
    }
  }
}

TEST_CASE("both bounds of a gyrator from its path alone, over 20 seeds") {
  const State state = gyrator(0.05);
  const Pair pair(state);
  const double bound = pair.uncertainty_bound(pair.force());
  constexpr int seeds = 20;
  double sum[2] = {}, squares[2] = {};
  int above = 0;
  for (int k = 0; k < seeds; ++k) {
    const auto found = ness::irreversibility(states_of(state, 200'001, 100 + std::uint64_t(k)));
    const auto pull = [](const auto& estimate, double exact) {
      return (estimate.value - exact) / estimate.standard_error;
    };
    const double pulls[2] = {pull(found.uncertainty_bound, bound),
                             pull(found.entropy_bound, pair.entropy)};
    for (int i : {0, 1}) {
      sum[i] += pulls[i];
      squares[i] += pulls[i] * pulls[i];
    }
    above += pull(found.uncertainty_bound, pair.entropy) > 3;
    above += pulls[1] > 3;
    CHECK(found.uncertainty_bound.standard_error < 0.07 * pair.entropy);
    CHECK(relative_error(found.force, pair.force()) < 0.15);
    CHECK(found.ceiling == std::log(1e5));
  }
  INFO("mean pulls " << sum[0] / seeds << ", " << sum[1] / seeds << "; chi square " << squares[0]
                     << ", " << squares[1]);
  CHECK(above == 0);  // chance: 40 of 1 in 740, 5 %, were all tight
  for (int i : {0, 1}) {
    CHECK(std::abs(sum[i]) <= 3.3 * std::sqrt(seeds));
    CHECK(squares[i] > 5.4);  // 99.9 % of χ² of 20
    CHECK(squares[i] < 47.5);
  }
}

TEST_CASE("in equilibrium the bounds are 0, where a current fitted to the same steps has 2p/T") {
  constexpr Eigen::Index n = 6, p = n * (n - 1) / 2, steps = 4000;
  const MatrixXd one = MatrixXd::Identity(n, n);
  const State state(ness::linear_chain(VectorXd::Zero(n).eval(), one, (0.1 * one).eval(), 0.1,
                                       ness::LyapunovForm::discrete));
  const auto areas = [p](const VectorXd& from, const VectorXd& to) {
    VectorXd result(p);
    Eigen::Index k = 0;
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < i; ++j) result[k++] = from[i] * to[j] - from[j] * to[i];
    return result;
  };
  constexpr int seeds = 40;
  double naive = 0, fitted[2] = {}, squares[2] = {}, entropy = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const MatrixXd states = states_of(state, steps + 1, 500 + std::uint64_t(seed));
    MatrixXd currents(steps, p);
    for (Eigen::Index k = 0; k < steps; ++k)
      currents.row(k) = areas(states.row(k).transpose(), states.row(k + 1).transpose()).transpose();
    const VectorXd j = currents * ness::detail::current_coefficients<double>(currents);
    naive += 2 * j.mean() * j.mean() / j.squaredNorm() * steps / seeds;
    const auto own = ness::irreversibility(states, areas);
    const auto found = ness::irreversibility(states);
    const double values[2] = {found.uncertainty_bound.value, own.uncertainty_bound.value};
    for (int i : {0, 1}) {
      fitted[i] += values[i] / seeds;
      squares[i] += values[i] * values[i] / seeds;
    }
    entropy += found.entropy_bound.value / seeds;
    CHECK(found.uncertainty_bound.value < 3 * found.uncertainty_bound.standard_error);
    CHECK(own.uncertainty_bound.value < 3 * own.uncertainty_bound.standard_error);
  }
  const double unit = 2. * p / steps;
  INFO("naive " << naive / unit << ", force " << fitted[0] / unit << ", own " << fitted[1] / unit
                << ", entropy bound " << entropy / unit);
  CHECK(std::abs(naive / unit - 1) < 0.25);
  for (int i : {0, 1}) {
    const double error = std::sqrt(squares[i] / seeds);
    CHECK(std::abs(fitted[i]) < 3.3 * error);
    CHECK(error < unit / 20);  // so the bias of the naive one would be seen
  }
  CHECK(entropy < 0);
  CHECK(entropy > -16. * n / steps);  // −½⟨J²⟩ of a pair with ρ² = 4N/T each, as noise makes them
}

TEST_CASE("steps round a ring, by a current of one's own: tight, and far from normal") {
  // +1 with chance 0.9, else −1: ⟨σ⟩ = 0.8 log 9, and J has two values only.
  const double exact = 0.8 * std::log(9.);
  double pulls[2] = {};
  constexpr int seeds = 20;
  for (int seed = 0; seed < seeds; ++seed) {
    ness::Philox random(11, static_cast<std::uint64_t>(seed));
    MatrixXd states(20'001, 1);
    int place = 0;
    for (Eigen::Index k = 0; k < states.rows(); ++k) {
      states(k, 0) = place;
      place = (place + (ness::uniform_index(random, 10) < 9 ? 1 : 4)) % 5;
    }
    const auto found = ness::irreversibility(states, [](const VectorXd& from, const VectorXd& to) {
      return VectorXd::Constant(1, std::sin(2 * std::acos(-1.) / 5 * (to[0] - from[0])) + 7);
    });
    for (const auto& estimate : {found.uncertainty_bound, found.entropy_bound})
      CHECK(estimate.standard_error < 0.06 * exact);
    pulls[0] += (found.uncertainty_bound.value - exact) / found.uncertainty_bound.standard_error;
    pulls[1] += (found.entropy_bound.value - exact) / found.entropy_bound.standard_error;
  }
  INFO("mean pulls " << pulls[0] / seeds << ", " << pulls[1] / seeds);
  for (double sum : pulls) CHECK(std::abs(sum) <= 3.3 * std::sqrt(seeds));
}

TEST_CASE("neither bound depends on units, nor on what linear coordinates the states are in") {
  const MatrixXd states = states_of(chain_of(4, 0.2), 4001, 3);
  const auto found = ness::irreversibility(states);
  const auto scaled = ness::irreversibility(
      MatrixXd(states * VectorXd{{0.25, 1024, 1, std::ldexp(1., -30)}}.asDiagonal()));
  CHECK(scaled.uncertainty_bound.value == found.uncertainty_bound.value);
  CHECK(scaled.uncertainty_bound.standard_error == found.uncertainty_bound.standard_error);
  CHECK(scaled.entropy_bound.value == found.entropy_bound.value);
  const MatrixXd map = generic_values<MatrixXd>(4, 4, 8);
  const MatrixXd moved =
      (states * map.transpose()).rowwise() + generic_values<VectorXd>(4, 1, 9).transpose();
  const auto mapped = ness::irreversibility(moved);
  CHECK(relative_error(mapped.uncertainty_bound.value, found.uncertainty_bound.value) < 1e-8);
  CHECK(relative_error(mapped.entropy_bound.value, found.entropy_bound.value) < 1e-8);
  CHECK(relative_error(MatrixXd(map.transpose() * mapped.force * map), found.force) < 1e-8);
}

TEST_CASE("states mapped backwards have the same bounds and the opposite force") {
  const MatrixXd states = states_of(chain_of(3, 0.2), 4001, 4);
  const auto found = ness::irreversibility(states, {.batches = 20});
  const auto back = ness::irreversibility(MatrixXd(states.colwise().reverse()), {.batches = 20});
  CHECK(relative_error(back.uncertainty_bound.value, found.uncertainty_bound.value) < 1e-10);
  CHECK(relative_error(MatrixXd(-back.force), found.force) < 1e-10);
}

TEST_CASE("with more steps the bounds of ten parameters come near to what is exact") {
  const Pair pair(chain_of(10, 0.1));
  const MatrixXd states = states_of(chain_of(10, 0.1), 100'001, 6);
  for (const auto& [steps, least] : {std::pair{4'001, 0.3}, {100'001, 0.85}}) {
    const auto found = ness::irreversibility(MatrixXd(states.topRows(steps)));
    for (const auto& bound : {found.uncertainty_bound, found.entropy_bound}) {
      INFO(bound.value << " +- " << bound.standard_error << ", exact " << pair.entropy);
      CHECK(bound.value < pair.entropy + 3 * bound.standard_error);
      CHECK(bound.value > least * pair.entropy);
    }
  }
}

TEST_CASE("more parameters than so few steps can tell: the bounds hold") {
  const State state = chain_of(50, 0.1);
  const double exact = Pair(state).entropy;
  for (std::uint64_t seed : {1, 2, 3, 4, 5}) {
    const auto found = ness::irreversibility(states_of(state, 3001, 900 + seed));
    INFO(found.uncertainty_bound.value << " +- " << found.uncertainty_bound.standard_error << ", "
                                       << found.entropy_bound.value << ", exact " << exact);
    CHECK(found.uncertainty_bound.value < exact + 3 * found.uncertainty_bound.standard_error);
    CHECK(found.entropy_bound.value < exact + 3 * found.entropy_bound.standard_error);
    CHECK(found.uncertainty_bound.value > -3 * found.uncertainty_bound.standard_error);
    CHECK(found.entropy_bound.value > -1);
  }
}

TEST_CASE("chains: learnt of some, tried on others, whatever the reference") {
  const State state = gyrator(0.05);
  const Pair pair(state);
  const ness::LinearSystem<MatrixXd> system = state.linear_system();
  const auto run = [&](std::uint64_t seed, const auto& estimator) {
    return std::get<0>(ness::run_chains(
        {.steps = 100'000, .burn_in = 1000, .chains = 4},
        [&](int k) {
          return ness::EulerMaruyama(system, 1, VectorXd(state.mean()),
                                     ness::Philox(seed, static_cast<std::uint64_t>(k)));
        },
        VectorXd{{seed == 1 ? 0.5 : -0.5, 0.25}}, estimator));
  };
  const auto learnt = run(1, ness::CurrentForce<>(2));
  CHECK(learnt.steps() == 400'000);
  CHECK(learnt.centre().norm() < 0.1);
  CHECK(relative_error(learnt.force(), pair.force()) < 0.1);
  const auto bounds = run(2, ness::CurrentBounds<>(learnt.force(), learnt.centre(), 5'000));
  CHECK(bounds.batches() == 80);
  for (const auto& estimate : {bounds.uncertainty_bound(), bounds.entropy_bound()}) {
    CHECK(std::abs(estimate.value - pair.entropy) < 3.3 * estimate.standard_error);
    CHECK(estimate.standard_error < 0.05 * pair.entropy);
  }
}

TEST_CASE("merged, and kept for later, they are as if one had seen all") {
  const MatrixXd states = states_of(chain_of(3, 0.2), 2001, 5).array() + 0.125;
  const auto force = std::get<0>(ness::replay(states, ness::CurrentForce<>(3)));
  const ness::CurrentBounds<> empty(force.force(), force.centre(), 100);
  const auto whole = std::get<0>(ness::replay(states, empty));
  auto first = std::get<0>(ness::replay(states.topRows(1001), empty));
  const auto second = std::get<0>(ness::replay(states.bottomRows(1001), empty));
  first.merge(second);
  ness::CheckpointWriter writer;
  writer(first);
  auto read = empty;
  ness::CheckpointReader reader(writer.bytes());
  reader(read);
  CHECK(read.steps() == 2000);
  CHECK(read.batches() == whole.batches());
  for (const auto& [a, b] : {std::pair{read.uncertainty_bound(), whole.uncertainty_bound()},
                             {read.entropy_bound(), whole.entropy_bound()}}) {
    CHECK(relative_error(a.value, b.value) < 1e-9);
    CHECK(relative_error(a.standard_error, b.standard_error) < 1e-9);
  }
  const auto single = std::get<0>(ness::replay(states.cast<float>(), empty));
  CHECK(relative_error(single.uncertainty_bound().value, whole.uncertainty_bound().value) < 1e-3);
}

TEST_CASE("what does not move, or has one coordinate, has a bound of 0") {
  CHECK(ness::irreversibility(MatrixXd::Ones(200, 2)).uncertainty_bound.value == 0);
  const auto one = ness::irreversibility(states_of(chain_of(1, 0.1), 400, 2));
  CHECK(one.uncertainty_bound.value == 0);
  CHECK(one.entropy_bound.value == 0);
}

TEST_CASE("states in a file, read in blocks, have the same bounds to the last bit") {
  const MatrixXd states = states_of(chain_of(3, 0.2), 5003, 5).array() + 7;
  const auto same = [](const ness::Irreversibility& a, const ness::Irreversibility& b) {
    CHECK(a.uncertainty_bound.value == b.uncertainty_bound.value);
    CHECK(a.uncertainty_bound.standard_error == b.uncertainty_bound.standard_error);
    CHECK(a.entropy_bound.value == b.entropy_bound.value);
    CHECK(a.entropy_bound.standard_error == b.entropy_bound.standard_error);
    CHECK(a.force == b.force);
    CHECK(a.centre == b.centre);
  };
  const auto whole = ness::irreversibility(states);
  const TemporaryFile file;
  ness::write_npy(file.name, states);
  ness::NpyRows rows(file.name);
  same(ness::irreversibility(rows), whole);
  same(ness::irreversibility(ness::NpyRows(file.name), {.batches = 32}), whole);
  for (int k : {1, 3, 7}) {
    MatrixXd some((states.rows() + k - 1) / k, 3);
    for (Eigen::Index i = 0; i < some.rows(); ++i) some.row(i) = states.row(k * i);
    same(ness::irreversibility(ness::EveryNth(rows, k)), ness::irreversibility(some));
  }
  MatrixXd holed = states;
  holed(4321, 1) = std::nan("");
  ness::write_npy(file.name, holed);
  ness::NpyRows with_hole(file.name);
  CHECK_THROWS_WITH(ness::irreversibility(with_hole),
                    contains("states must be finite, but element (4321, 1) is nan"));
}

TEST_CASE("the entropy bound of a current that is far too large is no number but minus infinity") {
  for (const double size : {400., 800.}) {
    ness::CurrentBounds<> bounds(10);
    bounds.add_currents(VectorXd::LinSpaced(100, -size, size));
    CHECK(bounds.entropy_bound().value == -std::numeric_limits<double>::infinity());
    CHECK(std::isfinite(bounds.uncertainty_bound().value));
  }
}

TEST_CASE("what cannot be is refused") {
  CHECK_THROWS_WITH(ness::irreversibility(MatrixXd::Ones(20, 2)),
                    "ness::irreversibility: the steps of a batch of half of the states must be at "
                    "least 2, but is 0");
  CHECK_THROWS_WITH(ness::irreversibility(MatrixXd::Ones(200, 2), {.batches = 1}),
                    "ness::irreversibility: settings.batches must be at least 2, but is 1");
  CHECK_THROWS_WITH(ness::CurrentBounds<>(MatrixXd::Ones(2, 3), VectorXd::Ones(2), 10),
                    "ness::CurrentBounds: force must be 2 x 2, but is 2 x 3");
  CHECK_THROWS_WITH(ness::CurrentBounds<>(MatrixXd::Ones(2, 2), VectorXd::Ones(2), 0),
                    "ness::CurrentBounds: batch_length must be at least 1, but is 0");
  MatrixXd states = MatrixXd::Ones(200, 2);
  states(3, 1) = std::nan("");
  CHECK_THROWS_WITH(ness::irreversibility(states), contains("states must be finite"));
}
