// Training without replacement: prediction to leading order and to all orders, against epochs.
#include <iostream>
#include <fstream>
#include <cstdlib>
#include <ness/model/linear_model.hpp>
#include <ness/model/regression_network.hpp>
#include <ness/stationary/mean_shift.hpp>
#include <ness/stationary/predict.hpp>
#include <ness/trajectory/measure.hpp>

#include "support/catch.hpp"
#include "support/close.hpp"
#include "support/every_partition.hpp"
#include "support/quadratic.hpp"

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Sgd = ness::Sgd<ness::WithoutReplacement>;
using Matrix7 = ness::matrix_t<ness::RegressionNetwork>;

const auto& network() {
  static const ness::Objective objective = [] {
    if (getenv("PAPER")) { Eigen::VectorXd x(200), y(200); std::ifstream fx(getenv("X")), fy(getenv("Y")); for (int i=0;i<200;++i) { fx>>x[i]; fy>>y[i]; }
      return ness::Objective(ness::RegressionNetwork(x.transpose(), y.transpose(), {}, ness::regression_loss(200)), ness::L2{10}); }
    ness::Philox random(5);
    return ness::Objective(ness::regression_network(random), ness::L2{10});
  }();
  return objective;
}

const auto& network_minimum() {
  static const auto minimum = [] {
    Eigen::Matrix<double, 7, 1> start;
    start << 1.23, 1.28, 0.53, -0.70, 0.91, -0.93, 0.01;
    return ness::minimize(network(), start);
  }();
  return minimum;
}

}  // namespace

TEST_CASE("print") {
  const Sgd training{.learning_rate = 1e-7, .minibatch = {10}};
  const auto wr = ness::predict(network(), network_minimum(), ness::Sgd<ness::WithReplacement>{1e-7,{10}});
  const auto state = ness::predict(network(), network_minimum(), training);
  const auto all = ness::predict(network(), network_minimum(), training, {.epoch_order = ness::EpochOrder::all});
  const auto map = ness::sample_epoch_map(network(), state.mean, training);
  std::cout << "map: mean se " << map.mean.standard_error.transpose() << "\n hess " << map.hessian.standard_error.norm()/map.hessian.value.norm() << " D " << map.diffusion.standard_error.norm()/map.diffusion.value.norm() << " cov " << map.covariance.standard_error.norm()/map.covariance.value.norm() << " C/D " << all.nonequilibrium_ratio() << " " << state.nonequilibrium_ratio() << " cdiff " << relative_error(state.circulation, all.circulation) << "\n";
  const auto measured = ness::measure(network(), training, state, {.run = {.steps = 1'250'000*4, .burn_in = 100'000*20, .chains = 8}});
  std::cout << "wr " << wr.covariance.norm() << " wor " << state.covariance.norm() << " all " << all.covariance.norm() << " sim " << measured.covariance.value.norm() << "\n";
  std::cout << "h " << network_minimum().hessian_eigenvalues.transpose() << "\n";
  std::cout << "rel lead " << relative_error(state.covariance, measured.covariance.value) << " all " << relative_error(all.covariance, measured.covariance.value) << " se " << measured.covariance.standard_error.norm()/measured.covariance.value.norm() << "\n";
  std::cout << "theta_0 - hat " << (network_minimum().theta - state.mean).transpose() << "\n";
  std::cout << "all - hat " << (all.mean - state.mean).transpose() << "\n";
  std::cout << "shift " << ness::mean_shift(network(), training, state).transpose() << "\n";
  std::cout << "all+shift-hat " << (all.mean + ness::mean_shift(network(), training, all) - state.mean).transpose() << "\n";
  std::cout << "z " << ((measured.mean.value - all.mean - ness::mean_shift(network(), training, all)).array()/measured.mean.standard_error.array()).transpose() << "\n";
  std::cout << "z hat " << ((measured.mean.value - state.mean).array()/measured.mean.standard_error.array()).transpose() << "\n";
  std::cout << "sim - hat " << (measured.mean.value - state.mean).transpose() << "\n";
  std::cout << "se        " << measured.mean.standard_error.transpose() << "\n";
  std::cout << "std        " << state.covariance.diagonal().cwiseSqrt().transpose() << "\n";
  std::cout << "tau " << measured.autocorrelation_time.transpose() << " " << measured.batch_length << "\n";
  std::cout << "Cse " << measured.circulation.standard_error.norm() << "C " << state.circulation.norm() << " " << all.circulation.norm() << " " << measured.circulation.value.norm() <<" rel " << relative_error(all.circulation, measured.circulation.value) << " ep " << state.entropy_production << " " << all.entropy_production << " " << measured.entropy_production.value << " " << measured.entropy_production.standard_error << "\n";
}
