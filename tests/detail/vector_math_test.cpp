#include "ness/detail/vector_math.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <numeric>

#include "ness/random/philox.hpp"
#include "ness/random/uniform.hpp"
#include "support/catch.hpp"

namespace {

namespace math = ness::detail;
using Exact = long double;

// |found − exact| in units of the last place of `exact`; infinite for NaN.
double ulps(double found, Exact exact) {
  const auto rounded = static_cast<double>(exact);
  if (std::isnan(found) || (rounded == 0 && found != 0))
    return std::numeric_limits<double>::infinity();
  const double size = std::abs(rounded);
  const double unit = std::nextafter(size, std::numeric_limits<double>::infinity()) - size;
  return static_cast<double>(std::abs(found - exact) / unit);
}

// One lane of them.
double log_of(double x) { return math::log(math::DoubleLanes{} + x)[0]; }
void sincos_turns(double u, double& sine, double& cosine) {
  math::DoubleLanes sines, cosines;
  math::sincos_turns(math::DoubleLanes{} + u, sines, cosines);
  sine = sines[0];
  cosine = cosines[0];
}

double scalar_tanh(double x) { return math::tanh(x); }
double tanh_in_lanes(double x) { return math::tanh(math::DoubleLanes{} + x)[0]; }

// Numbers of either sign whose logarithm is uniform: every size from `least` to `most`.
double of_any_size(ness::Philox& random, double least, double most) {
  const double size =
      std::exp(std::log(least) + std::log(most / least) * ness::uniform_real(random));
  return ness::uniform_real(random) < 0.5 ? -size : size;
}

}  // namespace

TEST_CASE("tanh is good to a few units in the last place, everywhere") {
  ness::Philox random(1);
  double worst = 0;
  for (int k = 0; k < 200000; ++k) {
    const double near = 50 * (ness::uniform_real(random) - 0.5);
    const double any = of_any_size(random, 1e-290, 1e3);
    for (const double x : {near, near / 10, near / 100, any})
      for (const double found : {math::tanh(x), tanh_in_lanes(x)})
        worst = std::max(worst, ulps(found, std::tanh(Exact{x})));
  }
  CHECK(worst <= 5);
}

TEST_CASE("tanh is good beside the joints of its reduction") {
  double worst = 0;
  for (int k = -60; k <= 60; ++k) {
    double x = (k + 0.5) * std::numbers::ln2 / 2;
    for (int step = 0; step < 3; ++step) x = std::nextafter(x, -100.0);
    for (int step = 0; step < 7; ++step, x = std::nextafter(x, 100.0))
      for (const double found : {math::tanh(x), tanh_in_lanes(x)})
        worst = std::max(worst, ulps(found, std::tanh(Exact{x})));
  }
  CHECK(worst <= 5);
}

TEST_CASE("tanh is odd, bounded by 1 and keeps the sign of zero") {
  ness::Philox random(2);
  for (int k = 0; k < 1000; ++k) {
    const double x = of_any_size(random, 1e-5, 1e5);
    for (const auto& tanh : {scalar_tanh, tanh_in_lanes}) {
      CHECK(tanh(-x) == -tanh(x));
      CHECK(std::abs(tanh(x)) <= 1);
    }
  }
  for (const auto& tanh : {scalar_tanh, tanh_in_lanes}) {
    CHECK(tanh(0.0) == 0);
    CHECK(tanh(1e308) == 1);
    CHECK(tanh(-1e308) == -1);
    CHECK(tanh(5e-324) == 5e-324);  // the least positive number
  }
}

TEST_CASE("tanh shows a diverged run: NaN for NaN and for infinities") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const auto& tanh : {scalar_tanh, tanh_in_lanes}) {
    CHECK(std::isnan(tanh(std::numeric_limits<double>::quiet_NaN())));
    CHECK(std::isnan(tanh(infinity)));
    CHECK(std::isnan(tanh(-infinity)));
  }
}

TEST_CASE("log is good to a few units in the last place for all normal numbers") {
  ness::Philox random(3);
  double worst = 0;
  const auto look = [&](double x) { worst = std::max(worst, ulps(log_of(x), std::log(Exact{x}))); };
  for (int k = 0; k < 200000; ++k) {
    look(ness::uniform_real(random));
    look(std::abs(of_any_size(random, 1e-150, 1e150)));
    look(1 + (ness::uniform_real(random) - 0.5) * 1e-3);  // where log vanishes
  }
  for (const double root : {std::numbers::sqrt2, std::numbers::sqrt2 / 2}) {  // the joints
    look(root);
    look(std::nextafter(root, 0.0));
    look(std::nextafter(root, 2.0));
  }
  look(std::numeric_limits<double>::min());
  look(std::numeric_limits<double>::max());
  look(0x1p-53);      // the least that uniform_real gives
  look(1 - 0x1p-53);  // the largest
  CHECK(worst <= 4);
  CHECK(log_of(1.0) == 0);
}

TEST_CASE("sincos_turns is good to a few units in the last place, also near the zeros") {
  ness::Philox random(4);
  const Exact turn = 2 * std::numbers::pi_v<Exact>;
  double worst = 0;
  const auto look = [&](double u) {
    double sine = 0;
    double cosine = 0;
    sincos_turns(u, sine, cosine);
    // Exact differences to the nearest zero keep the reference's relative accuracy.
    const double to_half = u < 0.25 ? u : u < 0.75 ? 0.5 - u : u - 1;
    const double to_quarter = u < 0.5 ? 0.25 - u : u - 0.75;
    worst = std::max(
        {worst, ulps(sine, std::sin(turn * to_half)), ulps(cosine, std::sin(turn * to_quarter))});
  };
  for (int k = 0; k < 200000; ++k) {
    const double u = ness::uniform_real(random);
    look(u);
    for (const double zero : {0.25, 0.5, 0.75}) look(zero + (u - 0.5) * 1e-6);
    look(u * 1e-9);
  }
  for (int eighth = 1; eighth < 8; ++eighth)  // the joints
    for (const double u : {eighth / 8.0, std::nextafter(eighth / 8.0, 0.0)}) look(u);
  look(0);
  look(std::nextafter(1.0, 0.0));
  CHECK(worst <= 4);
}

TEST_CASE("sincos_turns is exact at the quarter turns") {
  const double expected[4][2] = {{0, 1}, {1, 0}, {0, -1}, {-1, 0}};
  for (int quarter = 0; quarter < 4; ++quarter) {
    double sine = 2;
    double cosine = 2;
    sincos_turns(quarter / 4.0, sine, cosine);
    CHECK(sine == expected[quarter][0]);
    CHECK(cosine == expected[quarter][1]);
  }
}

TEST_CASE("power_of_two and nearest_integer are what they say") {
  for (const int k : {-1022, -1021, -1, 0, 1, 52, 1023})
    CHECK(math::power_of_two(k) == std::ldexp(1.0, k));
  for (const double x : {-2.6, -2.5, -2.4, -0.4, 0.0, 0.4, 0.5, 7.49, 1e9})
    CHECK(std::abs(math::nearest_integer(x) - x) <= 0.5);
}

TEST_CASE("the sum of lanes adds up halves, whatever their number") {
  std::array<double, math::lanes> numbers;
  for (std::size_t j = 0; j < numbers.size(); ++j)
    numbers[j] = std::ldexp(1.0, static_cast<int>(j) * 7);
  const auto all = math::gather<math::DoubleLanes>([&](std::size_t j) { return numbers[j]; });
  CHECK(math::sum_of_lanes(all) == std::accumulate(numbers.begin(), numbers.end(), 0.0));
  for (std::size_t j = 0; j < numbers.size(); ++j)
    CHECK(math::rotated<1>(all)[j] == numbers[(j + 1) % numbers.size()]);
  // Of 1, 2^60, −2^60 … the order shows.
  numbers.fill(0);
  numbers.front() = 1;
  numbers[numbers.size() / 2] = 0x1p60;
  const auto some = math::gather<math::DoubleLanes>([&](std::size_t j) { return numbers[j]; });
  CHECK(math::sum_of_lanes(some) == 1 + 0x1p60);
}

TEST_CASE("a product and a sum in lanes are those of the numbers") {
  const math::DoubleLanes two = math::DoubleLanes{} + 2.0, three = math::DoubleLanes{} + 3.0;
  CHECK(math::multiply_add(two, three, two + 3.0)[math::lanes - 1] == 11);
}
