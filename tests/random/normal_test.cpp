#include "ness/random/normal.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

#include "ness/random/philox.hpp"
#include "support/catch.hpp"
#include "support/scripted_bits.hpp"
#include "support/statistics.hpp"

TEST_CASE("64 normal numbers are the 32 pairs of Box and Muller's transformation") {
  using Exact = long double;
  ness::Philox random(5, 6);
  ness::Philox same = random;
  ness::Normal normal;
  for (int group = 0; group < 20; ++group) {
    std::array<double, 64> z{};
    for (double& value : z) value = normal(random);
    for (std::size_t i = 0; i < 32; ++i) {
      const Exact radius = std::sqrt(-2 * std::log(Exact{ness::uniform_real(same)}));
      const Exact angle = 2 * std::numbers::pi_v<Exact> * Exact{ness::uniform_real(same)};
      const double tolerance = 1e-15 * (1 + static_cast<double>(radius));
      CHECK(std::abs(z[i] - static_cast<double>(radius * std::cos(angle))) <= tolerance);
      CHECK(std::abs(z[i + 32] - static_cast<double>(radius * std::sin(angle))) <= tolerance);
    }
  }
  CHECK(random == same);  // four words a pair, no more
}

TEST_CASE("Normal numbers are finite for the extreme words, and reach to 8.6 as documented") {
  for (const std::uint32_t first : {0U, 0xffffffffU})
    for (const std::uint32_t second : {0U, 0x80000000U, 0xffffffffU}) {
      std::vector<std::uint32_t> script;
      for (int pair = 0; pair < 32; ++pair) {
        script.insert(script.end(), {first, first});
        script.insert(script.end(), {second, second});
      }
      ScriptedBits<> random(script);
      ness::Normal normal;
      double largest = 0;
      for (int k = 0; k < 64; ++k) {
        const double z = normal(random);
        CHECK(std::isfinite(z));
        largest = std::max(largest, std::abs(z));
      }
      CHECK(largest <= 8.6);
      if (first == 0) CHECK(largest >= 8.5);
    }
}

TEST_CASE("Normal numbers fall evenly into cells of equal probability") {
  ness::Philox random(21);
  ness::Normal normal;
  std::vector<double> counts(100, 0);
  for (int k = 0; k < 400000; ++k) {
    const double p = 0.5 * std::erfc(-normal(random) / std::numbers::sqrt2);
    ++counts[std::min(static_cast<std::size_t>(100 * p), std::size_t{99})];
  }
  CHECK(std::abs(chi_square_deviation(counts)) <= 4);
}

TEST_CASE("Normal numbers have the moments 0, 1, 0, 3 and no correlation") {
  constexpr int samples = 1000000;
  ness::Philox random(22);
  ness::Normal normal;
  std::array<double, 5> moment{};
  std::array<double, 3> lagged{};  // at distance 1, 32 (its own pair) and 64 (the next group)
  std::vector<double> z(samples);
  for (double& value : z) value = normal(random);
  for (std::size_t k = 0; k < samples; ++k) {
    for (std::size_t power = 1; power <= 4; ++power)
      moment[power] += std::pow(z[k], static_cast<int>(power)) / samples;
    constexpr std::array<std::size_t, 3> lags{1, 32, 64};
    for (std::size_t l = 0; l < 3; ++l) lagged[l] += z[k] * z[(k + lags[l]) % samples] / samples;
  }
  const double unit = 1 / std::sqrt(samples);
  CHECK(std::abs(moment[1]) <= 4 * unit);
  CHECK(std::abs(moment[2] - 1) <= 4 * std::sqrt(2.0) * unit);   // var z² = 2
  CHECK(std::abs(moment[3]) <= 4 * std::sqrt(15.0) * unit);      // var z³ = 15
  CHECK(std::abs(moment[4] - 3) <= 4 * std::sqrt(96.0) * unit);  // var z⁴ = 105 − 9
  for (const double correlation : lagged) CHECK(std::abs(correlation) <= 4 * unit);
}

TEST_CASE("fill overwrites every element, with the numbers that single calls give") {
  ness::Philox random(8);
  ness::Philox same = random;
  ness::Normal normal;
  ness::Normal other;
  Eigen::MatrixXd doubles = Eigen::MatrixXd::Constant(9, 11, 1e300);
  Eigen::Vector3f floats = Eigen::Vector3f::Constant(1e30F);
  normal.fill(random, doubles);
  normal.fill(random, floats);
  for (Eigen::Index i = 0; i < doubles.size(); ++i) CHECK(doubles.data()[i] == other(same));
  for (Eigen::Index i = 0; i < 3; ++i) CHECK(floats[i] == static_cast<float>(other(same)));
}

// The answer was computed with none of AVX and FMA, by g++ -O0.
TEST_CASE("Normal numbers have the same bits on every machine") {
  ness::Philox random(1, 2);
  ness::Normal normal;
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a, by words
  for (int k = 0; k < 100'000; ++k)
    hash = (hash ^ std::bit_cast<std::uint64_t>(normal(random))) * 1099511628211U;
  CHECK(hash == 2777884843978785693U);
}
