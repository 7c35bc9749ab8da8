#include "ness/random/gamma.hpp"

#include <cmath>
#include <vector>

#include "ness/random/philox.hpp"
#include "support/catch.hpp"
#include "support/statistics.hpp"

namespace {

// Counts in 40 cells that have equal probability by the distribution function.
template <class Distribution>
double deviation(double shape, const Distribution& distribution) {
  ness::Philox random(3, 5);
  ness::Gamma gamma;
  std::vector<double> counts(40);
  for (int k = 0; k < 400'000; ++k) {
    const double p = distribution(gamma(random, shape));
    ++counts[std::min<std::size_t>(39, static_cast<std::size_t>(40 * p))];
  }
  return chi_square_deviation(counts);
}

}  // namespace

TEST_CASE("Gamma numbers have the distribution of their shape") {
  CHECK(deviation(0.5, [](double x) { return std::erf(std::sqrt(x)); }) < 4);
  CHECK(deviation(1, [](double x) { return -std::expm1(-x); }) < 4);
  CHECK(deviation(1.5, [](double x) {
          return std::erf(std::sqrt(x)) - 2 * std::sqrt(x / std::acos(-1.0)) * std::exp(-x);
        }) < 4);
  CHECK(deviation(4, [](double x) {
          return 1 - std::exp(-x) * (1 + x + x * x / 2 + x * x * x / 6);
        }) < 4);
  CHECK(deviation(4, [](double x) { return -std::expm1(-x / 4); }) > 100);
}

TEST_CASE("Gamma numbers of large and of very small shape") {
  ness::Philox random(3, 6);
  ness::Gamma gamma;
  double sum = 0, squares = 0;
  constexpr int count = 100'000;
  for (int k = 0; k < count; ++k) {
    const double x = gamma(random, 1e4);
    sum += x - 1e4;
    squares += (x - 1e4) * (x - 1e4);
    const double small = gamma(random, 1e-5);
    REQUIRE((small >= 0 && std::isfinite(small)));
  }
  CHECK(std::abs(sum / count) <= 4 * 100 / std::sqrt(count));
  CHECK(std::abs(squares / count / 1e4 - 1) <= 4 * std::sqrt(2.0 / count));
}
