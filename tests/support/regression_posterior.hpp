// The linear regression of Sec. 4.6 on the data that come with the library.
#pragma once

#include <cmath>
#include <ness/landscape/minimize.hpp>
#include <ness/model/linear_model.hpp>
#include <ness/model/regression_network.hpp>
#include <ness/random/philox.hpp>

using RegressionModel = ness::LinearModel<double, 3>;

/// ψ(x) = (tanh(½ − x), tanh(½ + x), 1), 3 × M (39), and y, M.
struct RegressionData {
  Eigen::MatrixXd psi;
  Eigen::VectorXd y;

  RegressionData() {
    ness::Philox random(2306'03521);
    const ness::RegressionNetwork network = ness::regression_network(random);
    y = network.targets().transpose();
    psi.resize(3, network.samples());
    for (Eigen::Index i = 0; i < network.samples(); ++i) {
      const double x = network.inputs()(0, i);
      psi.col(i) << std::tanh(0.5 - x), std::tanh(0.5 + x), 1;
    }
  }
};

inline const auto& regression_posterior() {
  static const RegressionData data;
  static const ness::Objective objective(
      RegressionModel(data.psi, data.y.transpose(), ness::regression_loss(data.y.size())),
      ness::L2{10});
  return objective;
}
inline const auto& regression_posterior_minimum() {
  static const auto minimum =
      ness::minimize(regression_posterior(), Eigen::Vector3d(Eigen::Vector3d::Zero()));
  return minimum;
}
