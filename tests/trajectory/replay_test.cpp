// States from elsewhere, seen by the estimators.
#include "ness/trajectory/replay.hpp"

#include <cstdint>
#include <limits>
#include <tuple>

#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"
#include "ness/trajectory/draws.hpp"
#include "ness/trajectory/moments.hpp"
#include "support/catch.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd random_walk(Eigen::Index states, std::uint64_t stream) {
  ness::Philox random(1, stream);
  ness::Normal normal;
  MatrixXd walk = MatrixXd::Zero(states, 3);
  for (Eigen::Index t = 1; t < states; ++t)
    for (Eigen::Index k = 0; k < 3; ++k) walk(t, k) = 0.8 * walk(t - 1, k) + normal(random);
  return walk;
}

}  // namespace

TEST_CASE("a replay has the moments and the area of the states, wherever their origin is") {
  const Eigen::Index states = 1'001;  // the last block is not whole
  const MatrixXd walk = random_walk(states, 0);
  const MatrixXd from =
      walk.topRows(states - 1).rowwise() - walk.topRows(states - 1).colwise().mean();
  const MatrixXd change = walk.bottomRows(states - 1) - walk.topRows(states - 1);
  const double steps = static_cast<double>(states - 1);
  const MatrixXd covariance = from.transpose() * from / steps;
  const MatrixXd about_mean = walk.topRows(states - 1).rowwise() - walk.colwise().mean();
  const MatrixXd drift = about_mean.transpose() * change / steps;
  const MatrixXd area = (drift - drift.transpose()) / 2;
  for (const double offset : {0.0, 1e7}) {
    const MatrixXd moved = walk.array() + offset;
    const auto [moments, areas] =
        ness::replay(moved.leftCols<3>(), ness::Moments<>(3, 100), ness::Area<>(3, 100));
    const double rounding = 1e-15 * (1 + 10 * offset);
    CHECK(moments.steps() == states - 1);
    CHECK((moments.mean().value - walk.topRows(states - 1).colwise().mean().transpose().eval() -
           VectorXd::Constant(3, offset))
              .norm() < 10 * rounding);
    CHECK((moments.covariance().value - covariance).norm() < 10 * rounding);
    CHECK((areas.circulation().value - area).norm() < 10 * rounding);
  }
}

TEST_CASE("chains of a run may be replays, each of states of its own") {
  const MatrixXd states[] = {random_walk(300, 0), random_walk(300, 1)};
  const auto [draws] = ness::run_chains(
      {.steps = 299, .chains = 2}, [&](int k) { return ness::Replay<double>(states[k]); },
      VectorXd::Zero(3), ness::Draws(3, 1));
  const ness::NpyArray array = draws.array();
  REQUIRE(array.shape == std::vector<std::int64_t>{2, 299, 3});
  std::size_t at = 0;
  for (const MatrixXd& walk : states)
    for (Eigen::Index t = 0; t < 299; ++t)
      for (Eigen::Index k = 0; k < 3; ++k) CHECK(array.values[at++] == walk(t, k));
}

TEST_CASE("what cannot be replayed is refused by a sentence") {
  const MatrixXd one = MatrixXd::Zero(1, 2);
  CHECK_THROWS_WITH(ness::replay(one), contains("there must be at least 2 states, but is 1"));
  MatrixXd broken = MatrixXd::Zero(5, 2);
  broken(3, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(ness::replay(broken, ness::Moments<>(2, 2)), contains("states must"));
  const MatrixXd two = MatrixXd::Zero(2, 2);
  const auto run = [&] {
    ness::run_chains(
        {.steps = 2}, [&](int) { return ness::Replay<double>(two); }, VectorXd::Zero(2),
        ness::Draws(2, 1));
  };
  CHECK_THROWS_WITH(run(), contains("steps must be fewer than the states, but is 2"));
}
