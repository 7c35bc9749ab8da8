// Gradients by automatic differentiation: our dual numbers against Eigen's unsupported
// AutoDiffScalar, by hand, and against the network's own backward pass.
#include <ness/ness.hpp>
#include <unsupported/Eigen/AutoDiff>

#include "ratios.hpp"

namespace {

using Theta = Eigen::Matrix<double, 7, 1>;

// Eq. 30 written so that both kinds of number can be used: no `auto` for intermediate expressions.
template <class T, class Vector>
T loss(const Vector& theta, double x, double y) {
  using std::tanh;
  const T h1 = tanh(T(theta[0] * x + theta[2]));
  const T h2 = tanh(T(theta[1] * x + theta[3]));
  const T residual = theta[4] * h1 + theta[5] * h2 + theta[6] - y;
  return T(residual * residual * 50.0);
}

const ness::RegressionNetwork& network() {
  static ness::Philox random(1);
  static const ness::RegressionNetwork model = ness::regression_network(random);
  return model;
}

template <class Gradient>
void all_samples(benchmark::State& state, const Gradient& gradient) {
  const Theta theta = Theta::LinSpaced(-1, 1.3);
  const auto& model = network();
  for (auto _ : state) {
    Theta sum = Theta::Zero();
    for (Eigen::Index i = 0; i < model.samples(); ++i)
      sum += gradient(theta, model.inputs()(0, i), model.targets()(0, i));
    benchmark::DoNotOptimize(sum.data());
  }
}

void gradient_dual(benchmark::State& state) {
  ness::Autodiff<Theta> autodiff;
  all_samples(state, [&](const Theta& theta, double x, double y) {
    Theta result;
    autodiff.gradient(
        [&](const auto& t) { return loss<typename std::decay_t<decltype(t)>::Scalar>(t, x, y); },
        theta, result);
    return result;
  });
}
BENCHMARK(gradient_dual);

void gradient_eigen_autodiff(benchmark::State& state) {
  using Scalar = Eigen::AutoDiffScalar<Theta>;
  all_samples(state, [](const Theta& theta, double x, double y) {
    Eigen::Matrix<Scalar, 7, 1> variables;
    for (int k = 0; k < 7; ++k) variables[k] = Scalar(theta[k], 7, k);
    return Theta(loss<Scalar>(variables, x, y).derivatives());
  });
}
BENCHMARK(gradient_eigen_autodiff);

void gradient_backward_pass(benchmark::State& state) {
  const Theta theta = Theta::LinSpaced(-1, 1.3);
  ness::Derivatives<ness::RegressionNetwork> derivatives(network());
  Eigen::Matrix<double, 7, Eigen::Dynamic> gradients(7, network().samples());
  for (auto _ : state) {
    derivatives.sample_gradients(theta, 0, gradients);
    benchmark::DoNotOptimize(gradients.data());
  }
}
BENCHMARK(gradient_backward_pass);

}  // namespace

int main(int argc, char** argv) {
  return run_with_ratios(
      argc, argv,
      {{"dual numbers / Eigen's AutoDiffScalar", "gradient_dual", "gradient_eigen_autodiff", 1.0},
       {"backward pass / dual numbers", "gradient_backward_pass", "gradient_dual", 0}});
}
