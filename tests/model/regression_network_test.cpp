#include "ness/model/regression_network.hpp"

#include <Eigen/Core>
#include <cmath>

#include "ness/model/autodiff.hpp"
#include "support/against_autodiff.hpp"
#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/generic_values.hpp"

namespace {

using Parameters = Eigen::Matrix<double, 7, 1>;

ness::RegressionNetwork generated_network() {
  ness::Philox random(1);
  return ness::regression_network(random);
}

}  // namespace

TEST_CASE("The regression network is Eq. 30, with its parameters in the paper's order") {
  const auto network = generated_network();
  const auto t = generic_values<Parameters>(7, 1, 2);
  for (const double x : {-3.0, -0.4, 0.0, 1.3, 2.97}) {
    const double f = t[4] * std::tanh(t[0] * x + t[2]) + t[5] * std::tanh(t[1] * x + t[3]) + t[6];
    CHECK(relative_error(network.output(t, Eigen::Matrix<double, 1, 1>(x))[0], f) <= 1e-14);
  }
  STATIC_REQUIRE(ness::parameters_at_compile_time<ness::RegressionNetwork> == 7);
}

TEST_CASE("The regression network's loss is (M/2ε²)(y − f)²") {
  const auto network = generated_network();
  const auto t = generic_values<Parameters>(7, 1, 3);
  for (const Eigen::Index i : {0, 77, 199}) {
    const Eigen::VectorXd x = network.inputs().col(i);
    const double residual = network.targets()(0, i) - network.output(t, x)[0];
    CHECK(relative_error(network.sample_loss(t, i), 200 / (2 * 0.1 * 0.1) * residual * residual) <=
          1e-14);
  }
  CHECK(relative_error(ness::regression_loss(50).scale, 2500) <= 1e-15);
}

TEST_CASE("Derivatives of the regression network are those of its sample_loss") {
  check_against_autodiff(generated_network(), generic_values<Parameters>(7, 1, 4),
                         {1, 10, 16, 100, 200});
}

TEST_CASE("The generated data are 200 points of exp(−x²) with noise of standard deviation ε") {
  double squares = 0;
  double sum = 0;
  constexpr int sets = 50;
  ness::Philox random(5);
  for (int set = 0; set < sets; ++set) {
    const auto network = ness::regression_network(random);
    REQUIRE(network.samples() == 200);
    for (Eigen::Index i = 0; i < 200; ++i) {
      const double x = -3 + 0.03 * static_cast<double>(i);
      CHECK(std::abs(network.inputs()(0, i) - x) <= 1e-15);
      const double noise = network.targets()(0, i) - std::exp(-x * x);
      sum += noise;
      squares += noise * noise;
    }
  }
  constexpr double count = 200.0 * sets;
  CHECK(std::abs(sum / count) <= 4 * 0.1 / std::sqrt(count));
  CHECK(std::abs(squares / count - 0.01) <= 4 * 0.01 * std::sqrt(2 / count));
}

TEST_CASE("The generated data are fixed by the seed") {
  ness::Philox other(2);
  CHECK(generated_network().targets() == generated_network().targets());
  CHECK(generated_network().targets() != ness::regression_network(other).targets());
}
