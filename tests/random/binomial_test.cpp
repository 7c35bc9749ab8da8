#include "ness/random/binomial.hpp"

#include <cmath>
#include <vector>

#include "ness/random/philox.hpp"
#include "support/catch.hpp"

namespace {

// χ² of the counts against the binomial probabilities, where 20 or more are expected, as a normal
// deviation.
double deviation(std::int64_t n, double p, double of_p) {
  ness::Philox random(3, 7);
  ness::Binomial binomial;
  constexpr int draws = 200'000;
  std::vector<double> counts(static_cast<std::size_t>(n + 1));
  for (int k = 0; k < draws; ++k) ++counts.at(static_cast<std::size_t>(binomial(random, n, p)));
  double chi_square = 0, cells = 0;
  const auto trials = static_cast<double>(n);
  for (double j = 0; j <= trials; ++j) {
    const double expected = draws * std::exp(std::lgamma(trials + 1) - std::lgamma(j + 1) -
                                             std::lgamma(trials - j + 1) + j * std::log(of_p) +
                                             (trials - j) * std::log1p(-of_p));
    if (expected < 20) continue;
    const double difference = counts[static_cast<std::size_t>(j)] - expected;
    chi_square += difference * difference / expected;
    ++cells;
  }
  return (chi_square - cells) / std::sqrt(2 * cells);
}

}  // namespace

TEST_CASE("Binomial numbers have their distribution, few trials or many") {
  for (const std::int64_t n : {1, 16, 17, 40, 1000})
    for (const double p : {0.03, 0.5, 0.8}) {
      INFO("n = " << n << ", p = " << p);
      CHECK(deviation(n, p, p) < 4);
    }
  CHECK(deviation(40, 0.5, 0.51) > 20);
}

TEST_CASE("Binomial numbers of certain outcomes") {
  ness::Philox random(3);
  ness::Binomial binomial;
  for (const std::int64_t n : {0, 5, 16, 17, 100'000}) {
    CHECK(binomial(random, n, 0) == 0);
    CHECK(binomial(random, n, 1) == n);
  }
}
