#include "ness/model/activations.hpp"

#include <cmath>
#include <limits>

#include "ness/model/dual.hpp"
#include "support/catch.hpp"

namespace {

using Second = ness::Dual<ness::Dual<double, 1>, 1>;

// An activation's own slope and curvature against those of its value by dual numbers.
template <class Activation>
void check_derivatives(const Activation& activation) {
  for (const double z : {-30.0, -5.0, -1.0, -0.1, 0.2, 1.0, 3.0, 30.0}) {
    CAPTURE(z);
    Second x(z);
    x.value.derivative[0] = 1;
    x.derivative[0] = 1;
    const Second y = activation.value(x);
    const double a = activation.value(z);
    CHECK(std::abs(y.value.value - a) <= 1e-15 * (1 + std::abs(a)));
    CHECK(std::abs(y.derivative[0].value - activation.slope(z, a)) <= 2e-15);
    CHECK(std::abs(y.derivative[0].derivative[0] - activation.curvature(z, a)) <= 2e-15);

    const auto w = static_cast<float>(z);
    const float b = activation.value(w);
    CHECK(std::abs(double{b} - a) <= 1e-6 * (1 + std::abs(a)));
    CHECK(std::abs(double{activation.slope(w, b)} - activation.slope(z, a)) <= 1e-6);
    CHECK(std::abs(double{activation.curvature(w, b)} - activation.curvature(z, a)) <= 1e-6);
  }
}

}  // namespace

TEST_CASE("Slopes and curvatures of activations are the derivatives of their values") {
  check_derivatives(ness::Tanh{});
  check_derivatives(ness::Sigmoid{});
  check_derivatives(ness::Softplus{});
  check_derivatives(ness::Relu{});
  check_derivatives(ness::Identity{});
}

TEST_CASE("Activations are the functions of their name") {
  for (const double z : {-3.0, -0.5, 0.0, 0.5, 3.0}) {
    CHECK(std::abs(ness::Tanh{}.value(z) - std::tanh(z)) <= 1e-15);
    CHECK(std::abs(ness::Sigmoid{}.value(z) - 1 / (1 + std::exp(-z))) <= 1e-15);
    CHECK(std::abs(ness::Softplus{}.value(z) - std::log(1 + std::exp(z))) <= 1e-15 * 4);
    CHECK(ness::Relu{}.value(z) == (z > 0 ? z : 0));
    CHECK(ness::Identity{}.value(z) == z);
  }
}

TEST_CASE("The slope of a rectifier is 0 at its kink, by its own word and by dual numbers") {
  const ness::Relu relu;
  CHECK(relu.slope(0.0, 0.0) == 0);
  ness::Dual<double, 1> x(0.0);
  x.derivative[0] = 1;
  CHECK(relu.value(x).derivative[0] == 0);
}

TEST_CASE("Activations stay finite for large inputs, and follow their asymptotes") {
  for (const double z : {800.0, 1e6, 1e300}) {
    CHECK(ness::Tanh{}.value(z) == 1);
    CHECK(ness::Tanh{}.value(-z) == -1);
    CHECK(ness::Sigmoid{}.value(z) == 1);
    CHECK(ness::Sigmoid{}.value(-z) == 0);
    CHECK(ness::Softplus{}.value(z) == z);
    CHECK(ness::Softplus{}.value(-z) == 0);
    CHECK(ness::Softplus{}.slope(z, z) == 1);
    CHECK(ness::Softplus{}.curvature(z, z) == 0);
  }
}

TEST_CASE("A NaN passes through the smooth activations, so that a diverged run shows") {
  constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(ness::Tanh{}.value(not_a_number)));
  CHECK(std::isnan(ness::Sigmoid{}.value(not_a_number)));
  CHECK(std::isnan(ness::Softplus{}.value(not_a_number)));
  CHECK(std::isnan(ness::Identity{}.value(not_a_number)));
}
