#include "ness/posterior/convergence.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <vector>

#include "ness/random/normal.hpp"
#include "ness/random/philox.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"

namespace {

using ness::NpyArray;

/// x' = ax + √(1 − a²) z, of variance 1, from `seed`; a chain k is moved by `shift` k.
NpyArray autoregression(double a, std::int64_t chains, std::int64_t draws, double shift = 0) {
  NpyArray result{{chains, draws, 1}, {}};
  ness::Normal normal;
  ness::Philox random(11);
  for (std::int64_t k = 0; k < chains; ++k) {
    double x = normal(random);
    for (std::int64_t t = 0; t < draws; ++t) {
      result.values.push_back(x + shift * static_cast<double>(k));
      x = a * x + std::sqrt(1 - a * a) * normal(random);
    }
  }
  return result;
}

template <class Map>
NpyArray mapped(NpyArray array, const Map& map) {
  for (double& value : array.values) value = map(value);
  return array;
}

}  // namespace

TEST_CASE("quantiles of the normal distribution") {
  for (const double p : {1e-300, 1e-12, 0.001, 0.2, 0.5, 0.77, 1 - 1e-9}) {
    const double x = ness::detail::normal_quantile(p);
    INFO(p);
    CHECK(relative_error(std::erfc(-x / std::numbers::sqrt2) / 2, p) <= 1e-11);
  }
  CHECK(relative_error(ness::detail::normal_quantile(0.975), 1.959963984540054) <= 1e-14);
}

TEST_CASE("R̂ of a few draws, by hand") {
  // Two chains of 4 + 4 draws that are the ranks 1 … 16: halves of 4, of which the first has the
  // lowest ranks.
  NpyArray draws{{2, 8, 1}, {}};
  for (int k = 1; k <= 16; ++k) draws.values.push_back(k * k);  // ranks alone count
  std::array<double, 16> z;
  for (int k = 1; k <= 16; ++k)
    z[static_cast<std::size_t>(k - 1)] = ness::detail::normal_quantile((k - 0.375) / 16.25);
  double within = 0, squares = 0;
  for (std::size_t half = 0; half < 4; ++half) {
    double mean = 0;
    for (std::size_t t = 0; t < 4; ++t) mean += z[4 * half + t] / 4;
    for (std::size_t t = 0; t < 4; ++t) within += std::pow(z[4 * half + t] - mean, 2) / 3 / 4;
    squares += mean * mean;  // of mean 0
  }
  const double expected = std::sqrt((0.75 * within + squares / 3) / within);
  CHECK(relative_error(ness::convergence(draws).r_hat[0], expected) <= 1e-12);
}

TEST_CASE("independent draws are worth what they are, whatever they are draws of") {
  const NpyArray draws = autoregression(0, 4, 5000);
  const auto found = ness::convergence(draws);
  CHECK(found.r_hat[0] < 1.002);
  CHECK(std::abs(found.bulk_draws[0] / 20'000 - 1) < 0.06);
  CHECK(std::abs(found.tail_draws[0] / 20'000 - 1) < 0.1);
  // Ranks do not ask for moments: those of a Cauchy distribution, that has none.
  const auto heavy = [](double x) {
    return std::tan(std::numbers::pi / 2 * std::erf(x / std::numbers::sqrt2));
  };
  const auto of_heavy = ness::convergence(mapped(draws, heavy));
  CHECK(of_heavy.bulk_draws[0] == found.bulk_draws[0]);
  CHECK(of_heavy.r_hat[0] < 1.002);
}

TEST_CASE("correlated draws are worth (1 − a)/(1 + a) of what they are") {
  for (const double a : {0.9, 0.5, -0.5}) {
    const auto found = ness::convergence(autoregression(a, 4, 40'000));
    INFO(a);
    CHECK(found.r_hat[0] < 1.01);
    CHECK(std::abs(found.bulk_draws[0] * (1 + a) / (1 - a) / 160'000 - 1) < 0.06);
  }
}

TEST_CASE("chains in different places, of different widths, or on the move have not converged") {
  CHECK(ness::convergence(autoregression(0, 4, 1000, 0.3)).r_hat[0] > 1.05);
  NpyArray widths = autoregression(0, 2, 1000);
  for (std::size_t k = 1000; k < 2000; ++k) widths.values[k] *= 2;
  CHECK(ness::convergence(widths).r_hat[0] > 1.05);
  NpyArray moves = autoregression(0, 2, 1000);  // both alike: only halves of chains differ
  for (std::size_t k = 0; k < 2000; ++k)
    moves.values[k] += 1.5 * static_cast<double>(k % 1000) / 1000;
  CHECK(ness::convergence(moves).r_hat[0] > 1.05);
  CHECK(ness::convergence(moves).bulk_draws[0] < 100);
}

TEST_CASE("each parameter is looked at by itself, and what never moves is not a number") {
  const NpyArray one = autoregression(0.5, 3, 101);
  NpyArray two{{3, 101, 2}, {}};
  for (const double x : one.values) two.values.insert(two.values.end(), {7.0, x});
  const auto found = ness::convergence(two), alone = ness::convergence(one);
  CHECK(found.r_hat[1] == alone.r_hat[0]);
  CHECK(found.bulk_draws[1] == alone.bulk_draws[0]);
  CHECK(found.tail_draws[1] == alone.tail_draws[0]);
  CHECK(std::isnan(found.r_hat[0]));
  CHECK(std::isnan(found.bulk_draws[0]));
  CHECK_THROWS_WITH(ness::convergence({{3, 101}, {}}), contains("three extents"));
  CHECK_THROWS_WITH(ness::convergence({{3, 7, 1}, std::vector<double>(21)}),
                    contains("8 draws at least, but is 7"));
  NpyArray broken = one;
  broken.values[150] = std::nan("");
  CHECK_THROWS_WITH(ness::convergence(broken), contains("chain 1, draw 49, parameter 0 is nan"));
}
